"""Charts of what moves the plan: tornado, shares of variance, waterfalls, cohorts, scenarios side by side.

Each chart has a function of the same name with ``_rows`` that gives the table under it: a list of rows,
each from column title to text, for those who read numbers or cannot see the chart.
"""

import textwrap
from collections.abc import Sequence
from datetime import date
from typing import Any
from unicodedata import east_asian_width

import numpy as np
from numpy.typing import NDArray

from core.charts.plan import Series, lines_chart, months
from core.charts.theme import BLUE, GREEN, GREY, ORANGE, SKY, VERMILION, Figure, band, escaped, figure
from core.finance.movements import Move
from core.finance.outcome import Outcome, said, titled
from core.finance.sensitivity import Bar, Effects, Tornado
from core.finance.units import read, spoken
from core.i18n import Language
from core.venture import Venture

Array = NDArray[np.float64]
Rows = list[dict[str, str]]

TOP = 8
"""Bars shown one by one; the rest are put together."""

WRAP = 24
"""Latin letters in a line of a bar's name: as many as a phone has room for beside the bars."""

AGES = (3, 6, 12, 24)
"""Ages (months) of the table of cohorts."""


# Tornado


def tornado_chart(tornado: Tornado, venture: Venture, _: Language, top: int = TOP) -> Figure:
    """A bar for each of the ``top`` drivers, from the outcome at its low to the outcome at its high end.

    What the other drivers do together is the last bar: the root of the sum of their squares on either
    side of the base, as it is for independent drivers. ``customdata`` holds each bar's driver key
    (empty for the others).
    """
    shown, rest = tornado.bars[:top], tornado.bars[top:]
    names = [_driver_name(bar.driver_key, venture, _) for bar in shown]
    keys = [bar.driver_key for bar in shown]
    ends = [(bar.at_low, bar.at_high) for bar in shown]
    texts = [tuple(_end(bar.driver_key, end, venture, _) for end in (bar.low, bar.high)) for bar in shown]
    if rest:
        names.append(_wrapped(_("{count} other drivers", count=len(rest))))
        keys.append("")
        ends.append(_together(rest, tornado.base))
        texts.append(("", ""))
    base = _short(tornado.base)
    places = list(range(len(names)))
    traces: list[dict[str, Any]] = [
        {
            "type": "bar",
            "orientation": "h",
            "name": name,
            "y": places,
            "x": [_short(end[side] - base) for end in ends],
            "base": [base] * len(names),
            "text": [text[side] for text in texts],
            "textposition": "outside",
            "cliponaxis": False,
            "marker": {"color": colour, "pattern": {"shape": pattern}},
            "customdata": keys,
            "hovertext": [
                f"{name}: {escaped(said(tornado.outcome, end[side], venture, _))}"
                for name, end in zip(names, ends, strict=True)
            ],
            "hovertemplate": "%{hovertext}<extra></extra>",
        }
        for side, name, colour, pattern in (
            (0, _("driver at its 10th percentile"), BLUE, ""),
            (1, _("driver at its 90th percentile"), ORANGE, "/"),
        )
    ]
    at_base = escaped(said(tornado.outcome, tornado.base, venture, _))
    traces.append(
        {
            "type": "scatter",
            "mode": "lines",
            "name": _("all at the median: {value}", value=at_base),
            "x": [base, base],
            "y": [-0.5, len(names) - 0.5],
            "line": {"color": GREY, "width": 2},
            "hoverinfo": "skip",
        }
    )
    reach = [value for end in ends for value in end] + [base]
    room = 0.3 * (max(reach) - min(reach)) or abs(base) * 0.1 or 1.0
    return figure(
        traces,
        x_title=_axis(tornado.outcome, venture, _),
        y_title="",
        height=130 + 44 * len(names),
        barmode="overlay",
        bargap=0.35,
        hovermode="closest",
        xaxis={**_ticks(tornado.outcome), "range": [min(reach) - room, max(reach) + room]},
        yaxis=_named(names),
    )


def tornado_rows(tornado: Tornado, venture: Venture, _: Language) -> Rows:
    """Every uncertain driver at both ends, with the outcome at each."""
    return [
        {
            _("Driver"): _.text(venture.driver(bar.driver_key).label),
            _("10th percentile"): _driver_value(bar.driver_key, bar.low, venture, _),
            _("Outcome there"): said(tornado.outcome, bar.at_low, venture, _),
            _("90th percentile"): _driver_value(bar.driver_key, bar.high, venture, _),
            _("Outcome at that end"): said(tornado.outcome, bar.at_high, venture, _),
        }
        for bar in tornado.bars
    ]


def _together(bars: Sequence[Bar], base: float) -> tuple[float, float]:
    below = [min(bar.at_low, bar.at_high, base) - base for bar in bars]
    above = [max(bar.at_low, bar.at_high, base) - base for bar in bars]
    return base - float(np.linalg.norm(below)), base + float(np.linalg.norm(above))


# Shares of variance


def effects_chart(effects: Effects, venture: Venture, _: Language, top: int = TOP) -> Figure:
    """Total effects as bars with two standard errors, first-order effects as diamonds."""
    shown = effects.effects[:top]
    names = [_wrapped(_.text(venture.driver(effect.driver_key).label)) for effect in shown]
    common = {
        "y": list(range(len(names))),
        "customdata": [effect.driver_key for effect in shown],
        "hovertext": names,
        "hovertemplate": "%{hovertext}: %{x:.1%}<extra></extra>",
    }
    traces: list[dict[str, Any]] = [
        {
            "type": "bar",
            "orientation": "h",
            "name": _("with all its interactions"),
            "x": [_short(effect.total) for effect in shown],
            "error_x": {
                "type": "data",
                "array": [_short(2 * effect.total_error) for effect in shown],
                "color": GREY,
                "thickness": 1.5,
            },
            "marker": {"color": SKY},
            **common,
        },
        {
            "type": "scatter",
            "mode": "markers",
            "name": _("alone"),
            "x": [_short(effect.first) for effect in shown],
            "marker": {"color": VERMILION, "symbol": "diamond", "size": 9},
            **common,
        },
    ]
    return figure(
        traces,
        x_title=_("Share of the variance (%)"),
        y_title="",
        height=130 + 44 * len(names),
        hovermode="closest",
        bargap=0.35,
        xaxis={"tickformat": ".0%"},
        yaxis=_named(names),
    )


def effects_rows(effects: Effects, venture: Venture, _: Language) -> Rows:
    """Every uncertain driver with both indices and their standard errors."""
    return [
        {
            _("Driver"): _.text(venture.driver(effect.driver_key).label),
            _("Share with interactions"): f"{_.percent(effect.total)} ± {_.percent(effect.total_error, 2)}",
            _("Share alone"): f"{_.percent(effect.first)} ± {_.percent(effect.first_error, 2)}",
        }
        for effect in effects.effects
    ]


# Waterfalls


def waterfall_chart(moves: Sequence[Move], unit: str, venture: Venture, _: Language) -> Figure:
    """Levels as full bars, changes as steps between them; ``unit`` is the moves' formula unit."""
    trace = {
        "type": "waterfall",
        "x": [_wrapped(_.text(move.label), 14) for move in moves],
        "y": [_short(move.value) for move in moves],
        "measure": ["absolute" if move.kind == "level" else "relative" for move in moves],
        "text": [_signed(move, unit, venture, _) for move in moves],
        "textposition": "outside",
        "cliponaxis": False,
        "increasing": {"marker": {"color": GREEN}},
        "decreasing": {"marker": {"color": VERMILION}},
        "totals": {"marker": {"color": BLUE}},
        "connector": {"line": {"color": GREY, "width": 1}},
        "hovertemplate": "%{text}<extra>%{x}</extra>",
    }
    return figure(
        [trace],
        x_title="",
        y_title=read(unit, venture.currency, _),
        legend=False,
        hovermode="closest",
        yaxis={"tickformat": "~s"},
    )


def waterfall_rows(moves: Sequence[Move], unit: str, venture: Venture, _: Language) -> Rows:
    """Each move with its sign."""
    return [
        {_("Movement"): _.text(move.label), read(unit, venture.currency, _): _signed(move, unit, venture, _)}
        for move in moves
    ]


def _signed(move: Move, unit: str, venture: Venture, _: Language) -> str:
    money = unit.split("/")[0]
    text = spoken(abs(move.value), money, venture.currency, _)
    if move.value < 0:
        return f"−{text}"
    return f"+{text}" if move.kind == "change" and move.value > 0 else text


# Cohorts


def cohort_chart(cohorts: Array, start: date, _: Language) -> Figure:
    """Customers who are still there, by the month they were won in (down) and their age (across).

    ``cohorts`` has shape (months, months), NaN beyond the plan.
    """
    won = months(start, len(cohorts), _)
    shares = _shares(cohorts)
    trace = {
        "type": "heatmap",
        "x": list(range(cohorts.shape[1])),
        "y": list(won),
        "z": [[None if np.isnan(x) else _short(x) for x in row] for row in cohorts],
        "customdata": [[None if np.isnan(x) else _short(x) for x in row] for row in shares],
        "colorscale": [[0, band(BLUE, 0.06)], [1, band(BLUE, 1.0)]],
        "zmin": 0,
        "xgap": 1,
        "ygap": 1,
        "hoverongaps": False,
        "hovertemplate": "%{z:.3s} · %{customdata:.0%}<extra>%{y} + %{x}</extra>",
        "colorbar": {
            "title": {"text": _("customers"), "side": "top"},
            "thickness": 10,
            "len": 0.9,
            "outlinewidth": 0,
        },
    }
    return figure(
        [trace],
        x_title=_("Age in months"),
        y_title=_("Won in"),
        height=420,
        legend=False,
        hovermode="closest",
        xaxis={"showgrid": False},
        yaxis={"autorange": "reversed", "type": "category", "showgrid": False, "nticks": 12},
    )


def cohort_rows(cohorts: Array, start: date, _: Language) -> Rows:
    """Each cohort with the customers won, and those still there at the ages of :data:`AGES` with their share."""
    rows = []
    for place, (month, cohort) in enumerate(zip(months(start, len(cohorts), _), cohorts, strict=True)):
        row = {_("Won in"): month, _("Customers won"): _.number(float(cohort[0]))}
        for age in (age for age in AGES if age < len(cohort)):
            title = _("After {count} months", count=age)
            value, share = float(cohort[age]), float(_shares(cohorts)[place, age])
            row[title] = "" if np.isnan(value) else f"{_.number(value)} ({_.percent(share, 2)})"
        rows.append(row)
    return rows


def _shares(cohorts: Array) -> Array:
    """What is left of each cohort, as a share; a cohort of nobody keeps all."""
    won = cohorts[:, :1]
    return np.where(won > 0, cohorts / np.where(won > 0, won, 1.0), np.where(np.isnan(cohorts), np.nan, 1.0))


# Scenarios


def scenarios_chart(
    series: Sequence[Series], start: date, unit: str, venture: Venture, _: Language
) -> Figure:
    """One line of the plan, a line a scenario; ``unit`` is its formula unit."""
    return lines_chart(series, start, read(unit, venture.currency, _), _)


def scenarios_rows(
    series: Sequence[Series], start: date, unit: str, venture: Venture, _: Language, every: int = 6
) -> Rows:
    """Every ``every`` months the value of each scenario and its difference from the first."""
    names = months(start, len(series[0].values), _)
    first = series[0]
    rows = []
    for place in range(every - 1, len(names), every):
        row = {_("Month"): names[place]}
        for number, line in enumerate(series):
            row[line.name] = spoken(float(line.values[place]), unit, venture.currency, _)
            if number:
                difference = float(line.values[place] - first.values[place])
                sign = "−" if difference < 0 else "+" if difference > 0 else ""
                title = _("{name}, difference from {first}", name=line.name, first=first.name)
                row[title] = sign + spoken(abs(difference), unit, venture.currency, _)
        rows.append(row)
    return rows


# Words and numbers


def _driver_name(key: str, venture: Venture, _: Language) -> str:
    """A driver's name for an axis, with its unit where the number alone would not tell it."""
    driver = venture.driver(key)
    name = _.text(driver.label)
    if not driver.unit.startswith(("money", "1")):
        name += f" ({read(driver.unit, venture.currency, _)})"
    return _wrapped(name)


def _end(key: str, value: float, venture: Venture, _: Language) -> str:
    """A driver's value at the end of its bar, short: "$64", "4.2%", "0.7"."""
    unit = venture.driver(key).unit
    if unit.startswith("money"):
        return _.money(value, venture.currency, 2)
    return _.percent(value, 2) if unit.startswith("1") else _.number(value, digits=2)


def _driver_value(key: str, value: float, venture: Venture, _: Language) -> str:
    return spoken(value, venture.driver(key).unit, venture.currency, _)


def _axis(outcome: Outcome, venture: Venture, _: Language) -> str:
    title = titled(outcome, _)
    if outcome.unit == "month":
        title = _("{outcome} (month of the plan)", outcome=title)
    else:
        title += f" ({'×' if outcome.unit == '×' else read(outcome.unit, venture.currency, _)})"
    return _wrapped(title, 36)


def _named(names: Sequence[str]) -> dict[str, Any]:
    """An axis of bars from the top down. Bars stand at numbers, for two drivers may have one name."""
    return {
        "range": [len(names) - 0.5, -0.5],
        "tickvals": list(range(len(names))),
        "ticktext": list(names),
        "zeroline": False,
        "showgrid": False,
    }


def _ticks(outcome: Outcome) -> dict[str, str]:
    share = outcome.unit == "1" or outcome.unit.startswith("1/")
    return {"tickformat": ".0%" if share else "~s"}


def _wrapped(text: str, width: int = WRAP) -> str:
    """The text in lines of about ``width`` Latin letters (half as many Chinese ones), escaped for Plotly."""
    if any(east_asian_width(letter) == "W" for letter in text):
        width //= 2
    return "<br>".join(escaped(line) for line in textwrap.wrap(text, width)) or escaped(text)


def _short(value: float) -> float:
    """Four significant figures are more than a chart shows and make it smaller to send."""
    return float(f"{value:.4g}")

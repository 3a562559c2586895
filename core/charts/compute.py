"""Charts of the compute page: what a run costs by accelerator, serving cost over volume, the lines of the law.

Money arrives in USD and is drawn in the venture's currency at ``rate`` per USD.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.charts.theme import BLUE, DASHES, GREEN, GREY, MARKERS, ORANGE, SKY, VERMILION, Figure, band, figure
from core.compute import Curve, Standing, TrainingEstimate
from core.i18n import Language

Array = NDArray[np.float64]
Single = NDArray[np.float32]
Trace = dict[str, Any]

BARS = 10
"""More bars than these nobody compares; the chosen accelerator is always among them."""


def accelerator_chart(
    estimates: Sequence[TrainingEstimate], chosen: TrainingEstimate, currency: str, rate: float, _: Language
) -> Figure:
    """Horizontal bars of the cost with experiments, whiskers from P10 to P90, the cheapest on top.

    Accelerators on which the run does not fit are hatched; the chosen one is darker and marked.
    """
    bars = _worth_showing(estimates, chosen)
    names = [_name(e, e.accelerator.name == chosen.accelerator.name) for e in bars]
    middle = [e.all_dollars.p50 * rate for e in bars]
    trace = {
        "type": "bar",
        "orientation": "h",
        "y": names,
        "x": [_round(value) for value in middle],
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [_round((e.all_dollars.p90 - e.all_dollars.p50) * rate) for e in bars],
            "arrayminus": [_round((e.all_dollars.p50 - e.all_dollars.p10) * rate) for e in bars],
            "color": GREY,
            "thickness": 1.5,
            "width": 4,
        },
        "marker": {
            "color": [BLUE if e.accelerator.name == chosen.accelerator.name else SKY for e in bars],
            "pattern": {"shape": ["" if e.fit.fits else "/" for e in bars]},
        },
        "customdata": [
            [
                _.money(e.all_dollars.p50 * rate, currency),
                _.money(e.all_dollars.p10 * rate, currency),
                _.money(e.all_dollars.p90 * rate, currency),
                _.number(e.all_days.p50),
                _("fits") if e.fit.fits else _("does not fit"),
            ]
            for e in bars
        ],
        "hovertemplate": _(
            "%{customdata[0]} (%{customdata[1]} to %{customdata[2]}), %{customdata[3]} days, %{customdata[4]}"
        )
        + "<extra>%{y}</extra>",
    }
    return figure(
        [trace],
        x_title=_("Cost with experiments ({currency})", currency=currency),
        y_title="",
        legend=False,
        height=80 + 30 * len(bars),
        hovermode="closest",
        xaxis={"tickformat": "~s", "rangemode": "tozero", "nticks": 5},
        yaxis={"autorange": "reversed", "zeroline": False},
        bargap=0.3,
    )


def volume_chart(curve: Curve, now: float, currency: str, rate: float, _: Language) -> Figure:
    """Cost per month over requests per month, both on logarithmic axes; ``now`` is the plan's volume."""
    x = curve.requests.astype(np.float32)  # sent to the browser as bytes, a tenth of the time of a list
    p10, p50, p90 = ((line * rate).astype(np.float32) for line in curve.own)
    edge: Trace = {"type": "scatter", "mode": "lines", "x": x, "hoverinfo": "skip"}
    edge["line"] = {"width": 0, "shape": "hv"}
    traces: list[Trace] = [
        {**edge, "y": p10, "showlegend": False},
        {
            **edge,
            "y": p90,
            "fill": "tonexty",
            "fillcolor": band(ORANGE, 0.25),
            "name": _("Own accelerators, P10 to P90"),
        },
        _line(_("API"), x, (curve.api * rate).astype(np.float32), BLUE, 0),
        {**_line(_("Own accelerators"), x, p50, ORANGE, 1), "line": {**_stroke(ORANGE, 1), "shape": "hv"}},
    ]
    return figure(
        traces,
        x_title=_("Requests per month"),
        y_title=_("Cost per month ({currency})", currency=currency),
        xaxis={"type": "log", "tickformat": "~s", "dtick": 1},
        yaxis={"type": "log", "tickformat": "~s", "dtick": 1, "zeroline": False},
        **_marked(now, _("your plan")),
    )


def likely_chart(curve: Curve, now: float, _: Language) -> Figure:
    """The probability that own accelerators cost less, over requests per month."""
    trace = {
        "type": "scatter",
        "mode": "lines",
        "x": curve.requests.astype(np.float32),
        "y": curve.likely.astype(np.float32),
        "line": _stroke(GREEN, 0),
        "fill": "tozeroy",
        "fillcolor": band(GREEN, 0.15),
        "hovertemplate": "%{y:.0%}<extra></extra>",
    }
    return figure(
        [trace],
        x_title=_("Requests per month"),
        y_title=_("Probability that own accelerators cost less"),
        legend=False,
        xaxis={"type": "log", "tickformat": "~s", "dtick": 1},
        yaxis={"tickformat": ".0%", "range": [0, 1.02]},
        **_marked(now, _("your plan")),
    )


def law_chart(standings: Sequence[Standing], flop: float, _: Language) -> Figure:
    """The lines of the law and the plan on one logarithmic axis of training FLOP."""
    lines = [standing.threshold for standing in standings]
    spread = [line.flop for line in lines] + [flop]
    rows = list(range(len(lines)))
    traces: list[Trace] = [
        {
            "type": "scatter",
            "mode": "markers+text",
            "name": _("Threshold"),
            "x": [line.flop for line in lines],
            "y": rows,
            "text": [_.text(line.label) for line in lines],
            "textposition": "middle left",
            "marker": {"symbol": "line-ns-open", "size": 22, "color": VERMILION, "line": {"width": 3}},
            "hovertemplate": "%{text}: %{x:.2g} FLOP<extra></extra>",
        },
        {
            "type": "scatter",
            "mode": "markers",
            "name": _("Your plan"),
            "x": [flop] * len(lines),
            "y": rows,
            "marker": {"symbol": MARKERS[2], "size": 12, "color": BLUE},
            "hovertemplate": "%{x:.2g} FLOP<extra></extra>",
        },
    ]
    low, high = np.log10(min(spread)) - 3.5, np.log10(max(spread)) + 0.5
    return figure(
        traces,
        x_title=_("Training FLOP"),
        y_title="",
        height=120 + 50 * len(lines),
        hovermode="closest",
        xaxis={"type": "log", "range": [float(low), float(high)], "exponentformat": "power", "nticks": 6},
        yaxis={"visible": False, "range": [-0.7, len(lines) - 0.3]},
    )


def _marked(x: float, text: str) -> dict[str, Any]:
    """A dotted line at ``x`` on a logarithmic axis, with its name."""
    line = {"color": VERMILION, "width": 2, "dash": "dot"}
    return {
        "shapes": [{"type": "line", "x0": x, "x1": x, "yref": "paper", "y0": 0, "y1": 1, "line": line}],
        "annotations": [
            {
                "x": float(np.log10(x)),
                "yref": "paper",
                "y": 1,
                "yanchor": "top",
                "xanchor": "left",
                "xshift": 4,
                "text": text,
                "showarrow": False,
            }
        ],
    }


def _worth_showing(estimates: Sequence[TrainingEstimate], chosen: TrainingEstimate) -> list[TrainingEstimate]:
    """The chosen one as it is planned, and the cheapest others, those that fit before those that do not."""
    others = sorted(
        (e for e in estimates if e.accelerator.name != chosen.accelerator.name),
        key=lambda e: (not e.fit.fits, e.all_dollars.p50),
    )
    return sorted([chosen, *others[: BARS - 1]], key=lambda e: e.all_dollars.p50)


def _name(estimate: TrainingEstimate, chosen: bool) -> str:
    name = estimate.accelerator.name
    return f"<b>▸ {name}</b>" if chosen else name


def _line(name: str, x: Single, y: Single, colour: str, dash: int) -> Trace:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": x,
        "y": y,
        "line": _stroke(colour, dash),
        "hovertemplate": "%{y:,.3s}",
    }


def _stroke(colour: str, dash: int) -> Trace:
    return {"color": colour, "width": 3, "dash": DASHES[dash]}


def _round(value: float) -> float:
    """Five significant figures: more only makes the figure heavier to send."""
    return float(f"{value:.5g}")

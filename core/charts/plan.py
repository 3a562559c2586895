"""Charts of the plan: cash with its bands, and lines of the model over months."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from core.charts.theme import BLUE, DASHES, GREEN, GREY, SERIES, VERMILION, Figure, band, escaped, figure
from core.finance import Fan
from core.i18n import Language

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Series:
    """A named line over the months of the plan, shape (months,)."""

    name: str
    values: Array


def cash_chart(
    series: Sequence[Series],
    start: date,
    currency: str,
    _: Language,
    fan: Fan | None = None,
    height: int = 340,
    planned: Array | None = None,
    real: Array | None = None,
) -> Figure:
    """Cash at the end of each month, one line a scenario, the first with its fan and its zero marked.

    ``planned`` is the line before real figures took part, ``real`` these figures (NaN where there is none),
    each of shape (months,).
    """
    x = months(start, len(series[0].values), _)
    traces = [] if fan is None else _bands(fan, x, _)
    for index, line in enumerate(series):
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": escaped(line.name),
                "x": x,
                "y": _rounded(line.values),
                "line": {"color": SERIES[index], "width": 3, "dash": DASHES[index]},
                "hovertemplate": f"%{{y:,.3s}} {currency}",
            }
        )
    if planned is not None:
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": _("before real figures"),
                "x": x,
                "y": _rounded(planned),
                "line": {"color": GREY, "width": 2, "dash": "dot"},
                "hovertemplate": f"%{{y:,.3s}} {currency}",
            }
        )
    if real is not None:
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": _("real"),
                "x": [x[place] for place in np.flatnonzero(~np.isnan(real))],
                "y": _rounded(real[~np.isnan(real)]),
                "marker": {"color": GREEN, "size": 8, "symbol": "square"},
                "hovertemplate": f"%{{y:,.3s}} {currency}",
            }
        )
    below = np.flatnonzero(series[0].values < 0)
    marks = []
    if len(below):
        at = int(below[0])
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": _("cash below zero"),
                "x": [x[at]],
                "y": [float(series[0].values[at])],
                "marker": {"color": VERMILION, "size": 12, "symbol": "diamond"},
                "hoverinfo": "skip",
            }
        )
        marks.append(
            {
                "x": x[at],
                "y": float(series[0].values[at]),
                "text": _("below zero in {month}", month=x[at]),
                "showarrow": True,
                "ay": -40,
                "ax": 0,
            }
        )
    return figure(
        traces,
        x_title=_("Month"),
        y_title=_("Cash ({currency})", currency=currency),
        height=height,
        legend=len(series) > 1 or fan is not None or planned is not None,
        annotations=marks,
        yaxis={"zerolinewidth": 2, "zerolinecolor": GREY, "tickformat": "~s"},
        xaxis={"nticks": 8},
    )


def fan_rows(fan: Fan, start: date, currency: str, _: Language, every: int = 3) -> list[dict[str, str]]:
    """The table of a fan: every ``every`` months the median and the ends of both bands."""
    names = months(start, len(fan.p50), _)
    columns = (
        (_("5% are below"), fan.p5),
        (_("25% are below"), fan.p25),
        (_("Median"), fan.p50),
        (_("25% are above"), fan.p75),
        (_("5% are above"), fan.p95),
    )
    return [
        {_("Month"): names[place], **{title: _.money(float(at[place]), currency) for title, at in columns}}
        for place in sorted({*range(every - 1, len(names), every), len(names) - 1})
    ]


def lines_chart(series: Sequence[Series], start: date, unit: str, _: Language) -> Figure:
    """Several lines of one unit over the months."""
    x = months(start, len(series[0].values), _)
    traces = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": escaped(line.name),
            "x": x,
            "y": _rounded(line.values),
            "line": {"color": SERIES[index % len(SERIES)], "width": 2.5, "dash": DASHES[index % len(DASHES)]},
        }
        for index, line in enumerate(series)
    ]
    percent = unit.startswith("%")
    return figure(
        traces,
        x_title=_("Month"),
        y_title=unit,
        yaxis={"tickformat": ".0%" if percent else "~s"},
        xaxis={"nticks": 8},
        legend=len(series) > 1,
    )


@lru_cache(maxsize=64)
def months(start: date, count: int, _: Language) -> tuple[str, ...]:
    """The calendar months of the plan, as words."""
    return tuple(_.month(start, offset) for offset in range(count))


def _bands(fan: Fan, x: tuple[str, ...], _: Language) -> list[dict[str, object]]:
    traces: list[dict[str, object]] = []
    for low, high, opacity, name in (
        (fan.p5, fan.p95, 0.15, _("90% of outcomes")),
        (fan.p25, fan.p75, 0.3, _("50% of outcomes")),
    ):
        edge = {"type": "scatter", "mode": "lines", "x": x, "line": {"width": 0}, "hoverinfo": "skip"}
        traces.append({**edge, "y": _rounded(low), "showlegend": False})
        traces.append(
            {**edge, "y": _rounded(high), "fill": "tonexty", "fillcolor": band(BLUE, opacity), "name": name}
        )
    return traces


def _rounded(values: Array) -> list[float]:
    """Four significant figures are more than a chart shows and make it half as large to send."""
    return [float(f"{value:.4g}") for value in values]

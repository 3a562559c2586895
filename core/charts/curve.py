"""The learning curve as a chart: error against data or compute, both on log axes.

What was measured, what the smaller sizes had said about the largest, and the law with its band: solid
where it has a record, dashed where it is uncertain, dotted and pale where it is speculation.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.charts.theme import BLUE, GREEN, GREY, ORANGE, VERMILION, Figure, band, figure
from core.i18n import Language
from core.training.curve import CONFIDENT, FURTHEST, UNCERTAIN, Curve
from core.training.points import Measured


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of a curve that is trusted to one degree, and how it is drawn."""

    low: float
    high: float
    name: str
    colour: str
    dash: str
    opacity: float


def stretches(curve: Curve, _: Language) -> list[Stretch]:
    """The curve from the smallest run outwards, by how far it is to be trusted."""
    confident, uncertain = curve.largest * CONFIDENT, curve.largest * UNCERTAIN
    return [
        Stretch(curve.smallest, confident, _("fitted law with 80% band"), GREEN, "solid", 0.2),
        Stretch(confident, uncertain, _("uncertain: over 3× the largest run"), GREEN, "dash", 0.1),
        Stretch(
            uncertain,
            curve.largest * FURTHEST,
            _("speculation: over 10× the largest run"),
            GREY,
            "dot",
            0.08,
        ),
    ]


def curve_chart(curve: Curve, points: Sequence[Measured], _: Language) -> Figure:
    """Test error (%) against training examples or FLOP, with the size that was held out."""
    traces: list[dict[str, object]] = []
    for stretch in stretches(curve, _):
        size = np.geomspace(stretch.low, stretch.high, 25)
        found = curve.error(size)
        x = [_short(v) for v in size]
        edge = {"type": "scatter", "mode": "lines", "x": x, "hoverinfo": "skip", "showlegend": False}
        traces += [
            {**edge, "y": _percent(found.low), "line": {"width": 0}},
            {
                **edge,
                "y": _percent(found.high),
                "line": {"width": 0},
                "fill": "tonexty",
                "fillcolor": band(stretch.colour, stretch.opacity),
            },
            {
                "type": "scatter",
                "mode": "lines",
                "name": stretch.name,
                "x": x,
                "y": _percent(found.mid),
                "customdata": [
                    [low, high] for low, high in zip(_percent(found.low), _percent(found.high), strict=True)
                ],
                "line": {"color": stretch.colour, "width": 2.5, "dash": stretch.dash},
                "hovertemplate": "%{x:,.3s}: %{y:.2f}% (%{customdata[0]:.2f}–%{customdata[1]:.2f})",
            },
        ]
    held = curve.held_out
    traces += [
        {
            "type": "scatter",
            "mode": "markers",
            "name": _("runs"),
            "x": [_short(p.size(curve.by)) for p in points],
            "y": _percent(np.array([p.error for p in points])),
            "marker": {"color": BLUE, "size": 8, "symbol": "circle"},
            "hovertemplate": "%{x:,.3s}: %{y:.2f}%",
        },
        {
            "type": "scatter",
            "mode": "markers",
            "name": _("held out: measured"),
            "x": [_short(held.size)],
            "y": _percent(np.array([held.measured])),
            "marker": {"color": ORANGE, "size": 13, "symbol": "star"},
            "hovertemplate": "%{x:,.3s}: %{y:.2f}%",
        },
        {
            "type": "scatter",
            "mode": "markers",
            "name": _("held out: predicted from the smaller runs"),
            "x": [_short(held.size)],
            "y": _percent(np.array([held.mid])),
            "error_y": {
                "type": "data",
                "symmetric": False,
                "array": _percent(np.array([held.high - held.mid])),
                "arrayminus": _percent(np.array([held.mid - held.low])),
                "color": VERMILION,
                "width": 8,
            },
            "marker": {"color": VERMILION, "size": 10, "symbol": "diamond-open"},
            "hovertemplate": "%{x:,.3s}: %{y:.2f}%",
        },
    ]
    return figure(
        traces,
        x_title=_("Training examples (log axis)") if curve.by == "data" else _("Compute (FLOP, log axis)"),
        y_title=_("Test error (%, log axis)"),
        height=420,
        xaxis={"type": "log", "tickformat": "~s", "dtick": "D2"},
        yaxis={"type": "log", "tickformat": "~g", "dtick": "D2"},
        hovermode="closest",
    )


def _percent(shares: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> list[float]:
    return [_short(100 * float(share)) for share in shares]


def _short(value: float) -> float:
    return float(f"{value:.5g}")

"""Charts of training runs: how they learn, and what accuracy costs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.charts.curve import stretches
from core.charts.theme import BLUE, DASHES, GREY, MARKERS, ORANGE, SERIES, Figure, band, figure
from core.i18n import Language
from core.storage import MetricRow
from core.training.curve import UNCERTAIN, Curve
from core.training.points import Measured, usd_per_point


@dataclass(frozen=True)
class Learning:
    """A run's points, and its test accuracy and loss once there are any."""

    name: str
    points: Sequence[MetricRow]
    epochs: float
    test_accuracy: float | None = None
    test_loss: float | None = None


def learning_chart(runs: Sequence[Learning], what: str, _: Language) -> Figure:
    """Loss or accuracy (``what``) over epochs: the training line, of the examples since the point before,
    validation points, the test at the end. Of runs without points yet, the empty axes.
    """
    accuracy = what == "accuracy"
    epochs = max((run.epochs for run in runs), default=1.0)
    empty = not any(run.points for run in runs)
    traces: list[dict[str, Any]] = [] if runs else [{"type": "scatter", "x": [], "y": []}]
    for index, run in enumerate(runs):
        colour = SERIES[index % len(SERIES)]
        line = [p for p in run.points if p.kind == "train" and getattr(p, what) is not None]
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": _("{run}, training", run=run.name),
                "x": [round(p.epoch, 3) for p in line],
                "y": [_short(getattr(p, what)) for p in line],
                "line": {"color": colour, "width": 2.5, "dash": DASHES[index % len(DASHES)]},
            }
        )
        held_out = [p for p in run.points if p.kind == "validation" and getattr(p, what) is not None]
        if held_out:
            traces.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "name": _("{run}, validation", run=run.name),
                    "x": [round(p.epoch, 3) for p in held_out],
                    "y": [_short(getattr(p, what)) for p in held_out],
                    "marker": {"color": colour, "size": 9, "symbol": MARKERS[(index + 1) % len(MARKERS)]},
                }
            )
        test = run.test_accuracy if accuracy else run.test_loss
        if test is not None:
            traces.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "name": _("{run}, test", run=run.name),
                    "x": [run.epochs],
                    "y": [_short(test)],
                    "marker": {"color": colour, "size": 14, "symbol": "star"},
                }
            )
    return figure(
        traces,
        x_title=_("Epoch"),
        y_title=_("Accuracy (%)") if accuracy else _("Loss"),
        height=300,
        legend=not empty,
        xaxis={"rangemode": "tozero", **({"range": [0, epochs]} if empty else {})},
        yaxis={
            "tickformat": ".0%" if accuracy else "~g",
            "rangemode": "normal" if accuracy else "tozero",
            **({"range": [0, 1]} if empty else {}),
        },
        hovermode="closest",
    )


def tradeoff_chart(
    points: Sequence[Measured],
    names: Sequence[str],
    frontier: Sequence[Measured],
    curve: Curve | None,
    price_per_hour: float,
    target: float | None,
    _: Language,
) -> Figure:
    """Test accuracy against cost (log axis): runs, Pareto frontier, and the fitted law with its band."""
    traces = [] if curve is None else _law(curve, price_per_hour, _)
    traces.append(
        {
            "type": "scatter",
            "mode": "lines",
            "name": _("Pareto frontier"),
            "x": [p.cost_usd for p in frontier],
            "y": [_short(p.accuracy) for p in frontier],
            "line": {"color": ORANGE, "width": 2, "shape": "hv", "dash": "dash"},
            "hoverinfo": "skip",
        }
    )
    best = {p.run_id for p in frontier}
    further = {
        p.run_id: "<br>" + _("{usd} per further point", usd=_.money(usd, "USD"))
        for p, usd in zip(frontier, usd_per_point(frontier), strict=True)
        if usd is not None
    }
    for on_front, symbol, colour, name in (
        (True, "star", ORANGE, _("runs that no other beats")),
        (False, "circle", BLUE, _("other runs")),
    ):
        chosen = [(p, n) for p, n in zip(points, names, strict=True) if (p.run_id in best) is on_front]
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": name,
                "x": [p.cost_usd for p, _name in chosen],
                "y": [_short(p.accuracy) for p, _name in chosen],
                "text": [name + further.get(p.run_id, "") for p, name in chosen],
                "marker": {"color": colour, "size": 12 if on_front else 9, "symbol": symbol},
                "hovertemplate": "%{text}<br>%{y:.2%} · $%{x:.6f}<extra></extra>",
            }
        )
    low, high = min(p.accuracy for p in points), max([*(p.accuracy for p in points), target or 0.0])
    if curve is not None:
        high = max(high, float(curve.accuracy(curve.largest * UNCERTAIN).mid))
    room = max(0.005, 0.15 * (high - low))
    layout: dict[str, Any] = {}
    if target is not None:
        layout["shapes"] = [
            {
                "type": "line",
                "xref": "paper",
                "x0": 0,
                "x1": 1,
                "y0": target,
                "y1": target,
                "line": {"color": GREY, "dash": "dot"},
            }
        ]
    return figure(
        traces,
        **_cost_axis([p.cost_usd for p in points], _),
        y_title=_("Test accuracy (%)"),
        height=420,
        yaxis={"tickformat": ".1%", "range": [low - room, min(1.001, high + room)]},
        hovermode="closest",
        **layout,
    )


def number_chart(
    costs: Sequence[float],
    explained: Sequence[float],
    errors: Sequence[float],
    names: Sequence[str],
    _: Language,
) -> Figure:
    """Runs that predict a number: the share of its variation that each explains (R²) against cost in USD
    (log axis); ``errors`` are the typical errors, in the unit of the number."""
    traces = [
        {
            "type": "scatter",
            "mode": "markers",
            "x": list(costs),
            "y": [_short(share) for share in explained],
            "text": [
                _("{run}: typical error {error}", run=name, error=_.number(error))
                for name, error in zip(names, errors, strict=True)
            ],
            "marker": {"color": BLUE, "size": 10},
            "hovertemplate": "%{text}<br>%{y:.2%} · $%{x:.6f}<extra></extra>",
        }
    ]
    return figure(
        traces,
        **_cost_axis(costs, _),
        y_title=_("Variation explained, R² (%)"),
        height=380,
        legend=False,
        yaxis={"tickformat": ".1%"},
        hovermode="closest",
    )


def _cost_axis(costs: Sequence[float], _: Language) -> dict[str, Any]:
    """The axis of costs, and its title: with logarithms unless a run cost nothing, which has none."""
    if min(costs, default=0.0) > 0:
        return {
            "x_title": _("Cost of the run (USD, log axis)"),
            "xaxis": {"type": "log", "tickformat": "~g", "dtick": "D2"},
        }
    return {"x_title": _("Cost of the run (USD)"), "xaxis": {"tickformat": "~g", "rangemode": "tozero"}}


def _law(curve: Curve, price_per_hour: float, _: Language) -> list[dict[str, object]]:
    """The law as far as it has a record in a solid line, and beyond, paler, as what it is."""
    traces: list[dict[str, object]] = []
    for stretch in stretches(curve, _):
        sizes = np.geomspace(stretch.low, stretch.high, 40)
        found = curve.accuracy(sizes)
        x = [curve.seconds(float(size)) * price_per_hour / 3600 for size in sizes]
        edge = {
            "type": "scatter",
            "mode": "lines",
            "x": x,
            "line": {"width": 0},
            "hoverinfo": "skip",
            "showlegend": False,
        }
        traces.append({**edge, "y": [_short(v) for v in found.low]})
        traces.append(
            {
                **edge,
                "y": [_short(v) for v in found.high],
                "fill": "tonexty",
                "fillcolor": band(stretch.colour, stretch.opacity),
            }
        )
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": stretch.name,
                "x": x,
                "y": [_short(v) for v in found.mid],
                "line": {"color": stretch.colour, "width": 2.5, "dash": stretch.dash},
                "hovertemplate": "%{y:.2%} · $%{x:.6f}",
            }
        )
    return traces


def _short(value: float) -> float:
    return float(f"{value:.5g}")

"""The charts of the learn page: curves with the point one stands on, and paths on a loss surface.

Every optimiser keeps its colour, dash and marker whichever others are shown. The map of a loss
surface is drawn in one grey of growing opacity over the page's own background, so that low ground
is the background itself and the paths stand out on the light and on the dark theme.

Longer series are float32 arrays: Plotly sends them to the browser as bytes, which takes a tenth of
the time that lists of numbers take.

Public names: :func:`activation_chart`, :func:`softmax_chart`, :func:`loss_chart`,
:func:`score_slope_chart`, :func:`probability_slope_chart`, :func:`descent_map`, :func:`descent_chart`.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.charts.theme import (
    BLUE,
    DASHES,
    GREEN,
    GREY,
    MARKERS,
    ORANGE,
    PURPLE,
    SERIES,
    Figure,
    band,
    figure,
)
from core.i18n import Language
from core.training.mathematics import LOSSES, OPTIMISERS, Activation, Path, Surface

Array = NDArray[np.float64]

REACH = 6.0
"""The activations are drawn for inputs from -6 to 6."""
SURE = 0.99
"""The losses are drawn for probabilities from 1 % to 99 %; beyond, cross-entropy leaves any scale."""
FLOOR = 1e-6
"""The lowest loss drawn, as zero has no place on a logarithmic axis; the text calls it negligible too."""


def activation_chart(_: Language, activation: Activation, x: float) -> Figure:
    """Curve and slope of ``activation`` from -6 to 6, with a marker on each at ``x``."""
    # Two points as good as at zero, so that a slope that jumps there is drawn upright.
    inputs = np.concatenate([np.linspace(-REACH, 0, 61), np.linspace(1e-6, REACH, 61)])
    value, slope = activation.at(x)
    return figure(
        [
            _curve(_("Output a(x)"), inputs, activation.curve(inputs), BLUE, "solid"),
            _curve(_("Slope a′(x)"), inputs, activation.slope(inputs), ORANGE, "dash"),
            _point(x, value, BLUE, "circle"),
            _point(x, slope, ORANGE, "square"),
        ],
        x_title=_("Input x (no unit)"),
        y_title=_("Output and slope (no unit)"),
        height=320,
        shapes=[_upright(x)],
    )


def softmax_chart(_: Language, probabilities: Array) -> Figure:
    """Bars of the ``probabilities`` (shares) of the classes A, B, C …"""
    names = [chr(ord("A") + i) for i in range(len(probabilities))]
    shares = (100 * probabilities).round(2).tolist()
    trace = {
        "type": "bar",
        "x": names,
        "y": shares,
        "text": [_.percent(p / 100) for p in shares],
        "textposition": "outside",
        "cliponaxis": False,
        "marker": {"color": [BLUE, ORANGE, GREEN][: len(names)]},
        "hoverinfo": "skip",
    }
    return figure(
        [trace],
        x_title=_("Class"),
        y_title=_("Probability (%)"),
        height=240,
        legend=False,
        yaxis={"range": [0, 112], "tickvals": [0, 50, 100]},
    )


def loss_chart(_: Language, probability: float, truth: int) -> Figure:
    """Both losses over the predicted probability, for the given truth, with a marker at ``probability``."""
    curves = [(loss.value, loss.judge(probability, truth).loss) for loss in LOSSES.values()]
    return _losses(_, curves, probability, truth, _("Loss (nats; squared error: no unit)"))


def score_slope_chart(_: Language, probability: float, truth: int) -> Figure:
    """The slope of both losses by the score before the sigmoid: what moves the weights."""
    curves = [(loss.pull, loss.judge(probability, truth).pull) for loss in LOSSES.values()]
    return _losses(_, curves, probability, truth, _("Slope by the score, ∂L/∂z (no unit)"))


def probability_slope_chart(_: Language, probability: float, truth: int) -> Figure:
    """The slope of both losses by the probability itself."""
    curves = [(loss.slope, loss.judge(probability, truth).slope) for loss in LOSSES.values()]
    return _losses(_, curves, probability, truth, _("Slope by the probability, ∂L/∂p (no unit)"))


def descent_map(_: Language, surface: Surface, paths: list[Path]) -> Figure:
    """The loss as a map with contour lines, the start, the minima (stars), and each path.

    A path is drawn as far as :meth:`Path.steps_on_map` says; its last drawn point carries its marker.
    """
    left, right, bottom, top = surface.frame
    traces = [_ground(_, surface), *(_trail(_, surface, path) for path in paths)]
    traces.append(
        {
            "type": "scatter",
            "mode": "markers",
            "name": _("Start"),
            "x": [surface.start[0]],
            "y": [surface.start[1]],
            "marker": {"symbol": "circle-open", "size": 13, "color": GREY, "line": {"width": 3}},
            "hoverinfo": "name",
        }
    )
    traces.append(
        {
            "type": "scatter",
            "mode": "markers",
            "name": _("Minimum"),
            "x": [x for x, _y in surface.minima],
            "y": [y for _x, y in surface.minima],
            "marker": {"symbol": "star-open", "size": 14, "color": GREY, "line": {"width": 2}},
            "hoverinfo": "name",
        }
    )
    return figure(
        traces,
        x_title=_("Weight x (no unit)"),
        y_title=_("Weight y (no unit)"),
        height=460,
        hovermode="closest",
        xaxis={"range": [left, right], "zeroline": False, "showgrid": False},
        yaxis={"range": [bottom, top], "zeroline": False, "showgrid": False},
    )


def descent_chart(_: Language, surface: Surface, paths: list[Path]) -> Figure:
    """Loss above the lowest point against the step, on a logarithmic axis that no path can stretch."""
    ceiling = 10 * float(surface.gap(*np.asarray(surface.start)))
    traces = []
    for path in paths:
        above = np.flatnonzero(path.gaps > 100 * ceiling)
        gaps = path.gaps[: above[0] + 1] if above.size else path.gaps
        colour, dash, symbol = _look(path)
        heights = np.clip(gaps, FLOOR, 100 * ceiling)
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": _.text(path.optimiser.name),
                "y": heights.astype(np.float32),
                "line": {"color": colour, "dash": dash, "width": 2},
                "marker": {"symbol": symbol, "size": 8, "maxdisplayed": 6},
            }
        )
    return figure(
        traces,
        x_title=_("Step"),
        y_title=_("Loss (no unit, log scale)"),
        height=320,
        yaxis={
            "type": "log",
            "range": [float(np.log10(FLOOR)) - 0.2, float(np.log10(ceiling))],
            "tickvals": _DECADES,
            "ticktext": [_.number(decade) for decade in _DECADES],
        },
    )


def _losses(
    _: Language,
    curves: list[tuple[Callable[[Array, int], Array], float]],
    probability: float,
    truth: int,
    y_title: str,
) -> Figure:
    """A curve for each loss, and its value at ``probability``."""
    shares = np.linspace(1 - SURE, SURE, 99)
    traces = []
    for loss, (curve, here), look in zip(LOSSES.values(), curves, _LOSS_LOOKS, strict=True):
        traces.append(_curve(_.text(loss.name), 100 * shares, curve(shares, truth), *look[:2]))
        traces.append(_point(100 * probability, here, look[0], look[2]))
    return figure(
        traces,
        x_title=_("Predicted probability of “seven” (%)"),
        y_title=y_title,
        xaxis={"range": [0, 100], "dtick": 20},
        shapes=[_upright(100 * probability)],
    )


_DECADES = [1e-6, 1e-4, 1e-2, 1.0, 100.0]
_LOSS_LOOKS = ((BLUE, "solid", "circle"), (PURPLE, "dash", "diamond"))


def _curve(name: str, x: Array, y: Array, colour: str, dash: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": x.astype(np.float32),
        "y": y.astype(np.float32),
        "line": {"color": colour, "dash": dash, "width": 2.5},
    }


def _point(x: float, y: float, colour: str, symbol: str) -> dict[str, Any]:
    """The place on a curve where the reader stands."""
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [x],
        "y": [y],
        "marker": {"color": colour, "symbol": symbol, "size": 12},
        "showlegend": False,
        "hoverinfo": "skip",
    }


def _upright(x: float) -> dict[str, Any]:
    return {
        "type": "line",
        "x0": x,
        "x1": x,
        "y0": 0,
        "y1": 1,
        "yref": "paper",
        "line": {"color": GREY, "width": 1, "dash": "dot"},
    }


def _ground(_: Language, surface: Surface) -> dict[str, Any]:
    """The filled contours, of the logarithm of the loss: valleys and walls differ by powers of ten."""
    x, y, gap = surface.map()
    lowest = float(np.quantile(gap, 0.01))  # keeps the one grid point nearest a minimum from taking the scale
    logs = np.log10(np.maximum(gap, lowest))
    powers = list(range(int(np.ceil(logs.min())), int(np.floor(logs.max())) + 1))
    return {
        "type": "contour",
        "name": _("Loss"),
        "x": x.astype(np.float32),
        "y": y.astype(np.float32),
        "z": logs.astype(np.float32),
        "ncontours": 14,
        "colorscale": [[0, band(GREY, 0.0)], [1, band(GREY, 0.35)]],
        "contours": {"coloring": "heatmap"},
        "line": {"color": band(GREY, 0.55), "width": 0.7},
        "hoverinfo": "skip",
        "colorbar": {
            "title": {"text": _("Loss"), "side": "top"},
            "tickvals": powers,
            "ticktext": [_.number(10.0**power) for power in powers],
            "thickness": 10,
            "len": 0.9,
            "outlinewidth": 0,
        },
    }


def _trail(_: Language, surface: Surface, path: Path) -> dict[str, Any]:
    drawn = path.positions[: path.steps_on_map(surface) + 1]
    colour, dash, symbol = _look(path)
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": _.text(path.optimiser.name),
        "x": drawn[:, 0].astype(np.float32),
        "y": drawn[:, 1].astype(np.float32),
        "line": {"color": colour, "dash": dash, "width": 3},
        "marker": {"symbol": symbol, "color": colour, "size": _end_only(len(drawn))},
        "hovertemplate": "%{x:.3g}, %{y:.3g}",
    }


def _end_only(points: int) -> NDArray[np.int8]:
    """Marker sizes of a path of ``points`` points: nothing but the last."""
    sizes = np.zeros(points, dtype=np.int8)
    sizes[-1] = 13
    return sizes


def _look(path: Path) -> tuple[str, str, str]:
    place = list(OPTIMISERS).index(path.optimiser.key)
    return SERIES[place], DASHES[place], MARKERS[place]

"""Predicted against published on logarithmic axes: on the diagonal is right, in the band is as right as we say."""

from collections.abc import Mapping, Sequence

import numpy as np

from core.charts.theme import GREY, MARKERS, SERIES, Figure, band, figure
from core.compute import Band, Check
from core.i18n import Language


def backtest_chart(
    groups: Mapping[str, Sequence[Check]], ratio: Band, unit: str, _: Language, height: int = 440
) -> Figure:
    """``groups`` are checks by the name of their group; ``ratio`` is published ÷ predicted at P10 and P90;
    ``unit`` is that of both axes."""
    every = [check for checks in groups.values() for check in checks]
    ends = [
        min(min(c.published, c.predicted) for c in every) / 2,
        max(max(c.published, c.predicted) for c in every) * 2,
    ]
    diagonal = np.geomspace(ends[0], ends[1], 2)
    edge = {
        "type": "scatter",
        "mode": "lines",
        "x": diagonal.tolist(),
        "hoverinfo": "skip",
        "line": {"width": 0},
    }
    traces = [
        {**edge, "y": (diagonal / ratio.p90).tolist(), "showlegend": False},
        {
            **edge,
            "y": (diagonal / ratio.p10).tolist(),
            "fill": "tonexty",
            "fillcolor": band(GREY, 0.2),
            "name": _("P10 to P90"),
        },
        {
            **edge,
            "y": diagonal.tolist(),
            "line": {"color": GREY, "width": 1.5},
            "name": _("predicted = published"),
        },
    ]
    for index, (name, checks) in enumerate(groups.items()):
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": name,
                "x": [check.published for check in checks],
                "y": [_figures(check.predicted) for check in checks],
                "marker": {
                    "color": SERIES[index % len(SERIES)],
                    "symbol": MARKERS[index % len(MARKERS)],
                    "size": 9,
                    "opacity": 0.85,
                },
                "text": [f"{check.model} · {check.hardware}" for check in checks],
                "customdata": [[_.percent(check.error, 2)] for check in checks],
                "hovertemplate": _("%{text}: published %{x:.3s}, predicted %{y:.3s} (%{customdata[0]})")
                + "<extra></extra>",
            }
        )
    axis = {"type": "log", "tickformat": "~s", "dtick": 1}
    return figure(
        traces,
        x_title=_("Published ({unit})", unit=unit),
        y_title=_("Predicted ({unit})", unit=unit),
        height=height,
        hovermode="closest",
        xaxis=axis,
        yaxis={**axis, "zeroline": False},
    )


def _figures(value: float) -> float:
    return float(f"{value:.5g}")

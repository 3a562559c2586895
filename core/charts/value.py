"""What accuracy is worth as a chart: the gain over accuracy, where the plan is, and the best to buy."""

import numpy as np

from core.charts.theme import BLUE, GREEN, ORANGE, Figure, band, figure
from core.i18n import Language
from core.training.curve import CONFIDENT, Floats
from core.training.optimum import Optimum

LARGE_USD = 10_000


def value_chart(found: Optimum, now: float, months: int, _: Language) -> Figure:
    """Gain in USD over accuracy in %, with its band; ``now`` is the accuracy that the plan counts on."""
    record = int(np.searchsorted(found.sizes, found.largest * CONFIDENT * (1 + 1e-9)))
    traces: list[dict[str, object]] = []
    for part, name, dash, opacity in (
        (slice(0, record), _("gain with 80% band"), "solid", 0.2),
        (slice(record - 1, None), _("uncertain: over 3× the largest run"), "dash", 0.1),
    ):
        x = _percent(found.accuracy[part])
        low, mid, high = (_short(edge[part]) for edge in (found.gain.low, found.gain.mid, found.gain.high))
        edge = {"type": "scatter", "mode": "lines", "x": x, "hoverinfo": "skip", "showlegend": False}
        traces += [
            {**edge, "y": low, "line": {"width": 0}},
            {**edge, "y": high, "line": {"width": 0}, "fill": "tonexty", "fillcolor": band(GREEN, opacity)},
            {
                "type": "scatter",
                "mode": "lines",
                "name": name,
                "x": x,
                "y": mid,
                "customdata": [
                    [_.money(usd, "USD") for usd in row]
                    for row in zip(mid, low, high, _short(found.cost[part]), strict=True)
                ],
                "line": {"color": GREEN, "width": 2.5, "dash": dash},
                "hovertemplate": _(
                    "{accuracy}: {gain} ({low} to {high}), after a cost of {cost}",
                    accuracy="%{x:.2f}%",
                    gain="%{customdata[0]}",
                    low="%{customdata[1]}",
                    high="%{customdata[2]}",
                    cost="%{customdata[3]}",
                )
                + "<extra></extra>",
            },
        ]
    best, low_end, high_end = (100 * float(found.accuracy[i]) for i in (found.best, found.low, found.high))
    traces += [
        {
            "type": "scatter",
            "mode": "markers",
            "name": _("your plan today"),
            "x": _percent(np.array([now])),
            "y": [0.0],
            "marker": {"color": BLUE, "size": 11, "symbol": "diamond"},
            "hovertemplate": "%{x:.2f}%",
        },
        {
            "type": "scatter",
            "mode": "markers",
            "name": _("best to buy, with 80% range"),
            "x": [float(f"{best:.5g}")],
            "y": _short(found.gain.mid[[found.best]]),
            "error_x": {
                "type": "data",
                "symmetric": False,
                "array": [high_end - best],
                "arrayminus": [best - low_end],
                "color": ORANGE,
                "width": 8,
                "thickness": 2.5,
            },
            "marker": {"color": ORANGE, "size": 14, "symbol": "star"},
            "text": [_.money(float(found.gain.mid[found.best]), "USD")],
            "hovertemplate": "%{x:.2f}%: %{text}",
        },
    ]
    return figure(
        traces,
        x_title=_("Accuracy (%)"),
        y_title=_("Gain over {months} months (USD)", months=months),
        height=400,
        xaxis={"ticksuffix": "%"},
        # Thousands by their letter; of less money that letter would be m, for thousandths.
        yaxis={"tickformat": "$~s" if np.abs(found.gain.mid).max() >= LARGE_USD else "$,~g"},
        hovermode="closest",
    )


def _percent(shares: Floats) -> list[float]:
    return _short(100 * shares)


def _short(values: Floats) -> list[float]:
    return [float(f"{float(value):.5g}") for value in values]

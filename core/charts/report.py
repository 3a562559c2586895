"""Charts of what a finished network does well and badly."""

from typing import Any

from core.charts.theme import BLUE, GREY, ORANGE, SKY, Figure, escaped, figure
from core.i18n import Language
from core.training.report import Report

SHOWN_CLASSES = 20
FEW_TRUTHS = 10
"""Different numbers, such as the five of a rating, up to which answers are drawn as a box for each of them."""


def confusion_chart(report: Report, _: Language) -> Figure:
    """Right class against the class said, as a share of the right class; the numbers are counts.

    Beyond :data:`SHOWN_CLASSES` classes, those that are confused the most.
    """
    errors = [sum(row) - row[i] for i, row in enumerate(report.confusion)]
    most = sorted(sorted(range(len(errors)), key=lambda i: -errors[i])[:SHOWN_CLASSES])
    names = [escaped(report.class_names[i][:24]) for i in most]
    counts = [[report.confusion[i][j] for j in most] for i in most]
    shares = [
        [n / max(1, sum(report.confusion[i])) for n in row] for i, row in zip(most, counts, strict=True)
    ]
    trace: dict[str, Any] = {
        "type": "heatmap",
        "z": [[round(value, 4) for value in row] for row in shares],
        "x": names,
        "y": names,
        "text": counts,
        "texttemplate": "%{text}",
        "customdata": counts,
        "colorscale": [[0, "rgba(0,114,178,0.04)"], [0.05, SKY], [1, BLUE]],
        "zmin": 0,
        "zmax": 1,
        "showscale": False,
        "hovertemplate": _("right") + ": %{y}<br>" + _("said") + ": %{x}<br>%{customdata}<extra></extra>",
    }
    return figure(
        [trace],
        x_title=_("Class that the network says"),
        y_title=_("Right class"),
        height=max(320, 90 + 30 * len(most)),
        legend=False,
        xaxis={"type": "category"},
        yaxis={"type": "category", "autorange": "reversed"},
        hovermode="closest",
    )


def calibration_chart(report: Report, _: Language) -> Figure:
    """How often answers are right, against how sure the network was of them; on the line it can be believed."""
    bins = report.calibration
    traces: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": _("as sure as right"),
            "x": [0, 1],
            "y": [0, 1],
            "line": {"color": GREY, "dash": "dot"},
            "hoverinfo": "skip",
        },
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": _("this network"),
            "x": [round(b.confidence, 4) for b in bins],
            "y": [round(b.accuracy, 4) for b in bins],
            "text": [f"n = {b.count:,}" for b in bins],
            "marker": {"color": ORANGE, "size": 9},
            "line": {"color": ORANGE, "width": 2.5},
            "hovertemplate": "%{x:.1%} → %{y:.1%}<br>%{text}<extra></extra>",
        },
    ]
    return figure(
        traces,
        x_title=_("Confidence (%)"),
        y_title=_("Right answers (%)"),
        height=320,
        xaxis={"range": [0, 1.02], "tickformat": ".0%"},
        yaxis={"range": [0, 1.02], "tickformat": ".0%"},
        hovermode="closest",
    )


def truth_chart(report: Report, target: str, _: Language) -> Figure:
    """Answers against the truth for test rows of a number; on the line they are right.

    Where the truth is one of a few numbers, a box for each (quartiles, and the range without outliers): points
    would lie upon each other.
    """
    low = min(min(point) for point in report.points)
    high = max(max(point) for point in report.points)
    truths = {round(truth, 6) for truth, _said in report.points}
    boxes = 10 * len(truths) <= len(report.points) and len(truths) <= FEW_TRUTHS
    how = {"type": "box", "boxpoints": "outliers"} if boxes else {"type": "scatter", "mode": "markers"}
    traces: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": _("right"),
            "x": [low, high],
            "y": [low, high],
            "line": {"color": GREY, "dash": "dot"},
            "hoverinfo": "skip",
        },
        {
            "name": _("test rows"),
            "x": [float(f"{truth:.5g}") for truth, _said in report.points],
            "y": [float(f"{said:.5g}") for _truth, said in report.points],
            "marker": {"color": BLUE, "size": 7, "opacity": 0.6},
            **how,
        },
    ]
    return figure(
        traces,
        x_title=_("{target}, as it is", target=escaped(target)),
        y_title=_("{target}, as the network says", target=escaped(target)),
        height=360,
        hovermode="closest",
    )

"""One look for every chart: Okabe-Ito colours, quiet axes, units on every axis.

The colours are those of Okabe and Ito, "Color Universal Design" (2008): they stay apart for every
common kind of colour blindness and stand out on white and on dark grey. Fonts, text and grid
colours are left to Streamlit's Plotly theme, which follows the light and the dark theme of the page.
"""

from typing import Any

Figure = dict[str, Any]
"""A Plotly figure: ``{"data": [trace, ...], "layout": {...}}``."""

BLUE, ORANGE, GREEN, VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
SKY, PURPLE, YELLOW, GREY = "#56B4E9", "#CC79A7", "#F0E442", "#8A8A8A"
SERIES = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILION, GREY)
"""Colours of several series in one chart, in order; tell them apart by dash or marker too."""

DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot", "solid")
MARKERS = ("circle", "square", "diamond", "triangle-up", "cross", "x", "star")


def band(colour: str, opacity: float) -> str:
    """``colour`` ("#RRGGBB") as a see-through fill."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def escaped(text: str) -> str:
    """What people wrote, so that it is shown as written: Plotly reads some HTML in every text."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def figure(
    traces: list[dict[str, Any]],
    *,
    x_title: str,
    y_title: str,
    height: int = 340,
    legend: bool = True,
    **layout: Any,
) -> Figure:
    """The traces in the product's layout. Axis titles carry the unit; ``layout`` overrides by key."""
    base: dict[str, Any] = {
        "height": height,
        "margin": {"l": 8, "r": 8, "t": 28, "b": 8},
        "hovermode": "x unified",
        "showlegend": legend,
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        "xaxis": {"title": {"text": x_title}, "automargin": True, "fixedrange": True},
        "yaxis": {"title": {"text": y_title}, "automargin": True, "fixedrange": True, "zeroline": True},
        "uirevision": "keep",
    }
    for key, value in layout.items():
        base[key] = {**base[key], **value} if isinstance(base.get(key), dict) else value
    return {"data": traces, "layout": base}

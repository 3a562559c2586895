"""What a tab shows, read as a person reads it."""

import json
import re

from streamlit.testing.v1 import AppTest

TEXTS = ("title", "header", "subheader", "markdown", "caption", "info", "warning", "error", "success")


def read(markdown: str) -> str:
    """Markdown as it looks: without the backslashes that keep typed text as it was typed."""
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", markdown)


def errors(app: AppTest) -> list[str]:
    """The sentences of the red boxes."""
    return [read(error.value) for error in app.error]


def text(app: AppTest) -> str:
    """All text of the page and its sidebar, with tables and figures."""
    shown = [read(element.value) for kind in TEXTS for element in app.get(kind)]
    cells = [
        read(str(cell))
        for table in app.table
        for cell in (*table.value.columns, *table.value.to_numpy().ravel())
    ]
    return "\n".join([*shown, *cells, *(f"{metric.label}: {metric.value}" for metric in app.metric)])


def charts(app: AppTest) -> list[dict]:
    """The Plotly figures of the page."""
    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]


def cash(app: AppTest) -> list[list[float]]:
    """The cash lines of the page's first chart, month by month, one for each scenario."""
    return [t["y"] for t in charts(app)[0]["data"] if t.get("line", {}).get("width") == 3]


def version(app: AppTest) -> int:
    """The version that the tab has open."""
    return app.session_state["workspace"].version

"""Month by month: the lines of a section of the plan as table and chart, with why for every number."""

import pandas as pd
import streamlit as st

from core.charts.plan import Series, lines_chart, months
from core.finance import Projection, project, read_unit, section_label
from core.i18n import Language
from pages.parts.figures import ask
from pages.parts.session import workspace


def months_view(projection: Projection, _: Language) -> None:
    """A section of the plan that the founder chooses."""
    sections = projection.model.sections()
    section = st.pills(
        _("Section"),
        list(sections),
        default=next(iter(sections)),
        format_func=lambda name: _.text(section_label(name)),
        key="plan:section",
        required=True,
        wrap=True,
        label_visibility="collapsed",
        persist_state="session",
    )
    lines = sections[section if section in sections else next(iter(sections))]
    venture = projection.venture
    by_unit: dict[str, list[Series]] = {}
    for line in lines:
        by_unit.setdefault(line.unit, []).append(Series(_.text(line.label), projection.series(line.key)))
    unit, series = max(by_unit.items(), key=lambda item: len(item[1]))
    table, chart = st.tabs([_("Table"), _("Chart")], key="plan:view", on_change="rerun")
    if chart.open:
        with chart:
            st.plotly_chart(
                lines_chart(series, venture.start, read_unit(unit, venture.currency, _), _),
                key="plan:lines",
                config={"displaylogo": False},
                alt=_.text(section_label(lines[0].section)),
            )
        return
    with table:
        st.caption(
            _("Click a number to see why it is what it is. The table downloads as CSV from its corner.")
        )
        frame = pd.DataFrame(
            {line.key: projection.series(line.key) for line in lines},
            index=pd.Index(months(venture.start, projection.months, _), name=_("Month")),
        )
        st.dataframe(
            frame,
            key="plan:table",
            on_select=_clicked,
            selection_mode="single-cell",
            height=330,
            column_config={
                line.key: st.column_config.NumberColumn(
                    f"{_.text(line.label)} ({read_unit(line.unit, venture.currency, _)})",
                    format="percent" if line.unit.startswith("1") else "compact",
                    help=_.text(line.doc) or None,
                )
                for line in lines
            },
            alt=_("The plan by month"),
        )


def _clicked() -> None:
    cells = st.session_state["plan:table"]["selection"]["cells"]
    if cells:
        row, column = cells[0]
        if column in project(workspace().venture).model.lines:
            ask(column, int(row) + 1)

"""Month by month: the lines of a section of the plan as table and chart, with why for every number."""

import pandas as pd
import streamlit as st

from core.charts.plan import Series, lines_chart, months
from core.finance import Projection, read_unit, section_label
from core.i18n import Language
from core.reports.months import months_csv
from pages.parts.figures import ask
from pages.parts.shell import CHART_BAR


def months_view(projection: Projection, _: Language, place: str = "plan") -> None:
    """A section of the plan that the reader chooses; ``place`` tells the pages that show it apart."""
    sections = projection.model.sections()
    section = st.pills(
        _("Section"),
        list(sections),
        default=next(iter(sections)),
        format_func=lambda name: _.text(section_label(name)),
        key=f"{place}:section",
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
    table, chart = st.tabs([_("Table"), _("Chart")], key=f"{place}:view", on_change="rerun")
    if chart.open:
        with chart:
            st.plotly_chart(
                lines_chart(series, venture.start, read_unit(unit, venture.currency, _), _),
                key=f"{place}:lines",
                config=CHART_BAR,
                alt=_.text(section_label(lines[0].section)),
            )
        return
    with table:
        st.caption(_("Click a number to see why it is what it is."))
        frame = pd.DataFrame(
            {line.key: projection.series(line.key) for line in lines},
            index=pd.Index(months(venture.start, projection.months, _), name=_("Month")),
        )
        st.dataframe(
            frame,
            key=f"{place}:table",
            on_select=lambda: _clicked(place),
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
        st.download_button(
            _("Download all lines and months (CSV)"),
            lambda: months_csv(projection, _),
            file_name="plan.csv",
            mime="text/csv",
            key=f"{place}:csv",
            icon=":material/download:",
            type="tertiary",
            on_click="ignore",
        )


def _clicked(place: str) -> None:
    """Ask why; a column that is no line of the plan is refused where the answer is looked for."""
    cells = st.session_state[f"{place}:table"]["selection"]["cells"]
    if cells:
        row, column = cells[0]
        ask(str(column), int(row) + 1)

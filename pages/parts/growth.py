"""How one number becomes the next: MRR by its movements, a customer's payment down to its margin, cohorts."""

import numpy as np
import pandas as pd
import streamlit as st

from core.charts.uncertainty import (
    Rows,
    cohort_chart,
    cohort_rows,
    waterfall_chart,
    waterfall_rows,
)
from core.finance import Projection
from core.finance.movements import Move, cohorts, mrr_movements, unit_margin
from core.i18n import Language
from pages.parts.shell import CHART_BAR

NEEDS = {
    "mrr": ("mrr", "new_mrr", "expansion_mrr", "contraction_mrr", "churned_mrr"),
    "margin": ("customers", "revenue", "cost_of_revenue", "support_cost_total"),
    "cohorts": ("survival", "new_customers"),
}
"""The lines without which a plan has nothing of the kind to show."""


def growth(projection: Projection, _: Language) -> None:
    """One of the three, as chart and table."""
    names = {"mrr": _("MRR movements"), "margin": _("Margin of a customer"), "cohorts": _("Cohorts")}
    possible = [key for key in names if set(NEEDS[key]) <= projection.model.lines.keys()]
    if not possible:
        st.info(_("This plan has no recurring revenue, and so no movements or cohorts to show."))
        return
    if st.session_state.get("plan:growth") not in (None, *possible):
        del st.session_state["plan:growth"]
    chosen = st.segmented_control(
        _("What becomes of it"),
        possible,
        default=possible[0],
        format_func=names.__getitem__,
        key="plan:growth",
        required=True,
        label_visibility="collapsed",
        persist_state="session",
    )
    {"mrr": _mrr, "margin": _margin, "cohorts": _cohorts}[chosen or possible[0]](projection, _)


def _mrr(projection: Projection, _: Language) -> None:
    months = [_.month(projection.venture.start, month) for month in range(projection.months)]
    first, last = st.select_slider(
        _("From and to"),
        range(1, projection.months + 1),
        value=(1, min(12, projection.months)),
        format_func=lambda month: months[month - 1],
        key="plan:growth:span",
    )
    _waterfall(mrr_movements(projection, first, last), "money/month", projection, _)


def _margin(projection: Projection, _: Language) -> None:
    months = [_.month(projection.venture.start, month) for month in range(projection.months)]
    month = st.select_slider(
        _("Month"),
        range(1, projection.months + 1),
        value=min(12, projection.months),
        format_func=lambda month: months[month - 1],
        key="plan:growth:month",
    )
    _waterfall(unit_margin(projection, month), "money/customer/month", projection, _)


def _waterfall(moves: tuple[Move, ...], unit: str, projection: Projection, _: Language) -> None:
    venture = projection.venture
    st.plotly_chart(
        waterfall_chart(moves, unit, venture, _),
        key="plan:waterfall",
        config=CHART_BAR,
        alt=_("From the first bar to the last, step by step"),
    )
    _table(waterfall_rows(moves, unit, venture, _), _)


def _cohorts(projection: Projection, _: Language) -> None:
    table, start = cohorts(projection), projection.venture.start
    st.caption(
        _(
            "Customers won in a month and how many of them are still there. The colour is their number; the table under it also gives their share."
        )
    )
    st.plotly_chart(
        cohort_chart(np.round(table, 2), start, _),
        key="plan:cohorts",
        config=CHART_BAR,
        alt=_("Cohorts of customers by age"),
    )
    _table(cohort_rows(table, start, _), _)


def _table(rows: Rows, _: Language) -> None:
    st.dataframe(pd.DataFrame(rows), hide_index=True, alt=_("The same as a table"))

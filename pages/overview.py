"""The first screen: how long the cash lasts, and how far along the venture is."""

import streamlit as st

from core.charts.plan import Series, cash_chart
from core.finance import Projection, metrics, project, stages
from core.finance.actuals import figures
from core.i18n import Language, Refusal
from pages.parts.figures import answer, cards, definitions
from pages.parts.lever import price_lever
from pages.parts.session import Workspace, say, workspace
from pages.parts.shell import CHART_BAR, plain

HEADLINES = ("cash_zero", "burn", "gross_margin", "ltv_to_cac", "break_even")
STATUS = {
    "done": ":material/check_circle:",
    "under_way": ":material/timelapse:",
    "open": ":material/radio_button_unchecked:",
}


def page() -> None:
    """Draw the page."""
    _, ws = say(), workspace()
    st.title(plain(_.text(ws.venture.name)))
    st.caption(plain(_.text(ws.venture.promise)))
    try:
        projection = project(ws.venture)
    except Refusal as refusal:
        st.error(plain(_.refusal(refusal)))
        return
    _headline(ws, projection, _)
    cards(HEADLINES, projection, _, "overview")
    definitions(HEADLINES, projection, _)
    _stages(projection, _)
    answer(projection, _)


def _headline(ws: Workspace, projection: Projection, _: Language) -> None:
    left, right = st.columns([3, 1], gap="medium")
    with left:
        st.subheader(_sentence(projection, _))
        chart = cash_chart(
            [Series(_("Cash"), projection.series("cash"))],
            ws.venture.start,
            ws.venture.currency,
            _,
            real=figures(ws.venture).get("cash"),
        )
        st.plotly_chart(chart, key="overview:cash", config=CHART_BAR, alt=_sentence(projection, _))
    with right:
        price_lever(ws, _)
        st.page_link("plan.py", label=_("All numbers behind this"), icon=":material/tune:")
        st.page_link("compute.py", label=_("Cost the compute"), icon=":material/memory:")
        st.page_link("training.py", label=_("Train a real model"), icon=":material/model_training:")
        st.page_link("share.py", label=_("Share this plan"), icon=":material/share:")


def _sentence(projection: Projection, _: Language) -> str:
    zero = metrics(projection)["cash_zero"]
    cash = _.money(projection.at("cash", 0), projection.venture.currency)
    if zero.value is None:
        return _("{cash} lasts for all {months} months of the plan", cash=cash, months=projection.months)
    return _(
        "{cash} runs out in {month}, month {number}",
        cash=cash,
        month=_.month(projection.venture.start, int(zero.value) - 1),
        number=int(zero.value),
    )


def _stages(projection: Projection, _: Language) -> None:
    st.subheader(_("Seven stages, from the first model to sustained growth"))
    rows = []
    words = {"done": _("done"), "under_way": _("under way"), "open": _("open")}
    for number, stage in enumerate(stages(projection), 1):
        rows.append(
            f"{STATUS[stage.status]} **{number} · {_.text(stage.label)}** · {words[stage.status]}  \n"
            f"{plain(_.sentence(stage.why))}"
        )
    half = 4
    left, right = st.columns(2, gap="medium")
    left.markdown("\n\n".join(rows[:half]))
    right.markdown("\n\n".join(rows[half:]))


page()

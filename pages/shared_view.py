"""What the holder of a link sees: one version of a plan, read only, and every number with its source."""

from datetime import UTC, datetime

import pandas as pd
import streamlit as st

from core.charts.plan import Series, cash_chart
from core.finance import Projection, project, simulate, spoken
from core.finance.actuals import figures
from core.i18n import Language, Refusal
from core.storage import LinkRow, Missing, VersionRow
from core.venture import BLOCKS, Venture
from core.venture.canvas import CREDIT
from pages.parts.canvas_grid import grid
from pages.parts.drivers import CONFIDENCE, KINDS
from pages.parts.figures import answer, cards, definitions
from pages.parts.mentions import live
from pages.parts.months_view import months_view
from pages.parts.runs_table import table, tested
from pages.parts.services import store
from pages.parts.session import say
from pages.parts.shell import CHART_BAR, language_switch, plain

DRAWS = 8192
FIGURES = (
    "cash_zero",
    "burn",
    "gross_margin",
    "ltv_to_cac",
    "break_even",
    "payback",
    "burn_multiple",
    "funding_need",
)


def page() -> None:
    """Draw the page, or one plain sentence if the link opens nothing."""
    _ = say()
    language_switch(_)
    token = str(st.query_params.get("token", ""))
    try:
        venture, link, version = store().links.open(token, count=st.session_state.get("shared:seen") != token)
        projection = project(venture)
    except (Missing, Refusal) as refusal:
        st.title(_("Shared plan"))
        st.warning(plain(_.refusal(refusal)), icon=":material/link_off:")
        return
    st.session_state["shared:seen"] = token
    st.title(plain(_.text(venture.name)))
    st.markdown(plain(_.text(venture.promise)))
    st.caption(
        _(
            "Read only · version {version} of {when} · amounts in {currency} · made with Compute Canvas",
            version=link.version,
            when=_.moment(datetime.fromtimestamp(version.created_at, UTC).date()),
            currency=venture.currency,
        )
    )
    _cash(projection, _)
    _figures(projection, _)
    st.subheader(_("Business model canvas"))
    grid(lambda block: _block(block, projection, _))
    st.caption(CREDIT)
    _training(version, link, _)
    _sources(venture, _)
    answer(projection, _)


def _cash(projection: Projection, _: Language) -> None:
    simulation = simulate(projection.venture, DRAWS)
    st.subheader(_("Cash"))
    st.markdown(
        _(
            "Chance that cash falls below zero within {months} months: **{chance} ± {error}**, from {draws} draws of every range.",
            months=projection.months,
            chance=plain(_.percent(simulation.p_cash_out)),
            error=plain(_.percent(simulation.p_cash_out_error, 1)),
            draws=_.number(simulation.count, digits=4),
        )
    )
    chart = cash_chart(
        [Series(_("Cash"), projection.series("cash"))],
        projection.venture.start,
        projection.venture.currency,
        _,
        simulation.fan("cash"),
        real=figures(projection.venture).get("cash"),
    )
    st.plotly_chart(chart, key="shared:cash", config=CHART_BAR, alt=_("Cash at the end of each month"))


def _figures(projection: Projection, _: Language) -> None:
    st.subheader(_("Key figures"))
    cards(FIGURES, projection, _, "shared")
    definitions(FIGURES, projection, _)
    months = st.expander(_("Month by month"), key="shared:months", on_change="rerun")
    if months.open:
        with months:
            months_view(projection, _, "shared")


def _block(block: str, projection: Projection, _: Language) -> None:
    with st.container(border=True, height="stretch"):
        notes = [live(_.text(note.text), projection, _) for note in projection.venture.canvas.block(block)]
        st.markdown("\n\n".join([f"**{_.text(BLOCKS[block])}**", *notes]))


def _training(version: VersionRow, link: LinkRow, _: Language) -> None:
    st.subheader(_("Training results"))
    runs = tested(store().runs.rows(version.author, link.venture_id))
    runs = [run for run in runs if (run.row.ended_at or 0.0) <= link.created_at]
    if runs:
        table(runs, _, public=True)
        st.caption(_("Each row is a real training run, measured on the device named."))
    else:
        st.caption(_("No model had been trained for this plan when the link was made."))


def _sources(venture: Venture, _: Language) -> None:
    st.subheader(_("Assumptions and their sources"))
    rows = []
    for driver in venture.drivers:
        low, high = driver.amount.ends()
        source = driver.source
        rows.append(
            (
                _.text(driver.label),
                spoken(driver.amount.median, driver.unit, venture.currency, _),
                ""
                if driver.amount.is_point
                else " – ".join(spoken(x, driver.unit, venture.currency, _) for x in (low, high)),
                _.text(KINDS[source.kind][1]),
                _.text(source.text),
                _.text(CONFIDENCE[source.confidence]) if source.confidence else "",
            )
        )
    columns = [_("Driver"), _("Median"), _("90% range"), _("From"), _("Source"), _("Confidence")]
    st.dataframe(pd.DataFrame(rows, columns=columns), hide_index=True, alt=_("Assumptions and their sources"))


page()

"""What moves an outcome: the tornado, each driver's share of the variance, and the way to the driver."""

import pandas as pd
import streamlit as st

from core.charts.uncertainty import effects_chart, effects_rows, tornado_chart, tornado_rows
from core.finance.outcome import outcomes, titled
from core.finance.sensitivity import tornado, total_effects
from core.i18n import Language
from core.venture import Venture
from pages.parts.drivers import driver_field
from pages.parts.fields import put
from pages.parts.session import Workspace
from pages.parts.shell import CHART_BAR, plain, select


def movers(ws: Workspace, venture: Venture, scenario: str | None, _: Language) -> None:
    """The drivers that matter most to an outcome that the founder chooses."""
    names = {one.name: titled(one, _) for one in outcomes(venture)}
    left, right = st.columns([2, 3], vertical_alignment="bottom")
    with left:
        asked = select(_("What moves …"), names, "plan:outcome", persist_state="session")
    with right:
        methods = {"alone": _("One at a time"), "together": _("All at once")}
        method = st.segmented_control(
            _("How the ranges are played through"),
            list(methods),
            default="alone",
            format_func=methods.__getitem__,
            key="plan:method",
            required=True,
            persist_state="session",
        )
    name = asked or next(iter(names))
    if method == "alone":
        found = tornado(venture, name)
        keys = [bar.driver_key for bar in found.bars]
        chart = tornado_chart(found, venture, _) if keys else None
        words = _(
            "Each range at its 10th and 90th percentile, all others at their medians. Click a bar to change that driver."
        )
        rows = tornado_rows(found, venture, _)
    else:
        with st.spinner(_("Playing the plan through …")):
            shares = total_effects(venture, name)
        keys = [effect.driver_key for effect in shares.effects]
        chart = effects_chart(shares, venture, _) if keys else None
        words = _(
            "How much of the uncertainty would go if a driver were known: alone (diamond), and with what it does together with others (bar; total Sobol’ index, ± 2 standard errors, {runs} runs of the plan).",
            runs=_.number(shares.runs, digits=4),
        )
        rows = effects_rows(shares, venture, _)
    if chart is None:
        st.info(_("No driver is a range yet. Write one as 15 to 25 to see what it moves."))
        return
    st.caption(words)
    st.plotly_chart(
        chart,
        key="plan:movers",
        on_select=_clicked,
        selection_mode="points",
        config=CHART_BAR,
        alt=_("What moves {outcome}", outcome=names[name]),
    )
    _driver(ws, venture, scenario, keys, _)
    with st.expander(_("As a table"), key="plan:movers:table", on_change="rerun") as table:
        if table.open:
            st.dataframe(
                pd.DataFrame(rows), hide_index=True, alt=_("What moves {outcome}", outcome=names[name])
            )


def _driver(ws: Workspace, venture: Venture, scenario: str | None, keys: list[str], _: Language) -> None:
    """The driver that was clicked, or chosen by keyboard, ready to be changed."""
    left, right = st.columns(2)
    with left:
        chosen = select(
            _("Change a driver"),
            {key: plain(_.text(venture.driver(key).label)) for key in keys},
            "plan:mover",
            index=None,
            placeholder=_("click a bar, or choose"),
        )
    if chosen:
        with right:
            driver_field(ws, venture.driver(chosen), _, scenario, place="movers")


def _clicked() -> None:
    """A click on a bar opens its driver, here and in the list of drivers above."""
    points = st.session_state["plan:movers"]["selection"]["points"]
    key = str(points[0].get("customdata") or "") if points else ""
    ws: Workspace = st.session_state["workspace"]
    if ws.venture.has_driver(key):
        put("plan:mover", key)
        put("plan:group", ws.venture.driver(key).group)

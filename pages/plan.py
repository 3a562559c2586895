"""The plan: drivers in groups, scenarios, cash with its ranges, and a closer look at whatever is asked."""

from collections.abc import Callable

import streamlit as st

from core.finance import Projection, project
from core.i18n import Language, Refusal
from core.venture import GROUPS
from pages.parts.actuals_view import actuals_view
from pages.parts.cash_view import Shown, cash_view
from pages.parts.comparison import comparison
from pages.parts.drivers import driver_field
from pages.parts.fields import field, held, put
from pages.parts.figures import answer, cards, definitions
from pages.parts.goal_view import goal_view
from pages.parts.growth import growth
from pages.parts.lever import price_lever
from pages.parts.modules import module_choice
from pages.parts.months_view import months_view
from pages.parts.movers import movers
from pages.parts.own_lines import own_lines
from pages.parts.scenarios import called, scenario_bar
from pages.parts.session import Workspace, say, workspace
from pages.parts.shell import plain

FIGURES = ("cash_zero", "burn", "gross_margin", "ltv_to_cac", "payback", "funding_need")


def page() -> None:
    """Draw the page."""
    _, ws = say(), workspace()
    st.title(_("Plan and cash"))
    scenario, others = scenario_bar(ws, _)
    inputs, results = st.columns([2, 3], gap="large")
    with inputs:
        _drivers(ws, scenario, _)
    with results:
        try:
            shown = [
                Shown(one, called(ws.venture, one, _), project(ws.venture, one))
                for one in (scenario, *others)
            ]
            settle = cash_view(ws, shown, _)
        except Refusal as refusal:
            st.error(plain(_.refusal(refusal)))
            return
        projection = shown[0].projection
        if not others:
            cards(FIGURES, projection, _, "plan")
            definitions(FIGURES, projection, _)
    if others:
        comparison(shown, _)
    _closer(ws, projection, scenario, _)
    settle()
    answer(projection, _)


def _drivers(ws: Workspace, scenario: str | None, _: Language) -> None:
    under = ws.venture.under(scenario)
    groups = [group for group in GROUPS if any(d.group == group for d in under.drivers)]
    if held("plan:group") not in groups:
        put("plan:group", groups[0])
    chosen = st.pills(
        _("Drivers"),
        groups,
        format_func=lambda group: _.text(GROUPS[group]),
        required=True,
        wrap=True,
        persist_state="session",
        **field("plan:group", start="default"),
    )
    changed = {o.key for o in ws.venture.scenario(scenario).overrides} if scenario else set()
    if chosen == "price" and scenario is None:
        price_lever(ws, _)
    drivers = [driver for driver in under.drivers if driver.group == chosen]
    left, right = st.columns(2)
    for number, driver in enumerate(drivers):
        with (left, right)[number % 2]:
            driver_field(ws, driver, _, scenario, driver.key in changed)
    if scenario is None:
        module_choice(ws, _)


def _closer(ws: Workspace, projection: Projection, scenario: str | None, _: Language) -> None:
    """One closer look at a time; only what is on the screen is computed."""
    looks: dict[str, tuple[str, Callable[[], None]]] = {
        "months": (_("Month by month"), lambda: months_view(projection, _)),
        "movers": (_("What matters most"), lambda: movers(ws, projection.venture, scenario, _)),
        "growth": (_("MRR, margin, cohorts"), lambda: growth(projection, _)),
        "goal": (_("Reach a goal"), lambda: goal_view(ws, projection.venture, scenario, _)),
        "actuals": (_("Real figures"), lambda: actuals_view(ws, projection, _)),
        "own": (_("Your own lines"), lambda: own_lines(ws, projection, _)),
    }
    st.subheader(_("A closer look"))
    st.session_state.setdefault("plan:look", "months")
    look = st.pills(
        _("A closer look"),
        list(looks),
        format_func=lambda key: looks[key][0],
        key="plan:look",
        required=True,
        wrap=True,
        label_visibility="collapsed",
        persist_state="session",
    )
    try:
        looks[look or "months"][1]()
    except Refusal as refusal:
        st.error(plain(_.refusal(refusal)))


page()

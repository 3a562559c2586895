"""The plan: drivers in groups, scenarios, the months as chart and table, and why for every number."""

import pandas as pd
import streamlit as st

from core.charts.plan import Series, cash_chart, lines_chart, months
from core.charts.uncertainty import tornado_chart
from core.finance import Projection, project, read_unit, section_label, simulate
from core.finance.sensitivity import tornado
from core.i18n import Language, Refusal
from core.venture import GROUPS
from pages.parts.drivers import driver_field
from pages.parts.figures import answer, ask, cards
from pages.parts.lever import price_lever
from pages.parts.modules import module_choice
from pages.parts.scenarios import comparison, scenario_bar
from pages.parts.session import Workspace, say, workspace
from pages.parts.shell import plain

DRAWS = 1024
FIGURES = ("cash_zero", "burn", "gross_margin", "ltv_to_cac", "payback", "funding_need")


def page() -> None:
    """Draw the page."""
    _, ws = say(), workspace()
    st.title(_("Plan and cash"))
    scenario, other = scenario_bar(ws, _)
    inputs, results = st.columns([2, 3], gap="large")
    with inputs:
        _drivers(ws, scenario, _)
    with results:
        try:
            projection = project(ws.venture, scenario)
            compared = None if other is None else project(ws.venture, other or None)
            _cash(ws, projection, compared, scenario, other, _)
            if compared is None:
                cards(FIGURES, projection, _, "plan")
        except Refusal as refusal:
            st.error(plain(_.refusal(refusal)))
            return
    if compared is not None:
        comparison(ws, projection, compared, scenario, other or None, _)
    _months(ws, projection, _)
    _tornado(ws, scenario, _)
    answer(projection, _)


def _drivers(ws: Workspace, scenario: str | None, _: Language) -> None:
    under = ws.venture.under(scenario)
    groups = [group for group in GROUPS if any(d.group == group for d in under.drivers)]
    chosen = st.pills(
        _("Drivers"),
        groups,
        default=groups[0],
        format_func=lambda group: _.text(GROUPS[group]),
        key="plan:group",
        required=True,
        wrap=True,
        persist_state="session",
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


def _cash(
    ws: Workspace,
    projection: Projection,
    compared: Projection | None,
    scenario: str | None,
    other: str | None,
    _: Language,
) -> None:
    uncertain = st.toggle(
        _("Show the ranges"),
        key="plan:ranges",
        persist_state="session",
        help=_("Draws every range 1,024 times and shows where cash may go."),
    )
    series = [Series(_name(ws, scenario, _), projection.series("cash"))]
    if compared is not None:
        series.append(Series(_name(ws, other or None, _), compared.series("cash")))
    fan = None
    if uncertain:
        simulation = simulate(ws.venture, DRAWS, scenario_id=scenario)
        fan = simulation.fan("cash")
        low, middle, high = (
            _("never") if m is None else _.month(projection.venture.start, m - 1)
            for m in simulation.cash_zero_months()
        )
        st.markdown(
            _(
                "**P(cash below zero in {months} months): {chance} ± {error}** ({draws} draws). Cash runs out: {low} (10%), {middle} (50%), {high} (90%).",
                months=projection.months,
                chance=plain(_.percent(simulation.p_cash_out)),
                error=plain(_.percent(simulation.p_cash_out_error, 1)),
                draws=_.number(simulation.count),
                low=low,
                middle=middle,
                high=high,
            )
        )
    st.plotly_chart(
        cash_chart(series, projection.venture.start, projection.venture.currency, _, fan),
        key="plan:cash",
        config={"displaylogo": False},
        alt=_("Cash at the end of each month"),
    )


def _name(ws: Workspace, scenario: str | None, _: Language) -> str:
    return _.text(ws.venture.scenario(scenario).name) if scenario else _("Base")


def _months(ws: Workspace, projection: Projection, _: Language) -> None:
    st.subheader(_("Month by month"))
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


def _tornado(ws: Workspace, scenario: str | None, _: Language) -> None:
    """Which drivers move the lowest cash balance; computed when it is asked for."""
    asked = st.expander(_("What moves the cash most?"), key="plan:tornado", on_change="rerun")
    if asked.open:
        with asked:
            st.caption(_("Each range at its 10th and 90th percentile, all others at their medians."))
            st.plotly_chart(
                tornado_chart(tornado(ws.venture, "lowest_cash", scenario), ws.venture, _),
                key="plan:tornado:chart",
                config={"displaylogo": False},
                alt=_("What moves the cash most?"),
            )


def _clicked() -> None:
    cells = st.session_state["plan:table"]["selection"]["cells"]
    if cells:
        row, column = cells[0]
        if column in project(workspace().venture).model.lines:
            ask(column, int(row) + 1)


page()

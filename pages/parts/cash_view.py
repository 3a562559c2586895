"""Cash on the plan page: one line a scenario, and, when asked for, the bands of every range behind it.

A first answer from few draws stands at once; the many draws of :data:`STILL` are taken last, when the rest
of the page is there. A change made meanwhile ends the run before that, so that dragging stays quick and
no timer is needed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.charts.plan import Series, cash_chart, fan_rows
from core.finance import Projection, Simulation, project, simulate
from core.finance.actuals import figures
from core.i18n import Language
from core.venture import Venture
from pages.parts.session import Workspace
from pages.parts.shell import CHART_BAR, plain

MOVING, STILL = 1024, 8192
"""Draws of the first answer, and of the one that stays."""

SAFE = 0.1
"""The chance of running out of cash that the sum to raise is told for."""


@dataclass(frozen=True)
class Shown:
    """A scenario on the screen: its id (None: the base), its name and its projection."""

    scenario: str | None
    name: str
    projection: Projection


def cash_view(ws: Workspace, shown: Sequence[Shown], _: Language) -> Callable[[], None]:
    """Draw cash; what is returned draws it again from many draws, when the rest of the page stands."""
    asked = st.toggle(
        _("Show the ranges"),
        key="plan:ranges",
        persist_state="session",
        help=_("Plays the plan through thousands of times, each with other values from your ranges."),
    )
    place = st.empty()
    first = shown[0]
    if not asked:
        with place.container():
            _chart(shown, None, _)
        return lambda: None
    table = st.expander(_("These bands as a table"), key="plan:bands", on_change="rerun")
    now = (ws.venture, first.scenario)
    moving = st.session_state.get("plan:still") != now
    if moving:
        _ranges(place, shown, MOVING, _)

    def settle() -> None:
        _ranges(place, shown, STILL, _)
        if table.open:
            with table:
                _table(first.projection.venture, _)
        st.session_state["plan:still"] = now

    if not moving:
        settle()
        return lambda: None
    return settle


def _ranges(place: DeltaGenerator, shown: Sequence[Shown], count: int, _: Language) -> None:
    simulation = simulate(shown[0].projection.venture, count)
    with place.container():
        st.markdown(_chance(simulation, _))
        _chart(shown, simulation, _)


def _table(venture: Venture, _: Language) -> None:
    rows = fan_rows(simulate(venture, STILL).fan("cash"), venture.start, venture.currency, _)
    st.dataframe(pd.DataFrame(rows), hide_index=True, alt=_("Cash by month, with its bands"))


def _chance(simulation: Simulation, _: Language) -> str:
    venture = simulation.venture
    low, middle, high = (
        _("never") if m is None else _.month(venture.start, m - 1) for m in simulation.cash_zero_months()
    )
    lines = [
        _(
            "**Chance that cash falls below zero within {months} months: {chance} ± {error}** ({draws} draws). It does so by {low} in 10%, by {middle} in 50% and by {high} in 90% of them.",
            months=venture.horizon_months,
            chance=plain(_.percent(simulation.p_cash_out)),
            error=plain(_.percent(simulation.p_cash_out_error, 1)),
            draws=_.number(simulation.count, digits=4),
            low=low,
            middle=middle,
            high=high,
        )
    ]
    if simulation.p_cash_out > SAFE:
        lines.append(
            _(
                "{money} more at the start would bring that down to {chance}.",
                money=plain(_.money(simulation.funding_need(SAFE), venture.currency)),
                chance=plain(_.percent(SAFE)),
            )
        )
    return "  \n".join(lines)


def _chart(shown: Sequence[Shown], simulation: Simulation | None, _: Language) -> None:
    venture = shown[0].projection.venture
    series = [Series(one.name, one.projection.series("cash")) for one in shown]
    fan = None if simulation is None else simulation.fan("cash")
    planned = project(venture.with_actuals(())).series("cash") if venture.actuals else None
    real = figures(venture).get("cash")
    st.plotly_chart(
        cash_chart(series, venture.start, venture.currency, _, fan, planned=planned, real=real),
        key="plan:cash" if simulation is None else f"plan:cash:{simulation.count}",
        config=CHART_BAR,
        alt=_("Cash at the end of each month"),
    )

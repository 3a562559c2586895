"""Goal seek: what must a driver be, so that an outcome is reached with the probability that is asked for?"""

import math
from dataclasses import dataclass

import streamlit as st

from core.finance import read_unit, spoken
from core.finance.goal import Answer, Goal, seek
from core.finance.outcome import OUTCOMES, Outcome, outcome, said, titled
from core.i18n import Language, Refusal
from core.venture import Amount, Venture, parse_amount
from pages.parts.session import Workspace, say
from pages.parts.shell import plain, select

FIRST_DRIVER, FIRST_OUTCOME = "price_per_seat", "break_even"
FIRST_VALUES = {
    "lowest_cash": "0",
    "cash_end": "0",
    "funding_need": "1m",
    "gross_margin": "60%",
    "mrr": "100k",
    "arr": "1m",
    "ltv_to_cac": "3",
    "customers": "100",
}
FIRST_MONTHS = {"break_even": 18, "cash_zero": 24, "payback": 12}
DRAWS = 1024


@dataclass(frozen=True)
class _Asked:
    """The question as it stands on the screen."""

    driver_key: str
    outcome: Outcome
    goal: Goal


def goal_view(ws: Workspace, venture: Venture, scenario: str | None, _: Language) -> None:
    """The question in a row of fields, and the answer under it."""
    st.caption(
        _(
            "Choose a driver and what you want to reach. All other drivers keep their ranges; the answer is the value nearest to today's that gets there."
        )
    )
    try:
        asked = _question(venture, _)
        with st.spinner(_("Playing the plan through …")):
            found = seek(venture, asked.driver_key, asked.goal, draws=DRAWS)
    except Refusal as refusal:
        st.error(plain(_.refusal(refusal)))
        return
    _answer(ws, venture, scenario, asked, found, _)


def _question(venture: Venture, _: Language) -> _Asked:
    one, two, three, four = st.columns(4, vertical_alignment="bottom")
    drivers = {driver.key: _.text(driver.label) for driver in venture.drivers}
    kinds = _kinds(venture, _)
    with one:
        first = list(drivers).index(FIRST_DRIVER) if FIRST_DRIVER in drivers else 0
        driver = select(
            _("What must this driver be"), drivers, "goal:driver", index=first, persist_state="session"
        )
    with two:
        first = list(kinds).index(FIRST_OUTCOME)
        kind = select(_("so that"), kinds, "goal:outcome", index=first, persist_state="session")
    kind = kind or FIRST_OUTCOME
    with three:
        month = _month(kind, venture, _)
        monthly = kind not in FIRST_MONTHS and (kind not in OUTCOMES or OUTCOMES[kind].monthly)
        wanted = outcome(venture, f"{kind}@{month}" if monthly else kind)
        value = float(month) if kind in FIRST_MONTHS else _value(kind, wanted, venture, _)
    with four:
        chance = st.slider(
            _("with a probability of"),
            5,
            95,
            80,
            step=5,
            format="%d%%",
            key="goal:probability",
            persist_state="session",
        )
    if wanted.better == "less":
        goal = Goal(wanted.name, at_most=value, probability=chance / 100)
    else:  # cash that lasts through a month runs out after it, at the earliest
        least = value + 1 if kind == "cash_zero" else value
        goal = Goal(wanted.name, at_least=least, probability=chance / 100)
    return _Asked(driver or FIRST_DRIVER, wanted, goal)


def _kinds(venture: Venture, _: Language) -> dict[str, str]:
    """What can be asked for, as the middle of a sentence."""
    words = {
        "break_even": _("break-even comes by month"),
        "cash_zero": _("cash lasts through month"),
        "lowest_cash": _("cash never falls below"),
        "cash_end": _("cash at the end is at least"),
        "funding_need": _("the extra cash needed is at most"),
        "mrr": _("MRR is at least"),
        "arr": _("ARR is at least"),
        "gross_margin": _("the gross margin is at least"),
        "customers": _("customers are at least"),
        "payback": _("CAC is paid back by month"),
        "ltv_to_cac": _("LTV : CAC is at least"),
    }
    possible = {}
    for key, text in words.items():
        try:
            outcome(venture, key)
        except Refusal:
            continue
        possible[key] = text
    return possible


def _month(kind: str, venture: Venture, _: Language) -> int:
    """The month that is asked about; of an outcome without one it is not shown."""
    if kind in OUTCOMES and not OUTCOMES[kind].monthly and kind not in FIRST_MONTHS:
        return 1
    first = min(FIRST_MONTHS.get(kind, 24), venture.horizon_months)
    label = _("month") if kind in FIRST_MONTHS else _("in month")
    return int(
        st.number_input(
            label, 1, venture.horizon_months, first, key=f"goal:month:{kind}", persist_state="session"
        )
    )


def _value(kind: str, wanted: Outcome, venture: Venture, _: Language) -> float:
    unit = "×" if wanted.unit == "×" else read_unit(wanted.unit, venture.currency, _)
    text = st.text_input(
        _("value ({unit})", unit=plain(unit)),
        FIRST_VALUES.get(kind, "0"),
        key=f"goal:value:{kind}",
        persist_state="session",
    )
    amount = parse_amount(text or "", "normal")
    if not amount.is_point:
        raise Refusal("The goal is “{text}”; one number is needed, not a range.", text=(text or "").strip())
    if wanted.unit == "1" and abs(amount.median) > 1:
        raise Refusal("The goal is “{text}”; a share such as 60% is needed.", text=(text or "").strip())
    return amount.median


def _answer(
    ws: Workspace, venture: Venture, scenario: str | None, asked: _Asked, found: Answer, _: Language
) -> None:
    driver = venture.driver(asked.driver_key)
    name = plain(_.text(driver.label))
    probability = asked.goal.probability or 0.0
    today = _(
        "Today ({value}) the chance is {chance} ± {error}.",
        value=plain(spoken(driver.amount.median, driver.unit, venture.currency, _)),
        chance=plain(_.percent(found.now.probability or 0.0, 2)),
        error=plain(_.percent(found.now.error or 0.0, 1)),
    )
    if (found.now.probability or 0.0) >= probability:
        st.success(_("Your plan reaches this already.") + " " + today, icon=":material/check_circle:")
        return
    value = _rounded(found, driver.amount.median)
    shown = plain(spoken(value, driver.unit, venture.currency, _, digits=4))
    chance, error = (
        plain(_.percent(found.best.probability or 0.0, 2)),
        plain(_.percent(found.best.error or 0.0, 1)),
    )
    if not found.reachable:
        sentences = [
            _("**Not reachable with “{name}” alone.**", name=name),
            _(
                "The best it can do is {value}: a chance of {chance} ± {error}.",
                value=shown,
                chance=chance,
                error=error,
            ),
            today,
        ]
        if found.binding:
            other = venture.driver(found.binding.driver_key)
            sentences.append(
                _(
                    "**{name}** stands most in the way: at {value} the chance would be {chance}.",
                    name=plain(_.text(other.label)),
                    value=plain(spoken(found.binding.value, other.unit, venture.currency, _)),
                    chance=plain(_.percent(found.binding.probability or 0.0, 2)),
                )
            )
        else:
            sentences.append(_("No other driver alone would bring it near: several have to change."))
        st.warning("  \n".join(sentences), icon=":material/block:")
    else:
        st.info(
            _(
                "**{name}: {value}** gets there with a chance of {chance} ± {error} ({draws} draws). {outcome}, at the middle of all draws: {reached}.",
                name=name,
                value=shown,
                chance=chance,
                error=error,
                draws=_.number(DRAWS, digits=4),
                outcome=plain(titled(asked.outcome, _)),
                reached=plain(said(asked.outcome, found.best.outcome, venture, _)),
            )
            + "  \n"
            + today,
            icon=":material/target:",
        )
    st.button(
        _("Set “{name}” to {value}", name=name, value=shown),
        key="goal:apply",
        type="primary" if found.reachable else "secondary",
        on_click=_apply,
        args=(ws, asked.driver_key, value, scenario),
    )
    low, high = (plain(spoken(end, driver.unit, venture.currency, _)) for end in (found.low, found.high))
    st.caption(
        _(
            "Looked from {low} to {high}. Other drivers do not follow: a higher price, for one, does not lose customers here.",
            low=low,
            high=high,
        )
    )


def _rounded(found: Answer, today: float) -> float:
    """The value with three figures, rounded away from today's so that the goal still holds."""
    value = found.best.value
    if value == 0 or not found.reachable:
        return value
    step = 10.0 ** (math.floor(math.log10(abs(value))) - 2)
    away = math.ceil if value > today else math.floor
    return min(max(float(f"{away(round(value / step, 6)) * step:.6g}"), found.low), found.high)


def _apply(ws: Workspace, driver_key: str, value: float, scenario: str | None) -> None:
    _ = say()
    label = ws.venture.driver(driver_key).label
    ws.change(
        lambda v: v.with_driver(driver_key, Amount.point(value), scenario_id=scenario),
        _("goal: {name} {value}", name=label, value=_.number(value, digits=4)),
    )

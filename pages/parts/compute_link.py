"""The way between the compute page and the plan: what the page estimates, taken into drivers that follow it.

A driver that was taken from the page is remembered as a link in the venture's compute plan. When an
input of that part changes, the driver is estimated again, as long as its source still says *estimated*;
whoever types over it on another page ends the link.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

import streamlit as st

from core.compute import (
    Finding,
    FinetuneEstimate,
    FinetunePlan,
    PriceRow,
    ServingEstimate,
    ServingPlan,
    TrainingEstimate,
    TrainingPlan,
    drift_findings,
    estimate_finetuning,
    estimate_serving,
    estimate_training,
    finetuning_findings,
    serving_findings,
    short,
    training_findings,
)
from core.finance import Projection, project, read_unit
from core.i18n import Language, Refusal
from core.venture import Amount, ComputeLink, ComputePlan, Source, Venture
from pages.parts.fields import held, put
from pages.parts.session import Workspace, say
from pages.parts.shell import plain

# A usual request, for a plan that has no drivers for it.
REQUEST = {"input_tokens": 2000.0, "output_tokens": 500.0, "cached_share": 0.0, "attempts": 1.0}

Read = Callable[[Projection, int], float | None]

MONTH = 12
"""The month of the plan in which the page shows cost per user and gross margin."""


def today() -> date:
    """The day, in UTC."""
    return datetime.now(UTC).date()


def own_prices(venture: Venture) -> tuple[PriceRow, ...]:
    """The founder's own prices, as the estimator takes them."""
    return tuple(
        PriceRow(
            accelerator=price.accelerator,
            provider=price.provider,
            tier=price.tier,  # type: ignore[arg-type]
            low=price.low,
            typical=price.typical,
            high=price.high,
            date=price.on.isoformat(),
            source=price.source,
            trust=None,
            edited=True,
        )
        for price in venture.compute_plan.prices
    )


def training_plan(venture: Venture) -> TrainingPlan:
    """The venture's training plan, as the estimator takes it."""
    kept = venture.compute_plan.training.model_dump()
    kept.pop("served_tokens")
    return TrainingPlan(**kept)


def finetune_plan(venture: Venture) -> FinetunePlan:
    """The venture's fine-tuning plan, as the estimator takes it."""
    return FinetunePlan(**venture.compute_plan.finetune.model_dump())


def serving_plan(venture: Venture) -> ServingPlan:
    """The venture's serving plan and the request that the page's fields describe."""
    request: dict[str, Any] = {key: requested(venture, key) for key in REQUEST}
    return ServingPlan(on=today(), **request, **venture.compute_plan.serving.model_dump())


def training_estimate(venture: Venture) -> TrainingEstimate:
    """The estimate of the venture's training plan; a Refusal where it has none."""
    return _training(training_plan(venture), own_prices(venture))


def finetune_estimate(venture: Venture) -> FinetuneEstimate:
    """The estimate of the venture's fine-tuning plan; a Refusal where it has none."""
    return _finetune(finetune_plan(venture), own_prices(venture))


def serving_estimate(venture: Venture) -> ServingEstimate:
    """The estimate of the venture's serving plan; a Refusal where it has none."""
    return _serving(serving_plan(venture), own_prices(venture))


def requested(venture: Venture, key: str) -> float:
    """What a field of the request holds; the plan's driver where it was not touched."""
    typed = held(f"compute:request:{key}")
    return planned(venture, key) if typed is None else float(typed) / shown_as(key)


def set_request(ws: Workspace, key: str, value: float) -> None:
    """Let a field of the request hold ``value``, as if it had been typed."""
    field = f"compute:request:{key}"
    put(field, value * shown_as(key))
    st.session_state[f"shown:{field}"] = (ws.venture_id, short(planned(ws.venture, key) * shown_as(key)))


def planned(venture: Venture, key: str) -> float:
    """What the plan says of a request."""
    return venture.driver(key).amount.median if venture.has_driver(key) else REQUEST[key]


def shown_as(key: str) -> float:
    """Shares are typed in percent."""
    return 100.0 if key == "cached_share" else 1.0


def findings(venture: Venture, part: str) -> list[Finding]:
    """What a part of the page says about the venture's drivers; a Refusal where it cannot be estimated."""
    rate = venture.usd_rate
    if part == "training":
        found = list(training_findings(training_estimate(venture), rate))
    elif part == "finetune":
        found = list(finetuning_findings(finetune_estimate(venture), rate))
    elif part == "drift":
        found = list(drift_findings(venture.compute_plan.drift_per_year))
    else:
        plan = serving_plan(venture)
        typed = [
            Finding(key, Amount.point(short(getattr(plan, key))), Source(kind="typed"))
            for key in REQUEST
            if short(getattr(plan, key)) != short(planned(venture, key))
        ]
        found = [*typed, *serving_findings(serving_estimate(venture), rate)]
    return [item for item in found if venture.has_driver(item.key)]


def linked(venture: Venture, part: str) -> tuple[str, ...]:
    """The drivers that were taken from a part and still follow it."""
    return tuple(
        link.key
        for link in venture.compute_plan.links
        if link.part == part
        and venture.has_driver(link.key)
        and venture.driver(link.key).source.kind == "estimated"
    )


def followed(venture: Venture, part: str) -> Venture:
    """The venture whose linked drivers say what the page now says; what was typed over is let go."""
    parts = (
        [part]
        if part in ("training", "finetune", "serving", "drift")
        else ["training", "finetune", "serving"]
    )
    for one in parts:
        keys = linked(venture, one)
        venture = _with_links(venture, one, keys)
        if not keys:
            continue
        try:
            found = {item.key: item for item in findings(venture, one)}
        except Refusal:
            continue  # the page says why; the plan keeps its last estimate
        for key in keys:
            if key in found:
                venture = venture.with_driver(key, found[key].amount, found[key].source)
    return venture


def taken(venture: Venture, part: str) -> Venture:
    """The venture with a part's findings in its drivers, which follow the part from now on."""
    found = findings(venture, part)
    if not found:
        raise Refusal("This plan has no drivers for these numbers.")
    for item in found:
        venture = venture.with_driver(item.key, item.amount, item.source)
    keys = tuple(item.key for item in found if item.source.kind == "estimated")
    return _with_links(venture, part, keys)


def take_button(ws: Workspace, part: str, _: Language) -> None:
    """The button that takes a part into the plan, what it changed, and what follows."""
    st.button(
        _("Take into the plan"),
        key=f"compute:take:{part}",
        type="primary",
        icon=":material/download:",
        on_click=take,
        args=(part,),
        help=_(
            "Writes these numbers into the plan's drivers, with the source “estimated”; they follow this page."
        ),
    )
    if refusal := ws.refused.get("compute:take"):
        st.error(plain(_.refusal(refusal)))
    told = st.session_state.get("compute:taken")
    if told and told[:3] == (ws.venture_id, ws.version, part):
        lines = [_changed(ws, key, before, after, _) for key, before, after in told[3]]
        st.success("\n".join([_("Now in the plan:"), *lines]), icon=":material/check_circle:")
    elif keys := linked(ws.venture, part):
        names = ", ".join(_.text(ws.venture.driver(key).label) for key in keys)
        st.caption(
            ":material/link: "
            + plain(_("{names} in the plan follow this page until somebody types over them.", names=names))
        )


def plan_effect(ws: Workspace, part: str, _: Language) -> None:
    """Cost per user, gross margin and break-even users of the plan, with the numbers on this page."""
    venture = ws.venture
    try:
        preview = venture
        for item in findings(venture, part):
            preview = preview.with_driver(item.key, item.amount, item.source)
        before = _projected(venture)
        after = before if preview.drivers == venture.drivers else project(preview)
    except Refusal:
        return
    month = min(MONTH, after.months)
    rows: list[tuple[str, Read, Callable[[float], str]]] = [
        (_("Compute per user and month"), _compute_per_user, lambda v: _.money(v, venture.currency)),
        (_("Gross margin"), _gross_margin, _.percent),
        (_("Break-even users"), _break_even_users, _.number),
    ]
    st.caption(_("In the plan, month {month}, with the numbers on this page:", month=month))
    with st.container(horizontal=True, gap="medium"):
        for label, read, words in rows:
            value, was = read(after, month), read(before, month)
            told = None
            if value is not None and was is not None and value != was:
                told = plain(_("now {value}", value=words(was)))
            st.metric(
                label,
                _("not reached") if value is None else words(value),
                told,
                delta_color="off",
                delta_arrow="off",
                width="content",
            )


def plan_requests(ws: Workspace) -> float | None:
    """Requests a month that the plan has in its month 12; None where it counts none."""
    try:
        projection = _projected(ws.venture)
    except Refusal:
        return None
    if "requests" not in projection.lines:
        return None
    asked = projection.at("requests", min(MONTH, projection.months))
    return asked if asked >= 1 else None


def _projected(venture: Venture) -> Projection:
    """The venture's projection, kept for as long as nothing that it is made of changes."""
    made_of = (venture.drivers, venture.lines, venture.start, venture.horizon_months, venture.archetype)
    held = st.session_state.get("compute:projected")
    if held is None or held[0] != made_of:
        held = (made_of, project(venture))
        st.session_state["compute:projected"] = held
    projection: Projection = held[1]
    return projection


def _compute_per_user(projection: Projection, month: int) -> float | None:
    return _ratio(projection, "inference_cost", "customers", month)


def _gross_margin(projection: Projection, month: int) -> float | None:
    return _ratio(projection, "gross_profit", "revenue", month)


def _break_even_users(projection: Projection, month: int) -> float | None:
    """Users whose margin pays the month's operating cost."""
    return _ratio(projection, "operating_cost", "margin_per_customer", month)


def _ratio(projection: Projection, above: str, below: str, month: int) -> float | None:
    """One line ÷ another; None where a line is missing or nothing stands below."""
    if above not in projection.lines or below not in projection.lines:
        return None
    divisor = projection.at(below, month)
    return projection.at(above, month) / divisor if divisor > 0 else None


def _with_links(venture: Venture, part: str, keys: tuple[str, ...]) -> Venture:
    plan = venture.compute_plan
    others = tuple(link for link in plan.links if link.part != part and link.key not in keys)
    links = (*others, *(ComputeLink(key=key, part=part) for key in keys))  # type: ignore[arg-type]
    if links == plan.links:
        return venture
    fields = {name: getattr(plan, name) for name in ComputePlan.model_fields}
    return venture.with_compute_plan(ComputePlan(**{**fields, "links": links}))


def _changed(ws: Workspace, key: str, before: Amount, after: Amount, _: Language) -> str:
    driver = ws.venture.driver(key)
    unit = read_unit(driver.unit, ws.venture.currency, _)
    was, now = (" – ".join(_.number(end) for end in dict.fromkeys(a.ends())) for a in (before, after))
    return f"- {plain(_.text(driver.label))}: {plain(was)} → **{plain(now)}** {plain(unit)}"


def take(part: str) -> None:
    """Write what is on the screen into the plan's drivers, and keep what changed for the next run."""
    ws: Workspace = st.session_state["workspace"]
    _ = say()
    ws.refused.pop("compute:take", None)
    before = {driver.key: driver.amount for driver in ws.venture.drivers}
    if ws.change(
        lambda venture: taken(venture, part), _("Compute cost taken into the plan"), place="compute:take"
    ):
        after = {driver.key: driver.amount for driver in ws.venture.drivers}
        keys = linked(ws.venture, part)
        rows = [(key, before[key], after[key]) for key in after if after[key] != before[key] or key in keys]
        st.session_state["compute:taken"] = (ws.venture_id, ws.version, part, rows)


# The page asks for an estimate, and the plan's drivers ask for it again.


@lru_cache(maxsize=64)
def _training(plan: TrainingPlan, own: tuple[PriceRow, ...]) -> TrainingEstimate:
    return estimate_training(plan, own)


@lru_cache(maxsize=64)
def _finetune(plan: FinetunePlan, own: tuple[PriceRow, ...]) -> FinetuneEstimate:
    return estimate_finetuning(plan, own)


@lru_cache(maxsize=64)
def _serving(plan: ServingPlan, own: tuple[PriceRow, ...]) -> ServingEstimate:
    return estimate_serving(plan, own)

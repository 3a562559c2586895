"""The fields of the compute page: each shows a value of the venture's compute plan and keeps what is typed."""

import re
from collections.abc import Callable, Sequence
from typing import Any, get_args

import streamlit as st

from core.compute import TIER_LABELS, accelerators, prices_of
from core.i18n import Language
from core.venture import ComputePlan, Venture
from core.venture.frozen import refusing
from pages.parts import fields
from pages.parts.compute_link import followed, own_prices
from pages.parts.session import Workspace, say
from pages.parts.shell import plain

MOST = 2**53 - 1  # the largest whole number that a browser keeps exactly


def number_field(
    ws: Workspace,
    part: str,
    field: str,
    label: str,
    scale: float = 1,
    least: float = 0.0,
    **more: Any,
) -> None:
    """A number of the plan's ``part`` ("training", "finetune", "serving"), kept as what is shown × ``scale``.

    A whole value makes a field for whole numbers from ``least``; None is shown empty.
    """
    key = f"compute:{part}:{field}"
    plan = getattr(ws.venture.compute_plan, part)
    kept, whole = getattr(plan, field), _is_whole(plan, field)
    value = None if kept is None else min(kept, MOST) if whole else kept / scale
    ws.follow(key, value)
    shape: dict[str, Any] = (
        {"min_value": int(least), "step": 1} if whole else {"min_value": least, "format": "%.6g"}
    )
    if _may_be_empty(plan, field):
        shape |= {"value": None}
    start = None if "value" in shape else "value"
    st.number_input(label, **fields.field(key, _typed, part, field, scale, start=start), **shape, **more)
    if refusal := ws.refused.get(key):
        st.error(plain(say().refusal(refusal)))


def choice_field(
    ws: Workspace,
    part: str,
    field: str,
    options: Sequence[Any],
    label: str,
    words: Callable[[Any], str] = str,
    **more: Any,
) -> None:
    """A choice of the plan's ``part``; a value that is not among the options is offered as one more."""
    key = f"compute:{part}:{field}"
    value = getattr(getattr(ws.venture.compute_plan, part), field)
    ws.follow(key, value)
    known = [*options] if value in options else [*options, value]
    st.selectbox(
        label, known, format_func=words, **fields.field(key, _typed, part, field, among=known), **more
    )


def hardware_fields(ws: Workspace, part: str, count_label: str, _: Language) -> None:
    """Which accelerator, and how many."""
    left, right = st.columns([2, 1])
    with left:
        choice_field(ws, part, "accelerator", list(accelerators()), _("Accelerator"))
    with right:
        number_field(ws, part, "accelerators", count_label, least=1)


def buying_fields(ws: Workspace, part: str, _: Language) -> None:
    """How the accelerator is bought: the tier, and a price of one's own before the table's."""
    plan = getattr(ws.venture.compute_plan, part)
    choice_field(ws, part, "tier", list(TIER_LABELS), _("How it is bought"), lambda key: _tier(key, _))
    found = [
        row
        for row in prices_of(plan.accelerator, own_prices(ws.venture))
        if row.tier == plan.tier and not row.provider
    ]
    told, empty = None, _("no price published")
    if found:
        row = found[0]
        told = _(
            "Low {low}, typical {typical}, high {high} USD; as of {date}.",
            low=_.number(row.low) if row.low else "–",
            typical=_.number(row.typical),
            high=_.number(row.high) if row.high else "–",
            date=row.date or "–",
        )
        empty = _("typical: {price}", price=_.number(row.typical))
    number_field(
        ws,
        part,
        "price_per_hour",
        _("Price per accelerator-hour (USD)"),
        placeholder=empty,
        help=plain(told) if told else None,
    )


def follow(ws: Workspace, key: str, value: Any) -> None:
    """Let a field that is not kept in the venture begin at its ``value``, anew when that changes."""
    there = fields.name(key) in st.session_state
    if st.session_state.get(f"shown:{key}") != (ws.venture_id, value) or not there:
        fields.put(key, value)
        st.session_state[f"shown:{key}"] = (ws.venture_id, value)


def changed(plan: ComputePlan, part: str, fields: dict[str, Any]) -> ComputePlan:
    """The compute plan with some fields of a part changed; a Refusal for a value that cannot be meant."""
    kept = getattr(plan, part)
    with refusing():
        new = type(kept)(**{**kept.model_dump(), **fields})
        return ComputePlan(**{**{name: getattr(plan, name) for name in ComputePlan.model_fields}, part: new})


def _is_whole(plan: Any, field: str) -> bool:
    """Whether a field of the plan holds whole numbers, also while it is empty."""
    return re.search(r"\bint\b", str(type(plan).model_fields[field].annotation)) is not None


def _may_be_empty(plan: Any, field: str) -> bool:
    return type(None) in get_args(type(plan).model_fields[field].annotation)


def _tier(key: str, _: Language) -> str:
    return _.text(TIER_LABELS[key]) if key in TIER_LABELS else key


def _typed(part: str, field: str, scale: float = 1) -> None:
    """Keep a changed field in the venture's compute plan, and let the linked drivers follow."""
    ws: Workspace = st.session_state["workspace"]
    _ = say()
    key = f"compute:{part}:{field}"
    value = fields.held(key)
    if scale != 1 and value is not None:
        value = value * scale

    def keep(venture: Venture) -> Venture:
        plan = changed(venture.compute_plan, part, {field: value})
        return followed(venture.with_compute_plan(plan), part)

    ws.change(keep, _("Compute plan changed"), place=key)

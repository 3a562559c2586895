"""The fields of the compute page: each shows a value of the venture's compute plan and keeps what is typed."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from core.compute import accelerators
from core.i18n import Language
from core.venture import ComputePlan, ServingPlan, TrainingPlan, Venture
from core.venture.frozen import refusing
from pages.parts.session import Workspace, say
from pages.parts.shell import plain

MOST = 2**53 - 1  # the largest whole number that a browser keeps exactly


def number_field(
    ws: Workspace, part: str, field: str, value: float | None, label: str, scale: float = 1, **more: Any
) -> None:
    """A number of the plan's ``part`` ("training", "serving"), kept as what is shown × ``scale``.

    A whole ``value`` makes a field for whole numbers; None is shown empty.
    """
    key = f"compute:{part}:{field}"
    whole = isinstance(value, int)
    ws.follow(key, min(value, MOST) if whole and value is not None else value)
    shape: dict[str, Any] = {"min_value": 1, "step": 1} if whole else {"min_value": 0.0, "format": "%.6g"}
    st.number_input(label, key=key, on_change=_typed, args=(part, field, scale), **shape, **more)
    if refusal := ws.refused.get(key):
        st.error(plain(say().refusal(refusal)))


def choice_field(
    ws: Workspace,
    part: str,
    field: str,
    value: Any,
    options: Sequence[Any],
    label: str,
    words: Callable[[Any], str] = str,
    **more: Any,
) -> None:
    """A choice of the plan's ``part``; a value that is not among the options is offered as one more."""
    key = f"compute:{part}:{field}"
    ws.follow(key, value)
    known = [*options] if value in options else [*options, value]
    st.selectbox(label, known, key=key, format_func=words, on_change=_typed, args=(part, field), **more)


def price_field(ws: Workspace, part: str, value: float | None, name: str, _: Language) -> None:
    """The price per accelerator-hour; left empty it is the table's typical price."""
    known = accelerators().get(name)
    prices = known.prices if known else None
    told = None
    if prices:
        told = _(
            "Low {low}, typical {typical}, high {high}, spot from {spot} USD; as of {date}.",
            low=_.number(prices.low) if prices.low else "–",
            typical=_.number(prices.typical),
            high=_.number(prices.high) if prices.high else "–",
            spot=_.number(prices.spot) if prices.spot else "–",
            date=prices.date or "–",
        )
    empty = _("typical: {price}", price=_.number(prices.typical)) if prices else _("no price published")
    number_field(
        ws,
        part,
        "price_per_hour",
        value,
        _("Price per accelerator-hour (USD)"),
        placeholder=empty,
        help=plain(told) if told else None,
    )


def follow(ws: Workspace, key: str, value: Any) -> None:
    """Let a field that is not kept in the venture begin at its ``value``, anew when that changes."""
    if st.session_state.get(f"shown:{key}") != (ws.venture_id, value) or key not in st.session_state:
        st.session_state[key] = value
        st.session_state[f"shown:{key}"] = (ws.venture_id, value)


def _typed(part: str, field: str, scale: float = 1) -> None:
    """Keep a changed field in the venture's compute plan."""
    ws: Workspace = st.session_state["workspace"]
    _ = say()
    key = f"compute:{part}:{field}"
    value = st.session_state[key]
    if scale != 1 and value is not None:
        value = value * scale
    changed = {"provider": value[0], "model": value[1]} if field == "api" else {field: value}

    def keep(venture: Venture) -> Venture:
        plan = venture.compute_plan
        training, serving = plan.training, plan.serving
        with refusing():
            if part == "training":
                training = TrainingPlan(**{**training.model_dump(), **changed})
            else:
                serving = ServingPlan(**{**serving.model_dump(), **changed})
            return venture.with_compute_plan(ComputePlan(training=training, serving=serving))

    ws.change(keep, _("Compute plan changed"), place=key)

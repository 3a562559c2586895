"""Tuning an existing model: the inputs, what it costs, whether it fits, and what lies behind it."""

import streamlit as st

from core.charts.compute import law_chart
from core.compute import (
    GOAL_LABELS,
    METHOD_LABELS,
    FinetuneEstimate,
    experiment_factors,
    fine_tuner_standings,
    finetuning_by_method,
    finetuning_steps,
    language_models,
)
from core.i18n import Language, Refusal
from pages.parts.compute_fields import buying_fields, choice_field, hardware_fields, number_field
from pages.parts.compute_figures import band_metric, closer, money_of, price_warning, table
from pages.parts.compute_link import finetune_estimate, own_prices, plan_effect, take_button
from pages.parts.compute_words import explained, finetune_memory_table, finetune_sources, law_words
from pages.parts.session import Workspace
from pages.parts.shell import plain


def finetune_part(ws: Workspace, _: Language) -> None:
    """Draw the part."""
    inputs, results = st.columns([2, 3], gap="large")
    with inputs:
        _inputs(ws, _)
    with results:
        try:
            estimate = finetune_estimate(ws.venture)
        except Refusal as refusal:
            st.error(plain(_.refusal(refusal)))
            return
        _figures(ws, estimate, _)
        plan_effect(ws, "finetune", _)
        take_button(ws, "finetune", _)
    closer(
        "finetune",
        {
            "methods": (_("Full, LoRA or QLoRA?"), lambda: _methods(ws, estimate, _)),
            "memory": (_("Memory by part"), lambda: _memory(estimate, _)),
            "law": (_("The law"), lambda: _law(estimate, _)),
            "formulas": (_("How is this computed?"), lambda: _formulas(estimate, _)),
            "sources": (_("Sources and dates"), lambda: _sources(estimate, _)),
        },
        _,
    )


def _inputs(ws: Workspace, _: Language) -> None:
    kept = ws.venture.compute_plan.finetune
    offered = [name for name, model in language_models().items() if model.offered]
    choice_field(ws, "finetune", "model", offered, _("Model to tune"))
    left, right = st.columns(2)
    with left:
        choice_field(
            ws,
            "finetune",
            "goal",
            list(GOAL_LABELS),
            _("What the data is"),
            lambda key: _named(GOAL_LABELS, key, _),
        )
    with right:
        choice_field(
            ws,
            "finetune",
            "method",
            list(METHOD_LABELS),
            _("Method"),
            lambda key: _named(METHOD_LABELS, key, _),
        )
    names = {"sft": _("Documents"), "dpo": _("Pairs of answers"), "rl": _("Prompts")}
    left, right = st.columns(2)
    with left:
        number_field(ws, "finetune", "examples", names.get(kept.goal, _("Documents")))
        number_field(ws, "finetune", "epochs", _("Passes over them"))
    with right:
        number_field(ws, "finetune", "tokens_per_example", _("Tokens in each"))
        if kept.goal == "rl":
            number_field(ws, "finetune", "rollouts", _("Answers to each"), least=1)
    hardware_fields(ws, "finetune", _("How many"), _)
    with st.expander(_("Price, experiments, sequences, rank"), icon=":material/tune:"):
        buying_fields(ws, "finetune", _)
        factors = {1.0: _("Only the final run"), **{f.factor: _.text(f.label) for f in experiment_factors()}}
        choice_field(
            ws,
            "finetune",
            "experiments",
            list(factors),
            _("Experiments multiplier"),
            lambda factor: f"×{factor:g} · {factors[factor]}" if factor in factors else f"×{factor:g}",
        )
        number_field(ws, "finetune", "sequence_length", _("Sequence length (tokens)"), least=1)
        number_field(ws, "finetune", "micro_batch", _("Sequences at a time"), least=1)
        if kept.method != "full":
            number_field(ws, "finetune", "rank", _("Rank of the adapters"), least=1)
        if kept.goal == "rl":
            number_field(ws, "finetune", "tokens_per_answer", _("Tokens per answer"))


def _named(labels: dict, key: str, _: Language) -> str:  # type: ignore[type-arg]
    return _.text(labels[key]) if key in labels else str(key)


def _figures(ws: Workspace, estimate: FinetuneEstimate, _: Language) -> None:
    money = money_of(ws, _)
    with st.container(horizontal=True, gap="medium"):
        band_metric(_("Cost with experiments"), estimate.all_dollars, money, _)
        band_metric(_("Hours of one run"), estimate.days.times(24), _.number, _)
        band_metric(_("GPU-hours"), estimate.all_gpu_hours, _.number, _)
        st.metric(
            _("Memory (GB)"),
            _.number(estimate.memory.total / 1e9),
            plain(_("of {have}", have=_.number(estimate.usable / 1e9))),
            delta_color="off",
            delta_arrow="off",
            width="content",
        )
    told = _(
        "{tokens} tokens pass through the model; the final run alone costs {cost} ({low} to {high}).",
        tokens=_.number(estimate.tokens),
        cost=money(estimate.dollars.p50),
        low=money(estimate.dollars.p10),
        high=money(estimate.dollars.p90),
    )
    st.caption(plain(told))
    price_warning(estimate.price, _)
    if estimate.problem:
        st.warning(plain(_.refusal(estimate.problem)), icon=":material/error:")
        return
    fits = (
        _("Fits, with the weights sharded over the accelerators.")
        if estimate.sharded
        else _("Fits on each accelerator whole.")
    )
    st.success(fits, icon=":material/check_circle:")


def _methods(ws: Workspace, estimate: FinetuneEstimate, _: Language) -> None:
    money = money_of(ws, _)
    rows = []
    for other in finetuning_by_method(estimate.plan, own_prices(ws.venture)):
        mark = "**" if other.plan.method == estimate.plan.method else ""
        if other.problem is None:
            fits = _("yes")
        elif other.needed:
            fits = _("on {count}", count=other.needed)
        else:
            fits = _("no")
        rows.append(
            [
                f"{mark}{_named(METHOD_LABELS, other.plan.method, _)}{mark}",
                _.number(other.memory.total / 1e9),
                fits,
                _.number(other.all_gpu_hours.p50),
                plain(money(other.all_dollars.p50)),
            ]
        )
    head = [_("Method"), _("Memory (GB)"), _("Fits"), _("GPU-hours"), _("Cost with experiments")]
    table((head, rows))
    st.caption(
        _(
            "LoRA saves memory, hardly time: the frozen weights are passed through all the same. By measurement it takes "
            "the time of 6 operations per parameter and token, and QLoRA more, for unpacking."
        )
    )


def _law(estimate: FinetuneEstimate, _: Language) -> None:
    found = fine_tuner_standings(estimate.flop)
    st.plotly_chart(
        law_chart(found, estimate.flop, _),
        key="compute:finetune_law",
        config={"displaylogo": False},
        alt=_("The lines of the law and your plan, on one axis of training FLOP."),
    )
    st.markdown(law_words(found, _))


def _formulas(estimate: FinetuneEstimate, _: Language) -> None:
    st.markdown(explained(finetuning_steps(estimate), _))


def _sources(estimate: FinetuneEstimate, _: Language) -> None:
    st.markdown(finetune_sources(estimate, _))


def _memory(estimate: FinetuneEstimate, _: Language) -> None:
    st.markdown(finetune_memory_table(estimate, _))

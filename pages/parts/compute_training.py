"""Training a model from nothing: the inputs, what it costs, and what lies behind it."""

import streamlit as st

from core.charts.compute import accelerator_chart, law_chart
from core.compute import (
    TrainingEstimate,
    chinchilla,
    experiment_factors,
    grids,
    language_models,
    life_long,
    over_trained,
    standings,
    training_by_accelerator,
    training_by_price,
    training_steps,
)
from core.i18n import Language, Refusal
from pages.parts.compute_fields import buying_fields, choice_field, hardware_fields, number_field
from pages.parts.compute_figures import band_metric, closer, money_of, price_warning, table
from pages.parts.compute_link import own_prices, plan_effect, take_button, training_estimate
from pages.parts.compute_words import (
    explained,
    law_words,
    memory_table,
    price_notes,
    price_table,
    training_sources,
)
from pages.parts.session import Workspace
from pages.parts.shell import plain


def training_part(ws: Workspace, _: Language) -> None:
    """Draw the part."""
    inputs, results = st.columns([2, 3], gap="large")
    with inputs:
        _inputs(ws, _)
    with results:
        try:
            estimate = training_estimate(ws.venture)
        except Refusal as refusal:
            st.error(plain(_.refusal(refusal)))
            return
        _figures(ws, estimate, _)
        plan_effect(ws, "training", _)
        take_button(ws, "training", _)
    closer(
        "training",
        {
            "hardware": (_("Other hardware"), lambda: _hardware(ws, estimate, _)),
            "prices": (_("Providers and tiers"), lambda: _prices(ws, estimate, _)),
            "memory": (_("Memory by part"), lambda: _memory(ws, estimate, _)),
            "size": (_("How large a model?"), lambda: _sizes(ws, estimate, _)),
            "failures": (_("Failures"), lambda: _failures(estimate, _)),
            "law": (_("The law"), lambda: _law(estimate, _)),
            "formulas": (_("How is this computed?"), lambda: _formulas(estimate, _)),
            "sources": (_("Sources and dates"), lambda: _sources(estimate, _)),
        },
        _,
    )


def _inputs(ws: Workspace, _: Language) -> None:
    kept = ws.venture.compute_plan.training
    names = ["", *(name for name, model in language_models().items() if model.offered)]
    choice_field(
        ws, "training", "model", names, _("Architecture"), lambda name: name or _("by its size, below")
    )
    if not kept.model:
        number_field(ws, "training", "parameters", _("Parameters (billion)"), 1e9)
    number_field(
        ws,
        "training",
        "tokens",
        _("Training tokens (billion)"),
        1e9,
        help=_("A new model: 20 per parameter or more. To tune an existing model, see the next tab."),
    )
    hardware_fields(ws, "training", _("How many"), _)
    factors = {factor.factor: _.text(factor.label) for factor in experiment_factors()}
    factors = {1.0: _("Only the final run"), **factors}
    choice_field(
        ws,
        "training",
        "experiments",
        list(factors),
        _("Experiments multiplier"),
        lambda factor: f"×{factor:g} · {factors[factor]}" if factor in factors else f"×{factor:g}",
        help=_("All compute ÷ the final run: tries, failures and evaluation come on top of the run in use."),
    )
    with st.expander(_("Price, precision, sequences, country"), icon=":material/tune:"):
        buying_fields(ws, "training", _)
        choice_field(ws, "training", "precision", ["bf16", "fp8"], _("Precision"))
        number_field(ws, "training", "sequence_length", _("Sequence length (tokens)"), least=1)
        if not kept.model:
            number_field(
                ws,
                "training",
                "active_parameters",
                _("Active parameters (billion)"),
                1e9,
                placeholder=_("all of them"),
                help=_("Only for a mixture of experts: the parameters that one token uses."),
            )
        places = grids()
        choice_field(
            ws,
            "training",
            "country",
            list(places),
            _("Country of the data centre"),
            lambda code: _.text(places[code].label) if code in places else code,
        )


def _figures(ws: Workspace, estimate: TrainingEstimate, _: Language) -> None:
    money = money_of(ws, _)
    with st.container(horizontal=True, gap="medium"):
        band_metric(_("Cost with experiments"), estimate.all_dollars, money, _)
        band_metric(_("Days"), estimate.all_days, _.number, _)
        band_metric(_("GPU-hours"), estimate.all_gpu_hours, _.number, _)
        if estimate.all_energy_kwh and estimate.all_co2e_kg:
            band_metric(_("Energy (kWh)"), estimate.all_energy_kwh, _.number, _)
            band_metric(_("CO₂e (kg)"), estimate.all_co2e_kg, _.number, _)
        else:
            unknown = _("Nobody has published the power of this hardware.")
            st.metric(_("Energy (kWh)"), "–", help=unknown, width="content")
    final = _(
        "The final run alone: {cost} ({low} to {high}) and {days} days. Ranges are P10 to P90.",
        cost=money(estimate.dollars.p50),
        low=money(estimate.dollars.p10),
        high=money(estimate.dollars.p90),
        days=_.number(estimate.days.p50),
    )
    st.caption(plain(final))
    price_warning(estimate.price, _)
    fit = estimate.fit
    if fit.problem:
        st.warning(plain(_.refusal(fit.problem)), icon=":material/error:")
        return
    verdict = _(
        "Fits: {need} of {have} GB on each accelerator.",
        need=_.number(fit.memory.total / 1e9),
        have=_.number(fit.usable / 1e9),
    )
    st.success(plain(verdict), icon=":material/check_circle:")


def _hardware(ws: Workspace, estimate: TrainingEstimate, _: Language) -> None:
    others = training_by_accelerator(estimate.plan, own_prices(ws.venture))
    st.plotly_chart(
        accelerator_chart(others, estimate, ws.venture.currency, ws.venture.usd_rate, _),
        key="compute:by_accelerator",
        config={"displaylogo": False},
        alt=_("Cost of the same run on other accelerators, with P10 to P90."),
    )
    st.caption(_("Others at their typical price; hatched where the run does not fit."))


def _prices(ws: Workspace, estimate: TrainingEstimate, _: Language) -> None:
    table(price_table(training_by_price(estimate, own_prices(ws.venture)), money_of(ws, _), _))
    st.caption(price_notes(_))


def _memory(ws: Workspace, estimate: TrainingEstimate, _: Language) -> None:
    st.markdown(memory_table(estimate, _))
    with st.expander(_("Choose the split yourself"), icon=":material/tune:"):
        st.caption(_("Empty fields are chosen for you: the fastest split that fits."))
        left, right = st.columns(2)
        with left:
            number_field(ws, "training", "stage", _("ZeRO stage"), placeholder=_("chosen for you"))
            number_field(
                ws, "training", "tensor", _("Tensor parallelism"), least=1, placeholder=_("chosen for you")
            )
        with right:
            number_field(
                ws, "training", "pipeline", _("Pipeline stages"), least=1, placeholder=_("chosen for you")
            )
            number_field(ws, "training", "micro_batch", _("Sequences at a time"), least=1)
        names = {None: _("chosen for you"), "none": _("keep activations"), "full": _("compute them again")}
        choice_field(
            ws, "training", "recompute", list(names), _("Activations"), lambda key: names.get(key, str(key))
        )


def _sizes(ws: Workspace, estimate: TrainingEstimate, _: Language) -> None:
    number_field(
        ws,
        "training",
        "served_tokens",
        _("Tokens served in the model's life (billion)"),
        1e9,
        help=_(
            "Requests × tokens over the months it is in use. A model that answers much pays for being small."
        ),
    )
    flop, served = 6 * estimate.active * estimate.plan.tokens, ws.venture.compute_plan.training.served_tokens
    try:
        rows = [
            (_("Your plan"), over_trained(flop, estimate.tokens_per_parameter, served)),
            (_("Chinchilla: 20 tokens per parameter"), chinchilla(flop, served)),
            (_("Over-trained: 200 tokens per parameter"), over_trained(flop, 200, served)),
            (_("As good as Chinchilla, cheapest over its life"), life_long(flop, served)),
        ]
    except Refusal as refusal:
        st.error(plain(_.refusal(refusal)))
        return
    head = [_("Size"), _("Parameters"), _("Tokens"), _("Predicted loss"), _("FLOP over its life")]
    cells = [
        [
            name,
            _.number(size.parameters),
            _.number(size.tokens),
            f"{size.loss:.3f}",
            _.number(size.life_flop),
        ]
        for name, size in rows
    ]
    table((head, cells))
    st.caption(
        _(
            "For the same training compute as your plan. The loss law is Chinchilla's as fitted again by Epoch (2024); "
            "it tells sizes apart, not how good a product will be."
        )
    )


def _failures(estimate: TrainingEstimate, _: Language) -> None:
    found = estimate.failures
    st.markdown(
        plain(
            _(
                "Expect {count} failures over the run, one every {hours} hours. Write a checkpoint every {minutes} "
                "minutes; failures and checkpoints then take {share} of the time.",
                count=_.number(found.expected, digits=2),
                hours=_.number(found.hours_between),
                minutes=_.number(found.checkpoint_minutes),
                share=_.percent(found.lost_share, 2),
            )
        )
    )
    st.caption(
        _(
            "As often as Llama 3 405B was interrupted: 419 times in 54 days on 16,384 GPUs. Published hours hold their "
            "failures, so this is a part of the hours above, not more."
        )
    )


def _law(estimate: TrainingEstimate, _: Language) -> None:
    found = standings(estimate.flop)
    st.plotly_chart(
        law_chart(found, estimate.flop, _),
        key="compute:law",
        config={"displaylogo": False},
        alt=_("The lines of the law and your plan, on one axis of training FLOP."),
    )
    st.markdown(law_words(found, _))


def _formulas(estimate: TrainingEstimate, _: Language) -> None:
    st.markdown(explained(training_steps(estimate), _))


def _sources(estimate: TrainingEstimate, _: Language) -> None:
    st.markdown(training_sources(estimate, _))

"""What the compute costs: a training run, and every request after it, by API or on own accelerators.

The page opens on the venture's own plan and keeps what is typed in it. Tokens per request come from
the plan's drivers; "Take into the plan" writes the estimates back as drivers.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import streamlit as st

from core.charts.compute import accelerator_chart, volume_chart
from core.compute import (
    ApiEstimate,
    Band,
    Finding,
    SelfHostEstimate,
    ServingEstimate,
    ServingPlan,
    TrainingEstimate,
    TrainingPlan,
    accelerators,
    api_model_name,
    api_models,
    cost_over_volume,
    estimate_serving,
    estimate_training,
    experiment_factors,
    language_models,
    serving_findings,
    short,
    training_by_accelerator,
    training_findings,
)
from core.finance import read_unit
from core.i18n import Language, Refusal
from core.venture import Amount, Source, Venture
from pages.parts.compute_fields import choice_field, follow, number_field, price_field
from pages.parts.compute_words import (
    memory_table,
    serving_explained,
    serving_sources,
    training_explained,
    training_sources,
)
from pages.parts.session import Workspace, say, workspace
from pages.parts.shell import plain

# A usual request, for a plan that has no drivers for it.
REQUEST = {"input_tokens": 2000.0, "output_tokens": 500.0, "cached_share": 0.0, "attempts": 1.0}


def page() -> None:
    """Draw the page."""
    _, ws = say(), workspace()
    st.title(_("What the compute costs"))
    names = {"training": _("Training a model"), "serving": _("Answering requests")}
    part = st.segmented_control(
        _("Part"),
        list(names),
        default="training",
        required=True,
        format_func=names.__getitem__,
        key="compute_part",
        label_visibility="collapsed",
        bind="query-params",
    )
    (_serving if part == "serving" else _training)(ws, _)


def _training(ws: Workspace, _: Language) -> None:
    inputs, results = st.columns([2, 3], gap="large")
    with inputs:
        _training_inputs(ws, _)
    with results:
        try:
            estimate = estimate_training(_training_plan(ws))
        except Refusal as refusal:
            st.error(plain(_.refusal(refusal)))
            return
        _training_figures(ws, estimate, _)
        _take_button(ws, "training", _)
        st.plotly_chart(
            accelerator_chart(
                training_by_accelerator(estimate.plan), estimate, ws.venture.currency, ws.venture.usd_rate, _
            ),
            key="compute:by_accelerator",
            config={"displaylogo": False},
            alt=_("Cost of the same run on other accelerators, with P10 to P90."),
        )
        st.caption(_("Others at their typical price; hatched where the run does not fit."))
    with st.expander(_("Memory by part"), icon=":material/memory:"):
        st.markdown(memory_table(estimate, _))
    with st.expander(_("How is this computed?"), icon=":material/function:"):
        st.markdown(training_explained(estimate, _))
    with st.expander(_("Sources and dates"), icon=":material/menu_book:"):
        st.markdown(training_sources(estimate, _))


def _training_inputs(ws: Workspace, _: Language) -> None:
    kept = ws.venture.compute_plan.training
    number_field(ws, "training", "parameters", kept.parameters / 1e9, _("Parameters (billion)"), 1e9)
    number_field(
        ws,
        "training",
        "tokens",
        kept.tokens / 1e9,
        _("Training tokens (billion)"),
        1e9,
        help=_("Fine-tuning: tokens of your data × passes over it. A new model: 20 per parameter or more."),
    )
    left, right = st.columns([2, 1])
    with left:
        names = list(accelerators())
        choice_field(ws, "training", "accelerator", kept.accelerator, names, _("Accelerator"))
    with right:
        number_field(ws, "training", "accelerators", kept.accelerators, _("How many"))
    factors = {factor.factor: _.text(factor.label) for factor in experiment_factors()}
    factors = {1.0: _("Only the final run"), **factors}
    choice_field(
        ws,
        "training",
        "experiments",
        kept.experiments,
        list(factors),
        _("Experiments multiplier"),
        lambda factor: f"×{factor:g} · {factors[factor]}" if factor in factors else f"×{factor:g}",
        help=_("All compute ÷ the final run: tries, failures and evaluation come on top of the run in use."),
    )
    with st.expander(_("Price, precision, sequences, experts"), icon=":material/tune:"):
        price_field(ws, "training", kept.price_per_hour, kept.accelerator, _)
        choice_field(ws, "training", "precision", kept.precision, ["bf16", "fp8"], _("Precision"))
        number_field(ws, "training", "sequence_length", kept.sequence_length, _("Sequence length (tokens)"))
        number_field(
            ws,
            "training",
            "active_parameters",
            None if kept.active_parameters is None else kept.active_parameters / 1e9,
            _("Active parameters (billion)"),
            1e9,
            placeholder=_("all of them"),
            help=_("Only for a mixture of experts: the parameters that one token uses."),
        )


def _training_plan(ws: Workspace) -> TrainingPlan:
    return TrainingPlan(**ws.venture.compute_plan.training.model_dump())


def _training_figures(ws: Workspace, estimate: TrainingEstimate, _: Language) -> None:
    money = _money(ws, _)
    with st.container(horizontal=True, gap="medium"):
        _band_metric(_("Cost with experiments"), estimate.all_dollars, money, _)
        _band_metric(_("Days"), estimate.all_days, _.number, _)
        _band_metric(_("GPU-hours"), estimate.all_gpu_hours, _.number, _)
        if estimate.all_energy_kwh:
            _band_metric(_("Energy (kWh)"), estimate.all_energy_kwh, _.number, _)
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
    fit = estimate.fit
    have = _.number(fit.usable / 1e9)
    if fit.problem:
        st.warning(plain(_.refusal(fit.problem)), icon=":material/error:")
    elif fit.whole_fits:
        verdict = _(
            "Fits: {need} of {have} GB, with a full copy on each accelerator.",
            need=_.number(fit.whole.total / 1e9),
            have=have,
        )
        st.success(plain(verdict), icon=":material/check_circle:")
    else:
        verdict = _(
            "Fits when sharded over {count} accelerators: {need} of {have} GB on each.",
            count=estimate.plan.accelerators,
            need=_.number(fit.sharded.total / 1e9),
            have=have,
        )
        st.success(plain(verdict), icon=":material/check_circle:")


def _serving(ws: Workspace, _: Language) -> None:
    inputs, results = st.columns([2, 3], gap="large")
    with inputs:
        _serving_inputs(ws, _)
    with results:
        try:
            estimate = estimate_serving(_serving_plan(ws))
        except Refusal as refusal:
            st.error(plain(_.refusal(refusal)))
            return
        _serving_figures(ws, estimate, _)
        _take_button(ws, "serving", _)
        _volume(ws, estimate, _)
    with st.expander(_("How is this computed?"), icon=":material/function:"):
        st.markdown(serving_explained(estimate, _))
    with st.expander(_("Sources and dates"), icon=":material/menu_book:"):
        st.markdown(serving_sources(estimate, _))


def _serving_inputs(ws: Workspace, _: Language) -> None:
    kept = ws.venture.compute_plan.serving
    number_field(ws, "serving", "requests_per_month", kept.requests_per_month, _("Requests per month"))
    labels = {
        "input_tokens": _("Tokens read per call"),
        "output_tokens": _("Tokens written per call"),
        "cached_share": _("Share of input cached (%)"),
        "attempts": _("Model calls per request"),
    }
    columns = st.columns(2)
    for index, (key, label) in enumerate(labels.items()):
        with columns[index % 2]:
            field = f"compute:request:{key}"
            follow(ws, field, short(_planned(ws.venture, key) * _shown_as(key)))
            st.number_input(label, min_value=0.0, key=field, format="%.4g", persist_state="session")
    choice_field(
        ws,
        "serving",
        "api",
        (kept.provider, kept.model),
        list(api_models()),
        _("Model of an API"),
        _api_name,
    )
    offered = [name for name, model in language_models().items() if model.offered]
    choice_field(ws, "serving", "open_model", kept.open_model, offered, _("Open model of your own"))
    left, right = st.columns([2, 1])
    with left:
        choice_field(ws, "serving", "accelerator", kept.accelerator, list(accelerators()), _("Accelerator"))
    with right:
        number_field(ws, "serving", "accelerators", kept.accelerators, _("Per replica"))
    with st.expander(_("Price, precision, load"), icon=":material/tune:"):
        price_field(ws, "serving", kept.price_per_hour, kept.accelerator, _)
        choice_field(
            ws, "serving", "precision", kept.precision, ["bf16", "fp8", "fp4", "int4"], _("Precision")
        )
        number_field(
            ws,
            "serving",
            "utilisation",
            kept.utilisation * 100,
            _("Load of a replica at peak (%)"),
            0.01,
            help=_("What a replica may carry in the busiest hour, of its maximum. Beyond it readers wait."),
        )
        number_field(
            ws,
            "serving",
            "peak_factor",
            kept.peak_factor,
            _("Busiest hour ÷ mean hour"),
            help=_("Own accelerators are sized for the busiest hour and paid around the clock."),
        )


def _serving_plan(ws: Workspace) -> ServingPlan:
    request: dict[str, Any] = {
        key: float(st.session_state.get(f"compute:request:{key}") or 0.0) / _shown_as(key) for key in REQUEST
    }
    kept = ws.venture.compute_plan.serving.model_dump()
    return ServingPlan(on=datetime.now(UTC).date(), **request, **kept)


def _planned(venture: Venture, key: str) -> float:
    return venture.driver(key).amount.median if venture.has_driver(key) else REQUEST[key]


def _shown_as(key: str) -> float:
    return 100.0 if key == "cached_share" else 1.0


def _serving_figures(ws: Workspace, estimate: ServingEstimate, _: Language) -> None:
    money, api, own = _money(ws, _), estimate.api, estimate.selfhost
    quiet: dict[str, Any] = {"delta_color": "off", "delta_arrow": "off", "width": "content"}
    with st.container(horizontal=True, gap="medium"):
        if isinstance(api, ApiEstimate):
            month = _("{cost} a month", cost=money(api.per_month))
            st.metric(_("API, a request"), money(api.per_request), plain(month), **quiet)
        if isinstance(own, SelfHostEstimate):
            _band_metric(_("Own accelerators, a request"), own.per_request, money, _)
            load = _("{share} mean load", share=_.percent(own.mean_load, 2))
            why = _("Sized for the busiest hour. The mean load decides: accelerators are billed when idle.")
            st.metric(_("Replicas"), _.number(own.replicas), plain(load), help=why, **quiet)
    for refused in (api, own):
        if isinstance(refused, Refusal):
            st.error(plain(_.refusal(refused)))
    if isinstance(api, ApiEstimate) and isinstance(own, SelfHostEstimate):
        st.info(plain(_verdict(estimate, api, own, money, _)), icon=":material/balance:")
    if isinstance(own, SelfHostEstimate):
        tokens = own.tokens_per_second
        speed = _(
            "A replica writes {tokens} tokens/s ({low} to {high}) for {batch} requests at once: TTFT {ttft} ms "
            "without a queue, TPOT {tpot} ms. Per million tokens {cost}; at full load {scale}.",
            tokens=_.number(tokens.p50),
            low=_.number(tokens.p10),
            high=_.number(tokens.p90),
            batch=own.batch,
            ttft=_.number(own.first_token_seconds * 1e3),
            tpot=_.number(own.seconds_per_token * 1e3),
            cost=money(own.per_million_tokens.p50),
            scale=money(own.per_million_tokens_at_scale),
        )
        st.caption(plain(speed))


def _verdict(
    estimate: ServingEstimate,
    api: ApiEstimate,
    own: SelfHostEstimate,
    money: Callable[[float], str],
    _: Language,
) -> str:
    values: dict[str, object] = {
        "requests": _.number(estimate.plan.requests_per_month),
        "api": money(api.per_month),
        "own": money(own.per_month.p50),
    }
    if estimate.break_even is None:
        return _(
            "{requests} requests a month cost {api} by API and {own} on own accelerators, which do not pay at "
            "any volume. Compare the quality of both models first.",
            **values,
        )
    return _(
        "{requests} requests a month cost {api} by API and {own} on own accelerators, which pay from {even} "
        "requests a month on. Compare the quality of both models first.",
        even=_.number(estimate.break_even),
        **values,
    )


def _volume(ws: Workspace, estimate: ServingEstimate, _: Language) -> None:
    if isinstance(estimate.api, Refusal) or isinstance(estimate.selfhost, Refusal):
        return
    now = estimate.plan.requests_per_month
    requests = np.geomspace(now / 100, now * 100, 61)
    api, *own = cost_over_volume(estimate.plan, requests)
    st.plotly_chart(
        volume_chart(requests, api, own, now, ws.venture.currency, ws.venture.usd_rate, _),
        key="compute:volume",
        config={"displaylogo": False},
        alt=_("Cost per month over requests per month: a line for the API, stairs for own accelerators."),
    )


def _take_button(ws: Workspace, part: str, _: Language) -> None:
    st.button(
        _("Take into the plan"),
        key=f"compute:take:{part}",
        type="primary",
        icon=":material/download:",
        on_click=_take,
        args=(part,),
        help=_("Writes these numbers into the plan's drivers, with the source “estimated”."),
    )
    if refusal := ws.refused.get("compute:take"):
        st.error(plain(_.refusal(refusal)))
    taken = st.session_state.get("compute:taken")
    if taken and taken[:3] == (ws.venture_id, ws.version, part):
        lines = [_changed(ws, key, before, after, _) for key, before, after in taken[3]]
        st.success("\n".join([_("Now in the plan:"), *lines]), icon=":material/check_circle:")


def _changed(ws: Workspace, key: str, before: Amount, after: Amount, _: Language) -> str:
    driver = ws.venture.driver(key)
    unit = read_unit(driver.unit, ws.venture.currency, _)
    was, now = (" – ".join(_.number(end) for end in dict.fromkeys(a.ends())) for a in (before, after))
    return f"- {plain(_.text(driver.label))}: {plain(was)} → **{plain(now)}** {plain(unit)}"


def _take(part: str) -> None:
    """Write what is on the screen into the plan's drivers, and keep what changed for the next run."""
    ws: Workspace = st.session_state["workspace"]
    _ = say()
    ws.refused.pop("compute:take", None)
    try:
        found = [item for item in _findings(ws, part) if ws.venture.has_driver(item.key)]
    except Refusal as refusal:
        ws.refused["compute:take"] = refusal
        return
    if not found:
        ws.refused["compute:take"] = Refusal("This plan has no drivers for these numbers.")
        return
    before = {item.key: ws.venture.driver(item.key).amount for item in found}

    def taken(venture: Venture) -> Venture:
        for item in found:
            venture = venture.with_driver(item.key, item.amount, item.source)
        return venture

    if ws.change(taken, _("Compute cost taken into the plan"), place="compute:take"):
        rows = [(item.key, before[item.key], item.amount) for item in found]
        st.session_state["compute:taken"] = (ws.venture_id, ws.version, part, rows)


def _findings(ws: Workspace, part: str) -> list[Finding]:
    rate = ws.venture.usd_rate
    if part == "training":
        return list(training_findings(estimate_training(_training_plan(ws)), rate))
    plan = _serving_plan(ws)
    typed = [
        Finding(key, Amount.point(short(getattr(plan, key))), Source(kind="typed"))
        for key in REQUEST
        if short(getattr(plan, key)) != short(_planned(ws.venture, key))
    ]
    return [*typed, *serving_findings(estimate_serving(plan), rate)]


def _money(ws: Workspace, _: Language) -> Callable[[float], str]:
    """USD in the venture's currency."""
    return lambda usd: _.money(usd * ws.venture.usd_rate, ws.venture.currency)


def _band_metric(label: str, band: Band, words: Callable[[float], str], _: Language) -> None:
    st.metric(
        label,
        words(band.p50),
        plain(_("{low} to {high}", low=words(band.p10), high=words(band.p90))),
        delta_color="off",
        delta_arrow="off",
        width="content",
        help=_("The middle estimate, and below it the range from P10 to P90."),
    )


def _api_name(pair: tuple[str, str]) -> str:
    try:
        return api_model_name(*pair)
    except Refusal:
        return f"{pair[1]} · {pair[0]}"


page()

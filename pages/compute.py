"""What the compute costs: a training run, and every request after it, by API or on own accelerators.

The page opens on the venture's own plan and remembers what is typed in it. Tokens per request come
from the plan's drivers; "Take into the plan" writes the estimates back as drivers.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import streamlit as st

from core.charts.compute import cost_by_accelerator, cost_over_volume
from core.compute import (
    ApiEstimate,
    Band,
    HourlyPrice,
    SelfHostEstimate,
    ServingEstimate,
    ServingPlan,
    Step,
    TrainingEstimate,
    TrainingPlan,
    accelerators,
    api_model_name,
    api_models,
    api_steps,
    estimate_serving,
    estimate_training,
    experiment_factors,
    language_models,
    selfhost_steps,
    training_by_accelerator,
    training_steps,
)
from core.compute import (
    cost_over_volume as volume_curves,
)
from core.finance import read_unit
from core.i18n import Language, Refusal, Text, language
from core.venture import Amount, ComputePlan, Source, Venture
from core.venture import ServingPlan as KeptServing
from core.venture import TrainingPlan as KeptTraining
from core.venture.frozen import refusing
from pages.parts.session import Workspace, say, workspace
from pages.parts.shell import plain

MOST = 2**53 - 1  # the largest whole number that a browser keeps exactly


def page() -> None:
    """Draw the page."""
    _, ws = say(), workspace()
    st.title(_("What the compute costs"))
    part = st.segmented_control(
        _("Part"),
        ["training", "serving"],
        default="training",
        required=True,
        format_func={"training": _("Training a model"), "serving": _("Answering requests")}.__getitem__,
        key="compute:part",
        label_visibility="collapsed",
        bind="query-params",
    )
    (_serving if part == "serving" else _training)(ws, _)


# ---------------------------------------------------------------- training


def _training(ws: Workspace, _: Language) -> None:
    inputs, results = st.columns([2, 3], gap="large")
    with inputs:
        _training_inputs(ws, _)
    with results:
        try:
            estimate = estimate_training(_training_plan(ws))
        except Refusal as refusal:
            st.error(_.refusal(refusal))
            return
        _training_figures(ws, estimate, _)
        _take_button(ws, "training", _)
        chart = cost_by_accelerator(
            training_by_accelerator(estimate.plan), estimate, ws.venture.currency, ws.venture.usd_rate, _
        )
        st.plotly_chart(
            chart,
            key="compute:by_accelerator",
            config={"displaylogo": False},
            alt=_("Cost of the same run on other accelerators, with P10 to P90."),
        )
        st.caption(_("Others at their typical price; hatched where the run does not fit."))
    left, middle, right = st.columns(3, gap="medium")
    with left, st.expander(_("Memory by part"), icon=":material/memory:"):
        st.markdown(_memory_table(estimate, _))
    with middle, st.expander(_("How is this computed?"), icon=":material/function:"):
        st.markdown(_explained(training_steps(estimate), _))
    with right, st.expander(_("Sources and dates"), icon=":material/menu_book:"):
        st.markdown(_training_sources(estimate, _))


def _training_inputs(ws: Workspace, _: Language) -> None:
    kept = ws.venture.compute_plan.training
    _number(ws, "training", "parameters", kept.parameters / 1e9, _("Parameters (billion)"), scale=1e9)
    _number(
        ws,
        "training",
        "tokens",
        kept.tokens / 1e9,
        _("Training tokens (billion)"),
        scale=1e9,
        help=_(
            "Fine-tuning: tokens of your data × passes over it. A new model: about 20 tokens per parameter or more."
        ),
    )
    left, right = st.columns([2, 1])
    with left:
        _choice(ws, "training", "accelerator", kept.accelerator, list(accelerators()), _("Accelerator"), str)
    with right:
        _number(ws, "training", "accelerators", min(kept.accelerators, MOST), _("How many"))
    factors = {f.factor: f"×{f.factor:g} · {_.text(f.label)}" for f in experiment_factors()}
    factors[1.0] = "×1 · " + _("Only the final run")
    _choice(
        ws,
        "training",
        "experiments",
        kept.experiments,
        sorted(factors),
        _("Experiments multiplier"),
        lambda factor: factors.get(factor, f"×{factor:g}"),
        help=_(
            "All compute ÷ the final run: tries, failures and evaluation come on top of the run that ends up in use."
        ),
    )
    with st.expander(_("More: price, precision, long sequences, experts"), icon=":material/tune:"):
        _price(ws, "training", kept.price_per_hour, kept.accelerator, _)
        _choice(ws, "training", "precision", kept.precision, ["bf16", "fp8"], _("Precision"), str)
        _number(
            ws, "training", "sequence_length", min(kept.sequence_length, MOST), _("Sequence length (tokens)")
        )
        _number(
            ws,
            "training",
            "active_parameters",
            None if kept.active_parameters is None else kept.active_parameters / 1e9,
            _("Active parameters (billion)"),
            scale=1e9,
            placeholder=_("all of them"),
            help=_("Only for a mixture of experts: the parameters that one token uses."),
        )


def _training_plan(ws: Workspace) -> TrainingPlan:
    return TrainingPlan(**ws.venture.compute_plan.training.model_dump())


def _training_figures(ws: Workspace, estimate: TrainingEstimate, _: Language) -> None:
    money = _money(ws, _)
    cost, days, hours, energy = st.columns([3, 2, 2, 2])
    _band_metric(cost, _("Cost with experiments"), estimate.all_dollars, money, _)
    _band_metric(days, _("Days"), estimate.all_days, _.number, _)
    _band_metric(hours, _("GPU-hours"), estimate.all_gpu_hours, _.number, _)
    if estimate.all_energy_kwh:
        _band_metric(energy, _("Energy (kWh)"), estimate.all_energy_kwh, _.number, _)
    else:
        energy.metric(_("Energy (kWh)"), "–", help=_("Nobody has published the power of this hardware."))
    st.caption(
        plain(
            _(
                "The final run alone: {cost} ({low} to {high}), {days} days. Ranges are P10 to P90 of published runs.",
                cost=money(estimate.dollars.p50),
                low=money(estimate.dollars.p10),
                high=money(estimate.dollars.p90),
                days=_.number(estimate.days.p50),
            )
        )
    )
    fit = estimate.fit
    if fit.problem:
        st.warning(_("Does not fit. {reason}", reason=plain(_.refusal(fit.problem))), icon=":material/error:")
        return
    best = fit.whole if fit.whole_fits else fit.sharded
    values = {"need": _.number(best.total / 1e9), "have": _.number(fit.usable / 1e9)}
    if fit.whole_fits:
        verdict = _("Fits: {need} of {have} GB, with a full copy on each accelerator.", **values)
    else:
        verdict = _(
            "Fits when sharded over {count} accelerators: {need} of {have} GB on each.",
            count=estimate.plan.accelerators,
            **values,
        )
    st.success(plain(verdict), icon=":material/check_circle:")


def _memory_table(estimate: TrainingEstimate, _: Language) -> str:
    whole, sharded = estimate.fit.whole, estimate.fit.sharded
    rows = [
        (_("Weights"), whole.weights, sharded.weights),
        (_("Gradients"), whole.gradients, sharded.gradients),
        (_("Optimiser states"), whole.optimiser, sharded.optimiser),
        (_("Activations"), whole.activations, sharded.activations),
        (_("Gathered layers"), whole.working, sharded.working),
        (f"**{_('Sum')}**", whole.total, sharded.total),
    ]
    lines = [
        f"| {_('GB per accelerator')} | {_('Full copy')} | {_('Sharded')} |",
        "|---|---:|---:|",
        *(f"| {name} | {_.number(a / 1e9)} | {_.number(b / 1e9)} |" for name, a, b in rows),
    ]
    note = _(
        "Adam in mixed precision, activations computed again; {usable} GB of an accelerator are usable.",
        usable=_.number(estimate.fit.usable / 1e9),
    )
    return "\n".join(lines) + "\n\n" + plain(note)


def _training_sources(estimate: TrainingEstimate, _: Language) -> str:
    hardware, known = estimate.accelerator, estimate.calibration
    if known.own:
        utilisation = _(
            "MFU {mfu}: {runs} published runs of the {family}; range from predicting each developer's runs by the others'.",
            mfu=_.percent(estimate.mfu.p50),
            runs=known.runs,
            family=hardware.family.label,
        )
    else:
        utilisation = _(
            "MFU {mfu}: too few published runs of the {family} ({runs}), so the range is that of one class predicted by the others.",
            mfu=_.percent(estimate.mfu.p50),
            runs=known.runs,
            family=hardware.family.label,
        )
    chosen = [f for f in experiment_factors() if f.factor == estimate.plan.experiments]
    parts = [
        _price_source(estimate.price, _),
        plain(utilisation),
        plain(_("Peak and memory: {source}", source=hardware.source)),
        *(plain(f"×{f.factor:g}: {f.source}") for f in chosen),
        plain(_("Power: {source}", source=hardware.family.power_source)),
        plain(
            _(
                "{ratio} training tokens per parameter; Chinchilla's optimum is about 20.",
                ratio=_.number(estimate.tokens_per_parameter),
            )
        ),
    ]
    return "\n".join(f"- {part}" for part in parts)


# ---------------------------------------------------------------- serving


def _serving(ws: Workspace, _: Language) -> None:
    inputs, results = st.columns([2, 3], gap="large")
    with inputs:
        _serving_inputs(ws, _)
    with results:
        try:
            plan = _serving_plan(ws)
            estimate = estimate_serving(plan)
        except Refusal as refusal:
            st.error(_.refusal(refusal))
            return
        _serving_figures(ws, estimate, _)
        _take_button(ws, "serving", _)
        _volume(ws, estimate, _)
    left, right = st.columns(2, gap="medium")
    with left, st.expander(_("How is this computed?"), icon=":material/function:"):
        st.markdown(_serving_explained(estimate, _))
    with right, st.expander(_("Sources and dates"), icon=":material/menu_book:"):
        st.markdown(_serving_sources(estimate, _))


_REQUEST = {"input_tokens": 2000.0, "output_tokens": 500.0, "cached_share": 0.0, "attempts": 1.0}


def _serving_inputs(ws: Workspace, _: Language) -> None:
    kept = ws.venture.compute_plan.serving
    _number(ws, "serving", "requests_per_month", kept.requests_per_month, _("Requests per month"))
    left, right = st.columns(2)
    labels = {
        "input_tokens": _("Tokens read per call"),
        "output_tokens": _("Tokens written per call"),
        "cached_share": _("Share of input cached (%)"),
        "attempts": _("Model calls per request"),
    }
    for index, (key, label) in enumerate(labels.items()):
        with (left, right)[index % 2]:
            name = f"compute:request:{key}"
            scale = 100 if key == "cached_share" else 1
            _follow(ws, name, _planned(ws.venture, key) * scale)
            st.number_input(label, min_value=0.0, key=name, format="%.4g")
    _choice(
        ws,
        "serving",
        "api",
        (kept.provider, kept.model),
        list(api_models()),
        _("Model of an API"),
        _api_name,
    )
    offered = [name for name, model in language_models().items() if model.offered]
    _choice(ws, "serving", "open_model", kept.open_model, offered, _("Open model on own accelerators"), str)
    left, right = st.columns([2, 1])
    with left:
        _choice(ws, "serving", "accelerator", kept.accelerator, list(accelerators()), _("Accelerator"), str)
    with right:
        _number(ws, "serving", "accelerators", min(kept.accelerators, MOST), _("Per replica"))
    with st.expander(_("More: price, precision, load"), icon=":material/tune:"):
        _price(ws, "serving", kept.price_per_hour, kept.accelerator, _)
        _choice(
            ws, "serving", "precision", kept.precision, ["bf16", "fp8", "fp4", "int4"], _("Precision"), str
        )
        _number(
            ws,
            "serving",
            "utilisation",
            kept.utilisation * 100,
            _("Load of a replica at peak (%)"),
            scale=0.01,
            help=_(
                "What a replica may carry in the busiest hour, as a share of its maximum. Beyond it readers wait."
            ),
        )
        _number(
            ws,
            "serving",
            "peak_factor",
            kept.peak_factor,
            _("Busiest hour ÷ mean hour"),
            help=_("Own accelerators are sized for the busiest hour and paid for all of them."),
        )


def _serving_plan(ws: Workspace) -> ServingPlan:
    kept = ws.venture.compute_plan.serving.model_dump()
    request = {
        key: float(st.session_state.get(f"compute:request:{key}") or 0.0)
        / (100 if key == "cached_share" else 1)
        for key in _REQUEST
    }
    return ServingPlan(on=datetime.now(UTC).date(), **request, **kept)


def _planned(venture: Venture, key: str) -> float:
    """What the plan says of a request; a usual request where it says nothing."""
    return venture.driver(key).amount.median if venture.has_driver(key) else _REQUEST[key]


def _serving_figures(ws: Workspace, estimate: ServingEstimate, _: Language) -> None:
    money, api, own = _money(ws, _), estimate.api, estimate.selfhost
    one, two, three, four = st.columns(4)
    if isinstance(api, ApiEstimate):
        one.metric(
            _("API, a request"),
            money(api.per_request),
            delta=plain(_("{cost} a month", cost=money(api.per_month))),
            delta_color="off",
            delta_arrow="off",
        )
    if isinstance(own, SelfHostEstimate):
        _band_metric(two, _("Own, a request"), own.per_request, money, _)
        three.metric(
            _("Replicas"),
            _.number(own.replicas),
            delta=plain(_("{share} mean load", share=_.percent(own.mean_load, 2))),
            delta_color="off",
            delta_arrow="off",
            help=_("Sized for the busiest hour. The mean load decides: accelerators are billed when idle."),
        )
        _band_metric(four, _("Tokens/s a replica"), own.tokens_per_second, _.number, _)
    for refused in (api, own):
        if isinstance(refused, Refusal):
            st.error(plain(_.refusal(refused)))
    if isinstance(api, ApiEstimate) and isinstance(own, SelfHostEstimate):
        st.info(plain(_verdict(estimate, api, own, money, _)), icon=":material/balance:")
    if isinstance(own, SelfHostEstimate):
        st.caption(
            plain(
                _(
                    "{batch} requests at once, TTFT {ttft} ms without a queue, TPOT {tpot} ms. Per million tokens: {cost} now, {scale} at full load.",
                    batch=own.batch,
                    ttft=_.number(own.first_token_seconds * 1e3),
                    tpot=_.number(own.seconds_per_token * 1e3),
                    cost=money(own.per_million_tokens.p50),
                    scale=money(own.at_scale / own.per_request.p50 * own.per_million_tokens.p50),
                )
            )
        )


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
            "At {requests} requests a month the API costs {api}, own accelerators {own}. They do not pay at any volume."
            " Compare the quality of both models first.",
            **values,
        )
    return _(
        "At {requests} requests a month the API costs {api}, own accelerators {own}. They pay from {even} requests a"
        " month on. Compare the quality of both models first.",
        even=_.number(estimate.break_even),
        **values,
    )


def _volume(ws: Workspace, estimate: ServingEstimate, _: Language) -> None:
    if isinstance(estimate.api, Refusal) or isinstance(estimate.selfhost, Refusal):
        return
    now = estimate.plan.requests_per_month
    requests = np.geomspace(now / 100, now * 100, 61)
    api, p10, p50, p90 = volume_curves(estimate.plan, requests)
    st.plotly_chart(
        cost_over_volume(requests, api, (p10, p50, p90), now, ws.venture.currency, ws.venture.usd_rate, _),
        key="compute:volume",
        config={"displaylogo": False},
        alt=_("Cost per month over requests per month: a line for the API, stairs for own accelerators."),
    )


def _serving_explained(estimate: ServingEstimate, _: Language) -> str:
    steps: list[Step] = []
    if isinstance(estimate.api, ApiEstimate):
        steps += api_steps(estimate.plan, estimate.api)
    if isinstance(estimate.selfhost, SelfHostEstimate):
        steps += selfhost_steps(estimate.plan, estimate.selfhost)
    return _explained(steps, _)


def _serving_sources(estimate: ServingEstimate, _: Language) -> str:
    parts = []
    api, own = estimate.api, estimate.selfhost
    if isinstance(api, ApiEstimate):
        price = api.price
        parts.append(
            plain(
                _(
                    "{model}: ${input} fresh, ${cached} cached, ${output} output per million tokens on {day}.",
                    model=price.model_name,
                    input=_.number(price.input),
                    cached=_.number(price.cached),
                    output=_.number(price.output),
                    day=_.moment(price.on),
                )
            )
        )
        parts.append(
            plain(
                _(
                    "Price list genai-prices {version}, newest price in force since {day}; the provider's page:",
                    version=api.list.version,
                    day=_.moment(api.list.newest),
                )
            )
            + f" <{price.url}>"
        )
    if isinstance(own, SelfHostEstimate):
        parts.append(_price_source(own.price, _))
        parts.append(plain(_("Shape of the model: {source}", source=own.model.source)))
        parts.append(
            plain(
                _(
                    "Throughput: roofline fitted on published TensorRT-LLM runs; range from predicting each model by the others."
                )
            )
        )
    return "\n".join(f"- {part}" for part in parts)


# ---------------------------------------------------------------- into the plan


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
        st.error(_.refusal(refusal))
    taken = st.session_state.get("compute:taken")
    if taken and taken[:3] == (ws.venture_id, ws.version, part):
        st.success(_("Now in the plan:") + "\n" + "\n".join(_changed(ws, *row, _) for row in taken[3]))


def _changed(ws: Workspace, key: str, before: Amount, after: Amount, _: Language) -> str:
    driver = ws.venture.driver(key)
    unit = read_unit(driver.unit, ws.venture.currency, _)
    was, now = (
        " – ".join(_.number(end) for end in dict.fromkeys(amount.ends())) for amount in (before, after)
    )
    return f"- {plain(_.text(driver.label))}: {plain(was)} → **{plain(now)}** {plain(unit)}"


def _take(part: str) -> None:
    ws: Workspace = st.session_state["workspace"]
    _ = say()
    try:
        wanted = _from_serving(ws) if part == "serving" else _from_training(ws)
    except Refusal as refusal:
        ws.refused["compute:take"] = refusal
        return
    known = [row for row in wanted if ws.venture.has_driver(row[0])]
    if not known:
        ws.refused["compute:take"] = Refusal("This plan has no drivers for these numbers.")
        return

    def taken(venture: Venture) -> Venture:
        for key, amount, source in known:
            venture = venture.with_driver(key, amount, source)
        return venture

    before = {key: ws.venture.driver(key).amount for key, _amount, _source in known}
    if ws.change(taken, _("Compute cost taken into the plan"), place="compute:take"):
        rows = [(key, before[key], amount) for key, amount, _source in known]
        st.session_state["compute:taken"] = (ws.venture_id, ws.version, part, rows)


Wanted = list[tuple[str, Amount, Source]]


def _from_training(ws: Workspace) -> Wanted:
    estimate = estimate_training(_training_plan(ws))
    plan = estimate.plan

    def source(_: Language) -> str:
        return _(
            "{parameters}B parameters, {tokens}B tokens on {count} × {accelerator} at ${price}/h, ×{experiments} for experiments",
            parameters=_.number(plan.parameters / 1e9),
            tokens=_.number(plan.tokens / 1e9),
            count=plan.accelerators,
            accelerator=plan.accelerator,
            price=_.number(estimate.price.usd),
            experiments=_.number(plan.experiments),
        )

    return [("training_run_cost", _amount(estimate.all_dollars.times(ws.venture.usd_rate)), _source(source))]


def _from_serving(ws: Workspace) -> Wanted:
    plan = _serving_plan(ws)
    estimate = estimate_serving(plan)
    api, own, rate = estimate.api, estimate.selfhost, ws.venture.usd_rate
    wanted: Wanted = []
    for key in _REQUEST:
        value = _short(getattr(plan, key))
        if ws.venture.has_driver(key) and value != _short(_planned(ws.venture, key)):
            wanted.append((key, Amount.point(value), Source(kind="typed")))
    if isinstance(api, ApiEstimate):
        price, listed = api.price, api.list

        def api_source(_: Language) -> str:
            return _(
                "{model} of {provider}, list price on {day} (genai-prices {version})",
                model=price.model_name,
                provider=price.provider_name,
                day=_.moment(price.on),
                version=listed.version,
            )

        for key, usd in (
            ("price_input", price.input),
            ("price_cached", price.cached),
            ("price_output", price.output),
        ):
            wanted.append((key, Amount.point(_short(usd * rate)), _source(api_source)))
    if isinstance(own, SelfHostEstimate):
        replicas, hourly = own.replicas, own.price

        def own_source(_: Language) -> str:
            return _(
                "{model} on {replicas} × {count} × {accelerator} at ${price}/h for {requests} requests a month",
                model=plan.open_model,
                replicas=replicas,
                count=plan.accelerators,
                accelerator=plan.accelerator,
                price=_.number(hourly.usd),
                requests=_.number(plan.requests_per_month),
            )

        wanted.append(("selfhost_request_cost", _amount(own.per_request.times(rate)), _source(own_source)))
    return wanted


def _source(sentence: Callable[[Language], str]) -> Source:
    """An estimate's source, said in both languages, because it is kept in the plan."""
    return Source(
        kind="estimated",
        text=Text(sentence(language("en")), sentence(language("zh_Hans"))),
        year=datetime.now(UTC).year,
    )


def _amount(band: Band) -> Amount:
    """The band as a driver's 90 % interval; a point where the band has no width."""
    low, high = (_short(end) for end in band.interval90())
    return Amount.interval(low, high) if low < high else Amount.point(_short(band.p50))


def _short(value: float) -> float:
    """Four significant figures: what a person would type."""
    return float(f"{value:.4g}")


# ---------------------------------------------------------------- fields


def _number(
    ws: Workspace, part: str, field: str, value: float | None, label: str, scale: float = 1, **more: Any
) -> None:
    """A number of the compute plan; ``value`` is what the field shows, kept as ``value × scale``."""
    key = f"compute:{part}:{field}"
    _follow(ws, key, value)
    whole = isinstance(value, int)
    shape: dict[str, Any] = {"min_value": 1, "step": 1} if whole else {"min_value": 0.0, "format": "%.6g"}
    st.number_input(label, key=key, on_change=_typed, args=(part, field, scale), **shape, **more)
    if refusal := ws.refused.get(key):
        st.error(say().refusal(refusal))


def _choice(
    ws: Workspace,
    part: str,
    field: str,
    value: Any,
    options: Sequence[Any],
    label: str,
    words: Callable[[Any], str],
    **more: Any,
) -> None:
    """A choice of the compute plan; a value that is not among the options is kept as one more."""
    key = f"compute:{part}:{field}"
    _follow(ws, key, value)
    known = [*options] if value in options else [*options, value]
    st.selectbox(label, known, key=key, format_func=words, on_change=_typed, args=(part, field, None), **more)


def _price(ws: Workspace, part: str, value: float | None, name: str, _: Language) -> None:
    """The price per accelerator-hour; empty means the table's typical price."""
    known = accelerators().get(name)
    prices = known.prices if known else None
    _number(
        ws,
        part,
        "price_per_hour",
        value,
        _("Price per accelerator-hour (USD)"),
        placeholder=_("typical: {price}", price=_.number(prices.typical))
        if prices
        else _("no price published"),
        help=plain(_price_range(prices, _)) if prices else None,
    )


def _price_range(prices: Any, _: Language) -> str:
    dash = "–"
    return _(
        "Low {low}, typical {typical}, high {high}, spot from {spot} USD; as of {date}.",
        low=_.number(prices.low) if prices.low else dash,
        typical=_.number(prices.typical),
        high=_.number(prices.high) if prices.high else dash,
        spot=_.number(prices.spot) if prices.spot else dash,
        date=prices.date or dash,
    )


def _follow(ws: Workspace, key: str, value: Any) -> None:
    """Let a field follow the venture (undo, another tab), and otherwise keep what was typed."""
    if st.session_state.get(f"shown:{key}") != (ws.venture_id, value) or key not in st.session_state:
        st.session_state[key] = value
        st.session_state[f"shown:{key}"] = (ws.venture_id, value)


def _typed(part: str, field: str, scale: float | None) -> None:
    """Keep a changed field in the venture's compute plan."""
    ws: Workspace = st.session_state["workspace"]
    _ = say()
    key = f"compute:{part}:{field}"
    value = st.session_state[key]
    if scale is not None and scale != 1 and value is not None:
        value = value * scale
    changed = {"provider": value[0], "model": value[1]} if field == "api" else {field: value}

    def keep(venture: Venture) -> Venture:
        plan = venture.compute_plan
        with refusing():
            if part == "training":
                training = KeptTraining(**{**plan.training.model_dump(), **changed})
                return venture.with_compute_plan(ComputePlan(training=training, serving=plan.serving))
            serving = KeptServing(**{**plan.serving.model_dump(), **changed})
            return venture.with_compute_plan(ComputePlan(training=plan.training, serving=serving))

    ws.change(keep, _("Compute plan changed"), place=key)


# ---------------------------------------------------------------- words


def _money(ws: Workspace, _: Language) -> Callable[[float], str]:
    """USD in the venture's currency."""
    return lambda usd: _.money(usd * ws.venture.usd_rate, ws.venture.currency)


def _band_metric(place: Any, label: str, band: Band, words: Callable[[float], str], _: Language) -> None:
    place.metric(
        label,
        words(band.p50),
        delta=plain(_("{low} to {high}", low=words(band.p10), high=words(band.p90))),
        delta_color="off",
        delta_arrow="off",
        help=_("The middle estimate, and below it the range from P10 to P90."),
    )


def _price_source(price: HourlyPrice, _: Language) -> str:
    if price.typed:
        return plain(_("Price: ${price} per accelerator-hour, typed by you.", price=_.number(price.usd)))
    return plain(
        _(
            "Price: ${price} per accelerator-hour, as of {date}: {source}",
            price=_.number(price.usd),
            date=price.date or "–",
            source=price.source,
        )
    )


def _api_name(pair: tuple[str, str]) -> str:
    try:
        return api_model_name(*pair)
    except Refusal:
        return f"{pair[1]} · {pair[0]}"


def _explained(steps: Sequence[Step], _: Language) -> str:
    """The steps as markdown: what, formula, and each symbol with its value."""
    blocks = []
    for step in steps:
        given = "\n".join(
            f"- ${item.symbol}$ {plain(_.text(item.label))}: {plain(_.number(item.value, item.unit, 4))}"
            for item in step.given
        )
        result = plain(_.number(step.result, step.unit, 4))
        blocks.append(f"**{plain(_.text(step.label))}: {result}**\n\n$${step.formula}$$\n\n{given}")
    return "\n\n".join(blocks)


page()

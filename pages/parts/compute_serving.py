"""Answering requests: by an API or on own accelerators, how large a fleet, and from which volume it pays."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from core.charts.compute import likely_chart, volume_chart
from core.compute import (
    HOURS_PER_MONTH,
    ApiEstimate,
    SelfHostEstimate,
    ServingEstimate,
    api_bills,
    api_providers,
    best_replica,
    cost_over_volume,
    language_models,
    models_of,
    short,
)
from core.i18n import Language, Refusal
from core.venture import Venture
from pages.parts.compute_fields import (
    buying_fields,
    changed,
    choice_field,
    follow,
    hardware_fields,
    number_field,
)
from pages.parts.compute_figures import band_metric, closer, money_of, price_warning, table
from pages.parts.compute_link import (
    MONTH,
    followed,
    linked,
    own_prices,
    plan_effect,
    plan_requests,
    planned,
    serving_estimate,
    shown_as,
    take_button,
    taken,
    today,
)
from pages.parts.compute_words import api_table, serving_explained, serving_sources
from pages.parts.fields import field, held
from pages.parts.session import Workspace, say
from pages.parts.shell import plain

DAYS = HOURS_PER_MONTH / 24
"""Days in a month."""

SHOWN_BILLS = 15

CLOSE = 0.01
"""A volume this near to the plan's is the plan's."""

POINTS, DRAWS = 121, 256
"""Enough for a curve that is looked at; the probability takes all draws."""


def serving_part(ws: Workspace, _: Language) -> None:
    """Draw the part."""
    inputs, results = st.columns([2, 3], gap="large")
    with inputs:
        _inputs(ws, _)
    with results:
        try:
            estimate = serving_estimate(ws.venture)
        except Refusal as refusal:
            st.error(plain(_.refusal(refusal)))
            return
        _figures(ws, estimate, _)
        plan_effect(ws, "serving", _)
        take_button(ws, "serving", _)
    closer(
        "serving",
        {
            "volume": (_("Over volume"), lambda: _volume(ws, estimate, _)),
            "likely": (_("How likely?"), lambda: _likely(ws, estimate, _)),
            "apis": (_("All APIs"), lambda: _apis(ws, estimate, _)),
            "fleet": (_("Fleet and speed"), lambda: _fleet(ws, estimate, _)),
            "formulas": (_("How is this computed?"), lambda: _formulas(estimate, _)),
            "sources": (_("Sources and dates"), lambda: _sources(estimate, _)),
        },
        _,
    )


def _inputs(ws: Workspace, _: Language) -> None:
    number_field(ws, "serving", "requests_per_month", _("Requests per day"), DAYS)
    asked = plan_requests(ws)
    if asked is not None and abs(asked / ws.venture.compute_plan.serving.requests_per_month - 1) > CLOSE:
        st.button(
            _(
                "Your plan has {count} a day in month {month}: use it",
                count=_.number(asked / DAYS),
                month=MONTH,
            ),
            key="compute:serving:volume",
            type="tertiary",
            icon=":material/group:",
            on_click=_use_plan_volume,
        )
    labels = {
        "input_tokens": _("Tokens read per call"),
        "output_tokens": _("Tokens written per call"),
        "cached_share": _("Share of input cached (%)"),
        "attempts": _("Model calls per request"),
    }
    columns = st.columns(2)
    for index, (key, label) in enumerate(labels.items()):
        with columns[index % 2]:
            place = f"compute:request:{key}"
            follow(ws, place, short(planned(ws.venture, key) * shown_as(key)))
            st.number_input(
                label,
                min_value=0.0,
                format="%.4g",
                persist_state="session",
                **field(place, _request_typed),
            )
    _api_fields(ws, _)
    offered = [name for name, model in language_models().items() if model.offered]
    choice_field(ws, "serving", "open_model", offered, _("Open model of your own"))
    hardware_fields(ws, "serving", _("Per replica"), _)
    with st.expander(_("Price, precision, load, latency"), icon=":material/tune:"):
        buying_fields(ws, "serving", _)
        choice_field(ws, "serving", "precision", ["bf16", "fp8", "fp4", "int4"], _("Precision"))
        number_field(
            ws,
            "serving",
            "utilisation",
            _("Load of a replica at peak (%)"),
            0.01,
            help=_("What a replica may carry in the busiest hour, of its maximum. Beyond it readers wait."),
        )
        number_field(
            ws,
            "serving",
            "peak_factor",
            _("Busiest hour ÷ mean hour"),
            help=_("Own accelerators are sized for the busiest hour and paid around the clock."),
        )
        number_field(
            ws, "serving", "ttft_ms", _("First token within (ms)"), placeholder=_("as long as it takes")
        )
        number_field(
            ws,
            "serving",
            "tpot_ms",
            _("Each further token within (ms)"),
            placeholder=_("as long as it takes"),
        )
        number_field(
            ws, "serving", "spare_replicas", _("Spare replicas"), help=_("Beside those that the load needs.")
        )
        number_field(ws, "serving", "max_batch", _("Requests at once, at most"), least=1)
        number_field(
            ws,
            "serving",
            "operations_per_month",
            _("Operations per month (USD)"),
            help=_("People and tools that run the fleet: a tenth of an engineer to a whole one."),
        )
        number_field(
            ws,
            "serving",
            "batch_share",
            _("Share that may wait for an API's batch (%)"),
            0.01,
            help=_("Requests whose answer may take a day; many APIs charge half for them."),
        )


def _api_fields(ws: Workspace, _: Language) -> None:
    """The provider, and the model of it: the whole price list."""
    providers = api_providers()
    kept = ws.venture.compute_plan.serving
    left, right = st.columns([2, 3])
    with left:
        key = "compute:serving:provider"
        ws.follow(key, kept.provider)
        known = list(providers) if kept.provider in providers else [*providers, kept.provider]
        st.selectbox(
            _("API of"),
            known,
            format_func=lambda name: providers.get(name, name),
            **field(key, _provider_chosen, among=known),
        )
    with right:
        models = models_of(kept.provider, today())
        choice_field(ws, "serving", "model", list(models), _("Model"), lambda name: models.get(name, name))


def _provider_chosen() -> None:
    """Keep the provider, and its first model where it does not have the one of before."""
    ws: Workspace = st.session_state["workspace"]
    _ = say()
    provider = str(held("compute:serving:provider"))
    models = models_of(provider, today())

    def keep(venture: Venture) -> Venture:
        model = venture.compute_plan.serving.model
        fields = {"provider": provider, "model": model if model in models else next(iter(models), model)}
        plan = changed(venture.compute_plan, "serving", fields)
        return followed(venture.with_compute_plan(plan), "serving")

    ws.change(keep, _("Compute plan changed"), place="compute:serving:provider")


def _use_plan_volume() -> None:
    """Set the volume to that of the plan."""
    ws: Workspace = st.session_state["workspace"]
    _ = say()
    asked = plan_requests(ws)
    if asked is None:
        return

    def keep(venture: Venture) -> Venture:
        plan = changed(venture.compute_plan, "serving", {"requests_per_month": asked})
        return followed(venture.with_compute_plan(plan), "serving")

    ws.change(keep, _("Compute plan changed"), place="compute:serving:requests_per_month")


def _request_typed() -> None:
    """Tokens that are typed while the plan follows this page go into the plan as well."""
    ws: Workspace = st.session_state["workspace"]
    _ = say()
    if linked(ws.venture, "serving"):
        ws.change(
            lambda venture: taken(venture, "serving"), _("Compute plan changed"), place="compute:request"
        )


def _figures(ws: Workspace, estimate: ServingEstimate, _: Language) -> None:
    money, api, own = money_of(ws, _), estimate.api, estimate.selfhost
    quiet: dict[str, Any] = {"delta_color": "off", "delta_arrow": "off", "width": "content"}
    with st.container(horizontal=True, gap="medium"):
        if isinstance(api, ApiEstimate):
            month = _("{cost} a month", cost=money(api.per_month))
            st.metric(_("API, a request"), money(api.per_request), plain(month), **quiet)
        if isinstance(own, SelfHostEstimate):
            band_metric(_("Own accelerators, a request"), own.per_request, money, _)
            load = _("{share} mean load", share=_.percent(own.mean_load, 2))
            why = _("Sized for the busiest hour. The mean load decides: accelerators are billed when idle.")
            st.metric(_("Replicas"), _.number(own.replicas), plain(load), help=why, **quiet)
    for refused in (api, own):
        if isinstance(refused, Refusal):
            st.error(plain(_.refusal(refused)))
    if isinstance(api, ApiEstimate) and isinstance(own, SelfHostEstimate):
        st.info(plain(_verdict(estimate, api, own, money, _)), icon=":material/balance:")
    if isinstance(own, SelfHostEstimate):
        price_warning(own.price, _)


def _verdict(
    estimate: ServingEstimate,
    api: ApiEstimate,
    own: SelfHostEstimate,
    money: Callable[[float], str],
    _: Language,
) -> str:
    values: dict[str, object] = {
        "requests": _.number(estimate.plan.requests_per_month / DAYS),
        "api": money(api.per_month),
        "own": money(own.per_month.p50),
    }
    if estimate.break_even is None:
        return _(
            "{requests} requests a day cost {api} a month by API and {own} on own accelerators, which do not pay at "
            "any volume. Compare the quality of both models first.",
            **values,
        )
    return _(
        "{requests} requests a day cost {api} a month by API and {own} on own accelerators, which pay from {even} "
        "requests a day on. Compare the quality of both models first.",
        even=_.number(estimate.break_even / DAYS),
        **values,
    )


def _both(estimate: ServingEstimate) -> bool:
    return isinstance(estimate.api, ApiEstimate) and isinstance(estimate.selfhost, SelfHostEstimate)


def _volume(ws: Workspace, estimate: ServingEstimate, _: Language) -> None:
    if not _both(estimate):
        st.caption(_("Both ways must have an estimate."))
        return
    curve = cost_over_volume(estimate.plan, own_prices(ws.venture), POINTS, DRAWS)
    st.plotly_chart(
        volume_chart(curve, estimate.plan.requests_per_month, ws.venture.currency, ws.venture.usd_rate, _),
        key="compute:volume",
        config={"displaylogo": False},
        alt=_("Cost per month over requests per month: a line for the API, stairs for own accelerators."),
    )


def _likely(ws: Workspace, estimate: ServingEstimate, _: Language) -> None:
    if not _both(estimate):
        st.caption(_("Both ways must have an estimate."))
        return
    curve = cost_over_volume(estimate.plan, own_prices(ws.venture))
    low, _middle, high = (None if v is None else _.number(v / DAYS) for v in curve.crossing)
    now = plain(_.percent(curve.now, 2))
    if low is None:
        told = _("At your volume own accelerators cost less with a probability of {now}.", now=now)
    elif high is None:
        told = _(
            "At your volume own accelerators cost less with a probability of {now}. They begin to at {low} requests a "
            "day or later, perhaps never.",
            now=now,
            low=low,
        )
    else:
        told = _(
            "At your volume own accelerators cost less with a probability of {now}. They begin to between {low} and "
            "{high} requests a day (P10 to P90).",
            now=now,
            low=low,
            high=high,
        )
    st.markdown(told)
    st.plotly_chart(
        likely_chart(curve, estimate.plan.requests_per_month, _),
        key="compute:likely",
        config={"displaylogo": False},
        alt=_("Probability that own accelerators cost less, over requests per month."),
    )
    st.caption(
        _(
            "Drawn 1,024 times: the throughput of a replica within its band, the rent between the low and the high price."
        )
    )


def _apis(ws: Workspace, estimate: ServingEstimate, _: Language) -> None:
    bills = api_bills(estimate.plan)
    table(api_table(bills[:SHOWN_BILLS], money_of(ws, _), _))
    st.caption(
        _(
            "The cheapest {shown} of {count} models in the price list for your request. Cheap is not good: try them on "
            "your own questions.",
            shown=min(SHOWN_BILLS, len(bills)),
            count=_.number(len(bills)),
        )
    )


def _fleet(ws: Workspace, estimate: ServingEstimate, _: Language) -> None:
    own = estimate.selfhost
    if not isinstance(own, SelfHostEstimate):
        st.caption(plain(_.refusal(own)))
        return
    limits = {
        "memory": _("memory"),
        "latency": _("the time per token"),
        "batch": _("the largest batch"),
    }
    lines = [
        _(
            "A replica writes {tokens} tokens/s ({low} to {high}) for {batch} requests at once, limited by {limit}.",
            tokens=_.number(own.tokens_per_second.p50),
            low=_.number(own.tokens_per_second.p10),
            high=_.number(own.tokens_per_second.p90),
            batch=own.batch,
            limit=limits[own.limited_by],
        ),
        _(
            "First token after {ttft} ms alone, {peak} ms at peak; then one every {tpot} ms.",
            ttft=_.number(own.first_token_seconds * 1e3),
            peak=_.number(own.first_token_at_peak * 1e3),
            tpot=_.number(own.seconds_per_token * 1e3),
        ),
        _(
            "Memory: {weights} GB weights and {kv} GB KV cache of {have} GB.",
            weights=_.number(own.weights_gb),
            kv=_.number(own.kv_cache_gb),
            have=_.number(own.memory_gb),
        ),
        _(
            "Per million tokens {cost}; with full replicas {scale}.",
            cost=money_of(ws, _)(own.per_million_tokens.p50),
            scale=money_of(ws, _)(own.per_million_tokens_at_scale),
        ),
    ]
    best = best_replica(estimate.plan, own_prices(ws.venture))
    if best is not None and best != estimate.plan.accelerators:
        lines.append(_("Replicas of {count} accelerators would cost the least for this volume.", count=best))
    st.markdown("\n".join(f"- {plain(line)}" for line in lines))


def _formulas(estimate: ServingEstimate, _: Language) -> None:
    st.markdown(serving_explained(estimate, _))


def _sources(estimate: ServingEstimate, _: Language) -> None:
    st.markdown(serving_sources(estimate, _))

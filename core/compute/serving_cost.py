"""What answering requests costs: by a provider's API, or on accelerators of one's own.

API, for I input and O output tokens of which a share k of the input is cached, and r attempts, of which
a share b may wait for a batch:

    per request = r · ((1 − b) · bill(rates) + b · bill(batch rates)),
    bill        = (I (1 − k) p_in + I k p_cached + O p_out) / 1e6

Self-hosted, a replica of n accelerators writes T tokens per second (:mod:`core.compute.roofline`), at
the largest batch that fits in memory and keeps the time per output token within its target. Requests
come unevenly: the busiest hour has ``peak_factor`` times the mean. A replica is loaded to at most
``utilisation`` of T, because beyond that readers wait. So

    replicas    = max(min_replicas, ⌈ requests · r · O · peak_factor / (T · utilisation · month) ⌉) + spare
    per month   = replicas · n · price · 730 h + operations
    per request = per month / requests

The time to first token is that of reading the prompt alone, divided by 1 − utilisation for the other
prompts in line (the mean of a processor shared by arrivals at that load).

The fleet is rented around the clock: accelerators are billed when idle. That is why a small volume
costs so much per request, why cost climbs in steps, and why the mean load that results decides more
than the throughput does.
"""

import math
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from core.compute.api_prices import ApiPrice, PriceList, api_catalogue, api_price, price_list
from core.compute.band import Band
from core.compute.hardware import Accelerator, accelerator
from core.compute.language_models import LanguageModel, language_model
from core.compute.prices import HourlyPrice, PriceRow, hourly_price
from core.compute.roofline import (
    Replica,
    batch,
    batch_within,
    prefill_seconds,
    room,
    token_seconds,
    tokens_per_second,
)
from core.compute.serving_calibration import constants, kind_of, replica_of, throughput_ratio, usual_kv_bytes
from core.compute.serving_plan import HOURS_PER_MONTH, ServingPlan, check_context, check_fleet, check_requests
from core.i18n import Refusal

Array = NDArray[np.float64]

Speed = TypeVar("Speed", float, NDArray[np.float64])

REPLICA_SIZES = (1, 2, 4, 8, 16, 32, 64)


@dataclass(frozen=True, slots=True)
class ApiEstimate:
    """The API bill in USD. ``per_million_tokens`` is over input and output together; ``batched`` is the
    share that is billed at batch rates (0 where the provider offers none)."""

    price: ApiPrice
    list: PriceList
    batched: float
    per_request: float
    per_million_tokens: float
    per_month: float


@dataclass(frozen=True, slots=True)
class SelfHostEstimate:
    """Serving on one's own accelerators; USD, seconds, output tokens per second of one replica.

    P10 of a cost is where throughput is at its P90. ``limited_by`` says what holds the batch down:
    memory, latency, or the plan's largest batch. ``mean_load`` is the share of the fleet's maximum
    that the requests use; ``at_scale`` is the cost per request once the steps no longer matter.
    """

    model: LanguageModel
    accelerator: Accelerator
    price: HourlyPrice
    batch: int
    limited_by: str
    first_token_seconds: float
    first_token_at_peak: float
    seconds_per_token: float
    tokens_per_second: Band
    requests_per_replica: float
    replicas: int
    mean_load: float
    per_month: Band
    per_request: Band
    per_million_tokens: Band
    at_scale: float
    per_million_tokens_at_scale: float
    weights_gb: float
    kv_cache_gb: float
    memory_gb: float


@dataclass(frozen=True, slots=True)
class ServingEstimate:
    """Both ways, or the sentence that says why one of them cannot be estimated.

    ``break_even`` is the number of requests a month from which self-hosting costs no more than the
    API; None where it never does, or where one of the two is missing.
    """

    plan: ServingPlan
    api: ApiEstimate | Refusal
    selfhost: SelfHostEstimate | Refusal
    break_even: float | None


def estimate_serving(plan: ServingPlan, own_prices: tuple[PriceRow, ...] = ()) -> ServingEstimate:
    """Both estimates. Only what concerns both (tokens, requests) is refused; the rest is kept apart."""
    check_requests(plan)
    api: ApiEstimate | Refusal
    selfhost: SelfHostEstimate | Refusal
    try:
        api = estimate_api(plan)
    except Refusal as error:
        api = error
    try:
        selfhost = estimate_selfhost(plan, own_prices)
    except Refusal as error:
        selfhost = error
    if isinstance(api, Refusal) or isinstance(selfhost, Refusal):
        return ServingEstimate(plan, api, selfhost, None)
    return ServingEstimate(plan, api, selfhost, break_even(plan, api, selfhost))


def estimate_api(plan: ServingPlan) -> ApiEstimate:
    """The API bill; a Refusal for an input out of range or a model without a price."""
    check_requests(plan)
    price = api_price(str(plan.provider), str(plan.model), plan.on, float(plan.input_tokens))
    check_context(plan, price.model_name, price.context)
    return _api(plan, price)


def api_bills(plan: ServingPlan) -> list[ApiEstimate]:
    """The bill of the plan's request by every model of the price list that takes it, cheapest first."""
    check_requests(plan)
    tokens = plan.input_tokens + plan.output_tokens
    bills = [
        _api(plan, price)
        for price in api_catalogue(plan.on, float(plan.input_tokens))
        if not price.deprecated and (price.context is None or tokens <= price.context)
    ]
    return sorted(bills, key=lambda bill: bill.per_request)


def estimate_selfhost(plan: ServingPlan, own_prices: tuple[PriceRow, ...] = ()) -> SelfHostEstimate:
    """The cost on own accelerators; a Refusal for an input out of range or a model that does not fit."""
    check_requests(plan)
    model = language_model(plan.open_model)
    hardware = accelerator(plan.accelerator)
    check_fleet(plan, hardware)
    check_context(plan, model.name, model.context)
    price = hourly_price(hardware, plan.price_per_hour, plan.tier, plan.gpu_provider, own_prices)
    fitted = constants()
    replica = replica_for(plan, model, hardware)
    if float(room(replica, fitted)) < 1:
        raise _does_not_fit(plan, model, hardware, replica)
    first = float(prefill_seconds(replica, fitted))
    at_peak = first / (1 - min(plan.utilisation, 0.99))
    _check_first_token(plan, model, hardware, at_peak)
    size, limited_by = _batch(plan, model, hardware, replica)
    predicted = float(tokens_per_second(replica, fitted, np.array(float(size))))
    ratio = throughput_ratio(kind_of(model))
    speed = Band(predicted * ratio.p10, predicted, predicted * ratio.p90)
    fleets = {
        name: _fleet(plan, price.usd, tokens, np.array(plan.requests_per_month))
        for name, tokens in (("p10", speed.p90), ("p50", speed.p50), ("p90", speed.p10))
    }
    month = Band(**{name: float(cost) for name, (_, cost) in fleets.items()})
    replicas = int(fleets["p50"][0])
    tokens = plan.attempts * (plan.input_tokens + plan.output_tokens)
    needed = plan.requests_per_month * plan.attempts * plan.output_tokens
    per_replica = requests_per_replica(plan, speed.p50)
    at_scale = plan.accelerators * price.usd * HOURS_PER_MONTH / per_replica
    return SelfHostEstimate(
        model=model,
        accelerator=hardware,
        price=price,
        batch=size,
        limited_by=limited_by,
        first_token_seconds=first,
        first_token_at_peak=at_peak,
        seconds_per_token=float(token_seconds(replica, fitted, np.array(float(size)))),
        tokens_per_second=speed,
        requests_per_replica=per_replica,
        replicas=replicas,
        mean_load=needed / (replicas * speed.p50 * HOURS_PER_MONTH * 3600),
        per_month=month,
        per_request=month.times(1 / plan.requests_per_month),
        per_million_tokens=month.times(1e6 / (plan.requests_per_month * tokens)),
        at_scale=at_scale,
        per_million_tokens_at_scale=at_scale / tokens * 1e6,
        weights_gb=float(replica.weight_bytes) / 1e9,
        kv_cache_gb=size * float(replica.kv_bytes) / 1e9,
        memory_gb=plan.accelerators * hardware.memory_gb,
    )


def smallest_replica(plan: ServingPlan) -> int | None:
    """The fewest accelerators, of 1, 2, 4 … 64, that hold the model and one request; None if none do."""
    check_requests(plan)
    model, hardware = language_model(plan.open_model), accelerator(plan.accelerator)
    check_fleet(replace(plan, accelerators=1), hardware)
    for count in REPLICA_SIZES:
        if float(room(replica_for(replace(plan, accelerators=count), model, hardware), constants())) >= 1:
            return count
    return None


def best_replica(plan: ServingPlan, own_prices: tuple[PriceRow, ...] = ()) -> int | None:
    """The size of a replica, of 1, 2, 4 … 64, that serves the plan for the least a month; None if none can."""
    costs: dict[int, float] = {}
    for count in REPLICA_SIZES:
        try:
            costs[count] = estimate_selfhost(replace(plan, accelerators=count), own_prices).per_month.p50
        except Refusal:
            continue
    return min(costs, key=lambda count: costs[count]) if costs else None


def replica_for(plan: ServingPlan, model: LanguageModel, hardware: Accelerator) -> Replica:
    """The plan's replica, as the roofline wants it."""
    kv = {"fp8": 1.0, "bf16": 2.0, None: usual_kv_bytes(model, plan.precision)}[plan.kv_precision]
    return replica_of(
        model,
        hardware,
        plan.accelerators,
        precision=plan.precision,
        kv_bytes_per_value=kv,
        input_tokens=plan.input_tokens,
        output_tokens=plan.output_tokens,
        cached_tokens=plan.input_tokens * plan.cached_share,
        max_batch=plan.max_batch,
    )


def requests_per_replica(plan: ServingPlan, tokens_per_s: Speed) -> Speed:
    """Requests a month that one replica answers at the planned load."""
    busiest = tokens_per_s * plan.utilisation / (plan.attempts * plan.output_tokens)
    return busiest * 3600 * HOURS_PER_MONTH / plan.peak_factor


def break_even(plan: ServingPlan, api: ApiEstimate, own: SelfHostEstimate) -> float | None:
    """Where the stairs first come down to the API's line; None where no step reaches it.

    k replicas for the load and s spare ones cost (k + s)·c + operations up to k·m requests. That
    reaches the line at p per request if (k + s)·c + operations ≤ p·k·m, which the first k from
    (s·c + operations) ÷ (p·m − c) on does.
    """
    step = plan.accelerators * own.price.usd * HOURS_PER_MONTH
    always = plan.operations_per_month + plan.spare_replicas * step
    spare = api.per_request * own.requests_per_replica - step
    if spare <= 0:
        return None
    replicas = max(plan.min_replicas, math.ceil(always / spare))
    reached = (replicas * step + always) / api.per_request
    if replicas == plan.min_replicas:
        return reached
    return max(reached, (replicas - 1) * own.requests_per_replica)


def _api(plan: ServingPlan, price: ApiPrice) -> ApiEstimate:
    fresh = plan.input_tokens * (1 - plan.cached_share)
    cached = plan.input_tokens * plan.cached_share
    batched = plan.batch_share if price.batch else 0.0
    attempt = (1 - batched) * price.rates.bill(fresh, cached, plan.output_tokens)
    if price.batch:
        attempt += batched * price.batch.bill(fresh, cached, plan.output_tokens)
    return ApiEstimate(
        price=price,
        list=price_list(plan.on),
        batched=batched,
        per_request=plan.attempts * attempt,
        per_million_tokens=attempt / (plan.input_tokens + plan.output_tokens) * 1e6,
        per_month=plan.requests_per_month * plan.attempts * attempt,
    )


def _batch(
    plan: ServingPlan, model: LanguageModel, hardware: Accelerator, replica: Replica
) -> tuple[int, str]:
    """Requests answered at once, and what limits them; a Refusal where not even one is fast enough."""
    fitted = constants()
    most = int(batch(replica, fitted))
    limited_by = "batch" if most >= plan.max_batch else "memory"
    if plan.tpot_ms is None:
        return most, limited_by
    size = int(batch_within(replica, fitted, np.array(plan.tpot_ms / 1e3)))
    if size < 1:
        raise Refusal(
            "{model} writes a token every {best} ms at best on {count} × {accelerator}; {target} ms is asked for."
            " More accelerators per replica or fewer bits are faster.",
            model=model.name,
            best=f"{float(token_seconds(replica, fitted, np.array(1.0))) * 1e3:.3g}",
            count=plan.accelerators,
            accelerator=hardware.name,
            target=f"{plan.tpot_ms:.3g}",
        )
    return size, limited_by if size == most else "latency"


def _check_first_token(
    plan: ServingPlan, model: LanguageModel, hardware: Accelerator, seconds: float
) -> None:
    if plan.ttft_ms is not None and seconds * 1e3 > plan.ttft_ms:
        raise Refusal(
            "{model} needs {best} ms to the first token on {count} × {accelerator} at this load; {target} ms is"
            " asked for. More accelerators per replica, less load or more caching is faster.",
            model=model.name,
            best=f"{seconds * 1e3:,.0f}",
            count=plan.accelerators,
            accelerator=hardware.name,
            target=f"{plan.ttft_ms:,.0f}",
        )


def _fleet(plan: ServingPlan, usd: float, tokens_per_s: float, requests: Array) -> tuple[Array, Array]:
    """Replicas, spare ones included, and USD per month."""
    loaded = np.ceil(requests / requests_per_replica(plan, tokens_per_s))
    replicas = np.maximum(plan.min_replicas, loaded) + plan.spare_replicas
    return replicas, replicas * plan.accelerators * usd * HOURS_PER_MONTH + plan.operations_per_month


def _does_not_fit(
    plan: ServingPlan, model: LanguageModel, hardware: Accelerator, replica: Replica
) -> Refusal:
    fitted = constants()
    usable = 0.9 * hardware.memory_gb - float(fitted.reserve_bytes) / 1e9
    values: dict[str, object] = {
        "model": model.name,
        "need": f"{float(replica.weight_bytes + replica.kv_bytes) / 1e9:,.0f}",
        "have": f"{max(0.0, usable) * plan.accelerators:,.0f}",
        "accelerator": hardware.name,
        "count": plan.accelerators,
    }
    fewest = smallest_replica(plan)
    if fewest is None:
        return Refusal(
            "{model} needs {need} GB for its weights and one request; {count} × {accelerator} have room"
            " for {have} GB, and no number up to 64 has enough.",
            **values,
        )
    return Refusal(
        "{model} needs {need} GB for its weights and one request; {count} × {accelerator} have room"
        " for {have} GB. It fits on {fewest}.",
        fewest=fewest,
        **values,
    )

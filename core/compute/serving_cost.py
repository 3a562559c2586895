"""What answering requests costs: by a provider's API, or on accelerators of one's own.

API, for I input and O output tokens of which a share k of the input is cached, and r attempts:

    per request = r · (I (1 − k) p_in + I k p_cached + O p_out) / 1e6

Self-hosted, a replica of n accelerators writes T tokens per second (:mod:`core.compute.roofline`).
Requests come unevenly: the busiest hour has ``peak_factor`` times the mean. A replica is loaded to at
most ``utilisation`` of T, because beyond that readers wait. So

    replicas    = max(min_replicas, ⌈ requests · r · O · peak_factor / (T · utilisation · month) ⌉)
    per month   = replicas · n · price · 730 h + operations
    per request = per month / requests

The fleet is rented around the clock: accelerators are billed when idle. That is why a small volume
costs so much per request, why cost climbs in steps, and why the mean load that results decides more
than the throughput does.
"""

import math
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from core.compute.api_prices import ApiPrice, PriceList, api_price, price_list
from core.compute.band import Band
from core.compute.hardware import PRECISIONS, Accelerator, HourlyPrice, accelerator, hourly_price
from core.compute.language_models import LanguageModel, language_model
from core.compute.limits import one_of, whole_within, within
from core.compute.roofline import (
    Replica,
    batch,
    prefill_seconds,
    room,
    token_seconds,
    tokens_per_second,
)
from core.compute.serving_calibration import constants, kind_of, replica_of, throughput_ratio
from core.i18n import Refusal, Text

HOURS_PER_MONTH = 730.0

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ServingPlan:
    """Which requests are answered, and how. Every value is plain; the estimates check them.

    Tokens are per attempt, ``attempts`` per request (steps, retries, checks). ``on`` is
    the day whose API prices hold. ``accelerators`` are those of one replica. ``price_per_hour`` is in
    USD per accelerator (None: the table's typical price). ``utilisation`` is the load of a replica in
    the busiest hour as a share of its maximum. ``kv_precision`` None follows the weights.
    """

    on: date
    input_tokens: float = 2000
    output_tokens: float = 500
    cached_share: float = 0.0
    attempts: float = 1.0
    requests_per_month: float = 1e6
    provider: str = "anthropic"
    model: str = "claude-sonnet-4-5"
    open_model: str = "Llama 3.1 8B"
    precision: str = "fp8"
    accelerator: str = "H100 SXM"
    accelerators: int = 1
    price_per_hour: float | None = None
    utilisation: float = 0.7
    peak_factor: float = 3.0
    min_replicas: int = 1
    max_batch: int = 256
    kv_precision: str | None = None
    operations_per_month: float = 0.0


@dataclass(frozen=True, slots=True)
class ApiEstimate:
    """The API bill in USD. ``per_million_tokens`` is over input and output together."""

    price: ApiPrice
    list: PriceList
    per_request: float
    per_million_tokens: float
    per_month: float


@dataclass(frozen=True, slots=True)
class SelfHostEstimate:
    """Serving on one's own accelerators; USD, seconds, output tokens per second of one replica.

    P10 of a cost is where throughput is at its P90. ``mean_load`` is the share of the fleet's maximum
    that the requests use; ``at_scale`` is the cost per request once the steps no longer matter.
    """

    model: LanguageModel
    accelerator: Accelerator
    price: HourlyPrice
    batch: int
    first_token_seconds: float
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


def estimate_serving(plan: ServingPlan) -> ServingEstimate:
    """Both estimates. Only what concerns both (tokens, requests) is refused; the rest is kept apart."""
    _check_requests(plan)
    api: ApiEstimate | Refusal
    selfhost: SelfHostEstimate | Refusal
    try:
        api = estimate_api(plan)
    except Refusal as error:
        api = error
    try:
        selfhost = estimate_selfhost(plan)
    except Refusal as error:
        selfhost = error
    if isinstance(api, Refusal) or isinstance(selfhost, Refusal):
        return ServingEstimate(plan, api, selfhost, None)
    return ServingEstimate(plan, api, selfhost, _break_even(plan, api, selfhost))


def estimate_api(plan: ServingPlan) -> ApiEstimate:
    """The API bill; a Refusal for an input out of range or a model without a price."""
    _check_requests(plan)
    price = api_price(plan.provider, plan.model, plan.on, float(plan.input_tokens))
    _check_context(plan, price.model_name, price.context)
    fresh = plan.input_tokens * (1 - plan.cached_share)
    cached = plan.input_tokens * plan.cached_share
    attempt = (fresh * price.input + cached * price.cached + plan.output_tokens * price.output) / 1e6
    return ApiEstimate(
        price=price,
        list=price_list(plan.on),
        per_request=plan.attempts * attempt,
        per_million_tokens=attempt / (plan.input_tokens + plan.output_tokens) * 1e6,
        per_month=plan.requests_per_month * plan.attempts * attempt,
    )


def estimate_selfhost(plan: ServingPlan) -> SelfHostEstimate:
    """The cost on own accelerators; a Refusal for an input out of range or a model that does not fit."""
    _check_requests(plan)
    model = language_model(plan.open_model)
    hardware = accelerator(plan.accelerator)
    _check_fleet(plan, hardware)
    _check_context(plan, model.name, model.context)
    price = hourly_price(hardware, plan.price_per_hour)
    replica = _replica(plan, model, hardware)
    if room(replica) < 1:
        raise _does_not_fit(plan, model, hardware, replica)
    fitted, ratio = constants(kind_of(model)), throughput_ratio(kind_of(model))
    predicted = float(tokens_per_second(replica, fitted))
    speed = Band(predicted * ratio.p10, predicted * ratio.p50, predicted * ratio.p90)
    fleet = {
        name: _fleet(plan, price, tokens, np.array(plan.requests_per_month))
        for name, tokens in (("p10", speed.p90), ("p50", speed.p50), ("p90", speed.p10))
    }
    month = Band(**{name: float(cost) for name, (_, cost) in fleet.items()})
    replicas = int(fleet["p50"][0])
    tokens = plan.attempts * (plan.input_tokens + plan.output_tokens)
    needed = plan.requests_per_month * plan.attempts * plan.output_tokens
    per_replica = _requests_per_replica(plan, speed.p50)
    at_scale = plan.accelerators * price.usd * HOURS_PER_MONTH / per_replica
    size = int(batch(replica))
    return SelfHostEstimate(
        model=model,
        accelerator=hardware,
        price=price,
        batch=size,
        first_token_seconds=float(prefill_seconds(replica, fitted)),
        seconds_per_token=float(token_seconds(replica, fitted)),
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


def cost_over_volume(plan: ServingPlan, requests: Array) -> tuple[Array, Array, Array, Array]:
    """USD per month at each of ``requests`` per month: API, then self-hosted P10, P50 and P90."""
    api, own = estimate_api(plan), estimate_selfhost(plan)
    speed = own.tokens_per_second
    p10, p50, p90 = (
        _fleet(plan, own.price, tokens, requests)[1] for tokens in (speed.p90, speed.p50, speed.p10)
    )
    return requests * api.per_request, p10, p50, p90


def smallest_replica(plan: ServingPlan) -> int | None:
    """The fewest accelerators, of 1, 2, 4 … 64, that hold the model and one request; None if none do."""
    model, hardware = language_model(plan.open_model), accelerator(plan.accelerator)
    for count in (1, 2, 4, 8, 16, 32, 64):
        if room(_replica(replace(plan, accelerators=count), model, hardware)) >= 1:
            return count
    return None


def _replica(plan: ServingPlan, model: LanguageModel, hardware: Accelerator) -> Replica:
    kv = plan.kv_precision or ("fp8" if plan.precision in ("fp8", "fp4") else "bf16")
    return replica_of(
        model,
        hardware.name,
        plan.accelerators,
        precision=plan.precision,
        kv_bytes_per_value=1.0 if kv == "fp8" else 2.0,
        input_tokens=plan.input_tokens,
        output_tokens=plan.output_tokens,
        cached_tokens=plan.input_tokens * plan.cached_share,
        max_batch=plan.max_batch,
    )


def _requests_per_replica(plan: ServingPlan, tokens_per_s: float) -> float:
    """Requests a month that one replica answers at the planned load."""
    busiest = tokens_per_s * plan.utilisation / (plan.attempts * plan.output_tokens)
    return busiest * 3600 * HOURS_PER_MONTH / plan.peak_factor


def _fleet(
    plan: ServingPlan, price: HourlyPrice, tokens_per_s: float, requests: Array
) -> tuple[Array, Array]:
    """Replicas, and USD per month."""
    replicas = np.maximum(plan.min_replicas, np.ceil(requests / _requests_per_replica(plan, tokens_per_s)))
    rent = replicas * plan.accelerators * price.usd * HOURS_PER_MONTH
    return replicas, rent + plan.operations_per_month


def _break_even(plan: ServingPlan, api: ApiEstimate, own: SelfHostEstimate) -> float | None:
    """Where the stairs first come down to the API's line; None where no step reaches it.

    Step k costs k·c + operations up to k·m requests. It reaches the line at price p per request if
    k·c + operations ≤ p·k·m, which the first k from operations ÷ (p·m − c) on does.
    """
    step = plan.accelerators * own.price.usd * HOURS_PER_MONTH
    spare = api.per_request * own.requests_per_replica - step
    if spare <= 0:
        return None
    replicas = max(plan.min_replicas, math.ceil(plan.operations_per_month / spare))
    reached = (replicas * step + plan.operations_per_month) / api.per_request
    return (
        reached if replicas == plan.min_replicas else max(reached, (replicas - 1) * own.requests_per_replica)
    )


def _check_requests(plan: ServingPlan) -> None:
    within(plan.input_tokens, Text("Input tokens per request", "每次请求的输入 token"), 1, 10_000_000)
    within(plan.output_tokens, Text("Output tokens per request", "每次请求的输出 token"), 1, 10_000_000)
    within(plan.cached_share, Text("Cached share of the input", "输入缓存命中率"), 0, 1)
    within(plan.attempts, Text("Attempts per request", "每次请求的尝试次数"), 1, 1000)
    within(plan.requests_per_month, Text("Requests per month", "每月请求数"), 1, 1e13)


def _check_context(plan: ServingPlan, model: str, most: int | None) -> None:
    tokens = plan.input_tokens + plan.output_tokens
    if most is not None and tokens > most:
        raise Refusal(
            "A call holds {tokens} tokens; {model} takes at most {most}.",
            tokens=f"{tokens:,.0f}",
            model=model,
            most=f"{most:,}",
        )


def _check_fleet(plan: ServingPlan, hardware: Accelerator) -> None:
    one_of(plan.precision, Text("Precision of the weights", "权重精度"), PRECISIONS)
    hardware.peak(plan.precision)
    if plan.kv_precision is not None:
        one_of(plan.kv_precision, Text("Precision of the KV cache", "KV 缓存精度"), ("bf16", "fp8"))
    whole_within(plan.accelerators, Text("Accelerators per replica", "每副本加速器数"), 1, 1024)
    whole_within(plan.min_replicas, Text("Smallest number of replicas", "最少副本数"), 1, 100_000)
    whole_within(plan.max_batch, Text("Largest batch", "最大批量"), 1, 8192)
    within(plan.utilisation, Text("Load at peak", "高峰负载率"), 0.01, 1)
    within(plan.peak_factor, Text("Peak over mean", "峰值与均值之比"), 1, 1000)
    within(plan.operations_per_month, Text("Operations per month", "每月运维费用"), 0, 1e9)


def _does_not_fit(
    plan: ServingPlan, model: LanguageModel, hardware: Accelerator, replica: Replica
) -> Refusal:
    values: dict[str, object] = {
        "model": model.name,
        "need": f"{float(replica.weight_bytes + replica.kv_bytes) / 1e9:,.0f}",
        "have": f"{0.9 * plan.accelerators * hardware.memory_gb:,.0f}",
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

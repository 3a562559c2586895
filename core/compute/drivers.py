"""What an estimate says about the plan's drivers: the way from here into the financial model.

An estimate's band becomes a driver's 90 % interval, USD the venture's currency, and the source says
in both languages what was estimated. Numbers are cut to four figures, as a person would type them.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from core.compute.band import Band
from core.compute.finetuning import GOAL_LABELS, METHOD_LABELS, FinetuneEstimate
from core.compute.limits import within
from core.compute.prices import DRIFT, HourlyPrice
from core.compute.serving_cost import ApiEstimate, SelfHostEstimate, ServingEstimate
from core.compute.training_cost import TrainingEstimate
from core.i18n import Language, Text, language
from core.venture import Amount, Source


@dataclass(frozen=True, slots=True)
class Finding:
    """A driver's key, and the amount and source that an estimate gives it."""

    key: str
    amount: Amount
    source: Source


def training_findings(estimate: TrainingEstimate, rate: float) -> tuple[Finding, ...]:
    """The cost of a training run with its experiments; ``rate`` is the currency's units per USD."""
    plan = estimate.plan

    def source(_: Language) -> str:
        return _(
            "{model}, {tokens}B tokens on {count} × {accelerator} at ${price}/h, ×{experiments} for experiments",
            model=plan.model or _("{size}B parameters", size=_.number(estimate.parameters / 1e9)),
            tokens=_.number(plan.tokens / 1e9),
            count=plan.accelerators,
            accelerator=plan.accelerator,
            price=_.number(estimate.price.usd),
            experiments=_.number(plan.experiments),
        )

    amount = _interval(estimate.all_dollars.times(rate))
    return (Finding("training_run_cost", amount, _source(source, estimate.price.date)),)


def finetuning_findings(estimate: FinetuneEstimate, rate: float) -> tuple[Finding, ...]:
    """The cost of a fine-tuning run with its experiments, as the plan's training run."""
    plan = estimate.plan

    def source(_: Language) -> str:
        return _(
            "{model}, {method}, {goal}, {examples} examples on {count} × {accelerator} at ${price}/h, ×{experiments} "
            "for experiments",
            model=plan.model,
            method=METHOD_LABELS[plan.method],
            goal=GOAL_LABELS[plan.goal],
            examples=_.number(plan.examples),
            count=plan.accelerators,
            accelerator=plan.accelerator,
            price=_.number(estimate.price.usd),
            experiments=_.number(plan.experiments),
        )

    amount = _interval(estimate.all_dollars.times(rate))
    return (Finding("training_run_cost", amount, _source(source, estimate.price.date)),)


def serving_findings(estimate: ServingEstimate, rate: float) -> tuple[Finding, ...]:
    """API prices per million tokens; of own accelerators the cost of a request, and what a plan that
    counts replicas itself needs: tokens that a replica reads and writes in a second at its planned load,
    its accelerators, their rent."""
    found: list[Finding] = []
    if isinstance(estimate.api, ApiEstimate):
        found += _api(estimate.api, rate)
    if isinstance(estimate.selfhost, SelfHostEstimate):
        found += _selfhost(estimate, estimate.selfhost, rate)
    return tuple(found)


def drift_findings(per_year: float) -> tuple[Finding, ...]:
    """A signed yearly drift of compute prices as the plan's monthly one."""
    within(per_year, DRIFT, -0.95, 10)
    text = Text(f"{per_year:+.0%} a year, from the compute page", f"每年 {per_year:+.0%},来自算力成本页")
    month = (1 + per_year) ** (1 / 12) - 1
    return (Finding("inference_drift", Amount.point(short(month)), Source(kind="estimated", text=text)),)


def _api(api: ApiEstimate, rate: float) -> list[Finding]:
    def source(_: Language) -> str:
        return _(
            "{model} of {provider}, list price on {day} (genai-prices {version})",
            model=api.price.model_name,
            provider=api.price.provider_name,
            day=_.moment(api.price.on),
            version=api.list.version,
        )

    told = _source(source, api.price.on.isoformat())
    share, now, later = api.batched, api.price.rates, api.price.batch or api.price.rates
    prices = {
        "price_input": (1 - share) * now.input + share * later.input,
        "price_cached": (1 - share) * now.cached + share * later.cached,
        "price_output": (1 - share) * now.output + share * later.output,
    }
    return [Finding(key, Amount.point(short(usd * rate)), told) for key, usd in prices.items()]


def _selfhost(estimate: ServingEstimate, own: SelfHostEstimate, rate: float) -> list[Finding]:
    plan = estimate.plan

    def source(_: Language) -> str:
        return _(
            "{model} on {replicas} × {count} × {accelerator} at ${price}/h for {requests} requests a month",
            model=plan.open_model,
            replicas=own.replicas,
            count=plan.accelerators,
            accelerator=plan.accelerator,
            price=_.number(own.price.usd),
            requests=_.number(plan.requests_per_month),
        )

    told = _source(source, own.price.date)
    read_and_written = (plan.input_tokens + plan.output_tokens) / plan.output_tokens
    planned = own.tokens_per_second.times(read_and_written * plan.utilisation)
    return [
        Finding("selfhost_request_cost", _interval(own.per_request.times(rate)), told),
        Finding("gpu_speed", _interval(planned), told),
        Finding("gpus_per_replica", Amount.point(float(plan.accelerators)), told),
        Finding("gpu_price", _rent(own.price, rate), told),
        Finding("replicas_least", Amount.point(float(plan.min_replicas + plan.spare_replicas)), told),
    ]


def _rent(price: HourlyPrice, rate: float) -> Amount:
    """The price with the spread of the market around it, so that the plan's median is the price shown."""
    half = math.sqrt(price.high / price.low)
    low, high = short(price.usd / half * rate), short(price.usd * half * rate)
    return Amount.interval(low, high) if low < high else Amount.point(short(price.usd * rate))


def _source(sentence: Callable[[Language], str], date: str) -> Source:
    """An estimate's source in both languages, because it is kept in the plan; the year of its prices."""
    years = re.findall(r"20\d\d", date)  # a date, a year, or a span of either
    text = Text(sentence(language("en"))[:400], sentence(language("zh_Hans"))[:400])
    return Source(kind="estimated", text=text, year=int(max(years)) if years else None)


def _interval(band: Band) -> Amount:
    """The band as a 90 % interval; a point where it has no width."""
    low, high = (short(end) for end in band.interval90())
    return Amount.interval(low, high) if low < high else Amount.point(short(band.p50))


def short(value: float) -> float:
    """``value`` with four significant figures."""
    return float(f"{value:.4g}")

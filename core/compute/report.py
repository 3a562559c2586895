"""Estimates as plain dicts of strings, numbers, lists and dicts: for the command line and for JSON."""

from dataclasses import asdict
from typing import Any

from core.compute.band import Band
from core.compute.explain import Step, api_steps, selfhost_steps, training_steps
from core.compute.hardware import HourlyPrice
from core.compute.serving_cost import ApiEstimate, SelfHostEstimate, ServingEstimate
from core.compute.training_cost import Memory, TrainingEstimate
from core.i18n import Refusal

Report = dict[str, Any]


def training_report(estimate: TrainingEstimate) -> Report:
    """The training estimate; units stand in the names, bands as p10, p50, p90."""
    known = estimate.calibration
    return {
        "plan": asdict(estimate.plan),
        "flop": estimate.flop,
        "attention_share_of_6n": estimate.attention_share,
        "mfu": _band(estimate.mfu),
        "mfu_from": {"class": estimate.accelerator.family.key, "runs": known.runs, "own_band": known.own},
        "price_usd_per_hour": _price(estimate.price),
        "final_run": {
            "gpu_hours": _band(estimate.gpu_hours),
            "days": _band(estimate.days),
            "usd": _band(estimate.dollars),
            "energy_kwh": _band(estimate.energy_kwh),
        },
        "with_experiments": {
            "gpu_hours": _band(estimate.all_gpu_hours),
            "days": _band(estimate.all_days),
            "usd": _band(estimate.all_dollars),
            "energy_kwh": _band(estimate.all_energy_kwh),
        },
        "memory_gb_per_accelerator": {
            "usable": estimate.fit.usable / 1e9,
            "whole": _memory(estimate.fit.whole),
            "sharded": _memory(estimate.fit.sharded),
        },
        "fits": estimate.fit.fits,
        "fits_whole": estimate.fit.whole_fits,
        "fits_from_accelerators": estimate.fit.needed,
        "problem": str(estimate.fit.problem) if estimate.fit.problem else None,
        "tokens_per_parameter": estimate.tokens_per_parameter,
        "explain": [_step(step) for step in training_steps(estimate)],
    }


def serving_report(estimate: ServingEstimate) -> Report:
    """Both ways of serving; a way that cannot be estimated holds its sentence under ``refused``."""
    plan = asdict(estimate.plan)
    return {
        "plan": {**plan, "on": estimate.plan.on.isoformat()},
        "api": _api(estimate),
        "selfhost": _selfhost(estimate),
        "break_even_requests_per_month": estimate.break_even,
    }


def _api(estimate: ServingEstimate) -> Report:
    api = estimate.api
    if isinstance(api, Refusal):
        return {"refused": str(api)}
    assert isinstance(api, ApiEstimate)
    price = api.price
    return {
        "provider": price.provider,
        "model": price.model,
        "usd_per_million_tokens": {"input": price.input, "cached": price.cached, "output": price.output},
        "prices": {
            "on": price.on.isoformat(),
            "list": f"genai-prices {api.list.version}",
            "newest": api.list.newest.isoformat(),
            "url": price.url,
        },
        "usd_per_request": api.per_request,
        "usd_per_million_tokens_blended": api.per_million_tokens,
        "usd_per_month": api.per_month,
        "explain": [_step(step) for step in api_steps(estimate.plan, api)],
    }


def _selfhost(estimate: ServingEstimate) -> Report:
    own = estimate.selfhost
    if isinstance(own, Refusal):
        return {"refused": str(own)}
    assert isinstance(own, SelfHostEstimate)
    return {
        "price_usd_per_hour": _price(own.price),
        "batch": own.batch,
        "ttft_ms": own.first_token_seconds * 1e3,
        "tpot_ms": own.seconds_per_token * 1e3,
        "tokens_per_s_per_replica": _band(own.tokens_per_second),
        "requests_per_replica_per_month": own.requests_per_replica,
        "replicas": own.replicas,
        "mean_load": own.mean_load,
        "usd_per_month": _band(own.per_month),
        "usd_per_request": _band(own.per_request),
        "usd_per_million_tokens": _band(own.per_million_tokens),
        "usd_per_request_at_scale": own.at_scale,
        "memory_gb": {"weights": own.weights_gb, "kv_cache": own.kv_cache_gb, "all": own.memory_gb},
        "explain": [_step(step) for step in selfhost_steps(estimate.plan, own)],
    }


def _band(band: Band | None) -> Report | None:
    return asdict(band) if band else None


def _memory(memory: Memory) -> Report:
    parts = {name: size / 1e9 for name, size in asdict(memory).items()}
    return {**parts, "total": memory.total / 1e9}


def _price(price: HourlyPrice) -> Report:
    return {
        "usd": price.usd,
        "typed": price.typed,
        "date": price.date,
        "source": price.source,
        "trust": price.trust,
    }


def _step(step: Step) -> Report:
    return {
        "key": step.key,
        "label": step.label.en,
        "formula": step.formula,
        "given": {given.symbol: [given.value, given.unit] for given in step.given},
        "result": step.result,
        "unit": step.unit,
    }

"""Estimates as plain dicts of strings, numbers, lists and dicts: for the command line and for JSON."""

import math
from dataclasses import asdict
from typing import Any

from core.compute.band import Band
from core.compute.explain import Step, finetuning_steps, training_steps
from core.compute.explain_serving import api_steps, selfhost_steps
from core.compute.finetuning import FinetuneEstimate, FinetunePlan
from core.compute.finetuning_calibration import Held
from core.compute.law import Standing, fine_tuner_standings, standings
from core.compute.prices import HourlyPrice
from core.compute.serving_cost import ApiEstimate, SelfHostEstimate, ServingEstimate
from core.compute.serving_plan import ServingPlan
from core.compute.training_cost import TrainingEstimate, TrainingPlan
from core.compute.training_memory import Memory
from core.i18n import Refusal

Report = dict[str, Any]


def training_report(estimate: TrainingEstimate) -> Report:
    """The training estimate; units stand in the names, bands as p10, p50, p90."""
    known, fit = estimate.calibration, estimate.fit
    return {
        "plan": _plan(estimate.plan),
        "flop": estimate.flop,
        "attention_share_of_6n": estimate.attention_share,
        "mfu": _band(estimate.mfu),
        "mfu_from": {"class": estimate.accelerator.family.key, "runs": known.runs, "own_class": known.own},
        "price_usd_per_hour": _price(estimate.price),
        "final_run": {
            "gpu_hours": _band(estimate.gpu_hours),
            "days": _band(estimate.days),
            "usd": _band(estimate.dollars),
            "energy_kwh": _band(estimate.energy_kwh),
            "co2e_kg": _band(estimate.co2e_kg),
        },
        "with_experiments": {
            "gpu_hours": _band(estimate.all_gpu_hours),
            "days": _band(estimate.all_days),
            "usd": _band(estimate.all_dollars),
            "energy_kwh": _band(estimate.all_energy_kwh),
            "co2e_kg": _band(estimate.all_co2e_kg),
        },
        "memory_gb_per_accelerator": {
            "usable": fit.usable / 1e9,
            **_parts(fit.memory),
            "total": fit.memory.total / 1e9,
        },
        "split": asdict(fit.split),
        "fits": fit.fits,
        "fits_from_accelerators": fit.needed,
        "problem": str(fit.problem) if fit.problem else None,
        "failures": asdict(estimate.failures),
        "tokens_per_parameter": estimate.tokens_per_parameter,
        "law": [_standing(standing) for standing in standings(estimate.flop)],
        "explain": [_step(step) for step in training_steps(estimate)],
    }


def finetuning_report(estimate: FinetuneEstimate) -> Report:
    """The fine-tuning estimate, in the same words."""
    return {
        "plan": _plan(estimate.plan),
        "tokens": estimate.tokens,
        "tokens_written": estimate.written,
        "flop": estimate.flop,
        "trained_parameters": estimate.trained_parameters,
        "price_usd_per_hour": _price(estimate.price),
        "final_run": {
            "gpu_hours": _band(estimate.gpu_hours),
            "days": _band(estimate.days),
            "usd": _band(estimate.dollars),
            "gpu_hours_of_writing": estimate.writing_hours,
        },
        "with_experiments": {
            "gpu_hours": _band(estimate.all_gpu_hours),
            "days": _band(estimate.all_days),
            "usd": _band(estimate.all_dollars),
        },
        "memory_gb_per_accelerator": {
            "usable": estimate.usable / 1e9,
            **_parts(estimate.memory),
            "total": estimate.memory.total / 1e9,
        },
        "sharded": estimate.sharded,
        "fits": estimate.problem is None,
        "fits_from_accelerators": estimate.needed,
        "problem": str(estimate.problem) if estimate.problem else None,
        "law": [_standing(standing) for standing in fine_tuner_standings(estimate.flop)],
        "explain": [_step(step) for step in finetuning_steps(estimate)],
    }


def serving_report(estimate: ServingEstimate) -> Report:
    """Both ways of serving; a way that cannot be estimated holds its sentence under ``refused``."""
    return {
        "plan": {**_plan(estimate.plan), "on": estimate.plan.on.isoformat()},
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
        "usd_per_million_tokens": asdict(price.rates),
        "batch_usd_per_million_tokens": asdict(price.batch) if price.batch else None,
        "batched_share": api.batched,
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
        "batch_limited_by": own.limited_by,
        "ttft_ms": own.first_token_seconds * 1e3,
        "ttft_ms_at_peak": own.first_token_at_peak * 1e3,
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


def _plan(plan: TrainingPlan | FinetunePlan | ServingPlan) -> Report:
    """The inputs as given. One that is not used, or refused for one way of two, may be no number: None."""
    return {
        key: None if isinstance(value, float) and not math.isfinite(value) else value
        for key, value in asdict(plan).items()
    }


def _band(band: Band | None) -> Report | None:
    return asdict(band) if band else None


def _parts(memory: Memory | Held) -> Report:
    return {name: size / 1e9 for name, size in asdict(memory).items()}


def _standing(standing: Standing) -> Report:
    line = standing.threshold
    return {
        "threshold": line.label.en,
        "flop": line.flop,
        "share": standing.share,
        "crossed": standing.crossed,
        "since": line.since,
        "source": line.source,
    }


def _price(price: HourlyPrice) -> Report:
    row = price.row
    return {
        "usd": price.usd,
        "low": price.low,
        "high": price.high,
        "typed": price.typed,
        "tier": row.tier if row else None,
        "provider": row.provider if row else None,
        "date": price.date,
        "source": price.source,
        "trust": row.trust if row else None,
        "derived": row.derived if row else False,
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

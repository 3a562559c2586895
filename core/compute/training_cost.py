"""What it takes to train a model: operations, hours, money, energy, emissions.

With N_a active parameters, D tokens, a model of L layers of width w = heads × head size and sequences
of s tokens,

    FLOP       = 6 N_a D (1 + a(s) / 6 N_a),            a(s) = 6 L w s   (causal attention; less with windows)
    GPU-hours  = FLOP' / (3600 × dense 16-bit peak × MFU × gain)
    dollars    = GPU-hours × price,   days = GPU-hours / (24 × accelerators)
    energy     = GPU-hours × watts × PUE / 1000,   CO₂e = energy × the grid's grams per kWh

N_a is counted as the published runs count it, with the input embedding: MFU and estimate then speak of
the same FLOP. FLOP' leaves out the attention of the first ``PUBLISHED_SEQUENCE`` tokens: the published runs behind
the MFU are counted as 6ND, so what their own attention cost is in their MFU already. Sources: Kaplan
2020 and Narayanan 2021 for 6ND and the attention term; the MFU and the P10-P50-P90 come from
:mod:`core.compute.training_calibration`, memory from :mod:`core.compute.training_memory`.

The final run is not the bill. ``experiments`` multiplies it by all that came before, and every figure
of money, hours and energy stands in both forms.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

from core.compute.band import Band
from core.compute.failures import Failures, failures
from core.compute.grids import Grid, grid
from core.compute.hardware import Accelerator, accelerator, accelerators
from core.compute.language_models import LanguageModel, language_model, usual_shape
from core.compute.limits import one_of, whole_within, within
from core.compute.prices import TIERS, HourlyPrice, PriceRow, hourly_price, prices_of
from core.compute.tables import table
from core.compute.training_calibration import Calibration, calibration, fp8_gain
from core.compute.training_memory import Fit, Recompute, Split, fit
from core.i18n import Text

# LLaMA, Pythia, OPT, GLM-130B and BloombergGPT trained on sequences of 2,048 tokens; Llama 2 and
# most later ones on 4,096. The shorter one is taken, so that a long plan is not made too cheap.
PUBLISHED_SEQUENCE = 2048

# Power usage effectiveness: 1.1 at hyperscalers, 1.25 elsewhere (Epoch training-cost-trends @263c40a).
_PUE = 1.25


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """What is to be trained, on what. Every value is plain; :func:`estimate_training` checks them.

    ``model`` names an architecture of the table; its parameters then stand before the plan's own.
    ``parameters`` counts all, ``active_parameters`` those that one token uses (None: all of them).
    ``price_per_hour`` is in USD per accelerator (None: the price of ``provider`` in ``tier``).
    ``experiments`` is all compute ÷ the final run. ``micro_batch`` is in sequences per accelerator.
    ``stage``, ``tensor``, ``pipeline`` and ``recompute`` say how the run is split; all None: chosen.
    """

    parameters: float
    tokens: float
    active_parameters: float | None = None
    model: str = ""
    accelerator: str = "H100 SXM"
    accelerators: int = 8
    precision: str = "bf16"
    price_per_hour: float | None = None
    tier: str = "on_demand"
    provider: str = ""
    experiments: float = 1.5
    sequence_length: int = 2048
    micro_batch: int = 1
    stage: int | None = None
    tensor: int | None = None
    pipeline: int | None = None
    recompute: str | None = None
    pue: float = _PUE
    country: str = "USA"


@dataclass(frozen=True, slots=True)
class TrainingEstimate:
    """The estimate of a plan. ``gpu_hours``, ``days``, ``dollars``, ``energy_kwh`` and ``co2e_kg`` are the
    final run's; the same with ``all_`` before them hold the experiments too. Energy is None where
    nobody has published the power of the hardware. ``flop`` is all of them, ``counted_flop`` what the
    hours are counted from.
    """

    plan: TrainingPlan
    shape: LanguageModel
    parameters: float
    active: float
    accelerator: Accelerator
    calibration: Calibration
    price: HourlyPrice
    grid: Grid
    flop: float
    counted_flop: float
    attention_share: float
    mfu: Band
    gain: float
    gpu_hours: Band
    days: Band
    dollars: Band
    energy_kwh: Band | None
    co2e_kg: Band | None
    all_gpu_hours: Band
    all_days: Band
    all_dollars: Band
    all_energy_kwh: Band | None
    all_co2e_kg: Band | None
    fit: Fit
    failures: Failures
    tokens_per_parameter: float


@dataclass(frozen=True, slots=True)
class Experiments:
    """A published factor between all compute and the final run."""

    key: str
    factor: float
    label: Text
    year: int
    source: str


@lru_cache(maxsize=1)
def experiment_factors() -> tuple[Experiments, ...]:
    """The factors to choose from, smallest first, each with its source."""
    return tuple(
        Experiments(
            r["key"], float(r["factor"]), Text(r["label_en"], r["label_zh"]), int(r["year"]), r["source"]
        )
        for r in table("experiments")
    )


def estimate_training(plan: TrainingPlan, own_prices: tuple[PriceRow, ...] = ()) -> TrainingEstimate:
    """The estimate of ``plan``; a :class:`Refusal` that names the first input that is out of range."""
    hardware = accelerator(plan.accelerator)
    _check(plan, hardware)
    price = hourly_price(hardware, plan.price_per_hour, plan.tier, plan.provider, own_prices)
    shape, parameters, active = _model(plan)
    known = calibration(hardware, plan.accelerators, active, shape.is_moe)
    gain = fp8_gain() if plan.precision == "fp8" else 1.0

    share = _attention(shape, active, plan.sequence_length)
    flop = 6 * active * plan.tokens
    counted = max(0.0, share - _attention(shape, active, PUBLISHED_SEQUENCE))
    speed = hardware.peak("bf16") * known.mfu * gain
    hours = known.hours_ratio.times(flop * (1 + counted) / speed / 3600)
    days = hours.times(1 / (24 * plan.accelerators))
    dollars = hours.times(price.usd)
    energy = hours.times(hardware.watts * plan.pue / 1000) if hardware.watts else None
    where = grid(plan.country)
    emitted = energy.times(where.g_per_kwh / 1000) if energy else None
    return TrainingEstimate(
        plan=plan,
        shape=shape,
        parameters=parameters,
        active=active,
        accelerator=hardware,
        calibration=known,
        price=price,
        grid=where,
        flop=flop * (1 + share),
        counted_flop=flop * (1 + counted),
        attention_share=share,
        mfu=Band(
            known.mfu / known.hours_ratio.p90,
            known.mfu / known.hours_ratio.p50,
            known.mfu / known.hours_ratio.p10,
        ),
        gain=gain,
        gpu_hours=hours,
        days=days,
        dollars=dollars,
        energy_kwh=energy,
        co2e_kg=emitted,
        all_gpu_hours=hours.times(plan.experiments),
        all_days=days.times(plan.experiments),
        all_dollars=dollars.times(plan.experiments),
        all_energy_kwh=energy.times(plan.experiments) if energy else None,
        all_co2e_kg=emitted.times(plan.experiments) if emitted else None,
        fit=fit(
            shape,
            parameters,
            _split(plan),
            hardware,
            plan.accelerators,
            plan.sequence_length,
            plan.micro_batch,
        ),
        failures=failures(parameters, plan.accelerators, hours.p50),
        tokens_per_parameter=plan.tokens / active,
    )


def training_by_accelerator(
    plan: TrainingPlan, own_prices: tuple[PriceRow, ...] = ()
) -> tuple[TrainingEstimate, ...]:
    """The plan on every accelerator that has a price in the plan's tier and its precision, cheapest first."""
    estimates = [
        estimate_training(replace(plan, accelerator=other.name, price_per_hour=None, provider=""), own_prices)
        for other in accelerators().values()
        if plan.precision in other.precisions
        and any(row.tier == plan.tier and not row.provider for row in prices_of(other.name, own_prices))
    ]
    return tuple(sorted(estimates, key=lambda estimate: estimate.all_dollars.p50))


def training_by_price(
    estimate: TrainingEstimate, own_prices: tuple[PriceRow, ...] = ()
) -> list[tuple[PriceRow, Band]]:
    """The dollars of ``estimate``, with experiments, at every price of its accelerator, cheapest first."""
    rows = prices_of(estimate.accelerator.name, own_prices)
    return sorted(
        ((row, estimate.all_gpu_hours.times(row.typical)) for row in rows), key=lambda item: item[1].p50
    )


def _model(plan: TrainingPlan) -> tuple[LanguageModel, float, float]:
    """The shape, all parameters, and those at work."""
    if plan.model:
        shape = language_model(plan.model)
        return shape, float(shape.parameters), float(shape.counted_parameters)
    active = plan.active_parameters or plan.parameters
    return usual_shape(plan.parameters, active), plan.parameters, active


def _split(plan: TrainingPlan) -> Split | None:
    if all(part is None for part in (plan.stage, plan.tensor, plan.pipeline, plan.recompute)):
        return None
    recompute: Recompute = "none" if plan.recompute == "none" else "full"
    return Split(3 if plan.stage is None else plan.stage, plan.tensor or 1, plan.pipeline or 1, recompute)


def _check(plan: TrainingPlan, hardware: Accelerator) -> None:
    if not plan.model:
        within(plan.parameters, Text("Parameters", "参数量"), 1e5, 1e14)
        if plan.active_parameters is not None:
            within(plan.active_parameters, Text("Active parameters", "激活参数量"), 1e5, plan.parameters)
    within(plan.tokens, Text("Training tokens", "训练 token 数"), 1e3, 1e17)
    whole_within(plan.accelerators, Text("Number of accelerators", "加速器数量"), 1, 1_000_000)
    whole_within(plan.sequence_length, Text("Sequence length in tokens", "序列长度(token)"), 1, 10_000_000)
    whole_within(plan.micro_batch, Text("Sequences per accelerator", "每加速器序列数"), 1, 4096)
    within(plan.experiments, Text("Experiments multiplier", "实验倍数"), 1, 100)
    within(plan.pue, Text("Power usage effectiveness", "电能使用效率 PUE"), 1, 3)
    one_of(plan.precision, Text("Training precision", "训练精度"), ("bf16", "fp8"))
    one_of(plan.tier, Text("How it is bought", "购买方式"), TIERS)
    if plan.recompute is not None:
        one_of(plan.recompute, Text("Recomputation", "重计算"), ("none", "full"))
    hardware.peak(plan.precision)


def _attention(shape: LanguageModel, active: float, sequence: int) -> float:
    """FLOP of causal attention as a share of 6N per token."""
    return shape.attention_flop(sequence) / (6 * active)

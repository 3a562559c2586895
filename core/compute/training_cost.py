"""What it takes to train a model: operations, hours, money, energy, memory.

With N_a active parameters, D tokens, a model of L layers of width h and sequences of s tokens,

    FLOP       = 6 N_a D (1 + a(s) / 6 N_a),            a(s) = 6 L h s   (causal attention)
    GPU-hours  = FLOP' / (3600 × dense 16-bit peak × MFU × gain)
    dollars    = GPU-hours × price,   days = GPU-hours / (24 × accelerators)
    energy     = GPU-hours × watts × PUE / 1000

FLOP' leaves out the attention of the first ``PUBLISHED_SEQUENCE`` tokens: the published runs behind
the MFU are counted as 6ND, so what their own attention cost is in their MFU already. Sources: Kaplan
2020 and Narayanan 2021 for 6ND and the attention term; the MFU and the P10-P50-P90 come from
:mod:`core.compute.training_calibration`.

The final run is not the bill. ``experiments`` multiplies it by all that came before, and every figure
of money, hours and energy stands in both forms.
"""

import math
from dataclasses import dataclass, replace
from functools import lru_cache

from core.compute.band import Band
from core.compute.hardware import Accelerator, HourlyPrice, accelerator, accelerators, hourly_price
from core.compute.limits import one_of, whole_within, within
from core.compute.tables import table
from core.compute.training_calibration import Calibration, calibration, fp8_gain
from core.i18n import Refusal, Text

# LLaMA, Pythia, OPT, GLM-130B and BloombergGPT trained on sequences of 2,048 tokens; Llama 2 and
# most later ones on 4,096. The shorter one is taken, so that a long plan is not made too cheap.
PUBLISHED_SEQUENCE = 2048

# Width ÷ layers of published dense models: Llama 7B and 13B 128, 70B 102, GPT-3 128 (12,288 / 96).
_ASPECT = 128

# Bytes per parameter with Adam in mixed precision (Rajbhandari 2020): 16-bit weights and gradients;
# 32-bit master weights and two moments.
_WEIGHT, _GRADIENT, _OPTIMISER = 2, 2, 12

# Activations in bytes per token, layer and unit of width (Korthikanti 2022): all kept, with
# FlashAttention; or only each layer's input, the rest computed again.
_KEPT, _RECOMPUTED = 34, 2

# 32-bit logits and their gradient, per token and entry of the vocabulary (EleutherAI cookbook).
_LOGIT = 6
_VOCABULARY = 128_000  # Llama 3 128,256; Qwen3 151,936; Llama 2 32,000

USABLE = 0.9
"""Share of the memory that a run can fill; the rest goes to the driver, buffers and fragmentation."""

# Power usage effectiveness: 1.1 at hyperscalers, 1.25 elsewhere (Epoch training-cost-trends @263c40a).
_PUE = 1.25


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """What is to be trained, on what. Every value is plain; :func:`estimate_training` checks them.

    ``parameters`` counts all, ``active_parameters`` those that one token uses (None: all of them).
    ``price_per_hour`` is in USD per accelerator (None: the table's typical price). ``experiments``
    is all compute ÷ the final run. ``micro_batch`` is in sequences per accelerator.
    """

    parameters: float
    tokens: float
    active_parameters: float | None = None
    accelerator: str = "H100 SXM"
    accelerators: int = 8
    precision: str = "bf16"
    price_per_hour: float | None = None
    experiments: float = 1.5
    sequence_length: int = 2048
    micro_batch: int = 1
    recompute: bool = True
    pue: float = _PUE


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes on one accelerator, by part. ``working`` is what sharding gathers for a moment."""

    weights: float
    gradients: float
    optimiser: float
    activations: float
    working: float

    @property
    def total(self) -> float:
        return self.weights + self.gradients + self.optimiser + self.activations + self.working


@dataclass(frozen=True, slots=True)
class Fit:
    """Whether the run fits: ``whole`` with a full copy on each accelerator, ``sharded`` over all of them.

    ``problem`` says in a sentence why it fits in neither way; None where it fits. ``needed`` is the
    smallest number of accelerators over which it fits when sharded; None where no number helps.
    """

    whole: Memory
    sharded: Memory
    usable: float
    needed: int | None
    problem: Refusal | None

    @property
    def whole_fits(self) -> bool:
        return self.whole.total <= self.usable

    @property
    def fits(self) -> bool:
        return self.problem is None


@dataclass(frozen=True, slots=True)
class TrainingEstimate:
    """The estimate of a plan. ``gpu_hours``, ``days``, ``dollars`` and ``energy_kwh`` are the final
    run's; the same with ``all_`` before them hold the experiments too. Energy is None where nobody
    has published the power of the hardware. ``flop`` is all of them, ``counted_flop`` what the hours
    are counted from.
    """

    plan: TrainingPlan
    accelerator: Accelerator
    calibration: Calibration
    price: HourlyPrice
    flop: float
    counted_flop: float
    attention_share: float
    mfu: Band
    gain: float
    gpu_hours: Band
    days: Band
    dollars: Band
    energy_kwh: Band | None
    all_gpu_hours: Band
    all_days: Band
    all_dollars: Band
    all_energy_kwh: Band | None
    fit: Fit
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


def estimate_training(plan: TrainingPlan) -> TrainingEstimate:
    """The estimate of ``plan``; a :class:`Refusal` that names the first input that is out of range."""
    hardware = accelerator(plan.accelerator)
    _check(plan, hardware)
    price = hourly_price(hardware, plan.price_per_hour)
    active = plan.active_parameters or plan.parameters
    known = calibration(hardware.family.key)
    gain = fp8_gain() if plan.precision == "fp8" else 1.0

    share = _attention(active, plan.sequence_length)
    flop = 6 * active * plan.tokens
    counted = max(0.0, share - _attention(active, PUBLISHED_SEQUENCE))
    speed = hardware.peak("bf16") * known.mfu * gain
    hours = known.hours_ratio.times(flop * (1 + counted) / speed / 3600)
    days = hours.times(1 / (24 * plan.accelerators))
    dollars = hours.times(price.usd)
    energy = hours.times(hardware.watts * plan.pue / 1000) if hardware.watts else None
    return TrainingEstimate(
        plan=plan,
        accelerator=hardware,
        calibration=known,
        price=price,
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
        all_gpu_hours=hours.times(plan.experiments),
        all_days=days.times(plan.experiments),
        all_dollars=dollars.times(plan.experiments),
        all_energy_kwh=energy.times(plan.experiments) if energy else None,
        fit=_fit(plan, hardware, active),
        tokens_per_parameter=plan.tokens / active,
    )


def training_by_accelerator(plan: TrainingPlan) -> tuple[TrainingEstimate, ...]:
    """The plan on every accelerator that has a rental price and the plan's precision, cheapest first."""
    estimates = [
        estimate_training(replace(plan, accelerator=other.name, price_per_hour=None))
        for other in accelerators().values()
        if other.prices and plan.precision in other.precisions
    ]
    return tuple(sorted(estimates, key=lambda estimate: estimate.all_dollars.p50))


def _check(plan: TrainingPlan, hardware: Accelerator) -> None:
    within(plan.parameters, Text("Parameters", "参数量"), 1e5, 1e14)
    within(plan.tokens, Text("Training tokens", "训练 token 数"), 1e3, 1e17)
    if plan.active_parameters is not None:
        within(plan.active_parameters, Text("Active parameters", "激活参数量"), 1e5, plan.parameters)
    whole_within(plan.accelerators, Text("Number of accelerators", "加速器数量"), 1, 1_000_000)
    whole_within(plan.sequence_length, Text("Sequence length in tokens", "序列长度(token)"), 1, 10_000_000)
    whole_within(plan.micro_batch, Text("Sequences per accelerator", "每加速器序列数"), 1, 4096)
    within(plan.experiments, Text("Experiments multiplier", "实验倍数"), 1, 100)
    within(plan.pue, Text("Power usage effectiveness", "电能使用效率 PUE"), 1, 3)
    one_of(plan.precision, Text("Training precision", "训练精度"), ("bf16", "fp8"))
    hardware.peak(plan.precision)


def _shape(active: float) -> tuple[float, float]:
    """Layers and width of a usual dense transformer with so many parameters: 12 L h², h = 128 L."""
    width = (_ASPECT * active / 12) ** (1 / 3)
    return max(1.0, width / _ASPECT), width


def _attention(active: float, sequence: int) -> float:
    """FLOP of causal attention as a share of 6N per token: 6 L h s ÷ 6 N_a."""
    layers, width = _shape(active)
    return layers * width * sequence / active


def _fit(plan: TrainingPlan, hardware: Accelerator, active: float) -> Fit:
    layers, width = _shape(active)
    batch = plan.sequence_length * plan.micro_batch
    kept = _RECOMPUTED * layers + _KEPT if plan.recompute else _KEPT * layers
    activations = batch * (kept * width + _LOGIT * _VOCABULARY)
    n, count = plan.parameters, plan.accelerators
    gathered = _WEIGHT * 2 * n / layers if count > 1 else 0.0  # the layer at work and the next one
    whole = Memory(_WEIGHT * n, _GRADIENT * n, _OPTIMISER * n, activations, 0.0)
    sharded = Memory(
        _WEIGHT * n / count, _GRADIENT * n / count, _OPTIMISER * n / count, activations, gathered
    )
    usable = USABLE * hardware.memory_gb * 1e9
    room = usable - activations - _WEIGHT * 2 * n / layers
    states = (_WEIGHT + _GRADIENT + _OPTIMISER) * n
    needed = 1 if whole.total <= usable else math.ceil(states / room) if room > 0 else None
    return Fit(whole, sharded, usable, needed, _problem(whole, sharded, usable, needed, plan))


def _problem(
    whole: Memory, sharded: Memory, usable: float, needed: int | None, plan: TrainingPlan
) -> Refusal | None:
    if min(whole.total, sharded.total) <= usable:
        return None
    values: dict[str, object] = {
        "need": f"{sharded.total / 1e9:,.0f}",
        "have": f"{usable / 1e9:,.0f}",
        "accelerator": plan.accelerator,
    }
    if needed is None or needed > 1_000_000:
        return Refusal(
            "Needs {need} GB on each {accelerator}, which has room for {have} GB; no number of them"
            " helps: shorten the sequences or split the layers themselves (tensor and pipeline parallel).",
            **values,
        )
    return Refusal(
        "Needs {need} GB on each {accelerator}, which has room for {have} GB; sharded over {count} it fits.",
        count=needed,
        **values,
    )

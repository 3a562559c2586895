"""What fine-tuning costs: memory, hours and dollars of full, LoRA and QLoRA tuning; DPO; RL.

T tokens pass through the model: examples × tokens × passes. With the seconds t of a micro-step of b·s
tokens from :mod:`core.compute.finetuning_calibration`, on n accelerators,

    GPU-hours = T / (b·s) · t · w · n^c / 3600 ÷ 0.84

where w is the work against plain supervised tuning (and the attention beyond the 8,192 tokens that the
table profiled), c the price of spreading work thinly (as in :mod:`core.compute.training_calibration`),
and 0.84 the median of what whole runs reached ÷ what their
authors say of a steady hour (seven runs). The band goes from the steady hour to 0.64 of it, which is
what whole runs reach of benchmarks, each with the spread of the profiled table.

    supervised   w = 1
    DPO          twice the tokens (chosen and rejected), w = (6 + 2) / 6: a reference model reads along
    RL (GRPO)    answers are written first, at the speed of serving; each is then trained on, with the
                 old policy and a reference reading along: w = (6 + 2 + 2) / 6

Full tuning shards its states over the accelerators (ZeRO stage 3); LoRA and QLoRA keep a whole copy of
the weights on each where it fits, else shard them too. Full DPO and RL hold the reference as well, and
RL the weights of the engine that writes.
"""

from dataclasses import dataclass, replace
from typing import Literal, cast, get_args

import numpy as np

from core.compute.band import Band
from core.compute.finetuning_calibration import (
    Held,
    Method,
    adapter_parameters,
    constants,
    held,
    step_seconds,
    step_spread,
)
from core.compute.hardware import Accelerator, accelerator
from core.compute.language_models import LanguageModel, language_model
from core.compute.limits import one_of, whole_within, within
from core.compute.prices import TIERS, HourlyPrice, PriceRow, hourly_price
from core.compute.roofline import room, tokens_per_second
from core.compute.serving_calibration import constants as serving_constants
from core.compute.serving_calibration import kind_of, replica_of, throughput_ratio
from core.compute.training_calibration import constants as training_constants
from core.compute.training_calibration import covariates
from core.compute.training_memory import USABLE
from core.i18n import Refusal, Text

METHODS: tuple[Method, ...] = get_args(Method)
Goal = Literal["sft", "dpo", "rl"]
GOALS: tuple[Goal, ...] = get_args(Goal)

METHOD_LABELS: dict[str, Text] = {
    "lora": Text("LoRA: small adapters", "LoRA:小型适配器"),
    "qlora": Text("QLoRA: adapters on 4-bit weights", "QLoRA:4 位权重上的适配器"),
    "full": Text("Full: every weight", "全参数:更新所有权重"),
}
GOAL_LABELS: dict[str, Text] = {
    "sft": Text("Examples to imitate (SFT)", "模仿示例(SFT)"),
    "dpo": Text("Pairs to prefer (DPO)", "偏好对(DPO)"),
    "rl": Text("Answers to reward (RL)", "奖励回答(RL)"),
}

# Whole runs against a steady hour: implied ÷ self-reported MFU of Skywork .461/.565, TinyLlama .51/.56,
# PaLM .304/.457, Gopher .302/.325, GLM .251/.325, Llama 405B .346/.41, Nemotron-4 15B .306/.307; and
# whole runs against published benchmarks, 0.64 on A100 and on H100.
_WHOLE_RUN, _AGAINST_BENCHMARK = 0.84, 0.64

# The longest sequence of the profiled table: its attention is in the fit as if it were parameters.
_PROFILED_SEQUENCE = 8192

_WORK: dict[str, float] = {"sft": 1.0, "dpo": 8 / 6, "rl": 10 / 6}

# Requests written at once in a rollout; vLLM's default is 256.
_ROLLOUT_BATCH = 256


@dataclass(frozen=True, slots=True)
class FinetunePlan:
    """What is tuned, how and on what; :func:`estimate_finetuning` checks it.

    ``examples`` of ``tokens_per_example`` tokens (pairs in DPO: of one side; prompts in RL), ``epochs``
    passes. ``rollouts`` answers of ``tokens_per_answer`` are written to each prompt in RL.
    ``sequence_length`` is what examples are packed or cut to, ``micro_batch`` of them at a time.
    """

    examples: float
    tokens_per_example: float = 1000.0
    epochs: float = 3.0
    model: str = "Llama 3.1 8B"
    method: str = "lora"
    goal: str = "sft"
    rank: int = 16
    rollouts: int = 8
    tokens_per_answer: float = 1000.0
    sequence_length: int = 2048
    micro_batch: int = 1
    accelerator: str = "H100 SXM"
    accelerators: int = 1
    price_per_hour: float | None = None
    tier: str = "on_demand"
    provider: str = ""
    experiments: float = 2.0


@dataclass(frozen=True, slots=True)
class FinetuneEstimate:
    """The estimate of a plan. ``tokens`` pass through training; ``written`` are generated first, in RL,
    in ``writing_hours`` of ``gpu_hours``. ``memory`` is that of one accelerator; ``needed`` the fewest
    on which it fits, None where no number helps or it fits. ``all_`` holds the experiments too.
    """

    plan: FinetunePlan
    model: LanguageModel
    accelerator: Accelerator
    price: HourlyPrice
    tokens: float
    written: float
    trained_parameters: float
    flop: float
    memory: Held
    usable: float
    sharded: bool
    needed: int | None
    problem: Refusal | None
    writing_hours: float
    gpu_hours: Band
    days: Band
    dollars: Band
    all_gpu_hours: Band
    all_days: Band
    all_dollars: Band


def estimate_finetuning(plan: FinetunePlan, own_prices: tuple[PriceRow, ...] = ()) -> FinetuneEstimate:
    """The estimate of ``plan``; a :class:`Refusal` that names the first input that is out of range."""
    _check(plan)
    model, hardware = language_model(plan.model), accelerator(plan.accelerator)
    price = hourly_price(hardware, plan.price_per_hour, plan.tier, plan.provider, own_prices)
    method, goal = cast(Method, plan.method), cast(Goal, plan.goal)
    tokens, written = _tokens(plan)
    writing = _writing_hours(plan, model, hardware, written) if written else Band(0.0, 0.0, 0.0)
    training = _training_hours(plan, model, hardware, method, tokens * _WORK[goal])
    hours = Band(training.p10 + writing.p10, training.p50 + writing.p50, training.p90 + writing.p90)
    days, dollars = hours.times(1 / (24 * plan.accelerators)), hours.times(price.usd)
    memory, sharded = _memory(plan, model, hardware, method, plan.accelerators)
    usable = USABLE * hardware.memory_gb * 1e9
    needed = None if memory.total <= usable else _fewest(plan, model, hardware, method, usable)
    x = plan.experiments
    return FinetuneEstimate(
        plan=plan,
        model=model,
        accelerator=hardware,
        price=price,
        tokens=tokens,
        written=written,
        trained_parameters=_trained(plan, model),
        flop=_flop(plan, model, tokens * _WORK[goal], written),
        memory=memory,
        usable=usable,
        sharded=sharded,
        needed=needed,
        problem=None if memory.total <= usable else _problem(plan, memory, usable, needed),
        writing_hours=writing.p50,
        gpu_hours=hours,
        days=days,
        dollars=dollars,
        all_gpu_hours=hours.times(x),
        all_days=days.times(x),
        all_dollars=dollars.times(x),
    )


def finetuning_by_method(
    plan: FinetunePlan, own_prices: tuple[PriceRow, ...] = ()
) -> tuple[FinetuneEstimate, ...]:
    """The plan in each of the three methods."""
    return tuple(estimate_finetuning(replace(plan, method=method), own_prices) for method in METHODS)


def _tokens(plan: FinetunePlan) -> tuple[float, float]:
    """Tokens that pass through training, and tokens that are written for it."""
    seen = plan.examples * plan.epochs
    if plan.goal == "rl":
        answers = seen * plan.rollouts
        return answers * (plan.tokens_per_example + plan.tokens_per_answer), answers * plan.tokens_per_answer
    return seen * plan.tokens_per_example * (2 if plan.goal == "dpo" else 1), 0.0


def _flop(plan: FinetunePlan, model: LanguageModel, tokens: float, written: float) -> float:
    """FLOP of ``tokens`` of plain supervised work, attention included, and of writing."""
    return tokens * (6 * model.active_parameters + model.attention_flop(plan.sequence_length)) + (
        2 * model.active_parameters * written
    )


def _training_hours(
    plan: FinetunePlan, model: LanguageModel, hardware: Accelerator, method: Method, tokens: float
) -> Band:
    """GPU-hours of ``tokens`` of plain supervised work."""
    active = float(model.active_parameters)
    one = np.array(covariates(hardware, 1, active, model.is_moe))
    many = np.array(covariates(hardware, plan.accelerators, active, model.is_moe))
    a100 = np.array(covariates(accelerator("A100 SXM 80GB"), 1, active, False))
    known = training_constants()
    # What the class and the experts do against the A100 of the table, and what spreading does.
    reached = float(np.exp(known.log_mfu(one) - known.log_mfu(a100)))
    thinner = float(np.exp(known.log_mfu(one) - known.log_mfu(many)))
    micro = plan.sequence_length * plan.micro_batch
    seconds = step_seconds(
        model, method, micro, hardware.peak("bf16") * reached, constants(), hardware.bandwidth_gb_s
    )
    far = model.attention_flop(plan.sequence_length) - model.attention_flop(_PROFILED_SEQUENCE)
    steady = tokens / micro * seconds * thinner / 3600 * (1 + max(0.0, far) / (6 * active))
    low, high = step_spread()
    return Band(steady * low, steady / _WHOLE_RUN, steady * high / _AGAINST_BENCHMARK)


def _writing_hours(plan: FinetunePlan, model: LanguageModel, hardware: Accelerator, written: float) -> Band:
    """GPU-hours of writing the answers of RL, on as few accelerators as hold the model in 16 bits."""
    for count in (1, 2, 4, 8, 16, 32, 64):
        replica = replica_of(
            model,
            hardware,
            count,
            precision="bf16",
            kv_bytes_per_value=2.0,
            input_tokens=plan.tokens_per_example,
            output_tokens=plan.tokens_per_answer,
            max_batch=_ROLLOUT_BATCH,
        )
        if float(room(replica, serving_constants())) >= 1:
            speed = float(tokens_per_second(replica, serving_constants())) / count
            ratio = throughput_ratio(kind_of(model))
            hours = written / speed / 3600
            return Band(hours / ratio.p90, hours, hours / ratio.p10)
    raise Refusal(
        "{model} writes its answers on no number of {accelerator} up to 64: it does not fit.",
        model=model.name,
        accelerator=hardware.name,
    )


def _memory(
    plan: FinetunePlan, model: LanguageModel, hardware: Accelerator, method: Method, count: int
) -> tuple[Held, bool]:
    """What one of ``count`` accelerators holds, and whether weights are sharded over them."""
    sequences = plan.micro_batch * (2 if plan.goal == "dpo" else 1)
    whole = held(model, method, plan.rank, plan.sequence_length, sequences)
    beside = 0.0
    if method == "full" and plan.goal != "sft":
        beside += 2.0 * model.parameters  # the reference; an adapter's is the model without it
    if plan.goal == "rl":
        beside += 2.0 * model.parameters  # the engine that writes
    whole = replace(whole, weights=whole.weights + beside)
    if count == 1 or (method != "full" and whole.total <= USABLE * hardware.memory_gb * 1e9):
        return whole, False
    gathered = 2 * 2.0 * model.parameters / model.layers  # the layer at work and the next one
    return (
        replace(whole, weights=whole.weights / count + gathered, trained=whole.trained / count),
        True,
    )


def _fewest(
    plan: FinetunePlan, model: LanguageModel, hardware: Accelerator, method: Method, usable: float
) -> int | None:
    counts: list[int] = [1, 2, 4, *range(8, 1025, 8)]
    for count in counts:
        if _memory(plan, model, hardware, method, count)[0].total <= usable:
            return count
    return None


def _trained(plan: FinetunePlan, model: LanguageModel) -> float:
    return float(model.parameters) if plan.method == "full" else adapter_parameters(model, plan.rank)


def _problem(plan: FinetunePlan, memory: Held, usable: float, needed: int | None) -> Refusal:
    values: dict[str, object] = {
        "need": f"{memory.total / 1e9:,.0f}",
        "have": f"{usable / 1e9:,.0f}",
        "accelerator": plan.accelerator,
    }
    if needed is None:
        return Refusal(
            "Needs {need} GB on each {accelerator}, which has room for {have} GB; no number of them"
            " helps: shorten the sequences.",
            **values,
        )
    return Refusal(
        "Needs {need} GB on each {accelerator}, which has room for {have} GB; it fits on {count} of them.",
        count=needed,
        **values,
    )


def _check(plan: FinetunePlan) -> None:
    within(plan.examples, Text("Examples", "样本数"), 1, 1e12)
    within(plan.tokens_per_example, Text("Tokens per example", "每个样本的 token"), 1, 1e7)
    within(plan.epochs, Text("Passes over the data", "训练轮数"), 0.01, 1000)
    one_of(plan.method, Text("Method", "方法"), METHODS)
    one_of(plan.goal, Text("Goal", "目标"), GOALS)
    one_of(plan.tier, Text("How it is bought", "购买方式"), TIERS)
    whole_within(plan.rank, Text("Rank of the adapters", "适配器秩"), 1, 4096)
    whole_within(plan.rollouts, Text("Answers per prompt", "每个提示的回答数"), 1, 1024)
    within(plan.tokens_per_answer, Text("Tokens per answer", "每个回答的 token"), 1, 1e6)
    whole_within(plan.sequence_length, Text("Sequence length in tokens", "序列长度(token)"), 16, 10_000_000)
    whole_within(plan.micro_batch, Text("Sequences per accelerator", "每加速器序列数"), 1, 1024)
    whole_within(plan.accelerators, Text("Number of accelerators", "加速器数量"), 1, 4096)
    within(plan.experiments, Text("Experiments multiplier", "实验倍数"), 1, 100)

"""What a training run holds in memory on one accelerator, part by part, and how it is split to fit.

With N parameters of which N / (t·p) lie on an accelerator (t tensor parallel, p pipeline stages) and
d = accelerators / (t·p) replicas of the data, Adam in mixed precision holds 2 + 2 + 12 bytes a
parameter, and ZeRO divides the parts by d (Rajbhandari 2020, arXiv 1910.02054):

    weights     2 N / (t p)    ÷ d at stage 3
    gradients   2 N / (t p)    ÷ d at stages 2 and 3
    optimiser  12 N / (t p)    ÷ d at stages 1 to 3        (32-bit weights, two moments)
    gathered    the layer at work and the next one, whole, at stage 3

Activations follow Korthikanti 2022 (arXiv 2205.05198) without dropout. A layer keeps, per token,

    2 · (4 h + 2 a·d_h + 2 k·d_h) + 2 · (3 f where gated, else 2 f)   bytes

which is 32 h for GPT-3 (34 h with dropout masks); tensor with sequence parallelism divides it by t.
Recomputation keeps the input of each layer only, 2 h, and one layer in full. A pipeline keeps as many
micro-batches under way as it has stages, so its first stage holds what all layers of one would. The
loss adds 32-bit logits and their gradient, 6 bytes per token and entry of the vocabulary.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from core.compute.hardware import Accelerator
from core.compute.language_models import LanguageModel
from core.compute.limits import one_of, whole_within
from core.i18n import Refusal, Text

Recompute = Literal["none", "full"]
RECOMPUTE: tuple[Recompute, ...] = get_args(Recompute)

USABLE = 0.9
"""Share of the memory that a run can fill; the rest goes to the driver, buffers and fragmentation."""

WEIGHT, GRADIENT, OPTIMISER = 2.0, 2.0, 12.0
"""Bytes per parameter with Adam in mixed precision."""

_LOGIT = 6.0  # 32-bit logits and their gradient (EleutherAI cookbook)

_MOST = 2**20

# Accelerators in one server, which is as far as tensor parallelism is worth taking (Narayanan 2021).
_SERVER = 8


@dataclass(frozen=True, slots=True)
class Split:
    """How a run is spread: ZeRO ``stage``, ``tensor`` and ``pipeline`` parallelism, recomputation."""

    stage: int = 3
    tensor: int = 1
    pipeline: int = 1
    recompute: Recompute = "full"


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes on one accelerator, by part. ``working`` is what sharding gathers for a moment."""

    weights: float
    gradients: float
    optimiser: float
    activations: float
    logits: float
    working: float

    @property
    def total(self) -> float:
        return self.weights + self.gradients + self.optimiser + self.activations + self.logits + self.working


@dataclass(frozen=True, slots=True)
class Fit:
    """Whether a run fits, split as ``split`` says: ``memory`` of ``usable`` bytes on each accelerator.

    ``chosen`` says that the split was looked for. ``needed`` is the smallest number of accelerators on
    which some split fits; None where none up to a million does. ``problem`` says in a sentence why it
    does not fit; None where it does.
    """

    split: Split
    chosen: bool
    memory: Memory
    usable: float
    needed: int | None
    problem: Refusal | None

    @property
    def fits(self) -> bool:
        return self.problem is None

    @property
    def data_parallel(self) -> bool:
        """Whether each accelerator holds the whole model."""
        return self.split.stage < 3 and self.split.tensor == self.split.pipeline == 1


def memory(
    shape: LanguageModel,
    parameters: float,
    split: Split,
    accelerators: int,
    sequence_length: int,
    micro_batch: int,
) -> Memory:
    """The memory of one accelerator of ``accelerators``, at ``micro_batch`` sequences at a time."""
    held = parameters / (split.tensor * split.pipeline)
    copies = accelerators / (split.tensor * split.pipeline)
    tokens = sequence_length * micro_batch
    layer = kept_per_token(shape) * tokens / split.tensor
    inputs = 2 * shape.hidden * tokens / split.tensor
    kept = shape.layers * layer if split.recompute == "none" else shape.layers * inputs + layer
    gathered = (
        2 * WEIGHT * parameters / shape.layers / split.tensor if split.stage == 3 and copies > 1 else 0.0
    )
    return Memory(
        weights=WEIGHT * held / (copies if split.stage >= 3 else 1),
        gradients=GRADIENT * held / (copies if split.stage >= 2 else 1),
        optimiser=OPTIMISER * held / (copies if split.stage >= 1 else 1),
        activations=kept,
        logits=_LOGIT * shape.vocabulary * tokens / split.tensor,
        working=gathered,
    )


def kept_per_token(shape: LanguageModel) -> float:
    """Bytes that one layer keeps of one token for its gradient."""
    attention = 4 * shape.hidden + 2 * shape.head_dim * (shape.heads + shape.kv_heads)
    used = shape.experts_per_token + shape.shared_experts
    width = used * shape.expert_intermediate if shape.is_moe else shape.intermediate
    return 2.0 * attention + 2.0 * (3 if shape.gated else 2) * width


def fit(
    shape: LanguageModel,
    parameters: float,
    split: Split | None,
    hardware: Accelerator,
    accelerators: int,
    sequence_length: int,
    micro_batch: int,
) -> Fit:
    """Whether the run fits as ``split`` says, or, with None, as the cheapest split that fits."""
    usable = USABLE * hardware.memory_gb * 1e9
    if split is not None:
        check_split(split, shape, accelerators)

    def need(trial: Split, count: int) -> Memory:
        return memory(shape, parameters, trial, count, sequence_length, micro_batch)

    tried = split or next(
        (s for s in splits(shape, accelerators) if need(s, accelerators).total <= usable), None
    )
    if tried is None:
        tried = min(splits(shape, accelerators), key=lambda s: need(s, accelerators).total)
    found = need(tried, accelerators)
    if found.total <= usable:
        return Fit(tried, split is None, found, usable, None, None)
    needed = _fewest(shape, usable, need)
    return Fit(tried, split is None, found, usable, needed, _problem(found.total, usable, needed, hardware))


def splits(shape: LanguageModel, accelerators: int) -> Iterator[Split]:
    """The splits worth trying, those that cost least speed first.

    Keeping activations is cheaper than computing them again (a third more work); sharding the states
    over the data-parallel replicas is cheaper than splitting layers (tensor, within a server), which
    is cheaper than a pipeline with its bubble (Narayanan 2021, arXiv 2104.04473).
    """
    tensors = [t for t in (1, 2, 4, 8) if _divides(t, accelerators, shape.heads) and t <= _SERVER]
    for pipeline in (1, 2, 4, 8, 16, 32):
        for tensor in tensors:
            if pipeline > shape.layers or accelerators % (tensor * pipeline):
                continue
            stages = (0, 1, 2, 3) if pipeline == 1 else (1,)
            for recompute in RECOMPUTE:
                for stage in stages:
                    if accelerators // (tensor * pipeline) > 1 or stage == 0 or pipeline > 1:
                        yield Split(stage, tensor, pipeline, recompute)


def check_split(split: Split, shape: LanguageModel, accelerators: int) -> None:
    """Refuse a split that the model or the number of accelerators does not allow."""
    whole_within(split.stage, Text("ZeRO stage", "ZeRO 阶段"), 0, 3)
    one_of(split.recompute, Text("Recomputation", "重计算"), RECOMPUTE)
    whole_within(split.tensor, Text("Tensor parallelism", "张量并行"), 1, 1024)
    whole_within(split.pipeline, Text("Pipeline stages", "流水线级数"), 1, shape.layers)
    if accelerators % (split.tensor * split.pipeline):
        raise Refusal(
            "Tensor {tensor} × pipeline {pipeline} does not divide {count} accelerators.",
            tensor=split.tensor,
            pipeline=split.pipeline,
            count=accelerators,
        )


def _divides(tensor: int, accelerators: int, heads: int) -> bool:
    return accelerators % tensor == 0 and (heads % tensor == 0 or tensor == 1)


def _fewest(shape: LanguageModel, usable: float, need: Callable[[Split, int], Memory]) -> int | None:
    """The fewest accelerators, of whole servers beyond one, on which the run fits in some split."""

    def fits(count: int) -> bool:
        return any(need(split, count).total <= usable for split in splits(shape, count))

    if not fits(_MOST):  # where each split holds the least, and every split is possible
        return None
    count = 1
    while count <= _MOST:
        if fits(count):
            return count
        count = count * 2 if count < _SERVER else max(count + _SERVER, count * 5 // 4 // _SERVER * _SERVER)
    return None


def _problem(needed: float, usable: float, count: int | None, hardware: Accelerator) -> Refusal:
    values: dict[str, object] = {
        "need": f"{needed / 1e9:,.0f}",
        "have": f"{usable / 1e9:,.0f}",
        "accelerator": hardware.name,
    }
    if count is None:
        return Refusal(
            "Needs {need} GB on each {accelerator}, which has room for {have} GB; no number of them"
            " helps: shorten the sequences.",
            **values,
        )
    return Refusal(
        "Needs {need} GB on each {accelerator}, which has room for {have} GB; it fits on {count} of them.",
        count=count,
        **values,
    )

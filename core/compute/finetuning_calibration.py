"""How long a step of fine-tuning takes and what it holds, learnt from one careful table.

Qwen's README profiles LoRA (rank 64), QLoRA and full fine-tuning of 1.8 B to 72 B on one A100 of 80 GB
at sequences of 256 to 8,192 tokens, one sequence at a time (``data/published_finetuning.csv``). With N
parameters, L layers and t tokens in a micro-step, its seconds are

    max(6 N t / (peak · e),  L · o)  +  N · q   (q only in QLoRA),     e = e_max / (1 + N_half / N)

so there are four constants: the efficiency of a large model, the size at which half of it is left, the
seconds a layer needs at least, and what unpacking 4-bit weights costs per parameter. LoRA skips the
gradients of the frozen weights, 2 N of the 6 N, but computes activations again, and by measurement
takes the time of 6 N. Fitted by :mod:`core.compute.finetuning_fit`, once on all and once without each
model, to the rows of LoRA and QLoRA.

Memory on the accelerator, in bytes:

    LoRA     2 N + 16 N_adapter
    QLoRA    0.53 (N − N_embedding) + 4 N_embedding + 16 N_adapter    (4 bits with double quantisation;
             embeddings are kept in 32 bits)
    full     18 N      (16-bit weights, 32-bit gradients, master weights and two moments)

each with the activations of recomputation (:mod:`core.compute.training_memory`), 9 bytes per token and
entry of the vocabulary for the logits, and 1.4 GB of context. The last two were chosen to keep the
largest error over the table's LoRA and QLoRA rows smallest.
"""

from dataclasses import dataclass, fields
from functools import cache, lru_cache
from typing import Literal

import numpy as np

from core.compute.hardware import Accelerator, accelerator
from core.compute.language_models import LanguageModel, language_model
from core.compute.tables import table
from core.compute.training_memory import kept_per_token

Method = Literal["full", "lora", "qlora"]

CONTEXT_BYTES = 1.4e9
LOGIT_BYTES = 9.0

_ADAPTER_STATE = 16.0  # bytes per trained parameter of an adapter: weights, gradients, Adam, all of them
_FULL_STATE = 18.0  # as LLaMA-Factory counts it
_FOUR_BIT, _KEPT_WIDE = 0.53, 4.0


@dataclass(frozen=True, slots=True)
class StepConstants:
    """The four constants; the rate of ``unpack_seconds`` is per parameter on an A100's 2,039 GB/s."""

    efficiency: float
    half_size: float
    layer_seconds: float
    unpack_seconds: float


@dataclass(frozen=True, slots=True)
class Profile:
    """A row of the table: seconds of one micro-step of one sequence, and GB at the peak."""

    model: LanguageModel
    method: Method
    hardware: Accelerator
    sequence_length: int
    seconds: float
    memory_gb: float


@dataclass(frozen=True, slots=True)
class Held:
    """Bytes by part: frozen or trained weights, what the optimiser keeps, activations, logits, context."""

    weights: float
    trained: float
    activations: float
    logits: float
    context: float

    @property
    def total(self) -> float:
        return self.weights + self.trained + self.activations + self.logits + self.context


def step_seconds(
    model: LanguageModel,
    method: Method,
    tokens: float,
    peak: float,
    known: StepConstants,
    bandwidth_gb_s: float,
) -> float:
    """Seconds of a micro-step of ``tokens`` on one accelerator that reaches A100-like shares of ``peak``."""
    active, size = model.active_parameters, float(model.active_parameters)
    reached = known.efficiency / (1 + known.half_size / size)
    work = max(6 * active * tokens / (peak * reached), model.layers * known.layer_seconds)
    unpack = model.parameters * known.unpack_seconds * _A100_BANDWIDTH / bandwidth_gb_s
    return work + (unpack if method == "qlora" else 0.0)


def held(model: LanguageModel, method: Method, rank: int, sequence_length: int, sequences: float) -> Held:
    """What one accelerator holds that holds the whole model."""
    size = float(model.parameters)
    wide = float(model.vocabulary * model.hidden * (1 if model.tied else 2))
    tokens = sequence_length * sequences
    weights = {"lora": 2 * size, "qlora": _FOUR_BIT * (size - wide) + _KEPT_WIDE * wide, "full": 2 * size}
    trained = (
        (_FULL_STATE - 2) * size if method == "full" else _ADAPTER_STATE * adapter_parameters(model, rank)
    )
    return Held(
        weights=weights[method],
        trained=trained,
        activations=tokens * (2 * model.hidden * model.layers + kept_per_token(model)),
        logits=LOGIT_BYTES * tokens * model.vocabulary,
        context=CONTEXT_BYTES,
    )


def adapter_parameters(model: LanguageModel, rank: int) -> float:
    """Parameters of LoRA adapters on every matrix of every layer: rank · (rows + columns) each.

    In a mixture of experts the adapters of the experts that always work and of those chosen are
    counted as one feed-forward of the width at work.
    """
    width = model.heads * model.head_dim
    keys = model.kv_heads * model.head_dim
    inner = (
        (model.experts_per_token + model.shared_experts) * model.expert_intermediate
        if model.is_moe
        else model.intermediate
    )
    attention = 2 * (model.hidden + width) + 2 * (model.hidden + keys)
    return float(rank * model.layers * (attention + (3 if model.gated else 2) * (model.hidden + inner)))


@cache
def constants(left_out: str = "") -> StepConstants:
    """The constants fitted on all rows, or on all but those of the model ``left_out``."""
    row = next(row for row in table("finetuning_constants") if row["left_out"] == left_out)
    return StepConstants(**{field.name: float(row[field.name]) for field in fields(StepConstants)})


@lru_cache(maxsize=1)
def profiles() -> tuple[Profile, ...]:
    """The rows of the table."""
    return tuple(
        Profile(
            model=language_model(row["model"]),
            method=row["method"],  # type: ignore[arg-type]
            hardware=accelerator(row["accelerator"]),
            sequence_length=int(row["sequence_length"]),
            seconds=float(row["seconds_per_step"]) / float(row["sequences_per_step"]),
            memory_gb=float(row["memory_gb"]),
        )
        for row in table("published_finetuning")
    )


@lru_cache(maxsize=1)
def time_ratios() -> tuple[float, ...]:
    """Published ÷ predicted seconds of the LoRA and QLoRA rows, each model left out of its fit."""
    return tuple(
        row.seconds / profiled_seconds(row, constants(row.model.name))
        for row in profiles()
        if row.method != "full"
    )


def profiled_seconds(row: Profile, known: StepConstants) -> float:
    """The predicted seconds of a row's micro-step."""
    return step_seconds(
        row.model,
        row.method,
        row.sequence_length,
        row.hardware.peak("bf16"),
        known,
        row.hardware.bandwidth_gb_s,
    )


@lru_cache(maxsize=1)
def step_spread() -> tuple[float, float]:
    """The 10th and 90th percentile of :func:`time_ratios`."""
    low, high = np.quantile(time_ratios(), [0.1, 0.9])
    return float(low), float(high)


_A100_BANDWIDTH = 2039.0

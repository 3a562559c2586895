"""The roofline's constants, and how far published throughput lay from it.

The constants (``data/serving_constants.csv``) are fitted by :mod:`core.compute.serving_fit` on the
offline throughput that NVIDIA publishes for its own serving software: eight, one set for dense models
and mixtures of experts, so that what one kind cannot tell (two dense models say little of tensor
parallelism and 4-bit weights apart) the other does. The table also holds the constants fitted without
each model. The band is theirs: published ÷ predicted throughput of the model left out. So it says how
wrong the roofline is about a model it has not seen. Cells: ``data/published_serving.csv``.

These are throughputs of machines that are never idle, by the vendor's own hand. What is lost to
waiting, peaks and latency limits is the plan's ``utilisation``, not part of the band.
"""

from dataclasses import dataclass, fields
from functools import cache, lru_cache
from typing import Literal

import numpy as np

from core.compute.band import Band
from core.compute.hardware import Accelerator
from core.compute.language_models import BYTES_PER_WEIGHT, LanguageModel
from core.compute.records import ServingRecord, published_serving
from core.compute.roofline import Array, Constants, Replica, tokens_per_second
from core.compute.tables import table

Kind = Literal["dense", "moe"]

PUBLISHED_BATCH = 2048
"""The published runs allowed up to this many requests at once."""

# TensorRT-LLM's Llama 3.1 checkpoints hold the KV cache in 8 bits. Those of the mixtures fit as if it
# were held in 16: a free factor on it came out at 1.84.
_PUBLISHED_KV_BYTES: dict[Kind, float] = {"dense": 1.0, "moe": 2.0}


_KEEP_16_BITS = ("vllm", "sglang", "tgi", "lmdeploy")


@dataclass(frozen=True, slots=True)
class Cells:
    """Published throughputs (output tokens/s), and the replicas they ran on."""

    records: tuple[ServingRecord, ...]
    models: tuple[str, ...]
    replica: Replica
    published: Array


def kind_of(model: LanguageModel) -> Kind:
    """Dense, or a mixture of experts."""
    return "moe" if model.is_moe else "dense"


@cache
def constants(left_out: str = "") -> Constants:
    """The constants fitted on all cells, or on all but those of the model ``left_out``."""
    row = next(row for row in table("serving_constants") if row["left_out"] == left_out)
    return Constants(**{field.name: np.array(float(row[field.name])) for field in fields(Constants)})


@cache
def throughput_ratio(kind: Kind) -> Band:
    """Published ÷ predicted throughput of models of a kind that the fit had not seen; P50 is 1.

    The further of the 10th and 90th percentile is taken on both sides: two or three models do not tell
    on which side the next one will lie.
    """
    wanted = cells().replica.moe == (kind == "moe")
    low, high = np.quantile(ratios_left_out()[wanted], [0.1, 0.9])
    widest = max(1 / float(low), float(high))
    return Band(1 / widest, 1.0, widest)


@lru_cache(maxsize=1)
def ratios_left_out() -> Array:
    """Published ÷ predicted throughput of each cell, its model left out of the fit."""
    known = cells()
    ratios = np.empty(len(known.models))
    for name in dict.fromkeys(known.models):
        of = np.array([model == name for model in known.models])
        ratios[of] = known.published[of] / tokens_per_second(pick(known.replica, of), constants(name))
    return ratios


@lru_cache(maxsize=1)
def cells() -> Cells:
    """The published cells."""
    records = tuple(r for r in published_serving() if isinstance(r, ServingRecord) and r.calibrates)
    return Cells(
        records=records,
        models=tuple(record.model for record in records),
        replica=stack([replica_of_record(record) for record in records]),
        published=np.array([record.tokens_per_s for record in records]),
    )


def replica_of_record(record: ServingRecord) -> Replica:
    """The replica that a published throughput was measured on.

    vLLM, SGLang and their like keep the KV cache in 16 bits unless they are told otherwise.
    """
    wide = any(name in record.engine.lower() for name in _KEEP_16_BITS)
    return replica_of(
        record.shape,
        record.hardware,
        record.accelerators,
        precision=record.precision,
        multiplied=record.multiplied,
        kv_bytes_per_value=2.0 if wide else usual_kv_bytes(record.shape, record.precision),
        input_tokens=record.input_tokens,
        output_tokens=record.output_tokens,
        max_batch=record.max_batch,
    )


def usual_kv_bytes(model: LanguageModel, precision: str) -> float:
    """Bytes per value of the KV cache that goes with weights of a precision in the published runs."""
    return 2.0 if precision in ("bf16", "int4") else _PUBLISHED_KV_BYTES[kind_of(model)]


def replica_of(
    model: LanguageModel,
    hardware: Accelerator,
    count: int,
    *,
    precision: str,
    kv_bytes_per_value: float,
    input_tokens: float,
    output_tokens: float,
    cached_tokens: float = 0.0,
    max_batch: float = PUBLISHED_BATCH,
    multiplied: str | None = None,
) -> Replica:
    """The replica of ``model`` on ``count`` of ``hardware``, as the roofline wants it.

    ``precision`` is that of the weights and, unless ``multiplied`` says otherwise, of the products.

    More accelerators than key-value heads each keep a copy of the same heads; latent attention is
    spread by request instead, and keeps none twice.
    """
    copies = 1.0 if model.latent else max(1.0, count / model.kv_heads)
    kv = model.kv_cache_values(input_tokens + output_tokens / 2) * kv_bytes_per_value * copies
    share = model.experts_per_token / model.experts if model.is_moe else 0.0
    return Replica(
        weight_bytes=np.array(model.weight_bytes(precision)),
        routed_bytes=np.array(model.routed_parameters * BYTES_PER_WEIGHT[precision]),
        routed_share=np.array(share),
        active=np.array(float(model.active_parameters)),
        layers=np.array(float(model.layers)),
        width=np.array(float(model.attention_width)),
        kv_bytes=np.array(kv),
        input_tokens=np.array(float(input_tokens)),
        cached_tokens=np.array(float(cached_tokens)),
        output_tokens=np.array(float(output_tokens)),
        accelerators=np.array(float(count)),
        peak=np.array(hardware.peak(multiplied or precision)),
        peak_16bit=np.array(hardware.peak("bf16")),
        bandwidth=np.array(hardware.bandwidth_gb_s * 1e9),
        memory=np.array(hardware.memory_gb * 1e9),
        in_fp4=np.array(float(precision == "fp4")),
        moe=np.array(float(model.is_moe)),
        max_batch=np.array(float(max_batch)),
    )


def stack(replicas: list[Replica]) -> Replica:
    """Many replicas as one, whose arrays have an entry for each."""
    return Replica(**{f.name: np.array([getattr(r, f.name) for r in replicas]) for f in fields(Replica)})


def pick(replica: Replica, which: Array) -> Replica:
    """The entries of a stacked replica where ``which`` is true."""
    return Replica(**{f.name: getattr(replica, f.name)[which] for f in fields(Replica)})

"""The roofline's constants, and how far published throughput lay from it.

The constants (``data/serving_constants.csv``) were fitted on the offline throughput that NVIDIA
publishes for its own serving software; dense models and mixtures of experts have their own. The band
is not that fit's: each model is left out in turn, the constants are fitted again on the others, and
published ÷ predicted of the model left out is kept. So the band says how wrong the roofline is about
a model it has not seen. Cells: ``data/serving_runs.csv``.

These are throughputs of machines that are never idle, by the vendor's own hand. What is lost to
waiting, peaks and latency limits is the plan's ``utilisation``, not part of the band.
"""

from dataclasses import dataclass, fields
from functools import cache
from typing import Literal

import numpy as np

from core.compute.band import Band
from core.compute.hardware import accelerator
from core.compute.language_models import BYTES_PER_WEIGHT, LanguageModel, language_model
from core.compute.roofline import Array, Constants, Replica, tokens_per_second
from core.compute.tables import Row, table

Kind = Literal["dense", "moe"]

# The grid of the refits: constants that differ by less than a step are not told apart by the cells.
_GRID = (
    (0.4, 0.5, 0.6, 0.7, 0.8, 0.9),
    (0.3, 0.4, 0.5, 0.6, 0.7, 0.8),
    (0.0, 25e-6, 50e-6, 100e-6, 150e-6, 200e-6),
    (0.0, 0.1, 0.2, 0.3),
    (0.4, 0.5, 0.6, 0.7, 0.8),
)

# The published runs allowed up to this many requests at once.
_PUBLISHED_BATCH = 2048


@dataclass(frozen=True, slots=True)
class Cells:
    """Published throughputs (output tokens/s) of a kind of model, and the replicas they ran on."""

    models: tuple[str, ...]
    replica: Replica
    published: Array


def kind_of(model: LanguageModel) -> Kind:
    """Which constants a model has."""
    return "moe" if model.is_moe else "dense"


@cache
def constants(kind: Kind) -> Constants:
    """The fitted constants of a kind of model."""
    row = next(row for row in table("serving_constants") if row["kind"] == kind)
    return Constants(**{field.name: np.array(float(row[field.name])) for field in fields(Constants)})


@cache
def throughput_ratio(kind: Kind) -> Band:
    """Published ÷ predicted throughput of models that the fit had not seen."""
    known = cells(kind)
    ratios = []
    for left_out in dict.fromkeys(known.models):
        seen = np.array([model != left_out for model in known.models])
        predicted = tokens_per_second(_pick(known.replica, ~seen), _fit(known, seen))
        ratios.append(known.published[~seen] / predicted)
    p10, p50, p90 = np.quantile(np.concatenate(ratios), [0.1, 0.5, 0.9])
    return Band(float(p10), float(p50), float(p90))


@cache
def cells(kind: Kind) -> Cells:
    """The published cells of a kind of model."""
    rows = [row for row in table("serving_runs") if kind_of(language_model(row["model"])) == kind]
    replicas = [_replica(row) for row in rows]
    return Cells(
        models=tuple(row["model"] for row in rows),
        replica=Replica(
            **{field.name: np.array([getattr(r, field.name) for r in replicas]) for field in fields(Replica)}
        ),
        published=np.array([float(row["tokens_per_s"]) for row in rows]),
    )


def replica_of(
    model: LanguageModel,
    name: str,
    count: int,
    *,
    precision: str,
    kv_bytes_per_value: float,
    input_tokens: float,
    output_tokens: float,
    cached_tokens: float = 0.0,
    max_batch: float = _PUBLISHED_BATCH,
) -> Replica:
    """The replica of ``model`` on ``count`` accelerators called ``name``, as the roofline wants it.

    More accelerators than key-value heads each keep a copy of the same heads; latent attention is
    spread by request instead, and keeps none twice.
    """
    hardware = accelerator(name)
    copies = 1.0 if model.latent else max(1.0, count / model.kv_heads)
    kv = model.kv_cache_values(input_tokens + output_tokens / 2) * kv_bytes_per_value * copies
    share = model.experts_per_token / model.experts if model.is_moe else 0.0
    return Replica(
        weight_bytes=np.array(model.weight_bytes(precision)),
        routed_bytes=np.array(model.routed_parameters * BYTES_PER_WEIGHT[precision]),
        routed_share=np.array(share),
        active=np.array(float(model.active_parameters)),
        layers=np.array(float(model.layers)),
        width=np.array(float(model.heads * model.head_dim)),
        kv_bytes=np.array(kv),
        input_tokens=np.array(input_tokens),
        cached_tokens=np.array(cached_tokens),
        output_tokens=np.array(output_tokens),
        accelerators=np.array(float(count)),
        peak=np.array(hardware.peak(precision)),
        bandwidth=np.array(hardware.bandwidth_gb_s * 1e9),
        memory=np.array(hardware.memory_gb * 1e9),
        in_fp4=np.array(float(precision == "fp4")),
        max_batch=np.array(float(max_batch)),
    )


def _replica(row: Row) -> Replica:
    return replica_of(
        language_model(row["model"]),
        row["accelerator"],
        int(row["accelerators"]),
        precision=row["precision"],
        kv_bytes_per_value=1.0,  # the published runs keep the KV cache in 8 bits
        input_tokens=float(row["input_tokens"]),
        output_tokens=float(row["output_tokens"]),
    )


def _fit(known: Cells, seen: Array) -> Constants:
    """The point of the grid with the smallest mean |log(published ÷ predicted)|."""
    grid = np.stack([axis.ravel() for axis in np.meshgrid(*_GRID, indexing="ij")])
    trial = Constants(*(axis[:, None] for axis in grid))
    predicted = tokens_per_second(_pick(known.replica, seen), trial)
    error = np.mean(np.abs(np.log(known.published[seen] / predicted)), axis=1)
    return Constants(*grid[:, np.argmin(error)])


def _pick(replica: Replica, which: Array) -> Replica:
    return Replica(**{field.name: getattr(replica, field.name)[which] for field in fields(Replica)})

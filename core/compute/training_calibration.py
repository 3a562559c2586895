"""How much of an accelerator's peak a whole training run gets out of it, learnt from published runs.

Model FLOP utilisation (MFU) of a run is

    MFU = FLOP / (GPU-hours × 3600 × dense 16-bit peak × gain),   FLOP = 6 · active parameters · tokens,

where ``gain`` is what 8-bit training adds (below) and 1 for 16 bits. Published GPU-hours are those of
whole runs, with restarts, checkpoints and slow hours, so this MFU is lower than the one a benchmark
shows; that is what a bill is made of. It is predicted as

    log MFU = base + class + experts · [mixture of experts] + thin · ln(accelerators per billion / 50)

with six constants, each with a meaning: ``base`` is a dense model on A100 of 80 GB; the class adds
``hopper`` (H100 and what came after it), ``a100_40`` (A100 of 40 GB: less room for large batches) or
``other`` (V100, TPU, AMD, Trainium, PCIe cards); ``experts`` is what routing costs; ``thin`` is what it
costs to spread the work thinly, over many accelerators per billion active parameters. They are fitted by :mod:`core.compute.training_fit` and stand in ``data/training_constants.csv``: once for
all runs, once without each family of models, once without each developer.

The error that is stated leaves out the family of models, because its runs share code and habits. The
band leaves out the developer: whoever reads an estimate is a developer that the table has not seen.
An accelerator of a class without runs gets a wider band, by as much as the classes differ.

Source of the runs: ``data/published_training.csv``, of the pairs for 8 bits: ``data/precision_pairs.csv``.
"""

import math
from collections import Counter
from dataclasses import dataclass, fields
from functools import cache, lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.compute.band import Band
from core.compute.hardware import Accelerator
from core.compute.records import TrainingRecord, published_training
from core.compute.tables import table

Array = NDArray[np.float64]
Group = Literal["none", "lineage", "house"]

USUAL_PER_BILLION = 50.0
"""Accelerators per billion active parameters at which ``thin`` counts nothing: the published middle."""

# Beyond what the published runs had, the slope is not known to go on.
_THINNEST, _THICKEST = 1000.0, 1.0

_Z90 = 1.2816  # 90th percentile of the standard normal

# Where a row does not say how many accelerators ran: as many as finish in a month at a third of the
# peak of an A100, within what the published runs had.
_UNSAID_SECONDS, _UNSAID_SPEED, _FEWEST, _MOST = 30 * 86_400, 312e12 * 0.35, 8, 4096


@dataclass(frozen=True, slots=True)
class TrainingConstants:
    """The six constants, on the scale of log MFU."""

    base: float
    hopper: float
    a100_40: float
    other: float
    experts: float
    thin: float

    def log_mfu(self, covariates: Array) -> Array:
        """log MFU of runs whose rows are :func:`covariates`."""
        values = np.array([getattr(self, field.name) for field in fields(self)])
        return np.asarray(covariates @ values, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Run:
    """A published training run as the regression sees it. ``mfu`` is a share of the dense 16-bit peak."""

    record: TrainingRecord
    covariates: tuple[float, ...]
    mfu: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """What is expected of a run: its ``mfu``, published ÷ predicted GPU-hours, and from how many runs.

    ``own`` says whether runs of the accelerator's class were seen.
    """

    mfu: float
    hours_ratio: Band
    runs: int
    own: bool


def covariates(hardware: Accelerator, accelerators: float, active: float, moe: bool) -> tuple[float, ...]:
    """The row of a run in the regression, in the order of :class:`TrainingConstants`."""
    kind = _class(hardware)
    return (
        1.0,
        float(kind == "hopper"),
        float(kind == "a100_40"),
        float(kind == "other"),
        float(moe),
        math.log(min(max(accelerators / active * 1e9, _THICKEST), _THINNEST) / USUAL_PER_BILLION),
    )


def calibration(hardware: Accelerator, accelerators: float, active: float, moe: bool) -> Calibration:
    """What published runs say about a run of ``active`` parameters on so many of ``hardware``."""
    row = np.array([covariates(hardware, accelerators, active, moe)])
    seen = _runs_by_class().get(hardware.family.key, 0)
    return Calibration(
        mfu=float(np.exp(constants().log_mfu(row)[0])),
        hours_ratio=band() if seen else band_of_unseen_classes(),
        runs=seen or len(published_runs()),
        own=seen > 0,
    )


def unsaid_accelerators(flop: float) -> float:
    """How many accelerators a run of so many FLOP is taken to have had, where nobody says."""
    return min(max(flop / (_UNSAID_SPEED * _UNSAID_SECONDS), _FEWEST), _MOST)


@cache
def constants(without: Group = "none", name: str = "") -> TrainingConstants:
    """The constants fitted on all runs, or on all but those of the lineage or house ``name``."""
    row = next(r for r in table("training_constants") if (r["without"], r["name"]) == (without, name))
    return TrainingConstants(**{field.name: float(row[field.name]) for field in fields(TrainingConstants)})


@lru_cache(maxsize=1)
def published_runs() -> tuple[Run, ...]:
    """The runs that calibrate, in the order of the table."""
    return tuple(as_run(record) for record in published_training() if isinstance(record, TrainingRecord))


def as_run(record: TrainingRecord) -> Run:
    """A record as the regression sees it."""
    count = record.accelerators or unsaid_accelerators(record.flop)
    gain = fp8_gain() if record.fp8 else 1.0
    return Run(
        record=record,
        covariates=covariates(record.hardware, count, record.active, record.moe),
        mfu=record.flop / (record.gpu_hours * 3600 * record.hardware.peak("bf16") * gain),
    )


@lru_cache(maxsize=1)
def fp8_gain() -> float:
    """How many times faster 8-bit training ran than 16-bit training of the same model: the median pair."""
    return float(
        np.median(
            [float(r["tokens_per_s_fp8"]) / float(r["tokens_per_s_16bit"]) for r in table("precision_pairs")]
        )
    )


def hours_ratio(run: Run, known: TrainingConstants) -> float:
    """Published ÷ predicted GPU-hours of ``run`` under the constants ``known``."""
    return float(np.exp(known.log_mfu(np.array([run.covariates]))[0])) / run.mfu


@cache
def ratios(without: Group) -> tuple[float, ...]:
    """Published ÷ predicted GPU-hours of each run, its lineage or its house left out of the fit."""
    return tuple(
        hours_ratio(run, constants(without, "" if without == "none" else getattr(run.record, without)))
        for run in published_runs()
    )


@lru_cache(maxsize=1)
def band() -> Band:
    """The prediction, and the 10th and 90th percentile of published ÷ predicted without the house."""
    low, high = np.quantile(ratios("house"), [0.1, 0.9])
    return Band(float(low), 1.0, float(high))


@lru_cache(maxsize=1)
def band_of_unseen_classes() -> Band:
    """:func:`band`, wider by how much the mean MFU of a class differs from that of all classes."""
    by_class: dict[str, list[float]] = {}
    for run in published_runs():
        by_class.setdefault(run.record.hardware.family.key, []).append(math.log(run.mfu))
    differs = _Z90 * float(np.std([np.mean(logs) for logs in by_class.values()], ddof=1))
    known = band()
    return Band(
        math.exp(-math.hypot(math.log(known.p10), differs)),
        1.0,
        math.exp(math.hypot(math.log(known.p90), differs)),
    )


@lru_cache(maxsize=1)
def _runs_by_class() -> Counter[str]:
    return Counter(run.record.hardware.family.key for run in published_runs())


def _class(hardware: Accelerator) -> str:
    family = hardware.family.key
    if family in ("Hopper", "Blackwell"):
        return "hopper"
    if family == "A100":
        return "a100_40" if hardware.memory_gb < 80 else "a100_80"
    return "other"

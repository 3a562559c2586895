"""How much of an accelerator's peak a whole training run gets out of it, learnt from published runs.

Model FLOP utilisation (MFU) of a run is

    MFU = FLOP / (GPU-hours × 3600 × dense 16-bit peak × gain),   FLOP = 6 · active parameters · tokens,

where ``gain`` is what 8-bit training adds (below) and 1 for 16 bits. Published GPU-hours are those of
whole runs, with restarts, checkpoints and slow hours, so this MFU is lower than the one a benchmark
shows; that is what a bill is made of. It is predicted as

    log MFU = base + class + experts · [mixture of experts] + scale · ln(accelerators / 512)

with six constants, each with a meaning: ``base`` is a dense model on 512 A100 of 80 GB; the class adds
``hopper`` (H100 and what came after it), ``a100_40`` (A100 of 40 GB: less room for large batches) or
``other`` (V100, TPU, AMD, Trainium, PCIe cards); ``experts`` and ``scale`` are what routing and more
accelerators cost. They are fitted by :mod:`core.compute.training_fit` and stand, once for all runs and
once with each family of models left out, in ``data/training_constants.csv``.

The band is that of published ÷ predicted GPU-hours when each family of models is predicted from the
other families, because the runs of a family share code and habits. Classes of which no run was seen
get a band of their own: each class predicted from the other classes.

Source of the runs: ``data/training_runs.csv``, of the pairs for 8 bits: ``data/precision_pairs.csv``.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from core.compute.band import Band
from core.compute.hardware import Accelerator, accelerator
from core.compute.tables import Row, maybe, table
from core.i18n import Text

Array = NDArray[np.float64]

USUAL_ACCELERATORS = 512
"""The number of accelerators at which ``scale`` counts nothing: the median of the published runs."""

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
    scale: float

    def log_mfu(self, covariates: Array) -> Array:
        """log MFU of runs whose rows are :func:`covariates`."""
        values = np.array([getattr(self, field.name) for field in fields(self)])
        return np.asarray(covariates @ values, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Run:
    """A published training run. ``flop`` is 6ND, ``mfu`` a share of the dense 16-bit peak."""

    model: str
    lineage: str
    house: str
    hardware: Accelerator
    accelerators: float
    moe: bool
    flop: float
    gpu_hours: float
    gain: float
    source: str

    @property
    def mfu(self) -> float:
        return self.flop / (self.gpu_hours * 3600 * self.hardware.peak("bf16") * self.gain)

    @property
    def covariates(self) -> tuple[float, ...]:
        return covariates(self.hardware, self.accelerators, self.moe)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A published run that does not calibrate, and why."""

    model: str
    reason: Text


@dataclass(frozen=True, slots=True)
class Calibration:
    """What is expected of a run: its ``mfu``, published ÷ predicted GPU-hours, and from how many runs.

    ``own`` says whether runs of the accelerator's class were seen.
    """

    mfu: float
    hours_ratio: Band
    runs: int
    own: bool


def covariates(hardware: Accelerator, accelerators: float, moe: bool) -> tuple[float, ...]:
    """The row of a run in the regression, in the order of :class:`TrainingConstants`."""
    kind = _class(hardware)
    return (
        1.0,
        float(kind == "hopper"),
        float(kind == "a100_40"),
        float(kind == "other"),
        float(moe),
        math.log(accelerators / USUAL_ACCELERATORS),
    )


def calibration(hardware: Accelerator, accelerators: float, moe: bool) -> Calibration:
    """What published runs say about a run on so many of ``hardware``."""
    row = np.array([covariates(hardware, accelerators, moe)])
    seen = [run for run in published_runs() if run.hardware.family == hardware.family]
    return Calibration(
        mfu=float(np.exp(constants().log_mfu(row)[0])),
        hours_ratio=band() if seen else band_of_unseen_classes(),
        runs=len(seen) if seen else len(published_runs()),
        own=bool(seen),
    )


def unsaid_accelerators(flop: float) -> float:
    """How many accelerators a run of so many FLOP is taken to have had, where nobody says."""
    return min(max(flop / (_UNSAID_SPEED * _UNSAID_SECONDS), _FEWEST), _MOST)


@cache
def constants(left_out: str = "") -> TrainingConstants:
    """The constants fitted on all runs, or on all but those of the family of models ``left_out``."""
    row = next(row for row in table("training_constants") if row["left_out"] == left_out)
    return TrainingConstants(**{field.name: float(row[field.name]) for field in fields(TrainingConstants)})


@lru_cache(maxsize=1)
def published_runs() -> tuple[Run, ...]:
    """The runs that calibrate: hours published, and tokens or FLOP known."""
    return tuple(_run(row) for row in table("training_runs") if row["calibrates"] == "1")


@lru_cache(maxsize=1)
def left_out_runs() -> tuple[LeftOut, ...]:
    """The published runs that do not calibrate, each with its reason."""
    return tuple(
        LeftOut(row["model"], Text(row["left_out_en"], row["left_out_zh"]))
        for row in table("training_runs")
        if row["calibrates"] != "1"
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


@lru_cache(maxsize=1)
def ratios() -> tuple[float, ...]:
    """Published ÷ predicted GPU-hours of each run, its family of models left out of the fit."""
    return tuple(hours_ratio(run, constants(run.lineage)) for run in published_runs())


@lru_cache(maxsize=1)
def band() -> Band:
    """The middle is the prediction itself, the ends are the 10th and 90th percentile of :func:`ratios`."""
    low, high = np.quantile(ratios(), [0.1, 0.9])
    return Band(float(low), 1.0, float(high))


@lru_cache(maxsize=1)
def band_of_unseen_classes() -> Band:
    """As :func:`band`, with each family of hardware predicted from the constants of all the others.

    A class that was never seen is predicted as an average of the seen ones, so the differences of
    their means from the mean of all widen the band of a single run.
    """
    runs = published_runs()
    logs = np.array([math.log(run.mfu) - math.log(run.gain) for run in runs])
    names = [run.hardware.family.key for run in runs]
    means = np.array([logs[[n == name for n in names]].mean() for name in dict.fromkeys(names)])
    spread = float(np.std(means - means.mean(), ddof=1))
    known = band()
    z = 1.2816  # the standard normal's 90th percentile
    low = -math.hypot(math.log(known.p10), z * spread)
    high = math.hypot(math.log(known.p90), z * spread)
    return Band(math.exp(low), 1.0, math.exp(high))


def _class(hardware: Accelerator) -> str:
    family = hardware.family.key
    if family in ("Hopper", "Blackwell"):
        return "hopper"
    if family == "A100":
        return "a100_40" if hardware.memory_gb < 80 else "a100_80"
    return "other"


def _run(row: Row) -> Run:
    hardware = accelerator(row["accelerator"])
    active, tokens, stated = (maybe(row[name]) for name in ("active_parameters", "tokens", "flop"))
    flop = 6 * active * tokens if active and tokens else stated
    assert flop is not None, row["model"]
    return Run(
        model=row["model"],
        lineage=row["lineage"],
        house=row["house"],
        hardware=hardware,
        accelerators=maybe(row["accelerators"]) or unsaid_accelerators(flop),
        moe=row["kind"] == "moe",
        flop=flop,
        gpu_hours=float(row["gpu_hours"]),
        gain=fp8_gain() if row["precision"] == "fp8" else 1.0,
        source=row["source"],
    )


def left_out_ratio_by(runs: Sequence[Run], constants_of: dict[str, TrainingConstants], key: str) -> Array:
    """Published ÷ predicted GPU-hours when each group of runs (their ``key``) has its own constants."""
    return np.array([hours_ratio(run, constants_of[getattr(run, key)]) for run in runs])

"""How much of an accelerator's peak a whole training run gets out of it, learnt from published runs.

Model FLOP utilisation (MFU) of a run is

    MFU = FLOP / (GPU-hours × 3600 × dense 16-bit peak × gain),   FLOP = 6 · active parameters · tokens,

where ``gain`` is what 8-bit training adds (below) and 1 for 16 bits. Published GPU-hours are those of
whole runs, with restarts, checkpoints and slow hours, so this MFU is lower than the one a benchmark
shows; that is what a bill is made of.

Few constants, because nothing finer made a house's runs easier to predict from the other houses'
(size of the model, number of accelerators, mixture of experts and 16-bit format were tried):

* the MFU of a class of accelerators is the geometric mean of its runs, pulled towards that of all runs
  as if ``PRIOR_RUNS`` average runs had been seen as well, so that a class with one run leans on the rest;
* the band of a class with runs from ``MIN_HOUSES`` houses is that of published ÷ predicted GPU-hours
  when each house is predicted from the others, because a house's runs share code and habits;
* the band of any other class is that of every class predicted from the other classes, each class
  weighing the same. It is wider, and its middle says that uncommon hardware does worse.

Source of the runs: ``data/training_runs.csv``, of the pairs for 8 bits: ``data/precision_pairs.csv``.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from core.compute.band import Band
from core.compute.hardware import accelerator
from core.compute.tables import Row, maybe, table

PRIOR_RUNS = 4
MIN_HOUSES = 3


@dataclass(frozen=True, slots=True)
class Run:
    """A published training run. ``flop`` is 6ND, ``mfu`` a share of the dense 16-bit peak."""

    model: str
    house: str
    family: str
    flop: float
    gpu_hours: float
    mfu: float
    source: str


@dataclass(frozen=True, slots=True)
class Calibration:
    """What is known of a class: its ``mfu``, published ÷ predicted GPU-hours, and from how many runs.

    ``own`` says whether the class has runs from enough houses for a band of its own.
    """

    mfu: float
    hours_ratio: Band
    runs: int
    own: bool


@lru_cache(maxsize=1)
def published_runs() -> tuple[Run, ...]:
    """The runs that calibrate: hours published, and tokens or FLOP known."""
    return tuple(_run(row) for row in table("training_runs") if row["calibrates"] == "1")


@lru_cache(maxsize=1)
def fp8_gain() -> float:
    """How many times faster 8-bit training ran than 16-bit training of the same model: the median pair."""
    return float(
        np.median(
            [float(r["tokens_per_s_fp8"]) / float(r["tokens_per_s_16bit"]) for r in table("precision_pairs")]
        )
    )


@cache
def calibration(family: str) -> Calibration:
    """The calibration of a class of accelerators (its key in ``data/families.csv``)."""
    runs = published_runs()
    own = _stands_alone(runs, family)
    return Calibration(
        mfu=_mfu(runs, family),
        hours_ratio=_band_within_classes() if own else _band_across_classes(),
        runs=sum(run.family == family for run in runs),
        own=own,
    )


def hours_ratio(run: Run, others: Sequence[Run]) -> float:
    """Published ÷ predicted GPU-hours of ``run`` when only ``others`` are known."""
    return _mfu(others, run.family) / run.mfu


@lru_cache(maxsize=1)
def _band_within_classes() -> Band:
    runs = published_runs()
    ratios = [
        hours_ratio(run, [other for other in runs if other.house != run.house])
        for run in runs
        if _stands_alone(runs, run.family)
    ]
    return _quantiles(np.array(ratios), np.ones(len(ratios)))


@lru_cache(maxsize=1)
def _band_across_classes() -> Band:
    runs = published_runs()
    size = Counter(run.family for run in runs)
    ratios = [hours_ratio(run, [other for other in runs if other.family != run.family]) for run in runs]
    return _quantiles(np.array(ratios), np.array([1 / size[run.family] for run in runs]))


def _mfu(runs: Sequence[Run], family: str) -> float:
    logs = [math.log(run.mfu) for run in runs]
    own = [log for log, run in zip(logs, runs, strict=True) if run.family == family]
    return math.exp((sum(own) + PRIOR_RUNS * sum(logs) / len(logs)) / (len(own) + PRIOR_RUNS))


def _stands_alone(runs: Sequence[Run], family: str) -> bool:
    return len({run.house for run in runs if run.family == family}) >= MIN_HOUSES


def _quantiles(values: NDArray[np.float64], weights: NDArray[np.float64]) -> Band:
    """P10, P50 and P90 of weighted values, between the middles of their weights."""
    order = np.argsort(values)
    values, weights = values[order], weights[order]
    middle = (np.cumsum(weights) - weights / 2) / np.sum(weights)
    p10, p50, p90 = np.interp([0.1, 0.5, 0.9], middle, values)
    return Band(float(p10), float(p50), float(p90))


def _run(row: Row) -> Run:
    hardware = accelerator(row["accelerator"])
    gain = fp8_gain() if row["precision"] == "fp8" else 1.0
    hours = float(row["gpu_hours"])
    active, tokens, stated = (maybe(row[name]) for name in ("active_parameters", "tokens", "flop"))
    flop = 6 * active * tokens if active and tokens else stated
    assert flop is not None, row["model"]
    return Run(
        model=row["model"],
        house=row["house"],
        family=hardware.family.key,
        flop=flop,
        gpu_hours=hours,
        mfu=flop / (hours * 3600 * hardware.peak("bf16") * gain),
        source=row["source"],
    )

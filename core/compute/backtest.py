"""Predicted against published: how far the estimator has been from what happened.

Each published training run and serving throughput is predicted by the constants as they ship, with
the P10 and P90 that a founder would have been shown. The tables that ship with the estimator were
used to fit it, so for them :func:`left_out` predicts each row from constants that have not seen it:
without the row's family of models (training), without its model (serving). Everything is computed
from the tables; no error is typed in anywhere.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from core.compute.records import (
    ServingRecord,
    TrainingRecord,
    Unusable,
    published_serving,
    published_training,
)
from core.compute.roofline import tokens_per_second
from core.compute.serving_calibration import constants as serving_constants
from core.compute.serving_calibration import kind_of, replica_of_record, throughput_ratio
from core.compute.training_calibration import Group, as_run, calibration, constants, unsaid_accelerators
from core.i18n import Refusal


@dataclass(frozen=True, slots=True)
class Check:
    """A published figure beside its prediction: GPU-hours of a run, or output tokens/s of a replica.

    ``group`` is the class of accelerators (training) or dense/moe (serving).
    """

    model: str
    group: str
    hardware: str
    published: float
    predicted: float
    low: float
    high: float
    source: str

    @property
    def error(self) -> float:
        """Predicted ÷ published − 1."""
        return self.predicted / self.published - 1

    @property
    def inside(self) -> bool:
        """Whether the published figure lies in the band from P10 to P90."""
        return self.low <= self.published <= self.high


@dataclass(frozen=True, slots=True)
class Summary:
    """Of many checks: absolute relative errors, the median of predicted ÷ published, share in the band."""

    count: int
    median_error: float
    p90_error: float
    median_ratio: float
    inside: float


@dataclass(frozen=True, slots=True)
class Backtest:
    """The rows of a table in their order: checked, or unusable with the reason."""

    rows: tuple[Check | Unusable, ...]

    @property
    def checks(self) -> tuple[Check, ...]:
        return tuple(row for row in self.rows if isinstance(row, Check))

    @property
    def unusable(self) -> tuple[Unusable, ...]:
        return tuple(row for row in self.rows if isinstance(row, Unusable))

    def of(self, group: str) -> Summary | None:
        """The summary of one group; None where it has no row."""
        return summary([check for check in self.checks if check.group == group])

    @property
    def summary(self) -> Summary | None:
        """None where no row could be used."""
        return summary(self.checks)


def summary(checks: Sequence[Check]) -> Summary | None:
    """The summary of ``checks``; None of none."""
    if not checks:
        return None
    error = np.abs([check.error for check in checks])
    return Summary(
        count=len(checks),
        median_error=float(np.median(error)),
        p90_error=float(np.quantile(error, 0.9)),
        median_ratio=float(np.median([check.predicted / check.published for check in checks])),
        inside=float(np.mean([check.inside for check in checks])),
    )


def backtest_training(records: Iterable[TrainingRecord | Unusable], without: Group = "none") -> Backtest:
    """Predicted GPU-hours of ``records``; ``without`` leaves a record's group out of the constants."""
    return Backtest(tuple(r if isinstance(r, Unusable) else _training_check(r, without) for r in records))


def backtest_serving(records: Iterable[ServingRecord | Unusable], left_out: bool = False) -> Backtest:
    """Predicted tokens/s of ``records``; with ``left_out``, by constants fitted without the model."""
    return Backtest(tuple(r if isinstance(r, Unusable) else _serving_check(r, left_out) for r in records))


@lru_cache(maxsize=1)
def training_left_out() -> Backtest:
    """The shipped runs, each predicted without its family of models."""
    return backtest_training(published_training(), "lineage")


@lru_cache(maxsize=1)
def serving_left_out() -> Backtest:
    """The shipped throughputs, each predicted by constants that have not seen its model."""
    return backtest_serving(published_serving(), left_out=True)


def _training_check(record: TrainingRecord, without: Group) -> Check:
    run = as_run(record)
    count = record.accelerators or unsaid_accelerators(record.flop)
    known = constants(without, "" if without == "none" else getattr(record, without))
    mfu = float(np.exp(known.log_mfu(np.array([run.covariates]))[0]))
    hours = record.gpu_hours * run.mfu / mfu
    ratio = calibration(record.hardware, count, record.active, record.moe).hours_ratio
    return Check(
        model=record.model,
        group=record.hardware.family.key,
        hardware=record.hardware.name,
        published=record.gpu_hours,
        predicted=hours,
        low=hours * ratio.p10,
        high=hours * ratio.p90,
        source=record.source,
    )


def _serving_check(record: ServingRecord, left_out: bool) -> Check | Unusable:
    replica = replica_of_record(record)
    known = serving_constants(record.model if left_out and record.calibrates else "")
    if float(replica.weight_bytes + replica.kv_bytes) > float(replica.accelerators * replica.memory):
        return Unusable(
            record.model,
            Refusal(
                "By our count, {count} × {hardware} have no room for it in this precision.",
                count=record.accelerators,
                hardware=record.hardware.name,
            ),
        )
    speed = float(tokens_per_second(replica, known))
    ratio = throughput_ratio(kind_of(record.shape))
    return Check(
        model=record.model,
        group=kind_of(record.shape),
        hardware=f"{record.accelerators} × {record.hardware.name}",
        published=record.tokens_per_s,
        predicted=speed,
        low=speed * ratio.p10,
        high=speed * ratio.p90,
        source=record.source,
    )

"""What a run will take, said before it begins: from its arithmetic and from what this device has shown.

    time held = start-up + first step + examples × seconds an example + validation + test

Start-up and first step (compilation) are the medians of earlier runs on the same device. Seconds an
example come from the earlier run that is most alike: of the same network, batch and precision as it was,
otherwise in proportion to what :mod:`speed` says of both. Before the first run on a device there is that
speed alone.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from core.training.result import RunResult, cost
from core.training.spec import RunSpec
from core.training.speed import Speed

ALIKE, OTHER, UNSEEN = 1.25, 2.0, 3.0
"""Factor by which an estimate may be off either way: from a run of the same kind (runs of one kind on a
machine that others use too differ by a quarter), from another one, or from the measured speed alone."""

START_S, FIRST_S = 0.5, 1.0
"""Start-up and first step where no run has shown them: a process that stands by, a small network."""

STEP_S = 0.001
"""A step beside its arithmetic, where it was not measured: TensorFlow on a processor takes about a millisecond."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """``seconds`` the device will be held and what that costs in USD; right within ``factor`` either way."""

    seconds: float
    dollars: float
    factor: float


def estimate(
    spec: RunSpec,
    past: Sequence[tuple[RunSpec, RunResult]],
    device_name: str,
    speed: Speed | None = None,
) -> Estimate | None:
    """The estimate for ``spec`` on a device from its ``past`` runs, newest first, and its ``speed``.

    None if there is neither.
    """
    here = [(s, r) for s, r in past if r.device.name == device_name and _seconds_each(r) > 0]
    if here:
        nearest = min(here, key=lambda run: _distance(spec, run[0]))
        alike = _distance(spec, nearest[0]) == 0
        each = _seconds_each(nearest[1]) * (1.0 if alike else _ratio(spec, *nearest, speed))
        start = median(r.held_seconds - r.fit_seconds - r.test_seconds for _, r in here)
        first = median(_first(*run) for run in here)
        factor = ALIKE if alike else OTHER
    elif speed:
        each, start, first, factor = speed.seconds_each(spec), START_S, FIRST_S, UNSEEN
    else:
        return None
    seconds = start + first + spec.images_seen * each + _validation(spec, each) * spec.epochs
    seconds += spec.data.test_images * each * FORWARD
    return Estimate(seconds, cost(seconds, spec.price_per_hour), factor)


FORWARD = 1 / 3
"""Scoring an example is a forward pass, about a third of the work of training on it."""


def _validation(spec: RunSpec, each: float) -> float:
    """Seconds of validation after an epoch."""
    return spec.validation_images * each * FORWARD


def _first(spec: RunSpec, result: RunResult) -> float:
    """Seconds of the first step of a run, mostly compilation."""
    each = _seconds_each(result)
    return max(0.0, result.fit_seconds - result.images * each - _validation(spec, each) * result.epochs)


def _ratio(spec: RunSpec, other: RunSpec, result: RunResult, speed: Speed | None) -> float:
    """How much longer an example of ``spec`` takes than one of the run of ``other``."""
    if speed is None:
        # What that run took beyond its steps, it took for its arithmetic.
        busy = max(_seconds_each(result) - STEP_S / other.batch_size, _seconds_each(result) / 10)
        speed = Speed(STEP_S, other.architecture.training_flop / busy)
    return speed.seconds_each(spec) / speed.seconds_each(other)


def _seconds_each(result: RunResult) -> float:
    speed = result.steady_images_per_second or result.images_per_second
    return 1 / speed if speed else 0.0


def _distance(one: RunSpec, other: RunSpec) -> float:
    """How unlike two runs are in what sets their speed; 0 if in nothing."""
    work = abs(math.log(one.architecture.training_flop / other.architecture.training_flop))
    batch = abs(math.log(one.batch_size / other.batch_size))
    unlike: int = sum(
        getattr(one, name) != getattr(other, name)
        for name in ("network", "precision", "batch_norm", "dropout", "optimizer")
    )
    return float(work + batch + unlike)

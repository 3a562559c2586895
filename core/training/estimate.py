"""What a run will take, said before it begins: from its arithmetic and from what this device has shown.

    time held = start-up + first step + examples × seconds an example + test

Start-up and first step (compilation) are the medians of earlier runs on the same device. Seconds an
example come from the earlier run that is most alike: of the same network, batch and precision as it was,
otherwise in proportion to the floating-point operations.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from core.training.result import RunResult, cost
from core.training.spec import RunSpec

ALIKE, OTHER = 1.25, 2.0
"""Factor by which an estimate may be off either way: from a run of the same kind (runs of one kind on a
machine that others use too differ by a quarter), or from another one."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """``seconds`` the device will be held and what that costs in USD; right within ``factor`` either way."""

    seconds: float
    dollars: float
    factor: float


def estimate(spec: RunSpec, past: Sequence[tuple[RunSpec, RunResult]], device_name: str) -> Estimate | None:
    """The estimate for ``spec`` on a device from its ``past`` runs, newest first; None if there are none."""
    here = [(s, r) for s, r in past if r.device.name == device_name and _seconds_each(r) > 0]
    if not here:
        return None
    nearest = min(here, key=lambda run: _distance(spec, run[0]))
    alike = _distance(spec, nearest[0]) == 0
    ratio = spec.architecture.training_flop / nearest[0].architecture.training_flop
    each = _seconds_each(nearest[1]) * (1.0 if alike else ratio)
    start = median(r.held_seconds - r.fit_seconds - r.test_seconds for _, r in here)
    first = median(max(0.0, r.fit_seconds - r.images * _seconds_each(r)) for _, r in here)
    # A test is a forward pass, about a third of the work of training on as many.
    test = spec.data.test_images * each / 3
    seconds = start + first + spec.images_seen * each + test
    return Estimate(seconds, cost(seconds, spec.price_per_hour), ALIKE if alike else OTHER)


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

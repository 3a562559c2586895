"""Finished runs as points: what each took and how well it did, which belong on one curve, which to run next.

:func:`families` sorts runs into those that differ in size only, :func:`pareto` finds the runs that are
worth their money, :func:`to_run_next` says which runs a curve still needs.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Literal

from core.i18n import Refusal, Text
from core.training.choices import ACTIVATIONS, LOSSES, OPTIMIZERS, PRECISIONS, SCHEDULES, Choice
from core.training.datasets import DATASETS
from core.training.result import RunResult
from core.training.spec import FIELDS, RunSpec

By = Literal["data", "compute"]
"""What a curve is drawn against: training images, or floating-point operations."""

TEST_IMAGES = 10_000
SIZES_NEEDED = 4
SEEDS_WANTED = 3
"""Below three seeds at the small sizes the slope is mostly luck (seeds differ by 5 to 20 % of the error)."""

LADDER = 2.0
"""Neighbouring sizes differ by this factor."""

SMALLEST_RUN = 500
"""Images of the smallest run worth proposing; of a small dataset an eighth, but no fewer than 100."""
SAME_SIZE = 1.05
"""Sizes within 5 % of each other count as one."""

_CHOICES: Mapping[str, Mapping[str, Choice]] = {
    "optimizer": OPTIMIZERS,
    "activation": ACTIVATIONS,
    "loss": LOSSES,
    "schedule": SCHEDULES,
    "precision": PRECISIONS,
}
_SIZE_FIELDS = {"train_images", "epochs", "seed", "price_per_hour", "power_watts", "device"}
"""What runs of a family may differ in: size, luck and price. The device that a run wished for is none of its
settings; the one that it was trained on, by the name of its model, is ``Family.device``."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A finished run as a point.

    ``compute`` in FLOP, ``held_seconds`` of the device, ``accuracy`` a share of ``test_images``,
    ``images`` it was trained on.
    """

    run_id: str
    compute: float
    held_seconds: float
    cost_usd: float
    accuracy: float
    images: int = 0
    test_images: int = TEST_IMAGES

    @classmethod
    def of(cls, run_id: str, spec: RunSpec, result: RunResult) -> "Measured":
        """The point of a result; a Refusal if the run was not tested."""
        if result.test_accuracy is None:
            raise Refusal("The run was stopped before its test, so its accuracy is not known.")
        return cls(
            run_id,
            result.training_flop,
            result.held_seconds,
            result.cost_usd,
            result.test_accuracy,
            spec.train_images,
            spec.data.test_images,
        )

    @property
    def error(self) -> float:
        """Share of wrong answers; never quite 0, since a test of finite size cannot show that."""
        return (max(0.0, 1 - self.accuracy) * self.test_images + 0.5) / (self.test_images + 1)

    def size(self, by: By) -> float:
        """How large the run was: images or FLOP."""
        return float(self.images) if by == "data" else self.compute


@dataclass(frozen=True, slots=True)
class Family:
    """What runs must have in common to lie on one curve: all settings but size, seed and price.

    ``epochs`` is None where runs of different epochs share the curve, as they may against compute.
    """

    settings: tuple[tuple[str, object], ...]
    epochs: int | None
    device: str

    @property
    def key(self) -> str:
        """A short name that no other family has and that stays the same."""
        return hashlib.sha256(json.dumps(asdict(self)).encode()).hexdigest()[:16]

    @property
    def name(self) -> Text:
        """The settings in words, such as "CNN · Adam · ReLU · Cross-entropy · batch size 64", with those that
        are unusual; data of the founder's own by what they are called."""
        return Text(en=self._named("en"), zh=self._named("zh_Hans"))

    def _named(self, code: str) -> str:
        held = dict(self.settings)
        usual = asdict(RunSpec(network=str(held["network"]), optimizer=str(held["optimizer"])))
        own = held["own"]
        parts = [str(json.loads(str(own))["name"])] if own else []
        first = ("network", "optimizer", "activation", "loss", "batch_size")
        unusual = [key for key, value in self.settings if key not in (*first, "own") and value != usual[key]]
        for key in (*first, *unusual):
            value = held[key]
            if key == "network":
                parts.append(str(value).upper())
            elif key == "dataset":
                parts += [] if own else [DATASETS[str(value)].label.in_language(code)]
            elif key in _CHOICES:
                parts.append(_CHOICES[key][str(value)].label.in_language(code))
            elif isinstance(value, bool):
                parts.append(FIELDS[key].in_language(code))
            else:
                said = f"{value:g}" if isinstance(value, float) else str(value)
                parts.append(f"{FIELDS[key].in_language(code)} {said}")
        return " · ".join(parts)


def families(
    runs: Iterable[tuple[str, RunSpec, RunResult]], by: By = "compute"
) -> dict[Family, list[Measured]]:
    """Finished runs (id, specification, result) by family, in the order given; untested ones are left out."""
    found: dict[Family, list[Measured]] = {}
    for run_id, spec, result in runs:
        if result.test_accuracy is not None:
            settings = tuple((k, _hashable(v)) for k, v in asdict(spec).items() if k not in _SIZE_FIELDS)
            family = Family(settings, spec.epochs if by == "data" else None, result.device.name)
            found.setdefault(family, []).append(Measured.of(run_id, spec, result))
    return found


def _hashable(value: object) -> object:
    """A setting as it is, or, where it is made of several, as one text that begins with a brace."""
    return json.dumps(value) if isinstance(value, dict) else value


def pareto(points: Sequence[Measured]) -> list[Measured]:
    """The points that no other beats, cheapest first: each costs more than the one before and is better.

    Of equals the first given is kept.
    """
    front: list[Measured] = []
    for point in sorted(points, key=lambda p: (p.cost_usd, -p.accuracy)):
        if not front or point.accuracy > front[-1].accuracy:
            front.append(point)
    return front


def usd_per_point(front: Sequence[Measured]) -> list[float | None]:
    """USD that each further point of accuracy cost along a :func:`pareto` frontier, against the run before.

    None for the first, which has none before it.
    """
    steps = pairwise(front)
    further = [(b.cost_usd - a.cost_usd) / (100 * (b.accuracy - a.accuracy)) for a, b in steps]
    return [None, *further][: len(front)]


@dataclass(frozen=True, slots=True)
class ToRun:
    """A size that a curve still needs, and how many more runs of it, each with another seed."""

    images: int
    runs: int


def to_run_next(points: Sequence[Measured], available: int) -> list[ToRun]:
    """The runs, smallest first, that would make a curve of these points, or make the one there is surer.

    Four sizes, each twice the one below, up from half of the ``available`` images if nothing was
    measured, else down and up from what was; three seeds at every one of the four largest. When
    all that is there, the next size up. Empty if there is nothing left to run.
    """
    counts = [(round(_mean(group)), len(group)) for group in grouped([p.images for p in points])]
    sizes = dict(counts)
    wanted = sorted(sizes)[-SIZES_NEEDED:]
    top = wanted[-1] if wanted else available // 2
    below = [round(top / LADDER**step) for step in range(SIZES_NEEDED)]
    above = [round(top * LADDER**step) for step in range(1, SIZES_NEEDED)] + [available]
    least = min(SMALLEST_RUN, max(100, available // 8))
    for size in [s for s in below if s >= least] + [s for s in above if s <= available]:
        if len(wanted) >= SIZES_NEEDED:
            break
        if not any(_same(size, other) for other in wanted):
            wanted.append(size)
    needed = [ToRun(size, SEEDS_WANTED - sizes.get(size, 0)) for size in sorted(wanted)[-SIZES_NEEDED:]]
    needed = [one for one in needed if one.runs > 0]
    if not needed and top < available and not _same(top, available):
        return [ToRun(min(available, round(top * LADDER)), SEEDS_WANTED)]
    return needed


def grouped(sizes: Sequence[float]) -> list[list[float]]:
    """Sizes in groups of those that count as one, smallest first."""
    groups: list[list[float]] = []
    for size in sorted(sizes):
        if groups and _same(size, groups[-1][0]):
            groups[-1].append(size)
        else:
            groups.append([size])
    return groups


def _same(one: float, other: float) -> bool:
    return max(one, other) <= SAME_SIZE * min(one, other)


def _mean(values: Sequence[float]) -> float:
    """The geometric mean."""
    return math.exp(sum(math.log(value) for value in values) / len(values))

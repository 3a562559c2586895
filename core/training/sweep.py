"""Many runs with one question: which settings, or how much data, within a budget.

A :class:`Sweep` is a frozen, checked value: the settings that all runs share, what varies
(:class:`Axis`), a budget in dollars or minutes, and how the runs are chosen:

- *every*: every combination of the values, several seeds each;
- *search*: Optuna's tree-structured Parzen estimator proposes each run from those before it
  (Bergstra et al. 2011, "Algorithms for Hyper-Parameter Optimization");
- *halving*: successive halving (Jamieson and Talwalkar 2016): all candidates on a ninth of the data,
  the better third of them on a third, the best ninth on all of it.

:func:`next_run` is a pure function of the sweep and its runs so far, so whoever holds the sweep, this
process or one that takes over after a crash, goes on in the same way.

Candidates are compared on validation examples and never on the test, which would no longer say how good the
chosen one is on examples that nobody has seen. So no run of a sweep trains on everything: where it would, it
keeps back as many as a run with early stopping does (``spec.most_watched``). Runs that were chosen
beforehand (``listed``) are trained as they are; what has no validation is not ranked.
"""

import itertools
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, Self

import numpy as np

from core.i18n import Refusal, Text
from core.training.result import RunResult, cost
from core.training.spec import FIELDS, RunSpec, most_watched

Method = Literal["every", "search", "halving"]

METHODS: dict[Method, Text] = {
    "every": Text(en="every combination", zh="所有组合"),
    "search": Text(en="search: each run learns from those before", zh="搜索：每次训练借鉴之前的结果"),
    "halving": Text(en="successive halving: many small, few large", zh="逐次减半：多个小训练，少数大训练"),
}
VARIED = tuple(
    name
    for name in ("train_images", "width", "epochs", "batch_size", "learning_rate")
    if name in {field.name for field in fields(RunSpec)}
)
WHOLE = frozenset(VARIED) - {"learning_rate"}

MOST_RUNS = 200
RANGE_POINTS = 4
"""Values that "every combination" takes of a range."""

KEEP = 3
"""Successive halving keeps one candidate in so many, and gives it so many times the data."""

RUNGS = 3
LEAST_IMAGES = 500
LOST_TWICE = 2
"""A run that was interrupted is tried once more."""


@dataclass(frozen=True, slots=True)
class Axis:
    """A setting that varies: over ``values``, or, if ``between``, between the two of them on a log scale."""

    field: str
    values: tuple[float, ...]
    between: bool = False

    def __post_init__(self) -> None:
        if self.field not in VARIED:
            raise Refusal(
                "A sweep cannot vary {field}; allowed are: {allowed}.",
                field=self.field[:40],
                allowed=", ".join(VARIED),
            )
        whole = self.field in WHOLE
        if not self.values or any(
            not math.isfinite(v) or v <= 0 or (whole and v != int(v)) for v in self.values
        ):
            raise Refusal(
                "The values of {field} are numbers above 0, whole ones where it counts something.",
                field=FIELDS[self.field],
            )
        if self.between and (len(self.values) != 2 or self.values[0] >= self.values[1]):
            raise Refusal(
                "The range of {field} goes from a smaller to a larger number.", field=FIELDS[self.field]
            )

    @classmethod
    def read(cls, field: str, text: str) -> Self:
        """``2500, 5000, 10000`` as values, ``0.0001 to 0.1`` (or ``0.0001..0.1``) as a range; Chinese marks too."""
        plain = text.replace("，", ",").replace("、", ",").replace("到", "..").replace(" to ", "..")
        between = ".." in plain
        parts = plain.split(".." if between else ",")
        try:
            values = tuple(float(part.strip().replace("_", "")) for part in parts if part.strip())
        except ValueError:
            raise Refusal(
                "The values of {field} are “{value}”; write 10, 20, 30 or 10 to 30.",
                field=FIELDS.get(field, field),
                value=text[:40],
            ) from None
        return cls(field, values if between else tuple(dict.fromkeys(values)), between)

    def listed(self) -> tuple[float, ...]:
        """Its values; of a range, a few with equal ratios."""
        if not self.between:
            return self.values
        return tuple(
            dict.fromkeys(
                self._typed(float(v)) for v in np.geomspace(self.values[0], self.values[1], RANGE_POINTS)
            )
        )

    def up_to(self, most: int) -> "Axis":
        """The axis with no value above ``most``."""
        values = tuple(dict.fromkeys(min(value, most) for value in self.values))
        return replace(self, values=values, between=self.between and len(values) == 2)

    def middle(self) -> float:
        """A typical value."""
        return self._typed(math.exp(float(np.mean(np.log(self.values)))))

    def setting(self, value: float) -> dict[str, Any]:
        """As an argument of :class:`RunSpec`."""
        return {self.field: self._typed(value)}

    def _typed(self, value: float) -> float:
        return round(value) if self.field in WHOLE else float(f"{value:.6g}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """A sweep before it happens. ``runs``: how many are tried at the most (not for *every*).

    ``seeds``: runs of each combination (for *every* only). One of ``budget_usd`` and ``budget_minutes``
    is given. ``listed``: the runs themselves, where they were chosen beforehand; then nothing varies.
    ``base`` and ``axes`` keep examples back for validation, whatever was given.
    """

    base: RunSpec
    axes: tuple[Axis, ...] = ()
    method: Method = "every"
    runs: int = 9
    seeds: int = 1
    budget_usd: float | None = None
    budget_minutes: float | None = None
    listed: tuple[RunSpec, ...] = ()

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise Refusal(
                "The method is {value}; allowed are: {allowed}.",
                value=str(self.method)[:40],
                allowed=", ".join(METHODS),
            )
        if not self.axes and not self.listed:
            raise Refusal("Nothing varies: give at least one setting several values.")
        if len({axis.field for axis in self.axes}) < len(self.axes):
            raise Refusal("A setting can vary only once.")
        counts: tuple[tuple[str, object, int], ...] = (
            ("runs", self.runs, MOST_RUNS),
            ("seeds", self.seeds, 10),
        )
        for name, value, most in counts:
            if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
                raise Refusal(
                    "The number of {name} is {value}; a whole number from 1 to {most} is allowed.",
                    name=Text("runs", "训练次数") if name == "runs" else Text("seeds", "种子数"),
                    value=str(value)[:40],
                    most=most,
                )
        budgets = [b for b in (self.budget_usd, self.budget_minutes) if b is not None]
        if len(budgets) != 1 or not math.isfinite(budgets[0]) or budgets[0] <= 0:
            raise Refusal("A sweep needs one budget above 0, in dollars or in minutes.")
        if self.budget_usd is not None and self.base.price_per_hour <= 0:
            raise Refusal("The device costs nothing, so a budget in dollars would never end: give minutes.")
        if self.method == "halving" and self.resource in {axis.field for axis in self.axes}:
            raise Refusal("Successive halving needs the training images or the epochs for itself.")
        if len(self.every()) > MOST_RUNS:
            raise Refusal(
                "That would be {count} runs; at most {most} are allowed.",
                count=len(self.every()),
                most=MOST_RUNS,
            )
        for axis in self.axes:
            for edge in axis.values:
                replace(self.base, **axis.setting(edge))
        if not self.listed:
            self._keep_back()

    def _keep_back(self) -> None:
        most = most_watched(self.base.data.train_images)
        sized = replace(self.base, train_images=min(self.base.train_images, most))
        object.__setattr__(self, "base", sized)
        axes = tuple(axis.up_to(most) if axis.field == "train_images" else axis for axis in self.axes)
        object.__setattr__(self, "axes", axes)

    @property
    def resource(self) -> str:
        """What successive halving gives more of to the better ones: images, or epochs if images vary."""
        varied = {axis.field for axis in self.axes}
        return "train_images" if "train_images" not in varied else "epochs"

    def sized(self, spec: RunSpec, size: int) -> RunSpec:
        """The run with so much of what successive halving gives."""
        return (
            replace(spec, train_images=size)
            if self.resource == "train_images"
            else replace(spec, epochs=size)
        )

    def every(self) -> tuple[RunSpec, ...]:
        """Every combination with every seed, smallest work first; the first runs tell the price of the rest."""
        if self.listed:
            return self.listed
        found = [
            replace(self.base, **_merged(self.axes, values), seed=self.base.seed + seed)
            for values in itertools.product(*(axis.listed() for axis in self.axes))
            for seed in range(self.seeds)
        ]
        return tuple(sorted(found, key=lambda spec: spec.training_flop))

    def rungs(self) -> list[tuple[int, int]]:
        """Successive halving: how many candidates at each rung, and the images or epochs of each."""
        full = int(getattr(self.base, self.resource))
        least = LEAST_IMAGES if self.resource == "train_images" else 1
        levels = [round(full / KEEP**step) for step in range(RUNGS - 1, 0, -1) if full / KEEP**step >= least]
        return [
            (max(1, math.ceil(self.runs / KEEP**rung)), size) for rung, size in enumerate([*levels, full])
        ]

    def planned(self) -> list[RunSpec]:
        """The runs that the whole sweep would take; of those not chosen yet, a typical one."""
        if self.method == "every":
            return list(self.every())
        typical = replace(self.base, **_merged(self.axes, [axis.middle() for axis in self.axes]))
        if self.method == "search":
            return [typical] * self.runs
        return [self.sized(typical, size) for count, size in self.rungs() for _ in range(count)]

    def spent(self, seconds: float) -> float:
        """Which share of the budget so many seconds of the device are."""
        if self.budget_usd is not None:
            return cost(seconds, self.base.price_per_hour) / self.budget_usd
        return seconds / 60 / (self.budget_minutes or math.inf)

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The sweep in ``text``, as :meth:`to_json` wrote it."""
        held = json.loads(text)
        held["base"] = RunSpec.from_json(json.dumps(held["base"]))
        held["axes"] = tuple(Axis(a["field"], tuple(a["values"]), a["between"]) for a in held["axes"])
        held["listed"] = tuple(RunSpec.from_json(json.dumps(one)) for one in held["listed"])
        return cls(**held)


@dataclass(frozen=True, slots=True)
class Price:
    """What a sweep is expected to take: ``runs``, and ``seconds`` and ``dollars`` if speed was measured.

    ``fits``: how many runs, in their order, the budget will pay; None where the speed is not known.
    """

    runs: int
    seconds: float | None
    dollars: float | None
    fits: int | None


def price(sweep: Sweep, seconds_of: Callable[[RunSpec], float | None], start: float = 0.0) -> Price:
    """The price before the click; ``seconds_of`` a run come from the measured speed of earlier ones.

    ``start``: seconds that are paid for once, before the first run.
    """
    planned = sweep.planned()
    known = {spec: seconds_of(spec) for spec in dict.fromkeys(planned)}
    each = [known[spec] for spec in planned]
    if any(seconds is None for seconds in each):
        return Price(len(planned), None, None, None)
    total = start + np.cumsum([seconds for seconds in each if seconds is not None])
    fits = int(np.searchsorted([sweep.spent(float(t)) for t in total], 1.0, side="right"))
    return Price(len(planned), float(total[-1]), cost(float(total[-1]), sweep.base.price_per_hour), fits)


@dataclass(frozen=True, slots=True)
class Trial:
    """A run of a sweep: its settings, whether it is over, how it ended and the accuracy it is judged by."""

    spec: RunSpec
    state: str
    accuracy: float | None = None
    seconds: float = 0.0

    @property
    def active(self) -> bool:
        return self.state in ("queued", "running")


def judged(spec: RunSpec, result: RunResult) -> float | None:
    """The share that a run is chosen by: its accuracy on validation examples; None if it had none.

    Where a number is predicted there is no accuracy, and the share of the variance explained stands in: the
    network sees the number in standard deviations, so that is 1 minus the loss.
    """
    if spec.data.task == "number":
        return None if result.validation_loss is None else 1 - result.validation_loss
    return result.validation_accuracy


def next_run(sweep: Sweep, trials: Sequence[Trial]) -> RunSpec | None:
    """The run to begin next; None if there is none, or none before those under way are over.

    A run that was interrupted is repeated once. What failed, such as a diverged training, is not.
    """
    for trial in trials:
        same = [t for t in trials if t.spec == trial.spec]
        if len(same) < LOST_TWICE and trial.state == "interrupted":
            return trial.spec
    tried = list({trial.spec: trial for trial in trials}.values())
    match sweep.method:
        case "every":
            begun = {trial.spec for trial in tried}
            return next((spec for spec in sweep.every() if spec not in begun), None)
        case "search":
            return _proposed(sweep, tried, sweep.base) if len(tried) < sweep.runs else None
        case "halving":
            return _halved(sweep, tried)


def _halved(sweep: Sweep, tried: Sequence[Trial]) -> RunSpec | None:
    """Fill the first rung with candidates, then each further one with the best of the one before."""
    previous: list[Trial] = []
    for rung, (count, size) in enumerate(sweep.rungs()):
        here = [trial for trial in tried if getattr(trial.spec, sweep.resource) == size]
        if rung == 0:
            if len(here) < count:
                return _proposed(sweep, here, sweep.sized(sweep.base, size), explore=True)
        else:
            judged_ones = [trial for trial in previous if trial.accuracy is not None]
            best = sorted(judged_ones, key=lambda trial: -(trial.accuracy or 0.0))[:count]
            for trial in best:
                larger = sweep.sized(trial.spec, size)
                if larger not in {t.spec for t in here}:
                    return larger
        if any(trial.active for trial in here):
            return None
        previous = here
    return None


def _proposed(sweep: Sweep, tried: Sequence[Trial], base: RunSpec, explore: bool = False) -> RunSpec:
    """The run that Optuna proposes after those tried; the same after the same."""
    import optuna  # it takes a fifth of a second to load, and most processes never search

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    spread: dict[str, optuna.distributions.BaseDistribution] = {}
    for axis in sweep.axes:
        if not axis.between:
            spread[axis.field] = optuna.distributions.CategoricalDistribution(axis.values)
        elif axis.field in WHOLE:
            spread[axis.field] = optuna.distributions.IntDistribution(
                round(axis.values[0]), round(axis.values[1]), log=True
            )
        else:
            spread[axis.field] = optuna.distributions.FloatDistribution(
                axis.values[0], axis.values[1], log=True
            )
    seed = sweep.base.seed + len(tried)  # a sampler begun anew must not propose its first point again
    study = optuna.create_study(
        direction="maximize",
        sampler=optuna.samplers.RandomSampler(seed)
        if explore
        else optuna.samplers.TPESampler(seed=seed, n_startup_trials=max(3, sweep.runs // 3)),
    )
    # A share explained may be below 0, so what could not be judged counts as the worst that was.
    worst = min((trial.accuracy for trial in tried if trial.accuracy is not None), default=0.0)
    for trial in tried:
        held = {axis.field: getattr(trial.spec, axis.field) for axis in sweep.axes}
        if not trial.active:
            study.add_trial(
                optuna.trial.create_trial(
                    params=held,
                    distributions=spread,
                    value=worst if trial.accuracy is None else trial.accuracy,
                )
            )
    begun = {trial.spec for trial in tried}
    for _ in range(20):
        asked = study.ask(spread)
        values = [float(asked.params[axis.field]) for axis in sweep.axes]
        spec = replace(base, **_merged(sweep.axes, values))
        if spec not in begun:
            return spec
        study.tell(asked, state=optuna.trial.TrialState.FAIL)
    # Every combination may have been tried: another seed of one of them tells how much is luck.
    return replace(spec, seed=sweep.base.seed + len(tried))


def _merged(axes: Sequence[Axis], values: Sequence[float]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for axis, value in zip(axes, values, strict=True):
        merged |= axis.setting(value)
    return merged


def best_of(trials: Sequence[Trial], sweep: Sweep) -> Trial | None:
    """The run with the highest accuracy; of successive halving, among those that had all the data."""
    full = [t for t in trials if t.accuracy is not None]
    if sweep.method == "halving":
        largest = max((getattr(t.spec, sweep.resource) for t in full), default=0)
        full = [t for t in full if getattr(t.spec, sweep.resource) == largest]
    return max(full, key=lambda t: t.accuracy or 0.0, default=None)


def varied(sweep: Sweep, spec: RunSpec) -> Mapping[str, float]:
    """The settings of a run that its sweep varies."""
    return {axis.field: getattr(spec, axis.field) for axis in sweep.axes}

"""Goal seek: "what price gives break-even by month 18 with a probability of 80 %?"

One driver is set to a point; all others keep their draws. The same draws serve every candidate value,
so the probability of the goal is a plain function of the value, without luck in it. It need not rise
or fall throughout: a coarse grid over all that the driver may be is looked at first, then the value
nearest to today's that meets the goal is closed in on by halving.

With n draws, the goal holds with probability p where at least k = ⌈p n⌉ draws meet it: where the k-th
best draw does. How far that draw is beyond the goal is the *margin*. It ranks values even where no
draw at all meets the goal. A goal without a probability asks the same of the medians (n = k = 1).

Where no value meets the goal, the answer is the best there is and the driver that binds: the one
which, moved to its 10th or 90th percentile, would help most.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from core.finance.draws import draws as drawn
from core.finance.draws import medians, share_error, varying
from core.finance.outcome import Outcome, outcome, values
from core.finance.sensitivity import HIGH, LOW
from core.i18n import Refusal
from core.venture import Amount, Driver, Venture

Array = NDArray[np.float64]

CANDIDATES = 33
"""Values of the coarse grid."""

REACH = 20.0
"""How far the search goes where the driver has no bounds: today's value ÷ and × this."""

FIRST_LOOK = 256
"""Draws of the first look at a grid; values that may meet the goal are then judged on all draws."""

CLOSER = 11
"""Values of a closer look around the best one, where the grid has none that meets the goal."""

HALVINGS = 12


@dataclass(frozen=True)
class Goal:
    """An outcome (by name) that is to be ``at_least`` or ``at_most`` a value, with a probability or at the medians."""

    outcome: str
    at_least: float | None = None
    at_most: float | None = None
    probability: float | None = None

    def __post_init__(self) -> None:
        if (self.at_least is None) == (self.at_most is None):
            raise Refusal("A goal is at least a value or at most a value, one of the two.")
        if not math.isfinite(self.value):
            raise Refusal("The goal's value is {value}; a finite number is needed.", value=self.value)
        if self.probability is not None and not 0.01 <= self.probability <= 0.99:
            raise Refusal(
                "The goal's probability is {value}; from {least} to {most} is allowed.",
                value=self.probability,
                least=0.01,
                most=0.99,
            )

    @property
    def value(self) -> float:
        return self.at_most if self.at_least is None else self.at_least  # type: ignore[return-value]

    @property
    def sign(self) -> float:
        """1 where more is wanted, −1 where less is."""
        return -1.0 if self.at_least is None else 1.0


@dataclass(frozen=True)
class Point:
    """The driver at ``value``: the median outcome, and how probable the goal is (None for a certain goal).

    ``error`` is the standard error of the probability as if the draws were independent.
    """

    value: float
    outcome: float
    probability: float | None
    error: float | None


@dataclass(frozen=True)
class Binding:
    """The driver that stands in the way: moved to ``value``, the best there is gets to ``probability``.

    For a certain goal ``outcome`` is what the medians then give.
    """

    driver_key: str
    value: float
    probability: float | None
    outcome: float


@dataclass(frozen=True)
class Answer:
    """What the driver must be.

    ``now`` is the plan as it stands, the driver with its own range; ``best`` the value nearest to
    today's that meets the goal, or, where not ``reachable`` between ``low`` and ``high``, the one that
    comes closest; then ``binding`` is the driver that would help most, if any would.
    """

    driver_key: str
    goal: Goal
    outcome: Outcome
    reachable: bool
    now: Point
    best: Point
    low: float
    high: float
    binding: Binding | None


@lru_cache(maxsize=32)
def seek(
    venture: Venture,
    driver_key: str,
    goal: Goal,
    bounds: tuple[float, float] | None = None,
    scenario_id: str | None = None,
    draws: int = 1024,
) -> Answer:
    """The value of one driver that meets a goal, nearest to today's median.

    It is looked for within ``bounds``, or within all that the driver allows, as far as twenty times
    and a twentieth of today's value. "Nearest" is by ratio for a positive driver, else by difference.
    """
    under = venture.under(scenario_id)
    driver = under.driver(driver_key)
    asked = outcome(under, goal.outcome)
    if asked.unit == "month" and not 1 <= goal.value <= asked.months + 1:
        raise Refusal(
            "The goal is month {value}; the plan has months 1 to {most}.", value=goal.value, most=asked.months
        )
    if goal.probability is None:
        paths = {key: np.asarray(array) for key, array in medians(under).items()}
    else:
        paths = drawn(under, draws)
    grid = _grid(driver, bounds, under.horizon_months)
    search = _Search(under, asked, goal, driver, paths)
    found = search.nearest(grid)
    best = search.closest() if found is None else found
    return Answer(
        driver_key,
        goal,
        asked,
        found is not None,
        search.point(paths, driver.amount.median),
        search.point(search.at(best), best),
        float(grid[0]),
        float(grid[-1]),
        search.binding(best) if found is None else None,
    )


# The values to look at


def _grid(driver: Driver, bounds: tuple[float, float] | None, months: int) -> Array:
    """Candidate values in rising order, today's among them unless the bounds leave it out."""
    today = driver.amount.median
    lowest = driver.minimum if driver.minimum is not None else (-math.inf if driver.signed else 0.0)
    highest = driver.maximum if driver.maximum is not None else math.inf
    if bounds is not None:
        low, high = bounds
        if not low < high:
            raise Refusal("The bounds {low} to {high} must rise.", low=low, high=high)
        for end in bounds:
            driver.check(Amount.point(end))
        spread = np.geomspace(low, high, CANDIDATES) if low > 0 else np.linspace(low, high, CANDIDATES)
        lowest, highest = low, high
    elif driver.unit == "month":
        spread = np.arange(1.0, months + 1)
    elif driver.signed:
        low, high = driver.amount.ends()
        scale = (high - low) / 2 or abs(today) or 1.0
        spread = today + REACH * scale * np.sinh(np.linspace(-4, 4, CANDIDATES)) / math.sinh(4)
    elif highest == 1 and 0 < today < 1:
        spread = expit(logit(today) + np.linspace(-1, 1, CANDIDATES) * math.log(REACH))
    elif highest == 1:
        spread = np.linspace(0.0, 1.0, CANDIDATES)
    elif today > 0:
        spread = today * np.geomspace(1 / REACH, REACH, CANDIDATES)
    else:  # 0 today, such as a round that is not planned: every size from a thousandth to a billion
        spread = np.geomspace(1e-3, 1e9, 2 * CANDIDATES)
    ends = [end for end in (lowest, highest) if math.isfinite(end)]
    inside = np.clip(np.concatenate([spread, [today], ends]), lowest, highest)
    return np.unique(np.round(inside) if driver.unit == "month" else inside)


class _Search:
    """One search: candidate values are judged on a part of the draws or on all of them."""

    def __init__(
        self, venture: Venture, asked: Outcome, goal: Goal, driver: Driver, paths: Mapping[str, Array]
    ) -> None:
        self.venture = venture
        self.asked = asked
        self.goal = goal
        self.driver = driver
        self.paths = paths
        self.today = driver.amount.median
        self.count = len(paths[driver.key])
        self.first: dict[float, tuple[float, float]] = {}
        self.judged: dict[float, tuple[float, float]] = {}

    def at(self, value: float, count: int | None = None) -> dict[str, Array]:
        """The draws with the driver at ``value``."""
        paths = {key: array[:count] for key, array in self.paths.items()}
        return {**paths, self.driver.key: np.full_like(paths[self.driver.key], value)}

    def point(self, paths: Mapping[str, Array], value: float) -> Point:
        found = values(self.venture, self.asked, paths)
        middle = float(np.median(found))
        if self.goal.probability is None:
            return Point(value, middle, None, None)
        p, _margin = self._judgement(found[None, :])[0]
        return Point(value, middle, p, share_error(p, self.count))

    # Nearest

    def nearest(self, grid: Array) -> float | None:
        """The value nearest to today's that meets the goal; None if there is none."""
        self._look(grid)
        found = self._nearest()
        if found is None and self.driver.unit != "month":  # look closer around the best
            place = int(np.searchsorted(grid, max(self.first, key=self.first.__getitem__)))
            self._look(np.linspace(grid[max(place - 1, 0)], grid[min(place + 1, len(grid) - 1)], CLOSER))
            found = self._nearest()
        return found

    def _look(self, candidates: Array) -> None:
        """The first look at each candidate, on a part of the draws."""
        self.first |= zip(candidates.tolist(), self._judged(candidates, FIRST_LOOK), strict=True)

    def _nearest(self) -> float | None:
        ordered = sorted(self.first)
        below = [value for value in reversed(ordered) if value <= self.today]
        above = [value for value in ordered if value >= self.today]
        found: list[float] = []
        for side in (below, above):
            value = self._outward(side, min(map(self._distance, found), default=math.inf))
            found += [] if value is None else [value]
        return min(found, key=self._distance, default=None)

    def _outward(self, side: list[float], within: float) -> float | None:
        """The first value that meets the goal on the way away from today's, as far as ``within``."""
        before = None
        for value in side:
            if before is not None and self._distance(before) >= within:
                return None
            if self._may_meet(self.first[value]) and self._meets(value):
                return value if before is None else self._halved(before, value)
            before = value
        return None

    def _halved(self, outside: float, inside: float) -> float:
        """The meeting end of a bracket, closed in on by halving."""
        if self.driver.unit == "month":
            return inside
        for _ in range(HALVINGS):
            ratio = outside > 0 and inside > 0 and not self.driver.signed
            middle = math.sqrt(outside * inside) if ratio else (outside + inside) / 2
            if self._meets(middle):
                inside = middle
            else:
                outside = middle
        return inside

    def _distance(self, value: float) -> float:
        if value > 0 and self.today > 0 and not self.driver.signed:
            return abs(math.log(value / self.today))
        return abs(value - self.today)

    def _may_meet(self, judgement: tuple[float, float]) -> bool:
        """Whether the goal may hold on all draws, given what the first look found (4 standard errors)."""
        p, margin = judgement
        wanted = self.goal.probability
        if wanted is None or self.count <= FIRST_LOOK:
            return margin >= 0
        return p >= wanted - 4 * math.sqrt(wanted * (1 - wanted) / FIRST_LOOK)

    def _meets(self, value: float) -> bool:
        return self._on_all_draws(value)[1] >= 0

    def _on_all_draws(self, value: float) -> tuple[float, float]:
        if value not in self.judged:
            self.judged[value] = self._judged(np.array([value]), None)[0]
        return self.judged[value]

    # Closest

    def closest(self) -> float:
        """The value that comes closest to the goal, where none meets it."""
        best = sorted(self.first, key=self.first.__getitem__)[-3:]
        return max(best, key=self._on_all_draws)

    def binding(self, value: float) -> Binding | None:
        """The driver that, at its favourable 10th or 90th percentile, helps most with this one at ``value``."""
        base = self.at(value, FIRST_LOOK)
        (before,) = self._judged(np.array([value]), FIRST_LOOK)
        moves = [
            (key, float(end))
            for key in varying(self.venture)
            if key != self.driver.key
            for end in self.venture.driver(key).amount.at(np.array([LOW, HIGH]))
        ]
        if not moves:
            return None
        size = len(base[self.driver.key])
        paths = {key: np.tile(array, len(moves)) for key, array in base.items()}
        for place, (key, end) in enumerate(moves):
            paths[key][place * size : (place + 1) * size] = end
        found = self._judgement(values(self.venture, self.asked, paths).reshape(len(moves), size))
        (key, end), after = max(zip(moves, found, strict=True), key=lambda move: move[1])
        if after <= before:
            return None
        helped = self.point({**self.at(value), key: np.full(self.count, end)}, value)
        return Binding(key, end, helped.probability, helped.outcome)

    # Judging

    def _judged(self, candidates: Array, count: int | None) -> list[tuple[float, float]]:
        """Probability and margin of each candidate; one that the plan cannot take is the worst there is."""
        stacked = [self.at(float(value), count) for value in candidates]
        paths = {key: np.concatenate([one[key] for one in stacked]) for key in self.paths}
        try:
            found = values(self.venture, self.asked, paths)
        except Refusal:
            if len(candidates) == 1:
                return [(0.0, -math.inf)]
            half = len(candidates) // 2
            return self._judged(candidates[:half], count) + self._judged(candidates[half:], count)
        return self._judgement(found.reshape(len(candidates), -1))

    def _judgement(self, found: Array) -> list[tuple[float, float]]:
        """Probability and margin of each row of outcomes, shape (candidates, draws)."""
        beyond = self.goal.sign * (found - self.goal.value)
        count = beyond.shape[1]
        needed = 1 if self.goal.probability is None else math.ceil(self.goal.probability * count - 1e-9)
        margin = np.partition(beyond, count - needed, axis=1)[:, count - needed]
        return list(zip((beyond >= 0).mean(axis=1).tolist(), margin.tolist(), strict=True))

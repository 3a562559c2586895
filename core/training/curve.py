"""What accuracy costs: the runs that are worth their money, and what more training would bring.

Two readings of finished runs:

- :func:`pareto`: the runs that no other run beats in both cost and accuracy.
- :func:`fit`: once four sizes of training have been measured, a power law

      error = a · compute^-b,   error = 1 - test accuracy,

  through the *three largest* sizes, a straight line in logarithms, with an 80 % band.

Why this law: on held-out points of fourteen curves (MNIST and Fashion-MNIST, six networks) the line
through the last three sizes predicted an accuracy three times as far out within 0.19 points (median;
0.81 at the 90th percentile) and twelve times as far within 0.63 (1.86). The usual a·C^-b + c, fitted by
least squares, was off by three times as much and called targets unreachable that were reached.

Why this band: seeds and the finite test set alone covered the truth too rarely, because the form of the
curve is the larger doubt. So every draw may also bend beyond the largest run: its exponent changes by a
normal deviate of ``BEND`` = 0.12. On those fourteen curves, with a second and more pessimistic law among
the draws, that brought the 80 % band to what it promises (84 % for accuracy, 81 % for cost; 69 % without).

Beyond ten times the largest run, or where the data do not fall on such a line, there is no answer but a
:class:`Refusal` that says why.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.i18n import Refusal
from core.training.result import RunResult
from core.training.spec import RunSpec

Floats = NDArray[np.float64]

TEST_IMAGES = 10_000
SIZES_NEEDED = 4
FITTED_SIZES = 3
SAME_SIZE = 1.05
"""Computes within 5 % of each other count as one size."""

SPREAD_NEEDED = 2.0
"""The three largest sizes must span this factor, or their slope is noise."""

CONFIDENT = 3.0
"""Up to this multiple of the largest run the prediction has a record; beyond, draw it as speculation."""

FURTHEST = 10.0
"""The largest extrapolation, as a multiple of the largest run."""

BACKTEST_LIMIT = 0.02
"""Off by more than two points of accuracy on the largest run, the law is not shown."""

BEND = 0.12
SEED_SPREAD = 0.10
"""Relative standard deviation of the error between seeds where it was not measured: on MNIST between 5 and
20 % at 60,000 images. Counts as ``PRIOR_RUNS`` measured differences beside those that were."""
PRIOR_RUNS = 4
DRAWS = 2000
LEVELS = (0.1, 0.5, 0.9)


@dataclass(frozen=True, slots=True)
class Measured:
    """A finished run as a point: ``compute`` in FLOP, ``held_seconds`` of the device, ``accuracy`` a share."""

    run_id: str
    compute: float
    held_seconds: float
    cost_usd: float
    accuracy: float

    @classmethod
    def of(cls, run_id: str, result: RunResult) -> "Measured":
        """The point of a result; a Refusal if the run was not tested."""
        if result.test_accuracy is None:
            raise Refusal("The run was stopped before its test, so its accuracy is not known.")
        return cls(run_id, result.training_flop, result.held_seconds, result.cost_usd, result.test_accuracy)

    @property
    def error(self) -> float:
        """Share of wrong answers; never quite 0, since a test of finite size cannot show that."""
        return (max(0.0, 1 - self.accuracy) * TEST_IMAGES + 0.5) / (TEST_IMAGES + 1)


@dataclass(frozen=True, slots=True)
class Family:
    """What runs must have in common to lie on one curve: all but size, epochs, seed and price."""

    network: str
    dataset: str
    optimizer: str
    activation: str
    loss: str
    batch_size: int
    learning_rate: float | None
    device: str
    recipe: str = ""


def families(runs: Iterable[tuple[str, RunSpec, RunResult]]) -> dict[Family, list[Measured]]:
    """Finished runs (id, specification, result) by family, in the order given; untested ones are left out."""
    found: dict[Family, list[Measured]] = {}
    for run_id, spec, result in runs:
        if result.test_accuracy is not None:
            family = Family(
                spec.network,
                spec.dataset,
                spec.optimizer,
                spec.activation,
                spec.loss,
                spec.batch_size,
                spec.learning_rate,
                result.device.name,
                spec.recipe,
            )
            found.setdefault(family, []).append(Measured.of(run_id, result))
    return found


def pareto(points: Sequence[Measured]) -> list[Measured]:
    """The points that no other beats, cheapest first: each costs more than the one before and is better.

    Of equals the first given is kept.
    """
    front: list[Measured] = []
    for point in sorted(points, key=lambda p: (p.cost_usd, -p.accuracy)):
        if not front or point.accuracy > front[-1].accuracy:
            front.append(point)
    return front


@dataclass(frozen=True, slots=True)
class Band:
    """A quantity with its 80 % interval: arrays of the same shape."""

    low: Floats
    mid: Floats
    high: Floats


@dataclass(frozen=True, slots=True)
class Reach:
    """What it takes to reach an accuracy, with an 80 % interval.

    ``compute`` in FLOP and ``cost_usd`` are (low, middle, high); high is None where more than one draw in
    ten does not get there within :data:`FURTHEST` times the largest run. ``never`` is the share of those
    draws. ``factor`` is the middle compute over that of the largest run: up to 3 the middle is typically
    right within a factor of 1.2, at 6 within 1.4, at 12 within 2.3.
    """

    accuracy: float
    compute: tuple[float, float, float | None]
    cost_usd: tuple[float, float, float | None]
    never: float
    factor: float


@dataclass(frozen=True, eq=False, slots=True)
class Curve:
    """error = ``a`` · compute^-``b``, fitted; ask it with :meth:`accuracy` and :meth:`reach`.

    ``smallest`` and ``largest``: measured computes in FLOP. ``backtest``: how far the law through the
    smaller sizes is off the largest, in accuracy (0.004 = 0.4 points).
    """

    a: float
    b: float
    smallest: float
    largest: float
    backtest: float
    seconds_fixed: float
    seconds_per_flop: float
    _height: Floats
    _slope: Floats
    _bend: Floats

    def accuracy(self, compute: ArrayLike) -> Band:
        """Test accuracy at ``compute`` FLOP, from the smallest run to ten times the largest."""
        flop = np.asarray(compute, dtype=float)
        if np.any(flop < self.smallest * (1 - 1e-9)):
            raise Refusal(
                "The curve begins at {smallest} FLOP, the smallest run; {value} FLOP is below.",
                smallest=f"{self.smallest:.3g}",
                value=f"{flop.min():.3g}",
            )
        if np.any(flop > self.largest * FURTHEST * (1 + 1e-9)):
            raise _too_far(float(flop.max()) / self.largest)
        away = np.log(flop / self.largest)[..., None]
        errors = self._height - self._slope * away + self._bend * np.maximum(away, 0.0)
        shares = 1 - np.exp(np.minimum(errors, 0.0))
        low, mid, high = np.quantile(shares, LEVELS, axis=-1)
        return Band(low, mid, high)

    def seconds(self, compute: float) -> float:
        """Seconds for which a run of ``compute`` FLOP holds the device: start-up and a steady speed."""
        return self.seconds_fixed + self.seconds_per_flop * compute

    def reach(self, accuracy: float, price_per_hour: float) -> Reach:
        """Compute and USD to reach ``accuracy`` (share) on a device of ``price_per_hour`` USD.

        Raises a Refusal if most draws do not get there within ten times the largest run.
        """
        if not 0 < accuracy < 1:
            raise Refusal(
                "The target accuracy is {value}; a share above 0 and below 1 is allowed.", value=accuracy
            )
        away = self._log_distance(math.log(1 - accuracy))
        far = math.log(FURTHEST)
        never = float(np.mean(away > far))
        low, mid, high = (float(q) for q in np.quantile(np.minimum(away, 2 * far), LEVELS))
        if mid > far:
            best = self.accuracy(self.largest * FURTHEST)
            raise Refusal(
                "An accuracy of {accuracy} is more than these runs support: with ten times the largest run, "
                "{low} to {high} is to be expected.",
                accuracy=f"{accuracy:.2%}",
                low=f"{float(best.low):.2%}",
                high=f"{float(best.high):.2%}",
            )
        compute = [self.largest * math.exp(q) for q in (low, mid)]
        most = self.largest * math.exp(high) if high <= far else None

        def usd(flop: float) -> float:
            return self.seconds(flop) * price_per_hour / 3600

        return Reach(
            accuracy=accuracy,
            compute=(compute[0], compute[1], most),
            cost_usd=(usd(compute[0]), usd(compute[1]), None if most is None else usd(most)),
            never=never,
            factor=compute[1] / self.largest,
        )

    def _log_distance(self, log_error: float) -> Floats:
        """Where each draw reaches the error: log of compute over the largest; infinite where it never does."""
        gap = self._height - log_error  # above 0: the largest run is not good enough
        slope = np.where(gap > 0, self._slope - self._bend, self._slope)
        with np.errstate(divide="ignore", invalid="ignore"):
            away = np.where(slope > 0, gap / slope, np.where(gap > 0, np.inf, -np.inf))
        return np.asarray(away, dtype=float)


def fit(points: Sequence[Measured], seed: int = 0) -> Curve:
    """The learning curve of runs of one family, or a Refusal that says what is missing.

    Needs :data:`SIZES_NEEDED` sizes (computes that differ by more than 5 %); several seeds at a size make
    the band narrower. ``seed`` is that of the draws.
    """
    sizes = _sizes(points)
    if len(sizes) < SIZES_NEEDED:
        raise Refusal(
            "{count} sizes of training have been measured; a curve needs at least {needed} that differ.",
            count=len(sizes),
            needed=SIZES_NEEDED,
        )
    last = sizes[-FITTED_SIZES:]
    spread = last[-1].compute / last[0].compute
    if spread < SPREAD_NEEDED:
        raise Refusal(
            "The three largest sizes differ by a factor of {spread} only; a curve needs a factor of {needed}.",
            spread=f"{spread:.2g}",
            needed=f"{SPREAD_NEEDED:g}",
        )
    a, b = _line(last)
    if b <= 0:
        raise Refusal(
            "The error does not fall from the third largest to the largest size, so there is no trend."
        )
    backtest = _backtest(sizes)
    if backtest > BACKTEST_LIMIT:
        raise Refusal(
            "The smaller runs predict the largest one badly (off by {points} points of accuracy), "
            "so no reliable curve can be drawn.",
            points=f"{100 * backtest:.1f}",
        )
    rng = np.random.default_rng(seed)
    height, slope = _draws(last, _seed_spread(sizes), rng)
    fixed, per_flop = _speed(points)
    return Curve(
        a=a,
        b=b,
        smallest=sizes[0].compute,
        largest=last[-1].compute,
        backtest=backtest,
        seconds_fixed=fixed,
        seconds_per_flop=per_flop,
        _height=height,
        _slope=slope,
        _bend=BEND * rng.standard_normal(DRAWS),
    )


@dataclass(frozen=True, slots=True)
class _Size:
    """All runs of one size: geometric mean of compute, logarithms of the errors."""

    compute: float
    log_errors: tuple[float, ...]

    @property
    def log_error(self) -> float:
        return float(np.mean(self.log_errors))


def _sizes(points: Sequence[Measured]) -> list[_Size]:
    """The points grouped by size, smallest first."""
    groups: list[list[Measured]] = []
    for point in sorted(points, key=lambda p: p.compute):
        if groups and point.compute <= groups[-1][0].compute * SAME_SIZE:
            groups[-1].append(point)
        else:
            groups.append([point])
    return [
        _Size(
            math.exp(float(np.mean([math.log(p.compute) for p in group]))),
            tuple(math.log(p.error) for p in group),
        )
        for group in groups
    ]


def _line(sizes: Sequence[_Size]) -> tuple[float, float]:
    """a and b of the least-squares line through the logarithms."""
    x = np.log([size.compute for size in sizes])
    slope, height = np.polyfit(x - x.mean(), [size.log_error for size in sizes], 1)
    return math.exp(height - slope * x.mean()), -float(slope)


def _backtest(sizes: Sequence[_Size]) -> float:
    """How far the law through the sizes below the largest misses it, in accuracy."""
    a, b = _line(sizes[:-1][-FITTED_SIZES:])
    predicted = math.exp(min(math.log(a) - b * math.log(sizes[-1].compute), 0.0))
    return abs(predicted - math.exp(sizes[-1].log_error))


def _seed_spread(sizes: Sequence[_Size]) -> float:
    """Standard deviation of log error between seeds: measured where sizes were repeated, else usual."""
    squares, freedom = PRIOR_RUNS * SEED_SPREAD**2, float(PRIOR_RUNS)
    for size in sizes:
        squares += sum((e - size.log_error) ** 2 for e in size.log_errors)
        freedom += len(size.log_errors) - 1
    return math.sqrt(squares / freedom)


def _draws(sizes: Sequence[_Size], spread: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Lines through the sizes as they might have been: log error at the largest, and minus the slope.

    Each size is drawn with the scatter of its mean: seeds, and the binomial scatter of the test.
    """
    x = np.log([size.compute for size in sizes])
    mean = np.array([size.log_error for size in sizes])
    runs = np.array([len(size.log_errors) for size in sizes])
    error = np.exp(mean)
    scatter = np.sqrt((spread**2 + (1 - error) / (error * TEST_IMAGES)) / runs)
    drawn = mean + scatter * rng.standard_normal((DRAWS, len(sizes)))
    centred = x - x.mean()
    slope = drawn @ centred / (centred @ centred)
    height = drawn.mean(axis=1) + slope * centred[-1]
    return height, -slope


def _speed(points: Sequence[Measured]) -> tuple[float, float]:
    """Held seconds as a fixed part and seconds per FLOP, neither below 0, by least squares."""
    compute = np.array([p.compute for p in points])
    seconds = np.array([p.held_seconds for p in points])
    slope, fixed = np.polyfit(compute / compute.max(), seconds, 1)
    if slope <= 0 or fixed < 0:
        return 0.0, float(seconds @ compute / (compute @ compute))
    return float(fixed), float(slope / compute.max())


def _too_far(factor: float) -> Refusal:
    return Refusal(
        "That is {factor} times the largest run; the curve is drawn up to {most} times.",
        factor=f"{factor:.3g}",
        most=f"{FURTHEST:g}",
    )

"""What more training would bring: error against data or against compute, as far as the runs support it.

:func:`fit`, once four sizes have been measured, is a power law

    error = a · size^-b,   error = 1 - test accuracy,   size = training images or FLOP,

through the *three largest* sizes, a straight line in logarithms, with an 80 % band.

Why this law: on held-out points of fourteen curves (MNIST and Fashion-MNIST, six networks) the line
through the last three sizes predicted an accuracy three times as far out within 0.19 points (median;
0.81 at the 90th percentile) and twelve times as far within 0.63 (1.86). The usual a·C^-b + c, fitted by
least squares, was off by three times as much and called targets unreachable that were reached.
On ten other networks (``benchmarks/curve.py``: fitted up to 20,000 images, asked for 60,000) the line was
off by a factor of 1.17 (median; 1.24 at worst), the usual form by 1.16 (1.34 at worst).

Why this band: the luck of seeds and the finite test alone covered the truth too rarely, because the form of
the curve is the larger doubt. So every draw also bends beyond the largest run: its exponent changes by a
normal deviate of ``BEND`` = 0.12, chosen on the fourteen. On the ten, measured afterwards, the 80 % band of
this code held the truth for 9 of 10 at twice, 9 of 10 at three and 9 of 10 at six times the largest size
fitted, and was at the widest a factor of 1.50, 1.76 and 2.18 from end to end; the size that reaches an error
is the same draws read the other way. All ten are MNIST with one test, so this says less than ten independent
trials would, and nothing of other data.

The finite test: every run is scored on the same test examples, so more seeds do not average its luck out,
and what a large run gets wrong a smaller one mostly does too. So a draw has one test for all sizes
(:func:`_luck_of_the_test`), and the luck of seeds on top. The spread between seeds shows none of the luck
that they share, so nothing is taken off it.

Every curve carries its own test: the largest size is held out, predicted from the smaller ones, and shown
beside what was measured there (:class:`HeldOut`).

How far it goes (:func:`zone`): up to three times the largest run with confidence, to ten times as
uncertain, to thirty times as speculation. Where the data do not fall on such a line there is no answer
but a :class:`Refusal` that says why; ``points.to_run_next`` says what to run.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.i18n import Refusal
from core.training.points import SIZES_NEEDED, By, Measured, grouped

Floats = NDArray[np.float64]

FITTED_SIZES = 3

SPREAD_NEEDED = 2.0
"""The three largest sizes must span this factor, or their slope is noise."""

CONFIDENT = 3.0
"""Up to this multiple of the largest run the prediction has a record."""

UNCERTAIN = 10.0
"""Up to this multiple it is uncertain: targets are still priced; beyond, it is speculation."""

FURTHEST = 30.0
"""The largest extrapolation that is drawn at all, as a multiple of the largest run."""

BACKTEST_LIMIT = 0.02
"""Off by more than two points of accuracy on the largest run, the law is not shown."""

BEND = 0.12
SEED_SPREAD = 0.10
"""Relative standard deviation of the error between seeds where it was not measured: on MNIST between 5 and
20 % at 60,000 images. Counts as ``PRIOR_RUNS`` measured differences beside those that were."""
PRIOR_RUNS = 4
DRAWS = 2000
LEVELS = (0.1, 0.5, 0.9)


Zone = Literal["measured", "confident", "uncertain", "speculation"]


def zone(size: float, largest: float) -> Zone:
    """How far a size is to be trusted, seen from the ``largest`` that was measured."""
    away = size / largest * (1 - 1e-9)
    if away <= 1:
        return "measured"
    return "confident" if away <= CONFIDENT else "uncertain" if away <= UNCERTAIN else "speculation"


@dataclass(frozen=True, slots=True)
class Band:
    """A quantity with its 80 % interval: arrays of the same shape."""

    low: Floats
    mid: Floats
    high: Floats


@dataclass(frozen=True, slots=True)
class HeldOut:
    """The largest size as the smaller ones predict its error, with an 80 % interval, beside the measured one."""

    size: float
    measured: float
    low: float
    mid: float
    high: float

    @property
    def inside(self) -> bool:
        """Whether the measured error lies in the interval."""
        return self.low <= self.measured <= self.high

    @property
    def points(self) -> float:
        """How far the prediction is off, in accuracy (0.004 = 0.4 points)."""
        return abs(self.mid - self.measured)


@dataclass(frozen=True, slots=True)
class Reach:
    """What it takes to reach an accuracy, with an 80 % interval.

    ``size`` (images or FLOP) and ``cost_usd`` are (low, middle, high); high is None where more than one
    draw in ten does not get there within :data:`UNCERTAIN` times the largest run. ``never`` is the share
    of those draws. ``factor`` is the middle size over that of the largest run: up to 3 the middle is
    typically right within a factor of 1.2, at 6 within 1.4, at 12 within 2.3.
    """

    accuracy: float
    size: tuple[float, float, float | None]
    cost_usd: tuple[float, float, float | None]
    never: float
    factor: float


@dataclass(frozen=True, eq=False, slots=True)
class Curve:
    """error = ``a`` · size^-``b``, fitted; ask it with :meth:`error`, :meth:`accuracy` and :meth:`reach`.

    ``by`` is what a size is: training images or FLOP. ``smallest`` and ``largest`` were measured.
    """

    by: By
    a: float
    b: float
    smallest: float
    largest: float
    held_out: HeldOut
    seconds_fixed: float
    seconds_per_unit: float
    _height: Floats
    _slope: Floats
    _bend: Floats

    def error(self, size: ArrayLike) -> Band:
        """Share of wrong answers at ``size``, from the smallest run to :data:`FURTHEST` times the largest."""
        asked = np.asarray(size, dtype=float)
        if np.any(asked < self.smallest * (1 - 1e-9)):
            raise Refusal(
                "The curve begins at {smallest}, the smallest run; {value} is below.",
                smallest=f"{self.smallest:.3g}",
                value=f"{asked.min():.3g}",
            )
        if np.any(asked > self.largest * FURTHEST * (1 + 1e-9)):
            raise Refusal(
                "That is {factor} times the largest run; the curve is drawn up to {most} times.",
                factor=f"{float(asked.max()) / self.largest:.3g}",
                most=f"{FURTHEST:g}",
            )
        return _errors(np.log(asked / self.largest), self._height, self._slope, self._bend)

    def accuracy(self, size: ArrayLike) -> Band:
        """Test accuracy at ``size``; see :meth:`error`."""
        found = self.error(size)
        return Band(1 - found.high, 1 - found.mid, 1 - found.low)

    def accuracies(self, size: ArrayLike) -> Floats:
        """The accuracy at each ``size`` by every draw, shape (sizes, draws): a row's draws are its interval."""
        self.error(size)  # refuses what is out of range
        away = np.log(np.asarray(size, dtype=float) / self.largest)
        return 1 - _drawn(away, self._height, self._slope, self._bend)

    def accuracy_between(self, size: float, share: float = 0.9) -> tuple[float, float]:
        """The interval that holds the accuracy at one ``size`` with the probability ``share``."""
        away = np.log([size / self.largest])
        low, _, high = _quantiles(
            away, self._height, self._slope, self._bend, ((1 - share) / 2, 0.5, (1 + share) / 2)
        )
        return 1 - float(high[0]), 1 - float(low[0])

    def falls(self, factor: float) -> tuple[float, float, float]:
        """Share of the error that goes when the largest run grows by ``factor`` (low, middle, high; 80 %).

        1 - factor^-b with the b of each draw, its bend included; below 0 where an error may grow.
        """
        left = np.quantile(np.exp((self._bend - self._slope) * math.log(factor)), LEVELS[::-1])
        return 1 - float(left[0]), 1 - float(left[1]), 1 - float(left[2])

    def carried_over(self, accuracy: float) -> "Curve":
        """The curve of a task whose ``accuracy`` today stands where these runs have that of their largest.

        From there its error falls as the measured one does (:mod:`core.training.transfer`), with the doubt about
        the fall and none about the height, which is given. ``held_out`` stays what was measured.
        """
        if not 0 < accuracy < 1:
            raise Refusal(
                "The accuracy of your task is {value}; a share above 0 and below 1 is allowed.",
                value=accuracy,
            )
        height = np.full_like(self._height, math.log(1 - accuracy))
        return replace(self, a=(1 - accuracy) * self.largest**self.b, _height=height)

    def exponent(self) -> tuple[float, float, float]:
        """b beyond the largest run, as (low, middle, high) of its 80 % interval."""
        low, middle, high = np.quantile(self._slope - self._bend, LEVELS)
        return float(low), float(middle), float(high)

    def zone(self, size: float) -> Zone:
        """How far the curve is to be trusted at ``size``."""
        return zone(size, self.largest)

    def seconds(self, size: float) -> float:
        """Seconds for which a run of ``size`` holds the device: start-up and a steady speed."""
        return self.seconds_fixed + self.seconds_per_unit * size

    def reach(self, accuracy: float, price_per_hour: float) -> Reach:
        """Size and USD to reach ``accuracy`` (share) on a device of ``price_per_hour`` USD.

        At least the smallest run that was measured, even where that is better than ``accuracy``.
        Raises a Refusal if most draws do not get there within ten times the largest run.
        """
        if not 0 < accuracy < 1:
            raise Refusal(
                "The target accuracy is {value}; a share above 0 and below 1 is allowed.", value=accuracy
            )
        # The smallest run that was measured is the least that the curve prices.
        least = math.log(self.smallest / self.largest)
        away = np.maximum(self._log_distance(math.log(1 - accuracy)), least)
        far = math.log(UNCERTAIN)
        never = float(np.mean(away > far))
        low, mid, high = (float(q) for q in np.quantile(np.minimum(away, 2 * far), LEVELS))
        if mid > far:
            best = self.accuracy(self.largest * UNCERTAIN)
            raise Refusal(
                "An accuracy of {accuracy} is more than these runs support: with ten times the largest run, "
                "{low} to {high} is to be expected.",
                accuracy=f"{accuracy:.2%}",
                low=f"{float(best.low):.2%}",
                high=f"{float(best.high):.2%}",
            )
        sizes = [self.largest * math.exp(q) for q in (low, mid)]
        most = self.largest * math.exp(high) if high <= far else None

        def usd(size: float) -> float:
            return self.seconds(size) * price_per_hour / 3600

        return Reach(
            accuracy=accuracy,
            size=(sizes[0], sizes[1], most),
            cost_usd=(usd(sizes[0]), usd(sizes[1]), None if most is None else usd(most)),
            never=never,
            factor=sizes[1] / self.largest,
        )

    def _log_distance(self, log_error: float) -> Floats:
        """Where each draw reaches the error: log of size over the largest; infinite where it never does."""
        gap = self._height - log_error  # above 0: the largest run is not good enough
        slope = np.where(gap > 0, self._slope - self._bend, self._slope)
        with np.errstate(divide="ignore", invalid="ignore"):
            away = np.where(slope > 0, gap / slope, np.where(gap > 0, np.inf, -np.inf))
        return np.asarray(away, dtype=float)


def fit(points: Sequence[Measured], by: By = "compute", seed: int = 0) -> Curve:
    """The learning curve of runs of one family, or a Refusal that says what is missing.

    Needs :data:`SIZES_NEEDED` sizes that differ by more than 5 %; several seeds at a size make the band
    narrower. ``seed`` is that of the draws.
    """
    sizes = _sizes(points, by)
    if len(sizes) < SIZES_NEEDED:
        raise Refusal(
            "Sizes of training measured so far: {count}; a curve needs at least {needed} that differ.",
            count=len(sizes),
            needed=SIZES_NEEDED,
        )
    last = sizes[-FITTED_SIZES:]
    spread = last[-1].size / last[0].size
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
    rng = np.random.default_rng(seed)
    seeds = _seed_spread(sizes)
    held_out = _held_out(sizes, seeds, rng)
    if held_out.points > BACKTEST_LIMIT:
        raise Refusal(
            "The smaller runs predict the largest one badly (off by {points} points of accuracy), "
            "so no reliable curve can be drawn.",
            points=f"{100 * held_out.points:.1f}",
        )
    height, slope = _draws(last, seeds, rng)
    fixed, per_unit = _speed(points, by)
    return Curve(
        by=by,
        a=a,
        b=b,
        smallest=sizes[0].size,
        largest=last[-1].size,
        held_out=held_out,
        seconds_fixed=fixed,
        seconds_per_unit=per_unit,
        _height=height,
        _slope=slope,
        _bend=BEND * rng.standard_normal(DRAWS),
    )


@dataclass(frozen=True, slots=True)
class _Size:
    """All runs of one size: geometric mean of the sizes, logarithms of the errors."""

    size: float
    log_errors: tuple[float, ...]
    test_images: int

    @property
    def log_error(self) -> float:
        return float(np.mean(self.log_errors))


def _sizes(points: Sequence[Measured], by: By) -> list[_Size]:
    """The points grouped by size, smallest first."""
    found = []
    for group in grouped([point.size(by) for point in points]):
        members = [point for point in points if group[0] <= point.size(by) <= group[-1]]
        found.append(
            _Size(
                group[0] if group[0] == group[-1] else math.exp(float(np.mean(np.log(group)))),
                tuple(math.log(point.error) for point in members),
                min(point.test_images for point in members),
            )
        )
    return found


def _line(sizes: Sequence[_Size]) -> tuple[float, float]:
    """a and b of the least-squares line through the logarithms."""
    x = np.log([size.size for size in sizes])
    slope, height = np.polyfit(x - x.mean(), [size.log_error for size in sizes], 1)
    return math.exp(height - slope * x.mean()), -float(slope)


def extrapolated(points: Sequence[Measured], size: float, by: By = "compute", seed: int = 0) -> Band:
    """The error at one ``size`` as the three largest sizes of ``points`` predict it, without the checks of
    :func:`fit`: for tests of the law."""
    sizes = _sizes(points, by)
    return _predicted(sizes, size, _seed_spread(sizes), np.random.default_rng(seed))


def _held_out(sizes: Sequence[_Size], seeds: float, rng: np.random.Generator) -> HeldOut:
    """The largest size as those below it predict it."""
    last = sizes[-1]
    band = _predicted(sizes[:-1], last.size, seeds, rng)
    return HeldOut(last.size, math.exp(last.log_error), float(band.low), float(band.mid), float(band.high))


def _predicted(sizes: Sequence[_Size], size: float, seeds: float, rng: np.random.Generator) -> Band:
    """The error at ``size`` as the largest of ``sizes`` predict it."""
    fitted = sizes[-FITTED_SIZES:]
    height, slope = _draws(fitted, seeds, rng)
    return _errors(np.log(size / fitted[-1].size), height, slope, BEND * rng.standard_normal(DRAWS))


def _errors(away: ArrayLike, height: Floats, slope: Floats, bend: Floats) -> Band:
    """The error of all draws at log distances from their largest size, as quantiles."""
    return Band(*_quantiles(away, height, slope, bend, LEVELS))


def _quantiles(
    away: ArrayLike, height: Floats, slope: Floats, bend: Floats, levels: Sequence[float]
) -> Floats:
    return np.asarray(np.quantile(_drawn(away, height, slope, bend), levels, axis=-1), dtype=float)


def _drawn(away: ArrayLike, height: Floats, slope: Floats, bend: Floats) -> Floats:
    """The error at each distance by every draw, with the draws as the last axis."""
    far = np.asarray(away, dtype=float)[..., None]
    errors = height - slope * far + bend * np.maximum(far, 0.0)
    return np.asarray(np.exp(np.minimum(errors, 0.0)), dtype=float)


def _seed_spread(sizes: Sequence[_Size]) -> float:
    """Standard deviation of log error between seeds: measured where sizes were repeated, else usual."""
    squares, freedom = PRIOR_RUNS * SEED_SPREAD**2, float(PRIOR_RUNS)
    for size in sizes:
        squares += sum((e - size.log_error) ** 2 for e in size.log_errors)
        freedom += len(size.log_errors) - 1
    return math.sqrt(squares / freedom)


def _draws(sizes: Sequence[_Size], spread: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Lines through the sizes as they might have been: log error at the largest, and minus the slope.

    Each size is drawn with the scatter of its mean over seeds, and all of them with the luck of one test.
    """
    x = np.log([size.size for size in sizes])
    mean = np.array([size.log_error for size in sizes])
    runs = np.array([len(size.log_errors) for size in sizes])
    drawn = mean + spread / np.sqrt(runs) * rng.standard_normal((DRAWS, len(sizes)))
    drawn += _luck_of_the_test(np.exp(mean), np.array([size.test_images for size in sizes]), rng)
    centred = x - x.mean()
    slope = drawn @ centred / (centred @ centred)
    height = drawn.mean(axis=1) + slope * centred[-1]
    return height, -slope


def _luck_of_the_test(error: Floats, tests: NDArray[np.int_], rng: np.random.Generator) -> Floats:
    """Deviations of log error (:data:`DRAWS`, sizes) because the test is finite, the same for all seeds.

    Taken so that each example has a size from which on it is answered rightly: what a size gets wrong all
    smaller ones do. Then the log error has the binomial variance v = (1 - e) / (e · n) at each size, and from
    one size to the next it changes by an independent normal deviate of the variance that v gains. Where
    the mistakes of seeds differ by chance this is on the wide side.
    """
    variance = np.maximum.accumulate((1 - error) / (error * tests))
    gained = np.sqrt(np.diff(variance, prepend=0.0))
    return np.asarray(np.cumsum(gained * rng.standard_normal((DRAWS, len(error))), axis=1), dtype=float)


def _speed(points: Sequence[Measured], by: By) -> tuple[float, float]:
    """Held seconds as a fixed part and seconds per image or FLOP, neither below 0, by least squares."""
    size = np.array([p.size(by) for p in points])
    seconds = np.array([p.held_seconds for p in points])
    slope, fixed = np.polyfit(size / size.max(), seconds, 1)
    if slope <= 0 or fixed < 0:
        return 0.0, float(seconds @ size / (size @ size))
    return float(fixed), float(slope / size.max())

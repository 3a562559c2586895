"""What moves an outcome: one driver at a time (tornado), and each driver's share of its variance (Sobol).

The tornado puts every uncertain driver at its 10th and its 90th percentile with all others at their
medians. It is quick and easy to read, and blind to interactions.

Sobol' indices split the variance V of an outcome Y over its independent drivers X:

    first order  S_i = Var(E[Y | X_i]) / V         what knowing X_i alone would take away,
    total        T_i = E[Var(Y | X_~i)] / V        what would be left if all but X_i were known.

T_i − S_i is what X_i does together with others. With two independent matrices A and B of draws, and
A_B^i, which is A with the column of driver i taken from B,

    T_i = mean((f(A) − f(A_B^i))²) / 2V            (Jansen 1999),
    S_i = mean(f(B) (f(A_B^i) − f(A))) / V          (Saltelli et al. 2010, table 2).

A and B are the halves of one scrambled Sobol sequence. Outcomes are centred first, which changes no
index and takes most of the noise out of S_i. Standard errors are bootstrapped over blocks of draws.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.stats import qmc

from core.finance.draws import SEED, varying
from core.finance.outcome import Outcome, outcome, values
from core.i18n import Refusal
from core.venture import Venture

Array = NDArray[np.float64]

LOW, HIGH = 0.1, 0.9
"""The percentiles of the tornado's bars."""

MAX_RUNS = 65_536
"""The most paths that the indices of one outcome may take: some tenths of a second."""

LEAST_ROWS = 64


# One driver at a time


@dataclass(frozen=True)
class Bar:
    """A driver at its 10th and 90th percentile, and the outcome at each, all others at their medians."""

    driver_key: str
    low: float
    high: float
    at_low: float
    at_high: float

    @property
    def swing(self) -> float:
        """How far apart the two outcomes are."""
        return abs(self.at_high - self.at_low)


@dataclass(frozen=True)
class Tornado:
    """The outcome with every driver at its median, and a bar for each uncertain driver, widest first."""

    outcome: Outcome
    base: float
    bars: tuple[Bar, ...]


@lru_cache(maxsize=32)
def tornado(venture: Venture, name: str, scenario_id: str | None = None) -> Tornado:
    """The tornado of the outcome ``name`` (as :func:`core.finance.outcome.outcome` reads it)."""
    under = venture.under(scenario_id)
    asked = outcome(under, name)
    keys = varying(under)
    columns = 2 * len(keys) + 1
    drivers = {driver.key: np.full(columns, driver.amount.median) for driver in under.drivers}
    for place, key in enumerate(keys):
        drivers[key][2 * place + 1 : 2 * place + 3] = under.driver(key).amount.at(np.array([LOW, HIGH]))
    found = values(under, asked, drivers)
    bars = [
        Bar(key, *(float(x) for x in (*drivers[key][at : at + 2], *found[at : at + 2])))
        for key, at in zip(keys, range(1, columns, 2), strict=True)
    ]
    return Tornado(asked, float(found[0]), tuple(sorted(bars, key=lambda bar: -bar.swing)))


# Shares of variance


@dataclass(frozen=True)
class Effect:
    """A driver's first-order and total index, each with its standard error."""

    driver_key: str
    first: float
    first_error: float
    total: float
    total_error: float


@dataclass(frozen=True)
class Effects:
    """The indices of every uncertain driver, largest total first, from ``runs`` paths of the plan.

    ``mean`` and ``deviation`` are those of the outcome. Without any variance all indices are 0.
    """

    outcome: Outcome
    mean: float
    deviation: float
    effects: tuple[Effect, ...]
    runs: int


@lru_cache(maxsize=16)
def total_effects(
    venture: Venture,
    name: str,
    scenario_id: str | None = None,
    count: int = 2048,
    seed: int = SEED,
) -> Effects:
    """The Sobol' indices of the outcome ``name``.

    ``count`` is how many rows A and B have; it is halved until all paths, ``count`` × (drivers + 2),
    are at most :data:`MAX_RUNS`.
    """
    if count < LEAST_ROWS or count & (count - 1):
        raise Refusal(
            "{count} rows are asked for; a power of two from {least} on is allowed.",
            count=count,
            least=LEAST_ROWS,
        )
    under = venture.under(scenario_id)
    asked = outcome(under, name)
    keys = varying(under)
    while count > LEAST_ROWS and count * (len(keys) + 2) > MAX_RUNS:
        count //= 2
    fixed = {driver.key: driver.amount.median for driver in under.drivers if driver.key not in keys}

    def run(points: Array) -> Array:
        drivers = {key: np.full(points.shape[1], value) for key, value in fixed.items()}
        drivers |= {key: under.driver(key).amount.at(points[place]) for place, key in enumerate(keys)}
        return values(under, asked, drivers)

    found = indices(run, len(keys), count, seed)
    effects = [Effect(key, *(float(x) for x in row)) for key, row in zip(keys, found.rows, strict=True)]
    return Effects(
        asked,
        found.mean,
        found.deviation,
        tuple(sorted(effects, key=lambda effect: -effect.total)),
        count * (len(keys) + 2),
    )


@dataclass(frozen=True, eq=False)
class Indices:
    """``rows`` has shape (dimensions, 4): first order, its error, total, its error."""

    mean: float
    deviation: float
    rows: Array


BLOCKS, RESAMPLES = 32, 200
"""The bootstrap draws this many blocks of rows, this many times."""


def indices(run: Callable[[Array], Array], dimensions: int, count: int, seed: int = SEED) -> Indices:
    """The Sobol' indices of any function of independent uniform numbers.

    ``run`` takes points of shape (dimensions, n), strictly inside (0, 1), to outcomes of shape (n,).
    It is called once, with ``count`` × (dimensions + 2) points; ``count`` is a power of two from :data:`LEAST_ROWS` on.
    """
    sequence = qmc.Sobol(max(1, 2 * dimensions), scramble=True, rng=np.random.default_rng(seed))
    points = np.clip(sequence.random_base2(count.bit_length() - 1).T, 1e-9, 1 - 1e-9)
    a, b = points[:dimensions], points[dimensions : 2 * dimensions]
    mixed = np.tile(a, dimensions)
    for place in range(dimensions):
        mixed[place, place * count : (place + 1) * count] = b[place]
    found = run(np.concatenate([a, b, mixed], axis=1))
    mean, deviation = float(found[: 2 * count].mean()), float(found[: 2 * count].std())
    if deviation <= 1e-12 * abs(mean):  # a constant outcome, up to rounding
        return Indices(mean, 0.0, np.zeros((dimensions, 4)))
    centred = (found - mean) / deviation
    at_a, at_b = centred[:count], centred[count : 2 * count]
    at_mixed = centred[2 * count :].reshape(dimensions, count)
    terms = np.stack([at_b * (at_mixed - at_a), (at_a - at_mixed) ** 2 / 2])
    spread = (at_a**2 + at_b**2) / 2
    by_block = terms.reshape(2, dimensions, BLOCKS, -1).mean(axis=-1)
    spread_by_block = spread.reshape(BLOCKS, -1).mean(axis=-1)
    weights = (
        np.random.default_rng(seed).multinomial(BLOCKS, np.full(BLOCKS, 1 / BLOCKS), RESAMPLES).T / BLOCKS
    )
    again = (by_block @ weights) / (spread_by_block @ weights)
    first, total = terms.mean(axis=-1) / spread.mean()
    first_error, total_error = again.std(axis=-1)
    return Indices(mean, deviation, np.stack([first, first_error, total, total_error], axis=1))

"""What to learn next: what it is worth, in money, to know a driver before deciding how much to raise.

A founder decides today on a sum r to raise on top of the plan. The plan turns out to need x, the
deepest shortfall of cash (0 where cash never falls below zero). Raising a unit too much costs ``idle``
(shares sold for money that was not needed); a unit too little costs ``short`` (cash runs out). That
is the newsvendor's loss

    L(r, x) = idle · max(r − x, 0) + short · max(x − r, 0),

and the best r is the quantile of x at short / (idle + short). Asking for a chance of running out of
``chance`` says what a shortage is worth to the founder: short = idle · (1 − chance) / chance, and the
best r is the (1 − chance) quantile, the extra cash of :meth:`core.finance.Simulation.funding_need`.

The expected value of partial perfect information on driver i (EVPPI) is the expected loss of the one
best r less the expected loss of the best r for each value of X_i:

    EVPPI_i = min_r E[L(r, x)] − E[min_r E[L(r, x) | X_i]].

It is estimated from the same draws, with no new run of the plan (as Strong, Oakley and Brennan 2014
do by regression): draws are sorted by X_i into bins of equal number and r is chosen in each bin. A
choice is judged on the draws it was made from, which flatters it by a term in 1 / draws of the bin.
With half of the draws it is flattered twice as much, so 2 × whole − halves is free of it (the
jackknife). The halves are those of the sequence of draws, for each is a Sobol sequence of its own.

``idle`` only scales all values alike: the order of drivers does not depend on it.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from core.finance.draws import varying
from core.finance.projection import Simulation
from core.i18n import Refusal

Array = NDArray[np.float64]

CHANCE = 0.2
"""The chance of running out of cash that a founder takes, unless they say otherwise (judgement)."""

IDLE = 0.2
"""What a unit raised and not needed costs: the share of the company sold for it.

A median seed round sells 20% (Carta, via pages, 2026; high); that it buys nothing is judgement."""

LEAST_DRAWS, BIN_DRAWS, MAX_BINS = 256, 64, 64


@dataclass(frozen=True)
class Decision:
    """The sum to raise without knowing more, and the loss expected with it (money).

    As knowing everything would leave no loss, ``loss`` is also the value of perfect information.
    """

    amount: float
    loss: float


@dataclass(frozen=True)
class Value:
    """What knowing a driver is worth (money, at least 0), with its standard error.

    ``clipped`` says that the estimate came out below 0, as it may by noise, and is shown as 0.
    """

    driver_key: str
    evppi: float
    error: float
    clipped: bool


def learn_next(simulation: Simulation, chance: float = CHANCE, idle: float = IDLE) -> tuple[Value, ...]:
    """Every uncertain driver of the plan by what knowing it is worth, the most valuable first.

    Errors hold for independent draws; those of Sobol draws are smaller.
    """
    need = _need(simulation, chance, idle)
    found = []
    for key in varying(simulation.venture):
        value, error = evppi(simulation.drivers[key], need, chance, idle)
        found.append(Value(key, max(0.0, value), error, value < 0))
    return tuple(sorted(found, key=lambda one: -one.evppi))


def worth(simulation: Simulation, keys: Iterable[str], chance: float = CHANCE, idle: float = IDLE) -> float:
    """What knowing several drivers at once is worth (money, at least 0), from below.

    Knowing a weighted sum of the drivers' ranks is never more than knowing the drivers themselves; the
    weights are those that fit the need best (least squares). Where one driver alone is worth more, it counts.
    """
    need = _need(simulation, chance, idle)
    known = [simulation.drivers[key] for key in dict.fromkeys(keys) if np.ptp(simulation.drivers[key]) > 0]
    if len(known) > 1:
        ranks = np.stack([rankdata(values) for values in known])
        ranks -= ranks.mean(axis=1, keepdims=True)
        weights, *_rest = np.linalg.lstsq(ranks.T, need - need.mean(), rcond=None)
        known.append(weights @ ranks)
    return max([0.0, *(evppi(values, need, chance, idle)[0] for values in known)])


def decide(simulation: Simulation, chance: float = CHANCE, idle: float = IDLE) -> Decision:
    """How much to raise now."""
    need = _need(simulation, chance, idle)
    return Decision(float(_best(need, chance)), float(_losses(need[None, :], chance, idle).mean()))


def evppi(known: Array, need: Array, chance: float, idle: float) -> tuple[float, float]:
    """Value of knowing ``known`` before deciding how much to raise for ``need``, and its standard error.

    Both of shape (draws,), a power of two from :data:`LEAST_DRAWS` on; the value may come out below 0.
    """
    bins = min(MAX_BINS, len(need) // BIN_DRAWS)
    gain = _unflattered(known, need, 1, chance, idle) - _unflattered(known, need, bins, chance, idle)
    return float(gain.mean()), float(gain.std() / math.sqrt(len(gain)))


def _need(simulation: Simulation, chance: float, idle: float) -> Array:
    if not 0.01 <= chance <= 0.99:
        raise Refusal(
            "The chance of running out of cash is {value}; from {least} to {most} is allowed.",
            value=chance,
            least=0.01,
            most=0.99,
        )
    if not (idle > 0 and math.isfinite(idle)):
        raise Refusal("The cost of a unit that is not needed is {value}; it must be above 0.", value=idle)
    if simulation.count < LEAST_DRAWS:
        raise Refusal(
            "The simulation has {count} draws; the value of information needs at least {least}.",
            count=simulation.count,
            least=LEAST_DRAWS,
        )
    return np.asarray(np.maximum(-simulation.lines["cash"].min(axis=0), 0.0))


def _unflattered(known: Array, need: Array, bins: int, chance: float, idle: float) -> Array:
    """The loss of each draw with the best choice of its bin by ``known``, freed of flattery, shape (draws,)."""
    half = len(need) // 2
    halves = [
        _in_bins(known[part], need[part], bins, chance, idle) for part in (slice(half), slice(half, None))
    ]
    return np.asarray(2 * _in_bins(known, need, bins, chance, idle) - np.concatenate(halves))


def _in_bins(known: Array, need: Array, bins: int, chance: float, idle: float) -> Array:
    order = np.argsort(known, kind="stable")
    found: Array = np.empty_like(need)
    found[order] = _losses(need[order].reshape(bins, -1), chance, idle).reshape(-1)
    return found


def _losses(bins: Array, chance: float, idle: float) -> Array:
    """The loss of each draw with the choice that is best on its row, of the shape of ``bins``."""
    short = idle * (1 - chance) / chance
    over = _best(bins, chance)[..., None] - bins
    return np.maximum(idle * over, -short * over)


def _best(need: Array, chance: float) -> Array:
    """The empirical (1 − chance) quantile of each row: the smallest draw that so many do not exceed."""
    size = need.shape[-1]
    place = min(size - 1, max(0, math.ceil((1 - chance) * size - 1e-9) - 1))
    return np.asarray(np.partition(need, place, axis=-1)[..., place])

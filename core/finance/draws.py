"""Uncertain drivers as draws: one number per driver per path, the same for every month and scenario.

The draws are a scrambled Sobol sequence (Owen 1995; :class:`scipy.stats.qmc.Sobol`), which fills the
space of drivers more evenly than random numbers, from a fixed seed. Each driver has its own column
by its place in the venture, so two scenarios differ by their drivers and never by luck.
"""

import math
from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.stats import qmc, rankdata

from core.i18n import Refusal
from core.venture import Venture

Array = NDArray[np.float64]

SEED = 20260601
MAX_DRAWS = 65_536


def medians(venture: Venture) -> dict[str, Array]:
    """Every driver at its median, shape (1,)."""
    return {driver.key: np.array([driver.amount.median]) for driver in venture.drivers}


def draws(venture: Venture, count: int, seed: int = SEED) -> dict[str, Array]:
    """``count`` draws of every driver, each of shape (count,); points do not vary.

    ``count`` is a power of two, as the Sobol sequence needs to stay balanced.
    """
    if count < 2 or count > MAX_DRAWS or count & (count - 1):
        raise Refusal(
            "{count} draws are asked for; a power of two from 2 to {most} is allowed.",
            count=count,
            most=MAX_DRAWS,
        )
    uniform = _sobol(len(venture.drivers), count, seed)
    return {driver.key: driver.amount.at(uniform[column]) for column, driver in enumerate(venture.drivers)}


@lru_cache(maxsize=8)
def _sobol(dimensions: int, count: int, seed: int) -> Array:
    """Shape (dimensions, count), strictly inside (0, 1)."""
    sequence = qmc.Sobol(max(1, dimensions), scramble=True, rng=np.random.default_rng(seed))
    points = np.clip(sequence.random_base2(count.bit_length() - 1), 1e-9, 1 - 1e-9)
    return np.ascontiguousarray(points.T)


def varying(venture: Venture) -> list[str]:
    """The keys of drivers that are ranges."""
    return [driver.key for driver in venture.drivers if not driver.amount.is_point]


def share_error(share: float, count: int) -> float:
    """Standard error of a share of ``count`` independent draws (Sobol draws do better).

    At least that of a single draw: that none of them did is no proof that none ever does.
    """
    rarer = max(min(share, 1 - share), 1 / count)
    return math.sqrt(rarer * (1 - rarer) / count)


def spearman_squared(inputs: Mapping[str, Array], outcome: Array) -> dict[str, float]:
    """Squared Spearman rank correlation of each input with ``outcome``; 0 where either is constant.

    For inputs drawn independently it is each input's share in the variance of the outcome's rank, up
    to interactions (Saltelli et al., *Global Sensitivity Analysis*, 2008, ch. 1).
    """
    ranks = _ranks(outcome)
    found = {}
    for key, values in inputs.items():
        if np.ptp(values) == 0 or np.ptp(outcome) == 0:
            found[key] = 0.0
        else:
            found[key] = float(np.corrcoef(_ranks(values), ranks)[0, 1] ** 2)
    return found


def _ranks(values: Array) -> Array:
    """Ranks from 1; equal values share the mean of theirs, since cash may touch its lowest in month 0 on many paths."""
    return np.asarray(rankdata(values), dtype=np.float64)

"""The internal rate of return of a row of cash flows, where there is one and only one.

A rate r with Σ f_t / (1 + r)^t = 0 may not exist, or there may be several. Norstrøm's criterion (Carl J.
Norstrøm, *A sufficient condition for a unique nonnegative internal rate of return*, 1972) decides: where
the running sum of the flows changes its sign once, from below zero to above, there is exactly one rate
above zero. Elsewhere the answer is the reason why there is none to give.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from core.i18n import Sentence

Array = NDArray[np.float64]

HIGHEST = 1e6
"""No rate per period above this is looked for."""


def internal_rate(flows: Array) -> float | Sentence:
    """The rate per period of flows at the ends of the periods 1, 2, …, shape (periods,)."""
    so_far = np.cumsum(flows)
    if so_far.min() >= 0:
        return Sentence.of("no burn: cash grows without funding")
    if so_far[-1] <= 0:
        return Sentence.of("the plan does not earn back in {months} months what it burns", months=len(flows))
    if so_far[0] > 0 or (so_far[1:] * so_far[:-1] < 0).sum() > 1:
        return Sentence.of("more than one rate may fit: cash turns from burn to gain more than once")
    periods = np.arange(len(flows))

    def value(rate: float) -> float:
        return float(flows @ (1 + rate) ** -periods)

    high = 1.0
    while value(high) > 0:
        high *= 2
        if high > HIGHEST:
            return Sentence.of("not defined")
    return float(brentq(value, 0.0, high, xtol=1e-15, rtol=8.9e-16))

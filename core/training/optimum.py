"""The best accuracy to buy: what each accuracy is worth to the business, less what its run costs.

Accuracy is bought by the size of a run, from the smallest that was measured to ten times the largest, as far
as the curve prices anything. At each size the curve's draws say which accuracies are to be expected, the
business says what each is worth, and the run is paid for:

    gain(size) = worth(accuracy at size) - cost(size).

The band is the 80 % interval of the draws at that size. Every draw has a best size of its own; the 80 %
interval of those is how well the best is known. What accuracy is worth is not for this module to know: it
is asked for, as is what a run costs.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.i18n import Refusal
from core.training.curve import LEVELS, UNCERTAIN, Band, Curve, Floats
from core.training.decision import POINT

SIZES = 61
"""Sizes that are looked at: neighbours differ by a tenth or so."""
ACCURACIES = 129
"""Accuracies at which the business is asked; between them its answer is a straight line."""

Profit = Callable[[Floats], Floats]
"""USD that the business gains with each accuracy, against what it counts on today."""
Paid = Callable[[float], float]
"""USD of a run of a size."""


@dataclass(frozen=True, eq=False, slots=True)
class Optimum:
    """What each size gains, arrays of shape (sizes,), and the best of them.

    ``accuracy`` is the one expected at each of ``sizes``; ``gain`` in USD is after ``cost`` in USD.
    ``best`` is the place of the highest middle gain; ``low`` and ``high`` are the places between which the
    best of the draws lies (80 %). ``largest`` was measured.
    """

    sizes: Floats
    accuracy: Floats
    gain: Band
    cost: Floats
    best: int
    low: int
    high: int
    largest: float

    @property
    def at_edge(self) -> bool:
        """Whether more would gain more, as far as the curve goes."""
        return self.best == len(self.sizes) - 1


def optimum(curve: Curve, profit: Profit, paid: Paid) -> Optimum | None:
    """The best accuracy to buy on the curve; None where the business puts no price on accuracy."""
    sizes = np.geomspace(curve.smallest, curve.largest * UNCERTAIN, SIZES)
    drawn = curve.accuracies(sizes)
    asked = np.unique(np.quantile(drawn, np.linspace(0, 1, ACCURACIES)))
    worth = profit(asked)
    if not worth.any():
        return None
    cost = np.array([paid(float(size)) for size in sizes])
    gain = np.interp(drawn, asked, worth) - cost[:, None]
    low, mid, high = (np.asarray(q, dtype=float) for q in np.quantile(gain, LEVELS, axis=1))
    first, last = np.quantile(gain.argmax(axis=0), (LEVELS[0], LEVELS[-1]), method="nearest")
    best = int(mid.argmax())
    return Optimum(
        sizes=sizes,
        accuracy=curve.accuracy(sizes).mid,
        gain=Band(low, mid, high),
        cost=cost,
        best=best,
        low=min(int(first), best),
        high=max(int(last), best),
        largest=curve.largest,
    )


@dataclass(frozen=True, slots=True)
class NextPoint:
    """What ``step`` more accuracy than ``now``, that of the largest run, costs in USD, with an 80 % interval.

    ``high`` is None where the data support no upper end.
    """

    now: float
    step: float
    low: float
    mid: float
    high: float | None


def next_point(curve: Curve, paid: Paid) -> NextPoint | None:
    """The price of the next point of accuracy: of the run that has it, less that of the largest run.

    A tenth of a point where less than a point of error is left, or where these runs support no whole one;
    None where they do not support that either.
    """
    now = float(curve.accuracy(curve.largest).mid)
    for step in (POINT, POINT / 10):
        if now + step >= 1:
            continue
        try:
            low, mid, high = curve.reach(now + step, 0.0).size
        except Refusal:
            continue
        start = paid(curve.largest)
        more = [max(0.0, paid(size) - start) for size in (low, mid)]
        return NextPoint(now, step, more[0], more[1], None if high is None else max(0.0, paid(high) - start))
    return None

"""From a measured curve to another model: the share of its error that more data or compute takes away.

Of a power law, error = a · size^-b, the height a belongs to the task and the network that were measured;
what may hold elsewhere is the exponent. So only a *ratio* is carried over: grown by ``factor``, a task's
error falls by 1 - factor^-b, whatever it is today. That the other task has the exponent of the measured
one is a belief which only a run on its own data can test; exponents of published curves of images,
language and speech lie mostly between 0.07 and 0.35 (Hestness and others, 2017, "Deep learning scaling
is predictable, empirically").
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from core.i18n import Refusal
from core.training.curve import Curve, Zone

FACTORS = (2.0, 4.0, 10.0)
"""The steps that are shown: the first has a record, the others are uncertain (``curve.zone``)."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """``factor`` times the data or compute: (low, middle, high) share of the error that goes, and the trust in it."""

    factor: float
    falls: tuple[float, float, float]
    zone: Zone

    def accuracy(self, now: float) -> tuple[float, float, float]:
        """The accuracy (share) that a task with the accuracy ``now`` would have: low, middle, high."""
        if not (math.isfinite(now) and 0 < now < 1):
            raise Refusal(
                "The accuracy of your task is {value}; a share above 0 and below 1 is allowed.", value=now
            )
        low, middle, high = (1 - (1 - now) * (1 - share) for share in self.falls)
        return low, middle, high


def transfers(curve: Curve, factors: Sequence[float] = FACTORS) -> list[Transfer]:
    """What the curve says of each step beyond its largest run."""
    return [Transfer(factor, curve.falls(factor), curve.zone(curve.largest * factor)) for factor in factors]

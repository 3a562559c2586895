"""Train more, buy data, or stop: what twice as much would bring, what it costs, and whether it pays.

A step is twice the largest run that was measured: twice the training images, or, where runs that differ
in epochs tell the two apart, twice the compute on the same images. Both lie within the three times up to
which the curve has a record. What accuracy is worth is not for this module to know: it is asked for.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from core.training.curve import Curve
from core.training.points import SAME_SIZE, By, Measured
from core.training.result import cost

FACTOR = 2.0
POINT = 0.01
"""One point of accuracy."""

Action = Literal["train", "buy", "stop", "unpriced"]

Worth = Callable[[float, float], float]
"""USD that the business gains with the second accuracy in place of the first."""


@dataclass(frozen=True, slots=True)
class Step:
    """Twice the largest run, by ``by``.

    ``now``: the curve's accuracy at the largest run; ``low``, ``mid``, ``high``: its 80 % interval at
    twice that. ``size``: images or FLOP of the step. ``bought``: images beyond those there are.
    ``cost_usd``: the run, and the images bought.
    """

    by: By
    size: float
    now: float
    low: float
    mid: float
    high: float
    bought: int
    cost_usd: float


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do next, and the step that speaks for or against it.

    ``gain`` in USD is (low, middle, high), what the step's accuracies are worth; ``sure`` tells whether
    it pays even at the low end of the interval. Where the business puts no price on accuracy the action
    is "unpriced" and the gain zero.
    """

    action: Action
    step: Step
    gain: tuple[float, float, float]
    sure: bool


def steps(
    data: Curve | None,
    compute: Curve | None,
    points: Sequence[Measured],
    price_per_hour: float,
    image_price: float,
    available: int,
) -> list[Step]:
    """The steps that the curves support.

    ``points``: the runs behind ``compute``; ``price_per_hour`` (USD) of the device, ``image_price`` (USD)
    of one more labelled image, ``available``: images that are there already and need not be bought.
    """
    found = []
    if data is not None:
        found.append(_step(data, price_per_hour, image_price, available))
    if compute is not None and tells_apart(points):
        found.append(_step(compute, price_per_hour, image_price, available))
    return found


def bought(curve: Curve, size: float, available: int) -> int:
    """The images of a run of that size beyond those there are; none where its size is compute."""
    return max(0, round(size) - available) if curve.by == "data" else 0


def paid(curve: Curve, size: float, price_per_hour: float, image_price: float, available: int) -> float:
    """USD of a run of that size: the device, and the images that must be bought; see :func:`steps`."""
    return cost(curve.seconds(size), price_per_hour) + bought(curve, size, available) * image_price


def tells_apart(points: Sequence[Measured]) -> bool:
    """Whether compute was varied by more than the images: then runs tell what longer training brings."""
    each = [point.compute / point.images for point in points if point.images]
    return bool(each) and max(each) > SAME_SIZE * min(each)


def _step(curve: Curve, price_per_hour: float, image_price: float, available: int) -> Step:
    size = curve.largest * FACTOR
    now, then = curve.accuracy(curve.largest), curve.accuracy(size)
    return Step(
        by=curve.by,
        size=size,
        now=float(now.mid),
        low=float(then.low),
        mid=float(then.mid),
        high=float(then.high),
        bought=bought(curve, size, available),
        cost_usd=paid(curve, size, price_per_hour, image_price, available),
    )


def decide(options: Sequence[Step], worth: Worth) -> Decision:
    """The step that gains most beyond its cost, or to stop if none does; ``options`` is not empty."""
    decisions = [_judged(step, worth) for step in options]
    if all(decision.gain == (0.0, 0.0, 0.0) for decision in decisions):
        cheapest = min(decisions, key=lambda d: d.step.cost_usd / max(d.step.mid - d.step.now, 1e-9))
        return Decision("unpriced", cheapest.step, cheapest.gain, False)
    return max(decisions, key=lambda d: d.gain[1] - d.step.cost_usd)


def _judged(step: Step, worth: Worth) -> Decision:
    low, mid, high = (worth(step.now, accuracy) for accuracy in (step.low, step.mid, step.high))
    pays: Action = "buy" if step.by == "data" else "train"
    return Decision(pays if mid > step.cost_usd else "stop", step, (low, mid, high), low > step.cost_usd)

"""What accuracy is worth: by the answers that are wrong, and by what the founder says a point of it does.

The plan's own formulas count wrong answers and rework. What accuracy does to customers no formula can know,
so the founder says it: by what share one more point of accuracy changes conversion, churn, prices or human
review (:data:`EFFECTS`, drivers that a venture has once they are given). With an effect e, and d points more
than the plan counts on today, each driver that it acts on is multiplied by

    (1 + e)^d,

so that two steps do what one step of their sum does, and a step back undoes a step. A driver is not moved
beyond what it may be.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.finance.actuals import figures
from core.finance.draws import medians
from core.finance.engine import evaluate
from core.finance.model import model_of
from core.i18n import Text
from core.venture import Amount, Driver, Source, Venture
from core.venture.catalogue import driver_of
from core.venture.driver import TYPED

Array = NDArray[np.float64]

POINT = 0.01
"""One point of accuracy."""

EFFECTS = ("conversion_per_point", "churn_per_point", "price_per_point", "review_per_point")
"""The drivers that say what a point of accuracy does."""

_CONVERSION = {"new_customers_first": 1, "cac": -1, "free_per_paying": -1}
"""The same visitors, for the same money, become more customers: so each costs less to win, and there are
fewer free users for each who pays."""
_CHURN = ("churn_early", "churn_settled")
_REVIEW = ("review_share", "delivery_share", "support_per_customer")
"""Human work on what the model gives; the first of them that the plan has is what a founder means."""

_ROOM = 1e-4
"""A range of shares stays below its maximum by this part of it, for 100 % itself is not in its distribution."""
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Move:
    """How accuracy moves a driver: by the effect ``share`` for each of ``points``, in all by ``factor``."""

    share: float
    points: float
    factor: float


def effect(venture: Venture, key: str) -> float:
    """What one more point of accuracy does, as a share; 0 where the founder has not said it."""
    return venture.driver(key).amount.median if venture.has_driver(key) else 0.0


def with_effect(venture: Venture, key: str, share: float) -> Venture:
    """The venture with that said; 0 says nothing, so the driver goes."""
    if share == 0:
        return venture.without_driver(key) if venture.has_driver(key) else venture
    there = venture if venture.has_driver(key) else venture.add_driver(driver_of(key, (0.0,), TYPED))
    return there.with_driver(key, Amount.point(share))


def affected(venture: Venture, key: str) -> dict[str, int]:
    """The drivers of the venture that the effect ``key`` acts on; -1 where it divides instead of multiplying."""
    match key:
        case "conversion_per_point":
            found = _CONVERSION
        case "churn_per_point":
            found = dict.fromkeys(_CHURN, 1)
        case "price_per_point":
            priced = (d.key for d in venture.drivers if d.group == "price" and d.unit.startswith("money"))
            found = dict.fromkeys(priced, 1)
        case _:
            found = dict.fromkeys([driver for driver in _REVIEW if venture.has_driver(driver)][:1], 1)
    return {driver: power for driver, power in found.items() if venture.has_driver(driver)}


def moves(venture: Venture, accuracy: float) -> dict[str, Move]:
    """What another accuracy does to the venture's drivers beside ``accuracy``, by the driver's key."""
    points = (accuracy - venture.driver("accuracy").amount.median) / POINT
    found = {}
    for key in EFFECTS:
        share = effect(venture, key)
        if share and points:
            for driver, power in affected(venture, key).items():
                factor = _allowed(venture.driver(driver), (1 + share) ** (power * points))
                found[driver] = Move(share, points, factor)
    return found


def with_accuracy(venture: Venture, accuracy: float | Amount, source: Source | None = None) -> Venture:
    """The venture with another accuracy (a share, or a range of shares), and what it moves.

    ``source`` is that of the accuracy, its present one if None; a driver that is moved says so in its own.
    """
    held = venture.driver("accuracy")
    amount = accuracy if isinstance(accuracy, Amount) else Amount.point(_share(held, accuracy))
    held.check(amount)
    moved = moves(venture, amount.median)

    def changed(driver: Driver) -> Driver:
        if driver is held:
            return driver.model_copy(update={"amount": amount, "source": source or held.source})
        if driver.key not in moved:
            return driver
        move = moved[driver.key]
        return driver.model_copy(
            update={"amount": driver.amount.scaled(move.factor), "source": _source_of(move)}
        )

    return venture.with_modules(venture.modules, map(changed, venture.drivers))


def profit(venture: Venture, accuracies: Sequence[float] | Array) -> Array:
    """What the plan gains with each of the accuracies: its cash at the end in USD, against the plan as it is.

    One number for each, every driver at its median.
    """
    held = venture.driver("accuracy")
    asked = np.array([held.amount.median, *(_share(held, float(share)) for share in accuracies)])
    values = {key: np.full(len(asked), amount[0]) for key, amount in medians(venture).items()}
    values["accuracy"] = asked
    for column, accuracy in enumerate(asked[1:], 1):
        for key, move in moves(venture, float(accuracy)).items():
            values[key][column] = venture.driver(key).amount.scaled(move.factor).median
    lines = evaluate(model_of(venture), values, venture.horizon_months, ("cash",), figures(venture))
    cash = lines["cash"][venture.horizon_months]
    return np.asarray((cash[1:] - cash[0]) / venture.usd_rate, dtype=np.float64)


def worth(venture: Venture, now: float, then: float) -> float:
    """USD that the plan gains with the accuracy ``then`` in place of ``now``."""
    before, after = profit(venture, (now, then))
    return float(after - before)


def _share(held: Driver, accuracy: float) -> float:
    """The accuracy within what the driver allows."""
    least = 0.0 if held.minimum is None else held.minimum
    return float(np.clip(accuracy, least, 1.0 if held.maximum is None else held.maximum))


def _allowed(driver: Driver, factor: float) -> float:
    """The factor, as far as the driver may be moved."""
    low, high = driver.amount.ends()
    if driver.maximum is not None and high > 0:
        room = _ROUNDING if driver.amount.is_point else _ROOM
        factor = min(factor, max(1.0, driver.maximum * (1 - room) / high))
    if driver.minimum is not None and low > 0:
        factor = max(factor, min(1.0, driver.minimum * (1 + _ROUNDING) / low))
    return factor


def _source_of(move: Move) -> Source:
    share, points = f"{100 * move.share:+.3g}", f"{move.points:+.3g}"
    return Source(
        kind="estimated",
        text=Text(
            f"effect of accuracy: {share}% per point × {points} points",
            f"准确率的影响:每个百分点 {share}% × {points} 个百分点",
        ),
    )

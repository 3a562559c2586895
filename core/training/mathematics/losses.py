r"""Losses: the number that training makes small, for a single prediction.

The network says "yes" with probability :math:`p`; the truth is :math:`y` (1 for yes, 0 for no).
The probability comes from a score :math:`z` through the sigmoid, :math:`p = \sigma(z)`. What
reaches the weights is the slope with respect to that score, and there the two losses part:

- cross-entropy: :math:`\partial L/\partial z = p - y`. The more wrong, the harder the pull.
- squared error: :math:`\partial L/\partial z = 2(p - y)\,p(1 - p)`. For a confident mistake
  :math:`p(1-p)` is nearly zero, so the worst answers are corrected least.

Public names: :data:`LOSSES`, :class:`Loss`, :class:`Verdict`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.i18n import Refusal, Text

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a loss says about one prediction."""

    loss: float
    """Nats for cross-entropy, a squared share for squared error."""
    slope: float
    """dL/dp: how the loss answers the probability."""
    pull: float
    """dL/dz: how the loss answers the score before the sigmoid; this is what moves the weights."""


@dataclass(frozen=True, slots=True)
class Loss:
    """One loss. Its three functions take probabilities in (0, 1), of any shape, and the truth, 0 or 1."""

    key: str
    name: Text
    definition: str
    derivative: str
    """LaTeX of dL/dp."""
    score_derivative: str
    """LaTeX of dL/dz."""
    meaning: Text
    value: Callable[[Array, int], Array]
    slope: Callable[[Array, int], Array]
    pull: Callable[[Array, int], Array]

    def judge(self, probability: float, truth: int) -> Verdict:
        """The loss of saying "yes" with ``probability`` (a share) when the truth is ``truth`` (0 or 1).

        Raises :class:`Refusal` for a probability outside (0, 1), where cross-entropy has no finite
        value or slope, and for any other truth.
        """
        if not 0 < probability < 1:
            raise Refusal(
                "The predicted probability is {value}; it has to lie between 0 and 1, both excluded.",
                value=probability,
            )
        if truth not in (0, 1):
            raise Refusal("The truth is {value}; it has to be 0 (no) or 1 (yes).", value=truth)
        p = np.asarray(probability, dtype=np.float64)
        return Verdict(float(self.value(p, truth)), float(self.slope(p, truth)), float(self.pull(p, truth)))


def how_much_harder(probability: float) -> float:
    """How many times harder cross-entropy pulls at the weights than squared error: 1 / (2p(1 − p)).

    The ratio of the two dL/dz, the same for either truth; at least 2, and 50.5 at 99 %.
    """
    if not 0 < probability < 1:
        raise Refusal(
            "The predicted probability is {value}; it has to lie between 0 and 1, both excluded.",
            value=probability,
        )
    return 1 / (2 * probability * (1 - probability))


def _cross_entropy(p: Array, y: int) -> Array:
    return np.asarray(-np.log(p) if y else -np.log1p(-p), dtype=np.float64)


def _cross_entropy_slope(p: Array, y: int) -> Array:
    return np.asarray(-1 / p if y else 1 / (1 - p), dtype=np.float64)


def _cross_entropy_pull(p: Array, y: int) -> Array:
    return np.asarray(p - y, dtype=np.float64)


def _squared_error(p: Array, y: int) -> Array:
    return np.asarray((p - y) ** 2, dtype=np.float64)


def _squared_error_slope(p: Array, y: int) -> Array:
    return np.asarray(2 * (p - y), dtype=np.float64)


def _squared_error_pull(p: Array, y: int) -> Array:
    return np.asarray(2 * (p - y) * p * (1 - p), dtype=np.float64)


_ALL = (
    Loss(
        "cross_entropy",
        Text("Cross-entropy", "交叉熵"),
        r"L = -\bigl[\,y \ln p + (1 - y) \ln(1 - p)\,\bigr]",
        r"\frac{\partial L}{\partial p} = \frac{p - y}{p\,(1 - p)}",
        r"\frac{\partial L}{\partial z} = p - y",
        Text(
            "The choice for telling classes apart. A confident mistake costs without limit, and the worse "
            "the answer, the stronger the correction.",
            "分类任务的首选。自信的错误会付出没有上限的代价；答案越离谱，修正越强。",
        ),
        _cross_entropy,
        _cross_entropy_slope,
        _cross_entropy_pull,
    ),
    Loss(
        "squared_error",
        Text("Mean squared error", "均方误差"),
        r"L = (p - y)^2",
        r"\frac{\partial L}{\partial p} = 2\,(p - y)",
        r"\frac{\partial L}{\partial z} = 2\,(p - y)\;p\,(1 - p)",
        Text(
            "The choice for predicting an amount, such as a price. For classes it never costs more than 1, "
            "and a confident mistake is hardly corrected at all.",
            "预测数量（例如价格）时的首选。用于分类时，代价永远不超过 1，自信的错误几乎得不到修正。",
        ),
        _squared_error,
        _squared_error_slope,
        _squared_error_pull,
    ),
)

LOSSES: dict[str, Loss] = {loss.key: loss for loss in _ALL}
"""The losses by key, in the order they are shown."""

"""How good answers are: the figures of a test, from what the network answered."""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.training.datasets import Examples
from core.training.spec import RunSpec

Z90 = NormalDist().inv_cdf(0.95)
"""Normal deviates on either side between which nine tenths lie."""

LEAST_PROBABILITY = 1e-7
"""Keras' own bound, so that a loss from here is that of ``Model.evaluate``."""


@dataclass(frozen=True, slots=True)
class Scores:
    """Loss as the network was trained on it; accuracy of classes; ``rmse`` and ``r2`` of numbers, ``rmse``
    in the unit of the number. None: does not apply."""

    loss: float | None = None
    accuracy: float | None = None
    rmse: float | None = None
    r2: float | None = None


def interval(accuracy: float, count: int) -> tuple[float, float]:
    """The 90 % interval of an ``accuracy`` (share) that was found on ``count`` test examples: Wilson's (1927),
    which holds near 100 % and on few examples too."""
    spread = Z90**2 / count
    middle = (accuracy + spread / 2) / (1 + spread)
    half = Z90 * math.sqrt(accuracy * (1 - accuracy) / count + (Z90 / (2 * count)) ** 2) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)


def score(spec: RunSpec, answers: NDArray[np.float32], examples: Examples) -> Scores:
    """The scores of ``answers`` (count, classes or 1) to the test examples."""
    labels = examples.test_labels
    if spec.data.task == "number":
        squared = np.square(answers[:, 0].astype(np.float64) - labels)
        unit = examples.encoding.target.std if examples.encoding else 1.0
        loss = float(squared.mean())
        variance = float(np.var(labels))
        return Scores(loss, None, unit * loss**0.5, 1 - loss / variance if variance else None)
    return Scores(class_loss(spec, answers, labels), float((answers.argmax(1) == labels).mean()))


def class_loss(spec: RunSpec, answers: NDArray[Any], labels: NDArray[Any]) -> float:
    """Mean loss of probabilities (count, classes) against the right classes (count,)."""
    places = np.arange(len(labels)), labels.astype(np.intp)
    if spec.loss == "mse":
        distance = answers.astype(np.float64)
        distance[places] -= 1
        return float(np.square(distance).mean())
    return float(-np.log(np.maximum(answers[places], LEAST_PROBABILITY)).mean(dtype=np.float64))

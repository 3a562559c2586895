"""What a finished network does well and badly: made once by the run's process, read by the page.

Confusions and figures by class, how far its confidence can be trusted, its worst mistakes with the pixels
that misled it, and for numbers the answers beside the truth. All of it is plain JSON.

Which pixels matter is found by occlusion (Zeiler and Fergus, ECCV 2014): a grey square is moved over the
picture, and where the network's confidence falls the most, it was looking. It needs no gradients, so it
works for every network and backend.
"""

import base64
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from core.training.datasets import Examples
from core.training.spec import RunSpec

MISTAKES = 12
POINTS = 400
"""Answers shown beside the truth where a number is predicted."""

BINS = 10
STEPS = 12
"""Places of the grey square along a side."""

Answer = Callable[[NDArray[Any]], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Picture:
    """``data``: bytes in base64, (height, width[, 3]) as ``shape`` says."""

    shape: tuple[int, ...]
    data: str

    @classmethod
    def of(cls, pixels: NDArray[np.uint8]) -> Self:
        return cls(pixels.shape, base64.b64encode(np.ascontiguousarray(pixels).tobytes()).decode())

    @property
    def pixels(self) -> NDArray[np.uint8]:
        return np.frombuffer(base64.b64decode(self.data), np.uint8).reshape(self.shape)


@dataclass(frozen=True, slots=True)
class Mistake:
    """A test example that was answered wrongly: its place, the right class, the one said and how surely.

    ``picture`` and ``saliency`` (bytes, bright where the network looked) are None for rows of a table;
    ``words`` is the text that was judged, if it was one.
    """

    place: int
    right: int
    said: int
    confidence: float
    picture: Picture | None = None
    saliency: Picture | None = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers of about one confidence: how sure they were on average, and how many were right."""

    confidence: float
    accuracy: float
    count: int


@dataclass(frozen=True, slots=True)
class Report:
    """``confusion[right][said]`` counts of test examples; ``points`` are (truth, answer) of numbers, and
    ``farthest`` the test rows whose answers are the farthest off: (place, truth, answer), worst first."""

    class_names: tuple[str, ...]
    confusion: tuple[tuple[int, ...], ...] = ()
    calibration: tuple[Bin, ...] = ()
    mistakes: tuple[Mistake, ...] = ()
    points: tuple[tuple[float, float], ...] = ()
    farthest: tuple[tuple[int, float, float], ...] = ()

    @property
    def calibration_error(self) -> float:
        """Expected calibration error: mean distance of confidence and accuracy, weighted by count (Guo et
        al., ICML 2017)."""
        total = sum(b.count for b in self.calibration)
        return sum(b.count * abs(b.confidence - b.accuracy) for b in self.calibration) / max(1, total)

    def by_class(self) -> list[tuple[str, int, float | None, float | None]]:
        """Name, test examples, precision (how often right when it says so), recall (how many it finds)."""
        counts = np.array(self.confusion)
        said, right, hit = counts.sum(0), counts.sum(1), counts.diagonal()
        return [
            (
                name,
                int(right[i]),
                float(hit[i] / said[i]) if said[i] else None,
                float(hit[i] / right[i]) if right[i] else None,
            )
            for i, name in enumerate(self.class_names)
        ]

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        held: Any = json.loads(text)
        return cls(
            tuple(held["class_names"]),
            tuple(tuple(row) for row in held["confusion"]),
            tuple(Bin(**b) for b in held["calibration"]),
            tuple(
                Mistake(**{**m, "picture": _picture(m["picture"]), "saliency": _picture(m["saliency"])})
                for m in held["mistakes"]
            ),
            tuple((truth, said) for truth, said in held["points"]),
            tuple((place, truth, said) for place, truth, said in held.get("farthest", ())),
        )


def _picture(held: Any) -> Picture | None:
    return Picture(tuple(held["shape"]), held["data"]) if held else None


def report(spec: RunSpec, examples: Examples, answers: NDArray[np.float32], ask: Answer) -> Report:
    """The report on ``answers`` to the test examples; ``ask`` answers for more inputs."""
    labels = examples.test_labels
    if spec.data.task == "number":
        return _of_numbers(examples, answers[:, 0])
    said, sure = answers.argmax(1), answers.max(1)
    classes = spec.data.classes
    confusion = np.zeros((classes, classes), int)
    np.add.at(confusion, (labels, said), 1)
    wrong = np.flatnonzero(said != labels)
    worst = wrong[np.argsort(-sure[wrong], kind="stable")][:MISTAKES]
    pictures: list[Picture | None] = [None] * len(worst)
    looked: list[Picture | None] = [None] * len(worst)
    if spec.data.kind == "images" and len(worst):
        shown = examples.test[worst]
        pictures = [Picture.of(pixels) for pixels in shown]
        looked = [Picture.of(pixels) for pixels in occlusion(shown, said[worst], ask)]
    mistakes = [
        Mistake(
            int(place),
            int(labels[place]),
            int(said[place]),
            float(sure[place]),
            picture,
            saliency,
            examples.words[place] if examples.words else "",
        )
        for place, picture, saliency in zip(worst, pictures, looked, strict=True)
    ]
    return Report(
        spec.data.class_names,
        tuple(tuple(int(n) for n in row) for row in confusion),
        calibration(sure, said == labels),
        tuple(mistakes),
    )


def _of_numbers(examples: Examples, answers: NDArray[np.float32]) -> Report:
    assert examples.encoding is not None
    target = examples.encoding.target
    truth, said = (values * target.std + target.mean for values in (examples.test_labels, answers))
    shown = np.linspace(0, len(truth) - 1, min(POINTS, len(truth))).round().astype(int)
    points = tuple((float(t), float(a)) for t, a in zip(truth[shown], said[shown], strict=True))
    worst = np.argsort(-np.abs(said - truth), kind="stable")[:MISTAKES]
    farthest = tuple((int(i), float(truth[i]), float(said[i])) for i in worst)
    return Report((), points=points, farthest=farthest)


def calibration(sure: NDArray[Any], right: NDArray[np.bool_]) -> tuple[Bin, ...]:
    """Answers by confidence in ten equal steps from 0 to 1; empty ones are left out."""
    place = np.minimum((sure * BINS).astype(int), BINS - 1)
    return tuple(
        Bin(float(sure[place == b].mean()), float(right[place == b].mean()), int((place == b).sum()))
        for b in range(BINS)
        if (place == b).any()
    )


def occlusion(pictures: NDArray[np.uint8], said: NDArray[np.intp], ask: Answer) -> NDArray[np.uint8]:
    """How much the confidence in class ``said`` falls when each part of a picture is covered.

    ``pictures`` (count, height, width[, 3]); the answer (count, height, width) bytes: 255 where it falls the
    most, 0 where it does not. The network is asked once for all of them.
    """
    height, width = pictures.shape[1:3]
    square = max(2, min(height, width) // 4)
    tops = np.unique(np.linspace(0, height - square, STEPS).round().astype(int))
    lefts = np.unique(np.linspace(0, width - square, STEPS).round().astype(int))
    corners = [(int(top), int(left)) for top in tops for left in lefts]
    covered = np.repeat(pictures[:, None], len(corners) + 1, axis=1)
    grey = pictures.reshape(len(pictures), -1).mean(1).round().astype(np.uint8)
    for place, (top, left) in enumerate(corners, 1):
        part = covered[:, place, top : top + square, left : left + square]
        part[...] = grey.reshape(-1, *(1,) * (part.ndim - 1))
    answers = ask(covered.reshape(-1, *pictures.shape[1:])).reshape(len(pictures), len(corners) + 1, -1)
    sure = answers[np.arange(len(pictures)), :, said]
    fall, times = np.zeros((len(pictures), height, width)), np.zeros((height, width))
    for place, (top, left) in enumerate(corners, 1):
        lost = np.maximum(0.0, sure[:, 0] - sure[:, place])
        fall[:, top : top + square, left : left + square] += lost[:, None, None]
        times[top : top + square, left : left + square] += 1
    mean = fall / np.maximum(1, times)
    most = mean.max(axis=(1, 2), keepdims=True)
    return (mean * (255 / np.where(most > 0, most, 1.0))).astype(np.uint8)

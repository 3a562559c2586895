"""The examples of a data set, read and checked: those shipped with the project (:mod:`shipped`) need no network.

Every file is checked against its SHA-256 when a process first opens it; a changed or cut file is refused
rather than trained on. Data of a founder's own is kept by ``core.training.own``. What sets are is said in
:mod:`described`; its names, and those of the shipped sets, can be had from here too.

Of a small dataset a fifth is kept for the test, the same for every run, classes in their shares.
"""

import hashlib
import io
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.i18n import Refusal
from core.training.described import AREAS, OWN, Area, Dataset, Kind, OwnData, Task
from core.training.encoding import TEXT_COLUMNS, Code, Encoding, Target, learn_encoding
from core.training.reading import read_csv
from core.training.shipped import (
    BREAST_CANCER,
    DATASETS,
    DIABETES,
    DIGITS,
    FASHION,
    IRIS,
    MNIST,
    RATINGS,
    REVIEWS,
    VOWELS,
    WINE,
)
from core.training.tables import Table

__all__ = [
    "AREAS",
    "BREAST_CANCER",
    "DATASETS",
    "DIABETES",
    "DIGITS",
    "FASHION",
    "IRIS",
    "MNIST",
    "OWN",
    "RATINGS",
    "REVIEWS",
    "VOWELS",
    "WINE",
    "Area",
    "Dataset",
    "Kind",
    "OwnData",
    "Task",
]

Labels = NDArray[Any]

TEST_SHARE = 5
"""One example in so many is kept for the test, where a dataset brings no test of its own."""


@dataclass(frozen=True, slots=True)
class Examples:
    """The examples themselves, all read-only.

    ``train`` and ``test``: pictures (count, height, width[, channels]) of bytes, brightness 0 to 255, or
    rows (count, columns) of numbers, with mean 0 and deviation 1. ``train_labels`` and
    ``test_labels``: the class of each, or the number to predict, scaled like a column. ``encoding`` says
    how a row of a table became numbers; ``words`` is what each test row of a shipped text says.
    """

    train: NDArray[Any]
    train_labels: Labels
    test: NDArray[Any]
    test_labels: Labels
    encoding: Encoding | None = None
    words: tuple[str, ...] = ()


_FOLDER = Path(__file__).with_name("data")


# All of them would be 90 MB in a process that lives long; a fork of the worker uses one.
@lru_cache(maxsize=3)
def load(key: str, folder: Path = _FOLDER) -> Examples:
    """The examples of dataset ``key``, read and checked once a process.

    Raises a Refusal if the file is missing or is not the file that was shipped.
    """
    dataset = DATASETS[key]
    try:
        content = (folder / dataset.file).read_bytes()
    except OSError as error:
        raise Refusal(
            "The file {file} of the dataset {dataset} cannot be read: {reason}.",
            file=dataset.file,
            dataset=dataset.label,
            reason=error.strerror or type(error).__name__,
        ) from None
    if hashlib.sha256(content).hexdigest() != dataset.sha256:
        raise Refusal(
            "The file {file} is not the dataset {dataset} that was shipped: its SHA-256 differs; copy it again.",
            file=dataset.file,
            dataset=dataset.label,
        )
    if dataset.file.endswith(".csv"):
        return split_table(content, dataset.task, dataset.text_columns)
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        if dataset.ids:
            return _ratings(arrays, dataset)
        if dataset.kind == "table":
            return _recordings(arrays, dataset)
        return Examples(
            train=fixed(arrays["x_train"]),
            train_labels=fixed(arrays["y_train"]),
            test=fixed(arrays["x_test"]),
            test_labels=fixed(arrays["y_test"]),
        )


def _recordings(arrays: Any, dataset: Dataset) -> Examples:
    """Recordings (count, moments, numbers) as rows, in which what comes after the end counts as missing.

    Each of the numbers of a moment has one mean and deviation, those over all moments that are trained on.
    """
    parts = [
        np.where(np.arange(x.shape[1])[:, None] < length[:, None, None], x.astype(float), np.nan)
        for x, length in (
            (arrays["x_train"], arrays["length_train"]),
            (arrays["x_test"], arrays["length_test"]),
        )
    ]
    means, deviations = np.nanmean(parts[0], axis=(0, 1)), np.nanstd(parts[0], axis=(0, 1))
    codes = tuple(
        Code(f"moment {moment}, number {number}", "number", float(mean), float(std))
        for moment in range(1, parts[0].shape[1] + 1)
        for number, (mean, std) in enumerate(zip(means, deviations, strict=True), 1)
    )
    encoding = Encoding(codes, Target(dataset.target.en, dataset.class_names))
    train, test = (
        encoding.encode(
            Table({code.name: v for code, v in zip(codes, part.reshape(len(part), -1).T, strict=True)})
        )
        for part in parts
    )
    return Examples(
        train=fixed(train),
        train_labels=fixed(arrays["y_train"]),
        test=fixed(test),
        test_labels=fixed(arrays["y_test"]),
        encoding=encoding,
    )


def _ratings(arrays: Any, dataset: Dataset) -> Examples:
    """Ratings as rows of names: every value of every column is a number of its own, those of the first column
    first, and 0 is a value not known. The answer is in deviations from the mean of those trained on.
    """
    answers = arrays["rating"].astype(float)
    train, test = split(answers)
    target = Target(dataset.target.en, mean=float(answers[train].mean()), std=float(answers[train].std()))
    codes, columns, before = [], {}, 0
    for column in dataset.ids:
        # As a number from 1 to the count it is typed and shown; the encoding adds those of the columns before.
        columns[column.key] = np.unique(arrays[column.key], return_inverse=True)[1] + 1.0
        codes.append(Code(column.key, "number", mean=-float(before)))
        before += column.count
    encoding = Encoding(tuple(codes), target)
    rows, labels = encoding.encode(Table(columns)), target.encode(answers)
    return Examples(
        train=fixed(rows[train]),
        train_labels=fixed(labels[train]),
        test=fixed(rows[test]),
        test_labels=fixed(labels[test]),
        encoding=encoding,
    )


def split_table(content: bytes, task: Task, text_columns: int = TEXT_COLUMNS) -> Examples:
    """The rows of a CSV whose last column is the answer; the encoding is learned on the training rows."""
    table = read_csv(content)
    target = Target.of(table, table.names[-1], task)
    answers = table.columns[target.name]
    train, test = split(target.encode(answers))
    target = target.scaled(answers[train])
    encoding = learn_encoding(table, target, train, text_columns=text_columns)
    text = next((code.name for code in encoding.codes if code.kind == "text"), None)
    rows, labels = encoding.encode(table), target.encode(answers)
    return Examples(
        train=fixed(rows[train]),
        train_labels=fixed(labels[train]),
        test=fixed(rows[test]),
        test_labels=fixed(labels[test]),
        encoding=encoding,
        words=() if text is None else tuple(str(said) for said in table.columns[text][test]),
    )


def split(answers: Labels) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Positions to train on and positions kept for the test, a fifth, the same ones every time."""
    shuffled = order(answers, seed=0)
    kept = -(-len(answers) // TEST_SHARE)
    return np.sort(shuffled[kept:]), np.sort(shuffled[:kept])


def fixed(array: NDArray[Any]) -> NDArray[Any]:
    """The array, read-only from now on."""
    array.setflags(write=False)
    return array


def order(labels: Labels, seed: int) -> NDArray[np.intp]:
    """The positions of ``labels`` shuffled so that every beginning has each class in its share.

    A run on fewer examples takes a beginning of this order: runs of one seed are nested, as a learning
    curve wants them, and no class is missing from a small one. Numbers instead of classes are shuffled.
    """
    rng = np.random.default_rng(seed)
    if labels.dtype.kind == "f":
        return rng.permutation(len(labels))
    height = np.empty(len(labels))
    for digit in np.unique(labels):
        where = np.flatnonzero(labels == digit)
        height[rng.permutation(where)] = (np.arange(len(where)) + rng.random(len(where))) / len(where)
    return np.argsort(height)

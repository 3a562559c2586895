"""What is doubtful about a founder's data: columns that give the answer away or only count the rows, uneven
classes, doubled rows.

Whether a column tells the answer is measured so that a rare answer counts as much as a usual one: where
three in a hundred payments are fraud, answering "no fraud" is right in 97% of the cases and tells nothing.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from core.i18n import Refusal
from core.storage.rows import Reason
from core.training.encoding import Encoding
from core.training.tables import Values, present

LEAKY = 0.98
"""Balanced accuracy of a single column from which on it tells a class almost by itself: the mean, over the
classes, of the share that is found (Brodersen et al., ICPR 2010)."""

ALIKE = 0.99
"""The same for a number: rank correlation of a column of numbers, or share of the variance that the means
of a column of categories explain."""

UNEVEN = 5
"""How many times as many examples one class has as another, before that is told."""

DOUBLED = 0.01
"""Share of the test examples that may be trained on too before that is told."""

STEPS = 20
"""Into so many steps at the most, of equally many values, a column of numbers is cut for each class."""

OF_STEP = 10
"""Values of a class in a step at the least: about half of them are learned from."""

LEAST = 20
"""Rows needed to tell whether two columns go together."""

BY_CHANCE = 2
"""From how many times as many doubled rows as chance makes they are told."""

CLOSE = 2
"""Whole numbers that all differ count the rows if they lie within so many times the number of rows."""

MOST_TOLD = 5

Groups = NDArray[np.intp]


def uneven(counts: Sequence[tuple[str, int]]) -> list[Reason]:
    """A class that is much rarer than another is learned badly, and hides behind a good accuracy."""
    if not counts:
        return []
    most, least = max(counts, key=lambda c: c[1]), min(counts, key=lambda c: c[1])
    if most[1] < UNEVEN * max(1, least[1]):
        return []
    total = sum(count for _, count in counts)
    return [
        Reason.of(
            Refusal(
                "The classes are uneven: {most} has {most_count} examples, {least} only {least_count}; "
                "always answering {most} would be right in {share}% of the cases.",
                most=most[0],
                most_count=most[1],
                least=least[0],
                least_count=least[1],
                share=round(100 * most[1] / total),
            )
        )
    ]


def leaks(columns: Mapping[str, Values], encoding: Encoding, labels: NDArray[np.generic]) -> list[Reason]:
    """Columns that tell the answer all alone: they may not be known when the answer is wanted.

    ``labels``: the class of each row, or a number.
    """
    leaky = [c.name for c in encoding.codes if c.kind != "text" and tells(columns[c.name], labels)]
    return [
        Reason.of(
            Refusal(
                "The column {name} tells the answer almost by itself. If it is not known yet when you want a "
                "prediction, leave it out: the accuracy would be an illusion.",
                name=name,
            )
        )
        for name in leaky[:MOST_TOLD]
    ]


def tells(values: Values, labels: NDArray[np.generic]) -> bool:
    """Whether a column alone tells ``labels``, classes or a number, almost surely."""
    if labels.dtype.kind == "f":
        numbers = labels.astype(np.float64)
        if values.dtype != object:
            return abs(rank_correlation(values, numbers)) > ALIKE
        return _explained(_categories(values), numbers) > ALIKE
    classes = labels.astype(np.intp)
    groups = _categories(values) if values.dtype == object else _steps(values, classes)
    return _balanced_accuracy(groups, classes) > LEAKY


def rank_correlation(one: Values, other: NDArray[np.float64]) -> float:
    """Spearman's rank correlation (1904) where neither is missing; 0 where it cannot be told.

    It is the same for a number, its logarithm and its cube.
    """
    there = ~np.isnan(one) & ~np.isnan(other)
    if there.sum() < LEAST:
        return 0.0
    first, second = _ranks(one[there]), _ranks(other[there])
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks; equal values share the mean of theirs."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    ranks: NDArray[np.float64] = (np.cumsum(count) - (count - 1) / 2)[place]
    return ranks


def _categories(values: Values) -> Groups:
    said = [str(v) for v in values]
    place = {name: index for index, name in enumerate(sorted(set(said)))}
    return np.array([place[name] for name in said], np.intp)


def _steps(values: Values, classes: Groups) -> Groups:
    """A column of numbers as groups, a missing number as one of its own.

    The steps are those of every class by itself, so that a rare class has as many as a usual one.
    """
    edges = [_edges(present(values[classes == one])) for one in np.unique(classes)]
    groups = np.digitize(values, np.unique(np.concatenate(edges)))
    return np.unique(np.where(np.isnan(values), -1, groups), return_inverse=True)[1]


def _edges(values: Values) -> NDArray[np.float64]:
    """Where each step of these values begins."""
    if not len(values):
        return np.zeros(0)
    steps = min(STEPS, max(1, len(values) // OF_STEP))
    return np.quantile(values, np.linspace(0, 1, steps + 1)[:-1])


def _halves(classes: Groups) -> NDArray[np.bool_]:
    """Every class cut in two by chance: what is learned on one half is tried on the other."""
    rng = np.random.default_rng(0)
    first = np.zeros(len(classes), bool)
    for one in np.unique(classes):
        where = rng.permutation(np.flatnonzero(classes == one))
        first[where[::2]] = True
    return first


def _balanced_accuracy(groups: Groups, classes: Groups) -> float:
    """How well the class is told by the group: the mean share found of each class, on rows not learned from."""
    first = _halves(classes)
    return float(np.mean([_tried(groups, classes, half, ~half) for half in (first, ~first)]))


def _tried(groups: Groups, classes: Groups, learned: NDArray[np.bool_], tried: NDArray[np.bool_]) -> float:
    count = np.zeros((groups.max() + 1, classes.max() + 1))
    np.add.at(count, (groups[learned], classes[learned]), 1)
    said = (count / np.maximum(1, count.sum(0))).argmax(1)
    # A step that nothing was learned of answers as the next one does.
    known = np.flatnonzero(count.sum(1))
    said = said[known[np.minimum(np.searchsorted(known, np.arange(len(said))), len(known) - 1)]]
    right = said[groups[tried]] == classes[tried]
    there = np.bincount(classes[tried], minlength=count.shape[1])
    found = np.bincount(classes[tried], right, minlength=count.shape[1])
    return float(np.mean(found[there > 0] / there[there > 0]))


def _explained(groups: Groups, numbers: NDArray[np.float64]) -> float:
    """Share of the variance that the means of the groups explain, on rows that they were not taken from."""
    first = _halves(np.zeros(len(groups), np.intp))
    left = np.zeros(len(numbers))
    for learned in (first, ~first):
        size = groups.max() + 1
        count = np.bincount(groups[learned], minlength=size)
        sums = np.bincount(groups[learned], numbers[learned], minlength=size)
        means = np.where(count > 0, sums / np.maximum(1, count), numbers[learned].mean())
        left[~learned] = numbers[~learned] - means[groups[~learned]]
    return 1 - float(np.mean(left**2) / np.var(numbers)) if np.var(numbers) > 0 else 0.0


def numbered(columns: Mapping[str, Values], encoding: Encoding) -> list[Reason]:
    """Columns of whole numbers that all differ and lie close, such as the number of a customer."""
    return [
        Reason.of(
            Refusal(
                "The column {name} looks like a running number. If it only names the row, leave it out: it says "
                "nothing of rows that are still to come.",
                name=name,
            )
        )
        for name in [c.name for c in encoding.codes if c.kind == "number" and not c.form]
        if _counts_up(columns[name])
    ]


def _counts_up(values: Values) -> bool:
    if not np.array_equal(values, np.round(values)):  # one that is missing is no running number either
        return False
    return len(np.unique(values)) == len(values) and np.ptp(values) < CLOSE * len(values)


def doubles(
    inputs: NDArray[np.generic],
    train: NDArray[np.intp],
    test: NDArray[np.intp],
    widths: Sequence[int] = (),
) -> list[Reason]:
    """Test examples that are also trained on make the test too easy.

    Rows of a table may be alike by chance, where a few columns have few values each. That is no doubt: ``widths``
    are those of the columns as encoded, and as many doubles are expected as come when each column is shuffled by
    itself.
    """
    count = _doubled(inputs, train, test)
    if count <= len(test) * DOUBLED:
        return []
    if len(widths):
        rng = np.random.default_rng(0)
        parts = np.split(inputs, np.cumsum(widths)[:-1], axis=1)
        shuffled = np.hstack([part[rng.permutation(len(part))] for part in parts])
        if count <= BY_CHANCE * _doubled(shuffled, train, test):
            return []
    return [
        Reason.of(
            Refusal(
                "{count} of {total} test examples are also among the training examples, so the test is easier "
                "than real life.",
                count=count,
                total=len(test),
            )
        )
    ]


def _doubled(inputs: NDArray[np.generic], train: NDArray[np.intp], test: NDArray[np.intp]) -> int:
    seen = {inputs[i].tobytes() for i in train}
    return sum(inputs[i].tobytes() in seen for i in test)

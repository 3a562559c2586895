"""A table: columns told apart as numbers, categories and text, and what is in each."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from core.i18n import Refusal
from core.training.notation import day

ColumnKind = Literal["number", "category", "text", "left_out"]
Values = NDArray[Any]
"""A column: floats with NaN where one is missing, or objects, text with None where one is missing."""

MOST_CATEGORIES = 50
"""A column of text with at most so many different values is a category, if values come again."""

TEXT_WORDS = 3.0
"""Words a value on average, from which on a column with many different values counts as text."""

MOST_CLASSES = 100
"""That can be predicted."""

CLASS_LETTERS = 60
"""Of a class's name; the rest is not shown."""

MOST_NAMED = 20
"""Columns named in one sentence."""

MANY = 20
"""From more different values on, a column of numbers is rather predicted as a number than as classes."""

Task = Literal["classes", "number"]


@dataclass(frozen=True, slots=True)
class Table:
    """Columns by name, in the order of the file; all of one length.

    ``forms``: how a column of numbers was written, if not as usual (see :mod:`core.training.notation`);
    ``remarks``: what was not plain when it was read.
    """

    columns: Mapping[str, Values]
    forms: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[Refusal, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.columns)

    @property
    def rows(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def check(self, *names: str) -> None:
        """Raises a Refusal if the table lacks one of these columns."""
        for name in names:
            if name not in self.columns:
                raise Refusal(
                    "The table has no column {name}; it has {columns}.",
                    name=name[:60],
                    columns=list_of(self.names),
                )


def list_of(names: Sequence[str]) -> str:
    """Names of columns in a sentence, not too many."""
    return ", ".join(names[:MOST_NAMED]) + (", …" if len(names) > MOST_NAMED else "")


def word(value: object) -> str:
    """A value of a column of text."""
    return str(value).strip()[:10_000]


@dataclass(frozen=True, slots=True)
class Profile:
    """What a column is: its kind, how many values are missing, how many differ, and a few of them.

    ``counts``: its values as classes with how often each comes, the commonest first, ``MOST_CLASSES`` at
    the most. ``spread``: least, median and greatest of a column of numbers; ``form`` as in a :class:`Table`.
    """

    name: str
    kind: ColumnKind
    missing: int
    distinct: int
    examples: tuple[str, ...]
    counts: tuple[tuple[str, int], ...] = ()
    spread: tuple[float, ...] = ()
    form: str = ""

    @property
    def tasks(self) -> tuple[Task, ...]:
        """How it can be predicted, the usual way first; in none if it says the same of every row or too much."""
        found: list[Task] = ["classes"] if 2 <= self.distinct <= MOST_CLASSES else []
        if self.kind == "number":
            found.insert(0 if self.distinct > MANY else len(found), "number")
        return tuple(found)


def profile(name: str, values: Values, form: str = "") -> Profile:
    """The profile of a column whose numbers were written in ``form``."""
    there = present(values)
    often = _counted(there)
    call = day if form == "date" else class_name
    return Profile(
        name,
        _kind(values, there, len(often)),
        len(values) - len(there),
        len(often),
        tuple(call(value)[:40] for value, _ in often[:4]),
        tuple(
            (class_name(value), count) for value, count in sorted(often, key=lambda v: -v[1])[:MOST_CLASSES]
        ),
        _spread(there),
        form,
    )


def _counted(there: Values) -> list[tuple[Any, int]]:
    """Each different value, least first, and how often it comes."""
    if there.dtype == object:
        return sorted(Counter(there).items())
    return list(zip(*(found.tolist() for found in np.unique(there, return_counts=True)), strict=True))


def _spread(there: Values) -> tuple[float, ...]:
    if there.dtype == object or not len(there):
        return ()
    return tuple(float(v) for v in np.quantile(there, (0, 0.5, 1)))


def present(values: Values) -> Values:
    """The values that are not missing."""
    there = np.array([v is not None for v in values], bool) if values.dtype == object else ~np.isnan(values)
    held: Values = values[there]
    return held


def kind_of(values: Values) -> ColumnKind:
    """What a column counts as."""
    there = present(values)
    return _kind(values, there, len(set(there) if there.dtype == object else np.unique(there)))


def _kind(values: Values, there: Values, distinct: int) -> ColumnKind:
    if distinct <= 1:
        return "left_out"  # it says the same of every row
    if values.dtype != object:
        return "number"
    if distinct <= MOST_CATEGORIES and distinct <= len(there) / 2:
        return "category"
    words = sum(value.count(" ") + 1 for value in there[:1000]) / min(len(there), 1000)
    return "text" if words >= TEXT_WORDS else "left_out"


def class_name(value: object) -> str:
    """What a value is called as a class: a whole number without a point, any other so that none are mixed up."""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(float(value))
    return str(value)[:CLASS_LETTERS]

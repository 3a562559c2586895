"""A table as numbers: columns read, told apart, and encoded for a network.

A number becomes its distance from the mean in standard deviations; a category one column for each of
its values; text a count of its words in ``TEXT_COLUMNS`` columns or more, found by a checksum of the word
(the hashing trick), so that no word list has to be kept. A missing number counts as the mean, and a column
beside it tells that it was missing. All of it is learned on the training rows alone, and kept as JSON:
no pickle anywhere.
"""

import json
import math
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from core.i18n import Refusal

ColumnKind = Literal["number", "category", "text", "left_out"]
Values = NDArray[Any]
"""A column: floats with NaN where one is missing, or objects, text with None where one is missing."""

MOST_CATEGORIES = 50
"""A column of text with at most so many different values is a category, if values come again."""

TEXT_WORDS = 3.0
"""Words a value on average, from which on a column with many different values counts as text."""

TEXT_COLUMNS = 256
"""For the words of a column of text, where nobody asks for more."""

MOST_CLASSES = 100


@dataclass(frozen=True, slots=True)
class Table:
    """Columns by name, in the order of the file; all of one length.

    ``forms``: how a column of numbers was written, if not as usual: "date" (it became days since 1970) or
    "comma" (for decimals).
    """

    columns: Mapping[str, Values]
    forms: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.columns)

    @property
    def rows(self) -> int:
        return len(next(iter(self.columns.values()), ()))


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


def profile(name: str, values: Values, form: str = "") -> Profile:
    """The profile of a column whose numbers were written in ``form``."""
    there = present(values)
    distinct, times = np.unique(there.astype(str) if there.dtype == object else there, return_counts=True)
    call = day if form == "date" else class_name
    shown = tuple(call(v)[:40] for v in distinct[:4])
    often = np.argsort(-times, kind="stable")[:MOST_CLASSES]
    return Profile(
        name,
        _kind(values, there, len(distinct)),
        len(values) - len(there),
        len(distinct),
        shown,
        tuple((class_name(distinct[i]), int(times[i])) for i in often),
        _spread(there),
        form,
    )


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
    return _kind(values, there, len(np.unique(there.astype(str) if there.dtype == object else there)))


def _kind(values: Values, there: Values, distinct: int) -> ColumnKind:
    if distinct <= 1:
        return "left_out"  # it says the same of every row
    if values.dtype != object:
        return "number"
    if distinct <= MOST_CATEGORIES and distinct <= len(there) / 2:
        return "category"
    words = sum(value.count(" ") + 1 for value in there[:1000]) / min(len(there), 1000)
    return "text" if words >= TEXT_WORDS else "left_out"


@dataclass(frozen=True, slots=True)
class Target:
    """The column to predict: class names in alphabetical order, or mean and deviation of a number."""

    name: str
    names: tuple[str, ...] = ()
    mean: float = 0.0
    std: float = 1.0

    @classmethod
    def of(cls, table: Table, name: str, task: str) -> Self:
        """The target ``name`` of ``table``. Raises a Refusal if it cannot be predicted."""
        values = table.columns[name]
        there = present(values)
        if len(there) < len(values):
            raise Refusal(
                "The column {name} to predict has {missing} missing values; every row needs one.",
                name=name,
                missing=f"{len(values) - len(there):,}",
            )
        if task == "number":
            if values.dtype == object:
                raise Refusal(
                    "The column {name} is no number, so it can be predicted as classes only.", name=name
                )
            if float(np.std(values)) == 0:
                raise Refusal(
                    "The column {name} has the same value in every row; there is nothing to learn.", name=name
                )
            return cls(name, (), float(np.mean(values)), float(np.std(values)))
        names = tuple(sorted({class_name(value) for value in values}))
        if not 2 <= len(names) <= MOST_CLASSES:
            raise Refusal(
                "The column {name} has {count} different values; 2 to {most} classes can be predicted.",
                name=name,
                count=f"{len(names):,}",
                most=MOST_CLASSES,
            )
        return cls(name, names)

    def encode(self, values: Values) -> NDArray[Any]:
        """Positions among the class names (int32), or numbers in deviations from the mean (float32)."""
        if not self.names:
            return ((values - self.mean) / self.std).astype(np.float32)
        place = {name: index for index, name in enumerate(self.names)}
        return np.array([place[class_name(value)] for value in values], np.int32)


def class_name(value: object) -> str:
    """What a value is called as a class: a whole number without a point, any other so that none are mixed up."""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(float(value))
    return str(value)[:60]


def day(days: float) -> str:
    """Days since 1970 as a date, with the time if there is one; the number itself if no calendar has it."""
    try:
        stamp = datetime(1970, 1, 1) + timedelta(seconds=round(days * 86_400))
    except (OverflowError, ValueError):
        return f"{days:g}"
    return stamp.date().isoformat() if days.is_integer() else stamp.isoformat(" ")


@dataclass(frozen=True, slots=True)
class Code:
    """How one column becomes numbers: ``names`` of a category's values; ``gaps``: some were missing;
    ``form``: how its numbers are written (see :class:`Table`).

    ``columns`` for the words of text; ``apart``: marks such as "!" are words of their own, as they were not
    in encodings that are kept from earlier.
    """

    name: str
    kind: ColumnKind
    mean: float = 0.0
    std: float = 1.0
    names: tuple[str, ...] = ()
    gaps: bool = False
    columns: int = TEXT_COLUMNS
    apart: bool = False
    form: str = ""

    @property
    def width(self) -> int:
        """Columns that this one becomes."""
        return {"number": 1 + self.gaps, "category": len(self.names) + 1, "text": self.columns}.get(
            self.kind, 0
        )

    def encode(self, values: Values) -> NDArray[np.float32]:
        """The column as (rows, width) numbers; a category that was never seen goes to the last column."""
        out = np.zeros((len(values), self.width), np.float32)
        if self.kind == "number":
            missing = np.isnan(values)
            out[:, 0] = np.where(missing, 0.0, np.clip((values - self.mean) / self.std, -1e6, 1e6))
            if self.gaps:
                out[:, 1] = missing
        elif self.kind == "category":
            place = {name: index for index, name in enumerate(self.names)}
            out[np.arange(len(values)), [place.get(str(v), len(self.names)) for v in values]] = 1.0
        elif self.kind == "text":
            for row, value in enumerate(values):
                for word in self._words((value or "").lower()):
                    out[row, zlib.crc32(word.encode()) % self.columns] += 1.0
            out /= np.maximum(1.0, np.linalg.norm(out, axis=1, keepdims=True))
        return out

    def _words(self, text: str) -> list[str]:
        return re.findall(r"[\w']+|[^\w\s]", text) if self.apart else text.split()


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a table becomes numbers: its columns in order, and the target."""

    codes: tuple[Code, ...]
    target: Target

    @property
    def width(self) -> int:
        return sum(code.width for code in self.codes)

    def encode(self, table: Table) -> NDArray[np.float32]:
        """The rows of ``table`` as (rows, width) numbers."""
        return np.hstack([code.encode(table.columns[code.name]) for code in self.codes])

    def encode_typed(self, rows: Sequence[Mapping[str, object]]) -> NDArray[np.float32]:
        """Rows as somebody types them. Raises a Refusal for what should be a number and is none."""
        columns: dict[str, Values] = {}
        for code in self.codes:
            values = [row.get(code.name) for row in rows]
            if code.kind == "number":
                columns[code.name] = np.array([_number(code, value) for value in values], np.float64)
            else:
                columns[code.name] = np.array([None if v in (None, "") else word(v) for v in values], object)
        return self.encode(Table(columns))

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        document: Any = json.loads(text)
        codes = [Code(**{**code, "names": tuple(code["names"])}) for code in document["codes"]]
        target = document["target"]
        return cls(tuple(codes), Target(**{**target, "names": tuple(target["names"])}))


def _number(code: Code, value: object) -> float:
    """A number as somebody types it, and as the column of the table has it."""
    if value is None or value == "":
        return math.nan
    text = str(value).strip()
    if code.form == "date" and (days := _days(text)) is not None:
        return days
    if code.form == "comma" and "," in text:
        text = text.replace(".", "").replace(",", ".")
    try:
        number = float(text)
    except ValueError:
        number = math.inf
    if not math.isfinite(number) and not (isinstance(value, float) and math.isnan(value)):
        if code.form == "date":
            raise Refusal(
                "{field} is {value}; a date such as 2024-05-01 is needed.", field=code.name, value=text[:40]
            )
        raise Refusal("{field} is {value}; a number is needed.", field=code.name, value=text[:40])
    return number


def _days(text: str) -> float | None:
    """Days from 1970 to a date (ISO 8601, with a time or without); None if it is none.

    A number is none either, though ISO 8601 would read 20240501 as a date.
    """
    try:
        stamp = datetime.fromisoformat(text) if "-" in text[1:] else None
    except ValueError:
        return None
    if stamp is None:
        return None
    stamp = stamp.replace(tzinfo=UTC) if stamp.tzinfo is None else stamp
    return (stamp - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() / 86_400


def learn_encoding(
    table: Table,
    target: Target,
    train: NDArray[np.intp],
    without: Sequence[str] = (),
    text_columns: int = TEXT_COLUMNS,
) -> Encoding:
    """The encoding of every column but the target and those ``without``, learned on the rows ``train``.

    The words of a column of text are counted in ``text_columns`` columns.
    """
    codes = []
    for name, values in table.columns.items():
        if name == target.name or name in without:
            continue
        kind = kind_of(values[train])
        there = present(values[train])
        if kind == "number":
            std = float(np.std(there)) or 1.0
            gaps, form = bool(np.isnan(values).any()), table.forms.get(name, "")
            codes.append(Code(name, kind, float(np.mean(there)), std, gaps=gaps, form=form))
        elif kind == "category":
            codes.append(Code(name, kind, names=tuple(sorted({str(v) for v in there}))))
        elif kind == "text":
            codes.append(Code(name, kind, columns=text_columns, apart=True))
    if not codes:
        raise Refusal("No column is left to learn from.")
    return Encoding(tuple(codes), target)

"""A table as numbers for a network, and back: learned once, kept as JSON, used for every row that is typed later.

A number becomes its distance from the mean in standard deviations; a category one column for each of
its values; text a count of its words in ``TEXT_COLUMNS`` columns or more, found by a checksum of the word
(the hashing trick), so that no word list has to be kept. A missing number counts as the mean, and a column
beside it tells that it was missing. All of it, the scale of a number to predict too, is learned on the
training rows alone: nothing of the test gets into it. No pickle anywhere.
"""

import json
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from core.i18n import Refusal
from core.training.notation import typed_number
from core.training.tables import (
    CLASS_LETTERS,
    MOST_CLASSES,
    ColumnKind,
    Table,
    Task,
    Values,
    class_name,
    kind_of,
    present,
    word,
)

TEXT_COLUMNS = 256
"""For the words of a column of text, where nobody asks for more."""


@dataclass(frozen=True, slots=True)
class Target:
    """The column to predict: class names in alphabetical order, or mean and deviation of a number."""

    name: str
    names: tuple[str, ...] = ()
    mean: float = 0.0
    std: float = 1.0

    @classmethod
    def of(cls, table: Table, name: str, task: Task) -> Self:
        """The target ``name`` of ``table``, not scaled yet. Raises a Refusal if it cannot be predicted."""
        table.check(name)
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
            return cls(name)._scaled(values)
        different = set(values.tolist())
        names = tuple(sorted({class_name(value) for value in different}))
        if len(different) == 1:
            raise _same(name)
        if len(different) > MOST_CLASSES:
            raise Refusal(
                "The column {name} has {count} different values; 2 to {most} classes can be predicted.",
                name=name,
                count=f"{len(different):,}",
                most=MOST_CLASSES,
            )
        if len(names) < len(different):
            raise Refusal(
                "Two classes of the column {name} begin with the same {letters} letters; give them shorter names.",
                name=name,
                letters=CLASS_LETTERS,
            )
        return cls(name, names)

    def scaled(self, values: Values) -> Self:
        """The target with the mean and deviation of ``values``, those trained on, where it is a number."""
        return self if self.names else self._scaled(values)

    def _scaled(self, values: Values) -> Self:
        std = float(np.std(values))
        if std == 0:
            raise _same(self.name)
        return replace(self, mean=float(np.mean(values)), std=std)

    def encode(self, values: Values) -> NDArray[Any]:
        """Positions among the class names (int32), or numbers in deviations from the mean (float32)."""
        if not self.names:
            return ((values - self.mean) / self.std).astype(np.float32)
        place = {name: index for index, name in enumerate(self.names)}
        return np.array([place[class_name(value)] for value in values], np.int32)


def _same(name: str) -> Refusal:
    return Refusal("The column {name} has the same value in every row; there is nothing to learn.", name=name)


@dataclass(frozen=True, slots=True)
class Code:
    """How one column becomes numbers: ``names`` of a category's values; ``gaps``: some were missing;
    ``form``: how its numbers are written (see :mod:`core.training.notation`).

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
                columns[code.name] = np.array(
                    [typed_number(code.name, code.form, value) for value in values], np.float64
                )
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

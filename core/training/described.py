"""What a run knows of the data it trains on: its kind, task and shape, what the answers are called, whose it is.

A :class:`Dataset` describes any set; an :class:`OwnData` is what a specification carries of a founder's own.
"""

from dataclasses import dataclass, fields
from typing import Any, Literal, Self

from core.i18n import Refusal, Text
from core.storage.rows import Reason
from core.training.encoding import TEXT_COLUMNS
from core.training.tables import Task

__all__ = ["AREAS", "OWN", "Area", "Dataset", "Kind", "OwnData", "Task"]

Kind = Literal["images", "table"]
Area = Literal["vision", "language", "speech", "recommendation", "table"]
Input = Literal["images", "table", "ratings"]
"""What a network is given: pictures, rows of amounts, or rows of names."""

AREAS: dict[Area, Text] = {
    "vision": Text(en="Vision", zh="视觉"),
    "language": Text(en="Language", zh="语言"),
    "speech": Text(en="Speech", zh="语音"),
    "recommendation": Text(en="Recommendation", zh="推荐"),
    "table": Text(en="Table", zh="表格"),
}
"""What a data set is an example of."""

OWN = "own"


@dataclass(frozen=True, slots=True)
class IdColumn:
    """A column whose values are names and no amounts, ``count`` of them, numbered from 1; 0 is one not known.

    ``of``: whether it tells of who rates or of what is rated. ``names``: what the values of a short one are called.
    """

    key: str
    label: Text
    of: Literal["user", "item"]
    count: int
    names: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A set of examples with their answers, described; :func:`load` opens it.

    ``shape``: of one example, (height, width, channels) or (columns,). ``class_names``: what the
    classes are called; none where the answer is a number, ``target`` of which is the name. ``text_columns``:
    how many columns count the words of a column of text. ``ids``: of ratings, the columns in their order, who
    rates first and what is rated second; none for other data.
    """

    key: str
    area: Area
    label: Text
    note: Text
    kind: Kind
    task: Task
    shape: tuple[int, ...]
    train_images: int
    test_images: int
    class_names: tuple[str, ...]
    target: Text
    source: str
    citation: str
    licence: Text
    licence_url: str
    file: str
    sha256: str
    text_columns: int = TEXT_COLUMNS
    ids: tuple[IdColumn, ...] = ()

    @property
    def input(self) -> Input:
        return "ratings" if self.ids else self.kind

    @property
    def names(self) -> int:
        """Names in all columns of ids together, with the one for what is not known."""
        return 1 + sum(column.count for column in self.ids)

    @property
    def classes(self) -> int:
        return len(self.class_names)

    @property
    def outputs(self) -> int:
        """Numbers that a network answers with: one for each class, or a single one."""
        return self.classes or 1


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnData:
    """Data of a founder's own, after inspection: what a specification has to know of it.

    ``warnings``: what is doubtful about it, each a ``Reason`` as JSON.
    """

    id: str
    name: str
    kind: Kind
    task: Task
    shape: tuple[int, ...]
    train: int
    test: int
    class_names: tuple[str, ...]
    target: str
    warnings: tuple[str, ...] = ()

    @classmethod
    def of(cls, document: Any) -> Self:
        """From what JSON makes of it. Raises a Refusal if that is not one."""
        try:
            # Data that was made ready before warnings were kept has none.
            held = {field.name: {"warnings": (), **document}[field.name] for field in fields(cls)}
            held["shape"] = tuple(int(n) for n in held["shape"])
            held["class_names"] = tuple(str(n) for n in held["class_names"])
            held["warnings"] = tuple(Reason.from_json(w).to_json() for w in held["warnings"])
            sound = held["kind"] in ("images", "table") and held["task"] in ("classes", "number")
            sound &= all(isinstance(held[n], int) and held[n] > 0 for n in ("train", "test"))
            sound &= len(held["shape"]) == (3 if held["kind"] == "images" else 1) and min(held["shape"]) > 0
        except (KeyError, TypeError, ValueError, AttributeError):
            sound = False
        if not sound:
            raise Refusal("The description of the founder's own data cannot be read.")
        return cls(**held)

    @property
    def doubts(self) -> list[Refusal]:
        """What is doubtful about it, as sentences."""
        return [Reason.from_json(warning).refusal() for warning in self.warnings]

    @property
    def described(self) -> Dataset:
        return Dataset(
            key=OWN,
            area="vision" if self.kind == "images" else "table",
            label=Text(en=self.name, zh=self.name),
            note=Text(en="Your own data.", zh="你自己的数据。"),
            kind=self.kind,
            task=self.task,
            shape=self.shape,
            train_images=self.train,
            test_images=self.test,
            class_names=self.class_names,
            target=Text(en=self.target, zh=self.target),
            source="",
            citation="",
            licence=Text(en="your own", zh="归你所有"),
            licence_url="",
            file="",
            sha256="",
        )

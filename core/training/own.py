"""Data of a founder's own: a CSV or Parquet table, or a ZIP of pictures in one folder for each class.

The web process only receives the file (:func:`receive`); everything that opens it happens in a process of
its own with limits on memory and time (``core.training.desk``): first :func:`look`, what is in it, then
:func:`prepare`, once the founder has said which column to predict. Nothing is ever unpickled, nothing is
unpacked onto the disk, and a file that would become too large is refused by what it declares before it is
read, and by what it really holds while it is read.
"""

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from core.i18n import Refusal
from core.storage import new_id
from core.storage.rows import Reason
from core.training import doubts, shelf
from core.training.datasets import Examples, Kind, OwnData, Task, fixed, split
from core.training.encoding import Encoding, Target, learn_encoding
from core.training.pictures import read_zip
from core.training.reading import UTF_8, Written, read_csv, read_parquet, written
from core.training.tables import MOST_CLASSES, Profile, Table, list_of, profile

MOST_BYTES = 50 * 2**20
"""Of an uploaded file."""

MOST_SETS = 10
"""Data sets of one owner."""

MOST_ROWS, MOST_COLUMNS = 300_000, 200
MOST_CELLS = 10_000_000
"""Of a table as it was uploaded."""

MOST_NUMBERS = 60_000_000
"""Of a table once it is encoded: 240 MB."""

LEAST_ROWS = 50

ENDINGS = ("csv", "parquet", "zip")
TEXT_ENDINGS = ("txt", "tsv")
"""Excel's "Unicode text" and tables with tabs: read as CSV."""


@dataclass(frozen=True, slots=True)
class Look:
    """What is in a file: ``columns`` of a table, or ``counts`` of pictures by class; and what is doubtful."""

    kind: Kind
    rows: int
    columns: tuple[Profile, ...] = ()
    counts: tuple[tuple[str, int], ...] = ()
    warnings: tuple[Reason, ...] = ()

    def to_json(self) -> str:
        return json.dumps({**asdict(self), "warnings": [warning.to_json() for warning in self.warnings]})

    @classmethod
    def from_json(cls, text: str) -> Self:
        held: Any = json.loads(text)
        return cls(
            held["kind"],
            held["rows"],
            tuple(_profile(column) for column in held["columns"]),
            tuple((name, count) for name, count in held["counts"]),
            tuple(Reason.from_json(warning) for warning in held["warnings"]),
        )


def _profile(held: dict[str, Any]) -> Profile:
    counts = tuple((name, count) for name, count in held["counts"])
    return Profile(
        **{**held, "examples": tuple(held["examples"]), "counts": counts, "spread": tuple(held["spread"])}
    )


def receive(owner: str, name: str, content: bytes) -> str:
    """Keep an uploaded file; the id of the data set that it may become. Nothing of it is read.

    Raises a Refusal if it is too large, of another kind, or one too many.
    """
    ending = name.rpartition(".")[2].lower()
    ending = "csv" if ending in TEXT_ENDINGS else ending
    if ending not in ENDINGS:
        raise Refusal(
            "The file {name} is none of these: .csv, .parquet, .zip (pictures in one folder for each class).",
            name=name[:60],
        )
    if not content:
        raise Refusal("The file {name} is empty.", name=name[:60])
    if len(content) > MOST_BYTES:
        raise Refusal(
            "The file {name} has {size} MB; at most {most} MB are allowed.",
            name=name[:60],
            size=f"{len(content) / 2**20:.1f}",
            most=MOST_BYTES // 2**20,
        )
    data_id, folder = _place(owner)
    try:
        (folder / shelf.NAME).write_text(json.dumps(name.rpartition(".")[0][:60] or "data"), "utf-8")
        (folder / f"upload.{ending}").write_bytes(content)
    except OSError as error:
        shelf.drop_upload(owner, data_id)
        raise Refusal(
            "The file {name} cannot be kept: {reason}.", name=name[:60], reason=error.strerror or "OSError"
        ) from None
    return data_id


def again(owner: str, data_id: str) -> str:
    """The upload of a data set once more, to be made ready in another way; the id of what it may become.

    What was trained on the data set goes on with it as it is. Raises a Refusal if it is gone, or one too many.
    """
    upload = _upload(owner, data_id)
    again_id, folder = _place(owner)
    shutil.copyfile(upload.with_name(shelf.NAME), folder / shelf.NAME)
    shutil.copyfile(upload, folder / upload.name)
    return again_id


def _place(owner: str) -> tuple[str, Path]:
    """An id and a folder for one more data set. Raises a Refusal if that is one too many."""
    shelf.clear_unfinished()
    if shelf.count(owner) >= MOST_SETS:
        raise Refusal("You have {most} data sets already; delete one first.", most=MOST_SETS)
    data_id = new_id()
    return data_id, shelf.own_folder(owner, data_id, make=True)


def look(owner: str, data_id: str) -> Look:
    """What is in the file. Raises a Refusal if it cannot be used."""
    upload = _upload(owner, data_id)
    if upload.suffix == ".zip":
        pictures = read_zip(upload.read_bytes())
        names, counts = np.unique(np.array(pictures.classes), return_counts=True)
        pairs = tuple((str(n), int(c)) for n, c in zip(names, counts, strict=True))
        return Look(
            "images", len(pictures.classes), (), pairs, tuple(doubts.uneven(pairs) + pictures.warnings)
        )
    table, encoding = _table(upload)
    columns = tuple(
        profile(name, values, table.forms.get(name, "")) for name, values in table.columns.items()
    )
    if not any(column.tasks for column in columns):
        raise Refusal(
            "No column of the table can be predicted: each has the same value in every row, or is text with more "
            "than {most} different values.",
            most=MOST_CLASSES,
        )
    warnings = [
        Reason.of(
            Refusal(
                "The file is not written in UTF-8; it was read as {encoding}. If letters look wrong below, save "
                "it as “CSV UTF-8” and upload it again.",
                encoding=encoding,
            )
        )
        for encoding in [encoding]
        if encoding not in ("", UTF_8)
    ]
    warnings += map(Reason.of, table.remarks)
    warnings += _left_out(columns)
    return Look("table", table.rows, columns, (), tuple(warnings))


def _left_out(columns: Sequence[Profile]) -> list[Reason]:
    """Why columns are left out, each reason once."""
    out = [column for column in columns if column.kind == "left_out"]
    told = []
    if empty := [column.name for column in out if column.distinct <= 1]:
        told.append(
            Refusal("Left out, with the same value in every row or none: {columns}.", columns=list_of(empty))
        )
    if names := [column for column in out if column.distinct > 1]:
        told.append(
            Refusal(
                "Left out, as nearly every row has a word of its own there, such as {value}: {columns}.",
                value=names[0].examples[0],
                columns=list_of([column.name for column in names]),
            )
        )
    return list(map(Reason.of, told))


def prepare(
    owner: str, data_id: str, target: str = "", task: Task = "classes", without: Sequence[str] = ()
) -> OwnData:
    """Make the data set ready to train on; its description, with what is doubtful about it.

    ``target`` is the column to predict, as "classes" or as a "number", and ``without`` are columns to leave
    out; for pictures none of them matters. Raises a Refusal if it cannot be done.
    """
    upload = _upload(owner, data_id)
    folder = shelf.own_folder(owner, data_id)
    name = str(json.loads((folder / shelf.NAME).read_text("utf-8")))
    if upload.suffix == ".zip":
        pictures = read_zip(upload.read_bytes())
        names = tuple(sorted(set(pictures.classes)))
        labels = np.array([names.index(c) for c in pictures.classes], np.int32)
        inputs: NDArray[Any] = pictures.pixels
        shape: tuple[int, ...] = inputs.shape[1:] if inputs.ndim == 4 else (*inputs.shape[1:], 1)
        train, test = split(labels)
        kind, target, encoding, widths, found = "images", "folder", None, [], pictures.warnings
    else:
        table, _ = _table(upload)
        table.check(*without)
        aim = Target.of(table, target, task)
        answers = table.columns[target]
        train, test = split(aim.encode(answers))
        aim = aim.scaled(answers[train])
        labels = aim.encode(answers)
        encoding = learn_encoding(table, aim, train, without)
        if encoding.width * table.rows > MOST_NUMBERS:
            raise Refusal(
                "The table would become {numbers} million numbers; at most {most} million are allowed: "
                "leave out columns of text or with many categories.",
                numbers=encoding.width * table.rows // 1_000_000,
                most=MOST_NUMBERS // 1_000_000,
            )
        inputs = encoding.encode(table)
        shape, kind, names = (encoding.width,), "table", aim.names
        widths = [code.width for code in encoding.codes]
        found = doubts.leaks(table.columns, encoding, labels) + doubts.numbered(table.columns, encoding)
    counts = np.bincount(labels[train], minlength=len(names)) if names else np.array([], int)
    if names:
        pairs = tuple((n, int(c)) for n, c in zip(names, counts, strict=True))
        found = [*doubts.uneven(pairs), *found]
        if counts.min() < 2:
            raise Refusal(
                "The class {name} has too few examples: at least three are needed.",
                name=names[int(counts.argmin())],
            )
    found = [*found, *doubts.doubles(inputs, train, test, widths)]
    np.savez_compressed(
        folder / "data.npz",
        x_train=inputs[train],
        y_train=labels[train],
        x_test=inputs[test],
        y_test=labels[test],
    )
    if encoding is not None:
        (folder / shelf.ENCODING).write_text(encoding.to_json(), "utf-8")
    described = OwnData(
        id=data_id,
        name=name,
        kind="images" if kind == "images" else "table",
        task=task if kind == "table" else "classes",
        shape=tuple(shape),
        train=len(train),
        test=len(test),
        class_names=names,
        target=target,
        warnings=tuple(warning.to_json() for warning in found),
    )
    shelf.describe(owner, described)
    return described


def load(owner: str, data_id: str) -> Examples:
    """The examples of a data set that is ready. Raises a Refusal if it is not there."""
    folder = shelf.own_folder(owner, data_id)
    if not (folder / shelf.DESCRIBED).is_file():
        raise Refusal("This data was deleted; upload it again to train on it.")
    with np.load(folder / "data.npz", allow_pickle=False) as arrays:
        parts = [fixed(arrays[part]) for part in ("x_train", "y_train", "x_test", "y_test")]
    coded = folder / shelf.ENCODING
    encoding = Encoding.from_json(coded.read_text("utf-8")) if coded.is_file() else None
    return Examples(parts[0], parts[1], parts[2], parts[3], encoding)


def columns_used(owner: str, data_id: str) -> tuple[str, ...]:
    """The columns of a table that a network learns from, the target apart; none of pictures."""
    coded = shelf.own_folder(owner, data_id) / shelf.ENCODING
    if not coded.is_file():
        return ()
    return tuple(code.name for code in Encoding.from_json(coded.read_text("utf-8")).codes)


def _upload(owner: str, data_id: str) -> Path:
    folder = shelf.own_folder(owner, data_id)
    found = [file for ending in ENDINGS if (file := folder / f"upload.{ending}").is_file()]
    if not found:
        raise Refusal("This data was deleted; upload it again to train on it.")
    return found[0]


def _table(upload: Path) -> tuple[Table, str]:
    """The table in a file, within the limits, and the encoding of its text if it is a CSV."""
    content = upload.read_bytes()
    encoding = ""
    if upload.suffix == ".csv":
        source: Written = written(content)
        encoding = source.encoding
        if source.columns > MOST_COLUMNS:
            _check_size(source.content.count(b"\n"), source.columns)
        table = read_csv(source)
    else:
        table = read_parquet(content, _check_size)
    _check_size(table.rows, len(table.columns))
    if table.rows < LEAST_ROWS:
        raise Refusal(
            "The table has {rows} rows; at least {least} are needed.", rows=table.rows, least=LEAST_ROWS
        )
    return table, encoding


def _check_size(rows: int, columns: int) -> None:
    if rows > MOST_ROWS or columns > MOST_COLUMNS or rows * columns > MOST_CELLS:
        raise Refusal(
            "The table has {rows} rows and {columns} columns; at most {most_rows} rows, {most_columns} columns "
            "and {most_cells} million cells are allowed.",
            rows=f"{rows:,}",
            columns=f"{columns:,}",
            most_rows=f"{MOST_ROWS:,}",
            most_columns=MOST_COLUMNS,
            most_cells=MOST_CELLS // 1_000_000,
        )

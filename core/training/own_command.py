"""A file of the founder's own, to train on from a shell.

It is looked into as the page has it done: in a process of its own, within the same limits, with the same
warnings. It is kept in a folder that goes when the training is over, and that only its owner may read.
"""

import contextlib
import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from core.i18n import Refusal
from core.storage.place import folder_used
from core.training import desk, own, shelf
from core.training.datasets import OwnData, Task
from core.training.tables import list_of

OWNER = ""
"""Whose the data is: that of a run that is nobody's in particular."""


@contextlib.contextmanager
def held(
    file: Path, target: str | None = None, task: Task | None = None, without: Sequence[str] = ()
) -> Iterator[tuple[OwnData, list[Refusal]]]:
    """The data in ``file``, ready to train on while the block lasts, and what is doubtful about it.

    ``target``, ``task`` and ``without`` as in :func:`core.training.own.prepare`; without a task it is the one that
    the values suggest. The same file, read in the same way, has the same id every time, so that runs on it belong
    together and one that was cut off can go on. Raises a Refusal if the data cannot be used.
    """
    content = _content(file)
    with tempfile.TemporaryDirectory(prefix="compute-canvas-") as folder, folder_used(Path(folder)):
        upload = own.receive(OWNER, file.name, content)
        found = own.Look.from_json(desk.at_once("look", owner=OWNER, data_id=upload))
        if found.kind == "table":
            task = task or _usual(found, target)
        elif target or task or without:
            raise Refusal(
                "{file} holds pictures: what is predicted is the folder of each; a column is named for tables only.",
                file=file.name[:60],
            )
        desk.at_once(
            "prepare",
            owner=OWNER,
            data_id=upload,
            target=target or "",
            task=task or "classes",
            without=list(without),
        )
        data = shelf.own_of(OWNER, upload)
        name = hashlib.sha256(content + repr((target, task, sorted(without))).encode()).hexdigest()[:16]
        shelf.own_folder(OWNER, upload).rename(shelf.own_folder(OWNER, name))
        data = replace(data, id=name)
        shelf.describe(OWNER, data)
        of_table = [said.refusal() for said in found.warnings] if found.kind == "table" else []
        yield data, [*of_table, *data.doubts]


def _content(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(own.MOST_BYTES + 1)
    except OSError as error:
        raise Refusal("{file} cannot be read: {reason}.", file=str(file), reason=error.strerror) from None


def _usual(found: own.Look, target: str | None) -> Task:
    """How the column to predict is usually predicted."""
    columns = {column.name: column for column in found.columns}
    if target is None:
        raise Refusal(
            "Name the column to predict with --target; the table has {columns}.",
            columns=list_of(list(columns)),
        )
    return next(iter(columns[target].tasks), "classes") if target in columns else "classes"

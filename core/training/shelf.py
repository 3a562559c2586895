"""Where files of training are kept: data of a founder's own, and what a run leaves behind.

Beside the database, in the data folder that nobody else may read:

    own/<owner>/<id>/     data.npz, described.json, encoding.json, and the file as it was uploaded
    runs/<run>/           model.keras, model.onnx where asked for, report.json, a checkpoint, run.json

An owner's folder is named by a hash of the owner, so a name cannot lead anywhere else; ids are words of
16 hexadecimal digits and checked as such. Where web server and worker are different machines they share
this folder, and so may several databases: ``run.json`` says whose a run is and which database knows it.
The machines of a cluster do not share it, they get and give parcels (:mod:`core.training.parcel`).
"""

import contextlib
import hashlib
import json
import re
import shutil
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from core.i18n import Refusal
from core.storage import Store, data_folder
from core.storage.place import make_folder
from core.storage.refusals import no_run
from core.training.datasets import OwnData
from core.training.report import Report

DESCRIBED, ENCODING, NAME = "described.json", "encoding.json", "name.json"
MODEL, ONNX, REPORT, MARK = "model.keras", "model.onnx", "report.json", "run.json"
UNFINISHED_S = 3600.0
"""An upload that nobody made ready within the hour is forgotten."""

_ID = re.compile(r"[0-9a-f]{16}")


def run_folder(run_id: str, *, make: bool = False) -> Path:
    """The folder of what a run left behind."""
    return _folder(data_folder() / "runs" / _checked(run_id), make)


def report_of(run_id: str) -> Report | None:
    """The report on a finished run; None if it left none."""
    try:
        return Report.from_json((run_folder(run_id) / REPORT).read_text("utf-8"))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def own_folder(owner: str, data_id: str, *, make: bool = False) -> Path:
    """The folder of one data set of an owner."""
    return _folder(_owner(owner) / _checked(data_id), make)


def own_data(owner: str) -> list[OwnData]:
    """The owner's data sets that are ready to train on, newest first."""
    files = sorted(_owner(owner).glob(f"*/{DESCRIBED}"), key=lambda f: f.stat().st_mtime, reverse=True)
    return [OwnData.of(json.loads(file.read_text("utf-8"))) for file in files]


def own_of(owner: str, data_id: str) -> OwnData:
    """One data set of the owner. Raises a Refusal if it is not there (any more)."""
    file = own_folder(owner, data_id) / DESCRIBED
    if not file.is_file():
        raise Refusal("This data was deleted; upload it again to train on it.")
    return OwnData.of(json.loads(file.read_text("utf-8")))


def describe(owner: str, data: OwnData) -> None:
    """Keep the description: from now on the data set is ready."""
    text = json.dumps(asdict(data), ensure_ascii=False)
    (own_folder(owner, data.id) / DESCRIBED).write_text(text, "utf-8")


def count(owner: str) -> int:
    """The owner's data sets, with what was uploaded and is not ready."""
    return sum(1 for _ in _owner(owner).glob("*"))


def unfinished(owner: str) -> dict[str, str]:
    """What the owner uploaded and never made ready: ids with names."""
    return {
        folder.name: str(json.loads((folder / NAME).read_text("utf-8")))
        for folder in sorted(_owner(owner).glob("*"))
        if not (folder / DESCRIBED).exists() and (folder / NAME).is_file()
    }


def delete_own(store: Store, owner: str, data_id: str) -> None:
    """Delete a data set for good: the file that was uploaded, and what the runs trained on it left behind,
    networks that learned from it and reports that show some of it. The figures of these runs stay.

    Raises a Refusal while such a run is waiting or running, or a sweep of them.
    """
    if active := wanted(store, owner, data_id):
        raise Refusal(
            "Training runs or sweeps on this data are waiting or running ({count}); stop them before you delete it.",
            count=active,
        )
    store.expected.forget(owner)
    drop_upload(owner, data_id)
    for row in store.runs.mentioning(owner, data_id):
        delete_run(row.id)


def wanted(store: Store, owner: str, data_id: str) -> int:
    """How many runs and sweeps on a data set of the owner are waiting or running."""
    going = [row for row in store.sweeps.running() if row.owner == owner and data_id in row.spec]
    return len(going) + sum(row.active for row in store.runs.mentioning(owner, data_id))


def drop_upload(owner: str, data_id: str) -> None:
    """Delete an upload on which nothing was trained."""
    shutil.rmtree(own_folder(owner, data_id), ignore_errors=True)


def delete_run(run_id: str) -> None:
    """Delete what a run left behind."""
    shutil.rmtree(run_folder(run_id), ignore_errors=True)


def mark_run(store: Store, run_id: str, owner: str) -> None:
    """Write down whose the run is, and which database knows it."""
    mark = {"database": _database(store), "owner": _hash(owner)}
    (run_folder(run_id, make=True) / MARK).write_text(json.dumps(mark), "utf-8")


def check_run(owner: str, run_id: str) -> None:
    """Raises Missing if there is something of the run, and it is somebody else's."""
    folder = run_folder(run_id)
    if folder.is_dir() and _mark(folder).get("owner") != _hash(owner):
        raise no_run()


def tidy(store: Store) -> None:
    """Delete what nobody wants any more: to be called now and then."""
    clear_unfinished()
    clear_orphans(store)


def clear_unfinished() -> None:
    """Delete what was uploaded, by anybody, and never made ready, an hour or more ago."""
    for folder in (data_folder() / "own").glob("*/*"):
        with contextlib.suppress(FileNotFoundError):
            if not (folder / DESCRIBED).exists() and time.time() - folder.stat().st_mtime > UNFINISHED_S:
                shutil.rmtree(folder, ignore_errors=True)


def clear_orphans(store: Store) -> None:
    """Delete what runs left behind that are deleted themselves, with their venture for instance.

    Only what is marked as this database's goes. What it knows and was left before there were marks is marked.
    """
    folders = {f.name: f for f in (data_folder() / "runs").glob("*") if _ID.fullmatch(f.name)}
    owners = store.runs.owners(folders)
    for run_id, folder in folders.items():
        mark = _mark(folder)
        if run_id not in owners and mark.get("database") == _database(store):
            shutil.rmtree(folder, ignore_errors=True)
        elif run_id in owners and not mark:
            mark_run(store, run_id, owners[run_id])


def _mark(folder: Path) -> dict[str, str]:
    try:
        held: Any = json.loads((folder / MARK).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return held if isinstance(held, dict) else {}


def _database(store: Store) -> str:
    """The database by a hash; one inside the data folder stays the same where the folder is moved."""
    return _hash(store.place.replace(str(data_folder()), ""))


def _hash(word: str) -> str:
    return hashlib.sha256(word.encode()).hexdigest()[:32]


def _owner(owner: str) -> Path:
    return data_folder() / "own" / _hash(owner)


def _checked(word: str) -> str:
    if not _ID.fullmatch(word):
        raise Refusal("There is nothing under the name {name}.", name=word[:40])
    return word


def _folder(folder: Path, make: bool) -> Path:
    if make:
        for part in reversed([folder, *folder.parents]):
            if part.is_relative_to(data_folder()):
                make_folder(part)
    return folder

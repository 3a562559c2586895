"""Where files of training are kept: data of a founder's own, and what a run leaves behind.

Beside the database, in the data folder that nobody else may read:

    own/<owner>/<id>/     data.npz, described.json, encoding.json, and the file as it was uploaded
    runs/<run>/           model.keras, report.json, a checkpoint

An owner's folder is named by a hash of the owner, so a name cannot lead anywhere else; ids are words of
16 hexadecimal digits and checked as such. Where web server and worker are different machines they share
this folder.
"""

import hashlib
import json
import re
import shutil
import time
from dataclasses import asdict
from pathlib import Path

from core.i18n import Refusal
from core.storage import Store, data_folder
from core.storage.place import make_folder
from core.training.datasets import OwnData
from core.training.report import Report

DESCRIBED = "described.json"
MODEL, REPORT = "model.keras", "report.json"
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


def delete_own(owner: str, data_id: str) -> None:
    """Delete a data set for good, with the file that was uploaded."""
    shutil.rmtree(own_folder(owner, data_id), ignore_errors=True)


def drop_upload(owner: str, data_id: str) -> None:
    """Delete an upload on which nothing was trained."""
    shutil.rmtree(own_folder(owner, data_id), ignore_errors=True)


def clear_unfinished(owner: str) -> None:
    """Delete what was uploaded and never made ready, an hour or more ago."""
    for folder in _owner(owner).glob("*"):
        if not (folder / DESCRIBED).exists() and time.time() - folder.stat().st_mtime > UNFINISHED_S:
            shutil.rmtree(folder, ignore_errors=True)


def delete_run(run_id: str) -> None:
    """Delete what a run left behind."""
    shutil.rmtree(run_folder(run_id), ignore_errors=True)


def clear_orphans(store: Store) -> None:
    """Delete what runs left behind that are deleted themselves, with their venture for instance."""
    folders = {folder.name: folder for folder in (data_folder() / "runs").glob("*")}
    for run_id in set(folders) - store.runs.existing(folders):
        shutil.rmtree(folders[run_id], ignore_errors=True)


def _owner(owner: str) -> Path:
    return data_folder() / "own" / hashlib.sha256(owner.encode()).hexdigest()[:32]


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

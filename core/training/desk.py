"""Small jobs for the worker besides training: look into a file, answer or recommend with a trained
network, or write it in another format.

The web process lays a question into a folder (:func:`ask`) and looks for the answer there
(:func:`answer`); the supervisor's :class:`Desk` gives each question a process of its own, at most
``AT_ONCE`` at a time, and ends it when its time is up or when the question is withdrawn. A file is looked
into by a fresh process that holds no TensorFlow and may use ``MEMORY`` bytes; a network answers in one
forked from the fork server, like a run.
"""

import contextlib
import json
import os
import re
import time
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NoReturn

from core.i18n import Refusal
from core.storage import data_folder, new_id
from core.storage.place import make_folder
from core.storage.rows import Reason
from core.training import child
from core.training.attempt import Attempt, Mode
from core.training.cards import NONE, VISIBLE

AT_ONCE = 2
MEMORY = 3 * 2**30
"""Bytes of address space for a process that looks into a file; it starts with a fifth of that."""

SECONDS = {"look": 60.0, "prepare": 120.0, "predict": 60.0, "onnx": 60.0, "recommend": 60.0}
"""What may be asked, and how long an answer may take."""

FORGOTTEN_S = 3600.0
"""Answers that nobody fetched are thrown away after so long."""

ANSWER = "answer"

_ID = re.compile(r"[0-9a-f]{16}")


def ask(what: str, **given: Any) -> str:
    """Lay down a question; its id."""
    if what not in SECONDS:
        raise ValueError(what)
    question = new_id()
    _write(_file(question, "ask"), json.dumps({"what": what, "given": given}))
    return question


def answer(question: str) -> Any | None:
    """What was answered; None as long as nothing was. Raises the Refusal that the answer is."""
    file = _file(question, "answer")
    try:
        return _told(file.read_text("utf-8"))
    except FileNotFoundError:
        return None


def _told(said: str) -> Any:
    held = json.loads(said)
    if "refused" in held:
        raise Reason.from_json(held["refused"]).refusal()
    return held["said"]


def wait_for(question: str, seconds: float) -> Any | None:
    """The answer as soon as it is there, or None after ``seconds``."""
    deadline = time.monotonic() + seconds
    while (said := answer(question)) is None and time.monotonic() < deadline:
        time.sleep(0.03)
    return said


def at_once(what: str, **given: Any) -> Any:
    """Ask without a supervisor, from a shell: the same process with the same limits answers, here and now.

    Raises the Refusal that the answer is.
    """
    job = _begun(what, given, "cold")
    try:
        while (said := _heard(job)) is None:
            time.sleep(0.02)
    finally:
        job.attempt.close()
    return _told(said)


def withdraw(question: str) -> None:
    """Take back a question, or throw its answer away."""
    for ending in ("ask", "answer"):
        _file(question, ending).unlink(missing_ok=True)


def _file(question: str, ending: str) -> Path:
    if not _ID.fullmatch(question):
        raise Refusal("There is nothing under the name {name}.", name=question[:40])
    folder = data_folder() / "desk"
    make_folder(folder)
    return folder / f"{question}.{ending}"


def _write(file: Path, text: str) -> None:
    """Write a file so that nobody ever sees half of it."""
    half = file.with_suffix(".half")
    half.write_text(text, "utf-8")
    half.replace(file)


# The supervisor's side


@dataclass(slots=True)
class _Job:
    attempt: Attempt
    until: float
    question: str = ""


def _begun(what: str, given: dict[str, Any], mode: Mode) -> _Job:
    attempt = Attempt("cold" if what in ("look", "prepare") else mode, serve, what, json.dumps(given))
    return _Job(attempt, time.monotonic() + SECONDS[what])


def _heard(job: _Job) -> str | None:
    """What the process said, as JSON, or why it does not say anything any more; None while it is at work."""
    over = job.attempt.over
    for kind, content in job.attempt.messages():
        if kind == ANSWER:
            return json.dumps({"said": content})
        if kind == child.REFUSED:
            return json.dumps({"refused": Reason(*content).to_json()})
        if kind == child.FAILED:
            return _refused(Refusal("It could not be done: {error}.", error=content.rstrip(".")))
    if time.monotonic() > job.until:
        return _refused(Refusal("It took too long and was ended; a smaller file takes less."))
    if over:
        return _refused(Refusal("It needed more memory or time than is allowed; a smaller file takes less."))
    return None


class Desk:
    """Attends to the questions; :meth:`look` is to be called again and again, :meth:`close` at the end."""

    def __init__(self) -> None:
        self._jobs: list[_Job] = []

    @property
    def busy(self) -> bool:
        return bool(self._jobs)

    def look(self, mode: Mode) -> None:
        """Take new questions, hear from the processes at work, write down answers."""
        for job in list(self._jobs):
            self._attend(job)
        waiting = sorted((data_folder() / "desk").glob("*.ask"), key=_age, reverse=True)
        known = {job.question for job in self._jobs}
        for file in waiting:
            if len(self._jobs) >= AT_ONCE:
                return
            if file.stem not in known and _ID.fullmatch(file.stem):
                self._take(file, mode)

    def _take(self, file: Path, mode: Mode) -> None:
        with contextlib.suppress(OSError, ValueError, KeyError):
            asked = json.loads(file.read_text("utf-8"))
            job = _begun(str(asked["what"]), asked["given"], mode)
            job.question = file.stem
            self._jobs.append(job)

    def _attend(self, job: _Job) -> None:
        withdrawn = not _file(job.question, "ask").is_file()
        said = _heard(job)
        if said is None and not withdrawn:
            return
        if said is not None and not withdrawn:
            _write(_file(job.question, "answer"), said)
            _file(job.question, "ask").unlink(missing_ok=True)
        self._jobs.remove(job)
        job.attempt.close()
        self.tidy()

    def tidy(self) -> None:
        """Throw away questions and answers that nobody came back for."""
        for file in (data_folder() / "desk").glob("*"):
            if _age(file) > FORGOTTEN_S:
                file.unlink(missing_ok=True)

    def close(self) -> None:
        for job in self._jobs:
            job.attempt.close()


def _refused(refusal: Refusal) -> str:
    return json.dumps({"refused": Reason.of(refusal).to_json()})


def _age(file: Path) -> float:
    try:
        return time.time() - file.stat().st_mtime
    except FileNotFoundError:
        return 0.0


# The process of one question


def serve(pipe: Connection, what: str, given: str) -> NoReturn:
    """Answer one question, on the processor since cards are for runs, and end."""
    child.follow_parent()
    os.environ[VISIBLE] = NONE
    try:
        pipe.send((ANSWER, _answered(what, json.loads(given))))
    except Refusal as refusal:
        pipe.send((child.REFUSED, (refusal.message, refusal.values)))
    except MemoryError:
        os._exit(1)
    except Exception as error:
        pipe.send((child.FAILED, " ".join(f"{type(error).__name__}: {error}".split())[:300]))
    child.leave()


def _answered(what: str, given: dict[str, Any]) -> Any:
    if what == "predict":
        from core.training import answers

        return answers.predict(**given)
    if what == "recommend":
        from core.training import recommend

        return recommend.recommend(**given)
    if what == "onnx":
        from core.training import onnx_file

        return onnx_file.make(**given)
    _limit(SECONDS[what])
    from core.training import own

    if what == "look":
        return own.look(**given).to_json()
    return {"data": asdict(own.prepare(**given))}


def _limit(seconds: float) -> None:
    """Take no more memory and processor time than is allowed, whatever the file brings."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds)))

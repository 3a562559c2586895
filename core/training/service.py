"""What the web process does about training: keep a worker alive.

Nothing here loads Keras. A :class:`Watch` is a thread for the lifetime of the app: it tells the worker
that somebody is there, starts one when there is none, and marks the runs of a dead one interrupted.
"""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from core.storage import Store, data_folder, new_id
from core.training.seat import Seat, fingerprint, here
from core.training.supervisor import clear_dead

BEAT_S = 2.0
LOOK_S = 0.5
PATIENCE_S = (0.0, 1.0, 5.0, 30.0)
"""Waits before each further start of a worker that keeps dying."""

STEADY_S = 60.0
"""A worker that has lived for so long counts as healthy."""

LOG_BYTES = 1_000_000

log = logging.getLogger(__name__)

_ROOT = Path(__file__).parents[2]


def seat(store: Store) -> Seat:
    """The seat of the supervisor for this store on this machine."""
    return Seat(data_folder(), store.place)


def ensure_supervisor(store: Store) -> subprocess.Popen[bytes] | None:
    """Start a supervisor for ``store`` unless one is alive; the started process, or None.

    It opens the same store by the same environment variables, and outlives this process.
    """
    if seat(store).holder() is not None:
        return None
    # Without bytecode every import of TensorFlow would first compile three thousand modules.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with _log_file().open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "core.training.worker", "serve"],
            env={**environment, "PYTHONPATH": _path()},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def _path() -> str:
    return os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))


def _log_file() -> Path:
    """``worker.log`` in the data folder; what it held is ``worker.log.1`` once it is large."""
    file = data_folder() / "worker.log"
    if file.exists() and file.stat().st_size > LOG_BYTES:
        file.replace(file.with_suffix(".log.1"))
    return file


class Watch:
    """The thread that keeps training going while the web process lives; :meth:`stop` ends it.

    >>> watch = Watch(store)   # in the app's lifespan
    >>> ...
    >>> watch.stop()
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._seat = seat(store)
        self._name = f"{here()}/{os.getpid()}/{new_id()}"
        self._started: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._failures = 0
        self._retired = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="training watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the watch. The worker goes on with what it has and leaves when it has nothing to do."""
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        next_beat = 0.0
        last_look = time.time()
        while not self._ended.is_set():
            slept = time.time() - last_look > LOOK_S + 1.5
            last_look = time.time()
            try:
                if time.monotonic() >= next_beat:
                    next_beat = time.monotonic() + BEAT_S
                    self._store.beats.beat(self._name)
                self._look_after_worker()
                if not slept:
                    # After a laptop's sleep every lease has lapsed: let the worker renew it first.
                    self._store.runs.reap(time.time())
            except (SQLAlchemyError, OSError):
                log.exception("the watch over training could not look")
            self._ended.wait(LOOK_S)

    def _look_after_worker(self) -> None:
        """See that a worker of this code holds the seat."""
        if self._started and self._started.poll() is not None:
            log.info("the training worker ended with status %s", self._started.returncode)
            self._started = None
        holder = self._seat.holder()
        if holder is None:
            if self._started is None and self._seat.take():
                # Nobody else can sit down meanwhile, so whoever is on record is dead.
                try:
                    clear_dead(self._store)
                finally:
                    self._seat.leave()
                self._start()
        elif not self._retired:
            # Once: of two versions that are both being watched, the one started last wins.
            self._retired = True
            if holder.code != fingerprint():
                os.kill(holder.pid, signal.SIGUSR1)

    def _start(self) -> None:
        lived = time.monotonic() - self._started_at
        if lived > STEADY_S:
            self._failures = 0
        if lived < PATIENCE_S[min(self._failures, len(PATIENCE_S) - 1)]:
            return
        self._failures += 1
        self._started_at = time.monotonic()
        self._started = ensure_supervisor(self._store)

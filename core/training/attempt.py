"""One run in one process, seen from the supervisor: start it, hear from it, stop it, tell how it ended.

The process is forked from a fork server that holds Keras ready (*warm*), or is a fresh one (*cold*: it
imports everything itself). Both talk over a pipe. A forked one may be started before there is a run for
it (:class:`StandBy`): it trains some batches of its own, rehearses the run that is expected, and waits.
"""

import contextlib
import logging
import multiprocessing
import signal
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, Literal

from core.i18n import Refusal
from core.training import child
from core.training.speed import Speed

Mode = Literal["warm", "cold"]

FIRST_METRIC_S = 60.0
"""A warm run that has not trained a batch by then is taken for hung, and begun again in the cold."""

GRACE_S = 0.5
"""How long a run may take to end by itself once it is told to stop."""

log = logging.getLogger(__name__)


def start_fork_server() -> None:
    """Say what the fork server imports; it starts with the first warm process."""
    multiprocessing.get_context("forkserver").set_forkserver_preload(["core.training.preload"])


class Attempt:
    """A process that runs ``target(pipe, *arguments)``; it is started in a thread of its own.

    Starting takes milliseconds, but as long as an import of TensorFlow when the fork server itself has
    to start, and leases have to be renewed meanwhile.
    """

    def __init__(self, mode: Mode, target: Callable[..., Any], *arguments: object) -> None:
        self.mode = mode
        self.began = time.monotonic()
        self.heard_metric = False
        self._told_to_stop: float | None = None
        self._killed_as_hung = False
        self._ready = threading.Event()
        context = (
            multiprocessing.get_context("forkserver")
            if mode == "warm"
            else multiprocessing.get_context("spawn")
        )
        self.pipe: Connection
        self.pipe, self._far_end = context.Pipe()
        self._process = context.Process(target=target, args=(self._far_end, *arguments), daemon=True)
        threading.Thread(target=self._start, name="start", daemon=True).start()

    def _start(self) -> None:
        try:
            self._process.start()
        except Exception:
            log.exception("a %s process could not be started", self.mode)
        finally:
            self._far_end.close()
            self._ready.set()

    @property
    def _started(self) -> bool:
        return self._ready.is_set() and self._process.pid is not None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._started else None

    @property
    def over(self) -> bool:
        """Whether the process is gone; what it said before may still be in the pipe."""
        return self._ready.is_set() and (self._process.pid is None or not self._process.is_alive())

    def messages(self) -> list[tuple[str, Any]]:
        """What the process has said since the last time."""
        said: list[tuple[str, Any]] = []
        try:
            while self.pipe.poll():
                said.append(self.pipe.recv())
                self.heard_metric |= said[-1][0] == child.PROGRESS
        except (EOFError, OSError):
            pass
        return said

    def stop(self) -> None:
        """Tell the process to stop; if that was :data:`GRACE_S` ago, end it by force."""
        now = time.monotonic()
        if self._told_to_stop is None:
            self._told_to_stop = now
            if self._started:
                self._process.terminate()
        elif now - self._told_to_stop > GRACE_S:
            self.kill()

    def kill(self) -> None:
        if self._started:
            self._process.kill()

    def end_if_hung(self) -> None:
        """A fork that inherited a lock in use waits for ever; it shows by never training a batch."""
        if self.mode == "warm" and not self.heard_metric and time.monotonic() - self.began > FIRST_METRIC_S:
            self._killed_as_hung = True
            self.kill()

    @property
    def may_begin_again(self) -> bool:
        """Whether the process ended in a way that a cold one may be spared.

        Forking may not work on a machine: then the process hangs or aborts before its first batch. One
        that was killed from outside, by a person or for want of memory, would fare no better cold.
        """
        killed = self._started and self._process.exitcode == -signal.SIGKILL and not self._killed_as_hung
        return self.mode == "warm" and not self.heard_metric and self._told_to_stop is None and not killed

    def ending(self, smaller_batch: int | None = None) -> Refusal:
        """Why a process that is over ended without a result; ``smaller_batch`` would need less memory."""
        code = self._process.exitcode if self._started else None
        if self._killed_as_hung or code is None:
            return Refusal("The process of this run did not get going.")
        if code == -signal.SIGKILL and smaller_batch:
            return Refusal(
                "The process of this run was killed ({signal}); if nobody did that, "
                "the machine most likely ran out of memory: a batch size of {smaller} needs less.",
                signal="SIGKILL",
                smaller=smaller_batch,
            )
        if code == -signal.SIGKILL:
            return Refusal(
                "The process of this run was killed ({signal}); if nobody did that, "
                "the machine most likely ran out of memory.",
                signal="SIGKILL",
            )
        if code < 0:
            return Refusal("The process of this run was ended by the signal {signal}.", signal=_name(-code))
        return Refusal("The process of this run ended without a result (exit code {code}).", code=code)

    def close(self) -> None:
        """Let go of the process, ending it if need be."""
        self._ready.wait()
        if self._started:
            self._process.kill()
            self._process.join()
        self.pipe.close()


class StandBy(Attempt):
    """A process that has made itself ready and waits for a run; :meth:`begin` gives it one."""

    def __init__(self) -> None:
        super().__init__("warm", child.stand_by)
        self.speed: Speed | None = None
        """How fast the device is, known once the process is ready."""
        self.busy = True
        """Whether it makes itself ready, or rehearses a run."""
        self.expected: tuple[str, str] | None = None
        """The run that was rehearsed last, or is: its specification's JSON and its owner."""

    def messages(self) -> list[tuple[str, Any]]:
        """What the process has said since the last time, but for that it is ready."""
        said = super().messages()
        for kind, content in said:
            if kind == child.READY:
                self.speed = content or self.speed
                self.busy = False
        return [(kind, content) for kind, content in said if kind != child.READY]

    def expect(self, run: tuple[str, str] | None) -> None:
        """Rehearse a run, or forget the last one; nothing happens while one is being rehearsed."""
        if not self.busy and self.expected != run:
            self.expected, self.busy = run, True
            with contextlib.suppress(OSError):
                self.pipe.send((child.EXPECT, self.expected))

    def begin(self, *arguments: object) -> None:
        """Train; ``arguments`` are those of :func:`core.training.child.train`."""
        self.began = time.monotonic()
        # A process that is gone by now shows as one that ended before its first batch.
        with contextlib.suppress(OSError):
            self.pipe.send((child.TRAIN, arguments))


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)

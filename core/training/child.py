"""The process of one run: trains, tells its supervisor over a pipe, and is gone.

It knows neither queue nor database. It ends itself when its supervisor dies, and stops after the batch
at hand when it is sent SIGTERM.
"""

import logging
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from multiprocessing.process import parent_process
from typing import TYPE_CHECKING, Any, NoReturn

from core.i18n import Refusal
from core.training import shelf
from core.training.cards import NONE, VISIBLE
from core.training.device import CPU
from core.training.result import Progress
from core.training.spec import RunSpec

if TYPE_CHECKING:
    from core.training.start import Start

DEVICE, PROGRESS, KEPT, RESULT, REFUSED, FAILED = "device", "progress", "kept", "result", "refused", "failed"
READY = "ready"
"""What a message is: a pair of one of these and, in that order, a Device's JSON, a Progress, nothing (files in
the folder of the run are new), a RunResult's JSON, a Refusal's sentence and values, a sentence about an error
nobody foresaw, a Speed or nothing (a process that stands by is ready for a run, and has measured it at first)."""

EXPECT, TRAIN = "expect", "train"
"""What a process that stands by is told: the JSON of a run's specification and its owner, or None for no run any
more; or what to train."""

log = logging.getLogger(__name__)


def probe(pipe: Connection) -> NoReturn:
    """Tell which devices the backend can use, and end."""
    follow_parent()
    from core.training import device

    pipe.send((DEVICE, device.survey().to_json()))
    leave()


def train(
    pipe: Connection,
    spec_json: str,
    held_since: float,
    owner: str,
    run_id: str,
    card: str | None = None,
    *,
    spent: float = 0.0,
    ready: "Start | None" = None,
) -> NoReturn:
    """Train the run on the GPU ``card`` (its UUID) if one is given, tell of it, and end.

    ``spent``: seconds of processor time that this process used before the run, and that are not the run's;
    ``ready``: the start of a run that was expected.
    """
    if card is not None:
        os.environ[VISIBLE] = card  # heeded, since no GPU was touched before the fork
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    follow_parent()
    told(pipe.send, stop, spec_json, held_since, owner, run_id, spent, ready)
    leave()


def stand_by(pipe: Connection) -> NoReturn:
    """Make ready for a run, say so, rehearse those that are expected, and train the one whose arguments come
    over the pipe."""
    follow_parent()
    from core.training import run, start

    pipe.send((READY, run.warm_up()))
    ready = None
    try:
        while (told := pipe.recv())[0] == EXPECT:
            ready = None  # before the next one takes as much memory
            start.forget()
            ready = _rehearsed(*told[1]) if told[1] else None
            pipe.send((READY, None))
    except (EOFError, OSError):
        leave()
    spec_json, _, owner, *_ = told[1]
    if ready and not ready.is_of(RunSpec.from_json(spec_json), owner):
        ready = None
        start.forget()
    train(pipe, *told[1], spent=time.process_time(), ready=ready)


def _rehearsed(spec_json: str, owner: str) -> "Start | None":
    """The start of a run that is expected; None where it has none, as the run itself will say."""
    from core.training import start

    try:
        return start.rehearsed(RunSpec.from_json(spec_json), owner)
    except Exception:
        log.exception("a run that is expected could not be rehearsed")
        return None


def told(
    say: Callable[[tuple[str, Any]], None],
    stop: threading.Event,
    spec_json: str,
    since: float,
    owner: str,
    run_id: str,
    spent: float = 0.0,
    ready: "Start | None" = None,
) -> None:
    """Train the run and ``say`` what there is to tell, to the end or until ``stop`` is set."""
    try:
        spec = RunSpec.from_json(spec_json)
        if spec.device == CPU:
            os.environ[VISIBLE] = NONE
        from core.training import device, run

        say((DEVICE, device.prepare().to_json()))

        def report(progress: Progress) -> bool:
            say((PROGRESS, progress))
            return not stop.is_set()

        result = run.train(
            spec,
            report,
            stop=stop.is_set,
            held_since=since,
            spent=spent,
            owner=owner,
            leave=shelf.run_folder(run_id, make=True),
            kept=lambda: say((KEPT, None)),
            ready=ready,
        )
        say((RESULT, result.to_json()))
    except Refusal as refusal:
        say((REFUSED, (refusal.message, refusal.values)))
    except Exception as error:
        traceback.print_exc()
        say((FAILED, " ".join(f"{type(error).__name__}: {error}".split())[:300]))


def follow_parent() -> None:
    """End this process as soon as the supervisor is gone; Ctrl-C is the supervisor's affair."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    if parent is None:
        return

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, name="parent", daemon=True).start()


def leave() -> NoReturn:
    """End at once: taking TensorFlow apart in good order would hold the device for longer."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)

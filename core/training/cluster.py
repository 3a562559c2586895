"""A run on a Ray cluster, seen from the supervisor like one in a process here (:mod:`attempt`).

With ``COMPUTE_CANVAS_CLUSTER`` set to the address of a cluster (``host:6379`` from one of its machines,
``ray://host:10001`` from elsewhere) the supervisor trains no run itself. Each is an actor: it gets a
processor, and a GPU of its own where the cluster has any; this program's code travels with it. Ray is
not among the requirements; ``requirements-cluster.txt`` adds it.

Files travel in parcels (:mod:`parcel`): to the actor the founder's own data and the checkpoint of a run that
goes on, into a folder that is removed when the actor ends; back from it each new checkpoint, the network and
the report, into the folder of the run here. So a page finds the same files as after a run in a process here.

Why actors, and not Ray's jobs over HTTP: an actor answers what it has said since, and Ray says at once
that its machine was lost; a job is a command with a driver process of its own, whose output is read back
as a log. Measured by ``benchmarks/cluster.py`` (one node, two busy cores, Ray 2.60.0): the first metric
after 5.8 s against 8.8 s for a job, stopped after 0.2 s against 1.4 s. The price is that Ray, in the
version of the cluster, has to be installed here too.
"""

import logging
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.i18n import Refusal
from core.training import checkpoint, child, parcel, shelf
from core.training.attempt import GRACE_S
from core.training.device import CPU
from core.training.parcel import Parcel
from core.training.result import RunResult
from core.training.spec import RunSpec
from core.training.worker import CLUSTER, ENVIRONMENT

FOLDER = "compute-canvas-run-"
"""How the folder of an actor begins, among the temporary files of its machine."""

log = logging.getLogger(__name__)

_CORE = Path(__file__).parents[1]

# Twice removed from the actor, because Ray ends what an actor has started along with it.
_TIDY = """
import os, shutil, sys
if not os.fork():
    os.setsid()
    sys.stdin.read()
    shutil.rmtree(sys.argv[1], ignore_errors=True)
"""


def connect(address: str) -> int:
    """Join the cluster at ``address``; how many runs its machines can train at a time.

    Raises a Refusal if Ray is not installed or the cluster does not answer.
    """
    try:
        import ray
    except ImportError:
        raise Refusal(
            "{name} is set, but Ray is not installed: pip install -r requirements-cluster.txt.", name=CLUSTER
        ) from None
    try:
        ray.init(
            address=address,
            namespace="compute-canvas",
            log_to_driver=False,
            logging_level=logging.ERROR,
            runtime_env={"py_modules": [str(_CORE)], "env_vars": dict(ENVIRONMENT)},
        )
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise Refusal(
            "The cluster at {address} does not answer: {error}.",
            address=address,
            error=str(error).strip().rstrip(".")[:200],
        ) from None
    return max(1, int(_resource("GPU") or _resource("CPU")))


def _resource(name: str) -> float:
    import ray

    return float(ray.cluster_resources().get(name, 0))


class _Runner:
    """The actor: trains in one thread, and answers in others. It keeps its files in a folder of its own."""

    def __init__(self) -> None:
        self._said: list[tuple[str, Any]] = []
        self._ended = False
        self._stop = threading.Event()
        folder = tempfile.mkdtemp(prefix=FOLDER)
        os.environ["COMPUTE_CANVAS_DATA_DIR"] = folder
        # However this process ends, its end of the pipe is closed then.
        self._tidy = subprocess.Popen([sys.executable, "-c", _TIDY, folder], stdin=subprocess.PIPE)

    def train(
        self, spec_json: str, held_since: float, owner: str, run_id: str, data: Parcel, left: Parcel
    ) -> None:
        """Train the run to its end; what there is to tell waits for :meth:`said`.

        ``data``: the founder's own, if the run is on such. ``left``: what an earlier part of the run left.
        """
        self._run_folder = shelf.run_folder(run_id, make=True)
        try:
            parcel.unpack(left, self._run_folder, parcel.RUN)
            if own := RunSpec.from_json(spec_json).own:
                parcel.unpack(data, shelf.own_folder(owner, own.id, make=True), parcel.OWN)
            child.told(self._say, self._stop, spec_json, held_since, owner, run_id)
        except (OSError, Refusal) as error:
            self._say((child.FAILED, str(error)))
        finally:
            self._ended = True

    def _say(self, message: tuple[str, Any]) -> None:
        kind, content = message
        if kind == child.KEPT:
            # Only the newest files are of use: what was not fetched by now is let go.
            self._said = [(k, None if k == child.KEPT else c) for k, c in self._said]
            content = parcel.pack(self._run_folder, parcel.RUN)
        elif kind == child.RESULT:
            result = RunResult.from_json(content)
            result = replace(result, environment=result.environment | {"machine": platform.node()})
            content = result.to_json()
        self._said.append((kind, content))

    def said(self, after: int) -> tuple[list[tuple[str, Any]], bool]:
        """What was said beyond the first ``after`` messages, waiting a little for something new; and
        whether that was all."""
        deadline = time.monotonic() + 1.0
        while len(self._said) <= after and not self._ended and time.monotonic() < deadline:
            time.sleep(0.02)
        ended = self._ended  # before reading, so that nothing said at the very end is missed
        return self._said[after:], ended

    def pause(self, run_id: str) -> None:
        """Stop after the epoch at hand, and keep where the run was."""
        checkpoint.ask_to_pause(shelf.run_folder(run_id, make=True))

    def stop(self) -> None:
        """Stop after the batch at hand."""
        self._stop.set()


class ClusterAttempt:
    """A run on the cluster; the same methods as :class:`core.training.attempt.Attempt`.

    Raises a Refusal if what the run needs is too large to be sent there.
    """

    pipe = None

    def __init__(
        self, spec_json: str, held_since: float, owner: str, run_id: str, again: bool = False
    ) -> None:
        import ray

        self._ray = ray
        self.heard_metric = False
        self._again = again
        self._told_to_stop: float | None = None
        self._told_to_pause = self._ended = False
        self._heard: list[tuple[str, Any]] = []
        self._count = 0
        self._lost = ""
        self._run_id = run_id
        self._folder = shelf.run_folder(run_id, make=True)
        spec = RunSpec.from_json(spec_json)
        own = spec.own
        data = parcel.pack(shelf.own_folder(owner, own.id), parcel.OWN) if own else {}
        left = parcel.pack(self._folder, parcel.RUN)
        gpus = 1 if _resource("GPU") and spec.device != CPU else 0
        remote: Callable[..., Any] = ray.remote(num_cpus=1, num_gpus=gpus, max_concurrency=4)(_Runner)
        self._actor: Any = remote.remote()  # type: ignore[attr-defined]
        self._actor.train.remote(spec_json, held_since, owner, run_id, data, left)
        self._asked = self._actor.said.remote(0)

    @property
    def over(self) -> bool:
        """Whether the run's actor has nothing more to say, or is lost; :meth:`messages` has the rest."""
        self._listen()
        return self._ended or bool(self._lost)

    def messages(self) -> list[tuple[str, Any]]:
        """What the run has said since the last time."""
        self._listen()
        said, self._heard = self._heard, []
        self.heard_metric |= any(kind == child.PROGRESS for kind, _ in said)
        return said

    def _listen(self) -> None:
        """Pass on a wish to pause, and hear what the actor has to say, without waiting for either."""
        if self._ended or self._lost:
            return
        if not self._told_to_pause and checkpoint.pause_asked(self._folder):
            self._told_to_pause = True
            self._actor.pause.remote(self._run_id)
        # Ready means: the answer is on this machine, however large it is.
        if not self._ray.wait([self._asked], timeout=0)[0]:
            return
        try:
            said, self._ended = self._ray.get(self._asked, timeout=5)
        except self._ray.exceptions.GetTimeoutError:
            return
        except self._ray.exceptions.RayError as error:
            self._lost = type(error).__name__
            return
        self._count += len(said)
        self._asked = self._actor.said.remote(self._count)
        for kind, content in said:
            if kind != child.KEPT:
                self._heard.append((kind, content))
            elif content is not None:
                self._take(content)

    def _take(self, files: Parcel) -> None:
        try:
            parcel.unpack(files, self._folder, parcel.RUN)
        except OSError:
            # A full disk takes the network, not what was measured.
            log.exception("what the run left could not be kept")

    def stop(self) -> None:
        """Tell the run to stop; if that was :data:`GRACE_S` ago, end it by force."""
        now = time.monotonic()
        if self._told_to_stop is None:
            self._told_to_stop = now
            self._actor.stop.remote()
        elif now - self._told_to_stop > GRACE_S:
            self.kill()

    def kill(self) -> None:
        self._ray.kill(self._actor)

    def end_if_hung(self) -> None:
        """Nothing to do: no fork, and a run that waits for a free machine is not hung."""

    @property
    def may_begin_again(self) -> bool:
        """Once, if its machine was lost before the first batch."""
        return not (self._again or self.heard_metric) and self._told_to_stop is None and bool(self._lost)

    def ending(self, smaller_batch: int | None = None) -> Refusal:
        """Why a run that is over ended without a result."""
        return Refusal(
            "The machine or process of the cluster that trained it was lost ({error}).",
            error=self._lost or "unknown",
        )

    def close(self) -> None:
        """Let go of the actor."""
        self.kill()

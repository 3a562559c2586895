"""A run on a Ray cluster, seen from the supervisor like one in a process here (:mod:`attempt`).

With ``COMPUTE_CANVAS_CLUSTER`` set to the address of a cluster (``host:6379`` from one of its machines,
``ray://host:10001`` from elsewhere) the supervisor trains no run itself. Each is an actor: it gets a
processor, and a GPU of its own where the cluster has any; this program's code travels with it. Ray is
not among the requirements; ``requirements-cluster.txt`` adds it.

Why actors, and not Ray's jobs over HTTP: an actor answers what it has said since, and Ray says at once
that its machine was lost; a job is a command with a driver process of its own, whose output is read back
as a log. Measured by ``benchmarks/cluster.py`` (one node, two busy cores, Ray 2.60.0): the first metric
after 5.8 s against 8.8 s for a job, stopped after 0.2 s against 1.4 s. The price is that Ray, in the
version of the cluster, has to be installed here too.
"""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.i18n import Refusal
from core.training import child
from core.training.attempt import GRACE_S
from core.training.worker import CLUSTER, ENVIRONMENT

_CORE = Path(__file__).parents[1]


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
            logging_level="error",
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
    """The actor: trains in one thread, and answers in others."""

    def __init__(self) -> None:
        self._said: list[tuple[str, Any]] = []
        self._stop = threading.Event()

    def train(self, spec_json: str, held_since: float, owner: str, run_id: str) -> None:
        """Train the run to its end; what there is to tell waits for :meth:`said`."""
        child.told(self._said.append, self._stop, spec_json, held_since, owner, run_id)

    def said(self, after: int) -> list[tuple[str, Any]]:
        """What was said beyond the first ``after`` messages; waits a little for something new."""
        deadline = time.monotonic() + 1.0
        while len(self._said) <= after and time.monotonic() < deadline:
            time.sleep(0.02)
        return self._said[after:]

    def stop(self) -> None:
        """Stop after the batch at hand."""
        self._stop.set()


class ClusterAttempt:
    """A run on the cluster; the same methods as :class:`core.training.attempt.Attempt`."""

    pipe = None

    def __init__(
        self, spec_json: str, held_since: float, owner: str, run_id: str, again: bool = False
    ) -> None:
        import ray

        self._ray = ray
        self.heard_metric = False
        self._again = again
        self._told_to_stop: float | None = None
        self._count = 0
        self._lost = ""
        gpus = 1 if _resource("GPU") else 0
        remote: Callable[..., Any] = ray.remote(num_cpus=1, num_gpus=gpus, max_concurrency=3)(_Runner)
        self._actor: Any = remote.remote()  # type: ignore[attr-defined]
        self._done = self._actor.train.remote(spec_json, held_since, owner, run_id)
        self._asked = self._actor.said.remote(0)

    @property
    def over(self) -> bool:
        """Whether the run's actor has nothing more to do, or is lost; what it said may still be asked for."""
        return bool(self._lost) or bool(self._ray.wait([self._done], timeout=0)[0])

    def messages(self) -> list[tuple[str, Any]]:
        """What the run has said since the last time."""
        if self._lost:
            return []
        over = self.over
        ready, _ = self._ray.wait([self._asked], timeout=0)
        if not ready and not over:
            return []
        try:
            said: list[tuple[str, Any]] = self._ray.get(self._asked, timeout=5)
            self._count += len(said)
            self._asked = self._actor.said.remote(self._count)
            if over:
                rest = self._ray.get(self._asked, timeout=5)
                self._count += len(rest)
                said += rest
                self._asked = self._actor.said.remote(self._count)
        except self._ray.exceptions.RayError as error:
            self._lost = type(error).__name__
            return []
        self.heard_metric |= any(kind == child.PROGRESS for kind, _ in said)
        return said

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

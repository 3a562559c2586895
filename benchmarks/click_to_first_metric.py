"""From the click to the first number: submit a run, wait for its first metric row in the store.

``python -m benchmarks.click_to_first_metric [--runs 10] [--network cnn] [--mode warm]``

Works in a folder of its own, with the worker started as the app starts it. Each run is stopped as soon
as it has been timed. Prints every time, and p50 and p95.
"""

import argparse
import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from core.storage import Store, open_store
from core.training import service
from core.training.spec import RunSpec

OWNER = "benchmark"


@contextmanager
def worker(mode: str = "warm") -> Iterator[Store]:
    """A store in a folder of its own with an idle worker; both are gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["COMPUTE_CANVAS_DATA_DIR"] = folder
        os.environ["COMPUTE_CANVAS_WORKER_MODE"] = mode
        os.environ.pop("COMPUTE_CANVAS_DATABASE_URL", None)
        store = open_store()
        store.migrate()
        watch = service.Watch(store)
        try:
            wait_for(lambda: is_idle(store))
            yield store
        finally:
            watch.stop()
            holder = service.seat(store).holder()
            if holder:
                os.kill(holder.pid, signal.SIGTERM)
                wait_for(lambda: service.seat(store).holder() is None)
            store.close()


def is_idle(store: Store) -> bool:
    """Whether a worker has nothing to do and a process standing by."""
    return any(row.state == "idle" for row in store.workers.rows(10))


def wait_for(answer: Callable[[], object], within_s: float = 600.0, every_s: float = 0.002) -> None:
    """Return once ``answer`` is true; asked every ``every_s``."""
    deadline = time.monotonic() + within_s
    while not answer():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not so within {within_s} s")
        time.sleep(every_s)


def submit(store: Store, spec: RunSpec) -> str:
    return store.runs.submit(OWNER, None, spec.to_json(), spec.total_steps).id


def main() -> None:
    parser = argparse.ArgumentParser(description="Time from submitting a run to its first metric.")
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--network", choices=("cnn", "mlp"), default="cnn")
    parser.add_argument("--mode", choices=("warm", "cold"), default="warm")
    given = parser.parse_args()
    began = time.perf_counter()
    with worker(given.mode) as store:
        print(f"worker ready after {time.perf_counter() - began:.2f} s ({given.mode})")
        times = []
        for number in range(given.runs):
            clicked = time.perf_counter()
            run_id = submit(store, RunSpec(network=given.network, seed=number))
            wait_for(lambda: store.runs.metrics(run_id))  # noqa: B023 (asked before the loop goes on)
            times.append(time.perf_counter() - clicked)
            store.runs.cancel(OWNER, run_id)
            wait_for(lambda: not store.runs.get(OWNER, run_id).active and is_idle(store))  # noqa: B023
            print(f"run {number + 1}: {times[-1]:.2f} s")
    p50, p95 = np.percentile(times, (50, 95))
    print(
        f"click to first metric, {given.network}, {given.mode}: p50 {p50:.2f} s, p95 {p95:.2f} s (n={len(times)})"
    )


if __name__ == "__main__":
    main()

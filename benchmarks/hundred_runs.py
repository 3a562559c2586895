"""A hundred short runs in a row: the worker must not grow, and no run may be lost.

``python -m benchmarks.hundred_runs [--runs 100] [--images 500]``

A tenth of the runs, then the rest, are queued at once, for two users in turn, and trained by a worker as
the app starts it. The memory is what belongs to the worker's standing processes alone (USS): the
supervisor and its fork server, once they have nothing to do, because pages shared with a run would not
count. Prints it after the first tenth and at the end; exit status 1 if it grew by more than 10 %, if a
run is not done, or if a process is left over.
"""

import argparse
import sys
import time
from collections import Counter

import psutil

from benchmarks.click_to_first_metric import is_idle, wait_for, worker
from core.storage import Store
from core.training.service import seat
from core.training.spec import RunSpec

GROWTH = 1.10
USERS = ("first", "second")


def at_rest(store: Store) -> tuple[int, int]:
    """Bytes that belong to the supervisor and its fork server alone when no run is left, and how many processes
    there are with the one that stands by."""
    wait_for(lambda: is_idle(store))
    holder = seat(store).holder()
    assert holder is not None
    supervisor = psutil.Process(holder.pid)
    standing = [supervisor, *supervisor.children()]
    uss = sum(int(process.memory_full_info().uss) for process in standing)
    return uss, 1 + len(supervisor.children(recursive=True))


def train(store: Store, numbers: range, images: int) -> None:
    """Queue the runs of these numbers and wait until none is left."""
    for number in numbers:
        spec = RunSpec(network="mlp", epochs=1, train_images=images, seed=number)
        store.runs.submit(USERS[number % 2], None, spec.to_json(), spec.total_steps)
    while store.runs.active_count():
        time.sleep(0.2)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--images", type=int, default=500)
    given = parser.parse_args()
    with worker() as store:
        began = time.perf_counter()
        early = max(1, given.runs // 10)
        train(store, range(early), given.images)
        first, standing = at_rest(store)
        print(f"after {early} runs: {first / 1e6:.1f} MB in {standing} processes", flush=True)
        train(store, range(early, given.runs), given.images)
        last, left = at_rest(store)
        seconds = time.perf_counter() - began
        states = Counter(row.state for user in USERS for row in store.runs.rows(user, limit=given.runs))
    print(
        f"after {given.runs} runs: {last / 1e6:.1f} MB, ratio {last / first:.3f} (at most {GROWTH}); "
        f"{dict(states)}; {seconds:.0f} s, {seconds / given.runs:.2f} s a run; {left} processes"
    )
    whole = states == Counter(done=given.runs) and left == standing
    return 0 if whole and last <= GROWTH * first else 1


if __name__ == "__main__":
    sys.exit(main())

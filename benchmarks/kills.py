"""SIGKILL at random moments: every run must end in a state that is true, and the next one must work.

``python -m benchmarks.kills [--rounds 20] [--seed 0]``

In each round a run of a few seconds is submitted, and after a random time one of the processes is killed:
the run's own, the fork server, or the supervisor. Then a short run must be done. A state is true if

- *done* comes with every step and a test accuracy,
- *interrupted* comes with the reason, and with fewer results than a finished run,
- nothing is left waiting or running, and no process of the killed run lives on.

Prints each round; exit status 1 if one of them failed.
"""

import argparse
import random
import sys
import time
from collections.abc import Callable

import psutil

from benchmarks.click_to_first_metric import OWNER, submit, wait_for, worker
from core.storage import RunRow, Store
from core.training.result import RunResult
from core.training.service import seat
from core.training.spec import RunSpec

LONG = RunSpec(network="mlp", train_images=20_000, epochs=4)
SHORT = RunSpec(network="mlp", train_images=500, epochs=1)
MOST_WAIT_S = 5.0
PATIENCE_S = 120.0


def processes(store: Store) -> dict[str, psutil.Process]:
    """Those of the worker that are alive, by what they do."""
    holder = seat(store).holder()
    if holder is None:
        return {}
    found = {"supervisor": psutil.Process(holder.pid)}
    for process in found["supervisor"].children(recursive=True):
        try:
            if "forkserver" in " ".join(process.cmdline()):
                found["fork server" if process.ppid() == holder.pid else "run"] = process
        except psutil.Error:
            continue
    return found


def wrong(store: Store, row: RunRow) -> str:
    """What is untrue about how a run ended; "" if nothing is."""
    result = RunResult.from_json(row.summary) if row.state == "done" and row.summary else None
    if row.state == "done":
        whole = result is not None and result.test_accuracy is not None and row.step == row.total_steps
        return "" if whole else "done, but not all of it"
    if row.state == "interrupted":
        return "" if row.reason else "interrupted without a reason"
    return f"{row.state}: {row.reason}"


def one_round(store: Store, chance: random.Random, say: Callable[[str], None]) -> bool:
    """Submit, kill, and see what became of the run and of the next; whether all was well."""
    run_id = submit(store, LONG)
    moment = chance.uniform(0.0, MOST_WAIT_S)
    time.sleep(moment)
    there = processes(store)
    name = chance.choice(sorted(there)) if there else "nobody"
    victims = [there[name]] if there else []
    for victim in victims:
        victim.kill()
    wait_for(lambda: not store.runs.get(OWNER, run_id).active, PATIENCE_S)
    row = store.runs.get(OWNER, run_id)
    trouble = wrong(store, row)
    if row.state == "interrupted" and "run" in there:
        wait_for(lambda: not there["run"].is_running() or there["run"].status() == psutil.STATUS_ZOMBIE, 10)
    following = submit(store, SHORT)
    wait_for(lambda: not store.runs.get(OWNER, following).active, PATIENCE_S)
    following_row = store.runs.get(OWNER, following)
    trouble = trouble or wrong(store, following_row)
    if not trouble and following_row.state != "done":
        trouble = f"the next run is {following_row.state}: {following_row.reason}"
    if not trouble and store.runs.active_count():
        trouble = "a run still seems to go on"
    say(f"{name} killed after {moment:.2f} s: {row.state} ({row.reason or 'no reason needed'}) {trouble}")
    return not trouble


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    chance = random.Random(given.seed)
    with worker() as store:
        good = sum(
            one_round(store, chance, lambda said: print(said, flush=True)) for _ in range(given.rounds)
        )
    print(f"{good} of {given.rounds} rounds ended in true states, with the next run done")
    return 0 if good == given.rounds else 1


if __name__ == "__main__":
    sys.exit(main())

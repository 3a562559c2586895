"""Giving a sweep its runs: the worker's part, between :mod:`sweep`, which decides, and the store.

:func:`advance` looks at every sweep that goes on and does the next thing: puts a run into the queue, or
ends the sweep because nothing is left to run, or because the budget is. It keeps nothing in memory, so a
worker that takes over goes on where the last one was killed.
"""

import logging
import time
from collections.abc import Callable, Sequence

from sqlalchemy.exc import SQLAlchemyError

from core.i18n import Refusal
from core.storage import RunRow, Store, SweepRow
from core.training.estimate import estimate
from core.training.limits import Limits, usage
from core.training.result import RunResult
from core.training.spec import RunSpec
from core.training.sweep import Sweep, Trial, judged, next_run

PAST_RUNS = 100
"""Finished runs that an estimate of speed looks back on."""

log = logging.getLogger(__name__)


def advance(store: Store, at_once: int, device_name: str) -> None:
    """Do what is due for every sweep, with up to ``at_once`` of its runs waiting or under way."""
    for row in store.sweeps.running():
        try:
            _advance(store, row, at_once, device_name)
        except Refusal as refusal:
            store.sweeps.end(row.id, "failed", refusal)
        except SQLAlchemyError:
            raise
        except Exception as error:  # a sweep that cannot go on must not take the worker with it
            log.exception("sweep %s cannot go on", row.id)
            said = " ".join(f"{type(error).__name__}: {error}".split())[:300]
            store.sweeps.end(row.id, "failed", Refusal("The sweep failed: {error}.", error=said.rstrip(".")))


def _advance(store: Store, row: SweepRow, at_once: int, device_name: str) -> None:
    sweep = Sweep.from_json(row.spec)
    runs = store.sweeps.runs(row.id)
    share = spent(sweep, runs)
    if share >= 1:
        store.sweeps.end(
            row.id,
            "stopped",
            Refusal("The budget was used up, so the sweep ended; runs begun: {count}.", count=len(runs)),
        )
        return
    active = sum(run.active for run in runs)
    if active >= at_once:
        return
    spec = next_run(sweep, trials(runs))
    if spec is None:
        if not active:
            store.sweeps.end(row.id, "done")
        return
    try:
        Limits.from_environment().check(usage(store, row.owner))
    except Refusal as refusal:
        if not active:
            store.sweeps.end(row.id, "stopped", refusal)
        return
    seconds = seconds_of(store, row.owner, device_name)(spec)
    if seconds is not None and share + sweep.spent(seconds) > 1:
        if not active:
            store.sweeps.end(
                row.id,
                "stopped",
                Refusal(
                    "The rest of the budget does not pay for another run, so the sweep ended; runs begun: {count}.",
                    count=len(runs),
                ),
            )
        return
    if store.sweeps.add_run(row, len(runs), spec.to_json(), spec.total_steps):
        log.info("sweep %s: run %s of it waits", row.id, len(runs) + 1)


def spent(sweep: Sweep, runs: Sequence[RunRow]) -> float:
    """The share of the budget that its runs have used until now, those under way included."""
    return sweep.spent(sum(held(run) for run in runs))


def held(run: RunRow) -> float:
    """Seconds for which a run has held the device until now."""
    if run.started_at is None:
        return 0.0
    return max(0.0, (run.ended_at or time.time()) - run.started_at)


def trials(runs: Sequence[RunRow]) -> list[Trial]:
    """The runs of a sweep as it judges them."""
    found = []
    for run in runs:
        spec = RunSpec.from_json(run.spec)
        over = run.state == "done" and run.summary
        accuracy = judged(spec, RunResult.from_json(run.summary)) if over and run.summary else None
        found.append(Trial(spec, run.state, accuracy, held(run)))
    return found


def seconds_of(store: Store, owner: str, device_name: str) -> Callable[[RunSpec], float | None]:
    """How long a run of the owner would hold the device, from the speed of earlier ones; None if unknown."""
    past = [
        (RunSpec.from_json(run.spec), RunResult.from_json(run.summary))
        for run in store.runs.rows(owner, limit=PAST_RUNS)
        if run.state == "done" and run.summary
    ]

    def seconds(spec: RunSpec) -> float | None:
        found = estimate(spec, past, device_name)
        return None if found is None else found.seconds

    return seconds

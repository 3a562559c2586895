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
from core.training.devices import name_of
from core.training.estimate import UNSEEN, estimate
from core.training.limits import Limits, usage
from core.training.result import RunResult
from core.training.spec import RunSpec
from core.training.speed import shown
from core.training.sweep import Sweep, Trial, judged, next_run

PAST_RUNS = 100
"""Finished runs that an estimate of speed looks back on."""

KNOWN_FROM = 0.1
"""The share of its steps after which a run tells its own speed: before, most of its time was the start."""

Seconds = Callable[[RunSpec], float | None]
"""How long a run holds the device; None if unknown."""

log = logging.getLogger(__name__)


def advance(store: Store, at_once: int, device_name: str) -> None:
    """Do what is due for every sweep, with up to ``at_once`` of its runs waiting or under way.

    One of them if they were to go on one device; else that of ``device_name`` tells the speed.
    """
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
    """The next thing to do for one sweep.

    A run is begun if the budget pays for it besides what the runs under way will still take. Where nothing
    is known of the speed the first run goes alone until it is some way on.
    """
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
    active = [run for run in runs if run.active]
    if len(active) >= (1 if sweep.base.device else at_once):
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
    name = name_of(store, sweep.base.device, device_name)
    seconds = _speed(active, seconds_of(store, row.owner, name, seen=True))
    needed = [seconds(spec), *(left(run, seconds) for run in active)]
    if active and None in needed:
        return
    if share + sweep.spent(sum(each or 0.0 for each in needed)) > 1:
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
    if store.sweeps.add_run(row, len(runs), spec.to_json(), spec.total_steps, spec.device):
        log.info("sweep %s: run %s of it waits", row.id, len(runs) + 1)


def spent(sweep: Sweep, runs: Sequence[RunRow]) -> float:
    """The share of the budget that its runs have used until now, those under way included."""
    return sweep.spent(sum(held(run) for run in runs))


def held(run: RunRow) -> float:
    """Seconds for which a run has held the device until now, before a pause too."""
    if run.started_at is None:
        return run.held_before
    return run.held_before + max(0.0, (run.ended_at or time.time()) - run.started_at)


def left(run: RunRow, seconds: Seconds) -> float | None:
    """Seconds for which a run will still hold the device; None if unknown.

    From its own pace once it is a tenth through; before, ``seconds`` tell what such a run takes.
    """
    done = run.step / run.total_steps if run.state == "running" and run.total_steps else 0.0
    whole = None if done >= KNOWN_FROM else seconds(RunSpec.from_json(run.spec))
    if whole is not None:
        return max(0.0, whole - held(run))
    return held(run) * max(0.0, 1 - done) / done if done > 0 else None


def _speed(active: Sequence[RunRow], seconds: Seconds) -> Seconds:
    """``seconds``, or where it does not know, by the work of a run under way that is some way on."""
    paces = [
        held(run) / (run.step / run.total_steps) / RunSpec.from_json(run.spec).training_flop
        for run in active
        if run.state == "running" and run.total_steps and run.step >= KNOWN_FROM * run.total_steps
    ]

    def known(spec: RunSpec) -> float | None:
        found = seconds(spec)
        return max(paces) * spec.training_flop if found is None and paces else found

    return known


def trials(runs: Sequence[RunRow]) -> list[Trial]:
    """The runs of a sweep as it judges them."""
    found = []
    for run in runs:
        spec = RunSpec.from_json(run.spec)
        over = run.state == "done" and run.summary
        accuracy = judged(spec, RunResult.from_json(run.summary)) if over and run.summary else None
        found.append(Trial(spec, run.state, accuracy, held(run)))
    return found


def seconds_of(store: Store, owner: str, device_name: str, *, seen: bool = False) -> Seconds:
    """How long a run of the owner would hold the device, from earlier ones or the speed measured; None if unknown.

    ``seen``: from earlier runs alone, since the speed measured is too rough to refuse a run by.
    """
    past = [
        (RunSpec.from_json(run.spec), RunResult.from_json(run.summary))
        for run in store.runs.rows(owner, limit=PAST_RUNS)
        if run.state == "done" and run.summary
    ]

    speed = shown(store, device_name)

    def seconds(spec: RunSpec) -> float | None:
        found = estimate(spec, past, device_name, speed)
        return None if found is None or (seen and found.factor >= UNSEEN) else found.seconds

    return seconds

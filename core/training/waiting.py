"""When a waiting run may be expected to begin: the queue played forward at the speed that was measured."""

import os
from collections.abc import Callable
from dataclasses import dataclass

from core.storage import RunRow, Store
from core.training.cards import usual_slots
from core.training.limits import Limits
from core.training.spec import RunSpec
from core.training.sweeping import Seconds, left, seconds_of
from core.training.worker import SLOTS

ALIVE_WITHIN_S = 10.0


@dataclass(frozen=True, slots=True)
class Wait:
    """``seconds`` until a waiting run begins; None if what is before it has no measured speed.

    ``own_limit``: how many runs its owner may have under way, if that many are and one of them has to end.
    """

    seconds: float | None
    own_limit: int | None = None


def expected_wait(store: Store, row: RunRow, device_name: str) -> Wait:
    """The wait of a run, with the turns and the limit that the worker keeps (``core.storage.queue``).

    As many run at once as workers that are alive have slots, or as are under way now if those are more: of a
    cluster only that tells.
    """
    under_way, line = store.runs.line()
    limit = Limits.from_environment().runs
    at_limit = limit is not None and _of(under_way, row.owner) >= limit
    slots = max(1, len(under_way), _slots() * len(store.workers.rows(alive_within_s=ALIVE_WITHIN_S)))
    return Wait(
        _played(row, under_way, line, slots, limit, _left(store, row.owner, device_name)),
        limit if at_limit else None,
    )


def _played(
    row: RunRow,
    under_way: list[RunRow],
    line: list[RunRow],
    slots: int,
    limit: int | None,
    left_of: Callable[[RunRow], float | None],
) -> float | None:
    """Seconds until ``row`` begins if every run ends when it is expected to."""
    now, ends = 0.0, dict[str, float]()
    busy, line = list(under_way), list(line)
    while any(run.id == row.id for run in line):
        for run in busy:
            if run.id not in ends:
                takes = left_of(run)
                if takes is None:
                    return None
                ends[run.id] = now + takes
        turn = None
        if len(busy) < slots:
            turn = next((run for run in line if limit is None or _of(busy, run.owner) < limit), None)
        if turn is None:
            first = min(busy, key=lambda run: ends[run.id])
            now = max(now, ends[first.id])
            busy.remove(first)
        else:
            line.remove(turn)
            busy.append(turn)
    return now


def _of(runs: list[RunRow], owner: str) -> int:
    return sum(run.owner == owner for run in runs)


def _slots() -> int:
    """Runs at a time of a worker: it has its environment from this process, or one like it."""
    told = os.environ.get(SLOTS, "").strip()
    return int(told) if told.isdecimal() and int(told) else usual_slots()


def _left(store: Store, asking: str, device_name: str) -> Callable[[RunRow], float | None]:
    """Seconds for which a run will still hold the device, by the runs of its owner, else of who asks.

    Earlier runs are read once for each owner, and only where a run does not tell its pace itself.
    """
    speeds: dict[str, Seconds] = {}

    def left_of(run: RunRow) -> float | None:
        def seconds(spec: RunSpec) -> float | None:
            for owner in dict.fromkeys((run.owner, asking)):
                if owner not in speeds:
                    speeds[owner] = seconds_of(store, owner, device_name)
                found = speeds[owner](spec)
                if found is not None:
                    return found
            return None

        return left(run, seconds)

    return left_of

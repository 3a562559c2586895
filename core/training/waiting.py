"""When a waiting run may be expected to begin: what is before it, at the speed that was measured."""

from core.storage import RunRow, Store
from core.training.spec import RunSpec
from core.training.sweeping import held, seconds_of

ALIVE_WITHIN_S = 10.0


def expected_wait(store: Store, row: RunRow, device_name: str) -> float | None:
    """Seconds until a waiting run begins; None if what is before it has no measured speed.

    The runs before it are shared among as many as are under way now, or workers that are alive.
    """
    before = store.runs.before(row.id)
    left = [_left(store, run, row.owner, device_name) for run in before]
    if any(seconds is None for seconds in left):
        return None
    under_way = sum(run.state == "running" for run in before)
    at_once = max(1, under_way, len(store.workers.rows(alive_within_s=ALIVE_WITHIN_S)))
    return sum(seconds for seconds in left if seconds is not None) / at_once


def _left(store: Store, run: RunRow, asking: str, device_name: str) -> float | None:
    """Seconds for which a run will still hold the device."""
    if run.state == "running" and run.step and run.total_steps:
        return held(run) * max(0, run.total_steps - run.step) / run.step
    spec = RunSpec.from_json(run.spec)
    for owner in dict.fromkeys((run.owner, asking)):
        seconds = seconds_of(store, owner, device_name)(spec)
        if seconds is not None:
            return max(0.0, seconds - held(run))
    return None

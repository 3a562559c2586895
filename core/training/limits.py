"""What one user may take of the machine: runs at a time, and minutes and dollars in a day.

Set in the environment of the server (its worker inherits it); what is not set is not limited:

- ``COMPUTE_CANVAS_USER_RUNS``: runs of one user under way at the same time;
- ``COMPUTE_CANVAS_USER_MINUTES``: minutes for which one user's runs hold devices in 24 hours;
- ``COMPUTE_CANVAS_USER_DOLLARS``: the same in dollars, at the price that each run gives its device, or at
- ``COMPUTE_CANVAS_DEVICE_PRICE`` (USD per hour) where that is more: the least that an hour counts. Without
  it a user who types 0 as the price of the device has no limit in dollars.

The day is the last 24 hours at any moment. A run that would begin beyond a limit is refused, and one
under way is stopped when the limit is reached.
"""

import math
import os
import time
from dataclasses import dataclass
from typing import Self

from core.i18n import Refusal
from core.storage import RunRow, Store
from core.training.devices import chosen, device_in_use, still
from core.training.result import cost
from core.training.spec import RunSpec

RUNS, MINUTES, DOLLARS, PRICE = (
    "COMPUTE_CANVAS_USER_RUNS",
    "COMPUTE_CANVAS_USER_MINUTES",
    "COMPUTE_CANVAS_USER_DOLLARS",
    "COMPUTE_CANVAS_DEVICE_PRICE",
)
DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Usage:
    """What one user's runs took in the last 24 hours."""

    minutes: float
    dollars: float


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of every user; None is no limit."""

    runs: int | None = None
    minutes: float | None = None
    dollars: float | None = None

    @classmethod
    def from_environment(cls) -> Self:
        """As the environment says; a Refusal names a variable that cannot be read."""
        runs = _read(RUNS)
        if runs is not None and runs != int(runs):
            raise Refusal("{name} is “{value}”; a whole number above 0 is needed.", name=RUNS, value=runs)
        _read(PRICE)
        return cls(None if runs is None else int(runs), _read(MINUTES), _read(DOLLARS))

    def check(self, used: Usage) -> None:
        """A Refusal if the user has nothing left for today."""
        if self.minutes is not None and used.minutes >= self.minutes:
            raise Refusal(
                "Your limit of {limit} minutes of training in 24 hours is used up; it frees up as the runs get older than a day.",
                limit=f"{self.minutes:g}",
            )
        if self.dollars is not None and used.dollars >= self.dollars:
            raise Refusal(
                "Your limit of {limit} dollars of training in 24 hours is used up; it frees up as the runs get older than a day.",
                limit=f"{self.dollars:g}",
            )


def _read(name: str) -> float | None:
    given = os.environ.get(name, "").strip()
    if not given:
        return None
    try:
        value = float(given)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise Refusal("{name} is “{value}”; a number above 0 is needed.", name=name, value=given[:40])
    return value


def usage(store: Store, owner: str) -> Usage:
    """What the owner's runs took in the last 24 hours: those under way, what was before a pause, and those
    that were deleted since, all included."""
    now, least = time.time(), _read(PRICE) or 0.0
    minutes = dollars = 0.0
    for held in store.runs.held_since(owner, now - DAY_S):
        seconds = max(0.0, (held.ended_at or now) - max(held.started_at, now - DAY_S))
        minutes += seconds / 60
        dollars += cost(seconds, max(least, held.price_per_hour))
    return Usage(minutes, dollars)


def resume(store: Store, owner: str, run_id: str, step: int) -> RunRow:
    """Put a run back into the queue to go on after ``step``, or a Refusal as :func:`submit` has it.

    If the device that it chose is not there any more, it goes on on any.
    """
    Limits.from_environment().check(usage(store, owner))
    spec = still(store, RunSpec.from_json(store.runs.get(owner, run_id).spec))
    return store.runs.resume(owner, run_id, step, spec.to_json(), spec.device)


def submit(store: Store, owner: str, venture_id: str | None, spec: RunSpec) -> RunRow:
    """Put a run into the queue; a Refusal if its owner has nothing left for today, or its device is not there."""
    Limits.from_environment().check(usage(store, owner))
    if spec.device:
        chosen(device_in_use(store), spec.device)
    return store.runs.submit(owner, venture_id, spec.to_json(), spec.total_steps, spec.device)

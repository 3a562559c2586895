"""When a waiting run may be expected to begin: the queue played forward at the speed that was measured."""

import os
from collections.abc import Callable
from dataclasses import dataclass

from core.storage import RunRow, Store
from core.training.device import CPU, Device
from core.training.devices import ALIVE_WITHIN_S, name_of
from core.training.limits import Limits
from core.training.spec import RunSpec
from core.training.sweeping import Seconds, left, seconds_of
from core.training.worker import SLOTS


@dataclass(frozen=True, slots=True)
class Wait:
    """``seconds`` until a waiting run begins; None if what is before it has no measured speed.

    ``own_limit``: how many runs its owner may have under way, if that many are and one of them has to end.
    """

    seconds: float | None
    own_limit: int | None = None


def expected_wait(store: Store, row: RunRow, device_name: str) -> Wait:
    """The wait of a run, with the turns, the devices and the limit that the worker keeps (``core.storage.queue``).

    ``device_name`` is that of the device which runs train on that chose none. As many run at once as the
    workers that are alive have slots, or as are under way now if those are more: of a cluster only that tells.
    """
    under_way, line = store.runs.line()
    limit = Limits.from_environment().runs
    at_limit = limit is not None and _of(under_way, row.owner) >= limit
    workers = store.workers.rows(alive_within_s=ALIVE_WITHIN_S)
    seats = _Seats([Device.from_json(worker.device) for worker in workers])
    seconds = _played(row, under_way, line, seats, limit, _left(store, row.owner, device_name))
    return Wait(seconds, limit if at_limit else None)


class _Seats:
    """The seats of some workers, each for one run at a time: a card, the processor beside cards, or a slot
    of a worker that has no cards to choose from."""

    def __init__(self, devices: list[Device]) -> None:
        # Workers have their environment from this process, or one like it.
        told = os.environ.get(SLOTS, "").strip()
        slots = int(told) if told.isdecimal() and int(told) else None
        self._free: list[str] = []
        self._most = 0
        for device in devices:
            cards = [gpu.uuid for gpu in device.gpus]
            self._free += [*cards, CPU] if cards else [""] * (slots or 1)
            self._most += min(slots or len(cards), len(cards)) if cards else slots or 1
        if not devices:
            self._free, self._most = [""], 1
        self._taken: dict[str, str] = {}

    def take(self, run: RunRow) -> bool:
        """Give a run that may begin its seat; whether there is one."""
        for seat in self._free:
            if _suits(seat, run.wanted) and (seat == CPU or self._wide < self._most):
                self._free.remove(seat)
                self._taken[run.id] = seat
                return True
        return False

    def hold(self, run: RunRow) -> None:
        """The seat of a run under way, one more if it holds none of these."""
        held = Device.from_json(run.device).uuid if run.device else ""
        seat = held if held in self._free else run.wanted
        found = next((one for one in self._free if one == seat or _suits(one, seat)), None)
        if found is not None:
            self._free.remove(found)
        self._taken[run.id] = held or run.wanted if found is None else found
        self._most = max(self._most, self._wide)

    @property
    def _wide(self) -> int:
        """How many seats are taken that count as slots: all but that of the processor beside cards."""
        return sum(seat != CPU for seat in self._taken.values())

    def leave(self, run: RunRow) -> None:
        """Give a run's seat back."""
        self._free.append(self._taken.pop(run.id))


def _suits(seat: str, wanted: str) -> bool:
    """Whether a run that wants this device may have the seat."""
    return seat == wanted or (seat != CPU if wanted == "" else (seat, wanted) == ("", CPU))


def _played(
    row: RunRow,
    under_way: list[RunRow],
    line: list[RunRow],
    seats: _Seats,
    limit: int | None,
    left_of: Callable[[RunRow], float | None],
) -> float | None:
    """Seconds until ``row`` begins if every run ends when it is expected to."""
    now, ends = 0.0, dict[str, float]()
    busy, line = list(under_way), list(line)
    # Those whose seat is known come first.
    for run in sorted(busy, key=lambda run: not (run.wanted or run.device)):
        seats.hold(run)
    while any(run.id == row.id for run in line):
        for run in busy:
            if run.id not in ends:
                takes = left_of(run)
                if takes is None:
                    return None
                ends[run.id] = now + takes
        allowed = (run for run in line if limit is None or _of(busy, run.owner) < limit)
        turn = next((run for run in allowed if seats.take(run)), None)
        if turn is not None:
            line.remove(turn)
            busy.append(turn)
        elif busy:
            first = min(busy, key=lambda run: ends[run.id])
            now = max(now, ends[first.id])
            busy.remove(first)
            seats.leave(first)
        else:  # no worker has the device that it wants
            return None
    return now


def _of(runs: list[RunRow], owner: str) -> int:
    return sum(run.owner == owner for run in runs)


def _left(store: Store, asking: str, device_name: str) -> Callable[[RunRow], float | None]:
    """Seconds for which a run will still hold its device, by the runs of its owner, else of who asks.

    Earlier runs are read once for each owner and device, and only where a run does not tell its pace itself.
    """
    speeds: dict[tuple[str, str], Seconds] = {}

    def left_of(run: RunRow) -> float | None:
        def seconds(spec: RunSpec) -> float | None:
            begun = run.device if run.state == "running" else None
            name = Device.from_json(begun).name if begun else name_of(store, run.wanted, device_name)
            for key in dict.fromkeys(((run.owner, name), (asking, name))):
                if key not in speeds:
                    speeds[key] = seconds_of(store, *key)
                found = speeds[key](spec)
                if found is not None:
                    return found
            return None

        return left(run, seconds)

    return left_of

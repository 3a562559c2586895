"""The seats of the GPUs: a lock for each card of the machine, so that no two runs share one by accident.

A supervisor takes a card before it claims a run, and gives it back when the run's process is gone; a run
from the shell does the same. The lock is a file in the machine's folder for temporary files, so that
supervisors of different databases, and of different users, see it too; the system gives it back when its
holder dies. Programs that do not ask for a seat are not kept away.
"""

import contextlib
import fcntl
import hashlib
import os
import sys
import tempfile
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.training import device
from core.training.device import CPU

AGAIN_S = 0.2
"""Between two looks for a card that is free."""

VISIBLE, NONE = "CUDA_VISIBLE_DEVICES", "-1"
"""The variable that leaves cards to a process, by their UUIDs, and its value that leaves none."""


@dataclass(frozen=True, slots=True)
class Card:
    """A seat that was taken: the card's UUID, and the open lock file."""

    uuid: str
    file: int

    def leave(self) -> None:
        """Give the card back."""
        os.close(self.file)


def usual_slots() -> int:
    """Runs at a time where nobody has said how many: one on each GPU that the backend can use, or one."""
    return max(1, len(device.installed().gpus))


def take(uuids: Sequence[str], folder: Path | None = None) -> Card | None:
    """A seat at the first of the cards that is free; None if none is."""
    for uuid in uuids:
        file = _open(uuid, folder or Path(tempfile.gettempdir()))
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
        else:
            return Card(uuid, file)
    return None


@contextlib.contextmanager
def seated(code: str) -> Iterator[float]:
    """Bind this process, which has not loaded the backend yet, to the device of a choice (``RunSpec.device``).

    Where that takes a card it is held while the block lasts, waited for if need be, which is said once on
    standard error. Yields the seconds waited.
    """
    gpus = [gpu.uuid for gpu in device.installed().gpus]
    before, began, card = os.environ.get(VISIBLE), time.monotonic(), None
    if gpus and code != CPU:
        wanted = [code] if code else gpus
        card = take(wanted)
        if card is None:
            print("waiting for a GPU that no other run trains on", file=sys.stderr, flush=True)
        while card is None:
            time.sleep(AGAIN_S)
            card = take(wanted)
    if card or code == CPU:
        os.environ[VISIBLE] = card.uuid if card else NONE
    try:
        yield time.monotonic() - began
    finally:
        if card:
            card.leave()
        if before is None:
            os.environ.pop(VISIBLE, None)
        else:
            os.environ[VISIBLE] = before


def take_for(wanted: Collection[str], uuids: Sequence[str], folder: Path | None = None) -> list[Card]:
    """Seats for waiting runs that want these devices: one at each card of ``uuids`` that is wanted and free, and
    if "", any, is among the wanted, one more at the end at a card that nobody wants for itself, if that is free.
    """
    seats = [take([uuid], folder) for uuid in uuids if uuid in wanted]
    if "" in wanted:
        seats.append(take([uuid for uuid in uuids if uuid not in wanted], folder))
    return [seat for seat in seats if seat]


def _open(uuid: str, folder: Path) -> int:
    """The lock file of a card, made if need be so that every user of the machine can lock it."""
    name = hashlib.sha256(uuid.encode()).hexdigest()[:12]
    path = folder / f"compute-canvas-gpu-{name}.lock"
    plain = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    with contextlib.suppress(FileNotFoundError):
        # Not with O_CREAT: in a folder open to all, the system refuses that for somebody else's file.
        return os.open(path, plain)
    try:
        return os.open(path, plain | os.O_CREAT | os.O_EXCL, 0o444)
    except FileExistsError:
        return os.open(path, plain)

"""The seats of the GPUs: a lock for each card of the machine, so that no two runs share one by accident.

A supervisor takes a card before it claims a run, and gives it back when the run's process is gone. The
lock is a file in the machine's folder for temporary files, so that supervisors of different databases,
and of different users, see it too; the system gives it back when its holder dies. Programs that do not
ask for a seat are not kept away.
"""

import contextlib
import fcntl
import hashlib
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.training import device
from core.training.device import nvml_cards


@dataclass(frozen=True, slots=True)
class Card:
    """A seat that was taken: the card's UUID, and the open lock file."""

    uuid: str
    file: int

    def leave(self) -> None:
        """Give the card back."""
        os.close(self.file)


def card_uuids() -> list[str]:
    """The GPUs that this process may use, as CUDA_VISIBLE_DEVICES names them; none without a driver."""
    with nvml_cards() as (nvml, cards):
        found = [nvml.nvmlDeviceGetUUID(card.handle) for card in cards]
    return [uuid.decode() if isinstance(uuid, bytes) else uuid for uuid in found]


def usual_slots() -> int:
    """Runs at a time where nobody has said how many: one on each GPU that the backend can use, or one."""
    return max(1, len(card_uuids())) if device.installed().kind == "gpu" else 1


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

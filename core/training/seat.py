"""The seat of the one supervisor: a lock file for a database on a machine.

The system gives the lock back when its holder dies, however it dies, so a taken seat means a live
supervisor and nothing else does. The file tells who holds it.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import socket
import sys
import time
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

TRY_AGAIN_S = 0.05


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds the seat: a worker's id, its process, and the fingerprint of the code it runs."""

    id: str
    pid: int
    code: str


class Seat:
    """The seat for the database at ``place``, with its file in ``folder``."""

    def __init__(self, folder: Path, place: str) -> None:
        name = hashlib.sha256(place.encode()).hexdigest()[:12]
        self.path = folder / f"worker-{name}.lock"
        self._file: int | None = None

    def take(self, holder: Holder | None = None, patience_s: float = 0.0) -> bool:
        """Take the seat until :meth:`leave` or death; False if it is still taken after ``patience_s``.

        Without a ``holder`` it is only kept from others for a moment, and still seems free to them.
        """
        file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        deadline = time.monotonic() + patience_s
        while not _lock(file, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                os.close(file)
                return False
            time.sleep(TRY_AGAIN_S)
        os.ftruncate(file, 0)
        if holder is not None:
            os.pwrite(file, json.dumps(asdict(holder)).encode(), 0)
        self._file = file
        return True

    def leave(self) -> None:
        """Give the seat back."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def holder(self) -> Holder | None:
        """Who holds the seat now; None if it is free, or kept from others for a moment."""
        try:
            file = os.open(self.path, os.O_RDONLY)
        except FileNotFoundError:
            return None
        try:
            if _lock(file, fcntl.LOCK_SH):
                return None
            with contextlib.suppress(ValueError, TypeError):
                return Holder(**json.loads(os.pread(file, 10_000, 0)))
            return None
        finally:
            os.close(file)


def _lock(file: int, kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def here() -> str:
    """This machine, or this container of it: where process numbers mean the same to everybody."""
    space = os.stat("/proc/self/ns/pid").st_ino if sys.platform == "linux" else 0
    return f"{socket.gethostname()}/{space}"


@lru_cache(maxsize=1)
def fingerprint() -> str:
    """A fingerprint of the code that a worker runs, as it was on disk when this process first asked."""
    core = Path(__file__).parents[1]
    digest = hashlib.sha256(sys.version.encode())
    for part in ("training", "storage"):
        for file in sorted((core / part).rglob("*.py")):
            digest.update(str(file.relative_to(core)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:12]

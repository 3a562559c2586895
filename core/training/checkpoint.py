"""What a run needs to go on where it was left: the network, its optimiser's memory, and how far it was.

Kept at the end of an epoch, in the folder of the run, but no oftener than costs a fiftieth of the time.
"""

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

NETWORK, STATE, PAUSE = "checkpoint.keras", "checkpoint.json", "pause"

SHARE = 0.02
"""Of the time of a run, at the most, goes into keeping checkpoints."""

FIRST_COST_S = 0.1
"""What keeping one is taken to cost before it was measured."""


@dataclass(frozen=True, slots=True)
class Left:
    """How far a run was: whole ``epochs``; ``seconds`` of ``fit``, ``held`` of the device, ``joules``.

    ``chances``: where the random numbers of each dropout layer were, which a ``.keras`` file leaves out.
    """

    epochs: int
    seconds: float
    held: float
    joules: float
    chances: tuple[tuple[int, ...], ...] = ()


def left(folder: Path | None) -> Left | None:
    """Where the run of ``folder`` can go on; None if it has to begin."""
    if folder is None:
        return None
    try:
        held: Any = json.loads((folder / STATE).read_text("utf-8"))
        chances = tuple(tuple(state) for state in held.pop("chances"))
        return Left(**held, chances=chances) if (folder / NETWORK).is_file() else None
    except (OSError, ValueError, TypeError, KeyError):
        return None


def ask_to_pause(folder: Path) -> None:
    """Tell a run to end after the epoch at hand, and to keep where it was."""
    (folder / PAUSE).touch()


def pause_asked(folder: Path | None) -> bool:
    """Whether the run was asked to pause."""
    return folder is not None and (folder / PAUSE).exists()


def clear(folder: Path) -> None:
    """Forget that a run was to be paused, and where it was."""
    for name in (NETWORK, STATE, PAUSE):
        (folder / name).unlink(missing_ok=True)


class Keeper:
    """Keeps checkpoints of ``model`` in ``folder``, at a bounded cost."""

    def __init__(self, model: Any, folder: Path) -> None:
        self._model, self._folder = model, folder
        self._cost = FIRST_COST_S
        self._last = time.perf_counter()

    def keep(self, where: Left, *, surely: bool = False) -> None:
        """Keep a checkpoint if it is time for one, or if it is wanted ``surely``."""
        began = time.perf_counter()
        if not surely and began - self._last < self._cost / SHARE:
            return
        half = self._folder / f"half-{NETWORK}"
        self._model.save(half)
        (self._folder / STATE).unlink(missing_ok=True)
        half.replace(self._folder / NETWORK)
        (self._folder / STATE).write_text(json.dumps(asdict(where)), "utf-8")
        self._last = time.perf_counter()
        self._cost = self._last - began

"""What a run needs to go on where it was left: the network, its optimiser's memory, and how far it was.
Where it is to end early, also the best weights until then.

Kept at the end of an epoch, in the folder of the run, but no oftener than costs a fiftieth of the time.
"""

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

NETWORK, BEST, STATE, PAUSE = "checkpoint.keras", "checkpoint.npz", "checkpoint.json", "pause"

SHARE = 0.02
"""Of the time of a run, at the most, goes into keeping checkpoints."""

FIRST_COST_S = 0.1
"""What keeping one is taken to cost before it was measured."""


@dataclass(frozen=True, slots=True)
class Left:
    """How far a run was: whole ``epochs``; ``seconds`` of ``fit``, ``held`` of the device, ``joules``.

    ``chances``: where the random numbers of each dropout layer were, which a ``.keras`` file leaves out.
    ``waited``: epochs since the validation loss was best: ``best``, with ``best_accuracy``, in
    epoch ``best_epoch``.
    """

    epochs: int
    seconds: float
    held: float
    joules: float
    chances: tuple[tuple[int, ...], ...] = ()
    waited: int = 0
    best: float | None = None
    best_accuracy: float | None = None
    best_epoch: int = 0


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


def best_weights(folder: Path) -> list[NDArray[Any]] | None:
    """The weights that were best until then, in the order of the network; None if none were kept."""
    if not (folder / BEST).is_file():
        return None
    with np.load(folder / BEST, allow_pickle=False) as arrays:
        return [arrays[name] for name in arrays.files]


def ask_to_pause(folder: Path) -> None:
    """Tell a run to end after the epoch at hand, and to keep where it was."""
    (folder / PAUSE).touch()


def pause_asked(folder: Path | None) -> bool:
    """Whether the run was asked to pause."""
    return folder is not None and (folder / PAUSE).exists()


def clear(folder: Path) -> None:
    """Forget that a run was to be paused, and where it was."""
    for name in (STATE, NETWORK, BEST, PAUSE):
        (folder / name).unlink(missing_ok=True)


class Keeper:
    """Keeps checkpoints of ``model`` in ``folder``, at a bounded cost."""

    def __init__(self, model: Any, folder: Path) -> None:
        self._model, self._folder = model, folder
        self._cost = FIRST_COST_S
        self._last = time.perf_counter()

    def keep(self, where: Left, best: list[NDArray[Any]] | None = None, *, surely: bool = False) -> bool:
        """Keep a checkpoint if it is time for one, or if it is wanted ``surely``; whether one was kept."""
        began = time.perf_counter()
        if not surely and began - self._last < self._cost / SHARE:
            return False
        half = {name: self._folder / f"half-{name}" for name in (NETWORK, BEST, STATE)}
        self._model.save(half[NETWORK])
        if best is not None:
            np.savez(half[BEST], *best)
        half[STATE].write_text(json.dumps(asdict(where)), "utf-8")
        (self._folder / STATE).unlink(missing_ok=True)
        for name, file in half.items():
            if name != BEST or best is not None:
                file.replace(self._folder / name)
        self._last = time.perf_counter()
        self._cost = self._last - began
        return True

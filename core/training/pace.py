"""How fast a run trains, told while it trains: lately, and how long the rest will take.

Both leave out the first step, which is mostly compilation.
"""

import time
from collections.abc import Callable

FIRST_S, EVERY_S = 0.25, 1.0
"""Seconds over which "lately" is taken: the first time, and afterwards."""


class Pace:
    """To be told of the end of the first step (:meth:`begin`), and then asked."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._began: float | None = None
        self._since = self._aside = 0.0
        self._step = self._examples = 0
        self._rate: float | None = None

    def begin(self, step: int, examples: int) -> None:
        """The first step is over: ``step`` steps and ``examples`` are behind the run."""
        self._began = self._since = self._clock()
        self._step, self._examples = step, examples

    def lately(self, examples: int, aside: float) -> float | None:
        """Examples a second of late, of ``examples`` in all; ``aside``: seconds of validation until now."""
        if self._began is None:
            return None
        now = self._clock()
        seconds = now - self._since - (aside - self._aside)
        if seconds >= (FIRST_S if self._rate is None else EVERY_S):
            self._rate = (examples - self._examples) / seconds
            self._since, self._aside, self._examples = now, aside, examples
        return self._rate

    def left(self, step: int, total: int) -> float | None:
        """Seconds from ``step`` to ``total`` at the mean pace so far, validation included; None too early."""
        if self._began is None or step <= self._step:
            return None
        return (self._clock() - self._began) / (step - self._step) * (total - step)

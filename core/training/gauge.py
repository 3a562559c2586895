"""How hard a run works its device, and how much memory it takes; a reading costs microseconds.

Of a GPU the driver tells (NVML): the share of the time in which anything was computed on the card, and
the memory of the run's process, or of all programs on the card where the driver does not tell processes
apart (in a container it often does not). Of a processor: the processor time of the process, as a share of
the cores it may use, and its resident memory. What the device does not tell, or does not tell any more,
is None and never ends a run.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psutil

from core.training.device import Device
from core.training.nvml import Card, opened_card

EVERY_S = 1.0
"""At most one reading in so many seconds; NVML's own figures are no fresher."""


@dataclass(frozen=True, slots=True)
class Load:
    """What a device does: ``utilisation``, a share from 0 to 1, and ``memory_bytes`` in use for the run."""

    utilisation: float | None = None
    memory_bytes: int | None = None


class Gauge:
    """Looks at ``source`` now and then, from its making on, and keeps the mean and the peak."""

    def __init__(self, source: Callable[[], Load], clock: Callable[[], float] = time.monotonic) -> None:
        self._source, self._clock = source, clock
        self._looked = clock()
        self._next = self._looked
        self._last = Load()
        self._busy = self._seconds = 0.0
        self.peak_memory_bytes: int | None = None
        """The most memory that a reading has found."""

    @classmethod
    def of(cls, device: Device) -> "Gauge":
        """The gauge of the device that this process trains on."""
        found = opened_card() if device.kind == "gpu" else None
        return cls(of_card(*found) if found else of_process(device.cores))

    def read(self, *, surely: bool = False) -> Load:
        """A new reading if the last is old enough or it is wanted ``surely``, else the last one."""
        now = self._clock()
        if now < self._next and not surely:
            return self._last
        self._last = load = self._source()
        if load.utilisation is not None:
            self._busy += load.utilisation * (now - self._looked)
            self._seconds += now - self._looked
        if load.memory_bytes is not None:
            self.peak_memory_bytes = max(load.memory_bytes, self.peak_memory_bytes or 0)
        self._looked, self._next = now, now + EVERY_S
        return load

    @property
    def mean_utilisation(self) -> float | None:
        """The mean of the readings, each counting for the time since the one before."""
        return self._busy / self._seconds if self._seconds else None


def of_process(
    cores: int,
    clock: Callable[[], float] = time.monotonic,
    busy: Callable[[], float] = time.process_time,
) -> Callable[[], Load]:
    """This process on a processor: ``busy`` counts its seconds on all ``cores`` together."""
    this = psutil.Process()
    looked, counted = clock(), busy()

    def look() -> Load:
        nonlocal looked, counted
        now, so_far = clock(), busy()
        held = (now - looked) * cores
        share = min(1.0, (so_far - counted) / held) if held > 0 else None
        looked, counted = now, so_far
        return Load(share, int(this.memory_info().rss))

    return look


def of_card(nvml: Any, card: Card) -> Callable[[], Load]:
    """A card, as ``nvml`` (the module pynvml, or one that answers like it) tells of it."""

    def utilisation() -> float:
        return float(nvml.nvmlDeviceGetUtilizationRates(card.handle).gpu) / 100

    def memory() -> int:
        for process in nvml.nvmlDeviceGetComputeRunningProcesses(card.handle):
            if process.pid == os.getpid() and process.usedGpuMemory:
                return int(process.usedGpuMemory)
        return int(nvml.nvmlDeviceGetMemoryInfo(card.handle).used)

    def told(ask: Callable[[], Any]) -> Any:
        try:
            return ask()
        except nvml.NVMLError:
            return None

    return lambda: Load(told(utilisation), told(memory))

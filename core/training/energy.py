"""Energy of a run: from the best meter at hand, and always with the name of the method.

Meters, best first: the power that the founder states; a GPU's own energy counter (NVML, Volta or
newer) or its power reading; the processor package's counter (RAPL), where the system lets us read it.
Most cloud machines offer none, and then a model estimates: each core draws ``IDLE_WATTS`` while it is
held and up to ``BUSY_WATTS`` while it computes.
"""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.i18n import Text
from core.training.device import Device, nvml_cards

IDLE_WATTS = 0.74
BUSY_WATTS = 3.5
"""Watts per virtual CPU, idle and busy: averages over AWS' processors from SPECpower results, Cloud Carbon
Footprint, "Methodology" (cloudcarbonfootprint.org, 2024). GCP 0.71 to 4.26 and Azure 0.78 to 3.76 there."""


@dataclass(frozen=True, slots=True)
class Method:
    """A way to know energy: what it is called and how far it may be off (a share of the value)."""

    label: Text
    uncertainty: float


# Uncertainty: 5 % is NVIDIA's accuracy for board power; models of this kind are off by 30 to 50 %.
METHODS = {
    "stated_power": Method(Text(en="stated power × time", zh="给定功率 × 时间"), 0.0),
    "nvml_energy": Method(Text(en="measured by the GPU's energy counter", zh="GPU 电能计数器实测"), 0.05),
    "nvml_power": Method(Text(en="summed up from the GPU's power readings", zh="由 GPU 功率读数累加"), 0.15),
    "rapl": Method(
        Text(en="measured by the processor's counter (whole package)", zh="处理器计数器实测（整个封装）"),
        0.1,
    ),
    "tdp_model": Method(
        Text(
            en="estimated from processor time and typical watts per core",
            zh="按处理器时间和每核典型功率估算",
        ),
        0.5,
    ),
}


@dataclass(frozen=True, slots=True)
class Energy:
    """``joules`` used, by which of :data:`METHODS`."""

    joules: float
    method: str

    @property
    def uncertainty(self) -> float:
        """How far ``joules`` may be off, as a share of it."""
        return METHODS[self.method].uncertainty


class Meter:
    """Measures from its making to :meth:`read`; call :meth:`tick` now and then in between.

    ``held_seconds`` counts from the moment the run took the device, which may be before the meter
    existed: the watts measured are taken to have held then too, except for counters of energy and
    processor time that know better. ``spent``: seconds of processor time that are not the run's.
    """

    def __init__(self, device: Device, power_watts: float | None, spent: float = 0.0) -> None:
        self._spent = spent
        self._device = device
        self._power = power_watts
        self._started = self._ticked = time.monotonic()
        self._gpu = _gpu_counter() if device.kind == "gpu" and power_watts is None else None
        self._rapl = Rapl.find() if device.kind == "cpu" and power_watts is None else None
        self._watts = _gpu_watts() if device.kind == "gpu" and self._gpu is None else None
        self._summed = 0.0

    def tick(self) -> None:
        """Take a power reading, where there is nothing better."""
        if self._watts is not None:
            now = time.monotonic()
            self._summed += self._watts() * (now - self._ticked)
            self._ticked = now

    def read(self, held_seconds: float) -> Energy:
        """The energy of a run that has held the device for ``held_seconds``."""
        if self._power is not None:
            return Energy(self._power * held_seconds, "stated_power")
        share = held_seconds / max(time.monotonic() - self._started, 1e-9)
        if self._gpu is not None:
            return Energy(self._gpu() * share, "nvml_energy")
        if self._watts is not None:
            self.tick()
            return Energy(self._summed * share, "nvml_power")
        if self._rapl is not None:
            return Energy(self._rapl.joules() * share, "rapl")
        busy = time.process_time() - self._spent
        return Energy(modelled(self._device.cores, held_seconds, busy), "tdp_model")


def modelled(cores: int, held_seconds: float, busy_core_seconds: float) -> float:
    """Joules of ``cores`` held for ``held_seconds`` and busy for ``busy_core_seconds`` together."""
    return IDLE_WATTS * cores * held_seconds + (BUSY_WATTS - IDLE_WATTS) * busy_core_seconds


def _gpu_counter() -> Callable[[], float] | None:
    """Joules of the first card since now; None where the card does not count them."""
    start = _gpu_joules()
    if start is None:
        return None
    return lambda: (_gpu_joules() or start) - start


def _gpu_joules() -> float | None:
    with nvml_cards() as (nvml, cards):
        try:
            return float(nvml.nvmlDeviceGetTotalEnergyConsumption(cards[0].handle)) / 1000
        except (nvml.NVMLError, IndexError):
            return None


def _gpu_watts() -> Callable[[], float]:
    """The power of the first card now; keeps NVML open, because opening it for every reading is slow."""
    cards = contextlib.ExitStack().enter_context(nvml_cards())
    nvml, card = cards[0], cards[1][0]
    return lambda: float(nvml.nvmlDeviceGetPowerUsage(card.handle)) / 1000


class Rapl:
    """The energy counters of the processor packages under Linux' powercap; they wrap around."""

    def __init__(self, packages: list[Path]) -> None:
        self._packages = packages
        self._start = [_number(package / "energy_uj") for package in packages]

    @classmethod
    def find(cls, folder: Path = Path("/sys/class/powercap")) -> "Rapl | None":
        """The counters, if there are any and this user may read them."""
        try:
            packages = sorted(p for p in folder.glob("intel-rapl:*") if p.name.count(":") == 1)
            return cls(packages) if packages else None
        except OSError:
            return None

    def joules(self) -> float:
        """Joules of all packages since the making of this object."""
        total = 0
        for package, start in zip(self._packages, self._start, strict=True):
            used = _number(package / "energy_uj") - start
            total += used if used >= 0 else used + _number(package / "max_energy_range_uj")
        return total / 1e6


def _number(file: Path) -> int:
    return int(file.read_text())

"""Energy of a run: from the best meter at hand, and always with the name of the method.

Meters, best first: the power that the founder states; a GPU's own energy counter (NVML, Volta or
newer) or its power reading; the processor package's counter (RAPL), where the system lets us read it.
Most cloud machines offer none, and then a model estimates: each core draws ``IDLE_WATTS`` while it is
held and up to ``BUSY_WATTS`` while it computes. The card is the one that trains (see ``opened_card``).
"""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.i18n import Text
from core.training.device import Device
from core.training.nvml import Card, opened_card

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
    "host_model": Method(
        Text(
            en="estimated for the processor alone, because this GPU tells neither energy nor power",
            zh="仅估算处理器部分，因为该 GPU 不提供电能或功率读数",
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
        measures = power_watts is None
        self._gpu = self._watts = None
        if measures and device.kind == "gpu" and (found := opened_card()):
            nvml, card = found
            self._gpu = _reading(nvml, nvml.nvmlDeviceGetTotalEnergyConsumption, card)
            self._gpu_before = self._gpu() if self._gpu else 0.0
            self._watts = None if self._gpu else _reading(nvml, nvml.nvmlDeviceGetPowerUsage, card)
        self._rapl = Rapl.find() if measures and device.kind == "cpu" else None
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
            return Energy((self._gpu() - self._gpu_before) * share, "nvml_energy")
        if self._watts is not None:
            self.tick()
            return Energy(self._summed * share, "nvml_power")
        if self._rapl is not None:
            return Energy(self._rapl.joules() * share, "rapl")
        method = "tdp_model" if self._device.kind == "cpu" else "host_model"
        busy = time.process_time() - self._spent
        return Energy(modelled(self._device.cores, held_seconds, busy), method)


def modelled(cores: int, held_seconds: float, busy_core_seconds: float) -> float:
    """Joules of ``cores`` held for ``held_seconds`` and busy for ``busy_core_seconds`` together."""
    return IDLE_WATTS * cores * held_seconds + (BUSY_WATTS - IDLE_WATTS) * busy_core_seconds


def _reading(nvml: Any, read: Callable[[Any], int], card: Card) -> Callable[[], float] | None:
    """What ``read`` tells of the card in thousandths, as joules or watts; None where the card does not tell.

    A reading that is lost later counts as the one before it.
    """
    try:
        last = read(card.handle) / 1000
    except nvml.NVMLError:
        return None

    def again() -> float:
        nonlocal last
        with contextlib.suppress(nvml.NVMLError):
            last = read(card.handle) / 1000
        return last

    return again


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

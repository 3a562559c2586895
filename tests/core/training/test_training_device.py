"""Devices and energy: what is found on this machine, and what would be found on others."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from core.training import device, energy
from core.training.device import Device
from core.training.energy import BUSY_WATTS, IDLE_WATTS, METHODS, Energy, Meter, Rapl, modelled

CPU = Device("cpu", "Some CPU", cores=2, memory_bytes=8 << 30, backend="tensorflow")


class FakeNvml(SimpleNamespace):
    """As much of NVML as is used: two cards, an energy counter if ``counts``."""

    class NVMLError(Exception):
        pass

    def __init__(self, driver: bool = True, counts: bool = True) -> None:
        super().__init__(driver=driver, counts=counts, millijoules=5_000)

    def nvmlInit(self) -> None:  # noqa: N802
        if not self.driver:
            raise self.NVMLError

    def nvmlShutdown(self) -> None: ...  # noqa: N802

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        return 2

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:  # noqa: N802
        return index

    def nvmlDeviceGetName(self, card: int) -> bytes | str:  # noqa: N802
        return (b"Card zero", "Card one")[card]

    def nvmlDeviceGetUUID(self, card: int) -> str:  # noqa: N802
        return f"GPU-{card}"

    def nvmlDeviceGetMemoryInfo(self, card: int) -> SimpleNamespace:  # noqa: N802
        return SimpleNamespace(total=(card + 1) << 30)

    def nvmlDeviceGetTotalEnergyConsumption(self, card: int) -> int:  # noqa: N802
        if not self.counts:
            raise self.NVMLError
        self.millijoules += 1_000
        return self.millijoules

    def nvmlDeviceGetPowerUsage(self, card: int) -> int:  # noqa: N802
        return 200_000


@pytest.fixture
def nvml(monkeypatch: pytest.MonkeyPatch) -> FakeNvml:
    fake = FakeNvml()
    monkeypatch.setitem(sys.modules, "pynvml", fake)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    return fake


def test_this_machine_is_described_with_name_cores_and_memory() -> None:
    found = device.installed()
    assert found.name
    assert found.cores >= 1
    assert found.memory_bytes > 1 << 28
    assert Device.from_json(found.to_json()) == found


def test_without_a_driver_the_processor_trains_and_there_is_nothing_to_remark(nvml: FakeNvml) -> None:
    nvml.driver = False
    found = device.installed()
    assert (found.kind, found.idle_gpu, found.remark) == ("cpu", "", None)


def test_a_gpu_that_the_build_can_use_is_the_device(nvml: FakeNvml, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "_has", {"tensorflow", "nvidia-cudnn-cu12"}.__contains__)
    found = device.installed()
    assert (found.kind, found.name, found.memory_bytes) == ("gpu", "Card zero", 1 << 30)
    assert found.remark is None


def test_a_gpu_that_the_build_cannot_use_is_named_and_explained(
    nvml: FakeNvml, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device, "_has", {"tensorflow-cpu"}.__contains__)
    found = device.installed()
    assert (found.kind, found.idle_gpu) == ("cpu", "Card zero")
    assert found.remark is not None
    assert "this TensorFlow build cannot use it" in found.remark.en
    assert "Card zero" in found.remark.zh


@pytest.mark.parametrize(("visible", "name"), [("1", "Card one"), ("GPU-1,GPU-0", "Card one"), ("", None)])
def test_only_the_cards_that_cuda_may_see_count(
    nvml: FakeNvml, monkeypatch: pytest.MonkeyPatch, visible: str, name: str | None
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    with device.nvml_cards() as (_, cards):
        assert (cards[0].name if cards else None) == name


def test_stated_power_times_time_is_the_energy() -> None:
    assert Meter(CPU, power_watts=150.0).read(held_seconds=20.0) == Energy(3000.0, "stated_power")


def test_a_gpu_reports_what_its_counter_gained(nvml: FakeNvml) -> None:
    meter = Meter(Device("gpu", "Card zero", 2, 1 << 30, "tensorflow"), None)
    read = meter.read(held_seconds=0.0)
    assert read.method == "nvml_energy"
    meter._started -= 10.0
    assert meter.read(held_seconds=10.0).joules == pytest.approx(2.0, rel=1e-3)


def test_a_gpu_without_a_counter_has_its_power_summed_up(nvml: FakeNvml) -> None:
    nvml.counts = False
    meter = Meter(Device("gpu", "Card zero", 2, 1 << 30, "tensorflow"), None)
    meter._started -= 3.0
    meter._ticked -= 3.0
    meter.tick()
    read = meter.read(held_seconds=3.0)
    assert read.method == "nvml_power"
    assert read.joules == pytest.approx(600.0, rel=1e-2)


def _package(folder: Path, name: str, microjoules: int, wraps_at: int) -> Path:
    package = folder / name
    package.mkdir()
    (package / "energy_uj").write_text(f"{microjoules}\n")
    (package / "max_energy_range_uj").write_text(f"{wraps_at}\n")
    return package


def test_rapl_adds_the_packages_and_survives_a_wrap(tmp_path: Path) -> None:
    first = _package(tmp_path, "intel-rapl:0", 1_000_000, 10_000_000)
    second = _package(tmp_path, "intel-rapl:1", 9_000_000, 10_000_000)
    _package(tmp_path, "intel-rapl:0:0", 0, 10_000_000)
    rapl = Rapl.find(tmp_path)
    assert rapl is not None
    (first / "energy_uj").write_text("4000000")
    (second / "energy_uj").write_text("1000000")
    (tmp_path / "intel-rapl:0:0" / "energy_uj").write_text("7000000")
    assert rapl.joules() == pytest.approx(3.0 + 2.0)


def test_without_counters_there_is_no_rapl(tmp_path: Path) -> None:
    assert Rapl.find(tmp_path) is None
    assert Rapl.find(tmp_path / "missing") is None


def test_the_model_lies_between_idle_and_busy() -> None:
    assert modelled(2, 10.0, 0.0) == pytest.approx(2 * 10 * IDLE_WATTS)
    assert modelled(2, 10.0, 20.0) == pytest.approx(2 * 10 * BUSY_WATTS)


def test_without_any_meter_the_energy_is_called_estimated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(energy.Rapl, "find", classmethod(lambda cls: None))
    read = Meter(CPU, None).read(held_seconds=1.0)
    assert read.method == "tdp_model"
    assert read.uncertainty == 0.5
    assert "estimated" in METHODS[read.method].label.en

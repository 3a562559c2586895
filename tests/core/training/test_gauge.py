"""What a device does while it trains: readings of a made-up card, and real ones of the processor."""

import os
import sys
import time
from types import SimpleNamespace
from typing import Any

import pytest

from core.training import device
from core.training.device import Device
from core.training.energy import Meter
from core.training.gauge import Gauge, Load, of_card, of_process
from core.training.nvml import Card
from core.training.pace import Pace
from core.training.result import Progress, UnderWay, told, under_way


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class MadeUpNvml(SimpleNamespace):
    """Two cards; the second is the busy one. Answers only while it is open, as NVML does."""

    class NVMLError(Exception):
        pass

    def __init__(self) -> None:
        super().__init__(opened=0, lost=False, tells=True, processes=[])

    def nvmlInit(self) -> None:  # noqa: N802
        self.opened += 1

    def nvmlShutdown(self) -> None:  # noqa: N802
        self.opened -= 1

    def _answer(self, value: Any, told: bool = True) -> Any:
        if not self.opened or self.lost or not told:
            raise self.NVMLError
        return value

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        return self._answer(2)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:  # noqa: N802
        return index

    def nvmlDeviceGetName(self, card: int) -> str:  # noqa: N802
        return f"Card {card}"

    def nvmlDeviceGetUUID(self, card: int) -> str:  # noqa: N802
        return f"GPU-{card}a-{card}b"

    def nvmlDeviceGetMemoryInfo(self, card: int) -> SimpleNamespace:  # noqa: N802
        return self._answer(SimpleNamespace(total=80 << 30, used=(card + 1) << 30))

    def nvmlDeviceGetUtilizationRates(self, card: int) -> SimpleNamespace:  # noqa: N802
        return self._answer(SimpleNamespace(gpu=97 * card), self.tells)

    def nvmlDeviceGetComputeRunningProcesses(self, card: int) -> list[SimpleNamespace]:  # noqa: N802
        return self._answer(self.processes)

    def nvmlDeviceGetTotalEnergyConsumption(self, card: int) -> int:  # noqa: N802
        return self._answer(0, told=False)

    def nvmlDeviceGetPowerUsage(self, card: int) -> int:  # noqa: N802
        return self._answer((card + 1) * 100_000, self.tells)


GPU = Device("gpu", "Card 1", cores=8, memory_bytes=80 << 30, backend="tensorflow")


@pytest.fixture
def nvml(monkeypatch: pytest.MonkeyPatch) -> MadeUpNvml:
    made = MadeUpNvml()
    monkeypatch.setitem(sys.modules, "pynvml", made)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-1a-1b")
    return made


def test_the_run_s_own_card_is_read_and_nvml_stays_open(nvml: MadeUpNvml) -> None:
    gauge = Gauge.of(GPU)
    assert gauge.read(surely=True) == Load(0.97, 2 << 30)
    assert nvml.opened == 1
    meter = Meter(GPU, None)
    meter._started -= 2.0
    meter._ticked -= 2.0
    assert meter.read(2.0).joules == pytest.approx(400.0, rel=1e-2), "200 W, the second card's"


def test_memory_is_that_of_the_run_s_process_where_the_driver_tells_it(nvml: MadeUpNvml) -> None:
    nvml.nvmlInit()
    look = of_card(nvml, Card("Card 1", 80 << 30, 1))
    nvml.processes = [
        SimpleNamespace(pid=1, usedGpuMemory=7),
        SimpleNamespace(pid=os.getpid(), usedGpuMemory=5),
    ]
    assert look().memory_bytes == 5
    nvml.processes = [SimpleNamespace(pid=os.getpid(), usedGpuMemory=None)]
    assert look().memory_bytes == 2 << 30


def test_what_a_card_does_not_tell_is_no_number_and_no_failure(nvml: MadeUpNvml) -> None:
    nvml.tells = False
    gauge = Gauge.of(GPU)
    assert gauge.read(surely=True) == Load(None, 2 << 30)
    assert Meter(GPU, None).read(1.0).method == "host_model"
    nvml.lost = True
    assert gauge.read(surely=True) == Load(None, None)
    assert (gauge.mean_utilisation, gauge.peak_memory_bytes) == (None, 2 << 30)


@pytest.mark.parametrize(
    ("visible", "names"),
    [
        ("GPU-1a", ["Card 1"]),
        ("1,0", ["Card 1", "Card 0"]),
        ("GPU-", []),
        ("1,-1,0", ["Card 1"]),
        ("GPU-2", []),
        ("", []),
    ],
)
def test_cards_are_chosen_as_cuda_chooses_them(
    nvml: MadeUpNvml, monkeypatch: pytest.MonkeyPatch, visible: str, names: list[str]
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    with device.nvml_cards() as (_, cards):
        assert [card.name for card in cards] == names
    assert nvml.opened == 0


def test_a_gauge_looks_once_a_second_and_keeps_mean_and_peak() -> None:
    clock, loads = Clock(), [Load(0.5, 10), Load(1.0, 30), Load(None, 20)]
    gauge = Gauge(lambda: loads.pop(0), clock)
    clock.now += 0.5
    assert gauge.read() == gauge.read() == Load(0.5, 10)
    clock.now += 0.9
    assert gauge.read() == Load(0.5, 10)
    clock.now += 0.6
    assert gauge.read() == Load(1.0, 30)
    assert gauge.read(surely=True) == Load(None, 20)
    assert gauge.mean_utilisation == pytest.approx((0.5 * 0.5 + 1.0 * 1.5) / 2.0)
    assert gauge.peak_memory_bytes == 30


def test_a_processor_s_use_is_its_seconds_over_those_of_all_cores() -> None:
    clock, busy = Clock(), Clock()
    look = of_process(4, clock, busy)
    clock.now, busy.now = clock.now + 10, busy.now + 30
    assert look().utilisation == pytest.approx(0.75)
    clock.now, busy.now = clock.now + 1, busy.now + 9
    assert look().utilisation == 1.0


def test_real_readings_of_this_process_are_true_and_cost_under_two_milliseconds() -> None:
    look = of_process(device.usable_cores())
    held = bytearray(os.urandom(1 << 20)) * 64
    load = look()
    assert load.utilisation is not None and load.memory_bytes is not None
    assert 0 < load.utilisation <= 1
    assert len(held) < load.memory_bytes < device.installed().memory_bytes
    began = time.process_time()
    for _ in range(50):
        look()
    assert (time.process_time() - began) / 50 < 0.002


def test_the_pace_leaves_out_compilation_and_the_rate_validation() -> None:
    clock = Clock()
    pace = Pace(clock)
    assert (pace.lately(0, 0.0), pace.left(0, 100)) == (None, None)
    clock.now += 60.0
    pace.begin(1, 64)
    assert (pace.lately(64, 0.0), pace.left(1, 100)) == (None, None)
    clock.now += 1.0
    assert pace.lately(64 + 640, 0.0) == 640
    assert pace.left(11, 100) == pytest.approx(8.9)
    clock.now += 4.0
    assert pace.lately(64 + 1_280, 2.0) == 320
    assert pace.left(21, 100) == pytest.approx(79 * 5 / 20)


def test_what_a_run_tells_of_itself_comes_back_from_its_summary() -> None:
    said = Progress(
        "train", 8, 16, 0.5, 4.0, 0.1, 0.9, 31.0, examples_per_second=128.0, seconds_left=4.0, memory_bytes=7
    )
    assert told(under_way(said)) == UnderWay(31.0, 128.0, 4.0, None, 7)
    assert told(None) == UnderWay()

"""A machine with GPUs that is none: as much of NVML as describes cards, and a build that could use them."""

import sys
from types import SimpleNamespace

import pytest

from core.training import device

H100 = "NVIDIA H100 80GB HBM3"


class MadeUpNvml(SimpleNamespace):
    """Cards by the numbers of their UUIDs: ``cards={0: "Name", 1: "Name"}`` are GPU-0 and GPU-1."""

    class NVMLError(Exception):
        pass

    def nvmlInit(self) -> None: ...  # noqa: N802

    def nvmlShutdown(self) -> None: ...  # noqa: N802

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        return len(self.cards)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:  # noqa: N802
        handle = sorted(self.cards)[index]
        if self.cards[handle] == "":
            raise self.NVMLError("GPU is lost")
        return handle

    def nvmlDeviceGetName(self, card: int) -> str:  # noqa: N802
        return str(self.cards[card])

    def nvmlDeviceGetUUID(self, card: int) -> str:  # noqa: N802
        return f"GPU-{card}"

    def nvmlDeviceGetMemoryInfo(self, card: int) -> SimpleNamespace:  # noqa: N802
        return SimpleNamespace(total=(card + 1) << 34)


def machine(monkeypatch: pytest.MonkeyPatch, cards: dict[int, str]) -> MadeUpNvml:
    """Let this be a machine with these cards, and a TensorFlow that brings what they need."""
    made = MadeUpNvml(cards=cards)
    monkeypatch.setitem(sys.modules, "pynvml", made)
    monkeypatch.setattr(device, "_has", {"tensorflow", "nvidia-cudnn-cu12"}.__contains__)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    return made

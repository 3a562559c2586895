"""The GPUs as their driver sees them (NVML): names, numbers, memory; nothing here touches CUDA.

Whether the backend can use them is another question: :mod:`core.training.device` asks it.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psutil


@dataclass(frozen=True, slots=True)
class Card:
    """A GPU; ``handle`` is NVML's.

    ``uuid`` stays the same as long as the card lives, whatever else is built in. ``number`` is the driver's
    (``nvidia-smi`` shows it), None where the machine has one card only.
    """

    name: str
    memory_bytes: int
    handle: Any
    uuid: str = ""
    number: int | None = None


@contextmanager
def nvml_cards() -> Iterator[tuple[Any, list[Card]]]:
    """NVML and its cards while the block lasts; no cards where there is no NVIDIA driver."""
    nvml, there = _opened()
    if not there:
        yield nvml, []
        return
    try:
        yield nvml, _cards(nvml)
    finally:
        nvml.nvmlShutdown()


def opened_card() -> tuple[Any, Card] | None:
    """NVML and the card that trains here, the first that this process may use; None if there is none.

    NVML stays open until the process ends: opening it takes milliseconds, too long for every reading.
    """
    nvml, there = _opened()
    cards = _cards(nvml) if there else []
    return (nvml, cards[0]) if cards else None


def _opened() -> tuple[Any, bool]:
    """NVML, and whether there is a driver that it could open."""
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return pynvml, False
    return pynvml, True


def _cards(nvml: Any) -> list[Card]:
    """The cards that CUDA_VISIBLE_DEVICES leaves to this process, in its order, read as CUDA reads it: a
    number or the beginning of a UUID each, and the first that is no card ends the list."""
    count = nvml.nvmlDeviceGetCount()
    found = (_card(nvml, number, number if count > 1 else None) for number in range(count))
    every = [card for card in found if card]
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return every
    numbers = {str(place): card for place, card in enumerate(every)}
    left = []
    for name in map(str.strip, visible.split(",")):
        long = [card for card in every if name[:4] == "GPU-" and card.uuid.startswith(name)]
        if len(long) != 1 and name not in numbers:
            break
        left.append(numbers[name] if name in numbers else long[0])
    return left


def _card(nvml: Any, place: int, number: int | None) -> Card | None:
    """The card at a place; None for one that has fallen off its bus, which CUDA does not count either."""
    try:
        handle = nvml.nvmlDeviceGetHandleByIndex(place)
        name, uuid = _text(nvml.nvmlDeviceGetName(handle)), _text(nvml.nvmlDeviceGetUUID(handle))
    except nvml.NVMLError:
        return None
    return Card(name, _memory(nvml, handle), handle, uuid, number)


def _memory(nvml: Any, handle: Any) -> int:
    """Bytes of a card; of the machine where the card has none of its own."""
    try:
        return int(nvml.nvmlDeviceGetMemoryInfo(handle).total)
    except nvml.NVMLError:
        return int(psutil.virtual_memory().total)


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value

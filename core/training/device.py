"""The device that trains: which one it is, and everything that depends on it.

This is the one module that knows the backend beneath Keras. :func:`installed` describes the machine
for the web process: by NVML and psutil, without TensorFlow. :func:`prepare` is for the worker: it asks
the backend itself, which has the last word; :func:`fit_data` and :func:`score_data` hand images to
Keras the way that backend takes them best.
"""

import importlib
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import psutil
from numpy.typing import NDArray

from core.i18n import Text


@dataclass(frozen=True, slots=True)
class Device:
    """A processor that trains.

    ``cores``: processor cores this process may use (of a GPU's host too). ``memory_bytes``: of the GPU,
    or of the machine. ``backend``: what computes, "tensorflow", "jax" or "torch". ``idle_gpu``: the name
    of a GPU that is there but that this backend cannot use; "" if there is none. ``step_seconds`` and
    ``flop_per_second``: its speed, where that was measured; see :mod:`core.training.speed`.
    """

    kind: Literal["cpu", "gpu"]
    name: str
    cores: int
    memory_bytes: int
    backend: str
    idle_gpu: str = ""
    step_seconds: float | None = None
    flop_per_second: float | None = None

    @property
    def remark(self) -> Text | None:
        """What the founder should know about the device; None if all is as it should be."""
        if not self.idle_gpu:
            return None
        if self.backend == "tensorflow":
            return Text(
                en=f"A GPU ({self.idle_gpu}) is present, but this TensorFlow build cannot use it; "
                "install tensorflow[and-cuda], which needs CUDA 12 libraries.",
                zh=f"检测到 GPU（{self.idle_gpu}），但当前的 TensorFlow 版本无法使用它；"
                "请安装 tensorflow[and-cuda]（需要 CUDA 12 库）。",
            )
        return Text(
            en=f"A GPU ({self.idle_gpu}) is present, but this build of {self.backend} cannot use it.",
            zh=f"检测到 GPU（{self.idle_gpu}），但当前安装的 {self.backend} 无法使用它。",
        )

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        return cls(**json.loads(text))


@dataclass(frozen=True, slots=True)
class Card:
    """A GPU as the driver sees it; ``handle`` is NVML's."""

    name: str
    memory_bytes: int
    handle: Any


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
    handles = [nvml.nvmlDeviceGetHandleByIndex(i) for i in range(nvml.nvmlDeviceGetCount())]
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        known = {_text(nvml.nvmlDeviceGetUUID(handle)): handle for handle in handles}
        numbers = {str(i): handle for i, handle in enumerate(handles)}
        handles = []
        for name in map(str.strip, visible.split(",")):
            long = [handle for uuid, handle in known.items() if name[:4] == "GPU-" and uuid.startswith(name)]
            if len(long) != 1 and name not in numbers:
                break
            handles.append(numbers[name] if name in numbers else long[0])
    return [Card(_text(nvml.nvmlDeviceGetName(h)), _memory(nvml, h), h) for h in handles]


def _memory(nvml: Any, handle: Any) -> int:
    """Bytes of a card; of the machine where the card has none of its own."""
    try:
        return int(nvml.nvmlDeviceGetMemoryInfo(handle).total)
    except nvml.NVMLError:
        return int(psutil.virtual_memory().total)


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def backend_name() -> str:
    """The backend that Keras will use, by its own rule for the environment."""
    return os.environ.get("KERAS_BACKEND", "").strip() or "tensorflow"


def installed() -> Device:
    """The device that training on this machine will most likely use, without loading a backend."""
    return _described(_build_takes_gpu(backend_name()))


def _described(gpu: bool) -> Device:
    with nvml_cards() as (_, cards):
        card = cards[0] if cards else None
    cores = usable_cores()
    if gpu and card:
        return Device("gpu", card.name, cores, card.memory_bytes, backend_name())
    memory = int(psutil.virtual_memory().total)
    return Device("cpu", cpu_name(), cores, memory, backend_name(), idle_gpu=card.name if card else "")


def _build_takes_gpu(backend: str) -> bool:
    """Whether the installed package of ``backend`` brings what a GPU needs."""
    if backend == "tensorflow":
        return _has("tensorflow") and _has("nvidia-cudnn-cu12")
    if backend == "jax":
        return any(_has(f"jax-cuda{n}-plugin") for n in (12, 13))
    return _has("torch") and "+cpu" not in importlib.metadata.version("torch")


def _has(package: str) -> bool:
    try:
        importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def usable_cores() -> int:
    """Processor cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


@lru_cache(maxsize=1)
def cpu_name() -> str:
    """The processor's own name, e.g. "AMD EPYC 7763 64-Core Processor"."""
    try:
        if sys.platform == "linux":
            for line in Path("/proc/cpuinfo").read_text().splitlines():
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
        if sys.platform == "darwin":
            asked = ["sysctl", "-n", "machdep.cpu.brand_string"]
            return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        pass
    return platform.processor() or platform.machine()


# From here on: inside the worker, where the backend is loaded.


def prepare() -> Device:
    """Ask the backend for its device and make it ready. Loads the backend."""
    return _described(_backend_has_gpu(backend_name()))


def _backend_has_gpu(backend: str) -> bool:
    if backend == "tensorflow":
        import tensorflow as tf

        cards = tf.config.list_physical_devices("GPU")
        for card in cards:
            # Take memory as it is needed: the web process and other runs share the card.
            tf.config.experimental.set_memory_growth(card, True)
        return bool(cards)
    if backend == "jax":
        return any(device.platform == "gpu" for device in importlib.import_module("jax").devices())
    return bool(importlib.import_module("torch").cuda.is_available())


def backend_version() -> str:
    """Name and version of the loaded backend."""
    name = backend_name()
    return f"{name} {sys.modules[name].__version__}"


def compiles_itself(device: Device) -> bool | Literal["auto"]:
    """``jit_compile`` for Keras: off where XLA is the slower one (TensorFlow on a CPU, by half), else its choice."""
    return False if device.backend == "tensorflow" and device.kind == "cpu" else "auto"


def use_precision(precision: str, device: Device) -> None:
    """Compute in ``precision`` from now on; "mixed" only where the device gains by it (see :func:`gains`)."""
    import keras

    mixed = precision == "mixed" and gains(device)
    if device.backend == "tensorflow" and device.kind == "cpu":
        import tensorflow as tf

        # The graph is rewritten by oneDNN; model, weights and files stay in 32 bits.
        tf.config.optimizer.set_experimental_options({"auto_mixed_precision_onednn_bfloat16": mixed})
        mixed = False
    keras.mixed_precision.set_global_policy("mixed_bfloat16" if mixed else "float32")


def gains(device: Device) -> bool:
    """Whether mixed precision makes ``device`` faster: it has instructions for 16-bit products.

    Processors by their flags, GPUs by their generation (bfloat16 since Ampere, compute capability 8).
    """
    if device.kind == "cpu":
        return device.backend == "tensorflow" and _processor_has_bfloat16()
    with nvml_cards() as (nvml, cards):
        return bool(cards) and nvml.nvmlDeviceGetCudaComputeCapability(cards[0].handle)[0] >= 8


@lru_cache(maxsize=1)
def _processor_has_bfloat16() -> bool:
    try:
        flags = Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


def fit_data(
    inputs: NDArray[Any], labels: NDArray[Any], batch_size: int, epochs: int, seed: int, first_epoch: int = 0
) -> dict[str, Any]:
    """Arguments for ``Model.fit``: every epoch all examples once, shuffled anew; brightness 0 to 1.

    On TensorFlow a ``tf.data`` pipeline of its own with autotuning off. With autotuning on, as in
    Keras' own way to feed arrays, the end of an epoch waits now and then until the tuner wakes: up to
    several seconds that a metered run would pay for. Pictures stay bytes until their batch is due.
    Epochs before ``first_epoch`` are left out.
    """
    if backend_name() != "tensorflow":
        return {"x": scaled(inputs), "y": labels, "batch_size": batch_size, "shuffle": True}
    import tensorflow as tf

    count = len(inputs)

    def shuffled(epoch: Any) -> Any:
        key = tf.stack([tf.constant(seed, tf.int64), epoch])
        places = tf.random.experimental.stateless_shuffle(tf.range(count), seed=key)
        return tf.data.Dataset.from_tensor_slices(places).batch(batch_size)

    batches = tf.data.Dataset.range(first_epoch, epochs).flat_map(shuffled)
    pipeline = _pipeline(batches, inputs, labels)
    return {"x": pipeline, "steps_per_epoch": -(-count // batch_size), "shuffle": False}


def score_data(inputs: NDArray[Any], labels: NDArray[Any] | None, batch_size: int) -> dict[str, Any]:
    """Arguments for ``Model.evaluate``, or without labels for ``Model.predict``: all examples once, in order."""
    if backend_name() != "tensorflow":
        held = {} if labels is None else {"y": labels}
        return {"x": scaled(inputs), **held, "batch_size": batch_size}
    import tensorflow as tf

    batches = tf.data.Dataset.range(len(inputs), output_type=tf.int32).batch(batch_size)
    return {"x": _pipeline(batches, inputs, labels)}


def _pipeline(batches: Any, inputs: NDArray[Any], labels: NDArray[Any] | None) -> Any:
    """A ``tf.data`` pipeline from batches of positions to batches of scaled inputs, with labels if any."""
    import tensorflow as tf

    pictures = inputs.dtype == np.uint8
    with tf.device("/cpu:0"):
        all_inputs = tf.constant(_with_channels(inputs))
        all_labels = None if labels is None else tf.constant(labels)

    def gathered(places: Any) -> Any:
        found = tf.gather(all_inputs, places)
        if pictures:
            found = tf.cast(found, tf.float32) / 255.0
        return found if all_labels is None else (found, tf.gather(all_labels, places))

    options = tf.data.Options()
    options.autotune.enabled = False
    return batches.map(gathered, num_parallel_calls=1).prefetch(4).with_options(options)


def scaled(inputs: NDArray[Any]) -> NDArray[np.float32]:
    """Pictures (n, height, width[, channels]) of bytes as numbers from 0 to 1, always with channels; rows of
    a table as they are."""
    if inputs.dtype != np.uint8:
        return inputs.astype(np.float32, copy=False)
    return (_with_channels(inputs) / np.float32(255)).astype(np.float32, copy=False)


def _with_channels(inputs: NDArray[Any]) -> NDArray[Any]:
    return inputs[..., None] if inputs.ndim == 3 else inputs

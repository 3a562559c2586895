"""The device that trains: which one it is, and everything that depends on it.

This is the one module that knows the backend beneath Keras. :func:`installed` describes the machine
for the web process: by NVML and psutil, without TensorFlow. :func:`survey` and :func:`prepare` are for the
worker: they ask the backend itself, which has the last word; :func:`fit_data` and :func:`score_data` hand
images to Keras the way that backend takes them best.
"""

import importlib
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import psutil
from numpy.typing import NDArray

from core.i18n import Text
from core.training.nvml import nvml_cards

CPU = "cpu"
"""The processor as a choice of device (``RunSpec.device``), beside the UUIDs of GPUs."""


@dataclass(frozen=True, slots=True)
class Device:
    """A processor that trains.

    ``cores``: processor cores this process may use (of a GPU's host too). ``memory_bytes``: of the GPU,
    or of the machine. ``backend``: what computes, "tensorflow", "jax" or "torch". ``idle_gpu``: the name
    of a GPU that is there but that this backend cannot use; "" if there is none. ``step_seconds`` and
    ``flop_per_second``: its speed, where that was measured; see :mod:`core.training.speed`. ``uuid`` and
    ``number`` are a GPU's own (see :class:`core.training.nvml.Card`): ``name`` is that of its model, which
    others may share. ``choices``: where runs may be put on one of several devices, all of them, GPUs first
    and the processor last.
    """

    kind: Literal["cpu", "gpu"]
    name: str
    cores: int
    memory_bytes: int
    backend: str
    idle_gpu: str = ""
    step_seconds: float | None = None
    flop_per_second: float | None = None
    uuid: str = ""
    number: int | None = None
    choices: tuple["Device", ...] = ()

    @property
    def code(self) -> str:
        """What a run says that wants this device: see ``RunSpec.device``."""
        return self.uuid if self.kind == "gpu" else CPU

    @property
    def label(self) -> str:
        """The name on screen, such as "NVIDIA H100 80GB HBM3 · GPU 1": like that of no other device here."""
        return self.name if self.number is None else f"{self.name} · GPU {self.number}"

    @property
    def gpus(self) -> tuple["Device", ...]:
        """The GPUs among the choices."""
        return tuple(choice for choice in self.choices if choice.kind == "gpu")

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
        return cls.of(json.loads(text))

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """The device that ``asdict`` made the document of."""
        choices = tuple(Device.of(choice) for choice in document.get("choices", ()))
        return cls(**{**document, "choices": choices})


def backend_name() -> str:
    """The backend that Keras will use, by its own rule for the environment."""
    return os.environ.get("KERAS_BACKEND", "").strip() or "tensorflow"


def installed() -> Device:
    """The device that training on this machine will most likely use, without loading a backend."""
    return _described(None if _build_takes_gpu(backend_name()) else [])


def _described(usable: Sequence[int] | None) -> Device:
    """The device with its choices; ``usable``: the places of the cards that the backend can use, None for all."""
    with nvml_cards() as (_, cards):
        pass
    able = cards if usable is None else [cards[place] for place in usable if place < len(cards)]
    cores, backend = usable_cores(), backend_name()
    idle = cards[0].name if cards and not able else ""
    memory = int(psutil.virtual_memory().total)
    cpu = Device("cpu", cpu_name(), cores, memory, backend, idle_gpu=idle)
    if not able:
        return cpu
    gpus = [
        Device("gpu", card.name, cores, card.memory_bytes, backend, uuid=card.uuid, number=card.number)
        for card in able
    ]
    return replace(gpus[0], choices=(*gpus, cpu))


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


def survey() -> Device:
    """Ask the backend which devices it can use: the one it takes by itself, with all choices. Loads the backend."""
    return _described(_usable_gpus(backend_name()))


def prepare() -> Device:
    """Ask the backend for its device and make it ready. Loads the backend."""
    return replace(survey(), choices=())


def _usable_gpus(backend: str) -> list[int]:
    """The places, among the cards that CUDA leaves to this process, of those that the backend can use.

    They are in the order of NVML, since the worker has CUDA count by bus address.
    """
    if backend == "tensorflow":
        import tensorflow as tf

        cards = tf.config.list_physical_devices("GPU")
        for card in cards:
            # Take memory as it is needed: the web process and other runs share the card.
            tf.config.experimental.set_memory_growth(card, True)
        # Cards that TensorFlow finds too old or too small are left out; the others keep CUDA's numbers.
        return [int(card.name.rpartition(":")[2]) for card in cards]
    if backend == "jax":
        devices = importlib.import_module("jax").local_devices()
        numbers = [device.local_hardware_id for device in devices if device.platform == "gpu"]
        return [place if number is None else number for place, number in enumerate(numbers)]
    return list(range(importlib.import_module("torch").cuda.device_count()))


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

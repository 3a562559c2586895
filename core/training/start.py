"""A run up to its first step: its examples laid out, its network built.

Half a second of that is TensorFlow's work on the very first step: it draws the graph of the network and of its
gradient. Where a run is expected, it can be *rehearsed*: a process that stands by makes that step, puts every
number back where it was, and keeps the graph. What the run then computes is the same to the last bit; what the
rehearsal took is no part of what the run is measured by, as the start of the process is none.
"""

import gc
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from core.training import checkpoint, datasets, device, networks, own
from core.training.spec import RunSpec
from core.training.watch import chances


@dataclass
class Start:
    """``data``: arguments of ``Model.fit``; ``kept_back``: which training examples to validate on."""

    spec: RunSpec
    owner: str
    examples: datasets.Examples
    kept_back: Any
    model: keras.Model
    data: dict[str, Any]

    def is_of(self, spec: RunSpec, owner: str) -> bool:
        """Whether it is the start of this run."""
        return (self.spec, self.owner) == (spec, owner)


def begin(
    spec: RunSpec,
    owner: str,
    used: device.Device,
    left: checkpoint.Left | None = None,
    leave: Path | None = None,
) -> Start:
    """The start of a run, or of the rest of the one that was ``left`` in the folder ``leave``."""
    keras.utils.set_random_seed(spec.seed)
    examples = load(spec, owner)
    chosen, kept_back = split(spec, examples)
    device.use_precision(spec.precision, used)
    model = networks.build(spec) if left is None or leave is None else _kept(leave, left)
    model.compile(
        optimizer=networks.optimizer(spec) if left is None else model.optimizer,
        loss=networks.loss(spec),
        metrics=networks.metrics(spec),
        jit_compile=device.compiles_itself(used),
    )
    labels = answers_of(examples.train_labels)
    data = device.fit_data(
        examples.train[chosen],
        labels[chosen],
        spec.batch_size,
        spec.epochs,
        spec.seed,
        left.epochs if left else 0,
    )
    return Start(spec, owner, examples, kept_back, model, data)


def rehearsed(spec: RunSpec, owner: str) -> Start | None:
    """The start of a run whose first step was made and taken back; None where that saves nothing."""
    if device.backend_name() != "tensorflow":
        return None
    start = begin(spec, owner, device.prepare())
    model = start.model
    model.optimizer.build(model.trainable_variables)
    held = [
        (variable, np.array(keras.ops.convert_to_numpy(variable)))
        for variable in (*model.variables, *model.optimizer.variables)
    ]
    luck = random.getstate(), np.random.get_state()
    model.fit(**start.data | {"steps_per_epoch": 1}, verbose=0)
    for variable, value in held:
        variable.assign(value)
    random.setstate(luck[0])
    np.random.set_state(luck[1])
    return start


def forget() -> None:
    """Let go of what Keras holds of networks that nobody holds any more."""
    keras.utils.clear_session()
    gc.collect()


def load(spec: RunSpec, owner: str = "") -> datasets.Examples:
    """The examples that ``spec`` speaks of, those of one's own being of ``owner``."""
    return datasets.load(spec.dataset) if spec.own is None else own.load(owner, spec.own.id)


def split(spec: RunSpec, examples: datasets.Examples) -> tuple[Any, Any]:
    """Which examples to train on and which to validate on, as indices into the training examples."""
    if spec.train_images == spec.data.train_images:
        return slice(None), slice(0, 0)
    order = datasets.order(examples.train_labels, spec.seed)
    return order[: spec.train_images], order[len(order) - spec.validation_images :]


def answers_of(labels: NDArray[Any]) -> NDArray[Any]:
    """Labels as a loss takes them: classes as int32, numbers as float32."""
    return labels.astype(np.float32 if labels.dtype.kind == "f" else np.int32)


def _kept(folder: Path, left: checkpoint.Left) -> keras.Model:
    """The network of a checkpoint, with its optimiser and its random numbers where they were."""
    model = keras.saving.load_model(folder / checkpoint.NETWORK, safe_mode=True)
    for state, held in zip(chances(model), left.chances, strict=True):
        state.assign(np.array(held, np.asarray(state).dtype))
    return model

"""The networks of ``architecture`` as Keras models, for whichever backend Keras runs on."""

from typing import Any

import keras

from core.training.architecture import (
    HELD_BIASES,
    HELD_VECTORS,
    Activation,
    Convolution,
    Dense,
    Dropout,
    Flatten,
    Layer,
    Lookup,
    Normalization,
    Pairs,
    Pooling,
)
from core.training.choices import WARM_UP
from core.training.spec import RunSpec


def build(spec: RunSpec) -> keras.Model:
    """The network of ``spec``, ready to train on inputs (batch, …) and classes or numbers (batch,).

    Weights are drawn from Keras' random state: call ``keras.utils.set_random_seed`` before.
    """
    numbers = spec.data.task == "number"
    match spec.architecture.layers:
        case (Lookup(names, width), Pairs()):
            return _pairs(spec, names, width)
        case stacked:
            layers = [_layer(layer, spec.activation, numbers) for layer in stacked]
    return keras.Sequential([keras.Input(spec.data.shape), *layers], name=spec.network)


def _pairs(spec: RunSpec, names: int, width: int) -> keras.Model:
    """Vectors and biases looked up by name, multiplied two by two and summed; see ``architecture.Pairs``.

    In 32 bits whatever the precision of the rest: with 16 most names could not be told apart. The square of
    every weight adds to the loss (ridge regression); the loss is a mean, so the fewer the examples the more.
    """

    def table(columns: int, start: str, held: int) -> keras.layers.Embedding:
        penalty = keras.regularizers.L2(held / spec.train_images)
        return keras.layers.Embedding(
            names, columns, embeddings_initializer=start, embeddings_regularizer=penalty, dtype="float32"
        )

    rows = keras.Input(spec.data.shape)
    vectors = table(width, "uniform", HELD_VECTORS)(rows)
    biases = table(1, "zeros", HELD_BIASES)(rows)
    total, squares = keras.ops.sum(vectors, axis=1), keras.ops.sum(keras.ops.square(vectors), axis=1)
    pairs = keras.ops.sum(keras.ops.square(total) - squares, axis=1, keepdims=True) / 2.0
    return keras.Model(rows, pairs + keras.ops.sum(biases, axis=1), name=spec.network)


def _layer(layer: Layer, activation: str, numbers: bool) -> keras.layers.Layer:
    match layer:
        case Convolution(filters, size, activated, padded):
            return keras.layers.Conv2D(
                filters,
                size,
                padding="same" if padded else "valid",
                activation=activation if activated else None,
            )
        case Pooling(size):
            return keras.layers.MaxPooling2D(size)
        case Flatten():
            return keras.layers.Flatten()
        case Activation():
            return keras.layers.Activation(activation)
        case Dropout(rate):
            return keras.layers.Dropout(rate)
        case Normalization():
            return keras.layers.BatchNormalization()
        case Dense(units, True):
            # In 32 bits whatever the precision of the rest: probabilities need their digits.
            return keras.layers.Dense(units, activation=None if numbers else "softmax", dtype="float32")
        case Dense(units, _, activated):
            return keras.layers.Dense(units, activation=activation if activated else None)
        case Lookup() | Pairs():
            raise TypeError(f"{layer} does not stand in a stack")


def optimizer(spec: RunSpec) -> keras.optimizers.Optimizer:
    """The optimiser of ``spec`` with its learning rate over the steps; everything else as Keras has it."""
    rate = learning_rate(spec)
    match spec.optimizer:
        case "sgd":
            return keras.optimizers.SGD(rate)
        case "momentum" | "nesterov":
            nesterov = spec.optimizer == "nesterov"
            return keras.optimizers.SGD(rate, momentum=spec.momentum, nesterov=nesterov)
        case "adagrad":
            return keras.optimizers.Adagrad(rate)
        case "rmsprop":
            return keras.optimizers.RMSprop(rate, rho=spec.second_moment)
        case "adamw":
            return keras.optimizers.AdamW(rate, beta_1=spec.momentum, beta_2=spec.second_moment)
        case _:
            return keras.optimizers.Adam(rate, beta_1=spec.momentum, beta_2=spec.second_moment)


def learning_rate(spec: RunSpec) -> Any:
    """The learning rate as Keras takes it: a number, or one that changes with the steps of the run."""
    peak = spec.learning_rate
    assert peak is not None
    match spec.schedule:
        case "cosine":
            return keras.optimizers.schedules.CosineDecay(peak, spec.total_steps)
        case "one_cycle":
            return OneCycle(peak, spec.total_steps)
        case _:
            return peak


@keras.saving.register_keras_serializable("compute_canvas")
class OneCycle(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]  # Keras has no types
    """Straight up to ``peak`` in the first ``WARM_UP`` of ``steps``, then straight down to zero."""

    def __init__(self, peak: float, steps: int) -> None:
        self.peak, self.steps = peak, steps

    def __call__(self, step: Any) -> Any:
        share = keras.ops.cast(step, "float32") / self.steps
        rising, falling = share / WARM_UP, (1.0 - share) / (1.0 - WARM_UP)
        return self.peak * keras.ops.maximum(0.0, keras.ops.minimum(rising, falling))

    def get_config(self) -> dict[str, Any]:
        return {"peak": self.peak, "steps": self.steps}


PLAIN = "error"
"""The loss without what the weights add to it, where they do."""


def metrics(spec: RunSpec) -> list[keras.metrics.Metric]:
    """What is told of a run besides its loss."""
    if spec.data.task == "classes":
        return [keras.metrics.SparseCategoricalAccuracy(name="accuracy")]
    return [keras.metrics.MeanSquaredError(name=PLAIN)] if spec.data.ids else []


class PlainLoss(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Goes before the other callbacks: what they hear of the loss is what the answers are off by, as in the test."""

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        _plain(logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        _plain(logs)


def _plain(logs: dict[str, float]) -> None:
    for before in ("", "val_"):
        if before + PLAIN in logs:
            logs[f"{before}loss"] = logs.pop(before + PLAIN)


def loss(spec: RunSpec) -> Any:
    """The loss of ``spec`` between classes (batch,) and probabilities (batch, classes), or of two numbers."""
    if spec.data.task == "number":
        return keras.losses.MeanSquaredError()
    return squared_error if spec.loss == "mse" else keras.losses.SparseCategoricalCrossentropy()


@keras.saving.register_keras_serializable("compute_canvas")  # type: ignore[untyped-decorator]
def squared_error(classes: Any, probabilities: Any) -> Any:
    """Mean squared distance between the probabilities and a 1 at the right class."""
    count = probabilities.shape[-1]
    right = keras.ops.one_hot(keras.ops.reshape(classes, (-1,)), count, dtype=probabilities.dtype)
    return keras.ops.mean(keras.ops.square(right - probabilities), axis=-1)

"""The networks of ``architecture`` as Keras models, for whichever backend Keras runs on."""

from typing import Any

import keras

from core.training.architecture import (
    Activation,
    Convolution,
    Dense,
    Dropout,
    Flatten,
    Layer,
    Normalization,
    Pooling,
)
from core.training.choices import WARM_UP
from core.training.spec import RunSpec


def build(spec: RunSpec) -> keras.Model:
    """The network of ``spec``, ready to train on inputs (batch, …) and classes or numbers (batch,).

    Weights are drawn from Keras' random state: call ``keras.utils.set_random_seed`` before.
    """
    numbers = spec.data.task == "number"
    layers = [_layer(layer, spec.activation, numbers) for layer in spec.architecture.layers]
    return keras.Sequential([keras.Input(spec.data.shape), *layers], name=spec.network)


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

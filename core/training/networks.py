"""The networks of ``architecture`` as Keras models, for whichever backend Keras runs on."""

from typing import Any

import keras

from core.training.architecture import CLASSES, Convolution, Dense, Flatten, Layer, Pooling
from core.training.spec import MOMENTUM, RunSpec


def build(spec: RunSpec) -> keras.Model:
    """The network of ``spec``, ready to train on images (batch, 28, 28, 1) and digits (batch,).

    Weights are drawn from Keras' random state: call ``keras.utils.set_random_seed`` before.
    """
    layers = [_layer(layer, spec.activation) for layer in spec.architecture.layers]
    return keras.Sequential([keras.Input(spec.architecture.image), *layers], name=spec.network)


def _layer(layer: Layer, activation: str) -> keras.layers.Layer:
    match layer:
        case Convolution(filters, size):
            return keras.layers.Conv2D(filters, size, activation=activation)
        case Pooling(size):
            return keras.layers.MaxPooling2D(size)
        case Flatten():
            return keras.layers.Flatten()
        case Dense(units, output):
            return keras.layers.Dense(units, activation="softmax" if output else activation)


def optimizer(spec: RunSpec) -> keras.optimizers.Optimizer:
    """The optimiser of ``spec`` with its learning rate; everything else as Keras has it."""
    match spec.optimizer:
        case "sgd":
            return keras.optimizers.SGD(spec.learning_rate)
        case "momentum":
            return keras.optimizers.SGD(spec.learning_rate, momentum=MOMENTUM)
        case "adagrad":
            return keras.optimizers.Adagrad(spec.learning_rate)
        case _:
            return keras.optimizers.Adam(spec.learning_rate)


def loss(spec: RunSpec) -> Any:
    """The loss of ``spec`` between digits (batch,) and probabilities (batch, 10)."""
    return squared_error if spec.loss == "mse" else keras.losses.SparseCategoricalCrossentropy()


def squared_error(digits: Any, probabilities: Any) -> Any:
    """Mean squared distance between the probabilities and a 1 at the right digit."""
    right = keras.ops.one_hot(keras.ops.reshape(digits, (-1,)), CLASSES, dtype=probabilities.dtype)
    return keras.ops.mean(keras.ops.square(right - probabilities), axis=-1)

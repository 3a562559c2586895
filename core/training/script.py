"""A run as a plain Keras script of its own: the same network, the same order of examples, the same weights.

On a CPU with the same versions and as many threads the script ends with the very weights that the run
ended with, bit for bit; a test runs both. It needs Keras, TensorFlow and NumPy, and the file ``data.npz``
beside it: the examples as the run had them.
"""

import io
from typing import Any

import numpy as np

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
from core.training.datasets import Examples, order
from core.training.spec import RunSpec

DATA = "data.npz"


def data_file(spec: RunSpec, examples: Examples) -> bytes:
    """The examples for the script, as the file ``data.npz``: those trained on, validated on, tested on."""
    labels = examples.train_labels
    kind = np.float32 if labels.dtype.kind == "f" else np.int32
    chosen: Any = slice(None)
    kept_back: Any = slice(0, 0)
    if spec.train_images < spec.data.train_images:
        places = order(labels, spec.seed)
        chosen, kept_back = places[: spec.train_images], places[len(places) - spec.validation_images :]
    out = io.BytesIO()
    np.savez_compressed(
        out,
        x_train=examples.train[chosen],
        y_train=labels[chosen].astype(kind),
        x_validation=examples.train[kept_back],
        y_validation=labels[kept_back].astype(kind),
        x_test=examples.test,
        y_test=examples.test_labels.astype(kind),
    )
    return out.getvalue()


def script(spec: RunSpec) -> str:
    """The script, as Python text."""
    numbers = spec.data.task == "number"
    pictures = spec.data.kind == "images"
    channels = "[..., None]" if pictures and spec.data.shape[2] == 1 else ""
    scale = " / 255.0" if pictures else ""
    mixed = (
        '\ntf.config.optimizer.set_experimental_options({"auto_mixed_precision_onednn_bfloat16": True})'
        "  # only where the processor has bfloat16"
        if spec.precision == "mixed"
        else ""
    )
    ratings = bool(spec.data.ids)
    metrics = "" if numbers else ', metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")]'
    if ratings:
        metrics = ', metrics=[keras.metrics.MeanSquaredError(name="error")]'
    watched = '"val_error", mode="min"' if ratings else '"val_loss"'
    stopping = (
        f"\n    callbacks=[keras.callbacks.EarlyStopping({watched}, patience={spec.patience}, restore_best_weights=True)],"
        if spec.patience
        else ""
    )
    validation = (
        '\n    validation_data=scored("x_validation", "y_validation"),' if spec.validation_images else ""
    )
    return f'''"""{spec.title.en}: the run as a plain Keras script. It needs {DATA} beside it."""

import keras
import numpy as np
import tensorflow as tf

SEED, EPOCHS, BATCH = {spec.seed}, {spec.epochs}, {spec.batch_size}

keras.utils.set_random_seed(SEED){mixed}
with np.load("{DATA}", allow_pickle=False) as file:
    data = {{name: file[name] for name in file.files}}


def pipeline(batches, x, y):
    x, y = tf.constant(data[x]{channels}), tf.constant(data[y])
    options = tf.data.Options()
    options.autotune.enabled = False

    def gathered(places):
        return tf.cast(tf.gather(x, places), tf.float32){scale}, tf.gather(y, places)

    return batches.map(gathered).prefetch(4).with_options(options)


def shuffled(epoch):
    key = tf.stack([tf.constant(SEED, tf.int64), epoch])
    places = tf.random.experimental.stateless_shuffle(tf.range(len(data["x_train"])), seed=key)
    return tf.data.Dataset.from_tensor_slices(places).batch(BATCH)


def scored(x, y):
    return pipeline(tf.data.Dataset.range(len(data[x]), output_type=tf.int32).batch(500), x, y)

{_rate(spec)}
{_model(spec, numbers)}
{_loss(spec)}model.compile(optimizer={_optimizer(spec)}, loss=loss{metrics}, jit_compile=False)
steps = -(-len(data["x_train"]) // BATCH)
model.fit(
    pipeline(tf.data.Dataset.range(EPOCHS).flat_map(shuffled), "x_train", "y_train"),
    epochs=EPOCHS,
    steps_per_epoch=steps,
    shuffle=False,
    verbose=2,{validation}{stopping}
)
print(model.evaluate(scored("x_test", "y_test"), verbose=0, return_dict=True))
model.save("model.keras")
'''


def _model(spec: RunSpec, numbers: bool) -> str:
    match spec.architecture.layers:
        case (Lookup(names, width), Pairs()):
            return f"""
def table(columns, start, held):
    penalty = keras.regularizers.L2(held / len(data["x_train"]))
    return keras.layers.Embedding(
        {names}, columns, embeddings_initializer=start, embeddings_regularizer=penalty
    )


rows = keras.Input({spec.data.shape})
vectors = table({width}, "uniform", {HELD_VECTORS})(rows)
biases = table(1, "zeros", {HELD_BIASES})(rows)
total, squares = keras.ops.sum(vectors, axis=1), keras.ops.sum(keras.ops.square(vectors), axis=1)
pairs = keras.ops.sum(keras.ops.square(total) - squares, axis=1, keepdims=True) / 2.0
model = keras.Model(rows, pairs + keras.ops.sum(biases, axis=1))"""
        case stacked:
            layers = "\n".join(f"        {_layer(layer, spec, numbers)}," for layer in stacked)
            return f"""model = keras.Sequential(
    [
        keras.Input({spec.data.shape}),
{layers}
    ]
)"""


def _layer(layer: Layer, spec: RunSpec, numbers: bool) -> str:
    activation = f', activation="{spec.activation}"'
    match layer:
        case Convolution(filters, size, activated, padded):
            padding = ', padding="same"' if padded else ""
            return f"keras.layers.Conv2D({filters}, {size}{padding}{activation if activated else ''})"
        case Pooling(size):
            return f"keras.layers.MaxPooling2D({size})"
        case Flatten():
            return "keras.layers.Flatten()"
        case Activation():
            return f'keras.layers.Activation("{spec.activation}")'
        case Dropout(rate):
            return f"keras.layers.Dropout({rate!r})"
        case Normalization():
            return "keras.layers.BatchNormalization()"
        case Dense(units, True):
            softmax = "" if numbers else ', activation="softmax"'
            return f"keras.layers.Dense({units}{softmax})"
        case Dense(units, _, activated):
            return f"keras.layers.Dense({units}{activation if activated else ''})"
        case Lookup() | Pairs():
            raise TypeError(f"{layer} does not stand in a stack")


def _rate(spec: RunSpec) -> str:
    if spec.schedule == "cosine":
        return (
            f"\nrate = keras.optimizers.schedules.CosineDecay({spec.learning_rate!r}, {spec.total_steps})\n\n"
        )
    if spec.schedule != "one_cycle":
        return f"\nrate = {spec.learning_rate!r}\n\n"
    return f'''
class OneCycle(keras.optimizers.schedules.LearningRateSchedule):
    """Up in a straight line for the first {WARM_UP:.0%} of the steps, then down to zero."""

    def __call__(self, step):
        share = keras.ops.cast(step, "float32") / {spec.total_steps}
        rising, falling = share / {WARM_UP}, (1.0 - share) / (1.0 - {WARM_UP})
        return {spec.learning_rate!r} * keras.ops.maximum(0.0, keras.ops.minimum(rising, falling))

    def get_config(self):
        return {{}}


rate = OneCycle()

'''


def _optimizer(spec: RunSpec) -> str:
    moments = f"beta_1={spec.momentum!r}, beta_2={spec.second_moment!r}"
    return {
        "sgd": "keras.optimizers.SGD(rate)",
        "momentum": f"keras.optimizers.SGD(rate, momentum={spec.momentum!r}, nesterov=False)",
        "nesterov": f"keras.optimizers.SGD(rate, momentum={spec.momentum!r}, nesterov=True)",
        "adagrad": "keras.optimizers.Adagrad(rate)",
        "rmsprop": f"keras.optimizers.RMSprop(rate, rho={spec.second_moment!r})",
        "adam": f"keras.optimizers.Adam(rate, {moments})",
        "adamw": f"keras.optimizers.AdamW(rate, {moments})",
    }[spec.optimizer]


def _loss(spec: RunSpec) -> str:
    if spec.data.task == "number":
        return "loss = keras.losses.MeanSquaredError()\n"
    if spec.loss == "cross_entropy":
        return "loss = keras.losses.SparseCategoricalCrossentropy()\n"
    return f"""

def loss(classes, probabilities):
    right = keras.ops.one_hot(keras.ops.reshape(classes, (-1,)), {spec.data.classes}, dtype=probabilities.dtype)
    return keras.ops.mean(keras.ops.square(right - probabilities), axis=-1)


"""

"""Measure the learning curves that ``benchmarks.curve`` judges the fit on.

``python -m benchmarks.measure_curves OUT.csv`` trains ten networks on nested, stratified parts of MNIST
(2,500 to 60,000 images, three seeds each, five epochs of batches of 128 with Adam at 0.001) and appends
one row a run: network, images, seed, share of the 10,000 test images that was wrong. What is in the file
already is not trained again. About 25 minutes on two cores.
"""

import csv
import sys
from pathlib import Path
from typing import Any

SIZES = (2_500, 5_000, 10_000, 20_000, 60_000)
SEEDS = (0, 1, 2)
EPOCHS, BATCH, RATE = 5, 128, 0.001
NETWORKS = {
    "mlp-32": ("mlp", (32,), "relu"),
    "mlp-128": ("mlp", (128,), "relu"),
    "mlp-512": ("mlp", (512,), "relu"),
    "mlp-128-tanh": ("mlp", (128,), "tanh"),
    "mlp-128-sigmoid": ("mlp", (128,), "sigmoid"),
    "mlp-128-128": ("mlp", (128, 128), "relu"),
    "cnn-8": ("cnn", (8, 16), "relu"),
    "cnn-8-tanh": ("cnn", (8, 16), "tanh"),
    "cnn-16": ("cnn", (16, 32), "relu"),
    "cnn-32": ("cnn", (32, 64), "relu"),
}
"""Kind, units of the hidden layers or filters of the convolutions, activation. Behind convolutions stand
128 units for 32 filters, and as many fewer for fewer."""


def main() -> None:
    out = Path(sys.argv[1])
    done = set()
    if out.exists():
        with out.open() as file:
            done = {(row["network"], int(row["images"]), int(row["seed"])) for row in csv.DictReader(file)}
    else:
        out.write_text("network,images,seed,test_error\n")
    for name in NETWORKS:
        for images in SIZES:
            for seed in SEEDS:
                if (name, images, seed) not in done:
                    error = trained(name, images, seed)
                    with out.open("a") as file:
                        file.write(f"{name},{images},{seed},{error:.4f}\n")


def trained(name: str, images: int, seed: int) -> float:
    """Share of wrong answers on the test images after training."""
    import keras
    import numpy as np

    from core.training import datasets, device

    data = datasets.load("mnist")
    chosen = datasets.order(data.train_labels, seed)[:images]
    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    model = network(name)
    model.compile(
        optimizer=keras.optimizers.Adam(RATE),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
        jit_compile=False,
    )
    labels = data.train_labels.astype(np.int32)
    model.fit(
        **device.fit_data(data.train[chosen], labels[chosen], BATCH, EPOCHS, seed), epochs=EPOCHS, verbose=0
    )
    scored = device.score_data(data.test, data.test_labels.astype(np.int32), 500)
    return 1 - float(model.evaluate(**scored, verbose=0, return_dict=True)["accuracy"])


def network(name: str) -> Any:
    import keras

    kind, widths, activation = NETWORKS[name]
    layers: list[Any] = [keras.Input((28, 28, 1))]
    if kind == "cnn":
        for filters in widths:
            layers += [keras.layers.Conv2D(filters, 3, activation=activation), keras.layers.MaxPooling2D(2)]
        widths = (4 * widths[0],)
    layers.append(keras.layers.Flatten())
    layers += [keras.layers.Dense(units, activation=activation) for units in widths]
    return keras.Sequential([*layers, keras.layers.Dense(10, activation="softmax")])


if __name__ == "__main__":
    main()

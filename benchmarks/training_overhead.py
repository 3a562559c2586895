"""What it costs to be watched: Keras through the worker against a plain Keras script.

``python -m benchmarks.training_overhead [--quick] [--network cnn] [--seeds 3]``

The plain script is the usual first lesson: load MNIST as floats, one-hot labels, ``fit`` for 5 epochs of
batches of 64 with Adam, ``evaluate``. Both train the same network on all 60,000 images with the same
number of threads, in turns (plain, worker, worker, plain for each seed), and time the same thing: the
wall time of ``fit``. Prints the ratio of each neighbouring pair, their geometric mean and range, and the
mean test accuracy of both. ``--quick`` trains one epoch and takes half the turns.
"""

import argparse
import json
import math
import os
import subprocess
import sys
from pathlib import Path

from benchmarks.click_to_first_metric import OWNER, submit, wait_for, worker
from core.storage import Store
from core.training.result import RunResult
from core.training.service import seat
from core.training.spec import RunSpec
from core.training.worker import ENVIRONMENT

LIMIT = 1.02
ROOT = Path(__file__).parents[1]

PLAIN = """
import json, sys, time
import numpy as np
import keras

network, epochs, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
keras.utils.set_random_seed(seed)
with np.load("core/training/data/mnist.npz") as data:
    x_train, y_train, x_test, y_test = (data[k] for k in ("x_train", "y_train", "x_test", "y_test"))
x_train = x_train.reshape(-1, 28, 28, 1).astype("float32") / 255
x_test = x_test.reshape(-1, 28, 28, 1).astype("float32") / 255
y_train = keras.utils.to_categorical(y_train, 10)
y_test = keras.utils.to_categorical(y_test, 10)
layers = keras.layers
convolutions = [
    layers.Conv2D(32, 3, activation="relu"),
    layers.MaxPooling2D(2),
    layers.Conv2D(64, 3, activation="relu"),
    layers.MaxPooling2D(2),
]
model = keras.Sequential(
    [
        keras.Input((28, 28, 1)),
        *(convolutions if network == "cnn" else []),
        layers.Flatten(),
        layers.Dense(128, activation="relu"),
        layers.Dense(10, activation="softmax"),
    ]
)
model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
began = time.perf_counter()
model.fit(x_train, y_train, epochs=epochs, batch_size=64, verbose=0)
seconds = time.perf_counter() - began
loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
print(json.dumps([seconds, accuracy]))
"""


def plain(spec: RunSpec) -> tuple[float, float]:
    """Seconds of ``fit`` and test accuracy of the plain script."""
    ran = subprocess.run(
        [sys.executable, "-c", PLAIN, spec.network, str(spec.epochs), str(spec.seed)],
        cwd=ROOT,
        env={**ENVIRONMENT, **os.environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    seconds, accuracy = json.loads(ran.stdout.splitlines()[-1])
    return seconds, accuracy


def through_worker(store: Store, spec: RunSpec) -> tuple[float, float]:
    """Seconds of ``fit`` and test accuracy of a run from the queue."""
    run_id = submit(store, spec)
    wait_for(lambda: not store.runs.get(OWNER, run_id).active, every_s=0.5)  # asking takes time from the run
    run = store.runs.get(OWNER, run_id)
    if run.state != "done" or run.summary is None:
        raise RuntimeError(f"the run ended as {run.state}: {run.reason}")
    result = RunResult.from_json(run.summary)
    assert result.test_accuracy is not None
    return result.fit_seconds, result.test_accuracy


def main() -> None:
    parser = argparse.ArgumentParser(description="Keras through the worker against plain Keras.")
    parser.add_argument("--quick", action="store_true", help="one epoch and half the turns")
    parser.add_argument("--network", choices=("cnn", "mlp"), default="cnn")
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    turns = ("AB", "BA") if given.quick else ("ABBA",)
    times: dict[str, list[float]] = {"A": [], "B": []}
    accuracies: dict[str, list[float]] = {"A": [], "B": []}
    with worker() as store:
        for seed in range(given.seeds):
            spec = RunSpec(network=given.network, epochs=1 if given.quick else 5, seed=seed)
            for turn in turns[seed % len(turns)]:
                seconds, accuracy = plain(spec) if turn == "A" else through_worker(store, spec)
                times[turn].append(seconds)
                accuracies[turn].append(accuracy)
                who = "plain " if turn == "A" else "worker"
                print(f"seed {seed}, {who}: fit {seconds:6.2f} s, test accuracy {accuracy:.4f}", flush=True)
        assert seat(store).holder() is not None, "the worker did not live through it"
    ratios = [b / a for a, b in zip(times["A"], times["B"], strict=True)]
    mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
    for who, key in (("plain", "A"), ("worker", "B")):
        mean_accuracy = sum(accuracies[key]) / len(accuracies[key])
        print(
            f"{who}: mean test accuracy {mean_accuracy:.4f}, mean fit {sum(times[key]) / len(times[key]):.2f} s"
        )
    print(
        f"worker / plain: {mean:.3f} (geometric mean of {len(ratios)} pairs, {min(ratios):.3f} to "
        f"{max(ratios):.3f}; at most {LIMIT} is promised)"
    )


if __name__ == "__main__":
    main()

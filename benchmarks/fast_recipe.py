"""The fast recipes against the usual first lesson: seconds of ``fit`` and test accuracy over seeds.

``python -m benchmarks.fast_recipe [--seeds 5] [--choose]``

The usual lesson is the plain script of ``benchmarks.training_overhead`` (two convolutions, Adam, batches
of 64, 5 epochs). Each turn is a fresh process on the same two cores; the turns of a seed follow each other
and their order rotates, so that a machine that is busy for a while is busy for all. Prints the mean test
accuracy of each recipe and how many times shorter its ``fit`` is (geometric mean over the seeds).

``--choose`` is how the recipes were chosen, without the test images: every candidate trains on 50,000 of
the training images and is scored on 5,000 others.
"""

import argparse
import json
import math
import os
import subprocess
import sys
from typing import Any

from benchmarks.training_overhead import ROOT, plain
from core.training.spec import RunSpec
from core.training.worker import ENVIRONMENT

PROMISED = {"fast": (0.992, 10.0), "fastest": (0.990, 15.0)}
"""Mean test accuracy, and how many times shorter ``fit`` is."""

CANDIDATES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("fast", {}),
    ("fast", {"learning_rate": 0.005}),
    ("fast", {"learning_rate": 0.02}),
    ("fast", {"batch_size": 128}),
    ("fast", {"momentum": 0.9, "second_moment": 0.999}),
    ("fastest", {}),
    ("fastest", {"batch_size": 128}),
    ("fastest", {"batch_size": 192}),
    ("fastest", {"learning_rate": 0.005}),
)


def recipe(preset: str, seed: int, **changed: Any) -> dict[str, Any]:
    """What ``python -m core train`` measures for a preset with settings changed, in a fresh process."""
    options = [f"--{name.replace('_', '-')}={value}" for name, value in changed.items()]
    ran = subprocess.run(
        [sys.executable, "-m", "core", "train", "--preset", preset, "--seed", str(seed), *options],
        cwd=ROOT,
        env={**ENVIRONMENT, **os.environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    measured: dict[str, Any] = json.loads(ran.stdout)
    return measured


def choose(seeds: int) -> None:
    for preset, changed in CANDIDATES:
        runs = [recipe(preset, seed, train_images=50_000, **changed) for seed in range(seeds)]
        accuracies = [run["validation_accuracy"] for run in runs]
        seconds = sum(run["fit_seconds"] for run in runs) / seeds
        print(
            f"{preset:8} {changed}: validation accuracy {sum(accuracies) / seeds:.4f} "
            f"({min(accuracies):.4f} to {max(accuracies):.4f}), fit {seconds:.2f} s",
            flush=True,
        )


def measure(seeds: int) -> None:
    seconds: dict[str, list[float]] = {"usual": [], **{preset: [] for preset in PROMISED}}
    accuracy: dict[str, list[float]] = {key: [] for key in seconds}
    turns = list(seconds)
    for seed in range(seeds):
        for turn in turns[seed % len(turns) :] + turns[: seed % len(turns)]:
            if turn == "usual":
                took, scored = plain(RunSpec(network="cnn", seed=seed))
            else:
                run = recipe(turn, seed)
                took, scored = run["fit_seconds"], run["test_accuracy"]
            seconds[turn].append(took)
            accuracy[turn].append(scored)
            print(f"seed {seed}, {turn:8}: fit {took:6.2f} s, test accuracy {scored:.4f}", flush=True)
    for turn in turns:
        said = (
            f"{turn:8}: mean test accuracy {sum(accuracy[turn]) / seeds:.4f}, least {min(accuracy[turn]):.4f}"
        )
        if turn in PROMISED:
            pairs = zip(seconds["usual"], seconds[turn], strict=True)
            times = math.exp(sum(math.log(usual / own) for usual, own in pairs) / seeds)
            least, shorter = PROMISED[turn]
            said += f", fit {times:.1f} times shorter (promised: {least:.1%} and {shorter:g} times)"
        print(said)


def main() -> None:
    parser = argparse.ArgumentParser(description="The fast recipes against the usual first lesson.")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--choose", action="store_true", help="compare candidates on a validation split")
    given = parser.parse_args()
    choose(given.seeds) if given.choose else measure(given.seeds)


if __name__ == "__main__":
    main()

"""Fitting the constants of :mod:`core.compute.roofline` to published throughput.

The constants minimise the weighted sum of a smoothed |log(predicted ÷ published)|, where a model of n
cells weighs as √n, plus ``_PULL`` times the squared log of each constant ÷ its first guess. The first
guesses are engineering figures; the pull keeps a constant that the cells cannot tell from wandering off
when a model is left out, and keeps efficiencies where hardware can reach them.

``python -m core.compute.serving_fit`` writes ``data/serving_constants.csv`` anew.
"""

import csv
from collections import Counter
from dataclasses import fields
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

from core.compute.roofline import Array, Constants, tokens_per_second
from core.compute.serving_calibration import Cells, cells, pick

# Streaming kernels reach 80 to 90 % of bandwidth, matrix products 60 %, 4-bit ones 60 % of that;
# routed products a little less. A kernel launch takes about 5 µs and a layer has about ten; two
# collectives a layer cost about 15 % for each doubling; the driver, graphs and buffers hold 4 GB.
FIRST_GUESS = Constants(
    bandwidth_efficiency=np.array(0.85),
    compute_efficiency=np.array(0.6),
    fp4_efficiency=np.array(0.6),
    expert_efficiency=np.array(0.7),
    seconds_per_layer=np.array(50e-6),
    seconds_per_token=np.array(5e-6),
    parallel_tax=np.array(0.15),
    reserve_bytes=np.array(4e9),
)
_PULL = 20.0
_SMOOTH = 0.1
_NAMES = tuple(field.name for field in fields(Constants))


def fit(known: Cells, seen: Array) -> Constants:
    """The constants of the cells where ``seen`` is true."""
    replica, published = pick(known.replica, seen), known.published[seen]
    models = [model for model, kept in zip(known.models, seen, strict=True) if kept]
    size = Counter(models)
    weight = np.array([size[model] ** -0.5 for model in models])
    weight /= weight.mean()
    guess = np.log([float(getattr(FIRST_GUESS, name)) for name in _NAMES])

    def loss(logs: Array) -> float:
        trial = Constants(*(np.array(value) for value in np.exp(logs)))
        off = np.log(tokens_per_second(replica, trial) / published)
        return float(weight @ np.sqrt(off**2 + _SMOOTH**2) + _PULL * np.sum((logs - guess) ** 2))

    found = guess
    for _ in range(2):  # Powell's directions are worth resetting once
        found = minimize(loss, found, method="Powell", options={"xtol": 1e-4, "ftol": 1e-7}).x
    return Constants(*(np.array(value) for value in np.exp(found)))


def fit_each(known: Cells) -> dict[str, Constants]:
    """The constants without each model in turn."""
    return {
        name: fit(known, np.array([model != name for model in known.models]))
        for name in dict.fromkeys(known.models)
    }


def _write() -> None:
    known = cells()
    found = {"": fit(known, np.ones(len(known.models), dtype=bool)), **fit_each(known)}
    path = Path(__file__).with_name("data") / "serving_constants.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["left_out", *_NAMES])
        for name, constants in found.items():
            writer.writerow([name, *(f"{float(getattr(constants, field)):.5g}" for field in _NAMES)])


if __name__ == "__main__":
    _write()

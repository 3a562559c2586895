"""Fitting the constants of :mod:`core.compute.finetuning_calibration`: least mean |log| of seconds.

``python -m core.compute.finetuning_fit`` writes ``data/finetuning_constants.csv`` anew.
"""

import csv
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from core.compute.finetuning_calibration import Profile, StepConstants, profiled_seconds, profiles

_NAMES = tuple(field.name for field in fields(StepConstants))
_FIRST_GUESS = StepConstants(0.55, 1e9, 5e-3, 3e-11)


def fit(rows: Sequence[Profile]) -> StepConstants:
    """The constants of ``rows``, those of full fine-tuning left aside: its steps hold the optimiser's."""
    used = [row for row in rows if row.method != "full"]
    guess = np.log([getattr(_FIRST_GUESS, name) for name in _NAMES])

    def loss(logs: NDArray[np.float64]) -> float:
        trial = StepConstants(*(float(value) for value in np.exp(logs)))
        return float(np.mean([abs(np.log(profiled_seconds(row, trial) / row.seconds)) for row in used]))

    found = guess
    for _ in range(3):
        found = minimize(loss, found, method="Nelder-Mead", options={"xatol": 1e-5, "fatol": 1e-8}).x
    return StepConstants(*(float(value) for value in np.exp(found)))


def _write() -> None:
    rows = profiles()
    path = Path(__file__).with_name("data") / "finetuning_constants.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["left_out", *_NAMES])
        for name in ("", *dict.fromkeys(row.model.name for row in rows)):
            found = fit([row for row in rows if row.model.name != name])
            writer.writerow([name, *(f"{getattr(found, field):.5g}" for field in _NAMES)])


if __name__ == "__main__":
    _write()

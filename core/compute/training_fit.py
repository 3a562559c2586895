"""Fitting the constants of :mod:`core.compute.training_calibration`.

Median regression: the constants minimise the sum of |log(published ÷ predicted)|, so that one run
with a bad month does not move them. A family of n models weighs as √n models, because its runs share
code and habits, and a run whose length its publisher only rounds ("about two months") counts half.

Published runs are few and hardware, year and developer change together in them. So what benchmarks
measured side by side is a prior: what an H100, 40 GB, routing and thin work do to utilisation
with all else equal (``data/training_benchmarks.csv``). A run may differ from a benchmark in these by
about ``_MEASURED``; where nothing was measured (``other``) by ``_UNMEASURED``, from nought.

``python -m core.compute.training_fit`` writes ``data/training_constants.csv`` anew.
"""

import csv
import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from core.compute.tables import Row, table
from core.compute.training_calibration import Array, Run, TrainingConstants, published_runs

# Standard deviations on the scale of log MFU: of a run around its prediction, of a constant around
# its benchmark, of a constant without one. ``thin`` was measured twice, at a fixed model (-0.03 per
# e-fold) and with a model that grows with the cluster (-0.09): half their difference.
_RUN, _MEASURED, _UNMEASURED, _PER_EFOLD = 0.3, 0.1, 0.2, 0.03

# Residuals below this are as good as none: it keeps the weights of the regression finite.
_SMALLEST = 0.05
_ROUNDS = 60


def fit(runs: Sequence[Run]) -> TrainingConstants:
    """The constants of ``runs``, by iteratively reweighted least squares."""
    prior, width = priors()
    design = np.array([run.covariates for run in runs])
    target = np.array([math.log(run.mfu) for run in runs])
    weight = _weights(runs)
    pull = np.diag([0.0, *((_RUN / width[1:]) ** 2)])
    found = prior.copy()
    found[0] = np.median(target - design[:, 1:] @ prior[1:])
    for _ in range(_ROUNDS):
        residual = np.abs(target - design @ found)
        row = weight * _RUN / np.maximum(residual, _SMALLEST)
        normal = design.T @ (design * row[:, None]) + pull
        found = np.linalg.solve(normal, design.T @ (row * target) + pull @ prior)
    return TrainingConstants(*(float(value) for value in found))


def priors() -> tuple[Array, Array]:
    """Mean and standard deviation of each constant before a run was seen; the base has none."""
    benchmarks = table("training_benchmarks")
    best: dict[tuple[str, str, str], float] = defaultdict(float)
    for row in benchmarks:
        key = (row["accelerator"], row["model"], row["sequence_length"])
        best[key] = max(best[key], float(row["mfu"]))

    def against(accelerator: str) -> float:
        """The median of log(MFU on ``accelerator`` ÷ MFU on an A100 of 80 GB) of the same work."""
        pairs = [
            math.log(mfu / best[("A100 SXM 80GB", model, length)])
            for (name, model, length), mfu in best.items()
            if name == accelerator and ("A100 SXM 80GB", model, length) in best
        ]
        return float(np.median(pairs))

    dense = {row["accelerator"]: float(row["mfu"]) for row in benchmarks if row["model"] == "Llama 2 70B"}
    routed = [math.log(float(r["mfu"]) / dense[r["accelerator"]]) for r in benchmarks if r["kind"] == "moe"]
    thin = [
        _slope([row for row in benchmarks if row["model"] == "GPT-3 175B"]),
        _slope([row for row in benchmarks if row["source"].startswith("Narayanan")]),
    ]
    mean = [
        0.0,
        against("H100 SXM"),
        against("A100 SXM 40GB"),
        0.0,
        float(np.median(routed)),
        float(np.mean(thin)),
    ]
    return np.array(mean), np.array([np.inf, _MEASURED, _MEASURED, _UNMEASURED, _MEASURED, _PER_EFOLD])


def _slope(rows: Sequence[Row]) -> float:
    """By how much log MFU rises per e-fold of accelerators per parameter."""
    spread = [math.log(float(row["accelerators"]) / float(row["parameters"])) for row in rows]
    return float(np.polyfit(spread, [math.log(float(row["mfu"])) for row in rows], 1)[0])


def fit_each(runs: Sequence[Run], without: str) -> dict[str, TrainingConstants]:
    """The constants without each group of runs in turn; ``without`` is "lineage" or "house"."""
    groups = dict.fromkeys(getattr(run.record, without) for run in runs)
    return {group: fit([run for run in runs if getattr(run.record, without) != group]) for group in groups}


def _weights(runs: Sequence[Run]) -> Array:
    size = Counter(run.record.lineage for run in runs)
    half = np.where([run.record.rounded for run in runs], 0.5, 1.0)
    return np.array([size[run.record.lineage] ** -0.5 for run in runs]) * half


def _write() -> None:
    runs = published_runs()
    path = Path(__file__).with_name("data") / "training_constants.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        found = fit(runs)
        writer.writerow(["without", "name", *asdict(found)])
        writer.writerow(["none", "", *_values(found)])
        for without in ("lineage", "house"):
            for name, found in fit_each(runs, without).items():
                writer.writerow([without, name, *_values(found)])


def _values(found: TrainingConstants) -> list[str]:
    return [f"{value:.6f}" for value in asdict(found).values()]


if __name__ == "__main__":
    _write()

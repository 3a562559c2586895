"""What the recommender is worth: its error on the ratings kept for the test, against what needs no network.

``python -m benchmarks.ratings [--seeds 3] [--choose]``

Prints root mean squared error (in points of 1 to 5) and R² of

- always saying the mean of the training ratings;
- the additive model: mean + a number for the student + one for the lecturer, by ridge regression, the strength
  of which is chosen on a tenth of the training ratings kept back;
- the preset "ratings" on all training ratings, for several seeds.

``--choose`` is how the preset was chosen, without the test: candidates train on 52,863 of the training ratings
and are scored on 5,000 others, among them one that sees student and lecturer alone (matrix factorisation).
"""

import argparse
import contextlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from unittest import mock

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, identity
from scipy.sparse.linalg import spsolve

from core.training import datasets
from core.training.command import silent, spec_of
from core.training.spec import RunSpec, most_watched

STRENGTHS = (2.0, 4.0, 8.0, 10.0, 12.0, 16.0)

CANDIDATES: tuple[tuple[str, dict[str, Any], tuple[int, int], int], ...] = (
    # What differs, its settings, how firmly vectors and biases are held, columns that are seen.
    ("as the preset", {}, (40, 10), 6),
    ("student and lecturer alone", {}, (40, 10), 2),
    ("student and lecturer alone, held less", {}, (10, 10), 2),
    ("without ages and department", {}, (40, 10), 3),
    ("vectors held less", {}, (20, 10), 6),
    ("vectors held more", {}, (80, 10), 6),
    ("biases held less", {}, (40, 5), 6),
    ("biases held more", {}, (40, 20), 6),
    ("hardly held", {}, (1, 1), 6),
    ("width 4", {"width": 4}, (40, 10), 6),
    ("width 16", {"width": 16}, (40, 10), 6),
    ("5 epochs", {"epochs": 5}, (40, 10), 6),
    ("20 epochs", {"epochs": 20}, (40, 10), 6),
    ("learning rate 0.005", {"learning_rate": 0.005}, (40, 10), 6),
    ("learning rate 0.02", {"learning_rate": 0.02}, (40, 10), 6),
)


def additive(
    rows: NDArray[Any], answers: NDArray[Any], asked: NDArray[Any], strength: float
) -> NDArray[np.float64]:
    """What ridge regression on student and lecturer says to the rows ``asked``."""

    def table(given: NDArray[Any]) -> csr_matrix:
        names = given[:, :2].astype(int)
        at = np.repeat(np.arange(len(names)), 2)
        return csr_matrix((np.ones(2 * len(names)), (at, names.ravel())), (len(names), width))

    width = int(max(rows[:, :2].max(), asked[:, :2].max())) + 1
    seen, mean = table(rows), float(answers.mean())
    weights = spsolve((seen.T @ seen + strength * identity(width)).tocsc(), seen.T @ (answers - mean))
    said: NDArray[np.float64] = mean + table(asked) @ weights
    return said


def told(name: str, said: Any, truth: NDArray[Any], unit: float) -> None:
    squared = float(np.mean(np.square(said - truth)))
    print(f"{name:40s} RMSE {unit * squared**0.5:.4f}   R² {1 - squared / float(np.var(truth)):.4f}")


@contextlib.contextmanager
def seen(columns: int, held: tuple[int, int]) -> Iterator[None]:
    """The first so many columns known to the network, its numbers held towards zero so firmly."""
    examples = datasets.load("ratings")
    known = np.arange(examples.train.shape[1]) < columns
    cut = replace(examples, train=examples.train * known, test=examples.test * known)
    with (
        mock.patch("core.training.run.load", return_value=cut),
        mock.patch("core.training.networks.HELD_VECTORS", held[0]),
        mock.patch("core.training.networks.HELD_BIASES", held[1]),
    ):
        yield


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--choose", action="store_true")
    chosen = parser.parse_args()
    with silent():
        from core.training import run

    examples = datasets.load("ratings")
    assert examples.encoding is not None
    unit = examples.encoding.target.std
    base: RunSpec = spec_of("ratings", {"dataset": "ratings"})
    fitted = replace(base, train_images=most_watched(base.data.train_images))
    train, kept_back = run.split(fitted, examples)
    rows, labels = examples.train, examples.train_labels
    if chosen.choose:
        for name, settings, held, columns in CANDIDATES:
            errors = []
            for seed in range(chosen.seeds):
                with seen(columns, held):
                    loss = run.train(replace(fitted, seed=seed, **settings)).validation_loss
                errors.append(unit * (loss or 0.0) ** 0.5)
            print(f"{name:40s} validation RMSE {np.mean(errors):.4f} ± {np.std(errors):.4f}", flush=True)
        return
    tried = [
        np.mean(np.square(additive(rows[train], labels[train], rows[kept_back], s) - labels[kept_back]))
        for s in STRENGTHS
    ]
    best = STRENGTHS[int(np.argmin(tried))]
    told("the mean", labels.mean(), examples.test_labels, unit)
    said = additive(rows, labels, examples.test, best)
    told(f"student + lecturer, ridge {best:g}", said, examples.test_labels, unit)
    for seed in range(chosen.seeds):
        result = run.train(replace(base, seed=seed))
        print(
            f"{f'preset, seed {seed}':40s} RMSE {result.test_rmse:.4f}   R² {result.test_r2:.4f}", flush=True
        )


if __name__ == "__main__":
    main()

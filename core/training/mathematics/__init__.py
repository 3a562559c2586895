"""The mathematics behind the training settings, small enough to be checked by hand.

Three questions of anyone who sets up a training run, each answered by a file of plain formulas:

- What does one unit do with its input? :mod:`~core.training.mathematics.activations`
- How is a wrong answer punished? :mod:`~core.training.mathematics.losses`
- How do the weights move downhill? :mod:`~core.training.mathematics.optimisers`, tried out on the
  :mod:`~core.training.mathematics.surfaces`

What follows from it for the choice of settings is one table, :mod:`~core.training.mathematics.advice`.

Nothing here trains a network and nothing needs Keras; the optimisers nevertheless take the same
steps as Keras 3, number for number. What is shown with a formula (its LaTeX, its sentence, its
reference) stands beside the code that computes it.
"""

from core.training.mathematics.activations import ACTIVATIONS, Activation, softmax, softmax_slopes
from core.training.mathematics.advice import ADVICE, SOURCES, Advice
from core.training.mathematics.losses import LOSSES, Loss, Verdict, how_much_harder
from core.training.mathematics.optimisers import (
    MOST_STEPS,
    OPTIMISERS,
    RATES,
    Optimiser,
    Path,
    Settings,
    descend,
    descend_at_best_rate,
)
from core.training.mathematics.surfaces import SURFACES, Surface

__all__ = [
    "ACTIVATIONS",
    "ADVICE",
    "LOSSES",
    "MOST_STEPS",
    "OPTIMISERS",
    "RATES",
    "SOURCES",
    "SURFACES",
    "Activation",
    "Advice",
    "Loss",
    "Optimiser",
    "Path",
    "Settings",
    "Surface",
    "Verdict",
    "descend",
    "descend_at_best_rate",
    "how_much_harder",
    "softmax",
    "softmax_slopes",
]

r"""Optimisers: six rules that turn a slope into a step.

Each rule works on one weight at a time: from the gradient :math:`g_t` and what it remembers it
gives the change of the weight :math:`\theta`. They are the published rules in the form in which
Keras 3 computes them (``keras.optimizers``), and give Keras's numbers step for step. The places
where a form had to be chosen:

- Momentum keeps the rate inside the velocity, ``v ← βv − ηg``, ``θ ← θ + v`` (Polyak's heavy ball;
  for a constant rate the same path as ``v ← βv + g``, ``θ ← θ − ηv``).
- Nesterov looks ahead in the rewritten form of Sutskever et al., whose :math:`\theta` is the point
  looked ahead to: ``θ ← θ + βv − ηg``.
- Adagrad's sum of squares starts at 0.1, Keras's default; Duchi et al. start at 0.
- Adagrad and RMSprop add ε inside the root, :math:`\sqrt{v + \varepsilon}`. Adam adds it outside,
  in the form before section 2.1 of Kingma & Ba ("epsilon hat"). ε is 1e-7 everywhere.

Public names: :data:`OPTIMISERS`, :class:`Optimiser`, :class:`Settings`, :func:`descend`,
:func:`descend_at_best_rate`, :class:`Path`, :data:`RATES`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from core.i18n import Refusal, Text
from core.training.mathematics.surfaces import Surface

EPSILON = 1e-7
"""Keras's default for Adagrad, RMSprop and Adam; Kingma & Ba suggest 1e-8."""
FIRST_ACCUMULATOR = 0.1
"""Adagrad's sum of squares before the first step (``initial_accumulator_value`` in Keras)."""
RATES = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
"""The learning rates of the slider, and those among which the best one is looked for."""
MOST_STEPS = 300
"""Enough to see where a descent is going, and quick enough to follow a finger on the slider."""
ESCAPED = 1e6
"""A weight beyond this is taken to have left for good: it is a hundred thousand maps away."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What can be set on an optimiser. The defaults are Keras's; momentum's is the usual 0.9."""

    learning_rate: float
    momentum: float = 0.9
    """β of momentum and Nesterov."""
    rho: float = 0.9
    """RMSprop's memory of squared gradients."""
    beta_1: float = 0.9
    """Adam's memory of gradients."""
    beta_2: float = 0.999
    """Adam's memory of squared gradients."""

    def __post_init__(self) -> None:
        if not (0 < self.learning_rate <= 10):
            raise Refusal(
                "The learning rate is {value}; it has to be above 0 and at most 10.", value=self.learning_rate
            )
        for field, value in (
            (Text("momentum β", "动量 β"), self.momentum),
            (Text("RMSprop ρ", "RMSprop ρ"), self.rho),
            (Text("Adam β₁", "Adam β₁"), self.beta_1),
            (Text("Adam β₂", "Adam β₂"), self.beta_2),
        ):
            if not 0 <= value < 1:
                raise Refusal(
                    "The setting {field} is {value}; it has to be from 0 up to, but not including, 1.",
                    field=field,
                    value=value,
                )


Rule = Callable[[float, float, float, int, Settings], tuple[float, float, float]]
"""(gradient, memory 1, memory 2, step from 1, settings) → (change of the weight, memory 1, memory 2)."""


@dataclass(frozen=True, slots=True)
class Optimiser:
    """One rule, with its formula and its source."""

    key: str
    name: Text
    formula: str
    """LaTeX of one step, rows separated by ``\\\\``."""
    meaning: Text
    reference: str
    """Markdown."""
    uses: tuple[str, ...]
    """The fields of :class:`Settings` it reads, apart from the rate."""
    memory: tuple[float, float]
    """What it remembers before the first step."""
    rule: Rule


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """Where a descent went. Both arrays are finite, however badly it ended."""

    optimiser: Optimiser
    learning_rate: float
    positions: NDArray[np.float64]
    """Weights, shape (steps + 1, 2); row 0 is the start. Ends before the step that escaped."""
    gaps: NDArray[np.float64]
    """Loss above the lowest point of the surface at each position, shape (steps + 1,)."""
    diverged_at: int | None
    """The step at which a weight went beyond :data:`ESCAPED`; None if that did not happen."""

    @property
    def steps(self) -> int:
        """How many steps were taken."""
        return len(self.positions) - 1

    @property
    def end(self) -> float:
        """The gap after the last step; infinite when the descent diverged."""
        return math.inf if self.diverged_at else float(self.gaps[-1])

    def first(self, steps: int) -> "Path":
        """The path as it stood after ``steps`` steps."""
        diverged_at = self.diverged_at if self.diverged_at and self.diverged_at <= steps else None
        kept = slice(0, steps + 1)
        return replace(self, positions=self.positions[kept], gaps=self.gaps[kept], diverged_at=diverged_at)

    def steps_on_map(self, surface: Surface) -> int:
        """How many steps can be drawn: those before the first one that is half a map off the map."""
        left, right, bottom, top = surface.widened(0.5)
        x, y = self.positions.T
        off = np.flatnonzero((x < left) | (x > right) | (y < bottom) | (y > top))
        return int(off[0]) - 1 if off.size else self.steps

    def steps_to(self, share: float) -> int | None:
        """The first step at which the gap is at most ``share`` of that at the start; None if never."""
        reached = np.flatnonzero(self.gaps <= share * self.gaps[0])
        return int(reached[0]) if reached.size else None


def descend(surface: Surface, optimiser: Optimiser, settings: Settings, steps: int) -> Path:
    """Let ``optimiser`` take ``steps`` steps (1 to 300) on ``surface``, with exact gradients."""
    _check_steps(steps)
    gradient, rule = surface.gradient, optimiser.rule
    (x, y), (x1, x2), (y1, y2) = surface.start, optimiser.memory, optimiser.memory
    positions, diverged_at = [(x, y)], None
    # Plain floats: on two numbers an array's overhead would be thirty times the arithmetic.
    for step in range(1, steps + 1):
        along_x, along_y = gradient(x, y)
        dx, x1, x2 = rule(along_x, x1, x2, step, settings)
        dy, y1, y2 = rule(along_y, y1, y2, step, settings)
        x, y = x + dx, y + dy
        if not (abs(x) <= ESCAPED and abs(y) <= ESCAPED):  # also true for NaN
            diverged_at = step
            break
        positions.append((x, y))
    trail = np.asarray(positions, dtype=np.float64)
    gaps = surface.gap(trail[:, 0], trail[:, 1])
    trail.setflags(write=False)
    gaps.setflags(write=False)
    return Path(optimiser, settings.learning_rate, trail, gaps, diverged_at)


def descend_at_best_rate(surface: Surface, optimiser: Optimiser, settings: Settings, steps: int) -> Path:
    """The descent that ends lowest among all :data:`RATES`, the fair way to compare optimisers.

    ``settings.learning_rate`` is not looked at. If all diverge, the one at the smallest rate is given.
    """
    _check_steps(steps)
    read = {field: getattr(settings, field) for field in optimiser.uses}
    tries = _at_all_rates(surface, optimiser, Settings(1.0, **read))
    return min((path.first(steps) for path in tries), key=lambda path: path.end)


@lru_cache(maxsize=64)
def _at_all_rates(surface: Surface, optimiser: Optimiser, settings: Settings) -> tuple[Path, ...]:
    """The longest descent at each rate; kept, as a slider over the steps asks for the same ones again."""
    return tuple(
        descend(surface, optimiser, replace(settings, learning_rate=rate), MOST_STEPS) for rate in RATES
    )


def _check_steps(steps: int) -> None:
    if not 1 <= steps <= MOST_STEPS:
        raise Refusal(
            "The number of steps is {value}; it has to be from 1 to {most}.", value=steps, most=MOST_STEPS
        )


def _sgd(g: float, _1: float, _2: float, _t: int, s: Settings) -> tuple[float, float, float]:
    return -s.learning_rate * g, 0.0, 0.0


def _momentum(g: float, v: float, _2: float, _t: int, s: Settings) -> tuple[float, float, float]:
    v = s.momentum * v - s.learning_rate * g
    return v, v, 0.0


def _nesterov(g: float, v: float, _2: float, _t: int, s: Settings) -> tuple[float, float, float]:
    v = s.momentum * v - s.learning_rate * g
    return s.momentum * v - s.learning_rate * g, v, 0.0


def _adagrad(g: float, total: float, _2: float, _t: int, s: Settings) -> tuple[float, float, float]:
    total += g * g
    return -s.learning_rate * g / math.sqrt(total + EPSILON), total, 0.0


def _rmsprop(g: float, v: float, _2: float, _t: int, s: Settings) -> tuple[float, float, float]:
    v = s.rho * v + (1 - s.rho) * g * g
    return -s.learning_rate * g / math.sqrt(v + EPSILON), v, 0.0


def _adam(g: float, m: float, v: float, t: int, s: Settings) -> tuple[float, float, float]:
    m += (g - m) * (1 - s.beta_1)
    v += (g * g - v) * (1 - s.beta_2)
    rate = s.learning_rate * math.sqrt(1 - s.beta_2**t) / (1 - s.beta_1**t)
    return -rate * m / (math.sqrt(v) + EPSILON), m, v


_NOTHING = (0.0, 0.0)

_ALL = (
    Optimiser(
        "sgd",
        Text("SGD", "SGD"),
        r"\theta \leftarrow \theta - \eta\, g_t",
        Text("One step straight downhill, as long as the slope is steep.", "径直下坡一步，坡越陡步子越大。"),
        "[Robbins & Monro 1951](https://doi.org/10.1214/aoms/1177729586)",
        (),
        _NOTHING,
        _sgd,
    ),
    Optimiser(
        "momentum",
        Text("Momentum", "动量"),
        r"v \leftarrow \beta v - \eta\, g_t \\ \theta \leftarrow \theta + v",
        Text(
            "A heavy ball: it keeps its speed where the slope stays the same and averages out where it "
            "flips.",
            "像一个沉重的球：坡向不变就保持速度，坡向来回翻转就互相抵消。",
        ),
        "[Polyak 1964](https://doi.org/10.1016/0041-5553(64)90137-5)",
        ("momentum",),
        _NOTHING,
        _momentum,
    ),
    Optimiser(
        "nesterov",
        Text("Nesterov", "Nesterov"),
        r"v \leftarrow \beta v - \eta\, g_t \\ \theta \leftarrow \theta + \beta v - \eta\, g_t",
        Text(
            "Momentum that looks one step ahead and therefore brakes earlier.",
            "会向前看一步的动量，因此刹车更早。",
        ),
        "Nesterov 1983, in the form of "
        "[Sutskever et al. 2013](https://proceedings.mlr.press/v28/sutskever13.html)",
        ("momentum",),
        _NOTHING,
        _nesterov,
    ),
    Optimiser(
        "adagrad",
        Text("Adagrad", "Adagrad"),
        r"G \leftarrow G + g_t^2, \quad G_0 = 0.1 \\ "
        r"\theta \leftarrow \theta - \frac{\eta\, g_t}{\sqrt{G + \varepsilon}}",
        Text(
            "Each weight has its own step, which only ever shrinks: good for rare features, slow in long "
            "runs.",
            "每个权重都有自己的步长，而且只会越来越小：适合稀有特征，长时间训练会变慢。",
        ),
        "[Duchi, Hazan & Singer 2011](https://jmlr.org/papers/v12/duchi11a.html)",
        (),
        (FIRST_ACCUMULATOR, 0.0),
        _adagrad,
    ),
    Optimiser(
        "rmsprop",
        Text("RMSprop", "RMSprop"),
        r"v \leftarrow \rho v + (1 - \rho)\, g_t^2 \\ "
        r"\theta \leftarrow \theta - \frac{\eta\, g_t}{\sqrt{v + \varepsilon}}",
        Text(
            "Adagrad that forgets: each weight's step follows its recent slopes, so it does not run dry.",
            "会遗忘的 Adagrad：每个权重的步长只看最近的坡度，因此不会越走越小。",
        ),
        "[Tieleman & Hinton 2012, lecture 6e]"
        "(https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf)",
        ("rho",),
        _NOTHING,
        _rmsprop,
    ),
    Optimiser(
        "adam",
        Text("Adam", "Adam"),
        r"m \leftarrow \beta_1 m + (1 - \beta_1)\, g_t \\ "
        r"v \leftarrow \beta_2 v + (1 - \beta_2)\, g_t^2 \\[4pt] "
        r"\hat m = \frac{m}{1 - \beta_1^t}, \quad \hat v = \frac{v}{1 - \beta_2^t} \\[4pt] "
        r"\theta \leftarrow \theta - \frac{\eta\, \hat m}{\sqrt{\hat v} + \varepsilon_t}, \quad "
        r"\varepsilon_t = \frac{\hat\varepsilon}{\sqrt{1 - \beta_2^t}}",
        Text(
            "Momentum and a step per weight together, corrected for the cold start: it works almost anywhere "
            "without tuning.",
            "动量加上每个权重自己的步长，并修正冷启动偏差：几乎不用调参，到处都能用。",
        ),
        "[Kingma & Ba 2015](https://arxiv.org/abs/1412.6980)",
        ("beta_1", "beta_2"),
        _NOTHING,
        _adam,
    ),
)

OPTIMISERS: dict[str, Optimiser] = {optimiser.key: optimiser for optimiser in _ALL}
"""The optimisers by key, in the order they are shown."""

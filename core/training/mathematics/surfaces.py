"""Loss surfaces: landscapes of two weights on which the optimisers are let loose.

A real network has millions of weights and its landscape cannot be drawn. These five have two, and
each shows one difficulty that real ones have too: different steepness by direction, a curved valley,
a plateau, a saddle, a second-best minimum.

Every surface is a polynomial, so that its functions serve plain floats (a single step, fast) and
NumPy arrays (the map) alike, and its gradient is exact.

Public names: :data:`SURFACES`, :class:`Surface`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.i18n import Text

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Surface:
    """A loss of two weights, without unit, and the place where every descent on it starts."""

    key: str
    name: Text
    formula: str
    """LaTeX, rows separated by ``\\\\``."""
    lesson: Text
    """What it shows, in a plain sentence or two."""
    reference: str
    """Source as Markdown; empty where the surface is our own."""
    start: tuple[float, float]
    frame: tuple[float, float, float, float]
    """The part that is drawn: left, right, bottom, top."""
    minima: tuple[tuple[float, float], ...]
    """All local minima; the lowest one first."""
    lowest: float
    """The loss at ``minima[0]``."""
    learning_rate: float
    """A rate (one of the slider's) at which the comparison is instructive."""
    value: Callable[[Any, Any], Any]
    """Loss at (x, y); floats or arrays of one shape."""
    gradient: Callable[[Any, Any], tuple[Any, Any]]
    """Both partial derivatives at (x, y)."""

    def gap(self, x: Array, y: Array) -> Array:
        """Loss above the lowest point, never negative (rounding near the minimum is cut off)."""
        return np.maximum(np.asarray(self.value(x, y), dtype=np.float64) - self.lowest, 0.0)

    def map(self, points: int = 56) -> tuple[Array, Array, Array]:
        """The frame as a grid: x ``(points,)``, y ``(points,)``, gap ``(points, points)``, a row per y."""
        left, right, bottom, top = self.frame
        x, y = np.linspace(left, right, points), np.linspace(bottom, top, points)
        return x, y, self.gap(*np.meshgrid(x, y))

    def widened(self, share: float) -> tuple[float, float, float, float]:
        """The frame, wider on each side by ``share`` of its width and height."""
        left, right, bottom, top = self.frame
        wide, high = share * (right - left), share * (top - bottom)
        return left - wide, right + wide, bottom - high, top + high


STEEPNESS = 20.0
"""How many times steeper the bowl is across than along: the condition number of its Hessian."""


def _bowl(x: Any, y: Any) -> Any:
    return 0.5 * (x * x + STEEPNESS * y * y)


def _bowl_gradient(x: Any, y: Any) -> tuple[Any, Any]:
    return x, STEEPNESS * y


def _rosenbrock(x: Any, y: Any) -> Any:
    a, b = 1 - x, y - x * x
    return a * a + 100 * b * b


def _rosenbrock_gradient(x: Any, y: Any) -> tuple[Any, Any]:
    b = y - x * x
    return -2 * (1 - x) - 400 * x * b, 200 * b


def _beale(x: Any, y: Any) -> Any:
    a, b, c = 1.5 - x * (1 - y), 2.25 - x * (1 - y * y), 2.625 - x * (1 - y * y * y)
    return a * a + b * b + c * c


def _beale_gradient(x: Any, y: Any) -> tuple[Any, Any]:
    a, b, c = 1.5 - x * (1 - y), 2.25 - x * (1 - y * y), 2.625 - x * (1 - y * y * y)
    along_x = -2 * (a * (1 - y) + b * (1 - y * y) + c * (1 - y * y * y))
    return along_x, 2 * x * (a + 2 * b * y + 3 * c * y * y)


def _saddle(x: Any, y: Any) -> Any:
    b = y * y - 1
    return x * x + 0.5 * b * b


def _saddle_gradient(x: Any, y: Any) -> tuple[Any, Any]:
    return 2 * x, 2 * y * (y * y - 1)


def _two_minima(x: Any, y: Any) -> Any:
    a, b = x * x - 1, y - 0.5 * x
    return a * a + 0.3 * x + b * b


def _two_minima_gradient(x: Any, y: Any) -> tuple[Any, Any]:
    b = y - 0.5 * x
    return 4 * x * (x * x - 1) + 0.3 - b, 2 * b


# The two minima of the last surface: y = x/2 and the outer roots of 4x³ - 4x + 0.3.
_DEEP, _SHALLOW = (float(root) for root in np.sort(np.roots([4.0, 0.0, -4.0, 0.3]).real)[[0, 2]])

_ALL = (
    Surface(
        "bowl",
        Text("Long bowl", "狭长的碗"),
        r"f(x, y) = \tfrac12\,(x^2 + 20\,y^2)",
        Text(
            "Steep one way, flat the other. Plain SGD must keep its rate below 2/20 = 0.1 or it bounces out "
            "of the steep direction, and then it crawls along the flat one. Momentum is the cure.",
            "一个方向陡，另一个方向平。普通 SGD 的学习率必须小于 2/20 = 0.1，否则会沿陡的方向弹出去；"
            "而这样一来，它在平的方向上又只能爬行。动量正是解药。",
        ),
        "",
        (-4.0, 1.5),
        (-5.0, 3.0, -2.0, 2.0),
        ((0.0, 0.0),),
        0.0,
        0.03,
        _bowl,
        _bowl_gradient,
    ),
    Surface(
        "rosenbrock",
        Text("Rosenbrock's valley", "Rosenbrock 山谷"),
        r"f(x, y) = (1 - x)^2 + 100\,(y - x^2)^2",
        Text(
            "Finding the valley is easy; following its bend to the star is hard. Patience, or a method that "
            "keeps its speed.",
            "找到山谷很容易，沿着弯道走到星号处却很难：要么有耐心，要么用能保持速度的方法。",
        ),
        "[Rosenbrock 1960](https://doi.org/10.1093/comjnl/3.3.175)",
        (-1.2, 1.0),
        (-2.0, 2.0, -1.0, 3.0),
        ((1.0, 1.0),),
        0.0,
        0.001,
        _rosenbrock,
        _rosenbrock_gradient,
    ),
    Surface(
        "beale",
        Text("Beale's plateau", "Beale 高原"),
        r"f(x, y) = (1.5 - x + xy)^2 + (2.25 - x + xy^2)^2 \\ {} + (2.625 - x + xy^3)^2",
        Text(
            "A flat plateau between steep walls. Raise the rate to 0.1: SGD and momentum are thrown out by "
            "the walls, while Adagrad and Adam, which scale each weight's step, are not.",
            "陡壁之间是一片平坦的高原。把学习率调到 0.1：SGD 和动量会被陡壁抛出去，"
            "而为每个权重单独缩放步长的 Adagrad 和 Adam 不会。",
        ),
        "Beale 1958; start: [Moré, Garbow & Hillstrom 1981](https://doi.org/10.1145/355934.355936)",
        (1.0, 1.0),
        (-0.5, 4.0, -1.5, 1.5),
        ((3.0, 0.5),),
        0.0,
        0.01,
        _beale,
        _beale_gradient,
    ),
    Surface(
        "saddle",
        Text("Saddle", "鞍点"),
        r"f(x, y) = x^2 + \tfrac12\,(y^2 - 1)^2",
        Text(
            "In the middle the ground is level without being the lowest point. The slope there is almost "
            "zero, so plain SGD lingers; most flat spots of large networks are of this kind.",
            "中间的地面是平的，却不是最低点。那里的坡度几乎为零，普通 SGD 会滞留很久；"
            "大型网络里的平坦处大多属于这一类。",
        ),
        "[Dauphin et al. 2014](https://arxiv.org/abs/1406.2572)",
        (-1.5, 0.01),
        (-2.0, 1.0, -1.6, 1.6),
        ((0.0, 1.0), (0.0, -1.0)),
        0.0,
        0.03,
        _saddle,
        _saddle_gradient,
    ),
    Surface(
        "two_minima",
        Text("Two minima", "两个最低点"),
        r"f(x, y) = (x^2 - 1)^2 + 0.3\,x + (y - \tfrac{x}{2})^2",
        Text(
            "The nearer valley is not the deeper one. In small steps straight downhill one stops in the "
            "first valley; with momentum or a larger rate, one may roll on into the better one or miss both.",
            "较近的山谷不是较深的那个。小步径直下坡，会停在遇到的第一个山谷；"
            "带上动量或加大学习率，可能滚进更好的那个，也可能两个都错过。",
        ),
        "",
        (1.9, -0.5),
        (-2.2, 2.2, -1.6, 1.6),
        ((_DEEP, _DEEP / 2), (_SHALLOW, _SHALLOW / 2)),
        float(_two_minima(_DEEP, _DEEP / 2)),
        0.03,
        _two_minima,
        _two_minima_gradient,
    ),
)

SURFACES: dict[str, Surface] = {surface.key: surface for surface in _ALL}
"""The surfaces by key, in the order they are shown."""

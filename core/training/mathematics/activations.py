r"""Activations: the bend each unit puts on its input, and how much of a correction it lets back through.

A layer computes a weighted sum :math:`x` and hands on :math:`a(x)`. Training works backwards: the
correction that arrives from above is multiplied by the slope :math:`a'(x)` at every layer it passes.
A slope of 1 lets it through whole, a slope of 0 stops it. That product is why deep networks moved
from sigmoid (slope at most 1/4) to ReLU (slope 1).

Public names: :data:`ACTIVATIONS`, :class:`Activation`, :func:`softmax`, :func:`softmax_slopes`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtr

from core.i18n import Refusal, Text

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Activation:
    """One activation: its curve, its slope, and what they mean in practice."""

    key: str
    name: Text
    definition: str
    """LaTeX of :math:`a(x)`."""
    derivative: str
    """LaTeX of :math:`a'(x)`."""
    meaning: Text
    """One plain sentence for whoever has to choose."""
    reference: str
    """Where it was published, as Markdown."""
    curve: Callable[[Array], Array]
    """:math:`a`, element by element, for an array of any shape."""
    slope: Callable[[Array], Array]
    """:math:`a'`, element by element; at a kink that of the negative side, as in TensorFlow."""

    def at(self, x: float) -> tuple[float, float]:
        """Value and slope for one input ``x``. Raises :class:`Refusal` unless ``x`` is finite."""
        if not math.isfinite(x):
            raise Refusal("The input x is {value}; it has to be a finite number.", value=x)
        point = np.asarray(x, dtype=np.float64)
        return float(self.curve(point)), float(self.slope(point))

    def through_layers(self, x: float, layers: int) -> float:
        """The share of a correction left after ``layers`` such units in a row, all at input ``x``.

        The activations' part only, :math:`a'(x)^n`; the weights multiply too and may make up for it.
        """
        if layers < 1:
            raise Refusal("The number of layers is {value}; it has to be 1 or more.", value=layers)
        return float(self.at(x)[1] ** layers)


def softmax(scores: Array) -> Array:
    r"""Probabilities from scores, :math:`p_k = e^{z_k} / \sum_j e^{z_j}`, over the last axis.

    The largest score is subtracted first: the result is the same and nothing overflows.
    """
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True), dtype=np.float64)


def softmax_slopes(scores: Array) -> Array:
    r"""How each probability answers each score: :math:`\partial p_k / \partial z_j = p_k(\delta_{kj} - p_j)`.

    For scores of shape ``(n,)``; the result has shape ``(n, n)``, rows are probabilities.
    """
    p = softmax(scores)
    return np.asarray(np.diag(p) - np.outer(p, p), dtype=np.float64)


LEAK = 0.2
"""Slope of leaky ReLU below zero: the default of ``keras.activations.leaky_relu``; Maas et al. used 0.01."""


def _relu(x: Array) -> Array:
    return np.maximum(x, 0.0)


def _relu_slope(x: Array) -> Array:
    return np.where(x > 0, 1.0, 0.0)


def _leaky_relu(x: Array) -> Array:
    return np.where(x > 0, x, LEAK * x)


def _leaky_relu_slope(x: Array) -> Array:
    return np.where(x > 0, 1.0, LEAK)


def _gelu(x: Array) -> Array:
    return np.asarray(x * ndtr(x), dtype=np.float64)


def _gelu_slope(x: Array) -> Array:
    density = np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)
    return np.asarray(ndtr(x) + x * density, dtype=np.float64)


def _sigmoid(x: Array) -> Array:
    return np.asarray(expit(x), dtype=np.float64)


def _sigmoid_slope(x: Array) -> Array:
    # expit(-x) is 1 - expit(x) without the rounding that would make the tail exactly zero.
    return np.asarray(expit(x) * expit(-x), dtype=np.float64)


def _tanh(x: Array) -> Array:
    return np.tanh(x)


def _tanh_slope(x: Array) -> Array:
    return np.asarray(4 * expit(2 * x) * expit(-2 * x), dtype=np.float64)  # 1 - tanh², exact in the tails


_ALL = (
    Activation(
        "relu",
        Text("ReLU", "ReLU"),
        r"a(x) = \max(0,\, x)",
        r"a'(x) = \begin{cases} 1 & x > 0 \\ 0 & x < 0 \end{cases}",
        Text(
            "The standard choice between layers: cheap, and it passes corrections on whole. A unit whose "
            "input is negative for every example gets no correction any more and stays silent: a dead unit.",
            "隐藏层的标准选择：计算便宜，修正信号能完整通过。但如果某个单元对所有样本的输入都是负数，"
            "它就再也得不到修正，从此沉默，这就是“死亡单元”。",
        ),
        "[Nair & Hinton 2010](https://www.cs.toronto.edu/~hinton/absps/reluICML.pdf)",
        _relu,
        _relu_slope,
    ),
    Activation(
        "leaky_relu",
        Text("Leaky ReLU", "Leaky ReLU"),
        r"a(x) = \max(\alpha x,\, x), \quad \alpha = 0.2",
        r"a'(x) = \begin{cases} 1 & x > 0 \\ \alpha & x < 0 \end{cases}",
        Text(
            "ReLU with a small slope below zero, so that no unit can die. Worth a try when ReLU leaves many "
            "units silent.",
            "在负数一侧保留一点斜率的 ReLU，因此单元不会死亡。当 ReLU 让许多单元沉默时，值得一试。",
        ),
        "[Maas, Hannun & Ng 2013](https://ai.stanford.edu/~amaas/papers/relu_hybrid_icml2013_final.pdf), "
        "α: Keras 3",
        _leaky_relu,
        _leaky_relu_slope,
    ),
    Activation(
        "gelu",
        Text("GELU", "GELU"),
        r"a(x) = x\,\Phi(x) \\[4pt] \Phi(x) = \tfrac12\bigl(1 + \operatorname{erf}(x/\sqrt2)\bigr)",
        r"a'(x) = \Phi(x) + x\,\varphi(x) \\[4pt] \varphi(x) = e^{-x^2/2} / \sqrt{2\pi}",
        Text(
            "A ReLU without the corner, used inside GPT and BERT. Slightly dearer to compute; choose it for "
            "transformers, otherwise ReLU will do.",
            "没有尖角的 ReLU，GPT 和 BERT 内部用的就是它。计算稍贵；"
            "做 Transformer 时选它，其他情况 ReLU 就够了。",
        ),
        "[Hendrycks & Gimpel 2016](https://arxiv.org/abs/1606.08415)",
        _gelu,
        _gelu_slope,
    ),
    Activation(
        "sigmoid",
        Text("Sigmoid", "Sigmoid"),
        r"\sigma(x) = \frac{1}{1 + e^{-x}}",
        r"\sigma'(x) = \sigma(x)\,\bigl(1 - \sigma(x)\bigr) \le \tfrac14",
        Text(
            "Turns any number into a probability: right for a yes-or-no answer at the very end. Between "
            "layers it saturates: away from zero the curve is flat and learning all but stops.",
            "把任意数字变成概率：适合放在最后一层回答“是或否”。"
            "放在隐藏层会饱和：离开零点后曲线变平，学习几乎停止。",
        ),
        "[Glorot & Bengio 2010](https://proceedings.mlr.press/v9/glorot10a.html)",
        _sigmoid,
        _sigmoid_slope,
    ),
    Activation(
        "tanh",
        Text("tanh", "tanh"),
        r"\tanh(x) = \frac{e^{x} - e^{-x}}{e^{x} + e^{-x}}",
        r"\tanh'(x) = 1 - \tanh^2(x) \le 1",
        Text(
            "A sigmoid stretched to the range −1 to 1 and centred on zero, which makes training easier. It "
            "saturates as well: beyond about ±3 hardly any correction passes.",
            "拉伸到 −1 到 1、以零为中心的 sigmoid，更容易训练。"
            "它同样会饱和：超出约 ±3 后，几乎没有修正信号能通过。",
        ),
        "[LeCun et al. 1998](http://yann.lecun.com/exdb/publis/pdf/lecun-98b.pdf)",
        _tanh,
        _tanh_slope,
    ),
)

ACTIVATIONS: dict[str, Activation] = {activation.key: activation for activation in _ALL}
"""The activations by key, in the order they are shown."""

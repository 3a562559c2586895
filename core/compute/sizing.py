"""How large a model, on how many tokens: for training alone, and for a life of answering.

* Chinchilla (Hoffmann 2022, arXiv 2203.15556): for C FLOP, about 20 tokens per parameter, so
  N = √(C / 120) and D = 20 N.
* Over-trained: more tokens per parameter than that, a smaller model for the same C. It is a little
  worse and cheaper to serve.
* Life-long (Sardana 2023, arXiv 2401.00448): of all N and D that reach the same loss, those that cost
  least when T tokens are served in the model's life: the least of 6 N D + 2 N T.

Loss is L(N, D) = E + A / N^α + B / D^β with the constants that Epoch fitted again to Chinchilla's runs
(Besiroglu 2024, arXiv 2404.10102). It is the loss of Chinchilla's data and tells sizes apart; it does
not say how good a product will be.
"""

import math
from dataclasses import dataclass

import numpy as np

from core.compute.limits import within
from core.i18n import Text

TOKENS_PER_PARAMETER = 20.0
_E, _A, _B, _ALPHA, _BETA = 1.8172, 482.01, 2085.43, 0.3478, 0.3658


@dataclass(frozen=True, slots=True)
class Size:
    """A model size: parameters, training tokens, predicted loss, FLOP to train and, over its life, to serve."""

    parameters: float
    tokens: float
    loss: float
    training_flop: float
    serving_flop: float

    @property
    def tokens_per_parameter(self) -> float:
        return self.tokens / self.parameters

    @property
    def life_flop(self) -> float:
        return self.training_flop + self.serving_flop


def chinchilla(flop: float, served_tokens: float = 0.0) -> Size:
    """The size for ``flop`` of training at 20 tokens per parameter."""
    return over_trained(flop, TOKENS_PER_PARAMETER, served_tokens)


def over_trained(flop: float, tokens_per_parameter: float, served_tokens: float = 0.0) -> Size:
    """The size for ``flop`` of training at so many tokens per parameter."""
    _check(flop, served_tokens)
    ratio = within(tokens_per_parameter, Text("Tokens per parameter", "每参数 token 数"), 0.1, 1e6)
    parameters = math.sqrt(flop / (6 * ratio))
    return _size(parameters, ratio * parameters, served_tokens)


def life_long(flop: float, served_tokens: float) -> Size:
    """The cheapest size, over its life, of those as good as :func:`chinchilla` for ``flop``."""
    _check(flop, served_tokens)
    goal = chinchilla(flop)
    sizes = goal.parameters * np.geomspace(0.02, 3, 4001)
    left = goal.loss - _E - _A / sizes**_ALPHA
    possible = sizes[left > 0]
    tokens = (_B / left[left > 0]) ** (1 / _BETA)
    best = int(np.argmin(6 * possible * tokens + 2 * possible * served_tokens))
    return _size(float(possible[best]), float(tokens[best]), served_tokens)


def loss(parameters: float, tokens: float) -> float:
    """The predicted loss in nats per token."""
    return float(_E + _A / parameters**_ALPHA + _B / tokens**_BETA)


def _size(parameters: float, tokens: float, served: float) -> Size:
    return Size(
        parameters, tokens, loss(parameters, tokens), 6 * parameters * tokens, 2 * parameters * served
    )


def _check(flop: float, served: float) -> None:
    within(flop, Text("Training FLOP", "训练 FLOP"), 1e12, 1e32)
    within(served, Text("Tokens served in the model's life", "模型生命周期内服务的 token"), 0, 1e24)

"""What to train, and with which settings: one frozen, checked value.

A :class:`RunSpec` that exists is valid: a wrong setting raises a :class:`Refusal` that names the
field, the value and what is allowed. It is written to and read from JSON, and knows beforehand how
many parameters, steps and floating-point operations the run will take.

>>> RunSpec(network="mlp", epochs=2).total_steps
1876
"""

import json
import math
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from core.i18n import Refusal, Text
from core.training.architecture import NETWORKS, Network
from core.training.datasets import DATASETS, Dataset


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several settings, with the words for it."""

    key: str
    label: Text
    note: Text


@dataclass(frozen=True, slots=True)
class Optimizer(Choice):
    """A way to take a step downhill, and the learning rate it is usually given."""

    learning_rate: float


# Learning rates: the defaults of Keras 3 (SGD 0.01, Adam 0.001); for Adagrad that of PyTorch, 0.01,
# because Keras' 0.001 hardly moves in a handful of epochs.
OPTIMIZERS = {
    choice.key: choice
    for choice in (
        Optimizer(
            "sgd",
            Text(en="Gradient descent (SGD)", zh="随机梯度下降（SGD）"),
            Text(en="A step straight downhill after every batch.", zh="每个批次后沿最陡方向走一步。"),
            0.01,
        ),
        Optimizer(
            "momentum",
            Text(en="SGD with momentum", zh="带动量的 SGD"),
            Text(en="Keeps nine tenths of the last step.", zh="保留上一步的九成速度。"),
            0.01,
        ),
        Optimizer(
            "adagrad",
            Text(en="Adagrad", zh="Adagrad"),
            Text(
                en="Shortens the steps of weights that have moved much already.",
                zh="变动多的权重，步长逐渐变小。",
            ),
            0.01,
        ),
        Optimizer(
            "adam",
            Text(en="Adam", zh="Adam"),
            Text(
                en="Momentum, and steps scaled by the recent size of the gradient.",
                zh="动量加上按近期梯度大小调整的步长。",
            ),
            0.001,
        ),
    )
}
MOMENTUM = 0.9

ACTIVATIONS = {
    choice.key: choice
    for choice in (
        Choice(
            "relu",
            Text(en="ReLU", zh="ReLU"),
            Text(en="Zero below zero, unchanged above.", zh="负值取零，正值不变。"),
        ),
        Choice(
            "sigmoid",
            Text(en="Sigmoid", zh="Sigmoid"),
            Text(en="Squeezes every number between 0 and 1.", zh="把数值压到 0 与 1 之间。"),
        ),
        Choice(
            "tanh",
            Text(en="Tanh", zh="Tanh"),
            Text(en="Squeezes every number between -1 and 1.", zh="把数值压到 -1 与 1 之间。"),
        ),
    )
}

LOSSES = {
    choice.key: choice
    for choice in (
        Choice(
            "cross_entropy",
            Text(en="Cross-entropy", zh="交叉熵"),
            Text(en="Punishes being sure and wrong.", zh="对又自信又错误的判断惩罚最重。"),
        ),
        Choice(
            "mse",
            Text(en="Mean squared error", zh="均方误差"),
            Text(
                en="The squared distance to the right answer; learns more slowly here.",
                zh="与正确答案的平方距离；在此任务上学得较慢。",
            ),
        ),
    )
}

FIELDS = {
    "network": Text(en="network", zh="网络"),
    "dataset": Text(en="dataset", zh="数据集"),
    "optimizer": Text(en="optimiser", zh="优化器"),
    "activation": Text(en="activation", zh="激活函数"),
    "loss": Text(en="loss", zh="损失函数"),
    "epochs": Text(en="epochs", zh="训练轮数"),
    "batch_size": Text(en="batch size", zh="批大小"),
    "learning_rate": Text(en="learning rate", zh="学习率"),
    "seed": Text(en="random seed", zh="随机种子"),
    "train_images": Text(en="training images", zh="训练图像数"),
    "price_per_hour": Text(en="price of the device in USD per hour", zh="设备价格（美元/小时）"),
    "power_watts": Text(en="power of the device in watts", zh="设备功率（瓦）"),
}
"""What a person calls each field."""

CHOICES: dict[str, tuple[str, ...]] = {
    "network": tuple(NETWORKS),
    "dataset": tuple(DATASETS),
    "optimizer": tuple(OPTIMIZERS),
    "activation": tuple(ACTIVATIONS),
    "loss": tuple(LOSSES),
}

WHOLE_RANGES = {
    "epochs": (1, 100),
    "batch_size": (8, 4096),
    "seed": (0, 2**31 - 1),
    "train_images": (100, 60_000),
}

NUMBER_RANGES = {
    "learning_rate": (1e-6, 10.0),
    "price_per_hour": (0.0, 1000.0),
    "power_watts": (1.0, 20_000.0),
}

DEFAULT_PRICE_PER_HOUR = 0.10
"""USD; about a cloud machine with two virtual CPUs (AWS c7i.large, on demand in us-east-1, 2025: 0.0893)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSpec:
    """One training run before it happens.

    ``learning_rate`` None becomes the usual one of the optimiser. ``train_images`` under 60,000 takes
    that many of them, all digits in their shares. ``price_per_hour`` (USD) is what the device costs
    while it is held; ``power_watts``, if given, is its power, else energy is measured or estimated.
    """

    network: str = "cnn"
    dataset: str = "mnist"
    optimizer: str = "adam"
    activation: str = "relu"
    loss: str = "cross_entropy"
    epochs: int = 5
    batch_size: int = 64
    learning_rate: float | None = None
    seed: int = 0
    train_images: int = 60_000
    price_per_hour: float = DEFAULT_PRICE_PER_HOUR
    power_watts: float | None = None

    def __post_init__(self) -> None:
        for name, allowed in CHOICES.items():
            _check_choice(name, getattr(self, name), allowed)
        for name, (least, most) in WHOLE_RANGES.items():
            _check_whole(name, getattr(self, name), least, most)
        if self.learning_rate is None:
            object.__setattr__(self, "learning_rate", OPTIMIZERS[self.optimizer].learning_rate)
        for name, (lowest, highest) in NUMBER_RANGES.items():
            value = getattr(self, name)
            if value is not None or name != "power_watts":
                object.__setattr__(self, name, _checked_number(name, value, lowest, highest))

    def to_json(self) -> str:
        """As JSON, complete, so that no later default can change the run."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The specification in ``text``; a field that is missing takes its default, an unknown one is refused."""
        try:
            document: Any = json.loads(text)
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise Refusal("The run specification is not a JSON object.")
        unknown = sorted(set(document) - {field.name for field in fields(cls)})
        if unknown:
            raise Refusal("The run specification has an unknown field {field}.", field=unknown[0][:40])
        return cls(**document)

    @property
    def title(self) -> Text:
        """The run in a few words: "cnn · Adam · 5 epochs · 60,000 images"."""
        return Text(
            en=f"{self.network.upper()} · {OPTIMIZERS[self.optimizer].label.en} · "
            f"{self.epochs} {'epoch' if self.epochs == 1 else 'epochs'} · {self.train_images:,} images",
            zh=f"{self.network.upper()} · {OPTIMIZERS[self.optimizer].label.zh} · "
            f"{self.epochs} 轮 · {self.train_images:,} 张图像",
        )

    @property
    def architecture(self) -> Network:
        return NETWORKS[self.network]

    @property
    def data(self) -> Dataset:
        return DATASETS[self.dataset]

    @property
    def parameters(self) -> int:
        """Numbers that training adjusts."""
        return self.architecture.parameters

    @property
    def steps_per_epoch(self) -> int:
        """Batches in an epoch; the last may be smaller."""
        return math.ceil(self.train_images / self.batch_size)

    @property
    def total_steps(self) -> int:
        return self.steps_per_epoch * self.epochs

    @property
    def images_seen(self) -> int:
        """Images shown to the network during the whole run."""
        return self.train_images * self.epochs

    @property
    def training_flop(self) -> int:
        """Floating-point operations of the whole training, validation and test left out."""
        return self.architecture.training_flop * self.images_seen

    @property
    def validation_images(self) -> int:
        """Images scored after every epoch: of those that the run does not train on, a tenth of its size.

        At least 1,000, so that an accuracy of 95 % is known to ±0.7 points (one standard error), at
        most 5,000. A run on all 60,000 trains on every image, as the usual recipe does, and has none:
        taking some away would change what is measured, and the test images are kept for the end.
        """
        left = self.data.train_images - self.train_images
        return min(left, max(1_000, self.train_images // 10), 5_000)


def _check_choice(name: str, value: object, allowed: tuple[str, ...]) -> None:
    if not isinstance(value, str) or value not in allowed:
        raise Refusal(
            "The {field} is {value}; allowed are: {allowed}.",
            field=FIELDS[name],
            value=_shown(value),
            allowed=", ".join(allowed),
        )


def _check_whole(name: str, value: object, least: int, most: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise Refusal(
            "The {field} is {value}; a whole number from {least} to {most} is allowed.",
            field=FIELDS[name],
            value=_shown(value),
            least=f"{least:,}",
            most=f"{most:,}",
        )


def _checked_number(name: str, value: object, lowest: float, highest: float) -> float:
    if (
        not isinstance(value, (int, float))
        or isinstance(value, bool)
        or not math.isfinite(value)
        or not lowest <= value <= highest
    ):
        raise Refusal(
            "The {field} is {value}; a number from {least} to {most} is allowed.",
            field=FIELDS[name],
            value=_shown(value),
            least=f"{lowest:g}",
            most=f"{highest:g}",
        )
    return float(value)


def _shown(value: object) -> str:
    return str(value)[:40]

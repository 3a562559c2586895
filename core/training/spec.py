"""What to train, and with which settings: one frozen, checked value.

A :class:`RunSpec` that exists is valid: a wrong setting raises a :class:`Refusal` that names the
field, the value and what is allowed. It is written to and read from JSON, and knows beforehand how
many parameters, steps and floating-point operations the run will take.

>>> RunSpec(network="mlp", epochs=2).total_steps
1876
"""

import json
import math
import re
from dataclasses import asdict, dataclass, fields
from typing import Any, NoReturn, Self

from core.i18n import Refusal, Text
from core.training.architecture import NETWORKS, Network, Options
from core.training.choices import (
    ACTIVATIONS,
    LOSSES,
    OPTIMIZERS,
    PRECISIONS,
    SCHEDULES,
    Choice,
    Optimizer,
)
from core.training.datasets import DATASETS, MNIST, OWN, Dataset, OwnData
from core.training.device import CPU

__all__ = ["ACTIVATIONS", "CHOICES", "FIELDS", "LOSSES", "OPTIMIZERS", "Choice", "Optimizer", "RunSpec"]

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
    "train_images": Text(en="training examples", zh="训练样本数"),
    "price_per_hour": Text(en="price of the device in USD per hour", zh="设备价格（美元/小时）"),
    "power_watts": Text(en="power of the device in watts", zh="设备功率（瓦）"),
    "width": Text(en="width", zh="宽度"),
    "depth": Text(en="depth", zh="深度"),
    "dropout": Text(en="dropout", zh="随机失活率"),
    "batch_norm": Text(en="batch normalisation", zh="批归一化"),
    "momentum": Text(en="momentum", zh="动量"),
    "second_moment": Text(en="second moment", zh="二阶矩"),
    "schedule": Text(en="schedule of the learning rate", zh="学习率策略"),
    "patience": Text(en="patience of early stopping", zh="早停耐心值"),
    "precision": Text(en="precision", zh="精度"),
    "device": Text(en="device", zh="设备"),
}
"""What a person calls each field."""

CHOICES: dict[str, tuple[str, ...]] = {
    "network": tuple(NETWORKS),
    "dataset": tuple(DATASETS),
    "optimizer": tuple(OPTIMIZERS),
    "activation": tuple(ACTIVATIONS),
    "loss": tuple(LOSSES),
    "schedule": tuple(SCHEDULES),
    "precision": tuple(PRECISIONS),
}

WHOLE_RANGES = {
    "epochs": (1, 100),
    "batch_size": (8, 4096),
    "seed": (0, 2**31 - 1),
    "width": (4, 1024),
    "depth": (1, 6),
    "patience": (0, 50),
}

NUMBER_RANGES = {
    "learning_rate": (1e-6, 10.0),
    "price_per_hour": (0.0, 1000.0),
    "power_watts": (1.0, 20_000.0),
    "dropout": (0.0, 0.9),
    "momentum": (0.0, 0.999),
    "second_moment": (0.5, 0.999999),
}
_OPTIONAL = ("power_watts", "momentum", "second_moment")

_DEVICE = re.compile(rf"|{CPU}|GPU-[0-9A-Za-z-]{{1,60}}")

_UNITS = {
    "images": Text(en="images", zh="张图像"),
    "table": Text(en="rows", zh="行"),
    "ratings": Text(en="ratings", zh="条评分"),
}
"""What examples are called."""

LEAST_EXAMPLES = 100
"""The fewest examples that a run trains on, where a dataset has so many."""

MOST_PARAMETERS = 20_000_000
"""More would need gigabytes for weights, gradients and the optimiser's memory."""

DEFAULT_PRICE_PER_HOUR = 0.10
"""USD; about a cloud machine with two virtual CPUs (AWS c7i.large, on demand in us-east-1, 2025: 0.0893)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSpec:
    """One training run before it happens.

    What is left out becomes the usual of the dataset, network or optimiser: ``network`` and ``loss`` "",
    ``width``, ``depth`` and ``train_images`` 0 (all of them), ``learning_rate``, ``momentum`` and
    ``second_moment`` None. Fewer ``train_images`` than there are take that many, all classes in their
    shares. ``own`` describes data of the founder's own, and stands in place of ``dataset``.

    ``patience`` above 0 stops the run early once the validation loss has not fallen for so many epochs,
    and keeps the best weights; examples are then kept back for it. ``price_per_hour`` (USD) is what the
    device costs while it is held; ``power_watts``, if given, is its power, else energy is measured or
    estimated. ``device`` is the one to train on: "" for any free GPU, or the processor where there is none;
    "cpu"; or the UUID of a GPU.
    """

    network: str = ""
    dataset: str = "mnist"
    optimizer: str = "adam"
    activation: str = "relu"
    loss: str = ""
    epochs: int = 5
    batch_size: int = 64
    learning_rate: float | None = None
    seed: int = 0
    train_images: int = 0
    price_per_hour: float = DEFAULT_PRICE_PER_HOUR
    power_watts: float | None = None
    width: int = 0
    depth: int = 0
    dropout: float = 0.0
    batch_norm: bool = False
    momentum: float | None = None
    second_moment: float | None = None
    schedule: str = "constant"
    patience: int = 0
    precision: str = "full"
    own: OwnData | None = None
    device: str = ""

    def __post_init__(self) -> None:
        if self.own is not None:
            object.__setattr__(self, "dataset", OWN)
        else:
            _check_choice("dataset", self.dataset, CHOICES["dataset"])
        self._fill_in()
        for name, allowed in CHOICES.items():
            if name != "dataset":
                _check_choice(name, getattr(self, name), allowed)
        self._check_network()
        if self.data.task == "number" and self.loss != "mse":
            raise Refusal(
                "The loss is {value}; a number is predicted with the mean squared error.",
                value=LOSSES[self.loss].label,
            )
        object.__setattr__(self, "width", self.width or NETWORKS[self.network].width)
        object.__setattr__(self, "depth", self.depth or NETWORKS[self.network].depth)
        for name, (least, most) in WHOLE_RANGES.items():
            _check_whole(name, getattr(self, name), least, most)
        if not isinstance(self.device, str) or not _DEVICE.fullmatch(self.device):
            _refuse_choice("device", self.device, f"{CPU}, GPU-…")
        if not isinstance(self.batch_norm, bool):
            _check_choice("batch_norm", self.batch_norm, ("true", "false"))
        if not NETWORKS[self.network].layered:  # it has nothing of this
            for name, none in (("depth", 1), ("dropout", 0.0), ("batch_norm", False)):
                object.__setattr__(self, name, none)
        self._count_examples()
        usual = OPTIMIZERS[self.optimizer]
        for name in ("learning_rate", "momentum", "second_moment"):
            if getattr(self, name) is None or (name != "learning_rate" and getattr(usual, name) is None):
                object.__setattr__(self, name, getattr(usual, name))
        for name, (lowest, highest) in NUMBER_RANGES.items():
            value = getattr(self, name)
            if value is not None or name not in _OPTIONAL:
                object.__setattr__(self, name, _checked_number(name, value, lowest, highest))
        if self.parameters > MOST_PARAMETERS:
            raise Refusal(
                "The network would have {parameters} parameters; at most {most} are allowed: "
                "a smaller width or depth makes fewer.",
                parameters=f"{self.parameters:,}",
                most=f"{MOST_PARAMETERS:,}",
            )

    def _fill_in(self) -> None:
        """Take the usual network and loss of the data where none is chosen."""
        if self.network == "":
            usual = {"images": "cnn", "table": "mlp", "ratings": "factors"}
            object.__setattr__(self, "network", usual[self.data.input])
        if self.loss == "":
            object.__setattr__(self, "loss", "mse" if self.data.task == "number" else "cross_entropy")

    def _check_network(self) -> None:
        """Whether the network takes what the data are."""
        kind, given = NETWORKS[self.network], self.data.input
        if given in kind.takes:
            return
        if given == "ratings":
            raise Refusal(
                "The network {network} takes amounts, and a student or lecturer is none; for ratings take the network {needed}.",
                network=kind.label,
                needed=NETWORKS["factors"].label,
            )
        if "ratings" in kind.takes:
            raise Refusal("The network {network} takes ratings only.", network=kind.label)
        raise Refusal(
            "The network {network} takes pictures only; for a table take the perceptron.",
            network=kind.label,
        )

    def _count_examples(self) -> None:
        """All examples where none are asked for; with early stopping, less those that it watches."""
        there = self.data.train_images
        if self.train_images == 0 and not isinstance(self.train_images, bool):
            object.__setattr__(self, "train_images", there)
        _check_whole("train_images", self.train_images, min(LEAST_EXAMPLES, there // 2), there)
        if self.patience:
            object.__setattr__(self, "train_images", min(self.train_images, most_watched(there)))

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
        if document.get("own") is not None:
            document["own"] = OwnData.of(document["own"])
        return cls(**document)

    @property
    def title(self) -> Text:
        """The run in a few words: "CNN · Adam · 5 epochs · 60,000 images"."""
        return self._titled(self.data.label)

    @property
    def public_title(self) -> Text:
        """The title for eyes other than the founder's: what a file of her own is called is her own affair."""
        return self._titled(self.data.label if self.own is None else Text(en="own data", zh="自有数据"))

    def _titled(self, data: Text) -> Text:
        unit = _UNITS[self.data.input]
        other = "" if self.dataset == MNIST.key else " · "
        name = data if other else Text(en="", zh="")
        return Text(
            en=f"{name.en}{other}{self.network.upper()} · {OPTIMIZERS[self.optimizer].label.en} · "
            f"{self.epochs} {'epoch' if self.epochs == 1 else 'epochs'} · {self.train_images:,} "
            f"{unit.en}",
            zh=f"{name.zh}{other}{self.network.upper()} · {OPTIMIZERS[self.optimizer].label.zh} · "
            f"{self.epochs} 轮 · {self.train_images:,} {unit.zh}",
        )

    @property
    def architecture(self) -> Network:
        options = Options(self.width, self.depth, self.dropout, self.batch_norm, self.data.names)
        shape = self.data.shape
        given = (shape[0], shape[1], shape[2]) if len(shape) == 3 else (1, 1, shape[0])
        return NETWORKS[self.network].network(given, self.data.outputs, options)

    @property
    def data(self) -> Dataset:
        return DATASETS[self.dataset] if self.own is None else self.own.described

    @property
    def recipe(self) -> str:
        """Everything that makes one run like another but for size, epochs, seed, price and device, in one string."""
        apart = {"epochs", "seed", "train_images", "price_per_hour", "power_watts", "device"}
        return json.dumps({name: value for name, value in asdict(self).items() if name not in apart})

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
        """Examples shown to the network during the whole run."""
        return self.train_images * self.epochs

    @property
    def training_flop(self) -> int:
        """Floating-point operations of the whole training, validation and test left out."""
        return self.architecture.training_flop * self.images_seen

    @property
    def validation_images(self) -> int:
        """Examples scored after every epoch: of those that the run does not train on, a tenth of its size.

        At least 1,000, so that an accuracy of 95 % is known to ±0.7 points (one standard error), at
        most 5,000. A run on all 60,000 trains on every image, as the usual recipe does, and has none:
        taking some away would change what is measured, and the test images are kept for the end.
        """
        left = self.data.train_images - self.train_images
        return min(left, max(1_000, self.train_images // 10), 5_000)


def most_watched(there: int) -> int:
    """The most examples of ``there`` to train on that leave some to validate on: a tenth, at most 5,000."""
    return there - min(5_000, max(there // 10, 1))


def _check_choice(name: str, value: object, allowed: tuple[str, ...]) -> None:
    if not isinstance(value, str) or value not in allowed:
        _refuse_choice(name, value, ", ".join(allowed))


def _refuse_choice(name: str, value: object, allowed: str) -> NoReturn:
    raise Refusal(
        "The {field} is {value}; allowed are: {allowed}.",
        field=FIELDS[name],
        value=_shown(value),
        allowed=allowed,
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

"""Recipes to begin with: settings that belong together, chosen once and kept.

The two fast ones were chosen on training images alone, 50,000 to train on and 5,000 others to choose by
(``python -m benchmarks.fast_recipe --choose``); the test images were scored when the choice was made. The one
for few pictures likewise: trained on 8,000 pictures of clothes and scored on 900 others, it was right in 89.3 %
of them, the fast one in 79.7 %.
The one for ratings was chosen on 5,000 of the training ratings, trained on 52,863 others (``python -m
benchmarks.ratings --choose``; root mean squared error over three seeds): 1.195 with all six columns, 1.205 without ages
and department, 1.208 with student and lecturer alone; 1.330 if the numbers of a name are hardly held towards zero.
What makes them fast: a slim network that pools before it activates, a learning rate ten times the usual
in one cycle that ends at zero, an Adam that forgets quickly (β 0.7 and 0.9, as in tuomaso/train_mnist_fast,
2018), larger batches, and 16-bit products where the device has them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.i18n import Text
from core.training.choices import Choice
from core.training.datasets import Dataset
from core.training.described import Input

FEW = 20_000
"""Pictures; with less, one or two passes over them are too few steps to learn from."""


@dataclass(frozen=True, slots=True)
class Preset(Choice):
    """Settings by name; what is not named stays as it is."""

    settings: Mapping[str, Any]


_FAST: dict[str, Any] = {
    "network": "fast",
    "optimizer": "adam",
    "activation": "relu",
    "loss": "cross_entropy",
    "learning_rate": 0.01,
    "momentum": 0.7,
    "second_moment": 0.9,
    "schedule": "one_cycle",
    "precision": "mixed",
}

PRESETS = {
    preset.key: preset
    for preset in (
        Preset(
            "fast",
            Text(en="Fast", zh="快速"),
            Text(
                en="A slim network and a learning rate that rises and falls: over 99.2% on MNIST "
                "in a tenth of the usual time.",
                zh="精简网络配合先升后降的学习率：只用常规时间的十分之一，在 MNIST 上超过 99.2%。",
            ),
            {**_FAST, "epochs": 2, "batch_size": 256},
        ),
        Preset(
            "fastest",
            Text(en="Fastest", zh="最快"),
            Text(
                en="The same in a single pass over the images: over 99.0% on MNIST in a fifteenth of the usual time.",
                zh="同样的方法只看一遍图像：只用常规时间的十五分之一，在 MNIST 上超过 99.0%。",
            ),
            {**_FAST, "epochs": 1, "batch_size": 160},
        ),
        Preset(
            "cnn",
            Text(en="The usual first lesson", zh="常规入门配方"),
            Text(
                en="Two convolutions, Adam, batches of 64, five passes: what most courses begin with.",
                zh="两层卷积、Adam、批大小 64、训练五轮：大多数教程的起点。",
            ),
            {"network": "cnn", "optimizer": "adam", "epochs": 5, "batch_size": 64},
        ),
        Preset(
            "few",
            Text(en="Few pictures", zh="少量图片"),
            Text(
                en="The slim network looks at every picture ten times, in small batches: for some thousand pictures.",
                zh="精简网络以小批次把每张图片看十遍：适合几千张图片。",
            ),
            {**_FAST, "epochs": 10, "batch_size": 64, "learning_rate": 0.005},
        ),
        Preset(
            "table",
            Text(en="Table", zh="表格"),
            Text(
                en="Two hidden layers of 64 units, and a stop once examples kept back get no better.",
                zh="两个 64 神经元的隐藏层；留出样本不再改善时自动停止。",
            ),
            {
                "network": "mlp",
                "optimizer": "adam",
                "width": 64,
                "depth": 2,
                "epochs": 60,
                "batch_size": 32,
                "patience": 8,
            },
        ),
        Preset(
            "mlp",
            Text(en="Small and simple", zh="小而简单"),
            Text(
                en="One hidden layer: seconds to train, about 98% on MNIST; the one for tables.",
                zh="单个隐藏层：几秒即可训练，在 MNIST 上约 98%；适合表格数据。",
            ),
            {"network": "mlp", "optimizer": "adam", "epochs": 5, "batch_size": 64},
        ),
        Preset(
            "ratings",
            Text(en="Ratings", zh="评分"),
            Text(
                en="Eight numbers for each student, each lecturer and whatever else is known of a rating, learned in "
                "ten passes: off by 1.19 (root mean square) where always saying the mean is off by 1.33.",
                zh="为每名学生、每位讲师及评分的其他已知信息各学习八个数，训练十轮：典型误差 1.19，而总是回答平均值时为 1.33。",
            ),
            {
                "network": "factors",
                "optimizer": "adam",
                "learning_rate": 0.01,
                "schedule": "cosine",
                "epochs": 10,
                "batch_size": 256,
            },
        ),
    )
}
"""The presets by key, simplest choice first."""


_FOR: dict[Input, tuple[str, ...]] = {
    "images": ("fast", "fastest", "cnn", "few", "mlp"),
    "table": ("table", "mlp"),
    "ratings": ("ratings",),
}


def presets_for(given: Input) -> dict[str, Preset]:
    """The presets for data that are ``given`` so."""
    return {key: PRESETS[key] for key in _FOR[given]}


def first_for(data: Dataset) -> str:
    """The preset to begin with on ``data``."""
    if data.kind == "table":
        return _FOR[data.input][0]
    return "few" if data.train_images < FEW else "fast"

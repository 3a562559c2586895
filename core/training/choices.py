"""What a run may choose from, each choice with its words: optimisers, schedules, activations, losses."""

from dataclasses import dataclass

from core.i18n import Text


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several settings, with the words for it."""

    key: str
    label: Text
    note: Text


@dataclass(frozen=True, slots=True)
class Optimizer(Choice):
    """A way to take a step downhill, and what it is usually given.

    ``momentum``: the share of the last step (or of the last mean gradient, Adam's β₁) that is kept;
    ``second_moment``: the share of the last mean squared gradient that is kept (β₂ of Adam, ρ of
    RMSprop). None: the optimiser has no such thing.
    """

    learning_rate: float
    momentum: float | None = None
    second_moment: float | None = None


# Defaults of Keras 3, but two: momentum 0.9 as everybody sets it, and for Adagrad the learning rate of
# PyTorch, 0.01, because Keras' 0.001 hardly moves in a handful of epochs.
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
            0.9,
        ),
        Optimizer(
            "nesterov",
            Text(en="SGD with Nesterov momentum", zh="带 Nesterov 动量的 SGD"),
            Text(
                en="Momentum that looks ahead to where the step will end.",
                zh="先看到这一步的落点再修正的动量。",
            ),
            0.01,
            0.9,
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
            "rmsprop",
            Text(en="RMSprop", zh="RMSprop"),
            Text(
                en="Steps scaled by the recent size of the gradient.",
                zh="按近期梯度大小调整的步长。",
            ),
            0.001,
            None,
            0.9,
        ),
        Optimizer(
            "adam",
            Text(en="Adam", zh="Adam"),
            Text(
                en="Momentum, and steps scaled by the recent size of the gradient.",
                zh="动量加上按近期梯度大小调整的步长。",
            ),
            0.001,
            0.9,
            0.999,
        ),
        Optimizer(
            "adamw",
            Text(en="AdamW", zh="AdamW"),
            Text(
                en="Adam that also pulls every weight a little towards zero (decay 0.004).",
                zh="在 Adam 基础上让每个权重略微趋向零（衰减 0.004）。",
            ),
            0.001,
            0.9,
            0.999,
        ),
    )
}

SCHEDULES = {
    choice.key: choice
    for choice in (
        Choice(
            "constant",
            Text(en="Constant", zh="恒定"),
            Text(en="The same learning rate from first to last step.", zh="从头到尾学习率不变。"),
        ),
        Choice(
            "cosine",
            Text(en="Cosine", zh="余弦"),
            Text(en="Falls along half a cosine wave to zero.", zh="沿半个余弦波下降到零。"),
        ),
        Choice(
            "one_cycle",
            Text(en="One cycle", zh="单周期"),
            Text(
                en="Rises in a straight line for the first 15% of the steps, then falls in one to zero; "
                "allows rates ten times as high.",
                zh="前 15% 的步数线性上升，随后线性下降到零；可用高十倍的学习率。",
            ),
        ),
    )
}
WARM_UP = 0.15
"""Share of the steps in which a cycle rises."""

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
                en="The squared distance to the right answer: the loss for numbers; "
                "for classes it learns more slowly.",
                zh="与正确答案的平方距离：预测数值时使用；用于分类时学得较慢。",
            ),
        ),
    )
}

PRECISIONS = {
    choice.key: choice
    for choice in (
        Choice(
            "full",
            Text(en="32 bits", zh="32 位"),
            Text(en="Every number in 32 bits.", zh="所有数值均为 32 位。"),
        ),
        Choice(
            "mixed",
            Text(en="Mixed, 16 and 32 bits", zh="混合精度（16 与 32 位）"),
            Text(
                en="Products in 16 bits (bfloat16), sums and weights in 32: faster where the device has "
                "instructions for it, and the same as 32 bits where it has not.",
                zh="乘法用 16 位（bfloat16），求和与权重用 32 位：设备有相应指令时更快，否则等同于 32 位。",
            ),
        ),
    )
}

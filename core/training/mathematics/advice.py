"""What to choose, in plain words: a starting point for each training setting, and when to leave it.

The starting values are Keras 3's defaults (Adam 0.001, SGD 0.01). Batch sizes of 32 to 256:
Goodfellow, Bengio & Courville, "Deep Learning" (2016), section 8.1.3. That the batch size is chosen
for speed: Godbole et al., "Deep Learning Tuning Playbook" (2023). That well-tuned SGD with momentum
may generalise better than Adam: Wilson et al. (2017).

Public names: :data:`ADVICE`, :data:`SOURCES`, :class:`Advice`.
"""

from dataclasses import dataclass

from core.i18n import Text


@dataclass(frozen=True, slots=True)
class Advice:
    """One row: a setting, what to start with, when to change it."""

    setting: Text
    start: Text
    change: Text


ADVICE = (
    Advice(
        Text("Learning rate", "学习率"),
        Text("0.001 with Adam, 0.01 with SGD", "Adam 用 0.001，SGD 用 0.01"),
        Text(
            "The loss jumps about or explodes: divide by 10. It falls evenly but slowly: multiply by 3.",
            "损失忽上忽下或爆炸：除以 10。损失平稳但下降太慢：乘以 3。",
        ),
    ),
    Advice(
        Text("Optimiser", "优化器"),
        Text("Adam", "Adam"),
        Text(
            "You have time to tune the rate: SGD with momentum 0.9 may end a little more accurate.",
            "有时间细调学习率时：带 0.9 动量的 SGD 最终可能更准一点。",
        ),
    ),
    Advice(
        Text("Activation between layers", "隐藏层的激活函数"),
        Text("ReLU", "ReLU"),
        Text(
            "Many dead units: leaky ReLU. A transformer: GELU.",
            "死亡单元很多：Leaky ReLU。Transformer：GELU。",
        ),
    ),
    Advice(
        Text("Last layer and loss", "最后一层与损失"),
        Text("Softmax with cross-entropy: one of several classes", "softmax 加交叉熵：从多个类别中选一个"),
        Text(
            "Yes or no: sigmoid with cross-entropy. An amount: no activation, with mean squared error.",
            "是或否：sigmoid 加交叉熵。预测数量：不加激活函数，用均方误差。",
        ),
    ),
    Advice(
        Text("Batch size", "批大小"),
        Text("32 to 256 examples", "32 到 256 个样本"),
        Text(
            "The device has room and epochs take too long: double it, then look for the learning rate again. "
            "Memory runs out: halve it.",
            "设备还有余量而每轮太慢：加倍，然后重新找学习率。内存不够：减半。",
        ),
    ),
    Advice(
        Text("Epochs (passes over the data)", "轮数（完整看一遍数据为一轮）"),
        Text("A few, with an eye on the test accuracy", "先跑几轮，同时看测试准确率"),
        Text(
            "Still rising at the end: more. Training accuracy rises while test accuracy does not: stop "
            "earlier or get more data.",
            "结束时还在上升：加轮数。训练准确率上升而测试准确率不动：提前停止，或增加数据。",
        ),
    ),
)
"""The rows, most influential setting first."""

SOURCES = (
    "[Keras 3](https://keras.io/api/optimizers/), "
    "[Goodfellow, Bengio & Courville 2016](https://www.deeplearningbook.org/contents/optimization.html), "
    "[Wilson et al. 2017](https://arxiv.org/abs/1705.08292), "
    "[Deep Learning Tuning Playbook](https://github.com/google-research/tuning_playbook)"
)
"""Where the advice comes from, as Markdown."""

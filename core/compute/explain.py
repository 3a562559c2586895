"""Each headline number as its formula with the inputs it had, so that a screen can answer "why?".

A :class:`Step` is data: a label, the formula in LaTeX, the symbols with their values and units, the
result. The numbers are read off a finished estimate; nothing is calculated a second time. Serving has
its own file, :mod:`core.compute.explain_serving`.
"""

from dataclasses import dataclass

from core.compute.finetuning import FinetuneEstimate
from core.compute.training_cost import TrainingEstimate
from core.i18n import Text


@dataclass(frozen=True, slots=True)
class Given:
    """A symbol of a formula: what it means, its value, its unit."""

    symbol: str
    label: Text
    value: float
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One number: its formula (LaTeX), what went in, what came out."""

    key: str
    label: Text
    formula: str
    given: tuple[Given, ...]
    result: float
    unit: str


_PRICE = Text("Price per accelerator-hour", "每加速器小时价格")
_COUNT = Text("Accelerators", "加速器数量")


def training_steps(estimate: TrainingEstimate) -> tuple[Step, ...]:
    """From operations to dollars, energy, emissions and memory, each at P50."""
    plan, hardware = estimate.plan, estimate.accelerator
    hours = Given("H", Text("GPU-hours of the final run", "最终训练的 GPU 小时"), estimate.gpu_hours.p50, "h")
    experiments = Given("x", Text("Experiments multiplier", "实验倍数"), plan.experiments)
    steps = [
        Step(
            "flop",
            Text("Operations", "运算量"),
            r"C = 6\,N_a\,D\,(1 + a)",
            (
                Given("N_a", Text("Active parameters", "激活参数量"), estimate.active),
                Given("D", Text("Training tokens", "训练 token 数"), plan.tokens, "token"),
                Given("a", Text("Attention, share of 6N", "注意力占 6N 的比例"), estimate.attention_share),
            ),
            estimate.flop,
            "FLOP",
        ),
        Step(
            "gpu_hours",
            Text("GPU-hours", "GPU 小时"),
            r"H = \frac{C'}{3600\;\mathrm{peak}\cdot\mathrm{MFU}\cdot g}",
            (
                Given(
                    "C'",
                    Text("Operations beyond published attention", "超出公开训练注意力部分的运算量"),
                    estimate.counted_flop,
                    "FLOP",
                ),
                Given(
                    r"\mathrm{peak}",
                    Text("Dense 16-bit peak", "16 位稠密峰值"),
                    hardware.peak("bf16"),
                    "FLOP/s",
                ),
                Given(
                    r"\mathrm{MFU}",
                    Text("Utilisation of published runs", "公开训练的利用率 MFU"),
                    estimate.mfu.p50,
                ),
                Given("g", Text("Gain of 8-bit training", "8 位训练增益"), estimate.gain),
            ),
            estimate.gpu_hours.p50,
            "h",
        ),
        Step(
            "days",
            Text("Days", "天数"),
            r"t = \frac{H}{24\,n}",
            (hours, Given("n", _COUNT, plan.accelerators)),
            estimate.days.p50,
            "d",
        ),
        Step(
            "dollars",
            Text("Cost with experiments", "含实验的成本"),
            r"\mathrm{cost} = H\cdot p\cdot x",
            (hours, Given("p", _PRICE, estimate.price.usd, "USD/h"), experiments),
            estimate.all_dollars.p50,
            "USD",
        ),
        _training_memory(estimate),
        Step(
            "failures",
            Text("Minutes between checkpoints", "检查点间隔(分钟)"),
            r"T = \sqrt{2\,\delta\,M}",
            (
                Given(
                    "M",
                    Text("Hours between failures", "故障间隔(小时)"),
                    estimate.failures.hours_between,
                    "h",
                ),
                Given(
                    r"\delta",
                    Text("Minutes to write a checkpoint", "写检查点所需分钟"),
                    estimate.failures.checkpoint_minutes**2 / (2 * estimate.failures.hours_between * 60),
                    "min",
                ),
            ),
            estimate.failures.checkpoint_minutes,
            "min",
        ),
    ]
    if estimate.all_energy_kwh and estimate.all_co2e_kg and hardware.watts:
        energy = estimate.all_energy_kwh.p50
        steps += [
            Step(
                "energy",
                Text("Energy with experiments", "含实验的能耗"),
                r"E = \frac{H\cdot x\cdot W\cdot \mathrm{PUE}}{1000}",
                (
                    hours,
                    experiments,
                    Given(
                        "W",
                        Text("Power per accelerator with its server", "每加速器含服务器功率"),
                        hardware.watts,
                        "W",
                    ),
                    Given(r"\mathrm{PUE}", Text("Power usage effectiveness", "电能使用效率"), plan.pue),
                ),
                energy,
                "kWh",
            ),
            Step(
                "co2e",
                Text("Emissions with experiments", "含实验的排放"),
                r"m = \frac{E\cdot c}{1000}",
                (
                    Given("E", Text("Energy with experiments", "含实验的能耗"), energy, "kWh"),
                    Given(
                        "c",
                        Text("Carbon intensity of the grid", "电网碳强度"),
                        estimate.grid.g_per_kwh,
                        "g/kWh",
                    ),
                ),
                estimate.all_co2e_kg.p50,
                "kg CO₂e",
            ),
        ]
    return tuple(steps)


def _training_memory(estimate: TrainingEstimate) -> Step:
    split, memory = estimate.fit.split, estimate.fit.memory
    copies = estimate.plan.accelerators / (split.tensor * split.pipeline)
    return Step(
        "memory",
        Text("Memory per accelerator", "每加速器显存"),
        r"M = \frac{N}{t\,p}\left(\frac{2}{d_w} + \frac{2}{d_g} + \frac{12}{d_o}\right) + A",
        (
            Given("N", Text("Parameters", "参数量"), estimate.parameters),
            Given("t", Text("Tensor parallelism", "张量并行"), split.tensor),
            Given("p", Text("Pipeline stages", "流水线级数"), split.pipeline),
            Given("d_w", Text("Weights over", "权重分片数"), copies if split.stage >= 3 else 1),
            Given("d_g", Text("Gradients over", "梯度分片数"), copies if split.stage >= 2 else 1),
            Given(
                "d_o", Text("Optimiser states over", "优化器状态分片数"), copies if split.stage >= 1 else 1
            ),
            Given(
                "A",
                Text("Activations, logits, gathered layers", "激活值、logits 与聚合层"),
                (memory.activations + memory.logits + memory.working) / 1e9,
                "GB",
            ),
        ),
        memory.total / 1e9,
        "GB",
    )


def finetuning_steps(estimate: FinetuneEstimate) -> tuple[Step, ...]:
    """Tokens, hours, dollars and memory of a fine-tune, each at P50."""
    plan, held = estimate.plan, estimate.memory
    seen = plan.examples * plan.epochs
    hours = Given("H", Text("GPU-hours of the final run", "最终训练的 GPU 小时"), estimate.gpu_hours.p50, "h")
    return (
        Step(
            "tokens",
            Text("Tokens that pass through training", "训练经过的 token"),
            r"T = E\cdot k",
            (
                Given("E", Text("Examples × passes", "样本 × 轮数"), seen),
                Given("k", Text("Tokens for each", "每个的 token"), estimate.tokens / seen, "token"),
            ),
            estimate.tokens,
            "token",
        ),
        Step(
            "gpu_hours",
            Text("GPU-hours", "GPU 小时"),
            r"H = \frac{T\cdot s}{3600} + H_w",
            (
                Given(
                    "T",
                    Text("Tokens that pass through training", "训练经过的 token"),
                    estimate.tokens,
                    "token",
                ),
                Given(
                    "s",
                    Text("Seconds per token, whole runs", "每 token 秒数(整次运行)"),
                    (estimate.gpu_hours.p50 - estimate.writing_hours) * 3600 / estimate.tokens,
                    "s",
                ),
                Given(
                    "H_w", Text("Hours of writing answers", "生成回答的小时数"), estimate.writing_hours, "h"
                ),
            ),
            estimate.gpu_hours.p50,
            "h",
        ),
        Step(
            "dollars",
            Text("Cost with experiments", "含实验的成本"),
            r"\mathrm{cost} = H\cdot p\cdot x",
            (
                hours,
                Given("p", _PRICE, estimate.price.usd, "USD/h"),
                Given("x", Text("Experiments multiplier", "实验倍数"), plan.experiments),
            ),
            estimate.all_dollars.p50,
            "USD",
        ),
        Step(
            "memory",
            Text("Memory per accelerator", "每加速器显存"),
            r"M = W + O + A + L + 1.4",
            (
                Given("W", Text("Weights", "权重"), held.weights / 1e9, "GB"),
                Given(
                    "O",
                    Text("Trained part with its optimiser", "被训练部分及其优化器"),
                    held.trained / 1e9,
                    "GB",
                ),
                Given("A", Text("Activations", "激活值"), held.activations / 1e9, "GB"),
                Given("L", Text("Logits", "logits"), held.logits / 1e9, "GB"),
            ),
            held.total / 1e9,
            "GB",
        ),
    )

"""Each headline number as its formula with the inputs it had, so that a screen can answer "why?".

A :class:`Step` is data: a label, the formula in LaTeX, the symbols with their values and units, the
result. The numbers are read off a finished estimate; nothing is calculated a second time.
"""

from dataclasses import dataclass

from core.compute.serving_cost import ApiEstimate, SelfHostEstimate, ServingPlan
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


_TOKENS_IN = Text("Tokens read per call", "每次调用输入 token")
_TOKENS_OUT = Text("Tokens written per call", "每次调用输出 token")
_ATTEMPTS = Text("Model calls per request", "每次请求的模型调用次数")
_PRICE = Text("Price per accelerator-hour", "每加速器小时价格")
_COUNT = Text("Accelerators", "加速器数量")


def training_steps(estimate: TrainingEstimate) -> tuple[Step, ...]:
    """From operations to dollars, energy and memory, each at P50."""
    plan, hardware = estimate.plan, estimate.accelerator
    active = plan.active_parameters or plan.parameters
    hours = Given("H", Text("GPU-hours of the final run", "最终训练的 GPU 小时"), estimate.gpu_hours.p50, "h")
    experiments = Given("x", Text("Experiments multiplier", "实验倍数"), plan.experiments)
    steps = [
        Step(
            "flop",
            Text("Operations", "运算量"),
            r"C = 6\,N_a\,D\,(1 + a)",
            (
                Given("N_a", Text("Active parameters", "激活参数量"), active),
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
        Step(
            "memory",
            Text("Memory per accelerator, sharded", "每加速器显存(分片)"),
            r"M = \frac{(2 + 2 + 12)\,N}{n} + \mathrm{activations} + \mathrm{working}",
            (
                Given("N", Text("Parameters", "参数量"), plan.parameters),
                Given("n", _COUNT, plan.accelerators),
                Given(
                    r"\mathrm{activations}",
                    Text("Activations", "激活值"),
                    estimate.fit.sharded.activations / 1e9,
                    "GB",
                ),
                Given(
                    r"\mathrm{working}",
                    Text("Gathered layers", "聚合的层"),
                    estimate.fit.sharded.working / 1e9,
                    "GB",
                ),
            ),
            estimate.fit.sharded.total / 1e9,
            "GB",
        ),
    ]
    if estimate.all_energy_kwh and hardware.watts:
        steps.append(
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
                estimate.all_energy_kwh.p50,
                "kWh",
            )
        )
    return tuple(steps)


def api_steps(plan: ServingPlan, api: ApiEstimate) -> tuple[Step, ...]:
    """The API bill of one request."""
    return (
        Step(
            "api_request",
            Text("API cost of a request", "单次请求 API 成本"),
            r"u = r\,\frac{I\,(1-k)\,p_{in} + I\,k\,p_{cached} + O\,p_{out}}{10^6}",
            (
                Given("r", _ATTEMPTS, plan.attempts),
                Given("I", _TOKENS_IN, plan.input_tokens, "token"),
                Given("k", Text("Cached share of the input", "输入缓存命中率"), plan.cached_share),
                Given("O", _TOKENS_OUT, plan.output_tokens, "token"),
                Given("p_{in}", Text("Price of fresh input", "新输入价格"), api.price.input, "USD/Mtoken"),
                Given(
                    "p_{cached}",
                    Text("Price of cached input", "缓存输入价格"),
                    api.price.cached,
                    "USD/Mtoken",
                ),
                Given("p_{out}", Text("Price of output", "输出价格"), api.price.output, "USD/Mtoken"),
            ),
            api.per_request,
            "USD",
        ),
    )


def selfhost_steps(plan: ServingPlan, own: SelfHostEstimate) -> tuple[Step, ...]:
    """From the batch that fits to the cost of one request, each at P50."""
    speed = Given(
        "T", Text("Tokens per second of a replica", "单副本每秒 token"), own.tokens_per_second.p50, "token/s"
    )
    month = Given("h", Text("Hours in a month", "每月小时数"), 730, "h")
    volume = Given("Q", Text("Requests per month", "每月请求数"), plan.requests_per_month)
    return (
        Step(
            "batch",
            Text("Requests answered at once", "同时处理的请求数"),
            r"B = \min\left(B_{max}, \left\lfloor\frac{0.9\,n\,M - W}{KV}\right\rfloor\right)",
            (
                Given("B_{max}", Text("Largest batch", "最大批量"), plan.max_batch),
                Given("n M", Text("Memory of the replica", "副本显存"), own.memory_gb, "GB"),
                Given("W", Text("Weights", "权重"), own.weights_gb, "GB"),
                Given(
                    "KV", Text("KV cache of one request", "单请求 KV 缓存"), own.kv_cache_gb / own.batch, "GB"
                ),
            ),
            own.batch,
            "",
        ),
        Step(
            "tokens_per_second",
            Text("Tokens per second of a replica", "单副本每秒 token"),
            r"T = \frac{B}{\mathrm{TPOT}}\cdot q",
            (
                Given("B", Text("Requests answered at once", "同时处理的请求数"), own.batch),
                Given(
                    r"\mathrm{TPOT}",
                    Text("Time per output token", "每输出 token 时间"),
                    own.seconds_per_token * 1e3,
                    "ms",
                ),
                Given(
                    "q",
                    Text("Published ÷ predicted", "公开值 ÷ 预测值"),
                    own.tokens_per_second.p50 * own.seconds_per_token / own.batch,
                ),
            ),
            own.tokens_per_second.p50,
            "token/s",
        ),
        Step(
            "replicas",
            Text("Replicas at peak", "高峰副本数"),
            r"R = \left\lceil\frac{Q\,r\,O\cdot f}{T\,u\cdot 3600\,h}\right\rceil",
            (
                volume,
                Given("r", _ATTEMPTS, plan.attempts),
                Given("O", _TOKENS_OUT, plan.output_tokens, "token"),
                Given("f", Text("Peak over mean", "峰值与均值之比"), plan.peak_factor),
                speed,
                Given("u", Text("Load at peak", "高峰负载率"), plan.utilisation),
                month,
            ),
            own.replicas,
            "",
        ),
        Step(
            "selfhost_request",
            Text("Self-hosted cost of a request", "单次请求自托管成本"),
            r"c = \frac{R\,n\,p\,h + F}{Q}",
            (
                Given("R", Text("Replicas at peak", "高峰副本数"), own.replicas),
                Given("n", Text("Accelerators per replica", "每副本加速器数"), plan.accelerators),
                Given("p", _PRICE, own.price.usd, "USD/h"),
                month,
                Given("F", Text("Operations per month", "每月运维费用"), plan.operations_per_month, "USD"),
                volume,
            ),
            own.per_request.p50,
            "USD",
        ),
    )

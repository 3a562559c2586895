"""The headline numbers of serving as formulas with the inputs they had (see :mod:`core.compute.explain`)."""

from core.compute.explain import Given, Step
from core.compute.serving_calibration import constants
from core.compute.serving_cost import ApiEstimate, SelfHostEstimate
from core.compute.serving_plan import HOURS_PER_MONTH, ServingPlan
from core.i18n import Text

_TOKENS_IN = Text("Tokens read per call", "每次调用输入 token")
_TOKENS_OUT = Text("Tokens written per call", "每次调用输出 token")
_ATTEMPTS = Text("Model calls per request", "每次请求的模型调用次数")
_REPLICAS = Text("Replicas", "副本数")
_AT_ONCE = Text("Requests answered at once", "同时处理的请求数")
_SPEED = Text("Tokens per second of a replica", "单副本每秒 token")


def api_steps(plan: ServingPlan, api: ApiEstimate) -> tuple[Step, ...]:
    """The API bill of one request, at the rates that the plan's batches leave."""
    now, later, share = api.price.rates, api.price.batch or api.price.rates, api.batched

    def blended(name: str) -> float:
        return float((1 - share) * getattr(now, name) + share * getattr(later, name))

    return (
        Step(
            "api_request",
            Text("API cost of a request", "单次请求 API 成本"),
            r"u = r\left(\frac{I\,(1-k)\,p_{in} + I\,k\,p_{cached} + O\,p_{out}}{10^6} + p_{req}\right)",
            (
                Given("r", _ATTEMPTS, plan.attempts),
                Given("I", _TOKENS_IN, plan.input_tokens, "token"),
                Given("k", Text("Cached share of the input", "输入缓存命中率"), plan.cached_share),
                Given("O", _TOKENS_OUT, plan.output_tokens, "token"),
                Given("p_{in}", Text("Price of fresh input", "新输入价格"), blended("input"), "USD/Mtoken"),
                Given(
                    "p_{cached}",
                    Text("Price of cached input", "缓存输入价格"),
                    blended("cached"),
                    "USD/Mtoken",
                ),
                Given("p_{out}", Text("Price of output", "输出价格"), blended("output"), "USD/Mtoken"),
                Given("p_{req}", Text("Price of a call", "每次调用价格"), blended("request"), "USD"),
            ),
            api.per_request,
            "USD",
        ),
    )


def selfhost_steps(plan: ServingPlan, own: SelfHostEstimate) -> tuple[Step, ...]:
    """From the batch that fits to the cost of one request, each at P50."""
    speed = Given("T", _SPEED, own.tokens_per_second.p50, "token/s")
    month = Given("h", Text("Hours in a month", "每月小时数"), HOURS_PER_MONTH, "h")
    volume = Given("Q", Text("Requests per month", "每月请求数"), plan.requests_per_month)
    reserve = float(constants().reserve_bytes) * plan.accelerators / 1e9
    return (
        Step(
            "batch",
            _AT_ONCE,
            r"B = \min\left(B_{max},\; \left\lfloor\frac{0.9\,M - m - W}{KV}\right\rfloor,\; B_{TPOT}\right)",
            (
                Given("B_{max}", Text("Largest batch", "最大批量"), plan.max_batch),
                Given("M", Text("Memory of the replica", "副本显存"), own.memory_gb, "GB"),
                Given("m", Text("Driver and buffers", "驱动与缓冲"), reserve, "GB"),
                Given("W", Text("Weights", "权重"), own.weights_gb, "GB"),
                Given(
                    "KV", Text("KV cache of one request", "单请求 KV 缓存"), own.kv_cache_gb / own.batch, "GB"
                ),
            ),
            own.batch,
            "",
        ),
        Step(
            "first_token",
            Text("Time to first token at peak", "高峰首 token 时间"),
            r"\mathrm{TTFT} = \frac{t_{prompt}}{1-u}",
            (
                Given(
                    "t_{prompt}",
                    Text("Reading the prompt alone", "单独读取提示"),
                    own.first_token_seconds * 1e3,
                    "ms",
                ),
                Given("u", Text("Load at peak", "高峰负载率"), plan.utilisation),
            ),
            own.first_token_at_peak * 1e3,
            "ms",
        ),
        Step(
            "tokens_per_second",
            _SPEED,
            r"T = \frac{B}{\mathrm{TPOT}}",
            (
                Given("B", _AT_ONCE, own.batch),
                Given(
                    r"\mathrm{TPOT}",
                    Text("Time per output token", "每输出 token 时间"),
                    own.seconds_per_token * 1e3,
                    "ms",
                ),
            ),
            own.tokens_per_second.p50,
            "token/s",
        ),
        Step(
            "replicas",
            _REPLICAS,
            r"R = \max\left(R_{min}, \left\lceil\frac{Q\,r\,O\cdot f}{T\,u\cdot 3600\,h}\right\rceil\right) + s",
            (
                Given("R_{min}", Text("Smallest number of replicas", "最少副本数"), plan.min_replicas),
                volume,
                Given("r", _ATTEMPTS, plan.attempts),
                Given("O", _TOKENS_OUT, plan.output_tokens, "token"),
                Given("f", Text("Peak over mean", "峰值与均值之比"), plan.peak_factor),
                speed,
                Given("u", Text("Load at peak", "高峰负载率"), plan.utilisation),
                month,
                Given("s", Text("Spare replicas", "备用副本数"), plan.spare_replicas),
            ),
            own.replicas,
            "",
        ),
        Step(
            "selfhost_request",
            Text("Self-hosted cost of a request", "单次请求自托管成本"),
            r"c = \frac{R\,n\,p\,h + F}{Q}",
            (
                Given("R", _REPLICAS, own.replicas),
                Given("n", Text("Accelerators per replica", "每副本加速器数"), plan.accelerators),
                Given("p", Text("Price per accelerator-hour", "每加速器小时价格"), own.price.usd, "USD/h"),
                month,
                Given("F", Text("Operations per month", "每月运维费用"), plan.operations_per_month, "USD"),
                volume,
            ),
            own.per_request.p50,
            "USD",
        ),
    )

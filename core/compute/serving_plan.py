"""Which requests are answered, and how: the inputs of serving, and what they may be."""

from dataclasses import dataclass
from datetime import date

from core.compute.hardware import PRECISIONS, Accelerator
from core.compute.limits import one_of, whole_within, within
from core.compute.prices import TIERS
from core.i18n import Refusal, Text

HOURS_PER_MONTH = 730.0


@dataclass(frozen=True, slots=True)
class ServingPlan:
    """Which requests are answered, and how. Every value is plain; the estimates check them.

    ``on`` is the day whose API prices hold. Tokens are per attempt, ``attempts`` per request (steps,
    retries, checks). ``batch_share`` of the requests may wait a day for an API's batch price.
    ``accelerators`` are those of one replica. ``price_per_hour`` is in USD per accelerator (None: the
    price of ``gpu_provider`` in ``tier``). ``utilisation`` is the load of a replica in the busiest hour
    as a share of its maximum. ``ttft_ms`` and ``tpot_ms`` are the longest that a reader may wait for
    the first and for each further token (None: as long as it takes). ``spare_replicas`` run beside those
    that the load needs. ``kv_precision`` None is 8 bits
    beside 8- or 4-bit weights of a dense model and else 16, as in the published runs.
    """

    on: date
    input_tokens: float = 2000
    output_tokens: float = 500
    cached_share: float = 0.0
    attempts: float = 1.0
    requests_per_month: float = 1e6
    provider: str = "anthropic"
    model: str = "claude-sonnet-4-5"
    batch_share: float = 0.0
    open_model: str = "Llama 3.1 8B"
    precision: str = "fp8"
    accelerator: str = "H100 SXM"
    accelerators: int = 1
    price_per_hour: float | None = None
    tier: str = "on_demand"
    gpu_provider: str = ""
    utilisation: float = 0.7
    peak_factor: float = 3.0
    ttft_ms: float | None = None
    tpot_ms: float | None = None
    min_replicas: int = 1
    spare_replicas: int = 0
    max_batch: int = 256
    kv_precision: str | None = None
    operations_per_month: float = 0.0


def check_requests(plan: ServingPlan) -> None:
    """Refuse what concerns both ways: tokens and requests."""
    within(plan.input_tokens, Text("Input tokens per request", "每次请求的输入 token"), 1, 10_000_000)
    within(plan.output_tokens, Text("Output tokens per request", "每次请求的输出 token"), 1, 10_000_000)
    within(plan.cached_share, Text("Cached share of the input", "输入缓存命中率"), 0, 1)
    within(plan.attempts, Text("Attempts per request", "每次请求的尝试次数"), 1, 1000)
    within(plan.requests_per_month, Text("Requests per month", "每月请求数"), 1, 1e13)
    within(plan.batch_share, Text("Share that may wait for a batch", "可等待批处理的比例"), 0, 1)


def check_context(plan: ServingPlan, model: str, most: int | None) -> None:
    """Refuse a call that is longer than the model takes."""
    tokens = plan.input_tokens + plan.output_tokens
    if most is not None and tokens > most:
        raise Refusal(
            "A call holds {tokens} tokens; {model} takes at most {most}.",
            tokens=f"{tokens:,.0f}",
            model=model,
            most=f"{most:,}",
        )


def check_fleet(plan: ServingPlan, hardware: Accelerator) -> None:
    """Refuse what concerns own accelerators."""
    one_of(plan.precision, Text("Precision of the weights", "权重精度"), PRECISIONS)
    hardware.peak(plan.precision)
    if plan.kv_precision is not None:
        one_of(plan.kv_precision, Text("Precision of the KV cache", "KV 缓存精度"), ("bf16", "fp8"))
    one_of(plan.tier, Text("How it is bought", "购买方式"), TIERS)
    whole_within(plan.accelerators, Text("Accelerators per replica", "每副本加速器数"), 1, 1024)
    whole_within(plan.min_replicas, Text("Smallest number of replicas", "最少副本数"), 1, 100_000)
    whole_within(plan.spare_replicas, Text("Spare replicas", "备用副本数"), 0, 1000)
    whole_within(plan.max_batch, Text("Largest batch", "最大批量"), 1, 8192)
    within(plan.utilisation, Text("Load at peak", "高峰负载率"), 0.01, 1)
    within(plan.peak_factor, Text("Peak over mean", "峰值与均值之比"), 1, 1000)
    within(plan.operations_per_month, Text("Operations per month", "每月运维费用"), 0, 1e9)
    if plan.ttft_ms is not None:
        within(plan.ttft_ms, Text("Time to first token (ms)", "首 token 时间(毫秒)"), 1, 1e7)
    if plan.tpot_ms is not None:
        within(plan.tpot_ms, Text("Time per output token (ms)", "每输出 token 时间(毫秒)"), 0.1, 1e5)

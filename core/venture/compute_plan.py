"""The inputs of the compute page, as a part of the venture: what is trained, tuned and served, and on what.

Every field has a default, so that a document of an earlier version opens. What a value may be in full
is the estimator's to say (:mod:`core.compute`); here only what can never be meant is refused.
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from core.venture.frozen import Frozen, Key, Parts, Short

Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]

ComputePart = Literal["training", "finetune", "serving", "drift"]


class TrainingPlan(Frozen):
    """What is to be trained: ``parameters`` N on ``tokens`` D on ``accelerators`` × ``accelerator``.

    ``model`` names an architecture whose size stands before ``parameters``. ``price_per_hour`` is in USD
    per accelerator-hour (None: the price of ``provider``, or the market, in ``tier``); ``experiments``
    multiplies the final run by what development took in all; ``served_tokens`` are those of the
    model's life. ``stage``, ``tensor``, ``pipeline`` and ``recompute`` are None where they are chosen.
    """

    model: Short = ""
    parameters: Positive = 7e9
    active_parameters: Positive | None = None
    tokens: Positive = 1e9
    sequence_length: Count = 2048
    micro_batch: Count = 1
    precision: Short = "bf16"
    accelerator: Short = "H100 SXM"
    accelerators: Count = 8
    price_per_hour: Positive | None = None
    tier: Short = "on_demand"
    provider: Short = ""
    experiments: Annotated[float, Field(ge=1)] = 1.5
    stage: Annotated[int, Field(ge=0, le=3)] | None = None
    tensor: Count | None = None
    pipeline: Count | None = None
    recompute: Short | None = None
    country: Short = "USA"
    served_tokens: Annotated[float, Field(ge=0)] = 0.0


class FinetunePlan(Frozen):
    """What is to be tuned: ``model`` by ``method`` towards ``goal`` on ``examples``, ``epochs`` times."""

    model: Short = "Llama 3.1 8B"
    method: Short = "lora"
    goal: Short = "sft"
    examples: Positive = 50_000.0
    tokens_per_example: Positive = 1000.0
    epochs: Positive = 3.0
    rank: Count = 16
    rollouts: Count = 8
    tokens_per_answer: Positive = 1000.0
    sequence_length: Count = 2048
    micro_batch: Count = 1
    accelerator: Short = "H100 SXM"
    accelerators: Count = 1
    price_per_hour: Positive | None = None
    tier: Short = "on_demand"
    provider: Short = ""
    experiments: Annotated[float, Field(ge=1)] = 2.0


class ServingPlan(Frozen):
    """How requests are answered: by an API (``provider``, ``model``) or on own accelerators."""

    provider: Short = "anthropic"
    model: Short = "claude-sonnet-4-5"
    batch_share: Share = 0.0
    open_model: Short = "Llama 3.1 8B"
    precision: Short = "fp8"
    accelerator: Short = "H100 SXM"
    accelerators: Count = 1
    price_per_hour: Positive | None = None
    tier: Short = "on_demand"
    gpu_provider: Short = ""
    utilisation: Annotated[float, Field(gt=0, le=1)] = 0.7
    requests_per_month: Positive = 1e6
    peak_factor: Annotated[float, Field(ge=1)] = 3.0
    ttft_ms: Positive | None = None
    tpot_ms: Positive | None = None
    min_replicas: Count = 1
    spare_replicas: Annotated[int, Field(ge=0)] = 0
    max_batch: Count = 256
    kv_precision: Short | None = None
    operations_per_month: Annotated[float, Field(ge=0)] = 0.0


class OwnPrice(Frozen):
    """A founder's own price of an accelerator-hour in USD, before the table's."""

    accelerator: Short
    tier: Short = "on_demand"
    provider: Short = ""
    low: Positive | None = None
    typical: Positive
    high: Positive | None = None
    on: date
    source: Short = ""


class ComputeLink(Frozen):
    """A driver that was taken from a part of the page and follows it until somebody types over it."""

    key: Key
    part: ComputePart


class ComputePlan(Frozen):
    """The inputs of the compute page. ``drift_per_year`` is the signed drift of compute prices."""

    training: TrainingPlan = TrainingPlan()
    finetune: FinetunePlan = FinetunePlan()
    serving: ServingPlan = ServingPlan()
    prices: Annotated[Parts[OwnPrice], Field(max_length=200)] = ()
    drift_per_year: Annotated[float, Field(ge=-0.95, le=10)] = 0.0
    links: Annotated[Parts[ComputeLink], Field(max_length=200)] = ()

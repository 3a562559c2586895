"""What computing costs: training a model, and answering requests with one.

Data first. Every figure that is not arithmetic stands in a CSV under ``data/`` with its source and
date: accelerators and their rental prices, published training runs, published serving throughput,
the shapes of open models. What is fitted to published records (the model FLOP utilisation of a class
of accelerators, the error bands) is computed from those files when it is first asked for.

Then arithmetic. A frozen plan of plain values goes in, a frozen estimate comes out, with the 10th,
50th and 90th percentile that the published records support. What cannot be estimated is refused in
one sentence. Nothing here touches the clock or the network, and no file after the first call.

    hardware               accelerators: peak, memory, bandwidth, power, prices
    language_models        shapes of open models: parameters, KV cache
    training_calibration   what published training runs got out of their hardware
    training_cost          from parameters and tokens to hours, dollars, energy, memory
    roofline               tokens per second of a model on its accelerators
    serving_calibration    the roofline's constants, and how far it was from published throughput
    serving_cost           from requests to dollars, by API and on own accelerators
    api_prices             what a provider's API asks
    drivers                the estimates as drivers of the plan
    explain, report        the same estimates as formulas with their inputs, and as plain dicts
"""

from core.compute.api_prices import ApiPrice, PriceList, api_model_name, api_models, api_price, price_list
from core.compute.band import Band
from core.compute.drivers import Finding, serving_findings, short, training_findings
from core.compute.explain import Given, Step, api_steps, selfhost_steps, training_steps
from core.compute.hardware import (
    PRECISIONS,
    Accelerator,
    HourlyPrice,
    accelerator,
    accelerators,
    hourly_price,
)
from core.compute.language_models import LanguageModel, language_model, language_models
from core.compute.report import serving_report, training_report
from core.compute.serving_cost import (
    ApiEstimate,
    SelfHostEstimate,
    ServingEstimate,
    ServingPlan,
    cost_over_volume,
    estimate_api,
    estimate_selfhost,
    estimate_serving,
    smallest_replica,
)
from core.compute.training_calibration import Calibration, calibration, published_runs
from core.compute.training_cost import (
    Experiments,
    Fit,
    Memory,
    TrainingEstimate,
    TrainingPlan,
    estimate_training,
    experiment_factors,
    training_by_accelerator,
)

__all__ = [
    "PRECISIONS",
    "Accelerator",
    "ApiEstimate",
    "ApiPrice",
    "Band",
    "Calibration",
    "Experiments",
    "Finding",
    "Fit",
    "Given",
    "HourlyPrice",
    "LanguageModel",
    "Memory",
    "PriceList",
    "SelfHostEstimate",
    "ServingEstimate",
    "ServingPlan",
    "Step",
    "TrainingEstimate",
    "TrainingPlan",
    "accelerator",
    "accelerators",
    "api_model_name",
    "api_models",
    "api_price",
    "api_steps",
    "calibration",
    "cost_over_volume",
    "estimate_api",
    "estimate_selfhost",
    "estimate_serving",
    "estimate_training",
    "experiment_factors",
    "hourly_price",
    "language_model",
    "language_models",
    "price_list",
    "published_runs",
    "selfhost_steps",
    "serving_findings",
    "serving_report",
    "short",
    "smallest_replica",
    "training_by_accelerator",
    "training_findings",
    "training_report",
    "training_steps",
]

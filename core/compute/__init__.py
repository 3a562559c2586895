"""What computing costs: training a model, tuning one, and answering requests with it.

Data first. Every figure that is not arithmetic stands in a CSV under ``data/`` with its source and
date: accelerators and their rents, published training runs, throughputs and fine-tunes, the shapes of
open models, grids, laws. What is fitted to published records stands beside them, and the module that
fitted it computes it again.

Then arithmetic. A frozen plan of plain values goes in, a frozen estimate comes out, with the 10th,
50th and 90th percentile that the published records support. What cannot be estimated is refused in
one sentence. Nothing here touches the clock or the network (but :mod:`core.compute.price_refresh`, when
asked), and no file after the first call.

    hardware, language_models     accelerators; shapes of open models: parameters, KV cache
    prices, price_refresh         what an accelerator-hour costs, by provider and tier; today's
    grids, failures, law          what a kilowatt-hour emits; what failures take; where the law draws lines
    spelling, records, backtest   published figures, read as people write them; predicted against published
    training_calibration, _fit    what published training runs got out of their hardware
    training_memory, _cost        from parameters and tokens to memory, hours, dollars, energy
    sizing                        how large a model on how many tokens
    finetuning_calibration, _fit  how long a step of fine-tuning takes, what it holds
    finetuning                    full, LoRA, QLoRA; DPO; RL
    roofline                      tokens per second of a model on its accelerators
    serving_calibration, _fit     the roofline's constants, and how far it was from published throughput
    serving_plan, serving_cost    from requests to dollars, by API and on own accelerators
    api_prices, break_even        what APIs ask; where own accelerators cost less, and how likely
    drivers                       the estimates as drivers of the plan
    explain, report, command      the same estimates as formulas, as plain dicts, from a shell
"""

from core.compute.api_prices import (
    ApiPrice,
    PriceList,
    Rates,
    api_catalogue,
    api_model_name,
    api_models,
    api_price,
    api_providers,
    models_of,
    price_list,
)
from core.compute.backtest import (
    Backtest,
    Check,
    Summary,
    backtest_serving,
    backtest_training,
    serving_left_out,
    training_left_out,
)
from core.compute.band import Band
from core.compute.break_even import Curve, cost_over_volume
from core.compute.command import backtest_report
from core.compute.drivers import (
    Finding,
    drift_findings,
    finetuning_findings,
    serving_findings,
    short,
    training_findings,
)
from core.compute.explain import Given, Step, finetuning_steps, training_steps
from core.compute.explain_serving import api_steps, selfhost_steps
from core.compute.failures import Failures
from core.compute.finetuning import (
    GOAL_LABELS,
    METHOD_LABELS,
    FinetuneEstimate,
    FinetunePlan,
    estimate_finetuning,
    finetuning_by_method,
)
from core.compute.grids import Grid, grids
from core.compute.hardware import PRECISIONS, Accelerator, accelerator, accelerators
from core.compute.language_models import LanguageModel, language_model, language_models
from core.compute.law import Standing, Threshold, fine_tuner_standings, standings, thresholds
from core.compute.price_refresh import can_refresh, refreshed_prices
from core.compute.prices import (
    STALE_DAYS,
    TIER_LABELS,
    TIERS,
    HourlyPrice,
    PriceRow,
    age_days,
    drifted,
    hourly_price,
    own_price,
    prices_of,
)
from core.compute.records import Unusable
from core.compute.report import finetuning_report, serving_report, training_report
from core.compute.serving_cost import (
    ApiEstimate,
    SelfHostEstimate,
    ServingEstimate,
    api_bills,
    best_replica,
    estimate_api,
    estimate_selfhost,
    estimate_serving,
    smallest_replica,
)
from core.compute.serving_plan import HOURS_PER_MONTH, ServingPlan
from core.compute.sizing import Size, chinchilla, life_long, over_trained
from core.compute.training_calibration import Calibration, calibration
from core.compute.training_cost import (
    Experiments,
    TrainingEstimate,
    TrainingPlan,
    estimate_training,
    experiment_factors,
    training_by_accelerator,
    training_by_price,
)
from core.compute.training_memory import Fit, Memory, Split

__all__ = [
    "GOAL_LABELS",
    "HOURS_PER_MONTH",
    "METHOD_LABELS",
    "PRECISIONS",
    "STALE_DAYS",
    "TIERS",
    "TIER_LABELS",
    "Accelerator",
    "ApiEstimate",
    "ApiPrice",
    "Backtest",
    "Band",
    "Calibration",
    "Check",
    "Curve",
    "Experiments",
    "Failures",
    "Finding",
    "FinetuneEstimate",
    "FinetunePlan",
    "Fit",
    "Given",
    "Grid",
    "HourlyPrice",
    "LanguageModel",
    "Memory",
    "PriceList",
    "PriceRow",
    "Rates",
    "SelfHostEstimate",
    "ServingEstimate",
    "ServingPlan",
    "Size",
    "Split",
    "Standing",
    "Step",
    "Summary",
    "Threshold",
    "TrainingEstimate",
    "TrainingPlan",
    "Unusable",
    "accelerator",
    "accelerators",
    "age_days",
    "api_bills",
    "api_catalogue",
    "api_model_name",
    "api_models",
    "api_price",
    "api_providers",
    "api_steps",
    "backtest_report",
    "backtest_serving",
    "backtest_training",
    "best_replica",
    "calibration",
    "can_refresh",
    "chinchilla",
    "cost_over_volume",
    "drift_findings",
    "drifted",
    "estimate_api",
    "estimate_finetuning",
    "estimate_selfhost",
    "estimate_serving",
    "estimate_training",
    "experiment_factors",
    "fine_tuner_standings",
    "finetuning_by_method",
    "finetuning_findings",
    "finetuning_report",
    "finetuning_steps",
    "grids",
    "hourly_price",
    "language_model",
    "language_models",
    "life_long",
    "models_of",
    "over_trained",
    "own_price",
    "price_list",
    "prices_of",
    "refreshed_prices",
    "selfhost_steps",
    "serving_findings",
    "serving_left_out",
    "serving_report",
    "short",
    "smallest_replica",
    "standings",
    "thresholds",
    "training_by_accelerator",
    "training_by_price",
    "training_findings",
    "training_left_out",
    "training_report",
    "training_steps",
]

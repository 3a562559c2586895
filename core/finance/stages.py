"""The seven stages of an AI venture, from the first model to sustained growth, with what is missing.

Each stage has a test that the venture itself answers: what has been measured, which hypotheses have
evidence, what the plan says. The marks are judgement, stated with each stage, so that a founder can
disagree with them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from core.finance.metrics import Metric, metrics
from core.finance.projection import Projection
from core.i18n import Sentence, Text
from core.venture import BLOCKS

Status = Literal["done", "under_way", "open"]


@dataclass(frozen=True)
class Stage:
    """A stage with its status and the one sentence that says why."""

    key: str
    label: Text
    status: Status
    why: Sentence


def stages(projection: Projection) -> tuple[Stage, ...]:
    """The seven stages in order."""
    found = metrics(projection)
    return tuple(Stage(key, label, *test(projection, found)) for key, label, test in _STAGES)


_Answer = tuple[Status, Sentence]


def _kinds(projection: Projection) -> set[str]:
    return {driver.source.kind for driver in projection.venture.drivers}


def _model(projection: Projection, _found: dict[str, Metric]) -> _Answer:
    venture = projection.venture
    if venture.has_driver("accuracy") and venture.driver("accuracy").source.kind == "measured":
        return "done", Sentence.of("The accuracy in the plan was measured by a training run.")
    if "measured" in _kinds(projection):
        return "under_way", Sentence.of("A cost was measured; the accuracy in the plan is still assumed.")
    return "open", Sentence.of("No number in the plan was measured yet: train a model and take its accuracy.")


def _technology(projection: Projection, _found: dict[str, Metric]) -> _Answer:
    kinds = _kinds(projection)
    if "estimated" in kinds and "measured" in kinds:
        return "done", Sentence.of("Compute was estimated and a run was measured.")
    if kinds & {"estimated", "measured"}:
        return "under_way", Sentence.of("Either the estimate of compute or a measured run is still missing.")
    return "open", Sentence.of(
        "Compute has not been costed: estimate training or serving and take it into the plan."
    )


def _market(projection: Projection, _found: dict[str, Metric]) -> _Answer:
    levels = [h.evidence for h in projection.venture.hypotheses]
    if sum(level >= 3 for level in levels) >= 2:
        return "done", Sentence.of("At least two hypotheses rest on what people did.")
    if any(level >= 2 for level in levels):
        return "under_way", Sentence.of(
            "There are interviews; two hypotheses need evidence of what people do."
        )
    return "open", Sentence.of("No hypothesis has evidence from interviews or better.")


def _design(projection: Projection, _found: dict[str, Metric]) -> _Answer:
    empty = sum(not projection.venture.canvas.block(block) for block in BLOCKS)
    margin = projection.at("margin_per_customer", 1)
    if empty:
        return "under_way" if empty < 9 else "open", Sentence.of(
            "{count} of the nine blocks of the canvas are empty.", count=empty
        )
    if margin <= 0:
        return "under_way", Sentence.of("The canvas is filled, but a customer costs more than it pays.")
    return "done", Sentence.of("The canvas is filled and a customer earns a margin.")


def _validation(projection: Projection, _found: dict[str, Metric]) -> _Answer:
    levels = sorted((h.evidence for h in projection.venture.hypotheses), reverse=True)
    strong = sum(level >= 4 for level in levels)
    if levels and strong == len(levels):
        return "done", Sentence.of("Every hypothesis has a paid pilot, a deposit or better behind it.")
    if levels:
        return "under_way" if max(levels) > 0 else "open", Sentence.of(
            "{strong} of {count} hypotheses have a paid pilot, a deposit or better behind them.",
            strong=strong,
            count=len(levels),
        )
    return "open", Sentence.of("There are no hypotheses to test yet.")


def _optimisation(projection: Projection, found: dict[str, Metric]) -> _Answer:
    margin, payback = found["gross_margin"].value, found["payback"].value
    good = (margin is not None and margin >= 0.5) + (payback is not None and payback <= 18)
    status: Status = ("open", "under_way", "done")[good]
    return status, Sentence.of(
        "Marks: gross margin of at least 50% and CAC payback within 18 months; {count} of 2 are met.",
        count=good,
    )


def _growth(projection: Projection, found: dict[str, Metric]) -> _Answer:
    alive = found["cash_zero"].value is None
    breaks_even = found["break_even"].value is not None
    status: Status = "done" if alive and breaks_even else "under_way" if alive or breaks_even else "open"
    return status, Sentence.of(
        "Marks: cash never runs out and EBITDA turns positive within the plan; {count} of 2 are met.",
        count=alive + breaks_even,
    )


_STAGES: tuple[tuple[str, Text, Callable[[Projection, dict[str, Metric]], _Answer]], ...] = (
    ("model", Text("Model development", "模型开发"), _model),
    ("technology", Text("Technology exploration", "技术探索"), _technology),
    ("market", Text("Market demand", "市场需求"), _market),
    ("design", Text("Business-model design", "商业模式设计"), _design),
    ("validation", Text("Validation", "验证"), _validation),
    ("optimisation", Text("Optimisation", "优化"), _optimisation),
    ("growth", Text("Sustained growth", "持续增长"), _growth),
)

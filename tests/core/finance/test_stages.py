"""The seven stages: each status follows from what the venture itself says."""

import pytest
from plans import EXAMPLE, with_values

from core.finance import metrics, project, stages
from core.i18n import language
from core.venture import Canvas, Source, Venture

MEASURED, ESTIMATED = Source(kind="measured", run="r1"), Source(kind="estimated")


def status(venture, key):
    (found,) = [stage for stage in stages(project(venture)) if stage.key == key]
    for reader in (language("en"), language("zh_Hans")):
        said = reader.sentence(found.why)
        assert said and "{" not in said
    return found.status


def taken(key, source, venture=EXAMPLE):
    return venture.with_driver(key, venture.driver(key).amount, source)


def with_evidence(*levels):
    fields = {name: getattr(EXAMPLE, name) for name in Venture.model_fields}
    made = EXAMPLE.hypotheses[0]
    hypotheses = tuple(
        made.model_copy(update={"id": f"h{i}", "evidence": level}) for i, level in enumerate(levels)
    )
    return Venture(**{**fields, "hypotheses": hypotheses})


def test_there_are_seven_stages_in_order_with_labels_in_both_languages():
    found = stages(project(EXAMPLE))
    assert [stage.key for stage in found] == [
        "model", "technology", "market", "design", "validation", "optimisation", "growth"
    ]  # fmt: skip
    assert all(stage.label.en and stage.label.zh for stage in found)


def test_the_model_is_done_when_its_accuracy_was_measured():
    assert status(EXAMPLE, "model") == "open"
    assert status(taken("accuracy", ESTIMATED), "model") == "open"
    assert status(taken("training_run_cost", MEASURED), "model") == "under_way"
    assert status(taken("accuracy", MEASURED), "model") == "done"


def test_technology_is_explored_when_compute_was_estimated_and_a_run_measured():
    assert status(EXAMPLE, "technology") == "open"
    assert status(taken("selfhost_request_cost", ESTIMATED), "technology") == "under_way"
    assert status(taken("accuracy", MEASURED), "technology") == "under_way"
    both = taken("selfhost_request_cost", ESTIMATED, taken("accuracy", MEASURED))
    assert status(both, "technology") == "done"


@pytest.mark.parametrize(
    ("levels", "market", "validation"),
    [
        ((), "open", "open"),
        ((0, 0), "open", "open"),
        ((1, 1, 1), "open", "under_way"),
        ((2,), "under_way", "under_way"),
        ((3, 0), "under_way", "under_way"),
        ((3, 3), "done", "under_way"),
        ((5, 0), "under_way", "under_way"),
        ((4,), "under_way", "done"),
        ((4, 5), "done", "done"),
        ((4, 5, 3), "done", "under_way"),
    ],
)
def test_market_and_validation_follow_from_the_evidence(levels, market, validation):
    venture = with_evidence(*levels)
    assert (status(venture, "market"), status(venture, "validation")) == (market, validation)


def test_the_design_is_done_when_nine_blocks_are_filled_and_a_customer_earns_a_margin():
    assert status(EXAMPLE, "design") == "done"
    gap = EXAMPLE.canvas
    for note in EXAMPLE.canvas.block("costs"):
        gap = gap.delete(note.id)
    assert status(EXAMPLE.with_canvas(gap), "design") == "under_way"
    assert status(EXAMPLE.with_canvas(Canvas()), "design") == "open"
    loss = with_values({"price_per_seat": 1.0})
    assert project(loss).at("margin_per_customer", 1) < 0
    assert status(loss, "design") == "under_way"


def test_optimisation_counts_a_gross_margin_of_half_and_a_payback_within_18_months():
    cheap = {"cac": 100.0, "infrastructure_fixed": 0.0, "growth_first": 0.0}
    for numbers, wanted in (
        ({"price_per_seat": 1.0}, "open"),
        ({"price_per_seat": 200.0, "cac": 1e9, "infrastructure_fixed": 0.0}, "under_way"),
        ({"price_per_seat": 200.0, **cheap}, "done"),
    ):
        venture = with_values(numbers)
        found = metrics(project(venture))
        marks = [
            (found["gross_margin"].value or 0) >= 0.5,
            found["payback"].value is not None and found["payback"].value <= 18,
        ]
        assert sum(marks) == {"open": 0, "under_way": 1, "done": 2}[wanted], numbers
        assert status(venture, "optimisation") == wanted


def test_a_payback_of_18_months_is_within_18_months():
    steady = {
        "price_per_seat": 200.0,
        "infrastructure_fixed": 0.0,
        "growth_first": 0.0,
        "churn_early": 0.0,
        "churn_settled": 0.0,
    }
    margin = project(with_values(steady | {"inference_drift": 0.0})).at("margin_per_customer", 1)
    for months, wanted in ((18, "done"), (19, "under_way")):
        venture = with_values(steady | {"inference_drift": 0.0, "cac": margin * (months - 0.5)})
        assert metrics(project(venture))["payback"].value == months
        assert status(venture, "optimisation") == wanted


def test_growth_counts_cash_that_lasts_and_earnings_that_turn():
    rich = {"price_per_seat": 2000.0, "seats_per_customer": 500.0, "receivable_days": 0.0}
    assert status(with_values({"cash_first": 1e4, "price_per_seat": 1.0}), "growth") == "open"
    assert status(with_values({"cash_first": 1e12, "price_per_seat": 1.0}), "growth") == "under_way"
    assert status(with_values({**rich, "cash_first": -1e6}), "growth") in ("under_way", "done")
    assert status(with_values({**rich, "cash_first": 1e9}), "growth") == "done"

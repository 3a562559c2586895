"""The cost of training: closed forms, published runs, what can only rise, what is refused."""

import json
import math
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.compute import (
    TrainingPlan,
    accelerators,
    calibration,
    estimate_training,
    experiment_factors,
    published_runs,
    training_by_accelerator,
    training_findings,
    training_report,
    training_steps,
)
from core.compute.training_calibration import fp8_gain, hours_ratio
from core.compute.training_cost import PUBLISHED_SEQUENCE
from core.i18n import Refusal

LLAMA_2_70B = TrainingPlan(
    parameters=68_976_653_312,
    tokens=2e12,
    accelerator="A100 SXM 80GB",
    accelerators=2000,
    sequence_length=4096,
)

plans = st.builds(
    TrainingPlan,
    parameters=st.floats(1e5, 1e14),
    tokens=st.floats(1e3, 1e17),
    accelerator=st.sampled_from(sorted(accelerators())),
    accelerators=st.integers(1, 1_000_000),
    precision=st.sampled_from(["bf16", "fp8"]),
    price_per_hour=st.one_of(st.none(), st.floats(0.001, 10_000)),
    experiments=st.floats(1, 100),
    sequence_length=st.integers(1, 10_000_000),
    micro_batch=st.integers(1, 4096),
    recompute=st.booleans(),
)


def numbers(tree):
    """Every number in a tree of dicts and lists."""
    if isinstance(tree, dict):
        tree = list(tree.values())
    if isinstance(tree, list):
        return [number for part in tree for number in numbers(part)]
    return [tree] if isinstance(tree, (int, float)) and not isinstance(tree, bool) else []


def test_operations_are_six_per_active_parameter_and_token_plus_attention():
    dense = estimate_training(TrainingPlan(parameters=7e9, tokens=1e9))
    assert dense.flop == pytest.approx(6 * 7e9 * 1e9 * (1 + dense.attention_share))
    sparse = estimate_training(TrainingPlan(parameters=40e9, active_parameters=7e9, tokens=1e9))
    assert sparse.flop == dense.flop
    assert sparse.fit.whole.weights == pytest.approx(40 / 7 * dense.fit.whole.weights)


def test_attention_of_a_4096_wide_model_adds_a_sixth_at_8k():
    # The closed form: causal attention is s / 12 h of 6N where the feed-forward width is 4 h.
    model = TrainingPlan(parameters=12 * 32 * 4096**2, tokens=1e9, sequence_length=8192)
    assert estimate_training(model).attention_share == pytest.approx(8192 / (12 * 4096), rel=1e-6)


def test_the_published_sequence_length_costs_no_extra_hours_and_a_long_one_does():
    short = estimate_training(TrainingPlan(parameters=7e9, tokens=1e9, sequence_length=PUBLISHED_SEQUENCE))
    shorter = estimate_training(TrainingPlan(parameters=7e9, tokens=1e9, sequence_length=128))
    long = estimate_training(TrainingPlan(parameters=7e9, tokens=1e9, sequence_length=65_536))
    assert shorter.gpu_hours == short.gpu_hours
    extra = long.attention_share - short.attention_share
    assert long.gpu_hours.p50 == pytest.approx(short.gpu_hours.p50 * (1 + extra))


def test_llama_2_70b_lies_in_its_band():
    assert (
        estimate_training(LLAMA_2_70B).gpu_hours.p10
        < 1_720_320
        < estimate_training(LLAMA_2_70B).gpu_hours.p90
    )


@pytest.mark.parametrize(
    ("plan", "hours"),
    [
        # DeepSeek-V3 technical report: 2.664 M H800 hours of pre-training. Not among the runs fitted.
        (
            TrainingPlan(671e9, 14.8e12, 37e9, accelerator="H800 SXM", accelerators=2048, precision="fp8"),
            2.664e6,
        ),
        # Llama 3.1 model card: 30.84 M H100 hours for 405B on 15.6 T tokens. Not among the runs fitted.
        (TrainingPlan(405e9, 15.6e12, accelerators=16_384), 30.84e6),
        # BLOOM: 1,082,990 A100 hours for 176B on 366 B tokens. Not among the runs fitted.
        (TrainingPlan(176e9, 366e9, accelerator="A100 SXM 80GB", accelerators=384), 1_082_990),
    ],
)
def test_runs_that_were_not_fitted_lie_in_the_band(plan, hours):
    found = estimate_training(plan).gpu_hours
    assert found.p10 < hours < found.p90


def test_the_band_holds_four_in_five_of_the_runs_of_houses_that_were_left_out():
    runs = [run for run in published_runs() if calibration(run.family).own]
    band = calibration("A100").hours_ratio
    ratios = [hours_ratio(run, [o for o in published_runs() if o.house != run.house]) for run in runs]
    inside = np.mean([band.p10 <= ratio <= band.p90 for ratio in ratios])
    assert 0.75 <= inside <= 0.85
    assert len(runs) >= 40


def test_a_class_without_enough_runs_has_the_wider_band():
    known, unknown = calibration("A100").hours_ratio, calibration("Blackwell").hours_ratio
    assert not calibration("Blackwell").own
    assert unknown.p90 > known.p90
    assert unknown.p50 > known.p50


def test_utilisation_lies_where_whole_runs_lie():
    assert 0.28 < calibration("A100").mfu < 0.36
    assert 0.19 < calibration("Hopper").mfu < 0.31
    assert 1.0 < fp8_gain() < 1.4


def test_money_days_and_energy_follow_from_hours():
    found = estimate_training(TrainingPlan(7e9, 1e12, accelerators=64, price_per_hour=2.0, experiments=2))
    hours = found.gpu_hours.p50
    assert found.dollars.p50 == pytest.approx(2 * hours)
    assert found.all_dollars.p50 == pytest.approx(4 * hours)
    assert found.days.p50 == pytest.approx(hours / 64 / 24)
    assert found.energy_kwh.p50 == pytest.approx(hours * 0.7 * 0.75 * 1.82 * 1.25)
    assert found.all_energy_kwh.p90 == pytest.approx(2 * found.energy_kwh.p90)


def test_mixed_precision_adam_takes_sixteen_bytes_a_parameter_and_sharding_divides_them():
    fit = estimate_training(TrainingPlan(7e9, 1e9, accelerators=8)).fit
    assert fit.whole.weights + fit.whole.gradients + fit.whole.optimiser == 16 * 7e9
    assert fit.sharded.weights + fit.sharded.gradients + fit.sharded.optimiser == 14e9
    assert not fit.whole_fits
    assert fit.fits


def test_a_run_that_does_not_fit_says_over_how_many_accelerators_it_would():
    fit = estimate_training(TrainingPlan(70e9, 1e9, accelerators=8)).fit
    assert not fit.fits
    assert str(fit.needed) in str(fit.problem)
    assert estimate_training(TrainingPlan(70e9, 1e9, accelerators=fit.needed)).fit.fits
    assert not estimate_training(TrainingPlan(70e9, 1e9, accelerators=fit.needed - 1)).fit.fits


def test_sequences_that_are_too_long_fit_on_no_number_of_accelerators():
    fit = estimate_training(TrainingPlan(70e9, 1e9, accelerators=8, sequence_length=10_000_000)).fit
    assert fit.needed is None
    assert "no number" in str(fit.problem)


def test_8_bit_training_is_faster_by_the_median_published_pair():
    slow = estimate_training(TrainingPlan(7e9, 1e9))
    fast = estimate_training(TrainingPlan(7e9, 1e9, precision="fp8"))
    assert slow.gpu_hours.p50 / fast.gpu_hours.p50 == pytest.approx(fp8_gain())


def test_the_three_published_experiment_factors_come_with_sources():
    assert [factor.factor for factor in experiment_factors()] == [1.5, 2.0, 5.6]
    assert all(factor.source and factor.label.zh for factor in experiment_factors())


def test_the_comparison_is_sorted_and_holds_only_priced_hardware():
    found = training_by_accelerator(TrainingPlan(7e9, 1e9, price_per_hour=1.0))
    costs = [estimate.all_dollars.p50 for estimate in found]
    assert costs == sorted(costs)
    assert len(found) > 20
    assert all(not estimate.price.typed for estimate in found)


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("tokens", 0, "Training tokens"),
        ("tokens", -1e9, "Training tokens"),
        ("tokens", math.nan, "Training tokens"),
        ("parameters", 1e30, "Parameters"),
        ("parameters", math.inf, "Parameters"),
        ("parameters", 10**400, "Parameters"),
        ("parameters", "7B", "Parameters"),
        ("active_parameters", 8e9, "Active parameters"),
        ("active_parameters", 0, "Active parameters"),
        ("accelerators", -8, "Number of accelerators"),
        ("accelerators", 0, "Number of accelerators"),
        ("accelerators", 1.5, "Number of accelerators"),
        ("accelerator", "H101", "H101"),
        ("precision", "fp2", "Training precision"),
        ("price_per_hour", 0, "Price per accelerator-hour"),
        ("experiments", 0.5, "Experiments multiplier"),
        ("sequence_length", 0, "Sequence length"),
        ("micro_batch", True, "Sequences per accelerator"),
    ],
)
def test_bad_input_is_refused_in_a_sentence_that_names_the_field(field, value, named):
    with pytest.raises(Refusal, match=named) as refused:
        estimate_training(replace(TrainingPlan(7e9, 1e9), **{field: value}))
    assert str(refused.value).endswith((".", "?"))


def test_a_card_without_8_bits_refuses_8_bit_training():
    with pytest.raises(Refusal, match="bf16, int4"):
        estimate_training(TrainingPlan(7e9, 1e9, accelerator="A100 SXM 80GB", precision="fp8"))


@given(plans)
def test_an_estimate_is_finite_ordered_and_plain_or_else_refused(plan):
    try:
        found = estimate_training(plan)
    except Refusal:
        return
    text = json.dumps(training_report(found), allow_nan=False)
    assert all(math.isfinite(number) for number in numbers(json.loads(text)))
    for band in (found.gpu_hours, found.days, found.dollars, found.all_dollars, found.mfu):
        assert 0 < band.p10 < band.p50 < band.p90
    assert found.fit.whole.total > 0


@given(
    plans, st.sampled_from(["tokens", "parameters", "experiments", "sequence_length"]), st.floats(1.01, 10)
)
def test_more_is_never_cheaper(plan, field, factor):
    more = getattr(plan, field) * factor
    grown = replace(plan, **{field: int(more) if field == "sequence_length" else more})
    try:
        before, after = estimate_training(plan), estimate_training(grown)
    except Refusal:
        assume(False)
    assert after.all_dollars.p50 >= before.all_dollars.p50 * (1 - 1e-12)
    assert after.all_gpu_hours.p90 >= before.all_gpu_hours.p90 * (1 - 1e-12)


@given(plans, st.integers(2, 1000))
def test_cost_does_not_depend_on_the_number_of_accelerators_but_days_do(plan, times):
    wider = replace(plan, accelerators=plan.accelerators * times)
    try:
        before, after = estimate_training(plan), estimate_training(wider)
    except Refusal:
        assume(False)
    assert after.dollars == before.dollars
    assert after.days.p50 == pytest.approx(before.days.p50 / times)


def test_an_estimate_takes_under_five_milliseconds():
    estimate_training(LLAMA_2_70B)
    begin = time.process_time()
    for tokens in range(1, 101):
        estimate_training(replace(LLAMA_2_70B, tokens=tokens * 1e9))
    assert (time.process_time() - begin) / 100 < 0.005


def test_the_finding_for_the_plan_is_the_band_as_a_90_percent_interval_in_its_currency():
    found = estimate_training(TrainingPlan(7e9, 1e9))
    (finding,) = training_findings(found, rate=7.2)
    assert finding.key == "training_run_cost"
    assert finding.source.kind == "estimated"
    assert finding.source.text.en != ""
    assert finding.amount.low < found.all_dollars.p10 * 7.2
    assert finding.amount.high > found.all_dollars.p90 * 7.2
    band = found.all_dollars.times(7.2)
    for probability, value in ((0.1, band.p10), (0.9, band.p90)):
        # The interval is lognormal around its own middle, the band need not be symmetrical.
        assert float(finding.amount.at(np.array(probability))) == pytest.approx(value, rel=0.1)


def test_every_step_of_the_explanation_has_its_inputs_and_the_last_ones_are_the_headlines():
    found = estimate_training(TrainingPlan(7e9, 1e9))
    steps = {step.key: step for step in training_steps(found)}
    assert list(steps) == ["flop", "gpu_hours", "days", "dollars", "memory", "energy"]
    assert steps["dollars"].result == found.all_dollars.p50
    given_values = {item.symbol: item.value for item in steps["gpu_hours"].given}
    peak, mfu = given_values[r"\mathrm{peak}"], given_values[r"\mathrm{MFU}"]
    assert given_values["C'"] / (3600 * peak * mfu * given_values["g"]) == pytest.approx(
        steps["gpu_hours"].result
    )
    assert all(step.label.zh and all(item.label.zh for item in step.given) for step in steps.values())

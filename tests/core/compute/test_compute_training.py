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
    Split,
    TrainingPlan,
    accelerator,
    accelerators,
    calibration,
    estimate_training,
    experiment_factors,
    grids,
    language_models,
    training_by_accelerator,
    training_findings,
    training_report,
    training_steps,
)
from core.compute.failures import HOURS_BETWEEN_FAILURES, failures
from core.compute.language_models import language_model, usual_shape
from core.compute.training_calibration import fp8_gain
from core.compute.training_cost import PUBLISHED_SEQUENCE
from core.compute.training_memory import fit, kept_per_token, memory, splits
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
    recompute=st.sampled_from([None, "none", "full"]),
    model=st.sampled_from(["", "", "", *language_models()]),
    tier=st.sampled_from(["on_demand", "reserved_1y", "spot"]),
    country=st.sampled_from(sorted(grids())),
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
    assert sparse.flop == pytest.approx(dense.flop, rel=0.01)
    assert sparse.gpu_hours.p50 > dense.gpu_hours.p50  # routing costs utilisation
    assert sparse.fit.memory.optimiser > dense.fit.memory.optimiser


def test_attention_of_llama_8b_is_6_l_w_s_of_6_n():
    # 32 layers of 32 heads × 128: 6 · 32 · 4,096 · 8,192 over 6 · 8.03 B.
    found = estimate_training(TrainingPlan(1, 1e9, model="Llama 3.1 8B", sequence_length=8192))
    assert found.attention_share == pytest.approx(32 * 4096 * 8192 / 8.03e9, rel=1e-3)
    assert found.parameters == pytest.approx(8.03e9, rel=1e-3)


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


# Runs that were not among those fitted. DeepSeek-V3 technical report: 2.788 M H800 hours in all.
# Llama 3.1 model card: 30.84 M H100 hours for 405B on 15.6 T tokens. BLOOM: 1,082,990 A100 hours.
NOT_FITTED = [
    (TrainingPlan(671e9, 14.8e12, 37e9, accelerator="H800 SXM", accelerators=2048, precision="fp8"), 2.788e6),
    (TrainingPlan(405e9, 15.6e12, accelerators=16_384), 30.84e6),
    (TrainingPlan(176e9, 366e9, accelerator="A100 SXM 80GB", accelerators=384), 1_082_990),
]


@pytest.mark.parametrize(("plan", "hours"), NOT_FITTED)
def test_runs_that_were_not_fitted_lie_in_the_band(plan, hours):
    found = estimate_training(plan).gpu_hours
    assert found.p10 < hours < found.p90


def test_utilisation_lies_where_whole_runs_lie():
    def mfu(name, count, active, moe=False):
        return calibration(accelerator(name), count, active, moe).mfu

    assert 0.30 < mfu("A100 SXM 80GB", 512, 10e9) < 0.40
    assert 0.20 < mfu("H100 SXM", 512, 10e9) < 0.31
    assert mfu("A100 SXM 40GB", 512, 10e9) < mfu("A100 SXM 80GB", 512, 10e9)
    assert mfu("H100 SXM", 512, 10e9, True) < mfu("H100 SXM", 512, 10e9)
    assert mfu("H100 SXM", 4096, 10e9) < mfu("H100 SXM", 64, 10e9)
    assert 1.0 < fp8_gain() < 1.4


def test_money_days_and_energy_follow_from_hours():
    found = estimate_training(TrainingPlan(7e9, 1e12, accelerators=64, price_per_hour=2.0, experiments=2))
    hours = found.gpu_hours.p50
    assert found.dollars.p50 == pytest.approx(2 * hours)
    assert found.all_dollars.p50 == pytest.approx(4 * hours)
    assert found.days.p50 == pytest.approx(hours / 64 / 24)
    assert found.energy_kwh.p50 == pytest.approx(hours * 0.7 * 0.75 * 1.82 * 1.25)
    assert found.all_energy_kwh.p90 == pytest.approx(2 * found.energy_kwh.p90)


def test_emissions_follow_from_energy_and_the_country_s_grid():
    plan = TrainingPlan(7e9, 1e12, accelerators=64)
    usa, france = estimate_training(plan), estimate_training(replace(plan, country="FRA"))
    assert usa.co2e_kg.p50 == pytest.approx(usa.energy_kwh.p50 * 0.369)
    assert france.co2e_kg.p50 == pytest.approx(france.energy_kwh.p50 * 0.056)
    assert len(grids()) > 200
    assert all(grid.label.zh and 0 < grid.g_per_kwh < 2000 for grid in grids().values())


def test_mixed_precision_adam_takes_sixteen_bytes_a_parameter_and_zero_divides_its_parts():
    shape = usual_shape(7e9)

    def held(stage, count=8):
        return memory(shape, 7e9, Split(stage=stage), count, 2048, 1)

    for stage, states in ((0, 16), (1, 4 + 12 / 8), (2, 2 + 14 / 8), (3, 16 / 8)):
        found = held(stage)
        assert found.weights + found.gradients + found.optimiser == pytest.approx(states * 7e9)
    assert held(3).working == pytest.approx(2 * 2 * 7e9 / shape.layers)
    assert held(3, 1).working == 0


def test_tensor_and_pipeline_parallelism_divide_the_states_and_tensor_the_activations():
    shape = language_model("Llama 3.1 70B")
    size = float(shape.parameters)
    whole = memory(shape, size, Split(stage=0, recompute="none"), 16, 4096, 1)
    split = memory(shape, size, Split(stage=0, tensor=4, pipeline=2, recompute="none"), 16, 4096, 1)
    assert split.weights == whole.weights / 8
    assert split.activations == pytest.approx(whole.activations / 4)


def test_a_layer_of_gpt_3_keeps_32_h_bytes_a_token_without_dropout():
    # Korthikanti 2022: 34 s b h, of which 2 h are dropout masks.
    shape = language_model("GPT-3 175B")
    assert kept_per_token(shape) == 32 * shape.hidden


def test_recomputation_keeps_the_input_of_each_layer_and_one_layer():
    shape = language_model("GPT-3 175B")
    kept = memory(shape, 175e9, Split(recompute="none"), 8, 2048, 1).activations
    again = memory(shape, 175e9, Split(recompute="full"), 8, 2048, 1).activations
    assert kept == 96 * 32 * 12_288 * 2048
    assert again == (96 * 2 + 32) * 12_288 * 2048


def test_the_split_that_is_chosen_fits_and_is_the_first_that_does():
    found = estimate_training(TrainingPlan(7e9, 1e9, accelerators=8)).fit
    assert found.chosen
    assert found.fits
    shape = usual_shape(7e9)
    for trial in splits(shape, 8):
        if trial == found.split:
            break
        assert memory(shape, 7e9, trial, 8, 2048, 1).total > found.usable


def test_a_split_of_one_s_own_is_taken_or_refused():
    plan = TrainingPlan(7e9, 1e9, accelerators=8, stage=0, recompute="full")
    found = estimate_training(plan).fit
    assert not found.chosen
    assert not found.fits  # 16 bytes × 7 B on 80 GB
    assert found.memory.weights == 14e9
    for wrong, named in (
        ({"tensor": 3}, "does not divide"),
        ({"stage": 4}, "ZeRO"),
        ({"recompute": "some"}, "Recomp"),
    ):
        with pytest.raises(Refusal, match=named):
            estimate_training(replace(plan, **wrong))


def test_a_run_that_does_not_fit_says_on_how_many_accelerators_it_would():
    found = estimate_training(TrainingPlan(70e9, 1e9, accelerators=8)).fit
    assert not found.fits
    assert str(found.needed) in str(found.problem)
    assert estimate_training(TrainingPlan(70e9, 1e9, accelerators=found.needed)).fit.fits


def test_sequences_that_are_too_long_fit_on_no_number_of_accelerators():
    found = estimate_training(TrainingPlan(70e9, 1e9, accelerators=8, sequence_length=10_000_000)).fit
    assert found.needed is None
    assert "no number" in str(found.problem)


def test_llama_405b_fits_on_its_16384_accelerators():
    shape = language_model("Llama 3.1 405B")
    assert fit(shape, float(shape.parameters), None, accelerator("H100 SXM"), 16_384, 8192, 1).fits


def test_a_checkpoint_interval_is_young_s_and_llama_405b_loses_a_tenth():
    found = failures(405e9, 16_384, 30.84e6)
    assert found.hours_between == pytest.approx(54 * 24 / 419)
    write = found.checkpoint_minutes**2 / (2 * found.hours_between * 60)
    assert found.checkpoint_minutes == pytest.approx(math.sqrt(2 * write * found.hours_between * 60))
    assert 0.05 < found.lost_share < 0.12  # "more than 90 % effective training time"
    assert found.expected == pytest.approx(30.84e6 / HOURS_BETWEEN_FAILURES)
    assert failures(8e9, 8, 1000).lost_share < 0.01


def test_8_bit_training_is_faster_by_the_median_published_pair():
    slow = estimate_training(TrainingPlan(7e9, 1e9))
    fast = estimate_training(TrainingPlan(7e9, 1e9, precision="fp8"))
    assert slow.gpu_hours.p50 / fast.gpu_hours.p50 == pytest.approx(fp8_gain())


def test_the_three_published_experiment_factors_come_with_sources():
    assert [factor.factor for factor in experiment_factors()] == [1.5, 2.0, 5.6]
    assert all(factor.source and factor.label.zh for factor in experiment_factors())


def test_the_comparison_is_sorted_and_holds_only_priced_hardware():
    found = training_by_accelerator(TrainingPlan(7e9, 1e9, price_per_hour=1.0, provider="Nebius"))
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
        ("model", "GPT-5", "GPT-5"),
        ("country", "ZZZ", "ZZZ"),
        ("tier", "free", "How it is bought"),
    ],
)
def test_bad_input_is_refused_in_a_sentence_that_names_the_field(field, value, named):
    with pytest.raises(Refusal, match=named) as refused:
        estimate_training(replace(TrainingPlan(7e9, 1e9), **{field: value}))
    assert str(refused.value).endswith((".", "?"))


def test_an_input_that_is_not_used_may_be_no_number_and_the_report_holds_none():
    plan = TrainingPlan(math.nan, 1e12, model="Llama 3.1 8B", active_parameters=math.inf)
    report = training_report(estimate_training(plan))
    assert json.loads(json.dumps(report, allow_nan=False))["plan"]["parameters"] is None


@pytest.mark.parametrize("field", ["accelerator", "country", "model", "precision", "tier"])
@pytest.mark.parametrize("value", [["H100 SXM"], {"a": 1}, 3, object()])
def test_a_name_that_is_none_is_refused_too(field, value):
    with pytest.raises(Refusal):
        estimate_training(replace(TrainingPlan(7e9, 1e12), **{field: value}))


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
    assert found.fit.memory.total > 0
    assert found.fit.fits == (found.fit.memory.total <= found.fit.usable)
    assert 0 < found.failures.lost_share <= 1


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
def test_more_accelerators_take_fewer_days_and_never_less_money(plan, times):
    wider = replace(plan, accelerators=plan.accelerators * times)
    try:
        before, after = estimate_training(plan), estimate_training(wider)
    except Refusal:
        assume(False)
    assert after.days.p50 < before.days.p50
    assert after.dollars.p50 >= before.dollars.p50 * (1 - 1e-12)


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
    assert list(steps) == ["flop", "gpu_hours", "days", "dollars", "memory", "failures", "energy", "co2e"]
    assert steps["dollars"].result == found.all_dollars.p50
    given_values = {item.symbol: item.value for item in steps["gpu_hours"].given}
    peak, mfu = given_values[r"\mathrm{peak}"], given_values[r"\mathrm{MFU}"]
    assert given_values["C'"] / (3600 * peak * mfu * given_values["g"]) == pytest.approx(
        steps["gpu_hours"].result
    )
    assert all(step.label.zh and all(item.label.zh for item in step.given) for step in steps.values())

"""Fine-tuning: the profiled memory and seconds, hours in closed form, DPO and RL, refusals."""

import json
import math
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.compute import (
    FinetunePlan,
    accelerators,
    estimate_finetuning,
    finetuning_by_method,
    finetuning_findings,
    finetuning_report,
    finetuning_steps,
    language_model,
    language_models,
)
from core.compute.finetuning_calibration import (
    adapter_parameters,
    constants,
    held,
    profiled_seconds,
    profiles,
)
from core.i18n import Refusal

PLAN = FinetunePlan(50_000)
RANK = 64  # of the profiled runs (finetune.py of QwenLM/Qwen)


@pytest.mark.parametrize(
    "row",
    [r for r in profiles() if r.method != "full"],
    ids=lambda r: f"{r.model.name}-{r.method}-{r.sequence_length}",
)
def test_the_memory_of_every_profiled_lora_and_qlora_run_is_within_a_quarter(row):
    found = held(row.model, row.method, RANK, row.sequence_length, 1)
    assert found.total / 1e9 == pytest.approx(row.memory_gb, rel=0.25)


def test_the_memory_of_full_fine_tuning_is_within_a_quarter_too():
    for row in profiles():
        if row.method == "full":
            found = held(row.model, "full", RANK, row.sequence_length, 1)
            assert found.total / 1e9 == pytest.approx(row.memory_gb, rel=0.25)


def test_half_of_the_profiled_steps_are_predicted_within_a_twentieth():
    errors = [
        abs(profiled_seconds(row, constants()) / row.seconds - 1)
        for row in profiles()
        if row.method != "full"
    ]
    assert len(errors) == 42
    assert np.median(errors) < 0.05
    assert np.quantile(errors, 0.9) < 0.15


def test_adapters_of_rank_16_on_llama_8b_train_about_a_two_hundredth():
    # peft on all linear layers of Llama 3.1 8B at rank 16: 41.9 M parameters.
    assert adapter_parameters(language_model("Llama 3.1 8B"), 16) == pytest.approx(41.94e6, rel=0.001)


def test_lora_does_not_save_nine_tenths_of_the_work():
    lora, full = (estimate_finetuning(replace(PLAN, method=method)) for method in ("lora", "full"))
    assert lora.flop == full.flop
    assert lora.gpu_hours.p50 == full.gpu_hours.p50


def test_hours_follow_from_tokens_and_the_steady_speed_of_the_table():
    found = estimate_finetuning(
        FinetunePlan(
            1000, 1000, 1, model="Qwen 7B", accelerator="A100 SXM 80GB", rank=64, sequence_length=2048
        )
    )
    (row,) = [
        r
        for r in profiles()
        if r.model.name == "Qwen 7B" and r.method == "lora" and r.sequence_length == 2048
    ]
    steady = 1e6 / 2048 * row.seconds / 3600
    assert found.gpu_hours.p10 < steady * 1.05
    assert found.gpu_hours.p50 == pytest.approx(steady / 0.84, rel=0.1)


def test_money_and_days_follow_from_hours():
    found = estimate_finetuning(replace(PLAN, price_per_hour=2.0, accelerators=4, experiments=3))
    assert found.dollars.p50 == pytest.approx(2 * found.gpu_hours.p50)
    assert found.all_dollars.p50 == pytest.approx(3 * found.dollars.p50)
    assert found.days.p50 == pytest.approx(found.gpu_hours.p50 / 4 / 24)


def test_qlora_takes_less_memory_and_more_time_and_full_the_most_memory():
    full, lora, qlora = finetuning_by_method(PLAN)
    assert [e.plan.method for e in (full, lora, qlora)] == ["full", "lora", "qlora"]
    assert qlora.memory.total < lora.memory.total < full.memory.total
    assert qlora.gpu_hours.p50 > lora.gpu_hours.p50
    assert lora.problem is None
    assert full.needed == 4
    assert "fits on 4" in str(full.problem)


def test_full_tuning_fits_once_its_states_are_sharded():
    found = estimate_finetuning(replace(PLAN, method="full", accelerators=4))
    assert found.sharded
    assert found.problem is None


def test_qlora_of_70b_fits_on_one_card_of_80_gb_and_lora_does_not():
    plan = replace(PLAN, model="Llama 3.1 70B")
    assert estimate_finetuning(replace(plan, method="qlora")).problem is None
    assert estimate_finetuning(plan).needed == 4


def test_dpo_passes_two_sides_and_a_reference():
    sft, dpo = estimate_finetuning(PLAN), estimate_finetuning(replace(PLAN, goal="dpo"))
    assert dpo.tokens == 2 * sft.tokens
    assert dpo.flop == pytest.approx(2 * 8 / 6 * sft.flop)
    assert dpo.memory.activations == 2 * sft.memory.activations
    whole = replace(PLAN, method="full", goal="dpo", accelerators=8)
    assert (
        estimate_finetuning(whole).memory.weights
        > estimate_finetuning(replace(whole, goal="sft")).memory.weights
    )


def test_rl_writes_its_answers_first_at_the_speed_of_serving():
    found = estimate_finetuning(replace(PLAN, goal="rl", examples=1000, epochs=1, rollouts=8))
    assert found.written == 1000 * 8 * 1000
    assert found.tokens == 1000 * 8 * 2000
    assert 0 < found.writing_hours < found.gpu_hours.p50
    more = estimate_finetuning(replace(PLAN, goal="rl", examples=1000, epochs=1, rollouts=16))
    assert more.writing_hours == pytest.approx(2 * found.writing_hours)


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("examples", 0, "Examples"),
        ("examples", math.inf, "Examples"),
        ("tokens_per_example", -1, "Tokens per example"),
        ("epochs", 0, "Passes"),
        ("method", "magic", "Method"),
        ("goal", "win", "Goal"),
        ("model", "GPT-5", "GPT-5"),
        ("rank", 0, "Rank"),
        ("accelerators", -1, "Number of accelerators"),
        ("accelerator", "Abacus", "Abacus"),
        ("price_per_hour", 0, "Price per accelerator-hour"),
        ("sequence_length", 0, "Sequence length"),
        ("rollouts", 0, "Answers per prompt"),
        ("tokens_per_answer", math.nan, "Tokens per answer"),
        ("experiments", 0, "Experiments"),
    ],
)
def test_bad_input_is_refused_in_a_sentence_that_names_the_field(field, value, named):
    with pytest.raises(Refusal, match=named) as refused:
        estimate_finetuning(replace(PLAN, **{field: value}))
    assert str(refused.value).endswith((".", "?"))


plans = st.builds(
    FinetunePlan,
    examples=st.floats(1, 1e12),
    tokens_per_example=st.floats(1, 1e7),
    epochs=st.floats(0.01, 1000),
    model=st.sampled_from(sorted(language_models())),
    method=st.sampled_from(["full", "lora", "qlora"]),
    goal=st.sampled_from(["sft", "dpo", "rl"]),
    accelerator=st.sampled_from(sorted(accelerators())),
    accelerators=st.integers(1, 4096),
    sequence_length=st.integers(16, 1_000_000),
    micro_batch=st.integers(1, 64),
    experiments=st.floats(1, 100),
)


@given(plans)
def test_an_estimate_is_finite_ordered_and_plain_or_else_refused(plan):
    try:
        found = estimate_finetuning(plan)
    except Refusal:
        return
    json.dumps(finetuning_report(found), allow_nan=False)
    for band in (found.gpu_hours, found.days, found.dollars, found.all_dollars):
        assert 0 < band.p10 < band.p50 < band.p90
        assert math.isfinite(band.p90)
    assert (found.problem is None) == (found.memory.total <= found.usable)


@given(
    plans, st.sampled_from(["examples", "tokens_per_example", "epochs", "experiments"]), st.floats(1.01, 3)
)
def test_more_is_never_cheaper(plan, field, factor):
    try:
        before = estimate_finetuning(plan)
        after = estimate_finetuning(replace(plan, **{field: getattr(plan, field) * factor}))
    except Refusal:
        return
    assert after.all_dollars.p50 >= before.all_dollars.p50 * (1 - 1e-9)


def test_an_estimate_takes_under_five_milliseconds():
    for goal in ("sft", "rl"):
        estimate_finetuning(replace(PLAN, goal=goal))
        begin = time.process_time()
        for examples in range(1000, 1050):
            estimate_finetuning(replace(PLAN, goal=goal, examples=examples))
        assert (time.process_time() - begin) / 50 < 0.005


def test_the_finding_for_the_plan_says_what_was_tuned_and_how():
    found = estimate_finetuning(PLAN)
    (finding,) = finetuning_findings(found, rate=7.2)
    assert finding.key == "training_run_cost"
    assert (
        finding.amount.low < found.all_dollars.p10 * 7.2 < found.all_dollars.p90 * 7.2 < finding.amount.high
    )
    assert "Llama 3.1 8B" in finding.source.text.en
    assert "LoRA" in finding.source.text.zh


def test_the_steps_of_the_explanation_lead_to_the_numbers_shown():
    found = estimate_finetuning(replace(PLAN, goal="rl"))
    steps = {step.key: step for step in finetuning_steps(found)}
    given_values = {item.symbol: item.value for item in steps["gpu_hours"].given}
    assert given_values["T"] * given_values["s"] / 3600 + given_values["H_w"] == pytest.approx(
        found.gpu_hours.p50
    )
    assert steps["memory"].result == pytest.approx(found.memory.total / 1e9)
    assert all(step.label.zh and all(item.label.zh for item in step.given) for step in steps.values())

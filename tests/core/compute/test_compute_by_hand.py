"""Figures derived by hand or printed in the papers, one of each kind, against the estimator's."""

import math
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from core.compute import (
    FinetunePlan,
    ServingPlan,
    TrainingPlan,
    estimate_finetuning,
    estimate_serving,
    estimate_training,
    language_model,
)
from core.compute.break_even import own_costs
from core.compute.failures import failures
from core.compute.language_models import usual_shape
from core.compute.training_memory import Split, kept_per_token, memory


def test_operations_of_llama_3_405b_are_the_3_8e25_of_its_paper():
    found = estimate_training(
        TrainingPlan(0, 15.6e12, model="Llama 3.1 405B", accelerators=16_384, sequence_length=8192)
    )
    assert 6 * found.active * 15.6e12 == pytest.approx(3.8e25, rel=0.001)
    # 6 · 126 layers · 16,384 wide · 8,192 tokens = 1.015e11 per token beside 6 · 405.85e9.
    assert found.attention_share == pytest.approx(126 * 16_384 * 8192 / found.active)
    assert found.attention_share == pytest.approx(0.0417, abs=0.0001)
    assert found.flop == pytest.approx(6 * found.active * 15.6e12 * (1 + found.attention_share))


def test_an_architecture_is_counted_like_its_size_typed_in_and_like_its_record():
    by_name = estimate_training(TrainingPlan(0, 15e12, model="Llama 3.1 8B", accelerators=1024))
    by_size = estimate_training(TrainingPlan(8.03e9, 15e12, accelerators=1024))
    assert by_name.active == pytest.approx(8.03e9, rel=0.001)
    assert by_name.gpu_hours.p50 == pytest.approx(by_size.gpu_hours.p50, rel=0.001)
    for name, active in (("Qwen3-30B-A3B", 3.3e9), ("Mixtral 8x7B", 12.9e9), ("DeepSeek-V3", 37e9)):
        assert language_model(name).counted_parameters == pytest.approx(active, rel=0.02)


def test_attention_is_half_of_megatron_s_term_because_it_looks_back_only():
    model = language_model("GPT-3 175B")
    # Narayanan 2021: 72 B L s h² · (1 + s / 6h + V / 12hL); the middle term per token is 12 L h s.
    assert model.attention_flop(2048) == 12 * 96 * 12_288 * 2048 / 2


def test_attention_within_a_window_does_not_grow_with_the_sequence():
    model = language_model("Gemma 3 27B")
    # 10 layers see all 32,768 tokens, 52 see 2 · 1,024 − 1,024² / 32,768 = 2,016 in their place.
    assert model.attention_flop(32_768) == pytest.approx(6 * 32 * 128 * (10 * 32_768 + 52 * 2016))
    assert model.attention_flop(1024) == 6 * 32 * 128 * 62 * 1024
    sequences = np.arange(1, 5000, 7)
    assert all(np.diff([model.attention_flop(float(s)) for s in sequences]) > 0)


def test_latent_attention_multiplies_keys_of_192_and_values_of_128():
    model = language_model("DeepSeek-V3")
    assert model.attention_width == 128 * (192 + 128) / 2
    assert model.attention_flop(4096) == 6 * 61 * 20_480 * 4096


@pytest.mark.parametrize(("stage", "gigabytes"), [(0, 120), (1, 31.4), (2, 16.6), (3, 1.88)])
def test_zero_holds_what_its_paper_prints_for_7_5_billion_parameters_on_64_gpus(stage, gigabytes):
    # Rajbhandari 2020 (arXiv 1910.02054), figure 1.
    found = memory(usual_shape(7.5e9), 7.5e9, Split(stage), 64, 1024, 1)
    states = found.weights + found.gradients + found.optimiser
    assert states / 1e9 == pytest.approx(gigabytes, rel=0.01)


def test_tensor_and_pipeline_divide_what_zero_does_not():
    one = memory(usual_shape(70e9), 70e9, Split(0), 1, 2048, 1)
    split = memory(usual_shape(70e9), 70e9, Split(1, tensor=8, pipeline=4), 64, 2048, 1)
    assert split.weights == pytest.approx(one.weights / 32)
    assert split.gradients == pytest.approx(one.gradients / 32)
    assert split.optimiser == pytest.approx(one.optimiser / 64)  # and over two replicas
    assert split.logits == pytest.approx(one.logits / 8)


def test_a_layer_of_gpt_3_keeps_34_h_per_token_less_its_dropout_masks():
    # Korthikanti 2022: 34 s b h without the scores; 2 of the 34 are dropout masks.
    assert kept_per_token(language_model("GPT-3 175B")) == 32 * 12_288


def test_failures_of_llama_3_405b_leave_the_90_percent_of_its_paper():
    found = failures(405e9, 16_384, 54 * 24 * 16_384)
    assert found.expected == pytest.approx(419)
    assert found.hours_between == pytest.approx(3.09, abs=0.01)
    # 10 s to write, 11,135 s between failures: √(2 · 10 · 11,135) = 472 s.
    assert found.checkpoint_minutes == pytest.approx(7.87, abs=0.02)
    assert found.lost_share == pytest.approx(10 / 472 + 472 / (2 * 11_135) + 600 / 11_135, abs=0.001)
    assert 0.9 < 1 - found.lost_share < 0.92


def test_rollouts_are_written_once_and_trained_on_with_two_models_reading_along():
    plan = FinetunePlan(
        1000, 500, 1, model="Llama 3.1 8B", goal="rl", method="full", rollouts=8, tokens_per_answer=1500
    )
    found = estimate_finetuning(replace(plan, accelerators=8))
    n, attention = found.model.active_parameters, 6 * 32 * 4096 * 2048
    assert found.written == 1000 * 8 * 1500
    assert found.tokens == 1000 * 8 * (500 + 1500)
    assert found.flop == pytest.approx(found.tokens * (6 * n + attention) * 10 / 6 + 2 * n * found.written)


def test_tuning_on_long_sequences_pays_for_their_attention():
    short, long = (estimate_finetuning(FinetunePlan(1e4, 1e5, 1, sequence_length=s)) for s in (8192, 65_536))
    # 32 layers · 4,096 · (65,536 − 8,192) ÷ 7.5e9 active parameters: as much again as the parameters.
    more = 32 * 4096 * (65_536 - 8192) / short.model.active_parameters
    assert more == pytest.approx(1.0, abs=0.01)
    assert long.gpu_hours.p50 == pytest.approx(short.gpu_hours.p50 * (1 + more), rel=0.01)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"operations_per_month": 8000.0},
        {"spare_replicas": 2, "operations_per_month": 3000.0},
        {"min_replicas": 4},
        {"price_per_hour": 6.0, "cached_share": 0.5},
    ],
)
def test_the_break_even_is_where_a_search_along_the_stairs_first_finds_it(changes):
    plan = replace(ServingPlan(on=date(2026, 11, 20), model="claude-haiku-4-5"), **changes)
    found = estimate_serving(plan)
    own, api = found.selfhost, found.api
    volumes = np.geomspace(1e2, 1e10, 400_001)
    cost = own_costs(plan, volumes, np.array(own.tokens_per_second.p50), np.array(own.price.usd))
    first = volumes[np.argmax(cost <= volumes * api.per_request)]
    assert found.break_even == pytest.approx(first, rel=1e-4)
    assert math.isfinite(found.break_even)

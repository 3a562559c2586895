"""The cost of serving: an API bill by hand, the roofline, the stairs of a fleet, refusals."""

import json
import math
import time
from dataclasses import replace
from datetime import date, datetime

import numpy as np
import pytest
from genai_prices import Usage, calc_price
from hypothesis import assume, given
from hypothesis import strategies as st

from core.compute import (
    ServingPlan,
    accelerators,
    api_models,
    api_price,
    api_steps,
    cost_over_volume,
    estimate_api,
    estimate_selfhost,
    estimate_serving,
    language_models,
    price_list,
    selfhost_steps,
    serving_findings,
    serving_report,
    smallest_replica,
)
from core.compute.roofline import batch, room, tokens_per_second
from core.compute.serving_calibration import cells, constants, replica_of, throughput_ratio
from core.i18n import Refusal

DAY = date(2026, 11, 20)
PLAN = ServingPlan(on=DAY)

plans = st.builds(
    ServingPlan,
    on=st.just(DAY),
    input_tokens=st.floats(1, 200_000),
    output_tokens=st.floats(1, 50_000),
    cached_share=st.floats(0, 1),
    attempts=st.floats(1, 1000),
    requests_per_month=st.floats(1, 1e13),
    open_model=st.sampled_from(sorted(language_models())),
    precision=st.sampled_from(["bf16", "fp8", "fp4", "int4"]),
    accelerator=st.sampled_from(sorted(accelerators())),
    accelerators=st.integers(1, 64),
    price_per_hour=st.one_of(st.none(), st.floats(0.001, 10_000)),
    utilisation=st.floats(0.01, 1),
    peak_factor=st.floats(1, 1000),
    min_replicas=st.integers(1, 100),
    max_batch=st.integers(1, 8192),
    operations_per_month=st.floats(0, 1e9),
)


@st.composite
def fitting_plans(draw):
    """Plans that can be estimated, also when one of their numbers grows five times."""
    hardware = draw(st.sampled_from([a for a in accelerators().values() if a.prices]))
    plan = ServingPlan(
        on=DAY,
        input_tokens=draw(st.floats(1, 5000)),
        output_tokens=draw(st.floats(1, 3000)),
        cached_share=draw(st.floats(0, 1)),
        attempts=draw(st.floats(1, 200)),
        requests_per_month=draw(st.floats(1, 1e12)),
        open_model=draw(st.sampled_from(sorted(language_models()))),
        precision=draw(st.sampled_from(hardware.precisions)),
        accelerator=hardware.name,
        utilisation=draw(st.floats(0.01, 1)),
        peak_factor=draw(st.floats(1, 200)),
        min_replicas=draw(st.integers(1, 100)),
        max_batch=draw(st.integers(1, 8192)),
    )
    largest = replace(plan, input_tokens=plan.input_tokens * 5, output_tokens=plan.output_tokens * 5)
    fewest = smallest_replica(largest)
    assume(fewest is not None)
    return replace(plan, accelerators=fewest * draw(st.integers(1, 3)))


def test_an_api_bill_by_hand():
    # Claude Sonnet 4.5, list price 3 / 0.30 / 15 USD per million tokens: 2,000 in of which half
    # cached, 500 out, twice: 2 × (1,000 × 3 + 1,000 × 0.3 + 500 × 15) / 1e6 = 0.0216 USD.
    bill = estimate_api(replace(PLAN, cached_share=0.5, attempts=2))
    assert bill.per_request == pytest.approx(0.0216)
    assert bill.per_month == pytest.approx(21_600)
    assert bill.per_million_tokens == pytest.approx(0.0216 / 2 / 2500 * 1e6)


@pytest.mark.parametrize(("provider", "model"), api_models())
def test_every_offered_api_has_a_price_and_its_bill_is_the_price_list_s(provider, model):
    plan = replace(PLAN, provider=provider, model=model, input_tokens=3000, cached_share=1 / 3)
    usage = Usage(input_tokens=3000, cache_read_tokens=1000, output_tokens=500)
    noon = datetime(2026, 11, 20, 12)
    listed = calc_price(usage, model, provider_id=provider, genai_request_timestamp=noon)
    assert estimate_api(plan).per_request == pytest.approx(float(listed.total_price))


def test_a_price_has_its_day_and_changes_on_it():
    # Gemini 3.7 Flash: an introductory price until the end of 2026 in the installed list.
    before = api_price("google", "gemini-3.7-flash", date(2026, 12, 31), 1000.0)
    after = api_price("google", "gemini-3.7-flash", date(2027, 1, 1), 1000.0)
    assert before.input < after.input
    assert price_list(DAY).newest <= DAY < price_list(date(2027, 1, 1)).newest


def test_a_provider_without_a_price_for_cached_input_asks_the_full_price_for_it():
    price = api_price("groq", "llama-3.1-8b-instant", DAY, 1000.0)
    assert not price.caches
    assert price.cached == price.input


def test_long_prompts_cost_more_where_the_list_says_so():
    short = api_price("openai", "gpt-5.4", DAY, 1000.0)
    long = api_price("openai", "gpt-5.4", DAY, 400_000.0)
    assert short.by_length
    assert long.input > short.input


@pytest.mark.parametrize(
    ("provider", "model"), [("openai", "no-such-model"), ("nobody", "gpt-5"), ("mistral", "mistral-ocr-2505")]
)
def test_a_model_without_a_price_per_token_is_refused(provider, model):
    with pytest.raises(Refusal, match=f"{model}|{provider}"):
        estimate_api(replace(PLAN, provider=provider, model=model))


def test_the_roofline_in_closed_form_for_one_request_on_one_card():
    model = language_models()["Llama 3.1 8B"]
    fitted = constants("dense")
    replica = replica_of(
        model,
        "H100 SXM",
        1,
        precision="bf16",
        kv_bytes_per_value=2.0,
        input_tokens=1000.0,
        output_tokens=200.0,
        max_batch=1,
    )
    compute = 989e12 * float(fitted.compute_efficiency)
    bandwidth = 3350e9 * float(fitted.bandwidth_efficiency)
    step = (2 * model.parameters + 131_072 * 1100) / bandwidth + 2 * model.active_parameters / compute
    step += 32 * float(fitted.seconds_per_layer)
    prefill = (2 * model.active_parameters * 1000 + 2 * 32 * 4096 * 1000**2) / compute
    assert float(batch(replica)) == 1
    assert float(tokens_per_second(replica, fitted)) == pytest.approx(200 / (prefill + 200 * step))


@pytest.mark.parametrize(("kind", "error"), [("dense", 0.10), ("moe", 0.20)])
def test_the_constants_fit_the_published_cells(kind, error):
    known = cells(kind)
    off = np.abs(tokens_per_second(known.replica, constants(kind)) / known.published - 1)
    assert np.median(off) < error
    assert len(off) >= 60


@pytest.mark.parametrize("kind", ["dense", "moe"])
def test_the_band_of_unseen_models_is_wider_than_the_fit(kind):
    band, known = throughput_ratio(kind), cells(kind)
    seen = np.quantile(known.published / tokens_per_second(known.replica, constants(kind)), [0.1, 0.9])
    assert band.p10 < band.p50 < band.p90
    assert band.p90 / band.p10 > seen[1] / seen[0]


def test_the_published_throughput_of_llama_8b_on_an_h100_lies_in_the_band():
    # TensorRT-LLM 1.0, FP8, 1,000 in and 1,000 out: 15,220 tokens/s.
    plan = replace(PLAN, input_tokens=1000, output_tokens=1000, max_batch=2048)
    speed = estimate_selfhost(plan).tokens_per_second
    assert speed.p10 < 15_220 < speed.p90


def test_the_fleet_of_deepseek_lies_in_the_band():
    # DeepSeek's own report (February 2025): 168 B output tokens a day on 226.75 nodes of 8 H800,
    # 608 B input tokens of which 56.3 % cached: 1,072 output tokens/s per H800.
    plan = replace(
        PLAN,
        open_model="DeepSeek-V3",
        accelerator="H800 SXM",
        accelerators=16,
        input_tokens=3600,
        output_tokens=1000,
        cached_share=0.563,
        max_batch=1024,
    )
    per_card = estimate_selfhost(plan).tokens_per_second.times(1 / 16)
    assert per_card.p10 < 1072 < per_card.p90


def test_memory_limits_the_batch_and_a_model_that_cannot_fit_is_refused_with_what_would_do():
    small = estimate_selfhost(replace(PLAN, input_tokens=100_000, max_batch=256))
    assert small.batch < 10
    assert small.weights_gb + small.kv_cache_gb <= 0.9 * 80
    with pytest.raises(Refusal, match="It fits on 2") as refused:
        estimate_selfhost(replace(PLAN, open_model="Llama 3.1 70B", precision="bf16"))
    assert "H100 SXM" in str(refused.value)
    assert smallest_replica(replace(PLAN, open_model="Llama 3.1 70B", precision="bf16")) == 2
    assert (
        smallest_replica(replace(PLAN, open_model="DeepSeek-V3", accelerator="T4", precision="bf16")) is None
    )


def test_copies_of_key_value_heads_take_memory_once_there_are_more_cards_than_heads():
    def kv(count):
        model = language_models()["Qwen3-30B-A3B"]
        shape = {
            "precision": "bf16",
            "kv_bytes_per_value": 2.0,
            "input_tokens": 1000.0,
            "output_tokens": 1000.0,
        }
        return float(replica_of(model, "H100 SXM", count, **shape).kv_bytes)

    assert kv(1) == kv(4)
    assert kv(8) == 2 * kv(4)


def test_a_prompt_longer_than_the_model_reads_is_refused():
    with pytest.raises(Refusal, match="131,072"):
        estimate_selfhost(replace(PLAN, input_tokens=200_000))


def test_a_fleet_is_whole_replicas_and_its_bill_is_the_rent_around_the_clock():
    found = estimate_selfhost(
        replace(PLAN, requests_per_month=1e8, price_per_hour=2.0, operations_per_month=500)
    )
    assert found.replicas == math.ceil(1e8 / found.requests_per_replica)
    assert found.per_month.p50 == found.replicas * 2.0 * 730 + 500
    assert found.per_request.p50 == pytest.approx(found.per_month.p50 / 1e8)
    assert found.per_million_tokens.p50 == pytest.approx(found.per_month.p50 / (1e8 * 2500) * 1e6)
    assert found.mean_load == pytest.approx(
        1e8 * 500 / (found.replicas * found.tokens_per_second.p50 * 730 * 3600)
    )
    assert found.mean_load <= 0.7 / 3


def test_at_scale_cost_meets_the_formula_of_utilisation():
    # rate / (3600 · tokens/s · mean load) · 1e6 per million output tokens.
    found = estimate_selfhost(replace(PLAN, price_per_hour=2.0))
    per_million_output = found.at_scale / 500 * 1e6
    mean_load = 0.7 / 3
    assert per_million_output == pytest.approx(2.0 / (3600 * found.tokens_per_second.p50 * mean_load) * 1e6)


def test_break_even_is_where_the_two_bills_are_equal():
    found = estimate_serving(PLAN)
    at = replace(PLAN, requests_per_month=found.break_even)
    assert estimate_api(at).per_month == pytest.approx(estimate_selfhost(at).per_month.p50)


def test_break_even_with_operations_is_a_volume_at_which_own_accelerators_cost_no_more():
    plan = replace(PLAN, provider="deepseek", model="deepseek-flash", operations_per_month=20_000)
    found = estimate_serving(plan)
    assert found.break_even is not None
    at = replace(plan, requests_per_month=found.break_even * 1.000001)
    assert estimate_selfhost(at).per_month.p50 <= estimate_api(at).per_month * 1.0001
    below = replace(plan, requests_per_month=found.break_even * 0.5)
    assert estimate_selfhost(below).per_month.p50 > estimate_api(below).per_month


def test_own_accelerators_never_pay_against_a_cheaper_api():
    plan = replace(
        PLAN,
        provider="groq",
        model="llama-3.1-8b-instant",
        accelerator="T4",
        precision="int4",
        input_tokens=500,
    )
    assert estimate_serving(replace(plan, price_per_hour=50.0)).break_even is None


def test_one_way_that_cannot_be_estimated_leaves_the_other():
    found = estimate_serving(replace(PLAN, open_model="Llama 3.1 405B"))
    assert isinstance(found.selfhost, Refusal)
    assert not isinstance(found.api, Refusal)
    assert serving_report(found)["selfhost"]["refused"]
    assert [finding.key for finding in serving_findings(found, 1.0)] == [
        "price_input",
        "price_cached",
        "price_output",
    ]


def test_a_replica_goes_into_the_plan_with_its_speed_its_accelerators_and_their_price():
    found = estimate_serving(PLAN)
    told = {finding.key: finding for finding in serving_findings(found, 2.0)}
    both = (PLAN.input_tokens + PLAN.output_tokens) / PLAN.output_tokens
    speed = told["gpu_speed"].amount
    assert speed.median == pytest.approx(found.selfhost.tokens_per_second.p50 * both, rel=0.05)
    assert told["gpus_per_replica"].amount.value == PLAN.accelerators
    assert told["gpu_price"].amount.value == pytest.approx(2 * found.selfhost.price.usd, rel=1e-3)


def test_the_curves_agree_with_the_single_estimates():
    volumes = np.array([1e4, 1e6, 3e8])
    api, p10, p50, p90 = cost_over_volume(PLAN, volumes)
    for index, volume in enumerate(volumes):
        single = estimate_serving(replace(PLAN, requests_per_month=float(volume)))
        assert api[index] == pytest.approx(single.api.per_month)
        assert (p10[index], p50[index], p90[index]) == (
            single.selfhost.per_month.p10,
            single.selfhost.per_month.p50,
            single.selfhost.per_month.p90,
        )


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("input_tokens", 0, "Input tokens"),
        ("input_tokens", math.nan, "Input tokens"),
        ("output_tokens", -5, "Output tokens"),
        ("cached_share", 1.5, "Cached share"),
        ("attempts", 0, "Attempts"),
        ("requests_per_month", 0, "Requests per month"),
        ("requests_per_month", math.inf, "Requests per month"),
    ],
)
def test_a_request_out_of_range_is_refused_for_both_ways(field, value, named):
    for estimate in (estimate_serving, estimate_api, estimate_selfhost):
        with pytest.raises(Refusal, match=named):
            estimate(replace(PLAN, **{field: value}))


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("accelerators", -1, "Accelerators per replica"),
        ("accelerators", 2.5, "Accelerators per replica"),
        ("accelerator", "abacus", "abacus"),
        ("open_model", "GPT-5", "GPT-5"),
        ("precision", "fp2", "Precision of the weights"),
        ("kv_precision", "fp4", "KV cache"),
        ("price_per_hour", 0, "Price per accelerator-hour"),
        ("price_per_hour", math.nan, "Price per accelerator-hour"),
        ("utilisation", 0, "Load at peak"),
        ("utilisation", 1.2, "Load at peak"),
        ("peak_factor", 0.5, "Peak over mean"),
        ("min_replicas", 0, "Smallest number of replicas"),
        ("max_batch", 0, "Largest batch"),
        ("operations_per_month", -1, "Operations"),
    ],
)
def test_a_fleet_out_of_range_is_refused(field, value, named):
    with pytest.raises(Refusal, match=named):
        estimate_selfhost(replace(PLAN, **{field: value}))


def numbers(tree):
    if isinstance(tree, dict):
        tree = list(tree.values())
    if isinstance(tree, list):
        return [number for part in tree for number in numbers(part)]
    return [tree] if isinstance(tree, (int, float)) and not isinstance(tree, bool) else []


@given(plans)
def test_an_estimate_is_finite_and_plain_or_else_refused(plan):
    found = estimate_serving(plan)
    text = json.dumps(serving_report(found), allow_nan=False)
    assert all(math.isfinite(number) for number in numbers(json.loads(text)))
    if not isinstance(found.selfhost, Refusal):
        own = found.selfhost
        assert 0 < own.per_request.p10 <= own.per_request.p50 <= own.per_request.p90
        assert 0 < own.mean_load <= plan.utilisation
        assert own.weights_gb + own.kv_cache_gb <= 0.9 * own.memory_gb * (1 + 1e-9)


@given(
    fitting_plans(),
    st.sampled_from(["input_tokens", "output_tokens", "attempts", "requests_per_month", "peak_factor"]),
    st.floats(1.01, 5),
)
def test_more_is_never_cheaper_by_the_month(plan, field, factor):
    more = replace(plan, **{field: getattr(plan, field) * factor})
    before, after = estimate_selfhost(plan), estimate_selfhost(more)
    assert after.per_month.p50 >= before.per_month.p50 * (1 - 1e-12)
    assert estimate_api(more).per_month >= estimate_api(plan).per_month * (1 - 1e-12)


def test_an_estimate_takes_under_five_milliseconds():
    estimate_serving(PLAN)
    begin = time.process_time()
    for tokens in range(1000, 1050):
        estimate_serving(replace(PLAN, input_tokens=tokens))
    assert (time.process_time() - begin) / 50 < 0.005


def test_the_steps_of_the_explanation_lead_to_the_numbers_shown():
    found = estimate_serving(PLAN)
    (api,) = api_steps(PLAN, found.api)
    assert api.result == found.api.per_request
    steps = {step.key: step for step in selfhost_steps(PLAN, found.selfhost)}
    assert list(steps) == ["batch", "tokens_per_second", "replicas", "selfhost_request"]
    speed = {item.symbol: item.value for item in steps["tokens_per_second"].given}
    assert speed["B"] / (speed[r"\mathrm{TPOT}"] / 1e3) * speed["q"] == pytest.approx(
        steps["tokens_per_second"].result
    )


def test_room_is_what_is_left_beside_the_weights():
    known = cells("dense").replica
    assert np.all(room(known) > 1)
    assert np.all(batch(known) <= 2048)

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
    accelerator,
    accelerators,
    api_bills,
    api_catalogue,
    api_models,
    api_price,
    api_providers,
    api_steps,
    best_replica,
    cost_over_volume,
    estimate_api,
    estimate_selfhost,
    estimate_serving,
    language_model,
    language_models,
    models_of,
    price_list,
    prices_of,
    selfhost_steps,
    serving_findings,
    serving_report,
    smallest_replica,
)
from core.compute.roofline import batch, prefill_seconds, room, token_seconds, tokens_per_second
from core.compute.serving_calibration import cells, constants, replica_of
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
    spare_replicas=st.integers(0, 10),
    batch_share=st.floats(0, 1),
    ttft_ms=st.one_of(st.none(), st.floats(1, 1e5)),
    tpot_ms=st.one_of(st.none(), st.floats(0.1, 1e4)),
)


UNPRICED = [a.name for a in accelerators().values() if not prices_of(a.name)]
LONG = sorted(name for name, model in language_models().items() if model.context > 50_000)


@st.composite
def fitting_plans(draw):
    """Plans that can be estimated, also when one of their numbers grows five times."""
    hardware = draw(st.sampled_from([a for a in accelerators().values() if a.name not in UNPRICED]))
    plan = ServingPlan(
        on=DAY,
        input_tokens=draw(st.floats(1, 5000)),
        output_tokens=draw(st.floats(1, 3000)),
        cached_share=draw(st.floats(0, 1)),
        attempts=draw(st.floats(1, 200)),
        requests_per_month=draw(st.floats(1, 1e12)),
        open_model=draw(st.sampled_from(LONG)),
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
    assert before.rates.input < after.rates.input
    assert price_list(DAY).newest <= DAY < price_list(date(2027, 1, 1)).newest


def test_a_provider_without_a_price_for_cached_input_asks_the_full_price_for_it():
    price = api_price("groq", "llama-3.1-8b-instant", DAY, 1000.0)
    assert not price.caches
    assert price.rates.cached == price.rates.input


def test_long_prompts_cost_more_where_the_list_says_so():
    short = api_price("openai", "gpt-5.4", DAY, 1000.0)
    long = api_price("openai", "gpt-5.4", DAY, 400_000.0)
    assert short.by_length
    assert long.rates.input > short.rates.input


@pytest.mark.parametrize(
    ("provider", "model"), [("openai", "no-such-model"), ("nobody", "gpt-5"), ("mistral", "mistral-ocr-2505")]
)
def test_a_model_without_a_price_per_token_is_refused(provider, model):
    with pytest.raises(Refusal, match=f"{model}|{provider}"):
        estimate_api(replace(PLAN, provider=provider, model=model))


def test_the_whole_price_list_is_there_and_bills_as_the_list_itself_does():
    catalogue = api_catalogue(DAY, 2000.0)
    assert len(catalogue) > 1500
    assert len(api_providers()) > 30
    noon = datetime(2026, 11, 20, 12)
    usage = Usage(input_tokens=2000, cache_read_tokens=1000, output_tokens=500)
    checked = 0
    for price in catalogue[:: len(catalogue) // 200]:
        assert api_price(price.provider, price.model, DAY, 2000.0) == price
        try:
            listed = calc_price(usage, price.model, provider_id=price.provider, genai_request_timestamp=noon)
        except LookupError:
            continue  # its key is not a name that a call may give it
        if listed.model.id == price.model:
            assert price.rates.bill(1000, 1000, 500) == pytest.approx(float(listed.total_price), rel=1e-9)
            checked += 1
    assert checked > 150


def test_a_batch_costs_half_where_it_is_offered_and_nothing_less_where_it_is_not():
    plan = replace(PLAN, model="claude-opus-5-5", batch_share=1.0)
    whole = estimate_api(replace(plan, batch_share=0.0))
    batched = estimate_api(plan)
    assert batched.batched == 1
    assert batched.per_request == pytest.approx(whole.per_request / 2)
    half = estimate_api(replace(plan, batch_share=0.5))
    assert half.per_request == pytest.approx(0.75 * whole.per_request)
    groq = replace(plan, provider="groq", model="llama-3.1-8b-instant")
    assert estimate_api(groq).batched == 0
    assert estimate_api(groq).per_request == estimate_api(replace(groq, batch_share=0.0)).per_request


def test_every_model_s_bill_for_the_same_request_the_cheapest_first():
    bills = api_bills(PLAN)
    costs = [bill.per_request for bill in bills]
    assert costs == sorted(costs)
    assert len(bills) > 1000
    mine = next(b for b in bills if (b.price.provider, b.price.model) == (PLAN.provider, PLAN.model))
    assert mine.per_request == estimate_api(PLAN).per_request
    long = api_bills(replace(PLAN, input_tokens=900_000))
    assert len(long) < len(bills)


def test_the_models_of_a_provider_can_be_listed_by_name():
    known = models_of("anthropic", DAY)
    assert "claude-sonnet-4-5" in known
    assert all(estimate_api(replace(PLAN, provider="anthropic", model=key)).per_request > 0 for key in known)
    assert models_of("nobody", DAY) == {}


def replica(model="Llama 3.1 8B", hardware="H100 SXM", count=1, **shape):
    usual = {"precision": "bf16", "kv_bytes_per_value": 2.0, "input_tokens": 1000.0, "output_tokens": 200.0}
    return replica_of(language_model(model), accelerator(hardware), count, **{**usual, **shape})


def test_the_roofline_in_closed_form_for_one_request_on_one_card():
    fitted, one = constants(), replica(max_batch=1)
    compute = 989e12 * float(fitted.compute_efficiency)
    bandwidth = 3350e9 * float(fitted.bandwidth_efficiency)
    model = language_model("Llama 3.1 8B")
    weights = 200 * 2 * model.parameters / bandwidth
    cache = 200 * 131_072 * 1100 / bandwidth
    work = (2 * model.active_parameters * 1200 + 2 * 32 * 4096 * 1000**2) / compute
    overhead = 200 * 32 * float(fitted.seconds_per_layer) + 200 * float(fitted.seconds_per_token)
    assert float(batch(one, fitted)) == 1
    assert float(tokens_per_second(one, fitted)) == pytest.approx(200 / (weights + cache + work + overhead))


def test_a_step_takes_8192_tokens_so_long_prompts_take_more_steps():
    fitted = constants()
    short, long = (replica(input_tokens=tokens, max_batch=1) for tokens in (8000.0, 16_000.0))
    weights = 2 * language_model("Llama 3.1 8B").parameters / (3350e9 * float(fitted.bandwidth_efficiency))
    extra = float(prefill_seconds(long, fitted)) - float(prefill_seconds(short, fitted))
    assert extra > weights + 32 * float(fitted.seconds_per_layer)


def test_a_mixture_reads_only_the_experts_that_are_chosen():
    fitted = constants()
    mixture = replica("Qwen3-30B-A3B", max_batch=1, input_tokens=1.0)
    dense = replica("Qwen3 32B", max_batch=1, input_tokens=1.0)
    assert float(token_seconds(mixture, fitted, np.array(1.0))) < 0.3 * float(
        token_seconds(dense, fitted, np.array(1.0))
    )


def test_the_constants_fit_the_published_cells():
    known = cells()
    off = np.abs(tokens_per_second(known.replica, constants()) / known.published - 1)
    assert np.median(off) < 0.10
    assert np.quantile(off, 0.9) < 0.40


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
    with pytest.raises(Refusal, match="It fits on 4") as refused:
        estimate_selfhost(replace(PLAN, open_model="Llama 3.1 70B", precision="bf16"))
    assert "H100 SXM" in str(refused.value)
    assert smallest_replica(replace(PLAN, open_model="Llama 3.1 70B", precision="bf16")) == 4
    assert (
        smallest_replica(replace(PLAN, open_model="DeepSeek-V3", accelerator="T4", precision="bf16")) is None
    )


def test_copies_of_key_value_heads_take_memory_once_there_are_more_cards_than_heads():
    def kv(count):
        return float(replica("Qwen3-30B-A3B", count=count).kv_bytes)

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


def test_the_findings_hold_what_a_plan_that_counts_replicas_needs():
    plan = replace(PLAN, spare_replicas=1)
    found = estimate_serving(plan)
    by_key = {finding.key: finding for finding in serving_findings(found, 7.2)}
    # Written tokens become read and written ones, at the planned load of 70 %.
    speed = found.selfhost.tokens_per_second.times((2000 + 500) / 500 * 0.7)
    assert by_key["gpu_speed"].amount.low < speed.p10 < speed.p90 < by_key["gpu_speed"].amount.high
    # The market's 1.99 to 6.98 around the typical 2.95, which stays the plan's median.
    rent = by_key["gpu_price"].amount
    assert rent.median == pytest.approx(2.95 * 7.2, rel=1e-3)
    assert rent.high / rent.low == pytest.approx(6.98 / 1.99, rel=1e-3)
    assert by_key["replicas_least"].amount.value == 2
    assert by_key["gpus_per_replica"].amount.value == 1


def test_the_curve_agrees_with_the_single_estimates():
    found = cost_over_volume(PLAN)
    assert len(found.requests) == 200
    for index in (0, 90, 199):
        single = estimate_serving(replace(PLAN, requests_per_month=float(found.requests[index])))
        assert found.api[index] == pytest.approx(single.api.per_month)
        low, middle, high = (line[index] for line in found.own)
        assert low <= middle <= high
        # Uncertain rent widens what throughput alone leaves open.
        assert low < single.selfhost.per_month.p50 < high


def test_with_nothing_uncertain_the_curve_is_the_staircase():
    plan = replace(PLAN, price_per_hour=2.0)
    found = cost_over_volume(plan)
    single = estimate_selfhost(replace(plan, requests_per_month=float(found.requests[50])))
    assert found.own[1][50] == pytest.approx(single.per_month.p50)
    steps = np.unique(found.own[1])
    assert steps[0] == pytest.approx(2.0 * 730)
    assert np.all(np.round(steps / steps[0], 6) % 1 == 0)


def test_the_probability_of_paying_rises_with_volume_and_the_crossing_has_quantiles():
    found = cost_over_volume(PLAN)
    assert found.likely[0] == 0
    assert found.likely[-1] == 1
    assert 0 <= found.now <= 1
    low, middle, high = found.crossing
    assert low < middle < high
    assert middle == pytest.approx(estimate_serving(PLAN).break_even, rel=0.15)
    at = float(np.interp(middle, found.requests, found.likely))
    assert 0.35 < at < 0.65


def test_where_own_accelerators_never_pay_the_crossing_is_none():
    plan = replace(PLAN, provider="groq", model="llama-3.1-8b-instant", accelerator="T4", precision="int4")
    found = cost_over_volume(replace(plan, input_tokens=500, price_per_hour=50.0))
    assert found.crossing == (None, None, None)
    assert not found.likely.any()


def test_the_curve_is_the_same_each_time_and_takes_under_a_tenth_of_a_second():
    first = cost_over_volume(PLAN)
    begin = time.process_time()
    second = cost_over_volume(replace(PLAN))
    assert time.process_time() - begin < 0.1
    assert np.array_equal(first.likely, second.likely)


def test_a_target_for_the_time_per_token_makes_the_batch_smaller_until_nothing_is_left():
    free = estimate_selfhost(PLAN)
    assert free.limited_by == "batch"
    tight = estimate_selfhost(replace(PLAN, tpot_ms=15))
    assert tight.limited_by == "latency"
    assert tight.batch < free.batch
    assert tight.seconds_per_token <= 0.015
    assert tight.tokens_per_second.p50 < free.tokens_per_second.p50
    made, hardware = replace(PLAN, tpot_ms=15, accelerators=1), accelerator("H100 SXM")
    at = replica(precision="fp8", kv_bytes_per_value=1.0, input_tokens=2000.0, output_tokens=500.0)
    assert float(token_seconds(at, constants(), np.array(float(tight.batch + 1)))) > 0.015
    with pytest.raises(Refusal, match="ms at best"):
        estimate_selfhost(replace(made, tpot_ms=0.5, accelerator=hardware.name))


def test_a_target_for_the_first_token_is_held_at_the_planned_load_or_refused():
    found = estimate_selfhost(replace(PLAN, ttft_ms=500))
    assert found.first_token_at_peak == pytest.approx(found.first_token_seconds / (1 - 0.7))
    with pytest.raises(Refusal, match="first token"):
        estimate_selfhost(replace(PLAN, ttft_ms=20))
    assert estimate_selfhost(replace(PLAN, cached_share=0.9)).first_token_seconds < found.first_token_seconds


def test_spare_replicas_are_rented_beside_those_that_the_load_needs():
    plan = replace(PLAN, requests_per_month=1e8, price_per_hour=2.0)
    none, two = estimate_selfhost(plan), estimate_selfhost(replace(plan, spare_replicas=2))
    assert two.replicas == none.replicas + 2
    assert two.per_month.p50 == none.per_month.p50 + 2 * 2.0 * 730
    assert two.mean_load < none.mean_load


def test_the_best_replica_costs_no_more_a_month_than_any_other():
    plan = replace(PLAN, open_model="Llama 3.1 70B", requests_per_month=1e7)
    best = best_replica(plan)
    cost = estimate_selfhost(replace(plan, accelerators=best)).per_month.p50
    for count in (2, 4, 8):
        assert cost <= estimate_selfhost(replace(plan, accelerators=count)).per_month.p50


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
        ("batch_share", 1.1, "Share that may wait"),
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
        ("spare_replicas", -1, "Spare replicas"),
        ("ttft_ms", 0, "Time to first token"),
        ("tpot_ms", -3, "Time per output token"),
        ("tier", "free", "How it is bought"),
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


@pytest.mark.parametrize("field", ["price_per_hour", "utilisation", "peak_factor", "ttft_ms", "tpot_ms"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_report_holds_no_infinity_also_where_an_input_is_one(field, value):
    report = serving_report(estimate_serving(replace(PLAN, **{field: value})))
    assert field in json.dumps(report, allow_nan=False)
    assert "refused" in report["selfhost"]
    assert report["api"]["usd_per_request"] > 0


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
    assert list(steps) == ["batch", "first_token", "tokens_per_second", "replicas", "selfhost_request"]
    speed = {item.symbol: item.value for item in steps["tokens_per_second"].given}
    assert speed["B"] / (speed[r"\mathrm{TPOT}"] / 1e3) == pytest.approx(steps["tokens_per_second"].result)
    first = {item.symbol: item.value for item in steps["first_token"].given}
    assert first["t_{prompt}"] / (1 - first["u"]) == pytest.approx(steps["first_token"].result)


def test_room_is_what_is_left_beside_the_weights():
    known = cells().replica
    assert np.all(room(known, constants()) > 1)
    assert np.all(batch(known, constants()) <= 2048)

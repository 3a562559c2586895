"""The compute page, as a founder uses it: questions, parts, the plan that follows, prices of one's own."""

import json
from datetime import date

import pytest

from core.compute import TrainingPlan, estimate_training
from core.finance import project
from core.i18n import language
from core.venture import Amount
from pages.parts.compute_questions import QUESTIONS
from tests.pages.on_screen import errors, read, text

EN = language("en")


@pytest.fixture
def page(tab):
    return tab("compute")


def metric(shown, label):
    (found,) = [item for item in shown.metric if item.label == label]
    return found.value


def venture(shown):
    return shown.session_state["workspace"].venture


def part(shown, name):
    shown.segmented_control(key="compute_part").set_value(name).run()
    assert not shown.exception
    return shown


def look(shown, name, view):
    shown.segmented_control(key=f"compute:closer:{name}").set_value(view).run()
    assert not shown.exception
    return text(shown)


def training(shown):
    kept = venture(shown).compute_plan.training.model_dump()
    kept.pop("served_tokens")
    return TrainingPlan(**kept)


def test_it_opens_on_the_venture_s_own_plan_with_a_finished_estimate(page):
    expected = EN.money(estimate_training(training(page)).all_dollars.p50, "USD")
    assert metric(page, "Cost with experiments") == expected
    labels = [item.label for item in page.metric]
    assert labels[:5] == ["Cost with experiments", "Days", "GPU-hours", "Energy (kWh)", "CO₂e (kg)"]
    assert labels[5:] == ["Compute per user and month", "Gross margin", "Break-even users"]
    assert any("Fits" in item.value for item in page.success)


@pytest.mark.parametrize("key", list(QUESTIONS))
def test_a_question_is_one_click_from_its_answer(page, key):
    page.pills(key="compute:question").set_value(key).run()
    assert not page.exception
    question = QUESTIONS[key]
    assert page.segmented_control(key="compute_part").value == question.part
    kept = getattr(venture(page).compute_plan, question.part)
    for field, value in question.fields.items():
        assert getattr(kept, field) == (pytest.approx(value) if isinstance(value, float) else value)
    assert not page.error
    assert page.metric
    for field, value in (question.request or {}).items():
        assert page.number_input(key=f"compute:request:{field}").value == value


def test_there_are_six_questions_in_both_languages():
    assert len(QUESTIONS) == 6
    assert all(question.text.en.endswith("?") and question.text.zh for question in QUESTIONS.values())


def test_the_question_of_the_law_opens_on_the_lines_of_the_law(page):
    page.pills(key="compute:question").set_value("law_70b").run()
    shown = text(page)
    assert "EU: general-purpose AI" in shown
    assert "above the line" in shown
    assert "not legal advice" in shown
    (chart,) = page.get("plotly_chart")
    spec = json.loads(chart.proto.spec)
    assert spec["layout"]["xaxis"]["type"] == "log"


def test_what_is_typed_is_kept_in_the_venture_and_undo_brings_the_field_back(page):
    before = metric(page, "Cost with experiments")
    page.number_input(key="compute:training:tokens").set_value(10.0).run()
    assert venture(page).compute_plan.training.tokens == 10e9
    assert metric(page, "Cost with experiments") != before
    page.button(key="undo").click().run()
    assert venture(page).compute_plan.training.tokens == 1e9
    assert page.number_input(key="compute:training:tokens").value == 1.0
    assert metric(page, "Cost with experiments") == before


def test_an_architecture_stands_before_a_typed_size(page):
    page.selectbox(key="compute:training:model").set_value("Llama 3.1 8B").run()
    assert not [item for item in page.number_input if item.key == "compute:training:parameters"]
    expected = estimate_training(training(page)).all_gpu_hours.p50
    assert metric(page, "GPU-hours") == EN.number(expected)


def test_the_experiments_multiplier_multiplies_the_final_run(page):
    final = [item.value for item in page.caption if "final run alone" in item.value]
    page.selectbox(key="compute:training:experiments").set_value(5.6).run()
    assert [item.value for item in page.caption if "final run alone" in item.value] == final


def test_a_model_too_large_for_its_accelerators_says_what_would_do(page):
    page.number_input(key="compute:training:parameters").set_value(70.0).run()
    (warning,) = page.warning
    assert "fits on" in warning.value


def test_bad_input_is_a_sentence_and_the_inputs_stay(page):
    page.number_input(key="compute:training:tokens").set_value(1e30).run()
    assert not page.exception
    assert any("Training tokens is 1e" in sentence for sentence in errors(page))
    assert page.number_input(key="compute:training:tokens").value == pytest.approx(1e30)
    page.number_input(key="compute:training:tokens").set_value(0.0).run()
    assert not page.exception
    assert venture(page).compute_plan.training.tokens == pytest.approx(1e39)


def test_an_old_price_is_said_to_be_old(page):
    assert any("older than 180 days" in read(item.value) for item in page.caption)


@pytest.mark.parametrize(
    ("view", "words"),
    [
        ("prices", "Reserved, 1 year"),
        ("memory", "Optimiser states"),
        ("size", "Chinchilla"),
        ("failures", "419 times in 54 days"),
        ("law", "EU: systemic risk"),
        ("formulas", "T = "),
        ("sources", "codecarbon"),
    ],
)
def test_a_closer_look_at_training_is_one_click_away(page, view, words):
    assert words in look(page, "training", view)


def test_only_the_view_that_is_open_is_drawn(page):
    assert len(page.get("plotly_chart")) == 1
    look(page, "training", "memory")
    assert not page.get("plotly_chart")


def test_a_split_of_one_s_own_is_kept_as_whole_numbers(page):
    look(page, "training", "memory")
    page.number_input(key="compute:training:stage").set_value(0).run()
    assert venture(page).compute_plan.training.stage == 0
    page.number_input(key="compute:training:tensor").set_value(2).run()
    assert venture(page).compute_plan.training.tensor == 2
    assert not page.exception
    assert "tensor 2" in text(page)


def test_the_chart_holds_the_chosen_accelerator_and_whiskers(page):
    spec = json.loads(page.get("plotly_chart")[0].proto.spec)
    (bars,) = spec["data"]
    assert any("H100 SXM" in name for name in bars["y"])
    assert len(bars["y"]) == len(bars["error_x"]["array"]) == 10
    assert spec["layout"]["xaxis"]["title"]["text"] == "Cost with experiments (USD)"


def test_taking_the_training_cost_into_the_plan_writes_the_driver_and_says_so(page):
    page.button(key="compute:take:training").click().run()
    driver = venture(page).driver("training_run_cost")
    estimate = estimate_training(training(page))
    assert driver.source.kind == "estimated"
    assert "H100 SXM" in driver.source.text.en
    assert driver.amount.low < estimate.all_dollars.p10 < estimate.all_dollars.p90 < driver.amount.high
    assert any(item.value.startswith("Now in the plan") for item in page.success)


def test_a_taken_driver_follows_the_page_and_cash_with_it(page):
    page.button(key="compute:take:training").click().run()
    first = venture(page)
    page.selectbox(key="compute:training:accelerator").set_value("A100 SXM 40GB").run()
    second = venture(page)
    assert second.driver("training_run_cost").amount != first.driver("training_run_cost").amount
    assert "A100" in second.driver("training_run_cost").source.text.en
    cash = [project(one).at("cash", 12) for one in (first, second)]
    assert cash[0] != cash[1]
    assert any("follow this page" in read(item.value) for item in page.caption)


def test_what_the_founder_types_over_is_let_go(page):
    page.button(key="compute:take:training").click().run()
    ws = page.session_state["workspace"]
    assert ws.change(lambda v: v.with_driver("training_run_cost", Amount.point(12345)), "typed over")
    page.number_input(key="compute:training:tokens").set_value(50.0).run()
    driver = venture(page).driver("training_run_cost")
    assert driver.amount.value == 12345
    assert driver.source.kind == "typed"
    assert venture(page).compute_plan.links == ()


def test_an_estimate_that_fails_leaves_the_plan_s_last_number(page):
    page.button(key="compute:take:training").click().run()
    before = venture(page).driver("training_run_cost")
    page.number_input(key="compute:training:tokens").set_value(1e30).run()
    assert venture(page).driver("training_run_cost") == before
    assert page.error


def test_taking_from_another_part_moves_the_link(page):
    page.button(key="compute:take:training").click().run()
    part(page, "finetune")
    page.button(key="compute:take:finetune").click().run()
    links = {link.key: link.part for link in venture(page).compute_plan.links}
    assert links == {"training_run_cost": "finetune"}
    assert "LoRA" in venture(page).driver("training_run_cost").source.text.en


def test_fine_tuning_compares_its_methods_and_shows_its_memory(page):
    part(page, "finetune")
    assert metric(page, "Memory (GB)")
    shown = look(page, "finetune", "methods")
    assert "QLoRA" in shown
    assert "on 4" in shown  # full tuning of 8B
    assert "adapter" in look(page, "finetune", "memory").lower() or "Trained part" in text(page)
    assert "⅓ of EU" in look(page, "finetune", "law")
    page.selectbox(key="compute:finetune:goal").set_value("rl").run()
    assert not page.exception
    assert page.number_input(key="compute:finetune:rollouts").value == 8


def test_serving_compares_the_api_with_own_accelerators(page):
    part(page, "serving")
    assert metric(page, "API, a request") == "$0.0393"
    assert metric(page, "Replicas") == "1"
    (verdict,) = page.info
    assert "pay from" in verdict.value
    spec = json.loads(page.get("plotly_chart")[0].proto.spec)
    assert [trace.get("name") for trace in spec["data"] if trace.get("showlegend", True)] == [
        "Own accelerators, P10 to P90",
        "API",
        "Own accelerators",
    ]


@pytest.mark.parametrize(
    ("view", "words"),
    [
        ("likely", "probability of"),
        ("apis", "models in the price list"),
        ("fleet", "limited by"),
        ("formulas", "TTFT"),
        ("sources", "genai-prices"),
    ],
)
def test_a_closer_look_at_serving_is_one_click_away(page, view, words):
    part(page, "serving")
    assert words in look(page, "serving", view)


def test_requests_are_typed_by_the_day_and_kept_by_the_month(page):
    part(page, "serving")
    page.number_input(key="compute:serving:requests_per_month").set_value(1000.0).run()
    assert venture(page).compute_plan.serving.requests_per_month == pytest.approx(1000 * 730 / 24)


def test_the_volume_of_the_plan_is_one_click_away(page):
    part(page, "serving")
    asked = project(venture(page)).at("requests", 12)
    page.button(key="compute:serving:volume").click().run()
    assert venture(page).compute_plan.serving.requests_per_month == pytest.approx(asked)
    assert not [item for item in page.button if item.key == "compute:serving:volume"]


def test_every_provider_of_the_price_list_can_be_chosen(page):
    part(page, "serving")
    page.selectbox(key="compute:serving:provider").set_value("openai").run()
    assert not page.exception
    kept = venture(page).compute_plan.serving
    assert kept.provider == "openai"
    assert metric(page, "API, a request")
    assert len(page.selectbox(key="compute:serving:model").options) > 20


def test_a_latency_that_cannot_be_had_is_a_sentence_and_the_api_stands(page):
    part(page, "serving")
    page.number_input(key="compute:serving:tpot_ms").set_value(1.0).run()
    assert any("ms at best" in sentence for sentence in errors(page))
    assert metric(page, "API, a request")


def test_taking_serving_into_the_plan_writes_prices_and_the_cost_of_a_request(page):
    part(page, "serving")
    page.selectbox(key="compute:serving:model").set_value("claude-sonnet-5-5").run()
    page.number_input(key="compute:request:input_tokens").set_value(3000.0).run()
    assert venture(page).compute_plan.serving.model == "claude-sonnet-5-5"
    page.button(key="compute:take:serving").click().run()
    plan = venture(page)
    assert plan.driver("price_input").amount.value == 2.0
    assert plan.driver("price_cached").amount.value == pytest.approx(0.1)
    assert plan.driver("price_output").amount.value == 10.0
    assert plan.driver("price_output").source.kind == "estimated"
    assert plan.driver("input_tokens").amount.value == 3000.0
    assert plan.driver("input_tokens").source.kind == "typed"
    assert plan.driver("output_tokens").source.kind == "preset"
    assert plan.driver("selfhost_request_cost").source.kind == "estimated"


def test_a_linked_api_price_follows_the_model_and_linked_tokens_what_is_typed(page):
    part(page, "serving")
    page.button(key="compute:take:serving").click().run()
    page.selectbox(key="compute:serving:model").set_value("claude-haiku-5-5").run()
    assert venture(page).driver("price_output").amount.value < 10
    page.number_input(key="compute:request:output_tokens").set_value(777.0).run()
    assert venture(page).driver("output_tokens").amount.value == 777


def test_tokens_typed_on_the_serving_part_survive_a_look_at_the_other(page):
    part(page, "serving")
    page.number_input(key="compute:request:output_tokens").set_value(1234.0).run()
    part(page, "training")
    part(page, "serving")
    assert page.number_input(key="compute:request:output_tokens").value == 1234.0


def test_a_model_that_does_not_fit_leaves_the_api_bill_standing(page):
    part(page, "serving")
    page.selectbox(key="compute:serving:open_model").set_value("DeepSeek-V3").run()
    assert not page.exception
    assert any("DeepSeek" in sentence and "fits on 16" in sentence for sentence in errors(page))
    assert metric(page, "API, a request") == "$0.0393"


def keep_price(page, low, typical, high):
    part(page, "prices")
    for key, value in (("low", low), ("typical", typical), ("high", high)):
        page.number_input(key=f"compute:price:{key}").set_value(value)
    page.button(key="compute:price:keep").click().run()
    assert not page.exception


def test_a_price_of_one_s_own_stands_before_the_table_s_and_cash_follows(page):
    page.button(key="compute:take:training").click().run()
    before = venture(page).driver("training_run_cost").amount
    keep_price(page, 1.5, 2.0, 2.5)
    (price,) = venture(page).compute_plan.prices
    assert (price.accelerator, price.typical, price.tier) == ("H100 SXM", 2.0, "on_demand")
    assert price.on == date.today() or abs((price.on - date.today()).days) <= 1
    assert venture(page).driver("training_run_cost").amount.low < before.low
    part(page, "training")
    assert not any("older than" in item.value for item in page.caption)
    part(page, "prices")
    page.button(key="compute:price:remove:0").click().run()
    assert venture(page).compute_plan.prices == ()
    assert venture(page).driver("training_run_cost").amount == before


def test_a_price_that_falls_from_low_to_high_is_a_sentence(page):
    keep_price(page, 3.0, 2.0, 2.5)
    assert any("must rise" in sentence for sentence in errors(page))
    keep_price(page, None, None, None)
    assert any("typical value" in sentence for sentence in errors(page))
    assert venture(page).compute_plan.prices == ()


def test_the_drift_of_prices_is_signed_and_becomes_the_plan_s(page):
    part(page, "prices")
    page.slider(key="compute:drift").set_value(-28.0).run()
    assert venture(page).compute_plan.drift_per_year == pytest.approx(-0.28)
    assert any("2.12 in a year" in read(item.value) for item in page.caption)
    page.button(key="compute:take:drift").click().run()
    assert venture(page).driver("inference_drift").amount.value == pytest.approx(
        0.72 ** (1 / 12) - 1, rel=1e-3
    )
    page.slider(key="compute:drift").set_value(10.0).run()
    assert venture(page).driver("inference_drift").amount.value > 0


def test_money_is_shown_in_the_venture_s_currency(page):
    ws = page.session_state["workspace"]
    fields = {**ws.venture.__dict__, "currency": "CNY", "usd_rate": 7.2}
    ws.venture = type(ws.venture)(**{name: fields[name] for name in type(ws.venture).model_fields})
    page.run()
    assert metric(page, "Cost with experiments").startswith("CN¥")
    page.button(key="compute:take:training").click().run()
    estimate = estimate_training(training(page))
    assert venture(page).driver("training_run_cost").amount.high > estimate.all_dollars.p90 * 7.2


@pytest.mark.parametrize("name", ["training", "finetune", "serving", "prices"])
def test_every_part_works_in_chinese_and_stays_small(tab, name):
    page = tab("compute", "zh_Hans")
    part(page, name)

    def count(block):
        return sum(1 + count(child) for child in getattr(block, "children", {}).values())

    assert count(page.main) <= 75

"""The compute page, as a founder uses it: it opens finished, follows what is typed, fills the plan."""

import json

import pytest
from streamlit.testing.v1 import AppTest

from core.compute import TrainingPlan, estimate_training
from core.i18n import language
from pages.parts import services


@pytest.fixture(autouse=True)
def _own_store(tmp_path, monkeypatch):
    monkeypatch.setenv("COMPUTE_CANVAS_DATA_DIR", str(tmp_path))
    services.store.cache_clear()
    yield
    services.store().close()
    services.store.cache_clear()


@pytest.fixture
def page():
    shown = AppTest.from_file("../../pages/main.py", default_timeout=30)
    shown.run()
    shown.switch_page("compute.py").run()
    assert not shown.exception
    return shown


def metric(shown, label):
    (found,) = [item for item in shown.metric if item.label == label]
    return found.value


def venture(shown):
    return shown.session_state["workspace"].venture


def serving(shown):
    shown.segmented_control(key="compute_part").set_value("serving").run()
    assert not shown.exception
    return shown


def test_it_opens_on_the_venture_s_own_plan_with_a_finished_estimate(page):
    plan = TrainingPlan(**venture(page).compute_plan.training.model_dump())
    expected = language("en").money(estimate_training(plan).all_dollars.p50, "USD")
    assert metric(page, "Cost with experiments") == expected
    assert [item.label for item in page.metric][1:] == ["Days", "GPU-hours", "Energy (kWh)"]
    assert all(item.delta for item in page.metric)
    assert any("sharded over 8" in item.value for item in page.success)


def test_what_is_typed_is_kept_in_the_venture_and_undo_brings_the_field_back(page):
    before = metric(page, "Cost with experiments")
    page.number_input(key="compute:training:tokens").set_value(10.0).run()
    assert venture(page).compute_plan.training.tokens == 10e9
    assert metric(page, "Cost with experiments") != before
    page.button(key="undo").click().run()
    assert venture(page).compute_plan.training.tokens == 1e9
    assert page.number_input(key="compute:training:tokens").value == 1.0
    assert metric(page, "Cost with experiments") == before


def test_the_experiments_multiplier_multiplies_the_final_run(page):
    final = [item.value for item in page.caption if "final run alone" in item.value]
    page.selectbox(key="compute:training:experiments").set_value(5.6).run()
    assert [item.value for item in page.caption if "final run alone" in item.value] == final
    estimate = estimate_training(TrainingPlan(7e9, 1e9, experiments=5.6))
    assert metric(page, "GPU-hours") == language("en").number(estimate.all_gpu_hours.p50)


def test_a_model_too_large_for_its_accelerators_says_what_would_do(page):
    page.number_input(key="compute:training:parameters").set_value(70.0).run()
    (warning,) = page.warning
    assert "18 it fits" in warning.value


def test_bad_input_is_a_sentence_and_the_inputs_stay(page):
    page.number_input(key="compute:training:tokens").set_value(1e30).run()
    assert not page.exception
    assert any("Training tokens is 1e" in item.value.replace("\\", "") for item in page.error)
    assert page.number_input(key="compute:training:tokens").value == pytest.approx(1e30)
    page.number_input(key="compute:training:tokens").set_value(0.0).run()
    assert not page.exception
    assert venture(page).compute_plan.training.tokens == pytest.approx(1e39)


def test_the_chart_holds_the_chosen_accelerator_and_whiskers(page):
    spec = json.loads(page.get("plotly_chart")[0].proto.spec)
    (bars,) = spec["data"]
    assert any("H100 SXM" in name for name in bars["y"])
    assert len(bars["y"]) == len(bars["error_x"]["array"]) == 10
    assert spec["layout"]["xaxis"]["title"]["text"] == "Cost with experiments (USD)"


def test_taking_the_training_cost_into_the_plan_writes_the_driver_and_says_so(page):
    page.button(key="compute:take:training").click().run()
    driver = venture(page).driver("training_run_cost")
    estimate = estimate_training(TrainingPlan(7e9, 1e9))
    assert driver.source.kind == "estimated"
    assert "H100 SXM" in driver.source.text.en
    assert driver.amount.low < estimate.all_dollars.p10 < estimate.all_dollars.p90 < driver.amount.high
    assert any(item.value.startswith("Now in the plan") and "400" in item.value for item in page.success)
    page.number_input(key="compute:training:tokens").set_value(2.0).run()
    assert not any(item.value.startswith("Now in the plan") for item in page.success)


def test_serving_compares_the_api_with_own_accelerators(page):
    serving(page)
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


def test_taking_serving_into_the_plan_writes_prices_and_the_cost_of_a_request(page):
    serving(page)
    page.selectbox(key="compute:serving:api").set_value(("anthropic", "claude-sonnet-5-5")).run()
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


def test_tokens_typed_on_the_serving_part_survive_a_look_at_the_other(page):
    serving(page)
    page.number_input(key="compute:request:output_tokens").set_value(1234.0).run()
    page.segmented_control(key="compute_part").set_value("training").run()
    serving(page)
    assert page.number_input(key="compute:request:output_tokens").value == 1234.0


def test_a_model_that_does_not_fit_leaves_the_api_bill_standing(page):
    serving(page)
    page.selectbox(key="compute:serving:open_model").set_value("DeepSeek-V3").run()
    assert not page.exception
    assert any("DeepSeek" in item.value and "fits on 16" in item.value for item in page.error)
    assert metric(page, "API, a request") == "$0.0393"
    assert [item.label for item in page.metric] == ["API, a request"]


def test_money_is_shown_in_the_venture_s_currency(page):
    ws = page.session_state["workspace"]
    fields = {**ws.venture.__dict__, "currency": "CNY", "usd_rate": 7.2}
    ws.venture = type(ws.venture)(**{name: fields[name] for name in type(ws.venture).model_fields})
    page.run()
    assert metric(page, "Cost with experiments").startswith("CN¥")
    page.button(key="compute:take:training").click().run()
    estimate = estimate_training(TrainingPlan(7e9, 1e9))
    assert venture(page).driver("training_run_cost").amount.high > estimate.all_dollars.p90 * 7.2


@pytest.mark.parametrize("part", ["training", "serving"])
def test_both_parts_work_in_chinese_and_stay_small(page, part):
    page.segmented_control(key="language").set_value("zh_Hans").run()
    page.segmented_control(key="compute_part").set_value(part).run()
    assert not page.exception
    assert page.metric

    def count(block):
        return sum(1 + count(child) for child in getattr(block, "children", {}).values())

    assert count(page.main) <= 45

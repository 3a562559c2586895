"""What accuracy is worth on the page: the founder's word, the best to buy, and one click into the plan."""

from datetime import date
from functools import partial

import numpy as np
import pytest
from made_runs import OWN, done
from on_screen import charts, read, text

from core.compute import TrainingPlan as ComputeTraining
from core.compute import estimate_training
from core.finance.modules import modules
from core.finance.switch import switched
from core.finance.value import EFFECTS, worth
from core.i18n import LANGUAGES, Refusal, language
from core.training.decision import Step, decide
from core.training.spec import RunSpec
from core.venture import Amount, ComputePlan, TrainingPlan, example
from pages.parts.decision import sentence as advised

SIZES = (7_500, 15_000, 30_000, 60_000)
_EXAMPLE = example("vertical_copilot", date(2026, 6, 1))
VENTURE = _EXAMPLE.with_driver("accuracy", Amount.point(0.88), _EXAMPLE.driver("accuracy").source)


def measured(store, venture_id, exponent=0.3, own=OWN):
    """Runs whose error is a power law of the training images, on all of the images that there are."""
    for size in SIZES:
        for seed in range(2):
            error = 2.5 * size**-exponent * (1 + 0.04 * (seed - 0.5))
            spec = RunSpec(network="mlp", epochs=1, train_images=size, seed=seed, own=own)
            done(store, venture_id, spec, accuracy=1 - error, seconds=1 + size / 1_000)


@pytest.fixture
def opened(tab, store):
    """A tab on the page of a venture with a curve behind it."""

    def of(venture=VENTURE, code="en", own=OWN):
        row = store.ventures.create("local", venture, "")
        measured(store, row.id, own=own)
        return tab("tradeoffs", code, venture=row.id)

    return of


def said(app, name, percent):
    app.number_input(key=f"value:{name}_per_point").set_value(percent).run()
    assert not app.exception


def chart(app):
    return charts(app)[-1]


def today(app):
    return app.number_input(key=f"tradeoffs:task_accuracy:{app.session_state['workspace'].venture_id}")


def star(app):
    (x,) = next(t for t in chart(app)["data"] if t.get("name") == "best to buy, with 80% range")["x"]
    return x


def sentence(app):
    return next(read(m.value) for m in app.markdown if ":material/star:" in m.value)


@pytest.mark.parametrize("code", list(LANGUAGES))
def test_every_language_shows_the_section(opened, code):
    app = opened(code=code)
    assert not app.exception
    assert [app.number_input(key=f"value:{key}").value for key in EFFECTS] == [0.0] * 4
    assert app.button(key="value:take")


def test_the_chart_marks_the_plan_the_best_and_what_is_uncertain(opened):
    app = opened()
    said(app, "churn", -3.0)
    traces = {t["name"]: t for t in chart(app)["data"] if t.get("name")}
    assert list(traces) == [
        "gain with 80% band",
        "uncertain: over 3× the largest run",
        "your plan today",
        "best to buy, with 80% range",
    ]
    assert traces["uncertain: over 3× the largest run"]["line"]["dash"] == "dash"
    assert traces["your plan today"]["x"] == [
        pytest.approx(100 * VENTURE.driver("accuracy").amount.median, abs=0.01)
    ]
    assert chart(app)["layout"]["xaxis"]["title"]["text"] == "Accuracy (%)"
    assert "costs {paid}" not in text(app)
    assert "The next step of accuracy, from" in text(app)
    assert "more than your largest run" in text(app)
    assert "not of training another model" in text(app)


PLANNED = VENTURE.with_compute_plan(ComputePlan(training=TrainingPlan(parameters=1e8, tokens=2e9)))


def planned_usd(factor):
    plan = ComputeTraining(parameters=1e8, tokens=2e9 * factor)
    return estimate_training(plan).all_dollars.p50


def test_with_a_demo_the_cost_is_what_larger_runs_of_the_planned_model_cost_more(opened):
    """As often as the plan trains, 2 times in each of 36 months: those of today are in the plan already."""
    app = opened(PLANNED, own=None)
    said(app, "price", 20.0)
    assert "training runs in 36 months: 72" in text(app)
    assert "does not go into the plan with it" in text(app)
    assert "More accuracy pays as far as these runs reach" in sentence(app)
    more = language("en").money(72 * (planned_usd(10.0) - planned_usd(1.0)), "USD")
    assert f"after a cost of {more}" in sentence(app)
    assert "more than the training you plan today" in text(app)
    seldom = PLANNED.with_driver("training_runs_per_month", Amount.point(0.01))
    app = opened(seldom, own=None)
    said(app, "price", 20.0)
    once = language("en").money(planned_usd(10.0) - planned_usd(1.0), "USD")
    assert f"after a cost of {once}" in sentence(app)


def test_with_a_demo_the_accuracy_is_that_of_the_plan_with_the_measured_fall_of_its_error(opened, kept):
    """The demo's own accuracy, 91%, is nobody's: training as today brings the 88% of today and gains nothing."""
    app = opened(PLANNED, own=None)
    said(app, "price", 5.0)
    curve = [t for t in chart(app)["data"] if t.get("line", {}).get("width") == 2.5]
    x, y = (np.concatenate([trace[axis] for trace in curve]) for axis in ("x", "y"))
    assert np.interp(88.0, x, y) == pytest.approx(0.0, abs=0.01 * np.max(y))
    assert max(x) == pytest.approx(100 * (1 - 0.12 * 10**-0.3), abs=0.3)
    best = star(app)
    app.button(key="value:take").click().run()
    assert not app.exception
    assert kept(app).driver("accuracy").source.text.en.startswith("from today, the fall of the error in 8")
    low, high = kept(app).driver("accuracy").amount.ends()
    assert low < best / 100 < high < 0.97
    # What the plan counts on now is no ground to buy the same again.
    assert today(app).value == 88.0
    assert star(app) == pytest.approx(best, abs=0.3)


def test_a_typed_accuracy_of_today_is_where_the_fall_begins(opened):
    app = opened(PLANNED, own=None)
    said(app, "price", 5.0)
    before = max(chart(app)["data"][-3]["x"])
    today(app).set_value(70.0).run()
    assert not app.exception
    assert max(chart(app)["data"][-3]["x"]) < before


def test_without_a_planned_model_the_price_of_an_example_is_seen_and_used_for_a_demo_too(opened):
    app = opened(own=None)
    said(app, "price", 1.0)
    assert "not of training another model" in text(app)
    price = app.number_input(key="tradeoffs:image_price")
    assert (price.label, price.value) == ("Price of one more labelled example (USD)", 0.08)
    assert "Ground Truth charges $0.08" in price.help
    assert "and the 60,000 examples to buy for it at that price, cost $4,800" in text(app)
    best = star(app)
    price.set_value(50.0).run()
    assert "cost $3M" in text(app)
    assert star(app) < best
    planned = opened(PLANNED, own=None)
    assert not any(field.key == "tradeoffs:image_price" for field in planned.number_input)
    assert "examples to buy" not in text(planned)


def test_what_the_founder_says_is_kept_moves_the_best_and_can_be_undone(opened, kept):
    app = opened()
    app.number_input(key="tradeoffs:image_price").set_value(0.5).run()
    before, best = kept(app), star(app)
    said(app, "churn", -5.0)
    driver = kept(app).driver("churn_per_point")
    assert (driver.amount.value, driver.source.kind) == (pytest.approx(-0.05), "typed")
    assert star(app) > best
    said(app, "churn", 5.0)
    assert star(app) <= best
    app.button(key="undo").click().run()
    app.button(key="undo").click().run()
    assert kept(app) == before
    assert app.number_input(key="value:churn_per_point").value == 0.0
    assert star(app) == best
    said(app, "price", 1.0)
    said(app, "price", 0.0)
    assert not kept(app).has_driver("price_per_point")


def test_one_click_takes_the_best_and_all_that_it_moves_and_one_undo_brings_it_back(opened, kept):
    app = opened()
    said(app, "churn", -3.0)
    said(app, "price", 2.0)
    before = kept(app)
    label = app.button(key="value:take").label
    assert read(label) == f"Take accuracy {star(app):.3g}% into the plan"
    app.button(key="value:take").click().run()
    after = kept(app)
    accuracy = after.driver("accuracy")
    low, high = accuracy.amount.ends()
    assert low < star(app) / 100 < high
    assert (accuracy.source.kind, accuracy.source.text.en) == ("estimated", "curve through 8 measured runs")
    points = 100 * (accuracy.amount.median - before.driver("accuracy").amount.median)
    for key, factor in (("price_per_seat", 1.02**points), ("churn_settled", 0.97**points)):
        low_before, low_after = (v.driver(key).amount.ends()[0] for v in (before, after))
        assert low_after == pytest.approx(factor * low_before)
        assert after.driver(key).source.text.en.startswith("effect of accuracy:")
    assert [read(s.value) for s in app.success]
    app.button(key="undo").click().run()
    assert kept(app) == before


def test_dear_images_make_less_accuracy_the_best(opened):
    app = opened()
    said(app, "price", 1.0)
    app.number_input(key="tradeoffs:image_price").set_value(0.0).run()
    assert "More accuracy pays as far as these runs reach" in sentence(app)
    app.number_input(key="tradeoffs:image_price").set_value(1_000.0).run()
    assert "as far as these runs reach" not in sentence(app)


def test_a_plan_that_counts_on_more_than_the_runs_reach_is_told(opened):
    venture = VENTURE.with_driver("accuracy", Amount.point(0.99), VENTURE.driver("accuracy").source)
    assert "beats the 99% that your plan counts on today" in sentence(opened(venture))


def test_without_a_curve_the_effects_can_be_said_and_the_page_tells_what_is_missing(tab, store):
    row = store.ventures.create("local", VENTURE, "")
    done(store, row.id)
    app = tab("tradeoffs", venture=row.id)
    said(app, "price", 1.0)
    assert "once four sizes of training have been measured" in text(app)


EARNING = [
    key
    for key, module in modules().items()
    if key in ("seats", "subscription") or "revenue_per_customer" in module.contributes
]


def possible():
    """Every way to earn, alone and with every way to serve; a wrong answer costs nothing."""
    for earns in EARNING:
        for serves in ((), ("api",), ("gpus",), ("delivery",)):
            try:
                made = switched(VENTURE, (earns, *serves))
            except Refusal:
                continue
            if made.has_driver("error_cost"):
                made = made.with_driver("error_cost", Amount.point(0.0))
            yield pytest.param(made, id="-".join((earns, *serves)))


def counts_rework(venture):
    return any(venture.has_driver(key) for key in ("delivery_share", "pay_per_hour"))


@pytest.mark.parametrize("venture", list(possible()))
@pytest.mark.parametrize("code", list(LANGUAGES))
def test_whatever_the_modules_there_is_advice(venture, code):
    step = Step("data", 2e4, 0.9, 0.91, 0.92, 0.93, 0, 5.0)
    decision = decide([step], partial(worth, venture))
    assert (decision.action == "unpriced") is not counts_rework(venture)
    advice = advised(decision, venture, language(code))
    if code == "en" and decision.action == "unpriced":
        asks_for_error_cost = "Give “Cost of one wrong answer” a value" in advice
        assert asks_for_error_cost is venture.has_driver("error_cost")
        assert ("Say below what a point of accuracy does" in advice) is not asks_for_error_cost


@pytest.mark.parametrize("chosen", [("seats",), ("licences",), ("projects", "delivery"), ("tokens", "gpus")])
def test_plans_without_a_price_for_wrong_answers_are_asked_what_a_point_does(opened, chosen):
    venture = switched(VENTURE, chosen)
    if venture.has_driver("error_cost"):
        venture = venture.with_driver("error_cost", Amount.point(0.0))
    app = opened(venture)
    asked = "Your plan does not say what accuracy is worth yet"
    assert (asked in text(app)) is not counts_rework(venture)
    said(app, "churn", -3.0)
    assert asked not in text(app)
    assert sentence(app)

"""Accuracy and cost: runs as points, a law once four sizes are measured, and numbers that go into the plan."""

import pytest
from made_runs import DEVICE, OWN, done, predicted
from on_screen import charts, read, text

from core.compute import TrainingPlan as ComputeTraining
from core.compute import estimate_training
from core.i18n import LANGUAGES, language
from core.training.spec import RunSpec
from core.training.sweep import Sweep
from core.venture import Amount, ComputePlan, TrainingPlan

SIZES = (2_500, 5_000, 10_000, 20_000)


def venture(app):
    return app.session_state["workspace"].venture_id


def sizes(store, venture_id, sizes=SIZES, seeds=2, exponent=0.3, own=None, dataset="mnist"):
    """Runs whose error is a power law of the training images, with a little luck of the seed."""
    for size in sizes:
        for seed in range(seeds):
            error = 2.5 * size**-exponent * (1 + 0.04 * (seed - 0.5))
            spec = RunSpec(network="mlp", dataset=dataset, epochs=1, train_images=size, seed=seed, own=own)
            done(store, venture_id, spec, accuracy=1 - error, seconds=1 + size / 1_000)


@pytest.mark.parametrize("code", list(LANGUAGES))
def test_without_a_run_the_page_leads_to_the_first(tab, code):
    app = tab("tradeoffs", code)
    assert len(app.info) == 1
    assert app.get("page_link")[0].proto.page == "training"
    assert not app.get("plotly_chart")


@pytest.mark.parametrize("code", list(LANGUAGES))
def test_one_run_is_a_point_and_no_law(tab, store, code):
    app = tab("tradeoffs", code)
    done(store, venture(app), accuracy=0.91)
    app.run()
    assert not app.exception
    points = [t for t in charts(app)[0]["data"] if t["mode"] == "markers"]
    assert [t["y"] for t in points if t["y"]] == [[0.91]]
    assert len(app.info) == 1
    if code == "en":
        assert "a curve needs at least 4 that differ" in read(app.info[0].value)
        assert (
            "Run next, with the same settings: 500 examples × 3 seeds, 1,000 examples × 2 seeds, 2,000 examples"
            in read(next(m.value for m in app.markdown if "Run next" in m.value))
        )
    assert len(app.dataframe[0].value) == 1


def test_four_sizes_make_a_law_with_its_band_its_error_and_a_price_for_the_target(tab, store):
    app = tab("tradeoffs")
    sizes(store, venture(app))
    app.run()
    assert not app.exception
    law = next(m.value for m in app.markdown if m.value.startswith("error ="))
    assert "examples^−0.30" in law
    assert "Test of the law: the smaller runs predict" in text(app)
    for chart in charts(app)[:2]:
        names = [t.get("name") for t in chart["data"]]
        assert "fitted law with 80% band" in names
        assert "uncertain: over 3× the largest run" in names
        assert "speculation: over 10× the largest run" in names
    assert "held out: predicted from the smaller runs" in [t.get("name") for t in charts(app)[1]["data"]]
    app.get("button_group")[0].set_value("compute").run()
    assert any("FLOP^−0.30" in m.value for m in app.markdown)
    reached = {m.label: m.value for m in app.metric}["Cost of a run that reaches it"]
    assert "80% interval" in text(app)
    app.slider(key="tradeoffs:target").set_value(90.0).run()
    assert {m.label: m.value for m in app.metric}["Cost of a run that reaches it"] != reached
    app.slider(key="tradeoffs:target").set_value(99.9).run()
    assert not app.exception
    assert "Cost of a run that reaches it" not in {m.label for m in app.metric}
    assert len(app.warning) == 1, "out of reach is said, not drawn"


@pytest.mark.parametrize(("dataset", "record"), [("mnist", True), ("digits", False)])
def test_the_law_has_a_record_on_mnist_and_on_nothing_else(tab, store, dataset, record):
    app = tab("tradeoffs")
    sizes(store, venture(app), sizes=(175, 350, 700, 1_400), dataset=dataset)
    app.run()
    assert ("the law has a record: on ten other networks" in text(app)) is record
    assert ("on data like yours it has not been tested" in text(app)) is not record


def test_runs_that_differ_in_more_than_size_are_families_of_their_own(tab, store):
    app = tab("tradeoffs")
    sizes(store, venture(app), seeds=1)
    done(store, venture(app), RunSpec(network="cnn", epochs=1, train_images=5_000), accuracy=0.97)
    app.run()
    options = app.selectbox(key="tradeoffs:family").options
    assert [option.rpartition(" ")[2] for option in options] == ["(4)", "(1)"]
    app.selectbox(key="tradeoffs:family").select_index(1).run()
    assert not app.exception
    assert len(app.info) == 1


@pytest.mark.parametrize("code", list(LANGUAGES))
@pytest.mark.parametrize("epochs", [1, 2])
def test_a_family_tells_its_settings_in_words_and_its_epochs_in_the_right_number(tab, store, code, epochs):
    app = tab("tradeoffs", code)
    for size in (1_000, 2_000):
        done(store, venture(app), RunSpec(network="mlp", epochs=epochs, train_images=size))
    app.run()
    (told,) = app.selectbox(key="tradeoffs:family").options
    settings = {"en": "Cross-entropy · batch size 64", "zh_Hans": "交叉熵 · 批大小 64"}[code]
    assert told.startswith(f"MLP · Adam · ReLU · {settings}")
    if code == "en":
        assert told.endswith("· 1 epoch (2)" if epochs == 1 else "· 2 epochs (2)")


def test_the_measured_accuracy_goes_into_the_plan_with_its_run_and_moves_cash(tab, store, kept):
    app = tab("tradeoffs")
    row = done(store, venture(app), accuracy=0.9123)
    app.run()
    before = kept(app)
    app.button(key="tradeoffs:accuracy").click().run()
    driver = kept(app).driver("accuracy")
    assert (driver.amount.value, driver.source.kind, driver.source.run) == (0.9123, "measured", row.id)
    assert (
        driver.source.text.en == f"run {row.id[:6]}: {RunSpec.from_json(row.spec).title.en}, on {DEVICE.name}"
    )
    (success,) = [read(s.value) for s in app.success]
    assert "cash in month 36 changes by -$" in success
    assert "measured · run" in text(app)
    app.switch_page("plan.py").run()
    app.pills(key="plan:group").set_value("serving").run()
    assert app.text_input(key="driver::accuracy").value == "91.23%"
    assert any(":material/straighten: measured" in c.value for c in app.caption)
    app.button(key="undo").click().run()
    assert kept(app) == before


@pytest.mark.parametrize("key", ["tradeoffs:accuracy", "tradeoffs:expected"])
def test_what_could_not_be_saved_is_not_told_as_taken(tab, store, key):
    app = tab("tradeoffs")
    sizes(store, venture(app))
    app.run()
    plan, row = store.ventures.load("local", venture(app))
    store.ventures.save("local", venture(app), row.version, plan.renamed("From another tab"), "")
    app.button(key=key).click().run()
    assert not app.exception
    assert any("is not saved" in w.value for w in app.warning)
    assert not app.success


def test_the_measured_cost_goes_into_the_plan_in_its_currency(tab, store, kept):
    app = tab("tradeoffs")
    done(store, venture(app), RunSpec(own=OWN), seconds=3_600.0)
    app.run()
    app.button(key="tradeoffs:cost").click().run()
    driver = kept(app).driver("training_run_cost")
    assert driver.amount.value == pytest.approx(0.10)
    assert driver.source.kind == "measured"
    assert "own data · MLP" in driver.source.text.en and "secret_clients" not in str(driver.source)
    assert "自有数据 · MLP" in driver.source.text.zh
    assert len(app.success) == 1


def test_the_cost_of_a_demo_is_not_offered_to_the_plan(tab, store):
    app = tab("tradeoffs")
    done(store, venture(app))
    app.run()
    assert not any(button.key == "tradeoffs:cost" for button in app.button)
    assert "measured on MNIST, handwritten digits, not on your task" in text(app)


def test_the_run_to_take_can_be_chosen_and_the_best_is_offered_first(tab, store, kept):
    app = tab("tradeoffs")
    worse = done(store, venture(app), accuracy=0.85)
    better = done(store, venture(app), accuracy=0.95)
    done(store, venture(app), accuracy=0.90)
    app.run()
    assert app.selectbox(key="tradeoffs:run").value == better.id
    app.selectbox(key="tradeoffs:run").set_value(worse.id).run()
    app.button(key="tradeoffs:accuracy").click().run()
    assert kept(app).driver("accuracy").amount.value == 0.85


def test_what_was_taken_is_part_of_the_shared_plan(tab, store):
    app = tab("tradeoffs")
    done(store, venture(app), accuracy=0.9123)
    app.run()
    app.button(key="tradeoffs:accuracy").click().run()
    link = store.links.create("local", venture(app), 2, "")
    holder = tab(token=link.token)
    assert "Each row is a real training run" in text(holder)
    assert list(holder.dataframe[0].value["accuracy"]) == [0.9123]
    assert "measured" in list(holder.dataframe[-1].value["From"])


def test_what_the_curve_needs_is_not_priced_at_nothing_on_a_device_that_has_trained_nothing(tab, store):
    app = tab("tradeoffs")
    sizes(store, venture(app), sizes=(10_000, 20_000), seeds=2)
    app.run()
    assert read(app.button(key="tradeoffs:run_next").label) == (
        "Run what is missing; how long that takes here is not known yet"
    )
    assert f"the runs of this curve were trained on {DEVICE.name}" in text(app)
    app.button(key="tradeoffs:run_next").click().run()
    (row,) = store.sweeps.rows("local", venture(app))
    assert Sweep.from_json(row.spec).budget_minutes == 30.0


def test_one_click_runs_what_the_curve_still_needs(tab, store, monkeypatch):
    monkeypatch.setattr("pages.parts.learning_curve.device_in_use", lambda store: DEVICE)
    app = tab("tradeoffs")
    sizes(store, venture(app), sizes=(10_000, 20_000), seeds=2)
    app.run()
    assert "Run these 8: about" in app.button(key="tradeoffs:run_next").label
    app.button(key="tradeoffs:run_next").click().run()
    (row,) = store.sweeps.rows("local", venture(app))
    runs = Sweep.from_json(row.spec).every()
    assert [(spec.train_images, spec.seed) for spec in runs] == [
        *((2_500, seed) for seed in range(3)),
        *((5_000, seed) for seed in range(3)),
        (10_000, 2),
        (20_000, 2),
    ]
    assert app.button(key="tradeoffs:run_next").disabled


def test_with_early_stopping_nothing_is_left_to_run_where_it_trains_on_all_that_it_may(tab, store):
    app = tab("tradeoffs")
    for size in (6_875, 13_750, 27_500, 60_000):
        for seed in range(3):
            spec = RunSpec(network="mlp", epochs=9, train_images=size, seed=seed, patience=2)
            done(store, venture(app), spec, accuracy=1 - 2.5 * size**-0.3)
    app.run()
    assert "nothing left to run" in text(app)


def worth_nothing(app, store):
    """The plan of the tab, with a wrong answer that costs nothing."""
    plan, row = store.ventures.load("local", venture(app))
    free = plan.with_driver("error_cost", Amount.point(0.0), plan.driver("error_cost").source)
    store.ventures.save("local", venture(app), row.version, free, "")


@pytest.mark.parametrize("code", list(LANGUAGES))
def test_the_runs_and_the_plan_make_a_decision_with_its_numbers(tab, store, code):
    app = tab("tradeoffs", code)
    sizes(store, venture(app), sizes=(7_500, 15_000, 30_000, 60_000), own=OWN)
    app.run()
    assert not app.exception
    if code != "en":
        return
    assert "Buy data: with 120,000 training examples, 60,000 of them new, accuracy should rise from" in text(
        app
    )
    assert "One more point of accuracy is worth" in text(app)
    app.number_input(key="tradeoffs:image_price").set_value(1_000.0).run()
    assert "Stop here: twice as much should raise accuracy" in text(app)
    assert "cannot tell whether longer training would pay" in text(app)


def test_images_that_are_there_already_need_not_be_bought(tab, store):
    app = tab("tradeoffs")
    sizes(store, venture(app), own=OWN)
    app.run()
    assert "Train on more of the data that is there: with 40,000 training examples" in text(app)


def test_a_plan_without_a_price_for_wrong_answers_gets_no_advice_to_spend(tab, store):
    app = tab("tradeoffs")
    sizes(store, venture(app), own=OWN)
    worth_nothing(app, store)
    app = tab("tradeoffs", venture=venture(app))
    assert "Your plan does not say what a wrong answer costs" in text(app)


def test_the_expected_accuracy_goes_into_the_plan_as_a_range_with_its_source(tab, store, kept):
    app = tab("tradeoffs")
    sizes(store, venture(app))
    app.run()
    app.button(key="tradeoffs:expected").click().run()
    driver = kept(app).driver("accuracy")
    expected = 1 - 2.5 * 40_000**-0.3
    low, high = driver.amount.ends()
    assert low < expected < high
    assert driver.source.kind == "estimated"
    assert "8 measured runs" in driver.source.text.en


def test_with_a_planned_model_the_expected_accuracy_is_that_of_the_task_and_not_of_the_demo(tab, store, kept):
    """Of 20% wrong answers twice the data takes a fifth, whatever the demo gets right."""
    app = tab("tradeoffs")
    sizes(store, venture(app))
    planned(app, store, parameters=1e9, tokens=2e10)
    app = tab("tradeoffs")
    today(app).set_value(80.0).run()
    assert read(app.button(key="tradeoffs:expected").label).startswith(
        "Take the expected accuracy of your task, 8"
    )
    app.button(key="tradeoffs:expected").click().run()
    assert not app.exception
    low, high = kept(app).driver("accuracy").amount.ends()
    source = kept(app).driver("accuracy").source.text.en
    assert source == "from today, the fall of the error in 8 measured runs of a demo, at 2× the largest"
    assert 0.80 < low < 1 - 0.2 * 2**-0.3 < high < 0.86
    assert today(app).value == 80.0


def test_a_target_that_needs_more_data_than_there_is_says_so(tab, store):
    app = tab("tradeoffs")
    sizes(store, venture(app), sizes=(7_500, 15_000, 30_000, 60_000))
    app.run()
    app.slider(key="tradeoffs:target").set_value(92.5).run()
    assert "more than there are; what those cost comes on top" in text(app)
    app.slider(key="tradeoffs:target").set_value(88.0).run()
    assert "more than there are" not in text(app)


def test_the_cents_of_the_demo_are_not_held_against_the_money_of_the_plan(tab, store):
    app = tab("tradeoffs")
    sizes(store, venture(app))
    app.run()
    shown = text(app)
    assert "On MNIST, handwritten digits, twice the training data should raise accuracy from" in shown
    assert "what the demo costs, not what your model costs" in shown
    assert "In your plan that is worth" not in shown and "Stop here" not in shown
    assert "examples to buy for it at that price" not in shown, "twice as many are there"


def planned(app, store, **fields):
    """The plan of the tab with a training of its own."""
    plan, row = store.ventures.load("local", venture(app))
    own = ComputePlan(training=TrainingPlan(**fields))
    store.ventures.save("local", venture(app), row.version, plan.with_compute_plan(own), "")


def today(app):
    return app.number_input(key=f"tradeoffs:task_accuracy:{venture(app)}")


def real_table(app):
    return next(frame.value for frame in app.dataframe if "falls" in frame.value)


@pytest.mark.parametrize("code", list(LANGUAGES))
def test_the_measured_fall_stands_beside_the_estimated_cost_of_the_planned_model(tab, store, code):
    app = tab("tradeoffs")
    sizes(store, venture(app))
    planned(app, store, parameters=1e9, tokens=2e10)
    app = tab("tradeoffs", code)
    assert not app.exception
    table = real_table(app)
    assert list(table["step"])[1:] == ["×2", "×4", "×10"]
    now, twice = (
        estimate_training(ComputeTraining(parameters=1e9, tokens=tokens)).all_dollars.p50
        for tokens in (2e10, 4e10)
    )
    _ = language(code)
    for told, cost in zip(table["cost"], (now, twice), strict=False):
        assert told.startswith(_.money(cost, "USD"))
    if code == "en":
        assert "doubling your training data cuts the error by about 19% (measured, 80% interval" in text(app)
        assert "1B parameters, 20B tokens on 8 × H100 SXM" in text(app)
        today(app).set_value(80.0).run()
        assert real_table(app)["accuracy"][0] == "80%"
        assert real_table(app)["accuracy"][1].startswith("83.7%"), "a fifth less of 20% wrong answers"


def test_a_plan_without_a_training_of_its_own_says_so_and_leads_to_the_compute_page(tab, store):
    app = tab("tradeoffs")
    sizes(store, venture(app))
    app.run()
    assert "Your plan has no training of its own yet" in text(app)
    assert "compute" in [link.proto.page for link in app.get("page_link")]
    assert app.radio(key="tradeoffs:planned").value is None
    assert not any("falls" in frame.value for frame in app.dataframe)
    app.radio(key="tradeoffs:planned").set_value("finetune").run()
    assert not app.exception
    assert "Llama 3.1 8B" in text(app) and len(real_table(app)) == 4


def test_one_click_takes_the_cost_of_the_planned_run_which_then_follows_the_compute_page(tab, store, kept):
    app = tab("tradeoffs")
    sizes(store, venture(app))
    planned(app, store, parameters=1e9, tokens=2e10)
    app = tab("tradeoffs")
    app.button(key="tradeoffs:take_planned").click().run()
    driver = kept(app).driver("training_run_cost")
    expected = estimate_training(ComputeTraining(parameters=1e9, tokens=2e10)).all_dollars.p50
    low, high = driver.amount.ends()
    assert driver.source.kind == "estimated" and low < expected < high
    assert [link.key for link in kept(app).compute_plan.links] == ["training_run_cost"]
    assert app.button(key="tradeoffs:take_planned").disabled
    assert "follows the compute page until somebody types over it" in text(app)


def test_runs_of_several_data_sets_are_looked_at_one_data_set_at_a_time(tab, store):
    app = tab("tradeoffs")
    done(store, venture(app), RunSpec(dataset="iris"), accuracy=0.99)
    done(store, venture(app), RunSpec(dataset="diabetes"), accuracy=0.0)
    done(store, venture(app), accuracy=0.91)
    app.run()
    assert app.selectbox(key="tradeoffs:data").value == "mnist", "that of the newest run"
    points = [t["y"] for t in charts(app)[0]["data"] if t["mode"] == "markers" and t["y"]]
    assert points == [[0.91]]
    assert [len(frame.value) for frame in app.dataframe] == [1]
    app.selectbox(key="tradeoffs:data").set_value("iris").run()
    assert not app.exception
    assert "Take accuracy 99%" in [button.label for button in app.button]
    assert "measured on Iris" in text(app)


@pytest.mark.parametrize("code", list(LANGUAGES))
def test_runs_that_predict_a_number_have_a_chart_of_their_own_and_no_accuracy(tab, store, code):
    app = tab("tradeoffs")
    predicted(store, venture(app), RunSpec(dataset="diabetes"), explained=0.45, error=55.0)
    app = tab("tradeoffs", code)
    assert not app.exception
    (chart,) = charts(app)
    assert chart["data"][0]["y"] == [0.45]
    assert list(app.dataframe[0].value["explained"]) == [0.45]
    assert "accuracy" not in app.dataframe[0].value
    assert not any(button.key == "tradeoffs:accuracy" for button in app.button)


def test_the_holder_of_a_link_does_not_learn_what_a_file_of_the_founder_is_called(tab, store):
    app = tab("tradeoffs")
    done(store, venture(app), RunSpec(own=OWN), accuracy=0.9)
    app.run()
    assert "secret_clients" in str(app.dataframe[0].value["title"][0])
    app.button(key="tradeoffs:accuracy").click().run()
    holder = tab(token=store.links.create("local", venture(app), 2, "").token)
    assert holder.dataframe[0].value["title"][0].startswith("own data · MLP")
    assert not any("secret_clients" in frame.value.to_string() for frame in holder.dataframe)

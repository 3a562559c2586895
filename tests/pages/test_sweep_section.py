"""A sweep on the training page: priced before the click, its runs in a table, stopped with one click."""

from dataclasses import replace

import pytest
from made_runs import DEVICE, WORKER, done, result
from on_screen import errors, text

from core.i18n import LANGUAGES
from core.training.spec import RunSpec
from core.training.sweep import Axis, Sweep
from core.training.sweeping import advance

BASE = RunSpec(network="mlp", epochs=1, train_images=4_000)


def venture(app):
    return app.session_state["workspace"].venture_id


def begun(store, venture_id, **settings):
    given = {"base": BASE, "axes": (Axis("train_images", (1_000, 2_000)),), "budget_minutes": 60.0}
    return store.sweeps.create("local", venture_id, Sweep(**{**given, **settings}).to_json())


def test_the_form_names_the_runs_and_says_when_their_price_is_not_known_yet(tab, store):
    app = tab("training")
    app.text_input(key="sweep:values:train_images").set_value("1000, 2000, 4000").run()
    assert "3 runs. How fast they are has not been measured here yet" in text(app)
    app.text_input(key="sweep:values:train_images").set_value("1000").run()
    assert "One run. How fast it is has not been measured here yet" in text(app)


def test_the_price_comes_from_the_speed_of_earlier_runs(tab, store, monkeypatch):
    monkeypatch.setattr("pages.parts.sweep.device_in_use", lambda store: DEVICE)
    app = tab("training")
    done(store, venture(app), RunSpec(network="mlp", epochs=1, train_images=10_000), seconds=10.0)
    app.selectbox(key="training:network").set_value("mlp").run()
    app.text_input(key="sweep:values:train_images").set_value("1000, 2000").run()
    assert "2 runs, about" in text(app)
    assert "within the budget" in text(app)
    app.number_input(key="sweep:minutes").set_value(0.1).run()
    assert "the budget pays for about 1 of them" in text(app)
    app.text_input(key="sweep:values:train_images").set_value("1000").run()
    assert "One run, about" in text(app) and "within the budget" in text(app)
    app.number_input(key="sweep:minutes").set_value(0.001).run()
    assert "more than the budget pays for" in text(app)


def test_a_click_starts_the_sweep_with_what_was_typed(tab, store):
    app = tab("training")
    app.selectbox(key="training:network").set_value("mlp").run()
    app.button_group(key="sweep:vary").set_value(["learning_rate"]).run()
    app.text_input(key="sweep:values:learning_rate").set_value("0.001 to 0.1").run()
    app.selectbox(key="sweep:method").set_value("halving").run()
    app.number_input(key="sweep:runs").set_value(6).run()
    app.button_group(key="sweep:unit").set_value("usd").run()
    app.number_input(key="sweep:usd").set_value(0.5).run()
    app.button(key="sweep:start").click().run()
    (row,) = store.sweeps.rows("local", venture(app))
    sweep = Sweep.from_json(row.spec)
    assert (sweep.method, sweep.runs, sweep.budget_usd, sweep.budget_minutes) == ("halving", 6, 0.5, None)
    assert sweep.axes == (Axis("learning_rate", (0.001, 0.1), between=True),)
    assert sweep.base.network == "mlp"
    assert app.button(key="sweep:start").disabled


def test_the_second_of_two_quick_clicks_starts_no_second_sweep(tab, store):
    app = tab("training")
    begun(store, venture(app))  # by the first click, before the page was drawn again
    app.button(key="sweep:start").click().run()
    assert not app.exception
    assert len(store.sweeps.rows("local", venture(app))) == 1


@pytest.mark.parametrize(("typed", "said"), [("1000, x", "The values of"), ("10 to 5", "from a smaller")])
def test_values_that_make_no_sense_are_refused_before_the_click(tab, typed, said):
    app = tab("training")
    app.text_input(key="sweep:values:train_images").set_value(typed).run()
    assert any(said in error for error in errors(app))
    assert "sweep:start" not in [button.key for button in app.button]


@pytest.mark.parametrize("code", list(LANGUAGES))
def test_the_runs_of_a_sweep_stand_in_a_table_with_the_best_and_a_way_to_stop(tab, store, code):
    app = tab("training", code)
    row = begun(store, venture(app))
    advance(store, 1, DEVICE.name)
    first = store.runs.claim(WORKER, 1e6)
    spec = RunSpec.from_json(first.spec)
    measured = replace(result(spec, 0.55), validation_accuracy=0.87)
    store.runs.finish(first.id, WORKER, "done", measured.to_json())
    advance(store, 1, DEVICE.name)
    app.run()
    table = app.dataframe[0].value
    assert list(table["images"]) == [1_000, 2_000]
    assert table["accuracy"][0] == 0.87
    assert "87" in text(app)
    app.button(key=f"sweep:stop:{row.id}").click().run()
    assert store.sweeps.get("local", row.id).state == "stopped"
    assert not app.exception


def test_a_sweep_that_ended_with_its_budget_says_so(tab, store):
    app = tab("training")
    row = begun(store, venture(app), budget_minutes=1e-9)
    advance(store, 1, DEVICE.name)
    store.runs.claim(WORKER, 1e6)
    while store.sweeps.get("local", row.id).active:
        advance(store, 1, DEVICE.name)
    app.run()
    assert "The budget was used up, so the sweep ended; runs begun: 1." in text(app)


@pytest.mark.parametrize("key", ["digits", "vowels", "reviews"])
def test_a_small_dataset_has_sizes_of_its_own_to_begin_with(tab, store, key):
    app = tab("training")
    app.selectbox(key="training:dataset").set_value(key).run()
    assert not errors(app)
    (field,) = [t for t in app.text_input if t.key.startswith("sweep:values:train_images:")]
    assert len(field.value.split(", ")) == (3 if key == "vowels" else 4)  # 270 are too few for four
    app.button(key="sweep:start").click().run()
    (row,) = store.sweeps.rows("local", venture(app))
    assert {spec.dataset for spec in Sweep.from_json(row.spec).every()} == {key}

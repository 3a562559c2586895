"""Training, as a founder sees it: the settings, the queue, a run under way, and how each kind of run ended."""

import json
import time
from dataclasses import replace

import pytest
from made_runs import DEVICE, SPEC, WORKER, broken, done, queued, result, running
from on_screen import charts, errors, read, text
from sqlalchemy.exc import OperationalError

from core.i18n import LANGUAGES, Refusal
from core.training import checkpoint, desk, shelf
from core.training.report import Bin, Mistake, Report
from core.training.spec import RunSpec


def venture(app):
    return app.session_state["workspace"].venture_id


def past(app):
    """The table of past runs."""
    (table,) = [d.value for d in app.dataframe]
    return table


def test_before_the_first_run_the_page_says_what_will_happen(tab):
    app = tab("training")
    assert "Press Train" in text(app)
    assert "80,202 parameters" in text(app)
    assert "known after the first run" in text(app)
    assert "FLOP" in text(app)
    assert not app.dataframe


def test_a_click_on_train_puts_the_settings_into_the_queue(tab, store):
    app = tab("training")
    app.pills(key="training:preset").set_value("mlp").run()
    app.selectbox(key="training:train_images").set_value(2_500).run()
    app.number_input(key="training:epochs").set_value(3).run()
    app.number_input(key="training:seed").set_value(7).run()
    app.text_input(key="training:learning_rate").set_value("0.005").run()
    app.button(key="training:start").click().run()
    (row,) = store.runs.rows("local", venture(app))
    assert row.state == "queued"
    wanted = RunSpec(network="mlp", train_images=2_500, epochs=3, seed=7, learning_rate=0.005, batch_size=64)
    assert RunSpec.from_json(row.spec) == wanted
    assert row.total_steps == wanted.total_steps
    assert app.get("progress")[0].proto.text == "Waiting: place 1 in the queue"


def test_the_worker_hears_of_the_run_on_the_screen_once(tab, store, monkeypatch):
    told = []
    tell = store.expected.tell
    monkeypatch.setattr(store.expected, "tell", lambda owner, spec: (told.append(spec), tell(owner, spec)))
    app = tab("training")
    app.run()
    app.pills(key="training:preset").set_value("mlp").run()
    specs = [RunSpec.from_json(spec) for spec in told]
    assert [spec.network for spec in specs] == ["fast", "mlp"]
    assert store.expected.newest(60) == (told[-1], "local")
    app.button(key="training:start").click().run()
    (row,) = store.runs.rows("local", venture(app))
    assert RunSpec.from_json(row.spec) == specs[-1], "what was expected is what the click trains"


def test_a_database_that_cannot_be_told_of_the_run_on_the_screen_is_in_nobodys_way(tab, store, monkeypatch):
    def fails(owner, spec):
        raise OperationalError("INSERT", {}, Exception("disk full"))

    monkeypatch.setattr(store.expected, "tell", fails)
    app = tab("training")
    app.button(key="training:start").click().run()
    assert not app.exception
    assert len(store.runs.rows("local", venture(app))) == 1


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("fast", "The learning rate is “fast”; a number such as 0.001 is needed."),
        ("0", "The learning rate is 0.0; a number from 1e-06 to 10 is allowed."),
        ("nan", "The learning rate is nan; a number from 1e-06 to 10 is allowed."),
        ("1e999", "The learning rate is inf; a number from 1e-06 to 10 is allowed."),
    ],
)
def test_a_setting_that_cannot_be_is_refused_before_the_click(tab, store, typed, sentence):
    app = tab("training")
    app.text_input(key="training:learning_rate").set_value(typed).run()
    assert errors(app) == [sentence]
    assert app.text_input(key="training:learning_rate").value == typed
    assert "training:start" not in [b.key for b in app.button]


def test_settings_stay_when_the_page_is_left_and_the_language_changes(tab):
    app = tab("training")
    app.selectbox(key="training:optimizer").set_value("momentum").run()
    app.number_input(key="training:epochs").set_value(9).run()
    app.switch_page("canvas.py").run()
    app.segmented_control(key="language").set_value("zh_Hans").run()
    app.switch_page("training.py").run()
    assert app.selectbox(key="training:optimizer").value == "momentum"
    assert app.number_input(key="training:epochs").value == 9


def test_waiting_runs_say_their_place_and_can_be_stopped(tab, store):
    app = tab("training")
    first, second = queued(store, venture(app)), queued(store, venture(app))
    app.run()
    said = [p.proto.text for p in app.get("progress")]
    assert said == ["Waiting: place 1 in the queue", "Waiting: place 2 in the queue"]
    app.button(key=f"training:stop:{first.id}").click().run()
    assert store.runs.get("local", first.id).state == "stopped"
    assert [p.proto.text for p in app.get("progress")] == ["Waiting: place 1 in the queue"]
    app.button(key=f"training:stop:{second.id}").click().run()
    assert "It was stopped before it began." in text(app)


def test_a_run_that_waits_for_ones_own_limit_says_so(tab, store, monkeypatch):
    monkeypatch.setenv("COMPUTE_CANVAS_USER_RUNS", "1")
    app = tab("training")
    running(store, venture(app), share=0.0)
    queued(store, venture(app))
    app.run()
    said = [p.proto.text for p in app.get("progress")]
    assert "Waiting until one of your own runs ends: at most 1 train at the same time" in said


def test_a_run_under_way_shows_step_time_money_energy_and_its_curve(tab, store):
    app = tab("training")
    row = running(store, venture(app))
    app.run()
    (meter,) = app.get("progress")
    assert meter.proto.text == f"Step 8 of {SPEC.total_steps}"
    assert meter.proto.value == 50
    shown = {m.label: m.value for m in app.metric}
    assert shown["Energy (J)"] == "31"
    assert shown["Time left (s)"] == "4"
    assert shown["Examples per second"] == "1,234"
    assert shown["Processor in use (%)"] == "87.6%"
    assert shown["Memory (GiB of 8)"] == "1.5"
    assert all(m.help for m in app.metric if m.label not in ("Seconds", "Cost (USD)", "Energy (J)"))
    assert shown["Cost (USD)"].startswith("$0.00")
    assert float(shown["Seconds"]) >= 0
    assert [trace["y"] for trace in charts(app)[0]["data"]] == [[0.1, 0.8]]
    app.button(key=f"training:stop:{row.id}").click().run()
    assert store.runs.get("local", row.id).cancel_requested
    stop = app.button(key=f"training:stop:{row.id}")
    assert (stop.label, stop.disabled) == ("Stopping …", True)


def test_a_run_that_goes_on_shows_what_it_cost_before_its_pause_too(tab, store, monkeypatch):
    """Its energy is told so too."""
    app = tab("training")
    now = time.time()
    with monkeypatch.context() as patch:
        patch.setattr("core.storage.queue.time.time", lambda: now - 3_700)
        row = queued(store, venture(app), replace(SPEC, price_per_hour=10.0))
        store.runs.claim(WORKER, 1e6)
        patch.setattr("core.storage.queue.time.time", lambda: now - 100)
        store.runs.finish(row.id, WORKER, "stopped", None)
    store.runs.resume("local", row.id, 0)
    store.runs.claim(WORKER, 1e6)
    app.run()
    shown = {m.label: m.value for m in app.metric}
    assert shown["Cost (USD)"] == "$10"
    assert shown["Seconds"].replace(",", "").startswith("360")


def test_a_finished_run_shows_what_it_measured_with_units(tab, store):
    app = tab("training")
    done(store, venture(app), accuracy=0.9123, seconds=36.0)
    app.run()
    shown = {m.label: m.value for m in app.metric}
    assert shown == {
        "Test accuracy": "91.23%",
        "Training time": "28.8 s",
        "Cost": "$0.001",
        "Energy": "252 J",
    }
    assert "Last run · MLP · Adam · 1 epoch · 1,000 images · done" in text(app)
    stars = [trace for trace in charts(app)[0]["data"] if trace.get("marker", {}).get("symbol") == "star"]
    assert [trace["y"] for trace in stars] == [[0.9123]]
    table = past(app)
    assert list(table["state"]) == ["done"]
    assert list(table["accuracy"]) == [0.9123]
    assert "How long it takes here is known after the first run." in text(app), "another device"


@pytest.mark.parametrize("code", list(LANGUAGES))
@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ("failed", Refusal("The training failed: {error}.", error="ValueError: *no* <b>way</b>")),
        ("stopped", Refusal("It was stopped on request after {step} of {total} steps.", step=3, total=16)),
        ("interrupted", Refusal("The training worker (process {pid}) died before the run was over.", pid=12)),
    ],
)
def test_a_run_that_ended_early_says_how_and_why_and_hides_nothing(tab, store, code, state, reason):
    app = tab("training", code)
    broken(store, venture(app), state, reason)
    app.run()
    assert not app.exception
    (warning,) = [read(w.value) for w in app.warning]
    if code == "en":
        assert warning == str(reason)
        assert f"· {state}" in text(app)
        assert list(past(app)["state"]) == [state]
    assert past(app)["accuracy"].isna().all()
    assert not app.metric, "no measurement is claimed"
    assert app.button(key="training:start"), "the next run can start"


def test_past_runs_of_every_kind_stand_in_one_table_newest_first(tab, store):
    app = tab("training")
    done(store, venture(app), accuracy=0.9)
    broken(store, venture(app), "failed", Refusal("The training failed: {error}.", error="x"))
    broken(store, venture(app), "interrupted", Refusal("x"))
    done(store, venture(app), RunSpec(network="cnn", epochs=2), accuracy=0.98)
    running(store, venture(app))
    app.run()
    assert list(past(app)["state"]) == ["training", "done", "interrupted", "failed", "done"]
    assert list(past(app)["title"])[1] == "CNN · Adam · 2 epochs · 60,000 images"
    assert list(past(app)["device"].dropna().unique()) == [DEVICE.name]


def test_ticked_runs_are_drawn_over_each_other_and_told_apart(tab, store):
    app = tab("training")
    rows = [done(store, venture(app), RunSpec(network="mlp", epochs=1, seed=seed)) for seed in range(6)]
    app.session_state["training:compared"] = [row.id for row in rows[:2]]
    app.run()
    lines = [trace for trace in charts(app)[0]["data"] if trace["mode"] == "lines"]
    assert {line["name"].split(",")[0] for line in lines} == {f"MLP {row.id[:6]}" for row in rows[:2]}
    assert len({line["line"]["dash"] for line in lines}) == 2
    app.session_state["training:compared"] = [row.id for row in rows]
    app.run()
    assert len([t for t in charts(app)[0]["data"] if t["mode"] == "lines"]) == 4


def test_a_run_that_begins_is_drawn_over_the_ticked_ones_and_can_be_taken_out(tab, store):
    app = tab("training")
    finished = done(store, venture(app))
    app.session_state["training:compared"] = [finished.id]
    app.run()
    begun = running(store, venture(app))
    app.run()
    lines = [trace["name"] for trace in charts(app)[0]["data"] if trace["mode"] == "lines"]
    assert {name.split()[1].rstrip(",") for name in lines} == {begun.id[:6], finished.id[:6]}
    assert list(past(app)["state"]) == ["training", "done"]
    app.session_state["training:compared"] = [finished.id]
    app.run()
    assert app.session_state["training:compared"] == [finished.id], "what was taken out stays out"


def test_the_device_s_work_of_a_gpu_is_called_the_gpu_s(tab, store):
    app = tab("training")
    row = running(store, venture(app))
    card = replace(DEVICE, kind="gpu", name="NVIDIA H100", memory_bytes=80 * 2**30)
    store.runs.progress(row.id, 8, 4.0, card.to_json())
    app.run()
    shown = {m.label: m.value for m in app.metric}
    assert (shown["GPU in use (%)"], shown["Memory (GiB of 80)"]) == ("87.6%", "1.5")


def test_a_finished_run_says_how_hard_the_device_worked(tab, store):
    app = tab("training")
    done(store, venture(app))
    app.run()
    assert "processor 80% in use · at most 2 GiB of memory" in text(app)


def test_a_run_of_another_venture_is_not_shown(tab, store):
    app = tab("share")
    older = venture(app)
    app.button(key="share:new").click().run()
    done(store, older)
    app.switch_page("training.py").run()
    assert not app.dataframe and not app.metric


def test_a_run_that_ends_while_the_page_is_open_turns_into_its_result(tab, store):
    app = tab("training")
    running(store, venture(app))
    app.run()
    assert app.get("progress")
    row = store.runs.rows("local", venture(app))[0]
    store.runs.finish(row.id, WORKER, "done", result(SPEC, 0.93).to_json())
    app.run()
    assert not app.get("progress")
    assert "93%" in text(app)


def test_a_recipe_fills_in_every_setting_and_a_change_makes_it_ones_own(tab):
    app = tab("training")
    assert app.pills(key="training:preset").value == "fast"
    assert app.text_input(key="training:learning_rate").value == "0.01"
    app.pills(key="training:preset").set_value("cnn").run()
    assert app.selectbox(key="training:network").value == "cnn"
    assert app.text_input(key="training:learning_rate").value == ""
    assert app.number_input(key="training:epochs").value == 5
    app.number_input(key="training:epochs").set_value(3).run()
    assert app.pills(key="training:preset").value is None
    assert "Settings of your own." in text(app)


def test_a_table_gets_a_network_and_a_recipe_for_tables(tab, store):
    app = tab("training")
    app.selectbox(key="training:dataset").set_value("diabetes").run()
    assert app.pills(key="training:preset").value == "table"
    assert app.selectbox(key="training:network").options == ["Perceptron"]
    app.button(key="training:start").click().run()
    (row,) = store.runs.rows("local", venture(app))
    spec = RunSpec.from_json(row.spec)
    assert (spec.dataset, spec.loss, spec.patience) == ("diabetes", "mse", 8)
    app.selectbox(key="training:dataset").set_value("mnist").run()
    assert app.pills(key="training:preset").value == "fast"
    assert app.selectbox(key="training:train_images").value == 60_000


@pytest.mark.parametrize(
    ("key", "called", "recipe"),
    [
        ("fashion", "Vision · Clothes (Fashion-MNIST)", "few"),
        ("reviews", "Language · Product reviews", "table"),
        ("vowels", "Speech · Speakers (Japanese vowels)", "table"),
        ("ratings", "Recommendation · Ratings of lectures", "ratings"),
    ],
)
def test_a_demonstration_of_each_area_begins_with_a_recipe_that_suits_it(tab, store, key, called, recipe):
    app = tab("training")
    select = app.selectbox(key="training:dataset")
    assert called in select.options
    select.set_value(key).run()
    assert app.pills(key="training:preset").value == recipe
    app.button(key="training:start").click().run()
    (row,) = store.runs.rows("local", venture(app))
    assert RunSpec.from_json(row.spec).dataset == key


@pytest.mark.parametrize(
    ("key", "place", "sentence"), [("vowels", 4, ""), ("reviews", 4, "a poor sentence"), ("fashion", 4, "")]
)
def test_a_finished_demonstration_is_tried_on_a_sentence_or_on_a_test_example(
    tab, store, monkeypatch, key, place, sentence
):
    """The worker is played by the test: it hears what is asked, and is sure of the second class."""
    asked = []
    monkeypatch.setattr(desk, "ask", lambda what, **given: asked.append((what, given)) or "0" * 16)
    spec = RunSpec(dataset=key, epochs=1)
    shares = [0.0, 1.0] + [0.0] * (spec.data.classes - 2)
    said = {"answers": [shares]} | ({} if sentence else {"right": 0})
    monkeypatch.setattr(desk, "wait_for", lambda question, seconds: said)
    app = tab("training")
    row = done(store, venture(app), spec)
    confusion = tuple(tuple(9 * (a == b) + 1 for a in range(len(shares))) for b in range(len(shares)))
    wrong = Mistake(place, 1, 0, 0.9, words=sentence)
    report = Report(spec.data.class_names, confusion, (Bin(0.9, 0.9, 20),), (wrong,))
    (shelf.run_folder(row.id, make=True) / shelf.REPORT).write_text(report.to_json())
    app.run()
    assert not app.exception
    if sentence:
        assert any(sentence in str(table.value.to_dict()) for table in app.dataframe)
        app.text_area(key=f"training:try:{row.id}:text").set_value("It is great!")
    else:
        app.number_input(key=f"training:try_place:{row.id}").set_value(place + 1)
    next(button for button in app.button if button.label == "Predict").click().run()
    assert not app.exception
    ((what, given),) = asked
    assert what == "predict"
    assert given.get("example") == (None if sentence else place)
    assert given.get("rows") == ([{"sentence": "It is great!"}] if sentence else None)
    assert f"Most likely: {spec.data.class_names[1]}" in text(app)
    assert (f"Right is: {spec.data.class_names[0]}" in text(app)) == (not sentence)


def test_time_and_cost_are_said_before_the_click_from_earlier_runs_on_the_device(tab, store, monkeypatch):
    monkeypatch.setattr("pages.parts.training_device.device_in_use", lambda store: DEVICE)
    app = tab("training")
    done(store, venture(app), seconds=36.0)
    app.run()
    assert "from earlier runs on this device" in text(app)
    assert "known after the first run" not in text(app)


LONG = RunSpec(network="mlp", epochs=5, train_images=1_000)


def test_a_run_can_be_paused_and_goes_on_where_it_was(tab, store):
    app = tab("training")
    row = running(store, venture(app), LONG)
    app.run()
    app.button(key=f"training:pause:{row.id}").click().run()
    folder = shelf.run_folder(row.id)
    assert checkpoint.pause_asked(folder)
    pause = app.button(key=f"training:pause:{row.id}")
    assert (pause.label, pause.disabled) == ("Pausing after this epoch …", True)
    (folder / checkpoint.NETWORK).write_bytes(b"x")
    checkpoint.Keeper(Kept(), folder).keep(checkpoint.Left(2, 4.0, 5.0, 6.0), surely=True)
    reason = Refusal(
        "It was paused after {epochs} of {total} epochs and can go on from there.", epochs=2, total=5
    )
    store.runs.finish(row.id, WORKER, "stopped", None, reason)
    app.run()
    assert "It was paused after 2 of 5 epochs and can go on from there." in text(app)
    app.button(key=f"training:resume:{row.id}").click().run()
    again = store.runs.get("local", row.id)
    assert (again.state, again.step, again.cancel_requested) == ("queued", 32, False)
    assert not checkpoint.pause_asked(folder)
    assert [point.step for point in store.runs.metrics(row.id)] == [1]


def test_going_on_is_refused_where_nothing_is_left_for_today(tab, store, monkeypatch):
    app = tab("training")
    row = running(store, venture(app), LONG)
    folder = shelf.run_folder(row.id, make=True)
    (folder / checkpoint.NETWORK).write_bytes(b"x")
    checkpoint.Keeper(Kept(), folder).keep(checkpoint.Left(2, 4.0, 5.0, 6.0), surely=True)
    store.runs.finish(row.id, WORKER, "stopped", None, None)
    monkeypatch.setenv("COMPUTE_CANVAS_USER_MINUTES", "0.0000001")
    app.run()
    app.button(key=f"training:resume:{row.id}").click().run()
    assert store.runs.get("local", row.id).state == "stopped"
    assert any("of training in 24 hours is used up" in error.value for error in app.error)


def test_a_paused_run_can_go_on_after_and_while_others_train(tab, store):
    app = tab("training")
    paused = running(store, venture(app), LONG)
    folder = shelf.run_folder(paused.id, make=True)
    (folder / checkpoint.NETWORK).write_bytes(b"x")
    checkpoint.Keeper(Kept(), folder).keep(checkpoint.Left(2, 4.0, 5.0, 6.0), surely=True)
    store.runs.finish(paused.id, WORKER, "stopped", None, None)
    done(store, venture(app))
    running(store, venture(app), LONG)
    app.run()
    app.button(key=f"training:resume:{paused.id}").click().run()
    assert store.runs.get("local", paused.id).state == "queued"


class Kept:
    """Stands for a network: it leaves a file."""

    def save(self, file):
        file.write_bytes(b"x")


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ("failed", Refusal("The device ran out of memory: {smaller}", smaller=32)),
        (
            "interrupted",
            Refusal("The process was killed ({signal}): {smaller}", signal="SIGKILL", smaller=32),
        ),
    ],
)
@pytest.mark.parametrize("kept", [False, True])
def test_a_run_out_of_memory_offers_smaller_batches_checkpoint_or_not(tab, store, state, reason, kept):
    app = tab("training")
    row = broken(store, venture(app), state, reason, LONG)
    if kept:
        folder = shelf.run_folder(row.id, make=True)
        (folder / checkpoint.NETWORK).write_bytes(b"x")
        checkpoint.Keeper(Kept(), folder).keep(checkpoint.Left(2, 4.0, 5.0, 6.0), surely=True)
    app.run()
    app.button(key=f"training:smaller:{row.id}").click().run()
    newest = store.runs.rows("local", venture(app))[0]
    assert RunSpec.from_json(newest.spec).batch_size == 32


def test_the_smallest_batch_is_not_offered_again(tab, store):
    app = tab("training")
    reason = Refusal("The device ran out of memory: {smaller}", smaller=8)
    row = broken(store, venture(app), "failed", reason, replace(LONG, batch_size=8))
    app.run()
    assert f"training:smaller:{row.id}" not in [b.key for b in app.button]


def test_a_finished_run_shows_its_report_and_can_be_deleted(tab, store):
    app = tab("training")
    spec = RunSpec(dataset="iris", epochs=1)
    row = done(store, venture(app), spec)
    report = Report(
        spec.data.class_names,
        ((10, 0, 0), (0, 9, 1), (0, 2, 8)),
        (Bin(0.55, 0.5, 4), Bin(0.95, 0.96, 26)),
        (Mistake(3, 1, 2, 0.9),),
    )
    (shelf.run_folder(row.id, make=True) / shelf.REPORT).write_text(report.to_json())
    app.run()
    assert not app.exception
    assert "A finished run from near" in text(app)
    assert "off by" in text(app)
    assert [list(chart["data"][0].get("x", [])) for chart in charts(app)][2] == list(spec.data.class_names)
    app.button(key=f"training:delete:{row.id}").click().run()
    assert not store.runs.rows("local", venture(app))
    assert not shelf.run_folder(row.id).exists()


def test_a_run_that_predicts_a_number_shows_its_error_in_the_unit_of_the_number(tab, store):
    app = tab("training")
    spec = RunSpec(dataset="diabetes", epochs=1)
    row = running(store, venture(app), spec, share=1.0)
    measured = replace(result(spec, 0.0), test_accuracy=None, test_rmse=54.32, test_r2=0.5)
    store.runs.finish(row.id, WORKER, "done", measured.to_json())
    folder = shelf.run_folder(row.id, make=True)
    (folder / shelf.REPORT).write_text(
        Report((), points=((100.0, 110.0), (200.0, 180.0)), farthest=((1, 200.0, 180.0),)).to_json()
    )
    app.run()
    assert not app.exception
    assert "Typical error: 54.3" in text(app)
    (table,) = [d.value for d in app.dataframe if "error" in d.value]
    assert list(table["error"]) == [54.32]
    (farthest,) = [d.value for d in app.dataframe if "off" in d.value]
    assert farthest.to_dict("records") == [{"row": 2, "right": 200.0, "said": 180.0, "off": 20.0}]


def test_ratings_have_no_settings_of_layers(tab, store):
    app = tab("training")
    app.selectbox(key="training:dataset").set_value("ratings").run()
    assert app.selectbox(key="training:network").options == ["Factors for each name"]
    assert app.selectbox(key="training:train_images").label == "Training ratings"
    assert not {(w.key or "").partition("~")[0] for w in (*app.slider, *app.checkbox)} & {
        "training:dropout",
        "training:batch_norm",
    }
    app.number_input(key="training:width").set_value(16).run()
    app.button(key="training:start").click().run()
    (row,) = store.runs.rows("local", venture(app))
    spec = RunSpec.from_json(row.spec)
    assert (spec.network, spec.width, spec.learning_rate, spec.schedule) == ("factors", 16, 0.01, "cosine")
    app.selectbox(key="training:dataset").set_value("mnist").run()
    assert app.slider(key="training:dropout").value == 0.0
    assert not app.exception


@pytest.mark.parametrize("code", list(LANGUAGES))
def test_a_run_on_ratings_recommends_to_the_student_that_is_chosen(tab, store, monkeypatch, code):
    asked = []

    def play(question, seconds):
        asked.append(json.loads(desk._file(question, "ask").read_text()))
        best = [
            {"item": 5, "rating": 4.9, "count": 120, "truth": 4.0},
            {"item": 9, "rating": 4.5, "count": 3, "truth": None},
        ]
        return {"best": best, "rated": 4, "mean": 3.2}

    monkeypatch.setattr(desk, "wait_for", play)
    app = tab("training", code)
    spec = RunSpec(dataset="ratings", epochs=1)
    row = running(store, venture(app), spec, share=1.0)
    measured = replace(result(spec, 0.0), test_accuracy=None, test_rmse=1.19, test_r2=0.2)
    store.runs.finish(row.id, WORKER, "done", measured.to_json())
    (shelf.run_folder(row.id, make=True) / shelf.REPORT).write_text(
        Report((), points=((4.0, 3.5), (2.0, 3.0)), farthest=((1, 2.0, 3.0),)).to_json()
    )
    app.run()
    assert not app.exception
    app.number_input(key=f"training:recommend_to:{row.id}").set_value(42)
    next(b for b in app.button if f"recommend:{row.id}" in str(b.form_id)).click().run()
    assert not app.exception
    assert (asked[0]["what"], asked[0]["given"]["user"]) == ("recommend", 42)
    (best,) = [d.value for d in app.dataframe if "lecturer" in d.value]
    assert list(best["lecturer"]) == [5, 9]
    assert list(best["count"]) == [120, 3]
    assert [bool(note) for note in best["note"]] == [False, True]
    said = text(app)
    assert "1,124" in said and "1.19" in said
    if code == "en":
        assert "Cold start: the network has seen only 4 ratings of this student" in said


@pytest.fixture
def worker(monkeypatch):
    """The worker is played by the test: it answers the questions that the page lays down."""

    def play(question, seconds):
        held = json.loads(desk._file(question, "ask").read_text())
        return desk._answered(held["what"], held["given"])

    monkeypatch.setattr(desk, "wait_for", play)
    monkeypatch.setattr(desk, "_limit", lambda seconds: None)


def upload(app, *names):
    """A table whose last column is named by one that gives it away, and by some more."""
    lines = [",".join(("size", *names, "kind"))]
    lines += [
        ",".join((str(i % 7), *(["xy"[i % 9 == 0]] * len(names)), "ab"[i % 9 == 0])) for i in range(200)
    ]
    content = "\n".join(lines).encode()
    app.file_uploader(key="training:own_file").set_value(("shop.csv", content, "text/csv")).run()
    assert not app.exception


def test_a_table_goes_from_upload_to_ready_by_what_the_worker_says(tab, store, worker):
    app = tab("training")
    upload(app)
    assert app.selectbox(key="training:own_target").value == "kind"
    classes = next(d.value for d in app.dataframe if "share" in d.value)
    assert classes.to_dict("list") == {"class": ["a", "b"], "count": [177, 23], "share": [0.885, 0.115]}
    assert "always answering a would be right in 88% of the cases" in text(app)
    app.button(key="training:own_prepare").click().run()
    assert "shop is ready and chosen under Data." in text(app)
    (data,) = shelf.own_data("local")
    assert app.selectbox(key="training:dataset").value == f"own:{data.id}"
    app.button(key="training:start").click().run()
    assert RunSpec.from_json(store.runs.rows("local", venture(app))[0].spec).own == data


def test_what_is_doubtful_about_data_is_said_whenever_it_is_chosen(tab, store, worker):
    upload(app := tab("training"), "told")
    app.button(key="training:own_prepare").click().run()
    (data,) = shelf.own_data("local")
    again = tab("training")
    assert "tells the answer almost by itself" not in text(again)
    again.selectbox(key="training:dataset").set_value(f"own:{data.id}").run()
    assert "The column told tells the answer almost by itself" in text(again)


@pytest.mark.parametrize("trained", [False, True])
def test_the_columns_of_data_that_is_ready_can_be_changed(tab, store, worker, trained):
    upload(app := tab("training"), "told", "named")
    app.multiselect(key="training:own_without").set_value(["named"]).run()
    app.button(key="training:own_prepare").click().run()
    (first,) = shelf.own_data("local")
    if trained:
        queued(store, venture(app), RunSpec(own=first))
        app.run()
    app.button(key=f"training:own_change:{first.id}").click().run()
    assert app.multiselect(key="training:own_without").value == ["named"]
    app.multiselect(key="training:own_without").set_value(["named", "told"]).run()
    app.button(key="training:own_prepare").click().run()
    assert not app.exception
    newest, *before = shelf.own_data("local")
    assert before == ([first] if trained else [])
    assert not any("told" in str(doubt) for doubt in newest.doubts)
    assert app.selectbox(key="training:dataset").value == f"own:{newest.id}"


def test_deleting_data_says_first_what_goes_with_it(tab, store, worker):
    upload(app := tab("training"))
    app.button(key="training:own_prepare").click().run()
    (data,) = shelf.own_data("local")
    assert "No run was trained on it" in text(app)
    row = queued(store, venture(app), RunSpec(own=data))
    (shelf.run_folder(row.id, make=True) / shelf.MODEL).write_bytes(b"x")
    app.run()
    assert "the networks and reports of the runs trained on it (1)" in text(app)
    app.button(key=f"training:own_delete:{data.id}").click().run()
    assert "stop them before you delete it" in errors(app)[0]
    assert shelf.own_data("local")
    store.runs.cancel("local", row.id)
    app.button(key=f"training:own_delete:{data.id}").click().run()
    assert not errors(app)
    assert not shelf.own_data("local")
    assert not shelf.run_folder(row.id).exists()
    assert app.selectbox(key="training:dataset").value == "mnist"


def test_an_upload_that_was_left_can_be_gone_on_with_or_deleted(tab, store, worker):
    upload(tab("training"))
    (data_id,) = shelf.unfinished("local")
    app = tab("training")
    assert "uploaded, not made ready" in text(app)
    app.button(key=f"training:own_go_on:{data_id}").click().run()
    assert app.selectbox(key="training:own_target").value == "kind"
    other = tab("training")
    other.button(key=f"training:own_drop:{data_id}").click().run()
    assert not shelf.unfinished("local")
    assert "uploaded, not made ready" not in text(other)


def test_what_a_number_to_predict_holds_is_said_before(tab, worker):
    app = tab("training")
    lines = ["size,price", *(f"{i},{3 * i}" for i in range(101))]
    app.file_uploader(key="training:own_file").set_value(
        ("shop.csv", "\n".join(lines).encode(), "text/csv")
    ).run()
    assert "It goes from 0 to 300; half of the rows are at or below 150." in text(app)


@pytest.mark.parametrize(
    ("url", "host", "alone"),
    [
        ("http://localhost:8501/training", None, True),
        ("http://127.0.0.1:8501/training", "127.0.0.1", True),
        ("http://localhost:8501/training", "0.0.0.0", False),
        ("https://canvas.example/training", None, False),
        ("http://192.168.1.4:8501/", None, False),
    ],
)
def test_who_sees_the_data_is_said_as_it_is(tab, monkeypatch, url, host, alone):
    monkeypatch.setattr("pages.parts.session.address", lambda: url)
    monkeypatch.delenv("COMPUTE_CANVAS_HOST", raising=False)
    if host:
        monkeypatch.setenv("COMPUTE_CANVAS_HOST", host)
    shown = text(tab("training"))
    assert ("only you see it" in shown) is alone
    assert ("everybody who can open this page sees your data" in shown) is not alone


def test_a_file_that_is_refused_says_why(tab):
    app = tab("training")
    app.file_uploader(key="training:own_file").set_value(("shop.csv", b"", "text/csv")).run()
    assert errors(app) == ["The file shop.csv is empty."]


def test_a_file_that_the_worker_refuses_is_named_and_not_kept(tab, worker):
    app = tab("training")
    content = b"a,b\n" + b"1,2\n2,1\n" * 40 + b"1,2,3\n"
    app.file_uploader(key="training:own_file").set_value(("shop.csv", content, "text/csv")).run()
    assert errors(app)[0].startswith(
        "shop is not taken: Row 82 of the CSV has 3 values and the header has 2;"
    )
    assert not shelf.unfinished("local")


def test_an_onnx_file_is_made_when_asked_for_and_then_handed_over(tab, store, monkeypatch):
    app = tab("training")
    folder = finished_with_report(app, store)
    said = []

    def play(question, seconds):
        held = json.loads(desk._file(question, "ask").read_text())
        assert (held["what"], held["given"]["run_id"]) == ("onnx", folder.name)
        if not said:
            said.append("refused")
            raise Refusal("The network of this run is not kept any more.")
        (folder / shelf.ONNX).write_bytes(b"onnx")
        return 4

    monkeypatch.setattr(desk, "wait_for", play)
    app.run()
    app.button(key="training:onnx_make").click().run()
    assert "The network of this run is not kept any more." in errors(app)
    app.button(key="training:onnx_make").click().run()
    assert not app.exception
    assert not [
        button for button in app.button if button.key in ("training:onnx_make", "training:onnx_cancel")
    ]
    assert "ONNX file" in [element.proto.label for element in app.get("download_button")]
    assert not list((folder.parents[1] / "desk").glob("*.ask"))


def finished_with_report(app, store):
    """The folder of a finished run that left a network and a report."""
    row = running(store, venture(app), RunSpec(dataset="diabetes", epochs=1), share=1.0)
    store.runs.finish(row.id, WORKER, "done", result(RunSpec(dataset="diabetes", epochs=1), 0.0).to_json())
    folder = shelf.run_folder(row.id, make=True)
    (folder / shelf.REPORT).write_text(Report((), points=((100.0, 110.0), (200.0, 180.0))).to_json())
    (folder / shelf.MODEL).write_bytes(b"keras")
    return folder


H100 = "NVIDIA H100 80GB HBM3"


def told_by_a_worker(store, *names):
    """A worker that has GPUs of these names, GPU-0, GPU-1 …, and the processor of DEVICE."""
    gpus = [
        replace(
            DEVICE,
            kind="gpu",
            name=name,
            memory_bytes=80 * 2**30,
            uuid=f"GPU-{place}",
            number=place if len(names) > 1 else None,
        )
        for place, name in enumerate(names)
    ]
    found = replace(gpus[0], choices=(*gpus, DEVICE)) if gpus else DEVICE
    store.workers.beat("a worker", "host", 1, "idle", found.to_json(), "cold", "code")
    return found


def test_with_two_gpus_of_one_name_one_of_them_any_or_the_processor_is_chosen(tab, store):
    told_by_a_worker(store, H100, H100)
    app = tab("training")
    device = app.selectbox(key="training:device")
    assert device.options == [
        "Any free GPU",
        f"{H100} · GPU 0 · 80 GiB",
        f"{H100} · GPU 1 · 80 GiB",
        f"CPU, 2 cores · {DEVICE.name}",
    ]
    assert device.value == ""
    assert f"{H100}** · GPU" in text(app)
    device.set_value("GPU-1").run()
    assert f"{H100} · GPU 1** · GPU" in text(app)
    app.button(key="training:start").click().run()
    (row,) = store.runs.rows("local", venture(app))
    assert (row.wanted, RunSpec.from_json(row.spec).device) == ("GPU-1", "GPU-1")
    assert f":material/memory: {H100} · GPU 1" in [caption.value for caption in app.caption]
    app.selectbox(key="training:device").set_value("cpu").run()
    assert "CPU, 2 cores" in text(app)
    app.button(key="training:start").click().run()
    assert store.runs.rows("local", venture(app))[0].wanted == "cpu"


@pytest.mark.parametrize("names", [(), (H100,)])
def test_with_one_gpu_or_none_the_device_is_named_and_nothing_is_asked(tab, store, names):
    found = told_by_a_worker(store, *names)
    app = tab("training")
    assert "training:device" not in [box.key for box in app.selectbox]
    assert (H100 if names else "CPU, 2 cores") in text(app)
    app.button(key="training:start").click().run()
    (row,) = store.runs.rows("local", venture(app))
    assert row.wanted == ""
    assert found.label in (H100, DEVICE.name)


def test_a_card_that_is_gone_is_not_chosen_any_more(tab, store):
    told_by_a_worker(store, H100, H100, H100)
    app = tab("training")
    app.selectbox(key="training:device").set_value("GPU-2").run()
    told_by_a_worker(store, H100, H100)
    app.run()
    assert app.selectbox(key="training:device").value == ""
    app.selectbox(key="training:device").set_value("GPU-1").run()
    told_by_a_worker(store, H100)
    app.run()
    app.button(key="training:start").click().run()
    (row,) = store.runs.rows("local", venture(app))
    assert row.wanted == ""


def test_time_and_cost_are_those_of_the_device_that_was_chosen(tab, store, monkeypatch):
    told_by_a_worker(store, H100, "NVIDIA A100-SXM4-40GB")
    app = tab("training")
    row = running(store, venture(app), share=1.0)
    on_h100 = replace(DEVICE, kind="gpu", name=H100)
    measured = replace(result(SPEC, 0.9, 36.0), device=on_h100)
    assert store.runs.finish(row.id, WORKER, "done", measured.to_json())
    app.selectbox(key="training:device").set_value("GPU-0").run()
    assert "from earlier runs on this device" in text(app)
    for other in ("GPU-1", "cpu", ""):
        app.selectbox(key="training:device").set_value(other).run()
        assert "How long it takes here is known after the first run." in text(app), other
    assert f"{H100} / NVIDIA A100-SXM4-40GB" in text(app)


def test_a_smaller_batch_and_a_sweep_go_to_a_device_that_is_there(tab, store):
    told_by_a_worker(store, H100, H100)
    app = tab("training")
    reason = Refusal("The device ran out of memory: {smaller}", smaller=32)
    row = broken(store, venture(app), "failed", reason, replace(SPEC, device="GPU-7"))
    app.run()
    app.button(key=f"training:smaller:{row.id}").click().run()
    assert store.runs.rows("local", venture(app))[0].wanted == ""
    app.selectbox(key="training:device").set_value("GPU-1").run()
    app.button(key="sweep:start").click().run()
    (sweep,) = store.sweeps.rows("local")
    assert json.loads(sweep.spec)["base"]["device"] == "GPU-1"

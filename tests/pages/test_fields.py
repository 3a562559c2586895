"""A browser that has not yet heard of the last change sends the old values of its fields with the next click.

What is on the screen before a change is held on to here: a click in it is such a click.
"""

import pytest

from core.training.spec import RunSpec

PRICE = "driver::price_per_seat"


FIELDS = ("text_input", "number_input", "text_area", "selectbox", "slider", "toggle", "button_group")


def shown(app):
    """The tab, as a browser that hears of nothing more: every field of it holds what it shows now."""
    for kind in FIELDS:
        for widget in app.get(kind):
            widget.set_value(widget.value)
    return app


def price(venture):
    return venture.driver("price_per_seat").amount.median


@pytest.fixture
def plan(tab):
    """The plan page at a price of 80."""
    app = tab("plan")
    app.text_input(key=PRICE).set_value("80").run()
    return shown(app)


def test_a_price_that_was_typed_stays_though_the_slider_of_before_is_heard_again(plan, kept):
    """Typing a price moves the slider; the browser still has it where it was."""
    field, ranges = plan.text_input(key=PRICE), plan.toggle(key="plan:ranges")
    app = field.set_value("95").run()
    assert (price(kept(app)), app.slider(key="lever").value) == (95, 95)
    app = ranges.set_value(True).run()
    assert not app.exception
    assert price(kept(app)) == 95
    assert app.slider(key="lever").value == 95
    assert app.toggle(key="plan:ranges").value


def test_a_slider_that_was_moved_stays_though_the_price_of_before_is_heard_again(plan, kept):
    lever, ranges = plan.slider(key="lever"), plan.toggle(key="plan:ranges")
    lever.set_value(90.0).run()
    app = ranges.set_value(True).run()
    assert price(kept(app)) == 90
    assert app.text_input(key=PRICE).value == "90"


def test_an_undo_stays_though_what_it_took_back_is_heard_again(plan, kept):
    app = plan.text_input(key=PRICE).set_value("95").run()
    undo, ranges = shown(app).button(key="undo"), app.toggle(key="plan:ranges")
    assert app.text_input(key=PRICE).value == "95"
    undo.click().run()
    undo.set_value(False)
    app = ranges.set_value(True).run()
    assert price(kept(app)) == 80
    assert app.text_input(key=PRICE).value == "80"


def test_what_is_changed_before_the_browser_has_heard_is_no_echo(plan, kept):
    """The slider is moved by hand while the price that was typed is under way: the later of the two counts."""
    field, lever = plan.text_input(key=PRICE), plan.slider(key="lever")
    field.set_value("95").run()
    app = lever.set_value(70.0).run()
    assert price(kept(app)) == 70
    assert app.text_input(key=PRICE).value == "70"
    app = lever.set_value(70.0).run()
    assert [price(kept(app)), app.slider(key="lever").value] == [70, 70]


def test_a_late_change_does_not_come_back_after_its_undo(plan, kept):
    app = plan.text_input(key=PRICE).set_value("95").run()
    field, lever, undo = shown(app).text_input(key=PRICE), app.slider(key="lever"), app.button(key="undo")
    field.set_value("99").run()
    lever.set_value(70.0).run()
    app = undo.click().run()
    assert price(kept(app)) == 99


def test_the_same_text_may_be_typed_again_after_an_undo(plan, kept):
    app = plan.text_input(key=PRICE).set_value("95").run()
    app = app.button(key="undo").click().run()
    assert price(kept(app)) == 80
    app = app.text_input(key=PRICE).set_value("95").run()
    assert price(kept(app)) == 95


def test_a_field_whose_change_was_saved_stays_the_same_field(plan):
    """A new one would lose the cursor."""
    before = plan.text_input(key=PRICE).key
    app = plan.text_input(key=PRICE).set_value(" 95 ").run()
    field = app.text_input(key=PRICE)
    assert (field.key, field.value) == (before, "95")
    slider = app.slider(key="lever")
    app = slider.set_value(90.0).run()
    assert app.slider(key="lever").key == slider.key


def test_a_scenario_just_duplicated_stays_chosen(plan, kept):
    copy, ranges = plan.button(key="scenario:copy"), plan.toggle(key="plan:ranges")
    app = copy.click().run()
    copy.set_value(False)
    new = app.selectbox(key="plan:scenario").value
    app = ranges.set_value(True).run()
    assert app.selectbox(key="plan:scenario").value == new != ""


def test_a_click_on_train_right_after_a_recipe_trains_that_recipe(tab, store):
    app = shown(tab("training"))
    recipe, start = app.pills(key="training:preset"), app.button(key="training:start")
    recipe.set_value("mlp").run()
    app = start.click().run()
    (row,) = store.runs.rows("local", app.session_state["workspace"].venture_id)
    assert RunSpec.from_json(row.spec) == RunSpec(network="mlp", epochs=5, batch_size=64)
    assert app.pills(key="training:preset").value == "mlp"


def test_a_setting_changed_right_after_a_recipe_is_trained_with_it(tab, store):
    app = shown(tab("training"))
    recipe, epochs, start = (
        app.pills(key="training:preset"),
        app.number_input(key="training:epochs"),
        app.button(key="training:start"),
    )
    recipe.set_value("mlp").run()
    epochs.set_value(3).run()
    app = start.click().run()
    (row,) = store.runs.rows("local", app.session_state["workspace"].venture_id)
    assert RunSpec.from_json(row.spec) == RunSpec(network="mlp", epochs=3, batch_size=64)


def test_a_note_that_was_moved_keeps_what_was_typed_into_it(tab, kept):
    app = tab("canvas")
    note = kept(app).canvas.block("channels")[0]
    app.button(key=f"canvas:note:{note.id}").click().run()
    text, move = (
        shown(app).text_area(key=f"canvas:text:{note.id}"),
        app.selectbox(key=f"canvas:move:{note.id}"),
    )
    text.set_value("Fairs").run()
    app = move.select_index(0).run()
    moved = kept(app).canvas.block("partners")[-1]
    assert (moved.id, moved.text.en) == (note.id, "Fairs")


def test_a_value_beyond_a_slider_that_comes_with_a_file_is_shown_as_it_is(tab):
    app = tab("compute")
    workspace = app.session_state["workspace"]

    def steep(venture):
        plan = venture.compute_plan.model_dump() | {"drift_per_year": 2.5}
        return venture.with_compute_plan(type(venture.compute_plan)(**plan))

    workspace.change(steep, "steep")
    app.segmented_control(key="compute_part").set_value("prices").run()
    assert not app.exception
    assert app.slider(key="compute:drift").value == 250


def test_words_of_the_language_of_before_are_no_choice(tab, kept):
    """A browser says a choice in words, and may not know the new ones yet."""
    app = shown(tab("compute"))
    before = kept(app).compute_plan
    language, part = app.segmented_control(key="language"), app.segmented_control(key="compute_part")
    language.set_value("zh_Hans").run()
    app = part.set_value("serving").run()
    app = shown(app).segmented_control(key="compute_part").set_value("training").run()
    assert not app.exception
    assert not app.error
    assert kept(app).compute_plan == before


def test_the_data_stay_chosen_when_the_language_of_before_is_heard(tab):
    app = tab("training")
    app.selectbox(key="training:dataset").set_value("digits").run()
    optimizer = app.selectbox(key="training:optimizer").value
    app.segmented_control(key="language").set_value("zh_Hans")
    app.number_input(key="training:seed").set_value(5)
    english = app._tree.get_widget_states()  # choices are words in it, English ones
    app.run()
    app = app._run(english)
    assert not app.exception
    assert app.selectbox(key="training:dataset").value == "digits"
    assert app.selectbox(key="training:optimizer").value == optimizer
    assert app.number_input(key="training:seed").value == 5


def test_a_field_that_may_be_empty_can_be_emptied_and_another_one_cannot(tab, kept):
    app = tab("compute")
    price, count = "compute:training:price_per_hour", "compute:training:accelerators"
    app.number_input(key=price).set_value(3.5).run()
    assert kept(app).compute_plan.training.price_per_hour == 3.5
    app.number_input(key=price).set_value(None).run()
    assert kept(app).compute_plan.training.price_per_hour is None
    assert app.number_input(key=price).value is None
    before = kept(app).compute_plan.training.accelerators
    app.number_input(key=count).set_value(None).run()
    assert kept(app).compute_plan.training.accelerators == before
    assert app.number_input(key=count).value == before
    assert not app.exception


def test_only_the_last_names_of_a_setting_are_kept_and_older_ones_are_not_heard(tab):
    app = shown(tab("training"))
    stale = app.number_input(key="training:seed")
    for turn in range(25):
        app = app.pills(key="training:preset").set_value(("mlp", "fast")[turn % 2]).run()
    known = [turn for turn in range(1, 30) if f"training:epochs~{turn}" in app.session_state]
    assert known == list(range(18, 26))
    app = stale.set_value(3).run()
    assert not app.exception
    assert app.number_input(key="training:seed").value == 3
    assert app.pills(key="training:preset").value == "mlp", "no setting of the recipe was changed"

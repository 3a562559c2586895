"""Two tabs on one venture: whoever is second is told, and whatever becomes of the change, nothing is lost."""

import pytest
from on_screen import errors, text, version
from sqlalchemy.exc import OperationalError

PRICE, SEATS = "driver::price_per_seat", "driver::seats_per_customer"


@pytest.fixture
def overtaken(tab):
    """A tab whose change of the seats came second, after another tab's change of the price."""
    first, second = tab("plan"), tab("plan")
    first.text_input(key=PRICE).set_value("200").run()
    second.text_input(key=SEATS).set_value("40").run()
    return first, second


def amounts(venture):
    return [venture.driver(key).amount.value for key in ("price_per_seat", "seats_per_customer")]


def test_the_second_is_told_and_the_screen_does_not_say_saved(overtaken, kept):
    _first, second = overtaken
    (warning,) = [w.value for w in second.warning]
    assert "Your change “Seats per customer: 11 to 57 → 40” is not saved" in warning
    assert "Nothing is lost" in warning
    assert second.sidebar.caption[0].value == ":material/error: Not saved"
    assert amounts(kept(second)) == [200, None]


def test_my_change_on_the_newest_version_keeps_both(overtaken, kept):
    first, second = overtaken
    second.button(key="conflict_mine").click().run()
    assert amounts(kept(second)) == [200, 40]
    assert (second.text_input(key=PRICE).value, second.text_input(key=SEATS).value) == ("200", "40")
    assert not second.warning
    assert "version 3" in second.sidebar.caption[0].value
    first.run()
    assert first.text_input(key=SEATS).value == "40"


def test_my_change_as_a_copy_keeps_both_apart(overtaken, kept, store):
    first, second = overtaken
    second.button(key="conflict_copy").click().run()
    assert kept(second).name.en == "Vertical copilot (copy)"
    assert amounts(kept(second)) == [None, 40]
    assert amounts(kept(first)) == [200, None]
    assert len(store.ventures.rows("local")) == 2
    assert not second.warning
    assert second.query_params["venture"] == second.session_state["workspace"].venture_id


def test_dropping_my_change_shows_the_newest_version(overtaken, kept):
    _first, second = overtaken
    second.button(key="conflict_theirs").click().run()
    assert amounts(kept(second)) == [200, None]
    assert second.text_input(key=PRICE).value == "200"
    assert second.text_input(key=SEATS).value == "11 to 57"
    assert not second.warning


def test_a_second_change_before_the_decision_joins_the_first(overtaken, kept):
    _first, second = overtaken
    second.text_input(key="driver::payment_fee").set_value("2%").run()
    assert "11 to 57 → 40 · Payment fee" in text(second)
    second.text_input(key="driver::payment_fee").set_value("200%").run()
    assert errors(second) == ["Payment fee, share of revenue is 200%; at most 100% is allowed."]
    second.button(key="conflict_mine").click().run()
    assert amounts(kept(second)) == [200, 40]
    assert kept(second).driver("payment_fee").amount.value == 0.02


def test_a_change_that_the_newest_version_does_not_allow_can_still_be_kept_as_a_copy(tab, kept):
    first, second = tab("canvas"), tab("canvas")
    first.button(key="canvas:note:revenues_1").click().run()
    second.button(key="canvas:note:revenues_1").click().run()
    first.button(key="canvas:delete").click().run()
    second.text_area(key="canvas:text:revenues_1").set_value("A long thought").run()
    second.button(key="conflict_mine").click().run()
    assert errors(second) == ["The note is no longer on the canvas."]
    assert "note edited: A long thought" in text(second)
    second.button(key="conflict_copy").click().run()
    assert not second.exception and not second.warning
    assert kept(second).canvas.revenues[0].text.en == "A long thought"


def test_undo_that_comes_second_undoes_nothing_of_the_other_tab(tab, kept):
    first, second = tab("plan"), tab("plan")
    first.text_input(key=PRICE).set_value("100").run()
    second.run()
    first.text_input(key=PRICE).set_value("200").run()
    second.button(key="undo").click().run()
    assert amounts(kept(second))[0] == 200
    assert second.text_input(key=PRICE).value == "200"


def test_a_tab_that_only_looks_follows_the_other_one(tab):
    first, second = tab("plan"), tab("plan")
    first.text_input(key=PRICE).set_value("200").run()
    second.run()
    assert second.text_input(key=PRICE).value == "200"
    assert version(second) == 2
    assert [t.value for t in second.toast] == [
        "This venture was changed in another tab; you now see the newest version."
    ]
    second.text_input(key=SEATS).set_value("40").run()
    assert not second.warning


def test_a_database_that_does_not_answer_is_told_and_nothing_is_called_saved(tab, kept, store, monkeypatch):
    app = tab("plan")

    def fails(*_args):
        raise OperationalError("UPDATE ventures", {}, Exception("disk is full at /secret/path"))

    with monkeypatch.context() as patch:
        patch.setattr(store.ventures, "save", fails)
        app.text_input(key=PRICE).set_value("200").run()
    assert errors(app) == ["The change could not be saved: the database does not answer. Try again."]
    assert app.sidebar.caption[0].value == ":material/error: Not saved"
    assert amounts(kept(app))[0] is None
    app.text_input(key=PRICE).set_value("200").run()
    assert amounts(kept(app))[0] == 200

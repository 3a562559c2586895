"""The canvas: nine blocks of notes, changed only by making a new canvas."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.i18n import Refusal, Text
from core.venture import BLOCKS, Canvas, Note
from core.venture.canvas import MAX_NOTE_LENGTH, MAX_NOTES, filled, mentioned


def texts(canvas, block):
    return [note.text.en for note in canvas.block(block)]


def test_the_nine_blocks_are_those_of_the_business_model_canvas():
    assert [text.en for text in BLOCKS.values()] == [
        "Key partners",
        "Key activities",
        "Key resources",
        "Value propositions",
        "Customer relationships",
        "Channels",
        "Customer segments",
        "Cost structure",
        "Revenue streams",
    ]
    assert list(Canvas.model_fields) == list(BLOCKS)


def test_a_note_is_added_at_the_end_and_the_canvas_before_stays_as_it_was():
    empty = Canvas()
    one = empty.add("costs", "  Inference ")
    two = one.add("costs", "Team")
    assert texts(two, "costs") == ["Inference", "Team"]
    assert texts(one, "costs") == ["Inference"]
    assert empty == Canvas()
    assert len({note.id for _, note in two.notes()}) == 2


def test_a_note_keeps_its_id_when_its_text_or_its_place_changes():
    canvas = Canvas(costs=(Note(id="a", text=Text("old", "旧")), Note(id="b", text=Text("other"))))
    edited = canvas.edit("a", "new")
    assert edited.block("costs") == (Note(id="a", text=Text("new")), Note(id="b", text=Text("other")))
    moved = edited.move("a", "revenues")
    assert (texts(moved, "costs"), texts(moved, "revenues")) == (["other"], ["new"])
    assert moved.block("revenues")[0].id == "a"
    assert texts(canvas, "costs") == ["old", "other"]


@pytest.mark.parametrize(
    ("position", "order"), [(0, "acb"), (1, "cab"), (2, "cba"), (9, "cba"), (None, "cba"), (-4, "acb")]
)
def test_a_note_moves_to_a_position_within_its_own_block(position, order):
    canvas = Canvas(costs=tuple(Note(id=key, text=Text(key)) for key in "cab"))
    start = canvas.move("a", "costs", position)
    assert "".join(texts(start, "costs")) == order


@given(
    st.lists(
        st.tuples(st.sampled_from("abcdef"), st.sampled_from(sorted(BLOCKS)), st.none() | st.integers(-2, 9))
    )
)
def test_moving_notes_loses_none_and_doubles_none(moves):
    canvas = Canvas(
        costs=tuple(Note(id=key, text=Text(key)) for key in "abc"),
        channels=tuple(Note(id=key, text=Text(key)) for key in "def"),
    )
    for note_id, block, position in moves:
        canvas = canvas.move(note_id, block, position)
        assert note_id in [note.id for note in canvas.block(block)]
    assert sorted(note.id for _, note in canvas.notes()) == list("abcdef")


def test_a_deleted_note_is_gone_and_cannot_be_touched_again():
    canvas = Canvas(costs=(Note(id="a", text=Text("x")),)).delete("a")
    assert list(canvas.notes()) == []
    for change in (
        lambda: canvas.delete("a"),
        lambda: canvas.edit("a", "y"),
        lambda: canvas.move("a", "costs"),
    ):
        with pytest.raises(Refusal, match=r"The note is no longer on the canvas\."):
            change()


def test_a_note_without_text_or_with_too_much_is_refused():
    for empty in ("", "   ", "\n\t"):
        with pytest.raises(Refusal, match=r"A note needs some text\."):
            Canvas().add("costs", empty)
    Canvas().add("costs", "x" * MAX_NOTE_LENGTH)
    with pytest.raises(Refusal, match=r"The note is 501 characters long; 500 are allowed\."):
        Canvas().add("costs", "x" * (MAX_NOTE_LENGTH + 1))
    with pytest.raises(Refusal, match=r"The note is 501 characters long; 500 are allowed\."):
        Canvas(costs=(Note(id="a", text=Text("x")),)).edit("a", "x" * 501)


def test_a_full_block_takes_no_more_but_its_own_notes_still_move_in_it():
    full = Canvas(costs=tuple(Note(id=f"n{i}", text=Text("x")) for i in range(MAX_NOTES))).add(
        "channels", "y"
    )
    stranger = full.block("channels")[0].id
    with pytest.raises(Refusal, match=r"A block holds at most 40 notes\."):
        full.add("costs", "one more")
    with pytest.raises(Refusal, match=r"A block holds at most 40 notes\."):
        full.move(stranger, "costs")
    assert full.move("n0", "costs", 5).block("costs")[5].id == "n0"


def test_a_tenth_block_does_not_exist():
    for name in ("risks", "", "notes", "model_fields", "__class__"):
        with pytest.raises(Refusal, match="is not one of the nine blocks"):
            Canvas().block(name)
        with pytest.raises(Refusal, match="is not one of the nine blocks"):
            Canvas().add(name, "x")
    with pytest.raises(Refusal, match="is not one of the nine blocks"):
        Canvas(costs=(Note(id="a", text=Text("x")),)).move("a", "risks")


def test_a_canvas_cannot_be_changed_in_place():
    canvas = Canvas().add("costs", "x")
    with pytest.raises(ValueError, match="frozen"):
        canvas.costs = ()
    with pytest.raises(ValueError, match="frozen"):
        canvas.costs[0].text = Text("y")


def test_mentions_are_found_in_both_languages_and_filled_where_known():
    canvas = Canvas(
        costs=(Note(id="a", text=Text("{cash_first} and {no} {No} {1} {a b} {{cac}}", "{salary}")),)
    )
    assert canvas.mentions() == {"cash_first", "no", "cac", "salary"}
    assert mentioned("{b} {a} {b}") == ["b", "a", "b"]
    assert filled("{a} of {b} {0} {", {"a": "{b}", "0": "x"}) == "{b} of {b} {0} {"

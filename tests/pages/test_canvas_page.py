"""The canvas: notes are added, edited, moved and deleted in place, and their numbers are alive."""

import pytest
from on_screen import errors, read

from core.venture import BLOCKS
from core.venture.canvas import CREDIT

NOTE = "revenues_1"
"""The example's note "Seats at {price_per_seat}"."""


def notes(app):
    """What the notes say, by id."""
    return {b.key.rpartition(":")[2]: read(b.label) for b in app.button if b.key.startswith("canvas:note:")}


def opened(app, note):
    app.button(key=f"canvas:note:{note}").click().run()
    return app.text_area(key=f"canvas:text:{note}")


def ids(venture, block):
    return [note.id for note in venture.canvas.block(block)]


def test_nine_blocks_stand_with_their_notes_and_the_credit(tab, kept):
    app = tab("canvas")
    said = [m.value for m in app.markdown]
    assert [f"**{BLOCKS[block].en}**" in said for block in BLOCKS] == [True] * 9
    assert set(notes(app)) == {note.id for _block, note in kept(app).canvas.notes()}
    assert CREDIT in [c.value for c in app.caption]


def test_a_note_shows_the_living_value_of_a_driver_with_the_icon_of_its_source(tab):
    app = tab("canvas")
    assert notes(app)[NOTE] == "Seats at **$80.12 / seat / month** :material/menu_book:"
    app.switch_page("plan.py").run()
    app.text_input(key="driver::price_per_seat").set_value("123").run()
    app.switch_page("canvas.py").run()
    assert notes(app)[NOTE] == "Seats at **$123 / seat / month** :material/edit:"


def test_a_line_of_the_plan_can_be_mentioned_and_an_unknown_name_stays_as_it_was_typed(tab):
    app = tab("canvas")
    field = opened(app, NOTE)
    field.set_value("MRR {mrr}, but {nobody} and {Price}").run()
    app.button(key="canvas:done").click().run()
    shown = notes(app)[NOTE]
    assert shown.startswith("MRR **$")
    assert shown.endswith("/ month**, but {nobody} and {Price}")


def test_a_note_is_added_where_it_belongs(tab, kept):
    app = tab("canvas")
    before = ids(kept(app), "partners")
    app.button(key="canvas:add:partners").click().run()
    app.text_area(key="canvas:new:partners").set_value("  A cloud that gives credits ").run()
    after = kept(app).canvas.block("partners")
    assert [note.id for note in after][:-1] == before
    assert after[-1].text.en == "A cloud that gives credits"
    assert "A cloud that gives credits" in notes(app).values()
    assert len(app.text_area) == 0, "the field for a new note is closed"


def test_an_empty_note_is_refused_and_changes_nothing(tab, kept):
    app = tab("canvas")
    before = kept(app)
    app.button(key="canvas:add:costs").click().run()
    app.button(key="canvas:added:costs").click().run()
    assert errors(app) == ["A note needs some text."]
    app.button(key="canvas:cancel:costs").click().run()
    assert not app.error
    field = opened(app, NOTE)
    field.set_value("   ").run()
    assert errors(app) == ["A note needs some text."]
    assert kept(app) == before


def test_a_note_is_edited_and_undone_while_its_field_is_open(tab, kept):
    app = tab("canvas")
    field = opened(app, NOTE)
    assert field.value == "Seats at {price_per_seat}"
    field.set_value("Per seat").run()
    assert kept(app).canvas.revenues[0].text.en == "Per seat"
    app.button(key="undo").click().run()
    assert app.text_area(key=f"canvas:text:{NOTE}").value == "Seats at {price_per_seat}"
    app.button(key="canvas:done").click().run()
    assert notes(app)[NOTE].startswith("Seats at")


def test_a_note_moves_up_and_down_and_to_another_block(tab, kept):
    app = tab("canvas")
    opened(app, "partners_2")
    app.button(key="canvas:up").click().run()
    assert ids(kept(app), "partners") == ["partners_2", "partners_1", "partners_3"]
    assert app.button(key="canvas:up").disabled
    for _ in range(2):
        app.button(key="canvas:down").click().run()
    assert ids(kept(app), "partners") == ["partners_1", "partners_3", "partners_2"]
    assert app.button(key="canvas:down").disabled
    app.selectbox(key="canvas:move:partners_2").set_value("channels").run()
    assert ids(kept(app), "channels")[-1] == "partners_2"
    assert ids(kept(app), "partners") == ["partners_1", "partners_3"]
    app.button(key="undo").click().run()
    assert ids(kept(app), "partners") == ["partners_1", "partners_3", "partners_2"]
    assert app.selectbox(key="canvas:move:partners_2").value == "partners"


def test_a_block_that_is_full_takes_no_more_and_says_so(tab, kept):
    app = tab("canvas")
    workspace = app.session_state["workspace"]
    canvas = workspace.venture.canvas
    while len(canvas.costs) < 40:
        canvas = canvas.add("costs", "Rent")
    workspace.change(lambda venture: venture.with_canvas(canvas), "filled")
    app.run()
    opened(app, NOTE)
    app.selectbox(key=f"canvas:move:{NOTE}").set_value("costs").run()
    assert errors(app) == ["A block holds at most 40 notes."]
    assert app.selectbox(key=f"canvas:move:{NOTE}").value == "revenues"
    assert NOTE in ids(kept(app), "revenues")


def test_a_note_is_deleted_and_comes_back(tab, kept):
    app = tab("canvas")
    opened(app, NOTE)
    app.button(key="canvas:delete").click().run()
    assert NOTE not in notes(app)
    assert NOTE not in ids(kept(app), "revenues")
    app.button(key="undo").click().run()
    assert NOTE in notes(app)


@pytest.mark.parametrize(
    "typed",
    [
        "<script>alert(1)</script>",
        "![x](https://example.com/x.png)",
        "**bold** _thin_ `code` ~~gone~~",
        "# A heading",
        "[a](javascript:alert(1)) https://example.com",
        ":material/home: :red[alarm] $x^2$",
        "1. First",
        "a | b",
    ],
)
def test_what_is_typed_is_shown_as_it_was_typed(tab, typed):
    """Markdown's marks are escaped; `read` takes the escapes away again, as a browser does."""
    app = tab("canvas")
    field = opened(app, NOTE)
    field.set_value(typed).run()
    app.button(key="canvas:done").click().run()
    label = app.button(key=f"canvas:note:{NOTE}").label
    assert read(label).replace("\u2060", "") == typed
    assert label != typed


def test_a_note_with_a_character_that_nobody_can_type_is_shown_too(tab):
    """A file may hold what a keyboard does not."""
    app = tab("canvas")
    workspace = app.session_state["workspace"]
    workspace.change(
        lambda venture: venture.with_canvas(venture.canvas.edit(NOTE, "a\x00b\x00c {price_per_seat}")), "odd"
    )
    app.run()
    assert not app.exception
    assert notes(app)[NOTE].startswith("abc **$")

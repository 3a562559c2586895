"""The business-model canvas: nine blocks, notes edited in place, numbers alive."""

import streamlit as st

from core.finance import Projection, project
from core.i18n import N_, Language, Refusal
from core.venture import BLOCKS, Note
from core.venture.canvas import CREDIT, MAX_NOTE_LENGTH
from pages.parts.canvas_grid import grid
from pages.parts.fields import field, held, put
from pages.parts.mentions import live
from pages.parts.session import Workspace, say, workspace
from pages.parts.shell import plain

HINTS = {
    "partners": N_("Who do we depend on, and what for?"),
    "activities": N_("What must we be good at doing?"),
    "resources": N_("Data, models, people: what do we own?"),
    "propositions": N_("Which job do we finish, for whom, how much better?"),
    "relationships": N_("How do we win, keep and grow a customer?"),
    "channels": N_("How do customers hear of us and buy?"),
    "segments": N_("Who exactly pays?"),
    "costs": N_("What costs most? Name the number."),
    "revenues": N_("What do they pay for, and how much?"),
}


def page() -> None:
    """Draw the page."""
    _, ws = say(), workspace()
    st.title(_("Business model canvas"))
    st.caption(
        _(
            "Click a note to edit, move or delete it. Write a driver's name in braces, like {example}, to show its live number.",
            example="{price_per_seat}",
        )
    )
    try:
        projection: Projection | None = project(ws.venture)
    except Refusal:
        projection = None
    grid(lambda block: _block(block, ws, projection, _))
    st.caption(CREDIT)


def _block(block: str, ws: Workspace, projection: Projection | None, _: Language) -> None:
    editing = st.session_state.get("canvas:editing")
    notes = ws.venture.canvas.block(block)
    with st.container(border=True, height="stretch"):
        with st.container(
            horizontal=True, vertical_alignment="top", horizontal_alignment="distribute", wrap=False
        ):
            st.markdown(f"**{_.text(BLOCKS[block])}**")
            st.button(
                "",
                key=f"canvas:add:{block}",
                icon=":material/add:",
                type="tertiary",
                help=_("Add a note to {block}", block=_.text(BLOCKS[block])),
                on_click=_edit,
                args=(f"new:{block}",),
            )
        if not notes and editing != f"new:{block}":
            st.caption(_(HINTS[block]))
        for note in notes:
            if editing == note.id:
                _editor(note, block, ws, _)
            else:
                st.button(
                    live(_.text(note.text), projection, _),
                    key=f"canvas:note:{note.id}",
                    width="stretch",
                    on_click=_edit,
                    args=(note.id,),
                )
        if editing == f"new:{block}":
            _new(block, ws, _)


def _editor(note: Note, block: str, ws: Workspace, _: Language) -> None:
    key = f"canvas:text:{note.id}"
    ws.follow(key, _.text(note.text))
    with st.container(border=True):
        st.text_area(_("Note"), max_chars=MAX_NOTE_LENGTH, height=110, **field(key, _save, note.id))
        if refusal := ws.refused.get(key):
            st.error(plain(_.refusal(refusal)))
        move = f"canvas:move:{note.id}"
        ws.follow(move, block)
        st.selectbox(
            _("Block"),
            list(BLOCKS),
            format_func=lambda name: _.text(BLOCKS[name]),
            **field(move, _move, note.id, among=BLOCKS),
        )
        place = [other.id for other in ws.venture.canvas.block(block)].index(note.id)
        with st.container(horizontal=True):
            st.button(
                "",
                key="canvas:up",
                icon=":material/arrow_upward:",
                help=_("Move up"),
                disabled=place == 0,
                on_click=_shift,
                args=(note.id, block, place - 1),
            )
            st.button(
                "",
                key="canvas:down",
                icon=":material/arrow_downward:",
                help=_("Move down"),
                disabled=place == len(ws.venture.canvas.block(block)) - 1,
                on_click=_shift,
                args=(note.id, block, place + 1),
            )
            st.button(
                "",
                key="canvas:delete",
                icon=":material/delete:",
                help=_("Delete the note"),
                on_click=_delete,
                args=(note.id,),
            )
            st.button(_("Done"), key="canvas:done", type="primary", on_click=_edit, args=(None,))


def _new(block: str, ws: Workspace, _: Language) -> None:
    key = f"canvas:new:{block}"
    st.text_area(
        _("New note"),
        max_chars=MAX_NOTE_LENGTH,
        height=110,
        placeholder=_(HINTS[block]),
        **field(key, _add, block),
    )
    if refusal := ws.refused.get(key):
        st.error(plain(_.refusal(refusal)))
    with st.container(horizontal=True):
        st.button(_("Add"), key=f"canvas:added:{block}", type="primary", on_click=_add, args=(block,))
        st.button(_("Cancel"), key=f"canvas:cancel:{block}", on_click=_edit, args=(None,))


def _edit(what: str | None) -> None:
    st.session_state["canvas:editing"] = what


def _save(note_id: str) -> None:
    ws, key = workspace(), f"canvas:text:{note_id}"
    text = str(held(key))
    ws.change(
        lambda v: v.with_canvas(v.canvas.edit(note_id, text)),
        say()("note edited: {text}", text=text[:60]),
        place=key,
    )


def _add(block: str) -> None:
    ws, key = workspace(), f"canvas:new:{block}"
    text = str(held(key, ""))
    if not text.strip() and st.session_state.get("canvas:editing") != f"new:{block}":
        return
    if ws.change(
        lambda v: v.with_canvas(v.canvas.add(block, text)),
        say()("note added: {text}", text=text[:60]),
        place=key,
    ):
        put(key, "")
        _edit(None)


def _move(note_id: str) -> None:
    block = str(held(f"canvas:move:{note_id}"))
    workspace().change(lambda v: v.with_canvas(v.canvas.move(note_id, block)), say()("note moved"))


def _shift(note_id: str, block: str, place: int) -> None:
    workspace().change(lambda v: v.with_canvas(v.canvas.move(note_id, block, place)), say()("note moved"))


def _delete(note_id: str) -> None:
    if workspace().change(lambda v: v.with_canvas(v.canvas.delete(note_id)), say()("note deleted")):
        _edit(None)


page()

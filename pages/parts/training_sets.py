"""The founder's data sets: those ready to train on, to change or to delete, and uploads that were left."""

import contextlib
from collections.abc import Callable

import streamlit as st

from core.i18n import Language, Refusal
from core.training import own, shelf
from core.training.datasets import OwnData
from core.training.own import Look
from pages.parts import training_columns
from pages.parts.services import store
from pages.parts.session import workspace
from pages.parts.shell import plain

READY, CHOSEN = "training:own_ready", "training:own_chosen"


def chosen_now(data_id: str) -> None:
    """Choose a data set among all data, and say so until the next one is ready."""
    st.session_state[READY] = st.session_state[CHOSEN] = data_id


def choose_as_before(owner: str, data_id: str, found: Look) -> None:
    """Let the fields hold what was chosen for a data set when it was made ready."""
    with contextlib.suppress(Refusal):
        data, used = shelf.own_of(owner, data_id), own.columns_used(owner, data_id)
        without = [
            c.name for c in found.columns if c.kind != "left_out" and c.name not in (*used, data.target)
        ]
        training_columns.choose(data.target, data.task, without)


def data_sets(
    owner: str, _: Language, *, change: Callable[[str], None], go_on: Callable[[str], None], refused: str
) -> None:
    """The list; ``change`` and ``go_on`` take an id, and a refusal is kept under ``refused``."""
    ready = st.session_state.get(READY)
    for data in shelf.own_data(owner):
        if data.id == ready:
            st.success(_("{name} is ready and chosen under Data.", name=plain(data.name)))
        with st.container(horizontal=True, vertical_alignment="center"):
            count = f"{data.train + data.test:,}"
            st.markdown(
                f"**{plain(data.name)}** · "
                + (
                    _("{count} pictures, {classes} classes", count=count, classes=len(data.class_names))
                    if data.kind == "images"
                    else _("{count} rows, predicts {target}", count=count, target=plain(data.target))
                )
            )
            if data.kind == "table":
                st.button(
                    _("Change columns"),
                    key=f"training:own_change:{data.id}",
                    icon=":material/edit:",
                    on_click=change,
                    args=(data.id,),
                )
            _delete_button(owner, data, refused, _)
    for data_id, name in shelf.unfinished(owner).items():
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(
                f"**{plain(name)}** · " + _("uploaded, not made ready; it is deleted after an hour or two")
            )
            st.button(
                _("Go on"),
                key=f"training:own_go_on:{data_id}",
                icon=":material/play_arrow:",
                on_click=go_on,
                args=(data_id,),
            )
            st.button(
                _("Delete"),
                key=f"training:own_drop:{data_id}",
                icon=":material/delete:",
                on_click=shelf.drop_upload,
                args=(owner, data_id),
            )


def _delete_button(owner: str, data: OwnData, refused: str, _: Language) -> None:
    """The way to delete a data set: what goes with it is said first."""
    runs = len(store().runs.mentioning(owner, data.id))
    with st.popover(_("Delete"), icon=":material/delete:", key=f"training:own_ask:{data.id}"):
        st.markdown(
            _(
                "This deletes your file and, with it, the networks and reports of the runs trained on it ({count}). Their figures stay.",
                count=runs,
            )
            if runs
            else _("This deletes your file. No run was trained on it.")
        )
        st.button(
            _("Delete for good"),
            key=f"training:own_delete:{data.id}",
            icon=":material/delete:",
            on_click=_delete,
            args=(data.id, refused),
        )


def _delete(data_id: str, refused: str) -> None:
    ws = workspace()
    ws.refused.pop(refused, None)
    try:
        shelf.delete_own(store(), ws.owner, data_id)
    except Refusal as refusal:
        ws.refused[refused] = refusal

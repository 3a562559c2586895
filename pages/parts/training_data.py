"""Data of the founder's own: a file on its way from the upload to a data set to train on, and those there are."""

from typing import Any

import streamlit as st

from core.i18n import Language, Refusal
from core.training import desk, own, shelf
from core.training.own import Look
from pages.parts import training_columns
from pages.parts.services import store
from pages.parts.session import Workspace, say, seen_by_all, workspace
from pages.parts.shell import plain
from pages.parts.training_sets import choose_as_before, chosen_now, data_sets

KEY = "training:own"
"""What is under way: the id of the data, the stage ("look", "choose", "prepare"), the question at the desk, and
the id of the data set whose columns are changed."""

PATIENCE_S = 1.5
"""How long the page waits for an answer before it shows that it waits."""

MB = 2**20


def own_data() -> None:
    """The section; while the worker looks into a file it refreshes every second."""
    _ = say()
    under_way = st.session_state.get(KEY)
    with st.expander(_("Use your own data"), icon=":material/upload_file:", key="training:own_data"):
        waits = bool(under_way and under_way.get("question"))
        st.fragment(_section, run_every=1.0 if waits else None)(waits)


def _section(polling: bool) -> None:
    _, ws = say(), workspace()
    under_way: dict[str, Any] | None = st.session_state.get(KEY)
    if under_way and under_way.get("question"):
        _heed(under_way, _)
    if bool(under_way and under_way.get("question")) is not polling:
        st.rerun()
    if refused := ws.refused.get(KEY):
        st.error(plain(_.refusal(refused)))
    if under_way is None:
        _upload(_)
        data_sets(ws.owner, _, change=_change, go_on=_go_on, refused=KEY)
    elif under_way.get("question"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(":material/hourglass: " + _("The worker looks into the file …"))
            st.button(_("Cancel"), key="training:own_cancel", on_click=_cancel)
    else:
        _choose(under_way, _)


def _upload(_: Language) -> None:
    if seen_by_all():
        words = _(
            "A table (CSV or Parquet) with a column to predict, or a ZIP of pictures with one folder for each class, up to {most} MB. It stays on the machine that serves this page. Nobody signs in here: everybody who can open this page sees your data, can train on it and can delete it.",
            most=own.MOST_BYTES // MB,
        )
    else:
        words = _(
            "A table (CSV or Parquet) with a column to predict, or a ZIP of pictures with one folder for each class, up to {most} MB. It stays on the machine that serves this page, only you see it, and you can delete it.",
            most=own.MOST_BYTES // MB,
        )
    st.caption(words)
    st.file_uploader(
        _("File"),
        type=[*own.ENDINGS, *own.TEXT_ENDINGS],
        key="training:own_file",
        max_upload_size=own.MOST_BYTES // MB,
        on_change=_received,
    )


def _received() -> None:
    """Hand an uploaded file to the worker."""
    ws = workspace()
    file = st.session_state.get("training:own_file")
    ws.refused.pop(KEY, None)
    if file is None:
        return
    try:
        data_id = own.receive(ws.owner, file.name, file.getvalue())
    except Refusal as refusal:
        ws.refused[KEY] = refusal
        return
    _look_into(ws, data_id)


def _look_into(ws: Workspace, data_id: str, **more: str) -> None:
    question = desk.ask("look", owner=ws.owner, data_id=data_id)
    st.session_state[KEY] = {"id": data_id, "stage": "look", "question": question, **more}


def _heed(under_way: dict[str, Any], _: Language) -> None:
    """Take the answer if it is there."""
    ws = workspace()
    try:
        with st.spinner(_("The worker looks into the file …")):
            said = desk.wait_for(under_way["question"], PATIENCE_S)
    except Refusal as refusal:
        desk.withdraw(under_way["question"])
        ws.refused[KEY] = refusal
        if under_way["stage"] == "look":
            ws.refused[KEY] = Refusal(
                "{file} is not taken: {reason} Nothing of it was kept.",
                file=shelf.unfinished(ws.owner).get(under_way["id"], ""),
                reason=refusal,
            )
            _drop()
        else:
            under_way.update(stage="choose", question=None)
        return
    if said is None:
        return
    desk.withdraw(under_way["question"])
    ws.refused.pop(KEY, None)
    if under_way["stage"] == "look":
        under_way.update(stage="choose", question=None, look=said)
        if "of" in under_way:
            choose_as_before(ws.owner, under_way["of"], Look.from_json(said))
    else:
        st.session_state.pop(KEY)
        if "of" in under_way and not _used(ws.owner, under_way["of"]):
            shelf.delete_own(store(), ws.owner, under_way["of"])
        chosen_now(said["data"]["id"])
        st.rerun()


def _used(owner: str, data_id: str) -> bool:
    """Whether a run or a sweep was ever trained on the data, or is to be."""
    return bool(store().runs.mentioning(owner, data_id) or shelf.wanted(store(), owner, data_id))


def _drop() -> None:
    """Forget the file that is under way."""
    under_way = st.session_state.pop(KEY, None)
    if under_way:
        shelf.drop_upload(workspace().owner, under_way["id"])


def _cancel() -> None:
    under_way = st.session_state.get(KEY)
    if under_way and under_way.get("question"):
        desk.withdraw(under_way["question"])
    workspace().refused.pop(KEY, None)
    _drop()


def _change(data_id: str) -> None:
    """Back to the columns, from the file that was kept; runs on the data as it is keep it."""
    ws = workspace()
    ws.refused.pop(KEY, None)
    try:
        _look_into(ws, own.again(ws.owner, data_id), of=data_id)
    except Refusal as refusal:
        ws.refused[KEY] = refusal


def _go_on(data_id: str) -> None:
    workspace().refused.pop(KEY, None)
    _look_into(workspace(), data_id)


def _choose(under_way: dict[str, Any], _: Language) -> None:
    found = Look.from_json(under_way["look"])
    if found.warnings:
        told = "\n".join(f"- {plain(_.refusal(warning.refusal()))}" for warning in found.warnings)
        st.warning(told, icon=":material/info:")
    if found.kind == "images":
        training_columns.pictures(found, _)
    else:
        training_columns.columns(found, _)
        training_columns.target(found, _)
    with st.container(horizontal=True):
        st.button(
            _("Make it ready to train on"), key="training:own_prepare", type="primary", on_click=_prepare
        )
        st.button(_("Cancel"), key="training:own_cancel", on_click=_cancel)


def _prepare() -> None:
    under_way = st.session_state[KEY]
    question = desk.ask(
        "prepare", owner=workspace().owner, data_id=under_way["id"], **training_columns.chosen()
    )
    under_way.update(stage="prepare", question=question)

"""Data of the founder's own: upload, what is in it, what to predict, and deleting it again."""

from typing import Any

import streamlit as st

from core.i18n import Language, Refusal
from core.storage.rows import Reason
from core.training import desk, own, shelf
from core.training.own import Look
from core.training.tables import Profile
from pages.parts.session import say, workspace
from pages.parts.shell import plain, select

KEY = "training:own"
"""What is under way: the id of the data, the stage ("look", "choose", "prepare"), the question at the desk."""

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
        _list(ws.owner, _)
    elif under_way.get("question"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(":material/hourglass: " + _("The worker looks into the file …"))
            st.button(_("Cancel"), key="training:own_cancel", on_click=_cancel)
    else:
        _choose(under_way, _)


def _upload(_: Language) -> None:
    st.caption(
        _(
            "A table (CSV or Parquet) with a column to predict, or a ZIP of pictures with one folder for each class, up to {most} MB. It stays on the machine that serves this page, only you see it, and you can delete it.",
            most=own.MOST_BYTES // MB,
        )
    )
    st.file_uploader(
        _("File"),
        type=list(own.ENDINGS),
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
    question = desk.ask("look", owner=ws.owner, data_id=data_id)
    st.session_state[KEY] = {"id": data_id, "stage": "look", "question": question}


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
    else:
        st.session_state["training:own_warnings"] = said["warnings"]
        st.session_state.pop(KEY)
        # Chosen at once, and said below until the next one.
        st.session_state["training:own_ready"] = st.session_state["training:own_chosen"] = said["data"]["id"]
        st.rerun()


def _drop() -> None:
    """Forget the file that is under way."""
    under_way = st.session_state.pop(KEY, None)
    if under_way:
        shelf.delete_own(workspace().owner, under_way["id"])


def _cancel() -> None:
    under_way = st.session_state.get(KEY)
    if under_way and under_way.get("question"):
        desk.withdraw(under_way["question"])
    workspace().refused.pop(KEY, None)
    _drop()


# What to predict


def _choose(under_way: dict[str, Any], _: Language) -> None:
    found = Look.from_json(under_way["look"])
    for warning in found.warnings:
        st.warning(plain(_.refusal(warning.refusal())), icon=":material/info:")
    if found.kind == "images":
        st.dataframe(
            [{"class": name, "count": count} for name, count in found.counts],
            hide_index=True,
            column_config={"class": _("Class"), "count": _("Pictures (count)")},
            alt=_("Pictures by class"),
        )
    else:
        _columns(found, _)
        _target(found, _)
    with st.container(horizontal=True):
        st.button(
            _("Make it ready to train on"),
            key="training:own_prepare",
            type="primary",
            on_click=_prepare,
        )
        st.button(_("Cancel"), key="training:own_cancel", on_click=_cancel)


def _columns(found: Look, _: Language) -> None:
    kinds = {
        "number": _("number"),
        "category": _("category"),
        "text": _("text"),
        "left_out": _("left out"),
    }
    st.dataframe(
        [
            {
                "name": column.name,
                "kind": kinds[column.kind],
                "missing": column.missing / max(1, found.rows),
                "distinct": column.distinct,
                "examples": " · ".join(column.examples),
            }
            for column in found.columns
        ],
        hide_index=True,
        column_config={
            "name": _("Column"),
            "kind": _("Kind"),
            "missing": st.column_config.NumberColumn(_("Missing (%)"), format="percent"),
            "distinct": _("Different values (count)"),
            "examples": _("Examples"),
        },
        alt=_("Columns of the table"),
    )


def _target(found: Look, _: Language) -> None:
    options = {column.name: column.name for column in found.columns if column.distinct > 1}
    st.session_state.setdefault("training:own_target", next(reversed(options), None))
    if st.session_state["training:own_target"] not in options:
        st.session_state["training:own_target"] = next(reversed(options), None)
    left, right = st.columns(2)
    with left:
        chosen = select(_("Column to predict"), options, "training:own_target")
    column = next((c for c in found.columns if c.name == chosen), None)
    tasks = {"classes": _("which class it is"), "number": _("how much it is (a number)")}
    if column and column.kind != "number":
        tasks.pop("number")
    elif column and _many(column):
        tasks = dict(reversed(tasks.items()))
    if st.session_state.get("training:own_task") not in tasks or st.session_state.get("own_for") != chosen:
        st.session_state["training:own_task"] = next(iter(tasks))
        st.session_state["own_for"] = chosen
    with right:
        select(_("What is asked"), tasks, "training:own_task")
    st.multiselect(
        _("Columns to leave out (what is not known yet when you want a prediction)"),
        [name for name in options if name != chosen],
        key="training:own_without",
    )


def _many(column: Profile) -> bool:
    return column.distinct > 20


def _prepare() -> None:
    ws = workspace()
    under_way = st.session_state[KEY]
    question = desk.ask(
        "prepare",
        owner=ws.owner,
        data_id=under_way["id"],
        target=st.session_state.get("training:own_target") or "",
        task=st.session_state.get("training:own_task") or "classes",
        without=list(st.session_state.get("training:own_without") or []),
    )
    under_way.update(stage="prepare", question=question)


# What is there


def _list(owner: str, _: Language) -> None:
    ready = st.session_state.get("training:own_ready")
    for data in shelf.own_data(owner):
        if data.id == ready:
            st.success(_("{name} is ready and chosen under Data.", name=plain(data.name)))
            for warning in st.session_state.get("training:own_warnings", []):
                reason = Reason.from_json(warning).refusal()
                st.warning(plain(_.refusal(reason)), icon=":material/info:")
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
            st.button(
                _("Delete"),
                key=f"training:own_delete:{data.id}",
                icon=":material/delete:",
                on_click=_delete,
                args=(data.id,),
            )


def _delete(data_id: str) -> None:
    shelf.delete_own(workspace().owner, data_id)

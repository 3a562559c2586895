"""Data of the founder's own: upload, what is in it, what to predict, changing that, and deleting it again."""

import contextlib
from typing import Any

import streamlit as st

from core.i18n import Language, Refusal
from core.training import desk, doubts, own, shelf
from core.training.datasets import OwnData
from core.training.notation import day
from core.training.own import Look
from core.training.tables import Profile
from pages.parts.services import store
from pages.parts.session import Workspace, say, seen_by_all, workspace
from pages.parts.shell import plain, select

KEY = "training:own"
"""What is under way: the id of the data, the stage ("look", "choose", "prepare"), the question at the desk, and
the id of the data set whose columns are changed."""

PATIENCE_S = 1.5
"""How long the page waits for an answer before it shows that it waits."""

MB = 2**20
CLASSES_SHOWN = 8


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
            _as_before(under_way["of"], Look.from_json(said))
    else:
        st.session_state.pop(KEY)
        if "of" in under_way and not _used(ws.owner, under_way["of"]):
            shelf.delete_own(store(), ws.owner, under_way["of"])
        # Chosen at once, and said below until the next one.
        st.session_state["training:own_ready"] = st.session_state["training:own_chosen"] = said["data"]["id"]
        st.rerun()


def _used(owner: str, data_id: str) -> bool:
    """Whether a run or a sweep was ever trained on the data, or is to be."""
    return bool(store().runs.mentioning(owner, data_id) or shelf.wanted(store(), owner, data_id))


def _drop() -> None:
    """Forget the file that is under way."""
    under_way = st.session_state.pop(KEY, None)
    if under_way:
        shelf.drop_upload(workspace().owner, under_way["id"])


def _as_before(data_id: str, found: Look) -> None:
    """Let the fields hold what was chosen for a data set when it was made ready."""
    owner = workspace().owner
    with contextlib.suppress(Refusal):
        data, used = shelf.own_of(owner, data_id), own.columns_used(owner, data_id)
        st.session_state["training:own_target"] = st.session_state["own_for"] = data.target
        st.session_state["training:own_task"] = data.task
        st.session_state["training:own_without"] = [
            c.name for c in found.columns if c.kind != "left_out" and c.name not in (*used, data.target)
        ]


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
                "kind": _("date")
                if column.form == "date" and column.kind == "number"
                else kinds[column.kind],
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
        task = select(_("What is asked"), tasks, "training:own_task")
    if column:
        _answers(column, task or "classes", found.rows, _)
    others = [name for name in options if name != chosen]
    kept = st.session_state.get("training:own_without") or []
    st.session_state["training:own_without"] = [name for name in kept if name in others]
    st.multiselect(
        _("Columns to leave out (what is not known yet when you want a prediction)"),
        others,
        key="training:own_without",
    )


def _answers(column: Profile, task: str, rows: int, _: Language) -> None:
    """What the column to predict holds, before anything is made of it."""
    if task == "number":
        least, median, most = (
            day(value) if column.form == "date" else _.number(value, digits=4) for value in column.spread
        )
        st.caption(
            _(
                "It goes from {least} to {most}; half of the rows are at or below {median}.",
                least=least,
                most=most,
                median=median,
            )
        )
        return
    st.dataframe(
        [
            {"class": name, "count": count, "share": count / max(1, rows)}
            for name, count in column.counts[:CLASSES_SHOWN]
        ],
        hide_index=True,
        column_config={
            "class": _("Class"),
            "count": _("Rows (count)"),
            "share": st.column_config.NumberColumn(_("Share (%)"), format="percent"),
        },
        alt=_("Classes of the column to predict"),
    )
    if column.distinct > CLASSES_SHOWN:
        st.caption(
            _("The {shown} commonest of {count} classes.", shown=CLASSES_SHOWN, count=f"{column.distinct:,}")
        )
    if column.distinct == len(column.counts):
        for doubt in doubts.uneven(column.counts):
            st.warning(plain(_.refusal(doubt.refusal())), icon=":material/info:")


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
                    on_click=_change,
                    args=(data.id,),
                )
            _delete_button(owner, data, _)
    for data_id, name in shelf.unfinished(owner).items():
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(
                f"**{plain(name)}** · " + _("uploaded, not made ready; it is deleted after an hour or two")
            )
            st.button(
                _("Go on"),
                key=f"training:own_go_on:{data_id}",
                icon=":material/play_arrow:",
                on_click=_go_on,
                args=(data_id,),
            )
            st.button(
                _("Delete"),
                key=f"training:own_drop:{data_id}",
                icon=":material/delete:",
                on_click=shelf.drop_upload,
                args=(owner, data_id),
            )


def _delete_button(owner: str, data: OwnData, _: Language) -> None:
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
            args=(data.id,),
        )


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


def _delete(data_id: str) -> None:
    ws = workspace()
    ws.refused.pop(KEY, None)
    try:
        shelf.delete_own(store(), ws.owner, data_id)
    except Refusal as refusal:
        ws.refused[KEY] = refusal

"""Share: links to a version, all versions with restore, the venture as a file, other ventures."""

from datetime import UTC, datetime

import streamlit as st

from core.finance import simulate
from core.i18n import Language, Refusal
from core.reports.xlsx import workbook
from core.venture import MAX_BYTES, archetypes, example, from_json, to_json
from pages.parts.fields import field, held
from pages.parts.services import store
from pages.parts.session import Workspace, address, open_new, open_venture, owner, say, workspace
from pages.parts.shell import plain, select

DRAWS = 1024


def page() -> None:
    """Draw the page."""
    _, ws = say(), workspace()
    st.title(_("Share"))
    links, files = st.columns(2, gap="large")
    with links:
        _links(ws, _)
    with files:
        _file(ws, _)
        _ventures(ws, _)
    _versions(ws, _)


def _links(ws: Workspace, _: Language) -> None:
    st.subheader(_("Links"))
    st.caption(
        _(
            "A link shows this version, read only, to whoever has it: canvas, cash, the plan by month with real figures, key figures, training results and sources. Later changes do not show; revoke it at any time."
        )
    )
    st.text_input(_("For whom?"), key="share:label", max_chars=80, placeholder=_("a fund, a person"))
    st.button(
        _("Create a link to version {version}", version=ws.version),
        key="share:create",
        type="primary",
        icon=":material/add_link:",
        on_click=_create,
    )
    rows = [row for row in store().links.rows(ws.owner, ws.venture_id) if row.revoked_at is None]
    if not rows:
        st.caption(_("No link is open."))
    for row in rows:
        with st.container(border=True):
            st.code(f"{address()}/shared?token={row.token}", language=None, wrap_lines=True)
            left, right = st.columns([3, 1], vertical_alignment="center")
            left.caption(
                _(
                    "{label} · version {version} · {when} · opened {count} times",
                    label=plain(row.label) or _("no name"),
                    version=row.version,
                    when=_when(row.created_at),
                    count=row.opened,
                )
            )
            right.button(
                _("Revoke"),
                key=f"share:revoke:{row.token}",
                icon=":material/link_off:",
                on_click=_revoke,
                args=(row.token,),
            )


def _create() -> None:
    ws = workspace()
    store().links.create(ws.owner, ws.venture_id, ws.version, str(st.session_state.get("share:label", "")))
    st.session_state["share:label"] = ""


def _revoke(token: str) -> None:
    store().links.revoke(owner(), token)


def _file(ws: Workspace, _: Language) -> None:
    st.subheader(_("File"))
    st.download_button(
        _("Download this venture (JSON)"),
        to_json(ws.venture),
        file_name=_file_name(ws, "json"),
        mime="application/json",
        key="share:download",
        icon=":material/download:",
        on_click="ignore",
    )
    st.download_button(
        _("Download the plan (XLSX with live formulas)"),
        lambda: workbook(ws.venture, _, simulate(ws.venture, DRAWS)),
        file_name=_file_name(ws, "xlsx"),
        mime="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        key="share:xlsx",
        icon=":material/table_view:",
        on_click="ignore",
    )
    uploaded = st.file_uploader(
        _("Open a venture from a file (JSON, at most {size} MB)", size=MAX_BYTES // 1_000_000),
        type="json",
        key=f"share:upload:{st.session_state.get('share:uploads', 0)}",
        max_upload_size=max(1, MAX_BYTES // 1_000_000),
    )
    if uploaded is not None:
        try:
            venture = from_json(uploaded.getvalue())
        except Refusal as refusal:
            st.error(
                _(
                    "{file} was not opened: {reason} What you have open is unchanged.",
                    file=plain(uploaded.name),
                    reason=plain(_.refusal(refusal)),
                )
            )
        else:
            open_new(venture, _("opened from a file"))
            st.session_state["share:uploads"] = st.session_state.get("share:uploads", 0) + 1
            st.rerun()


def _file_name(ws: Workspace, ending: str) -> str:
    name = "".join(c if c.isalnum() else "-" for c in ws.venture.name.en).strip("-") or "venture"
    return f"{name}-v{ws.version}.{ending}"


def _ventures(ws: Workspace, _: Language) -> None:
    st.subheader(_("Ventures"))
    rows = store().ventures.rows(owner())
    ws.follow("share:venture", ws.venture_id)
    select(
        _("Open venture"),
        {row.id: f"{_.text(row.name)} · {_when(row.updated_at)}" for row in rows},
        "share:venture",
        on_change=lambda: open_venture(str(held("share:venture"))),
    )
    ws.follow("share:name", _.text(ws.venture.name))
    st.text_input(_("Name of this venture"), max_chars=80, **field("share:name", _rename))
    if refusal := ws.refused.get("share:name"):
        st.error(plain(_.refusal(refusal)))
    kinds = archetypes()
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    left.selectbox(
        _("New venture from"), list(kinds), format_func=lambda key: _.text(kinds[key]), key="share:archetype"
    )
    right.button(_("Create"), key="share:new", icon=":material/add:", on_click=_new)


def _rename() -> None:
    name = str(held("share:name"))
    workspace().change(
        lambda v: v.renamed(name), say()("renamed: {name}", name=name[:80]), place="share:name"
    )


def _new() -> None:
    open_new(example(str(st.session_state["share:archetype"])), say()("example"))


def _versions(ws: Workspace, _: Language) -> None:
    st.subheader(_("Versions"))
    st.caption(_("Every change is kept. Restoring an old version makes a new one; nothing is overwritten."))
    rows = store().ventures.versions(ws.owner, ws.venture_id, limit=20)
    for row in rows:
        left, right = st.columns([5, 1], vertical_alignment="center")
        note = (
            plain(row.note) if row.restores is None else _("back to version {version}", version=row.restores)
        )
        left.markdown(f"**{row.version}** · {_when(row.created_at)} · {note}")
        if row.version != ws.version:
            right.button(
                _("Restore"),
                key=f"share:restore:{row.version}",
                type="tertiary",
                icon=":material/history:",
                on_click=ws.restore,
                args=(row.version, _("restored version {version}", version=row.version)),
            )


def _when(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC).astimezone():%Y-%m-%d %H:%M}"


page()

"""Scenarios: choosing one, those to compare it with, copying and renaming."""

import secrets

import streamlit as st

from core.i18n import Language
from core.venture import Venture
from pages.parts.fields import field, held, put
from pages.parts.session import Workspace, say
from pages.parts.shell import distinct, plain, select

BASE = ""

MOST = 4
"""Scenarios that can stand side by side."""


def called(venture: Venture, scenario: str | None, _: Language) -> str:
    """The name of a scenario, or of the base."""
    return _.text(venture.scenario(scenario).name) if scenario else _("Base")


def scenario_bar(ws: Workspace, _: Language) -> tuple[str | None, list[str | None]]:
    """The scenario in view (None is the base) and those to compare it with."""
    names = {BASE: _("Base"), **{s.id: _.text(s.name) for s in ws.venture.scenarios}}
    left, middle, right = st.columns([3, 3, 1], vertical_alignment="bottom")
    with left:
        chosen = select(_("Scenario"), names, "plan:scenario", persist_state="session") or BASE
    others = distinct({scenario: name for scenario, name in names.items() if scenario != chosen})
    put("plan:others", [other for other in held("plan:others", []) if other in others])
    with middle:
        compared = st.multiselect(
            _("Compare with"),
            list(others),
            format_func=others.__getitem__,
            max_selections=MOST - 1,
            placeholder=_("nothing"),
            persist_state="session",
            **field("plan:others", start="default"),
        )
    with right, st.popover(_("Edit"), icon=":material/edit:", width="stretch"):
        _edit(ws, chosen, names[chosen], _)
    return chosen or None, [other or None for other in compared]


def _edit(ws: Workspace, chosen: str, name: str, _: Language) -> None:
    st.button(
        _("Duplicate “{name}”", name=plain(name)),
        key="scenario:copy",
        icon=":material/content_copy:",
        on_click=_copy,
        args=(ws, chosen, _("{name} (copy)", name=name)[:80]),
    )
    if not chosen:
        st.caption(_("The base is what scenarios start from; a duplicate can be renamed and changed."))
        return
    key = f"scenario:name:{chosen}"
    ws.follow(key, name)
    st.text_input(_("Name"), max_chars=80, **field(key, _rename, ws, chosen))
    if refusal := ws.refused.get(key):
        st.error(plain(_.refusal(refusal)))
    st.button(
        _("Delete this scenario"),
        key="scenario:delete",
        icon=":material/delete:",
        on_click=_delete,
        args=(ws, chosen, name),
    )


def _copy(ws: Workspace, chosen: str, name: str) -> None:
    new = "s" + secrets.token_hex(4)
    if ws.change(
        lambda v: v.add_scenario(new, name, chosen or None), say()("scenario added: {name}", name=name)
    ):
        put("plan:scenario", new)


def _rename(ws: Workspace, chosen: str) -> None:
    key = f"scenario:name:{chosen}"
    name = str(held(key))
    ws.change(
        lambda v: v.rename_scenario(chosen, name),
        say()("scenario renamed: {name}", name=name[:80]),
        place=key,
    )


def _delete(ws: Workspace, chosen: str, name: str) -> None:
    if ws.change(lambda v: v.delete_scenario(chosen), say()("scenario deleted: {name}", name=name)):
        put("plan:scenario", BASE)

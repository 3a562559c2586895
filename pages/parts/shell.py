"""What surrounds every page: name, saved state, undo and redo, language, and what must be told."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from core.i18n import LANGUAGES, Language
from pages.parts.fields import field, held, renew, renew_choices
from pages.parts.services import store
from pages.parts.session import Workspace

CHART_BAR = {"displaylogo": False, "toImageButtonOptions": {"format": "png", "scale": 2}}
"""The bar of a Plotly chart: its picture is sharp enough for a slide."""


def language_switch(_: Language) -> None:
    """The switch between the languages; widget keys and the address never depend on it."""
    st.segmented_control(
        _("Language"),
        list(LANGUAGES),
        default=_.code if "language" not in st.session_state else None,
        format_func=LANGUAGES.__getitem__,
        key="language",
        label_visibility="collapsed",
        persist_state="session",
        on_change=_choose_again,
    )


def _choose_again() -> None:
    """Choose what is chosen once more: a browser knows the choice of a select box by its words only, and
    they are about to change."""
    renew_choices()
    for key, value in st.session_state.items():
        if isinstance(value, (str, int, float, tuple, list)) and not isinstance(value, bool):
            st.session_state[key] = value


def sidebar(ws: Workspace, _: Language) -> None:
    """Venture, saved state, undo and redo, language."""
    with st.sidebar:
        language_switch(_)
        st.markdown(f"**{plain(_.text(ws.venture.name))}**")
        _saved(ws, _)
        steps = store().ventures.steps(ws.owner, ws.venture_id)
        with st.container(horizontal=True):
            st.button(
                _("Undo"),
                key="undo",
                icon=":material/undo:",
                on_click=ws.undo,
                disabled=steps.undo_note is None,
                help=_("Undo: {what}", what=plain(steps.undo_note)) if steps.undo_note else None,
            )
            st.button(
                _("Redo"),
                key="redo",
                icon=":material/redo:",
                on_click=ws.redo,
                disabled=steps.redo_note is None,
                help=_("Redo: {what}", what=plain(steps.redo_note)) if steps.redo_note else None,
            )


def _saved(ws: Workspace, _: Language) -> None:
    when = datetime.fromtimestamp(ws.saved_at, UTC).astimezone()
    if ws.conflict or "save" in ws.refused:
        st.caption(":material/error: " + _("Not saved"))
    else:
        st.caption(
            ":material/cloud_done: "
            + _("Saved · version {version} · {time}", version=ws.version, time=f"{when:%H:%M}")
        )


def notices(ws: Workspace, _: Language) -> None:
    """What the founder must know before anything else: a conflict, a save that failed, news."""
    if ws.news:
        ws.news = ""
        st.toast(_("This venture was changed in another tab; you now see the newest version."))
    if "save" in ws.refused:
        st.error(_.refusal(ws.refused.pop("save")), icon=":material/error:")
    if ws.conflict:
        _conflict(ws, _)


def _conflict(ws: Workspace, _: Language) -> None:
    conflict = ws.conflict
    assert conflict is not None
    st.warning(
        _(
            "Your change “{note}” is not saved: {reason} Nothing is lost; choose what becomes of it.",
            note=plain(conflict.note),
            reason=_.refusal(conflict.error),
        ),
        icon=":material/call_split:",
    )
    with st.container(horizontal=True):
        st.button(
            _("Make my change on the newest version"),
            key="conflict_mine",
            type="primary",
            on_click=ws.put_mine_on_top,
        )
        st.button(
            _("Keep mine as a copy"),
            key="conflict_copy",
            on_click=ws.keep_mine_as_copy,
            args=(_("{name} (copy)", name=_.text(ws.venture.name))[:80],),
        )
        st.button(_("Drop my change"), key="conflict_theirs", on_click=ws.take_theirs)


def select(
    label: str, options: Mapping[str, str], key: str, on_change: Callable[[], None] | None = None, **more: Any
) -> str | None:
    """A select box over ``options`` (what is chosen: how it is called) whose names may change or be the same.

    A browser knows its choice by the name only, so a new name is sent to it. A choice that is no longer
    among the options is given up.
    """
    names = distinct(options)
    if held(key) not in (None, *names):
        renew(key)
    chosen, called = held(key), st.session_state.get(f"called:{key}")
    if chosen in names and called not in (None, names[chosen]):
        renew_choices(key)
    taken: str | None = st.selectbox(
        label, list(names), format_func=names.__getitem__, **{**more, **field(key, on_change, among=names)}
    )
    st.session_state[f"called:{key}"] = names.get(taken or "")
    return taken


def distinct(labels: Mapping[str, str]) -> dict[str, str]:
    """The labels of choices, numbered where two are the same: a select box tells choices apart by them."""
    found: dict[str, str] = {}
    for key, label in labels.items():
        shown, number = label, 1
        while shown in found.values():
            number += 1
            shown = f"{label} ({number})"
        found[key] = shown
    return found


_MARKS = re.compile(r"[\\`*_\[\]<>$~|]|:(?=[^\W\d_]|[+-])|^\s*(?:[#+-]|\d+(?=[.)]\s))")
"""What markdown would take for a mark: anywhere, before a name, or at the beginning of a line."""


def plain(text: str) -> str:
    """Text that somebody typed, so that markdown shows it as it was typed."""
    return _MARKS.sub(_escaped, text.replace("\n", " "))


def _escaped(match: re.Match[str]) -> str:
    mark = match[0]
    # A number and a colon become a list and an icon by what follows them, so a joiner keeps them apart.
    return mark + "\u2060" if mark.strip().isdigit() or mark == ":" else mark[:-1] + "\\" + mark[-1]

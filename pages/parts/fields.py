"""Fields whose value may also come from elsewhere: from the venture, from a recipe, from another field.

A browser sends the values of all its fields with every message, also of one that was set anew since it last
heard from the server. Streamlit would take such an echo for a change, and the value of before would win. So a
value from elsewhere makes a new field: it keeps its key and gets a new name, and what a browser says of a
name counts only where it differs from what was last known of it.
"""

from collections.abc import Callable, Collection
from typing import Any

import streamlit as st

NAMES, SAID, OWN, CHOICES = "fields:names", "fields:said", "fields:own", "fields:choices"

TURNS = 8
"""So many names of a field are known; a browser that speaks of an older one is not heard."""


def name(key: str) -> str:
    """What Streamlit calls the field ``key`` now."""
    return _named(key, st.session_state.setdefault(NAMES, {}).get(key, 0))


def _named(key: str, turn: int) -> str:
    return f"{key}~{turn}" if turn else key


def held(key: str, otherwise: Any = None) -> Any:
    """What the field ``key`` holds."""
    return st.session_state.get(name(key), otherwise)


def begin(key: str, value: Any) -> None:
    """Let the field ``key`` hold a ``value`` if it holds none yet."""
    st.session_state.setdefault(name(key), value)


def put(key: str, value: Any) -> None:
    """Let the field ``key`` hold a ``value`` that does not come from itself."""
    now = name(key)
    if now not in st.session_state:
        st.session_state.setdefault(SAID, {}).pop(now, None)
        st.session_state[now] = value
    elif st.session_state[now] != value:
        renew(key)
        st.session_state[name(key)] = value


def follow(key: str, value: Any) -> None:
    """Let the field ``key`` show the venture's ``value``; where it was saved from this very field, the field
    stays the same and keeps the cursor."""
    now = name(key)
    if now in st.session_state and st.session_state.get(OWN) == (key, _stand()):
        if st.session_state[now] != value:
            st.session_state[now] = value
    else:
        put(key, value)


def renew(key: str) -> None:
    """Make a new field of the field ``key``, which holds nothing yet."""
    now, said = name(key), st.session_state.setdefault(SAID, {})
    if now in st.session_state:
        said[now] = st.session_state[now]
    turn = st.session_state[NAMES].get(key, 0) + 1
    st.session_state[NAMES][key] = turn
    if turn >= TURNS:
        oldest = _named(key, turn - TURNS)
        said.pop(oldest, None)
        if oldest in st.session_state:
            del st.session_state[oldest]


def renew_choices(*keys: str) -> None:
    """Make new fields of these choices, or of all, that hold the same: a browser knows a choice by its words only,
    and those change."""
    for key in keys or st.session_state.get(CHOICES, ()):
        if (now := name(key)) in st.session_state:
            value = st.session_state[now]
            renew(key)
            st.session_state[name(key)] = value


def field(
    key: str,
    how: Callable[..., None] | None = None,
    *given: Any,
    start: str | None = "value",
    among: Collection[Any] | None = None,
) -> dict[str, Any]:
    """What one of Streamlit's widgets is given to be the field ``key``: its name, what it holds, and
    ``how(*given)`` to be called when somebody changed it.

    ``start`` is what the widget calls its default; a select box has the place of it ``among`` the options. A
    browser begins with the default, and says so if it is asked that early: so it is what the field holds. It is
    also what an emptied field holds: one that may be empty has None for ``start``, and a default of None.
    """
    now = name(key)
    made: dict[str, Any] = {"key": now}
    if among is not None or start == "default":
        st.session_state.setdefault(CHOICES, set()).add(key)
    if now in st.session_state and (start or among is not None):
        value = st.session_state[now]
        if among is None:
            made[str(start)] = value
        else:
            made["index"] = list(among).index(value) if value in among else None
    if how is not None:
        made |= {"on_change": _heard, "args": (key, now, how, given)}
    return made


def _heard(key: str, called: str, how: Callable[..., None], given: tuple[Any, ...]) -> None:
    said, now = st.session_state.setdefault(SAID, {}), name(key)
    if called != now and called not in said:
        return  # an echo of long ago
    value = st.session_state[called]
    if called in said and said[called] == value:
        return  # an echo
    said[called] = value
    if called != now:
        put(key, value)  # changed before the browser heard of the new field
    before = _stand()
    how(*given)
    st.session_state[OWN] = (key, _stand()) if _stand() != before else None


def _stand() -> tuple[str, int] | None:
    """The open venture and its version."""
    workspace = st.session_state.get("workspace")
    return workspace and (workspace.venture_id, workspace.version)

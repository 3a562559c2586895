"""Scenarios: choosing, copying, renaming and comparing them."""

import secrets

import pandas as pd
import streamlit as st

from core.finance import Projection, metrics, said, spoken
from core.i18n import Language
from pages.parts.session import Workspace, say
from pages.parts.shell import plain, select

BASE = ""


def scenario_bar(ws: Workspace, _: Language) -> tuple[str | None, str | None]:
    """The scenario in view (None is the base) and the one to compare with (None: none, "": the base)."""
    names = {BASE: _("Base"), **{s.id: _.text(s.name) for s in ws.venture.scenarios}}
    for key in ("plan:scenario", "plan:other"):
        if st.session_state.get(key) not in (None, *names):
            del st.session_state[key]
    left, middle, right = st.columns([3, 2, 1], vertical_alignment="bottom")
    with left:
        chosen = select(_("Scenario"), names, "plan:scenario", persist_state="session") or BASE
    with middle:
        others = {scenario: name for scenario, name in names.items() if scenario != chosen}
        other = select(
            _("Compare with"),
            others,
            "plan:other",
            index=None,
            placeholder=_("nothing"),
            persist_state="session",
        )
    with right, st.popover(_("Edit"), icon=":material/edit:", width="stretch"):
        _edit(ws, chosen, names[chosen], _)
    return chosen or None, other


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
    st.text_input(_("Name"), key=key, max_chars=80, on_change=_rename, args=(ws, chosen))
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
        st.session_state["plan:scenario"] = new


def _rename(ws: Workspace, chosen: str) -> None:
    key = f"scenario:name:{chosen}"
    name = str(st.session_state[key])
    ws.change(
        lambda v: v.rename_scenario(chosen, name),
        say()("scenario renamed: {name}", name=name[:80]),
        place=key,
    )


def _delete(ws: Workspace, chosen: str, name: str) -> None:
    if ws.change(lambda v: v.delete_scenario(chosen), say()("scenario deleted: {name}", name=name)):
        st.session_state["plan:scenario"] = BASE


def comparison(
    ws: Workspace, one: Projection, two: Projection, first: str | None, second: str | None, _: Language
) -> None:
    """The figures of two scenarios with their difference, and the drivers in which they differ."""

    def name(scenario: str | None) -> str:
        return _.text(ws.venture.scenario(scenario).name) if scenario else _("Base")

    a, b = metrics(one), metrics(two)
    rows = []
    for key, left in a.items():
        right = b[key]
        difference = ""
        if left.value is not None and right.value is not None:
            change = right.value - left.value
            difference = _difference(left.kind, change, ws.venture.currency, _)
        rows.append((_.text(left.label), said(left, one.venture, _), said(right, two.venture, _), difference))
    columns = [_("Figure"), "1 · " + name(first), "2 · " + name(second), _("Difference (2 − 1)")]
    st.subheader(_("Two scenarios side by side"))
    st.dataframe(pd.DataFrame(rows, columns=columns), hide_index=True, alt=_("Two scenarios side by side"))
    differs = [
        f"{plain(_.text(d.label))}: {plain(spoken(d.amount.median, d.unit, ws.venture.currency, _))} → "
        f"**{plain(spoken(e.amount.median, e.unit, ws.venture.currency, _))}**"
        for d, e in zip(one.venture.drivers, two.venture.drivers, strict=True)
        if d.amount != e.amount
    ]
    st.markdown(_("**What differs**") + "  \n" + ("  \n".join(differs) or _("nothing")))


def _difference(kind: str, change: float, currency: str, _: Language) -> str:
    sign = "+" if change > 0 else ""
    if kind == "money":
        return sign + _.money(change, currency)
    if kind == "share":
        return _("{sign}{points} points", sign=sign, points=_.number(change * 100, digits=2))
    if kind in ("month", "months"):
        return _("{sign}{count} months", sign=sign, count=_.number(change, digits=3))
    return f"{sign}{_.number(change, digits=2)}×"

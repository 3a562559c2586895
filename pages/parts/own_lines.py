"""The founder's own lines and drivers: a formula is checked while it is typed, and its fault pointed at."""

import streamlit as st

from core.finance import Projection, project, read_unit, spoken
from core.finance.formula import FUNCTIONS, FormulaRefusal
from core.finance.own import (
    UNITS,
    draft,
    meant,
    names,
    own_driver,
    with_line,
    without_driver,
    without_line,
)
from core.i18n import Language, Refusal
from core.venture import Line
from pages.parts.fields import begin, field, held, put
from pages.parts.figures import ask
from pages.parts.session import Workspace, say, workspace
from pages.parts.shell import distinct, plain

NEW = "+"
"""In place of a line's key: a new one."""


def own_lines(ws: Workspace, projection: Projection, _: Language) -> None:
    """The own lines and drivers, each with its way to be changed, and the editor that is open."""
    st.caption(
        _(
            "Anything that the plan lacks: a formula over drivers and lines. Your lines stand in the tables, in “why?” and in the Excel file like the built-in ones."
        )
    )
    for line in ws.venture.lines:
        if st.session_state.get("own:editing") != line.key:
            _shown(line, projection, _)
    for driver in (driver for driver in ws.venture.drivers if driver.group == "own"):
        with st.container(horizontal=True, vertical_alignment="center"):
            value = spoken(driver.amount.median, driver.unit, ws.venture.currency, _)
            st.markdown(f"**{plain(_.text(driver.label))}** · {plain(value)} · `{driver.key}`")
            st.button(
                _("Delete"),
                key=f"own:driver:delete:{driver.key}",
                icon=":material/delete:",
                type="tertiary",
                on_click=_delete_driver,
                args=(driver.key,),
            )
    if refusal := ws.refused.get("own:delete"):
        st.error(plain(_.refusal(refusal)))
    editing = str(st.session_state.get("own:editing") or "")
    if editing == NEW or any(line.key == editing for line in ws.venture.lines):
        _editor(editing)
    elif editing == "driver":
        _driver_editor(ws, _)
    else:
        with st.container(horizontal=True):
            st.button(_("Add a line"), key="own:add", icon=":material/add:", on_click=_edit, args=(NEW,))
            st.button(
                _("Add a driver"),
                key="own:add:driver",
                icon=":material/tune:",
                on_click=_edit,
                args=("driver",),
            )


def _shown(line: Line, projection: Projection, _: Language) -> None:
    month = min(12, projection.months)
    with st.container(border=True):
        value = spoken(projection.at(line.key, month), line.unit, projection.venture.currency, _)
        st.markdown(
            _(
                "**{name}** · {value} in {month}",
                name=plain(_.text(line.label)),
                value=plain(value),
                month=plain(_.month(projection.venture.start, month - 1)),
            )
        )
        st.code(f"{line.key} = {line.formula}", language=None, wrap_lines=True)
        with st.container(horizontal=True):
            st.button(
                _("Why?"),
                key=f"own:why:{line.key}",
                type="tertiary",
                icon=":material/help_center:",
                on_click=ask,
                args=(line.key, month),
            )
            st.button(
                _("Edit"),
                key=f"own:edit:{line.key}",
                type="tertiary",
                icon=":material/edit:",
                on_click=_edit,
                args=(line.key,),
            )
            st.button(
                _("Delete"),
                key=f"own:delete:{line.key}",
                type="tertiary",
                icon=":material/delete:",
                on_click=_delete,
                args=(line.key,),
            )


@st.fragment
def _editor(editing: str) -> None:
    """The fields of a line; only this part of the page runs again while she types."""
    _, ws = say(), workspace()
    venture = ws.venture
    old = next((line for line in venture.lines if line.key == editing), None)
    with st.container(border=True):
        left, right = st.columns([3, 2])
        with left:
            label = st.text_input(
                _("Name of the line"),
                _.text(old.label) if old else "",
                key=f"own:label:{editing}",
                max_chars=80,
                placeholder=_("Support hours"),
            )
        with right:
            unit = st.selectbox(
                _("Unit"),
                ["", *UNITS, *([old.unit] if old and old.unit not in UNITS else [])],
                index=[*("", *UNITS), old.unit].index(old.unit) if old else 0,
                format_func=lambda text: _unit_name(text, venture.currency, _),
                key=f"own:unit:{editing}",
                accept_new_options=True,
            )
        written = f"own:formula:{editing}"
        begin(written, old.formula if old else "")
        formula = st.text_input(
            _("Formula"),
            max_chars=1000,
            live=True,
            placeholder="customers * support_per_customer",
            help=_(
                "Numbers, names, + - * / ** and brackets; {functions}. prev(x) is last month's value of a line, prev(this) that of this line; cumulative(x) is the sum so far, month the number of the month.",
                functions=", ".join(name for name in FUNCTIONS if name not in ("prev", "cumulative")),
            ),
            **field(written),
        )
        known = names(venture)
        words = distinct(
            {
                name: f"{_.text(title)} · {name} · {read_unit(text, venture.currency, _)}"
                for name, (title, text) in known.items()
            }
        )
        inserted = f"own:insert:{editing}"
        begin(inserted, None)
        st.selectbox(
            _("Insert a name"),
            list(words),
            format_func=lambda name: words.get(name, name),
            placeholder=_("search drivers and lines"),
            **field(inserted, _insert, editing, among=words),
        )
        with st.expander(_("Value before month 1"), key=f"own:more:{editing}"):
            opening = st.text_input(
                _("Opening value, a formula of drivers"),
                old.opening if old else "",
                key=f"own:opening:{editing}",
                max_chars=1000,
                help=_("What prev(x) of this line gives in month 1; 0 where it is empty."),
            )
        line = _checked(ws, label or "", formula or "", unit or "", opening or "", old, _)
        with st.container(horizontal=True):
            saved = st.button(_("Save the line"), key="own:save", type="primary", disabled=line is None)
            if saved and line is not None:
                _save(line, _)
                st.rerun()  # all of the page follows, and says what kept it from being saved
            if st.button(_("Cancel"), key="own:cancel"):
                _edit(None)
                st.rerun()
        if refusal := ws.refused.get("own:save"):
            st.error(plain(_.refusal(refusal)))


def _unit_name(text: str, currency: str, _: Language) -> str:
    if not text:
        return _("as the formula gives")
    try:
        return read_unit(text, currency, _)
    except Refusal:
        return text


def _checked(
    ws: Workspace, label: str, formula: str, unit: str, opening: str, old: Line | None, _: Language
) -> Line | None:
    """The line, with what it comes to; or what is wrong with it and where."""
    if not formula.strip():
        st.caption(_("Type a formula; it is checked while you type."))
        return None
    try:
        line = draft(
            ws.venture, label.strip() or _("My line"), formula, unit, opening, old.key if old else None
        )
    except FormulaRefusal as refusal:
        _pointed(formula, refusal, ws, _)
        return None
    except Refusal as refusal:
        st.error(plain(_.refusal(refusal)))
        return None
    try:
        projection = project(with_line(ws.venture, line))
    except Refusal as refusal:
        inside = refusal.values.get(
            "error"
        )  # the formula is sound, so a fault of this line is in its opening
        if isinstance(inside, FormulaRefusal) and refusal.values.get("name") == line.label:
            _pointed(opening, inside, ws, _)
            return None
        st.error(plain(_.refusal(refusal)))
        return None
    currency = ws.venture.currency
    first, middle, last = (
        spoken(projection.at(line.key, month), line.unit, currency, _)
        for month in (1, min(12, projection.months), projection.months)
    )
    st.success(
        _(
            "Unit: {unit}. Month 1: {first} · month {middle_month}: {middle} · month {last_month}: {last}",
            unit=plain(read_unit(line.unit, currency, _)),
            first=plain(first),
            middle_month=min(12, projection.months),
            middle=plain(middle),
            last_month=projection.months,
            last=plain(last),
        )
    )
    return line if label.strip() else None


def _pointed(formula: str, refusal: FormulaRefusal, ws: Workspace, _: Language) -> None:
    """The sentence, the formula with a mark under the fault, and the name that may have been meant."""
    st.error(plain(_.refusal(refusal)))
    text = formula.replace("\t", " ").replace("\n", " ")
    place = min(refusal.at, len(text))
    start = max(0, place - 30)
    st.code(f"{text[start : place + 30]}\n{' ' * (place - start)}▲", language=None)
    close = meant(str(refusal.values.get("name", "")), names(ws.venture))
    if close:
        st.caption(_("Did you mean `{name}`?", name=close))


def _insert(editing: str) -> None:
    """Put the chosen name at the end of the formula."""
    name = held(f"own:insert:{editing}")
    key = f"own:formula:{editing}"
    text = str(held(key) or "")
    if name:
        put(key, f"{text}{'' if not text or text[-1] in ' (' else ' '}{name}")
    put(f"own:insert:{editing}", None)


def _save(line: Line, _: Language) -> None:
    note = _("line: {name}", name=line.label)
    if workspace().change(lambda v: with_line(v, line), note, place="own:save"):
        _edit(None)


def _edit(editing: str | None) -> None:
    st.session_state["own:editing"] = editing


def _delete(key: str) -> None:
    workspace().change(lambda v: without_line(v, key), say()("line deleted"), place="own:delete")


def _delete_driver(key: str) -> None:
    workspace().change(lambda v: without_driver(v, key), say()("driver deleted"), place="own:delete")


def _driver_editor(ws: Workspace, _: Language) -> None:
    with st.container(border=True):
        one, two, three = st.columns(3)
        with one:
            st.text_input(_("Name of the driver"), key="own:driver:label", max_chars=80)
        with two:
            st.selectbox(
                _("Unit"),
                UNITS,
                format_func=lambda text: _unit_name(text, ws.venture.currency, _),
                key="own:driver:unit",
                accept_new_options=True,
            )
        with three:
            st.text_input(
                _("Value or range"), key="own:driver:amount", max_chars=80, placeholder=_("20 or 15 to 25")
            )
        st.checkbox(_("It may be negative"), key="own:driver:signed")
        if refusal := ws.refused.get("own:driver"):
            st.error(plain(_.refusal(refusal)))
        with st.container(horizontal=True):
            st.button(_("Save the driver"), key="own:driver:save", type="primary", on_click=_save_driver)
            st.button(_("Cancel"), key="own:driver:cancel", on_click=_edit, args=(None,))


def _save_driver() -> None:
    ws, state = workspace(), st.session_state
    label = str(state.get("own:driver:label") or "")
    if ws.change(
        lambda v: v.add_driver(
            own_driver(
                v,
                label,
                str(state.get("own:driver:unit") or ""),
                str(state.get("own:driver:amount") or ""),
                bool(state.get("own:driver:signed")),
            )
        ),
        say()("driver: {name}", name=label[:80]),
        place="own:driver",
    ):
        _edit(None)

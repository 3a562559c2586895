"""Real figures on the plan page: pasted or uploaded, checked, kept, and held against the plan."""

import pandas as pd
import streamlit as st

from core.finance import Projection, project, spoken
from core.finance.actuals import Deviation, deviations, merged
from core.finance.actuals_file import MAX_BYTES, Found, read_file, read_text, template
from core.i18n import Language, Refusal
from core.venture import Venture
from pages.parts.session import Workspace, say
from pages.parts.shell import plain

OFFERED = ("customers", "new_customers", "mrr", "revenue", "cost_of_revenue", "operating_cost", "cash")
"""The lines of the empty table; any other line may be added to it."""


def actuals_view(ws: Workspace, projection: Projection, _: Language) -> None:
    """How reality and plan differ, and the way to enter more months."""
    venture = projection.venture
    found = deviations(venture, project(venture.with_actuals(())).lines) if venture.actuals else ()
    if found:
        _against(found, projection, _)
    else:
        st.caption(
            _(
                "Each month, paste what really happened. Real months take the place of planned ones, and the rest of the plan starts from them."
            )
        )
    with st.expander(
        _("Add months") if found else _("Enter the first months"), key="actuals:enter", expanded=not found
    ):
        _enter(ws, _)
    if venture.actuals:
        st.button(
            _("Remove all real figures"),
            key="actuals:remove",
            icon=":material/delete:",
            type="tertiary",
            on_click=_remove,
            args=(ws,),
        )


def _against(found: tuple[Deviation, ...], projection: Projection, _: Language) -> None:
    """The newest figure of each line as a sentence, all of them as a table."""
    venture = projection.venture
    newest = {one.key: one for one in sorted(found, key=lambda one: one.month)}
    first = newest.get("cash") or next(iter(newest.values()))
    st.markdown(_sentence(first, projection, _))
    rows = []
    for one in sorted(found, key=lambda one: (list(newest).index(one.key), one.month)):
        line = projection.model.lines[one.key]
        sign = "+" if one.real > one.planned else ""
        rows.append(
            {
                _("Line"): _.text(line.label),
                _("Month"): _.month(venture.start, one.month - 1),
                _("Real"): spoken(one.real, line.unit, venture.currency, _),
                _("Planned"): spoken(one.planned, line.unit, venture.currency, _),
                _("Difference"): sign + spoken(one.real - one.planned, line.unit, venture.currency, _),
                _("Difference (%)"): sign + _.percent(one.real / one.planned - 1, 2)
                if one.planned > 0
                else "",
            }
        )
    st.dataframe(pd.DataFrame(rows), hide_index=True, alt=_("Real figures against the plan"))


def _sentence(one: Deviation, projection: Projection, _: Language) -> str:
    venture, line = projection.venture, projection.model.lines[one.key]
    values = {
        "name": plain(_.text(line.label)),
        "month": plain(_.month(venture.start, one.month - 1)),
        "real": plain(spoken(one.real, line.unit, venture.currency, _)),
        "planned": plain(spoken(one.planned, line.unit, venture.currency, _)),
        "gap": plain(spoken(abs(one.real - one.planned), line.unit, venture.currency, _)),
    }
    if one.real > one.planned:
        return _("**{name}, {month}: {real}**, {gap} more than planned ({planned}).", **values)
    if one.real < one.planned:
        return _("**{name}, {month}: {real}**, {gap} less than planned ({planned}).", **values)
    return _("**{name}, {month}: {real}**, as planned.", **values)


def _enter(ws: Workspace, _: Language) -> None:
    turn = st.session_state.get("actuals:turn", 0)
    st.caption(
        _(
            "Months down and lines across, or the other way. Copy from a spreadsheet, or upload a CSV or XLSX file of at most {size} MB.",
            size=MAX_BYTES // 1_000_000,
        )
    )
    left, right = st.columns(2, gap="medium")
    with left:
        pasted = st.text_area(
            _("Paste a table"),
            key=f"actuals:text:{turn}",
            height=150,
            max_chars=MAX_BYTES,
            placeholder="Month, Customers, MRR\n2026-11, 2, 3800",
        )
    with right:
        uploaded = st.file_uploader(
            _("or upload a file"), type=["csv", "xlsx"], key=f"actuals:file:{turn}", max_upload_size=1
        )
        st.download_button(
            _("Empty table to fill in (CSV)"),
            template(ws.venture, OFFERED, _).encode("utf-8-sig"),
            file_name="real-figures.csv",
            mime="text/csv",
            key="actuals:template",
            icon=":material/download:",
            type="tertiary",
            on_click="ignore",
        )
    try:
        if uploaded is not None:
            found = read_file(uploaded.name, uploaded.getvalue(), ws.venture)
        elif (pasted or "").strip():
            found = read_text(pasted or "", ws.venture)
        else:
            return
        after = ws.venture.with_actuals(merged(ws.venture, found.actuals))
        project(after)
    except Refusal as refusal:
        st.error(plain(_.refusal(refusal)))
        return
    _preview(found, after, _)
    st.button(
        _("Use these figures"), key="actuals:use", type="primary", on_click=_use, args=(ws, found, turn)
    )
    if unsaved := ws.refused.get("actuals"):
        st.error(plain(_.refusal(unsaved)))


def _preview(found: Found, after: Venture, _: Language) -> None:
    lines = project(after).model.lines
    count = sum(value is not None for actual in found.actuals for value in actual.values)
    st.success(
        _(
            "Read {count} figures of {lines}.",
            count=count,
            lines=plain(", ".join(_.text(lines[actual.key].label) for actual in found.actuals)),
        )
    )
    if found.unknown:
        st.warning(
            _("Not a line of the plan, and left out: {names}.", names=plain(", ".join(found.unknown)[:200]))
        )


def _use(ws: Workspace, found: Found, turn: int) -> None:
    months = max(len(actual.values) for actual in found.actuals)
    if ws.change(
        lambda v: v.with_actuals(merged(v, found.actuals)),
        say()("real figures up to month {month}", month=months),
        place="actuals",
    ):
        st.session_state["actuals:turn"] = turn + 1  # the fields start empty again


def _remove(ws: Workspace) -> None:
    ws.change(lambda v: v.with_actuals(()), say()("real figures removed"))

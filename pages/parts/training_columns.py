"""What a table or a ZIP of pictures holds, and what to predict: the step between an upload and training."""

from collections.abc import Sequence

import streamlit as st

from core.i18n import Language
from core.training import doubts
from core.training.notation import day
from core.training.own import Look
from core.training.tables import Profile
from pages.parts.fields import field, held, put
from pages.parts.shell import plain, select

TARGET, TASK, WITHOUT = "training:own_target", "training:own_task", "training:own_without"
"""Keys of what is chosen."""

TASK_FOR = "own_for"
"""The column for which the task was chosen; another one has a usual task of its own."""

CLASSES_SHOWN = 8


def pictures(found: Look, _: Language) -> None:
    """The classes of pictures."""
    st.dataframe(
        [{"class": name, "count": count} for name, count in found.counts],
        hide_index=True,
        column_config={"class": _("Class"), "count": _("Pictures (count)")},
        alt=_("Pictures by class"),
    )


def choose(target: str, task: str, without: Sequence[str]) -> None:
    """Let the fields hold this."""
    st.session_state[TASK_FOR] = target
    put(TARGET, target)
    put(TASK, task)
    put(WITHOUT, list(without))


def chosen() -> dict[str, object]:
    """What the fields hold, as :func:`core.training.own.prepare` takes it."""
    return {
        "target": held(TARGET) or "",
        "task": held(TASK) or "classes",
        "without": list(held(WITHOUT) or []),
    }


def columns(found: Look, _: Language) -> None:
    """The columns of a table."""
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


def target(found: Look, _: Language) -> None:
    """What is predicted, as a class or as a number, and what is left out."""
    options = {column.name: column for column in found.columns if column.tasks}
    if held(TARGET) not in options:
        put(TARGET, next(reversed(options)))
    left, right = st.columns(2)
    with left:
        name = select(_("Column to predict"), {name: name for name in options}, TARGET)
    column = options[name or next(reversed(options))]
    words = {"classes": _("which class it is"), "number": _("how much it is (a number)")}
    tasks: dict[str, str] = {task: words[task] for task in column.tasks}
    if held(TASK) not in tasks or st.session_state.get(TASK_FOR) != column.name:
        put(TASK, column.tasks[0])
        st.session_state[TASK_FOR] = column.name
    with right:
        task = select(_("What is asked"), tasks, TASK)
    _answers(column, task or column.tasks[0], found.rows, _)
    others = [c.name for c in found.columns if c.kind != "left_out" and c.name != column.name]
    put(WITHOUT, [name for name in held(WITHOUT) or [] if name in others])
    st.multiselect(
        _("Columns to leave out (what is not known yet when you want a prediction)"),
        others,
        placeholder=_("none"),
        **field(WITHOUT, start="default"),
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

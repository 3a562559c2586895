"""Training: a real Keras run on the device at hand, watched while it learns."""

import time

import streamlit as st

from core.charts.training import Learning, learning_chart
from core.i18n import Language, Text
from core.storage import RunRow
from core.training.result import RunResult
from core.training.spec import RunSpec
from pages.parts.runs_table import all_runs, choose
from pages.parts.services import store
from pages.parts.session import say, workspace
from pages.parts.sweep import going, sweep_section
from pages.parts.training_after import afterwards
from pages.parts.training_data import own_data
from pages.parts.training_live import ENDS, ended_run, go_on, running
from pages.parts.training_settings import chosen_spec, settings
from pages.parts.waiting import limits_line

STATES = {**ENDS, "running": Text("training", "训练中")}

SHOWN = 4
"""Runs drawn over each other at the most."""

PACE_S = 1.0
"""Between two looks at runs under way."""

NEWS_S, GLANCE_S = 2.0, 0.03
"""For how long a run just begun is watched for its first number, and how often."""


def page() -> None:
    """Draw the page; while a run is active, its room refreshes by itself."""
    _ = say()
    st.title(_("Training"))
    st.caption(
        _(
            "A real neural network learns on the machine that serves this page: pictures, sentences, voices, ratings, a table, or your own data. What it measures, accuracy, seconds, dollars and energy, can go into your plan."
        )
    )
    own_data()
    rows = _rows()
    polling = going() or any(row.active for row in rows)
    st.fragment(_room, run_every=PACE_S if polling else None)(polling)
    st.fragment(afterwards)()
    if any(_news_due(row) for row in rows):
        _await_news()


def _rows() -> list[RunRow]:
    ws = workspace()
    return store().runs.rows(ws.owner, ws.venture_id, limit=50)


def _news_due(row: RunRow) -> bool:
    """Whether the first number of a run may come any moment."""
    return row.active and row.step == 0 and time.time() - row.submitted_at < NEWS_S


def _await_news() -> None:
    """Draw again as soon as the first number of a run is there, rather than at the next look."""
    place = st.empty()
    while any(_news_due(row) for row in _rows()):
        time.sleep(GLANCE_S)
        place.empty()  # here a click on the page may cut in
    st.rerun()


def _room(polling: bool) -> None:
    """Settings and results in one fragment, so that no poll can cut off a change."""
    _, ws = say(), workspace()
    rows = _rows()
    if (going() or any(row.active for row in rows)) is not polling:
        st.rerun()
    left, right = st.columns([2, 3], gap="large")
    with left:
        settings(ws, _)
    with right:
        for row in reversed([row for row in rows if row.active]):
            running(row, _)
        ended = next((row for row in rows if not row.active), None)
        if ended and not polling:
            ended_run(ended, _)
        _curves(rows, _)
    limits_line(ws, _)
    sweep_section(lambda: chosen_spec(ws), _)
    _past(rows, _)


# Curves


def _curves(rows: list[RunRow], _: Language) -> None:
    chosen = _with_newly_begun(rows)
    shown = [row for row in rows if row.id in chosen][:SHOWN]
    if not shown:
        shown = [row for row in rows if row.state != "queued"][:1]
    runs = [_learning(row, _) for row in shown]
    charts = {"accuracy": _("Accuracy"), "loss": _("Loss")}
    begun = any(run.points for run in runs)
    if not begun:
        # An empty chart says what will come, and has the browser load what draws it.
        st.info(_("Press Train: the first points appear within about a second."), icon=":material/timeline:")
        del charts["loss"]
    elif all(point.accuracy is None for run in runs for point in run.points):
        del charts["accuracy"]
    for what, title in charts.items():
        st.plotly_chart(
            learning_chart(runs, what, _),
            key=f"training:chart:{what}",
            config={"displaylogo": False},
            alt=title,
        )
    if not begun:
        return
    st.caption(
        _(
            "Training: the mean over the examples since the point before, while it learns from them. Validation and test: examples that it does not learn from."
        )
    )


def _with_newly_begun(rows: list[RunRow]) -> list[str]:
    """The ticked runs; where some are, a run that begins is ticked too, once: it can be taken out again."""
    running = [row.id for row in rows if row.state == "running" and row.sweep_id is None]
    known = st.session_state.setdefault("training:begun", [])
    new = [run for run in running if run not in known]
    known += new
    chosen: list[str] = st.session_state.get("training:compared") or []
    if chosen and new:
        chosen = st.session_state["training:compared"] = new + [run for run in chosen if run not in new]
    return chosen


def _learning(row: RunRow, _: Language) -> Learning:
    spec = RunSpec.from_json(row.spec)
    result = RunResult.from_json(row.summary) if row.summary and row.state == "done" else None
    return Learning(
        name=f"{spec.network.upper()} {row.id[:6]}",
        points=store().runs.metrics(row.id),
        epochs=result.epochs if result else float(spec.epochs),
        test_accuracy=result.test_accuracy if result else None,
        test_loss=result.test_loss if result else None,
    )


def _past(rows: list[RunRow], _: Language) -> None:
    begun = [row for row in rows if row.state != "queued"]
    if all(row.active for row in begun):
        return
    st.subheader(_("Past runs"))
    st.caption(
        _(
            "Tick up to four runs to see their curves above, side by side; one under way is ticked by itself when it begins."
        )
    )
    choose(all_runs(begun, STATES, _), [row.id for row in begun], "training:table", "training:compared", _)
    last = None if any(row.active for row in rows) else next(row for row in rows if not row.active)
    go_on([row for row in rows if row is not last], _)


page()

"""Training: a real Keras run on the device at hand, watched while it learns."""

import contextlib
import time

import streamlit as st

from core.charts.training import Learning, learning_chart
from core.i18n import Language, Refusal, Text
from core.storage import RunRow
from core.training.energy import METHODS
from core.training.result import RunResult, cost, joules_so_far
from core.training.spec import RunSpec
from pages.parts.runs_table import all_runs, choose
from pages.parts.services import store
from pages.parts.session import say, workspace
from pages.parts.shell import plain
from pages.parts.training_after import afterwards
from pages.parts.training_data import own_data
from pages.parts.training_settings import settings

SHOWN = 4
"""Runs drawn over each other at the most."""


def page() -> None:
    """Draw the page; while a run is active, its room refreshes every second."""
    _ = say()
    st.title(_("Training"))
    st.caption(
        _(
            "A real neural network learns on the machine that serves this page: handwritten digits, a table, or your own data. What it measures, accuracy, seconds, dollars and energy, can go into your plan."
        )
    )
    own_data()
    active = bool(_active())
    st.fragment(_room, run_every=1.0 if active else None)(active)
    st.fragment(afterwards)()


def _active() -> list[RunRow]:
    ws = workspace()
    return [row for row in store().runs.rows(ws.owner, ws.venture_id, limit=50) if row.active]


def _room(polling: bool) -> None:
    """Settings and results in one fragment, so that no poll can cut off a change."""
    _, ws = say(), workspace()
    rows = store().runs.rows(ws.owner, ws.venture_id, limit=50)
    if any(row.active for row in rows) is not polling:
        st.rerun()
    left, right = st.columns([2, 3], gap="large")
    with left:
        settings(ws, rows, _)
    with right:
        for row in reversed([row for row in rows if row.active]):
            _running(row, _)
        ended = next((row for row in rows if not row.active), None)
        if ended and not polling:
            _ended(ended, _)
        _curves(rows, _)
    _past(rows, _)


# While it runs


def _running(row: RunRow, _: Language) -> None:
    spec = RunSpec.from_json(row.spec)
    with st.container(border=True):
        st.markdown(f"**{plain(_.text(spec.title))}**")
        if row.state == "queued":
            place = store().runs.place(row.id)
            st.progress(0.0, text=_("Waiting: place {place} in the queue", place=place))
        else:
            _meter(row, spec, _)
        st.button(
            _("Stopping …") if row.cancel_requested else _("Stop"),
            key=f"training:stop:{row.id}",
            icon=":material/stop:",
            disabled=row.cancel_requested,
            on_click=_stop,
            args=(row.id,),
        )


def _meter(row: RunRow, spec: RunSpec, _: Language) -> None:
    total = row.total_steps or spec.total_steps
    held = max(0.0, time.time() - (row.started_at or time.time()))
    if row.step == 0:
        text = _("Starting: building the network")
    elif row.step >= total:
        text = _("Testing on {count} examples it has never seen", count=f"{spec.data.test_images:,}")
    else:
        text = _(
            "Step {step} of {total} · about {left} s left",
            step=f"{row.step:,}",
            total=f"{total:,}",
            left=_.number(max(1.0, round(row.seconds * (total - row.step) / row.step)), digits=3),
        )
    st.progress(min(1.0, row.step / total), text=text)
    seconds, dollars, joules = st.columns(3)
    seconds.metric(_("Seconds"), _.number(round(held, 1), digits=4))
    dollars.metric(_("Cost (USD)"), _.money(cost(held, spec.price_per_hour), "USD", digits=2))
    energy = joules_so_far(row.summary)
    joules.metric(_("Energy (J)"), "–" if energy is None else _.number(round(energy), digits=3))


def _stop(run_id: str) -> None:
    # It may have ended a moment ago; the next redraw says so.
    with contextlib.suppress(Refusal):
        store().runs.cancel(workspace().owner, run_id)


# Afterwards


ENDS = {
    "done": Text("done", "完成"),
    "stopped": Text("stopped", "已停止"),
    "failed": Text("failed", "失败"),
    "interrupted": Text("interrupted", "中断"),
}


def _ended(row: RunRow, _: Language) -> None:
    spec = RunSpec.from_json(row.spec)
    st.markdown(f"**{_('Last run')} · {plain(_.text(spec.title))} · {_.text(ENDS[row.state])}**")
    if row.reason:
        st.warning(plain(_.refusal(row.reason.refusal())), icon=":material/info:")
    if row.state != "done" or not row.summary:
        return
    result = RunResult.from_json(row.summary)
    first, second = st.columns(2)
    third, fourth = st.columns(2)
    if result.test_accuracy is not None:
        first.metric(_("Test accuracy"), _.percent(result.test_accuracy, 4))
    else:
        first.metric(
            _("Typical error"),
            _.number(result.test_rmse or 0.0, digits=3),
            help=_(
                "Root of the mean squared error on the test rows, in the unit of the number; {share} of the differences between rows is explained.",
                share=_.percent(result.test_r2 or 0.0),
            ),
        )
    second.metric(_("Training time"), _("{seconds} s", seconds=_.number(result.fit_seconds, digits=3)))
    third.metric(
        _("Cost"),
        _.money(result.cost_usd, "USD", digits=2),
        help=_(
            "The device is paid for {seconds} s, start and test included, at ${price} an hour.",
            seconds=_.number(result.held_seconds),
            price=f"{result.price_per_hour:g}",
        ),
    )
    method = METHODS[result.energy.method]
    fourth.metric(
        _("Energy"),
        _("{joules} J", joules=_.number(result.energy.joules, digits=2)),
        help=_(
            "{method}; may be off by {share}.",
            method=_.text(method.label),
            share=_.percent(method.uncertainty),
        ),
    )
    st.page_link("tradeoffs.py", label=_("Take these numbers into the plan"), icon=":material/scatter_plot:")


def _curves(rows: list[RunRow], _: Language) -> None:
    chosen = st.session_state.get("training:compared") or []
    shown = [row for row in rows if row.id in chosen][:SHOWN]
    if not shown:
        shown = [row for row in rows if row.state != "queued"][:1]
    runs = [_learning(row, _) for row in shown]
    if not any(run.points for run in runs):
        st.info(
            _("Press Train: the first points appear within about two seconds."), icon=":material/timeline:"
        )
        return
    measured = any(point.accuracy is not None for run in runs for point in run.points)
    for what, title in ((("accuracy", _("Accuracy")),) if measured else ()) + (("loss", _("Loss")),):
        st.plotly_chart(
            learning_chart(runs, what, _),
            key=f"training:chart:{what}",
            config={"displaylogo": False},
            alt=title,
        )


def _learning(row: RunRow, _: Language) -> Learning:
    spec = RunSpec.from_json(row.spec)
    result = RunResult.from_json(row.summary) if row.summary and row.state == "done" else None
    return Learning(
        name=f"{spec.network.upper()} {row.id[:6]}",
        points=store().runs.metrics(row.id),
        epochs=float(spec.epochs),
        test_accuracy=result.test_accuracy if result else None,
        test_loss=result.test_loss if result else None,
    )


def _past(rows: list[RunRow], _: Language) -> None:
    ended = [row for row in rows if not row.active]
    if not ended:
        return
    st.subheader(_("Past runs"))
    st.caption(_("Tick up to four runs to see their curves above, side by side."))
    choose(all_runs(ended, ENDS, _), [row.id for row in ended], "training:table", "training:compared", _)


page()

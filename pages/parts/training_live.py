"""A run under way, and how the last one ended: meters, pause, stop, and what to do next."""

import contextlib
import time
from dataclasses import replace

import streamlit as st

from core.i18n import Language, Refusal, Text
from core.storage import RunRow
from core.training import checkpoint, limits, shelf
from core.training.energy import METHODS
from core.training.result import RunResult, cost, joules_so_far
from core.training.spec import RunSpec
from pages.parts.services import store
from pages.parts.session import workspace
from pages.parts.shell import plain
from pages.parts.waiting import waiting_text


def running(row: RunRow, _: Language) -> None:
    spec = RunSpec.from_json(row.spec)
    with st.container(border=True):
        st.markdown(f"**{plain(_.text(spec.title))}**")
        if row.state == "queued":
            st.progress(0.0, text=waiting_text(row, _))
        else:
            _meter(row, spec, _)
        with st.container(horizontal=True):
            if row.state == "running" and spec.epochs > 1:
                asked = checkpoint.pause_asked(shelf.run_folder(row.id))
                st.button(
                    _("Pausing after this epoch …") if asked else _("Pause"),
                    key=f"training:pause:{row.id}",
                    icon=":material/pause:",
                    disabled=asked or row.cancel_requested,
                    on_click=_pause,
                    args=(row.id,),
                )
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
            "Step {step} of {total} · {speed} examples per second · about {left} s left",
            step=f"{row.step:,}",
            total=f"{total:,}",
            speed=_.number(round(row.step * spec.batch_size / max(row.seconds, 0.1)), digits=3),
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


def _pause(run_id: str) -> None:
    checkpoint.ask_to_pause(shelf.run_folder(run_id, make=True))


def _next(row: RunRow, spec: RunSpec, _: Language) -> None:
    """What can be done with a run that did not come to its end: go on, or try with smaller batches."""
    left = checkpoint.left(shelf.run_folder(row.id))
    smaller = row.reason.values.get("smaller") if row.reason else None
    if left and row.state in ("stopped", "interrupted"):
        st.button(
            _("Go on after epoch {epoch} of {total}", epoch=left.epochs, total=spec.epochs),
            key=f"training:resume:{row.id}",
            icon=":material/resume:",
            on_click=_resume,
            args=(row.id, left.epochs * spec.steps_per_epoch),
        )
    elif isinstance(smaller, int):
        st.button(
            _("Train with batches of {count} examples", count=smaller),
            key=f"training:smaller:{row.id}",
            icon=":material/play_arrow:",
            on_click=_again,
            args=(replace(spec, batch_size=smaller),),
        )


def _resume(run_id: str, step: int) -> None:
    ws = workspace()
    ws.refused.pop("training:start", None)
    (shelf.run_folder(run_id) / checkpoint.PAUSE).unlink(missing_ok=True)
    try:
        limits.resume(store(), ws.owner, run_id, step)
    except Refusal as refusal:
        ws.refused["training:start"] = refusal


def _again(spec: RunSpec) -> None:
    ws = workspace()
    ws.refused.pop("training:start", None)
    try:
        limits.submit(store(), ws.owner, ws.venture_id, spec)
    except Refusal as refusal:
        ws.refused["training:start"] = refusal


ENDS = {
    "done": Text("done", "完成"),
    "stopped": Text("stopped", "已停止"),
    "failed": Text("failed", "失败"),
    "interrupted": Text("interrupted", "中断"),
}


def ended_run(row: RunRow, _: Language) -> None:
    spec = RunSpec.from_json(row.spec)
    st.markdown(f"**{_('Last run')} · {plain(_.text(spec.title))} · {_.text(ENDS[row.state])}**")
    if row.reason:
        st.warning(plain(_.refusal(row.reason.refusal())), icon=":material/info:")
    if row.state != "done" or not row.summary:
        _next(row, spec, _)
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
    if result.stopped_early:
        st.caption(
            _(
                "Stopped early after {epochs} epochs: what was kept back got no better.",
                epochs=f"{result.epochs:g}",
            )
        )
    if result.test_accuracy is not None:
        st.page_link(
            "tradeoffs.py", label=_("Take these numbers into the plan"), icon=":material/scatter_plot:"
        )

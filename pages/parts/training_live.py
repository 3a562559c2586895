"""A run under way, and how the last one ended: meters, pause, stop, and what to do next."""

import contextlib
from dataclasses import replace

import streamlit as st

from core.i18n import Language, Refusal, Text
from core.storage import RunRow
from core.training import checkpoint, limits, shelf
from core.training.device import Device
from core.training.devices import reachable, still
from core.training.energy import METHODS
from core.training.result import RunResult, UnderWay, cost, told
from core.training.scores import interval
from core.training.spec import RunSpec
from core.training.sweeping import held as held_until_now
from pages.parts.services import store
from pages.parts.session import workspace
from pages.parts.shell import plain
from pages.parts.waiting import waiting_text


def running(row: RunRow, _: Language) -> None:
    spec = RunSpec.from_json(row.spec)
    with st.container(border=True):
        st.markdown(f"**{plain(_.text(spec.title))}**")
        if device := _device(row):
            st.caption(f":material/memory: {plain(device.label)}")
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


def _device(row: RunRow) -> Device | None:
    """The device that a run trains on, or the one that it chose before it tells; None while that is open."""
    if row.state == "running" and row.device:
        return Device.from_json(row.device)
    return reachable(store()).get(row.wanted)


def _meter(row: RunRow, spec: RunSpec, _: Language) -> None:
    total = row.total_steps or spec.total_steps
    held = held_until_now(row)
    said = told(row.summary)
    left = said.seconds_left if row.step < total else None
    if row.step == 0:
        text = _("Starting: building the network")
    elif row.step >= total:
        text = _("Testing on {count} examples it has never seen", count=f"{spec.data.test_images:,}")
    else:
        text = _("Step {step} of {total}", step=f"{row.step:,}", total=f"{total:,}")
    st.progress(min(1.0, row.step / total), text=text)
    energy, speed = said.joules, said.examples_per_second
    with st.container(horizontal=True, gap="small"):
        _figure(_("Seconds"), _.number(round(held, 1), digits=4))
        _figure(
            _("Time left (s)"),
            NOT_YET if left is None else _.number(max(1.0, round(left)), digits=3),
            _("Of the training, at its mean pace since the first step; the test comes on top."),
        )
        _figure(_("Cost (USD)"), _.money(cost(held, spec.price_per_hour), "USD", digits=2))
        _figure(_("Energy (J)"), NOT_YET if energy is None else _.number(round(energy), digits=3))
        _figure(
            _("Examples per second"),
            NOT_YET if speed is None else _.number(round(speed), digits=3),
            _("Counted by the run itself over the last second or more of training, validation left out."),
        )
        if row.device:
            _load(said, Device.from_json(row.device), _)


NOT_YET = "–"
FIGURE_PX = 148
"""Two figures beside each other on a phone."""


def _figure(label: str, value: str, words: str | None = None) -> None:
    st.metric(label, value, help=words, width=FIGURE_PX)


def _load(said: UnderWay, device: Device, _: Language) -> None:
    """How hard the device works, and how much of its memory the run takes."""
    busy = NOT_YET if said.utilisation is None else _.percent(said.utilisation)
    memory = NOT_YET if said.memory_bytes is None else gib(said.memory_bytes, _)
    total = _("Memory (GiB of {total})", total=gib(device.memory_bytes, _))
    if device.kind == "gpu":
        _figure(
            _("GPU in use (%)"),
            busy,
            _("Share of the time in which the card computed, as its driver tells it (NVML)."),
        )
        _figure(
            total,
            memory,
            _(
                "Memory of the card used by this run, as its driver tells it (NVML); by all programs on the card where the driver does not tell them apart."
            ),
        )
    else:
        _figure(
            _("Processor in use (%)"),
            busy,
            _(
                "Processor time of the run's process, as a share of the {count} cores it may use.",
                count=device.cores,
            ),
        )
        _figure(
            total,
            memory,
            _(
                "Resident memory of the run's process, as the operating system counts it; of the whole machine's."
            ),
        )


def gib(count: float, _: Language) -> str:
    """Bytes as GiB, without the unit."""
    return _.number(count / 2**30, digits=2)


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
        _resume_button(row, spec, left, _)
    if isinstance(smaller, int) and smaller < spec.batch_size:
        st.button(
            _("Train with batches of {count} examples", count=smaller),
            key=f"training:smaller:{row.id}",
            icon=":material/play_arrow:",
            on_click=_again,
            args=(replace(spec, batch_size=smaller),),
        )


def go_on(rows: list[RunRow], _: Language) -> None:
    """Runs that ended before their time and can go on from what they kept."""
    for row in rows:
        if row.state not in ("stopped", "interrupted") or not (
            left := checkpoint.left(shelf.run_folder(row.id))
        ):
            continue
        spec = RunSpec.from_json(row.spec)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(plain(f"{row.id[:6]} · {_.text(spec.title)}"))
            _resume_button(row, spec, left, _)


def _resume_button(row: RunRow, spec: RunSpec, left: checkpoint.Left, _: Language) -> None:
    st.button(
        _("Go on after epoch {epoch} of {total}", epoch=left.epochs, total=spec.epochs),
        key=f"training:resume:{row.id}",
        icon=":material/resume:",
        on_click=_resume,
        args=(row.id, left.epochs * spec.steps_per_epoch),
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
        limits.submit(store(), ws.owner, ws.venture_id, still(store(), spec))
    except Refusal as refusal:
        ws.refused["training:start"] = refusal


def _effort(result: RunResult, _: Language) -> None:
    """How fast and how hard the device worked, in one line; what it did not tell is left out."""
    speed = result.steady_images_per_second or result.images_per_second
    parts = [_("{speed} examples per second", speed=_.number(speed, digits=3))]
    if result.mean_utilisation is not None:
        share = _.percent(result.mean_utilisation)
        gpu = result.device.kind == "gpu"
        parts.append(
            _("GPU {share} in use", share=share) if gpu else _("processor {share} in use", share=share)
        )
    if result.peak_memory_bytes is not None:
        parts.append(_("at most {memory} GiB of memory", memory=gib(result.peak_memory_bytes, _)))
    st.caption(" · ".join(parts))


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
        low, high = interval(result.test_accuracy, spec.data.test_images)
        first.metric(
            _("Test accuracy"),
            _.percent(result.test_accuracy, 4),
            help=_(
                "On {count} examples that it did not learn from. So many tell it no more exactly than {low} to {high} (90% interval).",
                count=f"{spec.data.test_images:,}",
                low=_.percent(low, 4),
                high=_.percent(high, 4),
            ),
        )
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
        )
        if method.uncertainty
        else _.text(method.label),
    )
    _effort(result, _)
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

"""Training: a real Keras run on the device at hand, watched while it learns."""

import contextlib
import time
from collections.abc import Mapping

import streamlit as st

from core.charts.training import Learning, learning_chart
from core.i18n import Language, Refusal, Text
from core.storage import RunRow
from core.training.architecture import NETWORKS, Network
from core.training.energy import METHODS
from core.training.limits import submit
from core.training.result import RunResult, cost, joules_so_far
from core.training.service import device_in_use
from core.training.spec import (
    ACTIVATIONS,
    DEFAULT_PRICE_PER_HOUR,
    LOSSES,
    OPTIMIZERS,
    WHOLE_RANGES,
    Choice,
    RunSpec,
)
from pages.parts.runs_table import all_runs, choose
from pages.parts.services import store
from pages.parts.session import Workspace, say, workspace
from pages.parts.shell import plain
from pages.parts.sweep import going, sweep_section
from pages.parts.waiting import limits_line, waiting_text

SIZES = (1_000, 2_500, 5_000, 10_000, 20_000, 60_000)
BATCHES = (32, 64, 128, 256, 512)
SHOWN = 4
"""Runs drawn over each other at the most."""


def page() -> None:
    """Draw the page; while a run is active, its room refreshes every second."""
    _ = say()
    st.title(_("Training"))
    st.caption(
        _(
            "A real neural network learns to read handwritten digits (MNIST, 60,000 images) on the machine that serves this page. What it measures, accuracy, seconds, dollars and energy, can go into your plan."
        )
    )
    active = bool(_active()) or going()
    st.fragment(_room, run_every=1.0 if active else None)(active)


def _active() -> list[RunRow]:
    ws = workspace()
    return [row for row in store().runs.rows(ws.owner, ws.venture_id, limit=50) if row.active]


def _room(polling: bool) -> None:
    """Settings and results in one fragment, so that no poll can cut off a change."""
    _, ws = say(), workspace()
    rows = store().runs.rows(ws.owner, ws.venture_id, limit=50)
    if (any(row.active for row in rows) or going()) is not polling:
        st.rerun()
    left, right = st.columns([2, 3], gap="large")
    with left:
        _settings(ws, rows, _)
    with right:
        for row in reversed([row for row in rows if row.active]):
            _running(row, _)
        ended = next((row for row in rows if not row.active), None)
        if ended and not polling:
            _ended(ended, _)
        _curves(rows, _)
    limits_line(ws, _)
    sweep_section(_spec, _)
    _past(rows, _)


# Before the click


def _settings(ws: Workspace, rows: list[RunRow], _: Language) -> None:
    _select(_("Network"), "network", NETWORKS, "cnn", _)
    left, right = st.columns(2)
    with left:
        _select(_("Optimiser"), "optimizer", OPTIMIZERS, "adam", _)
        _select(_("Loss"), "loss", LOSSES, "cross_entropy", _)
        least, most = WHOLE_RANGES["epochs"]
        st.number_input(
            _("Epochs (passes over the images)"),
            least,
            most,
            2,
            key="training:epochs",
            persist_state="session",
        )
        st.text_input(
            _("Learning rate (empty: the optimiser's usual)"),
            key="training:learning_rate",
            placeholder=f"{OPTIMIZERS[_chosen('optimizer', 'adam')].learning_rate:g}",
            persist_state="session",
        )
    with right:
        _select(_("Activation"), "activation", ACTIVATIONS, "relu", _)
        st.selectbox(
            _("Batch size (images per step)"),
            BATCHES,
            index=1,
            key="training:batch_size",
            persist_state="session",
        )
        st.selectbox(
            _("Training images"),
            SIZES,
            index=len(SIZES) - 1,
            format_func=lambda size: f"{size:,}",
            key="training:train_images",
            help=_(
                "Fewer images cost less and teach less: four sizes make a curve of accuracy against cost."
            ),
            persist_state="session",
        )
        least, most = WHOLE_RANGES["seed"]
        st.number_input(
            _("Seed"),
            least,
            most,
            0,
            key="training:seed",
            help=_(
                "The same seed starts from the same random weights; runs with other seeds show how much luck there is."
            ),
            persist_state="session",
        )
    st.number_input(
        _("Price of the device (USD / hour)"),
        0.0,
        1000.0,
        DEFAULT_PRICE_PER_HOUR,
        format="%.3f",
        key="training:price_per_hour",
        help=_(
            "About what a cloud machine with two virtual CPUs costs (AWS c7i.large, on demand, 2025: $0.089). Type your own."
        ),
        persist_state="session",
    )
    try:
        spec = _spec()
    except Refusal as refusal:
        st.error(plain(_.refusal(refusal)))
        return
    _beforehand(spec, rows, _)
    st.button(
        _("Train"),
        key="training:start",
        type="primary",
        icon=":material/play_arrow:",
        width="stretch",
        on_click=_start,
    )
    if refused := ws.refused.get("training:start"):
        st.error(plain(_.refusal(refused)))


def _select(
    label: str, field: str, choices: Mapping[str, Choice | Network], default: str, _: Language
) -> None:
    st.selectbox(
        label,
        list(choices),
        index=list(choices).index(default),
        format_func=lambda key: _.text(choices[key].label),
        key=f"training:{field}",
        help="  \n".join(f"**{_.text(c.label)}**: {_.text(c.note)}" for c in choices.values()),
        persist_state="session",
    )


def _chosen(field: str, default: str) -> str:
    return str(st.session_state.get(f"training:{field}", default))


def _spec() -> RunSpec:
    """The settings as a specification; a Refusal that names what is wrong."""
    held = {
        field: st.session_state[f"training:{field}"]
        for field in (
            "network",
            "optimizer",
            "activation",
            "loss",
            "epochs",
            "batch_size",
            "seed",
            "train_images",
            "price_per_hour",
        )
    }
    rate = str(st.session_state.get("training:learning_rate") or "").strip()
    if rate:
        try:
            held["learning_rate"] = float(rate)
        except ValueError:
            raise Refusal(
                "The learning rate is “{value}”; a number such as 0.001 is needed.", value=rate[:40]
            ) from None
    return RunSpec(**held)


def _beforehand(spec: RunSpec, rows: list[RunRow], _: Language) -> None:
    device = device_in_use(store())
    kind = _("GPU") if device.kind == "gpu" else _("CPU, {cores} cores", cores=device.cores)
    st.markdown(f":material/memory: **{plain(device.name)}** · {kind}")
    if device.remark:
        st.caption(plain(_.text(device.remark)))
    said = _(
        "{parameters} parameters · {steps} steps · {flop} FLOP",
        parameters=f"{spec.parameters:,}",
        steps=f"{spec.total_steps:,}",
        flop=f"{spec.training_flop:.2e}",
    )
    speed = _measured_speed(spec, rows)
    if speed:
        seconds = spec.images_seen / speed
        said += " · " + _(
            "about {seconds} s and {dollars}, from the speed of an earlier run",
            seconds=_.number(seconds, digits=2),
            dollars=_.money(cost(seconds, spec.price_per_hour), "USD"),
        )
    st.caption(plain(said))


def _measured_speed(spec: RunSpec, rows: list[RunRow]) -> float | None:
    """Images per second of the newest finished run of the same network and batch size."""
    for row in rows:
        if row.state == "done" and row.summary:
            earlier = RunSpec.from_json(row.spec)
            if (earlier.network, earlier.batch_size) == (spec.network, spec.batch_size):
                result = RunResult.from_json(row.summary)
                return result.steady_images_per_second or result.images_per_second
    return None


def _start() -> None:
    ws = workspace()
    ws.refused.pop("training:start", None)
    try:
        spec = _spec()
        submit(store(), ws.owner, ws.venture_id, spec)
    except Refusal as refusal:
        ws.refused["training:start"] = refusal


# While it runs


def _running(row: RunRow, _: Language) -> None:
    spec = RunSpec.from_json(row.spec)
    with st.container(border=True):
        st.markdown(f"**{plain(_.text(spec.title))}**")
        if row.state == "queued":
            st.progress(0.0, text=waiting_text(row, _))
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
        text = _("Testing on 10,000 images it has never seen")
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
    first.metric(_("Test accuracy"), _.percent(result.test_accuracy or 0.0, 4))
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
    for what, title in (("accuracy", _("Accuracy")), ("loss", _("Loss"))):
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

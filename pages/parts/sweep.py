"""A sweep on screen: what varies, what it will cost, its runs as they come, and the way to stop it."""

import contextlib
from collections.abc import Callable

import pandas as pd
import streamlit as st

from core.i18n import Language, Refusal, Text
from core.storage import SweepRow
from core.training.datasets import MNIST
from core.training.devices import chosen, device_in_use, name_of
from core.training.limits import Limits, usage
from core.training.result import cost
from core.training.spec import FIELDS, LEAST_EXAMPLES, RunSpec, most_watched
from core.training.sweep import METHODS, VARIED, Axis, Method, Sweep, best_of, price, varied
from core.training.sweeping import seconds_of, spent, trials
from pages.parts.services import store
from pages.parts.session import Workspace, workspace
from pages.parts.shell import plain

FIRST = {
    "width": "16, 32, 64",
    "epochs": "1, 2, 4",
    "batch_size": "32, 64, 128",
    "learning_rate": "0.0003 to 0.03",
}
"""What stands in a field before somebody types; training images depend on how many there are."""

LARGE = 10_000
"""Examples from which a third is enough for a first curve."""

BUDGETS = {"minutes": Text("minutes", "分钟"), "usd": Text("USD", "美元")}
STATES = {
    "queued": Text("waiting", "等待中"),
    "running": Text("training", "训练中"),
    "done": Text("done", "完成"),
    "stopped": Text("stopped", "已停止"),
    "failed": Text("failed", "失败"),
    "interrupted": Text("interrupted", "中断"),
}


def going() -> bool:
    """Whether a sweep of the open venture goes on."""
    ws = workspace()
    return any(row.active for row in store().sweeps.rows(ws.owner, ws.venture_id))


def sweep_section(settings: Callable[[], RunSpec], _: Language) -> None:
    """The form, around the ``settings`` of a single run, and the last sweep with its runs."""
    ws = workspace()
    rows = store().sweeps.rows(ws.owner, ws.venture_id, limit=1)
    with st.expander(_("Sweep: many runs within a budget"), icon=":material/tune:", key="sweep:box"):
        _form(settings, ws, _)
    for row in rows:
        _progress(row, _)


# Before the click


def _form(settings: Callable[[], RunSpec], ws: Workspace, _: Language) -> None:
    try:
        base = settings()
    except Refusal:
        st.caption(_("Put the settings of a single run right first."))
        return
    st.caption(
        _(
            "Everything that does not vary is as set above. Runs go through the queue and end with the budget. None of them trains on everything: some examples are kept back to choose by, so that the test stays unseen."
        )
    )
    chosen = st.pills(
        _("What varies"),
        VARIED,
        selection_mode="multi",
        default=["train_images"],
        format_func=lambda field: _.text(FIELDS[field]),
        key="sweep:vary",
        persist_state="session",
    )
    for field in chosen:
        st.text_input(
            _("Values of {field}", field=_.text(FIELDS[field])),
            FIRST.get(field) or _sizes(base),
            key=_key(field, base),
            help=_("Several values, 10, 20, 30, or a range, 10 to 30."),
            persist_state="session",
        )
    left, right = st.columns(2)
    with left:
        method = st.selectbox(
            _("How runs are chosen"),
            list(METHODS),
            format_func=lambda key: _.text(METHODS[key]),
            key="sweep:method",
            persist_state="session",
        )
        budget_in = st.segmented_control(
            _("Budget in"),
            list(BUDGETS),
            default="minutes",
            format_func=lambda key: _.text(BUDGETS[key]),
            key="sweep:unit",
            required=True,
            persist_state="session",
        )
    with right:
        if method == "every":
            st.number_input(
                _("Seeds for each combination"), 1, 10, 1, key="sweep:seeds", persist_state="session"
            )
        else:
            st.number_input(_("Runs at the most"), 2, 200, 9, key="sweep:runs", persist_state="session")
        if budget_in == "usd":
            st.number_input(
                _("Budget (USD)"),
                0.0,
                100_000.0,
                0.01,
                format="%.4f",
                key="sweep:usd",
                persist_state="session",
            )
        else:
            st.number_input(
                _("Budget (minutes)"), 0.0, 100_000.0, 5.0, key="sweep:minutes", persist_state="session"
            )
    try:
        sweep = _sweep(base)
    except Refusal as refusal:
        st.error(plain(_.refusal(refusal)))
        return
    st.markdown(plain(_price(sweep, ws, _)))
    st.button(
        _("Start the sweep"),
        key="sweep:start",
        icon=":material/play_arrow:",
        width="stretch",
        on_click=_start,
        args=(settings,),
        disabled=going(),
    )
    if refused := ws.refused.get("sweep:start"):
        st.error(plain(_.refusal(refused)))


def _key(field: str, base: RunSpec) -> str:
    """The key of a field of values; each dataset has training images of its own."""
    own = field == "train_images" and base.data.train_images != MNIST.train_images
    return f"sweep:values:{field}:{base.data.train_images}" if own else f"sweep:values:{field}"


def _sizes(base: RunSpec) -> str:
    """Four sizes, each twice the one before, up to a third of a large dataset or to the most of a small one."""
    there = base.data.train_images
    largest = there // 3 if there >= LARGE else most_watched(there)
    sizes = [max(min(LEAST_EXAMPLES, there // 2), largest >> step) for step in (3, 2, 1, 0)]
    return ", ".join(str(size) for size in dict.fromkeys(sizes))


def _sweep(base: RunSpec) -> Sweep:
    """The form as a sweep; a Refusal that names what is wrong."""
    held = st.session_state
    method: Method = held["sweep:method"]
    in_dollars = held["sweep:unit"] == "usd"
    return Sweep(
        base=base,
        axes=tuple(Axis.read(field, held[_key(field, base)]) for field in held["sweep:vary"]),
        method=method,
        runs=held["sweep:runs"] if method != "every" else 1,
        seeds=held["sweep:seeds"] if method == "every" else 1,
        budget_usd=held["sweep:usd"] if in_dollars else None,
        budget_minutes=None if in_dollars else held["sweep:minutes"],
    )


def _price(sweep: Sweep, ws: Workspace, _: Language) -> str:
    """The price before the click, in a sentence."""
    name = name_of(store(), sweep.base.device, device_in_use(store()).name)
    told = price(sweep, seconds_of(store(), ws.owner, name))
    one = told.runs == 1
    if told.seconds is None or told.dollars is None or told.fits is None:
        if one:
            return _(
                "One run. How fast it is has not been measured here yet, so its price is not known; the budget ends the sweep in any case."
            )
        return _(
            "{runs} runs. How fast they are has not been measured here yet, so their price is not known; the budget ends the sweep in any case.",
            runs=told.runs,
        )
    minutes, dollars = _.number(told.seconds / 60, digits=2), _.money(told.dollars, "USD")
    if one and told.fits:
        return _(
            "One run, about {minutes} minutes and {dollars}, from the speed of earlier runs: within the budget.",
            minutes=minutes,
            dollars=dollars,
        )
    if one:
        return _(
            "One run, about {minutes} minutes and {dollars}, from the speed of earlier runs: more than the budget pays for.",
            minutes=minutes,
            dollars=dollars,
        )
    if told.fits >= told.runs:
        return _(
            "{runs} runs, about {minutes} minutes and {dollars}, from the speed of earlier runs: within the budget.",
            runs=told.runs,
            minutes=minutes,
            dollars=dollars,
        )
    return _(
        "{runs} runs, about {minutes} minutes and {dollars}, from the speed of earlier runs: the budget pays for about {fits} of them.",
        runs=told.runs,
        minutes=minutes,
        dollars=dollars,
        fits=told.fits,
    )


def _start(settings: Callable[[], RunSpec]) -> None:
    ws = workspace()
    try:
        begin(ws, _sweep(settings()))
    except Refusal as refusal:
        ws.refused["sweep:start"] = refusal


def begin(ws: Workspace, sweep: Sweep) -> None:
    """Begin a sweep for the open venture; a Refusal if its owner has nothing left for today, or if its device is
    not there.

    Nothing where one goes on: the second click of two is no wish for a second sweep.
    """
    ws.refused.pop("sweep:start", None)
    if going():
        return
    Limits.from_environment().check(usage(store(), ws.owner))
    if sweep.base.device:
        chosen(device_in_use(store()), sweep.base.device)
    store().sweeps.create(ws.owner, ws.venture_id, sweep.to_json())


# While it goes on, and afterwards


def _progress(row: SweepRow, _: Language) -> None:
    sweep = Sweep.from_json(row.spec)
    runs = store().sweeps.runs(row.id)
    found = trials(runs)
    st.subheader(_("Sweep"))
    share = spent(sweep, runs)
    if row.active:
        st.progress(
            min(1.0, share),
            text=_(
                "Run {number} of {planned} · {share} of the budget used",
                number=len(runs),
                planned=len(sweep.planned()),
                share=_.percent(min(1.0, share), 2),
            ),
        )
        st.button(
            _("Stop the sweep"),
            key=f"sweep:stop:{row.id}",
            icon=":material/stop:",
            on_click=_stop,
            args=(row.id,),
        )
    elif row.reason:
        st.info(plain(_.refusal(row.reason.refusal())), icon=":material/info:")
    if best := best_of(found, sweep):
        settings = ", ".join(
            _("{field} {value}", field=_.text(FIELDS[name]), value=f"{value:g}")
            for name, value in varied(sweep, best.spec).items()
        )
        st.markdown(
            _(
                "Best so far: {accuracy} with {settings}.",
                accuracy=plain(_.percent(best.accuracy or 0.0, 4)),
                settings=plain(settings or _.text(best.spec.title)),
            )
        )
    if found:
        frame = pd.DataFrame(
            [
                {
                    "run": run.id[:6],
                    "images": trial.spec.train_images,
                    "epochs": trial.spec.epochs,
                    **{
                        name: value
                        for name, value in varied(sweep, trial.spec).items()
                        if name != "train_images"
                    },
                    "seed": trial.spec.seed,
                    "state": _.text(STATES[trial.state]),
                    "accuracy": trial.accuracy,
                    "seconds": trial.seconds,
                    "cost": cost(trial.seconds, trial.spec.price_per_hour),
                }
                for run, trial in zip(runs, found, strict=True)
            ]
        )
        number = st.column_config.NumberColumn
        st.dataframe(
            frame,
            hide_index=True,
            column_config={
                "run": _("Run"),
                "images": number(_("Training images"), format="localized"),
                "epochs": _("Epochs"),
                "seed": _("Seed"),
                "width": _("Width"),
                "batch_size": _("Batch size"),
                "learning_rate": number(_("Learning rate"), format="%.4g"),
                "state": _("State"),
                "accuracy": number(_("Accuracy, or R², to choose by (%)"), format="percent"),
                "seconds": number(_("Time held (s)"), format="%.1f"),
                "cost": number(_("Cost (USD)"), format="%.6f"),
            },
            alt=_("Runs of the sweep"),
        )
        st.caption(
            _(
                "Chosen by the accuracy on examples kept back for validation, never by the test, which is for the one that is chosen. A run without them is not ranked."
            )
        )


def _stop(sweep_id: str) -> None:
    with contextlib.suppress(Refusal):
        store().sweeps.cancel(workspace().owner, sweep_id)

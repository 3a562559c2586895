"""Settings of a training run: the data, a recipe, and everything else one click away."""

import contextlib
import time
from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st
from sqlalchemy.exc import SQLAlchemyError

from core.i18n import Language, Refusal
from core.training import shelf
from core.training.architecture import NETWORKS, Kind, networks_for
from core.training.choices import ACTIVATIONS, LOSSES, OPTIMIZERS, PRECISIONS, SCHEDULES, Choice
from core.training.datasets import AREAS, DATASETS, OWN, Dataset, OwnData
from core.training.limits import submit
from core.training.presets import PRESETS, first_for, presets_for
from core.training.spec import DEFAULT_PRICE_PER_HOUR, WHOLE_RANGES, RunSpec
from pages.parts import fields
from pages.parts.services import store
from pages.parts.session import Workspace, workspace
from pages.parts.shell import plain, select
from pages.parts.training_device import beforehand, chosen_device, device_select

SIZES = (1_000, 2_500, 5_000, 10_000, 20_000)
BATCHES = (16, 32, 64, 128, 256, 512, 1024)

USUAL: dict[str, Any] = {
    "network": "cnn",
    "width": NETWORKS["cnn"].width,
    "depth": NETWORKS["cnn"].depth,
    "dropout": 0.0,
    "batch_norm": False,
    "activation": "relu",
    "optimizer": "adam",
    "learning_rate": "",
    "momentum": "",
    "second_moment": "",
    "schedule": "constant",
    "loss": "cross_entropy",
    "epochs": 5,
    "batch_size": 64,
    "patience": 0,
    "precision": "full",
    "seed": 0,
    "train_images": 60_000,
    "price_per_hour": DEFAULT_PRICE_PER_HOUR,
}
"""What every field holds before a recipe is chosen; "" is the usual of the optimiser."""

TYPED = ("learning_rate", "momentum", "second_moment")
KEPT = ("seed", "train_images", "price_per_hour")
"""What a recipe does not touch."""

FIRST = "fast"

TOLD, TOLD_AGAIN_S = "training:told", 300.0


def settings(ws: Workspace, _: Language) -> None:
    """Data, recipe, device, price, what it will take, and the button."""
    _begin()
    _data(ws, _)
    data = chosen_data(ws)
    if data is None:
        return
    presets = presets_for(data.input)
    if _held("preset") not in presets:
        _put("preset", None)
    st.pills(
        _("Recipe"),
        list(presets),
        format_func=lambda key: _.text(PRESETS[key].label),
        wrap=True,
        persist_state="session",
        **_field("preset", _apply, start="default"),
    )
    chosen = _held("preset")
    st.caption(plain(_.text(PRESETS[chosen].note)) if chosen in presets else _("Settings of your own."))
    with st.expander(_("All settings"), key=_key("all"), icon=":material/tune:"):
        _all(data, _)
    device_select(_)
    st.number_input(
        _("Price of the device (USD / hour)"),
        0.0,
        1000.0,
        format="%.3f",
        help=_(
            "About what a cloud machine with two virtual CPUs costs (AWS c7i.large, on demand, 2025: $0.089). Type your own."
        ),
        persist_state="session",
        **_field("price_per_hour"),
    )
    try:
        spec = chosen_spec(ws)
    except Refusal as refusal:
        st.error(plain(_.refusal(refusal)))
        return
    beforehand(spec, _)
    _expect(ws, spec)
    st.button(
        _("Train"),
        key=_key("start"),
        type="primary",
        icon=":material/play_arrow:",
        width="stretch",
        on_click=_start,
    )
    if refused := ws.refused.get("training:start"):
        st.error(plain(_.refusal(refused)))


def _key(field: str) -> str:
    return f"training:{field}"


def _held(field: str) -> Any:
    return fields.held(_key(field))


def _put(field: str, value: Any) -> None:
    fields.put(_key(field), value)


def _field(field: str, how: Callable[[], None] | None = None, **more: Any) -> dict[str, Any]:
    return fields.field(_key(field), how, **more)


def _begin() -> None:
    """Give every field a value on first sight; a recipe for MNIST stands there at once."""
    if fields.name(_key("preset")) not in st.session_state:
        _put("preset", FIRST)
        fields.begin(_key("dataset"), "mnist")
        _apply()
    for field, value in USUAL.items():
        fields.begin(_key(field), value)


def _take(values: Mapping[str, Any]) -> None:
    for field, value in values.items():
        _put(field, f"{value:g}" if field in TYPED and value != "" else value)


def _apply() -> None:
    """Take the settings of the recipe that was clicked; what it does not name becomes usual."""
    chosen = _held("preset")
    if chosen in PRESETS:
        wanted = PRESETS[chosen].settings
        kind = NETWORKS[wanted["network"]]
        data = chosen_data(workspace())
        usual = {
            **USUAL,
            "width": kind.width,
            "depth": kind.depth,
            "loss": "mse" if data and data.task == "number" else "cross_entropy",
        }
        _take({f: v for f, v in {**usual, **wanted}.items() if f not in KEPT})


def _own_settings() -> None:
    _put("preset", None)


def _network_chosen() -> None:
    kind = NETWORKS[_held("network")]
    _take({"width": kind.width, "depth": kind.depth})
    _own_settings()


def _optimizer_chosen() -> None:
    _take(dict.fromkeys(TYPED, ""))
    _own_settings()


# Data


def _data(ws: Workspace, _: Language) -> None:
    if ready := st.session_state.pop("training:own_chosen", None):
        _put("dataset", f"{OWN}:{ready}")
        _data_chosen()
    own = {f"{OWN}:{o.id}": o.name for o in shelf.own_data(ws.owner)}
    shipped = {key: f"{_.text(AREAS[data.area])} · {_.text(data.label)}" for key, data in DATASETS.items()}
    options = shipped | own
    if _held("dataset") not in options:
        _put("dataset", "mnist")
        _data_chosen()
    select(_("Data"), options, _key("dataset"), on_change=_data_chosen, persist_state="session")
    data = chosen_data(ws)
    if data is None:
        return
    st.caption(plain(_.text(data.note)))
    if data.source:
        st.caption(
            _(
                "[Source]({url}) · {licence}",
                url=data.source,
                licence=plain(_.text(data.licence)),
            )
        )
    own_data = _chosen_own(ws)
    if own_data and own_data.doubts:
        told = "\n".join(f"- {plain(_.refusal(doubt))}" for doubt in own_data.doubts)
        st.warning(told, icon=":material/info:")


def _data_chosen() -> None:
    """A recipe that suits the data, and all of its examples."""
    data = chosen_data(workspace())
    if data is None:
        return
    _put("train_images", data.train_images)
    _put("preset", first_for(data))
    _apply()


def chosen_data(ws: Workspace) -> Dataset | None:
    """The data set that is chosen; None if it is gone."""
    key = str(_held("dataset") or "mnist")
    if not key.startswith(f"{OWN}:"):
        return DATASETS[key]
    found = _chosen_own(ws)
    return found.described if found else None


def _chosen_own(ws: Workspace) -> OwnData | None:
    key = str(_held("dataset"))
    return next((o for o in shelf.own_data(ws.owner) if key == f"{OWN}:{o.id}"), None)


def sizes(data: Dataset) -> list[int]:
    """How many examples may be trained on, all of them last."""
    return [*(size for size in SIZES if size < data.train_images), data.train_images]


# All settings


def _all(data: Dataset, _: Language) -> None:
    left, right = st.columns(2)
    with left:
        _select(_("Network"), "network", networks_for(data.input), _, on_change=_network_chosen)
        _whole(
            _("Width"),
            "width",
            _(
                "Filters of the first convolution, units of every hidden layer, or numbers learned for each name."
            ),
            _,
        )
        if not data.ids:
            _layers(_)
        losses = LOSSES if data.task == "classes" else {"mse": LOSSES["mse"]}
        _select(_("Loss"), "loss", losses, _)
        _select(_("Precision"), "precision", PRECISIONS, _)
    with right:
        _select(_("Optimiser"), "optimizer", OPTIMIZERS, _, on_change=_optimizer_chosen)
        usual = OPTIMIZERS[_held("optimizer")]
        _typed(_("Learning rate (empty: the optimiser's usual)"), "learning_rate", usual.learning_rate)
        if usual.momentum is not None:
            _typed(_("Momentum (share kept)"), "momentum", usual.momentum)
        if usual.second_moment is not None:
            _typed(_("Second moment (share kept)"), "second_moment", usual.second_moment)
        _select(_("Schedule of the learning rate"), "schedule", SCHEDULES, _)
        _whole(_("Epochs (passes over the examples)"), "epochs", None, _)
        st.selectbox(
            _("Batch size (examples per step)"),
            BATCHES,
            persist_state="session",
            **_field("batch_size", _own_settings, among=BATCHES),
        )
        _whole(
            _("Patience of early stopping (epochs; 0: off)"),
            "patience",
            _(
                "Stops once examples kept back have got no better for so many epochs, and keeps the best network."
            ),
            _,
        )
        allowed = sizes(data)
        if _held("train_images") not in allowed:
            _put("train_images", allowed[-1])
        st.selectbox(
            _examples(data, _),
            allowed,
            format_func=lambda size: f"{size:,}",
            help=_(
                "Fewer examples cost less and teach less: four sizes make a curve of accuracy against cost."
            ),
            persist_state="session",
            **_field("train_images", among=allowed),
        )
        _whole(
            _("Seed"),
            "seed",
            _(
                "The same seed starts from the same random weights; runs with other seeds show how much luck there is."
            ),
            _,
            own=False,
        )


def _layers(_: Language) -> None:
    """What belongs to a stack of layers."""
    _whole(_("Depth (layers)"), "depth", _("Convolutions, or hidden layers."), _)
    st.slider(
        _("Dropout (share of units left out)"),
        0.0,
        0.9,
        step=0.05,
        help=_("Leaves out other units in every step, so that none is relied upon: against overfitting."),
        persist_state="session",
        **_field("dropout", _own_settings),
    )
    st.checkbox(
        _("Batch normalisation"),
        help=_("Keeps the numbers between layers at mean 0 and deviation 1: deep networks learn faster."),
        persist_state="session",
        **_field("batch_norm", _own_settings),
    )
    _select(_("Activation"), "activation", ACTIVATIONS, _)


def _examples(data: Dataset, _: Language) -> str:
    """What the field for the number of examples is called."""
    match data.input:
        case "images":
            return _("Training images")
        case "table":
            return _("Training rows")
        case "ratings":
            return _("Training ratings")


def _select(
    label: str,
    field: str,
    choices: Mapping[str, Choice | Kind],
    _: Language,
    on_change: Callable[[], None] = _own_settings,
) -> None:
    if _held(field) not in choices:
        _put(field, next(iter(choices)))
    st.selectbox(
        label,
        list(choices),
        format_func=lambda key: _.text(choices[key].label),
        help="  \n".join(f"**{_.text(c.label)}**: {_.text(c.note)}" for c in choices.values()),
        persist_state="session",
        **_field(field, on_change, among=choices),
    )


def _whole(label: str, field: str, explained: str | None, _: Language, own: bool = True) -> None:
    least, most = WHOLE_RANGES[field]
    st.number_input(
        label,
        least,
        most,
        step=1,
        help=explained,
        persist_state="session",
        **_field(field, _own_settings if own else None),
    )


def _typed(label: str, field: str, usual: float) -> None:
    st.text_input(label, placeholder=f"{usual:g}", persist_state="session", **_field(field, _own_settings))


# Before the click


def chosen_spec(ws: Workspace) -> RunSpec:
    """The settings as a specification; a Refusal that names what is wrong."""
    held = {field: _held(field) for field in USUAL if field not in TYPED}
    for field in TYPED:
        text = str(_held(field) or "").strip()
        if text:
            held[field] = _typed_number(field, text)
    held["device"] = chosen_device()
    key = str(_held("dataset"))
    if not key.startswith(f"{OWN}:"):
        return RunSpec(dataset=key, **held)
    return RunSpec(own=shelf.own_of(ws.owner, key.partition(":")[2]), **held)


def _typed_number(field: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        if field == "learning_rate":
            raise Refusal(
                "The learning rate is “{value}”; a number such as 0.001 is needed.", value=text[:40]
            ) from None
        raise Refusal("The momentum is “{value}”; a number such as 0.9 is needed.", value=text[:40]) from None


def _expect(ws: Workspace, spec: RunSpec) -> None:
    """Let the worker know what the next click would train, so that it can make itself ready."""
    told = (ws.owner, spec.to_json())
    held, when = st.session_state.get(TOLD, (None, 0.0))
    if told == held and time.time() - when < TOLD_AGAIN_S:
        return
    with contextlib.suppress(SQLAlchemyError):  # then the run begins as if nobody had told
        store().expected.tell(*told)
        st.session_state[TOLD] = (told, time.time())


def _start() -> None:
    ws = workspace()
    ws.refused.pop("training:start", None)
    try:
        spec = chosen_spec(ws)
        submit(store(), ws.owner, ws.venture_id, spec)
    except Refusal as refusal:
        ws.refused["training:start"] = refusal

"""The device of a run on screen: the choice where there are several, and what the run will take on it."""

import streamlit as st

from core.i18n import Language
from core.training.device import Device
from core.training.devices import device_in_use
from core.training.estimate import UNSEEN, Estimate, estimate
from core.training.spec import RunSpec
from core.training.speed import speed_of
from pages.parts.fields import held
from pages.parts.runs_table import tested
from pages.parts.services import store
from pages.parts.session import workspace
from pages.parts.shell import plain, select

KEY = "training:device"

LOOKS_BACK = 30
"""Runs of the founder, whichever plan they are for, from which time and cost are estimated."""


def device_select(_: Language) -> None:
    """The choice between the devices; nothing where there are fewer than two GPUs."""
    choices = _choices(device_in_use(store()))
    if not choices:
        return
    options = {"": _("Any free GPU")} | {choice.code: _named(choice, _) for choice in choices}
    select(
        _("Device"),
        options,
        KEY,
        help=_(
            "A GPU trains one run at a time. A run for one GPU waits until that one is free; others go on meanwhile."
        ),
        persist_state="session",
    )


def chosen_device() -> str:
    """The device that is chosen, as ``RunSpec.device`` has it; "" where there is nothing to choose."""
    code = str(held(KEY) or "")
    there = {choice.code for choice in _choices(device_in_use(store()))} if code else set()
    return code if code in there else ""


def _choices(found: Device) -> tuple[Device, ...]:
    return found.choices if len(found.gpus) > 1 else ()


def _named(choice: Device, _: Language) -> str:
    """A device with what sets it apart: its memory, or the processor's cores."""
    if choice.kind == "cpu":
        return _("CPU, {cores} cores", cores=choice.cores) + f" · {choice.name}"
    return f"{choice.label} · {_.number(choice.memory_bytes / 2**30, digits=2)} GiB"


def beforehand(spec: RunSpec, _: Language) -> None:
    """The device by name, the work of the run, and how long it will take there and cost."""
    found = device_in_use(store())
    devices = _possible(found, spec.device)
    kind = _("GPU") if devices[0].kind == "gpu" else _("CPU, {cores} cores", cores=devices[0].cores)
    names = " / ".join(one.label if spec.device else one.name for one in devices)
    st.markdown(f":material/memory: **{plain(names)}** · {kind}")
    if remark := devices[0].remark:
        st.caption(plain(_.text(remark)))
    said = _(
        "{parameters} parameters · {steps} steps · {flop} FLOP",
        parameters=f"{spec.parameters:,}",
        steps=f"{spec.total_steps:,}",
        flop=f"{spec.training_flop:.2e}",
    )
    st.caption(plain(said))
    _estimate(spec, devices, _)


def _possible(found: Device, code: str) -> list[Device]:
    """The devices that the run may come onto, one of each model."""
    if code:
        return [next((choice for choice in found.choices if choice.code == code), found)]
    models: dict[str, Device] = {}
    for gpu in found.gpus or (found,):
        models.setdefault(gpu.name, gpu)
    return [found] if len(models) == 1 else list(models.values())


def _estimate(spec: RunSpec, devices: list[Device], _: Language) -> None:
    """Seconds and dollars, from the fastest of the devices to the slowest; nothing is known if one of them is not."""
    past = [(run.spec, run.result) for run in tested(store().runs.rows(workspace().owner, limit=LOOKS_BACK))]
    guesses: list[Estimate] = []
    for device in devices:
        guess = estimate(spec, past, device.name, speed_of(device))
        if guess is None:
            st.caption(_("How long it takes here is known after the first run."))
            return
        guesses.append(guess)
    slowest = max(guesses, key=lambda guess: guess.seconds)
    about = {
        "low": _.number(min(guess.seconds / guess.factor for guess in guesses), digits=2),
        "high": _.number(max(guess.seconds * guess.factor for guess in guesses), digits=2),
        "dollars": _.money(slowest.dollars, "USD", digits=2),
    }
    st.markdown(
        ":material/timer: "
        + plain(
            _(
                "About {low} to {high} s and {dollars}, from earlier runs on this device",
                **about,
            )
            if all(guess.factor < UNSEEN for guess in guesses)
            else _(
                "About {low} to {high} s and {dollars}, from a first measure of this device's speed", **about
            )
        )
    )

"""Which devices a run may be put on, as the workers tell, and which one a choice means.

A choice is ``RunSpec.device``: "" for any free GPU (or the processor where there is none), "cpu", or a GPU's
UUID. Where runs are placed by a cluster there is nothing to choose.
"""

import os
from dataclasses import replace

from core.i18n import Refusal
from core.storage import Store
from core.training import device
from core.training.device import CPU, Device
from core.training.seat import here
from core.training.spec import FIELDS, RunSpec
from core.training.worker import CLUSTER

ALIVE_WITHIN_S = 10.0


def device_in_use(store: Store) -> Device:
    """The device that a run submitted now will train on if nobody chooses, with the choices there are.

    As the worker found it with its backend; before a worker has told, as the machine looks from here.
    """
    workers = store.workers.rows(alive_within_s=ALIVE_WITHIN_S)
    if not workers:
        found = device.installed()
        return undivided(found) if os.environ.get(CLUSTER, "").strip() else found
    nearest = max(workers, key=lambda worker: (worker.id.startswith(f"{here()}/"), worker.beat_at))
    return Device.from_json(nearest.device)


def reachable(store: Store) -> dict[str, Device]:
    """Every device that a worker which is alive could put a run on, by its code."""
    workers = store.workers.rows(alive_within_s=ALIVE_WITHIN_S)
    devices = [Device.from_json(worker.device) for worker in workers]
    return {one.code: one for found in devices for one in found.choices or (found,)}


def undivided(found: Device) -> Device:
    """The device of a cluster, which places the runs itself: nothing to choose."""
    return replace(found, uuid="", number=None, choices=())


def chosen(found: Device, code: str) -> Device:
    """The device that ``code`` chooses where ``found`` is in use; a Refusal, naming those there are, if none."""
    if not code:
        return found
    for choice in found.choices or (found,):
        if choice.code == code:
            return choice
    raise _unknown(found, code)


def code_of(found: Device, text: str) -> str:
    """The choice that a person means by ``text``: a name as shown, a GPU's number or UUID, "cpu"; "" is any.

    A Refusal that names the devices there are if it is none of them, or several.
    """
    asked = text.strip()
    if asked.lower() in ("", CPU):
        return asked.lower()
    choices = found.choices or (found,)
    for same in (
        [one for one in choices if asked in (one.code, one.label)],
        [one for one in choices if one.kind == "gpu" and asked == str(one.number or 0)],
        [one for one in choices if one.name.casefold() == asked.casefold()],
    ):
        if len(same) == 1:
            return same[0].code
    raise _unknown(found, asked)


def _unknown(found: Device, value: str) -> Refusal:
    names = [choice.label for choice in found.choices or (found,) if choice.kind == "gpu"]
    return Refusal(
        "The {field} is {value}; allowed are: {allowed}.",
        field=FIELDS["device"],
        value=value[:80],
        allowed=", ".join([*names, CPU]),
    )


def still(store: Store, spec: RunSpec, model: str = "") -> RunSpec:
    """The run on the device that it chose; if it chose none, or one that is gone, on any.

    Where there are GPUs of several models, "any" is narrowed down to one of the ``model`` (a name), if it is given.
    """
    found = device_in_use(store)
    choices = {choice.code: choice.name for choice in found.choices or (found,)}
    if spec.device in choices:
        return spec
    mixed = len({gpu.name for gpu in found.gpus}) > 1
    narrowed = next((code for code, name in choices.items() if mixed and name == model), "")
    return replace(spec, device=narrowed)


def name_of(store: Store, code: str, usual: str) -> str:
    """The name of the device that ``code`` chooses, which speeds are known by; ``usual`` for any."""
    found = reachable(store).get(code) if code else None
    return found.name if found else usual

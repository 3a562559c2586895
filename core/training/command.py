"""``python -m core train``: one run from the shell, in this process, without queue or database."""

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import psutil

from core.training.result import Progress, RunResult
from core.training.spec import RunSpec
from core.training.worker import ENVIRONMENT


def train(
    *,
    preset: str = "cnn",
    epochs: int | None = None,
    batch_size: int | None = None,
    optimizer: str | None = None,
    activation: str | None = None,
    loss: str | None = None,
    learning_rate: float | None = None,
    seed: int | None = None,
    train_images: int | None = None,
    price_per_hour: float | None = None,
    power_watts: float | None = None,
    report: Callable[[Progress], bool] = lambda progress: True,
) -> dict[str, Any]:
    """Train the network ``preset`` ("cnn" or "mlp") and return what was measured, ready for JSON.

    None takes the default of :class:`RunSpec`. ``report`` is called up to four times a second; if it
    answers False the run stops. The device counts as held since this process began, imports included.
    Raises a Refusal for a wrong setting, and if the training fails.
    """
    settings = {
        "epochs": epochs,
        "batch_size": batch_size,
        "optimizer": optimizer,
        "activation": activation,
        "loss": loss,
        "learning_rate": learning_rate,
        "seed": seed,
        "train_images": train_images,
        "price_per_hour": price_per_hour,
        "power_watts": power_watts,
    }
    given: dict[str, Any] = {name: value for name, value in settings.items() if value is not None}
    spec = RunSpec(network=preset, **given)
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    with silent():
        from core.training import run

    return flat(spec, run.train(spec, report, held_since=psutil.Process().create_time()))


@contextlib.contextmanager
def silent() -> Iterator[None]:
    """Keep native libraries from writing to standard error while they are loaded; no setting does."""
    kept = os.dup(2)
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)


def flat(spec: RunSpec, result: RunResult) -> dict[str, Any]:
    """The result in one level, as a shell script wants it."""
    measured = asdict(result)
    device, energy = measured.pop("device"), measured.pop("energy")
    return {
        "device": device["name"],
        "device_kind": device["kind"],
        "idle_gpu": device["idle_gpu"],
        **measured,
        "energy_joules": energy["joules"],
        "energy_method": energy["method"],
        "energy_uncertainty": result.energy.uncertainty,
        "spec": asdict(spec),
    }

"""``python -m core train``: one run from the shell, in this process, without queue or database."""

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

import psutil

from core.i18n import Refusal
from core.training.presets import PRESETS
from core.training.result import Progress, RunResult
from core.training.spec import RunSpec
from core.training.worker import ENVIRONMENT


def train(
    *,
    preset: str = "cnn",
    report: Callable[[Progress], bool] = lambda progress: True,
    **settings: Any,
) -> dict[str, Any]:
    """Train the recipe ``preset``, with ``settings`` changed, and return what was measured, ready for JSON.

    ``settings`` are fields of :class:`RunSpec`; None leaves what the preset has. ``report`` is called up to four
    times a second; if it answers False the run stops. The device counts as held since this process began,
    imports included. Raises a Refusal for a wrong setting, and if the training fails.
    """
    spec = spec_of(preset, {name: value for name, value in settings.items() if value is not None})
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    with silent():
        from core.training import run

    return flat(spec, run.train(spec, report, held_since=psutil.Process().create_time()))


def spec_of(preset: str, settings: Mapping[str, Any]) -> RunSpec:
    """The specification of a preset with ``settings`` in place of its own."""
    if preset not in PRESETS:
        raise Refusal(
            "The preset is {value}; allowed are: {allowed}.", value=preset[:40], allowed=", ".join(PRESETS)
        )
    return RunSpec(**{**PRESETS[preset].settings, **settings})


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

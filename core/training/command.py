"""``python -m core train`` and ``explain``: one run from the shell, in this process, without queue; and what a
finished one does well and badly.
"""

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import psutil

from core.i18n import Refusal, language
from core.storage import open_store
from core.training import checkpoint, shelf
from core.training.card import model_card
from core.training.cards import seated
from core.training.device import installed
from core.training.devices import code_of
from core.training.presets import PRESETS
from core.training.report import Report
from core.training.result import Progress, RunResult
from core.training.script import DATA, data_file, script
from core.training.spec import RunSpec
from core.training.worker import ENVIRONMENT

SPEC = "spec.json"
"""What a folder of ``train`` holds a run of."""


def train(
    *,
    preset: str = "cnn",
    leave: Path | None = None,
    report: Callable[[Progress], bool] = lambda progress: True,
    apart: float = 0.0,
    **settings: Any,
) -> dict[str, Any]:
    """Train the recipe ``preset``, with ``settings`` changed, and return what was measured, ready for JSON.

    ``settings`` are fields of :class:`RunSpec`; None leaves what the preset has. ``leave`` is a folder for
    the network (also as ONNX), the report on it, the model card and the script that trains it again; a run
    that was cut off goes on from what it left there, and one of other settings is refused. ``report`` is
    called up to four times a second; if it answers False the run stops. The device counts as held since
    this process began, imports included, a wait for a free GPU and the ``apart`` seconds that it took to
    look into data left out. Raises a Refusal for a wrong setting, and if the training fails.
    """
    spec = spec_of(preset, {name: value for name, value in settings.items() if value is not None})
    if leave is not None:
        _take(leave, spec)
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    with seated(spec.device) as waited:
        with silent():
            from core.training import run

        began = psutil.Process().create_time() + waited + apart
        result = run.train(spec, report, held_since=began, leave=leave)
    if leave is not None and not result.stopped:
        _write(spec, result, leave)
    return flat(spec, result)


def _take(folder: Path, spec: RunSpec) -> None:
    """Keep what the run is beside its checkpoints; a Refusal if one of another run is there."""
    file = folder / SPEC
    if checkpoint.left(folder) is not None:
        try:
            before = _trained(RunSpec.from_json(file.read_text("utf-8")))
        except (OSError, ValueError, TypeError, Refusal):
            before = None
        if before != _trained(spec):
            raise Refusal(
                "{folder} holds what a run with other settings left when it was cut off; take another folder, or delete {file} there.",
                folder=str(folder),
                file=checkpoint.NETWORK,
            )
    file.write_text(spec.to_json(), "utf-8")


def _trained(spec: RunSpec) -> RunSpec:
    """The run without what its training does not depend on."""
    return replace(spec, price_per_hour=0.0, power_watts=None, device="")


def _write(spec: RunSpec, result: RunResult, folder: Path) -> None:
    """Card, script, data and the ONNX file beside the network."""
    report = Report.from_json((folder / shelf.REPORT).read_text("utf-8"))
    card = model_card(folder.name, spec, result, report, language("en"))
    (folder / "model-card.md").write_text(card, "utf-8")
    (folder / "train.py").write_text(script(spec), "utf-8")
    with silent():
        from core.training import start

        (folder / DATA).write_bytes(data_file(spec, start.load(spec)))
        from core.training import onnx_file

        onnx_file.write(folder, folder.name, spec)


def explain(name: str, owner: str = "local") -> dict[str, Any]:
    """What a finished run does well and badly, ready for JSON.

    ``name`` is the id of a run in the store, or a beginning of it that is its alone, or a folder that
    ``train`` left. Raises a Refusal if there is no such run, or if it left no report.
    """
    folder = Path(name)
    if not folder.is_dir():
        store = open_store()
        try:
            store.migrate()
            found = [row for row in store.runs.rows(owner, limit=10_000) if row.id.startswith(name)]
        finally:
            store.close()
        if len(found) != 1:
            raise Refusal(
                "There is no one run {name}; {count} runs begin so.", name=name[:60], count=len(found)
            )
        folder = shelf.run_folder(found[0].id)
    try:
        report = Report.from_json((folder / shelf.REPORT).read_text("utf-8"))
    except (OSError, ValueError, KeyError, TypeError):
        raise Refusal("The run {name} left no report: it did not come to its end.", name=name[:60]) from None
    return _explained(report)


def _explained(report: Report) -> dict[str, Any]:
    names = report.class_names
    if not names:
        return {"answers": [{"truth": truth, "answer": said} for truth, said in report.points]}
    return {
        "classes": [
            {"class": name, "test_examples": count, "precision": precision, "recall": recall}
            for name, count, precision, recall in report.by_class()
        ],
        "confusion": [list(row) for row in report.confusion],
        "calibration": [asdict(step) for step in report.calibration],
        "calibration_error": report.calibration_error,
        "worst_mistakes": [
            {
                "test_example": mistake.place,
                "right": names[mistake.right],
                "said": names[mistake.said],
                "confidence": mistake.confidence,
            }
            for mistake in report.mistakes
        ],
    }


def spec_of(preset: str, settings: Mapping[str, Any]) -> RunSpec:
    """The specification of a preset with ``settings`` in place of its own, the device by any of its names."""
    if preset not in PRESETS:
        raise Refusal(
            "The preset is {value}; allowed are: {allowed}.", value=preset[:40], allowed=", ".join(PRESETS)
        )
    held = {**PRESETS[preset].settings, **settings}
    if held.get("device"):
        held["device"] = code_of(installed(), held["device"])
    return RunSpec(**held)


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
        "device_label": result.device.label,
        "device_kind": device["kind"],
        "idle_gpu": device["idle_gpu"],
        **measured,
        "energy_joules": energy["joules"],
        "energy_method": energy["method"],
        "energy_uncertainty": result.energy.uncertainty,
        "test_images": spec.data.test_images,
        "available_images": spec.data.train_images,
        "spec": asdict(spec),
    }

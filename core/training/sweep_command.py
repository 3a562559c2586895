"""``python -m core sweep``: a sweep from the shell, in this process, without queue or database."""

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from core.i18n import Refusal
from core.training import device
from core.training.cards import seated
from core.training.command import flat, silent
from core.training.curve_report import documents
from core.training.devices import chosen
from core.training.estimate import estimate
from core.training.result import RunResult
from core.training.spec import RunSpec
from core.training.sweep import Axis, Sweep, Trial, best_of, judged, next_run, price, varied
from core.training.worker import ENVIRONMENT

Past = list[tuple[RunSpec, RunResult]]


def read_axes(given: Sequence[str]) -> tuple[Axis, ...]:
    """What varies, from ``field=values`` such as ``train_images=2500,5000`` or ``learning_rate=0.0001..0.1``."""
    axes = []
    for text in given:
        field, sign, values = text.partition("=")
        if not sign:
            raise Refusal("What varies is “{value}”; write field=10,20,30 or field=10..30.", value=text[:40])
        axes.append(Axis.read(field.strip().replace("-", "_"), values))
    return tuple(axes)


def sweep_report(sweep: Sweep, measured: Path | None = None, plan_only: bool = False) -> dict[str, Any]:
    """Train what the sweep says until it is over or its budget is; what was planned, run and found, for JSON.

    ``measured``: results of ``core train``, whose speed prices the sweep beforehand. With ``plan_only``
    nothing is trained. A line for every run goes to standard error.
    """
    past = read_past(measured) if measured else []
    name = chosen(device.installed(), sweep.base.device).name
    start = median(r.held_seconds - r.fit_seconds - r.test_seconds for _, r in past) if past else 0.0
    told = price(sweep, _seconds(past, name), start)
    answer: dict[str, Any] = {"planned": asdict(told), "method": sweep.method}
    if plan_only:
        return answer | {"runs": [{**varied(sweep, spec), **_size(spec)} for spec in sweep.planned()]}
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    with seated(sweep.base.device) as waited:
        trials, results, reason = _run(sweep, past, name, waited)
    best = best_of(trials, sweep)
    return answer | {
        "ended": reason,
        "seconds": sum(trial.seconds for trial in trials),
        "share_of_budget": sweep.spent(sum(trial.seconds for trial in trials)),
        "best": None if best is None else {**varied(sweep, best.spec), "accuracy": best.accuracy},
        "runs": results,
    }


def read_past(file: Path) -> Past:
    """Results of ``core train`` or ``core sweep`` as they were before they were written; failed ones tell no
    speed."""
    past = []
    for run in documents(file):
        if run.get("state") == "failed":
            continue
        try:
            nested = {
                "device": {
                    "kind": run["device_kind"],
                    "name": run["device"],
                    "cores": 0,
                    "memory_bytes": 0,
                    "backend": "",
                },
                "energy": {"joules": run["energy_joules"], "method": run["energy_method"]},
            }
            past.append(
                (
                    RunSpec.from_json(json.dumps(run["spec"])),
                    RunResult.from_json(json.dumps({**run, **nested})),
                )
            )
        except (KeyError, TypeError):
            raise Refusal("{file} holds something else than results of core train.", file=str(file)) from None
    return past


def _size(spec: RunSpec) -> dict[str, int]:
    return {"train_images": spec.train_images, "epochs": spec.epochs, "seed": spec.seed}


def _seconds(past: Past, name: str) -> Callable[[RunSpec], float | None]:
    """Seconds of a run by the speed of past ones on the device of that name; in one process only the first has a
    start to wait for."""
    past = [(spec, replace(r, held_seconds=r.fit_seconds + r.test_seconds)) for spec, r in past]

    def seconds(spec: RunSpec) -> float | None:
        found = estimate(spec, past, name)
        return None if found is None else found.seconds

    return seconds


def _run(sweep: Sweep, past: Past, name: str, waited: float) -> tuple[list[Trial], list[dict[str, Any]], str]:
    trials: list[Trial] = []
    results: list[dict[str, Any]] = []
    began = psutil.Process().create_time() + waited  # the first run has this process to thank for its start
    busy = 0.0
    while (spec := next_run(sweep, trials)) is not None:
        used = sum(trial.seconds for trial in trials)
        seconds = _seconds(past, name)(spec)
        if seconds is not None and sweep.spent(used + seconds) > 1:
            return trials, results, "the rest of the budget does not pay for another run"
        trial, flat, result = _one(sweep, spec, used, began, busy)
        trials.append(trial)
        results.append(flat)
        if result is not None and not result.stopped:
            past.insert(0, (spec, result))
        print(_line(sweep, trial, len(trials)), file=sys.stderr, flush=True)
        if sweep.spent(used + trial.seconds) >= 1:
            return trials, results, "the budget was used up"
        began, busy = time.time(), time.process_time()
    return trials, results, "every run is done"


def _one(
    sweep: Sweep, spec: RunSpec, used: float, began: float, busy: float
) -> tuple[Trial, dict[str, Any], RunResult | None]:
    """One run, stopped where the budget is used up; ``busy`` are seconds of processor time before it."""
    with silent():
        from core.training import run

    try:
        result = run.train(
            spec,
            stop=lambda: sweep.spent(used + time.time() - began) >= 1,
            held_since=began,
            spent=busy,
        )
    except Refusal as refusal:
        failed = Trial(spec, "failed", None, time.time() - began)
        return failed, {"state": "failed", "reason": str(refusal), "spec": asdict(spec)}, None
    state = "stopped" if result.stopped else "done"
    trial = Trial(spec, state, None if result.stopped else judged(spec, result), result.held_seconds)
    return trial, {"state": state, **flat(spec, result)}, result


def _line(sweep: Sweep, trial: Trial, number: int) -> str:
    settings = ", ".join(f"{name} {value:g}" for name, value in varied(sweep, trial.spec).items())
    accuracy = "" if trial.accuracy is None else f", accuracy {trial.accuracy:.4f}"
    return f"run {number}: {settings}: {trial.state}{accuracy}, {trial.seconds:.1f} s"

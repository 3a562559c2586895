"""``python -m core curve RUNS.json``: learning curves from a file of finished runs, ready for JSON.

The file holds the results of ``python -m core train``, as a list, as {"runs": [...]}, as ``core sweep``
writes them, or simply one after the other (``core train … >> RUNS.json``). A run from elsewhere needs only
``images`` and ``test_error`` or ``test_accuracy``; ``test_images`` (else 10,000), ``available_images``
(else 60,000), ``training_flop``, ``held_seconds``, ``cost_usd``, ``network`` and ``epochs`` are used where
they are there. Runs that failed, were stopped or predict a number have no test accuracy: they are left out,
and counted on standard error.
"""

import json
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.i18n import Refusal
from core.training.curve import Curve, fit, zone
from core.training.points import TEST_IMAGES, By, Measured, to_run_next

MAX_BYTES = 20_000_000
AVAILABLE = 60_000
"""Training images that there are, where neither the runs nor the caller say so: those of MNIST."""

RECORD = "ten networks on MNIST; not on other data"
"""What the band and the word of trust were measured on."""

STEPS = (1.0, 2.0, 3.0, 10.0, 30.0)
"""Where a curve is told if nobody asks: multiples of the largest run."""


def curve_report(
    file: Path,
    by: By = "data",
    at: Sequence[float] = (),
    target: float | None = None,
    price_per_hour: float | None = None,
    available: int | None = None,
) -> dict[str, Any]:
    """Every curve that the runs in ``file`` support, and what to run next where they do not.

    ``at``: sizes (images, or FLOP) to tell the error at; ``target``: an accuracy whose size and cost are
    wanted; ``available``: the images there are, if not as many as the runs say. Raises a Refusal for a file that cannot be read.
    """
    for size in at:
        if not (math.isfinite(size) and size > 0):
            raise Refusal("The size is {value}; a number above 0 is needed.", value=size)
    told, left_out = read_runs(file, by)
    if left_out:
        print(f"{left_out} runs without a test accuracy were left out", file=sys.stderr)
    return {
        "by": by,
        "left_out": left_out,
        "band_tested_on": RECORD,
        "curves": [
            _one(
                name,
                runs.points,
                by,
                at,
                target,
                price_per_hour,
                runs.available if available is None else available,
            )
            for name, runs in told.items()
        ],
    }


@dataclass(slots=True)
class Together:
    """Tested runs that have their settings in common, and how many images there are to train on."""

    points: list[Measured] = field(default_factory=list)
    available: int = 0


def read_runs(file: Path, by: By) -> tuple[dict[str, Together], int]:
    """The tested runs of a file by what they have in common, and how many runs were left out."""
    found: dict[str, Together] = {}
    left_out = 0
    for number, run in enumerate(documents(file), 1):
        if _untested(run):
            left_out += 1
            continue
        together = found.setdefault(_family(run, by), Together())
        together.points.append(_point(run, number, by))
        there = int(_number(run.get("available_images", AVAILABLE), "available_images", number))
        together.available = max(together.available, there)
    if not found:
        raise Refusal("{file} holds no tested run.", file=str(file))
    return found, left_out


def _untested(run: dict[str, Any]) -> bool:
    """Whether a run says itself that it has no accuracy: it failed, was stopped, or predicts a number."""
    ended = run.get("state", "done") != "done" or bool(run.get("stopped"))
    return ended or ("test_accuracy" in run and run["test_accuracy"] is None and "test_error" not in run)


def documents(file: Path) -> list[dict[str, Any]]:
    """The runs as they are written: one list, or one after the other."""
    try:
        with file.open("rb") as opened:
            text = opened.read(MAX_BYTES + 1).decode("utf-8")
    except OSError as error:
        raise Refusal("{file} cannot be read: {reason}.", file=str(file), reason=error.strerror) from None
    except UnicodeDecodeError:
        raise Refusal("{file} is not JSON.", file=str(file)) from None
    if len(text) > MAX_BYTES:
        raise Refusal("{file} is larger than {most} MB.", file=str(file), most=MAX_BYTES // 1_000_000)
    decoder, place, found = json.JSONDecoder(), 0, list[Any]()
    try:
        while text[place:].strip():
            place += len(text[place:]) - len(text[place:].lstrip())
            document, place = decoder.raw_decode(text, place)
            held = document.get("runs", document) if isinstance(document, dict) else document
            found += held if isinstance(held, list) else [held]
    except (ValueError, RecursionError):
        raise Refusal("{file} is not JSON.", file=str(file)) from None
    if not all(isinstance(run, dict) for run in found):
        raise Refusal("{file} holds something else than runs.", file=str(file))
    return found


def _family(run: dict[str, Any], by: By) -> str:
    """What a run has in common with those on its curve, in words."""
    size = {"train_images", "images", "seed", "price_per_hour", "power_watts", "device"}
    if by == "compute":
        size.add("epochs")
    spec = run.get("spec")
    held = spec if isinstance(spec, dict) else {k: run[k] for k in ("network", "epochs") if k in run}
    return ", ".join(f"{k}={held[k]}" for k in sorted(held) if k not in size and held[k] is not None)


def _point(run: dict[str, Any], number: int, by: By) -> Measured:
    spec = run.get("spec") if isinstance(run.get("spec"), dict) else {}
    images = (spec or {}).get("train_images", run.get("train_images", run.get("images")))
    error = run.get("test_error")
    accuracy = run.get("test_accuracy") if error is None else 1 - _number(error, "test_error", number)
    point = Measured(
        run_id=str(number),
        compute=_number(run.get("training_flop", 0 if by == "data" else None), "training_flop", number),
        held_seconds=_number(run.get("held_seconds", 0), "held_seconds", number),
        cost_usd=_number(run.get("cost_usd", 0), "cost_usd", number),
        accuracy=_number(accuracy, "test_accuracy", number),
        images=int(_number(images, "images", number)),
        test_images=int(_number(run.get("test_images", TEST_IMAGES), "test_images", number)),
    )
    for name, fits in (
        ("test_accuracy", 0 <= point.accuracy <= 1),
        ("images", point.images >= 1),
        ("test_images", point.test_images >= 1),
        ("training_flop", by == "data" or point.compute > 0),
    ):
        if not fits:
            raise Refusal("Run {number} has a {field} out of range.", number=number, field=name)
    return point


def _number(value: object, field: str, number: int) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise Refusal(
            "Run {number} has {value} as its {field}; a number is needed.",
            number=number,
            value=str(value)[:40],
            field=field,
        )
    return float(value)


def _one(
    name: str,
    points: list[Measured],
    by: By,
    at: Sequence[float],
    target: float | None,
    price_per_hour: float | None,
    available: int,
) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "runs": name,
        "count": len(points),
        "run_next": [{"images": one.images, "runs": one.runs} for one in to_run_next(points, available)],
    }
    try:
        curve = fit(points, by)
    except Refusal as refusal:
        return answer | {"status": "not enough data", "reason": str(refusal)}
    answer |= {
        "status": "fitted",
        "error": "a * size^-b",
        "a": curve.a,
        "b": curve.b,
        "smallest": curve.smallest,
        "largest": curve.largest,
        "interval": 0.8,
        "held_out": {
            "size": curve.held_out.size,
            "measured_error": curve.held_out.measured,
            "predicted_error": _band(curve.held_out.low, curve.held_out.mid, curve.held_out.high),
            "inside": curve.held_out.inside,
        },
        "predictions": [_prediction(curve, s) for s in at or [curve.largest * step for step in STEPS]],
    }
    if target is not None:
        answer["target"] = _target(curve, target, price_per_hour)
    return answer


def _prediction(curve: Curve, size: float) -> dict[str, Any]:
    found = curve.error(size)
    return {
        "size": size,
        "error": _band(float(found.low), float(found.mid), float(found.high)),
        "trust": zone(size, curve.largest),
    }


def _target(curve: Curve, target: float, price_per_hour: float | None) -> dict[str, Any]:
    try:
        reach = curve.reach(target, price_per_hour or 0.0)
    except Refusal as refusal:
        return {"accuracy": target, "reached": False, "reason": str(refusal)}
    told: dict[str, Any] = {"accuracy": target, "size": _band(*reach.size), "times_largest": reach.factor}
    if price_per_hour is not None and curve.seconds_per_unit > 0:
        told["cost_usd"] = _band(*reach.cost_usd)
    return told | {"trust": zone(reach.size[1], curve.largest), "share_of_draws_that_never_do": reach.never}


def _band(low: float, mid: float, high: float | None) -> dict[str, float | None]:
    return {"low": low, "mid": mid, "high": high}

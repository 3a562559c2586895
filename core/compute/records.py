"""Published records, read: training runs and serving throughputs as the tables of the field hold them.

A row becomes a record that an estimate can be held against, or an :class:`Unusable` with the reason.
The rules look at what is published, never at how far the estimate is off:

* a training run needs GPU-hours, FLOP or parameters and tokens, a known accelerator, at least 1 B
  parameters (below, embeddings and overhead rule), and a table that does not keep it out itself;
  FLOP are counted as 6ND where both are known, because publishers' own counts often hold the
  recomputation (HFU) or are counted back from hours;
* a throughput needs the length of prompts and answers, output tokens, a serving engine that batches
  requests (llama.cpp and plain transformers do not), a known accelerator and a transformer.
"""

import csv
import io
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from core.compute.hardware import Accelerator, Precision, accelerator_called
from core.compute.language_models import LanguageModel, shape_of
from core.compute.tables import Row, table
from core.i18n import Refusal, Text

SMALLEST_MODEL = 1e9
_MOST_BYTES = 20_000_000

TRAINING_COLUMNS = ("model", "arch", "params_active", "tokens", "hardware", "gpu_hours", "precision")
SERVING_COLUMNS = ("model", "params_total", "gpu", "num_gpus", "precision", "tokens_per_s")


@dataclass(frozen=True, slots=True)
class Unusable:
    """A row that no estimate can be held against, and why."""

    model: str
    reason: Refusal


@dataclass(frozen=True, slots=True)
class TrainingRecord:
    """A published training run. ``accelerators`` is None where the row does not say; ``active`` are the
    parameters at work per token, counted back from the FLOP (Chinchilla, √(C/120)) where it does not.

    ``lineage`` is the family of models, ``house`` the developer; ``rounded`` says that the publisher
    gives the length of the run only roughly.
    """

    model: str
    lineage: str
    house: str
    hardware: Accelerator
    accelerators: float | None
    active: float
    moe: bool
    fp8: bool
    flop: float
    gpu_hours: float
    rounded: bool
    source: str


@dataclass(frozen=True, slots=True)
class ServingRecord:
    """A published throughput in output tokens/s of one replica of ``accelerators``."""

    model: str
    shape: LanguageModel
    hardware: Accelerator
    accelerators: int
    precision: Precision
    input_tokens: float
    output_tokens: float
    max_batch: float
    tokens_per_s: float
    calibrates: bool
    source: str


@lru_cache(maxsize=1)
def published_training() -> tuple[TrainingRecord | Unusable, ...]:
    """The training runs that ship with the estimator."""
    return tuple(training_record(row) for row in table("published_training"))


@lru_cache(maxsize=1)
def published_serving() -> tuple[ServingRecord | Unusable, ...]:
    """The throughputs that ship with the estimator."""
    return tuple(serving_record(row) for row in table("published_serving"))


def read_rows(path: Path, needed: Iterable[str]) -> list[Row]:
    """The rows of a CSV file that has the ``needed`` columns; a Refusal that names what is wrong."""
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise Refusal("{file} cannot be read: {reason}.", file=str(path), reason=error.strerror) from None
    if len(data) > _MOST_BYTES:
        raise Refusal("{file} is larger than {most} MB.", file=str(path), most=_MOST_BYTES // 10**6)
    try:
        reader = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""))
        names = reader.fieldnames or []
        rows = [{key: value or "" for key, value in row.items() if isinstance(key, str)} for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise Refusal("{file} is not a CSV file: {reason}.", file=str(path), reason=str(error)[:80]) from None
    if missing := [name for name in needed if name not in names]:
        raise Refusal("{file} has no column {missing}.", file=str(path), missing=", ".join(missing))
    return rows


def training_record(row: Row) -> TrainingRecord | Unusable:
    """The record of a row with the columns of ``data/published_training.csv``; lineage and house may miss."""
    model = row["model"]
    try:
        return _training(row)
    except Refusal as reason:
        return Unusable(model, reason)


def serving_record(row: Row) -> ServingRecord | Unusable:
    """The record of a row with the columns of ``data/published_serving.csv``."""
    try:
        return _serving(row)
    except Refusal as reason:
        return Unusable(row["model"], reason)


def _training(row: Row) -> TrainingRecord:
    if row.get("in_backtest", "1").strip() in ("0", "0.0", "false", "False"):
        stated = Text(row.get("left_out_en", "") or row.get("notes", ""), row.get("left_out_zh", ""))
        if stated.en:
            raise Refusal("The table keeps it out: {reason}", reason=stated)
        raise Refusal("The table keeps it out.")
    hours = _number(row, "gpu_hours")
    if hours is None:
        raise Refusal("No GPU-hours are published.")
    if row["arch"] == "encoder":
        raise Refusal("An encoder is another kind of model.")
    active = _number(row, "params_active") or _number(row, "params_total")
    tokens = _number(row, "tokens")
    flop = 6 * active * tokens if active and tokens else _number(row, "training_flop")
    if flop is None:
        raise Refusal("Neither parameters and tokens nor FLOP are published.")
    if (
        active is not None
        and active < SMALLEST_MODEL
        and (_number(row, "params_total") or 0) < SMALLEST_MODEL
    ):
        raise Refusal("Under 1 B parameters, embeddings and overhead rule the time.")
    model = row["model"]
    basis = row.get("gpu_hours_basis", "")
    return TrainingRecord(
        model=model,
        lineage=row.get("lineage") or model,
        house=row.get("house") or model,
        hardware=accelerator_called(row["hardware"]),
        accelerators=_number(row, "num_gpus"),
        active=active or math.sqrt(flop / 120),
        moe=row["arch"] == "moe",
        fp8=row["precision"].strip().lower().startswith("fp8"),
        flop=flop,
        gpu_hours=hours,
        rounded=any(word in basis + row.get("hardware", "") for word in _ROUNDED),
        source=row.get("source", ""),
    )


def _serving(row: Row) -> ServingRecord:
    speed, kind = _number(row, "tokens_per_s"), row.get("tokens_kind", "output").lower()
    engine = row.get("framework", "").lower()
    prompt, answer = _number(row, "input_len"), _number(row, "output_len")
    if speed is None:
        raise Refusal("No throughput is published.")
    if prompt is None or answer is None:
        raise Refusal("The lengths of prompts and answers are not published.")
    if answer <= 1:
        raise Refusal("It measures one phase alone, not whole answers.")
    if not kind.startswith(("output", "total output")) or "fleet" in kind or "nodes" in kind:
        raise Refusal("It does not count output tokens alone, or does not say what it counts.")
    if any(name in engine for name in _UNBATCHED):
        raise Refusal(
            "{engine} is another kind of software: it does not batch requests.", engine=row["framework"]
        )
    if _NOT_A_TRANSFORMER.search(row["model"].lower() + " " + row.get("notes", "").lower()):
        raise Refusal("It is not a plain transformer.")
    total = _number(row, "params_total")
    if total is None:
        raise Refusal("The size of the model is not published.")
    hardware = accelerator_called(row["gpu"])
    return ServingRecord(
        model=row["model"],
        shape=shape_of(row["model"], total, _number(row, "params_active")),
        hardware=hardware,
        accelerators=max(1, int(_number(row, "num_gpus") or 1)),
        precision=_precision(row["precision"], hardware),
        input_tokens=max(1.0, prompt),
        output_tokens=answer,
        max_batch=_largest_batch(row.get("batch_or_concurrency", "")),
        tokens_per_s=speed,
        calibrates=row.get("calibrates") == "1",
        source=row.get("source", ""),
    )


_ROUNDED = ("approx", "unverified", "roughly", "derived", "about", "~")
_UNBATCHED = ("llama.cpp", "transformers", "ollama", "mlx", "exllama")
_NOT_A_TRANSFORMER = re.compile(r"mamba|hybrid|rwkv|\bssm\b|jamba|nemotron.?nano|nemotron-h|qwen3-next")
_PRECISIONS: dict[str, Precision] = {
    "bf16": "bf16",
    "fp16": "bf16",
    "fp8": "fp8",
    "fp4": "fp4",
    "nvfp4": "fp4",
    "mxfp4": "fp4",
    "int4": "int4",
    "awq": "int4",
    "gptq": "int4",
}


def _precision(text: str, hardware: Accelerator) -> Precision:
    found = _PRECISIONS.get(text.strip().lower())
    if found is None:
        raise Refusal("Its precision, {value}, is not one that is estimated.", value=text[:20])
    if found == "fp4" and not hardware.tflops_fp4:
        return "int4"  # weights in 4 bits, multiplied in 16
    hardware.peak(found)
    return found


def _largest_batch(text: str) -> float:
    """The batch or concurrency of a row; 2,048, the limit of the published runs, where it is a maximum."""
    match = re.fullmatch(r"\s*(\d+)(?:\.0)?\s*", text)
    return float(match[1]) if match else 2048.0


def _number(row: Row, column: str) -> float | None:
    text = row.get(column, "").strip()
    try:
        value = float(text) if text else None
    except ValueError:
        raise Refusal("{column} is {value}; a number is needed.", column=column, value=text[:40]) from None
    if value is not None and not 0 <= value < 1e40:
        raise Refusal("{column} is {value}; a number is needed.", column=column, value=text[:40])
    return value or None

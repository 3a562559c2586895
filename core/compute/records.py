"""Published records, read: training runs and serving throughputs as the tables of the field hold them.

A row becomes a record that an estimate can be held against, or an :class:`Unusable` with the reason.
The rules look at what is published, never at how far the estimate is off:

* a training run needs GPU-hours, FLOP or parameters and tokens, a known accelerator, at least 1 B
  parameters (below, embeddings and overhead rule), and a table that does not keep it out itself;
  FLOP are counted as 6ND where both are known, because publishers' own counts often hold the
  recomputation (HFU) or are counted back from hours;
* a throughput needs the length of prompts and answers, output tokens, a serving engine that batches
  requests (llama.cpp and plain transformers do not), a known accelerator and a transformer;
* what a row leaves open and the model's name tells (its size, its parameters at work) is taken from
  the table of models. A mixture of experts whose parameters at work nobody states is no use: counting
  all of them would be wrong by a factor of ten.

How a number, an accelerator or a precision is written does not matter: :mod:`core.compute.spelling`.
"""

import csv
import io
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from core.compute.hardware import Accelerator, Precision
from core.compute.language_models import BYTES_PER_WEIGHT, LanguageModel, model_called, usual_shape
from core.compute.spelling import (
    accelerator_called,
    accelerators_said,
    batch,
    in_8_bits,
    number,
    precision_of,
)
from core.compute.tables import Row, table
from core.i18n import Refusal, Text

SMALLEST_MODEL = 1e9
_MOST_BYTES = 20_000_000

TRAINING_COLUMNS = ("model", "hardware", "gpu_hours")
SERVING_COLUMNS = ("model", "gpu", "tokens_per_s")
"""The columns that a file must have. Without another, its rows say what they miss."""


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
    """A published throughput in output tokens/s of one replica of ``accelerators``.

    ``precision`` is the width of the weights, ``multiplied`` that of the products.
    """

    model: str
    shape: LanguageModel
    hardware: Accelerator
    accelerators: int
    precision: Precision
    multiplied: Precision
    engine: str
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
        names = reader.fieldnames = [name.strip().lower() for name in reader.fieldnames or []]
        rows = [{key: value or "" for key, value in row.items() if isinstance(key, str)} for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise Refusal("{file} is not a CSV file: {reason}.", file=str(path), reason=str(error)[:80]) from None
    if missing := [name for name in needed if name not in names]:
        raise Refusal("{file} has no column {missing}.", file=str(path), missing=", ".join(missing))
    return rows


def training_record(row: Row) -> TrainingRecord | Unusable:
    """The record of a row with the columns of ``data/published_training.csv``, most of which may miss."""
    model = row["model"]
    try:
        return _training(row)
    except Refusal as reason:
        return Unusable(model, reason)


def serving_record(row: Row) -> ServingRecord | Unusable:
    """The record of a row with the columns of ``data/published_serving.csv``, most of which may miss."""
    try:
        return _serving(row)
    except Refusal as reason:
        return Unusable(row["model"], reason)


def _training(row: Row) -> TrainingRecord:
    if row.get("in_backtest", "").strip().lower() in ("0", "0.0", "false", "no"):
        stated = Text(row.get("left_out_en", "") or row.get("notes", ""), row.get("left_out_zh", ""))
        if stated.en:
            raise Refusal("The table keeps it out: {reason}", reason=stated)
        raise Refusal("The table keeps it out.")
    hours = _number(row, "gpu_hours")
    if hours is None:
        raise Refusal("No GPU-hours are published.")
    arch = row.get("arch", "").strip().lower()
    if "encoder" in arch and "dec" not in arch:
        raise Refusal("An encoder is another kind of model.")
    total, active, moe = _size(row, arch)
    tokens = _number(row, "tokens")
    flop = 6 * active * tokens if active and tokens else _number(row, "training_flop")
    if flop is None:
        if moe and active is None and tokens:
            raise Refusal("The parameters at work per token are not published.")
        raise Refusal("Neither parameters and tokens nor FLOP are published.")
    if active is not None and max(active, total or 0) < SMALLEST_MODEL:
        raise Refusal("Under 1 B parameters, embeddings and overhead rule the time.")
    model, hardware = row["model"], accelerator_called(row["hardware"])
    return TrainingRecord(
        model=model,
        lineage=row.get("lineage") or model,
        house=row.get("house") or model,
        hardware=hardware,
        accelerators=_cluster(row, hours),
        active=active or math.sqrt(flop / 120),
        moe=moe,
        fp8=in_8_bits(row.get("precision", ""), hardware),
        flop=flop,
        gpu_hours=hours,
        rounded=any(word in row.get("gpu_hours_basis", "") + row["hardware"] for word in _ROUNDED),
        source=row.get("source", ""),
    )


def _serving(row: Row) -> ServingRecord:
    speed, kind = _number(row, "tokens_per_s"), row.get("tokens_kind", "").strip().lower()
    engine = row.get("framework", "")
    prompt, answer = _number(row, "input_len"), _number(row, "output_len")
    if speed is None:
        raise Refusal("No throughput is published.")
    if prompt is None or answer is None:
        raise Refusal("The lengths of prompts and answers are not published.")
    if answer <= 1:
        raise Refusal("It measures one phase alone, not whole answers.")
    if (kind and not _OUTPUT.match(kind)) or _PART_OF_IT.search(kind):
        raise Refusal("It does not count output tokens alone, or does not say what it counts.")
    if any(name in engine.lower() for name in _UNBATCHED):
        raise Refusal("{engine} is another kind of software: it does not batch requests.", engine=engine)
    if _NOT_A_TRANSFORMER.search(row["model"].lower()) or _RECURRENT.search(row.get("notes", "").lower()):
        raise Refusal("It is not a plain transformer.")
    total, active, moe = _size(row)
    if total is None:
        raise Refusal("The size of the model is not published.")
    if moe and active is None:
        raise Refusal("The parameters at work per token are not published.")
    hardware = accelerator_called(row["gpu"])
    precision, multiplied = precision_of(row.get("precision", ""), hardware)
    shape = model_called(row["model"], total) or usual_shape(total, active)
    return ServingRecord(
        model=row["model"],
        shape=shape,
        hardware=hardware,
        accelerators=_replica_size(row, speed) or _fewest(shape, precision, hardware),
        precision=precision,
        multiplied=multiplied,
        engine=engine,
        input_tokens=max(1.0, prompt),
        output_tokens=answer,
        # Where it is a maximum, the limit of the published runs.
        max_batch=batch(row.get("batch_or_concurrency", "")) or 2048.0,
        tokens_per_s=speed,
        calibrates=row.get("calibrates") == "1",
        source=row.get("source", ""),
    )


_ROUNDED = ("approx", "unverified", "roughly", "derived", "about", "~")
_UNBATCHED = ("llama.cpp", "transformers", "ollama", "mlx", "exllama")
_OUTPUT = re.compile(r"(total )?(output|generat|completion|decode)")
_PART_OF_IT = re.compile(
    r"fleet|nodes|input|prompt|(per|/) ?(gpu|user|request|accelerator|chip)|single phase"
)
_NOT_A_TRANSFORMER = re.compile(
    r"mamba|hybrid|rwkv|\bssm\b|jamba|^(?!.*llama).*nemotron.?(nano|h\b|3)|qwen3-next|qwen3\.5|kimi.linear|falcon.?h1"
)
_RECURRENT = re.compile(r"mamba|rwkv|\bssm\b|state.space|linear attention")
_MOE = re.compile(r"moe|mixture|sparse|expert")
_AT_WORK = re.compile(r"\ba(\d+(?:\.\d+)?)b\b")


def _size(row: Row, arch: str = "") -> tuple[float | None, float | None, bool]:
    """All parameters, those at work for a token, and whether it is a mixture of experts."""
    total, active = _number(row, "params_total"), _number(row, "params_active")
    if total and active and active > 1.1 * total:
        raise Refusal(
            "More parameters are at work, {active}, than there are, {total}.", active=active, total=total
        )
    known = model_called(row["model"], total)
    said = _AT_WORK.search(row["model"].lower())
    total = total or (known.parameters_published if known else None)
    if _MOE.search(arch):
        moe = True
    elif arch:
        moe = False
    else:
        moe = known.is_moe if known else bool(said or (active and total and active < 0.9 * total))
    if active is None and moe:
        active = known.active_published if known and known.is_moe else float(said[1]) * 1e9 if said else None
    return total, active if moe else active or total, moe


def _cluster(row: Row, hours: float) -> float | None:
    """How many accelerators ran; None where the row does not say, or tells a server of a longer run."""
    try:
        count = _number(row, "num_gpus")
    except Refusal:
        count = None  # "up to 1,024" is no number, and it matters little
    said = accelerators_said(row["hardware"])
    return count or (said if said and hours / said < _A_LONG_RUN else None)


_A_LONG_RUN = 9000.0  # hours, a year


def _replica_size(row: Row, speed: float) -> int | None:
    """Accelerators of the replica, as the row or the hardware's name tells, or speed ÷ speed of each."""
    each = _number(row, "tokens_per_s_per_gpu")
    count = (
        _number(row, "num_gpus") or accelerators_said(row["gpu"]) or (round(speed / each) if each else None)
    )
    return max(1, int(count)) if count else None


def _fewest(shape: LanguageModel, precision: Precision, hardware: Accelerator) -> int:
    """The fewest accelerators, of 1, 2, 4 … 64, whose memory is filled to four fifths by the weights."""
    needed = shape.parameters * BYTES_PER_WEIGHT[precision] / (0.8e9 * hardware.memory_gb)
    return next((count for count in (1, 2, 4, 8, 16, 32) if count >= needed), 64)


def _number(row: Row, column: str) -> float | None:
    return number(row.get(column, ""), column)

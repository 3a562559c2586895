"""What storage hands out: plain frozen records, one for each kind of row.

Times are seconds since 1970 in UTC. ``spec``, ``summary`` and ``device`` are JSON text that storage
does not look into, but for the price of the device in ``spec`` (:meth:`RunRow.price_per_hour`).
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from core.i18n import Refusal, Text

RunState = Literal["queued", "running", "done", "stopped", "failed", "interrupted"]
SweepState = Literal["running", "done", "stopped", "failed"]
EndState = Literal["done", "stopped", "failed", "interrupted"]


def new_id() -> str:
    """A random id of 16 hexadecimal digits."""
    return secrets.token_hex(8)


@dataclass(frozen=True, slots=True)
class VentureRow:
    """A venture in a list: the name and number of its newest version."""

    id: str
    owner: str
    name: Text
    version: int
    created_at: float
    updated_at: float


@dataclass(frozen=True, slots=True)
class VersionRow:
    """A version without its document.

    An edit tells its ``parent`` (None: the first). A step of undo or redo has no parent but the
    version that it ``restores``, whose document and note it repeats.
    """

    venture_id: str
    version: int
    note: str
    author: str
    created_at: float
    parent: int | None = None
    restores: int | None = None

    @property
    def position(self) -> int:
        """The edit that this version shows: itself, or the one it restores."""
        return self.version if self.restores is None else self.restores


@dataclass(frozen=True, slots=True)
class Steps:
    """The notes of the edits that undo takes back and redo brings back; None where there is none."""

    undo_note: str | None
    redo_note: str | None


@dataclass(frozen=True, slots=True)
class LinkRow:
    """A share link to one version, and how often it was opened."""

    token: str
    venture_id: str
    version: int
    label: str
    created_at: float
    revoked_at: float | None
    opened: int


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a run ended, as a sentence that can be said in any language (see :class:`Refusal`)."""

    message: str
    values: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def of(cls, error: "Refusal | Reason") -> Self:
        """The sentence of a refusal."""
        return cls(error.message, error.values)

    def refusal(self) -> Refusal:
        """The sentence as a refusal, for ``language.refusal``."""
        return Refusal(self.message, **self.values)

    def __str__(self) -> str:
        return str(self.refusal())

    def to_json(self) -> str:
        """As ``{"message": ..., "values": {...}}``; a value of another type becomes its text."""
        return json.dumps({"message": self.message, "values": {k: _plain(v) for k, v in self.values.items()}})

    @classmethod
    def from_json(cls, text: str) -> Self:
        data = json.loads(text)
        return cls(data["message"], {key: _value(value) for key, value in data["values"].items()})


def _plain(value: object) -> object:
    if isinstance(value, Text):
        return {"en": value.en, "zh": value.zh}
    if isinstance(value, Refusal):
        return {"message": value.message, "values": {k: _plain(v) for k, v in value.values.items()}}
    if value is None or isinstance(value, (str, int)):
        return value
    if isinstance(value, float) and abs(value) < float("inf"):
        return value
    return str(value)


def _value(value: Any) -> object:
    if isinstance(value, dict):
        if "message" in value:
            return Reason(value["message"], {k: _value(v) for k, v in value["values"].items()}).refusal()
        return Text(en=value["en"], zh=value["zh"])
    return value


@dataclass(frozen=True, slots=True)
class RunRow:
    """A training run, waiting, running or ended.

    ``step`` of ``total_steps`` batches are done after ``seconds`` of training; ``summary`` is what the
    worker measured so far, ``reason`` why the run ended if it did not end by itself. ``wanted`` is the one
    device that it may be trained on, "" for any. ``started_at`` is of the attempt at hand; those before it
    held their device for ``held_before`` seconds.
    """

    id: str
    owner: str
    venture_id: str | None
    state: RunState
    spec: str
    summary: str | None
    reason: Reason | None
    device: str | None
    step: int
    total_steps: int | None
    seconds: float
    submitted_at: float
    started_at: float | None
    ended_at: float | None
    attempt: int
    lease_owner: str | None
    lease_until: float | None
    cancel_requested: bool
    sweep_id: str | None = None
    wanted: str = ""
    held_before: float = 0.0

    @property
    def active(self) -> bool:
        """Waiting or running."""
        return self.state in ("queued", "running")

    @property
    def price_per_hour(self) -> float:
        """USD per hour of its device, as its specification says; 0 where that says nothing."""
        spec = json.loads(self.spec)
        price = spec.get("price_per_hour") if isinstance(spec, dict) else None
        return float(price) if isinstance(price, (int, float)) else 0.0


@dataclass(frozen=True, slots=True)
class Held:
    """A stretch of time for which a run held a device, at a price in USD per hour; ``ended_at`` None: still."""

    started_at: float
    ended_at: float | None
    price_per_hour: float


@dataclass(frozen=True, slots=True)
class SweepRow:
    """A sweep of runs; ``reason`` is why it ended if it did not come to its end."""

    id: str
    owner: str
    venture_id: str | None
    state: SweepState
    spec: str
    reason: Reason | None
    created_at: float
    ended_at: float | None

    @property
    def active(self) -> bool:
        """Whether more runs may come."""
        return self.state == "running"


@dataclass(frozen=True, slots=True)
class Renewal:
    """What a worker learns when it renews its lease: go on only while it is ``still_mine``."""

    cancel_requested: bool
    still_mine: bool


@dataclass(frozen=True, slots=True)
class MetricRow:
    """One point of a learning curve, ``seconds`` after the start of training.

    ``seq`` counts the points of a run from 1 and is given by the store. A ``loss`` or ``accuracy``
    that is not a finite number is kept as None.
    """

    step: int
    epoch: float
    seconds: float
    kind: Literal["train", "validation"]
    loss: float | None
    accuracy: float | None
    seq: int = 0


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """A training worker, last heard of at ``beat_at``."""

    id: str
    host: str
    pid: int
    state: str
    device: str
    mode: str
    code: str
    beat_at: float

"""The tables, as the newest migration leaves them.

Times are floats: seconds since 1970 in UTC. ``document``, ``spec``, ``summary``, ``device`` and
``reason`` are JSON text, which the database does not look into.
"""

from sqlalchemy import (
    Boolean,
    Column,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Named,
    Table,
    Text,
    TypedColumns,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


class VentureColumns(TypedColumns):
    """A venture: its owner, and what a list shows of its newest version."""

    id: Named[str] = Column(Text, primary_key=True)
    owner: Named[str] = Column(Text)
    name: Named[str] = Column(Text)
    name_zh: Named[str] = Column(Text)
    version: Named[int] = Column(Integer)
    created_at: Named[float] = Column(Double)
    updated_at: Named[float] = Column(Double)


ventures = Table("ventures", metadata, VentureColumns, Index(None, "owner", "updated_at"))


class VersionColumns(TypedColumns):
    """A version: never changed, only appended.

    An edit has the ``parent`` it was made from (none for the first). A step of undo or redo has
    instead the edit that it ``restores``; its document and note are that edit's.
    """

    venture_id: Named[str] = Column(Text, ForeignKey("ventures.id", ondelete="CASCADE"), primary_key=True)
    version: Named[int] = Column(Integer, primary_key=True, autoincrement=False)
    note: Named[str] = Column(Text)
    author: Named[str] = Column(Text)
    created_at: Named[float] = Column(Double)
    parent: Named[int | None] = Column(Integer)
    restores: Named[int | None] = Column(Integer)
    document: Named[str] = Column(Text)  # last: SQLite reads past it to reach what stands behind it


versions = Table("venture_versions", metadata, VersionColumns, Index(None, "venture_id", "parent", "version"))


class LinkColumns(TypedColumns):
    """A share link: it opens one version, which does not change any more."""

    token: Named[str] = Column(Text, primary_key=True)
    venture_id: Named[str] = Column(Text)
    version: Named[int] = Column(Integer)
    label: Named[str] = Column(Text)
    created_at: Named[float] = Column(Double)
    revoked_at: Named[float | None] = Column(Double)
    opened: Named[int] = Column(Integer)


links = Table(
    "links",
    metadata,
    LinkColumns,
    ForeignKeyConstraint(
        ["venture_id", "version"],
        ["venture_versions.venture_id", "venture_versions.version"],
        ondelete="CASCADE",
    ),
    Index(None, "venture_id", "version"),
)


class RunColumns(TypedColumns):
    """A training run; the queue is the rows whose ``state`` is queued, oldest first.

    ``wanted`` is the one device that it may be trained on, "" for any.
    """

    id: Named[str] = Column(Text, primary_key=True)
    owner: Named[str] = Column(Text)
    venture_id: Named[str | None] = Column(Text, ForeignKey("ventures.id", ondelete="CASCADE"))
    state: Named[str] = Column(Text)
    spec: Named[str] = Column(Text)
    summary: Named[str | None] = Column(Text)
    reason: Named[str | None] = Column(Text)
    device: Named[str | None] = Column(Text)
    step: Named[int] = Column(Integer)
    total_steps: Named[int | None] = Column(Integer)
    seconds: Named[float] = Column(Double)
    submitted_at: Named[float] = Column(Double)
    started_at: Named[float | None] = Column(Double)
    ended_at: Named[float | None] = Column(Double)
    attempt: Named[int] = Column(Integer)
    lease_owner: Named[str | None] = Column(Text)
    lease_until: Named[float | None] = Column(Double)
    cancel_requested: Named[bool] = Column(Boolean)
    sweep_id: Named[str | None] = Column(Text)
    wanted: Named[str] = Column(Text, server_default="")
    held_before: Named[float] = Column(Double)


runs = Table(
    "runs",
    metadata,
    RunColumns,
    Index(None, "owner", "submitted_at"),
    Index(None, "venture_id"),
    Index(None, "state", "submitted_at"),
    Index(None, "sweep_id"),
)


class DeviceTimeColumns(TypedColumns):
    """How long an attempt at a run held its device, written when it ends.

    It says what an owner has used of a day's limit, so it outlives the run: who deletes a run has used
    the device all the same. Price in USD per hour.
    """

    run_id: Named[str] = Column(Text, primary_key=True)
    attempt: Named[int] = Column(Integer, primary_key=True, autoincrement=False)
    owner: Named[str] = Column(Text)
    started_at: Named[float] = Column(Double)
    ended_at: Named[float] = Column(Double)
    price_per_hour: Named[float] = Column(Double)


device_time = Table("device_time", metadata, DeviceTimeColumns, Index(None, "owner", "ended_at"))


class ExpectedColumns(TypedColumns):
    """The run that an owner has on the screen, and would get by a click."""

    owner: Named[str] = Column(Text, primary_key=True)
    spec: Named[str] = Column(Text)
    told_at: Named[float] = Column(Double)


expected_runs = Table("expected_runs", metadata, ExpectedColumns)


class SweepColumns(TypedColumns):
    """A sweep: what it varies and its budget as JSON; its runs carry its id."""

    id: Named[str] = Column(Text, primary_key=True)
    owner: Named[str] = Column(Text)
    venture_id: Named[str | None] = Column(Text, ForeignKey("ventures.id", ondelete="CASCADE"))
    state: Named[str] = Column(Text)
    spec: Named[str] = Column(Text)
    reason: Named[str | None] = Column(Text)
    created_at: Named[float] = Column(Double)
    ended_at: Named[float | None] = Column(Double)


sweeps = Table(
    "sweeps",
    metadata,
    SweepColumns,
    Index(None, "owner", "created_at"),
    Index(None, "venture_id"),
    Index(None, "state"),
)


class MetricColumns(TypedColumns):
    """One point of a learning curve; a loss or accuracy that is no finite number is left out."""

    run_id: Named[str] = Column(Text, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    seq: Named[int] = Column(Integer, primary_key=True, autoincrement=False)
    step: Named[int] = Column(Integer)
    epoch: Named[float] = Column(Double)
    seconds: Named[float] = Column(Double)
    kind: Named[str] = Column(Text)
    loss: Named[float | None] = Column(Double)
    accuracy: Named[float | None] = Column(Double)


metrics = Table("run_metrics", metadata, MetricColumns)


class WorkerColumns(TypedColumns):
    """A process that takes runs from the queue, and when it was last heard of."""

    id: Named[str] = Column(Text, primary_key=True)
    host: Named[str] = Column(Text)
    pid: Named[int] = Column(Integer)
    state: Named[str] = Column(Text)
    device: Named[str] = Column(Text)
    mode: Named[str] = Column(Text)
    code: Named[str] = Column(Text)
    beat_at: Named[float] = Column(Double)


workers = Table("workers", metadata, WorkerColumns)


class BeatColumns(TypedColumns):
    """A web process, and when it was last heard of."""

    name: Named[str] = Column(Text, primary_key=True)
    beat_at: Named[float] = Column(Double)


beats = Table("beats", metadata, BeatColumns)

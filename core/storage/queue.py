"""The queue of training runs as workers see it: claim, renew, report, finish.

A run is *queued* until one worker claims it, and *running* while that worker keeps renewing its
lease. It ends as *done*, *stopped* (somebody asked for it), *failed* (it could not be trained) or
*interrupted* (its worker went away). A worker names itself as owner of the lease, so that one that
was given up cannot write over what came after.
"""

import math
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Update, case, delete, func, insert, select, text, update

from core.i18n import N_, Refusal
from core.storage.database import Database
from core.storage.fair import fair_order
from core.storage.rows import EndState, MetricRow, Reason, Renewal, RunRow, new_id
from core.storage.tables import device_time, metrics, runs

_R = runs.c

_CLAIMS = 0x636F6D70_636C6169
"""PostgreSQL's advisory lock of claims: a number that nothing else is likely to use."""

DEVICE_TIME_KEPT_S = 2 * 86_400.0
"""For how long it is kept what an attempt at a run took: limits look back a day."""

LOST = Reason(N_("The process that trained it was not heard of any more."))


class Queue:
    """What a worker does with runs, whosever they are."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def wanted(self) -> set[str]:
        """The devices that waiting runs want, "" among them if one takes any."""
        with self._database.reading() as connection:
            return set(connection.scalars(select(_R.wanted).where(_R.state == "queued").distinct()))

    def claim(
        self,
        lease_owner: str,
        lease_s: float,
        per_owner: int | None = None,
        free: Collection[str] | None = None,
    ) -> RunRow | None:
        """Take the waiting run whose turn it is and start it; None if there is none.

        The turn goes from owner to owner (:mod:`core.storage.fair`); an owner with ``per_owner`` runs
        under way is passed over, and so is a run that wants another device than those ``free`` ("" among
        them: runs that take any may begin); None is every device. Of several workers that claim at once
        exactly one gets a run. The lease lasts ``lease_s`` seconds.
        """
        waiting: tuple[ColumnElement[bool], ...] = (_R.state == "queued",)
        if free is not None:
            waiting += (_R.wanted.in_(free),)
        with self._database.reading() as connection:  # asked many times a second: take no lock for nothing
            if connection.scalar(select(_R.id).where(*waiting).limit(1)) is None:
                return None
        now = time.time()
        with self._database.writing() as connection:
            if not self._database.is_sqlite:  # where writers are not alone, claims are made one at a time
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _CLAIMS})
            run_id = _next(connection, per_owner, free)
            if run_id is None:
                return None
            claimed = (
                update(runs)
                .where(_R.id == run_id, *waiting)
                .values(
                    state="running",
                    attempt=_R.attempt + 1,
                    started_at=now,
                    lease_owner=lease_owner,
                    lease_until=now + lease_s,
                )
            )
            return next(iter(changed(connection, claimed)), None)

    def renew(self, run_id: str, lease_owner: str, lease_s: float) -> Renewal:
        """Hold the run for another ``lease_s`` seconds from now, and learn whether to stop."""
        renewed = (
            update(runs)
            .where(*_held(run_id, lease_owner))
            .values(lease_until=time.time() + lease_s)
            .returning(_R.cancel_requested)
        )
        with self._database.writing() as connection:
            cancel = connection.scalar(renewed)
        return Renewal(cancel_requested=bool(cancel), still_mine=cancel is not None)

    def progress(
        self, run_id: str, step: int, seconds: float, device: str, summary_json: str | None = None
    ) -> None:
        """Tell how far a running run is; ``summary_json`` replaces the summary if it is given."""
        values: dict[str, Any] = {"step": step, "seconds": _finite("seconds", seconds), "device": device}
        if summary_json is not None:
            values["summary"] = summary_json
        with self._database.writing() as connection:
            connection.execute(update(runs).where(_R.id == run_id, _R.state == "running").values(**values))

    def append_metrics(self, run_id: str, rows: Sequence[MetricRow]) -> None:
        """Append points to the run's curve, all or none, numbered on from the last one.

        Points of a run that was deleted are dropped; its worker learns it from :meth:`renew`.
        """
        points = [_point(run_id, row) for row in rows]
        if not points:
            return
        there = select(_R.id).where(_R.id == run_id).with_for_update()
        last = select(func.coalesce(func.max(metrics.c.seq), 0)).where(metrics.c.run_id == run_id)
        with self._database.writing() as connection:
            if connection.scalar(there) is None:
                return
            first = (connection.scalar(last) or 0) + 1
            connection.execute(
                insert(metrics), [{**point, "seq": first + i} for i, point in enumerate(points)]
            )

    def finish(
        self,
        run_id: str,
        lease_owner: str,
        state: EndState,
        summary_json: str | None,
        reason: Reason | Refusal | None = None,
    ) -> bool:
        """End a run, and tell whether that counted: only its lease's owner can, and only once.

        ``summary_json`` None keeps the summary that :meth:`progress` left.
        """
        values: dict[str, Any] = ended(state, time.time(), reason)
        if summary_json is not None:
            values["summary"] = summary_json
        ending = update(runs).where(*_held(run_id, lease_owner)).values(**values)
        with self._database.writing() as connection:
            return len(_ended(connection, ending)) == 1

    def reap(self, now: float) -> list[RunRow]:
        """Mark the runs whose lease ended before ``now`` as interrupted, and return them."""
        expired = (_R.state == "running", _R.lease_until < now)
        with self._database.reading() as connection:
            if connection.scalar(select(_R.id).where(*expired).limit(1)) is None:
                return []
        with self._database.writing() as connection:
            return _ended(connection, update(runs).where(*expired).values(**_lost(now, LOST)))

    def give_up(self, wanted: Collection[str], reason: Reason | Refusal) -> list[RunRow]:
        """Mark the waiting runs that want one of these devices, which are gone, as interrupted; return them."""
        hopeless = update(runs).where(_R.state == "queued", _R.wanted.in_(wanted))
        with self._database.writing() as connection:
            return changed(connection, hopeless.values(**ended("interrupted", time.time(), reason)))

    def release(self, lease_owner: str, reason: Reason | Refusal) -> list[RunRow]:
        """Mark every running run of a lease owner that is known to be gone as interrupted; return them."""
        held = update(runs).where(_R.state == "running", _R.lease_owner == lease_owner)
        with self._database.writing() as connection:
            return _ended(connection, held.values(**_lost(time.time(), reason)))


def in_turn(connection: Connection, free: Collection[str] | None = None) -> list[tuple[str, str]]:
    """The waiting runs, (id, owner), in the order in which they will begin; only those that want a device
    among ``free``, if that is given."""
    query = select(_R.id, _R.owner).where(_R.state == "queued").order_by(_R.submitted_at, _R.id)
    if free is not None:
        query = query.where(_R.wanted.in_(free))
    waiting = [(row.id, row.owner) for row in connection.execute(query)]
    owners = dict(waiting)
    served = connection.execute(
        select(_R.owner, func.max(_R.started_at))
        .where(_R.owner.in_(set(owners.values())), _R.started_at.is_not(None))
        .group_by(_R.owner)
    ).all()
    order = fair_order(waiting, {o: at for o, at in served if at is not None})
    return [(run_id, owners[run_id]) for run_id in order]


def _next(connection: Connection, per_owner: int | None, free: Collection[str] | None) -> str | None:
    """The waiting run whose turn it is, among those for a device that is free and of owners who may begin one."""
    busy: dict[str, int] = {}
    if per_owner is not None:
        counted = select(_R.owner, func.count()).where(_R.state == "running").group_by(_R.owner)
        busy = {row[0]: row[1] for row in connection.execute(counted)}
    for run_id, owner in in_turn(connection, free):
        if per_owner is None or busy.get(owner, 0) < per_owner:
            return run_id
    return None


def new_run(
    owner: str,
    venture_id: str | None,
    spec_json: str,
    total_steps: int | None,
    sweep_id: str | None = None,
    wanted: str = "",
) -> RunRow:
    """A run that waits from now on."""
    return RunRow(
        id=new_id(),
        owner=owner,
        venture_id=venture_id,
        state="queued",
        spec=spec_json,
        summary=None,
        reason=None,
        device=None,
        step=0,
        total_steps=total_steps,
        seconds=0.0,
        submitted_at=time.time(),
        started_at=None,
        ended_at=None,
        attempt=0,
        lease_owner=None,
        lease_until=None,
        cancel_requested=False,
        sweep_id=sweep_id,
        wanted=wanted,
    )


def run_of(row: Mapping[Any, Any]) -> RunRow:
    """The record of a row of the table."""
    reason = row["reason"]
    return RunRow(**{**row, "reason": None if reason is None else Reason.from_json(reason)})


def ended(state: EndState, at: float, reason: Reason | Refusal | None) -> dict[str, Any]:
    """The columns of a run that ended."""
    why = None if reason is None else Reason.of(reason).to_json()
    return {"state": state, "ended_at": at, "reason": why, "lease_until": None}


def _lost(now: float, reason: Reason | Refusal) -> dict[str, Any]:
    """The columns of a run whose worker is gone, which may be noticed hours later: its lease is the last word
    of it, and all that it held its device for."""
    last = case((_R.lease_until < now, _R.lease_until), else_=now)
    return {**ended("interrupted", now, reason), "ended_at": last}


def changed(connection: Connection, change: Update) -> list[RunRow]:
    """Make the change and return the rows as they are now."""
    return [run_of(row) for row in connection.execute(change.returning(runs)).mappings()]


def _ended(connection: Connection, ending: Update) -> list[RunRow]:
    """End running runs, and write down for how long each has held its device."""
    rows = changed(connection, ending)
    for row in rows:
        if row.started_at is None or row.ended_at is None:
            continue
        old = (device_time.c.owner == row.owner, device_time.c.ended_at < row.ended_at - DEVICE_TIME_KEPT_S)
        connection.execute(delete(device_time).where(*old))
        connection.execute(
            insert(device_time).values(
                run_id=row.id,
                attempt=row.attempt,
                owner=row.owner,
                started_at=row.started_at,
                ended_at=row.ended_at,
                price_per_hour=row.price_per_hour,
            )
        )
    return rows


def _held(run_id: str, lease_owner: str) -> tuple[ColumnElement[bool], ...]:
    """Running, and in the hands of that lease owner."""
    return _R.id == run_id, _R.state == "running", _R.lease_owner == lease_owner


def _point(run_id: str, row: MetricRow) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "step": row.step,
        "epoch": _finite("epoch", row.epoch),
        "seconds": _finite("seconds", row.seconds),
        "kind": row.kind,
        "loss": _finite_or_none(row.loss),
        "accuracy": _finite_or_none(row.accuracy),
    }


def _finite(name: str, value: float) -> float:
    """A number that the program itself counts; anything but a finite one is a mistake in the program."""
    if not math.isfinite(value):
        raise ValueError(f"{name} is {value}; a finite number is needed.")
    return float(value)


def _finite_or_none(value: float | None) -> float | None:
    """A measured number; training that diverges measures NaN, which is no value."""
    return None if value is None or not math.isfinite(value) else float(value)

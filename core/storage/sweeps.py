"""Sweeps: many runs under one question and one budget. What they vary is JSON that storage does not read."""

import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from core.i18n import N_, Refusal
from core.storage.database import Database
from core.storage.ownership import head_of
from core.storage.queue import ended, new_run, run_of
from core.storage.refusals import no_sweep
from core.storage.rows import Reason, RunRow, SweepRow, SweepState, new_id
from core.storage.tables import runs, sweeps
from core.storage.text import is_word

_S, _R = sweeps.c, runs.c

CANCELLED = Reason(N_("The sweep was stopped."))


class Sweeps:
    """The sweeps of every owner: founders begin and stop them, workers give them their runs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, owner: str, venture_id: str | None, spec_json: str) -> SweepRow:
        """Begin a sweep, for a venture of the owner or for none; its runs come from a worker."""
        row = SweepRow(new_id(), owner, venture_id, "running", spec_json, None, time.time(), None)
        with self._database.writing() as connection:
            if venture_id is not None:
                head_of(connection, owner, venture_id, hold=True)
            connection.execute(insert(sweeps).values(**asdict(row)))
        return row

    def get(self, owner: str, sweep_id: str) -> SweepRow:
        """The owner's sweep of that id, or Missing."""
        with self._database.reading() as connection:
            return _own(connection, owner, sweep_id)

    def rows(self, owner: str, venture_id: str | None = None, limit: int = 20) -> list[SweepRow]:
        """The owner's sweeps, of one venture or of all, newest first."""
        query = select(sweeps).where(_S.owner == owner)
        if venture_id is not None:
            query = query.where(_S.venture_id == venture_id)
        query = query.order_by(_S.created_at.desc(), _S.id.desc()).limit(limit)
        with self._database.reading() as connection:
            return [_sweep_of(row) for row in connection.execute(query).mappings()]

    def running(self) -> list[SweepRow]:
        """The sweeps of all owners that go on, oldest first."""
        query = select(sweeps).where(_S.state == "running").order_by(_S.created_at, _S.id)
        with self._database.reading() as connection:
            return [_sweep_of(row) for row in connection.execute(query).mappings()]

    def runs(self, sweep_id: str) -> list[RunRow]:
        """The runs of a sweep, oldest first. It asks for no owner: ask :meth:`get` once before."""
        query = select(runs).where(_R.sweep_id == sweep_id).order_by(_R.submitted_at, _R.id)
        with self._database.reading() as connection:
            return [run_of(row) for row in connection.execute(query).mappings()]

    def add_run(
        self, sweep: SweepRow, count: int, spec_json: str, total_steps: int, wanted: str = ""
    ) -> RunRow | None:
        """Put the next run of a sweep into the queue.

        None, and nothing is done, if the sweep has ended or has other than ``count`` runs by now: of
        several workers that look after it at once, one gives it its next run.
        """
        row = new_run(sweep.owner, sweep.venture_id, spec_json, total_steps, sweep.id, wanted)
        going = select(_S.id).where(_S.id == sweep.id, _S.state == "running").with_for_update()
        there = select(func.count()).select_from(runs).where(_R.sweep_id == sweep.id)
        with self._database.writing() as connection:
            if connection.scalar(going) is None or connection.scalar(there) != count:
                return None
            connection.execute(insert(runs).values(**asdict(row)))
        return row

    def end(self, sweep_id: str, state: SweepState, reason: Reason | Refusal | None = None) -> bool:
        """End a sweep and the runs it still has; whether it went on until now."""
        with self._database.writing() as connection:
            return _end(connection, sweep_id, state, reason)

    def cancel(self, owner: str, sweep_id: str) -> SweepRow:
        """Stop a sweep: waiting runs at once, running ones by their worker; one that ended stays as it is."""
        with self._database.writing() as connection:
            _own(connection, owner, sweep_id)
            _end(connection, sweep_id, "stopped", CANCELLED)
            return _own(connection, owner, sweep_id)


def _end(connection: Connection, sweep_id: str, state: SweepState, reason: Reason | Refusal | None) -> bool:
    now = time.time()
    text = None if reason is None else Reason.of(reason).to_json()
    going = update(sweeps).where(_S.id == sweep_id, _S.state == "running")
    if not connection.execute(going.values(state=state, reason=text, ended_at=now)).rowcount:
        return False
    waiting = update(runs).where(_R.sweep_id == sweep_id, _R.state == "queued")
    connection.execute(waiting.values(**ended("stopped", now, reason or CANCELLED)))
    under_way = update(runs).where(_R.sweep_id == sweep_id, _R.state == "running")
    connection.execute(under_way.values(cancel_requested=True))
    return True


def _own(connection: Connection, owner: str, sweep_id: str) -> SweepRow:
    query = select(sweeps).where(_S.id == sweep_id, _S.owner == owner)
    found = connection.execute(query).mappings().first() if is_word(sweep_id) else None
    if found is None:
        raise no_sweep()
    return _sweep_of(found)


def _sweep_of(row: Mapping[Any, Any]) -> SweepRow:
    reason = row["reason"]
    return SweepRow(**{**row, "reason": None if reason is None else Reason.from_json(reason)})

"""Training runs as their founder sees them: submit, follow, cancel, delete."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict

from sqlalchemy import Connection, delete, func, insert, select, update

from core.i18n import N_, Refusal
from core.storage.ownership import head_of
from core.storage.queue import Queue, changed, ended, in_turn, new_run, run_of
from core.storage.refusals import no_run
from core.storage.rows import Held, MetricRow, Reason, RunRow
from core.storage.tables import device_time, metrics, runs
from core.storage.text import is_word

_R = runs.c

CANCELLED = Reason(N_("It was stopped before it began."))


class Runs(Queue):
    """The runs of every owner; what workers do with them is :class:`Queue`'s."""

    def submit(
        self,
        owner: str,
        venture_id: str | None,
        spec_json: str,
        total_steps: int | None = None,
        wanted: str = "",
    ) -> RunRow:
        """Put a run at the end of the queue, for a venture of the owner or for none; ``wanted`` is the one
        device that it may be trained on, "" for any."""
        row = new_run(owner, venture_id, spec_json, total_steps, wanted=wanted)
        with self._database.writing() as connection:
            if venture_id is not None:
                head_of(connection, owner, venture_id, hold=True)
            connection.execute(insert(runs).values(**asdict(row)))
        return row

    def get(self, owner: str, run_id: str) -> RunRow:
        """The owner's run of that id, or Missing."""
        with self._database.reading() as connection:
            return _own(connection, owner, run_id)

    def rows(self, owner: str, venture_id: str | None = None, limit: int = 100) -> list[RunRow]:
        """The owner's runs, of one venture or of all, newest first."""
        query = select(runs).where(_R.owner == owner)
        if venture_id is not None:
            query = query.where(_R.venture_id == venture_id)
        query = query.order_by(_R.submitted_at.desc(), _R.id.desc()).limit(limit)
        with self._database.reading() as connection:
            return [run_of(row) for row in connection.execute(query).mappings()]

    def owners(self, run_ids: Iterable[str]) -> dict[str, str]:
        """Those of the ids that are runs, and whose they are."""
        with self._database.reading() as connection:
            return {
                found: owner
                for some in _batches(run_ids)
                for found, owner in connection.execute(select(_R.id, _R.owner).where(_R.id.in_(some)))
            }

    def mentioning(self, owner: str, word: str) -> list[RunRow]:
        """The owner's runs that have an id, such as that of a data set, in their specification."""
        if not is_word(word):
            return []
        query = select(runs).where(_R.owner == owner, _R.spec.contains(word, autoescape=True))
        with self._database.reading() as connection:
            return [run_of(row) for row in connection.execute(query).mappings()]

    def place(self, run_id: str) -> int:
        """The place of a run in the queue: 1 is the next, 0 is not waiting (any more)."""
        with self._database.reading() as connection:
            order = [waiting for waiting, _owner in in_turn(connection)]
        return order.index(run_id) + 1 if run_id in order else 0

    def line(self) -> tuple[list[RunRow], list[RunRow]]:
        """The runs under way, oldest first, and the waiting ones in the order of their turn, of all owners."""
        active = select(runs).where(_R.state.in_(("running", "queued"))).order_by(_R.started_at, _R.id)
        with self._database.reading() as connection:
            found = [run_of(row) for row in connection.execute(active).mappings()]
            order = [waiting for waiting, _owner in in_turn(connection)]
        waiting = {run.id: run for run in found if run.state == "queued"}
        under_way = [run for run in found if run.state == "running"]
        return under_way, [waiting[run_id] for run_id in order if run_id in waiting]

    def held_since(self, owner: str, since: float) -> list[Held]:
        """When the owner's runs held a device after ``since`` (seconds since 1970, a day ago at most).

        Every attempt counts, those before a pause and those of runs that were deleted too.
        """
        t = device_time.c
        over = select(t.started_at, t.ended_at, t.price_per_hour).where(t.owner == owner, t.ended_at > since)
        under_way = select(runs).where(_R.owner == owner, _R.state == "running", _R.started_at.is_not(None))
        with self._database.reading() as connection:
            found = [Held(**row) for row in connection.execute(over).mappings()]
            now = [run_of(row) for row in connection.execute(under_way).mappings()]
        return found + [Held(run.started_at or 0.0, None, run.price_per_hour) for run in now]

    def active_count(self, owner: str | None = None) -> int:
        """How many runs are waiting or running: the owner's, or all."""
        query = select(func.count()).select_from(runs).where(_R.state.in_(("queued", "running")))
        if owner is not None:
            query = query.where(_R.owner == owner)
        with self._database.reading() as connection:
            return connection.scalar(query) or 0

    def cancel(self, owner: str, run_id: str) -> RunRow:
        """Stop a waiting run at once, ask the worker to stop a running one; an ended one stays as it is."""
        with self._database.writing() as connection:
            run = _own(connection, owner, run_id, lock=True)
            this = update(runs).where(_R.id == run_id)
            if run.state == "queued":
                return changed(connection, this.values(**ended("stopped", time.time(), CANCELLED)))[0]
            if run.state == "running":
                return changed(connection, this.values(cancel_requested=True))[0]
            return run

    def resume(
        self, owner: str, run_id: str, step: int, spec_json: str | None = None, wanted: str = ""
    ) -> RunRow:
        """Put a stopped or interrupted run back at the end of the queue, to go on after ``step``.

        With ``spec_json`` it goes on by that, on the device ``wanted``, else as it began. Points of its curve
        beyond that step are dropped: they will be measured again. A Refusal if the run is active, or ended in
        another way.
        """
        with self._database.writing() as connection:
            run = _own(connection, owner, run_id, lock=True)
            if run.state not in ("stopped", "interrupted"):
                raise Refusal("Only a training run that was stopped or interrupted can go on.")
            connection.execute(delete(metrics).where(metrics.c.run_id == run_id, metrics.c.step > step))
            again = update(runs).where(_R.id == run_id)
            return changed(
                connection,
                again.values(
                    state="queued",
                    reason=None,
                    step=step,
                    submitted_at=time.time(),
                    held_before=run.held_before
                    + (run.ended_at or 0.0)
                    - (run.started_at or run.ended_at or 0.0),
                    started_at=None,  # it holds no device while it waits
                    ended_at=None,
                    cancel_requested=False,
                    **({} if spec_json is None else {"spec": spec_json, "wanted": wanted}),
                ),
            )[0]

    def delete(self, owner: str, run_id: str) -> None:
        """Delete an ended run with its points; a Refusal while it is waiting or running."""
        with self._database.writing() as connection:
            if _own(connection, owner, run_id, lock=True).active:
                raise Refusal("A training run that is waiting or running cannot be deleted: stop it first.")
            connection.execute(delete(runs).where(_R.id == run_id))

    def metrics(self, run_id: str, after: int = 0) -> list[MetricRow]:
        """The points of a run whose ``seq`` is above ``after``, in order.

        It asks for no owner, so that a page may poll it: ask :meth:`get` once before.
        """
        query = (
            select(
                metrics.c.step,
                metrics.c.epoch,
                metrics.c.seconds,
                metrics.c.kind,
                metrics.c.loss,
                metrics.c.accuracy,
                metrics.c.seq,
            )
            .where(metrics.c.run_id == run_id, metrics.c.seq > after)
            .order_by(metrics.c.seq)
        )
        with self._database.reading() as connection:
            return [MetricRow(**row) for row in connection.execute(query).mappings()]


def _own(connection: Connection, owner: str, run_id: str, lock: bool = False) -> RunRow:
    """The owner's run; with ``lock`` no worker can change it before the transaction ends."""
    query = select(runs).where(_R.id == run_id, _R.owner == owner)
    if lock:
        query = query.with_for_update()
    found = connection.execute(query).mappings().first() if is_word(run_id) else None
    if found is None:
        raise no_run()
    return run_of(found)


def _batches(ids: Iterable[str], size: int = 500) -> Iterator[list[str]]:
    """The ids in lists that a single query can take."""
    held = list(ids)
    for start in range(0, len(held), size):
        yield held[start : start + size]

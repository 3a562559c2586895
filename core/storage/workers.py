"""Who is alive: training workers and web processes, by the time they were last heard of."""

import time

from sqlalchemy import delete, func, insert, select, update

from core.storage.database import Database
from core.storage.rows import WorkerRow
from core.storage.tables import beats, workers


class Workers:
    """The processes that take training runs from the queue."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def beat(self, id: str, host: str, pid: int, state: str, device_json: str, mode: str, code: str) -> None:
        """Tell that worker ``id`` is alive now, and what it is doing on which device."""
        values = {
            "host": host,
            "pid": pid,
            "state": state,
            "device": device_json,
            "mode": mode,
            "code": code,
            "beat_at": time.time(),
        }
        with self._database.writing() as connection:
            known = connection.execute(update(workers).where(workers.c.id == id).values(**values))
            if not known.rowcount:
                connection.execute(insert(workers).values(id=id, **values))

    def rows(self, alive_within_s: float) -> list[WorkerRow]:
        """The workers heard of in the last ``alive_within_s`` seconds, by id."""
        query = (
            select(workers).where(workers.c.beat_at >= time.time() - alive_within_s).order_by(workers.c.id)
        )
        with self._database.reading() as connection:
            return [WorkerRow(**row) for row in connection.execute(query).mappings()]

    def remove(self, id: str) -> None:
        """Forget worker ``id``; nothing happens if it is not known."""
        with self._database.writing() as connection:
            connection.execute(delete(workers).where(workers.c.id == id))


class Beats:
    """The web processes, so that a worker without any may end itself."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def beat(self, name: str) -> None:
        """Tell that web process ``name`` is alive now."""
        with self._database.writing() as connection:
            known = connection.execute(update(beats).where(beats.c.name == name).values(beat_at=time.time()))
            if not known.rowcount:
                connection.execute(insert(beats).values(name=name, beat_at=time.time()))

    def newest(self) -> float | None:
        """When a web process was last heard of; None if none ever was."""
        with self._database.reading() as connection:
            return connection.scalar(select(func.max(beats.c.beat_at)))

"""The runs that people have on their screens: one for each owner, for a short time."""

import time

from sqlalchemy import delete, insert, select, update

from core.storage.database import Database
from core.storage.tables import expected_runs

KEPT_S = 86_400.0


class Expected:
    """What would be trained by the next click of each owner; a worker makes itself ready for the newest."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def tell(self, owner: str, spec_json: str) -> None:
        """``owner`` has this run on the screen now; what was there for a day is forgotten."""
        now = time.time()
        with self._database.writing() as connection:
            mine, values = expected_runs.c.owner == owner, {"spec": spec_json, "told_at": now}
            if not connection.execute(update(expected_runs).where(mine).values(**values)).rowcount:
                connection.execute(insert(expected_runs).values(owner=owner, **values))
            connection.execute(delete(expected_runs).where(expected_runs.c.told_at < now - KEPT_S))

    def forget(self, owner: str) -> None:
        """``owner`` has no run on the screen any more."""
        with self._database.writing() as connection:
            connection.execute(delete(expected_runs).where(expected_runs.c.owner == owner))

    def newest(self, within_s: float) -> tuple[str, str] | None:
        """Specification and owner of the run that was told of last, if that was in the last ``within_s``
        seconds."""
        query = (
            select(expected_runs.c.spec, expected_runs.c.owner)
            .where(expected_runs.c.told_at >= time.time() - within_s)
            .order_by(expected_runs.c.told_at.desc())
            .limit(1)
        )
        with self._database.reading() as connection:
            row = connection.execute(query).first()
        return None if row is None else (row.spec, row.owner)

"""One engine, two kinds of transaction: reading and writing.

A writing transaction is alone from its first statement on, so that what it reads stays true until it
commits. SQLite does that for the whole file (``BEGIN IMMEDIATE``); on PostgreSQL the statements lock
the rows they decide on. The driver's own way of beginning transactions is switched off for SQLite,
after SQLAlchemy's recipe ("Transactions with SQLite and the sqlite3 driver").
"""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import sqlalchemy
from sqlalchemy import Connection, event
from sqlalchemy.pool import ConnectionPoolEntry, Pool

from core.storage.place import make_folder, read_url, spoken

_BUSY_S = 10.0
"""How long a SQLite writer waits for another process's writer."""


class Database:
    """The engine of one database, shared by all threads of a process."""

    def __init__(self, url: str) -> None:
        parsed = read_url(url)
        self.place = spoken(parsed)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        if self.is_sqlite:
            make_folder(Path(parsed.database or "").parent)
            self.engine = sqlalchemy.create_engine(parsed, connect_args={"timeout": _BUSY_S})
            event.listen(self.engine, "connect", _prepare)
            event.listen(self.engine, "begin", _begin)
        else:
            self.engine = sqlalchemy.create_engine(
                parsed, pool_pre_ping=True, connect_args={"connect_timeout": 10}
            )
        self._writing_engine = self.engine.execution_options(writing=True)
        # SQLite lets one writer in at a time and has the others poll; within a process a queue is fairer.
        self._turn = threading.Lock()
        self._parents: list[Pool] = []

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that only reads."""
        with self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that commits at the end of the block, or undoes everything on an error."""
        with self._turn if self.is_sqlite else nullcontext(), self._writing_engine.begin() as connection:
            yield connection

    @contextmanager
    def rebuilding(self) -> Iterator[Connection]:
        """A writing transaction that may rebuild whole tables.

        SQLite changes a table by copying it and dropping the old one, and with foreign keys on, the drop
        would delete the rows of other tables that point at it. They are checked at the end instead.
        """
        if not self.is_sqlite:
            with self.writing() as connection:
                yield connection
            return
        with self._turn, self._writing_engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            driver.execute("PRAGMA foreign_keys = OFF")
            try:
                with connection.begin():
                    yield connection
                    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
                    if broken:
                        raise RuntimeError(f"Rows point at rows that do not exist: {broken[:3]}")
            finally:
                driver.execute("PRAGMA foreign_keys = ON")

    def close(self) -> None:
        """Close the connections of this process."""
        self.engine.dispose()

    def after_fork(self) -> None:
        """In a forked child: leave the parent's connections to the parent, open or not.

        Closing them here, even by garbage collection, would speak to the server in the parent's name
        or touch SQLite's locks, so they are kept for good.
        """
        self._parents.append(self.engine.pool)
        self.engine.dispose(close=False)
        self._turn = threading.Lock()


def _prepare(connection: Any, _: ConnectionPoolEntry) -> None:
    """Settings of a new SQLite connection."""
    connection.isolation_level = None
    # Several processes that open a new file together: the change to WAL does not wait for a lock.
    deadline = time.monotonic() + _BUSY_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin(connection: Connection) -> None:
    writing = connection.get_execution_options().get("writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

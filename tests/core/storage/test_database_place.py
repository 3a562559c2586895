"""Where the data is: the environment decides, and no password is ever repeated."""

import os
import signal
import sqlite3
import stat
import traceback
from pathlib import Path

import pytest
from sqlalchemy import text

from core.i18n import Refusal
from core.storage import data_folder, database_url, open_store
from core.storage.database import Database, _prepare
from core.storage.place import read_url, spoken


@pytest.fixture(autouse=True)
def no_environment(monkeypatch):
    monkeypatch.delenv("COMPUTE_CANVAS_DATABASE_URL", raising=False)
    monkeypatch.delenv("COMPUTE_CANVAS_DATA_DIR", raising=False)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_a_postgresql_url_is_read_with_psycopg_3(monkeypatch, scheme):
    monkeypatch.setenv("COMPUTE_CANVAS_DATABASE_URL", f" {scheme}://ada:s3cret@db.example:5433/canvas ")
    assert database_url() == "postgresql+psycopg://ada:s3cret@db.example:5433/canvas"
    assert spoken(read_url(database_url())) == "PostgreSQL, canvas at db.example:5433"


def test_the_data_folder_is_made_for_its_owner_alone(monkeypatch, tmp_path):
    monkeypatch.setenv("COMPUTE_CANVAS_DATA_DIR", str(tmp_path / "a" / "b"))
    assert database_url() == f"sqlite:///{tmp_path}/a/b/compute_canvas.sqlite3"
    assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o700
    assert data_folder() == tmp_path / "a" / "b"


def test_without_environment_it_is_a_folder_beside_the_launcher(monkeypatch):
    made = []
    monkeypatch.setattr("core.storage.place.make_folder", made.append)
    root = Path(__file__).parents[3]
    assert database_url() == f"sqlite:///{root}/.data/compute_canvas.sqlite3"
    assert made == [root / ".data"]


@pytest.mark.parametrize(
    "wrong",
    [
        "mysql://u:s3cret@h/d",
        "s3cret",
        "sqlite://",
        "sqlite:///:memory:",
        "postgresql+asyncpg://u:s3cret@h/d",
    ],
)
def test_any_other_url_is_refused_without_repeating_the_password(monkeypatch, wrong):
    monkeypatch.setenv("COMPUTE_CANVAS_DATABASE_URL", wrong)
    with pytest.raises(Refusal, match="The database URL") as told:
        database_url()
    assert "s3cret" not in str(told.value)


def test_a_sqlite_file_is_opened_for_safety(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/new/folder/x.sqlite3")
    with database.reading() as connection:
        found = {
            name: connection.scalar(text(f"PRAGMA {name}"))
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000}
    database.close()


class _Locked:
    """A new connection to a file that another process is just making."""

    def __init__(self, times):
        self.times, self.statements = times, []

    def execute(self, statement):
        if self.times > 0:
            self.times -= 1
            raise sqlite3.OperationalError("database is locked")
        self.statements.append(statement)


def test_opening_a_file_that_another_process_is_making_waits_for_it():
    connection = _Locked(times=3)
    _prepare(connection, None)
    assert connection.statements[0] == "PRAGMA journal_mode = WAL"


def test_a_forked_child_and_its_parent_work_side_by_side(store, venture):
    row = store.ventures.create("me", venture("v1"), "")
    with store._database._turn:  # another thread is just writing
        child = os.fork()
        if child == 0:
            os._exit(_child(store, row.id, venture))
    for _ in range(200):
        assert store.ventures.head("me", row.id) >= 1
        assert store.ventures.load("me", row.id, 1)[0].name.en == "v1"
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert store.ventures.load("me", row.id)[0].name.en == "by the child, 20"
    store.ventures.save("me", row.id, 21, venture("by the parent"), "")


def _child(store, venture_id, venture):
    signal.alarm(30)
    try:
        theirs = store._database.engine.pool
        store.after_fork()
        assert store._database.engine.pool is not theirs
        for n in range(1, 21):
            store.ventures.save("me", venture_id, n, venture(f"by the child, {n}"), "")
        store.close()
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def test_a_closed_store_opens_again_when_it_is_asked(url, venture):
    store = open_store(url)
    row = store.ventures.create("me", venture("v1"), "")
    store.close()
    assert store.ventures.head("me", row.id) == 1
    store.close()

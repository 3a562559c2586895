"""Where the data is: the environment decides, and no password is ever repeated."""

import os
import stat
from pathlib import Path

import pytest
from sqlalchemy import text

from core.i18n import Refusal
from core.storage import data_folder, database_url, open_store
from core.storage.database import Database
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


def test_a_forked_child_reads_and_writes_and_leaves_its_parents_connections_alone(store, venture):
    row = store.ventures.create("me", venture("v1"), "")
    child = os.fork()
    if child == 0:
        status = 1
        try:
            store.after_fork()
            store.ventures.save("me", row.id, 1, venture("by the child"), "")
            store.close()
            status = 0
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert store.ventures.load("me", row.id)[0].name.en == "by the child"
    store.ventures.save("me", row.id, 2, venture("by the parent"), "")


def test_a_closed_store_opens_again_when_it_is_asked(url, venture):
    store = open_store(url)
    row = store.ventures.create("me", venture("v1"), "")
    store.close()
    assert store.ventures.head("me", row.id) == 1
    store.close()

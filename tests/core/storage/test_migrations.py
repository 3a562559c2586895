"""Migrations: from nothing, twice, by several processes at once, and back in step with the tables."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import text

from core.i18n import Refusal
from core.storage import Store, open_store
from core.storage import migrate as migrate_module
from core.storage.database import Database
from core.storage.tables import metadata

ROOT = Path(__file__).parents[3]


def test_migrating_twice_is_the_same_as_once_and_the_second_is_quick(new_database):
    store = open_store(new_database(False))
    store.migrate()
    began = time.perf_counter()
    store.migrate()
    assert time.perf_counter() - began < 0.3
    assert store.ventures.rows("me") == []
    store.close()


def test_the_migrated_tables_are_those_that_the_code_describes(url):
    database = Database(url)
    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    database.close()


def test_the_newest_file_is_the_newest_revision_of_one_line():
    config = Config()
    config.set_main_option("script_location", str(ROOT / "core" / "storage" / "migrations"))
    assert ScriptDirectory.from_config(config).get_heads() == [migrate_module.newest_revision()]


_MIGRATOR = """
import sys
from core.storage import Store, open_store
store = open_store(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
store.migrate()
print(len(store.ventures.rows("me")), flush=True)
"""


def test_processes_that_migrate_at_once_do_it_once(new_database):
    url = new_database(False)
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _MIGRATOR, url],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        out, err = process.communicate(timeout=60)
        assert (out, process.returncode) == ("0\n", 0), err


def test_a_migration_that_fails_leaves_nothing_behind(new_database, monkeypatch):
    store = open_store(new_database(False))
    upgrade = migrate_module._upgrade

    def fail_at_the_end(connection):
        upgrade(connection)
        raise RuntimeError("no power")

    monkeypatch.setattr(migrate_module, "_upgrade", fail_at_the_end)
    with pytest.raises(RuntimeError, match="no power"):
        store.migrate()
    monkeypatch.undo()
    store.migrate()
    assert store.ventures.rows("me") == []
    store.close()


@pytest.fixture
def database(new_database):
    """A database whose tables no other test uses."""
    database = Database(new_database(False))
    Store(database).migrate()
    yield database
    database.close()


def test_a_database_of_a_newer_program_is_refused(database):
    with database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Refusal, match="newer than this program knows"):
        Store(database).migrate()


def test_rebuilding_a_table_deletes_no_rows_that_point_at_it(database, venture):
    ventures = Store(database).ventures
    row = ventures.create("me", venture("kept"), "")
    with database.rebuilding() as connection:
        operations = Operations(MigrationContext.configure(connection))
        with operations.batch_alter_table("ventures", recreate="auto") as table:
            table.alter_column("name_zh", nullable=True)
    assert ventures.load("me", row.id)[0].name.en == "kept"
    ventures.delete("me", row.id)  # foreign keys are on again, and take the versions along
    with database.reading() as connection:
        assert connection.scalar(text("SELECT count(*) FROM venture_versions")) == 0


def test_what_runs_took_in_the_last_day_is_counted_on_by_the_migration(new_database):
    database = Database(new_database(False))
    now = time.time()
    config = Config()
    config.set_main_option("script_location", str(ROOT / "core" / "storage" / "migrations"))
    with database.rebuilding() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
        for name, began, ended in (("old", 2 * 86_400, 90_000), ("new", 700, 100), ("waits", None, None)):
            connection.execute(
                text(
                    "INSERT INTO runs (id, owner, state, spec, step, seconds, submitted_at, started_at, "
                    "ended_at, attempt, cancel_requested) VALUES (:id, 'me', 'done', :spec, 0, 0, 0, :began, "
                    ":ended, 1, false)"
                ),
                {
                    "id": name,
                    "spec": '{"price_per_hour": 36.0}',
                    "began": began and now - began,
                    "ended": ended and now - ended,
                },
            )
    store = Store(database)
    store.migrate()
    (held,) = store.runs.held_since("me", now - 86_400)
    assert held.ended_at - held.started_at == pytest.approx(600)
    assert held.price_per_hour == 36.0
    assert store.runs.get("me", "new").held_before == 0.0
    database.close()


def test_the_command_migrates_and_says_where_without_the_password(tmp_path):
    environment = {"COMPUTE_CANVAS_DATA_DIR": str(tmp_path / "data"), "PATH": "/usr/bin"}
    done = subprocess.run(
        [sys.executable, "-m", "core.storage"],
        check=False,
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"SQLite, {tmp_path}/data/compute_canvas.sqlite3\n"
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700

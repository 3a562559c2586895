"""A store on either database: a SQLite file, or a PostgreSQL cluster that these tests start themselves."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import psycopg
import pytest

from core.i18n import Text
from core.storage import Store, new_id, open_store
from core.storage.tables import metadata
from core.venture import Venture


@pytest.fixture(scope="session")
def cluster() -> Iterator[str]:
    """A throw-away PostgreSQL on a socket in a temporary folder; the path of that folder."""
    programs = _postgres_programs()
    if programs is None:
        if os.environ.get("CI") == "true":
            pytest.fail("PostgreSQL is not installed, and its tests must run here.")
        pytest.skip("PostgreSQL is not installed.")
    # PostgreSQL refuses to run as root, and a socket's path must be short.
    user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    folder = Path(tempfile.mkdtemp(prefix="canvas-pg-", dir="/tmp"))
    data = folder / "data"
    shutil.chown(folder, user)
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C"}

    def run(*command: str) -> None:
        as_user = user if os.geteuid() == 0 else None
        done = subprocess.run(
            command,
            check=False,
            user=as_user,
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert done.returncode == 0, done.stdout.decode()

    settings = (
        f"-c unix_socket_directories={folder} -c listen_addresses='' -c fsync=off "
        "-c synchronous_commit=off -c full_page_writes=off -c autovacuum=off -c max_connections=200 -c shared_buffers=32MB"
    )
    try:
        run(
            str(programs / "initdb"),
            "-D",
            str(data),
            "-U",
            "tester",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-sync",
        )
        start = ("-l", str(folder / "log"), "-w", "-t", "60", "-o", settings, "start")
        run(str(programs / "pg_ctl"), "-D", str(data), *start)
        try:
            _migrated(_postgres_url(str(folder), "postgres"))
            yield str(folder)
        finally:
            run(str(programs / "pg_ctl"), "-D", str(data), "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with its tables and nothing in them, to be copied."""
    path = tmp_path_factory.mktemp("template") / "store.sqlite3"
    _migrated(f"sqlite:///{path}")
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def new_database(request: pytest.FixtureRequest, tmp_path: Path, file: Path) -> Callable[[bool], str]:
    """Makes a database, with tables (at most one in a test) or empty, and returns its URL."""
    if request.param == "sqlite":
        return lambda with_tables: _new_file(tmp_path / f"{new_id()}.sqlite3", file if with_tables else None)
    folder = request.getfixturevalue("cluster")
    return lambda with_tables: _emptied(folder) if with_tables else _new_database(folder)


@pytest.fixture
def url(new_database: Callable[[bool], str]) -> str:
    """The URL of a new database with its tables."""
    return new_database(True)


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """A store on a new database."""
    store = open_store(url)
    yield store
    store.close()


@pytest.fixture
def venture() -> Callable[[str], Venture]:
    """A small venture of a given name."""
    return lambda name: Venture(name=Text(name), start=date(2026, 1, 1))


def _postgres_programs() -> Path | None:
    """The folder of the newest PostgreSQL's programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


def _postgres_url(folder: str, database: str) -> str:
    return f"postgresql://tester@/{database}?host={folder}"


def _new_file(path: Path, template: Path | None) -> str:
    if template is not None:
        shutil.copyfile(template, path)
    return f"sqlite:///{path}"


def _new_database(folder: str) -> str:
    name = f"t_{new_id()}"
    with psycopg.connect(_postgres_url(folder, "template1"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    return _postgres_url(folder, name)


def _emptied(folder: str) -> str:
    """The one database with tables, without rows: a new one for each test would take a quarter second."""
    url = _postgres_url(folder, "postgres")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        for table in reversed(metadata.sorted_tables):
            connection.execute(f"DELETE FROM {table.name}")
    return url


def _migrated(url: str) -> None:
    store = open_store(url)
    store.migrate()
    store.close()

"""Where the data is: one environment variable for a server, another for a folder, else ``.data/``.

- ``COMPUTE_CANVAS_DATABASE_URL``: ``postgresql://user:password@host/database``.
- ``COMPUTE_CANVAS_DATA_DIR``: the folder of the SQLite file; without it ``.data/`` beside ``app.py``.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from core.i18n import Refusal

_URL, _FOLDER = "COMPUTE_CANVAS_DATABASE_URL", "COMPUTE_CANVAS_DATA_DIR"


def database_url() -> str:
    """The URL of the database in use, with its password, as SQLAlchemy reads it."""
    given = os.environ.get(_URL, "").strip()
    if given:
        return read_url(given).render_as_string(hide_password=False)
    return URL.create("sqlite", database=str(data_folder() / "compute_canvas.sqlite3")).render_as_string()


def data_folder() -> Path:
    """The folder for files, made if need be, and then open to nobody else (mode 700)."""
    given = os.environ.get(_FOLDER, "").strip()
    folder = Path(given).expanduser() if given else Path(__file__).parents[2] / ".data"
    make_folder(folder)
    return folder.resolve()


@contextlib.contextmanager
def folder_used(folder: Path) -> Iterator[None]:
    """Let ``folder`` be the one for files, for this process and those that it starts, while the block lasts."""
    before = os.environ.get(_FOLDER)
    os.environ[_FOLDER] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ[_FOLDER]
        else:
            os.environ[_FOLDER] = before


def make_folder(folder: Path) -> None:
    """Make ``folder`` and those above it, readable by their owner alone; leave existing ones as they are."""
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)


def read_url(text: str) -> URL:
    """``text`` as a URL of a database that we can use: a SQLite file, or PostgreSQL by psycopg 3.

    Raises a Refusal that says what is allowed, and repeats no password.
    """
    try:
        url = make_url(text)
    except ArgumentError:
        raise Refusal(
            "The database URL cannot be read; it looks like postgresql://user:password@host/database."
        ) from None
    if url.drivername in ("postgres", "postgresql", "postgresql+psycopg"):
        return url.set(drivername="postgresql+psycopg")
    if url.drivername in ("sqlite", "sqlite+pysqlite"):
        if url.database in (None, "", ":memory:") or "mode" in url.query:
            raise Refusal(
                "The database URL names no SQLite file; it looks like sqlite:////folder/file.sqlite3."
            )
        return url
    raise Refusal(
        "The database URL begins with {scheme}://; postgresql:// and sqlite:// are allowed.",
        scheme=url.drivername,
    )


def spoken(url: URL) -> str:
    """The place of the database without any secret."""
    if url.get_backend_name() == "sqlite":
        return f"SQLite, {Path(url.database or '').resolve()}"
    host = url.host or url.query.get("host") or "local socket"
    port = f":{url.port}" if url.port else ""
    return f"PostgreSQL, {url.database} at {host}{port}"

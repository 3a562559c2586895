"""Bringing the tables to the newest form, with Alembic, in one transaction.

A change of the tables is one new file in ``migrations/versions/`` whose name begins with the next
number ("0002_..."), and the same change in ``tables.py``; a test holds the two against each other.
A database that is at the newest number is recognised without importing Alembic, which takes longer
than the question.
"""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from core.i18n import Refusal
from core.storage.database import Database

_FOLDER = Path(__file__).with_name("migrations")
_LOCK = 0x636F6D70_63616E76
"""PostgreSQL's advisory lock of our migrations: a number that nothing else is likely to use."""


def newest_revision() -> str:
    """The number of the newest migration file."""
    return max(file.name.split("_")[0] for file in (_FOLDER / "versions").glob("[0-9]*_*.py"))


def migrate(database: Database) -> None:
    """Run what migrations are missing. Of several processes one does it and the others wait.

    Raises a Refusal if the database was made by a newer version of the program.
    """
    with database.reading() as connection:
        if _is_newest(connection, database.place):
            return
    with database.rebuilding() as connection:
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        _upgrade(connection)


def _is_newest(connection: Connection, place: str) -> bool:
    if not inspect(connection).has_table("alembic_version"):
        return False
    newest = newest_revision()
    at = connection.scalar(text("SELECT version_num FROM alembic_version")) or ""
    if at > newest:
        raise Refusal(
            "The database ({place}) is at schema {at}, newer than this program knows ({newest}): "
            "update the program.",
            place=place,
            at=at,
            newest=newest,
        )
    return bool(at == newest)


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")

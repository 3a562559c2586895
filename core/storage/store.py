"""The store: everything that is kept, behind one object that all threads of a process share."""

from core.storage.database import Database
from core.storage.expected import Expected
from core.storage.links import Links
from core.storage.migrate import migrate
from core.storage.place import database_url
from core.storage.runs import Runs
from core.storage.sweeps import Sweeps
from core.storage.ventures import Ventures
from core.storage.workers import Beats, Workers


class Store:
    """The kept things by kind, and the connection to where they are kept."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.ventures = Ventures(database)
        self.links = Links(database)
        self.runs = Runs(database)
        self.sweeps = Sweeps(database)
        self.expected = Expected(database)
        self.workers = Workers(database)
        self.beats = Beats(database)

    @property
    def place(self) -> str:
        """Where the database is, for people: without password."""
        return self._database.place

    def migrate(self) -> None:
        """Bring the tables to the newest form; fast if they are, and safe if several processes do it."""
        migrate(self._database)

    def close(self) -> None:
        """Close this process's connections; the next question opens new ones."""
        self._database.close()

    def after_fork(self) -> None:
        """Call first thing in a forked child: it must not use, nor close, its parent's connections."""
        self._database.after_fork()


def open_store(url: str | None = None) -> Store:
    """The store at ``url``, or where the environment says (:func:`database_url`); not yet migrated."""
    return Store(Database(database_url() if url is None else url))

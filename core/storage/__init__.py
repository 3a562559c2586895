"""What is kept: ventures with all their versions, share links, training runs.

One database, SQLite on one machine or PostgreSQL when hosted, behind one :class:`Store` that many
threads share. Nothing is overwritten: every save of a venture appends a version, and undo, redo and
restore append one too. Whoever saves names the version they saw; if the venture has moved on they
are told (:class:`Stale`), so no change is ever lost in silence.

Every question about a founder's things says whose they are (``owner``); what belongs to somebody
else does not exist (:class:`Missing`). Every time is a float of seconds since 1970 in UTC.

    store = open_store()
    store.migrate()
    row = store.ventures.create("me", venture, "first draft")
    store.ventures.save("me", row.id, row.version, venture.renamed("Ada"), "name")

``python -m core.storage`` brings the database to the newest schema and says where it is.
"""

from core.storage.place import data_folder, database_url
from core.storage.refusals import Missing, Stale
from core.storage.rows import (
    Held,
    LinkRow,
    MetricRow,
    Reason,
    Renewal,
    RunRow,
    RunState,
    Steps,
    SweepRow,
    SweepState,
    VentureRow,
    VersionRow,
    WorkerRow,
    new_id,
)
from core.storage.store import Store, open_store

__all__ = [
    "Held",
    "LinkRow",
    "MetricRow",
    "Missing",
    "Reason",
    "Renewal",
    "RunRow",
    "RunState",
    "Stale",
    "Steps",
    "Store",
    "SweepRow",
    "SweepState",
    "VentureRow",
    "VersionRow",
    "WorkerRow",
    "data_folder",
    "database_url",
    "new_id",
    "open_store",
]

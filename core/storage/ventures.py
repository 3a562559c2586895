"""Ventures and their versions: append only, optimistic, with undo and redo that outlive a reload.

The versions of a venture are a line (1, 2, 3 …) that only grows, and on top of it a tree of edits.
An edit hangs below the edit that was on screen when it was made. Undo shows the edit above, redo the
newest edit below; both append a version that repeats the document of the edit they go to, so the
line stays the plain history of what was on screen.
"""

import time
from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import Connection, RowMapping, insert, select, update
from sqlalchemy import delete as delete_from

from core.i18n import Text
from core.storage.database import Database
from core.storage.ownership import head_of
from core.storage.refusals import Stale, no_version
from core.storage.rows import Steps, VentureRow, VersionRow, new_id
from core.storage.tables import ventures, versions
from core.storage.text import is_number, kept
from core.venture import Venture, from_json, to_json

_V = versions.c
_HEADER = (
    _V.venture_id,
    _V.version,
    _V.note,
    _V.author,
    _V.created_at,
    _V.parent,
    _V.restores,
)


class Ventures:
    """The ventures of every owner. An id that is not the owner's raises Missing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # Lists and reading

    def rows(self, owner: str) -> list[VentureRow]:
        """The owner's ventures, the last changed first."""
        query = (
            select(ventures)
            .where(ventures.c.owner == owner)
            .order_by(ventures.c.updated_at.desc(), ventures.c.id)
        )
        with self._database.reading() as connection:
            return [_venture_row(row) for row in connection.execute(query).mappings()]

    def head(self, owner: str, venture_id: str) -> int:
        """The number of the newest version; cheap enough to ask on every run of a page."""
        with self._database.reading() as connection:
            return head_of(connection, owner, venture_id)

    def load(self, owner: str, venture_id: str, version: int | None = None) -> tuple[Venture, VersionRow]:
        """A version of the venture, the newest if none is named."""
        with self._database.reading() as connection:
            head = head_of(connection, owner, venture_id)
            row, document = _version(connection, venture_id, head if version is None else version)
        return from_json(document), row

    def versions(
        self, owner: str, venture_id: str, limit: int = 100, before: int | None = None
    ) -> list[VersionRow]:
        """The versions, newest first, without documents; those below ``before`` if it is given."""
        query = select(*_HEADER).where(_V.venture_id == venture_id).order_by(_V.version.desc()).limit(limit)
        if before is not None:
            query = query.where(_V.version < before)
        with self._database.reading() as connection:
            head_of(connection, owner, venture_id)
            return [VersionRow(**row) for row in connection.execute(query).mappings()]

    def steps(self, owner: str, venture_id: str) -> Steps:
        """What undo would take back and redo would bring back."""
        with self._database.reading() as connection:
            shown = _shown(connection, venture_id, head_of(connection, owner, venture_id))
            below = _newest_below(connection, venture_id, shown.version)
        return Steps(
            undo_note=None if shown.parent is None else shown.note,
            redo_note=None if below is None else below.note,
        )

    # Changing

    def create(self, owner: str, venture: Venture, note: str) -> VentureRow:
        """A new venture of the owner, at version 1."""
        now = time.time()
        row = VentureRow(new_id(), owner, venture.name, 1, now, now)
        with self._database.writing() as connection:
            connection.execute(
                insert(ventures).values(
                    id=row.id, owner=owner, version=1, created_at=now, updated_at=now, **_names(venture)
                )
            )
            _append(connection, VersionRow(row.id, 1, kept(note), owner, now), to_json(venture))
        return row

    def save(
        self, owner: str, venture_id: str, expected_version: int, venture: Venture, note: str
    ) -> VersionRow:
        """Append ``venture`` as the next version, if ``expected_version`` is still the newest.

        Raises Stale, and keeps nothing, if it is not.
        """
        document = to_json(venture)
        with self._database.writing() as connection:
            return self._edit(connection, owner, venture_id, expected_version, venture, document, note)

    def restore(
        self, owner: str, venture_id: str, expected_version: int, version: int, note: str
    ) -> VersionRow:
        """Append the document of an old ``version`` as an edit like any other."""
        with self._database.writing() as connection:
            head_of(connection, owner, venture_id)
            _, document = _version(connection, venture_id, version)
            old = from_json(document)
            return self._edit(connection, owner, venture_id, expected_version, old, document, note)

    def undo(self, owner: str, venture_id: str, expected_version: int) -> VersionRow | None:
        """Go to the edit above; None, and nothing is appended, if there is none."""
        return self._step(owner, venture_id, expected_version, back=True)

    def redo(self, owner: str, venture_id: str, expected_version: int) -> VersionRow | None:
        """Go to the newest edit below; None, and nothing is appended, if there is none."""
        return self._step(owner, venture_id, expected_version, back=False)

    def delete(self, owner: str, venture_id: str) -> None:
        """Delete the venture with its versions, links and training runs.

        A worker that trains one of those runs learns it when it renews its lease.
        """
        with self._database.writing() as connection:
            head_of(connection, owner, venture_id)
            connection.execute(delete_from(ventures).where(ventures.c.id == venture_id))

    # How

    def _next(
        self,
        connection: Connection,
        owner: str,
        venture_id: str,
        expected_version: int,
        names: Mapping[str, str],
    ) -> VersionRow:
        """Take the number after ``expected_version``: one UPDATE that only one writer can win."""
        now = time.time()
        taken = connection.execute(
            update(ventures)
            .where(
                ventures.c.id == venture_id,
                ventures.c.owner == owner,
                ventures.c.version == expected_version,
            )
            .values(version=expected_version + 1, updated_at=now, **names)
        )
        if not taken.rowcount:
            head = head_of(connection, owner, venture_id)
            raise Stale(head, _header(connection, venture_id, head).created_at)
        return VersionRow(venture_id, expected_version + 1, "", owner, now)

    def _edit(
        self,
        connection: Connection,
        owner: str,
        venture_id: str,
        expected_version: int,
        venture: Venture,
        document: str,
        note: str,
    ) -> VersionRow:
        """Append an edit below what ``expected_version`` shows."""
        new = self._next(connection, owner, venture_id, expected_version, _names(venture))
        above = _header(connection, venture_id, expected_version).position
        new = replace(new, note=kept(note), parent=above)
        _append(connection, new, document)
        return new

    def _step(self, owner: str, venture_id: str, expected_version: int, *, back: bool) -> VersionRow | None:
        with self._database.writing() as connection:
            head = head_of(connection, owner, venture_id)
            if head != expected_version:
                raise Stale(head, _header(connection, venture_id, head).created_at)
            shown = _shown(connection, venture_id, head)
            if back:
                target = shown.parent
            else:
                below = _newest_below(connection, venture_id, shown.version)
                target = None if below is None else below.version
            if target is None:
                return None
            goal, document = _version(connection, venture_id, target)
            new = self._next(connection, owner, venture_id, expected_version, _names(from_json(document)))
            new = replace(new, note=goal.note, restores=target)
            _append(connection, new, document)
        return new


def _version(connection: Connection, venture_id: str, version: int) -> tuple[VersionRow, str]:
    """A version and its document."""
    query = select(*_HEADER, _V.document).where(_V.venture_id == venture_id, _V.version == version)
    found = connection.execute(query).mappings().first() if is_number(version) else None
    if found is None:
        raise no_version()
    values = dict(found)
    document: str = values.pop("document")
    return VersionRow(**values), document


def _header(connection: Connection, venture_id: str, version: int) -> VersionRow:
    """A version without its document."""
    query = select(*_HEADER).where(_V.venture_id == venture_id, _V.version == version)
    found = connection.execute(query).mappings().first()
    if found is None:
        raise no_version()
    return VersionRow(**found)


def _shown(connection: Connection, venture_id: str, version: int) -> VersionRow:
    """The edit that ``version`` shows: itself, or the one it restores."""
    row = _header(connection, venture_id, version)
    return row if row.restores is None else _header(connection, venture_id, row.restores)


def _newest_below(connection: Connection, venture_id: str, version: int) -> VersionRow | None:
    """The newest edit that was made from ``version``."""
    query = (
        select(*_HEADER)
        .where(_V.venture_id == venture_id, _V.parent == version)
        .order_by(_V.version.desc())
        .limit(1)
    )
    found = connection.execute(query).mappings().first()
    return None if found is None else VersionRow(**found)


def _append(connection: Connection, row: VersionRow, document: str) -> None:
    connection.execute(
        insert(versions).values(
            venture_id=row.venture_id,
            version=row.version,
            document=document,
            note=row.note,
            author=row.author,
            created_at=row.created_at,
            parent=row.parent,
            restores=row.restores,
        )
    )


def _names(venture: Venture) -> dict[str, str]:
    return {"name": kept(venture.name.en), "name_zh": kept(venture.name.zh)}


def _venture_row(row: RowMapping) -> VentureRow:
    return VentureRow(
        id=row["id"],
        owner=row["owner"],
        name=Text(en=row["name"], zh=row["name_zh"]),
        version=row["version"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )

"""Share links: a random token that opens one version of a venture to whoever holds it."""

import secrets
import time
from dataclasses import replace

from sqlalchemy import insert, select, update

from core.storage.database import Database
from core.storage.ownership import head_of
from core.storage.refusals import no_link, no_version
from core.storage.rows import LinkRow, VersionRow
from core.storage.tables import links, ventures, versions
from core.storage.text import is_number, is_word, kept
from core.venture import Venture, from_json


class Links:
    """The links of every owner's ventures."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, owner: str, venture_id: str, version: int, label: str) -> LinkRow:
        """A new link to a version of the owner's venture, with a random token of 128 bits."""
        row = LinkRow(secrets.token_urlsafe(16), venture_id, version, kept(label), time.time(), None, 0)
        with self._database.writing() as connection:
            head_of(connection, owner, venture_id, hold=True)
            there = select(versions.c.version).where(
                versions.c.venture_id == venture_id, versions.c.version == version
            )
            if not is_number(version) or connection.scalar(there) is None:
                raise no_version()
            connection.execute(
                insert(links).values(
                    token=row.token,
                    venture_id=venture_id,
                    version=version,
                    label=row.label,
                    created_at=row.created_at,
                    opened=0,
                )
            )
        return row

    def rows(self, owner: str, venture_id: str) -> list[LinkRow]:
        """The links of the owner's venture, revoked ones too, newest first."""
        query = (
            select(links)
            .where(links.c.venture_id == venture_id)
            .order_by(links.c.created_at.desc(), links.c.token)
        )
        with self._database.reading() as connection:
            head_of(connection, owner, venture_id)
            return [LinkRow(**row) for row in connection.execute(query).mappings()]

    def revoke(self, owner: str, token: str) -> None:
        """Make the link open nothing any more, at once. Revoking twice is no error."""
        own = select(ventures.c.id).where(ventures.c.owner == owner)
        query = select(links.c.revoked_at).where(links.c.token == token, links.c.venture_id.in_(own))
        with self._database.writing() as connection:
            found = connection.execute(query).first() if is_word(token) else None
            if found is None:
                raise no_link()
            connection.execute(
                update(links)
                .where(links.c.token == token, links.c.revoked_at.is_(None))
                .values(revoked_at=time.time())
            )

    def open(self, token: str, count: bool = True) -> tuple[Venture, LinkRow, VersionRow]:
        """What the holder of ``token`` sees; with ``count`` it is counted as opened once more.

        A wrong, malformed, deleted or revoked token raises one and the same Missing.
        """
        if not is_word(token):
            raise no_link()
        with self._database.reading() as connection:
            found = connection.execute(
                select(links, *versions.c)
                .join(
                    versions,
                    (versions.c.venture_id == links.c.venture_id) & (versions.c.version == links.c.version),
                )
                .where(links.c.token == token, links.c.revoked_at.is_(None))
            ).first()
        if found is None:
            raise no_link()
        link = LinkRow(**{c.name: found._mapping[c] for c in links.c})
        version = VersionRow(**{c.name: found._mapping[c] for c in versions.c if c.name != "document"})
        venture = from_json(found._mapping[versions.c.document])
        if count:
            with self._database.writing() as connection:
                opened = connection.scalar(
                    update(links)
                    .where(links.c.token == token)
                    .values(opened=links.c.opened + 1)
                    .returning(links.c.opened)
                )
            link = replace(link, opened=opened or link.opened)
        return venture, link, version

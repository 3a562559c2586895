"""Whose is this? The one place that answers for ventures.

What belongs to somebody else is Missing, in the same words as what never was.
"""

from sqlalchemy import Connection, select

from core.storage.refusals import no_venture
from core.storage.tables import ventures
from core.storage.text import is_word


def head_of(connection: Connection, owner: str, venture_id: str, *, hold: bool = False) -> int:
    """The newest version of the owner's venture.

    With ``hold`` nobody can delete the venture before the transaction ends.
    """
    query = select(ventures.c.version).where(ventures.c.id == venture_id, ventures.c.owner == owner)
    if hold:
        query = query.with_for_update(read=True, key_share=True)
    head = connection.scalar(query) if is_word(venture_id) else None
    if head is None:
        raise no_venture()
    return head

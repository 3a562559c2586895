"""Whose turn it is: waiting runs in the order in which they will begin, owner by owner.

Round robin: one run of each owner in turn, and of one owner the oldest first, so that somebody with a
hundred runs in the queue does not keep another's single run waiting for all of them. Who was served
longest ago is first; somebody never served before everybody else.
"""

from collections import deque
from collections.abc import Mapping, Sequence


def fair_order(waiting: Sequence[tuple[str, str]], served: Mapping[str, float]) -> list[str]:
    """The ids of ``waiting`` runs, (id, owner) oldest first, in the order of their turn.

    ``served``: when a run of the owner began last, in seconds since 1970.
    """
    queues: dict[str, deque[str]] = {}
    for run_id, owner in waiting:
        queues.setdefault(owner, deque()).append(run_id)
    # Sorting keeps the order of those never served: by their oldest run.
    turn = deque(sorted(queues, key=lambda owner: served.get(owner, 0.0)))
    order = []
    while turn:
        owner = turn.popleft()
        order.append(queues[owner].popleft())
        if queues[owner]:
            turn.append(owner)
    return order

"""``python -m core.storage``: bring the database to the newest form and say where it is."""

import sys

from core.i18n import Refusal
from core.storage.store import open_store


def main() -> int:
    try:
        store = open_store()
        store.migrate()
    except Refusal as refusal:
        print(refusal, file=sys.stderr)
        return 1
    print(store.place)
    store.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""A process that is killed in the middle of saving loses nothing that it was told is saved."""

import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

from sqlalchemy import text

from core.storage.database import Database

ROOT = Path(__file__).parents[3]

_SAVER = """
import sys
from datetime import date
from core.i18n import Text
from core.storage import open_store
from core.venture import Venture

url, venture_id = sys.argv[1:]
store = open_store(url)
venture = Venture(name=Text("x"), start=date(2026, 1, 1))
head = store.ventures.head("me", venture_id)
while True:
    head = store.ventures.save("me", venture_id, head, venture.renamed(f"v{head + 1}"), "n" * 5000).version
    print(head, flush=True)
"""


def test_every_version_that_was_reported_saved_is_there_after_kill_9(store, url, venture):
    row = store.ventures.create("me", venture("v1"), "")
    moments = random.Random(7)
    reported: list[int] = []
    for _ in range(4):
        child = subprocess.Popen(
            [sys.executable, "-c", _SAVER, url, row.id], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        lines = [child.stdout.readline()]  # it is saving now
        killer = threading.Timer(moments.uniform(0.0, 0.3), child.send_signal, [signal.SIGKILL])
        killer.start()
        lines += child.stdout.readlines()
        killer.join()
        assert child.wait() == -signal.SIGKILL
        saved = [int(line) for line in lines if line.endswith("\n")]
        assert saved, "the child had saved nothing before it was killed"
        reported += saved

    head = store.ventures.head("me", row.id)
    history = store.ventures.versions("me", row.id, limit=1_000_000)
    assert [v.version for v in history] == list(range(head, 0, -1))
    assert set(reported) <= {v.version for v in history}
    assert sorted(reported) == reported
    assert head - max(reported) <= 1  # at most the one whose report was cut off
    for version in (1, *reported[:: len(reported) // 20 + 1], head):
        assert store.ventures.load("me", row.id, version)[0].name.en == f"v{version}"
    if url.startswith("sqlite"):
        database = Database(url)
        with database.reading() as connection:
            assert connection.scalar(text("PRAGMA integrity_check")) == "ok"
            assert connection.execute(text("PRAGMA foreign_key_check")).all() == []
        database.close()

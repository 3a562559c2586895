"""Ventures: every save is kept, nobody overwrites anybody, and each owner sees only their own."""

import threading
import time

import pytest
from sqlalchemy import text

from core.i18n import Refusal, Text
from core.storage import Missing, Stale, open_store
from core.storage.database import Database
from core.venture import to_json


def test_a_created_venture_comes_back_as_it_was(store, venture):
    made = venture("Ada").model_copy(update={"promise": Text("Faster tutors", "更快的导师")})
    row = store.ventures.create("me", made, "first draft")
    loaded, version = store.ventures.load("me", row.id)
    assert loaded == made
    assert (version.version, version.note, version.author) == (1, "first draft", "me")
    assert version.parent is None
    assert version.restores is None
    assert abs(version.created_at - time.time()) < 60


def test_the_list_shows_the_name_of_the_newest_version_and_the_last_changed_first(store, venture):
    a = store.ventures.create("me", venture("A"), "")
    b = store.ventures.create("me", venture("B"), "")
    assert [row.id for row in store.ventures.rows("me")] == [b.id, a.id]
    store.ventures.save("me", a.id, 1, venture("A2").model_copy(update={"name": Text("A2", "甲")}), "name")
    first, second = store.ventures.rows("me")
    assert (first.id, first.name, first.version) == (a.id, Text("A2", "甲"), 2)
    assert first.updated_at > first.created_at
    assert second.name == Text("B")
    store.ventures.undo("me", a.id, 2)
    assert store.ventures.rows("me")[0].name == Text("A")


def test_each_save_is_a_version_and_old_ones_stay_readable(store, venture):
    row = store.ventures.create("me", venture("v1"), "start")
    for n in range(2, 8):
        assert store.ventures.save("me", row.id, n - 1, venture(f"v{n}"), f"note {n}").version == n
    assert store.ventures.head("me", row.id) == 7
    for n in range(1, 8):
        assert store.ventures.load("me", row.id, n)[0].name.en == f"v{n}"
    listed = store.ventures.versions("me", row.id, limit=3)
    assert [v.version for v in listed] == [7, 6, 5]
    assert [v.version for v in store.ventures.versions("me", row.id, before=5)] == [4, 3, 2, 1]
    assert [v.note for v in listed] == ["note 7", "note 6", "note 5"]
    assert [v.parent for v in listed] == [6, 5, 4]


def test_a_stale_save_is_told_and_keeps_nothing(store, venture):
    row = store.ventures.create("me", venture("v1"), "")
    theirs = store.ventures.save("me", row.id, 1, venture("theirs"), "")
    with pytest.raises(Stale, match="changed elsewhere and is now at version 2") as told:
        store.ventures.save("me", row.id, 1, venture("mine"), "")
    assert isinstance(told.value, Refusal)
    assert told.value.current_version == 2
    assert told.value.saved_at == theirs.created_at
    assert [v.version for v in store.ventures.versions("me", row.id)] == [2, 1]
    assert store.ventures.load("me", row.id)[0].name.en == "theirs"
    assert store.ventures.rows("me")[0].name.en == "theirs"


@pytest.mark.parametrize("change", ["undo", "redo", "restore"])
def test_undo_redo_and_restore_are_refused_when_stale(store, venture, change):
    row = store.ventures.create("me", venture("v1"), "")
    store.ventures.save("me", row.id, 1, venture("v2"), "")
    arguments = (1, "back") if change == "restore" else ()
    with pytest.raises(Stale):
        getattr(store.ventures, change)("me", row.id, 1, *arguments)
    assert store.ventures.head("me", row.id) == 2


def test_a_save_on_a_version_that_is_yet_to_come_is_stale(store, venture):
    row = store.ventures.create("me", venture("v1"), "")
    with pytest.raises(Stale):
        store.ventures.save("me", row.id, 2, venture("v3"), "")


def test_restore_is_an_edit_that_copies_the_old_document(store, venture):
    row = store.ventures.create("me", venture("v1"), "start")
    store.ventures.save("me", row.id, 1, venture("v2"), "b")
    restored = store.ventures.restore("me", row.id, 2, 1, "back to version 1")
    assert (restored.version, restored.parent, restored.restores) == (3, 2, None)
    assert store.ventures.load("me", row.id)[0] == venture("v1")
    assert store.ventures.rows("me")[0].name.en == "v1"
    undone = store.ventures.undo("me", row.id, 3)
    assert undone is not None
    assert undone.restores == 2


@pytest.mark.parametrize("version", [0, -1, 3, 2**31, 10**40])
def test_a_version_that_is_not_there_is_missing(store, venture, version):
    row = store.ventures.create("me", venture("v1"), "")
    with pytest.raises(Missing, match="no such version"):
        store.ventures.load("me", row.id, version)


@pytest.mark.parametrize(
    "wrong", ["", "0123456789abcdef", "x" * 5000, "a\0b", "'; DROP TABLE ventures", "é", "\ud800"]
)
def test_a_wrong_id_is_missing_whatever_its_form(store, wrong):
    for ask in (
        lambda: store.ventures.head("me", wrong),
        lambda: store.ventures.load("me", wrong),
        lambda: store.ventures.versions("me", wrong),
        lambda: store.ventures.steps("me", wrong),
        lambda: store.ventures.delete("me", wrong),
        lambda: store.links.rows("me", wrong),
        lambda: store.links.create("me", wrong, 1, ""),
        lambda: store.runs.submit("me", wrong, "{}"),
        lambda: store.runs.get("me", wrong),
        lambda: store.runs.cancel("me", wrong),
    ):
        with pytest.raises(Missing):
            ask()


def test_what_is_anothers_does_not_exist(store, venture):
    row = store.ventures.create("ada", venture("secret"), "")
    store.ventures.save("ada", row.id, 1, venture("secret 2"), "")
    link = store.links.create("ada", row.id, 1, "")
    run = store.runs.submit("ada", row.id, "{}")
    attempts = (
        lambda: store.ventures.head("bob", row.id),
        lambda: store.ventures.load("bob", row.id),
        lambda: store.ventures.load("bob", row.id, 1),
        lambda: store.ventures.versions("bob", row.id),
        lambda: store.ventures.steps("bob", row.id),
        lambda: store.ventures.save("bob", row.id, 2, venture("mine"), ""),
        lambda: store.ventures.save("bob", row.id, 1, venture("mine"), ""),
        lambda: store.ventures.undo("bob", row.id, 2),
        lambda: store.ventures.redo("bob", row.id, 2),
        lambda: store.ventures.restore("bob", row.id, 2, 1, ""),
        lambda: store.ventures.delete("bob", row.id),
        lambda: store.links.create("bob", row.id, 1, ""),
        lambda: store.links.rows("bob", row.id),
        lambda: store.links.revoke("bob", link.token),
        lambda: store.runs.submit("bob", row.id, "{}"),
        lambda: store.runs.get("bob", run.id),
        lambda: store.runs.cancel("bob", run.id),
        lambda: store.runs.delete("bob", run.id),
    )
    for attempt in attempts:
        with pytest.raises(Missing):
            attempt()
    assert store.ventures.rows("bob") == []
    assert store.runs.rows("bob") == []
    assert store.runs.rows("bob", row.id) == []
    assert store.ventures.head("ada", row.id) == 2
    assert store.links.open(link.token)[0].name.en == "secret"
    assert store.runs.get("ada", run.id).state == "queued"


def test_deleting_a_venture_takes_its_versions_links_and_runs_with_it(store, venture):
    row = store.ventures.create("me", venture("gone"), "")
    kept = store.ventures.create("me", venture("kept"), "")
    link = store.links.create("me", row.id, 1, "")
    run = store.runs.submit("me", row.id, "{}")
    assert store.runs.claim("worker", 60) is not None
    store.ventures.delete("me", row.id)
    with pytest.raises(Missing):
        store.ventures.load("me", row.id)
    with pytest.raises(Missing):
        store.links.open(link.token)
    with pytest.raises(Missing):
        store.runs.get("me", run.id)
    assert store.runs.renew(run.id, "worker", 60).still_mine is False
    assert [r.id for r in store.ventures.rows("me")] == [kept.id]


def test_text_that_a_database_cannot_hold_is_kept_without_it(store, venture):
    row = store.ventures.create("me", venture("a\0b"), "note\0 \ud800 价格 80 → 90 🙂")
    loaded, version = store.ventures.load("me", row.id)
    assert loaded.name.en == "a\0b"
    assert version.note == "note ? 价格 80 → 90 🙂"
    assert store.ventures.rows("me")[0].name == Text("ab")


def test_many_writers_at_once_lose_no_accepted_change(store, url, venture):
    stores = [store, open_store(url)]  # as two processes: writers of one wait for those of the other
    row = store.ventures.create("me", venture("start"), "")
    writers, changes = 8, 12
    accepted: list[tuple[int, str]] = []
    refused = 0
    failures: list[BaseException] = []
    guard = threading.Lock()

    def write(writer: int) -> None:
        nonlocal refused
        try:
            seen = 1
            for change in range(changes):
                note = f"writer {writer}, change {change}"
                while True:
                    try:
                        saved = stores[writer % 2].ventures.save("me", row.id, seen, venture(note), note)
                        seen = saved.version
                    except Stale as stale:
                        seen = stale.current_version
                        with guard:
                            refused += 1
                    else:
                        with guard:
                            accepted.append((seen, note))
                        break
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stores[1].close()

    assert not failures
    assert refused > 0
    assert store.ventures.head("me", row.id) == 1 + writers * changes
    history = store.ventures.versions("me", row.id, limit=1000)
    assert [v.version for v in history] == list(range(1 + writers * changes, 0, -1))
    assert {(v.version, v.note) for v in history[:-1]} == set(accepted)
    assert all(v.parent == v.version - 1 for v in history[:-1])
    for version, note in accepted[::10]:
        assert store.ventures.load("me", row.id, version)[0].name.en == note


def test_the_document_is_stored_as_the_codec_wrote_it(store, venture, url):
    store.ventures.create("me", venture("as is"), "")
    database = Database(url)
    with database.reading() as connection:
        assert connection.scalar(text("SELECT document FROM venture_versions")) == to_json(venture("as is"))
    database.close()

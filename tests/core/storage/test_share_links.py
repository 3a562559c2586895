"""Share links: they open one version, until revoked, and say the same to every wrong token."""

import re
import threading

import pytest

from core.storage import Missing


@pytest.fixture
def shared(store, venture):
    """A venture at version 2 with a link to version 1: (id, link)."""
    row = store.ventures.create("me", venture("v1"), "start")
    store.ventures.save("me", row.id, 1, venture("v2"), "edit")
    return row.id, store.links.create("me", row.id, 1, "for Eve")


def test_a_link_opens_its_version_although_the_venture_moves_on(store, shared):
    _, link = shared
    venture, opened, version = store.links.open(link.token)
    assert venture.name.en == "v1"
    assert (version.version, version.note) == (1, "start")
    assert (opened.label, opened.opened) == ("for Eve", 1)


def test_a_token_is_random_and_has_128_bits(store, shared):
    venture_id, link = shared
    tokens = {store.links.create("me", venture_id, 2, "").token for _ in range(20)} | {link.token}
    assert len(tokens) == 21
    assert all(re.fullmatch(r"[0-9A-Za-z_-]{22}", token) for token in tokens)  # 22 × 6 bits ≥ 128


def test_every_token_that_does_not_work_gets_the_same_answer(store, shared):
    venture_id, link = shared
    revoked = store.links.create("me", venture_id, 2, "")
    store.links.revoke("me", revoked.token)
    deleted_with_venture = _link_of_a_deleted_venture(store, shared)
    flipped = link.token[:-1] + ("A" if link.token[-1] != "A" else "B")
    wrong = [
        revoked.token,
        deleted_with_venture,
        flipped,
        "",
        " ",
        "a" * 10_000,
        "a\0b",
        "\ud800",
        "../x",
        "' OR 1=1",
        "数",
    ]
    sentences = set()
    for token in wrong:
        with pytest.raises(Missing) as told:
            store.links.open(token)
        sentences.add((type(told.value), str(told.value)))
    assert len(sentences) == 1
    assert store.links.open(link.token)[0].name.en == "v1"


def _link_of_a_deleted_venture(store, shared):
    venture = store.ventures.load("me", shared[0])[0]
    row = store.ventures.create("me", venture, "")
    token = store.links.create("me", row.id, 1, "").token
    store.ventures.delete("me", row.id)
    return token


def test_a_revoked_link_stays_in_the_list_with_its_time(store, shared):
    venture_id, link = shared
    second = store.links.create("me", venture_id, 2, "second")
    store.links.revoke("me", link.token)
    first_time = store.links.rows("me", venture_id)[1].revoked_at
    store.links.revoke("me", link.token)
    newest, oldest = store.links.rows("me", venture_id)
    assert (newest.token, newest.revoked_at) == (second.token, None)
    assert (oldest.token, oldest.revoked_at) == (link.token, first_time)
    assert first_time is not None


def test_a_link_to_a_version_that_is_not_there_is_refused(store, shared):
    for version in (0, 3, -1, 2**40):
        with pytest.raises(Missing, match="no such version"):
            store.links.create("me", shared[0], version, "")


def test_opens_are_counted_even_at_once_and_a_quiet_look_is_not(store, shared):
    venture_id, link = shared
    threads = [threading.Thread(target=store.links.open, args=(link.token,)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.links.open(link.token, count=False)
    assert store.links.rows("me", venture_id)[0].opened == 20

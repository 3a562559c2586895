"""The run that somebody has on the screen: one for each owner, the newest first, and not for long."""

import time


def test_the_newest_is_told_with_its_owner(store):
    assert store.expected.newest(60) is None
    store.expected.tell("me", "a")
    store.expected.tell("you", "b")
    assert store.expected.newest(60) == ("b", "you")
    store.expected.tell("me", "c")
    assert store.expected.newest(60) == ("c", "me")


def test_what_was_long_ago_is_not_expected_and_forgotten_after_a_day(store, monkeypatch):
    store.expected.tell("me", "a")
    now = time.time()
    monkeypatch.setattr("core.storage.expected.time.time", lambda: now + 100)
    assert store.expected.newest(60) is None
    assert store.expected.newest(200) == ("a", "me")
    monkeypatch.setattr("core.storage.expected.time.time", lambda: now + 90_000)
    store.expected.tell("you", "b")
    assert store.expected.newest(1e9) == ("b", "you")
    monkeypatch.setattr("core.storage.expected.time.time", lambda: now + 200_000)
    store.expected.tell("you", "b")
    monkeypatch.setattr("core.storage.expected.time.time", lambda: now - 1)
    assert store.expected.newest(1e9) == ("b", "you"), "the one of before is gone"


def test_what_is_forgotten_is_not_expected(store):
    store.expected.tell("me", "a")
    store.expected.tell("you", "b")
    store.expected.forget("you")
    assert store.expected.newest(60) == ("a", "me")

"""Undo and redo: a tree of edits on a line of versions, checked against a model in memory."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.storage import Steps, open_store


class Tree:
    """The same rules in twenty lines: edits by version, each with its parent; and what is shown."""

    def __init__(self):
        self.parent, self.document, self.note = {1: None}, {1: "v1"}, {1: "start"}
        self.version = self.shown = 1

    def edit(self, document, note):
        self.version += 1
        self.parent[self.version], self.document[self.version] = self.shown, document
        self.note[self.version] = note
        self.shown = self.version

    def below(self):
        return max((v for v, parent in self.parent.items() if parent == self.shown), default=None)

    def go(self, target):
        if target is not None:
            self.version += 1
            self.shown = target
        return target

    def steps(self):
        return Steps(
            self.note[self.shown] if self.parent[self.shown] else None,
            self.note[self.below()] if self.below() else None,
        )


_actions = st.lists(
    st.one_of(
        st.sampled_from(["edit", "edit", "undo", "undo", "undo", "redo", "redo"]),
        st.floats(0, 1).map(lambda share: ("restore", share)),
    ),
    max_size=25,
)


@given(actions=_actions)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_sequence_of_edits_undos_and_redos_shows_what_the_model_shows(store, venture, actions):
    ventures, tree = store.ventures, Tree()
    row = ventures.create("me", venture("v1"), "start")
    shown_at = {1: "v1"}
    for action in actions:
        before = tree.version
        if action == "edit":
            name = f"v{before + 1}"
            made = ventures.save("me", row.id, before, venture(name), f"to {name}")
            assert made.parent == tree.shown
            tree.edit(name, f"to {name}")
        elif action == "undo":
            made = ventures.undo("me", row.id, before)
            assert tree.go(tree.parent[tree.shown]) == (made and made.restores)
        elif action == "redo":
            made = ventures.redo("me", row.id, before)
            assert tree.go(tree.below()) == (made and made.restores)
        else:
            old = 1 + round(action[1] * (before - 1))
            made = ventures.restore("me", row.id, before, old, f"restore {old}")
            assert made.parent == tree.shown
            tree.edit(shown_at[old], f"restore {old}")
        loaded, version = ventures.load("me", row.id)
        assert version.version == tree.version == ventures.head("me", row.id)
        assert version.position == tree.shown
        assert version.note == tree.note[tree.shown]
        assert loaded.name.en == tree.document[tree.shown]
        assert ventures.steps("me", row.id) == tree.steps()
        shown_at[tree.version] = loaded.name.en
    for number, name in shown_at.items():
        assert ventures.load("me", row.id, number)[0].name.en == name


@pytest.fixture
def edited(store, venture):
    """A venture with two edits after its creation; its id."""
    row = store.ventures.create("me", venture("v1"), "start")
    store.ventures.save("me", row.id, 1, venture("v2"), "price 80 → 90")
    store.ventures.save("me", row.id, 2, venture("v3"), "price 90 → 95")
    return row.id


def test_the_buttons_are_told_which_edit_they_take_back_or_bring_back(store, edited):
    assert store.ventures.steps("me", edited) == Steps("price 90 → 95", None)
    store.ventures.undo("me", edited, 3)
    assert store.ventures.steps("me", edited) == Steps("price 80 → 90", "price 90 → 95")
    store.ventures.undo("me", edited, 4)
    assert store.ventures.steps("me", edited) == Steps(None, "price 80 → 90")


def test_nothing_to_undo_or_redo_appends_nothing(store, edited):
    assert store.ventures.redo("me", edited, 3) is None
    store.ventures.undo("me", edited, 3)
    store.ventures.undo("me", edited, 4)
    assert store.ventures.undo("me", edited, 5) is None
    assert store.ventures.head("me", edited) == 5


def test_an_edit_after_undo_opens_a_branch_that_redo_prefers_and_loses_no_other(store, edited, venture):
    store.ventures.undo("me", edited, 3)
    store.ventures.save("me", edited, 4, venture("other"), "other")
    store.ventures.undo("me", edited, 5)
    redone = store.ventures.redo("me", edited, 6)
    assert redone is not None
    assert redone.restores == 5
    assert store.ventures.load("me", edited, 3)[0].name.en == "v3"


def test_undo_survives_a_restart(store, url, edited):
    store.ventures.undo("me", edited, 3)
    store.close()
    again = open_store(url)
    again.migrate()
    assert again.ventures.steps("me", edited) == Steps("price 80 → 90", "price 90 → 95")
    assert again.ventures.redo("me", edited, 4).restores == 3
    again.close()

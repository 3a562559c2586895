"""What one browser tab has open: its language, and its workspace with the venture in it.

The page never holds the only copy of anything: a change is saved before the screen says so, and a
tab that was overtaken by another one is told, with its change kept at hand.
"""

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from urllib.parse import urlsplit

import streamlit as st
from sqlalchemy.exc import SQLAlchemyError

from core.i18n import LANGUAGES, Language, Refusal, language
from core.storage import Missing, Stale, VersionRow
from core.venture import Venture, example
from pages.parts import fields
from pages.parts.services import store

log = logging.getLogger("compute_canvas")

Change = Callable[[Venture], Venture]

NEW = "new"
"""In the address in place of a venture's id: the example as a new venture."""


LOOPBACK = ("localhost", "127.0.0.1", "::1")
"""What a machine calls itself: an address that no other machine reaches."""


def say() -> Language:
    """The language of this tab: chosen, else the browser's, else English."""
    chosen = st.session_state.get("language")
    if chosen not in LANGUAGES:
        chosen = "zh_Hans" if (st.context.locale or "").lower().startswith("zh") else "en"
    return language(chosen)


def owner() -> str:
    """Whose ventures this tab sees. Without accounts there is one owner; sign-in answers here."""
    return "local"


def seen_by_all() -> bool:
    """Whether what this tab sees may be seen by others: nobody signs in, and the server answers other machines."""
    here = urlsplit(address()).hostname in LOOPBACK
    return not (here and os.environ.get("COMPUTE_CANVAS_HOST", "127.0.0.1") in LOOPBACK)


@dataclass
class Conflict:
    """A change that could not be saved because another tab saved first.

    ``mine`` is what it makes of the version that this tab knew.
    """

    change: Change
    mine: Venture
    note: str
    error: Stale

    def then(self, how: Change, note: str) -> "Conflict":
        """With one more change, made before it was decided what becomes of the first."""
        first = self.change
        return Conflict(
            lambda venture: how(first(venture)), how(self.mine), f"{self.note} · {note}"[:200], self.error
        )


@dataclass
class Workspace:
    """The open venture of a tab at the version it was read or saved at."""

    owner: str
    venture_id: str
    version: int
    saved_at: float
    venture: Venture
    conflict: Conflict | None = None
    refused: dict[str, Refusal] = field(default_factory=dict)
    news: str = ""

    def follow(self, key: str, value: object) -> None:
        """Let the field ``key`` show the venture's ``value``; only what was refused stays as it was typed."""
        if fields.name(key) not in st.session_state:
            self.refused.pop(key, None)
        if key not in self.refused:
            fields.follow(key, value)

    def change(self, how: Change, note: str, place: str = "save") -> bool:
        """Save what ``how`` makes of the venture; whether it was saved.

        A refusal is kept under ``place`` (shown beside the field, or above the page) and nothing
        changes. If another tab was faster, the change is kept as a :class:`Conflict` for the founder
        to decide.
        """
        self.refused.pop(place, None)
        try:
            if self.conflict:
                self.conflict = self.conflict.then(how, note)
                return False
            new = how(self.venture)
        except Refusal as refusal:
            self.refused[place] = refusal
            return False
        if new == self.venture:
            return True
        return self._save(
            lambda: store().ventures.save(self.owner, self.venture_id, self.version, new, note),
            new,
            how,
            note,
        )

    def undo(self) -> None:
        """Go back one step."""
        self._step(lambda: store().ventures.undo(self.owner, self.venture_id, self.version))

    def redo(self) -> None:
        """Go forward one step."""
        self._step(lambda: store().ventures.redo(self.owner, self.venture_id, self.version))

    def restore(self, version: int, note: str) -> None:
        """Make an old version the newest."""
        self._step(lambda: store().ventures.restore(self.owner, self.venture_id, self.version, version, note))

    def refresh(self) -> None:
        """Take over what another tab has saved meanwhile."""
        if self.conflict is None and store().ventures.head(self.owner, self.venture_id) != self.version:
            self._load()
            self.news = "elsewhere"

    def take_theirs(self) -> None:
        """End a conflict: drop the change that was not saved."""
        self.conflict = None
        self._load()

    def put_mine_on_top(self) -> None:
        """End a conflict: make the change again, on the newest version, if that version allows it."""
        conflict, self.conflict = self.conflict, None
        self._load()
        if conflict and not self.change(conflict.change, conflict.note) and "save" in self.refused:
            self.conflict = conflict

    def keep_mine_as_copy(self, name: str) -> None:
        """End a conflict: the change goes into a venture of its own, which is opened."""
        conflict, self.conflict = self.conflict, None
        if conflict:
            open_new(conflict.mine.renamed(name), conflict.note)

    def _save(
        self, save: Callable[[], VersionRow | None], new: Venture | None, how: Change | None, note: str
    ) -> bool:
        try:
            row = save()
        except Stale as stale:
            if how is None or new is None:
                self._load()
                self.news = "elsewhere"
            else:
                self.conflict = Conflict(how, new, note, stale)
            return False
        except SQLAlchemyError:
            log.exception("A save failed.")
            self.refused["save"] = Refusal(
                "The change could not be saved: the database does not answer. Try again."
            )
            return False
        if row is not None:
            self.version, self.saved_at = row.version, row.created_at
            if new is not None:
                self.venture = new
        return row is not None

    def _step(self, step: Callable[[], VersionRow | None]) -> None:
        if self._save(step, None, None, ""):
            self._load()

    def _load(self) -> None:
        self.venture, row = store().ventures.load(self.owner, self.venture_id)
        self.version, self.saved_at = row.version, row.created_at
        self.refused.clear()


def workspace() -> Workspace:
    """The workspace of this tab, opened on first use: the venture of the address (``?venture=``; "new" is
    the finished example afresh), the last one changed, or, for somebody new, the example."""
    asked = st.query_params.get("venture")
    held: Workspace | None = st.session_state.get("workspace")
    if held is not None and asked in (None, NEW, held.venture_id):
        return held
    if asked == NEW:
        return open_new(example(start=date.today()), "example")
    if asked and (found := _opened(asked)):
        return _hold(found)
    if held is not None:
        return held
    rows = store().ventures.rows(owner())
    if rows and (found := _opened(rows[0].id)):
        return _hold(found)
    return open_new(example(start=date.today()), "example")


def open_venture(venture_id: str) -> None:
    """Open another venture of the owner in this tab."""
    if found := _opened(venture_id):
        _hold(found)


def open_new(venture: Venture, note: str) -> Workspace:
    """Keep a new venture and open it in this tab."""
    row = store().ventures.create(owner(), venture, note)
    return _hold(Workspace(owner(), row.id, row.version, row.updated_at, venture))


def _opened(venture_id: str) -> Workspace | None:
    try:
        venture, row = store().ventures.load(owner(), venture_id)
    except Missing:
        return None
    return Workspace(owner(), venture_id, row.version, row.created_at, venture)


def _hold(opened: Workspace) -> Workspace:
    st.session_state["workspace"] = opened
    st.query_params["venture"] = opened.venture_id
    return opened


def address() -> str:
    """Scheme and host at which this tab reached the server: "https://canvas.example"."""
    parts = urlsplit(st.context.url or "http://localhost:8501")
    return f"{parts.scheme}://{parts.netloc}"

"""The canvas: nine blocks of notes, in the names and the order of Osterwalder's.

The Business Model Canvas is by Strategyzer AG (strategyzer.com), licensed CC BY-SA 3.0; the credit
:data:`CREDIT` stands on the screen and in every export. A note may mention a number as ``{price}``.
"""

import re
import secrets
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, Self, get_args

from pydantic import Field, model_validator

from core.i18n import Refusal, Text
from core.venture.frozen import Frozen, Key, Parts, refusing

Block = Literal[
    "partners",
    "activities",
    "resources",
    "propositions",
    "relationships",
    "channels",
    "segments",
    "costs",
    "revenues",
]

BLOCKS: dict[str, Text] = {
    "partners": Text("Key partners", "重要合作"),
    "activities": Text("Key activities", "关键业务"),
    "resources": Text("Key resources", "核心资源"),
    "propositions": Text("Value propositions", "价值主张"),
    "relationships": Text("Customer relationships", "客户关系"),
    "channels": Text("Channels", "渠道通路"),
    "segments": Text("Customer segments", "客户细分"),
    "costs": Text("Cost structure", "成本结构"),
    "revenues": Text("Revenue streams", "收入来源"),
}
"""The nine blocks, in reading order."""

CREDIT = "Business Model Canvas © Strategyzer AG, strategyzer.com, CC BY-SA 3.0"

MAX_NOTES = 40
MAX_NOTE_LENGTH = 500
_MENTION = re.compile(r"\{([a-z][a-z0-9_]{0,39})\}")


class Note(Frozen):
    """One note; ``id`` stays while the text changes."""

    id: Key
    text: Text

    @model_validator(mode="after")
    def _readable(self) -> Self:
        if not self.text.en.strip():
            raise Refusal("A note needs some text.")
        length = max(len(self.text.en), len(self.text.zh))
        if length > MAX_NOTE_LENGTH:
            raise Refusal(
                "The note is {length} characters long; {most} are allowed.",
                length=length,
                most=MAX_NOTE_LENGTH,
            )
        return self


Notes = Annotated[Parts[Note], Field(max_length=MAX_NOTES)]


class Canvas(Frozen):
    """The nine blocks, each a tuple of notes."""

    partners: Notes = ()
    activities: Notes = ()
    resources: Notes = ()
    propositions: Notes = ()
    relationships: Notes = ()
    channels: Notes = ()
    segments: Notes = ()
    costs: Notes = ()
    revenues: Notes = ()

    def block(self, block: str) -> tuple[Note, ...]:
        """The notes of ``block``; a Refusal for a name that is not one of the nine."""
        if block not in get_args(Block):
            raise Refusal("“{block}” is not one of the nine blocks of the canvas.", block=block)
        notes: tuple[Note, ...] = getattr(self, block)
        return notes

    def notes(self) -> Iterator[tuple[str, Note]]:
        """Every note with its block."""
        for block in BLOCKS:
            for note in self.block(block):
                yield block, note

    def add(self, block: str, text: str) -> "Canvas":
        """With a new note at the end of ``block``."""
        if len(self.block(block)) >= MAX_NOTES:
            raise Refusal("A block holds at most {most} notes.", most=MAX_NOTES)
        note = _note("n" + secrets.token_hex(6), text)
        return self._with(block, (*self.block(block), note))

    def edit(self, note_id: str, text: str) -> "Canvas":
        """With the note's text replaced, in both languages."""
        block = self._block_of(note_id)
        new = tuple(_note(note.id, text) if note.id == note_id else note for note in self.block(block))
        return self._with(block, new)

    def move(self, note_id: str, block: str, position: int | None = None) -> "Canvas":
        """With the note at ``position`` (from 0; the end if None) of ``block``."""
        home = self._block_of(note_id)
        note = next(note for note in self.block(home) if note.id == note_id)
        without = self._with(home, tuple(other for other in self.block(home) if other.id != note_id))
        notes = list(without.block(block))
        if len(notes) >= MAX_NOTES:
            raise Refusal("A block holds at most {most} notes.", most=MAX_NOTES)
        notes.insert(len(notes) if position is None else max(0, position), note)
        return without._with(block, tuple(notes))

    def delete(self, note_id: str) -> "Canvas":
        """Without the note."""
        block = self._block_of(note_id)
        return self._with(block, tuple(note for note in self.block(block) if note.id != note_id))

    def mentions(self) -> frozenset[str]:
        """The keys that notes mention."""
        return frozenset(
            key
            for _, note in self.notes()
            for text in (note.text.en, note.text.zh)
            for key in mentioned(text)
        )

    def _block_of(self, note_id: str) -> str:
        for block, note in self.notes():
            if note.id == note_id:
                return block
        raise Refusal("The note is no longer on the canvas.")

    def _with(self, block: str, notes: tuple[Note, ...]) -> "Canvas":
        return self.model_copy(update={block: notes})


def mentioned(text: str) -> list[str]:
    """The ``{keys}`` in a note's text, in order."""
    return _MENTION.findall(text)


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with each known ``{key}`` replaced by its value; unknown ones stay as they are."""
    return _MENTION.sub(lambda match: values.get(match[1], match[0]), text)


def _note(note_id: str, text: str) -> Note:
    with refusing():
        return Note(id=note_id, text=Text(text.strip()))

"""Every sentence the product says, in the reader's language.

English sentences are the keys: ``say("Cash at the end of the month")`` looks the sentence up in a
gettext catalogue (``locale/zh_Hans/LC_MESSAGES/messages.po``) and falls back to itself. Text that
is *data* (a preset's note, a line's label) carries both languages beside each other in a
:class:`Text`. Numbers, money and dates follow the CLDR rules that Babel ships.

An error meant for a person is a :class:`Refusal`: a sentence with its values apart, so that it can
be said in the language of whoever reads it.

Public names: :class:`Language`, :func:`language`, :data:`LANGUAGES`, :class:`Refusal`,
:class:`Sentence`, :class:`Text`.
"""

from core.i18n.language import LANGUAGES, Language, language
from core.i18n.message import N_, Refusal, Sentence, Text

__all__ = ["LANGUAGES", "N_", "Language", "Refusal", "Sentence", "Text", "language"]

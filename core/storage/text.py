"""What may be a text or a number in the database, so that no odd input gets as far as the driver."""

import re

_WORD = re.compile(r"[0-9A-Za-z_-]{1,64}", re.ASCII)


def is_word(text: object) -> bool:
    """Whether ``text`` has the form of an id or token; anything else cannot be in the database."""
    return isinstance(text, str) and _WORD.fullmatch(text) is not None


def is_number(value: object) -> bool:
    """Whether ``value`` is a whole number from 1 that fits into the column of versions."""
    return isinstance(value, int) and 0 < value < 2**31


def kept(text: str) -> str:
    """``text`` without what PostgreSQL or UTF-8 cannot hold: the zero character and lone surrogates."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")

"""A sentence apart from its language: what is refused, and text that is data."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Text:
    """A piece of data text in English and, where there is one, simplified Chinese."""

    __pydantic_config__ = {"extra": "forbid", "strict": True}  # noqa: RUF012 (read by pydantic)

    en: str
    zh: str = ""

    def in_language(self, code: str) -> str:
        """The text in ``code`` ("en" or "zh_Hans"), English where the other is missing."""
        return self.zh if code.startswith("zh") and self.zh else self.en

    def __str__(self) -> str:
        return self.en


def N_(message: str) -> str:  # noqa: N802 (gettext's name)
    """Mark a sentence for the catalogue that is translated later, where it is shown."""
    return message


@dataclass(frozen=True)
class Sentence:
    """A sentence of the catalogue with its values, to be said later in the reader's language."""

    message: str
    values: tuple[tuple[str, object], ...] = ()

    @classmethod
    def of(cls, message: str, /, **values: object) -> "Sentence":
        return cls(message, tuple(values.items()))


class Refusal(ValueError):
    """Input that is not taken, said in one sentence that names the field and what is allowed.

    ``message`` is the English sentence with ``{name}`` places and is the catalogue's key; the
    values stand apart. ``str(error)`` is the English sentence; ``language.refusal(error)`` says it
    in another language. A value may itself be a :class:`Text`.
    """

    def __init__(self, message: str, /, **values: object) -> None:
        self.message = message
        self.values = values
        super().__init__(message.format(**values) if values else message)

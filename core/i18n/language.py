"""A language: its catalogue, and its way to write numbers, money, shares and months."""

import gettext
import io
import math
from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path

from babel import Locale, dates, numbers
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from core.i18n.message import Refusal, Sentence, Text

LANGUAGES = {"en": "English", "zh_Hans": "简体中文"}
"""Code and own name of each language, in the order of the switch."""

_LOCALE = Path(__file__).with_name("locale")


class Language:
    """One language. Call it with an English sentence to get that sentence in this language.

    >>> language("en")("{count} runs are waiting.", count=2)
    '2 runs are waiting.'
    """

    def __init__(self, code: str, translate: Callable[[str], str]) -> None:
        self.code = code
        self.locale = Locale.parse(code)
        self._translate = translate

    def __call__(self, message: str, /, **values: object) -> str:
        """The catalogue's sentence for the English ``message``, with its ``{places}`` filled."""
        sentence = self._translate(message) if message else ""  # gettext keeps its header under ""
        return sentence.format(**{k: self._value(v) for k, v in values.items()}) if values else sentence

    def _value(self, value: object) -> object:
        if isinstance(value, Text):
            return self.text(value)
        if isinstance(value, Refusal):
            return self.refusal(value)
        if isinstance(value, Sentence):
            return self.sentence(value)
        return value

    def text(self, text: Text) -> str:
        """Data text in this language."""
        return text.in_language(self.code)

    def refusal(self, error: Refusal) -> str:
        """The sentence of ``error`` in this language."""
        return self(error.message, **error.values)

    def sentence(self, sentence: Sentence) -> str:
        """A sentence that was put together elsewhere, in this language."""
        return self(sentence.message, **dict(sentence.values))

    def number(self, value: float, unit: str = "", digits: int = 3) -> str:
        """``value`` with ``digits`` significant figures, compact from ten thousand on, and its unit."""
        if not math.isfinite(value):
            return self("not defined")
        if _extreme(value):
            text = f"{value:.{digits - 1}e}"
        elif round(abs(value)) >= 10_000:
            value = _rounded(value, digits)
            text = numbers.format_compact_decimal(
                value, locale=self.locale, fraction_digits=self._compact_decimals(value, digits)
            )
        else:
            text = numbers.format_decimal(value + 0.0, _pattern(value, digits), locale=self.locale)
        return f"{text} {unit}" if unit else text

    def money(self, value: float, currency: str, digits: int = 3) -> str:
        """``value`` in ``currency`` (ISO 4217) with ``digits`` significant figures: "$1.23M", "$0.00008"."""
        if not math.isfinite(value):
            return self("not defined")
        if _extreme(value):
            sign = "-" if value < 0 else ""
            return f"{sign}{self.currency_symbol(currency)}{abs(value):.{digits - 1}e}"
        if round(abs(value)) >= 10_000:
            value = _rounded(value, digits)
            return numbers.format_compact_currency(
                value,
                currency,
                locale=self.locale,
                fraction_digits=self._compact_decimals(value, digits),
            ).replace("\u00a0", "")
        pattern = "¤" + _pattern(value, digits, cents=True)
        return numbers.format_currency(
            value + 0.0, currency, pattern, locale=self.locale, currency_digits=False
        )

    def currency_symbol(self, currency: str) -> str:
        """ "$", "€", "¥" …"""
        return numbers.get_currency_symbol(currency, locale=self.locale)

    def percent(self, share: float, digits: int = 3) -> str:
        """A share (0.61) as "61%"; never more than ``digits`` significant figures."""
        hundredths = share * 100
        if not math.isfinite(hundredths):
            return self("not defined")
        if _extreme(hundredths):
            return f"{hundredths:.{digits - 1}e}%"
        return numbers.format_percent(share + 0.0, _pattern(hundredths, digits) + "%", locale=self.locale)

    def month(self, start: date, offset: int) -> str:
        """The calendar month ``offset`` months after ``start``: "Nov 2026", "2026年11月"."""
        index = start.year * 12 + start.month - 1 + offset
        return dates.format_skeleton("yMMM", date(index // 12, index % 12 + 1, 1), locale=self.locale)

    def moment(self, when: date) -> str:
        """A day, or a day and time, in the language's medium form."""
        return dates.format_date(when, "medium", locale=self.locale)

    def _compact_decimals(self, value: float, digits: int) -> int:
        step = 4 if self.code.startswith("zh") else 3  # 万 and 亿 step by four figures
        whole = math.floor(math.log10(abs(value))) % step + 1
        return max(0, digits - whole)


def _pattern(value: float, digits: int, cents: bool = False) -> str:
    """A CLDR number pattern that shows ``value`` with ``digits`` significant figures."""
    if value == 0:
        return "#,##0"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    if abs(round(value) - value) < 1e-9 * abs(value):
        return "#,##0"
    if cents and decimals:
        return "#,##0.00" + "#" * (decimals - 2)
    return "#,##0." + "#" * decimals if decimals else "#,##0"


def _rounded(value: float, digits: int) -> float:
    """``value`` with ``digits`` significant figures, so that 999,999 is 1M and not 1000K."""
    return float(f"{value:.{digits - 1}e}")


def _extreme(value: float) -> bool:
    """Whether a plain number would be too long to read: then its power of ten is written."""
    return value != 0 and not 1e-9 <= abs(value) < 1e15


def language(code: str) -> Language:
    """The language of ``code``; English for a code that is not in :data:`LANGUAGES`."""
    return _language(code if code in LANGUAGES else "en")


@cache
def _language(code: str) -> Language:
    if code == "zh_Hans":
        return Language(code, _catalogue(code).gettext)
    return Language("en", lambda message: message)


def _catalogue(code: str) -> gettext.GNUTranslations:
    """The catalogue of ``code``, compiled in memory so that no built file can be out of date."""
    with (_LOCALE / code / "LC_MESSAGES" / "messages.po").open("rb") as file:
        catalogue = read_po(file, locale=code)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)

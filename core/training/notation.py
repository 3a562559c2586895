"""How people write numbers and dates in a table: 1,234.50 and 1.234,50, $12, 7.5 %, 2024-05-01, 31.5.2024.

A column of text is read as a whole: every value in one way, or it stays text. What could be read in two
ways (is 03/04/2024 in March or in April?) is not guessed at. Where nearly all values are numbers and too
many differ for categories, the few that are none count as missing. Whatever was not plain is said.
"""

import math
import re
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from core.i18n import Refusal

Form = Literal["", "date", "comma", "point"]
"""How a column of numbers was written: as usual; as dates (it becomes days since 1970); with a comma for
decimals; or with commas between thousands or a sign such as $ or %."""

MOST_ODD = 0.05
"""The share of values that may be no numbers in a column that counts as numbers nevertheless."""

_SIGNS = "$€£¥￥₹%"
_POINT = r"^[+-]?((\d+|\d{1,3}(,\d{3})+)(\.\d*)?|\.\d+)([eE][+-]?\d+)?$"
_COMMA = r"^[+-]?(\d+|\d{1,3}([. ]\d{3})+)(,\d+)?$"
_TIME = r"(?P<time>[ T]\d{1,2}:\d{2}(?::\d{2})?)?"
_YEAR_FIRST = rf"^(?P<year>\d{{4}})[-/.年](?P<month>\d{{1,2}})[-/.月](?P<day>\d{{1,2}})日?{_TIME}$"
_YEAR_LAST = rf"^(?P<one>\d{{1,2}})[-/.](?P<two>\d{{1,2}})[-/.](?P<year>\d{{4}}){_TIME}$"

Remarks = list[Refusal]


def read_text(name: str, column: Any, commas: bool, most_categories: int) -> tuple[Any, Form, Remarks]:
    """A pyarrow column of text: as numbers where it holds numbers or dates, else as it is; and what to say of it.

    ``commas``: where columns are not parted by commas, a comma is one for decimals.
    """
    import pyarrow.compute as pc

    text = pc.utf8_trim_whitespace(column.cast("string")).combine_chunks()
    text = pc.if_else(pc.equal(text, ""), None, text)
    held = len(text) - text.null_count
    if not held:
        return column, "", []
    ambiguous: Remarks = []
    if (dates := _dates(name, text, ambiguous)) is not None:
        return dates, "date", []
    if ambiguous:
        return column, "", ambiguous
    bare = _without_signs(text)
    ways: list[tuple[Form, str]] = [("point", _POINT)]
    if commas and pc.any(pc.match_substring(bare, ",")).as_py():
        ways.insert(0, ("comma", _COMMA))
    for form, pattern in ways:
        fits = pc.match_substring_regex(bare, pattern)
        odd = held - (pc.sum(fits).as_py() or 0)
        if odd > MOST_ODD * held or (odd and pc.count_distinct(text).as_py() <= most_categories):
            continue
        numbers = _numbers(pc.if_else(fits, bare, None), form)
        return numbers, form, _remarks(name, text, fits, numbers, odd, said=form == "point" and held > odd)
    return column, "", []


def _without_signs(text: Any) -> Any:
    """The values without the sign of a currency or "%", if all that have one have the same."""
    import pyarrow.compute as pc

    signs = pc.unique(pc.replace_substring_regex(text, f"[^{_SIGNS}]", "")).to_pylist()
    if len({sign for sign in signs if sign}) != 1:
        return text
    bare = pc.replace_substring_regex(text, rf"^([+-]?)[{_SIGNS}]\s*", r"\1")
    return pc.replace_substring_regex(bare, rf"\s*[{_SIGNS}]$", "")


def _numbers(text: Any, form: Form) -> Any:
    import pyarrow.compute as pc

    plain = pc.replace_substring_regex(text, r"^\+", "")
    if form == "comma":
        plain = pc.replace_substring(pc.replace_substring_regex(plain, r"[. ]", ""), ",", ".")
    else:
        plain = pc.replace_substring(plain, ",", "")
    return plain.cast("float64")


def _remarks(name: str, text: Any, fits: Any, numbers: Any, odd: int, said: bool) -> Remarks:
    import pyarrow.compute as pc

    remarks = []
    written = text.filter(pc.and_(fits, pc.match_substring_regex(text, f"[,{_SIGNS}]")))
    if said and len(written):
        place = pc.index(text, written[0]).as_py()
        remarks.append(
            Refusal(
                "The column {name} is read as numbers: {written} as {value}.",
                name=name,
                written=written[0].as_py()[:40],
                value=f"{numbers[place].as_py():.15g}",
            )
        )
    if odd:
        remarks.append(
            Refusal(
                "The column {name} counts as numbers; {count} of its values are none, such as {value}, and count "
                "as missing.",
                name=name,
                count=f"{odd:,}",
                value=text.filter(pc.invert(fits))[0].as_py()[:40],
            )
        )
    return remarks


def _dates(name: str, text: Any, ambiguous: Remarks) -> Any | None:
    """Seconds since 1970 if every value is a date that can be read in one way only."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pc.all(pc.match_substring_regex(text, _YEAR_FIRST)).as_py():
        found = pc.extract_regex(text, _YEAR_FIRST)
        year, month, day = (pc.struct_field(found, part) for part in ("year", "month", "day"))
    elif pc.all(pc.match_substring_regex(text, _YEAR_LAST)).as_py():
        found = pc.extract_regex(text, _YEAR_LAST)
        one, two, year = (pc.struct_field(found, part) for part in ("one", "two", "year"))
        most = [pc.max(part.cast("int64")).as_py() for part in (one, two)]
        if most[0] <= 12 and most[1] <= 12 and "." not in text.drop_null()[0].as_py():
            ambiguous.append(
                Refusal(
                    "The column {name} has dates such as {value}, of which day and month cannot be told apart, so "
                    "they stay text; written as 2024-05-31 they are read as dates.",
                    name=name,
                    value=text.drop_null()[0].as_py()[:40],
                )
            )
            return None
        day, month = (two, one) if most[1] > 12 else (one, two)
    else:
        return None
    time = pc.replace_substring(pc.struct_field(found, "time"), "T", " ")
    time = pc.if_else(pc.equal(time, ""), " 00:00:00", time)
    time = pc.replace_substring_regex(time, r"^ (\d):", r" 0\1:")
    padded = [pc.utf8_lpad(part, 2, "0") for part in (month, day)]
    try:
        iso = pc.binary_join_element_wise(pc.binary_join_element_wise(year, *padded, "-"), time, "")
        return iso.cast(pa.timestamp("s"))
    except pa.ArrowInvalid:  # the 31st of February
        return None


def typed_number(name: str, form: str, value: object) -> float:
    """A number as somebody types it, and as the column ``name`` has it; NaN where nothing is typed.

    Raises a Refusal if it is none.
    """
    if value is None or value == "":
        return math.nan
    text = str(value).strip()
    if form == "date" and (days := _days(text)) is not None:
        return days
    if form in ("comma", "point"):
        text = re.sub(rf"^([+-]?)[{_SIGNS}]\s*|\s*[{_SIGNS}]$", r"\1", text)
    if form == "comma" and "," in text:
        text = re.sub(r"[. ]", "", text).replace(",", ".")
    if form == "point" and re.match(_POINT, text):
        text = text.replace(",", "")
    try:
        number = float(text)
    except ValueError:
        number = math.inf
    if not math.isfinite(number) and not (isinstance(value, float) and math.isnan(value)):
        if form == "date":
            raise Refusal(
                "{field} is {value}; a date such as 2024-05-01 is needed.", field=name, value=text[:40]
            )
        raise Refusal("{field} is {value}; a number is needed.", field=name, value=text[:40])
    return number


def day(days: float) -> str:
    """Days since 1970 as a date, with the time if there is one; the number itself if no calendar has it."""
    try:
        stamp = datetime(1970, 1, 1) + timedelta(seconds=round(days * 86_400))
    except (OverflowError, ValueError):
        return f"{days:g}"
    return stamp.date().isoformat() if days.is_integer() else stamp.isoformat(" ")


def _days(text: str) -> float | None:
    """Days from 1970 to a date (ISO 8601, with a time or without); None if it is none.

    A number is none either, though ISO 8601 would read 20240501 as a date.
    """
    try:
        stamp = datetime.fromisoformat(text) if "-" in text[1:] else None
    except ValueError:
        return None
    if stamp is None:
        return None
    stamp = stamp.replace(tzinfo=UTC) if stamp.tzinfo is None else stamp
    return (stamp - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() / 86_400

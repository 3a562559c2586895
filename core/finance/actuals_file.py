"""Real figures from a table that somebody pasted or uploaded: months down and lines across, or the other way.

Nothing in a file is run or unpickled. Its size is checked before it is read, packed and unpacked; a sheet
is read as values, cell by cell. Months are written as 2026-11, Nov 2026, 2026年11月 or 1, 2, 3; lines by
their name in either language or by their key. What is wrong is one sentence that names the cell.
"""

import csv
import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from core.finance.model import model_of
from core.i18n import LANGUAGES, Language, Refusal, Text, language
from core.venture import Actual, Venture, parse_amount

MAX_BYTES = 1_000_000
MAX_UNPACKED = 20_000_000
MAX_ROWS, MAX_COLUMNS = 400, 400
"""A plan has at most 120 months and some hundred lines, whichever way round the table stands."""

AGES = "unit_economics"
"""The section whose rows are ages of a customer, not months of the calendar."""

Cell = str | float | datetime | date | None
Table = list[list[Cell]]


@dataclass(frozen=True)
class Found:
    """The real figures of a table, and the headings in it that are no lines of the plan."""

    actuals: tuple[Actual, ...]
    unknown: tuple[str, ...]


def read_text(text: str, venture: Venture) -> Found:
    """Real figures from pasted text or the text of a CSV file."""
    if len(text.encode()) > MAX_BYTES:
        _too_large(len(text.encode()))
    return _found(_rows(text), venture)


def read_file(name: str, data: bytes, venture: Venture) -> Found:
    """Real figures from a CSV or XLSX file."""
    if len(data) > MAX_BYTES:
        _too_large(len(data))
    if name.lower().endswith(".xlsx") or data[:4] == b"PK\x03\x04":
        return _found(_sheet(data), venture)
    for encoding in ("utf-16", "utf-8-sig", "gb18030"):
        if encoding == "utf-16" and data[:2] not in (b"\xff\xfe", b"\xfe\xff"):
            continue
        try:
            return read_text(data.decode(encoding), venture)
        except UnicodeDecodeError:
            continue
    raise Refusal("{file} is not a CSV or XLSX file.", file=name[:80])


def template(venture: Venture, keys: Sequence[str], _: Language) -> str:
    """An empty table as CSV: months down, the lines of ``keys`` across, to be filled in."""
    lines = model_of(venture).lines
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([_("Month"), *(_.text(lines[key].label) for key in keys if key in lines)])
    for month in range(min(12, venture.horizon_months)):
        index = venture.start.year * 12 + venture.start.month - 1 + month
        writer.writerow([f"{index // 12}-{index % 12 + 1:02d}", *("" for key in keys if key in lines)])
    return out.getvalue()


# From bytes to a table


def _too_large(size: int) -> None:
    raise Refusal(
        "The file has {size} MB; at most {most} MB are allowed.",
        size=round(size / 1e6, 1),
        most=MAX_BYTES / 1e6,
    )


def _rows(text: str) -> Table:
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max("\t,;", key=first.count)
    try:
        rows = list(csv.reader(io.StringIO(text.replace("\x00", "")), delimiter=delimiter))
    except csv.Error as error:
        raise Refusal("The table cannot be read: {reason}.", reason=str(error)[:100]) from None
    return _trimmed([[cell.strip() for cell in row] for row in rows])


def _sheet(data: bytes) -> Table:
    """The first sheet's values."""
    from openpyxl import load_workbook  # a tenth of a second, which only an upload should pay

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            size = sum(part.file_size for part in packed.infolist())
        if size > MAX_UNPACKED:
            raise Refusal(
                "The file unpacks to {size} MB; at most {most} MB are allowed.",
                size=round(size / 1e6),
                most=round(MAX_UNPACKED / 1e6),
            )
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        rows = book.worksheets[0].iter_rows(max_row=MAX_ROWS + 1, max_col=MAX_COLUMNS + 1, values_only=True)
        return _trimmed([[_cell(value) for value in row] for row in rows])
    except Refusal:
        raise
    except Exception as error:  # what a broken or hostile file makes the parsers raise has no common type
        raise Refusal(
            "The file is not a readable XLSX file: {reason}.", reason=type(error).__name__
        ) from None


def _cell(value: object) -> Cell:
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return float(value)
    return value if isinstance(value, datetime | date) else str(value).strip()


def _trimmed(rows: Table) -> Table:
    """The rows with something in them, of equal length."""
    kept = [row for row in rows if any(cell not in (None, "") for cell in row)]
    ends = (max(place for place, cell in enumerate(row, 1) if cell not in (None, "")) for row in kept)
    width = max(ends, default=0)
    if len(kept) > MAX_ROWS or width > MAX_COLUMNS:
        raise Refusal(
            "The table has {rows} rows and {columns} columns; at most {most} of each are allowed.",
            rows=len(kept),
            columns=width,
            most=MAX_ROWS,
        )
    return [[*row[:width], *[None] * (width - len(row))] for row in kept]


# From a table to real figures


def _found(table: Table, venture: Venture) -> Found:
    if len(table) < 2 or len(table[0]) < 2:
        raise Refusal("The table needs a row of headings and at least one month with a figure.")
    if _has_months([row[0] for row in table[1:]], venture) < _has_months(table[0][1:], venture):
        table = [list(column) for column in zip(*table, strict=True)]
    columns: dict[int, str] = {}
    unknown: list[str] = []
    known = _names(venture)
    for place, heading in enumerate(table[0][1:], 1):
        key = known.get(_bare(str(heading or "")))
        if key is None:
            unknown += [str(heading)] if heading not in (None, "") else []
        elif key in columns.values():
            raise Refusal("“{name}” stands there twice.", name=str(heading)[:60])
        else:
            columns[place] = key
    if not columns:
        raise Refusal(
            "None of the headings is a line of the plan: {names}. Call them as the tables of the plan do, such as Customers, MRR or Cash at the end of the month.",
            names=", ".join(unknown)[:200],
        )
    values: dict[str, list[float | None]] = {key: [None] * venture.horizon_months for key in columns.values()}
    seen: set[int] = set()
    for row in table[1:]:
        month = _month(row[0], venture)
        if month is None:
            raise Refusal(
                "“{text}” is not a month; write 2026-11, Nov 2026 or 1 for the first month.",
                text=str(row[0] or "")[:40],
            )
        if not 1 <= month <= venture.horizon_months:
            raise Refusal(
                "“{text}” is not in the plan, which runs from {first} to {last}.",
                text=str(row[0])[:40],
                first=_called(venture, 0),
                last=_called(venture, venture.horizon_months - 1),
            )
        if month in seen:
            raise Refusal("The month “{text}” stands there twice.", text=str(row[0])[:40])
        seen.add(month)
        for place, key in columns.items():
            values[key][month - 1] = _number(row[place], key, month, venture)
    actuals = tuple(
        Actual(key=key, values=tuple(_shortened(numbers)))
        for key, numbers in values.items()
        if any(number is not None for number in numbers)
    )
    if not actuals:
        raise Refusal("The table has no figures in it.")
    return Found(actuals, tuple(unknown))


def _called(venture: Venture, offset: int) -> Text:
    return Text(*(language(code).month(venture.start, offset) for code in LANGUAGES))


def _shortened(numbers: list[float | None]) -> list[float | None]:
    """Without the months after the last figure."""
    last = max(place for place, number in enumerate(numbers) if number is not None)
    return numbers[: last + 1]


def _names(venture: Venture) -> Mapping[str, str]:
    """Every way to call a line, lower-case, with the line's key; keys win over labels."""
    lines = [line for line in model_of(venture).lines.values() if line.section != AGES]
    labels = {_bare(line.label.in_language(code)): line.key for line in reversed(lines) for code in LANGUAGES}
    return {**labels, **{line.key: line.key for line in lines}}


def _bare(heading: str) -> str:
    """A heading without its unit in brackets."""
    return re.sub(r"\s*[((][^()()]*[))]\s*$", "", heading).strip().casefold()


_NAMES = {
    name: number
    for number, name in enumerate(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1
    )
}
_FORMS = (
    re.compile(r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})(?:[-/.]\d{1,2})?(?:[T ].*)?"),
    re.compile(r"(?P<year>\d{4})\s*年\s*(?P<month>\d{1,2})\s*月.*"),
    re.compile(r"(?P<month>\d{1,2})[-/.](?P<year>\d{4})"),
    re.compile(r"(?P<name>[A-Za-z]{3,9})\.?[\s\-/]*'?(?P<year>\d{4}|\d{2})"),
)


def _has_months(cells: Sequence[Cell], venture: Venture) -> bool:
    return any(_month(cell, venture) is not None for cell in cells)


def _month(cell: Cell, venture: Venture) -> int | None:
    """The month of the plan (from 1) that a cell names; None if it names none."""
    if isinstance(cell, datetime | date):
        return _place(cell.year, cell.month, venture)
    if isinstance(cell, float):
        return int(cell) if cell == int(cell) and abs(cell) < 1000 else None
    text = (cell or "").strip()
    if re.fullmatch(r"\d{1,3}", text):
        return int(text)
    for form in _FORMS:
        if match := form.fullmatch(text):
            parts = match.groupdict()
            number = _NAMES.get(parts["name"][:3].lower(), 0) if "name" in parts else int(parts["month"])
            year = int(parts["year"]) + (2000 if len(parts["year"]) == 2 else 0)
            return _place(year, number, venture) if 1 <= number <= 12 else None
    return None


def _place(year: int, month: int, venture: Venture) -> int:
    return (year - venture.start.year) * 12 + month - venture.start.month + 1


def _number(cell: Cell, key: str, month: int, venture: Venture) -> float | None:
    """The figure in a cell, as people write it: 1,234.5, $1.2m, 55%, (300) for what is below zero."""
    line = model_of(venture).lines[key]
    if cell is None or (isinstance(cell, str) and cell in ("", "-", "–", "—")):
        return None
    if isinstance(cell, float):
        value = cell
    else:
        text = str(cell)
        bracketed = re.fullmatch(r"\((.*)\)", text)
        try:
            amount = parse_amount(bracketed[1] if bracketed else text, "normal")
        except Refusal:
            amount = None
        if amount is None or not amount.is_point:
            raise Refusal(
                "{field} in month {month} is “{text}”; a number is needed.",
                field=line.label,
                month=month,
                text=text[:40],
            )
        value = -amount.median if bracketed else amount.median
    if not abs(value) <= 1e15:
        raise Refusal("{field} in month {month} is too large.", field=line.label, month=month)
    if line.unit == "1" and abs(value) > 10:
        raise Refusal(
            "{field} in month {month} is {value}; write a share such as 55%.",
            field=line.label,
            month=month,
            value=value,
        )
    if value < 0 and not line.unit.startswith(("money", "1")):
        raise Refusal(
            "{field} in month {month} is {value}; at least 0 is allowed.",
            field=line.label,
            month=month,
            value=value,
        )
    return value

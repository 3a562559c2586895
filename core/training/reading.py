"""A file becomes a table: CSV in the writings that spreadsheets use, or Parquet.

Excel writes CSV in the code page of the country it runs in, with semicolons and decimal commas in much of
Europe, and "Unicode text" in UTF-16 with tabs. The writing is told from the bytes, and named, so that
whoever sees odd letters knows why.
"""

import csv
import io
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from core.i18n import Refusal
from core.training.notation import Remarks, read_text
from core.training.tables import MOST_CATEGORIES, Table, Values, word

UTF_8 = "UTF-8"

PAIRED = 0.7
"""In GB 2312, which nearly all Chinese text in GB 18030 keeps to, both bytes of a character are high; in
Western European text a high byte mostly stands alone between letters. From this share of paired bytes on
it is taken for Chinese."""

_HIGH, _PAIR = re.compile(rb"[\x80-\xff]"), re.compile(rb"[\xa1-\xf7][\xa1-\xfe]")
_SAMPLE = 200_000
_HEADER = 1_000_000
"""Bytes of a CSV in which its header line has to end, to be counted beforehand."""

LARGEST = 1e100
"""A number farther from 0 is refused: its square would be no number any more."""

_MARKS = (",", ";", "\t", "|")
"""What columns may be parted by."""


@dataclass(frozen=True, slots=True)
class Written:
    """The text of a CSV in UTF-8, and the encoding that it came in."""

    content: bytes
    encoding: str
    delimiter: str

    @property
    def columns(self) -> int:
        """Columns in the header line, counted without reading any further."""
        line = self.content.find(b"\n")
        marks = self.content.count(self.delimiter.encode(), 0, line if line >= 0 else len(self.content))
        if marks > _HEADER // 100:
            return marks + 1
        # A name may hold the mark, or the end of a line, between quotes.
        head = io.StringIO(self.content[:_HEADER].decode("utf-8", "ignore"), newline="")
        try:
            return len(next(csv.reader(head, delimiter=self.delimiter), ()))
        except csv.Error:
            return marks + 1


def written(content: bytes) -> Written:
    """How the bytes of a CSV are to be read. Raises a Refusal if they are no text."""
    text, encoding = _decoded(content)
    if text[:4].lower() == b"sep=" and chr(text[4]) in _MARKS:  # a line for Excel, before the header
        return Written(text[5:].lstrip(b"\r\n"), encoding, chr(text[4]))
    first = text[:20_000].split(b"\n", 1)[0]
    return Written(text, encoding, max(_MARKS, key=lambda mark: first.count(mark.encode())))


def _decoded(content: bytes) -> tuple[bytes, str]:
    """The content in UTF-8 without a mark at its beginning, and what it was written in."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        content, encoding = _as("utf-16", content), "UTF-16"
    else:
        encoding = UTF_8
    if b"\0" in content:
        raise _no_text()
    if encoding != UTF_8:
        return content, encoding
    content = content.removeprefix(b"\xef\xbb\xbf")
    try:
        content.decode("utf-8")
        return content, UTF_8
    except UnicodeDecodeError:
        pass
    sample = content[:_SAMPLE] if _HIGH.search(content, 0, _SAMPLE) else content
    if looks_chinese(sample):
        try:
            return content.decode("gb18030").encode(), "GB 18030"
        except UnicodeDecodeError:
            pass
    try:
        return content.decode("cp1252").encode(), "Windows-1252"
    except UnicodeDecodeError:
        return _as("latin-1", content), "Latin-1"


def looks_chinese(sample: bytes) -> bool:
    """Whether bytes that are no UTF-8 are rather Chinese in GB 18030 than a Western code page."""
    return 2 * len(_PAIR.findall(sample)) >= PAIRED * len(_HIGH.findall(sample))


def _as(encoding: str, content: bytes) -> bytes:
    try:
        return content.decode(encoding).encode()
    except UnicodeError:
        raise _no_text() from None


def _no_text() -> Refusal:
    return Refusal("The file cannot be read as CSV: {reason}.", reason=Refusal("it is no text"))


def read_csv(source: bytes | Written) -> Table:
    """The table in a CSV file with a header line. Raises a Refusal if it cannot be read as one."""
    import pyarrow as pa
    from pyarrow import csv as arrow

    source = source if isinstance(source, Written) else written(source)
    odd_rows: list[Any] = []

    def heed(row: Any) -> str:
        odd_rows.append(row)
        return "error"

    try:
        read = arrow.read_csv(
            io.BytesIO(source.content),
            # One block: the kind of a column is found from all of it.
            read_options=arrow.ReadOptions(use_threads=False, block_size=max(1024, len(source.content) + 1)),
            parse_options=arrow.ParseOptions(
                delimiter=source.delimiter, newlines_in_values=True, invalid_row_handler=heed
            ),
            convert_options=arrow.ConvertOptions(strings_can_be_null=True),
        )
    except (pa.ArrowException, ValueError, OSError) as error:
        if odd_rows:
            raise Refusal(
                "Row {row} of the CSV has {found} values and the header has {columns}; every row needs as many, and "
                "a quotation mark that begins a value has to end it.",
                row=f"{odd_rows[0].number:,}",
                found=f"{odd_rows[0].actual_columns:,}",
                columns=f"{odd_rows[0].expected_columns:,}",
            ) from None
        raise Refusal("The file cannot be read as CSV: {reason}.", reason=_reason(error)) from None
    table = _from_arrow(read, commas=source.delimiter != ",")
    return replace(table, remarks=(*_no_names(read.column_names), *table.remarks))


def _no_names(names: list[str]) -> list[Refusal]:
    """Numbers for names: the file has no header line, and its first row is lost."""
    numbers = [name for name in names if _is_number(name)]
    if 2 * len(numbers) <= len(names):
        return []
    return [
        Refusal(
            "The first line of the file counts as the names of the columns, and {name} is a number; if that "
            "line is data, put a line of names above it and upload the file again.",
            name=numbers[0][:40],
        )
    ]


def _is_number(name: str) -> bool:
    try:
        float(name)
    except ValueError:
        return False
    return True


def read_parquet(content: bytes, check: Callable[[int, int], None]) -> Table:
    """The table in a Parquet file. Raises a Refusal if it is none, and what ``check`` raises for its rows and
    columns before they are read.
    """
    import pyarrow as pa
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(io.BytesIO(content))
        check(file.metadata.num_rows, file.metadata.num_columns)
        return _from_arrow(file.read(use_threads=False), commas=False)
    except Refusal:
        raise
    except (pa.ArrowException, ValueError, OSError) as error:
        raise Refusal("The file cannot be read as Parquet: {reason}.", reason=_reason(error)) from None


def _reason(error: BaseException) -> str:
    return " ".join(str(error).split())[:150].rstrip(".")


def _from_arrow(read: Any, commas: bool) -> Table:
    """The columns; with ``commas`` a comma in a number is one for decimals."""
    import pyarrow as pa

    columns: dict[str, Values] = {}
    forms: dict[str, str] = {}
    remarks: Remarks = []
    for index, given in enumerate(read.column_names):
        name = str(given).strip()[:80] or f"column {index + 1}"
        while name in columns:
            name += "'"
        column, kind = read.column(index), read.schema.field(index).type
        if pa.types.is_dictionary(kind):
            column = column.cast(kind.value_type)
            kind = kind.value_type
        if pa.types.is_string(kind) or pa.types.is_large_string(kind):
            column, form, said = read_text(name, column, commas, MOST_CATEGORIES)
            kind, remarks = column.type, remarks + said
            if form:
                forms[name] = form
        if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
            floats = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
            columns[name] = np.where(np.isfinite(floats), floats, np.nan)
            _check_size_of_numbers(name, columns[name])
        elif pa.types.is_date(kind) or pa.types.is_timestamp(kind):
            stamps = column.cast(pa.timestamp("s"), safe=False).cast(pa.int64())
            days = stamps.cast(pa.float64()).to_numpy(zero_copy_only=False) / 86_400
            columns[name] = days.astype(np.float64)
            forms[name] = "date"
        elif pa.types.is_null(kind):
            columns[name] = np.full(len(column), np.nan)
        else:
            words = [None if v is None else word(v) or None for v in column.to_pylist()]
            columns[name] = np.array(words, object)
    return Table(columns, forms, tuple(remarks))


def _check_size_of_numbers(name: str, values: Values) -> None:
    far = np.abs(values) > LARGEST
    if far.any():
        raise Refusal(
            "The column {name} holds the number {value}; numbers from {least} to {most} are allowed.",
            name=name,
            value=f"{values[far][0]:g}",
            least=f"{-LARGEST:g}",
            most=f"{LARGEST:g}",
        )

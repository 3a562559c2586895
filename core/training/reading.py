"""A file becomes a table: CSV in the writings that spreadsheets use, or Parquet.

Excel writes CSV in the code page of the country it runs in, with semicolons and decimal commas in much of
Europe, and "Unicode text" in UTF-16 with tabs. The writing is told from the bytes, and named, so that
whoever sees odd letters knows why.
"""

import csv
import io
import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.i18n import Refusal
from core.training.tables import Table, Values, word

UTF_8 = "UTF-8"

PAIRED = 0.7
"""In GB 2312, which nearly all Chinese text in GB 18030 keeps to, both bytes of a character are high; in
Western European text a high byte mostly stands alone between letters. From this share of paired bytes on
it is taken for Chinese."""

_HIGH, _PAIR = re.compile(rb"[\x80-\xff]"), re.compile(rb"[\xa1-\xf7][\xa1-\xfe]")
_SAMPLE = 200_000
_HEADER = 1_000_000
"""Bytes of a CSV in which its header line has to end, to be counted beforehand."""

_COMMA_NUMBER = r"^[+-]?(\d+|\d{1,3}(\.\d{3})+)(,\d+)?$"


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
    first = text[:20_000].split(b"\n", 1)[0]
    delimiter = max((",", ";", "\t"), key=lambda mark: first.count(mark.encode()))
    return Written(text, encoding, delimiter)


def _decoded(content: bytes) -> tuple[bytes, str]:
    """The content in UTF-8 without a mark at its beginning, and what it was written in."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return _as("utf-16", content), "UTF-16"
    if b"\0" in content:
        raise _no_text()
    content = content.removeprefix(b"\xef\xbb\xbf")
    try:
        content.decode("utf-8")
        return content, UTF_8
    except UnicodeDecodeError:
        pass
    sample = content[:_SAMPLE] if _HIGH.search(content, 0, _SAMPLE) else content
    if 2 * len(_PAIR.findall(sample)) >= PAIRED * len(_HIGH.findall(sample)):
        try:
            return content.decode("gb18030").encode(), "GB 18030"
        except UnicodeDecodeError:
            pass
    try:
        return content.decode("cp1252").encode(), "Windows-1252"
    except UnicodeDecodeError:
        return _as("latin-1", content), "Latin-1"


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
    try:
        read = arrow.read_csv(
            io.BytesIO(source.content),
            # One block: the kind of a column is found from all of it.
            read_options=arrow.ReadOptions(use_threads=False, block_size=max(1024, len(source.content) + 1)),
            parse_options=arrow.ParseOptions(delimiter=source.delimiter, newlines_in_values=True),
            convert_options=arrow.ConvertOptions(strings_can_be_null=True),
        )
    except (pa.ArrowException, ValueError, OSError) as error:
        raise Refusal("The file cannot be read as CSV: {reason}.", reason=_reason(error)) from None
    return _from_arrow(read, commas=source.delimiter != ",")


def read_parquet(content: bytes, most_cells: int, most_columns: int) -> Table:
    """The table in a Parquet file. Raises a Refusal if it is none, or too large once unpacked."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(io.BytesIO(content))
        rows, columns = file.metadata.num_rows, file.metadata.num_columns
        if rows * columns > most_cells or columns > most_columns:
            raise Refusal(
                "The table has {rows} rows and {columns} columns; at most {most} cells are allowed.",
                rows=f"{rows:,}",
                columns=f"{columns:,}",
                most=f"{most_cells:,}",
            )
        return _from_arrow(file.read(use_threads=False), commas=False)
    except Refusal:
        raise
    except (pa.ArrowException, ValueError, OSError) as error:
        raise Refusal("The file cannot be read as Parquet: {reason}.", reason=_reason(error)) from None


def _reason(error: BaseException) -> str:
    return " ".join(str(error).split())[:150].rstrip(".")


def _from_arrow(read: Any, commas: bool) -> Table:
    """The columns; with ``commas`` those of text that hold nothing but numbers like 1.234,5 are numbers."""
    import pyarrow as pa

    columns: dict[str, Values] = {}
    forms: dict[str, str] = {}
    for index, given in enumerate(read.column_names):
        name = str(given).strip()[:80] or f"column {index + 1}"
        while name in columns:
            name += "'"
        column, kind = read.column(index), read.schema.field(index).type
        if pa.types.is_dictionary(kind):
            column = column.cast(kind.value_type)
            kind = kind.value_type
        if commas and pa.types.is_string(kind) and (numbers := _comma_numbers(column)) is not None:
            column, kind, forms[name] = numbers, pa.float64(), "comma"
        if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
            floats = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
            columns[name] = np.where(np.isfinite(floats), floats, np.nan)
        elif pa.types.is_date(kind) or pa.types.is_timestamp(kind):
            stamps = column.cast(pa.timestamp("s"), safe=False).cast(pa.int64())
            days = stamps.cast(pa.float64()).to_numpy(zero_copy_only=False) / 86_400
            columns[name] = days.astype(np.float64)
            forms[name] = "date"
        elif pa.types.is_null(kind):
            columns[name] = np.full(len(column), np.nan)
        else:
            columns[name] = np.array([None if v is None else word(v) for v in column.to_pylist()], object)
    return Table(columns, forms)


def _comma_numbers(column: Any) -> Any | None:
    """The numbers in a column of text whose decimals stand after a comma; None if it holds anything else."""
    import pyarrow.compute as pc

    text = pc.utf8_trim_whitespace(column)
    if not pc.any(pc.match_substring(text, ",")).as_py():
        return None
    if not pc.all(pc.match_substring_regex(text, _COMMA_NUMBER)).as_py():
        return None
    plain = pc.replace_substring(pc.replace_substring(text, ".", ""), ",", ".")
    return plain.cast("float64")

"""The file as something to write into: sheets, looks, number formats, defined names, and safe text.

Text goes in as text and never as a formula, whoever wrote it. What could be taken for a formula when
a person edits the cell or copies it into a CSV file (it starts with ``=``, ``+``, ``-``, ``@``) also
carries Excel's mark for text.
"""

import io
import math
import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name

from core.i18n import Language, Text

SHEETS: dict[str, Text] = {
    "summary": Text("Summary", "摘要"),
    "inputs": Text("Inputs", "输入"),
    "model": Text("Model", "模型"),
    "metrics": Text("Metrics", "指标"),
    "scenarios": Text("Scenarios", "情景"),
    "simulation": Text("Simulation", "模拟"),
    "sources": Text("Sources", "来源"),
}
"""The sheets, in order."""

Look = dict[str, Any]
"""Properties of a cell's format, in XlsxWriter's names."""

TITLE: Look = {"bold": True, "font_size": 16}
HEADING: Look = {"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"}
SECTION: Look = {"bold": True, "bg_color": "#DDE9F3"}
NOTE: Look = {"italic": True, "font_color": "#595959"}
INPUT: Look = {"font_color": "#0000FF", "bg_color": "#FFF9DB", "border": 1, "border_color": "#BFBFBF"}
FIXED: Look = {"font_color": "#595959"}
"""Values that no formula stands behind, and words of second rank."""
AFTER: Look = {"align": "left", "indent": 1}
"""Words beside a number."""
WRAPPED: Look = {"text_wrap": True, "valign": "top"}
TOP: Look = {"valign": "top"}

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#8A8A8A"

MAX_TEXT = 32_767
"""Characters that a cell holds."""

_NOT_XML = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_LIKE_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Book:
    """A workbook under construction in one language and currency; :meth:`close` gives the file."""

    def __init__(self, _: Language, currency: str, title: str, on: date) -> None:
        self.say = _
        self.symbol = _.currency_symbol(currency)
        self.currency = currency
        self._out = io.BytesIO()
        self._book: Any = xlsxwriter.Workbook(
            self._out,
            {
                "in_memory": True,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
            },
        )
        made = datetime(on.year, on.month, on.day, tzinfo=UTC).replace(tzinfo=None)
        self._book.set_properties({"title": clean(title), "author": "Compute Canvas", "created": made})
        self._book.set_calc_mode("auto")
        self._looks: dict[tuple[tuple[str, Any], ...], Any] = {}
        self._sheets: list[Sheet] = []

    def sheet(self, key: str) -> "Sheet":
        """A new sheet at the end."""
        name = self.say.text(SHEETS[key])
        self._sheets.append(Sheet(self, name, self._book.add_worksheet(name)))
        return self._sheets[-1]

    def define(self, name: str, reference: str) -> None:
        """A name for the whole file."""
        self._book.define_name(name, f"={reference}")

    def cash_chart(self, title: str, series: list[dict[str, Any]], months: int) -> Any:
        """A native line chart of cash over months; ``series`` in XlsxWriter's form."""
        _ = self.say
        chart: Any = self._book.add_chart({"type": "line"})
        for one in series:
            chart.add_series(one)
        chart.set_title({"name": title, "name_font": {"size": 12}, "overlay": False})
        every = max(1, months // 12)
        chart.set_x_axis(
            {
                "label_position": "low",
                "num_font": {"rotation": -45},
                "interval_unit": every,
                "interval_tick": every,
            }
        )
        chart.set_y_axis(
            {
                "name": _("Cash ({currency})", currency=self.currency),
                "num_format": self.number_format("money", [1e6]),
                "major_gridlines": {"visible": True, "line": {"color": "#E0E0E0"}},
            }
        )
        chart.set_legend({"none": True} if len(series) == 1 else {"position": "bottom"})
        chart.set_size({"width": 860, "height": 380})
        return chart

    def look(self, **properties: Any) -> Any:
        """The format with these properties, made once."""
        key = tuple(sorted(properties.items()))
        if key not in self._looks:
            self._looks[key] = self._book.add_format(properties)
        return self._looks[key]

    def number_format(self, unit: str, values: Iterable[float]) -> str:
        """Excel's format for values of a unit, with decimals for the largest of them.

        Money has its currency's sign and brackets where it is negative; a share is in percent.
        """
        largest = max((abs(value) for value in values), default=0.0)
        if unit in ("1", "1/month"):
            return _grouped(_decimals(largest * 100, 1)) + "%"
        plain = _grouped(_decimals(largest, 2 if unit.startswith("money") else 1))
        if unit.startswith("money"):
            plain = f'"{self.symbol}"{plain}'
            return f"{plain}_);({plain})"
        return plain

    def close(self) -> bytes:
        """The finished file."""
        for sheet in self._sheets:
            sheet.fit_rows()
        self._book.close()
        return self._out.getvalue()


class Sheet:
    """One sheet; rows and columns count from 0."""

    def __init__(self, book: Book, name: str, page: Any) -> None:
        self.book = book
        self.name = name
        self.page = page
        self._widths: list[float] = []
        self._lines: dict[int, int] = {}
        page.hide_gridlines(2)
        page.set_landscape()
        page.set_paper(9)  # A4
        page.fit_to_pages(1, 0)
        page.set_footer("&LCompute Canvas&C&A&R&P / &N")

    def text(self, row: int, column: int, text: str, **look: Any) -> None:
        """Text, as text."""
        shown = clean(text)
        if not shown:
            self.page.write_blank(row, column, None, self.book.look(**look))
            return
        if shown.startswith(_LIKE_A_FORMULA):
            look["quote_prefix"] = True
        if look.get("text_wrap") and column < len(self._widths):
            self._lines[row] = max(self._lines.get(row, 1), _lines_of(shown, self._widths[column]))
        self.page.write_string(row, column, shown, self.book.look(**look))

    def texts(self, row: int, texts: Iterable[str], **look: Any) -> None:
        """Texts side by side from the first column on."""
        for column, text in enumerate(texts):
            self.text(row, column, text, **look)

    def number(self, row: int, column: int, value: float, **look: Any) -> None:
        """A number."""
        self.page.write_number(row, column, float(value), self.book.look(**look))

    def formula(self, row: int, column: int, formula: str, value: float | str, **look: Any) -> None:
        """A live formula with the value that it has now."""
        cached = clean(value) if isinstance(value, str) else float(value)
        self.page.write_formula(row, column, "=" + formula, self.book.look(**look), cached)

    def array_formula(self, row: int, column: int, formula: str, value: float | str, **look: Any) -> None:
        """A live formula of one cell that works through a whole row of others."""
        cached = clean(value) if isinstance(value, str) else float(value)
        self.page.write_array_formula(
            row, column, row, column, f"{{={formula}}}", self.book.look(**look), cached
        )

    def widths(self, *widths: float) -> None:
        """The widths of the columns from the first on, in characters."""
        self._widths = list(widths)
        for column, width in enumerate(widths):
            self.page.set_column(column, column, width)

    def fit_rows(self) -> None:
        """Make rows high enough for their wrapped text; not every program does by itself."""
        for row, lines in self._lines.items():
            if lines > 1:
                self.page.set_row(row, min(409, 15 * lines + 1))

    def reference(self, row: int, column: int, last_column: int | None = None) -> str:
        """ "'Model'!$D$7:$AM$7": cells of one row of this sheet, from anywhere."""
        place = f"${xl_col_to_name(column)}${row + 1}"
        if last_column is not None and last_column != column:
            place += f":${xl_col_to_name(last_column)}${row + 1}"
        return f"'{self.name}'!{place}"


def clean(text: str) -> str:
    """The text as a cell can hold it: without characters that XML has not, and not too long."""
    text = _NOT_XML.sub("", text)
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"


def _lines_of(text: str, width: float) -> int:
    """How many lines the text takes in a column; a Chinese character is as wide as two others."""
    wide = sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
    return text.count("\n") + max(1, math.ceil(wide * 1.1 / width))


def quoted(text: str) -> str:
    """The text as a literal in a formula, which holds 255 characters."""
    return '"' + clean(text)[:255].replace('"', '""') + '"'


def _decimals(largest: float, most: int) -> int:
    """None from a thousand on, ``most`` from 1 on, and below as many as show three figures."""
    if largest >= 1000 or largest == 0:
        return 0 if largest else most
    if largest >= 1:
        return most
    return min(12, 2 - math.floor(math.log10(largest)))


def _grouped(decimals: int) -> str:
    return "#,##0" + ("." + "0" * decimals if decimals else "")


# Names of cells


def input_name(key: str) -> str:
    """The cell of a driver."""
    return f"in_{key}"


def constant_name(key: str) -> str:
    """The cell of a constant."""
    return f"const_{key}"


def line_name(key: str) -> str:
    """The months 1 … of a line."""
    return f"line_{key}"


def metric_name(key: str) -> str:
    """The cell of a metric."""
    return f"metric_{key}"


MONTH_NUMBERS, MONTH_NAMES = "month_numbers", "month_names"
"""The rows above the model's months."""

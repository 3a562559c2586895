"""The sheet of the model: one row a line, one column a month, every cell a live formula.

A row has one formula for all its months: it refers to inputs by name, to other rows in its own
column, to the column before it for last month (the opening value in month 1), and to the row from
month 1 on for a sum so far.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from xlsxwriter.utility import xl_col_to_name

from core.finance import Projection, read_unit, section_label
from core.finance.actuals import is_real, scaled_to
from core.finance.excel import When, excel
from core.i18n import Refusal
from core.reports.xlsx.book import (
    FIXED,
    HEADING,
    INPUT,
    MONTH_NAMES,
    MONTH_NUMBERS,
    NOTE,
    SECTION,
    TITLE,
    Sheet,
    constant_name,
    input_name,
    line_name,
)

_NAMES, _NUMBERS = 3, 4
"""The rows with the months' names and numbers."""
_OPENING, FIRST = 2, 3
"""The column of opening values, and that of month 1."""


@dataclass(frozen=True)
class Rows:
    """Where each line stands on the model's sheet, for the sheets that refer to it."""

    sheet: Sheet
    rows: Mapping[str, int]
    months: int

    def label(self, key: str) -> str:
        """The cell of a line's label."""
        return self.sheet.reference(self.rows[key], 0)

    def opening(self, key: str) -> str:
        """The cell of a line's opening value."""
        return self.sheet.reference(self.rows[key], _OPENING)

    def line(self, key: str) -> str:
        """The cells of a line's months."""
        return self.sheet.reference(self.rows[key], FIRST, FIRST + self.months - 1)

    @property
    def last(self) -> int:
        """The last row of the model."""
        return max(self.rows.values(), default=_NUMBERS)

    def month_names(self) -> str:
        """The cells with the months' names."""
        return self.sheet.reference(_NAMES, FIRST, FIRST + self.months - 1)


def write_model(sheet: Sheet, projection: Projection) -> Rows:
    """Fill the model's sheet and define the names of its rows."""
    _, book, model = sheet.book.say, sheet.book, projection.model
    sheet.widths(44, 22, 15, *[13.0] * projection.months)
    sheet.text(0, 0, sheet.name, **TITLE)
    sheet.text(
        1,
        0,
        _(
            "Every month of every line is a formula; names that begin with in_ are cells of the sheet of inputs."
        ),
        **NOTE,
    )
    rows = {}
    row = _NUMBERS + 1
    for lines in model.sections().values():
        row += 1
        for line in lines:
            rows[line.key] = row
            row += 1
    place = Rows(sheet, rows, projection.months)
    _write_months(sheet, place, projection)
    for section, lines in model.sections().items():
        above = rows[lines[0].key] - 1
        label = _.text(section_label(section))
        sheet.texts(above, (label, *[""] * (projection.months + FIRST - 1)), **SECTION)
        for line in lines:
            sheet.text(rows[line.key], 0, _.text(line.label))
            sheet.text(rows[line.key], 1, read_unit(line.unit, book.currency, _), **FIXED)
            _write_line(sheet, place, projection, line.key)
            book.define(line_name(line.key), place.line(line.key))
    sheet.page.freeze_panes(_NUMBERS + 1, FIRST)
    sheet.page.repeat_rows(_NAMES, _NUMBERS)
    sheet.page.repeat_columns(0, _OPENING)
    sheet.page.fit_to_pages(math.ceil(projection.months / 12), 0)
    return place


def _write_months(sheet: Sheet, place: Rows, projection: Projection) -> None:
    _, last = sheet.book.say, FIRST + projection.months - 1
    names = [_.month(projection.venture.start, offset) for offset in range(projection.months)]
    heading = {**HEADING, "align": "right"}
    sheet.texts(_NAMES, (_("Line"), _("Unit")), **HEADING)
    sheet.text(_NAMES, _OPENING, _("Opening"), **heading)
    sheet.text(_NUMBERS, 0, _.text(projection.model.named("month").label), **FIXED)
    for column, name in enumerate(names, FIRST):
        sheet.text(_NAMES, column, name, **heading)
        if column == FIRST:
            sheet.number(_NUMBERS, column, 1, **FIXED, num_format="0")
        else:
            before = f"{xl_col_to_name(column - 1)}{_NUMBERS + 1}"
            sheet.formula(_NUMBERS, column, f"{before}+1", column - FIRST + 1, **FIXED, num_format="0")
    sheet.book.define(MONTH_NAMES, place.month_names())
    sheet.book.define(MONTH_NUMBERS, sheet.reference(_NUMBERS, FIRST, last))


def _write_line(sheet: Sheet, place: Rows, projection: Projection, key: str) -> None:
    """A line's opening value and months; the formula is read once and filled in for each column.

    A real figure is a number, blue as an input is; so is what is scaled to one.
    """
    model, row = projection.model, place.rows[key]
    values = projection.lines[key]
    look = {"num_format": sheet.book.number_format(model.lines[key].unit, values.tolist())}

    def cell_of(name: str, when: When) -> str:
        if name in model.inputs:
            return input_name(name)
        if name in model.constants:
            return constant_name(name)
        if name == "month":
            return f"{{now}}${_NUMBERS + 1}"
        at = place.rows[name] + 1
        if when == "so far":
            return f"SUM(${xl_col_to_name(FIRST)}{at}:{{now}}{at})"
        return f"{{{when}}}{at}"

    try:
        formula = excel(model.formulas[key], cell_of)
        opening = excel(model.openings[key], cell_of) if key in model.openings else ""
    except Refusal as error:
        raise Refusal("Line “{name}”: {error}", name=model.lines[key].label, error=error) from None
    if opening:
        sheet.formula(row, _OPENING, opening, values[0], **look)
    else:
        sheet.number(row, _OPENING, values[0], **FIXED, **look)
    for month in range(1, projection.months + 1):
        column = FIRST + month - 1
        if is_real(projection.venture, key, month):
            sheet.number(row, column, values[month], **INPUT, **look)
            continue
        if scaled_to(projection.venture, key, month):
            sheet.number(row, column, values[month], **FIXED, **look)
            continue
        text = formula.format(now=xl_col_to_name(column), before=xl_col_to_name(column - 1))
        sheet.formula(row, column, text, values[month], **look)

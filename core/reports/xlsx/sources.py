"""The last sheet: how to read the file, where each input comes from, the canvas, the formulas in words."""

from core.finance import Projection, section_label, spoken, why
from core.i18n import Language
from core.reports.xlsx.book import AFTER, FIXED, HEADING, SECTION, TITLE, TOP, WRAPPED, Sheet
from core.reports.xlsx.inputs import write_source
from core.venture import BLOCKS
from core.venture.canvas import CREDIT, filled, mentioned

_COLUMNS = 5


def write_sources(sheet: Sheet, projection: Projection) -> None:
    """Fill the sheet of sources."""
    _ = sheet.book.say
    sheet.widths(44, 32, 90, 10, 14)
    sheet.text(0, 0, sheet.name, **TITLE)
    row = _write_reading(sheet, 2)
    row = _write_drivers(sheet, row, projection)
    row = _write_canvas(sheet, row, projection)
    _write_formulas(sheet, row, projection)


def _head(sheet: Sheet, row: int, words: str) -> None:
    sheet.texts(row, (words, *[""] * (_COLUMNS - 1)), **SECTION)


def _write_reading(sheet: Sheet, row: int) -> int:
    _ = sheet.book.say
    _head(sheet, row, _("How to read this file"))
    for words in (
        _("Blue cells on the sheet of inputs may be edited; everything that is a formula follows."),
        _(
            "Inputs, constants and lines of the model have defined names, which begin with in_, const_ and line_."
        ),
        _("A range is a 90% interval; the plan uses its median."),
        _("Money in brackets is negative. A share is in percent."),
        _("Scenarios and simulation are values as they were at export; they are labelled so."),
        _("No sheet is hidden, and there are no macros."),
    ):
        row += 1
        sheet.text(row, 0, words)
    return row + 2


def _write_drivers(sheet: Sheet, row: int, projection: Projection) -> int:
    _ = sheet.book.say
    _head(sheet, row, _("Sources of the inputs"))
    sheet.texts(row + 1, (_("Driver"), _("Kind of source"), _("Source")), **HEADING)
    sheet.text(row + 1, 3, _("Year"), **HEADING, align="right")
    sheet.text(row + 1, 4, _("Confidence"), **HEADING, **AFTER)
    row += 1
    for driver in projection.venture.drivers:
        row += 1
        sheet.text(row, 0, _.text(driver.label), **WRAPPED)
        write_source(sheet, row, 1, driver.source)
    return row + 2


def _write_canvas(sheet: Sheet, row: int, projection: Projection) -> int:
    _, canvas = sheet.book.say, projection.venture.canvas
    _head(sheet, row, _("Canvas"))
    sheet.text(row + 1, 0, CREDIT, **FIXED)
    row += 2
    for block, label in BLOCKS.items():
        notes = canvas.block(block)
        sheet.text(row, 0, _.text(label), bold=True, **TOP)
        for place, note in enumerate(notes, row):
            text = _.text(note.text)
            sheet.text(place, 1, filled(text, _values(text, projection, _)), **TOP)
        row += max(1, len(notes))
    return row + 1


def _values(text: str, projection: Projection, _: Language) -> dict[str, str]:
    """The numbers that a note mentions: a driver's median, a line in month 1."""
    venture, model, found = projection.venture, projection.model, {}
    for key in mentioned(text):
        if venture.has_driver(key):
            driver = venture.driver(key)
            found[key] = spoken(driver.amount.median, driver.unit, venture.currency, _)
        elif key in model.lines:
            found[key] = spoken(projection.at(key, 1), model.lines[key].unit, venture.currency, _)
    return found


def _write_formulas(sheet: Sheet, row: int, projection: Projection) -> None:
    """Every line of the model as the app writes it, so that the sheet of the model can be read in words."""
    _ = sheet.book.say
    _head(sheet, row, _("The formulas in words"))
    sheet.texts(row + 1, (_("Line"), _("Section"), _("Formula"), "", ""), **HEADING)
    row += 2
    for section, lines in projection.model.sections().items():
        for line in lines:
            explained = why(projection, line.key, 1, _)
            sheet.text(row, 0, _.text(line.label), **TOP)
            sheet.text(row, 1, _.text(section_label(section)), **TOP)
            sheet.text(row, 2, explained.named, **WRAPPED)
            row += 1

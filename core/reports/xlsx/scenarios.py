"""The sheet of scenarios: what differs between them, and what comes of it, as values of the export.

A scenario is the base with some drivers changed. Its lines are values, not formulas: the model of
this file has one set of inputs. The base stands beside them as it was at export, so that the columns
stay comparable when an input is edited.
"""

from collections.abc import Sequence

from xlsxwriter.utility import xl_rowcol_to_cell

from core.finance import Metric, Projection, metrics, project, read_unit
from core.i18n import Refusal, Text
from core.reports.xlsx.book import FIXED, HEADING, NOTE, SECTION, TITLE, TOP, WRAPPED, Sheet
from core.reports.xlsx.metrics import metric_look, shown_value, unit_words
from core.reports.xlsx.summary import KEY_LINES, year_ends
from core.venture import Venture

BASE = Text("Base", "基准")

_FIRST = 3
"""The column of the base; the scenarios follow."""


def write_scenarios(sheet: Sheet, venture: Venture) -> None:
    """Fill the sheet of scenarios."""
    _ = sheet.book.say
    names = [_.text(BASE), *(_.text(scenario.name) for scenario in venture.scenarios)]
    differences = [_("{scenario} less base", scenario=name) for name in names[1:]]
    sheet.widths(44, 18, 14, *[22.0] * (len(names) + len(differences)))
    sheet.text(0, 0, sheet.name, **TITLE)
    sheet.text(1, 0, _("Values as they were at export: they do not follow the inputs of this file."), **NOTE)
    sheet.texts(3, ("", _("Unit"), _("Month")), **HEADING)
    for column, name in enumerate((*names, *differences), _FIRST):
        sheet.text(3, column, name, **HEADING, align="right")
    sheet.page.freeze_panes(4, 1)
    sheet.page.repeat_rows(3)
    if not venture.scenarios:
        sheet.text(4, 0, _("The plan has no scenarios."))
        return
    row = _write_drivers(sheet, 4, venture, len(names))
    _write_results(sheet, row, venture, len(names))


def _write_drivers(sheet: Sheet, row: int, venture: Venture, count: int) -> int:
    """The medians of the drivers that any scenario changes; a changed one in bold."""
    _ = sheet.book.say
    _head(sheet, row, _("Drivers that differ (medians)"), count)
    changed = {override.key for scenario in venture.scenarios for override in scenario.overrides}
    for driver in (d for d in venture.drivers if d.key in changed):
        row += 1
        sheet.text(row, 0, _.text(driver.label))
        sheet.text(row, 1, read_unit(driver.unit, venture.currency, _), **FIXED)
        base = driver.amount.median
        amounts = [base]
        for scenario in venture.scenarios:
            own = [o.amount.median for o in scenario.overrides if o.key == driver.key]
            amounts.append(own[0] if own else base)
        number = sheet.book.number_format(driver.unit, amounts)
        for column, value in enumerate(amounts, _FIRST):
            sheet.number(row, column, value, num_format=number, bold=value != base)
    return row + 2


def _write_results(sheet: Sheet, row: int, venture: Venture, count: int) -> None:
    """Key lines and metrics, a column a scenario; one that cannot be computed says why."""
    _ = sheet.book.say
    columns: list[Projection | Refusal] = []
    for scenario_id in (None, *(scenario.id for scenario in venture.scenarios)):
        try:
            columns.append(project(venture, scenario_id))
        except Refusal as error:
            columns.append(error)
    base = columns[0]
    assert isinstance(base, Projection)
    _head(sheet, row, _("Key lines"), count)
    for key in (key for key in KEY_LINES if key in base.model.lines):
        line = base.model.lines[key]
        for month in year_ends(base.months):
            row += 1
            sheet.text(row, 0, _.text(line.label))
            sheet.text(row, 1, read_unit(line.unit, venture.currency, _), **FIXED)
            sheet.text(row, 2, _.month(venture.start, month - 1), **FIXED)
            values = [c.at(key, month) if isinstance(c, Projection) else c for c in columns]
            number = sheet.book.number_format(line.unit, [v for v in values if isinstance(v, float)])
            for column, value in enumerate(values, _FIRST):
                _write(sheet, row, column, value, number)
            _write_differences(sheet, row, values, number)
    row += 2
    _head(sheet, row, _("Metrics"), count)
    found = [metrics(c) if isinstance(c, Projection) else c for c in columns]
    for key, metric in metrics(base).items():
        row += 1
        sheet.text(row, 0, _.text(metric.label), **WRAPPED)
        sheet.text(row, 1, unit_words(metric, sheet.book), **FIXED, **TOP)
        number = metric_look(metric, sheet.book)
        shown = [of if isinstance(of, Refusal) else of[key] for of in found]
        for column, result in enumerate(shown, _FIRST):
            _write(sheet, row, column, result, number)
        _write_differences(sheet, row, [v.value if isinstance(v, Metric) else v for v in shown], number)


def _write_differences(sheet: Sheet, row: int, values: Sequence[float | Refusal | None], number: str) -> None:
    """How much more each scenario has than the base, where both have a number."""
    base, *others = values
    for place, value in enumerate(others, 1):
        if isinstance(base, float) and isinstance(value, float):
            there, here = (xl_rowcol_to_cell(row, _FIRST + at) for at in (place, 0))
            column = _FIRST + len(others) + place
            sheet.formula(row, column, f"{there}-{here}", value - base, num_format=number, **TOP)


def _head(sheet: Sheet, row: int, words: str, count: int) -> None:
    sheet.texts(row, (words, *[""] * (_FIRST + 2 * count - 2)), **SECTION)


def _write(sheet: Sheet, row: int, column: int, value: float | str | Metric | Refusal, number: str) -> None:
    """A number, or the sentence that stands in its place."""
    _ = sheet.book.say
    if isinstance(value, Metric):
        value = shown_value(value, _)
    if isinstance(value, str):
        sheet.text(row, column, value, **WRAPPED, align="right")
    elif isinstance(value, Refusal):
        sheet.text(row, column, _.refusal(value), **WRAPPED)
    else:
        sheet.number(row, column, value, num_format=number, **TOP)

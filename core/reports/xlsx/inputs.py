"""The sheet of inputs: every driver by group, its value in blue, and the model's constants below.

The blue cells are the only ones to edit. Each has a defined name that the model's formulas use, and
takes only what the driver allows. Of a range, the median is used; its ends stand beside it.
"""

from xlsxwriter.utility import xl_rowcol_to_cell

from core.finance import Model, read_unit
from core.i18n import Text
from core.reports.xlsx.book import (
    AFTER,
    FIXED,
    HEADING,
    INPUT,
    NOTE,
    SECTION,
    TITLE,
    TOP,
    WRAPPED,
    Look,
    Sheet,
    constant_name,
    input_name,
)
from core.venture import GROUPS, Driver, Source, Venture

KINDS: dict[str, Text] = {
    "typed": Text("typed by the founder", "创始人填写"),
    "preset": Text("preset", "预设值"),
    "estimated": Text("estimated by the compute estimator", "算力估算器估算"),
    "measured": Text("measured by a training run", "训练运行实测"),
}
CONFIDENCE: dict[str, Text] = {
    "high": Text("high", "高"),
    "medium": Text("medium", "中"),
    "low": Text("low", "低"),
}
DISTRIBUTIONS: dict[str, Text] = {
    "lognormal": Text("lognormal", "对数正态分布"),
    "logitnormal": Text("logit-normal", "logit 正态分布"),
    "normal": Text("normal", "正态分布"),
}

_VALUE = 2


def write_inputs(sheet: Sheet, venture: Venture, model: Model) -> None:
    """Fill the sheet of inputs and define the names of its cells."""
    _ = sheet.book.say
    sheet.widths(44, 26, 16, 14, 14, 16, 22, 30, 60, 8, 12)
    sheet.text(0, 0, sheet.name, **TITLE)
    sheet.text(
        1, 0, _("Edit the blue cells only; the model, the metrics and the summary follow them."), **NOTE
    )
    headings = (
        _("Driver"),
        _("Key"),
        _("Value used"),
        _("Low (5%)"),
        _("High (95%)"),
        _("Distribution"),
        _("Unit"),
        _("Kind of source"),
        _("Source"),
        _("Year"),
        _("Confidence"),
    )
    for column, heading in enumerate(headings):
        beside: Look = {"align": "right"} if column in (2, 3, 4, 9) else AFTER if column in (5, 10) else {}
        sheet.text(3, column, heading, **HEADING, **beside)
    sheet.page.freeze_panes(4, 1)
    sheet.page.repeat_rows(3)
    row = 4
    for group, label in GROUPS.items():
        drivers = [driver for driver in venture.drivers if driver.group == group]
        if drivers:
            sheet.texts(row, (_.text(label), *[""] * (len(headings) - 1)), **SECTION)
            row += 1
        for driver in drivers:
            _write_driver(sheet, row, driver, venture)
            row += 1
    row += 1
    sheet.texts(row, (_("Constants of the model"), *[""] * (len(headings) - 1)), **SECTION)
    for key, constant in model.constants.items():
        row += 1
        assert constant.value is not None
        sheet.text(row, 0, _.text(constant.label))
        sheet.text(row, 1, key, **FIXED)
        number = sheet.book.number_format(constant.unit, [constant.value])
        sheet.number(row, _VALUE, constant.value, **FIXED, num_format=number)
        sheet.text(row, 6, read_unit(constant.unit, venture.currency, _))
        sheet.book.define(constant_name(key), sheet.reference(row, _VALUE))


def _write_driver(sheet: Sheet, row: int, driver: Driver, venture: Venture) -> None:
    _, amount = sheet.book.say, driver.amount
    low, high = amount.ends()
    number = sheet.book.number_format(driver.unit, [amount.median])
    sheet.text(row, 0, _.text(driver.label), **WRAPPED)
    sheet.text(row, 1, driver.key, **FIXED, **TOP)
    sheet.number(row, _VALUE, amount.median, **INPUT, num_format=number, **TOP)
    if not amount.is_point:
        sheet.number(row, 3, low, num_format=number, **TOP)
        sheet.number(row, 4, high, num_format=number, **TOP)
        sheet.text(row, 5, _.text(DISTRIBUTIONS[amount.distribution]), **AFTER, **TOP)
    sheet.text(row, 6, read_unit(driver.unit, venture.currency, _), **TOP)
    write_source(sheet, row, 7, driver.source)
    sheet.book.define(input_name(driver.key), sheet.reference(row, _VALUE))
    _allow(sheet, row, driver)


def write_source(sheet: Sheet, row: int, column: int, source: Source) -> None:
    """Kind, citation, year and confidence of a source, in four cells."""
    _ = sheet.book.say
    sheet.text(row, column, _.text(KINDS[source.kind]), **TOP)
    words = _.text(source.text)
    if source.run:
        words = f"{words} ({source.run})" if words else source.run
    sheet.text(row, column + 1, words, **WRAPPED)
    if source.year is not None:
        sheet.number(row, column + 2, source.year, num_format="0", **TOP)
    if source.confidence is not None:
        sheet.text(row, column + 3, _.text(CONFIDENCE[source.confidence]), **AFTER, **TOP)


def _allow(sheet: Sheet, row: int, driver: Driver) -> None:
    """Let the cell take only what the driver allows."""
    _, cell = sheet.book.say, xl_rowcol_to_cell(row, _VALUE)
    lowest = driver.minimum if driver.minimum is not None else (None if driver.signed else 0.0)
    highest = driver.maximum
    rules = [f"ISNUMBER({cell})"]
    least, most = "", ""
    if lowest is not None:
        least = _.number(lowest, digits=6)
        rules.append(f"{cell}>={lowest:.15G}")
    if highest is not None:
        most = _.number(highest, digits=6)
        rules.append(f"{cell}<={highest:.15G}")
    if least and most:
        message = _("A number from {least} to {most} is allowed.", least=least, most=most)
    elif least:
        message = _("A number of at least {least} is allowed.", least=least)
    elif most:
        message = _("A number of at most {most} is allowed.", most=most)
    else:
        message = _("A number is needed.")
    sheet.page.data_validation(
        row,
        _VALUE,
        row,
        _VALUE,
        {
            "validate": "custom",
            "value": f"=AND({','.join(rules)})",
            "error_title": _("Not allowed"),
            "error_message": message,
        },
    )

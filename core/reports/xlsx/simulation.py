"""The sheet of the simulation: cash by month as percentiles over all draws, and how likely it runs out.

A spreadsheet does not draw as the engine does, so all of it is values, with the number of draws and
the seed that give them again.
"""

from core.finance import Simulation
from core.i18n import Language
from core.reports.xlsx.book import BLUE, FIXED, GREY, HEADING, NOTE, ORANGE, SECTION, TITLE, Sheet

_TABLE = 13
"""The row above the months."""


def write_simulation(sheet: Sheet, simulation: Simulation, seed: int) -> None:
    """Fill the sheet of the simulation."""
    _, venture, book = sheet.book.say, simulation.venture, sheet.book
    sheet.widths(48, 20, 20, 20, 20, 20, 3)
    sheet.text(0, 0, sheet.name, **TITLE)
    sheet.text(1, 0, _("Values as they were at export: they do not follow the inputs of this file."), **NOTE)
    sheet.text(3, 0, _("Draws"), **FIXED)
    sheet.number(3, 1, simulation.count, num_format="#,##0")
    sheet.text(4, 0, _("Seed"), **FIXED)
    sheet.number(4, 1, seed, num_format="0")
    sheet.text(5, 0, _("Probability that cash falls below zero"), **FIXED)
    sheet.number(5, 1, simulation.p_cash_out, num_format="0.0%")
    sheet.text(6, 0, _("Standard error of that probability"), **FIXED)
    sheet.number(6, 1, simulation.p_cash_out_error, num_format="0.0%")
    for row, (percent, month) in enumerate(zip((10, 50, 90), simulation.cash_zero_months(), strict=True), 7):
        sheet.text(
            row, 0, _("First month with cash below zero, {percent}% of draws", percent=percent), **FIXED
        )
        sheet.text(row, 1, _month(month, simulation, _), align="right")
    need = simulation.funding_need(0.2)
    sheet.text(10, 0, _("Extra cash that lowers the probability to 20%"), **FIXED)
    sheet.number(10, 1, need, num_format=book.number_format("money", [need]))

    fan = simulation.fan("cash")
    months = len(fan.p50)
    percentiles = (("5%", fan.p5), ("25%", fan.p25), ("50%", fan.p50), ("75%", fan.p75), ("95%", fan.p95))
    label = _("Cash at the end of the month ({currency}): percentiles", currency=venture.currency)
    sheet.texts(_TABLE - 1, (label, *[""] * len(percentiles)), **SECTION)
    sheet.text(_TABLE, 0, _("Month"), **HEADING)
    for column, (name, _values) in enumerate(percentiles, 1):
        sheet.text(_TABLE, column, name, **HEADING, align="right")
    number = book.number_format("money", [*fan.p5.tolist(), *fan.p95.tolist()])
    for month in range(months):
        sheet.text(_TABLE + 1 + month, 0, _.month(venture.start, month))
        for column, (_name, values) in enumerate(percentiles, 1):
            sheet.number(_TABLE + 1 + month, column, values[month], num_format=number)
    _write_importance(sheet, _TABLE + months + 3, simulation)
    _write_chart(sheet, months)
    sheet.page.freeze_panes(2, 0)


def _month(month: int | None, simulation: Simulation, _: Language) -> str:
    if month is None:
        return _("not reached in {months} months", months=simulation.venture.horizon_months)
    return _.month(simulation.venture.start, month - 1)


def _write_importance(sheet: Sheet, row: int, simulation: Simulation) -> None:
    """The drivers by their share in the variance of the lowest cash balance."""
    _, shares = sheet.book.say, simulation.importance()
    if not shares:
        return
    sheet.texts(row, (_("What moves the lowest cash balance"), _("Share of variance")), **HEADING)
    for key, share in sorted(shares.items(), key=lambda item: -item[1]):
        row += 1
        sheet.text(row, 0, _.text(simulation.venture.driver(key).label))
        sheet.number(row, 1, share, num_format="0.0%")


def _write_chart(sheet: Sheet, months: int) -> None:
    _, first, last = sheet.book.say, _TABLE + 1, _TABLE + months
    lines = (
        (1, GREY, 1.0, "dash"),
        (2, BLUE, 1.0, "solid"),
        (3, BLUE, 2.75, "solid"),
        (4, BLUE, 1.0, "solid"),
        (5, ORANGE, 1.0, "dash"),
    )
    series = [
        {
            "name": [sheet.name, _TABLE, column],
            "categories": [sheet.name, first, 0, last, 0],
            "values": [sheet.name, first, column, last, column],
            "line": {"color": colour, "width": width, "dash_type": dash},
        }
        for column, colour, width, dash in lines
    ]
    chart = sheet.book.cash_chart(_("Cash by month: percentiles"), series, months)
    sheet.page.insert_chart(2, 7, chart, {"description": _("Percentiles of cash at the end of each month")})

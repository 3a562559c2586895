"""The sheet of metrics: each figure with its definition and its benchmark, live where Excel can say it.

The formulas follow :mod:`core.finance.metrics` and say the same sentence where a figure does not
apply. They need no more than the rows of the model; CAC payback adds a row of workings to them.
A metric without a formula here, or whose lines the plan does not have, is a value and says so.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from xlsxwriter.utility import xl_col_to_name

from core.finance import Metric, Projection, metrics, read_unit
from core.i18n import Language, Sentence
from core.reports.xlsx.book import (
    AFTER,
    FIXED,
    HEADING,
    MONTH_NAMES,
    MONTH_NUMBERS,
    NOTE,
    SECTION,
    TITLE,
    TOP,
    WRAPPED,
    Book,
    Look,
    Sheet,
    input_name,
    line_name,
    metric_name,
    quoted,
)
from core.reports.xlsx.months import FIRST, Rows

EARNED = "margin_so_far"
"""The row of workings: a customer's margin so far, weighted by the chance that it is still there."""


def write_metrics(sheet: Sheet, projection: Projection, place: Rows) -> None:
    """Fill the sheet of metrics and define the names of its cells."""
    _, found = sheet.book.say, metrics(projection)
    sheet.widths(34, 26, 20, 14, 62, 62)
    sheet.text(0, 0, sheet.name, **TITLE)
    sheet.text(1, 0, _("Each figure follows the model; where one does not apply, the cell says why."), **NOTE)
    headings = (_("Metric"), _("Value"), _("Unit"), _("Month"), _("Definition"), _("Benchmark"))
    for column, heading in enumerate(headings):
        beside: Look = {"align": "right"} if column in (1, 3) else AFTER if column in (2, 4) else {}
        sheet.text(3, column, heading, **HEADING, **beside)
    sheet.page.freeze_panes(4, 1)
    sheet.page.repeat_rows(3)
    forms = _Forms(_, projection, place)
    for row, metric in enumerate(found.values(), 4):
        sheet.text(row, 0, _.text(metric.label), bold=True, **TOP)
        formula = forms.of(metric.key)
        _write_value(sheet, row, metric, formula, projection)
        unit = unit_words(metric, sheet.book, live=formula is not None)
        sheet.text(row, 2, unit, **WRAPPED, **AFTER)
        sheet.text(row, 4, _.text(metric.definition), **WRAPPED, **AFTER)
        sheet.text(row, 5, _.text(metric.benchmark), **WRAPPED)
        sheet.book.define(metric_name(metric.key), sheet.reference(row, 1))
    _write_workings(forms, projection)


def unit_words(metric: Metric, book: Book, live: bool = True) -> str:
    """The unit of a metric's kind; that it is a value, where no formula stands behind it."""
    _ = book.say
    words = {
        "money": book.currency,
        "share": "%",
        "months": _("months"),
        "month": _("month of the plan"),
        "ratio": "×",
    }[metric.kind]
    return words if live else _("{unit} (value at export)", unit=words)


def metric_look(metric: Metric, book: Book) -> str:
    """Excel's number format for a metric."""
    size = [metric.value or 0.0]
    return {
        "money": book.number_format("money", size),
        "share": "0.0%",
        "months": "0.0",
        "month": "0",
        "ratio": '0.0"×"',
    }[metric.kind]


def shown_value(metric: Metric, _: Language) -> float | str:
    """A metric's number, or the sentence that stands in its place."""
    if metric.value is not None:
        return metric.value
    assert metric.reason is not None
    return _.sentence(metric.reason)


def write_calendar_month(sheet: Sheet, row: int, column: int, metric: Metric, projection: Projection) -> None:
    """The name of the month that a metric gives, from its cell."""
    _, name = sheet.book.say, metric_name(metric.key)
    known = _.month(projection.venture.start, int(metric.value) - 1) if metric.value is not None else ""
    sheet.formula(
        row, column, f'IF(ISNUMBER({name}),INDEX({MONTH_NAMES},1,{name}),"")', known, align="right", **TOP
    )


def _write_value(
    sheet: Sheet, row: int, metric: Metric, formula: "Form | None", projection: Projection
) -> None:
    _ = sheet.book.say
    look = {"num_format": metric_look(metric, sheet.book), "align": "right", **WRAPPED}
    value = shown_value(metric, _)
    if formula is not None:
        write = sheet.array_formula if formula.over_rows else sheet.formula
        write(row, 1, formula.text, value, **look)
    elif isinstance(value, str):
        sheet.text(row, 1, value, **look)
    else:
        sheet.number(row, 1, value, **look)
    if metric.kind == "month":
        write_calendar_month(sheet, row, 3, metric, projection)


def _write_workings(forms: "_Forms", projection: Projection) -> None:
    """A customer's margin summed month by month, below the lines of the model, for CAC payback."""
    if not forms.has("survival", "margin_per_customer"):
        return
    place = forms.place
    sheet, row = place.sheet, place.last + 3
    _, book = sheet.book.say, sheet.book
    values = np.cumsum(projection.series("survival") * projection.series("margin_per_customer"))
    unit = projection.model.lines["lifetime_value"].unit if forms.has("lifetime_value") else "money"
    look = {"num_format": book.number_format(unit, values.tolist())}
    sheet.texts(row - 1, (_("Workings of the metrics"), *[""] * (projection.months + FIRST - 1)), **SECTION)
    sheet.text(row, 0, _("Expected margin of a customer so far"))
    sheet.text(row, 1, read_unit(unit, book.currency, _), **FIXED)
    for column, value in enumerate(values.tolist(), FIRST):
        letter = xl_col_to_name(column)
        earned = f"{letter}{place.rows['survival'] + 1}*{letter}{place.rows['margin_per_customer'] + 1}"
        before = f"{xl_col_to_name(column - 1)}{row + 1}+" if column > FIRST else ""
        sheet.formula(row, column, before + earned, value, **look)
    book.define(EARNED, sheet.reference(row, FIRST, FIRST + projection.months - 1))


# The formulas


@dataclass(frozen=True)
class Form:
    """A metric as Excel text; ``over_rows`` where Excel must be told that it works through a row."""

    text: str
    over_rows: bool = False


class _Forms:
    """The metrics as formulas over the names of one projection."""

    def __init__(self, _: Language, projection: Projection, place: Rows) -> None:
        self.say = _
        self.projection = projection
        self.place = place
        self.months = projection.months
        self.year = min(12, projection.months)
        """The month that figures of the first year are read in."""

    def of(self, key: str) -> Form | None:
        """The formula of a metric; None if there is none for this plan."""
        write, needed = _FORMS.get(key, (None, ()))
        if write is None or not self.has(*needed):
            return None
        form = write(self)
        return Form(f"IFERROR({form.text},{self.said(Sentence.of('not defined'))})", form.over_rows)

    def has(self, *names: str) -> bool:
        """Whether the model has these lines and drivers."""
        model = self.projection.model
        return all(name in model.lines or name in model.inputs for name in names)

    def said(self, sentence: Sentence) -> str:
        return quoted(self.say.sentence(sentence))

    def not_reached(self) -> str:
        return self.said(Sentence.of("not reached in {months} months", months=self.months))

    def no_burn(self) -> str:
        return self.said(Sentence.of("no burn: cash grows without funding"))

    def at(self, key: str, month: int) -> str:
        return f"INDEX({line_name(key)},1,{month})"

    def first(self, key: str, month: int) -> str:
        """The cells of the months from 1 to ``month``."""
        return f"{self.at(key, 1)}:{self.at(key, month)}"

    def cash_zero(self) -> Form:
        cash = line_name("cash")
        found = f"MATCH(1,({cash}<0)*1,0)"
        return Form(f'IF(COUNTIF({cash},"<0")=0,{self.not_reached()},{found})', over_rows=True)

    def break_even(self) -> Form:
        ebitda = line_name("ebitda")
        after = f"MAX(({ebitda}<0)*{MONTH_NUMBERS})+1"
        last = f"{self.at('ebitda', self.months)}<0"
        return Form(f"IF({last},{self.not_reached()},{after})", over_rows=True)

    def burn(self) -> Form:
        burn = f"-AVERAGE({self.first('net_cash_flow', 3)})"
        return Form(f"IF({burn}>0,{burn},{self.no_burn()})")

    def gross_margin(self) -> Form:
        none = self.said(Sentence.of("no revenue by then"))
        return Form(f"IF({self.at('revenue', self.year)}<=0,{none},{self.at('gross_margin', self.year)})")

    def arr(self) -> Form:
        return Form(f"12*{self.at('mrr', self.year)}")

    def ltv_to_cac(self) -> Form:
        if self.months < 36:
            return Form(self.said(Sentence.of("needs a plan of 36 months")))
        cac, free = input_name("cac"), self.said(Sentence.of("winning a customer costs nothing"))
        return Form(f"IF({cac}>0,{self.at('lifetime_value', 36)}/{cac},{free})")

    def payback(self) -> Form:
        cac = input_name("cac")
        return Form(
            f"IF(MAX({EARNED})<{cac},{self.not_reached()},MATCH(1,({EARNED}>={cac})*1,0))", over_rows=True
        )

    def burn_multiple(self) -> Form:
        burn = f"-SUM({self.first('net_cash_flow', self.year)})"
        new = f"12*({self.at('mrr', self.year)}-{self.place.opening('mrr')})"
        none = self.said(Sentence.of("no new recurring revenue in the first year"))
        return Form(f"IF({burn}<=0,{self.no_burn()},IF({new}>0,{burn}/({new}),{none}))")

    def funding_need(self) -> Form:
        return Form(f"MAX(0,-MIN({self.place.opening('cash')},{line_name('cash')}))")

    def runway(self) -> Form:
        burn = metric_name("burn")
        return Form(f"IF(ISNUMBER({burn}),MAX(0,{self.place.opening('cash')})/{burn},{burn})")


_FORMS: dict[str, tuple[Callable[[_Forms], Form], tuple[str, ...]]] = {
    "cash_zero": (_Forms.cash_zero, ("cash",)),
    "break_even": (_Forms.break_even, ("ebitda",)),
    "burn": (_Forms.burn, ("net_cash_flow",)),
    "gross_margin": (_Forms.gross_margin, ("revenue", "gross_margin")),
    "arr": (_Forms.arr, ("mrr",)),
    "ltv_to_cac": (_Forms.ltv_to_cac, ("lifetime_value", "cac")),
    "payback": (_Forms.payback, ("survival", "margin_per_customer", "cac")),
    "burn_multiple": (_Forms.burn_multiple, ("net_cash_flow", "mrr")),
    "funding_need": (_Forms.funding_need, ("cash",)),
    "runway": (_Forms.runway, ("net_cash_flow", "cash")),
}
"""Each metric's formula, and the lines and drivers that it needs."""

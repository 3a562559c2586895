"""The metrics as live formulas over the names of the workbook.

They follow :mod:`core.finance.metrics` one by one and say the same sentence where a figure does not
apply.
"""

from collections.abc import Callable
from dataclasses import dataclass

from core.finance import Projection
from core.finance.metrics import RECURRING
from core.i18n import Language, Sentence
from core.reports.xlsx.book import MONTH_NUMBERS, input_name, line_name, metric_name, quoted
from core.reports.xlsx.months import Rows

EARNED, FLOWED = "margin_so_far", "cash_flow_so_far"
"""The rows of workings: a customer's margin so far, weighted by the chance that it is still there, and the
net cash flow so far."""


@dataclass(frozen=True)
class Form:
    """A metric as Excel text; ``over_rows`` where Excel must be told that it works through a row."""

    text: str
    over_rows: bool = False


class Forms:
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

    def span(self, key: str, first: int, last: int) -> str:
        """The cells of the months from ``first`` to ``last``."""
        return f"{self.at(key, first)}:{self.at(key, last)}"

    def needs(self, months: int) -> Form:
        """That the plan is too short."""
        return Form(self.said(Sentence.of("needs a plan of {months} months", months=months)))

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
        burn = f"-AVERAGE({self.span('net_cash_flow', 1, 3)})"
        return Form(f"IF({burn}>0,{burn},{self.no_burn()})")

    def default_alive(self) -> Form:
        return Form(f"IF({self.place.opening('cash')}+MIN(0,{FLOWED})>=0,1,0)")

    def _margin(self, line: str) -> Form:
        none = self.said(Sentence.of("no revenue by then"))
        return Form(f"IF({self.at('revenue', self.year)}<=0,{none},{self.at(line, self.year)})")

    def gross_margin(self) -> Form:
        return self._margin("gross_margin")

    def gross_margin_common(self) -> Form:
        if not self.has("gross_margin_common"):
            return Form(self.said(Sentence.of("no free users: the gross margin above holds")))
        return self._margin("gross_margin_common")

    def arr(self) -> Form:
        return Form(f"12*{self.at('mrr', self.year)}")

    def run_rate(self) -> Form:
        revenue, mrr = self.at("revenue", self.year), self.at("mrr", self.year)
        none = self.said(Sentence.of("no revenue by then"))
        recurring = self.said(Sentence.of("all revenue is recurring"))
        other = f"{revenue}-{mrr}"
        return Form(
            f"IF({revenue}<=0,{none},IF({other}<={RECURRING:.15f}*{revenue},{recurring},12*({other})))"
        )

    def _retention(self, line: str) -> Form:
        if self.months < 24:
            return self.needs(24)
        none = self.said(Sentence.of("no recurring revenue in month 12"))
        return Form(f"IF({self.at('mrr', 12)}<=0,{none},{self.at(line, 24)})")

    def nrr(self) -> Form:
        return self._retention("nrr")

    def grr(self) -> Form:
        return self._retention("grr")

    def ltv(self) -> Form:
        return self.needs(36) if self.months < 36 else Form(self.at("lifetime_value", 36))

    def ltv_to_cac(self) -> Form:
        if self.months < 36:
            return self.needs(36)
        cac, free = input_name("cac"), self.said(Sentence.of("winning a customer costs nothing"))
        return Form(f"IF({cac}>0,{self.at('lifetime_value', 36)}/{cac},{free})")

    def payback(self) -> Form:
        cac = input_name("cac")
        return Form(
            f"IF(MAX({EARNED})<{cac},{self.not_reached()},MATCH(1,({EARNED}>={cac})*1,0))", over_rows=True
        )

    def burn_multiple(self) -> Form:
        burn = f"-SUM({self.span('net_cash_flow', 1, self.year)})"
        new = f"12*({self.at('mrr', self.year)}-{self.place.opening('mrr')})"
        none = self.said(Sentence.of("no new recurring revenue in the first year"))
        return Form(f"IF({burn}<=0,{self.no_burn()},IF({new}>0,{burn}/({new}),{none}))")

    def magic_number(self) -> Form:
        if self.months < 12:
            return self.needs(12)
        spent = f"SUM({self.span('sales_and_marketing', 7, 9)})"
        more = f"SUM({self.span('revenue', 10, 12)})-SUM({self.span('revenue', 7, 9)})"
        none = self.said(Sentence.of("no sales and marketing in months 7 to 9"))
        return Form(f"IF({spent}<=0,{none},4*({more})/{spent})")

    def rule_of_40(self) -> Form:
        if self.months < 24:
            return self.needs(24)
        before, now = (f"SUM({self.span('revenue', *months)})" for months in ((1, 12), (13, 24)))
        earned = f"SUM({self.span('ebitda', 13, 24)})"
        none = self.said(Sentence.of("needs revenue in both years"))
        return Form(f"IF(OR({before}<=0,{now}<=0),{none},{now}/{before}-1+{earned}/{now})")

    def break_even_customers(self) -> Form:
        margin = self.at("margin_per_customer", self.year)
        fixed = f"{self.at('operating_cost', self.year)}-{self.at('sales_and_marketing', self.year)}"
        loss = self.said(Sentence.of("a customer costs more than it pays"))
        return Form(f"IF({margin}<=0,{loss},({fixed}+{input_name('infrastructure_fixed')})/{margin})")

    def cash_back(self) -> Form:
        after = f"MAX(({FLOWED}<0)*{MONTH_NUMBERS})+1"
        last = f"INDEX({FLOWED},1,{self.months})<0"
        return Form(f"IF({last},{self.not_reached()},{after})", over_rows=True)

    def npv(self) -> Form:
        return Form(self.at("npv", self.months))

    def irr(self) -> Form:
        """As :func:`core.finance.returns.internal_rate` decides; IRR finds the rate best from below."""
        first, last = (f"INDEX({FLOWED},1,{month})" for month in (1, self.months))
        earlier = f"{first}:INDEX({FLOWED},1,{self.months - 1})"
        later = f"INDEX({FLOWED},1,2):{last}"
        turns = f"SUMPRODUCT(({earlier}*{later}<0)*1)"
        never = Sentence.of(
            "the plan does not earn back in {months} months what it burns", months=self.months
        )
        several = Sentence.of("more than one rate may fit: cash turns from burn to gain more than once")
        found = ",".join(f"IFERROR(IRR({line_name('net_cash_flow')},{guess})" for guess in (0.001, 0.01))
        rate = f"(1+{found},IRR({line_name('net_cash_flow')},0.1))))^12-1"
        return Form(
            f"IF(MIN({FLOWED})>=0,{self.no_burn()},IF({last}<=0,{self.said(never)},"
            f"IF(OR({first}>0,{turns}>1),{self.said(several)},{rate})))",
            over_rows=True,
        )

    def _market(self, line: str) -> Form:
        if not self.has(line):
            return Form(self.said(Sentence.of("needs the number of customers in the market")))
        return Form(self.at(line, min(36, self.months)))

    def tam(self) -> Form:
        return self._market("tam")

    def sam(self) -> Form:
        return self._market("sam")

    def som(self) -> Form:
        return self._market("som")

    def funding_need(self) -> Form:
        return Form(f"MAX(0,-MIN({self.place.opening('cash')},{line_name('cash')}))")

    def runway(self) -> Form:
        burn = metric_name("burn")
        return Form(f"IF(ISNUMBER({burn}),MAX(0,{self.place.opening('cash')})/{burn},{burn})")


_FORMS: dict[str, tuple[Callable[[Forms], Form], tuple[str, ...]]] = {
    "cash_zero": (Forms.cash_zero, ("cash",)),
    "default_alive": (Forms.default_alive, ("cash", "net_cash_flow")),
    "burn": (Forms.burn, ("net_cash_flow",)),
    "runway": (Forms.runway, ("net_cash_flow", "cash")),
    "funding_need": (Forms.funding_need, ("cash",)),
    "gross_margin": (Forms.gross_margin, ("revenue", "gross_margin")),
    "gross_margin_common": (Forms.gross_margin_common, ("revenue",)),
    "arr": (Forms.arr, ("mrr",)),
    "run_rate": (Forms.run_rate, ("revenue", "mrr")),
    "nrr": (Forms.nrr, ("mrr", "nrr")),
    "grr": (Forms.grr, ("mrr", "grr")),
    "ltv": (Forms.ltv, ("lifetime_value",)),
    "ltv_to_cac": (Forms.ltv_to_cac, ("lifetime_value", "cac")),
    "payback": (Forms.payback, ("survival", "margin_per_customer", "cac")),
    "magic_number": (Forms.magic_number, ("revenue", "sales_and_marketing")),
    "burn_multiple": (Forms.burn_multiple, ("net_cash_flow", "mrr")),
    "rule_of_40": (Forms.rule_of_40, ("revenue", "ebitda")),
    "break_even": (Forms.break_even, ("ebitda",)),
    "break_even_customers": (
        Forms.break_even_customers,
        ("margin_per_customer", "operating_cost", "sales_and_marketing", "infrastructure_fixed"),
    ),
    "cash_back": (Forms.cash_back, ("net_cash_flow",)),
    "npv": (Forms.npv, ("npv",)),
    "irr": (Forms.irr, ("net_cash_flow",)),
    "tam": (Forms.tam, ()),
    "sam": (Forms.sam, ()),
    "som": (Forms.som, ()),
}
"""Each metric's formula, and the lines and drivers that it needs."""

"""A driver: a named quantity with a unit, an amount, and where it comes from."""

from typing import Literal, Self

from pydantic import model_validator

from core.i18n import Refusal, Text
from core.venture.amount import Amount, Distribution, parse_amount, write_amount
from core.venture.frozen import Frozen, Key, Short

GROUPS: dict[str, Text] = {
    "price": Text("Price", "价格"),
    "customers": Text("Customers", "客户"),
    "serving": Text("Serving", "服务"),
    "team": Text("Team", "团队"),
    "cash": Text("Cash", "现金"),
    "own": Text("Your own", "自定义"),
}
"""The groups of drivers, in the order of the page."""

Group = Literal["price", "customers", "serving", "team", "cash", "own"]
Kind = Literal["typed", "preset", "estimated", "measured"]
Confidence = Literal["high", "medium", "low"]


class Source(Frozen):
    """Where a number comes from.

    ``typed`` by the founder, ``preset`` (with citation, year and confidence), ``estimated`` by the
    compute estimator, or ``measured`` by the training run ``run``.
    """

    kind: Kind
    text: Text = Text("")
    year: int | None = None
    confidence: Confidence | None = None
    run: Short = ""


TYPED = Source(kind="typed")


class Driver(Frozen):
    """One input of the model. ``unit`` is a formula's unit ("money/seat/month"; "1" is a share)."""

    key: Key
    label: Text
    group: Group
    unit: Short
    amount: Amount
    source: Source
    minimum: float | None = None
    maximum: float | None = None
    signed: bool = False
    doc: Text = Text("")

    @model_validator(mode="after")
    def _within(self) -> Self:
        self.check(self.amount)
        return self

    @property
    def is_share(self) -> bool:
        """Whether people read it in percent."""
        return self.unit in ("1", "1/month")

    @property
    def distribution(self) -> Distribution:
        """How a range of this driver is read: by sign and unit, as :mod:`core.venture.amount` says."""
        if self.signed:
            return "normal"
        return "logitnormal" if self.is_share and self.maximum == 1 else "lognormal"

    def check(self, amount: Amount) -> None:
        """Refuse an amount outside what the driver allows."""
        low, high = amount.ends()
        lowest = self.minimum if self.minimum is not None else (None if self.signed else 0.0)
        if lowest is not None and low < lowest:
            raise Refusal(
                "{field} is {value}; at least {least} is allowed.",
                field=self.label,
                value=self._write(low),
                least=self._write(lowest),
            )
        if self.maximum is not None and high > self.maximum:
            raise Refusal(
                "{field} is {value}; at most {most} is allowed.",
                field=self.label,
                value=self._write(high),
                most=self._write(self.maximum),
            )

    def parse(self, text: str) -> Amount:
        """The amount that a person wrote for this driver, checked."""
        try:
            amount = parse_amount(text, self.distribution)
        except Refusal as error:
            raise Refusal("{field}: {error}", field=self.label, error=error) from None
        self.check(amount)
        return amount

    def written(self) -> str:
        """The amount as a person would type it."""
        return write_amount(self.amount, self.is_share)

    def _write(self, value: float) -> str:
        return write_amount(Amount.point(value), self.is_share)

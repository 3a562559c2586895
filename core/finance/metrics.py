"""The figures that founders and investors ask for, each with its definition.

A metric is read off a projection. Where it does not apply it says why in place of a number: nothing
here is ever infinite or undefined. Names, definitions and benchmarks stand in ``metrics.toml``.
"""

import math
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np

from core.finance.projection import Projection
from core.finance.returns import internal_rate
from core.i18n import Language, Sentence, Text
from core.venture import Venture

Kind = Literal["money", "share", "months", "month", "ratio", "answer", "customers"]


@dataclass(frozen=True)
class Metric:
    """A figure: ``value`` in the unit of its ``kind`` (an answer is 1 for yes, 0 for no), or the reason
    why there is none. ``year`` and ``confidence`` are those of the benchmark."""

    key: str
    label: Text
    kind: Kind
    definition: Text
    benchmark: Text
    value: float | None
    reason: Sentence | None = None
    line: str = ""
    month: int | None = None
    year: int | None = None
    confidence: Literal["high", "medium", "low"] | None = None


def metrics(projection: Projection) -> dict[str, Metric]:
    """All metrics of a projection, by key."""
    return {key: metric(projection, key) for key in _READ}


def metric(projection: Projection, key: str) -> Metric:
    """One metric of a projection."""
    words = _words()[key]
    found = _READ[key](projection)
    if isinstance(found, float) and not math.isfinite(found):  # a quotient of almost nothing
        found = Sentence.of("not defined")
    value, reason = (None, found) if isinstance(found, Sentence) else (found, None)
    month, line, benchmark = words.get("month"), words.get("line", ""), words.get("benchmark", {"en": ""})
    return Metric(
        key=key,
        label=Text(**words["label"]),
        kind=words["kind"],
        definition=Text(**words["definition"]),
        benchmark=Text(benchmark["en"], benchmark.get("zh", "")),
        value=value,
        reason=reason,
        line=line if line in projection.lines else "",
        month=min(month, projection.months) if month else None,
        year=benchmark.get("year"),
        confidence=benchmark.get("confidence"),
    )


@lru_cache(maxsize=1)
def _words() -> dict[str, dict[str, Any]]:
    return tomllib.loads(Path(__file__).with_name("metrics.toml").read_text(encoding="utf-8"))


# Cash


def _not_reached(projection: Projection) -> Sentence:
    return Sentence.of("not reached in {months} months", months=projection.months)


def _needs(months: int) -> Sentence:
    return Sentence.of("needs a plan of {months} months", months=months)


def _cash_zero(projection: Projection) -> float | Sentence:
    below = projection.series("cash") < 0
    return float(below.argmax() + 1) if below.any() else _not_reached(projection)


def _default_alive(projection: Projection) -> float:
    lowest = min(0.0, float(np.cumsum(projection.series("net_cash_flow")).min()))
    return float(projection.at("cash", 0) + lowest >= 0)


def _burn(projection: Projection) -> float | Sentence:
    burn = -float(projection.series("net_cash_flow")[:3].mean())
    return burn if burn > 0 else Sentence.of("no burn: cash grows without funding")


def _runway(projection: Projection) -> float | Sentence:
    burn = _burn(projection)
    return burn if isinstance(burn, Sentence) else max(0.0, projection.at("cash", 0)) / burn


def _funding_need(projection: Projection) -> float:
    return max(0.0, -float(projection.lines["cash"].min()))


def _break_even(projection: Projection) -> float | Sentence:
    loss = np.flatnonzero(projection.series("ebitda") < 0)
    if len(loss) == 0:
        return 1.0
    return float(loss[-1] + 2) if loss[-1] + 2 <= projection.months else _not_reached(projection)


def _break_even_customers(projection: Projection) -> float | Sentence:
    month = _year(projection)
    margin = projection.at("margin_per_customer", month)
    if margin <= 0:
        return Sentence.of("a customer costs more than it pays")
    fixed = projection.at("operating_cost", month) - projection.at("sales_and_marketing", month)
    return (fixed + projection.venture.driver("infrastructure_fixed").amount.median) / margin


def _cash_back(projection: Projection) -> float | Sentence:
    short = np.flatnonzero(np.cumsum(projection.series("net_cash_flow")) < 0)
    if len(short) == 0:
        return 1.0
    return float(short[-1] + 2) if short[-1] + 2 <= projection.months else _not_reached(projection)


# Revenue and margin


def _year(projection: Projection) -> int:
    """The month that figures of the first year are read in."""
    return min(12, projection.months)


def _margin(line: str) -> Callable[[Projection], float | Sentence]:
    def read(projection: Projection) -> float | Sentence:
        if line not in projection.lines:
            return Sentence.of("no free users: the gross margin above holds")
        if projection.at("revenue", _year(projection)) <= 0:
            return Sentence.of("no revenue by then")
        return projection.at(line, _year(projection))

    return read


def _arr(projection: Projection) -> float:
    return 12 * projection.at("mrr", _year(projection))


RECURRING = 1e-9
"""A smaller share of the revenue is no other revenue but rounding."""


def _run_rate(projection: Projection) -> float | Sentence:
    revenue, mrr = (projection.at(key, _year(projection)) for key in ("revenue", "mrr"))
    if revenue <= 0:
        return Sentence.of("no revenue by then")
    if revenue - mrr <= RECURRING * revenue:
        return Sentence.of("all revenue is recurring")
    return 12 * (revenue - mrr)


def _retention(line: str) -> Callable[[Projection], float | Sentence]:
    def read(projection: Projection) -> float | Sentence:
        if projection.months < 24:
            return _needs(24)
        if projection.at("mrr", 12) <= 0:
            return Sentence.of("no recurring revenue in month 12")
        return projection.at(line, 24)

    return read


# One customer


def _cac(projection: Projection) -> float:
    return projection.venture.driver("cac").amount.median


def _ltv(projection: Projection) -> float | Sentence:
    return projection.at("lifetime_value", 36) if projection.months >= 36 else _needs(36)


def _ltv_to_cac(projection: Projection) -> float | Sentence:
    ltv, cac = _ltv(projection), _cac(projection)
    if isinstance(ltv, Sentence):
        return ltv
    return ltv / cac if cac > 0 else Sentence.of("winning a customer costs nothing")


def _payback(projection: Projection) -> float | Sentence:
    earned = np.cumsum(projection.series("survival") * projection.series("margin_per_customer"))
    enough = np.flatnonzero(earned >= _cac(projection))
    return float(enough[0] + 1) if len(enough) else _not_reached(projection)


# Efficiency


def _sum(projection: Projection, line: str, first: int, last: int) -> float:
    """A line summed over months, both ends included."""
    return float(projection.lines[line][first : last + 1].sum())


def _magic_number(projection: Projection) -> float | Sentence:
    if projection.months < 12:
        return _needs(12)
    spent = _sum(projection, "sales_and_marketing", 7, 9)
    if spent <= 0:
        return Sentence.of("no sales and marketing in months 7 to 9")
    return 4 * (_sum(projection, "revenue", 10, 12) - _sum(projection, "revenue", 7, 9)) / spent


def _burn_multiple(projection: Projection) -> float | Sentence:
    months = _year(projection)
    burn = -_sum(projection, "net_cash_flow", 1, months)
    new_arr = 12 * (projection.at("mrr", months) - projection.at("mrr", 0))
    if burn <= 0:
        return Sentence.of("no burn: cash grows without funding")
    return burn / new_arr if new_arr > 0 else Sentence.of("no new recurring revenue in the first year")


def _rule_of_40(projection: Projection) -> float | Sentence:
    if projection.months < 24:
        return _needs(24)
    before, now = _sum(projection, "revenue", 1, 12), _sum(projection, "revenue", 13, 24)
    if before <= 0 or now <= 0:
        return Sentence.of("needs revenue in both years")
    return now / before - 1 + _sum(projection, "ebitda", 13, 24) / now


# Value and market


def _npv(projection: Projection) -> float:
    return projection.at("npv", projection.months)


def _irr(projection: Projection) -> float | Sentence:
    found = internal_rate(projection.series("net_cash_flow"))
    return found if isinstance(found, Sentence) else (1 + found) ** 12 - 1


def _market(line: str) -> Callable[[Projection], float | Sentence]:
    def read(projection: Projection) -> float | Sentence:
        if line not in projection.lines:
            return Sentence.of("needs the number of customers in the market")
        return projection.at(line, min(36, projection.months))

    return read


_READ: dict[str, Callable[[Projection], float | Sentence]] = {
    "cash_zero": _cash_zero,
    "default_alive": _default_alive,
    "burn": _burn,
    "runway": _runway,
    "funding_need": _funding_need,
    "gross_margin": _margin("gross_margin"),
    "gross_margin_common": _margin("gross_margin_common"),
    "arr": _arr,
    "run_rate": _run_rate,
    "nrr": _retention("nrr"),
    "grr": _retention("grr"),
    "ltv": _ltv,
    "ltv_to_cac": _ltv_to_cac,
    "payback": _payback,
    "magic_number": _magic_number,
    "burn_multiple": _burn_multiple,
    "rule_of_40": _rule_of_40,
    "break_even": _break_even,
    "break_even_customers": _break_even_customers,
    "cash_back": _cash_back,
    "npv": _npv,
    "irr": _irr,
    "tam": _market("tam"),
    "sam": _market("sam"),
    "som": _market("som"),
}


def said(metric: Metric, venture: Venture, _: Language) -> str:
    """A metric as people read it: "Jun 2028 · month 19", "$173K", "55.7%", or the reason why not."""
    value = metric.value
    if value is None:
        assert metric.reason is not None
        return _.sentence(metric.reason)
    if metric.kind == "answer":
        return _("yes") if value else _("no")
    if metric.kind == "month":
        return _.month(venture.start, int(value) - 1)
    if metric.kind == "months":
        return _("{count} months", count=_.number(value, digits=3))
    if metric.kind == "money":
        return _.money(value, venture.currency)
    if metric.kind == "customers":
        return _("{count} customers", count=_.number(value, digits=3))
    if metric.kind == "share":
        return _.percent(value)
    return _.number(value, digits=2) + "×"

"""The figures that founders and investors ask for, each with its definition.

A metric is read off a projection. Where it does not apply it says why in place of a number: nothing
here is ever infinite or undefined. Definitions and benchmarks follow the field's usual sources,
named with each metric.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.finance.projection import Projection
from core.i18n import Language, Sentence, Text
from core.venture import Venture

Kind = Literal["money", "share", "months", "month", "ratio"]


@dataclass(frozen=True)
class Metric:
    """A figure: ``value`` in the unit of its ``kind``, or the reason why there is none."""

    key: str
    label: Text
    kind: Kind
    definition: Text
    benchmark: Text
    value: float | None
    reason: Sentence | None = None
    line: str = ""
    month: int | None = None


@dataclass(frozen=True)
class _Definition:
    label: Text
    kind: Kind
    definition: Text
    benchmark: Text
    read: Callable[[Projection], "float | Sentence"]
    line: str = ""
    month: int | None = None


def metrics(projection: Projection) -> dict[str, Metric]:
    """All metrics of a projection, by key."""
    return {key: _read(key, definition, projection) for key, definition in _METRICS.items()}


def metric(projection: Projection, key: str) -> Metric:
    """One metric of a projection."""
    return _read(key, _METRICS[key], projection)


def _read(key: str, of: _Definition, projection: Projection) -> Metric:
    found = of.read(projection)
    if isinstance(found, float) and not math.isfinite(found):  # a quotient of almost nothing
        found = Sentence.of("not defined")
    value, reason = (None, found) if isinstance(found, Sentence) else (found, None)
    month = min(of.month, projection.months) if of.month else None
    return Metric(key, of.label, of.kind, of.definition, of.benchmark, value, reason, of.line, month)


def _not_reached(projection: Projection) -> Sentence:
    return Sentence.of("not reached in {months} months", months=projection.months)


def _cash_zero(projection: Projection) -> float | Sentence:
    below = projection.series("cash") < 0
    return float(below.argmax() + 1) if below.any() else _not_reached(projection)


def _break_even(projection: Projection) -> float | Sentence:
    loss = np.flatnonzero(projection.series("ebitda") < 0)
    if len(loss) == 0:
        return 1.0
    return float(loss[-1] + 2) if loss[-1] + 2 <= projection.months else _not_reached(projection)


def _burn(projection: Projection) -> float | Sentence:
    burn = -float(projection.series("net_cash_flow")[:3].mean())
    return burn if burn > 0 else Sentence.of("no burn: cash grows without funding")


def _gross_margin(projection: Projection) -> float | Sentence:
    month = min(12, projection.months)
    if projection.at("revenue", month) <= 0:
        return Sentence.of("no revenue by then")
    return projection.at("gross_margin", month)


def _arr(projection: Projection) -> float:
    return 12 * projection.at("mrr", min(12, projection.months))


def _ltv(projection: Projection) -> float | Sentence:
    if projection.months < 36:
        return Sentence.of("needs a plan of 36 months")
    return projection.at("lifetime_value", 36)


def _ltv_to_cac(projection: Projection) -> float | Sentence:
    ltv, cac = _ltv(projection), projection.venture.driver("cac").amount.median
    if isinstance(ltv, Sentence):
        return ltv
    return ltv / cac if cac > 0 else Sentence.of("winning a customer costs nothing")


def _payback(projection: Projection) -> float | Sentence:
    earned = np.cumsum(projection.series("survival") * projection.series("margin_per_customer"))
    enough = np.flatnonzero(earned >= projection.venture.driver("cac").amount.median)
    return float(enough[0] + 1) if len(enough) else _not_reached(projection)


def _burn_multiple(projection: Projection) -> float | Sentence:
    months = min(12, projection.months)
    burn = -float(projection.series("net_cash_flow")[:months].sum())
    new_arr = 12 * (projection.at("mrr", months) - projection.at("mrr", 0))
    if burn <= 0:
        return Sentence.of("no burn: cash grows without funding")
    return burn / new_arr if new_arr > 0 else Sentence.of("no new recurring revenue in the first year")


def _funding_need(projection: Projection) -> float:
    return max(0.0, -float(projection.lines["cash"].min()))


def _runway(projection: Projection) -> float | Sentence:
    burn = _burn(projection)
    return burn if isinstance(burn, Sentence) else max(0.0, projection.at("cash", 0)) / burn


_METRICS: dict[str, _Definition] = {
    "cash_zero": _Definition(
        Text("Cash runs out", "现金耗尽"),
        "month",
        Text(
            "The first month that ends with cash below zero, if nothing but the planned funding comes in.",
            "若只有计划内融资,月末现金首次低于零的月份。",
        ),
        Text(
            "Seed rounds of AI start-ups are followed by a Series A after 1.9 years at the median (Carta, via pages, 2026; high).",
            "AI 初创公司种子轮到 A 轮的中位间隔为 1.9 年(Carta,经二手页面,2026;可信度高)。",
        ),
        _cash_zero,
        "cash",
    ),
    "burn": _Definition(
        Text("Net burn", "净烧钱额"),
        "money",
        Text(
            "The fall of cash in a month without funding, mean of the first three months.",
            "不计融资的月度现金减少额,取前三个月均值。",
        ),
        Text(""),
        _burn,
        "net_cash_flow",
        1,
    ),
    "gross_margin": _Definition(
        Text("Gross margin after inference", "扣除推理后的毛利率"),
        "share",
        Text(
            "(Revenue − cost of revenue) ÷ revenue in month 12. Every inference cost counts, and so do wrong answers, support, hosting and payment fees (strict form).",
            "第 12 个月的(收入 − 收入成本)÷ 收入。计入全部推理、错误答案、支持、托管与支付费用(严格口径)。",
        ),
        Text(
            "AI products: mean 45% in 2025, 52% projected for 2026 (ICONIQ, January 2026, about 300 executives; medium to high).",
            "AI 产品均值:2025 年 45%,2026 年预计 52%(ICONIQ,2026 年 1 月,约 300 位高管;可信度中高)。",
        ),
        _gross_margin,
        "gross_margin",
        12,
    ),
    "ltv_to_cac": _Definition(
        Text("LTV : CAC", "LTV : CAC"),
        "ratio",
        Text(
            "Lifetime value over 36 months, discounted at 1% a month, divided by the fully loaded cost of winning a customer.",
            "36 个月生命周期价值(每月 1% 折现)÷ 全口径获客成本。",
        ),
        Text(
            "3 or more is the usual bar (Skok; high). The cap of 36 months keeps the figure steady where churn is uncertain.",
            "通常以 3 为及格线(Skok;可信度高)。以 36 个月封顶可避免流失率不确定时数值失真。",
        ),
        _ltv_to_cac,
        "lifetime_value",
        36,
    ),
    "break_even": _Definition(
        Text("Break-even", "盈亏平衡"),
        "month",
        Text(
            "The first month from which EBITDA stays at or above zero to the end of the plan.",
            "EBITDA 自该月起直至计划期末不低于零。",
        ),
        Text(""),
        _break_even,
        "ebitda",
    ),
    "arr": _Definition(
        Text("ARR in month 12", "第 12 个月 ARR"),
        "money",
        Text("12 × MRR at the end of month 12.", "12 × 第 12 个月末的 MRR。"),
        Text(
            "Bessemer's “Shooting Stars” reach about $3M in their first year (State of AI 2025; high).",
            "Bessemer “Shooting Star” 首年约 300 万美元(State of AI 2025;可信度高)。",
        ),
        _arr,
        "mrr",
        12,
    ),
    "payback": _Definition(
        Text("CAC payback", "CAC 回本周期"),
        "months",
        Text(
            "The first month by which a customer's margin, weighted by the chance that it is still there, has paid its acquisition cost.",
            "按留存概率加权的客户毛利累计达到获客成本的首个月份。",
        ),
        Text(
            "15 to 20 months at the median, under 12 in the top quartile (OpenView, via Eagle Rock CFO; medium).",
            "中位 15 至 20 个月,前四分之一低于 12 个月(OpenView,经 Eagle Rock CFO;可信度中)。",
        ),
        _payback,
        "margin_per_customer",
        1,
    ),
    "burn_multiple": _Definition(
        Text("Burn multiple, year 1", "第一年烧钱倍数"),
        "ratio",
        Text("Net burn ÷ net new ARR over the first 12 months.", "前 12 个月净烧钱额 ÷ 净新增 ARR。"),
        Text(
            "Under 1 amazing, 1.5 good, 2 to 3 suspect, over 3 bad (David Sacks, 2020; high).",
            "低于 1 极佳,1.5 良好,2 至 3 存疑,高于 3 差(David Sacks,2020;可信度高)。",
        ),
        _burn_multiple,
        "net_cash_flow",
        12,
    ),
    "funding_need": _Definition(
        Text("Extra cash needed", "所需额外资金"),
        "money",
        Text(
            "How far cash falls below zero at its lowest: this much more at the start would keep it at zero or above.",
            "现金最低点低于零的幅度:期初增加该数额即可避免现金为负。",
        ),
        Text(
            "A seed round raises about $4M at the median: 20% of a $16M pre-money valuation (Carta, via pages; high).",
            "种子轮中位约 400 万美元:投前估值 1600 万美元的 20%(Carta,经二手页面;可信度高)。",
        ),
        _funding_need,
        "cash",
    ),
    "runway": _Definition(
        Text("Simple runway", "简单现金可支撑月数"),
        "months",
        Text(
            "Cash at the start ÷ net burn of the first three months; a cross-check for the month when cash runs out.",
            "期初现金 ÷ 前三个月净烧钱额;用于核对现金耗尽月份。",
        ),
        Text(""),
        _runway,
        "cash",
    ),
}


def said(metric: Metric, venture: Venture, _: Language) -> str:
    """A metric as people read it: "Jun 2028 · month 19", "$173K", "55.7%", or the reason why not."""
    value = metric.value
    if value is None:
        assert metric.reason is not None
        return _.sentence(metric.reason)
    if metric.kind == "month":
        return _.month(venture.start, int(value) - 1)
    if metric.kind == "months":
        return _("{count} months", count=_.number(value, digits=3))
    if metric.kind == "money":
        return _.money(value, venture.currency)
    if metric.kind == "share":
        return _.percent(value)
    return _.number(value, digits=2) + "×"

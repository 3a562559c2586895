"""How one number becomes the next: MRR over a span, a price down to its margin, customers by cohort.

Each of them reconciles: the moves add up to the closing, the cohorts to the customers.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.finance.actuals import is_real
from core.finance.projection import Projection
from core.i18n import Refusal, Text

Array = NDArray[np.float64]

SIGNIFICANT = 1e-9
"""A smaller share of the cost of revenue is no cost of its own but rounding."""


MRR = ("mrr", "new_mrr", "expansion_mrr", "contraction_mrr", "churned_mrr")
"""The lines whose real figures need not add up; then what is left over is a movement of its own."""


@dataclass(frozen=True)
class Move:
    """A bar of a waterfall: a ``level`` (what there is at that point) or a ``change`` to it."""

    label: Text
    value: float
    kind: Literal["level", "change"] = "change"


def mrr_movements(projection: Projection, first: int, last: int) -> tuple[Move, ...]:
    """MRR from the end of the month before ``first`` to the end of ``last``, by its movements (money a month)."""
    if not 1 <= first <= last <= projection.months:
        raise Refusal(
            "The months {first} to {last} are not a span of the plan; it has months 1 to {most}.",
            first=first,
            last=last,
            most=projection.months,
        )

    def total(key: str) -> float:
        return float(projection.lines[key][first : last + 1].sum())

    before, after = projection.at("mrr", first - 1), projection.at("mrr", last)
    moves = [
        Move(Text("New", "新增"), total("new_mrr")),
        Move(Text("Expansion", "扩展"), total("expansion_mrr")),
        Move(Text("Contraction", "收缩"), 0.0 - total("contraction_mrr")),
        Move(Text("Churned", "流失"), 0.0 - total("churned_mrr")),
    ]
    gap = after - before - sum(move.value for move in moves)
    if any(is_real(projection.venture, key, month) for key in MRR for month in range(first, last + 1)):
        moves.append(Move(Text("Real figures", "实际数据差额"), gap))
    return (
        Move(Text("MRR before", "期初 MRR"), before, "level"),
        *moves,
        Move(Text("MRR after", "期末 MRR"), after, "level"),
    )


def unit_margin(projection: Projection, month: int) -> tuple[Move, ...]:
    """What the average customer pays in ``month``, down to what is left of it (money a customer and month).

    Fixed infrastructure is left out, as in the line “Monthly margin of a customer”; inference of free
    users is in, as in the strict gross margin.
    """
    if not 1 <= month <= projection.months:
        raise Refusal(
            "Month {month} is not in the plan; 1 to {most} are.", month=month, most=projection.months
        )
    customers = projection.at("customers", month)
    if customers <= 0:
        raise Refusal("There are no customers in month {month}.", month=month)

    def each(key: str) -> float:
        return projection.at(key, month) / customers

    price = each("revenue")
    parts = [Move(label, -each(key)) for key, label in _COSTS.items() if key in projection.lines]
    support = projection.venture.driver("support_per_customer").amount.median
    parts.append(Move(Text("Hosting and support", "托管与支持"), -support))
    known = sum(
        projection.at(key, month) for key in (*_COSTS, "support_cost_total") if key in projection.lines
    )
    other = projection.at("cost_of_revenue", month) - known
    if other > SIGNIFICANT * projection.at("cost_of_revenue", month):
        parts.append(Move(Text("Delivery and licences", "交付与授权"), -other / customers))
    return (
        Move(Text("Paid by a customer", "单客户支付额"), price, "level"),
        *parts,
        Move(Text("Margin", "毛利"), price + sum(part.value for part in parts), "level"),
    )


_COSTS: dict[str, Text] = {
    "payment_fees": Text("Payment fee", "支付手续费"),
    "inference_cost": Text("Inference", "推理成本"),
    "error_cost_total": Text("Wrong answers", "错误答案"),
    "rework_cost": Text("Rework", "返工"),
}
"""The costs that the venture's modules may bring, beside delivery and the support of every venture."""


def cohorts(projection: Projection) -> Array:
    """Customers by the month they were won in (rows) and their age in months (columns, from 0).

    Shape (months, months); NaN beyond the plan. The cohorts of a calendar month, an antidiagonal, add
    up to its customers.
    """
    survival, won = projection.series("survival"), projection.series("new_customers")
    table = won[:, None] * survival[None, :]
    month = np.arange(projection.months)
    table[month[:, None] + month[None, :] >= projection.months] = np.nan
    return table

"""What can be asked about: an outcome is one number of a plan, for every draw at once.

Sensitivity, goal seek and the value of information all ask about outcomes. An outcome reads some
lines of the plan and gives one number a draw. It is named as people type it: ``lowest_cash``, or with
a month ``mrr@24``; beside the outcomes of :data:`OUTCOMES`, every line of the plan can be asked about
in a month (``customers@24``).

Outcomes are always finite. A month that is never reached counts as the month after the last of the
plan, so that "later" and "never" keep their order; :func:`said` puts it in words.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.finance.actuals import figures
from core.finance.engine import evaluate
from core.finance.model import Model, model_of
from core.finance.units import spoken
from core.i18n import Language, Refusal, Text
from core.venture import Venture

Array = NDArray[np.float64]
Direction = Literal["more", "less"]

MONTH = 12
"""The month of a monthly outcome that names none, as in :mod:`core.finance.metrics`."""

LIFETIME = 36
"""Months over which a customer's lifetime value counts (LTV(36), as in :mod:`core.finance.metrics`)."""


@dataclass(frozen=True)
class Outcome:
    """One number of the plan.

    ``unit`` is a formula's unit ("money", "1"); "month" is a month of the plan, "×" a plain multiple.
    ``better`` says whether more or less of it is good (None: that depends). ``month`` is the month it
    is read in, if any.
    """

    name: str
    label: Text
    unit: str
    better: Direction | None
    lines: tuple[str, ...]
    months: int
    month: int | None
    read: Callable[[Mapping[str, Array], Mapping[str, Array]], Array] = field(compare=False)
    """From the lines, each (months + 1, draws), and the drivers, each (draws,), to (draws,)."""


def outcome(venture: Venture, name: str) -> Outcome:
    """The outcome of that name; a :class:`Refusal` that names what can be asked about."""
    return _outcome(model_of(venture), venture.horizon_months, name)


def outcomes(venture: Venture) -> tuple[Outcome, ...]:
    """The outcomes of :data:`OUTCOMES` that this plan has the lines and the months for."""
    lines = model_of(venture).lines.keys()
    possible = [
        key
        for key, made in OUTCOMES.items()
        if venture.horizon_months >= made.least_months and lines >= set(made.lines)
    ]
    return tuple(outcome(venture, key) for key in possible)


def values(venture: Venture, asked: Outcome, drivers: Mapping[str, Array]) -> Array:
    """The outcome for every draw of ``drivers``, shape (draws,), always finite."""
    lines = evaluate(model_of(venture), drivers, venture.horizon_months, asked.lines, figures(venture))
    found = asked.read(lines, drivers)
    if not np.isfinite(found).all():
        raise Refusal("{field} is not defined here: it divides by something that is zero.", field=asked.label)
    return found


def titled(asked: Outcome, _: Language) -> str:
    """What people call the outcome: "Lowest cash", "MRR in month 24"."""
    label = _.text(asked.label)
    return _("{label} in month {month}", label=label, month=asked.month) if asked.month else label


def said(asked: Outcome, value: float, venture: Venture, _: Language, digits: int = 3) -> str:
    """A value of the outcome as people read it: "$1.2M", "Nov 2027", "not reached in 36 months"."""
    if asked.unit == "month":
        if value > asked.months:
            return _("not reached in {months} months", months=asked.months)
        return _.month(venture.start, round(value) - 1)
    if asked.unit == "×":
        return _.number(value, digits=digits) + "×"
    return spoken(value, asked.unit, venture.currency, _, digits)


# The registry


@dataclass(frozen=True)
class _Asked:
    label: Text
    unit: str
    better: Direction
    lines: tuple[str, ...]
    read: Callable[[Mapping[str, Array], Mapping[str, Array], int], Array]
    monthly: bool = False
    least_months: int = 1


def _never_is_after_the_plan(reached: NDArray[np.bool_]) -> Array:
    """The first month (from 1) in which ``reached``, shape (months, draws), holds; months + 1 for never."""
    return np.where(reached.any(axis=0), reached.argmax(axis=0) + 1.0, len(reached) + 1.0)


def _cash_zero(lines: Mapping[str, Array], _d: Mapping[str, Array], _m: int) -> Array:
    return _never_is_after_the_plan(lines["cash"][1:] < 0)


def _break_even(lines: Mapping[str, Array], _d: Mapping[str, Array], _m: int) -> Array:
    loss = lines["ebitda"][1:] < 0
    last_loss = len(loss) - loss[::-1].argmax(axis=0)
    return np.where(loss.any(axis=0), last_loss + 1.0, 1.0)


def _payback(lines: Mapping[str, Array], drivers: Mapping[str, Array], _m: int) -> Array:
    earned = np.cumsum(lines["survival"][1:] * lines["margin_per_customer"][1:], axis=0)
    return _never_is_after_the_plan(earned >= drivers["cac"])


def _ltv_to_cac(lines: Mapping[str, Array], drivers: Mapping[str, Array], _m: int) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(lines["lifetime_value"][LIFETIME] / drivers["cac"])


OUTCOMES: dict[str, _Asked] = {
    "lowest_cash": _Asked(
        Text("Lowest cash", "现金最低点"),
        "money",
        "more",
        ("cash",),
        lambda lines, _d, _m: np.asarray(lines["cash"].min(axis=0)),
    ),
    "cash_end": _Asked(
        Text("Cash at the end of the plan", "计划期末现金"),
        "money",
        "more",
        ("cash",),
        lambda lines, _d, _m: lines["cash"][-1],
    ),
    "funding_need": _Asked(
        Text("Extra cash needed", "所需额外资金"),
        "money",
        "less",
        ("cash",),
        lambda lines, _d, _m: np.maximum(-lines["cash"].min(axis=0), 0.0),
    ),
    "gross_margin": _Asked(
        Text("Gross margin after inference", "扣除推理后的毛利率"),
        "1",
        "more",
        ("gross_margin",),
        lambda lines, _d, month: lines["gross_margin"][month],
        monthly=True,
    ),
    "mrr": _Asked(
        Text("MRR", "月度经常性收入 MRR"),
        "money/month",
        "more",
        ("mrr",),
        lambda lines, _d, month: lines["mrr"][month],
        monthly=True,
    ),
    "arr": _Asked(
        Text("ARR", "年度经常性收入 ARR"),
        "money",
        "more",
        ("mrr",),
        lambda lines, _d, month: 12 * lines["mrr"][month],
        monthly=True,
    ),
    "break_even": _Asked(Text("Break-even", "盈亏平衡"), "month", "less", ("ebitda",), _break_even),
    "cash_zero": _Asked(Text("Cash runs out", "现金耗尽"), "month", "more", ("cash",), _cash_zero),
    "payback": _Asked(
        Text("CAC payback", "CAC 回本周期"), "month", "less", ("survival", "margin_per_customer"), _payback
    ),
    "npv": _Asked(
        Text("Net present value (NPV)", "净现值 NPV"),
        "money",
        "more",
        ("npv",),
        lambda lines, _d, _m: lines["npv"][-1],
    ),
    "ltv_to_cac": _Asked(
        Text("LTV : CAC", "LTV : CAC"),
        "×",
        "more",
        ("lifetime_value",),
        _ltv_to_cac,
        least_months=LIFETIME,
    ),
}
"""What can be asked about by name. The definitions are those of :mod:`core.finance.metrics`."""

_NAME = re.compile(r"([a-z][a-z0-9_]{0,39})(?:@([1-9][0-9]{0,2}))?")


def _outcome(model: Model, months: int, name: str) -> Outcome:
    match = _NAME.fullmatch(name)
    key = match[1] if match else ""
    made = OUTCOMES.get(key)
    if match is None or (made is None and key not in model.lines):
        raise Refusal(
            "“{name}” is not an outcome; allowed are {allowed}, or a line of the plan with a month, as in customers@24.",
            name=name[:60],
            allowed=", ".join(OUTCOMES),
        )
    label = made.label if made else model.lines[key].label
    if made and not model.lines.keys() >= set(made.lines):
        raise Refusal("“{field}” is not part of this plan.", field=label)
    monthly = made is None or made.monthly
    if match[2] and not monthly:
        raise Refusal("“{field}” is one number for the whole plan and takes no month.", field=label)
    month = int(match[2]) if match[2] else min(MONTH, months)
    least = month if monthly else made.least_months if made else 1
    if months < least:
        raise Refusal(
            "“{field}” needs a plan of {least} months; this one has {months}.",
            field=label,
            least=least,
            months=months,
        )
    if made is None:
        line = model.lines[key]
        return Outcome(
            f"{key}@{month}",
            label,
            line.unit,
            None,
            (key,),
            months,
            month,
            lambda lines, _: lines[key][month],
        )
    read = made.read
    return Outcome(
        f"{key}@{month}" if monthly else key,
        label,
        made.unit,
        made.better,
        made.lines,
        months,
        month if monthly else None,
        lambda lines, drivers: read(lines, drivers, month),
    )

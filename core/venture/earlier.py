"""Documents of earlier schema versions, brought forward one version at a time as plain dicts.

What a document's plan gave, it gives still: what is new in the plan starts at a number that changes
nothing, and the founder's own lines keep their meaning. The dicts are not checked yet, so whatever
has not the expected shape is left for the reader to refuse.
"""

import re
from collections.abc import Callable
from typing import Any

from core.i18n import Text
from core.venture.catalogue import driver_of
from core.venture.driver import Source

Document = dict[str, Any]


def _to_2(document: Document) -> Document:
    """The plan became modular; it got burden, overhead, tax, a second round and a value today."""
    drivers = document.get("drivers")
    if isinstance(drivers, list) and drivers:
        known = {_key(driver) for driver in drivers}
        added = [driver_of(key, (value,), _NEW).model_dump(mode="json") for key, value in _NEUTRAL.items()]
        drivers = [*drivers, *(driver for driver in added if driver["key"] not in known)]
        document = {**document, "drivers": drivers}
    lines = document.get("lines")
    if isinstance(lines, list) and lines:
        document = {**document, "lines": _own_lines(lines)}
    return {"modules": ["seats", "api"], **document}


_NEW = Source(
    kind="preset",
    text=Text("New in the plan; this number leaves it as it was", "计划新增项;此数值不改变原计划"),
    year=2026,
    confidence="low",
)

_NEUTRAL = {
    "burden": 0.0,
    "overhead_per_person": 0.0,
    "tax_rate": 0.0,
    "required_return": 0.4,
    "round2_amount": 0.0,
    "round2_month": 24.0,
}

_TAKEN = [
    "activity",
    "churned_activity",
    "early_activity",
    "settled_activity",
    "settling_activity",
    "recurring_per_customer",
    "requests_of_customer",
    "revenue_per_customer",
    "overhead",
    "loss_carried",
    "tax",
    "npv",
    "kept_start",
    "kept_early",
    "kept_settled",
    "grr",
    "nrr",
    "one_year",
    "one_call",
    "one_replica",
    "hours_per_month",
    "seconds_per_month",
    "impressions_per_thousand",
]
"""Keys that the plan has taken since, which own lines may have had."""

_GONE = {
    "early_mrr": ("MRR of early customers", "早期客户 MRR", "early_activity * recurring_per_customer"),
    "settled_mrr": ("MRR of settled customers", "稳定客户 MRR", "settled_activity * recurring_per_customer"),
    "churned_early_mrr": (
        "Churned MRR, early",
        "早期客户流失 MRR",
        "prev(early_mrr) * churn_early * one_month",
    ),
    "churned_settled_mrr": (
        "Churned MRR, settled",
        "稳定客户流失 MRR",
        "prev(settled_mrr) * churn_settled * one_month",
    ),
    "settling_mrr": (
        "MRR that settles",
        "转为稳定的 MRR",
        "settling_activity * one_month * recurring_per_customer",
    ),
}
"""Lines that the plan no longer has: they go on as own lines where an own line asks for them."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")


def _own_lines(lines: list[Any]) -> list[Any]:
    """Own lines with keys that are free, beside the lines that are gone from the plan but used by them."""
    keys = {_key(line) for line in lines}
    renamed = {key: _free(f"own_{key}", keys) for key in _TAKEN if key in keys}
    kept = [_renamed(line, renamed) for line in lines]
    used = {name for line in kept for text in _formulas(line) for name in _NAME.findall(text)}
    for key, (_en, _zh, formula) in reversed(_GONE.items()):
        if key in used:
            used.update(_NAME.findall(formula))
    gone = [
        {
            "key": key,
            "label": {"en": en, "zh": zh},
            "unit": "money/month",
            "formula": formula,
            "section": "own",
        }
        for key, (en, zh, formula) in _GONE.items()
        if key in used and key not in keys
    ]
    return [*gone, *kept]


def _renamed(line: Any, renamed: dict[str, str]) -> Any:
    if not isinstance(line, dict):
        return line
    texts = {
        field: _NAME.sub(lambda match: renamed.get(match[0], match[0]), line[field])
        for field in ("formula", "opening")
        if isinstance(line.get(field), str)
    }
    key = line.get("key")
    return {**line, **texts, "key": renamed.get(key, key) if isinstance(key, str) else key}


def _formulas(line: Any) -> list[str]:
    fields = (line.get("formula"), line.get("opening")) if isinstance(line, dict) else ()
    return [text for text in fields if isinstance(text, str)]


def _key(part: Any) -> str:
    key = part.get("key") if isinstance(part, dict) else None
    return key if isinstance(key, str) else ""


def _free(key: str, taken: set[str]) -> str:
    while key in taken:
        key += "_"
    return key


STEPS: dict[int, Callable[[Document], Document]] = {1: _to_2}
"""From each older schema version to the next."""

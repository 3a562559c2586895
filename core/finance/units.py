"""The units of the financial model, checked with pint.

Money is a dimension of its own, as are customers, seats, requests, tokens and people, so that a
formula which adds dollars to customers does not load. There are no hidden conversions: a day and a
month are both times, but a formula that mixes them must say by which constant.
"""

import re
from functools import lru_cache
from typing import Any

import pint
from pint.util import to_units_container

from core.i18n import Language, Refusal, Text

_DEFINITIONS = {
    "second": "[time]",
    "hour": "3600 * second",
    "day": "24 * hour",
    "month": "30.4375 * day",
    "money": "[money]",
    "customer": "[customer]",
    "user": "[user]",
    "seat": "[seat]",
    "request": "[request]",
    "call": "[call]",
    "token": "[token]",
    "Mtoken": "1e6 * token",
    "person": "[person]",
    "run": "[run]",
    "impression": "[impression]",
    "Kimpression": "1000 * impression",
    "replica": "[replica]",
    "gpu": "[gpu]",
}
"""Base units; a month is a twelfth of 365.25 days."""

WORDS: dict[str, tuple[Text, Text]] = {
    "second": (Text("s", "秒"), Text("s", "秒")),
    "hour": (Text("hour", "小时"), Text("hours", "小时")),
    "day": (Text("day", "天"), Text("days", "天")),
    "month": (Text("month", "月"), Text("months", "个月")),
    "customer": (Text("customer", "客户"), Text("customers", "个客户")),
    "user": (Text("free user", "免费用户"), Text("free users", "个免费用户")),
    "seat": (Text("seat", "席位"), Text("seats", "个席位")),
    "request": (Text("request", "请求"), Text("requests", "次请求")),
    "call": (Text("call", "调用"), Text("calls", "次调用")),
    "token": (Text("token", "token"), Text("tokens", "token")),
    "Mtoken": (Text("M tokens", "百万 token"), Text("M tokens", "百万 token")),
    "person": (Text("person", "人"), Text("people", "人")),
    "run": (Text("run", "次训练"), Text("runs", "次训练")),
    "impression": (Text("impression", "次展示"), Text("impressions", "次展示")),
    "Kimpression": (Text("1,000 impressions", "千次展示"), Text("1,000 impressions", "千次展示")),
    "replica": (Text("replica", "副本"), Text("replicas", "个副本")),
    "gpu": (Text("GPU", "GPU"), Text("GPUs", "块 GPU")),
}
"""How people read a unit below and above the stroke's line; money reads as the venture's currency."""

Unit = Any
"""A pint unit of the model's own registry (pint ships no types that mypy can follow here)."""

_FORM = re.compile(r"1|[A-Za-z]+(?:\^[1-9])?(?:[*/][A-Za-z]+(?:\^[1-9])?)*|1(?:/[A-Za-z]+(?:\^[1-9])?)+")

_NAME = re.compile(r"[A-Za-z]+")

MAX_DEGREE = 9
"""The largest exponent that a unit may have; conversion factors of more would outgrow a float."""


@lru_cache(maxsize=1)
def registry() -> Any:
    """The model's unit registry, with its own units and no others."""
    made: Any = pint.UnitRegistry(None)
    for name, definition in _DEFINITIONS.items():
        made.define(f"{name} = {definition}")
    return made


@lru_cache(maxsize=4096)
def unit(text: str) -> Unit:
    """The unit that ``text`` names ("money/seat/month", "1/month", "1" for a plain ratio).

    Raises :class:`Refusal` for a name that is not a unit of the model.
    """
    if len(text) <= 80 and _FORM.fullmatch(text) and _DEFINITIONS.keys() >= set(_NAME.findall(text)):
        found = registry().Unit("dimensionless" if text == "1" else text)
        if degree(found) <= MAX_DEGREE:
            return found
    raise Refusal(
        "“{unit}” is not a unit; a unit is 1 or made of {allowed} with * and /.",
        unit=text[:80],
        allowed=", ".join(_DEFINITIONS),
    )


@lru_cache(maxsize=4096)
def same(one: Unit, other: Unit) -> bool:
    """Whether two units measure the same thing in the same size."""
    a, b = (1 * one).to_base_units(), (1 * other).to_base_units()
    return bool(a.units == b.units and abs(a.magnitude / b.magnitude - 1) < 1e-9)


def degree(value: Unit) -> float:
    """The largest exponent in a unit, whatever its sign; 0 for a plain ratio."""
    powers: dict[str, Any] = dict(to_units_container(value))
    return max((abs(float(power)) for power in powers.values()), default=0.0)


def spelled(value: Unit) -> str:
    """A unit as a formula's author writes it: "1" for a plain ratio, but "day/month" for a conversion."""
    return "1" if degree(value) == 0 else f"{value:C}".replace("**", "^")


def read(text: str, currency: str, _: Language) -> str:
    """A unit as people read it: "USD / seat / month", "customers / month"; "%" for a plain ratio."""
    if text == "1":
        return "%"
    first, *rest = re.split(r"([*/])", text)
    words = [currency if first == "money" else "%" if first == "1" else _word(first, 1, _)]
    for sign, part in zip(rest[::2], rest[1::2], strict=True):
        words.append((" / " if sign == "/" else " · ") + (currency if part == "money" else _word(part, 0, _)))
    return "".join(words)


def spoken(value: float, text: str, currency: str, _: Language, digits: int = 3) -> str:
    """A value with its unit as people read it: "$80 / seat / month", "4.2% / month", "8.4 customers"."""
    first, stroke, rest = text.partition("/")
    below = "".join(" / " + _word(part, 0, _) for part in rest.split("/")) if stroke else ""
    if first == "1":
        return _.percent(value, digits) + below
    if first == "money":
        return _.money(value, currency, digits) + below
    if "*" in first:
        return f"{_.number(value, digits=digits)} {read(text, currency, _)}"
    above = _word(first, 0 if value == 1 else 1, _)
    return f"{_.number(value, digits=digits)} {above}{below}"


def _word(part: str, above: int, _: Language) -> str:
    return _.text(WORDS[part][above]) if part in WORDS else part

"""The catalogue of drivers: what the plan's modules ask for, before anybody has given a number.

``drivers.toml`` says of each driver what it is called, its group, its unit and what it may be;
:func:`driver_of` makes one from it with an amount and a source.
"""

import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any

from core.i18n import Refusal, Text
from core.venture.amount import Amount
from core.venture.driver import Driver, Source


@lru_cache(maxsize=1)
def catalogue() -> dict[str, dict[str, Any]]:
    """The fields of every driver but its amount and source, by key."""
    return {
        key: {
            "key": key,
            "label": Text(**entry["label"]),
            "group": entry["group"],
            "unit": entry["unit"],
            "minimum": _number(entry.get("minimum")),
            "maximum": _number(entry.get("maximum")),
            "signed": entry.get("signed", False),
            "doc": Text(**entry.get("doc", {"en": ""})),
        }
        for key, entry in _entries().items()
    }


@lru_cache(maxsize=1)
def usual() -> dict[str, dict[str, Any]]:
    """Amount and source of the drivers that no archetype has, as an archetype's file states them."""
    return {key: entry["usual"] for key, entry in _entries().items() if "usual" in entry}


@lru_cache(maxsize=1)
def _entries() -> dict[str, dict[str, Any]]:
    return tomllib.loads(Path(__file__).with_name("drivers.toml").read_text(encoding="utf-8"))


def driver_of(
    key: str, numbers: tuple[float] | tuple[float, float], source: Source, label: Text | None = None
) -> Driver:
    """The catalogue's driver at a number, or over a 90 % interval; ``label`` is what this venture calls it."""
    if key not in catalogue():
        raise Refusal("The catalogue has no driver “{key}”.", key=key)
    fields = {**catalogue()[key], "source": source}
    if label is not None:
        fields["label"] = label
    return Driver(**fields, amount=amount_of(key, numbers))


def amount_of(key: str, numbers: tuple[float] | tuple[float, float]) -> Amount:
    """A point, or a 90 % interval of the distribution that the driver takes."""
    if len(numbers) == 1:
        return Amount.point(numbers[0])
    shape = Driver(**catalogue()[key], amount=Amount.point(numbers[0]), source=Source(kind="preset"))
    return Amount.interval(*numbers, shape.distribution)


def _number(value: float | None) -> float | None:
    return None if value is None else float(value)

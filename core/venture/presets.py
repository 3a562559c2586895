"""Finished ventures to start from: each archetype is a file of text, numbers and sources.

A file of ``archetypes/`` is the venture in TOML, a little shorter than its JSON: a driver's amount
stands beside its key, and its source is a preset's. :func:`example` builds the venture, checked like
any other.
"""

import tomllib
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from core.i18n import Refusal, Text
from core.venture.amount import Amount
from core.venture.canvas import BLOCKS, Canvas, Note
from core.venture.driver import Driver, Source
from core.venture.frozen import refusing
from core.venture.venture import Hypothesis, Override, Scenario, Venture

_FOLDER = Path(__file__).with_name("archetypes")

DEFAULT = "vertical_copilot"


@lru_cache(maxsize=1)
def archetypes() -> dict[str, Text]:
    """The key and the title of every archetype."""
    return {path.stem: Text(**_read(path.stem)["title"]) for path in sorted(_FOLDER.glob("*.toml"))}


def example(archetype: str = DEFAULT, start: date | None = None) -> Venture:
    """A finished venture whose first month is that of ``start`` (this month if None)."""
    if archetype not in archetypes():
        raise Refusal(
            "“{archetype}” is not an archetype; allowed are {allowed}.",
            archetype=archetype,
            allowed=", ".join(archetypes()),
        )
    data = _read(archetype)
    with refusing():
        drivers = tuple(_driver(item) for item in data["driver"])
        by_key = {driver.key: driver for driver in drivers}
        return Venture(
            name=Text(**data["name"]),
            promise=Text(**data["promise"]),
            archetype=archetype,
            start=(start or date.today()).replace(day=1),
            canvas=Canvas(**{block: _notes(block, data["canvas"][block]) for block in BLOCKS}),
            drivers=drivers,
            scenarios=tuple(_scenario(item, by_key) for item in data.get("scenario", [])),
            hypotheses=tuple(_hypothesis(item) for item in data.get("hypothesis", [])),
        )


@lru_cache(maxsize=16)
def _read(archetype: str) -> dict[str, Any]:
    return tomllib.loads((_FOLDER / f"{archetype}.toml").read_text(encoding="utf-8"))


def _driver(item: dict[str, Any]) -> Driver:
    source = item["source"]
    fields = {
        "key": item["key"],
        "label": Text(**item["label"]),
        "group": item["group"],
        "unit": item["unit"],
        "minimum": _number(item.get("minimum")),
        "maximum": _number(item.get("maximum")),
        "signed": item.get("signed", False),
        "source": Source(
            kind="preset",
            text=Text(source["en"], source["zh"]),
            year=source["year"],
            confidence=source["confidence"],
        ),
    }
    shape = Driver(**fields, amount=Amount.point(item.get("value", item.get("low", 0))))
    return Driver(**fields, amount=_amount(item, shape))


def _amount(item: dict[str, Any], driver: Driver) -> Amount:
    if "value" in item:
        return Amount.point(item["value"])
    return Amount.interval(item["low"], item["high"], driver.distribution)


def _number(value: float | None) -> float | None:
    return None if value is None else float(value)


def _notes(block: str, texts: list[dict[str, str]]) -> tuple[Note, ...]:
    return tuple(Note(id=f"{block}_{i}", text=Text(**text)) for i, text in enumerate(texts, 1))


def _scenario(item: dict[str, Any], drivers: dict[str, Driver]) -> Scenario:
    overrides = tuple(Override(key=o["key"], amount=_amount(o, drivers[o["key"]])) for o in item["overrides"])
    return Scenario(id=item["id"], name=Text(**item["name"]), overrides=overrides)


def _hypothesis(item: dict[str, Any]) -> Hypothesis:
    words = {key: Text(**item[key]) for key in ("statement", "test", "pass_mark", "result") if key in item}
    return Hypothesis(
        id=item["id"], block=item["block"], drivers=tuple(item["drivers"]), evidence=item["evidence"], **words
    )

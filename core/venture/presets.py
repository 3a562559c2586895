"""Finished ventures to start from: each archetype is a file of text, numbers and sources.

A file of ``archetypes/`` is the venture in TOML, shorter than its JSON: a driver is its amount and its
source, and a label where the venture has a word of its own; the rest comes from the catalogue
(``drivers.toml``). :func:`example` builds the venture, checked like any other.
"""

import tomllib
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from core.i18n import Refusal, Text
from core.venture.canvas import BLOCKS, Canvas, Note
from core.venture.catalogue import amount_of, driver_of, usual
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
        return Venture(
            name=Text(**data["name"]),
            promise=Text(**data["promise"]),
            archetype=archetype,
            start=(start or date.today()).replace(day=1),
            canvas=Canvas(**{block: _notes(block, data["canvas"][block]) for block in BLOCKS}),
            modules=tuple(data["modules"]),
            drivers=tuple(_driver(key, item) for key, item in data["drivers"].items()),
            scenarios=tuple(_scenario(item) for item in data.get("scenario", [])),
            hypotheses=tuple(_hypothesis(item) for item in data.get("hypothesis", [])),
        )


def preset(key: str, archetype: str = DEFAULT) -> Driver:
    """The driver of that key as ``archetype`` has it, or the first other one that does."""
    for name in (archetype, *archetypes()):
        if name in archetypes() and key in _read(name)["drivers"]:
            return _driver(key, _read(name)["drivers"][key])
    if key in usual():
        return _driver(key, usual()[key])
    raise Refusal("There is no usual number for the driver “{key}”.", key=key)


@lru_cache(maxsize=32)
def _read(archetype: str) -> dict[str, Any]:
    return tomllib.loads((_FOLDER / f"{archetype}.toml").read_text(encoding="utf-8"))


def _driver(key: str, item: dict[str, Any]) -> Driver:
    source = item["source"]
    return driver_of(
        key,
        _numbers(item),
        Source(
            kind="preset",
            text=Text(source["en"], source["zh"]),
            year=source["year"],
            confidence=source["confidence"],
        ),
        Text(**item["label"]) if "label" in item else None,
    )


def _numbers(item: dict[str, Any]) -> tuple[float] | tuple[float, float]:
    return (item["value"],) if "value" in item else (item["low"], item["high"])


def _notes(block: str, texts: list[dict[str, str]]) -> tuple[Note, ...]:
    return tuple(Note(id=f"{block}_{i}", text=Text(**text)) for i, text in enumerate(texts, 1))


def _scenario(item: dict[str, Any]) -> Scenario:
    overrides = tuple(
        Override(key=o["key"], amount=amount_of(o["key"], _numbers(o))) for o in item["overrides"]
    )
    return Scenario(id=item["id"], name=Text(**item["name"]), overrides=overrides)


def _hypothesis(item: dict[str, Any]) -> Hypothesis:
    words = {key: Text(**item[key]) for key in ("statement", "test", "pass_mark", "result") if key in item}
    return Hypothesis(
        id=item["id"], block=item["block"], drivers=tuple(item["drivers"]), evidence=item["evidence"], **words
    )

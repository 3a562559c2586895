"""The built-in plan: a core that every venture has, and modules for how it earns and serves.

The files of ``plan/`` are text that a founder can read. ``core.toml`` holds what all plans share; its
formulas leave room for modules: ``@recurring`` is the sum of what the venture's modules contribute
there, and nothing where none does. A module has a ``title``, its contributions (slot → formula), its
own lines, and the modules that it ``needs``. Two modules may bring the same line if they say the same.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from core.i18n import Refusal, Text
from core.venture import Line

_FOLDER = Path(__file__).with_name("plan")
_CORE = "core"


@dataclass(frozen=True)
class Named:
    """What a formula's name stands for: its label and its unit; ``value`` for a constant."""

    label: Text
    unit: str
    value: float | None = None


@dataclass(frozen=True)
class Module:
    """A way to earn, to serve or to spend, as it stands in its file."""

    key: str
    title: Text
    needs: tuple[str, ...]
    contributes: Mapping[str, str]
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Plan:
    """The core with some modules: its lines with no room left open, section by section."""

    lines: tuple[Line, ...]
    constants: Mapping[str, Named]


@lru_cache(maxsize=1)
def modules() -> dict[str, Module]:
    """Every module by key."""
    return {path.stem: _module(path.stem) for path in sorted(_FOLDER.glob("*.toml")) if path.stem != _CORE}


@lru_cache(maxsize=1)
def sections() -> dict[str, Text]:
    """What people call the sections of a plan, in the order in which they are read."""
    return {key: Text(**words) for key, words in _read(_CORE)["sections"].items()}


@lru_cache(maxsize=64)
def plan_of(chosen: tuple[str, ...]) -> Plan:
    """The core with the modules of these keys and those that they need.

    Raises :class:`Refusal` for a module that does not exist, and for two that disagree about a line.
    """
    data = _read(_CORE)
    used = _with_needs(chosen)
    room: dict[str, list[str]] = {}
    for module in used:
        for slot, formula in module.contributes.items():
            room.setdefault(slot, []).append(formula)
    lines: dict[str, Line] = {}
    for line in (*(line for module in used for line in module.lines), *_lines(data)):
        if lines.setdefault(line.key, line) != line:
            raise Refusal("Two modules of the plan disagree about the line “{name}”.", name=line.label)
    order = list(sections())
    return Plan(
        lines=tuple(
            line.model_copy(update={"formula": _filled(line.formula, room)})
            for line in sorted(lines.values(), key=lambda line: order.index(line.section))
        ),
        constants={
            key: Named(Text(**c["label"]), c["unit"], float(c["value"]))
            for key, c in data["constants"].items()
        },
    )


def _with_needs(chosen: Iterable[str]) -> tuple[Module, ...]:
    found: dict[str, Module] = {}

    def add(key: str) -> None:
        if key not in modules():
            raise Refusal(
                "“{module}” is not a module of the plan; allowed are {allowed}.",
                module=key,
                allowed=", ".join(modules()),
            )
        for needed in modules()[key].needs:
            add(needed)
        found.setdefault(key, modules()[key])

    for key in chosen:
        add(key)
    return tuple(found.values())


_EMPTY = re.compile(r"^@[a-z_]+\s*\+\s*|\s*[+-]\s*(?:@[a-z_]+|\(@[a-z_]+\))")
_SLOT = re.compile(r"@([a-z_]+)")


def _filled(formula: str, room: Mapping[str, list[str]]) -> str:
    """The formula with contributions in the place of its slots; a slot that nobody fills leaves no trace."""

    def kept(match: re.Match[str]) -> str:
        (slot,) = _SLOT.findall(match[0])
        return match[0] if slot in room else ""

    return _SLOT.sub(lambda match: " + ".join(room.get(match[1], ["0"])), _EMPTY.sub(kept, formula))


def _module(key: str) -> Module:
    data = _read(key)
    return Module(
        key,
        Text(**data["title"]),
        tuple(data.get("needs", ())),
        data.get("contributes", {}),
        tuple(_lines(data)),
    )


def _lines(data: dict[str, Any]) -> Iterable[Line]:
    for line in data.get("line", ()):
        yield Line(**{**line, "label": Text(**line["label"]), "doc": Text(**line.get("doc", {"en": ""}))})


@lru_cache(maxsize=32)
def _read(key: str) -> dict[str, Any]:
    return tomllib.loads((_FOLDER / f"{key}.toml").read_text(encoding="utf-8"))

"""Text that is data stands beside its number in both languages, wherever it is."""

import dataclasses
import importlib
import pkgutil
import re
import tomllib
from pathlib import Path

import pytest
from pydantic import BaseModel

import core
from core.i18n import Text

ROOT = Path(core.__file__).parent
CHINESE = re.compile(r"[\u4e00-\u9fff]")
SAME_IN_BOTH = re.compile(r"[A-Za-z0-9 :./·×&+()%–—-]*")
"""Names such as EBITDA, "LTV : CAC" or tokens may be the same in both languages."""


def in_toml(part, place):
    """Every {en, zh} in a file's data, with its place."""
    if isinstance(part, dict):
        if "en" in part:
            yield place, part["en"], part.get("zh", "")
        for key, inner in part.items():
            yield from in_toml(inner, f"{place}.{key}")
    elif isinstance(part, list):
        for index, inner in enumerate(part):
            yield from in_toml(inner, f"{place}[{index}]")


def in_module(value, place, seen):
    """Every Text that a module's names lead to, with its place."""
    if isinstance(value, Text):
        yield place, value.en, value.zh
        return
    if id(value) in seen or isinstance(value, (str, bytes, type)):
        return
    seen.add(id(value))
    if isinstance(value, dict):
        inside = value.items()
    elif isinstance(value, (list, tuple, set, frozenset)):
        inside = enumerate(value)
    elif dataclasses.is_dataclass(value):
        inside = ((f.name, getattr(value, f.name, None)) for f in dataclasses.fields(value))
    elif isinstance(value, BaseModel):
        inside = dict(value).items()
    else:
        return
    for key, inner in inside:
        yield from in_module(inner, f"{place}.{key}", seen)


FILES = sorted(path for path in ROOT.rglob("*.toml") if "data" not in path.parts)
MODULES = sorted(
    found.name
    for package in ("venture", "finance")
    for found in pkgutil.walk_packages([str(ROOT / package)], f"core.{package}.")
)


def both(found):
    missing = []
    for place, en, zh in found:
        same = zh == en.removesuffix("s") and SAME_IN_BOTH.fullmatch(en)
        if (en or zh) and not (en.strip() and zh.strip() and (CHINESE.search(zh) or same)):
            missing.append((place, en, zh))
    return missing


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_text_of_a_file_is_there_in_both_languages(path):
    found = list(in_toml(tomllib.loads(path.read_text(encoding="utf-8")), path.stem))
    assert found
    assert both(found) == []


def test_the_files_are_those_of_the_plan_and_the_archetypes():
    names = {path.name for path in FILES}
    assert {"core.toml", "seats.toml", "drivers.toml", "vertical_copilot.toml"} <= names


@pytest.mark.parametrize("name", MODULES)
def test_every_text_of_a_module_is_there_in_both_languages(name):
    module = importlib.import_module(name)
    found = [item for key, value in vars(module).items() for item in in_module(value, f"{name}.{key}", set())]
    assert both(found) == []


def test_texts_are_found_where_they_are():
    """So that the tests above cannot pass by finding nothing."""
    from core.finance import metrics
    from core.venture import canvas

    assert len(list(in_module(canvas.BLOCKS, "BLOCKS", set()))) == 9
    kept = importlib.import_module("core.finance.outcome").OUTCOMES
    assert len(list(in_module(kept, "OUTCOMES", set()))) >= 10
    assert callable(metrics)
    assert both([("x", "Only English", "")]) == [("x", "Only English", "")]
    assert both([("x", "Some words here", "Some words, here")]) != []
    assert both([("x", "EBITDA", "EBITDA"), ("y", "", ""), ("z", "Price", "价格")]) == []

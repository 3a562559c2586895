"""The model: lines in the order in which they can be computed, checked before anything runs.

A model is the built-in plan (:mod:`core.finance.modules`) plus the founder's own lines, over the
drivers of a venture. Loading it parses every formula, checks every name and every unit, and finds cycles and
names them. Only lines that need their own past (through ``prev`` or ``cumulative``) are walked
month by month; :attr:`Model.steps` says which.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from core.finance.formula import NAMES_TAKEN, Formula, FormulaRefusal, parse, unit_of
from core.finance.modules import Named, plan_of
from core.finance.units import Unit, same, spelled, unit
from core.i18n import LANGUAGES, Refusal, Text
from core.venture import Line, Venture


@dataclass(frozen=True)
class Step:
    """Lines computed together: one whole-array line, or several that are walked month by month."""

    lines: tuple[str, ...]
    walked: bool


@dataclass(frozen=True, eq=False)
class Model:
    """A loaded, checked model.

    ``inputs`` are the drivers (by key, no amounts: those are the venture's), ``steps`` the order of
    evaluation. Two ventures that differ in amounts only share one model. ``given`` are names of numbers
    that are given month by month.
    """

    lines: Mapping[str, Line]
    formulas: Mapping[str, Formula]
    openings: Mapping[str, Formula]
    constants: Mapping[str, Named]
    inputs: Mapping[str, Named]
    steps: tuple[Step, ...]
    given: frozenset[str] = frozenset({"month"})

    def named(self, name: str) -> Named:
        """Label and unit of a line, a driver, a constant or ``month``."""
        if name in self.lines:
            return Named(self.lines[name].label, self.lines[name].unit)
        return self.inputs.get(name) or self.constants.get(name) or _MONTH

    def sections(self) -> dict[str, list[Line]]:
        """The lines by section, in the order of the plan."""
        found: dict[str, list[Line]] = {}
        for line in self.lines.values():
            found.setdefault(line.section, []).append(line)
        return found


_MONTH = Named(Text("month", "月份"), "month")


def model_of(venture: Venture) -> Model:
    """The model of a venture; a :class:`Refusal` that names the line and the reason."""
    shape = tuple((driver.key, driver.label, driver.unit) for driver in venture.drivers)
    return _loaded(shape, venture.modules, venture.lines)


@lru_cache(maxsize=64)
def _loaded(
    shape: tuple[tuple[str, Text, str], ...], modules: tuple[str, ...], own: tuple[Line, ...]
) -> Model:
    plan = plan_of(modules)
    inputs = {key: Named(label, unit_text) for key, label, unit_text in shape}
    for key, driver in inputs.items():
        if key in plan.constants or key in NAMES_TAKEN:
            raise Refusal(
                "The driver “{name}” needs another key; “{key}” is taken.", name=driver.label, key=key
            )
    lines: dict[str, Line] = {}
    for line in (*plan.lines, *own):
        if line.key in lines or line.key in inputs or line.key in plan.constants or line.key in NAMES_TAKEN:
            raise Refusal(
                "The line “{name}” needs another key; “{key}” is taken.", name=line.label, key=line.key
            )
        lines[line.key] = line
    units: dict[str, Unit] = {"month": unit("month")}
    for known in (plan.constants, inputs, lines):
        for key, thing in known.items():
            try:
                units[key] = unit(thing.unit)
            except Refusal as error:
                raise Refusal("{field}: {error}", field=thing.label, error=error) from None
    formulas: dict[str, Formula] = {}
    openings: dict[str, Formula] = {}
    for line in lines.values():
        formulas[line.key] = _checked(line, line.formula, units, frozenset(lines))
        if line.opening:
            known_first = {key: u for key, u in units.items() if key not in lines or key == line.key}
            openings[line.key] = _checked(line, line.opening, known_first, frozenset())
    return Model(lines, formulas, openings, plan.constants, inputs, _ordered(lines, formulas))


def with_formulas(model: Model, formulas: Mapping[str, Formula], given: Iterable[str]) -> Model:
    """The model with other formulas for some of its lines, which may also read numbers that are ``given``."""
    merged = {**model.formulas, **formulas}
    steps = _ordered(model.lines, merged)
    return replace(model, formulas=merged, steps=steps, given=model.given.union(given))


def _checked(line: Line, text: str, units: Mapping[str, Unit], lines: frozenset[str]) -> Formula:
    """The parsed formula of a line, its names known and its unit the line's."""
    try:
        formula = parse(text)
        for name in formula.before | formula.cumulated:
            if name not in lines:
                raise FormulaRefusal("“{name}” has no past: prev and cumulative take lines.", 0, name=name)
        if not lines and (later := formula.now & {"month", line.key}):
            raise FormulaRefusal(
                "An opening value is made of drivers only, not of “{name}”.", 0, name=min(later)
            )
        found = unit_of(formula, units)
        if found is not None and not same(found, units[line.key]):
            raise FormulaRefusal(
                "the formula gives {found}, but the line is in {wanted}.",
                0,
                found=spelled(found),
                wanted=line.unit,
            )
    except FormulaRefusal as error:
        raise FormulaRefusal("Line “{name}”: {error}", error.at, name=line.label, error=error) from None
    return formula


def _ordered(lines: Mapping[str, Line], formulas: Mapping[str, Formula]) -> tuple[Step, ...]:
    """The steps: strongly connected lines walk together; the rest are whole arrays, in order."""
    keys = list(lines)
    place = {key: i for i, key in enumerate(keys)}
    edges = [(place[k], place[n]) for k in keys for n in formulas[k].names if n in place]
    rows, columns = zip(*edges, strict=True) if edges else ((), ())
    graph = coo_array((np.ones(len(edges)), (rows, columns)), shape=(len(keys), len(keys)))
    count, group_of = connected_components(graph.tocsr(), directed=True, connection="strong")
    between: TopologicalSorter[int] = TopologicalSorter({int(g): set() for g in range(count)})
    for row, column in edges:
        if group_of[row] != group_of[column]:
            between.add(int(group_of[row]), int(group_of[column]))
    members: dict[int, list[str]] = {}
    for key in keys:
        members.setdefault(int(group_of[place[key]]), []).append(key)
    steps = []
    for group in between.static_order():
        inside = set(members[group])
        walked = any(formulas[key].names & inside for key in inside)
        steps.append(Step(_same_month_order(members[group], formulas, lines), walked))
    return tuple(steps)


def _same_month_order(
    keys: list[str], formulas: Mapping[str, Formula], lines: Mapping[str, Line]
) -> tuple[str, ...]:
    """The lines of a group in an order that works within one month; a cycle is named."""
    inside = set(keys)
    sorter = TopologicalSorter({k: (formulas[k].now | formulas[k].cumulated) & inside for k in keys})
    try:
        return tuple(sorter.static_order())
    except CycleError as error:
        labels = [lines[key].label for key in error.args[1]]
        circle = Text(*(" → ".join(label.in_language(code) for label in labels) for code in LANGUAGES))
        raise Refusal("These lines depend on each other in a circle: {circle}.", circle=circle) from None

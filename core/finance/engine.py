"""The engine: every line of a model, for every month and every draw at once.

All arrays have shape (months + 1, draws): row 0 is the opening value, rows 1 … are the months, so
``prev(x)`` is the same array one row up and costs nothing. Formulas run as Python functions over rows
(:mod:`core.finance.program`). Only the lines that are asked for, and those that go into them, are computed.

Few draws are computed a line at a time: a line that does not need its own past is one whole-array NumPy
expression, the others are walked month by month. For many draws all lines are walked together, a month
at a time, in blocks of :data:`BLOCK` draws; of a line that nobody asked for only this month and the last
are held, so that everything a month needs stays in the processor's cache, and lines that are the same in
all months are computed once. Both ways do the same operations on each number and give the same.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.finance.actuals import anchored, given_rows
from core.finance.model import Model, Step
from core.finance.program import Rows, opening_of, program_of, steady_lines
from core.i18n import Refusal

Array = NDArray[np.float64]
Lines = dict[str, Array]

BLOCK = 4096
FEW = 1024
"""From more draws than this on, a month at a time is faster than a line at a time."""


def evaluate(
    model: Model,
    drivers: Mapping[str, Array],
    months: int,
    keep: Iterable[str] | None = None,
    actuals: Mapping[str, Array] | None = None,
) -> Lines:
    """The lines of ``model`` (those in ``keep``, or all), each of shape (months + 1, draws).

    ``drivers`` holds one value per draw for every driver, shape (draws,). ``actuals`` are real figures of
    lines, shape (months,), NaN where there is none; they take the place of formulas. Raises :class:`Refusal` where
    a line that is asked for has no finite value, naming the first line at fault.
    """
    draws = max((len(values) for values in drivers.values()), default=1)
    wanted = tuple(model.lines) if keep is None else tuple(keep)
    given = given_rows(actuals or {}, months)
    model = anchored(model, tuple(actuals or ()))
    out = {model.lines[key].key: np.empty((months + 1, draws)) for key in wanted}
    for start in range(0, draws, BLOCK):
        part = slice(start, start + BLOCK)
        block = {key: values[part] for key, values in drivers.items()}
        found = {key: array[:, part] for key, array in out.items()}
        _fill(found, model, block, given)
        with np.errstate(over="ignore", invalid="ignore"):
            finite = all(np.isfinite(array.sum()) for array in found.values())
        if not finite:
            _refuse_fault(model, block, given, wanted)
    return out


def _fill(out: Lines, model: Model, drivers: Mapping[str, Array], given: Mapping[str, Array]) -> None:
    """Compute the lines of ``out`` in their place, and what goes into them."""
    draws = max((len(values) for values in drivers.values()), default=1)
    scope: dict[str, Any] = {**drivers, **{key: np.float64(c.value) for key, c in model.constants.items()}}
    arrays: dict[str, Rows] = dict(given)
    months = len(given["month"]) - 1
    together = draws > FEW
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        for step in _steps(model, tuple(out), together):
            for key in step.lines:
                if key in out:
                    arrays[key] = out[key]
                elif together and key not in _cumulated(model):
                    arrays[key] = _in_turn(months, draws)
                else:
                    arrays[key] = np.empty((months + 1, draws))
                opening = opening_of(model, key)
                arrays[key][0][...] = opening(scope, arrays) if opening else 0.0
            program_of(model, step, together)(scope, arrays)


def _in_turn(months: int, draws: int) -> list[Array]:
    """Two rows that take turns: each month overwrites the month before the last."""
    rows = np.empty((2, draws))
    return [rows[month % 2] for month in range(months + 1)]


def _refuse_fault(
    model: Model, drivers: Mapping[str, Array], given: Mapping[str, Array], wanted: tuple[str, ...]
) -> None:
    """Refuse the first line that is not finite; return where finite numbers only had no finite sum."""
    draws = max((len(values) for values in drivers.values()), default=1)
    steps = _steps(model, wanted, together=False)
    lines = {key: np.empty((len(given["month"]), draws)) for step in steps for key in step.lines}
    _fill(lines, model, drivers, given)
    for step in steps:
        for key in step.lines:
            bad = ~np.isfinite(lines[key]).all(axis=1)
            if bad.any():
                raise Refusal(
                    "The line “{name}” has no finite value in month {month}: a number is too large or something is divided by zero.",
                    name=model.lines[key].label,
                    month=int(bad.argmax()),
                )


@lru_cache(maxsize=256)
def _steps(model: Model, wanted: tuple[str, ...], together: bool) -> tuple[Step, ...]:
    """The steps that compute ``wanted`` and all that goes into it, in order; or ``together`` as one walk."""
    needed, found = set(wanted), []
    steady = steady_lines(model) if together else ()
    for step in reversed(model.steps):
        if not needed.isdisjoint(step.lines):
            for key in step.lines:
                formula = model.formulas[key]
                needed |= formula.now.difference(steady) | formula.before | formula.cumulated
            found.append(step)
    if together:
        return (Step(tuple(key for step in reversed(found) for key in step.lines), walked=True),)
    return tuple(reversed(found))


@lru_cache(maxsize=64)
def _cumulated(model: Model) -> frozenset[str]:
    """The lines whose past is summed, all of which is held."""
    return frozenset(name for formula in model.formulas.values() for name in formula.cumulated)

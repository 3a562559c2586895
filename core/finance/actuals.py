"""Real figures: what happened takes the place of what was planned, and the rest follows from it.

In a month with a real figure a line has that figure, not its formula's value; ``prev`` and every line
below it read it, so that the months after it start from what is real. ``customers`` and ``mrr`` are sums
of an early and a settled part, which carry them from month to month: with a real sum the parts keep their
proportion and are scaled to it.

A real figure is certain: all draws have it.
"""

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from core.finance.formula import Formula
from core.finance.model import Model, model_of, with_formulas
from core.venture import Actual, Venture

Array = NDArray[np.float64]

PARTS = {"customers": ("early_customers", "settled_customers"), "mrr": ("early_mrr", "settled_mrr")}
"""The lines that carry a sum from month to month, and are scaled to its real figure."""


def figures(venture: Venture) -> dict[str, Array]:
    """The venture's real figures of lines that its plan has, each of shape (months,), NaN where there is none."""
    if not venture.actuals:
        return {}
    lines = model_of(venture).lines
    return {
        actual.key: _row(actual, venture.horizon_months) for actual in venture.actuals if actual.key in lines
    }


def is_real(venture: Venture, key: str, month: int) -> bool:
    """Whether the line has a real figure in the month (1 …)."""
    return any(
        actual.key == key and month <= len(actual.values) and actual.values[month - 1] is not None
        for actual in venture.actuals
    )


def scaled_to(venture: Venture, key: str, month: int) -> str:
    """The line to whose real figure this one is scaled in the month; empty where it is not."""
    for whole, parts in PARTS.items():
        if key in parts and is_real(venture, whole, month) and not is_real(venture, key, month):
            return whole
    return ""


def merged(venture: Venture, new: Iterable[Actual]) -> tuple[Actual, ...]:
    """The venture's real figures with the ``new`` ones, which count where both have one."""
    found = {actual.key: list(actual.values) for actual in venture.actuals}
    for actual in new:
        values = found.setdefault(actual.key, [])
        values += [None] * (len(actual.values) - len(values))
        for place, value in enumerate(actual.values):
            values[place] = value if value is not None else values[place]
    return tuple(Actual(key=key, values=tuple(values)) for key, values in found.items())


@dataclass(frozen=True)
class Deviation:
    """A line in a month with a real figure: what was planned, and what it really was."""

    key: str
    month: int
    planned: float
    real: float


def deviations(venture: Venture, planned: Mapping[str, Array]) -> tuple[Deviation, ...]:
    """Every real figure beside the plan's; ``planned`` are the lines of the plan without real figures."""
    return tuple(
        Deviation(key, int(place) + 1, float(planned[key][place + 1]), float(row[place]))
        for key, row in figures(venture).items()
        for place in np.flatnonzero(~np.isnan(row))
    )


# For the engine


@lru_cache(maxsize=64)
def anchored(model: Model, keys: tuple[str, ...]) -> Model:
    """The model whose lines in ``keys`` take the rows of :func:`given_rows` where these have a number."""
    if not keys:
        return model
    changed: dict[str, Formula] = {}
    for key in keys:
        parts = PARTS.get(key, ())
        if parts and set(parts) <= model.lines.keys():
            first, second = (model.formulas[part] for part in parts)
            whole = ast.BinOp(first.tree, ast.Add(), second.tree)
            has_any = ast.Compare(whole, [ast.Gt()], [ast.Constant(0.0)])
            for part, rest in zip(parts, (_name(key), ast.Constant(0.0)), strict=True):
                share = ast.BinOp(
                    ast.BinOp(_name(key), ast.Mult(), model.formulas[part].tree), ast.Div(), whole
                )
                changed[part] = _real_or(
                    model.formulas[part], key, _where(has_any, share, rest), (first, second)
                )
    for key in keys:
        formula = changed.get(key, model.formulas[key])
        changed[key] = _real_or(formula, key, _name(key), ())
    return with_formulas(model, changed, (_given(key) for key in keys))


def given_rows(actuals: Mapping[str, Array], months: int) -> dict[str, Array]:
    """``month`` and every real figure as rows, the opening first: shape (months + 1, 1)."""
    rows = {"month": np.arange(months + 1, dtype=np.float64)[:, None]}
    for key, values in actuals.items():
        rows[_given(key)] = np.concatenate([[np.nan], values])[:, None]
    return rows


def _row(actual: Actual, months: int) -> Array:
    row = np.full(months, np.nan)
    row[: len(actual.values)] = [np.nan if value is None else value for value in actual.values]
    return row


def _given(key: str) -> str:
    """The name of a line's real figures in a formula; no key begins with a capital letter."""
    return f"Real_{key}"


def _name(key: str) -> ast.expr:
    return ast.Name(_given(key), ast.Load())


def _where(condition: ast.expr, one: ast.expr, other: ast.expr) -> ast.expr:
    return ast.Call(ast.Name("where", ast.Load()), [condition, one, other], [])


def _real_or(formula: Formula, key: str, real: ast.expr, reads: tuple[Formula, ...]) -> Formula:
    """``where(real figure is a number, real, formula)``: NaN alone does not equal itself."""
    known = ast.Compare(_name(key), [ast.Eq()], [_name(key)])
    now, before, cumulated = (
        frozenset().union(*(getattr(one, field) for one in (formula, *reads)))
        for field in ("now", "before", "cumulated")
    )
    return replace(
        formula,
        tree=_where(known, real, formula.tree),
        now=now | {_given(key)},
        before=before,
        cumulated=cumulated,
    )

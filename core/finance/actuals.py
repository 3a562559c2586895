"""Real figures: what happened takes the place of what was planned, and the rest follows from it.

In a month with a real figure a line has that figure, not its formula's value; ``prev`` and every line
below it read it, so that the months after it start from what is real. What the plan carries from month to
month beside such a line is scaled to it: the early and the settled part of the customers keep their
proportion, and so do those of the activity, which is the MRR divided by what a new customer pays, or,
without a real MRR, follows the customers (then the MRR follows the activity).

A real figure is certain: all draws have it.
"""

import ast
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from core.finance.formula import Formula
from core.finance.model import Model, model_of, with_formulas
from core.venture import Actual, Venture

Array = NDArray[np.float64]

PARTS = {
    "customers": ("early_customers", "settled_customers"),
    "activity": ("early_activity", "settled_activity"),
}
"""The lines that carry a sum from month to month, and are scaled to its real figure."""

EACH = "recurring_per_customer"
"""What a unit of activity adds to the MRR."""


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
    sources = {"mrr": ("customers",)}
    for whole, parts in PARTS.items():
        more = ("mrr", "customers") if whole == "activity" else ()
        sources |= dict.fromkeys(parts, (whole, *more))
    if is_real(venture, key, month):
        return ""
    return next((one for one in sources.get(key, ()) if is_real(venture, one, month)), "")


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
    trees = {key: formula.tree for key, formula in model.formulas.items()}
    changed = _carried(model, keys, trees)
    for key in keys:
        changed[key] = _put("where(real == real, real, it)", real=_real(key), it=changed.get(key, trees[key]))
    formulas = {key: _formula(model.formulas[key].text, tree) for key, tree in changed.items()}
    return with_formulas(model, formulas, (_given(key) for key in keys))


def _carried(model: Model, keys: Collection[str], trees: Mapping[str, ast.expr]) -> dict[str, ast.expr]:
    """The lines that are scaled to the real figures of ``keys``, with their formulas anew."""
    changed: dict[str, ast.expr] = {}

    def scale(whole: str, known: str, wanted: ast.expr, only_if: ast.expr, base: str = "") -> None:
        """Let the parts of ``whole`` add up to ``wanted``, or be what they are × wanted / the sum of ``base``."""
        parts = PARTS[whole]
        first, second = (trees[part] for part in PARTS[base or whole])
        for part, rest in zip(parts, (wanted, ast.Constant(0.0)), strict=True):
            changed[part] = _put(
                "where((real == real) * only_if, where(one + two > 0, it * wanted / (one + two), rest), before)",
                real=_real(known),
                only_if=only_if,
                one=first,
                two=second,
                it=trees[part],
                wanted=wanted,
                rest=rest,
                before=changed.get(part, trees[part]),
            )

    always: ast.expr = ast.Constant(1.0)
    if "customers" in keys and model.lines.keys() >= {*PARTS["customers"]}:
        scale("customers", "customers", _real("customers"), always)
    if not model.lines.keys() >= {*PARTS["activity"], "activity", EACH, "mrr"}:
        return changed
    if PARTS["customers"][0] in changed:
        scale("activity", "customers", _real("customers"), always, base="customers")
        changed["mrr"] = _put(
            f"where(real == real, activity * {EACH}, it)", real=_real("customers"), it=trees["mrr"]
        )
    if "mrr" in keys:
        scale("activity", "mrr", _put(f"real / {EACH}", real=_real("mrr")), _put(f"{EACH} > 0"))
    if "activity" in keys:
        scale("activity", "activity", _real("activity"), always)
    return changed


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


def _real(key: str) -> ast.expr:
    return ast.Name(_given(key), ast.Load())


def _put(text: str, **trees: ast.expr) -> ast.expr:
    """The formula in ``text`` with trees in the place of some names. NaN alone does not equal itself."""
    found: ast.expr = _Put(trees).visit(ast.parse(text, mode="eval").body)
    return found


class _Put(ast.NodeTransformer):
    def __init__(self, trees: Mapping[str, ast.expr]) -> None:
        self.trees = trees

    def visit_Call(self, node: ast.Call) -> ast.expr:
        node.args = [self.visit(argument) for argument in node.args]
        return node

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.trees.get(node.id, node)


def _formula(text: str, tree: ast.expr) -> Formula:
    """The tree with the names that it reads; ``text`` stays what the founder reads."""
    names: dict[str, set[str]] = {"now": set(), "prev": set(), "cumulative": set()}

    def collect(node: ast.AST, where: str) -> None:
        if isinstance(node, ast.Name):
            names[where].add(node.id)
        elif isinstance(node, ast.Call):
            assert isinstance(node.func, ast.Name)
            for argument in node.args:
                collect(argument, node.func.id if node.func.id in names else where)
        else:
            for child in ast.iter_child_nodes(node):
                collect(child, where)

    collect(tree, "now")
    return Formula(text, tree, *(frozenset(found) for found in names.values()))

"""The engine: every line of a model, for every month and every draw at once.

All arrays have shape (months + 1, draws): row 0 is the opening value, rows 1 … are the months, so
``prev(x)`` is the same array one row up and costs nothing. The checked syntax trees are turned into
Python functions once per model, which do no work twice: what holds for all months is computed first, a
factor that is always 1 is left out, and a sum or product is computed in the place of its line. Only the
lines that are asked for, and those that go into them, are computed.

Few draws are computed a line at a time: a line that does not need its own past is one whole-array NumPy
expression, the others are walked month by month. For many draws all lines are walked together, a month
at a time, in blocks of :data:`BLOCK` draws; of a line that nobody asked for only this month and the last
are held, so that everything a month needs stays in the processor's cache. Both ways do the same
operations on each number and give the same.
"""

import ast
import copy
import itertools
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.finance.formula import Formula
from core.finance.model import Model, Step
from core.i18n import Refusal

Array = NDArray[np.float64]
Lines = dict[str, Array]
Rows = Array | list[Array]
"""A line as its rows: an array, or a list of rows."""

BLOCK = 4096
FEW = 1024
"""From more draws than this on, a month at a time is faster than a line at a time."""


def evaluate(
    model: Model, drivers: Mapping[str, Array], months: int, keep: Iterable[str] | None = None
) -> Lines:
    """The lines of ``model`` (those in ``keep``, or all), each of shape (months + 1, draws).

    ``drivers`` holds one value per draw for every driver, shape (draws,). Raises :class:`Refusal` where
    a line that is asked for has no finite value, naming the first line at fault.
    """
    draws = max((len(values) for values in drivers.values()), default=1)
    wanted = tuple(model.lines) if keep is None else tuple(keep)
    out = {model.lines[key].key: np.empty((months + 1, draws)) for key in wanted}
    for start in range(0, draws, BLOCK):
        part = slice(start, start + BLOCK)
        block = {key: values[part] for key, values in drivers.items()}
        found = {key: array[:, part] for key, array in out.items()}
        _fill(found, model, block, months)
        with np.errstate(over="ignore", invalid="ignore"):
            finite = all(np.isfinite(array.sum()) for array in found.values())
        if not finite:
            _refuse_fault(model, block, months, wanted)
    return out


def _fill(out: Lines, model: Model, drivers: Mapping[str, Array], months: int) -> None:
    """Compute the lines of ``out`` in their place, and what goes into them."""
    draws = max((len(values) for values in drivers.values()), default=1)
    scope: dict[str, Any] = {**drivers, **{key: np.float64(c.value) for key, c in model.constants.items()}}
    arrays: dict[str, Rows] = {"month": np.arange(months + 1, dtype=np.float64)[:, None]}
    openings = _openings(model)
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
                arrays[key][0][...] = openings[key](scope, arrays) if key in openings else 0.0
            _program(model, step)(scope, arrays)


def _in_turn(months: int, draws: int) -> list[Array]:
    """Two rows that take turns: each month overwrites the month before the last."""
    rows = np.empty((2, draws))
    return [rows[month % 2] for month in range(months + 1)]


def _refuse_fault(model: Model, drivers: Mapping[str, Array], months: int, wanted: tuple[str, ...]) -> None:
    """Refuse the first line that is not finite; return where finite numbers only had no finite sum."""
    draws = max((len(values) for values in drivers.values()), default=1)
    steps = _steps(model, wanted, together=False)
    lines = {key: np.empty((months + 1, draws)) for step in steps for key in step.lines}
    _fill(lines, model, drivers, months)
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
    for step in reversed(model.steps):
        if not needed.isdisjoint(step.lines):
            needed.update(name for key in step.lines for name in model.formulas[key].names)
            found.append(step)
    if together:
        return (Step(tuple(key for step in reversed(found) for key in step.lines), walked=True),)
    return tuple(reversed(found))


@lru_cache(maxsize=64)
def _cumulated(model: Model) -> frozenset[str]:
    """The lines whose past is summed, all of which is held."""
    return frozenset(name for formula in model.formulas.values() for name in formula.cumulated)


Program = Callable[[dict[str, Any], dict[str, Rows]], Any]


@lru_cache(maxsize=64)
def _openings(model: Model) -> dict[str, Program]:
    return {key: _expression(formula, model) for key, formula in model.openings.items()}


@lru_cache(maxsize=2048)
def _program(model: Model, step: Step) -> Program:
    """A function that fills the arrays of a step: ``run(scope, arrays)``.

    A walked step goes through the rows of all its arrays together::

        for (t, now_a, last_a, now_b) in zip(count(1), v_a[1:], v_a, v_b[1:]): …
    """
    emit = _Emit(model, step.walked)
    body: list[ast.stmt] = []
    for key in step.lines:
        value = emit.visit(copy.deepcopy(model.formulas[key].tree))
        body.append(_filled(ast.Name(emit.row(key, "now"), ast.Load()), value))
    rows = [(ast.Name(name, ast.Store()), _rows(line, when)) for (line, when), name in emit.rows.items()]
    if step.walked:
        names: list[ast.expr] = [ast.Name("t", ast.Store()), *(name for name, _ in rows)]
        columns: list[ast.expr] = [_call("count", ast.Constant(1)), *(array for _, array in rows)]
        body = [ast.For(ast.Tuple(names, ast.Store()), _call("zip", *columns), body, [])]
    else:
        body = [*(ast.Assign([name], array) for name, array in rows), *body]
    known = {name for key in step.lines for name in model.formulas[key].names}
    return _function(model, sorted(known | set(step.lines)), [*emit.before, *body])


def _expression(formula: Formula, model: Model) -> Program:
    """An opening value: ``run(scope, arrays) -> shape (draws,)``."""
    emit = _Emit(model, walked=False)
    value = emit.visit(copy.deepcopy(formula.tree))
    return _function(model, sorted(formula.names), [*emit.before, ast.Return(value)])


def _function(model: Model, names: list[str], body: list[ast.stmt]) -> Program:
    """``def run(scope, arrays)``: bind every name to a local, then ``body``."""
    bind: list[ast.stmt] = []
    for name in names:
        home = "arrays" if name in model.lines or name == "month" else "scope"
        bind.append(
            ast.Assign(
                [ast.Name(_safe(name), ast.Store())],
                ast.Subscript(ast.Name(home, ast.Load()), ast.Constant(name), ast.Load()),
            )
        )
    arguments = ast.arguments([], [ast.arg(a) for a in ("scope", "arrays")], None, [], [], None, [])
    function = ast.FunctionDef("run", arguments, [*bind, *body], [], None)
    function.type_params = []  # type: ignore[attr-defined]  # needed from Python 3.12 on
    module = ast.fix_missing_locations(ast.Module([function], []))
    scope: dict[str, Any] = dict(_RUNTIME)
    exec(compile(module, "<model>", "exec"), scope)
    run: Program = scope["run"]
    return run


_RUNTIME: dict[str, Any] = {
    "__builtins__": {},
    "zip": zip,
    "count": itertools.count,
    "f_number": np.float64,
    "f_add": np.add,
    "f_subtract": np.subtract,
    "f_multiply": np.multiply,
    "f_divide": np.divide,
    "f_where": np.where,
    "f_min": np.minimum,
    "f_max": np.maximum,
    "f_ceil": lambda x: np.ceil(np.asarray(x) - 1e-9),
    "f_floor": lambda x: np.floor(np.asarray(x) + 1e-9),
    "f_exp": np.exp,
    "f_log": np.log,
    "f_sqrt": np.sqrt,
    "f_and": np.logical_and,
    "f_or": np.logical_or,
    "f_not": np.logical_not,
    "f_sum": lambda x: np.cumsum(x[1:], axis=0),
    "f_sum_to": lambda x, t: x[1 : t + 1].sum(axis=0),
}

_IN_PLACE: dict[type[ast.operator], str] = {
    ast.Add: "f_add",
    ast.Sub: "f_subtract",
    ast.Mult: "f_multiply",
    ast.Div: "f_divide",
}


def _filled(rows: ast.expr, value: ast.expr) -> ast.stmt:
    """``rows`` filled with ``value``: sums and products are computed right there, all else is copied."""
    value = _computed_in(rows, value)
    if isinstance(value, ast.Call) and value.args[-1] is rows:
        return ast.Expr(value)
    return ast.Assign([ast.Subscript(rows, ast.Constant(...), ast.Store())], value)


def _computed_in(rows: ast.expr, value: ast.expr) -> ast.expr:
    """``value`` with its last operation, and one operand of each, computed in ``rows``, which it never reads."""
    if not isinstance(value, ast.BinOp) or type(value.op) not in _IN_PLACE:
        return value
    left, right = value.left, value.right
    if isinstance(left, ast.BinOp):
        left = _computed_in(rows, left)
    else:
        right = _computed_in(rows, right)
    return _call(_IN_PLACE[type(value.op)], left, right, rows)


def _rows(line: str, when: str) -> ast.expr:
    """The rows of a line in all months (``now``), or in the months before them (``last``)."""
    part = ast.Slice(ast.Constant(1), None) if when == "now" else ast.Slice(None, ast.Constant(-1))
    return ast.Subscript(ast.Name(_safe(line), ast.Load()), part, ast.Load())


def _safe(name: str) -> str:
    return f"v_{name}"


def _call(function: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(function, ast.Load()), list(arguments), [])


class _Emit(ast.NodeTransformer):
    """A checked formula as an expression over rows; its tree is a copy, for it is changed.

    ``rows`` collects the rows that the expression reads, by line and month (``now``, ``last``), with
    the names that it gives them; ``before`` the statements that hold for all months.
    """

    def __init__(self, model: Model, walked: bool) -> None:
        self.model = model
        self.walked = walked
        self.rows: dict[tuple[str, str], str] = {}
        self.before: list[ast.stmt] = []
        self.known: dict[str, str] = {}

    def row(self, line: str, when: str) -> str:
        return self.rows.setdefault((line, when), f"{when}_{line}")

    def visit(self, node: ast.AST) -> Any:
        if isinstance(node, ast.Name) or not self._holds_for_all_months(node):
            return super().visit(node)
        text = ast.dump(node)
        if text not in self.known:
            value = super().visit(node)
            if isinstance(value, ast.Name):
                return value
            self.known[text] = f"h_{len(self.known)}"
            self.before.append(ast.Assign([ast.Name(self.known[text], ast.Store())], value))
        return ast.Name(self.known[text], ast.Load())

    def _holds_for_all_months(self, node: ast.AST) -> bool:
        names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
        return isinstance(node, ast.expr) and names.isdisjoint(self.model.lines) and "month" not in names

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id in self.model.lines or node.id == "month":
            return self._row(node.id, "now")
        return ast.Name(_safe(node.id), ast.Load())

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        """A NumPy number: Python's own would raise where NumPy gives inf, and be folded when compiled."""
        return _call("f_number", ast.Constant(float(node.value)))  # type: ignore[arg-type]

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        left: ast.expr = self.visit(node.left)
        right: ast.expr = self.visit(node.right)
        if isinstance(node.op, ast.Mult | ast.Div) and self._is_one(node.right):
            return left
        if isinstance(node.op, ast.Mult) and self._is_one(node.left):
            return right
        return ast.BinOp(left, node.op, right)

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        found = ast.Compare(self.visit(node.left), node.ops, [self.visit(node.comparators[0])])
        return ast.BinOp(ast.Constant(1.0), ast.Mult(), found)

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        joined: ast.expr = self.visit(node.values[0])
        function = "f_and" if isinstance(node.op, ast.And) else "f_or"
        for value in node.values[1:]:
            joined = _call(function, joined, self.visit(value))
        return ast.BinOp(ast.Constant(1.0), ast.Mult(), joined)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        if isinstance(node.op, ast.Not):
            return ast.BinOp(ast.Constant(1.0), ast.Mult(), _call("f_not", self.visit(node.operand)))
        return ast.UnaryOp(node.op, self.visit(node.operand))

    def visit_Call(self, node: ast.Call) -> ast.expr:
        assert isinstance(node.func, ast.Name)
        name = node.func.id
        if name in ("prev", "cumulative"):
            (inner,) = node.args
            assert isinstance(inner, ast.Name)
            if name == "prev":
                return self._row(inner.id, "last")
            whole = ast.Name(_safe(inner.id), ast.Load())
            return (
                _call("f_sum_to", whole, ast.Name("t", ast.Load())) if self.walked else _call("f_sum", whole)
            )
        arguments: list[ast.expr] = [self.visit(argument) for argument in node.args]
        if name in ("min", "max"):
            joined = arguments[0]
            for argument in arguments[1:]:
                joined = _call(f"f_{name}", joined, argument)
            return joined
        return _call(f"f_{name}", *arguments)

    def _row(self, line: str, when: str) -> ast.expr:
        return ast.Name(self.row(line, when), ast.Load())

    def _is_one(self, node: ast.expr) -> bool:
        constant = self.model.constants.get(node.id) if isinstance(node, ast.Name) else None
        return constant is not None and constant.value == 1

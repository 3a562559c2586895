"""Formulas as Python functions over rows: how the engine runs a model.

A checked syntax tree becomes a NumPy expression over the rows of the lines, compiled once per model. It
does no work twice: what holds for all months is computed before the months are walked, a factor that is
always 1 is left out, and a sum or product is computed in the place of its line. What a program does with
each number is what the formula says, in its order.
"""

import ast
import copy
import itertools
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.finance.model import Model, Step

Array = NDArray[np.float64]
Rows = Array | list[Array]
"""A line as its rows, the opening first: an array of shape (months + 1, draws), or a list of rows."""

Program = Callable[[Mapping[str, Any], Mapping[str, Rows]], Any]
"""``run(scope, arrays)``: ``scope`` holds drivers and constants, ``arrays`` the lines and what is given by month."""


@lru_cache(maxsize=2048)
def program_of(model: Model, step: Step, together: bool) -> Program:
    """A function that fills the rows of the lines of a step.

    A walked step goes through the rows of all its lines together::

        for (t, now_a, last_a, now_b) in zip(count(1), v_a[1:], v_a[:-1], v_b[1:]): …

    ``together`` puts lines that are the same in all months into the others, as expressions of drivers.
    """
    emit = _Emit(model, step.walked)
    for key in _steady_into(model, step) if together else ():
        emit.steady[key] = emit.visit(copy.deepcopy(model.formulas[key].tree))
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
    return _function(model, sorted(emit.names), [*emit.before, *body])


@lru_cache(maxsize=2048)
def opening_of(model: Model, line: str) -> Program | None:
    """A function that gives the opening value of a line, shape (draws,); None where it opens at 0."""
    if line not in model.openings:
        return None
    emit = _Emit(model, walked=False)
    value = emit.visit(copy.deepcopy(model.openings[line].tree))
    return _function(model, sorted(emit.names), [*emit.before, ast.Return(value)])


@lru_cache(maxsize=64)
def steady_lines(model: Model) -> tuple[str, ...]:
    """The lines that are the same in all months, in order: they go into others as expressions of drivers."""
    found: list[str] = []
    for step in model.steps:
        for key in step.lines:
            formula = model.formulas[key]
            moving = (formula.now & (model.given | model.lines.keys())).difference(found)
            if not (moving or formula.before or formula.cumulated):
                found.append(key)
    return tuple(found)


def _steady_into(model: Model, step: Step) -> list[str]:
    """The steady lines that go into a step, in order."""
    names = {name for key in step.lines for name in model.formulas[key].now}
    found = []
    for key in reversed(steady_lines(model)):
        if key in names:
            names |= model.formulas[key].now
            found.append(key)
    return found[::-1]


def _function(model: Model, names: list[str], body: list[ast.stmt]) -> Program:
    """``def run(scope, arrays)``: bind every name to a local, then ``body``."""
    bind: list[ast.stmt] = []
    for name in names:
        home = "arrays" if name in model.lines or name in model.given else "scope"
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
    the names that it gives them; ``names`` all that it reads; ``before`` the statements that hold for
    all months; ``steady`` what stands for a steady line.
    """

    def __init__(self, model: Model, walked: bool) -> None:
        self.model = model
        self.walked = walked
        self.rows: dict[tuple[str, str], str] = {}
        self.names: set[str] = set()
        self.before: list[ast.stmt] = []
        self.held: dict[str, str] = {}
        self.steady: dict[str, ast.expr] = {}

    def row(self, line: str, when: str) -> str:
        self.names.add(line)
        return self.rows.setdefault((line, when), f"{when}_{line}")

    def visit(self, node: ast.AST) -> Any:
        """Computed before the walk, once however often it stands there, if it holds for all months."""
        if isinstance(node, ast.Name) or not isinstance(node, ast.expr):
            return super().visit(node)
        if any(isinstance(part, ast.Name) and self._moves(part.id) for part in ast.walk(node)):
            return super().visit(node)
        text = ast.dump(node)
        if text not in self.held:
            value = super().visit(node)
            if isinstance(value, ast.Name):
                return value
            self.held[text] = f"h_{len(self.held)}"
            self.before.append(ast.Assign([ast.Name(self.held[text], ast.Store())], value))
        return ast.Name(self.held[text], ast.Load())

    def _moves(self, name: str) -> bool:
        """Whether what a name stands for differs from month to month."""
        if name in self.steady:
            return False
        return name in self.model.lines or name in self.model.given or name in ("prev", "cumulative")

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if self._moves(node.id):
            return self._row(node.id, "now")
        return self.steady[node.id] if node.id in self.steady else self._whole(node.id)

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
        return ast.BinOp(ast.Constant(1.0), ast.Mult(), self._truth(node))

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
            if self.walked:
                return _call("f_sum_to", self._whole(inner.id), ast.Name("t", ast.Load()))
            return _call("f_sum", self._whole(inner.id))
        if name == "where" and isinstance(node.args[0], ast.Compare):
            return _call("f_where", self._truth(node.args[0]), *map(self.visit, node.args[1:]))
        arguments: list[ast.expr] = [self.visit(argument) for argument in node.args]
        if name in ("min", "max"):
            joined = arguments[0]
            for argument in arguments[1:]:
                joined = _call(f"f_{name}", joined, argument)
            return joined
        return _call(f"f_{name}", *arguments)

    def _truth(self, node: ast.Compare) -> ast.expr:
        """A comparison as NumPy's own truth values."""
        return ast.Compare(self.visit(node.left), node.ops, [self.visit(node.comparators[0])])

    def _whole(self, name: str) -> ast.expr:
        self.names.add(name)
        return ast.Name(_safe(name), ast.Load())

    def _row(self, line: str, when: str) -> ast.expr:
        return ast.Name(self.row(line, when), ast.Load())

    def _is_one(self, node: ast.expr) -> bool:
        constant = self.model.constants.get(node.id) if isinstance(node, ast.Name) else None
        return constant is not None and constant.value == 1

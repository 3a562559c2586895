"""The engine: every line of a model, for every month and every draw at once.

All arrays have shape (months + 1, draws): row 0 is the opening value, rows 1 … are the months, so
``prev(x)`` is the same array one row up and costs nothing. A line that does not need its own past
is one whole-array NumPy expression; the others are walked month by month, all draws of a month at
once. The checked syntax trees are turned into Python functions once per model.

Draws come in blocks of :data:`BLOCK` that stay in the processor's cache.
"""

import ast
import copy
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

BLOCK = 512


def evaluate(
    model: Model, drivers: Mapping[str, Array], months: int, keep: Iterable[str] | None = None
) -> Lines:
    """The lines of ``model`` (those in ``keep``, or all), each of shape (months + 1, draws).

    ``drivers`` holds one value per draw for every driver, shape (draws,). Raises :class:`Refusal`
    naming the line whose value is not a finite number.
    """
    draws = max((len(values) for values in drivers.values()), default=1)
    wanted = list(model.lines) if keep is None else list(keep)
    if draws <= BLOCK:
        return _block(model, drivers, months, draws, wanted)
    out = {key: np.empty((months + 1, draws)) for key in wanted}
    for start in range(0, draws, BLOCK):
        part = slice(start, min(start + BLOCK, draws))
        block = {key: values[part] for key, values in drivers.items()}
        for key, array in _block(model, block, months, part.stop - start, wanted).items():
            out[key][:, part] = array
    return out


def _block(model: Model, drivers: Mapping[str, Array], months: int, draws: int, wanted: list[str]) -> Lines:
    scope: dict[str, Any] = {**drivers, **{key: np.float64(c.value) for key, c in model.constants.items()}}
    arrays: Lines = {"month": np.arange(months + 1, dtype=np.float64)[:, None]}
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        for key in model.lines:
            arrays[key] = np.zeros((months + 1, draws))
        for key, opening in _openings(model).items():
            arrays[key][0] = opening(scope, arrays, 0)
        for step, run in zip(model.steps, _programs(model), strict=True):
            run(scope, arrays, months)
            for key in step.lines:
                if not np.isfinite(arrays[key].sum()):
                    _find_fault(model, step, arrays)
    return {key: arrays[key] for key in wanted}


def _find_fault(model: Model, step: Step, arrays: Lines) -> None:
    for key in step.lines:
        bad = ~np.isfinite(arrays[key]).all(axis=1)
        if bad.any():
            raise Refusal(
                "The line “{name}” has no finite value in month {month}: a number is too large or something is divided by zero.",
                name=model.lines[key].label,
                month=int(bad.argmax()),
            )


Program = Callable[[dict[str, Any], Lines, int], Any]


@lru_cache(maxsize=64)
def _programs(model: Model) -> tuple[Program, ...]:
    return tuple(_compiled(model, step) for step in model.steps)


@lru_cache(maxsize=64)
def _openings(model: Model) -> dict[str, Program]:
    return {key: _expression(formula, model) for key, formula in model.openings.items()}


def _compiled(model: Model, step: Step) -> Program:
    """A function that fills the arrays of a step: ``run(scope, arrays, months)``."""
    names = sorted({n for key in step.lines for n in model.formulas[key].names} | set(step.lines))
    body: list[ast.stmt] = []
    if step.walked:
        index: ast.expr = ast.Name("t", ast.Load())
        inner: list[ast.stmt] = []
        for key in step.lines:
            value = _emitted(model.formulas[key], model, walked=True)
            inner.append(ast.Assign([ast.Subscript(_name(key), index, ast.Store())], value))
        body.append(
            ast.For(
                ast.Name("t", ast.Store()),
                ast.Call(
                    _name("range"),
                    [ast.Constant(1), ast.BinOp(_name("months"), ast.Add(), ast.Constant(1))],
                    [],
                ),
                inner,
                [],
            )
        )
    else:
        (key,) = step.lines
        value = _emitted(model.formulas[key], model, walked=False)
        body.append(ast.Assign([ast.Subscript(_name(key), ast.Slice(ast.Constant(1)), ast.Store())], value))
    return _function(model, names, body)


def _expression(formula: Formula, model: Model) -> Program:
    """An opening value: ``run(scope, arrays, _) -> shape (draws,)``."""
    value = _emitted(formula, model, walked=True)
    return _function(model, sorted(formula.names), [ast.Return(value)])


def _function(model: Model, names: list[str], body: list[ast.stmt]) -> Program:
    """``def run(scope, arrays, months)``: bind every name to a local, then ``body``."""
    bind: list[ast.stmt] = []
    for name in names:
        home = "arrays" if name in model.lines or name == "month" else "scope"
        bind.append(
            ast.Assign(
                [ast.Name(_safe(name), ast.Store())],
                ast.Subscript(ast.Name(home, ast.Load()), ast.Constant(name), ast.Load()),
            )
        )
    arguments = ast.arguments([], [ast.arg(a) for a in ("scope", "arrays", "months")], None, [], [], None, [])
    function = ast.FunctionDef("run", arguments, [*bind, *body], [], None)
    function.type_params = []  # type: ignore[attr-defined]  # needed from Python 3.12 on
    module = ast.fix_missing_locations(ast.Module([function], []))
    scope: dict[str, Any] = dict(_RUNTIME)
    exec(compile(module, "<model>", "exec"), scope)
    run: Program = scope["run"]
    return run


_RUNTIME: dict[str, Any] = {
    "__builtins__": {},
    "range": range,
    "f_number": np.float64,
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


def _safe(name: str) -> str:
    return f"v_{name}"


def _name(name: str) -> ast.Name:
    return ast.Name(name if name in ("range", "months") else _safe(name), ast.Load())


def _emitted(formula: Formula, model: Model, walked: bool) -> ast.expr:
    """The formula over the arrays; of a copy, since a transformer changes the tree it walks."""
    emitted: ast.expr = _Emit(model, walked).visit(copy.deepcopy(formula.tree))
    return emitted


class _Emit(ast.NodeTransformer):
    """A checked formula as an expression over the arrays: row ``t`` when walked, rows 1 … else."""

    def __init__(self, model: Model, walked: bool) -> None:
        self.model = model
        self.walked = walked

    def _rows(self, name: str, back: bool) -> ast.expr:
        index: ast.expr
        if self.walked:
            index = ast.Name("t", ast.Load())
            if back:
                index = ast.BinOp(index, ast.Sub(), ast.Constant(1))
        else:
            index = ast.Slice(None, ast.Constant(-1)) if back else ast.Slice(ast.Constant(1), None)
        return ast.Subscript(_name(name), index, ast.Load())

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id in self.model.lines or node.id == "month":
            return self._rows(node.id, back=False)
        return _name(node.id)

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        """A NumPy number: Python's own would raise where NumPy gives inf, and be folded when compiled."""
        return self._call("f_number", ast.Constant(float(node.value)))  # type: ignore[arg-type]

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        found = ast.Compare(self.visit(node.left), node.ops, [self.visit(node.comparators[0])])
        return ast.BinOp(ast.Constant(1.0), ast.Mult(), found)

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        joined: ast.expr = self.visit(node.values[0])
        function = "f_and" if isinstance(node.op, ast.And) else "f_or"
        for value in node.values[1:]:
            joined = self._call(function, joined, self.visit(value))
        return ast.BinOp(ast.Constant(1.0), ast.Mult(), joined)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        if isinstance(node.op, ast.Not):
            return ast.BinOp(ast.Constant(1.0), ast.Mult(), self._call("f_not", self.visit(node.operand)))
        return ast.UnaryOp(node.op, self.visit(node.operand))

    def visit_Call(self, node: ast.Call) -> ast.expr:
        assert isinstance(node.func, ast.Name)
        name = node.func.id
        if name in ("prev", "cumulative"):
            (inner,) = node.args
            assert isinstance(inner, ast.Name)
            if name == "prev":
                return self._rows(inner.id, back=True)
            if self.walked:
                return self._call("f_sum_to", _name(inner.id), ast.Name("t", ast.Load()))
            return self._call("f_sum", _name(inner.id))
        arguments: list[ast.expr] = [self.visit(argument) for argument in node.args]
        if name in ("min", "max"):
            joined = arguments[0]
            for argument in arguments[1:]:
                joined = self._call(f"f_{name}", joined, argument)
            return joined
        return self._call(f"f_{name}", *arguments)

    def _call(self, function: str, *arguments: ast.expr) -> ast.expr:
        return ast.Call(ast.Name(function, ast.Load()), list(arguments), [])

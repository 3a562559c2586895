"""A reading of the formula language for spreadsheets: the checked syntax tree as Excel text.

The text gives what the engine gives, and keeps what makes a formula lazy: ``where``, ``and`` and
``or`` become ``IF``, which leaves what it does not choose uncomputed, so ``where(x > 0, y / x, 0)``
shows no ``#DIV/0!``. Where the two languages differ, the text says more than the formula:

- a comparison is 1 or 0, not TRUE or FALSE, wherever its value counts;
- Excel negates before it raises to a power and raises from the left, Python does neither;
- ``0 ** 0`` is 1, which Excel refuses;
- ``ceil`` and ``floor`` forgive an error of 1e-9, as the engine does.

Excel has no infinity: where the engine passes through one on the way to a number
(``min(1 / 0, 5)`` is 5), a sheet shows an error.
"""

import ast
from collections.abc import Callable
from typing import Literal, NamedTuple

from core.finance.formula import Formula
from core.i18n import Refusal

When = Literal["now", "before", "so far"]
"""Which value of a name is meant: this month's, last month's (``prev``), the sum of the months so far."""

MAX_LENGTH = 8192
MAX_NESTING = 64
"""What Excel takes: characters of a formula, and functions within functions."""


def excel(formula: Formula, cell_of: Callable[[str, When], str]) -> str:
    """The formula as Excel text without the leading ``=``; ``cell_of`` writes each name as a reference.

    Raises :class:`Refusal` for a formula beyond :data:`MAX_LENGTH` or :data:`MAX_NESTING`.
    """
    found = _Writer(cell_of).value(formula.tree)
    if len(found.text) >= MAX_LENGTH or found.nesting > MAX_NESTING:
        raise Refusal("The formula is too long or too deeply nested for a spreadsheet.")
    return found.text


class _Piece(NamedTuple):
    """Some Excel text, how tightly it binds (a rank below) and how many functions it nests."""

    text: str
    binds: int
    nesting: int = 0


_COMPARE, _ADD, _MULTIPLY, _POWER, _NEGATE, _WHOLE = range(6)
"""Ranks in Excel's order: a minus before a number binds tighter than ``^``."""

_BINARY: dict[type[ast.operator], tuple[str, int]] = {
    ast.Add: ("+", _ADD),
    ast.Sub: ("-", _ADD),
    ast.Mult: ("*", _MULTIPLY),
    ast.Div: ("/", _MULTIPLY),
}
_COMPARISON: dict[type[ast.cmpop], str] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "=",
    ast.NotEq: "<>",
}
_FUNCTION = {"min": "MIN", "max": "MAX", "exp": "EXP", "log": "LN", "sqrt": "SQRT"}
_TOLERANCE = "0.000000001"


class _Writer:
    def __init__(self, cell_of: Callable[[str, When], str]) -> None:
        self.cell_of = cell_of

    def value(self, node: ast.expr) -> _Piece:
        """The node as a number."""
        if isinstance(node, ast.Constant):
            return _Piece(_number(float(node.value)), _WHOLE)  # type: ignore[arg-type]
        if isinstance(node, ast.Name):
            return _Piece(self.cell_of(node.id, "now"), _WHOLE)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.UAdd):
            return self.value(node.operand)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            operand = self.value(node.operand)
            return _Piece("-" + _inside(operand, _WHOLE), _NEGATE, operand.nesting)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
            return self._power(node)
        if isinstance(node, ast.BinOp):
            sign, rank = _BINARY[type(node.op)]
            left, right = self.value(node.left), self.value(node.right)
            text = f"{_inside(left, rank)}{sign}{_inside(right, rank + 1, after=True)}"
            return _Piece(text, rank, max(left.nesting, right.nesting))
        if isinstance(node, ast.Call):
            return self._call(node)
        if isinstance(node, ast.BoolOp):
            return self._lazily(node, node.values, as_number=True)
        return _call("IF", self.truth(node), _ONE, _ZERO)

    def truth(self, node: ast.expr) -> _Piece:
        """The node as a condition: what is not 0 holds."""
        if isinstance(node, ast.Compare):
            left, right = self.value(node.left), self.value(node.comparators[0])
            sign = _COMPARISON[type(node.ops[0])]
            text = f"{_inside(left, _ADD)}{sign}{_inside(right, _ADD)}"
            return _Piece(text, _COMPARE, max(left.nesting, right.nesting))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return _call("NOT", self.truth(node.operand))
        if isinstance(node, ast.BoolOp):
            return self._lazily(node, node.values, as_number=False)
        number = self.value(node)
        return _Piece(f"{_inside(number, _ADD)}<>0", _COMPARE, number.nesting)

    def _lazily(self, node: ast.BoolOp, values: list[ast.expr], as_number: bool) -> _Piece:
        """``and`` and ``or`` as IF, halved at each step so that many values nest little."""
        if len(values) == 1:
            truth = self.truth(values[0])
            return _call("IF", truth, _ONE, _ZERO) if as_number else truth
        first = self._lazily(node, values[: len(values) // 2], as_number=False)
        rest = self._lazily(node, values[len(values) // 2 :], as_number)
        if isinstance(node.op, ast.And):
            return _call("IF", first, rest, _ZERO if as_number else _FALSE)
        return _call("IF", first, _ONE if as_number else _TRUE, rest)

    def _power(self, node: ast.BinOp) -> _Piece:
        base, exponent = self.value(node.left), self.value(node.right)
        text = f"{_inside(base, _WHOLE)}^{_inside(exponent, _WHOLE)}"
        power = _Piece(text, _POWER, max(base.nesting, exponent.nesting))
        if _is_not_zero(node.left) or _is_not_zero(node.right):
            return power
        return _call("IF", _Piece(f"{_inside(exponent, _ADD)}=0", _COMPARE, exponent.nesting), _ONE, power)

    def _call(self, node: ast.Call) -> _Piece:
        assert isinstance(node.func, ast.Name)
        name = node.func.id
        if name in ("prev", "cumulative"):
            (inner,) = node.args
            assert isinstance(inner, ast.Name)
            when: When = "before" if name == "prev" else "so far"
            return _Piece(self.cell_of(inner.id, when), _WHOLE, int(name == "cumulative"))
        if name == "where":
            return _call("IF", self.truth(node.args[0]), *map(self.value, node.args[1:]))
        if name in ("ceil", "floor"):
            number = self.value(node.args[0])
            if name == "floor":
                return _call("INT", _Piece(f"{_inside(number, _ADD)}+{_TOLERANCE}", _ADD, number.nesting))
            turned = _Piece(f"{_TOLERANCE}-{_inside(number, _MULTIPLY, after=True)}", _ADD, number.nesting)
            whole = _call("INT", turned)  # rounds down, so that its negative rounds up
            return _Piece("-" + whole.text, _NEGATE, whole.nesting)
        return _call(_FUNCTION[name], *map(self.value, node.args))


_ONE, _ZERO, _TRUE, _FALSE = (_Piece(text, _WHOLE) for text in ("1", "0", "TRUE", "FALSE"))


def _call(function: str, *arguments: _Piece) -> _Piece:
    text = ",".join(argument.text for argument in arguments)
    return _Piece(f"{function}({text})", _WHOLE, 1 + max(argument.nesting for argument in arguments))


def _inside(piece: _Piece, rank: int, after: bool = False) -> str:
    """The piece as a part of something that binds as tightly as ``rank``, in brackets where it must.

    ``after`` a sign, a minus is in brackets too, for people's sake.
    """
    loose = piece.binds < rank or (after and piece.binds == _NEGATE)
    return f"({piece.text})" if loose else piece.text


def _number(value: float) -> str:
    """A literal that Excel reads: "12", "0.05", "1E+30"."""
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return repr(value).upper()


def _is_not_zero(node: ast.expr) -> bool:
    """Whether the node is a written number other than 0."""
    while isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        node = node.operand
    return isinstance(node, ast.Constant) and node.value != 0

"""The language of the model's formulas: a small, checked subset of Python expressions.

A formula is arithmetic (``+ - * / **``), comparisons, ``and or not``, and the functions of
:data:`FUNCTIONS`; its names are drivers, lines, constants and ``month`` (1, 2, 3 … in months).
``prev(x)`` is last month's value of a line (its opening value in month 1) and ``cumulative(x)`` the
sum of a flow from month 1 to now.

Text is parsed with :mod:`ast` and every node is checked against a list of what is allowed;
anything else is refused with its position and the reason. Only then is it compiled. Nothing a
founder types is ever evaluated unchecked.

The unit of a formula follows from the units of its names; adding what does not fit is refused too.
"""

import ast
import keyword
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from core.finance.units import MAX_DEGREE, Unit, degree, same, spelled, unit
from core.i18n import Refusal

MAX_LENGTH = 1000
MAX_NODES = 300

FUNCTIONS: dict[str, tuple[int, int]] = {
    "where": (3, 3),
    "min": (2, 8),
    "max": (2, 8),
    "ceil": (1, 1),
    "floor": (1, 1),
    "exp": (1, 1),
    "log": (1, 1),
    "sqrt": (1, 1),
    "prev": (1, 1),
    "cumulative": (1, 1),
}
"""Each function with the least and the most arguments it takes."""


class FormulaRefusal(Refusal):
    """A formula that is not taken; ``at`` is the place of the fault, in characters from 0."""

    def __init__(self, message: str, at: int, **values: object) -> None:
        self.at = at
        super().__init__(message, **values)


@dataclass(frozen=True)
class Formula:
    """A checked formula: its text, its syntax tree and the names it uses.

    ``now`` are names needed at the same month, ``before`` the lines needed at the month before.
    """

    text: str
    tree: ast.expr
    now: frozenset[str]
    before: frozenset[str]
    cumulated: frozenset[str]

    @property
    def names(self) -> frozenset[str]:
        return self.now | self.before | self.cumulated


@lru_cache(maxsize=2048)
def parse(text: str) -> Formula:
    """The formula in ``text``; a :class:`FormulaRefusal` that points at what is not allowed."""
    if not text.strip():
        raise FormulaRefusal("The formula is empty.", 0)
    if len(text) > MAX_LENGTH:
        raise FormulaRefusal(
            "The formula has {length} characters; {most} are allowed.", 0, length=len(text), most=MAX_LENGTH
        )
    text = re.sub(r"\s", " ", text)  # one line, of the same length
    for place, character in enumerate(text):
        if not (character.isascii() and character.isprintable()) or character in "\\#":
            shown = character if character.isprintable() else ascii(character)[1:-1]
            raise FormulaRefusal("“{character}” is not allowed in a formula.", place, character=shown)
    lead = len(text) - len(text.lstrip())
    try:
        tree = ast.parse(text[lead:], mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        offset = getattr(error, "offset", None)  # from 1; 0 where the text ends too early
        place = len(text.rstrip()) if offset == 0 else min(lead + max(0, (offset or 1) - 1), len(text))
        raise FormulaRefusal(
            "The formula cannot be read from character {position} on.", place, position=place + 1
        ) from None
    for node in ast.walk(tree):
        if isinstance(node, ast.expr):
            node.col_offset += lead
            node.end_col_offset = (node.end_col_offset or 0) + lead
    reader = _Reader(text)
    reader.check(tree, 0)
    return Formula(text, tree, frozenset(reader.now), frozenset(reader.before), frozenset(reader.cumulated))


_BINARY: dict[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.Pow: "**",
}
_COMPARE = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)


class _Reader:
    """Walks a tree, refuses what the language does not have, and collects names."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.now: set[str] = set()
        self.before: set[str] = set()
        self.cumulated: set[str] = set()
        self.count = 0

    def check(self, node: ast.expr, depth: int) -> None:
        self.count += 1
        if self.count > MAX_NODES or depth > 40:
            raise FormulaRefusal("The formula is too long or too deeply nested.", node.col_offset)
        if isinstance(node, ast.Constant):
            if (
                isinstance(node.value, bool)
                or not isinstance(node.value, int | float)
                or not abs(node.value) <= 1e30
            ):
                raise FormulaRefusal(
                    "“{text}” is not a number that a formula may have.",
                    node.col_offset,
                    text=self._quoted(node),
                )
        elif isinstance(node, ast.Name):
            self.now.add(node.id)
        elif isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
            self.check(node.left, depth + 1)
            self.check(node.right, depth + 1)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd | ast.Not):
            self.check(node.operand, depth + 1)
        elif isinstance(node, ast.BoolOp):
            for value in node.values:
                self.check(value, depth + 1)
        elif isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], _COMPARE):
            self.check(node.left, depth + 1)
            self.check(node.comparators[0], depth + 1)
        elif isinstance(node, ast.Call):
            self._call(node, depth)
        else:
            raise FormulaRefusal(
                "“{text}” is not part of the formula language.", node.col_offset, text=self._quoted(node)
            )

    def _quoted(self, node: ast.expr) -> str:
        """The text of a node; not from :func:`ast.unparse`, which recurses as deep as the text nests."""
        return self.text[node.col_offset : node.end_col_offset][:40]

    def _call(self, node: ast.Call, depth: int) -> None:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name not in FUNCTIONS:
            raise FormulaRefusal(
                "“{name}” is not a function; allowed are {allowed}.",
                node.col_offset,
                name=self._quoted(node.func),
                allowed=", ".join(FUNCTIONS),
            )
        least, most = FUNCTIONS[name]
        if node.keywords or not least <= len(node.args) <= most:
            raise FormulaRefusal(
                "{name} takes {least} to {most} arguments.",
                node.col_offset,
                name=name,
                least=least,
                most=most,
            )
        if name in ("prev", "cumulative"):
            inner = node.args[0]
            if not isinstance(inner, ast.Name):
                raise FormulaRefusal("{name} takes the name of a line.", node.col_offset, name=name)
            (self.before if name == "prev" else self.cumulated).add(inner.id)
            return
        for argument in node.args:
            self.check(argument, depth + 1)


# Units

_MONTH = "month"


def unit_of(formula: Formula, units: Mapping[str, Unit]) -> Unit | None:
    """The unit of the formula, given those of its names (a line's ``month`` is in months).

    None is the unit of a bare 0, which fits any. Raises :class:`FormulaRefusal` where units do not fit.
    """
    return _unit(formula.tree, units)


def _unit(node: ast.expr, units: Mapping[str, Unit]) -> Unit | None:
    one = unit("1")
    if isinstance(node, ast.Constant):
        return None if node.value == 0 else one
    if isinstance(node, ast.Name):
        if node.id not in units:
            raise FormulaRefusal(
                "“{name}” is not the name of a driver or a line.", node.col_offset, name=node.id
            )
        return units[node.id]
    if isinstance(node, ast.UnaryOp):
        operand = _unit(node.operand, units)
        return one if isinstance(node.op, ast.Not) else operand
    if isinstance(node, ast.BoolOp):
        for value in node.values:
            _unit(value, units)
        return one
    if isinstance(node, ast.Compare):
        _agree(node, _unit(node.left, units), _unit(node.comparators[0], units))
        return one
    if isinstance(node, ast.Call):
        return _unit_of_call(node, units)
    assert isinstance(node, ast.BinOp)
    left, right = _unit(node.left, units), _unit(node.right, units)
    if isinstance(node.op, ast.Add | ast.Sub):
        return _agree(node, left, right)
    if isinstance(node.op, ast.Pow):
        if right is not None and not same(right, one):
            raise FormulaRefusal(
                "An exponent has no unit; this one is {unit}.", node.right.col_offset, unit=spelled(right)
            )
        if left is None or same(left, one):
            return one
        exponent = _whole(node.right)
        if exponent is None:
            raise FormulaRefusal(
                "The exponent of {unit} must be a whole number; only a number without a unit takes any.",
                node.right.col_offset,
                unit=spelled(left),
            )
        return _low(node, left**exponent)
    left, right = left if left is not None else one, right if right is not None else one
    return _low(node, left * right if isinstance(node.op, ast.Mult) else left / right)


def _whole(node: ast.expr) -> int | None:
    """The whole number that ``node`` writes, with or without a minus."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        number = _whole(node.operand)
        return None if number is None else -number
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, int) else None


def _low(node: ast.expr, found: Unit) -> Unit:
    """``found``, unless its exponents grow beyond what a plan can mean (and pint can convert)."""
    if degree(found) > MAX_DEGREE:
        raise FormulaRefusal(
            "“{text}” raises a unit beyond the power of {most}.",
            node.col_offset,
            text=ast.unparse(node)[:60],
            most=MAX_DEGREE,
        )
    return found


def _unit_of_call(node: ast.Call, units: Mapping[str, Unit]) -> Unit | None:
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    parts = [_unit(argument, units) for argument in node.args]
    if name == "where":
        return _agree(node, parts[1], parts[2])
    if name in ("min", "max"):
        result = parts[0]
        for part in parts[1:]:
            result = _agree(node, result, part)
        return result
    if name in ("exp", "log"):
        if parts[0] is not None and not same(parts[0], unit("1")):
            raise FormulaRefusal(
                "{name} takes a number without a unit; this one is {unit}.",
                node.col_offset,
                name=name,
                unit=spelled(parts[0]),
            )
        return unit("1")
    if name == "sqrt":
        return None if parts[0] is None else parts[0] ** 0.5
    if name == "cumulative":
        return None if parts[0] is None else parts[0] * unit(_MONTH)
    return parts[0]  # prev, ceil, floor


def _agree(node: ast.expr, left: Unit | None, right: Unit | None) -> Unit | None:
    if left is None or right is None:
        return right if left is None else left
    if not same(left, right):
        raise FormulaRefusal(
            "“{text}” mixes {left} with {right}.",
            node.col_offset,
            text=ast.unparse(node)[:60],
            left=spelled(left),
            right=spelled(right),
        )
    return left


# Readings: the formula with its names replaced


def replaced(
    formula: Formula, name_of: Callable[[str, bool], str], sum_of: Callable[[str], str] | None = None
) -> str:
    """The formula's text with every name written as ``name_of(name, last_month)`` says.

    ``prev(x)`` becomes ``name_of("x", True)`` and ``cumulative(x)``, where it is given, ``sum_of("x")``.
    """
    spans: list[tuple[int, int, str]] = []
    inside: set[int] = set()
    for node in ast.walk(formula.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            inside.add(node.func.col_offset)
            inner = node.args[0]
            if not isinstance(inner, ast.Name) or node.func.id not in ("prev", "cumulative"):
                continue
            if node.func.id == "prev":
                words = name_of(inner.id, True)
            elif sum_of is not None:
                words = sum_of(inner.id)
            else:
                continue
            inside.add(inner.col_offset)
            spans.append((node.col_offset, node.end_col_offset or 0, words))
    for node in ast.walk(formula.tree):
        if isinstance(node, ast.Name) and node.col_offset not in inside:
            spans.append((node.col_offset, node.end_col_offset or 0, name_of(node.id, False)))
    text, end = [], 0
    for start, stop, words in sorted(spans):
        text += [_symbols(formula.text[end:start]), words]
        end = stop
    return "".join([*text, _symbols(formula.text[end:])]).strip()


def _symbols(text: str) -> str:
    for code, sign in (
        ("**", "^"),
        ("*", "×"),
        (" / ", " ÷ "),
        (" - ", " − "),
        ("==", "="),
        (">=", "≥"),
        ("<=", "≤"),
    ):
        text = text.replace(code, sign)
    return text


NAMES_TAKEN = frozenset(FUNCTIONS) | frozenset(keyword.kwlist) | {_MONTH}
"""Names that a driver or a line cannot have."""

"""Formulas as Excel text: the text itself, and that a spreadsheet program finds what the engine finds."""

import ast
import math

import numpy as np
import openpyxl
import pytest
import xlsxwriter
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from xlsxwriter.utility import xl_col_to_name

from core.finance.engine import evaluate
from core.finance.excel import MAX_NESTING, excel
from core.finance.formula import parse
from core.finance.model import Model, Named, Step
from core.i18n import Refusal, Text
from core.venture import Line


def written(text):
    cells = {"now": "{}", "before": "{}_before", "so far": "SUM({})"}
    return excel(parse(text), lambda name, when: cells[when].format(name))


# The text


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        ("a + b * 2", "a+b*2"),
        ("(a + b) * 2", "(a+b)*2"),
        ("a - (b - c)", "a-(b-c)"),
        ("a - b - c", "a-b-c"),
        ("a / (b * c)", "a/(b*c)"),
        ("a * (b / c)", "a*(b/c)"),
        ("a - -b", "a-(-b)"),
        ("-(a + b)", "-(a+b)"),
        ("+a", "a"),
        ("1e30 * a + 0.5", "1E+30*a+0.5"),
        ("-a ** 2", "-(a^2)"),
        ("(-a) ** 2", "(-a)^2"),
        ("2 ** -a", "2^(-a)"),
        ("(a ** 2) ** 3", "(a^2)^3"),
        ("2 ** 3 ** 2", "2^(3^2)"),
        ("a ** b", "IF(b=0,1,a^b)"),
        ("a > b", "IF(a>b,1,0)"),
        ("a == b", "IF(a=b,1,0)"),
        ("a != b", "IF(a<>b,1,0)"),
        ("(a >= b) + (a <= b)", "IF(a>=b,1,0)+IF(a<=b,1,0)"),
        ("not a", "IF(NOT(a<>0),1,0)"),
        ("where(a > 0, b / a, 0)", "IF(a>0,b/a,0)"),
        ("where(a, 1, 2)", "IF(a<>0,1,2)"),
        ("where(a > 0 and b / a > 2, 1, 0)", "IF(IF(a>0,b/a>2,FALSE),1,0)"),
        ("a > 0 and b / a > 2", "IF(a>0,IF(b/a>2,1,0),0)"),
        ("a == 0 or b / a > 2", "IF(a=0,1,IF(b/a>2,1,0))"),
        ("min(a, b, 3) + max(a, 0)", "MIN(a,b,3)+MAX(a,0)"),
        ("exp(a) + log(b) + sqrt(c)", "EXP(a)+LN(b)+SQRT(c)"),
        ("ceil(a + b)", "-INT(0.000000001-(a+b))"),
        ("floor(a + b)", "INT(a+b+0.000000001)"),
        ("prev(a) + cumulative(b)", "a_before+SUM(b)"),
    ],
)
def test_a_formula_reads_in_excel_as_it_is_meant(formula, text):
    assert written(formula) == text


def test_many_values_of_and_nest_less_than_excel_allows():
    assert written("1 and " * 140 + "1").count("IF(") > MAX_NESTING
    assert written("a > 1 or " * 70 + "b").count("IF(") > MAX_NESTING


def test_a_formula_that_excel_cannot_hold_is_refused_in_a_sentence():
    tower = "a ** (b + " * 14 + "c" + ")" * 14
    with pytest.raises(Refusal, match="too long or too deeply nested for a spreadsheet"):
        written(tower)
    flights = "1"
    for _ in range(12):
        flights = "not (" + "a and " * 10 + f"{flights}>1)"
    with pytest.raises(Refusal, match="too long or too deeply nested for a spreadsheet"):
        written(flights)


# What a spreadsheet program finds

MONTHS = 6
DRIVERS = {"a": 2.5, "b": -1.5, "c": 0.0, "d": 0.07}
LINES = {"x": ("prev(x) * 1.25 + 1", "2"), "y": ("3.5 - month", "")}
NUMBERS = st.sampled_from(["0", "1", "2", "3", "0.5", "1.7", "12", "1e3", "1e-3"])
LEAVES = NUMBERS | st.sampled_from(
    [*DRIVERS, *LINES, "month", "prev(x)", "prev(y)", "cumulative(x)", "cumulative(y)"]
)


def deeper(part):
    def form(template, count=2):
        return st.tuples(*[part] * count).map(lambda parts: template.format(*parts))

    return st.one_of(
        st.sampled_from(["+", "-", "*", "/", "**"]).flatmap(lambda sign: form(f"{{}} {sign} {{}}")),
        st.sampled_from(["+", "-", "*", "/", "**"]).flatmap(lambda sign: form(f"(({{}}) {sign} ({{}}))")),
        st.sampled_from(["<", "<=", ">", ">=", "==", "!=", "and", "or"]).flatmap(
            lambda sign: form(f"({{}} {sign} {{}})")
        ),
        form("-{}", 1),
        form("(not {})", 1),
        form("where({}, {}, {})", 3),
        form("where({0} != 0, {1} / {0}, {2})", 3),
        form("({0} > 0 and {1} / {0} > 1)"),
        form("min({}, {})"),
        form("max({}, {}, {})", 3),
        st.sampled_from(["ceil", "floor", "exp", "log", "sqrt"]).flatmap(lambda name: form(name + "({})", 1)),
    )


FORMULAS = st.recursive(LEAVES, deeper, max_leaves=10)

BY_HAND = (
    "0 ** 0",
    "c ** (month - 1)",
    "-a ** 2 + (-a) ** 2 + 2 ** -a",
    "2 ** 3 ** 2",
    "where(y > 0 and x / y > 1, x / y, -1)",
    "where(y <= 0 or log(y) < 0, 7, log(y))",
    "(y == -0.5) + (y != 0) * (x > a) - (x >= x)",
    "not y + 0.5",
    "ceil(y / 3 * 3) + floor(x * 3 / 3) + ceil(-y) + floor(-y)",
    "ceil(month / 3) * floor(month / 2)",
    "min(x > 3, 0.5) + max(x > 3, y > 0, 0.2)",
    "((x > 3) == (y > 0)) * 3",
    "1 / (x > 0)",
    "cumulative(x) - prev(x) + cumulative(y)",
    "a and " * 40 + "y",
    "c or " * 40 + "y",
)


class Unlike(Exception):
    """A spreadsheet may differ here: an error on the way, or a tie that only rounding decides."""


def lazily(node, values):
    """The value of a formula at one month, as a spreadsheet goes: what is not chosen is not computed."""
    try:
        found = _lazily(node, values)
    except (ArithmeticError, ValueError, TypeError):
        raise Unlike from None
    if isinstance(found, complex) or not abs(found) < 1e280:
        raise Unlike
    if found and abs(found) < 1e-280:
        raise Unlike
    return found


def apart(one, other):
    """Refuse to say where two numbers are equal but for rounding: spreadsheets call those equal."""
    if one != other and abs(one - other) < 1e-9 * max(abs(one), abs(other)):
        raise Unlike


def _lazily(node, values):
    if isinstance(node, ast.Constant):
        return float(node.value)
    if isinstance(node, ast.Name):
        return values[node.id]
    if isinstance(node, ast.UnaryOp):
        number = lazily(node.operand, values)
        return float(not number) if isinstance(node.op, ast.Not) else -number
    if isinstance(node, ast.BoolOp):
        wanted = isinstance(node.op, ast.Or)
        return float(any(bool(lazily(v, values)) == wanted for v in node.values) == wanted)
    if isinstance(node, ast.Call):
        return _called(node, values)
    if isinstance(node, ast.Compare):
        left, right = lazily(node.left, values), lazily(node.comparators[0], values)
        apart(left, right)
        signs = {
            ast.Lt: left < right,
            ast.LtE: left <= right,
            ast.Gt: left > right,
            ast.GtE: left >= right,
            ast.Eq: left == right,
            ast.NotEq: left != right,
        }
        return float(signs[type(node.ops[0])])
    left, right = lazily(node.left, values), lazily(node.right, values)
    if isinstance(node.op, ast.Add | ast.Sub):
        sign = 1 if isinstance(node.op, ast.Add) else -1
        apart(left, -sign * right)
        return left + sign * right
    if isinstance(node.op, ast.Mult):
        return left * right
    if isinstance(node.op, ast.Div):
        return left / right
    return _above_nothing(left**right) if left else left**right


def _above_nothing(power):
    if power == 0:  # too small for a float
        raise Unlike
    return power


def _called(node, values):
    name = node.func.id
    if name in ("prev", "cumulative"):
        return values[f"{name} {node.args[0].id}"]
    if name == "where":
        return lazily(node.args[1 if lazily(node.args[0], values) else 2], values)
    numbers = [lazily(argument, values) for argument in node.args]
    if name in ("min", "max"):
        return min(numbers) if name == "min" else max(numbers)
    (number,) = numbers
    if name in ("ceil", "floor"):
        shifted = number + (1e-9 if name == "floor" else -1e-9)
        if abs(shifted - round(shifted)) < 1e-10 + 1e-14 * abs(shifted):
            raise Unlike
        return float(math.floor(shifted) if name == "floor" else math.ceil(shifted))
    if name == "exp":
        return _above_nothing(math.exp(number))
    return math.log(number) if name == "log" else math.sqrt(number)


def model(formulas):
    """A model of the two known lines and these formulas, with no units to keep."""
    lines = {
        key: Line(key=key, label=Text(key), unit="1", formula=text, opening=opening)
        for key, (text, opening) in {**LINES, **{key: (text, "") for key, text in formulas.items()}}.items()
    }
    return Model(
        lines=lines,
        formulas={key: parse(line.formula) for key, line in lines.items()},
        openings={key: parse(line.opening) for key, line in lines.items() if line.opening},
        constants={},
        inputs={key: Named(Text(key), "1") for key in DRIVERS},
        steps=tuple(Step((key,), key == "x") for key in lines),
    )


def engine(text):
    """Months 1 … of a formula, or the engine's refusal."""
    drivers = {key: np.array([value]) for key, value in DRIVERS.items()}
    try:
        return evaluate(model({"f": text}), drivers, MONTHS, ["f"])["f"][1:, 0]
    except Refusal as error:
        return error


def written_sheet(path, formulas):
    """A workbook with the drivers, the known lines, and a row for each formula; values left out."""
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet("S")
    for row, (key, value) in enumerate(DRIVERS.items()):
        sheet.write_number(row, 0, value)
        book.define_name(f"in_{key}", f"=S!$A${row + 1}")
    rows = {"month": 10, "x": 11, "y": 12}
    for month in range(1, MONTHS + 1):
        sheet.write_number(rows["month"], month, month)
    sheet.write_number(rows["x"], 0, 2)
    sheet.write_number(rows["y"], 0, 0)

    def fill(row, text):
        def cell_of(name, when):
            if name in DRIVERS:
                return f"in_{name}"
            at = rows[name] + 1
            return {"now": f"{{0}}{at}", "before": f"{{1}}{at}", "so far": f"SUM($B{at}:{{0}}{at})"}[when]

        template = excel(parse(text), cell_of)
        for month in range(1, MONTHS + 1):
            cells = template.format(xl_col_to_name(month), xl_col_to_name(month - 1))
            sheet.write_formula(row, month, "=" + cells, None, "")

    for key, (text, _opening) in LINES.items():
        fill(rows[key], text)
    for row, text in enumerate(formulas, 20):
        fill(row, text)
    book.close()


def test_formulas_give_in_a_spreadsheet_what_the_engine_gives(tmp_path, recalculated):
    formulas = dict.fromkeys(BY_HAND)

    @settings(max_examples=400, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(FORMULAS)
    def collect(text):
        if len(text) <= 1000:
            formulas[text] = None

    collect()
    written_sheet(tmp_path / "written.xlsx", formulas)
    openpyxl.load_workbook(tmp_path / "written.xlsx").save(tmp_path / "formulas.xlsx")  # without values
    (path,) = recalculated([tmp_path / "formulas.xlsx"])
    sheet = openpyxl.load_workbook(path, data_only=True)["S"]
    known = evaluate(model({}), {key: np.array([v]) for key, v in DRIVERS.items()}, MONTHS)
    compared = 0
    for row, text in enumerate(formulas, 21):
        found = engine(text)
        for month in range(1, MONTHS + 1):
            values = {**DRIVERS, "month": float(month)}
            for key in LINES:
                values[key] = float(known[key][month, 0])
                values[f"prev {key}"] = float(known[key][month - 1, 0])
                values[f"cumulative {key}"] = float(known[key][1 : month + 1, 0].sum())
            try:
                expected = lazily(parse(text).tree, values)
            except Unlike:
                assert text not in BY_HAND, text
                continue
            shown = sheet.cell(row, month + 1).value
            assert shown == pytest.approx(expected, rel=1e-9, abs=1e-300), (text, month)
            if not isinstance(found, Refusal):
                assert found[month - 1] == pytest.approx(expected, rel=1e-9, abs=1e-300), (text, month)
                compared += 1
    assert compared > 1000

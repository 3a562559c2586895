"""The Excel file: alive, complete, safe, and the same numbers as the engine's."""

import io
import re
import zipfile
from datetime import date

import numpy as np
import openpyxl
import pytest

from core.finance import metrics, project, read_unit, simulate
from core.i18n import Refusal, Text, language
from core.reports.command import write_xlsx
from core.reports.xlsx import workbook
from core.reports.xlsx.book import SHEETS
from core.venture import BLOCKS, Amount, Canvas, Line, Note, Source, Venture, archetypes, example
from core.venture.canvas import CREDIT

START, ON = date(2026, 6, 1), date(2026, 6, 17)
EN, ZH = language("en"), language("zh_Hans")
EXAMPLE = example("vertical_copilot", START)
OWN = (
    Line(
        key="office_so_far",
        label=Text("Office so far", "办公室累计"),
        unit="money",
        formula="cumulative(office)",
    ),
    Line(
        key="office",
        label=Text("Office", "办公室"),
        unit="money/month",
        formula="where(team / team_first > 1.1037 and not cash < 0, ceil(team / team_first), 0.5) * salary * team_first",
        opening="-salary ** 1 * team_first",
    ),
    Line(key="odd", label=Text("Odd", "怪"), unit="1", formula="-growth_first ** 2 + 0 ** (1 - 1 / 1)"),
)


def with_fields(venture, **fields):
    """The venture with some parts replaced, checked."""
    return Venture(**{**{name: getattr(venture, name) for name in Venture.model_fields}, **fields})


def read(data, values=True):
    return openpyxl.load_workbook(io.BytesIO(data), data_only=values)


def cells(book, name):
    """The cells of a defined name, in order."""
    ((sheet, place),) = book.defined_names[name].destinations
    found = book[sheet][place.replace("$", "")]
    return [found] if not isinstance(found, tuple) else [cell for row in found for cell in row]


def opening(book, key):
    """The cell beside a line's first month."""
    return cells(book, f"line_{key}")[0].offset(column=-1)


def file_of(venture, _=EN, **more):
    return workbook(venture, _, on=ON, **more)


# What is in it


@pytest.fixture(scope="module")
def data():
    return file_of(EXAMPLE, simulation=simulate(EXAMPLE, 256))


@pytest.mark.parametrize("_", [EN, ZH], ids=["en", "zh"])
def test_it_has_all_sheets_in_order_in_the_readers_language_and_none_is_hidden(_):
    book = read(file_of(EXAMPLE, _, simulation=simulate(EXAMPLE, 256)))
    assert book.sheetnames == [_.text(name) for name in SHEETS.values()]
    assert all(sheet.sheet_state == "visible" for sheet in book)
    for sheet in book:
        assert not any(shape.hidden for shape in sheet.row_dimensions.values())
        assert not any(shape.hidden for shape in sheet.column_dimensions.values())
    assert not any(name.hidden for name in book.defined_names.values())
    assert _.text(EXAMPLE.name) == book[_.text(SHEETS["summary"])]["A1"].value
    labels = {cell.value for cell in book[_.text(SHEETS["model"])]["A"]}
    assert {_.text(line.label) for line in project(EXAMPLE).model.lines.values()} <= labels


def test_without_a_simulation_there_is_no_sheet_of_it():
    assert "Simulation" not in read(file_of(EXAMPLE)).sheetnames


def test_it_has_no_macros_and_refers_to_nothing_outside(data):
    names = zipfile.ZipFile(io.BytesIO(data)).namelist()
    assert not [name for name in names if "vba" in name.lower() or "external" in name.lower()]
    assert len([name for name in names if re.fullmatch(r"xl/charts/chart\d+\.xml", name)]) == 2


def test_the_chart_on_the_summary_draws_the_cash_of_the_model(data):
    chart = zipfile.ZipFile(io.BytesIO(data)).read("xl/charts/chart1.xml").decode()
    place = read(data).defined_names["line_cash"].attr_text
    assert f"<c:f>{place}</c:f>" in chart
    assert "<c:lineChart>" in chart


def test_every_driver_constant_line_and_metric_has_a_defined_name(data):
    model = project(EXAMPLE).model
    names = set(read(data).defined_names)
    assert {f"in_{driver.key}" for driver in EXAMPLE.drivers} <= names
    assert {f"const_{key}" for key in model.constants} <= names
    assert {f"line_{key}" for key in model.lines} <= names
    assert {f"metric_{key}" for key in metrics(project(EXAMPLE))} <= names


def test_the_same_arguments_give_the_same_file(data):
    assert file_of(EXAMPLE, simulation=simulate(EXAMPLE, 256)) == data


def test_the_blue_cells_are_the_inputs_and_no_other(data):
    book = read(data)
    inputs = {cells(book, f"in_{driver.key}")[0].coordinate for driver in EXAMPLE.drivers}
    blue = {
        (sheet.title, cell.coordinate)
        for sheet in book
        for row in sheet.iter_rows()
        for cell in row
        if cell.font.color is not None and cell.font.color.rgb == "FF0000FF"
    }
    assert blue == {("Inputs", place) for place in inputs}


def test_an_input_takes_only_what_its_driver_allows(data):
    book = read(data)
    rules = {str(rule.sqref): rule for rule in book["Inputs"].data_validations.dataValidation}
    for driver in EXAMPLE.drivers:
        place = cells(book, f"in_{driver.key}")[0].coordinate
        rule = rules[place]
        lowest = driver.minimum if driver.minimum is not None else (None if driver.signed else 0.0)
        bounds = dict(re.findall(rf"{place}([<>]=)([-0-9.E+]+)", rule.formula1))
        assert f"ISNUMBER({place})" in rule.formula1
        assert {sign: float(bound) for sign, bound in bounds.items()} == {
            sign: bound for sign, bound in ((">=", lowest), ("<=", driver.maximum)) if bound is not None
        }
        assert rule.showErrorMessage and rule.error


def test_a_range_shows_its_median_its_ends_and_its_source(data):
    book = read(data)
    driver = EXAMPLE.driver("price_per_seat")
    (cell,) = cells(book, "in_price_per_seat")
    low, high = driver.amount.ends()
    row = [cell.value for cell in book["Inputs"][cell.row]]
    assert row == [
        "Price per seat",
        "price_per_seat",
        pytest.approx(driver.amount.median, rel=1e-15),
        low,
        high,
        "lognormal",
        read_unit("money/seat/month", "USD", EN),
        "preset",
        driver.source.text.en,
        2024,
        "medium",
    ]


def test_money_below_zero_stands_in_brackets_and_shares_in_percent(data):
    book = read(data)
    assert cells(book, "line_ebitda")[0].number_format == '"$"#,##0_);("$"#,##0)'
    assert cells(book, "line_cash")[0].number_format == '"$"#,##0_);("$"#,##0)'
    assert cells(book, "line_gross_margin")[0].number_format == "#,##0.0%"
    assert cells(book, "in_payment_fee")[0].number_format == "#,##0.0%"
    small = cells(book, "line_cost_per_request")[0]
    assert small.number_format == '"$"#,##0.0000_);("$"#,##0.0000)'
    assert 0.01 < small.value < 0.1


def test_headings_stay_in_sight(data):
    panes = {sheet.title: sheet.freeze_panes for sheet in read(data)}
    assert panes["Model"] == "D6"
    assert panes["Inputs"] == panes["Metrics"] == panes["Scenarios"] == "B5"


def test_the_summary_says_as_of_when_and_by_which_model(data):
    facts = {row[0].value: row[1].value for row in read(data)["Summary"].iter_rows(max_row=10)}
    assert facts["As of"] == "Jun 17, 2026"
    assert re.fullmatch(r"2\.[0-9a-f]{8}", facts["Model version"])
    other = read(file_of(EXAMPLE.with_lines(OWN[:2])))["Summary"]
    facts_of_other = {row[0].value: row[1].value for row in other.iter_rows(max_row=10)}
    assert facts_of_other["Model version"] != facts["Model version"]


def test_scenarios_are_values_beside_the_base_with_their_difference(data):
    sheet = read(data)["Scenarios"]
    formulas = read(data, values=False)["Scenarios"]
    rows = {(row[0].value, row[2].value): row for row in sheet.iter_rows(min_row=5)}
    names = [cell.value for cell in sheet[4]]
    for scenario in EXAMPLE.scenarios:
        cash = project(EXAMPLE, scenario.id).at("cash", 24)
        row = rows["Cash at the end of the month", "May 2028"]
        place = names.index(scenario.name.en)
        assert row[place].value == pytest.approx(cash, rel=1e-15)
        assert isinstance(formulas[row[place].coordinate].value, float)
        difference = row[names.index(f"{scenario.name.en} less base")]
        assert difference.value == pytest.approx(cash - project(EXAMPLE).at("cash", 24))
        for override in scenario.overrides:
            row = rows[EXAMPLE.driver(override.key).label.en, None]
            assert row[place].value == pytest.approx(override.amount.median, rel=1e-15)
            assert row[place].font.bold


def test_a_scenario_that_cannot_be_computed_says_why_and_the_rest_stands():
    venture = EXAMPLE.add_scenario("broken", "Broken").with_driver(
        "price_per_seat", Amount.point(1e300), scenario_id="broken"
    )
    for key in ("seats_per_customer", "new_customers_first"):
        venture = venture.with_driver(key, Amount.point(1e20), scenario_id="broken")
    sheet = read(file_of(venture))["Scenarios"]
    said = [cell.value for row in sheet.iter_rows() for cell in row if isinstance(cell.value, str)]
    assert any("has no finite value" in text for text in said)
    assert "Dearer and leaner" in said


def test_the_simulation_is_values_with_draws_seed_and_error(data):
    simulation = simulate(EXAMPLE, 256)
    sheet = read(data, values=False)["Simulation"]
    rows = {row[0].value: [cell.value for cell in row[1:6]] for row in sheet.iter_rows()}
    assert rows["Draws"][0] == 256
    assert rows["Seed"][0] == 20260601
    assert rows["Probability that cash falls below zero"][0] == pytest.approx(simulation.p_cash_out)
    assert rows["Standard error of that probability"][0] == pytest.approx(simulation.p_cash_out_error)
    fan = simulation.fan("cash")
    for month, name in ((1, "Jun 2026"), (36, "May 2029")):
        expected = [p[month - 1] for p in (fan.p5, fan.p25, fan.p50, fan.p75, fan.p95)]
        assert rows[name] == pytest.approx(expected, rel=1e-14)


def test_a_simulation_of_another_venture_is_an_error():
    other = EXAMPLE.with_driver("cash_first", Amount.point(1.0))
    with pytest.raises(ValueError, match="another venture"):
        file_of(EXAMPLE, simulation=simulate(other, 256))


@pytest.mark.parametrize("_", [EN, ZH], ids=["en", "zh"])
def test_the_sources_name_every_driver_the_canvas_and_its_credit(_):
    sheet = read(file_of(EXAMPLE, _))[_.text(SHEETS["sources"])]
    said = {cell.value for row in sheet.iter_rows() for cell in row if isinstance(cell.value, str)}
    assert CREDIT in said
    for driver in EXAMPLE.drivers:
        assert _.text(driver.label) in said and _.text(driver.source.text) in said
    for label in BLOCKS.values():
        assert _.text(label) in said
    for _block, note in EXAMPLE.canvas.notes():
        assert "{" in _.text(note.text) or _.text(note.text) in said
    assert not any(re.search(r"\{[a-z_]+\}", text) for text in said)


# Text of people is text


HOSTILE = (
    '=HYPERLINK("http://example.org","x")',
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "{=1+1}",
    "http://example.org/",
    "\t=1",
    "a\x01b\x0bc\ufffe",
    "_x0041_",
    "<b>&amp;</b>",
    "x" * 70,
)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_text_that_looks_like_a_formula_stays_text_everywhere(hostile):
    text = Text(hostile, hostile)
    driver = EXAMPLE.drivers[0]
    venture = with_fields(
        EXAMPLE,
        name=text,
        promise=text,
        drivers=(
            driver.model_copy(update={"label": text, "source": Source(kind="typed", text=text, run=hostile)}),
            *EXAMPLE.drivers[1:],
        ),
        scenarios=(EXAMPLE.scenarios[0].model_copy(update={"name": text}),),
        canvas=Canvas(partners=(Note(id="n1", text=text),)),
        lines=(Line(key="mine", label=text, unit="1", formula="1", section=hostile),),
    )
    data = file_of(venture, simulation=simulate(venture, 64))
    book = read(data, values=False)
    shown = re.sub("[\x01\x0b\ufffe]", "", hostile)
    found = 0
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                if cell.data_type == "f":
                    text = getattr(cell.value, "text", cell.value)
                    assert shown in ("+1", "-1") or shown not in text, cell.coordinate
                elif isinstance(cell.value, str) and cell.value.startswith(shown):
                    assert cell.data_type == "s"
                    assert cell.hyperlink is None
                    if shown.startswith(("=", "+", "-", "@", "\t")):
                        assert cell.quotePrefix, cell.coordinate
                    found += 1
    assert found >= 10
    assert not [name for name in zipfile.ZipFile(io.BytesIO(data)).namelist() if "hyperlink" in name.lower()]


def test_very_long_text_is_cut_to_what_a_cell_holds():
    long = "y" * 40_000
    driver = EXAMPLE.drivers[0].model_copy(update={"label": Text(long)})
    book = read(file_of(with_fields(EXAMPLE, drivers=(driver, *EXAMPLE.drivers[1:]))))
    cell = cells(book, f"in_{driver.key}")[0].offset(column=-2)
    assert len(cell.value) == 32_767 and cell.value.endswith("…")


# Alive: cached values, and values after an input has changed


@pytest.mark.parametrize("archetype", sorted(archetypes()))
def test_every_month_of_every_line_is_a_formula_that_carries_the_engines_value(archetype):
    venture = example(archetype, START).with_lines(OWN)
    data = file_of(venture)
    projection = project(venture)
    shown, live = read(data), read(data, values=False)
    for key in projection.model.lines:
        found = [cell.value for cell in cells(shown, f"line_{key}")]
        assert found == pytest.approx(projection.series(key).tolist(), rel=1e-15), key
        assert opening(shown, key).value == pytest.approx(projection.at(key, 0), rel=1e-15)
        assert all(cell.data_type == "f" for cell in cells(live, f"line_{key}")), key
        if key in projection.model.openings:
            assert opening(live, key).data_type == "f"
    for sheet in live:
        for row in sheet.iter_rows():
            for cell in row:
                if cell.data_type == "f":
                    assert shown[sheet.title][cell.coordinate].value is not None or cell.column == 4


def test_the_metrics_are_formulas_and_the_summary_refers_to_them(data):
    shown, live = read(data), read(data, values=False)
    linked = [
        cell.value
        for row in live["Summary"].iter_rows()
        for cell in row
        if cell.data_type == "f" and isinstance(cell.value, str)
    ]
    for key, metric in metrics(project(EXAMPLE)).items():
        (cell,) = cells(shown, f"metric_{key}")
        expected = metric.value if metric.value is not None else EN.sentence(metric.reason)
        assert cell.value == (pytest.approx(expected, rel=1e-15) if metric.value is not None else expected)
        assert live["Metrics"][cell.coordinate].data_type == "f", key
        assert f"=metric_{key}" in linked
        texts = [c.value for c in shown["Metrics"][cell.row]]
        assert metric.definition.en in texts
        assert not metric.benchmark.en or metric.benchmark.en in texts


def changed(venture, numbers=None):
    """The venture with every driver, or those in ``numbers``, at another number that it allows."""
    drivers = []
    for driver in venture.drivers:
        value = driver.amount.median
        if numbers is None:
            step = value * 0.07 or 0.01
            if driver.maximum is not None and value + step > driver.maximum:
                step = -step
            value += step
        drivers.append(
            driver.model_copy(update={"amount": Amount.point((numbers or {}).get(driver.key, value))})
        )
    return with_fields(venture, drivers=tuple(drivers), scenarios=())


def cases():
    """Each archetype with all its inputs changed; plans for which some metrics have no number."""
    for at, archetype in enumerate(sorted(archetypes())):
        venture = example(archetype, START).with_lines(OWN)
        yield archetype, venture, changed(venture), (ZH if at % 2 == 0 else EN)
    rich = {"price_per_seat": 900.0, "new_customers_first": 60.0, "cac": 0.0, "round_amount": 5e6}
    yield "rich", EXAMPLE, changed(EXAMPLE, rich), EN
    yield "no customers", EXAMPLE, changed(EXAMPLE, {"new_customers_first": 0.0, "cash_first": -5.0}), ZH
    short = with_fields(EXAMPLE, horizon_months=8)
    yield "eight months", short, changed(short, {"cash_first": 1e6, "churn_early": 0.4}), EN
    long = with_fields(EXAMPLE, horizon_months=120)
    yield "ten years", long, changed(long, {"price_per_seat": 120.0, "hires_per_month": 0.1}), EN


def test_a_changed_input_changes_the_file_as_it_changes_the_engine(tmp_path, recalculated):
    made, paths = list(cases()), []
    for number, (_name, venture, after, _) in enumerate(made):
        book = read(workbook(venture, _, on=ON), values=False)
        for driver in after.drivers:
            cells(book, f"in_{driver.key}")[0].value = driver.amount.median
        paths.append(tmp_path / f"{number}.xlsx")
        book.save(paths[-1])  # openpyxl writes formulas without values
    for (name, _venture, after, _), path in zip(made, recalculated(paths), strict=True):
        book = openpyxl.load_workbook(path, data_only=True)
        projection = project(after)
        for key in projection.model.lines:
            found = np.array([opening(book, key).value, *[cell.value for cell in cells(book, f"line_{key}")]])
            expected = projection.lines[key]
            rounding = 1e-12 * np.abs(expected).max()  # of differences of large numbers
            np.testing.assert_allclose(found, expected, rtol=1e-9, atol=rounding, err_msg=f"{name}: {key}")
        for key, metric in metrics(projection).items():
            (cell,) = cells(book, f"metric_{key}")
            if metric.value is None:
                assert cell.value == _.sentence(metric.reason), (name, key)
            else:
                assert cell.value == pytest.approx(metric.value, rel=1e-9), (name, key)
            if metric.kind == "month":
                month = cell.offset(column=2).value
                expected = _.month(START, int(metric.value) - 1) if metric.value is not None else None
                assert month == expected, (name, key)
        errors = [
            (name, sheet.title, cell.coordinate)
            for sheet in book
            for row in sheet.iter_rows()
            for cell in row
            if cell.data_type == "e"
        ]
        assert not errors


# From the shell


def test_the_command_writes_the_file_and_says_what_it_wrote(tmp_path):
    path = tmp_path / "plan.xlsx"
    said = write_xlsx(EXAMPLE, path, draws=64, code="zh_Hans")
    assert said["bytes"] == path.stat().st_size
    book = openpyxl.load_workbook(path, data_only=True)
    assert book["模拟"]["B4"].value == 64
    write_xlsx(EXAMPLE, path, draws=0)
    assert "Simulation" not in openpyxl.load_workbook(path).sheetnames


def test_the_command_refuses_what_it_cannot_do(tmp_path):
    with pytest.raises(Refusal, match=r"missing/plan\.xlsx cannot be written: No such file"):
        write_xlsx(EXAMPLE, tmp_path / "missing" / "plan.xlsx", draws=0)
    with pytest.raises(Refusal, match="There is no language “fr”; allowed are en, zh_Hans"):
        write_xlsx(EXAMPLE, tmp_path / "plan.xlsx", code="fr")

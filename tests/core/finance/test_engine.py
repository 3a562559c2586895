"""The engine: the same numbers as the plan written out by hand, whichever way it computes them."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from plain_plan import plain_plan, worked_out
from plans import EXAMPLE, PLAN, RANGES, line, values, with_values

from core.finance import model_of, project
from core.finance.draws import draws, medians
from core.finance.engine import BLOCK, evaluate
from core.i18n import Refusal, language

MODEL = model_of(EXAMPLE)
CONSTANTS = {key: named.value for key, named in MODEL.constants.items()}


def close(found, wanted, rel=1e-12):
    """Whether a line equals another, relative to its largest value: differences of cash cancel."""
    found, wanted = np.asarray(found, dtype=float), np.asarray(wanted, dtype=float)
    return np.abs(found - wanted).max() <= rel * max(np.abs(wanted).max(), 1e-300)


def mine(formula, unit="1", opening="", months=6, others=(), **numbers):
    """Months 0 … of an own line."""
    venture = with_values(numbers, months).with_lines([*others, line(formula, unit, opening=opening)])
    return project(venture).lines["mine"].tolist()


# Against the plan by hand


def test_every_line_of_the_plan_is_that_of_the_plan_by_hand():
    by_hand = plain_plan({driver.key: driver.amount.median for driver in EXAMPLE.drivers}, 36)
    found = project(EXAMPLE).lines
    assert set(by_hand) == set(found) == {made.key for made in PLAN.lines}
    for key, series in by_hand.items():
        assert close(found[key], series), key


def test_the_ranges_of_these_tests_cover_every_driver():
    assert set(RANGES) == {driver.key for driver in EXAMPLE.drivers}


@given(values(), st.integers(6, 120))
def test_whatever_the_drivers_the_plan_is_the_plan_by_hand(numbers, months):
    # Sums of very unlike sizes cancel, so a line is held against the largest that goes into it.
    by_hand = plain_plan(numbers, months)
    found = project(with_values(numbers, months)).lines
    scale = {"cash": ("cash", "cost_of_revenue", "revenue", "operating_cost", "receivables")}
    money = ("cost_of_revenue", "revenue", "operating_cost", "receivables")
    for key in ("ebitda", "gross_profit", "net_cash_flow", "tax", "loss_carried", "npv"):
        scale[key] = money
    scale["lifetime_value"] = ("lifetime_value", "margin_per_customer")
    for key, series in by_hand.items():
        largest = max(np.abs(np.asarray(by_hand[other])).sum() for other in scale.get(key, (key,)))
        if key == "margin_per_customer":
            largest = max(largest, numbers["seats_per_customer"] * numbers["price_per_seat"])
        if key == "gross_margin":
            largest = max(largest, 1.0)
        assert np.abs(found[key] - np.asarray(series, dtype=float)).max() <= 1e-11 * max(largest, 1e-9), key


def test_each_formula_worked_out_alone_gives_the_same_as_the_engine():
    formulas = {made.key: (made.formula, made.opening) for made in PLAN.lines}
    points = {driver.key: driver.amount.median for driver in EXAMPLE.drivers}
    wanted = worked_out(formulas, CONSTANTS, points, 24)
    found = project(with_values({}, 24)).lines
    for key in formulas:
        assert close(found[key], wanted[key]), key


def test_every_draw_is_the_plan_by_hand_for_its_drivers():
    drawn = draws(EXAMPLE, 64)
    by_hand = plain_plan(drawn, 36)
    found = evaluate(MODEL, drawn, 36)
    for key, series in by_hand.items():
        wanted = np.array([np.broadcast_to(row, 64) for row in series])
        assert np.abs(found[key] - wanted).max() <= 1e-11 * max(1.0, np.abs(wanted).max()), key


# Walked, whole, in blocks


def test_a_line_is_walked_only_if_it_needs_its_own_past():
    walked = {key for step in MODEL.steps if step.walked for key in step.lines}
    assert {"cash", "customers", "mrr", "early_activity", "team", "lifetime_value"} - walked <= {"customers"}
    assert walked.isdisjoint(
        {"revenue", "inference_cost", "gross_margin", "ebitda", "receivables", "net_cash_flow"}
    )
    assert sorted(key for step in MODEL.steps for key in step.lines) == sorted(MODEL.lines)


def test_walking_a_line_gives_the_same_as_the_whole_array():
    whole = line("where(revenue > 0, gross_profit / revenue, 0) + prev(gross_margin) * 2", key="whole")
    # A part that is always zero but asks for the line's own past makes the same formula walk.
    walked = line(f"{whole.formula} + 0 * prev(walked)", key="walked")
    venture = EXAMPLE.with_lines([whole, walked])
    steps = {key: step.walked for step in model_of(venture).steps for key in step.lines}
    assert (steps["whole"], steps["walked"]) == (False, True)
    drawn = draws(venture, 32)
    found = evaluate(model_of(venture), drawn, 36)
    assert (found["whole"] == found["walked"]).all()


def test_blocks_of_draws_give_what_each_half_gives_alone():
    drawn = draws(EXAMPLE, 2 * BLOCK)
    whole = evaluate(MODEL, drawn, 36)
    assert whole["cash"].shape == (37, 2 * BLOCK)
    for part in (slice(0, BLOCK), slice(BLOCK, None)):
        half = evaluate(MODEL, {key: array[part] for key, array in drawn.items()}, 36)
        for key in MODEL.lines:
            assert (whole[key][:, part] == half[key]).all(), key


def test_a_block_that_is_not_full_is_computed_too():
    drawn = {key: np.resize(array, BLOCK + 3) for key, array in draws(EXAMPLE, 4).items()}
    found = evaluate(MODEL, drawn, 12, ["cash"])
    assert found["cash"].shape == (13, BLOCK + 3)
    assert (found["cash"][:, :4] == found["cash"][:, 4:8]).all()
    assert (found["cash"][:, BLOCK : BLOCK + 3] == found["cash"][:, :3]).all()


def test_only_the_lines_asked_for_are_kept_and_the_rest_is_the_same():
    some = evaluate(MODEL, medians(EXAMPLE), 36, ["cash", "mrr"])
    assert list(some) == ["cash", "mrr"]
    assert (some["cash"] == evaluate(MODEL, medians(EXAMPLE), 36)["cash"]).all()


def test_a_shorter_plan_is_the_start_of_a_longer_one():
    short, long = project(with_values({}, 6)), project(with_values({}, 120))
    for key in MODEL.lines:
        assert (short.lines[key] == long.lines[key][:7]).all(), key


# Lines of the founder's own


@pytest.mark.parametrize(
    ("formula", "unit", "opening", "wanted"),
    [
        ("month / one_month", "1", "", [0, 1, 2, 3, 4, 5, 6]),
        ("prev(mine) + 2", "1", "", [0, 2, 4, 6, 8, 10, 12]),
        ("prev(mine) * 2", "1", "3", [3, 6, 12, 24, 48, 96, 192]),
        ("prev(mine) * 2", "1", "team_first / team_first + 1", [2, 4, 8, 16, 32, 64, 128]),
        ("prev(team) / team_first", "1", "", [0, 1, 1.5, 2, 2.5, 3, 3.5]),
        ("cumulative(flow) ", "1", "", [0, 1, 3, 6, 10, 15, 21]),
        ("cumulative(flow) / cumulative(flow)", "1", "", [0, 1, 1, 1, 1, 1, 1]),
        ("prev(mine) + cumulative(flow) / one_month", "1/month", "", [0, 1, 4, 10, 20, 35, 56]),
        ("where(month >= 3 * one_month, 5, 7)", "1", "", [0, 7, 7, 5, 5, 5, 5]),
        ("where(month == 2 * one_month or month == 4 * one_month, 1, 0)", "1", "", [0, 0, 1, 0, 1, 0, 0]),
        ("where(month > one_month and month < 4 * one_month, 1, 0)", "1", "", [0, 0, 1, 1, 0, 0, 0]),
        ("not (month > 2 * one_month)", "1", "", [0, 1, 1, 0, 0, 0, 0]),
        ("(month != 2 * one_month) + (month <= 2 * one_month)", "1", "", [0, 2, 1, 1, 1, 1, 1]),
        ("(month > 2 * one_month) * 3", "1", "", [0, 0, 0, 3, 3, 3, 3]),
        ("min(month / one_month, 4, 3) + max(month / one_month, 5)", "1", "", [0, 6, 7, 8, 8, 8, 9]),
        ("ceil(month / one_month / 2)", "1", "", [0, 1, 1, 2, 2, 3, 3]),
        ("floor(month / one_month / 2)", "1", "", [0, 0, 1, 1, 2, 2, 3]),
        ("ceil(0.1 * 3 * 10)", "1", "", [0, 3, 3, 3, 3, 3, 3]),
        ("floor(0.7 * 10)", "1", "", [0, 7, 7, 7, 7, 7, 7]),
        ("-2 ** 2", "1", "", [0, -4, -4, -4, -4, -4, -4]),
        ("2 ** -1 + +1", "1", "", [0, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5]),
        ("2 ** 3 ** 2", "1", "", [0, 512, 512, 512, 512, 512, 512]),
        ("8 / 4 / 2 - 1 - 1", "1", "", [0, -1, -1, -1, -1, -1, -1]),
        ("sqrt(16) + exp(0) + log(1)", "1", "", [0, 5, 5, 5, 5, 5, 5]),
        ("2 and 0", "1", "", [0, 0, 0, 0, 0, 0, 0]),
        ("2 and 3", "1", "", [0, 1, 1, 1, 1, 1, 1]),
        ("0 or 7", "1", "", [0, 1, 1, 1, 1, 1, 1]),
        ("where(1 > 0, 1, 1 / 0)", "1", "", [0, 1, 1, 1, 1, 1, 1]),
        ("0x10 + 1_000", "1", "", [0, 1016, 1016, 1016, 1016, 1016, 1016]),
        ("discount_rate * 300", "1", "", [0, 3, 3, 3, 3, 3, 3]),
        ("3 * discount_rate / discount_rate", "1", "", [0, 3, 3, 3, 3, 3, 3]),
        ("one_month / early_months * 12", "1", "", [0, 2, 2, 2, 2, 2, 2]),
        ("one_month / one_month + month / one_month * 1", "1", "", [0, 2, 3, 4, 5, 6, 7]),
        ("one_month ** 2 / one_month - one_month + 2 * one_month", "month", "", [0, 2, 2, 2, 2, 2, 2]),
        ("(flow * one_month) * (flow * one_month)", "1", "", [0, 1, 4, 9, 16, 25, 36]),
        ("flow * one_month - (1 - flow * one_month) * 2 - (3 - flow * one_month)", "1", "", [0, -1, 3, 7, 11, 15, 19]),
        ("prev(mine) - (prev(mine) - flow * one_month) / 2", "1", "8", [8, 4.5, 3.25, 3.125, 3.5625, 4.28125, 5.140625]),
    ],
)  # fmt: skip
def test_a_line_of_ones_own_is_what_it_says(formula, unit, opening, wanted):
    flow = line("month / one_month / one_month", "1/month", key="flow")
    found = mine(formula, unit, opening, others=[flow], team_first=2.0, hires_per_month=1.0)
    assert found == pytest.approx(wanted, rel=1e-12, abs=1e-12)


def test_lines_that_need_each_other_across_months_walk_together():
    """Fibonacci, by two lines: a is last month's b, b last month's sum."""
    a = line("prev(b)", key="a")
    b = line("prev(a) + prev(b)", key="b", opening="1")
    venture = with_values({}, 10).with_lines([a, b, line("b - a")])
    found = project(venture).lines
    assert found["b"].tolist() == [1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89]
    assert found["a"].tolist() == [0, 1, 1, 2, 3, 5, 8, 13, 21, 34, 55]
    together = next(step for step in model_of(venture).steps if "a" in step.lines)
    assert set(together.lines) == {"a", "b"}
    assert together.walked


def test_a_running_total_may_feed_back_into_its_own_flow():
    """A flow of half of what is left of 100: the total after t months is 100 (1 − 2^−t)."""
    flow = line("(100 - prev(total)) / 2 / one_month", "1/month", key="flow")
    total = line("cumulative(flow)", key="total")
    found = project(with_values({}, 8).with_lines([flow, total])).lines["total"]
    assert found.tolist() == pytest.approx([100 * (1 - 0.5**t) for t in range(9)])


def test_the_order_of_lines_does_not_matter():
    lines = [
        line("c + 1", key="a"),
        line("prev(a) + prev(d)", key="c"),
        line("a * 2", key="d"),
        line("d / 2"),
    ]
    one = project(with_values({}, 12).with_lines(lines)).lines
    other = project(with_values({}, 12).with_lines(lines[::-1])).lines
    for key in ("a", "c", "d", "mine"):
        assert (one[key] == other[key]).all()


PARTS = st.sampled_from(
    ["1", "0.5", "2", "month / one_month", "accuracy", "growth_first", "prev(a)", "prev(b)", "prev(mine)", "a", "b",
     "cumulative(flow)", "prev(gross_margin)", "survival", "team / team_first"]
)  # fmt: skip
JOINS = st.sampled_from(
    ["{} + {}", "{} - {}", "({}) * ({}) / 10", "where({} > {}, {}, {})", "min({}, {})", "max({}, {})", "-({})", "not ({} > 1)",
     "where({} > 0 and {} < 2, {}, 0)", "where({} < 0 or {} > 1, 1, {})", "({} >= {}) + ({} != {})", "exp(-({}) ** 2)"]
)  # fmt: skip


@st.composite
def own_formulas(draw, names):
    allowed = PARTS.filter(lambda part: part not in ("a", "b") or part in names)
    shape = draw(JOINS)
    inner = [draw(JOINS) if draw(st.booleans()) else "{}" for _ in range(shape.count("{}"))]
    text = shape.format(*(f"({part})" for part in inner))
    return text.format(*(draw(allowed) for _ in range(text.count("{}"))))


@given(own_formulas([]), own_formulas(["a"]), own_formulas(["a", "b"]))
def test_any_own_lines_are_what_each_formula_gives_worked_out_alone(a, b, c):
    flow = line("accuracy / one_month", "1/month", key="flow")
    lines = [flow, line(a, key="a", opening="0.25"), line(b, key="b"), line(c)]
    venture = with_values({}, 8).with_lines(lines)
    formulas = {made.key: (made.formula, made.opening) for made in (*PLAN.lines, *lines)}
    points = {driver.key: driver.amount.median for driver in venture.drivers}
    try:
        wanted = worked_out(formulas, CONSTANTS, points, 8)
        found = project(venture).lines
    except (OverflowError, Refusal):
        assume(False)
    for key in ("a", "b", "mine"):
        assert found[key] == pytest.approx(wanted[key], rel=1e-9, abs=1e-9), (a, b, c)


# What is refused


def test_a_circle_is_refused_and_its_lines_are_named_in_order_and_in_both_languages():
    lines = [line("b + 1", key="a"), line("c * 2", key="b"), line("a - prev(a)", key="c"), line("1")]
    with pytest.raises(Refusal) as refused:
        model_of(EXAMPLE.with_lines(lines))
    said = str(refused.value)
    assert said.startswith("These lines depend on each other in a circle: ")
    circle = said.split(": ")[1].rstrip(".").split(" → ")
    assert circle[0] == circle[-1]
    assert sorted(circle[1:]) == ["A", "B", "C"]
    assert "Mine" not in said
    assert "我的 a → " in language("zh_Hans").refusal(refused.value) + " → "


def test_a_line_that_needs_itself_in_the_same_month_is_a_circle():
    for formula in ("mine + 1", "cumulative(mine) / one_month", "where(month > one_month, mine, 0)"):
        with pytest.raises(Refusal, match="in a circle: Mine → Mine"):
            model_of(EXAMPLE.with_lines([line(formula, "1/month" if "cumul" in formula else "1")]))
    assert mine("prev(mine) + 1", months=6)[-1] == 6


@pytest.mark.parametrize(
    ("formula", "opening", "month"),
    [
        ("1 / (month / one_month - 4)", "", 4),
        ("1 / prev(mine)", "", 1),
        ("prev(mine) / (month / one_month - 3)", "1", 3),
        ("log(4 - month / one_month)", "", 4),
        ("sqrt(3 - month / one_month)", "", 4),
        ("prev(mine) * 1e30 ** 5", "1e30", 2),
        ("1", "1 / (accuracy - accuracy)", 0),
        ("prev(mine)", "0 / 0", 0),
    ],
)
def test_a_value_that_is_not_finite_is_refused_by_line_and_month(formula, opening, month):
    with pytest.raises(Refusal) as refused:
        mine(formula, opening=opening)
    assert str(refused.value) == (
        f"The line “Mine” has no finite value in month {month}: a number is too large or something is divided by zero."
    )
    assert "“我的 mine”" in language("zh_Hans").refusal(refused.value) or language("zh_Hans")("") == ""


def test_one_bad_draw_among_many_is_found():
    venture = EXAMPLE.with_lines(
        [
            line("1 / (accuracy - accuracy_at)", key="mine"),
            line("prev(accuracy_at)", key="accuracy_at", opening="0.5"),
        ]
    )
    drawn = {**draws(venture, 1024)}
    drawn["accuracy"] = drawn["accuracy"].copy()
    drawn["accuracy"][777] = 0.5
    with pytest.raises(Refusal, match="The line “Mine” has no finite value in month 1"):
        evaluate(model_of(venture), drawn, 12)


def test_numbers_of_every_size_sum_without_a_false_alarm():
    """Two finite values whose sum is not finite are still two finite values."""
    assert mine("1e30 ** 10 * 1e8")[1:] == pytest.approx([1e308] * 6)


def test_a_line_whose_parts_are_not_finite_where_they_are_not_used_is_fine():
    assert mine("where(month > 3 * one_month, 1 / (month / one_month - 3), 0)") == pytest.approx(
        [0, 0, 0, 0, 1, 0.5, 1 / 3]
    )


@settings(max_examples=20)
@given(values())
def test_evaluating_changes_neither_the_drivers_nor_the_model(numbers):
    venture = with_values(numbers)
    drawn = medians(venture)
    kept = SimpleNamespace(**{key: array.copy() for key, array in drawn.items()})
    first = evaluate(MODEL, drawn, 36)
    second = evaluate(MODEL, drawn, 36)
    assert all((drawn[key] == getattr(kept, key)).all() for key in drawn)
    assert all((first[key] == second[key]).all() for key in first)

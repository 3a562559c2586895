"""The venture: every change is a new venture or a refusal, and what was there stays as it was."""

import math
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_ventures import amounts, ventures

from core.i18n import Refusal, Text, language
from core.venture import (
    Amount,
    Canvas,
    ComputePlan,
    Driver,
    Hypothesis,
    Line,
    Note,
    Override,
    Scenario,
    ServingPlan,
    Source,
    TrainingPlan,
    Venture,
    example,
    to_json,
)
from core.venture.driver import TYPED
from core.venture.frozen import refusing

START = date(2026, 6, 1)


@pytest.fixture
def venture():
    return example(start=START)


def refusal(act):
    with pytest.raises(Refusal) as refused:
        act()
    assert language("zh_Hans").refusal(refused.value)
    return str(refused.value)


def driver(key="speed", **fields):
    given_ = {
        "label": Text("Speed"),
        "group": "own",
        "unit": "1",
        "amount": Amount.point(1),
        "source": TYPED,
        **fields,
    }
    with refusing():
        return Driver(key=key, **given_)


# Nothing changes in place


def test_no_part_of_a_venture_can_be_assigned(venture):
    for part, field, value in (
        (venture, "name", Text("x")),
        (venture, "drivers", ()),
        (venture.drivers[0], "amount", Amount.point(1)),
        (venture.drivers[0].amount, "low", 1.0),
        (venture.drivers[0].source, "kind", "typed"),
        (venture.canvas, "costs", ()),
        (venture.scenarios[0], "overrides", ()),
        (venture.hypotheses[0], "evidence", 5),
        (venture.compute_plan.training, "tokens", 1.0),
    ):
        with pytest.raises(ValueError, match="frozen"):
            setattr(part, field, value)
    with pytest.raises(AttributeError):
        venture.name.en = "x"


def test_every_change_returns_a_new_venture_and_leaves_the_old_one_alone(venture):
    before = to_json(venture)
    changes = [
        venture.with_driver("cac", Amount.point(9)),
        venture.with_driver("cac", Amount.point(9), scenario_id="round"),
        venture.add_driver(driver()),
        venture.add_scenario("x", "X"),
        venture.rename_scenario("round", "Y"),
        venture.delete_scenario("round"),
        venture.renamed("Z"),
        venture.with_canvas(Canvas()),
        venture.with_compute_plan(ComputePlan(training=TrainingPlan(tokens=5e9))),
        venture.with_hypothesis(Hypothesis(id="h", statement=Text("s"), block="costs")),
        venture.without_hypothesis("renewal"),
        venture.with_lines([Line(key="x", label=Text("X"), unit="1", formula="1")]),
        venture.under("round"),
    ]
    assert to_json(venture) == before
    assert len({venture, *changes}) == len(changes) + 1


def test_equal_ventures_are_equal_and_hash_alike(venture):
    again = example(start=START)
    assert venture == again
    assert hash(venture) == hash(again)
    venture.driver("cac")  # looking something up is no difference
    assert venture == again
    assert venture.renamed("Other") != again


# Drivers


def test_a_driver_takes_a_new_amount_and_says_where_it_comes_from(venture):
    measured = Source(kind="measured", run="r1")
    new = venture.with_driver("accuracy", Amount.point(0.9), measured)
    assert new.driver("accuracy").amount == Amount.point(0.9)
    assert new.driver("accuracy").source == measured
    assert new.with_driver("accuracy", Amount.point(0.8)).driver("accuracy").source.kind == "typed"
    assert [d.key for d in new.drivers] == [d.key for d in venture.drivers]


def test_a_driver_that_is_not_there_is_refused_by_name(venture):
    assert refusal(lambda: venture.driver("moon")) == "There is no driver “moon”."
    assert refusal(lambda: venture.with_driver("moon", Amount.point(1))) == "There is no driver “moon”."
    assert not venture.has_driver("moon")
    assert venture.has_driver("cac")


def test_an_amount_outside_what_the_driver_allows_is_refused_with_field_value_and_limit(venture):
    for key, amount, sentence in (
        ("price_per_seat", Amount.point(0), "Price per seat is 0; at least 0.01 is allowed."),
        ("accuracy", Amount.point(1.2), "Share of right answers is 120%; at most 100% is allowed."),
        ("accuracy", Amount.point(-0.1), "Share of right answers is -10%; at least 0% is allowed."),
        ("cac", Amount.point(-5), "Cost of winning a customer (CAC) is -5; at least 0 is allowed."),
        ("expansion", Amount.interval(-0.6, 0, "normal"), "Growth of seats at customers who stay is -60%; at least -50% is allowed."),
        ("expansion", Amount.interval(0, 0.6, "normal"), "Growth of seats at customers who stay is 60%; at most 50% is allowed."),
    ):  # fmt: skip
        assert refusal(lambda key=key, amount=amount: venture.with_driver(key, amount)) == sentence
        assert (
            refusal(lambda key=key, amount=amount: venture.with_driver(key, amount, scenario_id="round"))
            == sentence
        )


def test_a_refusal_of_a_driver_names_the_field_in_the_readers_language(venture):
    with pytest.raises(Refusal) as refused:
        venture.with_driver("cac", Amount.point(-5))
    assert "获客成本 CAC" in language("zh_Hans").refusal(refused.value)


def test_typed_text_is_read_as_the_drivers_kind_of_range_and_checked(venture):
    assert venture.driver("cac").parse("20k to 50k").distribution == "lognormal"
    assert venture.driver("accuracy").parse("90 to 95%") == Amount.interval(0.9, 0.95, "logitnormal")
    assert venture.driver("expansion").parse("-1% to 2%").distribution == "normal"
    assert refusal(lambda: venture.driver("cac").parse("much")) == (
        "Cost of winning a customer (CAC): “much” is not a number or a range; write 20 or 15 to 25."
    )
    assert refusal(lambda: venture.driver("accuracy").parse("101%")) == (
        "Share of right answers is 101%; at most 100% is allowed."
    )


@given(amounts())
def test_a_written_driver_reads_back(amount):
    for made in (driver(amount=amount, signed=True), driver(amount=amount, unit="money", signed=True)):
        back = made.parse(made.written())
        assert back.ends() == pytest.approx(amount.ends(), rel=1e-5)


def test_a_driver_of_ones_own_is_added_once(venture):
    new = venture.add_driver(driver())
    assert new.driver("speed").amount == Amount.point(1)
    assert refusal(lambda: new.add_driver(driver())) == "Drivers: “speed” stands there twice."
    assert refusal(lambda: new.add_driver(driver("cac"))) == "Drivers: “cac” stands there twice."


@pytest.mark.parametrize("key", ["", "A", "1a", "a-b", "a b", "_a", "é", "a" * 41, "a\n", "__import__"])
def test_a_key_that_no_formula_could_use_is_refused(key):
    assert refusal(lambda: driver(key)).startswith("key is ")


def test_a_driver_cannot_be_born_outside_its_own_limits():
    assert (
        refusal(lambda: driver(amount=Amount.point(3), maximum=2.0))
        == "Speed is 300%; at most 200% is allowed."
    )
    assert refusal(lambda: driver(minimum=math.nan)).startswith("minimum is nan; a finite number is needed")


# Scenarios


def test_a_scenario_changes_its_drivers_only_and_leaves_their_sources(venture):
    new = venture.with_driver("cac", Amount.point(9), scenario_id="round")
    assert new.driver("cac") == venture.driver("cac")
    under = new.under("round")
    assert under.driver("cac").amount == Amount.point(9)
    assert under.driver("round_amount").amount == Amount.point(12e6)
    changed = {d.key for d, e in zip(venture.drivers, under.drivers, strict=True) if d != e}
    assert changed == {"cac", "round_amount"}
    assert new.under(None) is new
    assert new.under("") is new


def test_an_override_equal_to_the_base_is_no_override(venture):
    new = venture.with_driver("cac", Amount.point(9), scenario_id="round")
    back = new.with_driver("cac", venture.driver("cac").amount, scenario_id="round")
    assert back == venture
    twice = new.with_driver("cac", Amount.point(8), scenario_id="round").scenario("round").overrides
    assert [o.amount for o in twice if o.key == "cac"] == [Amount.point(8)]


def test_scenarios_are_added_copied_renamed_and_deleted(venture):
    new = venture.add_scenario("lean", " Lean ").add_scenario("copy", "Copy", copy_of="dearer_leaner")
    assert new.scenario("lean") == Scenario(id="lean", name=Text("Lean"))
    assert new.scenario("copy").overrides == venture.scenario("dearer_leaner").overrides
    assert new.rename_scenario("lean", "Leaner").scenario("lean").name == Text("Leaner")
    assert new.delete_scenario("lean").delete_scenario("copy") == venture


def test_a_scenario_that_is_not_there_or_badly_named_is_refused(venture):
    missing = "There is no scenario “moon”."
    assert refusal(lambda: venture.scenario("moon")) == missing
    assert refusal(lambda: venture.under("moon")) == missing
    assert refusal(lambda: venture.delete_scenario("moon")) == missing
    assert refusal(lambda: venture.rename_scenario("moon", "x")) == missing
    assert refusal(lambda: venture.add_scenario("x", "X", copy_of="moon")) == missing
    assert refusal(lambda: venture.with_driver("cac", Amount.point(1), scenario_id="moon")) == missing
    assert refusal(lambda: venture.add_scenario("round", "X")) == "Scenarios: “round” stands there twice."
    assert refusal(lambda: venture.add_scenario("x", " ")) == "A name has 1 to 80 characters; this one has 0."
    assert refusal(lambda: venture.rename_scenario("round", "x" * 81)) == (
        "A name has 1 to 80 characters; this one has 81."
    )
    assert refusal(lambda: venture.add_scenario("Not a key", "X")).startswith("id is 'Not a key'")


def test_a_thirteenth_scenario_is_refused(venture):
    for i in range(10):
        venture = venture.add_scenario(f"s{i}", "S")
    assert refusal(lambda: venture.add_scenario("s10", "S")) == "Scenarios: 13 are too many; 12 are allowed."


def test_a_scenario_of_an_unknown_driver_or_a_forbidden_amount_cannot_exist(venture):
    def with_override(*overrides):
        fields = {name: getattr(venture, name) for name in Venture.model_fields}
        with refusing():
            return Venture(
                **{**fields, "scenarios": (Scenario(id="s", name=Text("S"), overrides=overrides),)}
            )

    one = Override(key="cac", amount=Amount.point(1))
    assert with_override(one).scenario("s").overrides == (one,)
    assert refusal(lambda: with_override(one, one)) == "S: “cac” stands there twice."
    assert refusal(lambda: with_override(Override(key="moon", amount=Amount.point(1)))) == (
        "The scenario “S” changes “moon”, which is not a driver."
    )
    assert refusal(lambda: with_override(Override(key="accuracy", amount=Amount.point(2)))) == (
        "Share of right answers is 200%; at most 100% is allowed."
    )


# The rest


def test_a_venture_is_renamed(venture):
    assert venture.renamed(" New ").name == Text("New")
    assert refusal(lambda: venture.renamed("")) == "A name has 1 to 80 characters; this one has 0."
    assert refusal(lambda: venture.renamed("x" * 81)) == "A name has 1 to 80 characters; this one has 81."


def test_a_hypothesis_is_put_in_place_of_the_one_with_its_id(venture):
    changed = venture.hypotheses[1].model_copy(update={"evidence": 5})
    new = venture.with_hypothesis(changed)
    assert [h.id for h in new.hypotheses] == [h.id for h in venture.hypotheses]
    assert new.hypotheses[1].evidence == 5
    more = venture.with_hypothesis(Hypothesis(id="more", statement=Text("s"), block="costs"))
    assert more.hypotheses[-1].id == "more"
    assert more.without_hypothesis("more") == venture


def test_a_hypothesis_about_an_unknown_driver_is_refused(venture):
    made = Hypothesis(id="h", statement=Text("It works."), block="costs", drivers=("moon",))
    assert refusal(lambda: venture.with_hypothesis(made)) == (
        "The hypothesis “It works.” names “moon”, which is not a driver."
    )


def test_evidence_is_a_rung_of_the_ladder_and_a_block_is_one_of_nine():
    def made(**fields):
        with refusing():
            return Hypothesis(**{"id": "h", "statement": Text("s"), "block": "costs", **fields})

    assert refusal(lambda: made(evidence=6)) == "evidence is 6; at most 5 is allowed."
    assert refusal(lambda: made(evidence=-1)) == "evidence is -1; at least 0 is allowed."
    assert refusal(lambda: made(evidence=2.5)) == "evidence is 2.5; a whole number is needed."
    assert refusal(lambda: made(block="risks")).startswith(
        "block is 'risks'; allowed: 'partners', 'activities'"
    )


def test_two_notes_lines_or_hypotheses_of_one_name_are_refused(venture):
    twice = Canvas(costs=(Note(id="a", text=Text("x")),), channels=(Note(id="a", text=Text("y")),))
    assert refusal(lambda: venture.with_canvas(twice)) == "Notes: “a” stands there twice."
    line = Line(key="x", label=Text("X"), unit="1", formula="1")
    assert refusal(lambda: venture.with_lines([line, line])) == "Lines: “x” stands there twice."


def test_more_lines_than_allowed_are_refused(venture):
    lines = [Line(key=f"l{i}", label=Text("L"), unit="1", formula="1") for i in range(101)]
    assert len(venture.with_lines(lines[:100]).lines) == 100
    assert refusal(lambda: venture.with_lines(lines)) == "Lines: 101 are too many; 100 are allowed."


@pytest.mark.parametrize(
    ("plan", "fields", "sentence"),
    [
        (TrainingPlan, {"tokens": 0.0}, "tokens is 0.0; it must be above 0.0."),
        (TrainingPlan, {"experiments": 0.9}, "experiments is 0.9; at least 1.0 is allowed."),
        (TrainingPlan, {"accelerators": 0}, "accelerators is 0; at least 1 is allowed."),
        (TrainingPlan, {"parameters": math.inf}, "parameters is inf; a finite number is needed."),
        (ServingPlan, {"utilisation": 1.1}, "utilisation is 1.1; at most 1.0 is allowed."),
        (ServingPlan, {"utilisation": 0.0}, "utilisation is 0.0; it must be above 0.0."),
        (ServingPlan, {"model": 5}, "model is 5; a text is needed."),
        (ServingPlan, {"speed": 5}, "speed is not known here."),
    ],
)
def test_a_compute_plan_that_means_nothing_is_refused_with_field_value_and_limit(plan, fields, sentence):
    def made():
        with refusing():
            plan(**fields)

    assert refusal(made) == sentence


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(ventures(), st.data())
def test_changing_and_changing_back_gives_the_same_venture(venture, data):
    for made in venture.drivers:
        amount = data.draw(amounts())
        try:
            changed = venture.with_driver(made.key, amount, made.source)
        except Refusal:
            continue  # the driver does not allow it
        assert changed.driver(made.key).amount == amount
        assert changed.with_driver(made.key, made.amount, made.source) == venture

"""A plan that earns or serves in another way: the numbers it needs come, those without effect go."""

import pytest
from any_venture import EXAMPLES
from plans import EXAMPLE, line, with_values

from core.finance import model_of, project
from core.finance.modules import modules
from core.finance.switch import switched
from core.i18n import Refusal
from core.venture import Source, from_json, to_json

EARNING = sorted(
    {key for key, module in modules().items() if {"recurring", "revenue"} & set(module.contributes)}
)


def keys(venture):
    return {driver.key for driver in venture.drivers}


@pytest.mark.parametrize("archetype", sorted(EXAMPLES))
def test_the_same_modules_change_nothing(archetype):
    venture = EXAMPLES[archetype]
    assert switched(venture, venture.modules) == venture


@pytest.mark.parametrize("earns", EARNING)
@pytest.mark.parametrize("serves", ["api", "gpus", "delivery"])
def test_every_way_to_earn_goes_with_every_way_to_serve(earns, serves):
    if {earns, serves} == {"experts", "delivery"}:
        with pytest.raises(Refusal, match="disagree about the line “Rework”"):
            switched(EXAMPLE, (earns, serves))
        return
    venture = switched(EXAMPLE, (earns, serves, "market"))
    lines = project(venture).lines
    assert lines["revenue"][36] > 0 and lines["cost_of_revenue"][36] > 0
    model = model_of(venture)
    used = set().union(*(f.names for f in (*model.formulas.values(), *model.openings.values())))
    assert keys(venture) - used <= {"accuracy"}
    assert all(driver.source.text.en and driver.source.year for driver in venture.drivers)
    assert from_json(to_json(venture)) == venture


def test_ways_to_earn_add_up_to_a_hybrid_price():
    """base + seats × price + (usage − included) × price + cases × share solved × price."""
    numbers = {"seats_per_customer": 10.0, "price_per_seat": 50.0, "price_per_customer": 200.0, "usage_per_customer": 3000.0,
               "included_requests": 1000.0, "price_per_request": 0.03, "cases_per_customer": 400.0, "success_share": 0.5,
               "price_per_success": 0.99, "price_drift": 0.0, "new_customers_first": 4.0}  # fmt: skip
    hybrid = switched(EXAMPLE, ("seats", "subscription", "usage", "outcome", "api"))
    lines = project(with_values(numbers, venture=hybrid)).lines
    recurring, other = 200 + 10 * 50, 2000 * 0.03 + 400 * 0.5 * 0.99
    assert lines["mrr"][1] == pytest.approx(4 * recurring)
    assert lines["revenue"][1] == pytest.approx(4 * (recurring + other))
    assert lines["revenue_per_customer"][1] == pytest.approx(recurring + other)


def test_what_the_old_plan_alone_needed_goes_and_what_spoke_of_it_lets_go():
    venture = switched(EXAMPLE, ("outcome", "api"))
    gone = keys(EXAMPLE) - keys(venture)
    assert {
        "price_per_seat",
        "seats_per_customer",
        "requests_per_seat",
        "hire1_people",
        "market_reach",
    } <= gone
    assert {"cases_per_customer", "success_share", "price_per_success"} == keys(venture) - keys(EXAMPLE)
    assert not gone & {o.key for s in venture.scenarios for o in s.overrides}
    assert not gone & {key for h in venture.hypotheses for key in h.drivers}
    assert venture.driver("price_per_success").source.text.en.startswith("Fin: $0.99")


def test_numbers_of_the_founders_own_and_those_that_own_lines_use_stay():
    own = EXAMPLE.with_lines(
        [line("price_per_seat * seats_per_customer / price_per_seat / seats_per_customer")]
    )
    typed = own.with_driver("cac", own.driver("cac").amount, Source(kind="typed"))
    venture = switched(typed, ("tokens", "gpus"))
    assert {"price_per_seat", "seats_per_customer"} <= keys(venture)
    assert venture.driver("cac").source.kind == "typed"


def test_usual_prices_come_in_the_ventures_currency():
    fields = {name: getattr(EXAMPLE, name) for name in type(EXAMPLE).model_fields}
    yuan = type(EXAMPLE)(**{**fields, "currency": "CNY", "usd_rate": 7.0})
    assert switched(yuan, ("outcome", "api")).driver("price_per_success").amount.value == pytest.approx(6.93)


def test_what_does_not_go_together_is_refused_and_the_venture_stays():
    with pytest.raises(Refusal, match="Two modules of the plan disagree about the line"):
        switched(EXAMPLE, ("seats", "api", "gpus"))
    with pytest.raises(Refusal, match="is not a module of the plan"):
        switched(EXAMPLE, ("moon",))

"""The example plan with numbers of a test's own choosing."""

from datetime import date

from hypothesis import strategies as st

from core.finance.modules import plan_of
from core.i18n import Text
from core.venture import Amount, Line, Scenario, Venture, example

EXAMPLE = example("vertical_copilot", date(2026, 6, 1))
PLAN = plan_of(EXAMPLE.modules)

RANGES = {
    "price_per_seat": (1.0, 2000.0),
    "seats_per_customer": (0.5, 500.0),
    "expansion": (-0.2, 0.2),
    "payment_fee": (0.0, 0.3),
    "new_customers_first": (0.0, 50.0),
    "growth_first": (-0.3, 0.4),
    "growth_decay": (0.5, 1.0),
    "churn_early": (0.0, 0.9),
    "churn_settled": (0.0, 0.9),
    "cac": (0.0, 1e5),
    "requests_per_seat": (0.0, 5000.0),
    "input_tokens": (0.0, 1e5),
    "output_tokens": (0.0, 1e4),
    "cached_share": (0.0, 1.0),
    "attempts": (1.0, 10.0),
    "price_input": (0.0, 30.0),
    "price_cached": (0.0, 3.0),
    "price_output": (0.0, 100.0),
    "inference_drift": (-0.2, 0.2),
    "selfhost_share": (0.0, 1.0),
    "selfhost_request_cost": (0.0, 1.0),
    "accuracy": (0.0, 1.0),
    "error_cost": (0.0, 10.0),
    "support_per_customer": (0.0, 1e4),
    "infrastructure_fixed": (0.0, 1e6),
    "team_first": (0.0, 300.0),
    "hires_per_month": (0.0, 20.0),
    "salary": (0.0, 5e4),
    "burden": (0.0, 1.0),
    "overhead_per_person": (0.0, 5e3),
    "hire1_people": (0.0, 20.0),
    "hire1_month": (1.0, 40.0),
    "hire1_salary": (0.0, 5e4),
    "hire2_people": (0.0, 20.0),
    "hire2_month": (1.0, 40.0),
    "hire2_salary": (0.0, 5e4),
    "training_run_cost": (0.0, 1e6),
    "training_runs_per_month": (0.0, 100.0),
    "experiments_per_month": (0.0, 1e6),
    "cash_first": (-1e7, 1e9),
    "receivable_days": (0.0, 200.0),
    "round_amount": (0.0, 1e8),
    "round_month": (1.0, 60.0),
    "round2_amount": (0.0, 1e8),
    "round2_month": (1.0, 60.0),
    "tax_rate": (0.0, 0.6),
    "required_return": (0.0, 2.0),
    "market_customers": (0.0, 1e7),
    "market_reach": (0.0, 1.0),
}
"""Numbers that the drivers allow, from the odd to the absurd."""


NOBODY_ELSE = dict.fromkeys(
    ("overhead_per_person", "burden", "hire1_people", "hire2_people", "tax_rate"), 0.0
)
"""What a team costs beside its salaries, and what it earns beside its profit, left out."""


def numbers(low: float, high: float) -> st.SearchStrategy[float]:
    """Numbers from ``low`` to ``high``; one that is almost nothing is nothing."""
    return st.floats(low, high).map(lambda number: 0.0 if abs(number) < 1e-9 else number)


def values() -> st.SearchStrategy[dict[str, float]]:
    """A number for every driver of the plan."""
    return st.fixed_dictionaries({key: numbers(low, high) for key, (low, high) in RANGES.items()})


def with_values(numbers: dict[str, float], months: int = 36, venture: Venture = EXAMPLE) -> Venture:
    """The venture with each of these drivers a point, and the others at their medians."""
    unknown = numbers.keys() - {driver.key for driver in venture.drivers}
    assert not unknown, unknown
    drivers = tuple(
        driver.model_copy(update={"amount": Amount.point(numbers.get(driver.key, driver.amount.median))})
        for driver in venture.drivers
    )
    fields = {name: getattr(venture, name) for name in Venture.model_fields}
    return Venture(**{**fields, "drivers": drivers, "scenarios": (), "horizon_months": months})


def with_scenario(venture: Venture, scenario_id: str, numbers: dict[str, float]) -> Venture:
    """The venture with one more scenario of point overrides."""
    venture = venture.add_scenario(scenario_id, scenario_id)
    for key, number in numbers.items():
        venture = venture.with_driver(key, Amount.point(number), scenario_id=scenario_id)
    assert isinstance(venture.scenario(scenario_id), Scenario)
    return venture


def line(formula: str, unit: str = "1", key: str = "mine", opening: str = "") -> Line:
    """A line of the founder's own."""
    return Line(
        key=key, label=Text(key.capitalize(), f"我的 {key}"), unit=unit, formula=formula, opening=opening
    )

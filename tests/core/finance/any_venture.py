"""Ventures of every archetype with numbers that hypothesis makes up, within what each driver allows."""

from datetime import date

from hypothesis import strategies as st
from plans import numbers, with_values

from core.venture import Driver, Venture, archetypes, example

EXAMPLES = {key: example(key, date(2026, 6, 1)) for key in sorted(archetypes())}

LARGEST = {
    "new_customers_first": 1e4,
    "expansion": 0.15,
    "growth_first": 0.3,
    "price_drift": 0.15,
    "inference_drift": 0.15,
    "round_month": 60.0,
    "round2_month": 60.0,
    "hire1_month": 60.0,
    "hire2_month": 60.0,
    "project_months": 24.0,
}
"""Where the driver allows more than a plan of 36 months bears."""


def any_number(driver: Driver) -> st.SearchStrategy[float]:
    """A number that the driver allows, from nothing to ten times what the archetype has."""
    most = LARGEST.get(driver.key, 10 * abs(driver.amount.median) + 1)
    if driver.maximum is not None:
        most = min(most, driver.maximum)
    least = driver.minimum if driver.minimum is not None else 0.0
    return numbers(max(least, -most) if driver.signed else least, most)


@st.composite
def ventures(draw: st.DrawFn) -> Venture:
    """A venture of any archetype with points for drivers."""
    made = EXAMPLES[draw(st.sampled_from(sorted(EXAMPLES)))]
    return with_values({d.key: draw(any_number(d)) for d in made.drivers}, venture=made)


def scaled(venture: Venture, keys: set[str], factor: float) -> Venture:
    """The venture with some drivers times a factor."""
    return with_values(
        {d.key: d.amount.median * (factor if d.key in keys else 1) for d in venture.drivers}, venture=venture
    )

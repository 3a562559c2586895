"""Each archetype on the pages that a founder opens first: drawn, with its own price to move, in both languages."""

import pytest
from on_screen import cash, charts, text

from core.venture import archetypes, example

KEYS = sorted(archetypes())
LANGUAGE = {key: ("en", "zh_Hans")[place % 2] for place, key in enumerate(KEYS)}


@pytest.fixture(params=KEYS)
def opened(request, tab, store):
    """A function that opens a page with a new venture of the archetype."""
    key = request.param
    row = store.ventures.create("local", example(key), "example")
    return lambda page: tab(page, LANGUAGE[key], venture=row.id)


def test_the_overview_draws_its_cash_and_the_plan_its_drivers_and_lines(opened, kept):
    overview = opened("overview")
    assert not overview.error and len(charts(overview)) == 1
    assert "nan" not in text(overview).lower()
    plan = opened("plan")
    assert not plan.error
    venture = kept(plan)
    shown = {field.key for field in plan.text_input if field.key and field.key.startswith("driver:")}
    assert shown == {f"driver::{driver.key}" for driver in venture.drivers if driver.group == "price"}
    assert len(shown) <= 12
    (before,) = cash(plan)
    lever = plan.slider(key="lever")
    lever.set_value(lever.max / 2).run()  # the slider ends at four times the price
    (after,) = cash(plan)
    assert not plan.exception and after[-1] > before[-1]


def test_validation_compute_and_trade_offs_open_without_an_error(opened):
    for page in ("validation", "compute", "tradeoffs"):
        assert not opened(page).error, page


def test_the_canvas_shows_the_live_number_of_every_mention(opened, kept):
    app = opened("canvas")
    assert not app.error
    for key in kept(app).canvas.mentions() - {"price_per_seat"}:  # which the page gives as an example
        assert f"{{{key}}}" not in text(app)

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


LOOKS = ("months", "movers", "growth", "goal", "actuals", "own")


def test_every_closer_look_at_the_plan_opens_with_ranges(opened):
    plan = opened("plan")
    plan.toggle(key="plan:ranges").set_value(True).run()
    for look in LOOKS:
        plan.pills(key="plan:look").set_value(look).run()
        assert not plan.exception and not plan.error, look


def test_what_is_chosen_for_one_venture_does_not_break_the_next(tab, store):
    rows = [store.ventures.create("local", example(key), "example") for key in KEYS]
    app = tab("plan", venture=rows[-1].id)
    app.pills(key="plan:group").set_value("serving").run()
    for look in LOOKS:
        app.pills(key="plan:look").set_value(look).run()
        if look == "movers":
            app.selectbox(key="plan:mover").set_value("cac").run()
        if look == "goal":
            app.selectbox(key="goal:driver").set_value("price_per_seat").run()
        for row in rows:
            app.query_params["venture"] = row.id
            app.run()
            assert not app.exception, (look, row.id)
            assert not app.error, (look, app.error[0].value)
        app.query_params["venture"] = rows[-1].id
        app.run()


def test_a_venture_without_recurring_revenue_is_shown_no_empty_movements(tab, store):
    row = store.ventures.create("local", example("ads_recommender"), "example")
    app = tab("plan", venture=row.id)
    app.pills(key="plan:look").set_value("growth").run()
    assert not app.error and not app.exception
    assert "MRR movements" not in app.segmented_control(key="plan:growth").options


def test_a_founder_changes_how_the_plan_earns_and_takes_it_back(tab, kept):
    app = tab("plan")
    app.session_state["plan:modules:open"] = True
    app.run()
    choice = app.multiselect(key="plan:modules")
    assert choice.value == ["seats", "api", "hires", "market"]
    choice.set_value(["outcome", "api"]).run()
    assert not app.exception and not app.error
    assert kept(app).modules == ("outcome", "api")
    assert {"driver::price_per_success", "driver::success_share"} <= {f.key for f in app.text_input}
    app.multiselect(key="plan:modules").set_value(["seats", "api", "gpus"]).run()
    assert "disagree" in app.error[0].value
    assert kept(app).modules == ("outcome", "api")
    app.button(key="undo").click().run()
    assert kept(app).modules == ("seats", "api", "hires", "market")

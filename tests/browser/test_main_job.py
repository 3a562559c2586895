"""The way of a founder through the whole product, in a real browser, on real parts."""

import re

import pytest
from playwright.sync_api import Browser, expect

from core.venture import Amount
from tests.browser.conftest import PATIENCE_MS, App, Visit, go, settled

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


def test_a_founder_goes_from_the_example_to_a_shared_plan(app: App, visit: Visit, browser: Browser) -> None:
    tab = visit()
    expect(tab.get_by_role("heading", level=1)).to_have_text("Vertical copilot")
    before = tab.get_by_role("heading", level=3).first.inner_text()
    assert "runs out in" in before

    go(tab, "Plan and cash")
    price = tab.get_by_role("textbox", name="Price per seat")
    price.fill("180 to 240")
    price.press("Enter")
    expect(tab.get_by_text("Saved · version 2 ")).to_be_visible()
    go(tab, "Overview")
    after = tab.get_by_role("heading", level=3).first.inner_text()
    assert after != before, "the price moved, so the month when cash runs out moves"

    go(tab, "Compute cost")
    tab.get_by_role("button", name="Take into the plan").click()
    expect(tab.get_by_text("Now in the plan")).to_be_visible()

    go(tab, "Training")
    expect(tab.get_by_text("cores")).to_be_visible()
    tab.get_by_text("All settings").click()
    _choose(tab, "Network", "Perceptron")
    _choose(tab, "Training images", "2,500")
    tab.get_by_role("button", name="Train", exact=True).click()
    expect(tab.get_by_text("Last run · MLP")).to_be_visible(timeout=PATIENCE_MS)
    expect(tab.get_by_text("Test accuracy").first).to_be_visible()

    go(tab, "Accuracy and cost")
    tab.get_by_role("button", name="Take accuracy").click()
    expect(tab.get_by_text("The plan follows")).to_be_visible()

    venture_id = app.store.ventures.rows("local")[0].id
    venture, _row = app.store.ventures.load("local", venture_id)
    (run,) = app.store.runs.rows("local", venture_id)
    accuracy = venture.driver("accuracy")
    assert (accuracy.source.kind, accuracy.source.run) == ("measured", run.id)
    assert 0.5 < accuracy.amount.median < 1
    assert venture.driver("training_run_cost").source.kind == "estimated"
    assert venture.driver("price_per_seat").amount == Amount.interval(180, 240)

    go(tab, "Share")
    tab.get_by_role("textbox", name="For whom?").fill("a fund")
    tab.get_by_role("button", name="Create a link").click()
    link = tab.locator("code", has_text="token=").inner_text()
    holder = browser.new_context(viewport={"width": 390, "height": 844}).new_page()
    holder.set_default_timeout(PATIENCE_MS)
    holder.goto(link)
    settled(holder)
    expect(holder.get_by_role("heading", level=1)).to_have_text("Vertical copilot")
    expect(holder.get_by_role("heading", name="Training results")).to_be_visible()
    assert holder.get_by_test_id("stSidebarNav").count() == 0
    assert holder.get_by_text("Page not found").count() == 0
    assert holder.get_by_role("textbox").count() == 0, "read only"

    tab.get_by_role("button", name="Revoke").click()
    expect(tab.get_by_text("No link is open.")).to_be_visible()
    holder.reload()
    settled(holder)
    expect(holder.get_by_text("This link does not work")).to_be_visible()
    holder.context.close()


def test_two_tabs_that_edit_one_venture_lose_nothing(app: App, visit: Visit) -> None:
    first, second = visit("plan"), visit("plan")
    before = app.store.ventures.rows("local")[0].version
    one = first.get_by_role("textbox", name="Price per seat")
    one.fill("90")
    one.press("Enter")
    expect(first.get_by_text(f"Saved · version {before + 1} ")).to_be_visible()
    other = second.get_by_role("textbox", name="Seats per customer")
    other.fill("33")
    other.press("Enter")
    expect(second.get_by_text("is not saved")).to_be_visible()
    expect(second.get_by_test_id("stSidebar").get_by_text("Not saved")).to_be_visible()
    assert app.store.ventures.rows("local")[0].version == before + 1
    second.get_by_role("button", name="Make my change on the newest version").click()
    expect(second.get_by_text("is not saved")).to_be_hidden()
    expect(second.get_by_text(f"Saved · version {before + 2} ")).to_be_visible()
    venture, _row = app.store.ventures.load("local", app.store.ventures.rows("local")[0].id)
    assert venture.driver("price_per_seat").amount == Amount.point(90)
    assert venture.driver("seats_per_customer").amount == Amount.point(33)


def test_what_is_refused_stays_in_the_field_and_out_of_the_plan(app: App, visit: Visit) -> None:
    tab = visit("plan")
    field = tab.get_by_role("textbox", name="Price per seat")
    before = app.store.ventures.rows("local")[0].version
    field.fill("cheap")
    field.press("Enter")
    expect(tab.get_by_text("is not a number or a range")).to_be_visible()
    expect(field).to_have_value("cheap")
    assert app.store.ventures.rows("local")[0].version == before


def _choose(tab, label: str, option: str) -> None:  # type: ignore[no-untyped-def]
    box = tab.get_by_role("combobox", name=label).first
    box.fill(option)  # by keyboard: the list closes when the page scrolls to it
    box.press("ArrowDown")
    box.press("Enter")
    expect(box).to_have_value(re.compile(option))
    tab.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')

"""Servers that die: what the screen has called saved is there, and a run is found again."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from core.training.spec import RunSpec
from tests.browser.conftest import PATIENCE_MS, running, settled, until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


def test_a_server_killed_in_the_middle_of_saves_has_lost_nothing_that_was_called_saved(
    browser: Browser, tmp_path: Path
) -> None:
    with running(tmp_path) as app:
        tab = _tab(browser, f"{app.url}/plan")
        field = tab.get_by_role("textbox", name="Price per seat")
        for price in range(101, 106):
            field.fill(str(price))
            field.press("Enter")
            expect(tab.get_by_text(f"Saved · version {price - 99} ")).to_be_visible()
        # One more change is on its way while the server dies: it may be lost, but not half kept.
        field.fill("999")
        field.press("Enter", no_wait_after=True)
        app.kill()
        row = app.store.ventures.rows("local")[0]
        venture, _ = app.store.ventures.load("local", row.id, 6)
        assert venture.driver("price_per_seat").amount.median == 105
        newest = app.store.ventures.load("local", row.id)[0].driver("price_per_seat").amount.median
        assert (row.version, newest) in ((6, 105), (7, 999))
        app.start()
        tab.goto(f"{app.url}/plan")
        settled(tab)
        expect(tab.get_by_text(f"Saved · version {row.version} ")).to_be_visible()
        expect(tab.get_by_role("textbox", name="Price per seat")).to_have_value(str(int(newest)))
        tab.context.close()


def test_a_run_is_shown_after_a_reload_and_after_a_new_start_of_the_server(
    browser: Browser, tmp_path: Path
) -> None:
    with running(tmp_path) as app:
        tab = _tab(browser, f"{app.url}/training")
        venture_id = app.store.ventures.rows("local")[0].id
        spec = RunSpec(network="mlp", epochs=100)
        run = app.store.runs.submit("local", venture_id, spec.to_json(), spec.total_steps)
        until(lambda: app.store.runs.get("local", run.id).step > 0)
        tab.reload()
        settled_training(tab)
        app.kill()
        until(lambda: app.store.runs.get("local", run.id).state == "running")
        app.start()
        tab.goto(f"{app.url}/training")
        settled_training(tab)
        tab.get_by_test_id("stMain").get_by_role("button", name="Stop").click()
        until(lambda: app.store.runs.get("local", run.id).state == "stopped", 10)
        expect(tab.get_by_text("It was stopped on request")).to_be_visible()
        tab.context.close()


def settled_training(tab: Page) -> None:
    """The running run is on screen and moves."""
    expect(tab.get_by_text(re.compile(r"Step [\d,]+ of"))).to_be_visible(timeout=PATIENCE_MS)


def _tab(browser: Browser, url: str) -> Page:
    tab = browser.new_context(viewport={"width": 1440, "height": 1000}, locale="en-US").new_page()
    tab.set_default_timeout(PATIENCE_MS)
    tab.goto(url)
    settled(tab)
    return tab

"""Every page in a real browser: by deep link, on a phone, in both languages, and with nothing from outside."""

import pytest
from playwright.sync_api import ConsoleMessage, Request, expect

from tests.browser.conftest import App, Visit, go, settled

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

PAGES = ("", "canvas", "plan", "compute", "training", "tradeoffs", "learn", "validation", "share")


@pytest.mark.parametrize("page", PAGES)
def test_a_page_opens_by_deep_link_on_a_phone_without_asking_anybody_else(
    app: App, visit: Visit, page: str
) -> None:
    tab = visit("", width=390)
    asked: list[str] = []
    complaints: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        # Streamlit looks for its own health route below the deep link first; that one is not there.
        if message.type == "error" and "_stcore" not in message.location.get("url", ""):
            complaints.append(message.text)

    def see(request: Request) -> None:
        if not request.url.startswith((app.url, f"ws://localhost:{app.port}", "data:", "blob:")):
            asked.append(request.url)

    tab.on("console", hear)
    tab.on("request", see)
    tab.goto(f"{app.url}/{page}", wait_until="networkidle")
    settled(tab)
    assert tab.get_by_text("Page not found").count() == 0
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth"), "it scrolls sideways"
    widest = tab.evaluate(
        "Math.max(...[...document.querySelectorAll('[data-testid=stMainBlockContainer] *')]"
        ".filter(e => !e.closest('[data-testid=stDataFrame], .js-plotly-plot, [role=tablist], [role=radiogroup], .katex'))"
        ".map(e => e.getBoundingClientRect().right))"
    )
    assert widest <= 391, "something stands out of the page"
    assert asked == []
    assert complaints == []


def test_the_language_changes_on_every_page_and_keeps_what_was_typed(app: App, visit: Visit) -> None:
    tab = visit("plan")
    tab.get_by_role("textbox", name="Price per seat").fill("77")
    tab.get_by_role("textbox", name="Price per seat").press("Enter")
    expect(tab.get_by_role("textbox", name="Price per seat")).to_have_value("77")
    tab.get_by_text("简体中文", exact=True).click()
    expect(tab.get_by_role("heading", level=1)).to_have_text("计划与现金")
    expect(tab.get_by_role("textbox", name="每席位价格")).to_have_value("77")
    for name, title in (("画布", "商业模式画布"), ("训练", "训练"), ("分享", "分享")):
        go(tab, name)
        expect(tab.get_by_role("heading", level=1)).to_have_text(title)
    tab.get_by_text("English", exact=True).click()
    expect(tab.get_by_role("heading", level=1)).to_have_text("Share")


def test_a_driver_is_changed_by_the_keyboard_alone(app: App, visit: Visit) -> None:
    tab = visit("plan")
    version = app.store.ventures.rows("local")[0].version
    expect(tab.get_by_role("textbox", name="Seats per customer")).to_be_visible()  # fields load late
    for _ in range(60):
        tab.keyboard.press("Tab")
        name = tab.evaluate("document.activeElement.getAttribute('aria-label')") or ""
        if name.startswith("Seats per customer"):
            break
    tab.keyboard.press("ControlOrMeta+a")
    tab.keyboard.type("44")
    tab.keyboard.press("Enter")
    expect(tab.get_by_text(f"Saved · version {version + 1} ")).to_be_visible()
    venture, _row = app.store.ventures.load("local", app.store.ventures.rows("local")[0].id)
    assert venture.driver("seats_per_customer").amount.median == 44

"""The first thing anybody sees, what is taken home from it, and what must never be seen."""

import io
import sqlite3
from contextlib import closing
from pathlib import Path
from zipfile import ZipFile

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from core.venture import from_json
from tests.browser.conftest import PATIENCE_MS, App, Visit, go, running, settled

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

ODD = "<b>1</b> ![x](https://example.com/x.png) *two* `three` $x^2$ :material/home: [a](javascript:b)"
NAME = ODD[:78]
TAGS = "<b>bold</b> <a href='https://example.com'>x</a>"


@pytest.mark.parametrize(
    "command",
    [(), ("-m", "streamlit", "run", "app.py", "--server.port", "{port}")],
    ids=["python", "streamlit"],
)
def test_the_very_first_visit_may_be_a_deep_link_in_the_language_of_the_browser(
    browser: Browser, tmp_path: Path, command: tuple[str, ...]
) -> None:
    """Streamlit's old pages would let such a visit pass by the gate."""
    with running(tmp_path, *command) as app:
        context = browser.new_context(locale="zh-CN")
        tab = context.new_page()
        tab.set_default_timeout(PATIENCE_MS)
        tab.goto(f"{app.url}/validation")
        settled(tab)
        expect(tab.get_by_role("heading", level=1)).to_have_text("验证")
        expect(tab.get_by_test_id("stSidebarNav").get_by_role("link", name="分享")).to_be_visible()
        (row,) = app.store.ventures.rows("local")
        assert row.name.zh == "行业 Copilot"
        context.close()


def test_the_venture_and_the_workbook_are_downloaded_whole(app: App, visit: Visit) -> None:
    tab = visit("share")
    row = app.store.ventures.rows("local")[0]
    venture, _version = app.store.ventures.load("local", row.id)
    assert from_json(_downloaded(tab, "JSON")) == venture
    with ZipFile(io.BytesIO(_downloaded(tab, "XLSX"))) as book:
        assert book.testzip() is None
        assert "xl/workbook.xml" in book.namelist()


def _downloaded(tab: Page, name: str) -> bytes:
    with tab.expect_download() as download:
        tab.get_by_role("button", name=name).first.click()
    return Path(download.value.path()).read_bytes()


def test_what_people_type_is_shown_as_they_typed_it_and_asks_nobody(app: App, visit: Visit) -> None:
    tab = visit("share")
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url) if "example.com" in request.url else None)
    name = tab.get_by_role("textbox", name="Name of this venture")
    name.fill(NAME)
    name.press("Enter")
    assert _read(tab.get_by_test_id("stSidebar").get_by_text("*two*")) == NAME
    label = tab.get_by_role("textbox", name="For whom?")
    label.fill(NAME)
    label.press("Enter")
    tab.get_by_role("button", name="Create a link").click()
    assert _read(tab.get_by_text("opened 0 times")).startswith(f"{NAME} · version ")
    link = tab.locator("code", has_text="token=").first.inner_text()

    go(tab, "Canvas")
    tab.get_by_role("button", name="Seats at").click()
    note = tab.get_by_role("textbox", name="Note")
    expect(note).not_to_have_value("")  # a text area is empty in its first frame
    note.fill(ODD)
    note.press("ControlOrMeta+Enter")
    tab.get_by_role("button", name="Done").click()
    assert _read(tab.get_by_role("button", name="*two*")) == ODD

    go(tab, "Plan and cash")
    tab.get_by_role("button", name="Edit").click()
    tab.get_by_role("button", name="Duplicate").click()
    scenario = tab.get_by_role("textbox", name="Name", exact=True)
    scenario.fill(TAGS)
    scenario.press("Enter")
    expect(tab.get_by_role("combobox", name="Scenario")).to_have_value(TAGS)
    tab.keyboard.press("Escape")
    expect(scenario).to_be_hidden()
    tab.get_by_role("combobox", name="Compare with").click()
    tab.get_by_role("option", name="Base", exact=True).click()
    tab.keyboard.press("Escape")
    expect(tab.locator(".js-plotly-plot .legendtext").first).to_have_text(TAGS)

    holder = visit(link, width=390)
    assert _read(holder.get_by_role("heading", level=1)) == NAME
    assert asked == []
    tab.get_by_role("button", name="Undo").click()


def _read(shown: Locator) -> str:
    """The text of what is shown, without the joiner that keeps a name from becoming an icon."""
    expect(shown).to_be_visible()
    return shown.inner_text().replace("\u2060", "")


def test_a_page_that_fails_says_one_sentence_and_nothing_about_the_inside(
    browser: Browser, tmp_path: Path
) -> None:
    with running(tmp_path) as app:
        tab = browser.new_context(locale="en-US").new_page()
        tab.set_default_timeout(PATIENCE_MS)
        tab.goto(app.url)
        settled(tab)
        with closing(sqlite3.connect(tmp_path / "compute_canvas.sqlite3")) as database, database:
            database.execute("UPDATE venture_versions SET document = '{\"secret\": 1}'")
        tab.reload()
        expect(tab.get_by_text("Something went wrong on this page.")).to_be_visible()
        shown = tab.locator("body").inner_text()
        assert not [word for word in ("Traceback", "secret", "/", ".py", "Refusal") if word in shown], shown
        tab.context.close()


def test_choices_stay_when_the_language_changes(app: App, visit: Visit) -> None:
    """A select box is told apart by its words, and the words change."""
    tab = visit("plan")
    tab.get_by_role("combobox", name="Scenario").click()
    tab.get_by_role("option", name="Dearer and leaner").click()
    expect(tab.get_by_text("changed in this scenario").first).to_be_visible()
    tab.get_by_text("简体中文", exact=True).click()
    expect(tab.get_by_role("heading", level=1)).to_have_text("计划与现金")
    expect(tab.get_by_role("combobox", name="情景")).to_have_value("提价并精简")
    go(tab, "训练")
    tab.get_by_text("全部设置").click()
    tab.get_by_role("combobox", name="网络").first.click()
    tab.get_by_role("option").nth(1).click()
    chosen = tab.get_by_role("combobox", name="网络").first.input_value()
    tab.get_by_text("English", exact=True).click()
    expect(tab.get_by_role("heading", level=1)).to_have_text("Training")
    network = tab.get_by_role("combobox", name="Network").first
    expect(network).not_to_have_value(chosen)
    expect(network).not_to_have_value("")
    assert "Perceptron" in network.input_value() or "Convolution" not in network.input_value()

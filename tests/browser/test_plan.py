"""The plan page by hand: a click on a bar leads to its driver, a formula is checked while it is typed."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit, settled

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


@pytest.mark.parametrize("width", [390, 1440])
def test_a_click_on_a_bar_opens_its_driver_and_its_group(visit: Visit, width: int) -> None:
    tab = visit("plan?venture=new", width=width)
    tab.get_by_text("What matters most", exact=True).click()
    bar = tab.locator(".st-key-plan-movers .bars .point").first
    bar.scroll_into_view_if_needed()
    bar.click(force=True)
    settled(tab)
    expect(tab.get_by_role("combobox", name="Change a driver")).to_have_value(
        "Cost of winning a customer (CAC)"
    )
    expect(
        tab.get_by_role("textbox", name="Cost of winning a customer (CAC) (USD / customer)")
    ).to_have_count(2)


def test_a_formula_is_checked_while_it_is_typed_and_its_fault_pointed_at(visit: Visit) -> None:
    tab = visit("plan?venture=new")
    tab.get_by_text("Your own lines", exact=True).click()
    tab.get_by_role("button", name="Add a line").click()
    formula = tab.get_by_role("textbox", name="Formula")
    formula.press_sequentially("customers * suport_per_customer")
    expect(tab.get_by_text("is not the name of a driver or a line.")).to_be_visible()
    expect(tab.get_by_text("Did you mean")).to_be_visible()
    formula.fill("customers * support_per_customer")
    expect(tab.get_by_text("Unit: USD / month")).to_be_visible()

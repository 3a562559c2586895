"""Real figures on the plan page: pasted, previewed, used, held against the plan, removed."""

import numpy as np
import pytest
from on_screen import charts, errors, read, text

from core.finance import project

PASTE = "actuals:text:0"


@pytest.fixture
def page(tab):
    app = tab("plan")
    app.pills(key="plan:look").set_value("actuals").run()
    return app


def test_pasted_months_are_previewed_used_and_held_against_the_plan(page, kept):
    page.text_area(key=PASTE).set_value("Month,Cash at the end of the month,Notes\n1,3.5m,x\n2,3m,y").run()
    assert "Read 2 figures of Cash at the end of the month." in text(page)
    assert "left out: Notes" in read(page.warning[0].value)
    assert kept(page).actuals == ()
    page.button(key="actuals:use").click().run()
    assert [a.values for a in kept(page).actuals] == [(3.5e6, 3e6)]
    assert project(kept(page)).at("cash", 2) == 3e6
    assert "less than planned" in text(page)
    (table,) = [d.value for d in page.dataframe if "Real" in d.value.columns]
    assert list(table["Real"]) == ["$3.5M", "$3M"]
    names = [t.get("name") for t in charts(page)[0]["data"]]
    assert "before real figures" in names and "real" in names
    assert page.text_area(key="actuals:text:1").value == ""
    page.button(key="undo").click().run()
    assert kept(page).actuals == () and not page.exception


def test_later_months_join_the_first_and_all_can_be_removed(page, kept):
    page.text_area(key=PASTE).set_value("Month,MRR\n1,2000").run()
    page.button(key="actuals:use").click().run()
    page.text_area(key="actuals:text:1").set_value("Month,MRR\n2,4000").run()
    page.button(key="actuals:use").click().run()
    assert [a.values for a in kept(page).actuals] == [(2000, 4000)]
    page.button(key="actuals:remove").click().run()
    assert kept(page).actuals == ()


def test_a_table_that_cannot_be_read_says_why_and_changes_nothing(page, kept):
    page.text_area(key=PASTE).set_value("Month,Customers\nsoon,2").run()
    assert errors(page) == ["“soon” is not a month; write 2026-11, Nov 2026 or 1 for the first month."]
    assert "actuals:use" not in [b.key for b in page.button]
    assert kept(page).actuals == ()


def test_a_file_is_read_like_a_pasted_table(page, kept):
    page.file_uploader(key="actuals:file:0").upload("real.csv", b"Month,Customers\n1,4\n", "text/csv").run()
    page.button(key="actuals:use").click().run()
    assert [(a.key, a.values) for a in kept(page).actuals] == [("customers", (4,))]
    page.pills(key="plan:look").set_value("months").run()
    assert np.isclose(page.dataframe[0].value["customers"].iloc[0], 4)

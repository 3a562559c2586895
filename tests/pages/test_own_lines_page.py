"""Own lines on the plan page: typed, checked, pointed at, saved, explained, changed and deleted."""

import pytest
from on_screen import errors, read, text

LABEL, FORMULA, UNIT, INSERT = (f"own:{field}:+" for field in ("label", "formula", "unit", "insert"))


@pytest.fixture
def own(tab):
    app = tab("plan")
    app.pills(key="plan:look").set_value("own").run()
    return app


@pytest.fixture
def editor(own):
    own.button(key="own:add").click().run()
    return own


def test_a_line_is_typed_checked_and_saved(editor, kept):
    editor.text_input(key=LABEL).set_value("Support *hours*").run()
    editor.text_input(key=FORMULA).set_value("customers * support_per_customer").run()
    assert "Unit: USD / month" in read(editor.success[0].value)
    editor.button(key="own:save").click().run()
    (line,) = kept(editor).lines
    assert (line.label.en, line.formula) == ("Support *hours*", "customers * support_per_customer")
    assert "support_hours = customers * support_per_customer" in [c.value for c in editor.code]
    editor.pills(key="plan:look").set_value("months").run()
    editor.pills(key="plan:section").set_value("own").run()
    assert list(editor.dataframe[0].value.columns) == ["support_hours"]
    editor.button(key="undo").click().run()
    assert not kept(editor).lines and not editor.exception


def test_a_fault_is_said_and_pointed_at_and_cannot_be_saved(editor):
    editor.text_input(key=LABEL).set_value("Mine").run()
    editor.text_input(key=FORMULA).set_value("customers * suport_per_customer").run()
    assert errors(editor) == ["“suport_per_customer” is not the name of a driver or a line."]
    (pointed,) = [c.value for c in editor.code]
    formula, mark = pointed.split("\n")
    assert formula[mark.index("▲") :] == "suport_per_customer"
    assert "Did you mean `support_per_customer`?" in text(editor)
    assert editor.button(key="own:save").disabled


def test_units_that_do_not_fit_are_refused_while_typing(editor):
    editor.text_input(key=FORMULA).set_value("revenue + customers").run()
    assert errors(editor) == ["“revenue + customers” mixes money/month with customer."]
    editor.text_input(key=FORMULA).set_value("revenue").run()
    editor.selectbox(key=UNIT).set_value("customer").run()
    assert errors(editor) == ["The formula gives money/month, but the line is in customer."]


def test_a_name_that_is_searched_is_put_into_the_formula(editor):
    editor.text_input(key=FORMULA).set_value("customers *").run()
    editor.selectbox(key=INSERT).set_value("support_per_customer").run()
    assert editor.text_input(key=FORMULA).value == "customers * support_per_customer"
    assert editor.selectbox(key=INSERT).value is None
    assert editor.success


def test_a_line_is_explained_changed_and_deleted(editor, kept):
    editor.text_input(key=LABEL).set_value("Mine").run()
    editor.text_input(key=FORMULA).set_value("revenue * 2").run()
    editor.button(key="own:save").click().run()
    editor.button(key="own:why:mine").click().run()
    assert "[Revenue] × 2" in [c.value for c in editor.code]
    editor.session_state["why"] = []
    editor.run()
    editor.button(key="own:edit:mine").click().run()
    assert editor.text_input(key="own:formula:mine").value == "revenue * 2"
    editor.text_input(key="own:formula:mine").set_value("revenue * 3").run()
    editor.button(key="own:save").click().run()
    assert [line.formula for line in kept(editor).lines] == ["revenue * 3"]
    editor.button(key="own:delete:mine").click().run()
    assert not kept(editor).lines


def test_a_driver_is_added_stands_in_its_own_group_and_stays_while_a_line_needs_it(own, kept):
    own.button(key="own:add:driver").click().run()
    own.text_input(key="own:driver:label").set_value("Kits").run()
    own.selectbox(key="own:driver:unit").set_value("money/customer").run()
    own.text_input(key="own:driver:amount").set_value("many").run()
    own.button(key="own:driver:save").click().run()
    assert errors(own) == ["Kits: “many” is not a number or a range; write 20 or 15 to 25."]
    own.text_input(key="own:driver:amount").set_value("80 to 120").run()
    own.button(key="own:driver:save").click().run()
    assert kept(own).driver("kits").amount.low == 80
    own.pills(key="plan:group").set_value("own").run()
    assert own.text_input(key="driver::kits").value == "80 to 120"
    own.button(key="own:add").click().run()
    own.text_input(key=LABEL).set_value("Kit cost").run()
    own.text_input(key=FORMULA).set_value("new_customers * kits").run()
    own.button(key="own:save").click().run()
    own.button(key="own:driver:delete:kits").click().run()
    assert errors(own) == ["Line “Kit cost”: “kits” is not the name of a driver or a line."]
    own.button(key="own:delete:kit_cost").click().run()
    own.button(key="own:driver:delete:kits").click().run()
    assert not kept(own).has_driver("kits") and not own.exception

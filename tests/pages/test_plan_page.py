"""Plan and cash: what is typed moves the cash, what cannot be is refused in a sentence, all of it comes back."""

import pytest
from on_screen import cash, charts, errors, read, version

from core.finance import project, simulate
from core.finance.goal import Goal, seek
from core.finance.outcome import outcomes
from core.finance.sensitivity import tornado
from core.i18n import language
from core.venture import Amount
from pages.parts import cash_view, growth, movers

PRICE = "driver::price_per_seat"
KINDS = (
    "break_even",
    "cash_zero",
    "lowest_cash",
    "cash_end",
    "funding_need",
    "mrr",
    "arr",
    "gross_margin",
    "customers",
    "payback",
    "ltv_to_cac",
)
CHANCE = "Chance that cash falls below zero"
_ = language("en")


def test_a_number_that_is_typed_moves_the_cash_and_is_saved(tab, kept):
    app = tab("plan")
    (before,) = cash(app)
    app.text_input(key=PRICE).set_value("200").run()
    (after,) = cash(app)
    assert after[-1] > before[-1]
    assert after[-1] == pytest.approx(project(kept(app)).at("cash", 36), rel=1e-3)
    assert kept(app).driver("price_per_seat").amount.value == 200
    assert kept(app).driver("price_per_seat").source.kind == "typed"
    assert any("typed by you" in c.value for c in app.caption)
    assert "version 2" in app.sidebar.caption[0].value


def test_a_range_is_taken_as_a_ninety_percent_interval(tab, kept):
    app = tab("plan")
    app.text_input(key=PRICE).set_value("  15 TO 25 ").run()
    amount = kept(app).driver("price_per_seat").amount
    assert (amount.low, amount.high, amount.distribution) == (15, 25, "lognormal")
    assert app.text_input(key=PRICE).value == "15 to 25"


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("abc", "Price per seat: “abc” is not a number or a range; write 20 or 15 to 25."),
        ("-5", "Price per seat is -5; at least 0.01 is allowed."),
        ("25 to 15", "Price per seat: The range 25.0 to 15.0 must rise."),
        ("", "Price per seat: “” is not a number or a range; write 20 or 15 to 25."),
        ("<b>1</b>", "Price per seat: “<b>1</b>” is not a number or a range; write 20 or 15 to 25."),
    ],
)
def test_what_is_no_amount_is_refused_in_one_sentence_and_stays_in_the_field(tab, kept, typed, sentence):
    app = tab("plan")
    before = kept(app)
    app.text_input(key=PRICE).set_value(typed).run()
    assert errors(app) == [sentence]
    assert app.text_input(key=PRICE).value == typed
    assert kept(app) == before
    assert version(app) == 1
    app.text_input(key=PRICE).set_value("20").run()
    assert not app.error
    assert kept(app).driver("price_per_seat").amount.value == 20


def test_a_refusal_goes_with_the_text_that_it_is_about(tab):
    app = tab("plan")
    app.text_input(key="driver::seats_per_customer").set_value("30").run()
    app.text_input(key=PRICE).set_value("abc").run()
    assert app.error
    app.switch_page("canvas.py").run()
    app.switch_page("plan.py").run()
    assert (app.text_input(key=PRICE).value, list(app.error)) == ("60 to 107", [])
    app.text_input(key=PRICE).set_value("abc").run()
    app.button(key="undo").click().run()
    assert (app.text_input(key=PRICE).value, list(app.error)) == ("60 to 107", [])


def test_a_share_is_typed_and_shown_in_percent(tab, kept):
    app = tab("plan")
    app.text_input(key="driver::payment_fee").set_value("2 to 5%").run()
    amount = kept(app).driver("payment_fee").amount
    assert (amount.low, amount.high) == (0.02, 0.05)
    assert app.text_input(key="driver::payment_fee").value == "2% to 5%"


def test_every_group_of_drivers_shows_each_with_unit_and_source(tab, kept):
    app = tab("plan")
    for group in ("price", "customers", "serving", "team", "cash"):
        app.pills(key="plan:group").set_value(group).run()
        shown = [field for field in app.text_input if field.key.startswith("driver:")]
        wanted = [driver for driver in kept(app).drivers if driver.group == group]
        assert {field.key for field in shown} == {f"driver::{driver.key}" for driver in wanted}
        assert all(field.label.endswith("\\)") or "(" in field.label for field in shown)
        assert len([c for c in app.caption if "menu_book" in c.value]) == len(wanted)


def test_the_price_lever_moves_a_range_as_a_whole(tab, kept):
    app = tab("plan")
    (before,) = cash(app)
    app.slider(key="lever").set_value(160.0).run()
    amount = kept(app).driver("price_per_seat").amount
    assert amount.median == pytest.approx(160)
    assert amount.high / amount.low == pytest.approx(107 / 60)
    assert cash(app)[0][-1] > before[-1]
    assert app.text_input(key=PRICE).value.startswith("119.8")
    assert app.slider(key="lever").value == 160


def test_the_price_lever_stands_at_the_price_again_after_another_group_was_shown(tab):
    app = tab("plan")
    app.pills(key="plan:group").set_value("team").run()
    app.pills(key="plan:group").set_value("price").run()
    assert app.slider(key="lever").value == 80


def test_undo_and_redo_take_a_change_back_and_bring_it_again(tab, kept):
    app = tab("plan")
    assert app.button(key="undo").disabled and app.button(key="redo").disabled
    app.text_input(key=PRICE).set_value("20").run()
    app.text_input(key=PRICE).set_value("30").run()
    app.button(key="undo").click().run()
    assert app.text_input(key=PRICE).value == "20"
    app.button(key="undo").click().run()
    assert app.text_input(key=PRICE).value == "60 to 107"
    assert kept(app).driver("price_per_seat").source.kind == "preset"
    assert app.button(key="undo").disabled
    app.button(key="redo").click().run()
    app.button(key="redo").click().run()
    assert app.text_input(key=PRICE).value == "30"
    assert app.button(key="redo").disabled


def test_the_ranges_show_the_chance_that_cash_runs_out_with_its_error(tab, kept):
    app = tab("plan")
    assert CHANCE not in "".join(m.value for m in app.markdown)
    app.toggle(key="plan:ranges").set_value(True).run()
    (line,) = [m.value for m in app.markdown if CHANCE in m.value]
    found = simulate(kept(app), 8192)
    assert f"36 months: {_.percent(found.p_cash_out)}" in read(line)
    assert f"± {_.percent(found.p_cash_out_error, 1)}" in read(line)
    assert "(8,192 draws)" in line
    names = [t.get("name") for t in charts(app)[0]["data"]]
    assert "90% of outcomes" in names and "50% of outcomes" in names


def test_a_change_is_answered_from_few_draws_first_and_then_from_many(tab, monkeypatch):
    app = tab("plan")
    taken = []

    def counted(venture, count, *given):
        taken.append(count)
        return simulate(venture, count, *given)

    monkeypatch.setattr(cash_view, "simulate", counted)
    app.toggle(key="plan:ranges").set_value(True).run()
    app.text_input(key=PRICE).set_value("200").run()
    assert taken == [1024, 8192] * 2
    app.pills(key="plan:group").set_value("team").run()
    assert taken[4:] == [8192], "nothing of the plan has changed"


def test_the_bands_are_a_table_too_when_it_is_opened(tab):
    app = tab("plan")
    app.toggle(key="plan:ranges").set_value(True).run()
    before = len(app.dataframe)
    app.session_state["plan:bands"] = True
    app.run()
    assert len(app.dataframe) == before + 1
    (rows,) = [d.value for d in app.dataframe if "Median" in d.value.columns]
    assert list(rows["Month"])[-1] == _.month(app.session_state["workspace"].venture.start, 35)


# Scenarios


def test_a_scenario_changes_its_own_drivers_and_leaves_the_base(tab, kept):
    app = tab("plan")
    app.button(key="scenario:copy").click().run()
    (new,) = [s for s in kept(app).scenarios if s.name.en == "Base (copy)"]
    assert app.selectbox(key="plan:scenario").value == new.id
    app.text_input(key=f"driver:{new.id}:price_per_seat").set_value("500").run()
    assert kept(app).driver("price_per_seat").amount.low == 60
    assert kept(app).under(new.id).driver("price_per_seat").amount.value == 500
    assert any("changed in this scenario" in c.value for c in app.caption)
    app.selectbox(key="plan:scenario").set_value("").run()
    assert app.text_input(key=PRICE).value == "60 to 107"


def test_a_scenario_is_duplicated_renamed_and_deleted(tab, kept):
    app = tab("plan")
    app.selectbox(key="plan:scenario").set_value("round").run()
    app.button(key="scenario:copy").click().run()
    copy = app.selectbox(key="plan:scenario").value
    assert kept(app).scenario(copy).overrides == kept(app).scenario("round").overrides
    app.text_input(key=f"scenario:name:{copy}").set_value("Bridge <b>round</b>").run()
    assert kept(app).scenario(copy).name.en == "Bridge <b>round</b>"
    app.text_input(key=f"scenario:name:{copy}").set_value("   ").run()
    assert errors(app) == ["A name has 1 to 80 characters; this one has 0."]
    assert kept(app).scenario(copy).name.en == "Bridge <b>round</b>"
    app.button(key="scenario:delete").click().run()
    assert [s.id for s in kept(app).scenarios] == ["round", "dearer_leaner"]
    assert app.selectbox(key="plan:scenario").value == ""
    assert not app.exception
    app.button(key="undo").click().run()
    assert copy in [s.id for s in kept(app).scenarios]


def test_a_scenario_deleted_in_another_tab_leaves_this_one_on_the_base(tab):
    app, other = tab("plan"), tab("plan")
    app.selectbox(key="plan:scenario").set_value("round").run()
    other.selectbox(key="plan:scenario").set_value("round").run()
    other.button(key="scenario:delete").click().run()
    app.run()
    assert not app.exception
    assert app.selectbox(key="plan:scenario").value == ""


def test_scenarios_stand_side_by_side_with_their_differences(tab, kept):
    app = tab("plan")
    app.multiselect(key="plan:others").set_value(["round", "dearer_leaner"]).run()
    base, round_, _leaner = cash(app)
    assert round_[-1] - base[-1] == pytest.approx(12e6, rel=1e-3)
    table = next(d.value for d in app.dataframe if "Figure" in d.value.columns)
    assert list(table.columns) == [
        "Figure",
        "1 · Base",
        "2 · Series A of $12M in month 12",
        "Difference (2 − 1)",
        "3 · Dearer and leaner",
        "Difference (3 − 1)",
    ]
    differs = next(d.value for d in app.dataframe if "Driver" in d.value.columns).set_index("Driver")
    changed = {o.key for s in kept(app).scenarios for o in s.overrides}
    assert set(differs.index) == {kept(app).driver(key).label.en for key in changed}
    assert list(differs.loc["Next round, amount"])[:3] == ["USD", "0", "12m"]


def test_a_line_of_choice_is_compared_month_by_month(tab):
    app = tab("plan")
    app.multiselect(key="plan:others").set_value(["dearer_leaner"]).run()
    app.selectbox(key="plan:compared").set_value("customers").run()
    assert not app.exception
    (rows,) = [d.value for d in app.dataframe if "Dearer and leaner" in d.value.columns]
    assert "Dearer and leaner, difference from Base" in rows.columns


def test_a_compared_scenario_that_is_deleted_leaves_the_comparison(tab):
    app = tab("plan")
    app.multiselect(key="plan:others").set_value(["round", "dearer_leaner"]).run()
    app.session_state["workspace"].change(lambda v: v.delete_scenario("round"), "deleted")
    app.run()
    assert not app.exception
    assert app.multiselect(key="plan:others").value == ["dearer_leaner"]


# Why


def test_why_leads_from_a_figure_down_to_the_source_of_a_driver(tab, kept):
    app = tab("plan")
    app.button(key="why:plan:gross_margin").click().run()
    formula, values = [c.value for c in app.code]
    assert formula == "where([Revenue] > 0, [Gross profit] ÷ [Revenue], 0)"
    assert "÷" in values and "[" not in values
    for step in ("Gross profit", "Cost of revenue", "Payment fees"):
        index = next(i for i, m in enumerate(inputs(app)) if m.startswith(step))
        app.button(key=f"why:{len(app.session_state['why'])}:{index}").click().run()
    assert next(c.value for c in app.code) == "[Revenue] × [Payment fee, share of revenue]"
    assert any(m.startswith("Payment fee, share of revenue: **1.231%**") for m in inputs(app))
    assert "Invoices and cards mixed; judgement" in app.caption[-1].value
    app.button(key="why:back").click().run()
    assert "Payment fees" in "".join(inputs(app))
    assert next(c.value for c in app.code).startswith("[Inference]")


def inputs(app):
    """What goes into the explained number, as it is listed."""
    shown = [m.value for m in app.markdown]
    return shown[shown.index("**What goes in**") + 1 :]


def test_every_figure_of_the_page_can_be_explained(tab):
    app = tab("plan")
    for key in [b.key for b in app.button if b.key.startswith("why:plan:")]:
        app.button(key=key).click().run()
        assert not app.exception and not app.error, key
        assert len(app.code) == 2, key
        app.session_state["why"] = []
        app.run()


def test_every_section_of_the_plan_shows_its_lines_with_units(tab):
    app = tab("plan")
    for section in app.pills(key="plan:section").options:
        app.pills(key="plan:section").set_value(section).run()
        assert not app.exception
        frame = app.dataframe[0].value
        assert len(frame) == 36
        assert frame.notna().all().all()


def test_two_scenarios_of_one_name_can_be_told_apart(tab, kept):
    app = tab("plan")
    for _turn in range(2):
        app.selectbox(key="plan:scenario").set_value("").run()
        app.button(key="scenario:copy").click().run()
    first, second = [s.id for s in kept(app).scenarios if s.name.en == "Base (copy)"]
    for scenario in (first, second):
        app.selectbox(key="plan:scenario").set_value(scenario).run()
        app.run()
        assert app.selectbox(key="plan:scenario").value == scenario
        assert app.text_input(key=f"scenario:name:{scenario}").value == "Base (copy)"


def test_a_choice_whose_name_changes_is_sent_to_the_browser_anew(tab):
    """The browser knows its choice by the name only, and would fall back to the first without it."""
    app = tab("plan")
    app.selectbox(key="plan:scenario").set_value("round").run()
    app.text_input(key="scenario:name:round").set_value("Bridge").run()
    box = app.selectbox(key="plan:scenario")
    assert (box.proto.set_value, box.proto.raw_value) == (True, "Bridge")
    app.segmented_control(key="language").set_value("zh_Hans").run()
    app.selectbox(key="plan:scenario").set_value("dearer_leaner").run()
    app.segmented_control(key="language").set_value("en").run()
    box = app.selectbox(key="plan:scenario")
    assert (box.proto.set_value, box.proto.raw_value) == (True, "Dearer and leaner")


# A closer look


def test_only_the_look_that_is_on_the_screen_is_computed(tab, monkeypatch):
    app = tab("plan")
    monkeypatch.setattr(movers, "tornado", lambda *given: pytest.fail("nobody has asked"))
    monkeypatch.setattr(growth, "cohorts", lambda *given: pytest.fail("nobody has asked"))
    app.text_input(key=PRICE).set_value("200").run()
    assert not app.exception
    assert len(app.get("plotly_chart")) == 1


def test_what_matters_most_is_a_tornado_for_any_outcome(tab, kept):
    app = tab("plan")
    app.pills(key="plan:look").set_value("movers").run()
    for one in outcomes(kept(app)):
        app.selectbox(key="plan:outcome").set_value(one.name).run()
        assert not app.exception
        found = tornado(kept(app), one.name)
        assert charts(app)[1]["data"][0]["customdata"][0] == found.bars[0].driver_key


def test_a_click_on_a_bar_leads_to_its_driver(tab, kept):
    app = tab("plan")
    app.pills(key="plan:look").set_value("movers").run()
    app.selectbox(key="plan:mover").set_value("cac").run()
    app.text_input(key="driver::cac:movers").set_value("9k").run()
    assert kept(app).driver("cac").amount.value == 9_000
    app.pills(key="plan:group").set_value("customers").run()
    assert app.text_input(key="driver::cac").value == "9,000"


def test_the_shares_of_the_variance_are_drawn_on_request(tab):
    app = tab("plan")
    app.pills(key="plan:look").set_value("movers").run()
    app.segmented_control(key="plan:method").set_value("together").run()
    assert not app.exception
    assert [t["name"] for t in charts(app)[1]["data"]] == ["with all its interactions", "alone"]


def test_a_plan_without_ranges_says_that_nothing_moves_it(tab):
    app = tab("plan")
    workspace = app.session_state["workspace"]
    for driver in workspace.venture.drivers:
        point = Amount.point(driver.amount.median)
        workspace.change(lambda v, d=driver, p=point: v.with_driver(d.key, p), "point")
    app.pills(key="plan:look").set_value("movers").run()
    assert not app.exception
    assert "No driver is a range yet" in app.info[0].value


def test_movements_margin_and_cohorts_are_drawn_and_reconcile(tab, kept):
    app = tab("plan")
    app.pills(key="plan:look").set_value("growth").run()
    (bars,) = charts(app)[1]["data"]
    assert sum(bars["y"][:-1]) == pytest.approx(bars["y"][-1], rel=1e-3)
    app.segmented_control(key="plan:growth").set_value("margin").run()
    (bars,) = charts(app)[1]["data"]
    assert sum(bars["y"][:-1]) == pytest.approx(bars["y"][-1], rel=1e-3)
    app.segmented_control(key="plan:growth").set_value("cohorts").run()
    assert charts(app)[1]["data"][0]["type"] == "heatmap"
    assert not app.exception


# Goal seek


@pytest.fixture
def goal(tab):
    app = tab("plan")
    app.pills(key="plan:look").set_value("goal").run()
    return app


def test_the_price_for_a_goal_is_found_and_applied_with_one_click(goal, kept):
    goal.selectbox(key="goal:outcome").set_value("ltv_to_cac").run()
    (answer,) = goal.info
    assert "± " in answer.value and "1,024 draws" in answer.value
    found = seek(kept(goal), "price_per_seat", Goal("ltv_to_cac", at_least=3, probability=0.8))
    goal.button(key="goal:apply").click().run()
    price = kept(goal).driver("price_per_seat").amount
    assert price.is_point and price.value == pytest.approx(found.best.value, rel=0.01)
    assert price.value >= found.best.value, "rounded away from today's price"
    assert "reaches this already" in goal.success[0].value
    goal.button(key="undo").click().run()
    assert not kept(goal).driver("price_per_seat").amount.is_point


def test_a_goal_out_of_reach_names_the_best_and_what_stands_in_the_way(goal, kept):
    goal.selectbox(key="goal:driver").set_value("support_per_customer").run()
    (answer,) = goal.warning
    assert "No other driver alone would bring it near" in answer.value
    goal.selectbox(key="goal:outcome").set_value("ltv_to_cac").run()
    (answer,) = goal.warning
    assert "Not reachable" in answer.value and "stands most in the way" in answer.value
    found = seek(kept(goal), "support_per_customer", Goal("ltv_to_cac", at_least=3, probability=0.8))
    assert kept(goal).driver(found.binding.driver_key).label.en in read(answer.value)


def test_every_goal_can_be_asked_for(goal):
    for kind in KINDS:
        goal.selectbox(key="goal:outcome").set_value(kind).run()
        assert not goal.exception and not goal.error, kind
        assert len([*goal.info, *goal.warning, *goal.success]) == 1


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("60", "The goal is “60”; a share such as 60% is needed."),
        ("50% to 60%", "The goal is “50% to 60%”; one number is needed, not a range."),
        ("much", "“much” is not a number or a range; write 20 or 15 to 25."),
    ],
)
def test_a_goal_that_is_no_number_is_refused_in_one_sentence(goal, typed, sentence):
    goal.selectbox(key="goal:outcome").set_value("gross_margin").run()
    goal.text_input(key="goal:value:gross_margin").set_value(typed).run()
    assert errors(goal) == [sentence]


def test_a_goal_in_a_scenario_changes_the_scenario_only(goal, kept):
    goal.selectbox(key="plan:scenario").set_value("round").run()
    goal.selectbox(key="goal:outcome").set_value("ltv_to_cac").run()
    goal.button(key="goal:apply").click().run()
    assert not kept(goal).driver("price_per_seat").amount.is_point
    assert kept(goal).under("round").driver("price_per_seat").amount.is_point

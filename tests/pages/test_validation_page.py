"""Validation: the claim that matters most and is known least comes first, and evidence moves it down."""

from on_screen import errors, read, text

from core.finance import risks_of
from core.i18n import language
from core.venture import Amount


def order(app):
    """The claims from top to bottom."""
    shown = [m.value for m in app.markdown if m.value.startswith("**") and " · " in m.value.split("**")[1]]
    return [read(line.split("**")[1]).split(" · ", 1)[1] for line in shown]


def test_the_claims_stand_in_the_order_of_their_risk_with_the_first_named_above(tab, kept):
    app = tab("validation")
    wanted = risks_of(kept(app))
    assert order(app) == [risk.hypothesis.statement.en for risk in wanted]
    (first,) = app.info
    assert read(first.value).startswith(f"Test this first: “{wanted[0].hypothesis.statement.en}”")
    money = language("en").money(wanted[0].worth, "USD", 2)
    assert f"Knowing it better is worth about {money}" in read(first.value)
    bars = [read(bar.proto.text) for bar in app.get("progress")]
    assert bars[0] == f"Knowing this better is worth about {money}"


def test_where_cash_never_runs_short_the_claims_stand_by_their_share_of_the_risk(tab, kept):
    app = tab("validation")
    rich = Amount.point(1e9)
    app.session_state["workspace"].change(lambda v: v.with_driver("cash_first", rich), "rich")
    app.run()
    assert "of your cash risk" in app.info[0].value
    wanted = sorted(risks_of(kept(app)), key=lambda risk: -risk.risk)
    assert order(app) == [risk.hypothesis.statement.en for risk in wanted]
    assert all("Importance" in bar.proto.text for bar in app.get("progress"))


def test_evidence_moves_a_claim_down_and_undo_moves_it_back(tab, kept):
    app = tab("validation")
    before = order(app)
    second = risks_of(kept(app))[1].hypothesis
    app.selectbox(key=f"validation:evidence:{second.id}").set_value(5).run()
    assert kept(app).hypothesis(second.id).evidence == 5
    assert order(app).index(second.statement.en) > 1
    assert order(app) == [risk.hypothesis.statement.en for risk in risks_of(kept(app))]
    app.button(key="undo").click().run()
    assert order(app) == before
    assert app.selectbox(key=f"validation:evidence:{second.id}").value == second.evidence


def test_a_hypothesis_is_added_filled_in_and_deleted(tab, kept):
    app = tab("validation")
    known = {h.id for h in kept(app).hypotheses}
    app.button(key="validation:add").click().run()
    (new,) = {h.id for h in kept(app).hypotheses} - known
    app.text_input(key=f"validation:statement:{new}").set_value("Lawyers *pay* <b>monthly</b>").run()
    app.text_input(key=f"validation:test:{new}").set_value("Ask ten").run()
    app.selectbox(key=f"validation:block:{new}").set_value("revenues").run()
    app.multiselect(key=f"validation:drivers:{new}").set_value(["price_per_seat", "cac"]).run()
    kept_now = kept(app).hypothesis(new)
    assert (kept_now.statement.en, kept_now.test.en) == ("Lawyers *pay* <b>monthly</b>", "Ask ten")
    assert (kept_now.block, kept_now.drivers) == ("revenues", ("price_per_seat", "cac"))
    app.button(key="validation:done").click().run()
    assert "Lawyers *pay* <b>monthly</b>" in order(app)
    assert "Drivers: Price per seat, Cost of winning a customer (CAC)" in text(app)
    app.button(key=f"validation:edit:{new}").click().run()
    app.button(key="validation:delete").click().run()
    assert {h.id for h in kept(app).hypotheses} == known
    app.button(key="undo").click().run()
    assert kept(app).hypothesis(new) == kept_now


def test_a_claim_without_words_is_refused_and_an_undo_is_seen_in_the_open_editor(tab, kept):
    app = tab("validation")
    app.button(key="validation:edit:renewal").click().run()
    claim = "validation:statement:renewal"
    app.text_input(key=claim).set_value("  ").run()
    assert errors(app) == ["A hypothesis needs a claim."]
    assert kept(app).hypothesis("renewal").statement.en == "Firms renew at full price."
    app.text_input(key=claim).set_value("Firms renew.").run()
    assert not app.error
    app.button(key="undo").click().run()
    assert app.text_input(key=claim).value == "Firms renew at full price."


def test_a_plan_without_hypotheses_asks_for_the_first(tab):
    app = tab("validation")
    workspace = app.session_state["workspace"]
    for hypothesis in workspace.venture.hypotheses:
        workspace.change(lambda v, h=hypothesis: v.without_hypothesis(h.id), "deleted")
    app.run()
    assert "There are no hypotheses yet" in text(app)

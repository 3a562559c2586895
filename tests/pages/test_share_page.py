"""Share: a link shows one version to its holder and nothing more, and a file opens only if it is a venture."""

import json

import pytest
from on_screen import errors, read, text, version

from core.finance import simulate
from core.i18n import LANGUAGES, language
from core.venture import example, to_json

BROKEN = "This link does not work; ask whoever sent it for a new one."


def linked(app, store, label=""):
    """Create a link to what is open and return its token."""
    if label:
        app.text_input(key="share:label").set_value(label).run()
    app.button(key="share:create").click().run()
    rows = store.links.rows("local", app.session_state["workspace"].venture_id)
    return rows[0].token


def warnings(app):
    return [read(warning.value) for warning in app.warning]


# Links


def test_a_link_is_shown_with_its_address_its_version_and_for_whom_it_is(tab, store):
    app = tab("share")
    token = linked(app, store, "A fund <b>x</b>")
    (address,) = [c.value for c in app.code]
    assert address.endswith(f"/shared?token={token}")
    assert "A fund <b>x</b> · version 1 · " in text(app)
    assert "opened 0 times" in text(app)
    assert app.text_input(key="share:label").value == ""


@pytest.mark.parametrize("code", list(LANGUAGES))
def test_the_holder_of_a_link_sees_the_plan_read_only(tab, store, code):
    token = linked(tab("share"), store)
    holder = tab(code=code, token=token)
    venture = example()
    _ = language(code)
    assert holder.title[0].value == _.text(venture.name)
    assert f"{_.percent(simulate(venture, 8192).p_cash_out)} ±" in text(holder)
    assert len(holder.get("plotly_chart")) == 1
    sources = holder.dataframe[-1].value
    assert len(sources) == len(venture.drivers)
    assert sources.iloc[:, 4].str.len().gt(0).all(), "every number has its source"
    for kind in ("text_input", "text_area", "number_input", "selectbox", "file_uploader", "toggle", "slider"):
        assert not holder.get(kind), kind
    assert {b.key.split(":")[0] for b in holder.button} == {"why"}
    assert not [c for c in holder.sidebar.caption if "version" in c.value]


def test_the_holder_is_counted_once_and_can_ask_why(tab, store):
    app = tab("share")
    holder = tab(token=linked(app, store))
    holder.button(key="why:shared:gross_margin").click().run()
    assert len(holder.code) == 2
    app.run()
    assert "opened 1 times" in text(app)


def test_a_link_shows_the_version_it_was_made_for(tab, store):
    app = tab("share")
    token = linked(app, store)
    app.switch_page("plan.py").run()
    app.text_input(key="driver::price_per_seat").set_value("999").run()
    holder = tab(token=token)
    assert "version 1 of" in text(holder)
    assert "$999" not in "".join(holder.dataframe[-1].value["Median"])
    newer = tab(token=linked(tab("share"), store))
    assert "version 2 of" in text(newer)
    assert any("$999" in cell for cell in newer.dataframe[-1].value["Median"])


def test_a_revoked_link_is_one_plain_sentence_at_once(tab, store):
    app = tab("share")
    token = linked(app, store)
    holder = tab(token=token)
    app.button(key=f"share:revoke:{token}").click().run()
    assert "No link is open." in text(app)
    holder.run()
    assert warnings(holder) == [BROKEN]
    assert not holder.dataframe and not holder.get("plotly_chart")


@pytest.mark.parametrize("token", ["", "nonsense", "A" * 22, "' OR 1=1 --", "<b>", "a" * 5000])
def test_a_wrong_token_says_no_more_than_a_revoked_one(tab, store, token):
    tab()
    holder = tab(token=token)
    assert warnings(holder) == [BROKEN]
    assert not holder.get("plotly_chart") and not holder.button


def test_training_results_are_part_of_what_is_shared(tab, store):
    assert "No model had been trained" in text(tab(token=linked(tab("share"), store)))


# Versions


def test_an_old_version_is_restored_as_a_new_one(tab, kept):
    app = tab("plan")
    before = kept(app)
    app.text_input(key="driver::price_per_seat").set_value("20").run()
    app.switch_page("share.py").run()
    assert "**2** · " in text(app) and "Price per seat: 60 to 107 → 20" in text(app)
    app.button(key="share:restore:1").click().run()
    assert version(app) == 3
    assert kept(app) == before
    app.button(key="share:restore:2").click().run()
    assert kept(app).driver("price_per_seat").amount.value == 20


# Files


GARBAGE = {
    "not JSON": (b"garbage", "The file is not valid JSON"),
    "a picture": (b"\x89PNG\r\n\x1a\n\x00\x00", "The file is not valid JSON"),
    "nothing": (b"", "The file is not valid JSON"),
    "a list": (b"[]", "The file holds no venture"),
    "no version": (b"{}", "schema_version is None"),
    "the future": (b'{"schema_version": 99}', "reads up to 2"),
    "not a number": (b'{"schema_version": 1, "x": NaN}', "The file is not valid JSON"),
    "deep": (b'{"a":' * 3000 + b"1" + b"}" * 3000, "The file is not valid JSON"),
    "markdown": (b'{"schema_version": "![x](https://example.com/x.png)"}', "schema_version is"),
    "too much": (json.dumps({"schema_version": 1, "extra": 1}).encode(), "is missing"),
}


@pytest.mark.parametrize("what", list(GARBAGE))
def test_a_file_that_is_no_venture_is_refused_in_a_sentence_and_what_is_open_stays(tab, kept, store, what):
    data, sentence = GARBAGE[what]
    app = tab("share")
    before = kept(app)
    app.file_uploader(key="share:upload:0").set_value(
        ("odd <b>name</b>.json", data, "application/json")
    ).run()
    (error,) = errors(app)
    assert error.startswith("odd <b>name</b>.json was not opened: ")
    assert sentence in error
    assert error.endswith("What you have open is unchanged.")
    assert "![x](" not in app.error[0].value
    assert kept(app) == before and version(app) == 1
    assert len(store.ventures.rows("local")) == 1


def test_a_venture_from_a_file_is_opened_beside_the_one_that_was_open(tab, kept, store):
    app = tab("share")
    first = app.session_state["workspace"].venture_id
    other = example("vertical_copilot").renamed("From <i>elsewhere</i>")
    app.file_uploader(key="share:upload:0").set_value(
        ("plan.json", to_json(other).encode(), "application/json")
    ).run()
    assert not app.exception and not app.error
    assert kept(app) == other
    assert app.session_state["workspace"].venture_id != first
    assert "**From <i>elsewhere</i>**" in text(app)
    app.selectbox(key="share:venture").set_value(first).run()
    assert app.session_state["workspace"].venture_id == first
    assert kept(app).name.en == "Vertical copilot"
    assert len(store.ventures.rows("local")) == 2


# Ventures


def test_a_venture_is_renamed_and_a_name_that_is_none_is_refused(tab, kept):
    app = tab("share")
    app.text_input(key="share:name").set_value("Ada & Söhne *GmbH*").run()
    assert kept(app).name.en == "Ada & Söhne *GmbH*"
    assert "**Ada & Söhne *GmbH***" in text(app)
    app.text_input(key="share:name").set_value(" ").run()
    assert errors(app) == ["A name has 1 to 80 characters; this one has 0."]
    assert kept(app).name.en == "Ada & Söhne *GmbH*"
    app.button(key="undo").click().run()
    assert app.text_input(key="share:name").value == "Vertical copilot"
    assert not app.error


def test_a_new_venture_is_made_from_every_archetype_and_draws_its_plan(tab, kept):
    app = tab("share")
    for archetype in app.selectbox(key="share:archetype").options:
        app.selectbox(key="share:archetype").select(archetype).run()
        key = app.selectbox(key="share:archetype").value
        app.button(key="share:new").click().run()
        assert kept(app).archetype == key
        app.switch_page("overview.py").run()
        assert not app.exception and not app.error, key
        app.switch_page("share.py").run()


def test_two_ventures_of_one_name_can_be_told_apart(tab):
    app = tab("share")
    first = app.session_state["workspace"].venture_id
    app.button(key="share:new").click().run()
    second = app.session_state["workspace"].venture_id
    for venture_id in (first, second):
        app.selectbox(key="share:venture").set_value(venture_id).run()
        app.run()
        assert app.session_state["workspace"].venture_id == venture_id


def test_the_holder_reads_definitions_and_follows_why_down_to_a_source(tab, store):
    app = tab("share")
    link = store.links.create("local", app.session_state["workspace"].venture_id, 1, "")
    holder = tab(token=link.token)
    assert "Benchmark: AI products: mean 45% in 2025" in text(holder)
    holder.session_state["shared:months"] = True
    holder.run()
    assert not holder.exception
    assert "cash" not in holder.dataframe[0].value.columns
    holder.pills(key="shared:section").set_value("cash").run()
    assert len(holder.dataframe[0].value["cash"]) == 36
    holder.button(key="why:shared:gross_margin").click().run()
    for step in ("Gross profit", "Cost of revenue", "Payment fees"):
        shown = [m.value for m in holder.markdown]
        listed = shown[shown.index("**What goes in**") + 1 :]
        index = next(i for i, m in enumerate(listed) if m.startswith(step))
        holder.button(key=f"why:{len(holder.session_state['why'])}:{index}").click().run()
    assert "Invoices and cards mixed; judgement" in holder.caption[-1].value
    assert "workspace" not in holder.session_state, "the holder has no venture of their own here"

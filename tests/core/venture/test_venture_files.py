"""The one door to the outside: what goes out comes back equal, and nothing malformed comes in."""

import json
import time
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_ventures import ventures

from core.i18n import Refusal, Text, language
from core.venture import (
    BLOCKS,
    MAX_BYTES,
    SCHEMA_VERSION,
    Actual,
    Amount,
    Canvas,
    Hypothesis,
    Line,
    Note,
    Override,
    Scenario,
    Venture,
    codec,
    example,
    from_json,
    to_json,
)

START = date(2026, 6, 1)
GOOD = to_json(example(start=START))


def changed(**fields):
    return json.dumps({**json.loads(GOOD), **fields})


def without(field):
    document = json.loads(GOOD)
    del document[field]
    return json.dumps(document)


def inside(path, value):
    """The good file with ``value`` at the place that ``path`` names."""
    document = json.loads(GOOD)
    part = document
    *way, last = path
    for step in way:
        part = part[step]
    part[last] = value
    return json.dumps(document)


def refusal(text):
    """The one sentence with which ``text`` is refused, within a second of work."""
    start = time.process_time()
    with pytest.raises(Refusal) as refused:
        from_json(text)
    assert time.process_time() - start < 1
    sentence = str(refused.value)
    assert len(sentence) < 600
    assert "\n" not in sentence
    assert language("zh_Hans").refusal(refused.value)
    return sentence


# There and back


def test_the_example_comes_back_equal_as_text_and_as_bytes():
    venture = example(start=START)
    assert from_json(GOOD) == venture
    assert from_json(GOOD.encode()) == venture
    assert to_json(from_json(GOOD)) == GOOD


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(ventures())
def test_any_venture_comes_back_equal(venture):
    assert from_json(to_json(venture)) == venture


@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow])
@given(ventures())
def test_a_file_says_everything_so_that_no_later_default_can_change_it(venture):
    assert set(json.loads(to_json(venture))) == {"schema_version", *Venture.model_fields}


def test_chinese_stands_in_the_file_as_itself():
    assert "行业 Copilot" in GOOD
    assert from_json(GOOD).name == Text("Vertical copilot", "行业 Copilot")


def test_a_file_may_leave_out_what_has_a_default():
    short = from_json('{"schema_version": 2, "name": {"en": "Small"}, "start": "2026-06-01"}')
    assert short == Venture(name=Text("Small"), start=START)


# What is not a venture at all


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "not json",
        "{",
        GOOD[:-2],
        GOOD + "{}",
        "{'a': 1}",
        b"\xff\xfe{}",
        GOOD.encode("utf-16"),
        b'{"schema_version": 1, "name": {"en": "\xff"}}',
        b'{"schema_version": 1, "name": {"en": "\xed\xa0\x80"}}',
        GOOD.replace("Vertical copilot", "\ud800"),
        GOOD.replace("Vertical copilot", "\\ud800"),
        GOOD.replace("Vertical copilot", "\\udc00\\ud800"),
        GOOD.replace("Vertical copilot", "a\tb"),
        changed(usd_rate=float("nan")),
        changed(usd_rate=float("inf")),
        changed(usd_rate=float("-inf")),
        "[" * 40_000,
        '{"a":' * 40_000,
        "[" * 20_000 + "]" * 20_000,
        changed(canvas=0).replace('"canvas": 0', '"canvas": ' + "[" * 5_000 + "]" * 5_000),
        changed(usd_rate=1).replace('"usd_rate": 1', '"usd_rate": ' + "1" * 5000),
        changed(usd_rate=1).replace('"usd_rate": 1', '"usd_rate": ' + "1" * 1_900_000),
        '{"schema_version": ' + "1" * 5000 + "}",
    ],
    ids=lambda text: repr(text)[:30],
)
def test_what_is_not_json_is_refused_with_the_reason(text):
    assert refusal(text).startswith("The file is not valid JSON: ")


@pytest.mark.parametrize("text", ["[]", "null", "1", '"venture"', "true", "[{}]"])
def test_json_that_is_no_object_is_refused(text):
    assert refusal(text) == "The file holds no venture: an object with a schema_version is needed."


def test_a_huge_file_is_refused_before_anything_reads_it(monkeypatch):
    monkeypatch.setattr(codec, "parse_json", lambda *_args, **_kw: pytest.fail("it was parsed"))
    monkeypatch.setattr(codec.json, "loads", lambda *_args, **_kw: pytest.fail("it was parsed"))
    sentence = "The file has 50.0 MB; at most 2.0 MB are allowed."
    assert refusal("[" * 50_000_000) == sentence
    assert refusal(b" " * 50_000_000) == sentence
    assert refusal(" " * (MAX_BYTES + 1)).startswith("The file has 2.0 MB")


def test_the_limit_counts_bytes_and_not_characters():
    assert refusal("万" * 700_000).startswith("The file has 2.1 MB")


@pytest.mark.parametrize("text", ["[" * 1_000_000, '{"a":' * 300_000, "[" * 500_000 + "]" * 500_000])
def test_a_nesting_bomb_is_refused_before_anything_reads_it(text, monkeypatch):
    monkeypatch.setattr(codec, "parse_json", lambda *_args, **_kw: pytest.fail("it was parsed"))
    assert refusal(text).endswith("00000 objects and lists; at most 50000 are allowed.")


@pytest.mark.parametrize(
    ("version", "sentence"),
    [
        (SCHEMA_VERSION + 1, "schema_version is 3; this version of Compute Canvas reads up to 2."),
        (99, "schema_version is 99; this version of Compute Canvas reads up to 2."),
        (0, "schema_version is 0; a whole number from 1 is needed."),
        (-1, "schema_version is -1; a whole number from 1 is needed."),
        (True, "schema_version is True; a whole number from 1 is needed."),
        (1.0, "schema_version is 1.0; a whole number from 1 is needed."),
        ("1", "schema_version is '1'; a whole number from 1 is needed."),
        (None, "schema_version is None; a whole number from 1 is needed."),
        ([1], "schema_version is [1]; a whole number from 1 is needed."),
        (10**400, None),
    ],
)
def test_a_schema_version_that_cannot_be_read_is_refused(version, sentence):
    found = refusal(changed(schema_version=version))
    assert found == sentence or (sentence is None and found.startswith("schema_version is 1000"))
    assert refusal(without("schema_version")) == "schema_version is None; a whole number from 1 is needed."


# What is wrong with one place


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (without("name"), "name is missing."),
        (without("start"), "start is missing."),
        (changed(colour=1), "colour is not known here."),
        (changed(name="x"), "name is 'x'; an object is needed."),
        (changed(name={"en": 5}), "name.en is 5; a text is needed."),
        (changed(name={"en": "x", "fr": "y"}), "name.fr is not known here."),
        (changed(name={"zh": "x"}), "name.en is missing."),
        (changed(name={"en": ""}), "name: A name has 1 to 80 characters; this one has 0."),
        (changed(name={"en": "x", "zh": "x" * 81}), "name: A name has 1 to 80 characters; this one has 81."),
        (changed(currency="BTC"), "currency is 'BTC'; allowed: 'USD', 'EUR', 'GBP', 'CNY'."),
        (changed(usd_rate=0), "usd_rate is 0; it must be above 0.0."),
        (changed(usd_rate="1"), "usd_rate is '1'; a number is needed."),
        (changed(usd_rate=True), "usd_rate is True; a number is needed."),
        (changed(usd_rate=10**400), None),
        (changed(usd_rate=1).replace('"usd_rate": 1', '"usd_rate": 1e999'), "usd_rate is inf; a finite number is needed."),
        (changed(horizon_months=5), "horizon_months is 5; at least 6 is allowed."),
        (changed(horizon_months=121), "horizon_months is 121; at most 120 is allowed."),
        (changed(horizon_months=36.0), "horizon_months is 36.0; a whole number is needed."),
        (changed(horizon_months="36"), "horizon_months is '36'; a whole number is needed."),
        (changed(horizon_months=10**400), None),
        (changed(start="2026-13-01"), "start is '2026-13-01'; a date such as 2026-06-01 is needed."),
        (changed(start="2026-06-01T12:00:00"), "start is '2026-06-01T12:00:00'; a date such as 2026-06-01 is needed."),
        (changed(start=20260601), "start is 20260601; a date such as 2026-06-01 is needed."),
        (changed(drivers={}), "drivers is {}; a list is needed."),
        (changed(drivers=[None]), "drivers.0 is None; an object is needed."),
        (changed(canvas={"risks": []}), "canvas.risks is not known here."),
        (changed(canvas={"costs": [{"id": "a"}]}), "canvas.costs.0.text is missing."),
        (changed(canvas={"costs": [{"id": "a", "text": {"en": " "}}]}), "canvas.costs.0: A note needs some text."),
        (changed(canvas={"costs": [{"id": "A b", "text": {"en": "x"}}]}), None),
        (inside(["drivers", 3, "amount", "low"], 5), "drivers.3.amount: The range 5.0 to 0.03 must rise."),
        (inside(["drivers", 3, "amount", "value"], 5), "drivers.3.amount: A range needs low and high and no value."),
        (inside(["drivers", 3, "amount", "distribution"], "beta"), None),
        (inside(["drivers", 0, "amount", "low"], None), "drivers.0.amount: A range needs low and high and no value."),
        (inside(["drivers", 0, "amount", "low"], 1e-5), "drivers.0: Price per seat is 1e-05; at least 0.01 is allowed."),
        (inside(["drivers", 0, "source", "kind"], "guess"), None),
        (inside(["drivers", 0, "key"], "x" * 41), None),
        (inside(["drivers", 1, "key"], "price_per_seat"), "Drivers: “price_per_seat” stands there twice."),
        (inside(["scenarios", 0, "overrides", 0, "key"], "moon"), None),
        (inside(["hypotheses", 0, "drivers", 0], "moon"), None),
        (inside(["hypotheses", 0, "evidence"], True), "hypotheses.0.evidence is True; a whole number is needed."),
        (inside(["compute_plan", "serving", "utilisation"], 2), "compute_plan.serving.utilisation is 2; at most 1.0 is allowed."),
    ],
)  # fmt: skip
def test_the_sentence_names_the_place_the_value_and_what_is_allowed(text, sentence):
    found = refusal(text)
    assert found == sentence or sentence is None


def test_a_name_that_stands_twice_is_refused_since_readers_would_differ_on_which_counts():
    twice = GOOD.replace('"currency": "USD"', '"currency": "USD", "currency": "EUR"')
    assert refusal(twice) == "The file names “currency” twice in one object."
    deep = GOOD.replace('"distribution": "point"', '"value": 1, "distribution": "point"', 1)
    assert refusal(deep) == "The file names “value” twice in one object."


# Files made to be slow


def test_files_made_to_be_slow_are_refused_at_once():
    def full(**fields):
        document = {"schema_version": 1, "name": {"en": "x"}, "start": "2026-06-01", **fields}
        text = json.dumps(document, separators=(",", ":"))
        assert MAX_BYTES / 2 < len(text) <= MAX_BYTES
        return text

    notes = [{"id": f"n{i}", "text": {"en": "x" * 60}} for i in range(20_000)]
    for sentence, text in (
        ("The file has 600004 objects and lists; at most 50000", full(canvas={"costs": [{}] * 600_000})),
        ("canvas.costs has too many entries; at most 40 are allowed.", full(canvas={"costs": notes})),
        ("drivers.0 is 0;", full(drivers=[0] * 900_000)),
        (
            "scenarios.0.overrides.0 is 0;",
            full(scenarios=[{"id": "s", "name": {"en": "S"}, "overrides": [0] * 800_000}]),
        ),
        ("lines.0 is 'x';", full(lines=["x"] * 400_000)),
        ("An object in the file has 150003 names;", full(**{f"k{i}": 1 for i in range(150_000)})),
        ("x" * 60 + " is not known here.", full(**{"x" * 1_900_000: 1})),
        ("archetype is 'xxx", full(archetype="x" * 1_900_000)),
        ("name: A name has 1 to 80 characters", full(name={"en": "x" * 1_900_000})),
    ):
        assert refusal(text).startswith(sentence)


def test_a_venture_filled_to_its_limits_still_goes_out_and_comes_back():
    driver = example(start=START).driver("cac")
    words = Text("x" * 80, "字" * 80)
    drivers = tuple(driver.model_copy(update={"key": f"d{i}", "label": words}) for i in range(200))
    overrides = tuple(Override(key=d.key, amount=Amount.interval(1.25, 2.5)) for d in drivers)
    note = Text("x" * 500, "字" * 500)
    full = Venture(
        name=words,
        start=START,
        canvas=Canvas(**{b: tuple(Note(id=f"{b}{i}", text=note) for i in range(40)) for b in BLOCKS}),
        drivers=drivers,
        scenarios=tuple(Scenario(id=f"s{i}", name=words, overrides=overrides) for i in range(12)),
        lines=tuple(Line(key=f"l{i}", label=words, unit="1", formula="1 + " * 240 + "1") for i in range(100)),
        hypotheses=tuple(
            Hypothesis(id=f"h{i}", statement=note, block="costs", test=note, pass_mark=note, drivers=("d1",))
            for i in range(60)
        ),
        horizon_months=120,
        actuals=tuple(Actual(key=f"a{i}", values=(-123456789.123,) * 120) for i in range(60)),
    )
    assert from_json(to_json(full)) == full


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_any_bytes_and_any_text_are_refused_in_a_sentence(data):
    refusal(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
PLACES = st.sampled_from(
    [
        *([field] for field in json.loads(GOOD)),
        *(["drivers", 0, field] for field in json.loads(GOOD)["drivers"][0]),
        *(["drivers", 0, "amount", field] for field in ("value", "low", "high", "distribution")),
        ["canvas", "costs", 0, "text"],
        ["scenarios", 0, "overrides", 0, "amount"],
        ["hypotheses", 0, "evidence"],
        ["compute_plan", "training", "price_per_hour"],
    ]
)


@settings(max_examples=300)
@given(PLACES, JSON)
def test_any_value_at_any_place_is_taken_whole_or_refused(place, value):
    text = inside(place, value)
    try:
        venture = from_json(text)
    except Refusal as error:
        language("zh_Hans").refusal(error)
    else:
        assert from_json(to_json(venture)) == venture


# Older files


def test_an_older_file_is_brought_up_step_by_step_before_it_is_checked(monkeypatch):
    def first(document):
        return {**document, "name": {"en": document["title"]}}

    def second(document):
        return {key: value for key, value in document.items() if key != "title"}

    monkeypatch.setattr(codec, "SCHEMA_VERSION", 3)
    monkeypatch.setattr(codec, "STEPS", {1: first, 2: second})
    old = json.dumps({"schema_version": 1, "title": "Old", "start": "2026-06-01"})
    assert from_json(old) == Venture(name=Text("Old"), start=START)
    middle = json.dumps({"schema_version": 2, "name": {"en": "Mid"}, "title": "x", "start": "2026-06-01"})
    assert from_json(middle).name == Text("Mid")
    assert json.loads(to_json(from_json(old)))["schema_version"] == 3
    assert refusal(changed(schema_version=4)).endswith("reads up to 3.")


def test_a_file_from_before_there_were_real_figures_has_none():
    assert from_json(without("actuals")).actuals == ()


def test_there_is_a_migration_from_every_older_version():
    assert set(codec.STEPS) == set(range(1, SCHEMA_VERSION))

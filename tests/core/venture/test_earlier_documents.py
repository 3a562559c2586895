"""Documents written by earlier versions still open, and their plans give what they gave."""

import json
from pathlib import Path

import pytest

from core.finance import project
from core.i18n import Refusal
from core.venture import from_json, to_json

KEPT = json.loads((Path(__file__).with_name("data") / "version_1.json").read_text("utf-8"))
"""A venture with lines of its own, as version 1 wrote it, and what its plan gave in months 1, 12 and 36."""
OLD = KEPT["venture"]


def opened(**changed):
    return from_json(json.dumps({**OLD, **changed}))


def test_a_plan_of_version_1_gives_what_it_gave():
    venture = opened()
    assert venture.modules == ("seats", "api")
    assert from_json(to_json(venture)) == venture
    projection = project(venture)
    for key, before in KEPT["lines"].items():
        now = projection.lines["own_tax" if key == "tax" else key]
        assert [now[month] for month in (1, 12, 36)] == pytest.approx(before, rel=1e-12), key


def test_own_lines_whose_keys_the_plan_has_taken_get_others_and_keep_their_meaning():
    lines = {line.key: line for line in opened().lines}
    assert list(lines) == ["early_mrr", "churned_early_mrr", "own_tax", "early_share"]
    assert "prev(own_tax)" in lines["early_share"].formula
    assert lines["own_tax"].label.en == "Tax"
    taken = [*OLD["lines"], {**OLD["lines"][0], "key": "own_tax"}]
    assert [line.key for line in opened(lines=taken).lines][2:] == ["own_tax_", "early_share", "own_tax"]


def test_what_is_new_in_the_plan_starts_where_it_changes_nothing_and_says_so():
    venture = opened()
    new = {driver.key for driver in venture.drivers} - {driver["key"] for driver in OLD["drivers"]}
    assert new == {
        "burden",
        "overhead_per_person",
        "tax_rate",
        "required_return",
        "round2_amount",
        "round2_month",
    }
    assert all("leaves it as it was" in venture.driver(key).source.text.en for key in new)
    assert venture.driver("tax_rate").amount.value == 0


def test_a_venture_without_drivers_or_lines_stays_without():
    bare = opened(drivers=[], lines=[], scenarios=[], hypotheses=[])
    assert bare.drivers == () and bare.lines == ()


@pytest.mark.parametrize("field", ["drivers", "lines"])
@pytest.mark.parametrize(
    "broken",
    [5, None, "x", {"key": "a"}, [5], [None], [[]], [{"key": 5, "formula": 7}], [{}], [{"key": "tax"}]],
)
def test_what_is_malformed_is_refused_and_never_breaks(field, broken):
    with pytest.raises(Refusal):
        opened(**{field: broken})

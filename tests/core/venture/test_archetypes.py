"""The finished ventures to start from: each is whole, sourced, in two languages, and runs."""

import tomllib
from datetime import date
from importlib.resources import files

import pytest

from core.finance import metrics, model_of, project
from core.i18n import Refusal
from core.venture import BLOCKS, archetypes, example, from_json, to_json
from core.venture.canvas import mentioned

START = date(2026, 6, 17)
KEYS = sorted(archetypes())


@pytest.fixture(params=KEYS)
def venture(request):
    return example(request.param, START)


def test_each_file_is_an_archetype_with_a_title():
    folder = files("core.venture") / "archetypes"
    assert sorted(path.name.removesuffix(".toml") for path in folder.iterdir()) == KEYS
    assert all(title.en and title.zh for title in archetypes().values())


def test_an_archetype_that_does_not_exist_is_refused_with_those_that_do():
    with pytest.raises(Refusal, match=r"“moon” is not an archetype; allowed are .*vertical_copilot"):
        example("moon")
    with pytest.raises(Refusal, match="is not an archetype"):
        example("../canvas")


def test_the_first_month_is_that_of_the_start_and_todays_without_one(venture):
    assert venture.start == date(2026, 6, 1)
    assert example().start == date.today().replace(day=1)


def test_every_block_of_the_canvas_has_notes(venture):
    assert all(venture.canvas.block(block) for block in BLOCKS)


def test_a_note_mentions_the_same_numbers_in_both_languages_and_each_is_in_the_model(venture):
    model = model_of(venture)
    for _, note in venture.canvas.notes():
        assert sorted(mentioned(note.text.en)) == sorted(mentioned(note.text.zh)), note.text.en
    for key in venture.canvas.mentions():
        assert venture.has_driver(key) or key in model.lines, key
    assert venture.canvas.mentions()


def test_every_driver_has_a_source_with_year_and_confidence(venture):
    for driver in venture.drivers:
        source = driver.source
        assert source.kind == "preset", driver.key
        assert source.text.en and source.text.zh, driver.key
        assert source.year is not None and 2015 <= source.year <= 2026, driver.key
        assert source.confidence in ("high", "medium", "low"), driver.key


def test_a_file_of_an_archetype_has_no_entry_that_is_not_read(venture):
    data = tomllib.loads(
        (files("core.venture") / "archetypes" / f"{venture.archetype}.toml").read_text("utf-8")
    )
    assert set(data) <= {
        "name", "promise", "title", "modules", "canvas", "drivers", "scenario", "hypothesis"
    }  # fmt: skip
    assert set(data["canvas"]) == set(BLOCKS)
    for key, driver in data["drivers"].items():
        assert set(driver) - {"label"} in ({"value", "source"}, {"low", "high", "source"}), key


def test_it_runs_under_every_scenario_with_finite_lines_and_metrics(venture):
    for scenario in (None, *(s.id for s in venture.scenarios)):
        projection = project(venture, scenario)
        assert len(projection.series("cash")) == venture.horizon_months
        for metric in metrics(projection).values():
            assert (metric.value is None) != (metric.reason is None), metric.key


def test_it_goes_out_and_comes_back(venture):
    assert from_json(to_json(venture)) == venture


def test_every_hypothesis_bears_on_drivers_and_says_how_it_is_tested(venture):
    assert venture.hypotheses
    for hypothesis in venture.hypotheses:
        assert hypothesis.drivers, hypothesis.id
        assert hypothesis.test.en and hypothesis.pass_mark.en, hypothesis.id

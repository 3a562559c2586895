"""The finished ventures to start from: each is whole, sourced, in two languages, and runs."""

import tomllib
from datetime import date
from importlib.resources import files

import numpy as np
import pytest

from core.finance import metrics, model_of, project, simulate
from core.finance.modules import modules, plan_of
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


REFERENCE = {
    "ads_recommender": (7.79e05, 1.59e06, 2.52e06, 0.500, 0.82, 1.18e07),
    "consumer_subscription": (1.4e06, 2.71e06, 3.83e06, 0.590, 2.45, 6.2e06),
    "custom_solutions": (1.38e06, 2.23e06, 2.98e06, 0.344, 4.10, 4.63e06),
    "data_services": (3.28e06, 7.56e06, 1.3e07, 0.255, 7.20, 7.61e06),
    "foundation_api": (3.55e06, 1.11e07, 2.41e07, 0.381, 5.22, 1.37e08),
    "onprem_licence": (1.23e06, 3.24e06, 6.2e06, 0.512, 2.38, 1.45e07),
    "open_weights_host": (2.09e06, 6.61e06, 1.47e07, 0.325, 3.60, 1.5e07),
    "vertical_copilot": (5.08e05, 1.48e06, 3.03e06, 0.597, 0.94, 1.57e07),
}
"""Medians of a simulation made apart from this model, with a share of revenue in the place of each cost:
run-rate of revenue in months 12, 24 and 36, gross margin in month 24, LTV over 36 months ÷ CAC, and the
cash that leaves a chance of 20 % to run out."""


@pytest.mark.parametrize("key", KEYS)
def test_its_results_are_those_of_the_reference_within_a_factor(key):
    venture = example(key, START)
    simulation = simulate(venture, 2048)
    *rates, margin, ltv_to_cac, need = REFERENCE[key]
    for month, rate in zip((12, 24, 36), rates, strict=True):
        found = 12 * float(np.median(simulation.lines["revenue"][month]))
        assert rate / 1.8 < found < rate * 1.8, month
    assert float(np.median(simulation.lines["gross_margin"][24])) == pytest.approx(margin, abs=0.08)
    found = metrics(project(venture))["ltv_to_cac"].value
    assert ltv_to_cac / 2 < found < ltv_to_cac * 2
    held = venture.driver("cash_first").amount.median
    assert need / 1.4 < simulation.funding_need(0.2) + held < need * 1.4


def test_there_are_the_eight_archetypes_and_each_asks_for_a_round_and_for_something_else():
    assert set(KEYS) == set(REFERENCE)
    for key in KEYS:
        scenarios = example(key, START).scenarios
        assert "round" in {scenario.id for scenario in scenarios} and len(scenarios) >= 2
        assert len({scenario.name for scenario in scenarios}) == len(scenarios)


def test_its_modules_use_every_driver_that_it_has(venture):
    """No number on the screen is without effect."""
    model = model_of(venture)
    used = set().union(*(f.names for f in (*model.formulas.values(), *model.openings.values())))
    assert {driver.key for driver in venture.drivers} - used == set()
    assert len(plan_of(venture.modules).lines) <= 75
    assert set(venture.modules) <= set(modules())


def test_it_goes_out_and_comes_back(venture):
    assert from_json(to_json(venture)) == venture


def test_every_hypothesis_bears_on_drivers_and_says_how_it_is_tested(venture):
    assert venture.hypotheses
    for hypothesis in venture.hypotheses:
        assert hypothesis.drivers, hypothesis.id
        assert hypothesis.test.en and hypothesis.pass_mark.en, hypothesis.id

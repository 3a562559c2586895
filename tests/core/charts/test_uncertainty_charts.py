"""Charts of uncertainty: what they draw is what was computed, and their tables leave nothing out."""

import json
from datetime import date

import numpy as np
import pytest

from core.charts.plan import Series
from core.charts.uncertainty import (
    TOP,
    cohort_chart,
    cohort_rows,
    effects_chart,
    effects_rows,
    scenarios_chart,
    scenarios_rows,
    tornado_chart,
    tornado_rows,
    waterfall_chart,
    waterfall_rows,
)
from core.finance import project
from core.finance.draws import varying
from core.finance.movements import cohorts, mrr_movements, unit_margin
from core.finance.sensitivity import tornado, total_effects
from core.i18n import Text, language
from core.venture import Amount, Driver, Source, example

VENTURE = example("vertical_copilot", date(2026, 6, 1))
PROJECTION = project(VENTURE)
LANGUAGES = [language("en"), language("zh_Hans")]
EN = LANGUAGES[0]


def own_driver(key, label):
    return Driver(
        key=key,
        label=Text(label),
        group="own",
        unit="1",
        amount=Amount.interval(1, 2),
        source=Source(kind="typed"),
    )


@pytest.mark.parametrize("_", LANGUAGES, ids=lambda _: _.code)
def test_every_chart_is_plain_data_in_each_language(_):
    figures = [
        tornado_chart(tornado(VENTURE, "lowest_cash"), VENTURE, _),
        tornado_chart(tornado(VENTURE, "break_even"), VENTURE, _),
        tornado_chart(tornado(VENTURE, "ltv_to_cac"), VENTURE, _),
        effects_chart(total_effects(VENTURE, "lowest_cash", count=64), VENTURE, _),
        waterfall_chart(mrr_movements(PROJECTION, 1, 12), "money/month", VENTURE, _),
        cohort_chart(cohorts(PROJECTION), VENTURE.start, _),
        scenarios_chart([Series("a", PROJECTION.series("cash"))], VENTURE.start, "money", VENTURE, _),
    ]
    for figure in figures:
        assert json.loads(json.dumps(figure, allow_nan=False))
        assert len(json.dumps(figure)) < 60_000


def test_the_tornado_draws_its_widest_bars_from_the_base_and_the_rest_together():
    found = tornado(VENTURE, "lowest_cash")
    low, high, base = tornado_chart(found, VENTURE, EN)["data"]
    assert len(found.bars) > TOP
    assert low["customdata"] == [*(bar.driver_key for bar in found.bars[:TOP]), ""]
    assert low["base"] == high["base"] == pytest.approx([found.base] * (TOP + 1), rel=1e-3)
    for place, bar in enumerate(found.bars[:TOP]):
        assert low["base"][place] + low["x"][place] == pytest.approx(bar.at_low, abs=1e-3 * bar.swing + 1e4)
        assert high["base"][place] + high["x"][place] == pytest.approx(
            bar.at_high, abs=1e-3 * bar.swing + 1e4
        )
    rest = found.bars[TOP:]
    below = np.hypot.reduce([min(bar.at_low, bar.at_high) - found.base for bar in rest])
    assert low["x"][TOP] == pytest.approx(-below, rel=0.01)
    assert base["name"] == "all at the median: -$4.86M"
    assert base["x"] == low["base"][:2]


def test_the_ends_of_a_bar_are_told_with_the_drivers_values():
    found = tornado(VENTURE, "lowest_cash")
    low, high, _base = tornado_chart(found, VENTURE, EN)["data"]
    place = [bar.driver_key for bar in found.bars].index("cac")
    assert (low["text"][place], high["text"][place]) == ("$18K", "$66K")


def test_the_table_of_the_tornado_has_every_driver_with_units():
    rows = tornado_rows(tornado(VENTURE, "lowest_cash"), VENTURE, EN)
    assert len(rows) == len(varying(VENTURE))
    (hires,) = (row for row in rows if row["Driver"] == "Hires")
    assert list(hires.values())[1] == "0.0645 people / month"


def test_two_drivers_of_one_name_keep_two_bars_and_what_people_write_is_no_html():
    venture = VENTURE.add_driver(own_driver("a", "<b>Luck</b> & <i>")).add_driver(
        own_driver("b", "<b>Luck</b> & <i>")
    )
    figure = tornado_chart(tornado(venture, "cash_end"), venture, EN, top=99)
    names = figure["layout"]["yaxis"]["ticktext"]
    assert names.count("&lt;b&gt;Luck&lt;/b&gt; &amp; &lt;i&gt;") == 2
    assert len(set(figure["data"][0]["y"])) == len(names)
    assert "<b>" not in json.dumps(figure)


def test_the_table_of_effects_has_both_indices_with_their_errors():
    found = total_effects(VENTURE, "lowest_cash", count=512)
    rows = effects_rows(found, VENTURE, EN)
    assert len(rows) == len(varying(VENTURE))
    total, alone = list(rows[0].values())[1:]
    assert total == f"{EN.percent(found.effects[0].total)} ± {EN.percent(found.effects[0].total_error, 2)}"
    assert " ± " in alone


def test_the_waterfall_stands_on_its_levels():
    moves = unit_margin(PROJECTION, 12)
    (trace,) = waterfall_chart(moves, "money/customer/month", VENTURE, EN)["data"]
    assert trace["measure"] == ["absolute", *["relative"] * 4, "absolute"]
    assert sum(trace["y"][:-1]) == pytest.approx(trace["y"][-1], rel=1e-3)
    signs = [row["$ / customer / month" if "$ / customer / month" in row else "USD / customer / month"][0]
             for row in waterfall_rows(moves, "money/customer/month", VENTURE, EN)]  # fmt: skip
    assert signs == ["$", "−", "−", "−", "−", "$"]


def test_the_cohorts_show_nothing_beyond_the_plan():
    table = cohorts(PROJECTION)
    (trace,) = cohort_chart(table, VENTURE.start, EN)["data"]
    for won, row in enumerate(trace["z"]):
        assert [value is None for value in row] == [won + age >= 36 for age in range(36)]
    assert trace["customdata"][0][0] == 1
    rows = cohort_rows(table, VENTURE.start, EN)
    assert len(rows) == 36
    last = list(rows[-1].values())
    assert last[0] == "May 2029"
    assert last[2:] == [""] * (len(last) - 2)


def test_the_table_of_scenarios_has_differences_from_the_first():
    rows = scenarios_rows(
        [Series("Base", np.arange(12.0)), Series("Half", np.arange(12.0) / 2)],
        VENTURE.start,
        "money",
        VENTURE,
        EN,
    )
    assert rows == [
        {"Month": "Nov 2026", "Base": "$5", "Half": "$2.50", "Half, difference from Base": "−$2.50"},
        {"Month": "May 2027", "Base": "$11", "Half": "$5.50", "Half, difference from Base": "−$5.50"},
    ]

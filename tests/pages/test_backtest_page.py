"""The backtest page: errors computed from the tables, every record drawn or named with its reason."""

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.compute import serving_left_out, training_left_out
from core.i18n import language
from tests.pages.on_screen import text

PAGE = Path(__file__).parents[2] / "pages" / "backtest.py"
EN = language("en")


def opened(code="en"):
    app = AppTest.from_file(str(PAGE), default_timeout=60)
    app.session_state["language"] = code
    app.run()
    assert not app.exception
    return app


def points(app):
    spec = json.loads(app.get("plotly_chart")[0].proto.spec)
    return [t for t in spec["data"] if t["mode"] == "markers"], spec["layout"]


def test_it_shows_the_errors_that_the_tables_give():
    app = opened()
    found = training_left_out().summary
    values = {metric.label: metric.value for metric in app.metric}
    assert values["Median error"] == EN.percent(found.median_error, 2)
    assert values["9 of 10 within"] == EN.percent(found.p90_error, 2)
    assert values["Inside P10 to P90"] == EN.percent(found.inside, 2)
    assert values["Records"] == str(found.count)


@pytest.mark.parametrize(("part", "found"), [("training", training_left_out), ("serving", serving_left_out)])
def test_every_usable_record_is_a_point_on_logarithmic_axes(part, found):
    app = opened()
    app.segmented_control(key="backtest:part").set_value(part).run()
    assert not app.exception
    traces, layout = points(app)
    assert sum(len(trace["x"]) for trace in traces) == len(found().checks)
    assert layout["xaxis"]["type"] == layout["yaxis"]["type"] == "log"
    assert layout["xaxis"]["title"]["text"].startswith("Published (")


def test_every_record_left_out_is_named_with_its_reason():
    shown = text(opened())
    for row in training_left_out().unusable:
        assert row.model in shown
        assert EN.refusal(row.reason)[:40] in shown


def test_the_constants_are_shown_with_their_meaning():
    shown = text(opened())
    assert "Mixture of experts: times" in shown
    assert "Gain of 8-bit training" in shown


def test_it_works_in_chinese():
    app = opened("zh_Hans")
    app.segmented_control(key="backtest:part").set_value("serving").run()
    assert not app.exception
    assert "显存带宽利用率" in text(app)

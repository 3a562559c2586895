"""The learn page, as a reader meets it, in both languages."""

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from core.charts import learn as charts
from core.i18n import LANGUAGES, language
from core.training import mathematics as maths

PAGE = Path(__file__).parents[2] / "pages" / "learn.py"
LESSONS = {"activation": 1, "loss": 1, "optimiser": 2, "advice": 0}
"""The lessons, and how many charts each shows at first (softmax apart)."""


def opened(lesson: str = "activation", code: str = "en") -> AppTest:
    page = AppTest.from_file(str(PAGE), default_timeout=30)
    page.session_state["language"] = code
    page.run()
    if lesson != "activation":
        page.segmented_control(key="learn_lesson").set_value(lesson).run()
    assert not page.exception
    return page


def said(page: AppTest) -> str:
    return "\n".join(element.value for kind in ("markdown", "info", "warning") for element in page.get(kind))


def metrics(page: AppTest) -> list[str]:
    return [metric.value for metric in page.metric]


def numbers(value: object) -> list[float]:
    """Every number in a figure, however deep."""
    if isinstance(value, dict):
        return [number for part in value.values() for number in numbers(part)]
    if isinstance(value, list | tuple):
        return [number for part in value for number in numbers(part)]
    if isinstance(value, np.ndarray):
        return [float(number) for number in value.ravel()]
    return [value] if isinstance(value, int | float) else []


@pytest.mark.parametrize("code", list(LANGUAGES))
@pytest.mark.parametrize("lesson", list(LESSONS))
def test_every_lesson_opens_in_both_languages(lesson, code):
    page = opened(lesson, code)
    assert len(page.get("plotly_chart")) == LESSONS[lesson] + (lesson == "activation")
    assert len(page.header) == 1


@pytest.mark.parametrize("lesson", list(LESSONS))
def test_every_chart_has_titled_axes_with_units_and_a_description(lesson):
    for chart in opened(lesson).get("plotly_chart"):
        layout = json.loads(chart.proto.spec)["layout"]
        for axis in ("xaxis", "yaxis"):
            title = layout[axis]["title"]["text"]
            assert title in ("Step", "Class") or title.endswith(")"), title
        assert chart.proto.alt


@pytest.mark.parametrize("key", list(maths.ACTIVATIONS))
def test_the_slider_reads_value_and_slope_of_the_chosen_activation(key):
    page = opened()
    page.segmented_control(key="learn_activation").set_value(key).run()
    page.slider(key="learn_activation_x").set_value(-1.5).run()
    value, slope = maths.ACTIVATIONS[key].at(-1.5)
    _ = language("en")
    assert metrics(page)[:2] == [_.number(value), _.number(slope)]


def test_a_dead_unit_is_called_dead():
    page = opened()
    page.slider(key="learn_activation_x").set_value(-3.0).run()
    assert "the unit is dead" in said(page)
    assert metrics(page) == ["0", "0", "0%"]


def test_a_saturated_sigmoid_leaves_next_to_nothing_after_ten_layers():
    page = opened()
    page.segmented_control(key="learn_activation").set_value("sigmoid").run()
    page.slider(key="learn_activation_x").set_value(4.0).run()
    assert "Saturated" in said(page)
    assert metrics(page)[2] == "under 0.0001%"


def test_softmax_follows_its_three_sliders():
    page = opened()
    for name in "ABC":
        page.slider(key=f"learn_score_{name}").set_value(1.0).run()
    bars = json.loads(page.get("plotly_chart")[1].proto.spec)["data"][0]
    assert bars["y"] == pytest.approx([33.33] * 3)


def test_a_confident_mistake_is_named_and_a_good_answer_too():
    page = opened("loss")
    page.slider(key="learn_probability").set_value(1).run()
    assert "A confident mistake" in said(page)
    assert metrics(page) == ["4.61 nats", "0.98"]
    page.segmented_control(key="learn_truth").set_value(0).run()
    assert "A good answer" in said(page)


@pytest.mark.parametrize(("kind", "height"), [("loss", 2.3026), ("score", -0.9), ("probability", -10)])
def test_the_loss_chart_marks_the_reading_that_was_asked_for(kind, height):
    page = opened("loss")
    page.segmented_control(key="learn_loss_kind").set_value(kind).run()
    marker = json.loads(page.get("plotly_chart")[0].proto.spec)["data"][1]
    assert marker["x"] == [10]
    assert marker["y"] == pytest.approx([height], abs=1e-4)


@pytest.mark.parametrize("key", list(maths.SURFACES))
def test_another_landscape_brings_its_own_learning_rate(key):
    page = opened("optimiser")
    page.selectbox(key="learn_surface").set_value(key).run()
    assert page.select_slider(key="learn_rate").value == maths.SURFACES[key].learning_rate
    assert maths.SURFACES[key].lesson.en in said(page)


def test_a_descent_that_diverges_is_told_and_not_drawn():
    page = opened("optimiser")
    page.selectbox(key="learn_surface").set_value("beale").run()
    page.select_slider(key="learn_rate").set_value(0.1).run()
    (warning,) = page.warning
    assert "SGD diverges at a learning rate of 0.1" in warning.value
    assert "Momentum diverges" in warning.value
    assert "Adam" not in warning.value
    assert "| SGD | 0.1 | diverged | – |" in said(page)
    assert not any(word in said(page).lower() for word in ("nan", "inf ", "∞"))


def test_at_their_best_rates_no_optimiser_diverges():
    page = opened("optimiser")
    page.pills(key="learn_optimisers").set_value(list(maths.OPTIMISERS)).run()
    page.segmented_control(key="learn_rate_mode").set_value("best").run()
    assert page.select_slider(key="learn_rate").disabled
    for key in maths.SURFACES:
        page.selectbox(key="learn_surface").set_value(key).run()
        assert "diverge" not in said(page)


def test_without_an_optimiser_the_map_is_still_there():
    page = opened("optimiser")
    page.pills(key="learn_optimisers").set_value([]).run()
    assert not page.exception
    assert "Choose at least one optimiser." in said(page)
    assert len(page.get("plotly_chart")) == 1


def test_settings_stay_when_the_language_or_the_lesson_changes():
    page = opened("optimiser")
    page.selectbox(key="learn_surface").set_value("saddle").run()
    page.slider(key="learn_steps").set_value(120).run()
    page.select_slider(key="learn_rate").set_value(0.3).run()
    page.session_state["language"] = "zh_Hans"
    page.run()
    page.segmented_control(key="learn_lesson").set_value("loss").run()
    page.segmented_control(key="learn_lesson").set_value("optimiser").run()
    assert page.selectbox(key="learn_surface").value == "saddle"
    assert page.slider(key="learn_steps").value == 120
    assert page.select_slider(key="learn_rate").value == 0.3
    assert maths.SURFACES["saddle"].lesson.zh in said(page)


def test_the_advice_links_to_the_training_page_where_there_is_one(tmp_path):
    shutil.copy(PAGE, tmp_path / "learn.py")
    (tmp_path / "training.py").write_text("import streamlit as st\nst.title('Training')\n")
    (tmp_path / "app.py").write_text(
        "import streamlit as st\n"
        "from pathlib import Path\n"
        "here = Path(__file__).parent\n"
        "st.navigation([st.Page(here / 'learn.py', default=True), st.Page(here / 'training.py')]).run()\n"
    )
    page = AppTest.from_file(str(tmp_path / "app.py"), default_timeout=30)
    page.session_state["language"] = "en"
    page.run()
    page.segmented_control(key="learn_lesson").set_value("advice").run()
    assert not page.exception
    (link,) = page.get("page_link")
    assert link.proto.page == "training"


def test_the_advice_stands_without_a_training_page():
    page = opened("advice")
    assert not page.get("page_link")
    assert "training page" in page.caption[-1].value


# The charts


@settings(deadline=None)  # a busy machine is no failure
@given(
    surface=st.sampled_from(list(maths.SURFACES)),
    rate=st.floats(1e-4, 10),
    beta=st.floats(0, 0.99),
    steps=st.integers(1, maths.MOST_STEPS),
)
def test_no_descent_puts_a_number_that_is_not_finite_into_a_chart(surface, rate, beta, steps):
    _, place = language("en"), maths.SURFACES[surface]
    chosen = maths.Settings(rate, momentum=beta)
    paths = [maths.descend(place, optimiser, chosen, steps) for optimiser in maths.OPTIMISERS.values()]
    for figure in (charts.descent_map(_, place, paths), charts.descent_chart(_, place, paths)):
        assert all(math.isfinite(number) for number in numbers(figure))
    left, right, bottom, top = place.widened(0.5)
    for trail in charts.descent_map(_, place, paths)["data"][1:7]:
        assert left <= trail["x"].min() <= trail["x"].max() <= right
        assert bottom <= trail["y"].min() <= trail["y"].max() <= top


def test_each_optimiser_keeps_its_colour_dash_and_marker_whoever_else_is_shown():
    _, place = language("en"), maths.SURFACES["bowl"]
    paths = [maths.descend(place, rule, maths.Settings(0.03), 20) for rule in maths.OPTIMISERS.values()]
    together = charts.descent_map(_, place, paths)["data"][1:7]
    looks = [(trail["line"]["color"], trail["line"]["dash"], trail["marker"]["symbol"]) for trail in together]
    for column in zip(*looks, strict=True):
        assert len(set(column)) == len(looks)
    alone = charts.descent_map(_, place, paths[5:])["data"][1]
    assert (alone["line"]["color"], alone["line"]["dash"], alone["marker"]["symbol"]) == looks[5]

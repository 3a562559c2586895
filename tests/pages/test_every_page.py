"""What holds for every page of the navigation: it draws, in both languages, and loads no TensorFlow."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.i18n import LANGUAGES, language
from pages.parts.services import PAGES

ROOT = Path(__file__).parents[2]

CHARTS = {"overview": 1, "plan": 1, "compute": 1, "learn": 2, "training": 1}
"""Charts that a page of the finished example draws at once."""


@pytest.mark.parametrize("code", list(LANGUAGES))
@pytest.mark.parametrize("page", PAGES)
def test_a_page_draws_its_title_its_charts_and_its_saved_state(tab, page, code):
    app = tab(page, code)
    assert len(app.title) == 1 and app.title[0].value
    assert len(app.get("plotly_chart")) == CHARTS.get(page, 0)
    assert not app.error
    (saved,) = [c.value for c in app.sidebar.caption]
    _ = language(code)
    assert saved.startswith(
        ":material/cloud_done: " + _("Saved · version {version} · {time}", version=1, time="")
    )


@pytest.mark.parametrize("page", PAGES)
def test_another_language_changes_words_and_no_key(tab, page):
    def keys(app):
        kinds = ("button", "selectbox", "text_input", "number_input", "slider", "toggle", "button_group")
        return sorted(
            widget.key.partition("~")[0] for kind in kinds for widget in app.get(kind) if widget.key
        )

    english = tab(page)
    before = keys(english)
    english.segmented_control(key="language").set_value("zh_Hans").run()
    assert not english.exception
    assert keys(english) == before
    assert english.session_state["language"] == "zh_Hans"


def test_a_founder_who_opens_the_app_finds_the_finished_example(tab, kept):
    app = tab()
    assert app.title[0].value == "Vertical copilot"
    assert kept(app).archetype == "vertical_copilot"
    assert "runs out in" in app.subheader[0].value
    stages = [line for block in app.markdown for line in block.value.split("\n\n") if "·" in line]
    assert [line.split("**")[1].split(" · ")[0] for line in stages if ":material/" in line] == list("1234567")


def test_a_second_visit_opens_what_was_changed_last(tab, store):
    first = tab()
    venture_id = first.session_state["workspace"].venture_id
    assert first.query_params["venture"] == venture_id
    assert tab().session_state["workspace"].venture_id == venture_id
    assert len(store.ventures.rows("local")) == 1


def test_the_address_opens_the_venture_it_names_and_ignores_one_that_is_not_there(tab):
    app = tab("share")
    older = app.session_state["workspace"].venture_id
    app.button(key="share:new").click().run()
    newer = app.session_state["workspace"].venture_id
    assert newer != older
    assert tab(venture=older).session_state["workspace"].venture_id == older
    assert tab(venture="0000000000000000").session_state["workspace"].venture_id == newer


ALL_PAGES = """
import sys
from streamlit.testing.v1 import AppTest
from pages.parts.services import PAGES, start, stop
start()
for page in PAGES:
    app = AppTest.from_file(sys.argv[1], default_timeout=120).run()
    app.switch_page(f"{page}.py").run()
    assert not app.exception, (page, app.exception[0].value)
    assert app.title, page
loaded = sorted({name.partition(".")[0] for name in sys.modules})
stop()
print(" ".join(loaded))
"""


def test_no_page_loads_tensorflow_or_keras(folder):
    """The web process stays small and quick; only the training worker loads them."""
    done = subprocess.run(
        [sys.executable, "-c", ALL_PAGES, str(ROOT / "pages" / "main.py")],
        cwd=ROOT,
        env={**os.environ, "COMPUTE_CANVAS_WORKER_MODE": "cold"},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    loaded = done.stdout.split()
    assert "streamlit" in loaded and "pandas" in loaded
    assert not {"tensorflow", "keras", "jax", "torch"} & set(loaded)

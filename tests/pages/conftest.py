"""A tab without a browser: Streamlit's own AppTest on the gate, with a data folder of its own.

Every ``tab()`` is a session like one browser tab; all tabs of a test share the folder's store.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import ElementList

from core.storage import Store, open_store
from core.venture import Venture
from pages.parts import services

GATE = Path(__file__).parents[2] / "pages" / "main.py"
PATIENCE_S = 120
"""For a page of a machine that others keep busy; a page takes a tenth of a second."""

Tab = Callable[..., AppTest]


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with its tables and nothing in them, to be copied."""
    file = tmp_path_factory.mktemp("empty") / "store.sqlite3"
    made = open_store(f"sqlite:///{file}")
    made.migrate()
    made.close()
    return file


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The data folder of the test, and no store left over from another one."""
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    shutil.copyfile(empty_store, data / "compute_canvas.sqlite3")
    monkeypatch.setenv("COMPUTE_CANVAS_DATA_DIR", str(data))
    monkeypatch.delenv("COMPUTE_CANVAS_DATABASE_URL", raising=False)
    services.store.cache_clear()
    yield data
    services.store().close()
    services.store.cache_clear()


@pytest.fixture(autouse=True)
def by_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fields are found by their key, also where a value from elsewhere made new ones of them."""

    def found(elements: ElementList[Any], key: str) -> Any:
        for element in elements:
            if str(getattr(element, "key", None)).partition("~")[0] == key:
                return element
        raise KeyError(key)

    monkeypatch.setattr(ElementList, "__call__", found)


@pytest.fixture
def store(folder: Path) -> Store:
    """The store that the pages of the test use."""
    return services.store()


@pytest.fixture
def tab(folder: Path) -> Tab:
    """Opens a tab on a page, in a language, with a query: ``tab("plan", "zh_Hans", token="…")``."""

    def opened(page: str = "overview", code: str = "en", **query: str) -> AppTest:
        app = AppTest.from_file(str(GATE), default_timeout=PATIENCE_S)
        app.session_state["language"] = code
        app.query_params.update(query)
        app.run()
        if page != "overview":
            app.switch_page(f"{page}.py").run()
        assert not app.exception, [error.value for error in app.exception]
        return app

    return opened


@pytest.fixture
def kept(store: Store) -> Callable[[AppTest], Venture]:
    """The newest version, as the store holds it, of what is open in a tab."""

    def newest(app: AppTest) -> Venture:
        return store.ventures.load("local", app.session_state["workspace"].venture_id)[0]

    return newest

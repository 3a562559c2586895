"""What the whole server shares: the store, and the watch over the training worker."""

import importlib
from functools import cache

from core.storage import Store, open_store
from core.training.service import Watch

PAGES = ("overview", "canvas", "plan", "compute", "training", "tradeoffs", "validation", "share", "learn")
"""The pages in the order of the navigation."""


@cache
def store() -> Store:
    """The store, opened and migrated once per process."""
    opened = open_store()
    opened.migrate()
    return opened


@cache
def _watch() -> Watch:
    """The watch over the training worker; it begins when it is first asked for."""
    return Watch(store())


def start() -> None:
    """Import what pages need, open the store, start the worker and compute the first example."""
    for name in ("pandas", "plotly.graph_objects", "streamlit.elements.plotly_chart", "core.charts.plan"):
        importlib.import_module(name)
    from core.finance import project, simulate
    from core.i18n import LANGUAGES, language
    from core.venture import example

    store()
    for code in LANGUAGES:
        language(code).money(1.0, "USD")
    project(example())
    simulate(example())
    _watch()


def stop() -> None:
    """Let go of the worker, which finishes what it has, and close the store."""
    _watch().stop()
    store().close()

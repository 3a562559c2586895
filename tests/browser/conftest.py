"""A real server on a free port with a data folder of its own, and a real Chromium to drive it."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from core.storage import Store, open_store

ROOT = Path(__file__).parents[2]
PATIENCE_MS = 60_000
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


class App:
    """The app as a process: started, killed, started again, on the same port and data folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://localhost:{self.port}"
        self.store: Store = open_store(f"sqlite:///{folder}/compute_canvas.sqlite3")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *command: str) -> None:
        """Start the server, as ``make run`` does or by another ``command``, until it says that it is healthy."""
        environment = {
            **os.environ,
            "COMPUTE_CANVAS_PORT": str(self.port),
            "COMPUTE_CANVAS_DATA_DIR": str(self.folder),
        }
        environment.pop("COMPUTE_CANVAS_DATABASE_URL", None)
        words = command or ("app.py",)
        self._process = subprocess.Popen([sys.executable, *words], cwd=ROOT, env=environment)
        until(self._healthy, 60)

    def kill(self) -> None:
        """End the server the hard way; its training worker lives on."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def clear(self) -> None:
        """End the server and everything else that works in the data folder."""
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
        for process in psutil.process_iter():
            try:
                mine = process.environ().get("COMPUTE_CANVAS_DATA_DIR") == str(self.folder)
                if mine and process.pid != os.getpid():
                    process.kill()
            except psutil.Error:
                continue
        self.store.close()

    def _healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=1) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


def until(answer: Callable[[], object], within_s: float = 60.0) -> None:
    """Ask again and again until the answer is true."""
    deadline = time.monotonic() + within_s
    while not answer():
        assert time.monotonic() < deadline, f"not so within {within_s} s"
        time.sleep(0.05)


@contextmanager
def running(folder: Path, *command: str) -> Iterator[App]:
    """The app while the block lasts; in ``command`` "{port}" stands for its port."""
    app = App(folder)
    try:
        app.start(*(word.format(port=app.port) for word in command))
        yield app
    finally:
        app.clear()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium; where there is none the test is skipped, but under CI it fails."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        if os.environ.get("CI") == "true":
            pytest.fail("Chromium is missing; .ci/run installs it.")
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """One app for the tests of a module, each of which opens a venture of its own or the example."""
    with running(tmp_path_factory.mktemp("data")) as started:
        yield started


Visit = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser, app: App) -> Iterator[Visit]:
    """Opens a page in a new tab of a browser of its own: ``visit("plan", width=390)``."""
    contexts = []

    def opened(page: str = "", width: int = 1440, locale: str = "en-US") -> Page:
        context = browser.new_context(viewport={"width": width, "height": 1000}, locale=locale)
        contexts.append(context)
        tab = context.new_page()
        tab.set_default_timeout(PATIENCE_MS)
        tab.goto(page if page.startswith("http") else f"{app.url}/{page}")
        settled(tab)
        return tab

    yield opened
    for context in contexts:
        context.close()


def settled(tab: Page) -> None:
    """Wait until the page has a title and its script is at rest."""
    tab.wait_for_selector("h1")
    tab.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')


def go(tab: Page, name: str) -> None:
    """Follow the link of the navigation with that name."""
    tab.get_by_test_id("stSidebarNav").get_by_role("link", name=name, exact=True).click()
    tab.wait_for_load_state("networkidle")
    settled(tab)

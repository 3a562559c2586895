"""Takes the README's pictures from the running app: ``python docs/pictures.py``.

It starts the app on an empty data folder, trains a few real networks, and drives Debian's Chromium
(or the one on the PATH) through the pages.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[1]
IMAGES = Path(__file__).with_name("images")
PAGES = ("overview", "canvas", "plan", "compute", "training", "tradeoffs", "validation")
SIZES = (2_500, 5_000, 10_000, 20_000)


def main() -> None:
    """Take every picture."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"COMPUTE_CANVAS_PORT": str(port), "COMPUTE_CANVAS_DATA_DIR": folder}
        server = subprocess.Popen([sys.executable, "app.py"], cwd=ROOT)
        try:
            base = f"http://localhost:{port}"
            _wait_for(f"{base}/_stcore/health")
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path=shutil.which("chromium") or shutil.which("google-chrome"),
                    args=["--no-sandbox", "--disable-gpu"],
                )
                page = browser.new_page(viewport={"width": 1280, "height": 860}, locale="en-US")
                page.goto(base)
                page.wait_for_selector("h1")
                _train_some()
                for name in PAGES:
                    _picture(page, base, name)
                _shared(browser, page, base)
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(20)
            _stop_worker()


def _wait_for(url: str) -> None:
    for _ in range(200):
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"{url} does not answer")


def _train_some() -> None:
    """Four sizes and two seeds of the perceptron, and one CNN, through the queue."""
    from core.storage import open_store
    from core.training.spec import RunSpec

    store = open_store()
    venture = store.ventures.rows("local")[0]
    specs = [RunSpec(network="mlp", train_images=n, seed=s, epochs=5) for n in SIZES for s in (0, 1)]
    for spec in [*specs, RunSpec(epochs=1)]:
        store.runs.submit("local", venture.id, spec.to_json(), spec.total_steps)
    while store.runs.active_count("local"):
        time.sleep(0.5)
    store.close()


def _picture(page: Page, base: str, name: str) -> None:
    page.goto(f"{base}/{'' if name == 'overview' else name}", wait_until="networkidle")
    page.wait_for_selector("h1")
    if name == "plan":
        page.get_by_text("Show the ranges").click()
        page.wait_for_selector("text=Chance that cash falls below zero")
    page.wait_for_timeout(1500)
    page.screenshot(path=IMAGES / f"{name}.png")


def _shared(browser: Browser, page: Page, base: str) -> None:
    page.goto(f"{base}/share", wait_until="networkidle")
    page.get_by_text("Create a link to version").click()
    link = page.locator("code", has_text="token=").first.inner_text()
    holder = browser.new_page(viewport={"width": 390, "height": 844}, locale="en-US")
    holder.goto(link, wait_until="networkidle")
    holder.wait_for_selector("h1")
    assert not holder.get_by_text("Page not found").count()
    holder.wait_for_timeout(1500)
    holder.screenshot(path=IMAGES / "shared.png")


def _stop_worker() -> None:
    from core.storage import open_store
    from core.training.service import seat

    holder = seat(open_store()).holder()
    if holder:
        os.kill(holder.pid, signal.SIGTERM)
        while seat(open_store()).holder():
            time.sleep(0.1)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()

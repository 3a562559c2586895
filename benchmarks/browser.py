"""What a person waits for, in Chromium: ``python -m benchmarks.browser [--changes 40]``.

Server start to healthy; first page ready (cold browser); a driver changed to the chart redrawn (the
plan's cash chart, by the field and by the slider); the click on Train to the first point on the chart.
"""

import argparse
import shutil
import statistics
import time

from playwright.sync_api import Page, sync_playwright

from benchmarks.serving import served

WATCH = """() => {
  const chart = document.querySelector('.js-plotly-plot');
  window.drawn = new Promise(done => {
    const look = new MutationObserver(() => { look.disconnect(); requestAnimationFrame(() => done(performance.now())); });
    look.observe(document.querySelector('[data-testid=stMain]').querySelector('.js-plotly-plot').closest('[data-testid=stPlotlyChart]').parentElement,
                 {subtree: true, childList: true, attributes: true, attributeFilter: ['d']});
  });
}"""


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--changes", type=int, default=40)
    changes = parser.parse_args().changes
    with served() as server, sync_playwright() as playwright:
        url = server.url
        print(f"server start to healthy: {server.started:.2f} s")
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium") or shutil.which("google-chrome"),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        first = []
        for _ in range(3):
            page = browser.new_context(viewport={"width": 1440, "height": 1000}).new_page()
            began = time.perf_counter()
            page.goto(url)
            page.wait_for_selector(".js-plotly-plot .scatterlayer path", state="attached")
            first.append(time.perf_counter() - began)
            page.context.close()
        print(
            f"first page with its chart, cold browser: {statistics.median(first):.2f} s (median of {len(first)})"
        )
        page = browser.new_context(viewport={"width": 1440, "height": 1000}).new_page()
        page.goto(f"{url}/plan")
        page.wait_for_selector(".js-plotly-plot .scatterlayer path", state="attached")
        page.wait_for_timeout(1000)
        field = page.get_by_role("textbox", name="Price per seat")
        report("driver typed → chart redrawn", [typed(page, field, 60 + n) for n in range(changes)])
        slider = page.get_by_role("slider").first
        slider.focus()
        report("slider moved → chart redrawn", [slid(page) for _ in range(changes)])
        print(f"click on Train → first point on the chart: {trained(page, url):.2f} s, worker warm")
        browser.close()


def typed(page: Page, field: object, value: int) -> float:
    """Milliseconds from Enter to the first change of the chart."""
    field.fill(str(value))  # type: ignore[attr-defined]
    return _timed(page, "Enter")


def slid(page: Page) -> float:
    """Milliseconds from an arrow key on the slider to the first change of the chart."""
    return _timed(page, "ArrowRight")


def _timed(page: Page, key: str) -> float:
    page.evaluate(WATCH)
    page.evaluate(
        "() => addEventListener('keydown', () => { window.pressed = performance.now() }, {once: true, capture: true})"
    )
    page.keyboard.press(key)
    took = float(page.evaluate("async () => (await window.drawn) - window.pressed"))
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')
    return took


def trained(page: Page, url: str) -> float:
    """Seconds from the click to the first point of a run of the perceptron."""
    page.goto(f"{url}/training")
    page.wait_for_selector("h1")
    page.wait_for_timeout(6000)  # the worker has imported TensorFlow by now; that is not part of the figure
    began = time.perf_counter()
    page.get_by_role("button", name="Train", exact=True).click()
    page.wait_for_selector(".js-plotly-plot .scatterlayer path.js-line", state="attached")
    took = time.perf_counter() - began
    page.get_by_test_id("stMain").get_by_role("button", name="Stop").click()
    return took


def report(what: str, times: list[float]) -> None:
    """Print the percentiles of times in milliseconds."""
    ordered = sorted(times)
    p50, p95 = statistics.median(ordered), ordered[int(0.95 * (len(ordered) - 1))]
    print(f"{what}: p50 {p50:.0f} ms, p95 {p95:.0f} ms ({len(times)} changes)")


if __name__ == "__main__":
    main()

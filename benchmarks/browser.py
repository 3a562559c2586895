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
        trained(page, url)
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


FIRST = """() => {
  const lines = () => [...document.querySelectorAll('.js-plotly-plot .scatterlayer path.js-line')].map(e => e.getAttribute('d')).join();
  const before = lines();
  let clicked, number;
  addEventListener('click', () => { clicked = performance.now() }, {once: true, capture: true});
  window.first = new Promise(done => {
    const look = () => {
      const now = performance.now(), bar = document.querySelector('[data-testid=stProgress]');
      if (!number && bar && /^Step [1-9]/.test(bar.innerText)) number = now;
      if (number && lines() && lines() !== before) done([number - clicked, now - clicked]);
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
}"""


def trained(page: Page, url: str, runs: int = 8) -> None:
    """Time from the click on Train to the first number of the run and to its first point on a chart.

    The worker is warm: a process stands by, as it does some seconds after a run. The first click of the
    session, after which the browser loads its charts, is told apart.
    """
    page.goto(f"{url}/training")
    page.wait_for_selector("h1")
    numbers, points = [], []
    for _ in range(runs + 1):
        page.wait_for_timeout(8000)  # for the process that stands by; it is no part of the figure
        page.evaluate(FIRST)
        page.get_by_role("button", name="Train", exact=True).click()
        number, point = page.evaluate("() => window.first")
        numbers.append(number)
        points.append(point)
        page.get_by_test_id("stMain").get_by_role("button", name="Stop").click()
    print(f"click on Train, first of the session: number {numbers[0]:.0f} ms, point {points[0]:.0f} ms")
    report("click on Train → first number", numbers[1:])
    report("click on Train → first point on the chart", points[1:])


def report(what: str, times: list[float]) -> None:
    """Print the percentiles of times in milliseconds."""
    ordered = sorted(times)
    p50, p95 = statistics.median(ordered), ordered[int(0.95 * (len(ordered) - 1))]
    print(f"{what}: p50 {p50:.0f} ms, p95 {p95:.0f} ms ({len(times)} times)")


if __name__ == "__main__":
    main()

"""What each setting of the server is worth: ``python -m benchmarks.settings [--changes 40] [--rounds 3]``.

A driver is typed into the plan page, again and again, by one tab and by ten tabs at once, against the
app as it is and against the same app with some of its settings undone. The variants take turns, round
after round, so that a machine that others use slows all of them alike; each figure stands beside its
ratio to the app as it is.

- the app as it is: uvicorn, no garbage collection after a run, the heap frozen after the imports
- the collection that Streamlit makes by default after every run, frozen heap
- the same without the frozen heap: what most Streamlit apps do
- ``streamlit run``, whose listening socket lacks TCP_NODELAY
"""

import argparse
import asyncio
import sys
from contextlib import ExitStack

from benchmarks.serving import served
from benchmarks.tab import Tab, percentiles

COLLECT = "from streamlit import config; config.set_option('runner.postScriptGC', True); "
THAW = "import gc; gc.freeze = lambda: None; "
START = "import app; app.main()"
TABS = (1, 10)

VARIANTS: dict[str, list[str] | None] = {
    "the app as it is": None,
    "collecting garbage after every run": [sys.executable, "-c", COLLECT + START],
    "the same, heap not frozen": [sys.executable, "-c", THAW + COLLECT + START],
    "under streamlit run": [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", "{port}"],
}


async def typed(url: str, tabs: int, changes: int) -> list[float]:
    """Seconds from each change to the changed cash chart, of ``tabs`` that never pause."""
    opened = [Tab(url, "plan", "venture=new") for _ in range(tabs)]
    for tab in opened:
        await tab.open()
    times = await asyncio.gather(*(_typed(tab, changes) for tab in opened))
    for tab in opened:
        await tab.close()
        assert not tab.errors, tab.errors
    return [second for found in times for second in found]


async def _typed(tab: Tab, changes: int) -> list[float]:
    times = []
    for number in range(changes):
        took = await tab.change("driver::price_per_seat", str(60 + number))
        assert took.chart is not None, "the chart did not change"
        times.append(took.chart)
    return times


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--changes", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    times: dict[tuple[str, int], list[float]] = {(name, tabs): [] for name in VARIANTS for tabs in TABS}
    with ExitStack() as stack:
        urls = {name: stack.enter_context(served(words)).url for name, words in VARIANTS.items()}
        for url in urls.values():
            asyncio.run(typed(url, 1, 5))  # the first visit is slower and not what is asked
        for _ in range(chosen.rounds):
            for name, tabs in times:
                times[name, tabs] += asyncio.run(typed(urls[name], tabs, chosen.changes // tabs))
    print("plan page, a driver typed → the changed chart is sent")
    for tabs in TABS:
        base, _p95 = percentiles(times["the app as it is", tabs])
        print(f"{tabs} {'tab' if tabs == 1 else 'tabs'}, {len(times['the app as it is', tabs])} changes")
        for name in VARIANTS:
            p50, p95 = percentiles(times[name, tabs])
            print(f"  {name:36} p50 {p50:6.1f} ms  p95 {p95:6.1f} ms  {p50 / base:5.2f} ×")


if __name__ == "__main__":
    main()

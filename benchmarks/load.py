"""Many people at once: ``python -m benchmarks.load [--sessions 1,10,50] [--changes 4] [--think 5]``.

Every session edits a venture of its own on the plan page and pauses about ``--think`` seconds between
two changes, as people do. Beside the app stands an empty Streamlit script with the same settings: the
floor.
"""

import argparse
import asyncio
import random
import sys
import tempfile
from pathlib import Path

from benchmarks.serving import Server, served
from benchmarks.tab import Tab, Took, percentiles

EMPTY = """import streamlit as st
st.write(st.number_input("Price", value=1.0, key="price"))
"""
AT_ONCE = 8
"""Sessions that open at the same time."""


async def load(server: Server, sessions: int, changes: int, think: float, plan: bool) -> None:
    """Open the sessions, let them change and pause, and print what that took."""
    tabs = [Tab(server.url, "plan" if plan else "", "venture=new" if plan else "") for _ in range(sessions)]
    gate = asyncio.Semaphore(AT_ONCE)
    before = server.memory_mib()

    async def open_one(tab: Tab) -> float:
        async with gate:
            return (await tab.open()).page

    async def drive(tab: Tab, seed: int) -> list[Took]:
        chance = random.Random(seed)
        took = []
        for number in range(changes):
            await asyncio.sleep(think * (0.5 + chance.random()))
            price = 60 + chance.randrange(1000) / 10
            key, value = ("driver::price_per_seat", str(price)) if plan else ("price", price + number)
            took.append(await tab.change(key, value))
        return took

    opened = await asyncio.gather(*(open_one(tab) for tab in tabs))
    cpu = server.cpu_seconds()
    took = [one for found in await asyncio.gather(*map(drive, tabs, range(sessions))) for one in found]
    cpu = (server.cpu_seconds() - cpu) / len(took)
    for tab in tabs:
        await tab.close()
    times = [one.chart or one.page for one in took]
    open_50, open_95 = percentiles(opened)
    p50, p95 = percentiles(times)
    grown = (server.memory_mib() - before) / sessions
    errors = [error for tab in tabs for error in tab.errors]
    print(
        f"  {sessions:4} sessions: change p50 {p50:6.1f} ms, p95 {p95:6.1f} ms ({len(times)} changes); open p50 "
        f"{open_50:6.1f} ms, p95 {open_95:6.1f} ms; processor {1e3 * cpu:5.1f} ms a change, "
        f"{grown:5.2f} MiB a session, {len(errors)} errors",
        flush=True,
    )
    assert not errors, errors[:3]


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sessions", default="1,10,50")
    parser.add_argument("--changes", type=int, default=4)
    parser.add_argument("--think", type=float, default=5.0)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "empty.py"
        script.write_text(EMPTY, encoding="utf-8")
        bare = [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", "{port}"]
        for name, command, plan in (
            ("Compute Canvas: a driver typed → the changed chart is sent", None, True),
            ("An empty script under streamlit run: a number changed → the page is sent", bare, False),
        ):
            print(name, flush=True)
            with served(command) as server:
                asyncio.run(Tab(server.url, "plan" if plan else "").open())  # the first visit imports
                for sessions in map(int, chosen.sessions.split(",")):
                    asyncio.run(load(server, sessions, chosen.changes, chosen.think, plan))


if __name__ == "__main__":
    main()

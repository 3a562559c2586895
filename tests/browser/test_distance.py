"""A server that is far away: every message takes its time, and the founder does not wait for it."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import App, Visit

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

ONE_WAY_S = 0.15


@contextmanager
def far(port: int) -> Iterator[int]:
    """A port of this machine behind which the server at ``port`` is far away."""
    opened: Future[tuple[int, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def carry(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with closing(target):
            while data := await source.read(65_536):
                asyncio.get_running_loop().call_later(ONE_WAY_S, target.write, data)
            await asyncio.sleep(ONE_WAY_S)

    async def joined(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(carry(reader, back), carry(there, writer), return_exceptions=True)

    async def serve() -> None:
        end = asyncio.Event()
        async with await asyncio.start_server(joined, "127.0.0.1", 0) as server:
            opened.set_result((server.sockets[0].getsockname()[1], asyncio.get_running_loop(), end))
            await end.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    own, loop, end = opened.result()
    try:
        yield own
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join()


def test_a_price_that_was_typed_stays_whatever_is_clicked_next(app: App, visit: Visit) -> None:
    """The slider of the price follows what is typed; the next click still carries where it stood."""
    with far(app.port) as port:
        tab = visit(f"http://localhost:{port}/plan")
        field = tab.get_by_role("textbox", name="Price per seat")
        expect(field).not_to_have_value("")
        (row,) = app.store.ventures.rows("local")
        for count, price in enumerate(("95", "70", "101", "66"), 1):
            field.fill(price)
            field.press("Enter")
            tab.get_by_text("Show the ranges").click()
            expect(tab.get_by_text(f"Saved · version {row.version + count} ")).to_be_visible()
            tab.wait_for_timeout(4_000 * ONE_WAY_S)  # for what else may still be under way
            venture, newest = app.store.ventures.load("local", row.id)
            typed = venture.driver("price_per_seat").amount.median
            assert (typed, newest.version) == (float(price), row.version + count)
            expect(field).to_have_value(price)
        tab.context.close()

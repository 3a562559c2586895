"""The launcher: an ASGI app around the Streamlit script ``pages/main.py``.

``python app.py`` is the fast way (uvicorn; ``streamlit run app.py`` works too but adds 40 ms to
every rerun on Linux, and hosts like Streamlit Community Cloud use it). The script lives in
``pages/`` and not beside a ``pages/`` folder, so that no deep link can pass by its gate.

Before the server says that it is healthy, it has imported what the pages need, migrated the
database and started the training worker as a process of its own; TensorFlow is never imported here.
"""

import gc
import logging
import os
import socket
import sys
import threading
import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import streamlit as st
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware

HOST = os.environ.get("COMPUTE_CANVAS_HOST", "127.0.0.1")
PORT_GIVEN = os.environ.get("COMPUTE_CANVAS_PORT", "8501")
if not (PORT_GIVEN.isascii() and PORT_GIVEN.isdigit() and 0 < int(PORT_GIVEN) < 2**16):
    raise SystemExit(f"COMPUTE_CANVAS_PORT is “{PORT_GIVEN}”; a number from 1 to 65535 is needed.")
PORT = int(PORT_GIVEN)

log = logging.getLogger("compute_canvas")


@asynccontextmanager
async def lifespan(_app: Any) -> AsyncIterator[None]:
    """Everything slow happens here once, then the heap is frozen so that no collection walks it."""
    from pages.parts.services import start, stop

    start()
    gc.collect()
    gc.freeze()
    if "--open" in sys.argv:
        threading.Thread(target=webbrowser.open, args=(address(),), daemon=True).start()
    try:
        yield
    finally:
        stop()


def failed(error: Exception) -> bool:
    """Log an error of a page and show one sentence in its place."""
    log.error("A page failed.", exc_info=error)
    from pages.parts.session import say

    _ = say()
    st.error(_("Something went wrong on this page. What you saved is safe; reload the page to go on."))
    return True


app = st.App(
    "pages/main.py",
    lifespan=lifespan,
    middleware=[Middleware(GZipMiddleware, minimum_size=1000, compresslevel=6)],
    on_script_error=failed,
)


def address() -> str:
    """Where a browser on this machine finds the app."""
    return f"http://{'localhost' if HOST in ('127.0.0.1', '0.0.0.0') else HOST}:{PORT}"


def main() -> None:
    """Serve on :data:`HOST`:\\ :data:`PORT` until stopped."""
    import uvicorn

    from core.i18n import Refusal
    from pages.parts.services import store

    with socket.socket() as probe:
        if probe.connect_ex((HOST, PORT)) == 0:
            raise SystemExit(
                f"Port {PORT} is taken. Stop what runs there or set COMPUTE_CANVAS_PORT to another port."
            )
    try:
        store()
    except Refusal as refusal:
        raise SystemExit(str(refusal)) from None
    print(f"Compute Canvas: {address()}", flush=True)
    uvicorn.run(app, host=HOST, port=PORT, log_level="warning", access_log=False, ws="websockets-sansio")


if __name__ == "__main__":
    main()

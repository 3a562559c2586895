"""A browser tab without the browser, for the benchmarks: it speaks Streamlit's own protocol over its socket.

It opens a page, changes a widget as a browser does (every widget's value goes along with every change)
and tells how long it took until the server had sent the first changed chart, and the whole page.
"""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

PATIENCE_S = 60.0
VALUE = {
    "number_input": "double_value",
    "text_input": "string_value",
    "selectbox": "string_value",
    "checkbox": "bool_value",
}
"""The kinds of widget that are answered with their value, and the field that carries it."""


@dataclass
class Took:
    """Seconds from a change to the first chart that differs, and to the end of the page's script."""

    chart: float | None
    page: float


@dataclass
class Tab:
    """One tab on a page of the server at ``url`` ("http://localhost:8501")."""

    url: str
    page: str = ""
    query: str = ""
    errors: list[str] = field(default_factory=list)
    _states: dict[str, WidgetState] = field(default_factory=dict)
    _kinds: dict[str, str] = field(default_factory=dict)
    _charts: dict[tuple[int, ...], str] = field(default_factory=dict)
    _kept: set[str] = field(default_factory=set)
    _page_hash: str = ""
    _socket: Any = None

    async def open(self) -> Took:
        """Open the page and wait for it."""
        self._socket = await websockets.connect(
            f"{self.url.replace('http', 'ws', 1)}/_stcore/stream",
            subprotocols=["streamlit", "PLACEHOLDER_AUTH_TOKEN"],  # type: ignore[list-item]
            origin=self.url,  # type: ignore[arg-type]
            max_size=None,
            compression=None,
            open_timeout=PATIENCE_S,
            ping_interval=None,
        )
        return await self._run()

    async def close(self) -> None:
        """Close the tab."""
        if self._socket is not None:
            await self._socket.close()

    async def change(self, key: str, value: str | float) -> Took:
        """Give the widget of that key another value and wait for the page."""
        widget = next(known for known in self._kinds if known.endswith(f"-{key}"))
        setattr(self._states[widget], VALUE[self._kinds[widget]], value)
        return await self._run()

    async def _run(self) -> Took:
        asked = BackMsg()
        asked.rerun_script.query_string = self.query
        asked.rerun_script.page_script_hash = self._page_hash
        asked.rerun_script.page_name = "" if self._page_hash else self.page
        asked.rerun_script.cached_message_hashes.extend(sorted(self._kept))
        asked.rerun_script.widget_states.widgets.extend(self._states.values())
        asked.rerun_script.context_info.url = f"{self.url}/{self.page}"
        asked.rerun_script.context_info.locale = "en-US"
        sent = time.perf_counter()
        await self._socket.send(asked.SerializeToString())
        chart = None
        async with asyncio.timeout(PATIENCE_S):
            while True:
                message = ForwardMsg.FromString(await self._socket.recv())
                if message.metadata.cacheable:
                    self._kept.add(message.hash)
                kind = message.WhichOneof("type")
                if kind == "navigation":
                    self._page_hash = message.navigation.page_script_hash
                elif kind == "delta" and self._element(message) and chart is None:
                    chart = time.perf_counter() - sent
                elif kind == "script_finished":
                    return Took(chart, time.perf_counter() - sent)

    def _element(self, message: ForwardMsg) -> bool:
        """Remember an element that the server sent; whether it is a chart that differs from before."""
        if message.delta.WhichOneof("type") != "new_element":
            return False
        element = message.delta.new_element
        kind = element.WhichOneof("type")
        shown = getattr(element, kind)
        if kind == "exception":
            self.errors.append(shown.message)
        elif kind in VALUE and shown.id not in self._states and _default(shown) is not None:
            self._kinds[shown.id] = kind
            self._states[shown.id] = WidgetState(id=shown.id, **{VALUE[kind]: _default(shown)})
        elif kind == "plotly_chart":
            place = tuple(message.metadata.delta_path)
            before, self._charts[place] = self._charts.get(place), message.hash
            return before != message.hash
        return False


def _default(widget: Any) -> Any:
    """The value that a widget starts with; None for one that starts empty."""
    if widget.DESCRIPTOR.name == "Selectbox":
        return widget.raw_value or (widget.options[widget.default] if widget.HasField("default") else None)
    if widget.set_value and widget.HasField("value"):
        return widget.value
    return widget.default if widget.DESCRIPTOR.name == "Checkbox" or widget.HasField("default") else None


def percentiles(seconds: Iterable[float]) -> tuple[float, float]:
    """The 50th and 95th percentile, in milliseconds."""
    ordered = sorted(1e3 * second for second in seconds)
    return ordered[len(ordered) // 2], ordered[int(0.95 * (len(ordered) - 1))]

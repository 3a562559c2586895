"""A small pad to draw on, as a component of its own: no dependency, and nothing leaves the page but pixels."""

from typing import Any

import streamlit as st

SIDE = 56
"""Pixels of the drawing that is handed over; it is larger on screen."""

_HTML = '<canvas class="pad" tabindex="0" role="img"></canvas><button class="clear" type="button"></button>'

_CSS = """
.pad { width: 224px; height: 224px; background: #000; border-radius: 8px; touch-action: none; cursor: crosshair;
  border: 1px solid var(--st-border-color, #888); display: block; }
.clear { margin-top: 8px; font: inherit; padding: 4px 12px; border-radius: 8px; cursor: pointer;
  color: var(--st-text-color, inherit); background: var(--st-secondary-background-color, #eee);
  border: 1px solid var(--st-border-color, #888); }
"""

_JS = """
export default function (component) {
  const { parentElement, data, setStateValue } = component
  const pad = parentElement.querySelector(".pad"), clear = parentElement.querySelector(".clear")
  pad.setAttribute("aria-label", data.label)
  clear.textContent = data.clear
  const side = data.side
  if (pad.width !== side) { pad.width = side; pad.height = side }
  const pen = pad.getContext("2d", { willReadFrequently: true })
  pen.lineWidth = side / 11; pen.lineCap = "round"; pen.lineJoin = "round"; pen.strokeStyle = "#fff"
  let down = false
  const at = (event) => {
    const box = pad.getBoundingClientRect()
    return [(event.clientX - box.left) * side / box.width, (event.clientY - box.top) * side / box.height]
  }
  const send = () => {
    const held = pen.getImageData(0, 0, side, side).data
    const rows = []
    for (let y = 0; y < side; y++) {
      const row = []
      for (let x = 0; x < side; x++) {
        const i = (y * side + x) * 4
        row.push(Math.round(held[i] * held[i + 3] / 255))
      }
      rows.push(row)
    }
    setStateValue("pixels", rows)
  }
  pad.onpointerdown = (event) => {
    down = true
    pad.setPointerCapture(event.pointerId)
    pen.beginPath()
    const [x, y] = at(event)
    pen.moveTo(x, y); pen.lineTo(x + 0.01, y); pen.stroke()
  }
  pad.onpointermove = (event) => {
    if (!down) return
    const [x, y] = at(event)
    pen.lineTo(x, y); pen.stroke()
  }
  pad.onpointerup = () => { if (down) { down = false; send() } }
  pad.onpointercancel = pad.onpointerup
  clear.onclick = () => { pen.clearRect(0, 0, side, side); send() }
}
"""


def drawing(key: str, label: str, clear: str) -> list[list[int]] | None:
    """The pad; brightness 0 to 255 by row and column, or None as long as nothing was drawn.

    What comes from a browser is checked: anything but a square of such numbers counts as nothing drawn.
    """
    pad = st.components.v2.component("drawing_pad", html=_HTML, css=_CSS, js=_JS)
    found = pad(
        key=key,
        data={"label": label, "clear": clear, "side": SIDE},
        default={"pixels": None},
        on_pixels_change=lambda: None,
    )
    return _checked(found.pixels)


def _checked(rows: Any) -> list[list[int]] | None:
    if not isinstance(rows, list) or len(rows) != SIDE:
        return None
    sound = all(
        isinstance(row, list) and len(row) == SIDE and all(type(v) is int and 0 <= v <= 255 for v in row)
        for row in rows
    )
    return rows if sound else None

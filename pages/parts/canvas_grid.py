"""Osterwalder's layout of the nine blocks: five columns above, two below; on a phone they stack."""

from collections.abc import Callable

import streamlit as st

COLUMNS = (
    ("partners",),
    ("activities", "resources"),
    ("propositions",),
    ("relationships", "channels"),
    ("segments",),
)
BOTTOM = ("costs", "revenues")


def grid(draw: Callable[[str], None]) -> None:
    """Draw every block in its place."""
    for column, blocks in zip(st.columns(len(COLUMNS), gap="small"), COLUMNS, strict=True):
        with column:
            for block in blocks:
                draw(block)
    for column, block in zip(st.columns(len(BOTTOM), gap="small"), BOTTOM, strict=True):
        with column:
            draw(block)

"""The CSV files under ``data/``: read once, never changed."""

import csv
from functools import cache
from pathlib import Path

Row = dict[str, str]

_DATA = Path(__file__).with_name("data")


@cache
def table(name: str) -> tuple[Row, ...]:
    """The rows of ``data/{name}.csv`` as text, in file order."""
    with (_DATA / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def maybe(text: str) -> float | None:
    """The number in a cell; None where the cell is empty, because the figure is not known."""
    return float(text) if text.strip() else None


def whole(text: str) -> int:
    """The whole number in a cell; 0 where the cell is empty, because there is none of it."""
    return int(text) if text.strip() else 0

"""Today's rents from ``gpuhunt``, where it is installed and the network answers. Off until asked for.

``gpuhunt`` (the catalogue behind dstack) collects the prices of two dozen clouds. It is not needed and
not a dependency: a founder who wants today's prices installs it. What it finds becomes prices of the
founder's own, market-wide per accelerator and tier: the 10th percentile, the median and the 90th of
all offers per accelerator-hour, dated today.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol

import numpy as np

from core.compute.prices import PriceRow
from core.compute.spelling import accelerator_called
from core.i18n import Refusal


class Offer(Protocol):
    """What is read of an offer: USD per hour of the whole machine."""

    price: float
    gpu_count: int
    gpu_name: str | None
    gpu_memory: float | None
    spot: bool


def can_refresh() -> bool:
    """Whether ``gpuhunt`` is installed."""
    return find_spec("gpuhunt") is not None


def refreshed_prices(today: date, query: Callable[[], Iterable[Offer]] | None = None) -> tuple[PriceRow, ...]:
    """Today's market prices; ``query`` gives the offers (default: ``gpuhunt.query``).

    A Refusal where ``gpuhunt`` is not installed, the network does not answer, or nothing is known.
    """
    if query is None:
        if not can_refresh():
            raise Refusal("Today's prices need the package gpuhunt: pip install gpuhunt.")
        query = _gpuhunt
    try:
        offers = list(query())
    except Exception as error:  # whatever a provider's page or the network does
        raise Refusal("Today's prices could not be fetched: {reason}.", reason=str(error)[:120]) from None
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    for offer in offers:
        name = _accelerator(offer)
        if name and offer.gpu_count > 0 and offer.price > 0:
            found[(name, "spot" if offer.spot else "on_demand")].append(offer.price / offer.gpu_count)
    if not found:
        raise Refusal("Today's prices hold no accelerator of the table.")
    return tuple(_row(name, tier, prices, today) for (name, tier), prices in sorted(found.items()))


def _row(name: str, tier: str, prices: list[float], today: date) -> PriceRow:
    low, middle, high = (float(f"{value:.4g}") for value in np.quantile(prices, [0.1, 0.5, 0.9]))
    return PriceRow(
        accelerator=name,
        provider="",
        tier=tier,  # type: ignore[arg-type]
        low=low,
        typical=middle,
        high=high,
        date=today.isoformat(),
        source=f"gpuhunt, {len(prices)} offers",
        trust="high" if len(prices) >= 5 else "medium",
        edited=True,
    )


def _accelerator(offer: Offer) -> str | None:
    """The table's name of an offer's accelerator; None where it has none."""
    if not offer.gpu_name:
        return None
    memory = f"{offer.gpu_memory:.0f}" if offer.gpu_memory else ""
    for name in (f"{offer.gpu_name}-{memory}", offer.gpu_name):
        try:
            return accelerator_called(name).name
        except Refusal:
            continue
    return None


def _gpuhunt() -> Iterable[Any]:
    offers: Iterable[Any] = import_module("gpuhunt").query(min_gpu_count=1)
    return offers

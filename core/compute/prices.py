"""What an hour of an accelerator costs: dated prices by provider and by how it is bought.

``data/gpu_prices.csv`` holds USD per accelerator-hour, low, typical and high, of the market (provider
left empty) and of single providers, on demand, reserved for a year or three, or on spot, each with its
date and source. A founder's own prices stand before the table's (:class:`PriceRow` with ``edited``).

Where nobody publishes a reserved price, it is the market's on-demand price times the median discount
of those who do, and is marked so. Rents rose and fell by 40 % within a year, so a price older than
``STALE_DAYS`` warns, and a price of the future takes a signed drift.
"""

import datetime
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Literal, cast, get_args

import numpy as np

from core.compute.hardware import Accelerator, Trust
from core.compute.limits import one_of, within
from core.compute.tables import Row, maybe, table
from core.i18n import Refusal, Text

Tier = Literal["on_demand", "reserved_1y", "reserved_3y", "spot"]
TIERS: tuple[Tier, ...] = get_args(Tier)

TIER_LABELS: dict[str, Text] = {
    "on_demand": Text("On demand", "按需"),
    "reserved_1y": Text("Reserved, 1 year", "预留 1 年"),
    "reserved_3y": Text("Reserved, 3 years", "预留 3 年"),
    "spot": Text("Spot, can be taken away", "竞价(可被收回)"),
}

PRICE = Text("Price per accelerator-hour", "每加速器小时价格")

DRIFT = Text("Price drift per year", "每年价格漂移")

STALE_DAYS = 180


@dataclass(frozen=True, slots=True)
class PriceRow:
    """USD per accelerator-hour; ``provider`` is empty for the market as a whole. ``derived`` says that
    the row is an on-demand price times the usual discount."""

    accelerator: str
    provider: str
    tier: Tier
    low: float | None
    typical: float
    high: float | None
    date: str
    source: str
    trust: Trust | None
    edited: bool = False
    derived: bool = False

    def stale(self, today: datetime.date) -> bool:
        """Whether the price is older than ``STALE_DAYS``, or its day is not known."""
        days = age_days(self.date, today)
        return days is None or days > STALE_DAYS


@dataclass(frozen=True, slots=True)
class HourlyPrice:
    """The price an estimate used: USD per accelerator-hour, typed or of a row; ``low`` and ``high``
    are the ends of the market, or the price itself."""

    usd: float
    low: float
    high: float
    typed: bool
    row: PriceRow | None

    @property
    def date(self) -> str:
        return self.row.date if self.row else ""

    @property
    def source(self) -> str:
        return self.row.source if self.row else ""


@lru_cache(maxsize=1)
def price_table() -> tuple[PriceRow, ...]:
    """Every price that ships, in file order."""
    return tuple(_row(row) for row in table("gpu_prices"))


@lru_cache(maxsize=512)
def prices_of(accelerator: str, own: tuple[PriceRow, ...] = ()) -> tuple[PriceRow, ...]:
    """The prices of an accelerator, the market's first: the founder's ``own``, the table's, the derived."""
    mine = tuple(row for row in own if row.accelerator == accelerator)
    taken = {(row.provider, row.tier) for row in mine}
    known = (
        *mine,
        *(r for r in price_table() if r.accelerator == accelerator and (r.provider, r.tier) not in taken),
    )
    market = _market(known, "on_demand")
    derived = [
        _derived(market, tier) for tier in TIERS[1:] if market and market.typical and not _market(known, tier)
    ]
    return tuple(sorted((*known, *derived), key=lambda row: (bool(row.provider), TIERS.index(row.tier))))


def hourly_price(
    of: Accelerator,
    typed: float | None = None,
    tier: str = "on_demand",
    provider: str = "",
    own: tuple[PriceRow, ...] = (),
) -> HourlyPrice:
    """The typed price, or that of the provider (empty: the market) in the tier; a Refusal where there is none."""
    if typed is not None:
        usd = within(typed, PRICE, 0.001, 10_000)
        return HourlyPrice(usd, usd, usd, typed=True, row=None)
    one_of(tier, Text("How it is bought", "购买方式"), TIERS)
    rows = prices_of(of.name, own)
    found = next((row for row in rows if row.tier == tier and row.provider == provider), None)
    if found is None:
        raise Refusal(
            "No rental price is known for {accelerator}; give a price per hour.", accelerator=of.name
        )
    return HourlyPrice(
        found.typical, found.low or found.typical, found.high or found.typical, typed=False, row=found
    )


def own_price(
    accelerator: str,
    tier: str,
    low: float | None,
    typical: float,
    high: float | None,
    day: datetime.date,
    provider: str = "",
) -> PriceRow:
    """A founder's own price; a Refusal unless low ≤ typical ≤ high and all are prices."""
    within(typical, PRICE, 0.001, 10_000)
    for end, rises in ((low, True), (high, False)):
        if end is None:
            continue
        within(end, PRICE, 0.001, 10_000)
        if (end > typical) if rises else (end < typical):
            raise Refusal(
                "The prices {low}, {typical} and {high} must rise from low over typical to high.",
                low=low or "–",
                typical=typical,
                high=high or "–",
            )
    return PriceRow(
        accelerator,
        provider,
        cast(Tier, one_of(tier, Text("How it is bought", "购买方式"), TIERS)),
        low,
        typical,
        high,
        day.isoformat(),
        "",
        None,
        edited=True,
    )


def drifted(usd: float, per_year: float, months: float) -> float:
    """A price after ``months`` of a signed drift ``per_year`` (−0.28: 28 % cheaper each year)."""
    within(per_year, DRIFT, -0.95, 10)
    within(usd, PRICE, 0, 10_000)
    within(months, Text("Months from today", "距今月数"), 0, 1200)
    return float(usd * (1 + per_year) ** (months / 12))


def age_days(stated: str, today: datetime.date) -> int | None:
    """Days since the last day, month or year that ``stated`` names, counted from its first day."""
    found = re.findall(r"(20\d\d)(?:-(\d\d))?(?:-(\d\d))?", stated)
    if not found:
        return None
    days = [datetime.date(int(year), int(month or 1), int(day or 1)) for year, month, day in found]
    return (today - max(days)).days


@cache
def usual_discount(tier: Tier) -> float:
    """The median of a tier's price ÷ the same provider's on-demand price, over the table."""
    on_demand = {(r.accelerator, r.provider): r.typical for r in price_table() if r.tier == "on_demand"}
    shares = [
        r.typical / on_demand[(r.accelerator, r.provider)]
        for r in price_table()
        if r.tier == tier and (r.accelerator, r.provider) in on_demand
    ]
    return float(np.median(shares))


def _derived(market: PriceRow, tier: Tier) -> PriceRow:
    share = usual_discount(tier)
    return replace(
        market,
        tier=tier,
        low=None if market.low is None else market.low * share,
        typical=market.typical * share,
        high=None if market.high is None else market.high * share,
        trust="low",
        derived=True,
    )


def _market(rows: Iterable[PriceRow], tier: str) -> PriceRow | None:
    return next((row for row in rows if row.tier == tier and not row.provider), None)


def _row(row: Row) -> PriceRow:
    return PriceRow(
        accelerator=row["accelerator"],
        provider=row["provider"],
        tier=cast(Tier, row["tier"]),
        low=maybe(row["low"]),
        typical=float(row["typical"]),
        high=maybe(row["high"]),
        date=row["date"],
        source=row["source"],
        trust=cast(Trust, row["trust"]),
    )

"""What a kilowatt-hour emits, by country: the carbon intensity of the grid.

``data/grids.csv`` holds the yearly mean of each country's generation in grams of CO₂ equivalent per
kWh, location-based, from Ember and the Energy Institute as codecarbon 3.3.2 bundles it (MIT licence),
with the year of the figure. A provider that buys green certificates may state nought for the same
kilowatt-hours (market-based): Meta does for Llama 3.1 405B, 8,930 t by location. So this is what the
grid emits, not what a report may claim.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from core.compute.tables import table
from core.i18n import Refusal, Text

SOURCE = "Ember and Energy Institute, as bundled by codecarbon 3.3.2"


@dataclass(frozen=True, slots=True)
class Grid:
    """A country's grid: ISO 3166 code of three letters, g CO₂e per kWh, the year it was so."""

    country: str
    label: Text
    g_per_kwh: float
    year: int


@lru_cache(maxsize=1)
def grids() -> Mapping[str, Grid]:
    """Every grid by country code, in the order of the English names."""
    return MappingProxyType(
        {
            row["country"]: Grid(
                row["country"],
                Text(row["label_en"], row["label_zh"]),
                float(row["g_per_kwh"]),
                int(row["year"]),
            )
            for row in table("grids")
        }
    )


def grid(country: str) -> Grid:
    """The grid of a country code; a Refusal for one that is not in the table."""
    known = grids()
    if not isinstance(country, str) or country not in known:
        raise Refusal(
            "There is no grid of “{value}”; a country code of three letters is needed, such as USA.",
            value=str(country)[:20],
        )
    return known[country]

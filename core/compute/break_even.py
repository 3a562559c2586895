"""Where own accelerators beat the API: a line against stairs, with what is not known drawn.

A month by API costs requests × price. On own accelerators it climbs by one replica at a time, so cost
over volume is a staircase that may cross the line more than once. What is uncertain is drawn ``DRAWS``
times: the throughput of a replica within its band, and the rent of an accelerator between the low and
high price of the market, both lognormal. The draws are an even lattice, not random: the same question
has the same answer, and a thousand of them tell a probability to the percent.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from core.compute.prices import HourlyPrice, PriceRow
from core.compute.serving_cost import (
    ApiEstimate,
    Array,
    SelfHostEstimate,
    estimate_api,
    estimate_selfhost,
    requests_per_replica,
)
from core.compute.serving_plan import HOURS_PER_MONTH, ServingPlan

DRAWS = 1024
POINTS = 200

_Z90 = float(ndtri(0.9))


@dataclass(frozen=True, slots=True)
class Curve:
    """USD per month over ``requests`` per month: the API's line, and own P10, P50 and P90.

    ``likely`` is the probability that own accelerators cost less, at each volume; ``now`` that at the
    plan's volume. ``crossing`` holds the 10th, 50th and 90th percentile of the smallest volume from
    which they cost no more, None where that many draws never reach it within the curve.
    """

    requests: Array
    api: Array
    own: tuple[Array, Array, Array]
    likely: Array
    now: float
    crossing: tuple[float | None, float | None, float | None]


def cost_over_volume(
    plan: ServingPlan, own_prices: tuple[PriceRow, ...] = (), points: int = POINTS, draws: int = DRAWS
) -> Curve:
    """The curve from a hundredth to a hundred times the plan's volume; a Refusal where a side is missing."""
    api, own = estimate_api(plan), estimate_selfhost(plan, own_prices)
    return curve(plan, api, own, points, draws)


def curve(
    plan: ServingPlan,
    api: ApiEstimate,
    own: SelfHostEstimate,
    points: int = POINTS,
    draws: int = DRAWS,
) -> Curve:
    """The curve of two estimates of ``plan``."""
    requests = plan.requests_per_month * np.geomspace(0.01, 100, points)
    speed, rent = _drawn(own, draws)
    line = requests * api.per_request
    costs = own_costs(plan, requests[:, None], speed[None, :], rent[None, :])
    cheaper = costs <= line[:, None]
    at_now = own_costs(plan, np.array(plan.requests_per_month), speed, rent)
    low, middle, high = np.quantile(costs, [0.1, 0.5, 0.9], axis=1)
    return Curve(
        requests=requests,
        api=line,
        own=(low, middle, high),
        likely=cheaper.mean(axis=1),
        now=float(np.mean(at_now <= api.per_request * plan.requests_per_month)),
        crossing=_crossing(requests, cheaper),
    )


def own_costs(plan: ServingPlan, requests: Array, tokens_per_s: Array, usd_per_hour: Array) -> Array:
    """USD per month on own accelerators; all arguments broadcast."""
    loaded = np.ceil(requests / requests_per_replica(plan, tokens_per_s))
    replicas = np.maximum(plan.min_replicas, loaded) + plan.spare_replicas
    rent = replicas * (plan.accelerators * HOURS_PER_MONTH) * usd_per_hour
    return np.asarray(rent + plan.operations_per_month, dtype=np.float64)


def _drawn(own: SelfHostEstimate, draws: int) -> tuple[Array, Array]:
    """Throughputs and hourly prices, one of each per draw."""
    first, second = _lattice(draws)
    band = own.tokens_per_second
    speed = band.p50 * np.exp(np.log(band.p90 / band.p50) / _Z90 * first)
    return speed, own.price.usd * np.exp(_spread(own.price) * second)


def _spread(price: HourlyPrice) -> float:
    """The standard deviation of the log of a price whose low and high end are its 5th and 95th percentile."""
    return float(np.log(price.high / price.low) / (2 * ndtri(0.95))) if price.high > price.low else 0.0


@lru_cache(maxsize=4)
def _lattice(draws: int) -> tuple[Array, Array]:
    """Two standard normals over an even lattice (Roberts' R2 sequence)."""
    index = np.arange(1, draws + 1)
    golden = 1.32471795724474602596  # the real root of x³ = x + 1
    pair = [(0.5 + index / golden**power) % 1.0 for power in (1, 2)]
    first, second = (ndtri(np.clip(share, 1e-6, 1 - 1e-6)) for share in pair)
    return first, second


def _crossing(requests: Array, cheaper: NDArray[np.bool_]) -> tuple[float | None, float | None, float | None]:
    reached = cheaper.any(axis=0)
    first = np.where(reached, requests[np.argmax(cheaper, axis=0)], np.inf)
    low, middle, high = np.quantile(first, [0.1, 0.5, 0.9], method="inverted_cdf")
    return tuple(float(v) if np.isfinite(v) else None for v in (low, middle, high))  # type: ignore[return-value]

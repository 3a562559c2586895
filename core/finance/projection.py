"""A venture month by month: one projection at the medians, and a simulation over all draws."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from core.finance.actuals import figures
from core.finance.draws import SEED, draws, medians, share_error, spearman_squared, varying
from core.finance.engine import evaluate
from core.finance.model import Model, model_of
from core.venture import Venture

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Projection:
    """Every line of the plan with each driver at its median.

    ``lines[key]`` has shape (months + 1,); index 0 is the opening value, index t is month t.
    """

    venture: Venture
    model: Model
    lines: Mapping[str, Array]

    @property
    def months(self) -> int:
        return self.venture.horizon_months

    def series(self, key: str) -> Array:
        """Months 1 … of a line, shape (months,)."""
        return self.lines[key][1:]

    def at(self, key: str, month: int) -> float:
        """A line's value in a month (0 is the opening)."""
        return float(self.lines[key][month])


@dataclass(frozen=True)
class Fan:
    """Percentiles by month, each of shape (months,)."""

    p5: Array
    p25: Array
    p50: Array
    p75: Array
    p95: Array


@dataclass(frozen=True, eq=False)
class Simulation:
    """The lines in ``lines``, each of shape (months + 1, draws), and the drivers behind them."""

    venture: Venture
    lines: Mapping[str, Array]
    drivers: Mapping[str, Array]
    count: int

    def fan(self, key: str) -> Fan:
        """The 50 % and 90 % bands and the median of a line."""
        return Fan(*np.percentile(self.lines[key][1:], [5, 25, 50, 75, 95], axis=1))

    @property
    def p_cash_out(self) -> float:
        """The probability that cash is below zero in any month."""
        return float((self.lines["cash"][1:] < 0).any(axis=0).mean())

    @property
    def p_default_alive(self) -> float:
        """The probability that cash never falls below zero without any new funding, planned rounds left out."""
        lowest = np.minimum(np.cumsum(self.lines["net_cash_flow"][1:], axis=0).min(axis=0), 0.0)
        return float((self.lines["cash"][0] + lowest >= 0).mean())

    @property
    def p_cash_out_error(self) -> float:
        """Standard error of :attr:`p_cash_out`."""
        return share_error(self.p_cash_out, self.count)

    def cash_zero_months(self) -> tuple[int | None, int | None, int | None]:
        """The 10th, 50th and 90th percentile of the first month with cash below zero (None: never)."""
        below = self.lines["cash"][1:] < 0
        first = np.where(below.any(axis=0), below.argmax(axis=0) + 1.0, np.inf)
        found = np.percentile(first, [10, 50, 90], method="higher")
        return tuple(int(m) if np.isfinite(m) else None for m in found)  # type: ignore[return-value]

    def funding_need(self, chance: float) -> float:
        """Extra cash at the start that keeps P(cash below zero) at ``chance`` (money, at least 0).

        The quantile of the deepest shortfall, so no search is needed.
        """
        shortfall = -self.lines["cash"].min(axis=0)
        return max(0.0, float(np.quantile(shortfall, 1 - chance)))

    def importance(self, outcome: Array | None = None) -> dict[str, float]:
        """Each uncertain driver's share of the variance of the lowest cash balance; sums to 1 or is empty."""
        keys = varying(self.venture)
        lowest = self.lines["cash"].min(axis=0) if outcome is None else outcome
        found = spearman_squared({key: self.drivers[key] for key in keys}, lowest)
        total = sum(found.values())
        return {key: value / total for key, value in found.items()} if total > 0 else {}


SIMULATED = ("cash", "revenue", "mrr", "gross_margin", "ebitda", "customers", "net_cash_flow")
"""The lines that a simulation keeps by default."""


@lru_cache(maxsize=64)
def project(venture: Venture, scenario_id: str | None = None) -> Projection:
    """The projection of a venture (under a scenario) at the medians; found again while nothing changes."""
    under = venture.under(scenario_id)
    model = model_of(under)
    lines = evaluate(model, medians(under), under.horizon_months, None, figures(under))
    return Projection(under, model, {key: array[:, 0] for key, array in lines.items()})


@lru_cache(maxsize=8)
def simulate(
    venture: Venture, count: int = 1024, seed: int = SEED, scenario_id: str | None = None
) -> Simulation:
    """``count`` paths of a venture (under a scenario); found again while nothing changes."""
    under = venture.under(scenario_id)
    drawn = draws(under, count, seed)
    lines = evaluate(model_of(under), drawn, under.horizon_months, SIMULATED, figures(under))
    return Simulation(under, lines, drawn, count)

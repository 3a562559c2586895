"""A figure with its 10th, 50th and 90th percentile."""

from dataclasses import dataclass

from scipy.special import ndtri

# From an 80 % to a 90 % interval on a log scale: the ratio of the normal quantiles at 95 % and 90 %.
_WIDER = float(ndtri(0.95) / ndtri(0.90))


@dataclass(frozen=True, slots=True)
class Band:
    """P10, P50 and P90 of a positive quantity, in the quantity's unit."""

    p10: float
    p50: float
    p90: float

    def times(self, factor: float) -> "Band":
        """The band times a positive factor."""
        return Band(self.p10 * factor, self.p50 * factor, self.p90 * factor)

    def interval90(self) -> tuple[float, float]:
        """The 5th and 95th percentile, for a lognormal tail on either side of P50.

        A driver of the plan holds a 90 % interval, so the 80 % between P10 and P90 is widened.
        """
        return (
            self.p50 * (self.p10 / self.p50) ** _WIDER,
            self.p50 * (self.p90 / self.p50) ** _WIDER,
        )

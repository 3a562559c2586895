"""An amount: one number, or a range that holds the true value with 90 % probability.

People write ``20``, ``15 to 25``, ``12%``, ``1.5k``, ``4m`` or ``2 万 到 5 万``, as in Guesstimate and
Squiggle. A range is read as the 5th and 95th percentile of a distribution: lognormal for quantities
that cannot be negative, logit-normal for shares, normal where the sign is free. With z the normal
quantile of 95 %, a range (low, high) has, on the distribution's own scale t (log, logit, identity),

    mean = (t(low) + t(high)) / 2,   standard deviation = (t(high) − t(low)) / (2 z).
"""

import math
import re
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator
from scipy.special import expit, logit, ndtri

from core.i18n import Refusal
from core.venture.frozen import Frozen, refusing

Distribution = Literal["point", "lognormal", "normal", "logitnormal"]
Array = NDArray[np.float64]

Z95 = float(ndtri(0.95))


class Amount(Frozen):
    """A point (``value``) or a 90 % interval (``low``, ``high``) with its ``distribution``."""

    distribution: Distribution = "point"
    value: float | None = None
    low: float | None = None
    high: float | None = None

    @model_validator(mode="after")
    def _holds(self) -> Self:
        if self.distribution == "point":
            if self.value is None or self.low is not None or self.high is not None:
                raise Refusal("A point needs a value and no low or high.")
            return self
        if self.value is not None or self.low is None or self.high is None:
            raise Refusal("A range needs low and high and no value.")
        if not self.low < self.high:
            raise Refusal("The range {low} to {high} must rise.", low=self.low, high=self.high)
        if self.distribution == "lognormal" and self.low <= 0:
            raise Refusal("The range starts at {low}; it must start above 0.", low=self.low)
        if self.distribution == "logitnormal" and not (self.low > 0 and self.high < 1):
            raise Refusal(
                "The range {low} to {high} must lie between 0% and 100%, both excluded.",
                low=self.low,
                high=self.high,
            )
        return self

    @classmethod
    def point(cls, value: float) -> "Amount":
        """A single number."""
        with refusing():
            return cls(value=float(value))

    @classmethod
    def interval(cls, low: float, high: float, distribution: Distribution = "lognormal") -> "Amount":
        """The 90 % interval from ``low`` to ``high``."""
        with refusing():
            return cls(distribution=distribution, low=float(low), high=float(high))

    @property
    def is_point(self) -> bool:
        return self.distribution == "point"

    @property
    def median(self) -> float:
        """The value with as much probability above as below; the number itself for a point."""
        if self.value is not None:
            return self.value
        return float(self.at(np.array(0.5)))

    def at(self, probability: Array) -> Array:
        """Quantiles: the value below which the amount lies with ``probability`` (0 to 1, any shape)."""
        if self.value is not None:
            return np.full_like(probability, self.value, dtype=np.float64)
        assert self.low is not None and self.high is not None
        if self.distribution == "lognormal":
            low, high = math.log(self.low), math.log(self.high)
        elif self.distribution == "logitnormal":
            low, high = float(logit(self.low)), float(logit(self.high))
        else:
            low, high = self.low, self.high
        scale = (low + high) / 2 + (high - low) / (2 * Z95) * ndtri(probability)
        if self.distribution == "lognormal":
            return np.asarray(np.exp(scale), dtype=np.float64)
        if self.distribution == "logitnormal":
            return np.asarray(expit(scale), dtype=np.float64)
        return np.asarray(scale, dtype=np.float64)

    def scaled(self, factor: float) -> "Amount":
        """The amount times a positive ``factor``, of the same shape."""
        if self.value is not None:
            return Amount.point(self.value * factor)
        assert self.low is not None and self.high is not None
        return Amount.interval(self.low * factor, self.high * factor, self.distribution)

    def ends(self) -> tuple[float, float]:
        """The lowest and highest number stated."""
        if self.value is not None:
            return self.value, self.value
        assert self.low is not None and self.high is not None
        return self.low, self.high


_SUFFIX = {
    "": 1.0,
    "k": 1e3,
    "K": 1e3,
    "m": 1e6,
    "M": 1e6,
    "b": 1e9,
    "B": 1e9,
    "bn": 1e9,
    "万": 1e4,
    "亿": 1e8,
}
_NUMBER = re.compile(
    r"\s*(?P<sign>[-−+]?)\s*[$€£¥]?\s*(?P<digits>(?:\d{1,3}(?:[,，\s]\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+)(?P<power>[eE][-+]?\d{1,3})?"
    r"\s*(?P<suffix>bn|[kKmMbB万亿]?)\s*(?P<percent>[%％]?)\s*"
)
_BETWEEN = re.compile(r"\s*(?:to|\.\.|–|—|~|～|到|至|-)\s*", re.IGNORECASE)


def parse_amount(text: str, distribution: Distribution) -> Amount:
    """The amount that a person wrote; a range gets ``distribution``.

    Raises :class:`Refusal` for anything that is neither a number nor a range of two numbers.
    """
    if len(text) > 80:
        raise Refusal("The text is {length} characters long; 80 are allowed.", length=len(text))
    first = _NUMBER.match(text)
    if first:
        if first.end() == len(text):
            return Amount.point(_value(first))
        between = _BETWEEN.match(text, first.end())
        second = _NUMBER.fullmatch(text, between.end()) if between else None
        if second:
            low, high = _value(first), _value(second)
            if second["percent"] and not first["percent"]:
                low /= 100  # "2 to 5%" means both
            if low == high:
                return Amount.point(low)
            return Amount.interval(low, high, distribution)
    raise Refusal("“{text}” is not a number or a range; write 20 or 15 to 25.", text=text.strip())


def _value(match: re.Match[str]) -> float:
    digits = re.sub(r"[,，\s]", "", match["digits"]) + (match["power"] or "")
    value = float(digits) * _SUFFIX[match["suffix"]]
    if match["percent"]:
        value /= 100
    if not math.isfinite(value) or abs(value) > 1e30:
        raise Refusal("“{text}” is too large; up to 1e30 is allowed.", text=match[0].strip())
    return -value if match["sign"] in ("-", "−") else value


def write_amount(amount: Amount, percent: bool = False) -> str:
    """The amount as a person would type it: ``20``, ``15 to 25``, ``2% to 5%``."""
    low, high = amount.ends()
    write = _write_percent if percent else _write
    return write(low) if amount.is_point else f"{write(low)} to {write(high)}"


def _write(value: float) -> str:
    for size, suffix in ((1e9, "bn"), (1e6, "m")):
        if abs(value) >= size and float(f"{value / size:.4g}") * size == value:
            return f"{value / size:.4g}{suffix}"
    return f"{value:,.10g}" if abs(value) < 1e15 else f"{value:.6g}"


def _write_percent(value: float) -> str:
    return f"{value * 100:.6g}%"

"""Where a training plan stands against the compute thresholds of the law. Not legal advice.

The thresholds count all operations of training, so the experiments do not count and the final run
does. Whoever fine-tunes somebody else's model becomes its provider in the European Union only beyond a
third of the compute that trained it (guidelines of the Commission, 18 July 2025); where that is not
known, a third of the threshold. ``data/laws.csv`` holds each line with its source, the day since when it
holds and when it was last checked.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import cast

from core.compute.hardware import Trust
from core.compute.limits import within
from core.compute.tables import table
from core.i18n import Text

FINE_TUNER_SHARE = 1 / 3


@dataclass(frozen=True, slots=True)
class Threshold:
    """A line of the law at so many FLOP of training, what crossing it means, and how far to trust it."""

    key: str
    flop: float
    label: Text
    meaning: Text
    since: str
    source: str
    checked: str
    trust: Trust


@dataclass(frozen=True, slots=True)
class Standing:
    """A plan's FLOP against a threshold: ``share`` of it, and whether it is crossed."""

    threshold: Threshold
    flop: float

    @property
    def share(self) -> float:
        return self.flop / self.threshold.flop

    @property
    def crossed(self) -> bool:
        return self.flop > self.threshold.flop


@lru_cache(maxsize=1)
def thresholds() -> tuple[Threshold, ...]:
    """The lines, lowest first."""
    found = [
        Threshold(
            key=row["key"],
            flop=float(row["flop"]),
            label=Text(row["label_en"], row["label_zh"]),
            meaning=Text(row["meaning_en"], row["meaning_zh"]),
            since=row["since"],
            source=row["source"],
            checked=row["checked"],
            trust=cast(Trust, row["trust"]),
        )
        for row in table("laws")
    ]
    return tuple(sorted(found, key=lambda line: line.flop))


def standings(flop: float) -> tuple[Standing, ...]:
    """Where a run of ``flop`` operations from nothing stands, lowest line first."""
    _check(flop)
    return tuple(Standing(line, flop) for line in thresholds())


def fine_tuner_standings(flop: float, base_flop: float | None = None) -> tuple[Standing, ...]:
    """Where a fine-tune of ``flop`` stands: the third of the base model's compute (None: not known, then
    a third of the EU's lines), and the lines that count fine-tuning by itself."""
    _check(flop)
    if base_flop is not None:
        within(base_flop, Text("Training FLOP of the base model", "基础模型的训练 FLOP"), 1e12, 1e32)
        return (Standing(_third(base_flop, None), flop), *_by_itself(flop))
    thirds = tuple(
        Standing(_third(line.flop, line), flop) for line in thresholds() if line.key.startswith("eu_")
    )
    return (*thirds, *_by_itself(flop))


def _check(flop: float) -> None:
    within(flop, Text("Training FLOP", "训练 FLOP"), 0, 1e40)


def _by_itself(flop: float) -> tuple[Standing, ...]:
    return tuple(Standing(line, flop) for line in thresholds() if not line.key.startswith("eu_"))


def _third(of: float, line: Threshold | None) -> Threshold:
    eu = next(known for known in thresholds() if known.key == "eu_gpai")
    label = (
        Text(f"⅓ of {line.label.en}", f"{line.label.zh}的 ⅓")
        if line
        else Text("⅓ of the base model's training", "基础模型训练量的 ⅓")
    )
    return Threshold(
        key=f"third_{line.key}" if line else "third_of_base",
        flop=of * FINE_TUNER_SHARE,
        label=label,
        meaning=Text(
            "Whoever changes a model with more than a third of its training compute becomes its provider in"
            " the European Union.",
            "改动所用算力超过原模型训练算力三分之一者,在欧盟即成为该模型的提供者。",
        ),
        since=eu.since,
        source="Commission guidelines of 18 July 2025 (final text; confidence medium)",
        checked=eu.checked,
        trust="medium",
    )

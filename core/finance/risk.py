"""What to test next: how much a hypothesis matters, times how little is known about it.

What a hypothesis matters is what knowing its drivers would save when the founder decides how much to
raise (:func:`core.finance.information.worth`). Where that is nothing, for cash never runs short, it is the
share that its drivers have in the variance of the lowest cash balance
(:meth:`core.finance.Simulation.importance`). The ladder of evidence follows Osterwalder and
Bland, *Testing Business Ideas* (2019), from belief to repeat purchase; its weights are judgement.
"""

from dataclasses import dataclass
from functools import lru_cache

from core.finance.information import LEAST_DRAWS, worth
from core.finance.projection import Simulation, simulate
from core.i18n import Text
from core.venture import Hypothesis, Venture


@dataclass(frozen=True)
class Rung:
    """A level of evidence: what it is and how far it carries (0 to 1)."""

    label: Text
    weight: float


LADDER: tuple[Rung, ...] = (
    Rung(Text("none: a belief", "无:仅为信念"), 0.0),
    Rung(Text("desk research, expert opinion", "案头研究、专家意见"), 0.15),
    Rung(Text("interviews or a survey (10 people or more)", "访谈或问卷(10 人以上)"), 0.3),
    Rung(Text("people act: sign-up, time or data given", "有人行动:注册、投入时间或数据"), 0.5),
    Rung(Text("people pay: paid pilot, deposit, letter of intent", "有人付费:付费试点、定金、意向书"), 0.75),
    Rung(Text("people pay again: renewals, cohort data", "再次付费:续约、队列数据"), 0.95),
)
"""The levels 0 to 5 of :attr:`core.venture.Hypothesis.evidence`."""


@dataclass(frozen=True)
class Risk:
    """A hypothesis with its importance (share of variance, 0 to 1) and the value of knowing it (money)."""

    hypothesis: Hypothesis
    importance: float
    value: float = 0.0

    @property
    def unknown(self) -> float:
        """1 − weight of the evidence."""
        return 1 - LADDER[self.hypothesis.evidence].weight

    @property
    def risk(self) -> float:
        """Importance × what is not known."""
        return self.importance * self.unknown

    @property
    def worth(self) -> float:
        """What knowing it better is still worth (money): its value × what is not known."""
        return self.value * self.unknown


def risks(simulation: Simulation) -> tuple[Risk, ...]:
    """The venture's hypotheses, the most urgent to test first."""
    shares = simulation.importance()
    can_be_valued = simulation.count >= LEAST_DRAWS
    found = [
        Risk(
            hypothesis,
            min(1.0, sum(shares.get(key, 0.0) for key in set(hypothesis.drivers))),
            worth(simulation, hypothesis.drivers) if can_be_valued else 0.0,
        )
        for hypothesis in simulation.venture.hypotheses
    ]
    return tuple(sorted(found, key=lambda risk: (-risk.worth, -risk.risk)))


@lru_cache(maxsize=32)
def risks_of(venture: Venture, draws: int = 8192) -> tuple[Risk, ...]:
    """:func:`risks` of a venture; found again while nothing changes."""
    return risks(simulate(venture, draws))

"""What to test next: how much a hypothesis matters, times how little is known about it.

The importance of a hypothesis is the share that its drivers have in the variance of the lowest cash
balance (:meth:`core.finance.Simulation.importance`). The ladder of evidence follows Osterwalder and
Bland, *Testing Business Ideas* (2019), from belief to repeat purchase; its weights are judgement.
"""

from dataclasses import dataclass

from core.finance.projection import Simulation
from core.i18n import Text
from core.venture import Hypothesis


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
    """A hypothesis with its importance (share of variance, 0 to 1) and its risk."""

    hypothesis: Hypothesis
    importance: float

    @property
    def risk(self) -> float:
        """Importance × (1 − weight of the evidence)."""
        return self.importance * (1 - LADDER[self.hypothesis.evidence].weight)


def risks(simulation: Simulation) -> tuple[Risk, ...]:
    """The venture's hypotheses, the most urgent to test first."""
    shares = simulation.importance()
    found = [
        Risk(hypothesis, min(1.0, sum(shares.get(key, 0.0) for key in set(hypothesis.drivers))))
        for hypothesis in simulation.venture.hypotheses
    ]
    return tuple(sorted(found, key=lambda risk: -risk.risk))

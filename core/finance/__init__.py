"""The financial model as text that a founder can read, and the one engine that evaluates it.

``plan/`` holds the built-in plan, a line a formula: a core and modules for how a venture earns and
serves. :func:`model_of` loads a venture's over its drivers and checks names and units; :func:`project` and :func:`simulate` evaluate it; :func:`metrics`
reads off the figures, :func:`why` explains any of them.
"""

from core.finance.draws import SEED
from core.finance.explain import Input, Why, section_label, why
from core.finance.formula import FormulaRefusal
from core.finance.metrics import Metric, metric, metrics, said
from core.finance.model import Model, model_of
from core.finance.projection import Fan, Projection, Simulation, project, simulate
from core.finance.risk import LADDER, Risk, risks, risks_of
from core.finance.stages import Stage, stages
from core.finance.units import read as read_unit
from core.finance.units import spoken

__all__ = [
    "LADDER",
    "SEED",
    "Fan",
    "FormulaRefusal",
    "Input",
    "Metric",
    "Model",
    "Projection",
    "Risk",
    "Simulation",
    "Stage",
    "Why",
    "metric",
    "metrics",
    "model_of",
    "project",
    "read_unit",
    "risks",
    "risks_of",
    "said",
    "section_label",
    "simulate",
    "spoken",
    "stages",
    "why",
]

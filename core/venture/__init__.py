"""The one document: a venture is an immutable value that every page reads and returns anew.

A :class:`Venture` holds the canvas, the drivers (each with unit, amount and source), the compute
plan, scenarios, the founder's own lines, the hypotheses and real figures. A change is a method that returns a new
venture or raises a :class:`core.i18n.Refusal` that names the field, the value and what is allowed.
Undo, versions, sharing and comparison follow from that and live elsewhere.

:func:`to_json` and :func:`from_json` are the only door to the outside; :func:`example` opens a
finished venture.
"""

from core.venture.amount import Amount, parse_amount
from core.venture.canvas import BLOCKS, Block, Canvas, Note
from core.venture.codec import MAX_BYTES, SCHEMA_VERSION, from_json, to_json
from core.venture.compute_plan import (
    ComputeLink,
    ComputePlan,
    FinetunePlan,
    OwnPrice,
    ServingPlan,
    TrainingPlan,
)
from core.venture.driver import GROUPS, Driver, Source
from core.venture.presets import archetypes, example, preset
from core.venture.venture import (
    CURRENCIES,
    Actual,
    Hypothesis,
    Line,
    Override,
    Scenario,
    Venture,
)

__all__ = [
    "BLOCKS",
    "CURRENCIES",
    "GROUPS",
    "MAX_BYTES",
    "SCHEMA_VERSION",
    "Actual",
    "Amount",
    "Block",
    "Canvas",
    "ComputeLink",
    "ComputePlan",
    "Driver",
    "FinetunePlan",
    "Hypothesis",
    "Line",
    "Note",
    "Override",
    "OwnPrice",
    "Scenario",
    "ServingPlan",
    "Source",
    "TrainingPlan",
    "Venture",
    "archetypes",
    "example",
    "from_json",
    "parse_amount",
    "preset",
    "to_json",
]

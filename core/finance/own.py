"""A founder's own lines and drivers: checked as they are typed, equal to the built-in ones once they stand.

:func:`draft` makes a line of what was typed, or refuses with the place of the fault. Its unit follows from
its formula unless one is asked for. :func:`sound` says whether a venture's plan can be computed at all;
nothing is saved that it refuses.
"""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from core.finance.formula import NAMES_TAKEN, Formula, FormulaRefusal, parse, unit_of
from core.finance.model import model_of
from core.finance.projection import project
from core.finance.units import Unit, same, spelled, unit
from core.i18n import Refusal, Text
from core.venture import Amount, Driver, Line, Venture
from core.venture.driver import TYPED
from core.venture.frozen import refusing

UNITS = (
    "money",
    "money/month",
    "money/customer",
    "money/customer/month",
    "money/request",
    "customer",
    "customer/month",
    "person",
    "seat",
    "request/month",
    "month",
    "1",
    "1/month",
)
"""The units that are offered first; any other that :func:`core.finance.units.unit` reads may be typed."""

MAX_LABEL = 80

THIS = "this"
"""What a line may call itself in its formula: ``prev(this) + revenue * one_month``."""


def names(venture: Venture) -> dict[str, tuple[Text, str]]:
    """Every name that a formula may use, drivers first, with its label and unit."""
    model = model_of(venture)
    keys = (*model.inputs, *model.lines, *model.constants, "month")
    return {key: (model.named(key).label, model.named(key).unit) for key in keys}


def key_for(label: str, venture: Venture, stem: str = "line") -> str:
    """A free key made of ``label``: "support_hours"; of a name without Latin letters "line_1"."""
    words = re.sub(r"[^a-z0-9]+", "_", label.lower()).strip("_")[:32].rstrip("_")
    base = words if re.match(r"[a-z]", words) else stem
    taken = {*names(venture), *NAMES_TAKEN}
    number, key = 1, base if base != stem else f"{stem}_1"
    while key in taken:
        number += 1
        key = f"{base}_{number}"
    return key


def draft(
    venture: Venture, label: str, formula: str, unit_text: str = "", opening: str = "", key: str | None = None
) -> Line:
    """The line that was typed; ``key`` is that of the line which it replaces (None: a new one).

    :data:`THIS` in the formula is the line itself. An empty ``unit_text`` takes the unit of the formula. Raises :class:`FormulaRefusal`, whose ``at`` is
    the place of the fault, or another :class:`Refusal`.
    """
    named = _label(label)
    own = key or key_for(label, venture)
    units: dict[str, Unit] = {name: unit(text) for name, (_, text) in names(venture).items()}
    units.pop(own, None)
    parsed = parse(formula)
    itself = {own} if THIS in units else {own, THIS}
    if unit_text:
        units |= dict.fromkeys(itself, unit(unit_text))
    elif itself & parsed.names:
        raise Refusal("A line that uses its own past needs a unit: choose one.")
    _known(parsed, units, {*model_of(venture).lines, *itself})
    found = unit_of(parsed, units)
    wanted = units[own] if unit_text else (found if found is not None else unit("1"))
    if found is not None and not same(found, wanted):
        raise FormulaRefusal(
            "The formula gives {found}, but the line is in {wanted}.",
            0,
            found=spelled(found),
            wanted=unit_text,
        )
    with refusing():
        return Line(
            key=own,
            label=named,
            unit=unit_text or spelled(wanted),
            formula=re.sub(rf"\b{THIS}\b", own, formula.strip()) if THIS in itself else formula.strip(),
            opening=opening.strip(),
        )


def with_line(venture: Venture, line: Line) -> Venture:
    """The venture with the line, in the place of the one with its key if there is one; its plan is sound."""
    known = any(one.key == line.key for one in venture.lines)
    kept = tuple(line if one.key == line.key else one for one in venture.lines)
    return sound(venture.with_lines(kept if known else (*kept, line)))


def without_line(venture: Venture, key: str) -> Venture:
    """The venture without the line; a :class:`Refusal` where another line needs it."""
    return sound(venture.with_lines(line for line in venture.lines if line.key != key))


def own_driver(venture: Venture, label: str, unit_text: str, amount: str, signed: bool = False) -> Driver:
    """A driver of the founder's own; a share is at most 100 % unless it may be negative."""
    named = _label(label)
    unit(unit_text)  # refuses what is not a unit
    with refusing():
        shape = Driver(
            key=key_for(label, venture, "driver"),
            label=named,
            group="own",
            unit=unit_text,
            amount=Amount.point(0.0),
            source=TYPED,
            maximum=1.0 if unit_text == "1" and not signed else None,
            signed=signed,
        )
    return shape.model_copy(update={"amount": shape.parse(amount)})


def without_driver(venture: Venture, key: str) -> Venture:
    """The venture without a driver of the founder's own; a :class:`Refusal` where a line needs it."""
    if venture.driver(key).group != "own":
        raise Refusal("“{name}” belongs to the plan and stays.", name=venture.driver(key).label)
    return sound(venture.without_driver(key))


def sound(venture: Venture) -> Venture:
    """The venture itself, if its plan can be computed; else the :class:`Refusal` that says why not."""
    project(venture)
    return venture


def meant(name: str, known: Iterable[str]) -> str:
    """The known name that a mistyped one is closest to; empty where none is close."""
    return next(iter(get_close_matches(name, list(known), 1, 0.6)), "")


def _label(label: str) -> Text:
    label = label.strip()
    if not 1 <= len(label) <= MAX_LABEL:
        raise Refusal(
            "A name has 1 to {most} characters; this one has {length}.", most=MAX_LABEL, length=len(label)
        )
    return Text(label)


def _known(formula: Formula, units: Mapping[str, Unit], lines: set[str]) -> None:
    """Refuse the first name that the plan does not have, or that has no past, where it stands."""
    for match in re.finditer(r"[A-Za-z_]\w*", formula.text):
        name = match[0]
        if name in formula.names and name not in units:
            raise FormulaRefusal("“{name}” is not the name of a driver or a line.", match.start(), name=name)
        if name in formula.before | formula.cumulated and name not in lines:
            raise FormulaRefusal(
                "“{name}” has no past: prev and cumulative take lines.", match.start(), name=name
            )

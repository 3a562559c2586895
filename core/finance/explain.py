"""Why is a number what it is: its formula with names, then with values, then its inputs down to sources."""

from dataclasses import dataclass

from core.finance.formula import replaced
from core.finance.model import built_in
from core.finance.projection import Projection
from core.i18n import Language, Refusal, Text
from core.venture import Driver


@dataclass(frozen=True)
class Input:
    """One name in a formula: a line (``line`` is its key), a driver with its source, or a constant."""

    name: str
    label: Text
    unit: str
    value: float
    month: int | None
    line: str = ""
    driver: Driver | None = None


@dataclass(frozen=True)
class Why:
    """A line in a month: ``named`` and ``valued`` are its formula to read, ``inputs`` what it is made of."""

    key: str
    label: Text
    unit: str
    month: int
    value: float
    doc: Text
    named: str
    valued: str
    inputs: tuple[Input, ...]


def why(projection: Projection, key: str, month: int, _: Language) -> Why:
    """The explanation of line ``key`` in ``month`` (1 …), its formula written for readers of ``_``."""
    model = projection.model
    if key not in model.lines:
        raise Refusal("There is no line “{key}”.", key=key)
    if not 1 <= month <= projection.months:
        raise Refusal(
            "Month {month} is not in the plan; 1 to {most} are.", month=month, most=projection.months
        )
    line, formula = model.lines[key], model.formulas[key]

    def value_of(name: str, back: bool) -> float:
        if name in model.lines:
            return projection.at(name, month - 1 if back else month)
        if name in model.inputs:
            return projection.venture.driver(name).amount.median
        return model.constants[name].value or 0.0 if name in model.constants else float(month)

    def name_of(name: str, back: bool) -> str:
        label = _.text(model.named(name).label)
        return _("[{label}, last month]", label=label) if back else f"[{label}]"

    inputs = []
    for back, names in ((False, formula.now | formula.cumulated), (True, formula.before)):
        for name in sorted(names, key=formula.text.find):
            if name == "month":
                continue
            inputs.append(
                Input(
                    name,
                    model.named(name).label,
                    model.named(name).unit,
                    value_of(name, back),
                    (month - 1 if back else month) if name in model.lines else None,
                    name if name in model.lines else "",
                    projection.venture.driver(name) if name in model.inputs else None,
                )
            )
    return Why(
        key=key,
        label=line.label,
        unit=line.unit,
        month=month,
        value=projection.at(key, month),
        doc=line.doc,
        named=replaced(formula, name_of),
        valued=replaced(formula, lambda name, back: _.number(value_of(name, back), digits=4)),
        inputs=tuple(inputs),
    )


def section_label(section: str) -> Text:
    """What people call a section of the plan."""
    return built_in().sections.get(section, Text(section))

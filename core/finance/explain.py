"""Why is a number what it is: its formula with names, then with values, then its inputs down to sources."""

from dataclasses import dataclass

from core.finance.actuals import is_real, scaled_to
from core.finance.formula import replaced
from core.finance.modules import sections
from core.finance.projection import Projection
from core.finance.units import spelled, unit
from core.i18n import LANGUAGES, Language, Refusal, Text
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
    if found := _real(projection, key, month, _):
        return found
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

    def sum_of(name: str) -> float:
        return float(projection.series(name)[:month].sum())

    def written(value: float) -> str:
        text = _.number(value, digits=4)
        return f"({text})" if value < 0 else text

    def input_of(name: str, back: bool) -> Input:
        return Input(
            name,
            model.named(name).label,
            model.named(name).unit,
            value_of(name, back),
            (month - 1 if back else month) if name in model.lines else None,
            name if name in model.lines else "",
            projection.venture.driver(name) if name in model.inputs else None,
        )

    def input_summed(name: str) -> Input:
        en, zh = (model.lines[name].label.in_language(code) for code in LANGUAGES)
        label = Text(f"{en}, sum so far", f"{zh},累计")
        whole = spelled(unit(model.lines[name].unit) * unit("month"))
        return Input(name, label, whole, sum_of(name), month, name)

    inputs = [input_of(name, False) for name in sorted(formula.now - {"month"}, key=formula.text.find)]
    inputs += [input_summed(name) for name in sorted(formula.cumulated, key=formula.text.find)]
    inputs += [input_of(name, True) for name in sorted(formula.before, key=formula.text.find)]
    return Why(
        key=key,
        label=line.label,
        unit=line.unit,
        month=month,
        value=projection.at(key, month),
        doc=line.doc,
        named=replaced(
            formula,
            name_of,
            lambda name: _("[{label}, sum so far]", label=_.text(model.named(name).label)),
        ),
        valued=replaced(
            formula, lambda name, back: written(value_of(name, back)), lambda name: written(sum_of(name))
        ),
        inputs=tuple(inputs),
    )


def _real(projection: Projection, key: str, month: int, _: Language) -> Why | None:
    """Why a line is what it is in a month in which no formula says it."""
    line, value = projection.model.lines[key], projection.at(key, month)
    whole = scaled_to(projection.venture, key, month)
    if whole:
        total = projection.model.lines[whole]
        named = _("its share of the real figure of [{label}]", label=_.text(total.label))
        inputs = [Input(whole, total.label, total.unit, projection.at(whole, month), month, whole)]
    elif is_real(projection.venture, key, month):
        named, inputs = _("a real figure that you entered"), []
    else:
        return None
    return Why(
        key, line.label, line.unit, month, value, line.doc, named, _.number(value, digits=4), tuple(inputs)
    )


def section_label(section: str) -> Text:
    """What people call a section of the plan."""
    return sections().get(section, Text(section))

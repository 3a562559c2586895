"""The venture: everything a founder has said, as one immutable value."""

from collections import Counter
from collections.abc import Iterable
from datetime import date
from functools import cached_property
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import AfterValidator, Field, model_validator

from core.i18n import Refusal, Text
from core.venture.amount import Amount
from core.venture.canvas import Block, Canvas
from core.venture.compute_plan import ComputePlan
from core.venture.driver import TYPED, Driver, Source
from core.venture.frozen import Frozen, Key, Long, Parts, Short, refusing

Currency = Literal["USD", "EUR", "GBP", "CNY"]
CURRENCIES: tuple[Currency, ...] = ("USD", "EUR", "GBP", "CNY")

MAX_NAME = 80
MAX_DRIVERS, MAX_LINES, MAX_SCENARIOS, MAX_HYPOTHESES = 200, 100, 12, 60
MAX_MODULES = 30

MAX_ACTUALS = 60


class Line(Frozen):
    """One line of the financial model: a named formula with a unit.

    ``opening`` is the formula of the value before month 1 (0 where empty), which ``prev(x)`` gives in
    month 1. The language of formulas is :mod:`core.finance.formula`.
    """

    key: Key
    label: Text
    unit: Short
    formula: Long
    opening: Long = ""
    section: Short = "own"
    doc: Text = Text("")


class Override(Frozen):
    """A driver's other amount in a scenario."""

    key: Key
    amount: Amount


class Actual(Frozen):
    """Real figures of a line of the plan, from month 1 on in the line's unit; None where there is none."""

    key: Key
    values: Parts[float | None]


def _short_enough(name: Text) -> Text:
    length = max(len(name.en), len(name.zh))
    if not name.en.strip() or length > MAX_NAME:
        raise Refusal(
            "A name has 1 to {most} characters; this one has {length}.", most=MAX_NAME, length=length
        )
    return name


Name = Annotated[Text, AfterValidator(_short_enough)]
"""What people call a venture or a scenario."""


class Scenario(Frozen):
    """A named set of changed drivers on top of the base."""

    id: Key
    name: Name
    overrides: Parts[Override] = ()


class Hypothesis(Frozen):
    """A claim that could fail, how it is tested, and what the evidence is so far.

    ``evidence`` is the level of the ladder from 0 (belief) to 5 (repeat purchase).
    """

    id: Key
    statement: Text
    block: Block
    drivers: Parts[Key] = ()
    test: Text = Text("")
    pass_mark: Text = Text("")
    evidence: Annotated[int, Field(ge=0, le=5)] = 0
    result: Text = Text("")

    def changed(self, **fields: Any) -> "Hypothesis":
        """With some fields replaced, checked."""
        if "statement" in fields and not str(fields["statement"]):
            raise Refusal("A hypothesis needs a claim.")
        with refusing():
            return Hypothesis(**{**{name: getattr(self, name) for name in Hypothesis.model_fields}, **fields})


class Venture(Frozen):
    """The whole document. Every method that changes returns a new venture or raises a Refusal.

    ``modules`` are the parts of the built-in plan that this venture uses beside its core: how it earns,
    how it serves (:mod:`core.finance.modules`).
    """

    name: Name
    promise: Text = Text("")
    archetype: Short = ""
    currency: Currency = "USD"
    usd_rate: Annotated[float, Field(gt=0, le=1e6)] = 1.0
    start: date
    horizon_months: Annotated[int, Field(ge=6, le=120)] = 36
    canvas: Canvas = Canvas()
    modules: Parts[Key] = ()
    drivers: Parts[Driver] = ()
    scenarios: Parts[Scenario] = ()
    lines: Parts[Line] = ()
    compute_plan: ComputePlan = ComputePlan()
    hypotheses: Parts[Hypothesis] = ()
    actuals: Parts[Actual] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for what, parts, most in (
            (Text("Drivers", "驱动因素"), [d.key for d in self.drivers], MAX_DRIVERS),
            (Text("Lines", "公式行"), [l.key for l in self.lines], MAX_LINES),
            (Text("Scenarios", "情景"), [s.id for s in self.scenarios], MAX_SCENARIOS),
            (Text("Hypotheses", "假设"), [h.id for h in self.hypotheses], MAX_HYPOTHESES),
            (Text("Real figures", "实际数据"), [a.key for a in self.actuals], MAX_ACTUALS),
            (Text("Modules", "模块"), list(self.modules), MAX_MODULES),
            (Text("Notes", "便签"), [n.id for _, n in self.canvas.notes()], 10**6),
        ):
            if len(parts) > most:
                raise Refusal(
                    "{what}: {count} are too many; {most} are allowed.",
                    what=what,
                    count=len(parts),
                    most=most,
                )
            if len(set(parts)) < len(parts):
                ((twice, _count),) = Counter(parts).most_common(1)
                raise Refusal("{what}: “{key}” stands there twice.", what=what, key=twice)
        known = self._by_key
        for scenario in self.scenarios:
            seen: set[str] = set()
            for override in scenario.overrides:
                if override.key not in known:
                    raise Refusal(
                        "The scenario “{name}” changes “{key}”, which is not a driver.",
                        name=scenario.name,
                        key=override.key,
                    )
                if override.key in seen:
                    raise Refusal("{what}: “{key}” stands there twice.", what=scenario.name, key=override.key)
                seen.add(override.key)
                known[override.key].check(override.amount)
        for hypothesis in self.hypotheses:
            for key in hypothesis.drivers:
                if key not in known:
                    raise Refusal(
                        "The hypothesis “{name}” names “{key}”, which is not a driver.",
                        name=hypothesis.statement,
                        key=key,
                    )
        for actual in self.actuals:
            if len(actual.values) > self.horizon_months:
                raise Refusal(
                    "There are real figures of “{key}” for {count} months; the plan has {most}.",
                    key=actual.key,
                    count=len(actual.values),
                    most=self.horizon_months,
                )
        return self

    @cached_property
    def _by_key(self) -> dict[str, Driver]:
        return {driver.key: driver for driver in self.drivers}

    # Reading

    def driver(self, key: str) -> Driver:
        """The driver of that key; a Refusal if there is none."""
        if key not in self._by_key:
            raise Refusal("There is no driver “{key}”.", key=key)
        return self._by_key[key]

    def has_driver(self, key: str) -> bool:
        return key in self._by_key

    def scenario(self, scenario_id: str) -> Scenario:
        """The scenario of that id; a Refusal if there is none."""
        for scenario in self.scenarios:
            if scenario.id == scenario_id:
                return scenario
        raise Refusal("There is no scenario “{key}”.", key=scenario_id)

    def hypothesis(self, hypothesis_id: str) -> Hypothesis:
        """The hypothesis of that id; a Refusal if there is none."""
        for hypothesis in self.hypotheses:
            if hypothesis.id == hypothesis_id:
                return hypothesis
        raise Refusal("There is no hypothesis “{key}”.", key=hypothesis_id)

    def under(self, scenario_id: str | None) -> "Venture":
        """The venture with a scenario's overrides as its drivers; itself for None (the base)."""
        if not scenario_id:
            return self
        amounts = {o.key: o.amount for o in self.scenario(scenario_id).overrides}
        return self._with(
            drivers=tuple(
                d.model_copy(update={"amount": amounts[d.key]}) if d.key in amounts else d
                for d in self.drivers
            )
        )

    # Drivers

    def with_driver(
        self, key: str, amount: Amount, source: Source = TYPED, scenario_id: str | None = None
    ) -> "Venture":
        """With the driver's amount (and its source) changed; in a scenario, as its override."""
        driver = self.driver(key)
        driver.check(amount)
        if scenario_id:
            return self._with_override(scenario_id, key, amount)
        new = driver.model_copy(update={"amount": amount, "source": source})
        return self._with(drivers=tuple(new if d.key == key else d for d in self.drivers))

    def add_driver(self, driver: Driver) -> "Venture":
        """With one more driver; a Refusal if its key is taken."""
        return self._with(drivers=(*self.drivers, driver))

    def without_driver(self, key: str) -> "Venture":
        """Without the driver, also in scenarios and hypotheses; lines that use it are not looked at here."""
        self.driver(key)
        scenarios = tuple(
            s.model_copy(update={"overrides": tuple(o for o in s.overrides if o.key != key)})
            for s in self.scenarios
        )
        hypotheses = tuple(
            h.model_copy(update={"drivers": tuple(d for d in h.drivers if d != key)}) for h in self.hypotheses
        )
        kept = tuple(d for d in self.drivers if d.key != key)
        return self._with(drivers=kept, scenarios=scenarios, hypotheses=hypotheses)

    def _with_override(self, scenario_id: str, key: str, amount: Amount) -> "Venture":
        scenario = self.scenario(scenario_id)
        kept = tuple(o for o in scenario.overrides if o.key != key)
        if amount != self.driver(key).amount:
            kept = (*kept, Override(key=key, amount=amount))
        new = scenario.model_copy(update={"overrides": kept})
        return self._with(scenarios=_replaced(self.scenarios, new))

    # Scenarios

    def add_scenario(self, scenario_id: str, name: str, copy_of: str | None = None) -> "Venture":
        """With a new scenario, empty or a copy of ``copy_of``."""
        overrides = self.scenario(copy_of).overrides if copy_of else ()
        with refusing():
            new = Scenario(id=scenario_id, name=_named(name), overrides=overrides)
        return self._with(scenarios=(*self.scenarios, new))

    def rename_scenario(self, scenario_id: str, name: str) -> "Venture":
        new = self.scenario(scenario_id).model_copy(update={"name": _named(name)})
        return self._with(scenarios=_replaced(self.scenarios, new))

    def delete_scenario(self, scenario_id: str) -> "Venture":
        self.scenario(scenario_id)
        return self._with(scenarios=tuple(s for s in self.scenarios if s.id != scenario_id))

    # The rest

    def renamed(self, name: str) -> "Venture":
        return self._with(name=_named(name))

    def with_canvas(self, canvas: Canvas) -> "Venture":
        return self._with(canvas=canvas)

    def with_compute_plan(self, plan: ComputePlan) -> "Venture":
        return self._with(compute_plan=plan)

    def with_hypothesis(self, hypothesis: Hypothesis) -> "Venture":
        """With the hypothesis added, or in place of the one with its id."""
        if any(h.id == hypothesis.id for h in self.hypotheses):
            return self._with(hypotheses=_replaced(self.hypotheses, hypothesis))
        return self._with(hypotheses=(*self.hypotheses, hypothesis))

    def without_hypothesis(self, hypothesis_id: str) -> "Venture":
        return self._with(hypotheses=tuple(h for h in self.hypotheses if h.id != hypothesis_id))

    def with_actuals(self, actuals: Iterable[Actual]) -> "Venture":
        """With these real figures in place of all that there were."""
        return self._with(actuals=tuple(actuals))

    def with_modules(self, modules: Iterable[str], drivers: Iterable[Driver]) -> "Venture":
        """With other modules of the plan and these drivers; what spoke of a driver that is gone lets go of it."""
        kept = tuple(drivers)
        known = {driver.key for driver in kept}
        return self._with(
            modules=tuple(modules),
            drivers=kept,
            scenarios=tuple(
                s.model_copy(update={"overrides": tuple(o for o in s.overrides if o.key in known)})
                for s in self.scenarios
            ),
            hypotheses=tuple(
                h.model_copy(update={"drivers": tuple(key for key in h.drivers if key in known)})
                for h in self.hypotheses
            ),
        )

    def with_lines(self, lines: Iterable[Line]) -> "Venture":
        return self._with(lines=tuple(lines))

    def _with(self, **changed: Any) -> "Venture":
        """A new venture, checked as a whole."""
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        with refusing():
            return Venture(**{**fields, **changed})


def _named(name: str) -> Text:
    return _short_enough(Text(name.strip()))


_Named = TypeVar("_Named", Scenario, Hypothesis)


def _replaced(parts: tuple[_Named, ...], new: _Named) -> tuple[_Named, ...]:
    return tuple(new if part.id == new.id else part for part in parts)

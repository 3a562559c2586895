"""Another way to earn or to serve: a venture with other modules of the plan, and the drivers they ask for.

What the new plan needs and the venture lacks comes with a usual number and its source; what only the old
plan needed goes, so that no number on the screen is without effect. Undo brings it back.
"""

from collections.abc import Iterable

from core.finance.formula import parse
from core.finance.model import model_of
from core.finance.modules import plan_of
from core.finance.value import EFFECTS
from core.venture import Driver, Venture, preset
from core.venture.catalogue import catalogue

ALWAYS = frozenset(("accuracy",))
"""Drivers that other pages write to, whatever the plan."""


def switched(venture: Venture, modules: Iterable[str]) -> Venture:
    """The venture with ``modules``; a :class:`core.i18n.Refusal` where they do not go together."""
    chosen = tuple(modules)
    plan = plan_of(chosen)
    texts = [text for line in (*plan.lines, *venture.lines) for text in (line.formula, line.opening) if text]
    names = {name for text in texts for name in parse(text).names}
    lines = {line.key for line in (*plan.lines, *venture.lines)}
    needed = (names | ALWAYS) & catalogue().keys()
    stays = needed.union(EFFECTS)
    kept = [driver for driver in venture.drivers if driver.key in stays or driver.key not in catalogue()]
    there = {driver.key for driver in kept} | lines
    new = [preset(key, venture.archetype) for key in catalogue() if key in needed and key not in there]
    made = venture.with_modules(chosen, (*kept, *_in_currency(new, venture)))
    model_of(made)
    return made


def _in_currency(drivers: list[Driver], venture: Venture) -> list[Driver]:
    """Usual numbers are in USD; money is brought into the venture's currency."""
    rate = venture.usd_rate
    return [
        driver.model_copy(update={"amount": driver.amount.scaled(rate)})
        if driver.unit.startswith("money") and rate != 1
        else driver
        for driver in drivers
    ]

"""Goal seek and sensitivity as JSON-ready values, for the command line and for export."""

from dataclasses import asdict
from typing import Any

from core.finance.goal import Goal, Point, seek
from core.finance.outcome import Outcome, said, titled
from core.finance.sensitivity import tornado, total_effects
from core.i18n import language
from core.venture import Venture


def goal_report(
    venture: Venture,
    driver_key: str,
    outcome: str,
    at_least: float | None = None,
    at_most: float | None = None,
    probability: float | None = None,
    bounds: tuple[float, float] | None = None,
    scenario_id: str | None = None,
    draws: int = 1024,
) -> dict[str, Any]:
    """What :func:`core.finance.goal.seek` answers."""
    goal = Goal(outcome, at_least, at_most, probability)
    found = seek(venture, driver_key, goal, bounds, scenario_id, draws)
    driver = venture.driver(driver_key)
    return {
        "driver": {"key": driver_key, "label": driver.label.en, "unit": driver.unit},
        "goal": {"at_least": at_least, "at_most": at_most, "probability": probability},
        "outcome": _outcome(found.outcome),
        "reachable": found.reachable,
        "now": _point(found.now, found.outcome, venture),
        "value" if found.reachable else "closest": _point(found.best, found.outcome, venture),
        "searched": {"from": found.low, "to": found.high},
        "binding": found.binding
        and {**asdict(found.binding), "label": venture.driver(found.binding.driver_key).label.en},
        "draws": draws if probability is not None else None,
    }


def sensitivity_report(
    venture: Venture, outcome: str = "lowest_cash", scenario_id: str | None = None
) -> dict[str, Any]:
    """The tornado and the total effects of an outcome."""
    bars, shares = tornado(venture, outcome, scenario_id), total_effects(venture, outcome, scenario_id)
    return {
        "outcome": _outcome(bars.outcome),
        "at_medians": bars.base,
        "mean": shares.mean,
        "standard_deviation": shares.deviation,
        "tornado": [{**asdict(bar), "swing": bar.swing} for bar in bars.bars],
        "variance": [asdict(effect) for effect in shares.effects],
        "runs": shares.runs,
    }


def _outcome(asked: Outcome) -> dict[str, Any]:
    return {"name": asked.name, "label": titled(asked, language("en")), "unit": asked.unit}


def _point(point: Point, asked: Outcome, venture: Venture) -> dict[str, Any]:
    return {**asdict(point), "said": said(asked, point.outcome, venture, language("en"))}

"""The plan from a shell: ``example``, ``project``, ``xlsx``, ``goal`` and ``sensitivity``."""

import argparse
import csv
import io
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from core.commands.options import Answer, Commands
from core.finance import SEED, Projection, Simulation, metrics, project, simulate
from core.finance.report import goal_report, sensitivity_report
from core.i18n import LANGUAGES, Refusal, language
from core.reports.command import write_xlsx
from core.venture import MAX_BYTES, Venture, archetypes, example, from_json, to_json


def add(commands: Commands) -> None:
    """Add the commands to the parser."""
    given = commands.add_parser("example", help="a finished venture as JSON")
    given.add_argument("archetype", nargs="?")
    given.add_argument("--list", action="store_true", help="name the archetypes")
    given.add_argument("--start", type=_month, help="first month, YYYY-MM (default: this month)")
    given.set_defaults(run=_example)

    plan = commands.add_parser("project", help="months, metrics, percentiles and P(cash below zero)")
    plan.add_argument("venture", type=Path, metavar="VENTURE.json")
    plan.add_argument("--draws", type=int, default=1024)
    plan.add_argument("--seed", type=int, default=SEED)
    plan.add_argument("--scenario", help="the id of a scenario (default: the base)")
    plan.add_argument("--csv", action="store_true", help="the months as CSV")
    plan.set_defaults(run=_project)

    book = commands.add_parser("xlsx", help="the plan as a workbook with live formulas")
    book.add_argument("venture", type=Path, metavar="VENTURE.json")
    book.add_argument("out", type=Path, metavar="OUT.xlsx")
    book.add_argument("--draws", type=int, default=1024, help="0 leaves the simulation out")
    book.add_argument("--language", choices=tuple(LANGUAGES), default="en")
    book.set_defaults(
        run=lambda chosen: write_xlsx(
            _read(chosen.venture), chosen.out, code=chosen.language, draws=chosen.draws
        )
    )

    goal = commands.add_parser("goal", help="the value of a driver that reaches a goal")
    goal.add_argument("venture", type=Path, metavar="VENTURE.json")
    goal.add_argument("--driver", required=True, metavar="KEY")
    goal.add_argument("--outcome", required=True, metavar="NAME", help="such as lowest_cash or mrr@24")
    goal.add_argument("--at-least", type=float)
    goal.add_argument("--at-most", type=float)
    goal.add_argument("--probability", type=float, help="of reaching it (default: at the medians)")
    goal.add_argument("--scenario")
    goal.set_defaults(run=_goal)

    moves = commands.add_parser("sensitivity", help="which drivers move an outcome, and how much")
    moves.add_argument("venture", type=Path, metavar="VENTURE.json")
    moves.add_argument("--outcome", default="lowest_cash", metavar="NAME")
    moves.add_argument("--scenario")
    moves.set_defaults(
        run=lambda chosen: sensitivity_report(_read(chosen.venture), chosen.outcome, chosen.scenario)
    )


def _example(chosen: argparse.Namespace) -> Answer:
    if chosen.list:
        return {key: title.en for key, title in archetypes().items()}
    if chosen.archetype is None:
        raise Refusal("Name an archetype; allowed are {allowed}.", allowed=", ".join(archetypes()))
    return to_json(example(chosen.archetype, chosen.start))


def _project(chosen: argparse.Namespace) -> Answer:
    venture = _read(chosen.venture)
    projection = project(venture, chosen.scenario)
    if chosen.csv:
        return _csv(projection)
    simulation = simulate(venture, chosen.draws, chosen.seed, chosen.scenario)
    return {
        "venture": venture.name.en,
        "currency": venture.currency,
        "months": _months(projection),
        "lines": {
            key: {
                "label": line.label.en,
                "unit": line.unit,
                "values": _numbers(projection.series(key)),
            }
            for key, line in projection.model.lines.items()
        },
        "metrics": _metrics(projection),
        "simulation": _simulation(simulation, chosen.seed),
    }


def _goal(chosen: argparse.Namespace) -> Answer:
    return goal_report(
        _read(chosen.venture),
        chosen.driver,
        chosen.outcome,
        chosen.at_least,
        chosen.at_most,
        chosen.probability,
        scenario_id=chosen.scenario,
    )


def _read(path: Path) -> Venture:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise Refusal("{file} cannot be read: {reason}.", file=str(path), reason=error.strerror) from None
    return from_json(data)


def _months(projection: Projection) -> list[str]:
    start = projection.venture.start
    first = start.year * 12 + start.month - 1
    return [f"{(first + i) // 12}-{(first + i) % 12 + 1:02d}" for i in range(projection.months)]


def _metrics(projection: Projection) -> dict[str, Any]:
    say = language("en")
    return {
        key: {
            "label": found.label.en,
            "kind": found.kind,
            "value": found.value,
            "reason": say.sentence(found.reason) if found.reason else None,
            "definition": found.definition.en,
        }
        for key, found in metrics(projection).items()
    }


def _simulation(simulation: Simulation, seed: int) -> dict[str, Any]:
    low, middle, high = simulation.cash_zero_months()
    return {
        "draws": simulation.count,
        "seed": seed,
        "p_cash_below_zero": simulation.p_cash_out,
        "p_cash_below_zero_error": simulation.p_cash_out_error,
        "p_default_alive": simulation.p_default_alive,
        "cash_zero_month": {"p10": low, "p50": middle, "p90": high},
        "funding_need_at_20_percent": simulation.funding_need(0.2),
        "percentiles": {
            key: {name: _numbers(values) for name, values in vars(simulation.fan(key)).items()}
            for key in simulation.lines
        },
        "importance": simulation.importance(),
    }


def _numbers(values: np.ndarray[Any, np.dtype[np.float64]]) -> list[float]:
    return [float(value) for value in values]


def _csv(projection: Projection) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    lines = list(projection.model.lines.values())
    writer.writerow(["month", *(f"{line.key} [{line.unit}]" for line in lines)])
    for number, month in enumerate(_months(projection), 1):
        writer.writerow([month, *(repr(projection.at(line.key, number)) for line in lines)])
    return out.getvalue()


def _month(text: str) -> date:
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a month like 2026-11") from None

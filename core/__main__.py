"""``python -m core``: the same jobs as the pages, from a shell.

Results are JSON on standard output (``--csv``: CSV where the result is a table). What is wrong is
one sentence on standard error, with exit status 2.
"""

import argparse
import csv
import io
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import MISSING, fields
from datetime import date
from pathlib import Path
from types import UnionType
from typing import Any, NoReturn, get_args, get_type_hints

import numpy as np

from core.compute import (
    FinetunePlan,
    ServingPlan,
    TrainingPlan,
    backtest_report,
    estimate_finetuning,
    estimate_serving,
    estimate_training,
    finetuning_report,
    serving_report,
    training_report,
)
from core.finance import SEED, Projection, Simulation, metrics, project, simulate
from core.finance.report import goal_report, sensitivity_report
from core.i18n import LANGUAGES, Refusal, language
from core.reports.command import write_xlsx
from core.training.command import explain, spec_of, train
from core.training.curve_report import curve_report
from core.training.presets import PRESETS
from core.training.spec import RunSpec
from core.training.sweep import METHODS, Sweep
from core.training.sweep_command import read_axes, sweep_report
from core.venture import MAX_BYTES, Venture, archetypes, example, from_json, to_json

Answer = dict[str, Any] | list[Any] | str


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status."""
    try:
        chosen = _parser().parse_args(arguments)
        answer: Answer = chosen.run(chosen)
    except (Refusal, _Usage) as refusal:
        print(refusal, file=sys.stderr)
        return 2
    if isinstance(answer, str):
        print(answer, end="" if answer.endswith("\n") else "\n")
    else:
        json.dump(answer, sys.stdout, ensure_ascii=False, indent=1, allow_nan=False)
        print()
    return 0


class _Usage(Exception):
    """The command's words are off."""


class _Parser(argparse.ArgumentParser):
    """A parser whose complaint is one sentence."""

    def error(self, message: str) -> NoReturn:
        raise _Usage(message[:1].upper() + message[1:] + ".")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m core", description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)

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

    run = commands.add_parser("train", help="train a network here and now, and measure it")
    run.add_argument("--preset", choices=tuple(PRESETS), default="cnn")
    _add_fields(run, RunSpec, without={"own"}, leave_out=True)
    run.add_argument(
        "--leave",
        type=Path,
        metavar="FOLDER",
        help="keep network (.keras, .onnx), report, model card and script there",
    )
    run.set_defaults(run=_train)

    curve = commands.add_parser("curve", help="error against data or compute, fitted on finished runs")
    curve.add_argument("runs", type=Path, metavar="RUNS.json", help="results of train, one after the other")
    curve.add_argument("--by", choices=("data", "compute"), default="data")
    curve.add_argument(
        "--at", type=float, action="append", default=[], metavar="SIZE", help="images, or FLOP"
    )
    curve.add_argument("--target", type=float, metavar="ACCURACY", help="a share, such as 0.99")
    curve.add_argument("--price-per-hour", type=float, metavar="USD")
    curve.add_argument(
        "--available", type=int, metavar="IMAGES", help="to train on, if not as many as the runs say"
    )
    curve.set_defaults(
        run=lambda chosen: curve_report(
            chosen.runs, chosen.by, chosen.at, chosen.target, chosen.price_per_hour, chosen.available
        )
    )

    sweep = commands.add_parser("sweep", help="many runs within a budget: which settings, or how much data")
    sweep.add_argument("--preset", choices=tuple(PRESETS), default="cnn")
    sweep.add_argument(
        "--vary",
        action="append",
        default=[],
        metavar="FIELD=VALUES",
        help="such as train_images=2500,5000 or learning_rate=0.0001..0.1; may be repeated",
    )
    sweep.add_argument("--method", choices=tuple(METHODS), default="every")
    sweep.add_argument("--runs", type=int, default=9, help="tried at the most by search and halving")
    sweep.add_argument("--seeds", type=int, default=1, help="runs of every combination")
    sweep.add_argument("--budget-usd", type=float)
    sweep.add_argument("--budget-minutes", type=float)
    sweep.add_argument("--measured", type=Path, metavar="RUNS.json", help="results of train, for the price")
    sweep.add_argument("--plan", action="store_true", help="only say what would be run, and its price")
    _add_fields(sweep, RunSpec, without={"own"}, leave_out=True)
    sweep.set_defaults(run=_sweep)

    near = commands.add_parser("explain", help="what a finished run does well and badly")
    near.add_argument("of", metavar="RUN", help="the id of a run, or a folder that train left")
    near.add_argument("--owner", default="local")
    near.set_defaults(run=_explain)

    estimate = commands.add_parser("estimate", help="what compute costs")
    kinds = estimate.add_subparsers(required=True, metavar="KIND", parser_class=_Parser)
    training = kinds.add_parser("train", help="training a model")
    _add_fields(training, TrainingPlan)
    training.set_defaults(run=lambda chosen: training_report(estimate_training(_built(TrainingPlan, chosen))))
    tuning = kinds.add_parser("finetune", help="tuning an open model")
    _add_fields(tuning, FinetunePlan)
    tuning.set_defaults(
        run=lambda chosen: finetuning_report(estimate_finetuning(_built(FinetunePlan, chosen)))
    )
    serving = kinds.add_parser("serve", help="answering requests")
    _add_fields(serving, ServingPlan, without={"on"})
    serving.set_defaults(
        run=lambda chosen: serving_report(estimate_serving(_built(ServingPlan, chosen, on=date.today())))
    )

    backtest = commands.add_parser("backtest", help="the estimator against published figures in CSV files")
    backtest.add_argument("--training", type=Path, metavar="FILE.csv")
    backtest.add_argument("--serving", type=Path, metavar="FILE.csv")
    backtest.set_defaults(run=lambda chosen: backtest_report(chosen.training, chosen.serving))
    return parser


# Options made from the fields of a dataclass, so that a new input is a new option by itself.


def _add_fields(
    parser: argparse.ArgumentParser,
    of: type[Any],
    without: frozenset[str] | set[str] = frozenset(),
    *,
    leave_out: bool = False,
) -> None:
    """With ``leave_out`` an option that is not given is None, whatever the default of its field."""
    hints = get_type_hints(of)
    for field in fields(of):
        if field.name in without:
            continue
        kind = hints[field.name]
        if isinstance(kind, UnionType):
            kind = next(part for part in get_args(kind) if part is not type(None))
        needed = field.default is MISSING
        options: dict[str, Any] = (
            {"required": True} if needed else {"default": None if leave_out else field.default}
        )
        if kind is bool:
            options["action"] = argparse.BooleanOptionalAction
        else:
            options["type"] = kind
            options["metavar"] = kind.__name__.upper()
        parser.add_argument("--" + field.name.replace("_", "-"), **options)


def _built(of: Callable[..., Any], chosen: argparse.Namespace, **more: Any) -> Any:
    known = {field.name for field in fields(of)}  # type: ignore[arg-type]
    return of(**{key: value for key, value in vars(chosen).items() if key in known}, **more)


# The commands


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


def _train(chosen: argparse.Namespace) -> Answer:
    if chosen.leave is not None:
        try:
            chosen.leave.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Refusal(
                "{file} cannot be written: {reason}.", file=str(chosen.leave), reason=error.strerror
            ) from None
    return train(preset=chosen.preset, leave=chosen.leave, **_settings(chosen))


def _settings(chosen: argparse.Namespace) -> dict[str, Any]:
    """The fields of a run that were given."""
    given = {field.name: getattr(chosen, field.name, None) for field in fields(RunSpec)}
    return {name: value for name, value in given.items() if value is not None}


def _sweep(chosen: argparse.Namespace) -> Answer:
    sweep = Sweep(
        base=spec_of(chosen.preset, _settings(chosen)),
        axes=read_axes(chosen.vary),
        method=chosen.method,
        runs=chosen.runs,
        seeds=chosen.seeds,
        budget_usd=chosen.budget_usd,
        budget_minutes=chosen.budget_minutes,
    )
    return sweep_report(sweep, chosen.measured, chosen.plan)


def _explain(chosen: argparse.Namespace) -> Answer:
    return explain(chosen.of, chosen.owner)


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


if __name__ == "__main__":
    sys.exit(main())

"""Training from a shell: ``train``, ``curve``, ``sweep`` and ``explain``, on shipped data or on a file of one's own.

What is doubtful about one's own data goes to standard error, a line each.
"""

import argparse
import contextlib
import sys
import time
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from core.commands.options import Answer, Commands, Usage, add_fields
from core.i18n import Refusal
from core.training.command import explain, spec_of, train
from core.training.curve_report import curve_report
from core.training.own_command import held
from core.training.presets import PRESETS, first_for
from core.training.spec import RunSpec
from core.training.sweep import METHODS, Sweep
from core.training.sweep_command import read_axes, sweep_report


def add(commands: Commands) -> None:
    """Add the commands to the parser."""
    run = commands.add_parser("train", help="train a network here and now, and measure it")
    _add_data(run)
    add_fields(run, RunSpec, without={"own"}, leave_out=True)
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
    _add_data(sweep)
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
    add_fields(sweep, RunSpec, without={"own"}, leave_out=True)
    sweep.set_defaults(run=_sweep)

    near = commands.add_parser("explain", help="what a finished run does well and badly")
    near.add_argument("of", metavar="RUN", help="the id of a run, or a folder that train left")
    near.add_argument("--owner", default="local")
    near.set_defaults(run=lambda chosen: explain(chosen.of, chosen.owner))


def _add_data(parser: argparse.ArgumentParser) -> None:
    """Options for what is trained on, and for the recipe that goes with it."""
    parser.add_argument(
        "--preset", choices=tuple(PRESETS), help="(default: cnn; with --data the one that suits the data)"
    )
    parser.add_argument(
        "--data",
        type=Path,
        metavar="FILE",
        help="data of your own: a table (.csv, .parquet), or a .zip of pictures in one folder for each class",
    )
    parser.add_argument("--target", metavar="COLUMN", help="of the table, to predict")
    parser.add_argument(
        "--predict",
        choices=("classes", "number"),
        help="which class it is, or how much (default: as its values suggest)",
    )
    parser.add_argument(
        "--without",
        action="append",
        default=[],
        metavar="COLUMN",
        help="of the table, not to learn from; may be repeated",
    )


@contextlib.contextmanager
def _settings(chosen: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """The fields of a run that were given, and the recipe; one's own data is there while the block lasts."""
    given = {field.name: getattr(chosen, field.name, None) for field in fields(RunSpec)}
    settings = {name: value for name, value in given.items() if value is not None}
    if chosen.data is None:
        for option in ("target", "predict", "without"):
            if getattr(chosen, option):
                raise Usage(f"--{option} goes with --data.")
        yield {"preset": chosen.preset or "cnn", **settings}
        return
    if chosen.dataset is not None:
        raise Usage("--dataset names shipped data and --data a file of your own; give one of them.")
    with held(chosen.data, chosen.target, chosen.predict, chosen.without) as (data, warnings):
        for warning in warnings:
            print(f"Warning: {warning}", file=sys.stderr, flush=True)
        yield {"preset": chosen.preset or first_for(data.described), **settings, "own": data}


def _train(chosen: argparse.Namespace) -> Answer:
    if chosen.leave is not None:
        try:
            chosen.leave.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Refusal(
                "{file} cannot be written: {reason}.", file=str(chosen.leave), reason=error.strerror
            ) from None
    began = time.time()
    with _settings(chosen) as settings:
        return train(leave=chosen.leave, apart=time.time() - began, **settings)


def _sweep(chosen: argparse.Namespace) -> Answer:
    with _settings(chosen) as settings:
        sweep = Sweep(
            base=spec_of(settings.pop("preset"), settings),
            axes=read_axes(chosen.vary),
            method=chosen.method,
            runs=chosen.runs,
            seeds=chosen.seeds,
            budget_usd=chosen.budget_usd,
            budget_minutes=chosen.budget_minutes,
        )
        return sweep_report(sweep, chosen.measured, chosen.plan)

"""What compute costs, from a shell: ``estimate`` and ``backtest``."""

from datetime import date
from pathlib import Path

from core.commands.options import Commands, Parser, add_fields, built
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


def add(commands: Commands) -> None:
    """Add the commands to the parser."""
    estimate = commands.add_parser("estimate", help="what compute costs")
    kinds = estimate.add_subparsers(required=True, metavar="KIND", parser_class=Parser)
    training = kinds.add_parser("train", help="training a model")
    add_fields(training, TrainingPlan)
    training.set_defaults(run=lambda chosen: training_report(estimate_training(built(TrainingPlan, chosen))))
    tuning = kinds.add_parser("finetune", help="tuning an open model")
    add_fields(tuning, FinetunePlan)
    tuning.set_defaults(
        run=lambda chosen: finetuning_report(estimate_finetuning(built(FinetunePlan, chosen)))
    )
    serving = kinds.add_parser("serve", help="answering requests")
    add_fields(serving, ServingPlan, without={"on"})
    serving.set_defaults(
        run=lambda chosen: serving_report(estimate_serving(built(ServingPlan, chosen, on=date.today())))
    )

    backtest = commands.add_parser("backtest", help="the estimator against published figures in CSV files")
    backtest.add_argument("--training", type=Path, metavar="FILE.csv")
    backtest.add_argument("--serving", type=Path, metavar="FILE.csv")
    backtest.set_defaults(run=lambda chosen: backtest_report(chosen.training, chosen.serving))

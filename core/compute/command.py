"""The estimator from a shell: backtests over files, and estimates as plain data.

The shapes are fixed, so that others can read them: a backtest is
``{"training": {"rows": [...], "summary": {...}}, "serving": {...}}`` with rows of ``model``,
``published``, ``predicted``, ``low``, ``high`` (P10, P90) and ``error`` (predicted ÷ published − 1), in
GPU-hours and output tokens/s. A row that cannot be used holds ``model`` and ``why``.
"""

from pathlib import Path
from typing import Any

from core.compute.backtest import (
    Backtest,
    Check,
    Summary,
    backtest_serving,
    backtest_training,
    serving_left_out,
    training_left_out,
)
from core.compute.records import (
    SERVING_COLUMNS,
    TRAINING_COLUMNS,
    Unusable,
    read_rows,
    serving_record,
    training_record,
)

Report = dict[str, Any]


def backtest_report(training: Path | None = None, serving: Path | None = None) -> Report:
    """The backtest of one or two files; a Refusal where a file cannot be read or lacks a column.

    Without a file, that of the tables that ship with the estimator, each row by constants that have not seen it.
    """
    report: Report = {}
    if training is None and serving is None:
        report["training"] = _backtest(training_left_out())
        report["serving"] = _backtest(serving_left_out(), ("dense", "moe"))
    if training is not None:
        runs = [training_record(row) for row in read_rows(training, TRAINING_COLUMNS)]
        report["training"] = _backtest(backtest_training(runs))
    if serving is not None:
        speeds = [serving_record(row) for row in read_rows(serving, SERVING_COLUMNS)]
        report["serving"] = _backtest(backtest_serving(speeds), ("dense", "moe"))
    return report


def _backtest(found: Backtest, groups: tuple[str, ...] = ()) -> Report:
    overall: Report = {"rows": len(found.rows), "left_out": len(found.unusable), **_summary(found.summary)}
    by_group = {group: _summary(found.of(group)) for group in groups if found.of(group)}
    return {"rows": [_row(row) for row in found.rows], "summary": {**overall, **by_group}}


def _row(row: Check | Unusable) -> Report:
    if isinstance(row, Unusable):
        return {"model": row.model, "why": str(row.reason)}
    return {
        "model": row.model,
        "hardware": row.hardware,
        "published": row.published,
        "predicted": row.predicted,
        "low": row.low,
        "high": row.high,
        "error": row.error,
    }


def _summary(found: Summary | None) -> Report:
    """Shares as fractions; nothing but a count of 0 where no row could be used."""
    if found is None:
        return {"used": 0}
    return {
        "used": found.count,
        "median_absolute_error": found.median_error,
        "p90_absolute_error": found.p90_error,
        "median_predicted_over_published": found.median_ratio,
        "share_within_p10_p90": found.inside,
    }

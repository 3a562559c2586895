"""Finished training runs as a table, for the pages that compare them and for the holder of a link."""

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from core.i18n import Language
from core.storage import RunRow
from core.training.result import RunResult
from core.training.spec import RunSpec


@dataclass(frozen=True)
class Finished:
    """A run that ended with a test, its settings and what it measured."""

    row: RunRow
    spec: RunSpec
    result: RunResult


def finished(rows: list[RunRow]) -> list[Finished]:
    """The runs that were trained to the end and tested."""
    found = []
    for row in rows:
        if row.state == "done" and row.summary:
            result = RunResult.from_json(row.summary)
            if result.test_accuracy is not None:
                found.append(Finished(row, RunSpec.from_json(row.spec), result))
    return found


def table(runs: list[Finished], _: Language) -> None:
    """Settings and measurements side by side, each column with its unit."""
    frame = pd.DataFrame(
        [
            {
                "run": run.row.id[:6],
                "title": _.text(run.spec.title),
                "accuracy": run.result.test_accuracy,
                "loss": run.result.test_loss,
                "seconds": run.result.fit_seconds,
                "speed": run.result.images_per_second,
                "cost": run.result.cost_usd,
                "energy": run.result.energy.joules,
                "device": run.result.device.name,
            }
            for run in runs
        ]
    )
    number = st.column_config.NumberColumn
    st.dataframe(
        frame,
        hide_index=True,
        column_config={
            "run": _("Run"),
            "title": _("Settings"),
            "accuracy": number(_("Test accuracy (%)"), format="percent"),
            "loss": number(_("Test loss"), format="%.4f"),
            "seconds": number(_("Training time (s)"), format="%.1f"),
            "speed": number(_("Images per second"), format="compact"),
            "cost": number(_("Cost (USD)"), format="%.6f"),
            "energy": number(_("Energy (J)"), format="compact"),
            "device": _("Device"),
        },
        alt=_("Finished training runs"),
    )

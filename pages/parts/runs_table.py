"""Training runs as tables, for the pages that compare them and for the holder of a link."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from core.i18n import Language, Text
from core.storage import RunRow
from core.training.result import RunResult
from core.training.spec import RunSpec


@dataclass(frozen=True)
class Finished:
    """A run that ended with a test, its settings and what it measured."""

    row: RunRow
    spec: RunSpec
    result: RunResult


def tested(rows: list[RunRow]) -> list[Finished]:
    """The runs that were trained to the end and tested, those that predict a number with them."""
    return [
        Finished(row, RunSpec.from_json(row.spec), RunResult.from_json(row.summary))
        for row in rows
        if row.state == "done" and row.summary
    ]


def table(runs: list[Finished], _: Language, public: bool = False) -> None:
    """Settings and measurements of finished runs side by side, each column with its unit.

    ``public``: for eyes other than the founder's, so without the names of her own files.
    """
    records = []
    for run in runs:
        title = run.spec.public_title if public else run.spec.title
        told = {"run": run.row.id[:6], "title": _.text(title)}
        records.append({**told, **_measurements(run.result)})
    frame = pd.DataFrame(records)
    empty = [name for name in ("accuracy", "error", "explained") if frame[name].isna().all()]
    frame = frame.drop(columns=empty)
    st.dataframe(frame, hide_index=True, column_config=_columns(_), alt=_("Finished training runs"))


def all_runs(rows: list[RunRow], states: Mapping[str, Text], _: Language) -> pd.DataFrame:
    """Every run with its state; without measurements where it was not finished."""
    records = []
    for row in rows:
        record: dict[str, object] = _settings(row, RunSpec.from_json(row.spec), _)
        record["state"] = _.text(states[row.state])
        if row.state == "done" and row.summary:
            record |= _measurements(RunResult.from_json(row.summary))
        records.append(record)
    columns = [
        "run",
        "title",
        "state",
        "accuracy",
        "error",
        "loss",
        "seconds",
        "speed",
        "cost",
        "energy",
        "device",
    ]
    frame = pd.DataFrame(records).reindex(columns=columns)
    return frame.drop(columns="error") if frame["error"].isna().all() else frame


def choose(frame: pd.DataFrame, ids: list[str], key: str, chosen: str, _: Language) -> None:
    """The table with rows to tick; the ids of those ticked are kept under ``chosen``.

    Streamlit keeps the places of the ticked rows. So the table is a new one whenever other runs are in it,
    and begins with the ticks where those runs are now.
    """
    now = st.session_state.get(chosen) or []
    key = f"{key}:{hash(tuple(ids)):x}"

    def ticked() -> None:
        rows = st.session_state[key]["selection"]["rows"]
        st.session_state[chosen] = [ids[row] for row in rows if row < len(ids)]

    st.dataframe(
        frame,
        hide_index=True,
        key=key,
        on_select=ticked,
        selection_mode="multi-row",
        selection_default={"selection": {"rows": [place for place, run in enumerate(ids) if run in now]}},
        column_config=_columns(_),
        alt=_("Past runs"),
    )


def _settings(row: RunRow, spec: RunSpec, _: Language) -> dict[str, object]:
    return {"run": row.id[:6], "title": _.text(spec.title)}


def _measurements(result: RunResult) -> dict[str, object]:
    return {
        "accuracy": result.test_accuracy,
        "loss": result.test_loss,
        "error": result.test_rmse,
        "explained": result.test_r2,
        "seconds": result.fit_seconds,
        "speed": result.images_per_second,
        "cost": result.cost_usd,
        "energy": result.energy.joules,
        "device": result.device.label,
    }


def _columns(_: Language) -> dict[str, Any]:
    number = st.column_config.NumberColumn
    return {
        "run": _("Run"),
        "title": _("Settings"),
        "state": _("State"),
        "accuracy": number(_("Test accuracy (%)"), format="percent"),
        "loss": number(_("Test loss"), format="%.4f"),
        "error": number(_("Typical error (unit of the number)"), format="%.4g"),
        "explained": number(_("Variation explained, R² (%)"), format="percent"),
        "seconds": number(_("Training time (s)"), format="%.1f"),
        "speed": number(_("Examples per second"), format="compact"),
        "cost": number(_("Cost (USD)"), format="%.6f"),
        "energy": number(_("Energy (J)"), format="compact"),
        "device": _("Device"),
    }

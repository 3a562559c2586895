"""What a network trained on ratings would recommend: choose a student, see the lecturers that fit best."""

from typing import Any

import streamlit as st

from core.i18n import Language
from pages.parts.runs_table import Finished
from pages.parts.shell import plain
from pages.parts.training_try import answered

FEW = 10
"""Ratings; what rests on fewer is marked as a guess."""

HELD = "training:recommended"


def recommendations(run: Finished, _: Language) -> None:
    """A form for the student, and the answer of the worker; what was asked last is not asked again."""
    count = run.spec.data.ids[0].count
    with st.form(f"training:recommend:{run.row.id}", border=False):
        user = st.number_input(
            _("Student (number, 1 to {count})", count=f"{count:,}"),
            1,
            count,
            step=1,
            key=f"training:recommend_to:{run.row.id}",
        )
        sent = st.form_submit_button(_("Recommend"), icon=":material/recommend:")
    asked = (run.row.id, int(user))
    if sent and (said := answered("recommend", run, {"user": int(user)}, _)):
        st.session_state[HELD] = (asked, said)
    held = st.session_state.get(HELD)
    if held is not None and held[0] == asked:
        _best(run, held[1], _)


def _best(run: Finished, said: dict[str, Any], _: Language) -> None:
    rated = said["rated"]
    if rated < FEW:
        st.info(
            _(
                "Cold start: the network has seen only {count} ratings of this student, so it mostly recommends what all students like.",
                count=rated,
            ),
            icon=":material/ac_unit:",
        )
    st.caption(
        plain(
            _(
                "The ten of {total} lecturers not rated yet that it expects the most of, after {rated} ratings of this student. The mean of all ratings is {mean}; on test ratings it is off by {error} (root mean square).",
                total=f"{run.spec.data.ids[1].count - rated:,}",
                rated=rated,
                mean=_.number(said["mean"], digits=3),
                error=_.number(run.result.test_rmse or 0.0, digits=3),
            )
        )
    )
    rows = [
        {
            "lecturer": one["item"],
            "count": one["count"],
            "rating": one["rating"],
            "note": _("cold start: a guess") if one["count"] < FEW else "",
            "truth": one["truth"],
        }
        for one in said["best"]
    ]
    # A column in which nothing stands would only ask what it is for.
    empty = {name for name in ("note", "truth") if not any(row[name] for row in rows)}
    st.dataframe(
        [{name: value for name, value in row.items() if name not in empty} for row in rows],
        hide_index=True,
        column_config={
            "lecturer": st.column_config.NumberColumn(_("Lecturer"), format="%d"),
            "count": st.column_config.NumberColumn(
                _("Ratings (count)"), help=_("Ratings of this lecturer that it was trained on.")
            ),
            "rating": st.column_config.ProgressColumn(
                _("Expected (1 to 5)"), min_value=1.0, max_value=5.0, format="%.2f"
            ),
            "note": _("Remark"),
            "truth": st.column_config.NumberColumn(
                _("Really said (1 to 5)"),
                format="%.0f",
                help=_("What the student said of this lecturer, where that rating was kept for the test."),
            ),
        },
        alt=_("Recommended lecturers"),
    )

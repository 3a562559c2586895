"""What the compute costs: training a model, tuning one, every request after it, and what an hour is rented for.

The page starts from a question, opens on the venture's own plan and keeps what is typed in it. "Take into
the plan" writes the estimates into drivers, which then follow the page.
"""

import streamlit as st

from pages.parts.compute_finetune import finetune_part
from pages.parts.compute_prices import prices_part
from pages.parts.compute_questions import questions
from pages.parts.compute_serving import serving_part
from pages.parts.compute_training import training_part
from pages.parts.fields import begin, field
from pages.parts.session import say, workspace
from pages.parts.shell import plain

PARTS = {
    "training": training_part,
    "finetune": finetune_part,
    "serving": serving_part,
    "prices": prices_part,
}


def page() -> None:
    """Draw the page."""
    _, ws = say(), workspace()
    st.title(_("What the compute costs"))
    questions(_)
    if refusal := ws.refused.get("compute:question"):
        st.error(plain(_.refusal(refusal)))
    names = {
        "training": _("Training a model"),
        "finetune": _("Fine-tuning one"),
        "serving": _("Answering requests"),
        "prices": _("Prices"),
    }
    asked = st.query_params.get("part", "")  # so that other pages can point at a part
    begin("compute_part", asked if asked in PARTS else "training")
    part = st.segmented_control(
        _("Part"),
        list(names),
        required=True,
        format_func=names.__getitem__,
        label_visibility="collapsed",
        persist_state="session",
        **field("compute_part", start="default"),
    )
    PARTS[part if part in PARTS else "training"](ws, _)
    st.page_link("backtest.py", label=_("How right are the estimates?"), icon=":material/target:")


page()

"""How the plan earns and serves: the modules of the plan, to be chosen."""

import streamlit as st

from core.finance.modules import modules
from core.finance.switch import switched
from core.i18n import Language
from pages.parts.fields import field, held
from pages.parts.session import Workspace, say
from pages.parts.shell import plain

CHOICE = "plan:modules"


def module_choice(ws: Workspace, _: Language) -> None:
    """The modules of the plan behind a click; a change brings the drivers that it needs."""
    asked = st.expander(_("How this plan earns and serves"), key="plan:modules:open", on_change="rerun")
    if not asked.open:
        return
    with asked:
        inner = {key for module in modules().values() for key in module.needs}
        ws.follow(CHOICE, list(ws.venture.modules))
        st.multiselect(
            _("Parts of the plan"),
            [key for key in modules() if key not in inner or key in ws.venture.modules],
            format_func=lambda key: _.text(modules()[key].title),
            placeholder=_("Choose parts"),
            help=_(
                "Seats, usage, outcomes, projects and others add up. New numbers come with a usual value and its source; numbers that have no effect any more go. Undo brings them back."
            ),
            **field(CHOICE, _chosen, start="default"),
        )
        if refusal := ws.refused.get(CHOICE):
            st.error(plain(_.refusal(refusal)))


def _chosen() -> None:
    ws: Workspace = st.session_state["workspace"]
    _ = say()
    chosen = tuple(held(CHOICE))
    ws.change(lambda venture: switched(venture, chosen), _("parts of the plan changed"), place=CHOICE)

"""The gate of the app: page set-up, language, navigation. Everything else is a page's own.

The holder of a share link gets one page and no navigation; everybody else works on the venture that
is open in the tab.
"""

from pathlib import Path
from urllib.parse import urlsplit

import streamlit as st

from pages.parts.session import say, workspace
from pages.parts.shell import notices, sidebar

HERE = Path(__file__).parent

st.set_page_config(
    page_title="Compute Canvas",
    page_icon=HERE / "assets/icon.svg",
    layout="wide",
    initial_sidebar_state="auto",
)

st.logo(HERE / "assets/logo.svg", size="large", icon_image=HERE / "assets/icon.svg")

_ = say()
shared = st.Page(HERE / "shared_view.py", title=_("Shared plan"), url_path="shared")

if "token" in st.query_params or urlsplit(st.context.url or "").path.rstrip("/").endswith("/shared"):
    # A page at "/" has to exist, or Streamlit calls every other address not found; it leads to the plan.
    root = st.Page(
        lambda: st.switch_page(shared, query_params=dict(st.query_params)),
        title=_("Shared plan"),
        default=True,
    )
    st.navigation([root, shared], position="hidden").run()
else:
    page = st.navigation(
        {
            _("Plan"): [
                st.Page(HERE / "overview.py", title=_("Overview"), icon=":material/home:", default=True),
                st.Page(HERE / "canvas.py", title=_("Canvas"), icon=":material/grid_view:"),
                st.Page(HERE / "plan.py", title=_("Plan and cash"), icon=":material/show_chart:"),
            ],
            _("Compute"): [
                st.Page(HERE / "compute.py", title=_("Compute cost"), icon=":material/memory:"),
                st.Page(HERE / "backtest.py", title=_("Estimates tested"), icon=":material/target:"),
                st.Page(HERE / "training.py", title=_("Training"), icon=":material/model_training:"),
                st.Page(HERE / "tradeoffs.py", title=_("Accuracy and cost"), icon=":material/scatter_plot:"),
                st.Page(HERE / "learn.py", title=_("Learn"), icon=":material/school:"),
            ],
            _("Decide"): [
                st.Page(HERE / "validation.py", title=_("Validation"), icon=":material/science:"),
                st.Page(HERE / "share.py", title=_("Share"), icon=":material/share:"),
            ],
        }
    )
    ws = workspace()
    ws.refresh()
    sidebar(ws, _)
    notices(ws, _)
    page.run()

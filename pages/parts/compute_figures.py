"""Pieces that the parts of the compute page share: figures with their range, tables, and the view one click away."""

from collections.abc import Callable, Mapping

import streamlit as st

from core.compute import Band, HourlyPrice
from core.i18n import Language
from pages.parts.compute_words import Table, stale_warning
from pages.parts.fields import field, held, put
from pages.parts.session import Workspace
from pages.parts.shell import plain


def money_of(ws: Workspace, _: Language) -> Callable[[float], str]:
    """USD in the venture's currency."""
    return lambda usd: _.money(usd * ws.venture.usd_rate, ws.venture.currency)


def band_metric(label: str, band: Band, words: Callable[[float], str], _: Language) -> None:
    """A figure with the range from P10 to P90 below it."""
    low, high = words(band.p10), words(band.p90)
    st.metric(
        label,
        words(band.p50),
        None if low == high else plain(_("{low} to {high}", low=low, high=high)),
        delta_color="off",
        delta_arrow="off",
        width="content",
        help=_("The middle estimate, and below it the range from P10 to P90."),
    )


def table(shown: Table) -> None:
    """A table as wide as what is in it; where the screen is narrower it wraps, then scrolls by itself."""
    head, rows = shown
    cells = {name: [row[place] for row in rows] for place, name in enumerate(head)}
    st.table(cells, width="content")


def closer(part: str, views: Mapping[str, tuple[str, Callable[[], None]]], _: Language) -> None:
    """A switch between views of a part; only the one that is shown is computed."""
    names = {key: title for key, (title, _draw) in views.items()}
    key = f"compute:closer:{part}"
    if held(key, "") not in (None, *views):
        put(key, next(iter(views)))
    chosen = st.segmented_control(
        _("Look closer"),
        list(views),
        format_func=lambda key: names.get(key, str(key)),
        persist_state="session",
        **field(key, start="default"),
    )
    if chosen is not None and chosen in views:
        views[chosen][1]()


def price_warning(price: HourlyPrice, _: Language) -> None:
    """A warning where the price is old."""
    if told := stale_warning(price, _):
        st.caption(":material/schedule: " + plain(told))

"""A driver on the screen: its field, its source, and the change it makes."""

import streamlit as st

from core.finance import read_unit
from core.i18n import Language, Text
from core.venture import Driver, Source
from pages.parts.fields import field, held
from pages.parts.session import Workspace, say
from pages.parts.shell import plain

KINDS: dict[str, tuple[str, Text]] = {
    "typed": (":material/edit:", Text("typed by you", "你填写的")),
    "preset": (":material/menu_book:", Text("preset", "预设")),
    "estimated": (":material/calculate:", Text("estimated", "估算")),
    "measured": (":material/straighten:", Text("measured", "实测")),
}
CONFIDENCE = {
    "high": Text("high confidence", "可信度高"),
    "medium": Text("medium confidence", "可信度中"),
    "low": Text("low confidence: a guess to replace", "可信度低:待替换的猜测"),
}


def source_line(source: Source, _: Language) -> str:
    """Where a number comes from, as one line of markdown."""
    icon, kind = KINDS[source.kind]
    parts = [f"{icon} {_.text(kind)}"]
    if str(source.text):
        parts.append(plain(_.text(source.text)))
    if source.kind == "preset" and source.confidence:
        parts.append(_.text(CONFIDENCE[source.confidence]))
    return " · ".join(parts)


def driver_field(
    ws: Workspace,
    driver: Driver,
    _: Language,
    scenario_id: str | None = None,
    overridden: bool = False,
    place: str = "",
) -> None:
    """A text field for a driver ("20" or "15 to 25"), its source, and a refusal if there is one.

    The field shows the venture's amount, also after an undo or a change in another tab; only what was
    refused stays in it as it was typed, for as long as the page shows it. ``place`` tells two fields of one
    driver on a page apart.
    """
    key = f"driver:{scenario_id or ''}:{driver.key}{place and ':' + place}"
    ws.follow(key, driver.written())
    unit = read_unit(driver.unit, ws.venture.currency, _)
    label = f"{plain(_.text(driver.label))} ({plain(unit)})"
    st.text_input(
        label,
        help=_("A number, or a range that holds the true value with 90% probability: 20 or 15 to 25."),
        **field(key, _typed, key, driver.key, scenario_id),
    )
    if refusal := ws.refused.get(key):
        st.error(plain(_.refusal(refusal)))
    if overridden:
        st.caption(":material/call_split: " + _("changed in this scenario"))
    else:
        st.caption(source_line(driver.source, _))


def _typed(key: str, driver_key: str, scenario_id: str | None) -> None:
    ws: Workspace = st.session_state["workspace"]
    _ = say()
    text = str(held(key))
    driver = ws.venture.under(scenario_id).driver(driver_key)
    ws.change(
        lambda venture: venture.with_driver(driver_key, driver.parse(text), scenario_id=scenario_id),
        f"{_.text(driver.label)}: {driver.written()} → {text.strip()}"[:200],
        place=key,
    )

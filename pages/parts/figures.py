"""A figure with its definition and its reason: the card, and the explanation that opens from it."""

from collections.abc import Iterable

import streamlit as st

from core.finance import Metric, Projection, Why, metrics, said, spoken, why
from core.i18n import Language, Refusal
from pages.parts.drivers import source_line
from pages.parts.session import say
from pages.parts.shell import plain

CARD_PX, CARD_HEIGHT_PX = 170, 214
"""Wide enough for a number, narrow enough for two beside each other on a phone; all of one height."""


def cards(keys: Iterable[str], projection: Projection, _: Language, place: str) -> None:
    """The metrics of ``keys`` side by side, as many in a row as there is room for."""
    found = metrics(projection)
    with st.container(horizontal=True, gap="small"):
        for key in keys:
            _card(found[key], projection, _, place)


def definitions(keys: Iterable[str], projection: Projection, _: Language) -> None:
    """What each figure means, and what others have, for those who cannot hover."""
    found = metrics(projection)
    with st.expander(_("Definitions and benchmarks")):
        for key in keys:
            benchmark = plain(_.text(found[key].benchmark))
            st.markdown(
                f"**{plain(_.text(found[key].label))}** · {plain(_.text(found[key].definition))}"
                + (f"  \n{_('Benchmark: {text}', text=benchmark)}" if benchmark else "")
            )


def _card(metric: Metric, projection: Projection, _: Language, place: str) -> None:
    """A metric with its definition and benchmark behind the question mark, and a way to ask why."""
    venture = projection.venture
    explained = plain(_.text(metric.definition))
    if str(metric.benchmark):
        explained += "\n\n" + _("Benchmark: {text}", text=plain(_.text(metric.benchmark)))
    value = said(metric, venture, _)
    with st.container(border=True, width=CARD_PX, height=CARD_HEIGHT_PX):
        st.markdown(_.text(metric.label), help=explained)
        if metric.value is None:
            st.metric(_.text(metric.label), "–", label_visibility="collapsed")
            st.caption(value)
        else:
            st.metric(_.text(metric.label), value, label_visibility="collapsed")
            st.caption(_unit(metric, _))
        if metric.line:
            month = metric.month or (
                int(metric.value) if metric.value and metric.kind == "month" else projection.months
            )
            st.button(
                _("Why?"),
                key=f"why:{place}:{metric.key}",
                type="tertiary",
                icon=":material/help_center:",
                on_click=ask,
                args=(metric.line, month),
            )


def _unit(metric: Metric, _: Language) -> str:
    """What stands under the number."""
    if metric.kind == "month":
        return _("month {month} of the plan", month=int(metric.value or 0))
    if metric.kind == "months":
        return _("from the first payment on")
    if metric.key == "burn":
        return _("a month")
    if metric.month:
        return _("in month {month}", month=metric.month)
    return _("over the plan")


def ask(line: str, month: int) -> None:
    """Open the explanation of a line in a month on this run."""
    st.session_state["why"] = [(line, month)]


def answer(projection: Projection, _: Language) -> None:
    """Show the explanation that was asked for, if one was."""
    if st.session_state.get("why"):
        _dialog(_)(projection)


def _dialog(_: Language):  # type: ignore[no-untyped-def]
    @st.dialog(_("Why is it this number?"), width="large", on_dismiss=_closed)
    def shown(projection: Projection) -> None:
        explanation(projection, say())

    return shown


def _closed() -> None:
    st.session_state["why"] = []


def explanation(projection: Projection, _: Language) -> None:
    """The formula with names, then with values, then what goes in, down to the sources."""
    path: list[tuple[str, int]] = st.session_state["why"]
    line, month = path[-1]
    try:
        found = why(projection, line, month, _)
    except Refusal as refusal:
        st.error(plain(_.refusal(refusal)))
        return
    venture = projection.venture
    if len(path) > 1:
        st.button(_("Back"), key="why:back", icon=":material/arrow_back:", on_click=_back)
    st.metric(
        f"{_.text(found.label)} · {_.month(venture.start, month - 1)}",
        spoken(found.value, found.unit, venture.currency, _, digits=4),
    )
    if str(found.doc):
        st.caption(plain(_.text(found.doc)))
    st.markdown(_("**Formula**"))
    st.code(found.named, language=None, wrap_lines=True)
    st.markdown(_("**With its values**"))
    st.code(found.valued, language=None, wrap_lines=True)
    st.markdown(_("**What goes in**"))
    _inputs(found, projection, _)


def _inputs(found: Why, projection: Projection, _: Language) -> None:
    venture = projection.venture
    for number, item in enumerate(found.inputs):
        value = spoken(item.value, item.unit, venture.currency, _, digits=4)
        left, right = st.columns([3, 2], vertical_alignment="center")
        with left:
            name = plain(_.text(item.label))
            if item.month is not None:
                name += " · " + (
                    plain(_.month(venture.start, item.month - 1)) if item.month else _("at the start")
                )
            st.markdown(f"{name}: **{plain(value)}**")
            if item.driver:
                st.caption(source_line(item.driver.source, _))
        with right:
            if item.line and item.month:
                st.button(
                    _("Why?"),
                    key=f"why:{len(st.session_state['why'])}:{number}",
                    type="tertiary",
                    on_click=_deeper,
                    args=(item.line, item.month),
                )
            elif not item.driver and not item.line:
                st.caption(_("a fixed number of the model"))


def _deeper(line: str, month: int) -> None:
    st.session_state["why"] = [*st.session_state["why"], (line, month)]


def _back() -> None:
    st.session_state["why"] = st.session_state["why"][:-1]

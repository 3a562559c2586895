"""One slider for the price: the quickest way to see cash move."""

from math import floor, log10

import streamlit as st

from core.finance import read_unit
from core.i18n import Language
from core.venture import Driver, Venture
from pages.parts.fields import field, held, put
from pages.parts.session import Workspace, say
from pages.parts.shell import plain


def price_lever(ws: Workspace, _: Language) -> None:
    """A slider over the venture's price; a range keeps its shape and moves as a whole."""
    driver = price_of(ws.venture)
    if driver is None:
        return
    now = driver.amount.median
    scale = st.session_state.get("lever:scale")
    if scale is None or scale[0] != ws.venture_id or not scale[1] / 4 <= now <= scale[1] * 4:
        scale = (ws.venture_id, now)
        st.session_state["lever:scale"] = scale
    middle = scale[1]
    step = _step(middle)
    least, most = step * max(1, round(middle / 4 / step)), step * round(middle * 4 / step)
    position = min(max(step * round(now / step), least), most)
    if held("lever") is None or st.session_state.get("lever:shown") != (ws.venture_id, now):
        put("lever", position)
        st.session_state["lever:shown"] = (ws.venture_id, now)
    st.slider(
        f"{plain(_.text(driver.label))} ({plain(read_unit(driver.unit, ws.venture.currency, _))})",
        float(least),
        float(most),
        step=float(step),
        format="%g",
        help=_(
            "Move it and watch the cash. Demand is held fixed: the plan does not guess how many customers a price costs."
        ),
        **field("lever", _moved),
    )


def price_of(venture: Venture) -> Driver | None:
    """What customers pay for: the first price of the plan that is above zero."""
    prices = (d for d in venture.drivers if d.group == "price" and d.unit.startswith("money"))
    return next((driver for driver in prices if driver.amount.median > 0), None)


def _step(value: float) -> float:
    """A round step of about a hundredth of the value: 1 for 80, 0.05 for 5."""
    return float(10 ** floor(log10(value) - 1) / (1 if value / 10 ** floor(log10(value)) >= 5 else 2))


def _moved() -> None:
    ws: Workspace = st.session_state["workspace"]
    _ = say()
    driver = price_of(ws.venture)
    assert driver is not None
    price = float(held("lever"))

    def priced(venture: Venture) -> Venture:
        amount = venture.driver(driver.key).amount
        return venture.with_driver(driver.key, amount.scaled(price / amount.median))

    ws.change(priced, f"{_.text(driver.label)}: {_.number(driver.amount.median)} → {_.number(price)}")
    st.session_state["lever:shown"] = (ws.venture_id, ws.venture.driver(driver.key).amount.median)

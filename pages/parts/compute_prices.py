"""Prices: what an accelerator-hour costs, a founder's own prices before the table's, and where they drift."""

from datetime import date

import streamlit as st

from core.compute import (
    TIER_LABELS,
    accelerators,
    can_refresh,
    drifted,
    hourly_price,
    own_price,
    prices_of,
    refreshed_prices,
)
from core.i18n import Language, Refusal
from core.venture import ComputePlan, OwnPrice, Venture
from core.venture.frozen import refusing
from pages.parts.compute_figures import table
from pages.parts.compute_link import followed, own_prices, take_button, today
from pages.parts.compute_words import price_notes
from pages.parts.fields import field, held
from pages.parts.session import Workspace, say
from pages.parts.shell import plain

MOST_OWN = 200


def prices_part(ws: Workspace, _: Language) -> None:
    """Draw the part."""
    inputs, results = st.columns([2, 3], gap="large")
    with inputs:
        name = _own_price_fields(ws, _)
        _refresh(ws, _)
        _drift_fields(ws, name, _)
    with results:
        _table(ws, name, _)
        _own(ws, _)


def _own_price_fields(ws: Workspace, _: Language) -> str:
    st.markdown(f"**{_('A price of your own')}**")
    name = str(
        st.selectbox(
            _("Accelerator"),
            list(accelerators()),
            index=list(accelerators()).index("H100 SXM"),
            key="compute:price:accelerator",
            persist_state="session",
        )
    )
    st.selectbox(
        _("How it is bought"),
        list(TIER_LABELS),
        format_func=lambda key: _.text(TIER_LABELS[key]),
        key="compute:price:tier",
    )
    columns = st.columns(3)
    labels = {"low": _("Low (USD/h)"), "typical": _("Typical (USD/h)"), "high": _("High (USD/h)")}
    for column, (key, label) in zip(columns, labels.items(), strict=True):
        with column:
            st.number_input(label, min_value=0.0, value=None, format="%.4g", key=f"compute:price:{key}")
    st.button(_("Keep this price"), key="compute:price:keep", icon=":material/save:", on_click=_keep)
    if refusal := ws.refused.get("compute:price"):
        st.error(plain(_.refusal(refusal)))
    return name


def _refresh(ws: Workspace, _: Language) -> None:
    """Today's prices by gpuhunt, where it is installed; it fetches only when asked."""
    if can_refresh():
        st.button(
            _("Fetch today's prices"), key="compute:price:refresh", icon=":material/refresh:", on_click=_fetch
        )
    else:
        st.caption(
            _("With the package gpuhunt installed, today's prices of two dozen clouds can be fetched here.")
        )


def _drift_fields(ws: Workspace, name: str, _: Language) -> None:
    key = "compute:drift"
    percent = ws.venture.compute_plan.drift_per_year * 100
    ws.follow(key, percent)
    st.slider(
        _("Price drift per year (%)"),
        min(-60.0, percent),
        max(60.0, percent),
        step=1.0,
        help=_(
            "Signed. An H100 fell from 8 USD to 1.70 by October 2025 and rose 40% in the half year after; chips "
            "give 28% more for the money each year."
        ),
        **field(key, _drift_typed),
    )
    try:
        now = hourly_price(accelerators()[name], own=own_prices(ws.venture)).usd
    except Refusal:
        now = None
    if now is not None:
        drift = ws.venture.compute_plan.drift_per_year
        told = _(
            "{name}: {now} USD per hour today, {one} in a year, {two} in two.",
            name=name,
            now=_.number(now),
            one=_.number(drifted(now, drift, 12)),
            two=_.number(drifted(now, drift, 24)),
        )
        st.caption(plain(told))
    take_button(ws, "drift", _)


def _table(ws: Workspace, name: str, _: Language) -> None:
    rows = prices_of(name, own_prices(ws.venture))
    if not rows:
        st.info(plain(_("No price of {name} is published. Set your own.", name=name)))
        return
    head = [_("Provider"), _("How it is bought"), _("Low"), _("Typical"), _("High"), _("As of")]
    cells = []
    for row in rows:
        provider = plain(row.provider) or (_("**yours**") if row.edited else _("market"))
        tier = _.text(TIER_LABELS[row.tier]) + (" †" if row.derived else "")
        ends = [_.number(v) if v else "–" for v in (row.low, row.typical, row.high)]
        old = " ⚠" if row.stale(today()) else ""
        cells.append([provider, tier, *ends, f"{plain(row.date or '–')}{old}"])
    st.markdown(f"**{plain(name)}** · " + _("USD per accelerator-hour"))
    table((head, cells))
    st.caption(price_notes(_))
    sources = dict.fromkeys(f"{row.date or '–'}: {row.source}" for row in rows if row.source)
    with st.expander(_("Sources and dates"), icon=":material/menu_book:"):
        st.markdown("\n".join(f"- {plain(line)}" for line in sources))


def _own(ws: Workspace, _: Language) -> None:
    kept = ws.venture.compute_plan.prices
    if not kept:
        return
    st.markdown(f"**{_('Your prices')}**")
    for number, price in enumerate(kept):
        left, right = st.columns([4, 1], vertical_alignment="center")
        told = _(
            "{name}, {tier}: {usd} USD per hour, {date}",
            name=price.accelerator,
            tier=_.text(TIER_LABELS[price.tier]) if price.tier in TIER_LABELS else price.tier,
            usd=_.number(price.typical),
            date=_.moment(price.on),
        )
        left.markdown(plain(told))
        right.button(
            _("Remove"),
            key=f"compute:price:remove:{number}",
            type="tertiary",
            icon=":material/delete:",
            on_click=_remove,
            args=(price,),
        )


def _with_prices(venture: Venture, prices: tuple[OwnPrice, ...]) -> Venture:
    plan = venture.compute_plan
    fields = {name: getattr(plan, name) for name in ComputePlan.model_fields}
    with refusing():
        changed = venture.with_compute_plan(ComputePlan(**{**fields, "prices": prices[-MOST_OWN:]}))
    return followed(changed, "prices")


def _added(venture: Venture, new: tuple[OwnPrice, ...]) -> Venture:
    """With new prices in the place of those for the same accelerator, tier and provider."""
    taken = {(price.accelerator, price.tier, price.provider) for price in new}
    kept = tuple(
        price
        for price in venture.compute_plan.prices
        if (price.accelerator, price.tier, price.provider) not in taken
    )
    return _with_prices(venture, (*kept, *new))


def _keep() -> None:
    ws: Workspace = st.session_state["workspace"]
    _ = say()
    values = {key: st.session_state.get(f"compute:price:{key}") for key in ("low", "typical", "high")}
    name, tier = (
        str(st.session_state["compute:price:accelerator"]),
        str(st.session_state["compute:price:tier"]),
    )

    def keep(venture: Venture) -> Venture:
        if values["typical"] is None:
            raise Refusal("A price needs its typical value.")
        row = own_price(name, tier, values["low"], values["typical"], values["high"], today())
        price = OwnPrice(
            accelerator=name, tier=tier, low=row.low, typical=row.typical, high=row.high, on=today()
        )
        return _added(venture, (price,))

    ws.change(keep, _("A price of my own"), place="compute:price")


def _fetch() -> None:
    ws: Workspace = st.session_state["workspace"]
    _ = say()

    def fetched(venture: Venture) -> Venture:
        rows = refreshed_prices(today())
        new = tuple(
            OwnPrice(
                accelerator=row.accelerator,
                tier=row.tier,
                low=row.low,
                typical=row.typical,
                high=row.high,
                on=date.fromisoformat(row.date),
                source=row.source,
            )
            for row in rows
        )
        return _added(venture, new)

    ws.change(fetched, _("Today's prices fetched"), place="compute:price")


def _remove(price: OwnPrice) -> None:
    ws: Workspace = st.session_state["workspace"]
    _ = say()
    ws.change(
        lambda venture: _with_prices(venture, tuple(p for p in venture.compute_plan.prices if p != price)),
        _("A price of my own removed"),
        place="compute:price",
    )


def _drift_typed() -> None:
    ws: Workspace = st.session_state["workspace"]
    _ = say()
    per_year = float(held("compute:drift")) / 100

    def keep(venture: Venture) -> Venture:
        plan = venture.compute_plan
        fields = {name: getattr(plan, name) for name in ComputePlan.model_fields}
        with refusing():
            new = ComputePlan(**{**fields, "drift_per_year": per_year})
        return followed(venture.with_compute_plan(new), "drift")

    ws.change(keep, _("Price drift changed"), place="compute:drift")

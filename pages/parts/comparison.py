"""Two to four scenarios side by side: figures with their differences, and the drivers that differ."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from core.charts.plan import Series
from core.charts.uncertainty import scenarios_chart, scenarios_rows
from core.finance import Metric, metrics, read_unit, said
from core.i18n import Language
from pages.parts.cash_view import Shown
from pages.parts.shell import CHART_BAR, select


def comparison(shown: Sequence[Shown], _: Language) -> None:
    """Every figure of the first scenario, then of each other with its difference from the first."""
    st.subheader(_("Scenarios side by side"))
    names = [f"{number} · {one.name}" for number, one in enumerate(shown, 1)]
    figures = [metrics(one.projection) for one in shown]
    rows = []
    for key, base in figures[0].items():
        row = {_("Figure"): _.text(base.label)}
        for number, (name, one, found) in enumerate(zip(names, shown, figures, strict=True), 1):
            row[name] = said(found[key], one.projection.venture, _)
            if number > 1:
                title = _("Difference ({number} − 1)", number=number)
                row[title] = _difference(base, found[key], one.projection.venture.currency, _)
        rows.append(row)
    st.dataframe(pd.DataFrame(rows), hide_index=True, alt=_("Scenarios side by side"))
    _line(shown, _)
    st.markdown(_("**What differs**"))
    differing = _differing(shown, names, _)
    if differing:
        st.dataframe(pd.DataFrame(differing), hide_index=True, alt=_("Drivers that differ"))
    else:
        st.caption(_("Nothing: these scenarios have the same drivers."))


def _line(shown: Sequence[Shown], _: Language) -> None:
    """A line of the plan that the founder chooses, month by month in all scenarios."""
    base = shown[0].projection
    lines = {line.key: _.text(line.label) for line in base.model.lines.values()}
    key = select(
        _("Line to compare"),
        lines,
        "plan:compared",
        index=list(lines).index("mrr") if "mrr" in lines else 0,
        persist_state="session",
    )
    line = base.model.lines[key if key in lines else next(iter(lines))]
    series = [Series(one.name, one.projection.series(line.key)) for one in shown]
    st.plotly_chart(
        scenarios_chart(series, base.venture.start, line.unit, base.venture, _),
        key="plan:compared:chart",
        config=CHART_BAR,
        alt=_.text(line.label),
    )
    rows = scenarios_rows(series, base.venture.start, line.unit, base.venture, _)
    st.dataframe(pd.DataFrame(rows), hide_index=True, alt=_.text(line.label))


def _differing(shown: Sequence[Shown], names: Sequence[str], _: Language) -> list[dict[str, str]]:
    """The drivers that are not the same in all scenarios, with their amount in each."""
    rows = []
    for drivers in zip(*(one.projection.venture.drivers for one in shown), strict=True):
        if len({driver.amount for driver in drivers}) > 1:
            unit = read_unit(drivers[0].unit, shown[0].projection.venture.currency, _)
            row = {_("Driver"): _.text(drivers[0].label), _("Unit"): unit}
            row |= {name: driver.written() for name, driver in zip(names, drivers, strict=True)}
            rows.append(row)
    return rows


def _difference(first: Metric, other: Metric, currency: str, _: Language) -> str:
    if first.value is None or other.value is None:
        return ""
    change = other.value - first.value
    sign = "+" if change > 0 else ""
    if first.kind == "money":
        return sign + _.money(change, currency)
    if first.kind == "share":
        return _("{sign}{points} points", sign=sign, points=_.number(change * 100, digits=2))
    if first.kind in ("month", "months"):
        return _("{sign}{count} months", sign=sign, count=_.number(change, digits=3))
    return f"{sign}{_.number(change, digits=2)}×"

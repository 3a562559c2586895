"""Accuracy against cost: what was measured, what more would bring, and what of it goes into the plan."""

import streamlit as st

from core.charts.training import tradeoff_chart
from core.finance import metrics, project, said, spoken
from core.i18n import Language, Refusal, Text
from core.training.curve import CONFIDENT, Curve, Family, Measured, families, fit, pareto
from core.venture import Amount, Source
from pages.parts.drivers import source_line
from pages.parts.runs_table import Finished, finished, table
from pages.parts.services import store
from pages.parts.session import Workspace, say, workspace
from pages.parts.shell import plain, select

TARGETS = ("accuracy", "training_run_cost")


def page() -> None:
    """Draw the page."""
    _, ws = say(), workspace()
    st.title(_("Accuracy and cost"))
    st.caption(
        _(
            "Every finished run is a point. What was measured here can replace a guess in your plan with one click."
        )
    )
    runs = finished(store().runs.rows(ws.owner, ws.venture_id, limit=500))
    if not runs:
        st.info(
            _("No run has been finished for this plan yet. One run of a minute is enough to begin."),
            icon=":material/scatter_plot:",
        )
        st.page_link("training.py", label=_("Train a real model"), icon=":material/model_training:")
        return
    points = {run.row.id: Measured.of(run.row.id, run.result) for run in runs}
    left, right = st.columns([3, 2], gap="large")
    with right:
        curve, price, target = _curve(runs, _)
    with left:
        names = [f"{run.row.id[:6]} · {_.text(run.spec.title)}" for run in runs]
        frontier = pareto(list(points.values()))
        st.plotly_chart(
            tradeoff_chart(list(points.values()), names, frontier, curve, price, target, _),
            key="tradeoffs:chart",
            config={"displaylogo": False},
            alt=_("Test accuracy against cost"),
        )
    _take(ws, runs, _)
    st.subheader(_("Finished runs"))
    table(runs, _)


def _curve(runs: list[Finished], _: Language) -> tuple[Curve | None, float, float | None]:
    """The fitted law of the chosen family, the price it is drawn at, and the target accuracy asked for."""
    st.subheader(_("What would more training bring?"))
    found = families((run.row.id, run.spec, run.result) for run in runs)
    ordered = sorted(found, key=lambda family: -len(found[family]))
    labels = {_family(family): family for family in ordered}
    chosen = select(
        _("Runs that differ in size only"),
        {label: f"{label} ({len(found[family])})" for label, family in labels.items()},
        "tradeoffs:family",
    )
    family = labels.get(str(chosen), ordered[0])
    members = {point.run_id for point in found[family]}
    price = next(run.spec.price_per_hour for run in runs if run.row.id in members)
    try:
        curve = fit(found[family])
    except Refusal as refusal:
        st.info(
            plain(_.refusal(refusal))
            + " "
            + _(
                "Train the same network on 2,500, 5,000, 10,000 and 20,000 images, best with three seeds each."
            ),
            icon=":material/rule:",
        )
        return None, price, None
    st.markdown(
        _(
            "error = {a} × FLOP^−{b} · off by {points} points when it predicts its own largest run",
            a=f"{curve.a:.3g}",
            b=f"{curve.b:.3f}",
            points=f"{100 * curve.backtest:.2f}",
        )
    )
    target = (
        st.slider(
            _("Target accuracy (%)"),
            90.0,
            99.9,
            min(99.9, 100 * max(p.accuracy for p in found[family]) + 0.3),
            0.1,
            key="tradeoffs:target",
        )
        / 100
    )
    _reach(curve, target, price, _)
    return curve, price, target


def _family(family: Family) -> str:
    return f"{family.network.upper()} · {family.optimizer} · {family.activation} · {family.loss} · {family.batch_size}"


def _reach(curve: Curve, target: float, price: float, _: Language) -> None:
    try:
        reach = curve.reach(target, price)
    except Refusal as refusal:
        st.warning(plain(_.refusal(refusal)), icon=":material/block:")
        return
    low, middle, high = reach.cost_usd
    st.metric(_("Cost of a run that reaches it"), _.money(middle, "USD"))
    st.caption(
        _("80% interval: {low} to {high}", low=_.money(low, "USD"), high=_.money(high, "USD"))
        if high is not None
        else _("80% interval: from {low}, with no upper end that the data support", low=_.money(low, "USD"))
    )
    if reach.factor > CONFIDENT:
        st.caption(
            _(
                "This is {factor} times the largest run measured: speculation, not a promise.",
                factor=_.number(reach.factor, digits=2),
            )
        )


def _take(ws: Workspace, runs: list[Finished], _: Language) -> None:
    st.subheader(_("Take a measured number into the plan"))
    ids = {run.row.id: run for run in runs}
    best = max(runs, key=lambda run: run.result.test_accuracy or 0.0)
    pick, first, second = st.columns([4, 3, 3], vertical_alignment="bottom")
    chosen = pick.selectbox(
        _("Run"),
        list(ids),
        index=list(ids).index(best.row.id),
        format_func=lambda key: f"{key[:6]} · {_.text(ids[key].spec.title)}",
        key="tradeoffs:run",
    )
    run = ids.get(str(chosen), best)
    accuracy = run.result.test_accuracy or 0.0
    first.button(
        _("Take accuracy {share}", share=plain(_.percent(accuracy, 4))),
        key="tradeoffs:accuracy",
        icon=":material/straighten:",
        width="stretch",
        on_click=_taken,
        args=("accuracy", accuracy, run),
    )
    second.button(
        _("Take cost {money}", money=plain(_.money(run.result.cost_usd, "USD"))),
        key="tradeoffs:cost",
        icon=":material/straighten:",
        width="stretch",
        on_click=_taken,
        args=("training_run_cost", run.result.cost_usd * ws.venture.usd_rate, run),
    )
    st.caption(
        _(
            "The accuracy was measured on MNIST, not on your task: it stands for your model only as far as the demo does."
        )
    )
    _now(ws, _)


def _taken(key: str, value: float, run: Finished) -> None:
    ws, _ = workspace(), say()
    driver = ws.venture.driver(key)
    spec = run.spec.title
    source = Source(
        kind="measured",
        text=Text(
            f"run {run.row.id[:6]}: {spec.en}, on {run.result.device.name}",
            f"训练 {run.row.id[:6]}:{spec.zh},设备 {run.result.device.name}",
        ),
        run=run.row.id,
    )
    before = project(ws.venture)
    ws.change(
        lambda v: v.with_driver(key, Amount.point(value), source),
        _("{driver}: measured", driver=_.text(driver.label)),
        place="tradeoffs",
    )
    st.session_state["tradeoffs:before"] = (key, before)


def _now(ws: Workspace, _: Language) -> None:
    """What the plan holds now, and how the last number taken has moved it."""
    if refusal := ws.refused.get("tradeoffs"):
        st.error(plain(_.refusal(refusal)))
    columns = st.columns(len(TARGETS))
    for column, key in zip(columns, TARGETS, strict=True):
        driver = ws.venture.driver(key)
        with column, st.container(border=True, height="stretch"):
            st.metric(
                _.text(driver.label),
                spoken(driver.amount.median, driver.unit, ws.venture.currency, _, digits=4),
            )
            st.caption(source_line(driver.source, _))
    held = st.session_state.get("tradeoffs:before")
    if held and held[1].venture.name == ws.venture.name:
        before, after = held[1], project(ws.venture)
        change = after.at("cash", after.months) - before.at("cash", before.months)
        zero = said(metrics(after)["cash_zero"], ws.venture, _)
        st.success(
            _(
                "The plan follows: cash in month {months} changes by {change}; cash runs out: {zero}.",
                months=after.months,
                change=plain(("+" if change > 0 else "") + _.money(change, ws.venture.currency)),
                zero=zero,
            ),
            icon=":material/trending_flat:",
        )


page()

"""Accuracy against cost: what was measured, what more would bring, and what of it goes into the plan."""

import streamlit as st

from core.charts.theme import escaped
from core.charts.training import number_chart, tradeoff_chart
from core.finance import metrics, project, said, spoken
from core.i18n import Language, Refusal, Text
from core.training.curve import CONFIDENT, Curve
from core.training.decision import bought
from core.training.points import Measured, pareto
from core.venture import Amount, Source
from pages.parts.decision import decision_section
from pages.parts.drivers import source_line
from pages.parts.learning_curve import Chosen, choose_curve, curve_section
from pages.parts.real_thing import real_thing
from pages.parts.runs_table import Finished, table, tested
from pages.parts.services import store
from pages.parts.session import Workspace, say, workspace
from pages.parts.shell import plain, select
from pages.parts.value import value_section

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
    every = tested(store().runs.rows(ws.owner, ws.venture_id, limit=500))
    if not every:
        st.info(
            _("No run has been finished for this plan yet. One run of a minute is enough to begin."),
            icon=":material/scatter_plot:",
        )
        st.page_link("training.py", label=_("Train a real model"), icon=":material/model_training:")
        return
    runs = _of_one_data_set(every, _)
    if runs[0].spec.data.task == "number":
        _numbers(ws, runs, _)
    else:
        _classes(ws, runs, _)
    st.subheader(_("Finished runs"))
    table(runs, _)


def _of_one_data_set(runs: list[Finished], _: Language) -> list[Finished]:
    """The runs on one data set, which the founder chooses where there are several: accuracies on different
    tasks say nothing of each other."""
    groups: dict[str, list[Finished]] = {}
    for run in runs:
        groups.setdefault(run.spec.own.id if run.spec.own else run.spec.dataset, []).append(run)
    if len(groups) == 1:
        return runs
    names = {key: f"{_.text(held[0].spec.data.label)} ({len(held)})" for key, held in groups.items()}
    return groups[select(_("Data set of the runs"), names, "tradeoffs:data") or next(iter(groups))]


def _names(runs: list[Finished], _: Language) -> list[str]:
    return [escaped(f"{run.row.id[:6]} · {_.text(run.spec.title)}") for run in runs]


def _numbers(ws: Workspace, runs: list[Finished], _: Language) -> None:
    """Runs that predict a number: how much of it they explain, against cost. They have no accuracy."""
    told = [run for run in runs if run.result.test_r2 is not None]
    if told:
        st.plotly_chart(
            number_chart(
                [run.result.cost_usd for run in told],
                [run.result.test_r2 or 0.0 for run in told],
                [run.result.test_rmse or 0.0 for run in told],
                _names(told, _),
                _,
            ),
            key="tradeoffs:numbers",
            config={"displaylogo": False},
            alt=_("Variation explained against cost"),
        )
    st.caption(
        _("These runs predict a number, so they have no accuracy and no learning curve of it is drawn.")
    )
    if runs[0].spec.own is not None:
        _take(ws, runs, _)


def _classes(ws: Workspace, runs: list[Finished], _: Language) -> None:
    """Runs that tell classes apart: accuracy against cost, and what more of it would take."""
    points = [Measured.of(run.row.id, run.spec, run.result) for run in runs]
    left, right = st.columns([3, 2], gap="large")
    with right:
        chosen = choose_curve(runs, _)
        target = _target(chosen, _)
    with left:
        price = chosen.spec.price_per_hour
        st.plotly_chart(
            tradeoff_chart(points, _names(runs, _), pareto(points), chosen.curve, price, target, _),
            key="tradeoffs:chart",
            config={"displaylogo": False},
            alt=_("Test accuracy against cost"),
        )
    curve_section(chosen, _)
    decision_section(ws, runs, chosen, _)
    value_section(ws, runs, chosen, _)
    real_thing(ws, chosen, _)
    _take(ws, runs, _)


def _target(chosen: Chosen, _: Language) -> float | None:
    """The accuracy asked for, and what it takes; None where there is no curve to ask."""
    if chosen.curve is None:
        return None
    best = max(point.accuracy for point in chosen.points)
    target = (
        st.slider(
            _("Target accuracy (%)"),
            50.0,
            99.9,
            max(50.0, min(99.9, 100 * best + 0.3)),
            0.1,
            key="tradeoffs:target",
        )
        / 100
    )
    _reach(chosen.curve, target, chosen.spec.price_per_hour, chosen.spec.data.train_images, _)
    return target


def _reach(curve: Curve, target: float, price: float, available: int, _: Language) -> None:
    try:
        reach = curve.reach(target, price)
    except Refusal as refusal:
        st.warning(plain(_.refusal(refusal)), icon=":material/block:")
        return
    low, middle, high = reach.cost_usd
    st.metric(_("Cost of a run that reaches it"), _.money(middle, "USD"))
    st.caption(
        plain(
            _("80% interval: {low} to {high}", low=_.money(low, "USD"), high=_.money(high, "USD"))
            if high is not None
            else _(
                "80% interval: from {low}, with no upper end that the data support", low=_.money(low, "USD")
            )
        )
    )
    if more := bought(curve, reach.size[1], available):
        st.caption(
            _(
                "It takes {size} training examples, {more} more than there are; what those cost comes on top.",
                size=_.number(reach.size[1]),
                more=_.number(more),
            )
        )
    if reach.factor > CONFIDENT:
        st.caption(
            _(
                "This is {factor} times the largest run measured: uncertain, not a promise.",
                factor=_.number(reach.factor, digits=2),
            )
        )


def _take(ws: Workspace, runs: list[Finished], _: Language) -> None:
    st.subheader(_("Take a measured number into the plan"))
    best = max(runs, key=lambda run: run.result.test_accuracy or run.result.test_r2 or 0.0)
    ids = {run.row.id: run for run in [best, *runs]}
    pick, first, second = st.columns([4, 3, 3], vertical_alignment="bottom")
    with pick:
        chosen = select(
            _("Run"),
            {key: f"{key[:6]} · {_.text(run.spec.title)}" for key, run in ids.items()},
            "tradeoffs:run",
        )
    run = ids.get(str(chosen), best)
    accuracy = run.result.test_accuracy
    if accuracy is not None:
        first.button(
            _("Take accuracy {share}", share=plain(_.percent(accuracy, 4))),
            key="tradeoffs:accuracy",
            icon=":material/straighten:",
            width="stretch",
            on_click=_taken,
            args=("accuracy", accuracy, run),
        )
    if run.spec.own is not None:
        second.button(
            _("Take cost {money}", money=plain(_.money(run.result.cost_usd, "USD"))),
            key="tradeoffs:cost",
            icon=":material/straighten:",
            width="stretch",
            on_click=_taken,
            args=("training_run_cost", run.result.cost_usd * ws.venture.usd_rate, run),
        )
        st.caption(_("Measured on your own data, with the network and on the device of the run."))
    else:
        st.caption(
            plain(
                _(
                    "The accuracy was measured on {data}, not on your task: it stands for your model only as far as the demo does. What the demo cost is not what your model costs, so only the estimate above goes into the plan.",
                    data=_.text(run.spec.data.label),
                )
            )
        )
    if len(runs) > 1:
        st.caption(
            _(
                "A run that is taken because it did best of {count} on the same test examples looks a little better than it is: some of that was luck.",
                count=len(runs),
            )
        )
    _now(ws, _)


def _taken(key: str, value: float, run: Finished) -> None:
    ws, _ = workspace(), say()
    driver = ws.venture.driver(key)
    spec = run.spec.public_title  # the plan, and its sources with it, can be shared
    source = Source(
        kind="measured",
        text=Text(
            f"run {run.row.id[:6]}: {spec.en}, on {run.result.device.name}",
            f"训练 {run.row.id[:6]}:{spec.zh},设备 {run.result.device.name}",
        ),
        run=run.row.id,
    )
    before = project(ws.venture)
    taken = ws.change(
        lambda v: v.with_driver(key, Amount.point(value), source),
        _("{driver}: measured", driver=_.text(driver.label)),
        place="tradeoffs",
    )
    if taken:
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

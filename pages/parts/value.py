"""What accuracy is worth: what the founder says of it, the best accuracy to buy, and one click into the plan."""

from dataclasses import dataclass
from functools import partial

import pandas as pd
import streamlit as st

from core.charts.value import value_chart
from core.finance import project
from core.finance.value import EFFECTS, affected, effect, profit, with_accuracy, with_effect, worth
from core.i18n import Language, Text
from core.training.curve import Curve
from core.training.decision import paid
from core.training.optimum import NextPoint, Optimum, Paid, next_point, optimum
from core.training.points import Measured, pareto, usd_per_point
from core.venture import Amount, Source, Venture
from pages.parts.decision import IMAGE_PRICE, stands_for
from pages.parts.fields import field, held
from pages.parts.learning_curve import Chosen
from pages.parts.real_thing import keep_task_accuracy, planned_dollars, task_accuracy
from pages.parts.runs_table import Finished
from pages.parts.session import Workspace, say, workspace
from pages.parts.shell import plain

SAME_SHARE = 1e-6
"""A range of accuracy that is narrower is a point."""


def value_section(ws: Workspace, runs: list[Finished], chosen: Chosen, _: Language) -> None:
    """The four effects, and what the chosen runs make of them."""
    st.subheader(_("What accuracy is worth"))
    st.caption(
        _(
            "What does one more point of accuracy change in your business? Say it in percent; leave what you do not know at 0."
        )
    )
    for column, key in zip(st.columns(len(EFFECTS), vertical_alignment="bottom"), EFFECTS, strict=True):
        with column:
            _effect_field(ws, key, _)
    if chosen.curve is None:
        st.caption(
            _("The best accuracy to buy is shown once four sizes of training have been measured, see above.")
        )
    else:
        part = stands_for(ws.venture, chosen)
        if part is None:
            _best(ws, chosen, _Bought(chosen.curve, _measured(chosen, chosen.curve), planned=False), _)
        else:
            _best(ws, chosen, _planned(ws, part, chosen.curve), _)
        st.caption(plain(_whose_costs(ws.venture, part, _)))
    _frontier(runs, _)


@dataclass(frozen=True)
class _Bought:
    """What accuracy is bought: by which curve, what a size of it costs in USD, and whether it is that of the
    model that the founder ``planned`` or that of these runs."""

    curve: Curve
    usd: Paid
    planned: bool


def _measured(chosen: Chosen, curve: Curve) -> Paid:
    """USD of one of these runs, of a size, with the examples that must be bought for it."""
    return partial(
        paid,
        curve,
        price_per_hour=chosen.spec.price_per_hour,
        image_price=float(st.session_state.get("tradeoffs:image_price", IMAGE_PRICE)),
        available=chosen.spec.data.train_images,
    )


def _planned(ws: Workspace, part: str, curve: Curve) -> _Bought:
    """The model that the founder plans, where a demo stands for it.

    Its accuracy of today stands for that of the demo's largest run, and its run of today for that run. A run
    of today is in the plan already, as often as the plan trains: a larger one costs what it costs more.
    """
    venture = ws.venture
    runs, today = _runs(venture), planned_dollars(venture, part, 1.0)

    def usd(size: float) -> float:
        return runs * (planned_dollars(venture, part, size / curve.largest) - today)

    return _Bought(curve.carried_over(task_accuracy(ws)), usd, planned=True)


def _runs(venture: Venture) -> float:
    """How often the plan trains within its months; once at the least, or nothing would be bought."""
    key = "training_runs_per_month"
    each = venture.driver(key).amount.median if venture.has_driver(key) else 0.0
    return max(1.0, each * venture.horizon_months)


def _whose_costs(venture: Venture, part: str | None, _: Language) -> str:
    if part is None:
        return _(
            "The cost is that of one of the measured runs and of the examples to buy for it, not of training another model. The band is what the runs leave open, not what may be wrong in what you say above."
        )
    return _(
        "From the accuracy of your task today the error falls as that of the demo does. The cost is what training the model you plan on more data costs beyond its training of today, as the compute page estimates it (training runs in {months} months: {runs}). The data themselves come on top. The band is what the runs leave open, not what may be wrong in what you say above.",
        months=venture.horizon_months,
        runs=_.number(_runs(venture), digits=2),
    )


def _effect_field(ws: Workspace, key: str, _: Language) -> None:
    labels = {
        "conversion_per_point": _("Conversion (% per point)"),
        "churn_per_point": _("Churn (% per point)"),
        "price_per_point": _("Price (% per point)"),
        "review_per_point": _("Human review (% per point)"),
    }
    helps = {
        "conversion_per_point": _(
            "At 2, a point more of accuracy makes 102 customers of the visitors who were 100, for the same money."
        ),
        "churn_per_point": _("At −3, a point more of accuracy makes a monthly churn of 5% one of 4.85%."),
        "price_per_point": _("At 1, a point more of accuracy lets you charge 101 for what was 100."),
        "review_per_point": _(
            "At −5, a point more of accuracy makes 95 hours of the people who check of 100."
        ),
    }
    place = f"value:{key}"
    now = round(100 * effect(ws.venture, key), 6)
    ws.follow(place, now)
    acts_on = ", ".join(_.text(ws.venture.driver(driver).label) for driver in affected(ws.venture, key))
    st.number_input(
        labels[key],
        min(-50.0, now),
        max(50.0, now),
        step=0.5,
        format="%.2f",
        help=helps[key] + " " + plain(_("It acts on: {drivers}.", drivers=acts_on)),
        **field(place, _said, place, key),
    )
    if refusal := ws.refused.get(place):
        st.error(plain(_.refusal(refusal)))


def _said(place: str, key: str) -> None:
    ws, _ = workspace(), say()
    share = float(held(place)) / 100
    ws.change(
        lambda venture: with_effect(venture, key, share),
        _("what a point of accuracy does: {percent}", percent=_.percent(share, 3)),
        place=place,
    )


def _best(ws: Workspace, chosen: Chosen, bought: _Bought, _: Language) -> None:
    """The chart, its sentence, the price of the next point, and the click into the plan."""
    venture, curve = ws.venture, bought.curve
    found = optimum(curve, partial(profit, venture), bought.usd)
    if found is None:
        st.info(
            _(
                "Your plan does not say what accuracy is worth yet. Say above what a point of it does to conversion, churn, price or human review."
            ),
            icon=":material/help:",
        )
    else:
        now = venture.driver("accuracy").amount.median
        st.plotly_chart(
            value_chart(found, now, venture.horizon_months, _),
            key="value:chart",
            config={"displaylogo": False},
            alt=_("Gain over accuracy, after its cost"),
        )
        with st.container(border=True):
            st.markdown(f":material/star: {plain(_sentence(found, now, venture, _))}")
            low, high = curve.accuracy_between(float(found.sizes[found.best]))
            st.button(
                _(
                    "Take accuracy {share} into the plan",
                    share=plain(_.percent(float(found.accuracy[found.best]), 3)),
                ),
                key="value:take",
                icon=":material/calculate:",
                type="primary",
                on_click=_taken,
                args=(low, high, len(chosen.points), bought.planned),
                help=_(
                    "As a range with 90% probability, together with all numbers that it moves; one undo brings everything back."
                ),
            )
            st.caption(
                plain(
                    _(
                        "The cost of {cost} does not go into the plan with it: add it there to what training costs, or as a line of your own.",
                        cost=_.money(float(found.cost[found.best]), "USD"),
                    )
                )
            )
    if point := next_point(curve, bought.usd):
        st.markdown(plain(_next(point, bought.planned, venture, _)))


def _sentence(found: Optimum, now: float, venture: Venture, _: Language) -> str:
    values: dict[str, object] = {
        "best": _.percent(float(found.accuracy[found.best]), 3),
        "low": _.percent(float(found.accuracy[found.low]), 3),
        "high": _.percent(float(found.accuracy[found.high]), 3),
        "gain": _.money(float(found.gain.mid[found.best]), "USD"),
        "least": _.money(float(found.gain.low[found.best]), "USD"),
        "most": _.money(float(found.gain.high[found.best]), "USD"),
        "cost": _.money(float(found.cost[found.best]), "USD"),
        "months": venture.horizon_months,
        "now": _.percent(now, 3),
    }
    if found.gain.mid[found.best] <= 0:
        return _(
            "None of the accuracies within reach of these runs beats the {now} that your plan counts on today. The best of them is {best}: over {months} months it changes cash by {gain} (80% interval {least} to {most}), after a cost of {cost}.",
            **values,
        )
    if found.at_edge:
        return _(
            "More accuracy pays as far as these runs reach: {best}, at ten times the largest run and uncertain, is the most that they support. Against the {now} of your plan it gains {gain} over {months} months (80% interval {least} to {most}), after a cost of {cost}.",
            **values,
        )
    return _(
        "The best accuracy to buy is {best} (80% range {low} to {high}). Against the {now} of your plan it gains {gain} over {months} months (80% interval {least} to {most}), after a cost of {cost}.",
        **values,
    )


def _next(point: NextPoint, planned: bool, venture: Venture, _: Language) -> str:
    values: dict[str, object] = {
        "now": _.percent(point.now, 3),
        "then": _.percent(point.now + point.step, 3),
        "paid": _.money(point.mid, "USD"),
        "low": _.money(point.low, "USD"),
        "worth": _.money(worth(venture, point.now, point.now + point.step), "USD"),
    }
    if planned and point.high is None:
        return _(
            "The next step of accuracy, from {now} to {then}, costs {paid} more than the training you plan today (80% interval from {low}, with no upper end that the data support); in your plan it is worth {worth}.",
            **values,
        )
    if planned:
        return _(
            "The next step of accuracy, from {now} to {then}, costs {paid} more than the training you plan today (80% interval {low} to {high}); in your plan it is worth {worth}.",
            high=_.money(point.high or 0.0, "USD"),
            **values,
        )
    if point.high is None:
        return _(
            "The next step of accuracy, from {now} to {then}, costs {paid} more than your largest run (80% interval from {low}, with no upper end that the data support); in your plan it is worth {worth}.",
            **values,
        )
    return _(
        "The next step of accuracy, from {now} to {then}, costs {paid} more than your largest run (80% interval {low} to {high}); in your plan it is worth {worth}.",
        high=_.money(point.high, "USD"),
        **values,
    )


def _frontier(runs: list[Finished], _: Language) -> None:
    """What each further point cost along the runs that no other beats."""
    front = pareto([Measured.of(run.row.id, run.spec, run.result) for run in runs])
    if len(front) < 2:
        return
    titles = {run.row.id: _.text(run.spec.title) for run in runs}
    rows = [
        {
            "run": f"{run.run_id[:6]} · {titles[run.run_id]}",
            "accuracy": run.accuracy,
            "cost": run.cost_usd,
            "further": further,
        }
        for run, further in zip(front, usd_per_point(front), strict=True)
    ]
    number = st.column_config.NumberColumn
    with st.expander(_("What each further point cost along the Pareto frontier"), icon=":material/stairs:"):
        st.dataframe(
            pd.DataFrame(rows),
            hide_index=True,
            column_config={
                "run": _("Run"),
                "accuracy": number(_("Test accuracy (%)"), format="percent"),
                "cost": number(_("Cost (USD)"), format="%.6f"),
                "further": number(_("USD per further point"), format="%.6f"),
            },
            alt=_("Pareto frontier with the cost of each further point"),
        )


def _taken(low: float, high: float, count: int, planned: bool) -> None:
    """Accuracy and what it moves, in one change."""
    ws, _ = workspace(), say()
    driver = ws.venture.driver("accuracy")
    text = (
        Text(
            f"from today, the fall of the error in {count} measured runs of a demo",
            f"从目前的准确率出发，按 {count} 次演示训练实测的错误率降幅推算",
        )
        if planned
        else Text(f"curve through {count} measured runs", f"{count} 次实测训练拟合的曲线")
    )
    if planned:
        # The plan now counts on what is to be bought; where the task stands today does not move with it.
        keep_task_accuracy(ws)
    # Where nothing is bought there is no doubt: the accuracy is that of today.
    amount = Amount.interval(low, high, driver.distribution) if high - low > SAME_SHARE else Amount.point(low)
    source = Source(kind="estimated", text=text)
    before = project(ws.venture)
    taken = ws.change(
        lambda v: with_accuracy(v, amount, source),
        _("{driver}: the best to buy", driver=_.text(driver.label)),
        place="tradeoffs",
    )
    if taken:
        st.session_state["tradeoffs:before"] = ("accuracy", before)

"""Train more, buy data, or stop: one plain sentence with its numbers, and one click into the plan."""

from functools import partial

import streamlit as st

from core.finance import project
from core.finance.value import worth as worth_in
from core.i18n import Language, Refusal, Text
from core.training.curve import Curve, fit
from core.training.decision import FACTOR, POINT, Action, Decision, Step, Worth, decide, steps, tells_apart
from core.training.points import By, Measured, families
from core.venture import Amount, Source, Venture
from pages.parts.learning_curve import Chosen
from pages.parts.real_thing import keep_task_accuracy, known_part, task_accuracy
from pages.parts.runs_table import Finished
from pages.parts.session import Workspace, say, workspace
from pages.parts.shell import plain

IMAGE_PRICE = 0.08
"""USD to have one more example labelled; Amazon SageMaker Ground Truth, list price of an object for the first
50,000 a month, what people are paid who label it not included, aws.amazon.com/sagemaker/groundtruth/pricing,
2024."""

ICONS: dict[Action, str] = {
    "train": ":material/model_training:",
    "buy": ":material/database:",
    "stop": ":material/front_hand:",
    "unpriced": ":material/help:",
}


def decision_section(ws: Workspace, runs: list[Finished], chosen: Chosen, _: Language) -> None:
    """What to do next with these runs, as far as their curves and the plan say."""
    data, compute, points = _both(runs, chosen)
    if data is None and (compute is None or not tells_apart(points)):
        return
    st.subheader(_("Train more, buy data, or stop?"))
    own = chosen.spec.own is not None
    bought = data is not None and stands_for(ws.venture, chosen) is None
    image_price = _image_price(_) if bought else 0.0
    found = steps(
        data, compute, points, chosen.spec.price_per_hour, image_price, chosen.spec.data.train_images
    )
    worth = partial(worth_in, ws.venture)
    decision = decide(found, worth)
    with st.container(border=True):
        if own:
            st.markdown(f"{ICONS[decision.action]} {plain(sentence(decision, ws.venture, _))}")
            st.caption(plain(_remark(decision, ws.venture, worth, _)))
        else:
            _demo(decision.step, bought, ws.venture, worth, _.text(chosen.spec.data.label), _)
        if decision.step.by == chosen.by and chosen.curve is not None:
            planned = stands_for(ws.venture, chosen) is not None
            _take(decision, chosen, chosen.curve, planned, ws, _)
    if compute is not None and not tells_apart(points):
        st.caption(
            _(
                "All these runs have the same epochs, so they cannot tell whether longer training would pay; runs with other epochs on the same examples would."
            )
        )


def stands_for(venture: Venture, chosen: Chosen) -> str | None:
    """The training that the founder plans and that runs on built-in data stand for; None if these runs, and
    the examples bought for them, are to be priced as what they are."""
    return known_part(venture) if chosen.spec.own is None else None


def _image_price(_: Language) -> float:
    return st.number_input(
        _("Price of one more labelled example (USD)"),
        0.0,
        10_000.0,
        IMAGE_PRICE,
        format="%.3f",
        key="tradeoffs:image_price",
        help=_(
            "Amazon SageMaker Ground Truth charges $0.08 for a labelled picture or text (list price, 2024); who labels it is paid on top. Type your own; the examples that are there already cost nothing."
        ),
        persist_state="session",
    )


def _demo(step: Step, priced: bool, venture: Venture, worth: Worth, data: str, _: Language) -> None:
    """What the demo's next step would bring; its cost, with the examples to buy for it where they are
    ``priced``, is not held against the plan's money."""
    values: dict[str, object] = {
        "data": data,
        "now": _.percent(step.now, 3),
        "then": _.percent(step.mid, 3),
        "low": _.percent(step.low, 3),
        "high": _.percent(step.high, 3),
    }
    told = (
        _(
            "On {data}, twice the training data should raise accuracy from {now} to {then} (80% interval {low} to {high}).",
            **values,
        )
        if step.by == "data"
        else _(
            "On {data}, twice the compute should raise accuracy from {now} to {then} (80% interval {low} to {high}).",
            **values,
        )
    )
    st.markdown(f":material/labs: {plain(told)}")
    point = worth(step.now, step.now + POINT)
    st.markdown(
        plain(
            _(
                "One more point of accuracy is worth {money} in your plan over {months} months.",
                money=_.money(point, "USD"),
                months=venture.horizon_months,
            )
            if point
            else _("One point of accuracy is worth nothing in your plan as it stands.")
        )
    )
    paid = _.money(step.cost_usd, "USD")
    st.caption(
        plain(
            _(
                "That run, and the {bought} examples to buy for it at that price, cost {paid}: what the demo costs, not what your model costs, so the two are not set against each other. What your planned model costs stands below, under “From the demo to the real thing”.",
                bought=f"{step.bought:,}",
                paid=paid,
            )
            if step.bought and priced
            else _(
                "That run costs {paid}: what the demo costs, not what your model costs, so the two are not set against each other. What your planned model costs stands below, under “From the demo to the real thing”.",
                paid=paid,
            )
        )
    )


def _both(runs: list[Finished], chosen: Chosen) -> tuple[Curve | None, Curve | None, list[Measured]]:
    """The curves of the chosen settings against data and against compute, and the runs behind the latter."""
    triples = [(run.row.id, run.spec, run.result) for run in runs]
    curves: dict[By, Curve | None] = {}
    held: dict[By, list[Measured]] = {}
    by: By
    for by in ("data", "compute"):
        alike = [
            members
            for family, members in families(triples, by).items()
            if (family.settings, family.device) == (chosen.family.settings, chosen.family.device)
        ]
        held[by] = chosen.points if by == chosen.by else max(alike, key=len)
        try:
            curves[by] = fit(held[by], by)
        except Refusal:
            curves[by] = None
    return curves["data"], curves["compute"], held["compute"]


def sentence(decision: Decision, venture: Venture, _: Language) -> str:
    """What to do next, with its numbers."""
    step = decision.step
    values: dict[str, object] = {
        "now": _.percent(step.now, 3),
        "then": _.percent(step.mid, 3),
        "low": _.percent(step.low, 3),
        "high": _.percent(step.high, 3),
        "gain": _.money(decision.gain[1], "USD"),
        "months": venture.horizon_months,
        "paid": _.money(step.cost_usd, "USD"),
    }
    match decision.action:
        case "buy" if step.bought:
            return _(
                "Buy data: with {images} training examples, {bought} of them new, accuracy should rise from {now} to {then} (80% interval {low} to {high}). In your plan that is worth {gain} over {months} months, and it costs {paid}.",
                images=f"{step.size:,.0f}",
                bought=f"{step.bought:,}",
                **values,
            )
        case "buy":
            return _(
                "Train on more of the data that is there: with {images} training examples accuracy should rise from {now} to {then} (80% interval {low} to {high}). In your plan that is worth {gain} over {months} months, and it costs {paid}.",
                images=f"{step.size:,.0f}",
                **values,
            )
        case "train":
            return _(
                "Train more: with twice the compute accuracy should rise from {now} to {then} (80% interval {low} to {high}). In your plan that is worth {gain} over {months} months, and it costs {paid}.",
                **values,
            )
        case "unpriced" if not venture.has_driver("error_cost"):
            return _(
                "Your plan does not say what accuracy is worth, so it cannot say whether more of it pays. Twice as much should raise accuracy from {now} to {then} (80% interval {low} to {high}) and costs {paid}. Say below what a point of accuracy does to conversion, churn, price or human review.",
                **values,
            )
        case "unpriced":
            return _(
                "Your plan does not say what a wrong answer costs, so it cannot say whether more accuracy pays. Twice as much should raise accuracy from {now} to {then} (80% interval {low} to {high}) and costs {paid}. Give “{driver}” a value on the plan page.",
                driver=_.text(venture.driver("error_cost").label),
                **values,
            )
        case _:
            return _(
                "Stop here: twice as much should raise accuracy from {now} to {then} (80% interval {low} to {high}); in your plan that is worth {gain} over {months} months, less than the {paid} it costs.",
                **values,
            )


def _remark(decision: Decision, venture: Venture, worth: Worth, _: Language) -> str:
    """What a point is worth, and how sure the advice is."""
    point = worth(decision.step.now, decision.step.now + POINT)
    worth_said = _.money(point, "USD")
    if decision.action == "unpriced":
        return _("One point of accuracy is worth nothing in your plan as it stands.")
    if decision.action == "stop":
        return _(
            "One more point of accuracy is worth {money} in your plan over {months} months.",
            money=worth_said,
            months=venture.horizon_months,
        )
    if decision.sure:
        return _(
            "One more point of accuracy is worth {money} in your plan over {months} months. It pays even at the low end of the interval.",
            money=worth_said,
            months=venture.horizon_months,
        )
    return _(
        "One more point of accuracy is worth {money} in your plan over {months} months. At the low end of the interval it would not pay.",
        money=worth_said,
        months=venture.horizon_months,
    )


def _take(
    decision: Decision, chosen: Chosen, curve: Curve, planned: bool, ws: Workspace, _: Language
) -> None:
    """The accuracy of the step into the plan; of the founder's own task where a demo stands for it."""
    shown = curve.carried_over(task_accuracy(ws)) if planned else curve
    low, high = shown.accuracy_between(decision.step.size)
    ends = {"low": plain(_.percent(low, 3)), "high": plain(_.percent(high, 3))}
    st.button(
        _("Take the expected accuracy of your task, {low} to {high}", **ends)
        if planned
        else _("Take the expected accuracy {low} to {high}", **ends),
        key="tradeoffs:expected",
        icon=":material/calculate:",
        on_click=_taken,
        args=(low, high, len(chosen.points), planned),
        help=_(
            "The accuracy of your task today, with the measured fall of the error applied to it. As a range with 90% probability, marked as estimated from measured runs."
        )
        if planned
        else _("As a range with 90% probability, marked as estimated from measured runs."),
    )


def _taken(low: float, high: float, count: int, planned: bool) -> None:
    ws, _ = workspace(), say()
    driver = ws.venture.driver("accuracy")
    if planned:
        keep_task_accuracy(ws)
    source = Source(
        kind="estimated",
        text=Text(
            f"from today, the fall of the error in {count} measured runs of a demo, at {FACTOR:g}× the largest",
            f"从目前的准确率出发，按 {count} 次演示训练实测的错误率降幅推算，外推到最大训练的 {FACTOR:g} 倍",
        )
        if planned
        else Text(
            f"curve through {count} measured runs, at {FACTOR:g}× the largest",
            f"{count} 次实测训练拟合的曲线，外推到最大训练的 {FACTOR:g} 倍",
        ),
    )
    before = project(ws.venture)
    taken = ws.change(
        lambda v: v.with_driver("accuracy", Amount.interval(low, high, driver.distribution), source),
        _("{driver}: expected of the next run", driver=_.text(driver.label)),
        place="tradeoffs",
    )
    if taken:
        st.session_state["tradeoffs:before"] = ("accuracy", before)

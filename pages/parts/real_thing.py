"""From the demo to the real thing: the measured fall of the error beside the estimated cost of the planned model.

The curve says which share of an error twice the data takes away; the estimator says what training the
founder's own model costs, today and with twice the data. Neither knows of the other: the one is
measured on the runs of this page, the other estimated, and every column says which it is.
"""

from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
import streamlit as st

from core.compute import (
    Band,
    Finding,
    estimate_finetuning,
    estimate_training,
    finetuning_findings,
    training_findings,
)
from core.i18n import Language, Refusal, Text
from core.training.curve import Curve, Zone
from core.training.transfer import Transfer, transfers
from core.venture import FinetunePlan, TrainingPlan, Venture
from pages.parts.compute_figures import money_of
from pages.parts.compute_link import finetune_plan, linked, own_prices, take, training_plan
from pages.parts.fields import field, held, put
from pages.parts.learning_curve import Chosen
from pages.parts.session import Workspace
from pages.parts.shell import plain

COST = "training_run_cost"
LEAST_TASK = 0.1
"""The least accuracy of one's own task today that can be typed, in percent."""

PARTS = ("training", "finetune")
TRUST: dict[Zone, Text] = {
    "measured": Text(en="measured", zh="实测"),
    "confident": Text(en="has a record (up to 3×)", zh="有实测依据（3 倍以内）"),
    "uncertain": Text(en="uncertain (3 to 10×)", zh="不确定（3 至 10 倍）"),
    "speculation": Text(en="speculation (over 10×)", zh="推测（超过 10 倍）"),
}


@dataclass(frozen=True)
class _Planned:
    """The planned run at a multiple of its data: USD with its experiments, what the plan's driver would
    say of it, and why it does not fit its accelerators, if it does not."""

    dollars: Band
    finding: Finding
    problem: Refusal | None


def real_thing(ws: Workspace, chosen: Chosen, _: Language) -> None:
    """Draw the section."""
    st.subheader(_("From the demo to the real thing"))
    st.caption(
        _(
            "How fast an error falls is measured in your runs; what training your planned model costs is estimated from the compute page. Every column says which it is."
        )
    )
    if chosen.curve is None:
        st.caption(_("There is nothing to scale yet: as soon as the curve above stands, it is scaled here."))
        return
    part = _part(ws, _)
    if part is None:
        return
    try:
        _section(ws, chosen, chosen.curve, part, _)
    except Refusal as refusal:
        st.warning(plain(_.refusal(refusal)), icon=":material/block:")


def _part(ws: Workspace, _: Language) -> str | None:
    """Which training of the compute page is the founder's; None where none is planned and none is chosen."""
    plan = ws.venture.compute_plan
    known = known_part(ws.venture)
    if known is None:
        st.info(
            _(
                "Your plan has no training of its own yet. If you buy answers from an API, more training data has no price here; if you train or tune a model, describe it on the compute page, or look at what stands there."
            ),
            icon=":material/memory:",
        )
    model = plan.training.model or _(
        "{size}B parameters",
        size=_.number((plan.training.active_parameters or plan.training.parameters) / 1e9),
    )
    names = {
        "training": _(
            "Train a model: {model} on {tokens}B tokens",
            model=model,
            tokens=_.number(plan.training.tokens / 1e9),
        ),
        "finetune": _(
            "Tune a model: {model} on {examples} examples",
            model=plan.finetune.model,
            examples=_.number(plan.finetune.examples),
        ),
    }
    part = st.radio(
        _("The model you plan"),
        PARTS,
        index=None if known is None else PARTS.index(known),
        format_func=lambda key: plain(names[key]),
        key="tradeoffs:planned",
        persist_state="session",
    )
    st.page_link(
        "compute.py", label=_("Describe the model you plan on the compute page"), icon=":material/memory:"
    )
    return part


def known_part(venture: Venture) -> str | None:
    """The training that the plan follows, else the one that has been described; the page's defaults are nobody's."""
    plan = venture.compute_plan
    for part in PARTS:
        if COST in linked(venture, part):
            return part
    if plan.training != TrainingPlan():
        return "training"
    return "finetune" if plan.finetune != FinetunePlan() else None


def planned_dollars(venture: Venture, part: str, factor: float) -> float:
    """USD of the planned run on ``factor`` times its data, experiments included: the middle estimate."""
    return _planned(venture, part, factor).dollars.p50


def _section(ws: Workspace, chosen: Chosen, curve: Curve, part: str, _: Language) -> None:
    found = transfers(curve)
    costs = [_planned(ws.venture, part, factor) for factor in (1.0, *(step.factor for step in found))]
    now = _accuracy_now(ws, _)
    st.markdown(plain(_sentence(ws, chosen, found[0], costs[:2], _)))
    st.dataframe(
        _frame(ws, found, costs, now, _),
        hide_index=True,
        column_config=_columns(chosen, part, _),
        alt=_("What more data or compute brings and costs for the planned model"),
    )
    if costs[0].problem:
        st.warning(plain(_.refusal(costs[0].problem)), icon=":material/error:")
    _limits(chosen, curve, costs[0], _)
    _take(ws, part, costs[0], _)


def _task(ws: Workspace) -> str:
    """The key of the field of that accuracy: each plan has a task of its own."""
    return f"tradeoffs:task_accuracy:{ws.venture_id}"


def task_accuracy(ws: Workspace) -> float:
    """The accuracy of the founder's own task today: as typed in this section, else the plan's."""
    typed: float | None = held(_task(ws))
    return min(ws.venture.driver("accuracy").amount.median, 0.9999) if typed is None else typed / 100


def keep_task_accuracy(ws: Workspace) -> None:
    """Let the field hold the accuracy of today, whatever the plan counts on from now on."""
    put(_task(ws), max(LEAST_TASK, round(100 * task_accuracy(ws), 4)))


def _accuracy_now(ws: Workspace, _: Language) -> float:
    """The field for it, and what it holds."""
    planned = ws.venture.driver("accuracy").amount.median
    st.number_input(
        _("Accuracy of your own task today (%)"),
        LEAST_TASK,
        99.99,
        None,
        placeholder=_("{share}, as in the plan", share=_.percent(planned, 3)),
        persist_state="session",
        **field(_task(ws), start=None),
    )
    return task_accuracy(ws)


def _planned(venture: Venture, part: str, factor: float) -> _Planned:
    """The planned run on ``factor`` times its tokens or examples."""
    prices, rate = own_prices(venture), venture.usd_rate
    if part == "training":
        plan = training_plan(venture)
        trained = estimate_training(replace(plan, tokens=plan.tokens * factor), prices)
        return _Planned(trained.all_dollars, training_findings(trained, rate)[0], trained.fit.problem)
    tune = finetune_plan(venture)
    tuned = estimate_finetuning(replace(tune, examples=tune.examples * factor), prices)
    return _Planned(tuned.all_dollars, finetuning_findings(tuned, rate)[0], tuned.problem)


def _sentence(ws: Workspace, chosen: Chosen, step: Transfer, costs: list[_Planned], _: Language) -> str:
    money = money_of(ws, _)
    low, middle, high = step.falls
    values: dict[str, object] = {
        "cut": _.percent(middle, 2),
        "low": _.percent(low, 2),
        "high": _.percent(high, 2),
        "cost": money(costs[1].dollars.p50),
        "p10": money(costs[1].dollars.p10),
        "p90": money(costs[1].dollars.p90),
        "before": money(costs[0].dollars.p50),
    }
    match chosen.by, chosen.spec.own is None:
        case "data", True:
            return _(
                "If your task's error falls like the demo's, doubling your training data cuts the error by about {cut} (measured, 80% interval {low} to {high}) and a run of your planned model then costs {cost} (estimated, P10 to P90 {p10} to {p90}) in place of {before}.",
                **values,
            )
        case "data", False:
            return _(
                "If your planned model's error falls like that of these runs on your own data, doubling the training data cuts the error by about {cut} (measured, 80% interval {low} to {high}) and a run of your planned model then costs {cost} (estimated, P10 to P90 {p10} to {p90}) in place of {before}.",
                **values,
            )
        case _by, True:
            return _(
                "If your task's error falls like the demo's, doubling the compute of training cuts the error by about {cut} (measured, 80% interval {low} to {high}) and a run of your planned model then costs {cost} (estimated, P10 to P90 {p10} to {p90}) in place of {before}.",
                **values,
            )
        case _:
            return _(
                "If your planned model's error falls like that of these runs on your own data, doubling the compute of training cuts the error by about {cut} (measured, 80% interval {low} to {high}) and a run of your planned model then costs {cost} (estimated, P10 to P90 {p10} to {p90}) in place of {before}.",
                **values,
            )


def _frame(
    ws: Workspace, found: list[Transfer], costs: list[_Planned], now: float, _: Language
) -> pd.DataFrame:
    money = money_of(ws, _)

    def banded(low: str, middle: str, high: str) -> str:
        return _("{middle} ({low} to {high})", middle=middle, low=low, high=high)

    def row(step: str, falls: str, then: str, cost: Band, trust: str) -> dict[str, str]:
        paid = banded(money(cost.p10), money(cost.p50), money(cost.p90))
        return {"step": step, "falls": falls, "accuracy": then, "cost": paid, "trust": trust}

    rows = [row(_("today"), "–", _.percent(now, 3), costs[0].dollars, "")]
    for step, cost in zip(found, costs[1:], strict=True):
        falls = banded(*(_.percent(share, 2) for share in step.falls))
        then = banded(*(_.percent(share, 3) for share in step.accuracy(now)))
        rows.append(row(f"×{step.factor:g}", falls, then, cost.dollars, _.text(TRUST[step.zone])))
    return pd.DataFrame(rows)


def _columns(chosen: Chosen, part: str, _: Language) -> dict[str, Any]:
    column = st.column_config.TextColumn
    data = _.text(chosen.spec.data.label)
    tokens = _(
        "Estimated by the compute page for the model you plan, on so many times its tokens, experiments included: the middle estimate with P10 to P90. The data themselves come on top."
    )
    examples = _(
        "Estimated by the compute page for the model you plan, on so many times its examples, experiments included: the middle estimate with P10 to P90. The data themselves come on top."
    )
    return {
        "step": column(_("Data") if chosen.by == "data" else _("Compute"), pinned=True),
        "falls": column(
            _("Error falls by (measured)"),
            help=plain(
                _(
                    "Measured on {data}: the share of the error that so many times the largest run takes away, with its 80% interval.",
                    data=data,
                )
            ),
        ),
        "accuracy": column(
            _("Accuracy of your task (if it falls alike)"),
            help=_("The accuracy of your task today, with the measured fall of the error applied to it."),
        ),
        "cost": column(
            _("Cost of the planned run (estimated)"), help=tokens if part == "training" else examples
        ),
        "trust": column(
            _("Trust in the measured fall"),
            help=_("How far the step is from the largest run that was measured."),
        ),
    }


def _limits(chosen: Chosen, curve: Curve, today: _Planned, _: Language) -> None:
    """What is measured, what is estimated, and how far each goes."""
    low, middle, high = (f"{b:.2f}" for b in curve.exponent())
    measured = _(
        "Measured on {data}: error ∝ size^−b with b = {b} (80% interval {low} to {high}). It has a record up to 3 times the largest run and is uncertain up to 10 times.",
        data=_.text(chosen.spec.data.label),
        b=middle,
        low=low,
        high=high,
    )
    estimated = _("Estimated: {plan}.", plan=_.text(today.finding.source.text))
    believed = _(
        "Believed: that your task's error falls at the same pace. Published curves of pictures, language and speech have a b of 0.07 to 0.35 (Hestness and others, 2017); a run on your own data tells yours."
    )
    with st.expander(_("What is measured, estimated and believed here"), icon=":material/fact_check:"):
        st.markdown("\n".join(f"- {plain(line)}" for line in (measured, estimated, believed)))


def _take(ws: Workspace, part: str, today: _Planned, _: Language) -> None:
    """One click puts the cost of the planned run into the plan, where it follows the compute page."""
    if not ws.venture.has_driver(COST):
        return
    st.button(
        _(
            "Take the cost of the planned run into the plan: {money}",
            money=plain(money_of(ws, _)(today.dollars.p50)),
        ),
        key="tradeoffs:take_planned",
        icon=":material/download:",
        on_click=take,
        args=(part,),
        disabled=COST in linked(ws.venture, part),
        help=_("Written as a range with the source “estimated”; it follows the compute page."),
    )
    if refusal := ws.refused.get("compute:take"):
        st.error(plain(_.refusal(refusal)))
    if COST in linked(ws.venture, part):
        driver = _.text(ws.venture.driver(COST).label)
        st.caption(
            ":material/link: "
            + plain(
                _(
                    "{driver} in the plan follows the compute page until somebody types over it.",
                    driver=driver,
                )
            )
        )

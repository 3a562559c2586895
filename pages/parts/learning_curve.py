"""The learning curve on screen: which runs, against what, what it says and what it still needs."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace

import streamlit as st

from core.charts.curve import curve_chart
from core.i18n import Language, Refusal, Text
from core.training.curve import Curve, fit
from core.training.datasets import MNIST
from core.training.devices import device_in_use, still
from core.training.points import By, Family, Measured, ToRun, families, to_run_next
from core.training.result import cost
from core.training.spec import RunSpec, most_watched
from core.training.sweep import Sweep
from core.training.sweeping import seconds_of
from pages.parts.runs_table import Finished
from pages.parts.services import store
from pages.parts.session import workspace
from pages.parts.shell import plain, select
from pages.parts.sweep import begin, going

SPARE = 2.0
"""Times the expected minutes after which runs that were begun with one click are stopped."""

UNKNOWN_MINUTES = 30.0
"""After which they are stopped where nothing is known of their speed."""

BY: dict[By, Text] = {
    "data": Text(en="training examples", zh="训练样本数"),
    "compute": Text(en="compute", zh="算力"),
}


@dataclass(frozen=True)
class Chosen:
    """The runs whose curve is looked at, and the curve if they support one."""

    by: By
    family: Family
    points: list[Measured]
    spec: RunSpec
    """Of the newest of these runs: what a further one would be trained with, on a device like theirs."""
    curve: Curve | None
    refusal: Refusal | None
    seeds: Mapping[int, set[int]]
    """The seeds that were run, by training images."""

    @property
    def to_run(self) -> list[ToRun]:
        there = self.spec.data.train_images
        # Early stopping keeps examples back, so no run of it can train on all.
        return to_run_next(self.points, most_watched(there) if self.spec.patience else there)

    def specs(self) -> tuple[RunSpec, ...]:
        """The runs that the curve still needs, each with a seed that its size has not had."""
        found = []
        for one in self.to_run:
            fresh = (seed for seed in itertools.count() if seed not in self.seeds.get(one.images, ()))
            found += [
                replace(self.spec, train_images=one.images, seed=seed)
                for seed in itertools.islice(fresh, one.runs)
            ]
        return tuple(found)


def choose_curve(runs: list[Finished], _: Language) -> Chosen:
    """The controls, and what they choose; ``runs`` is not empty."""
    by: By = (
        st.segmented_control(
            _("Error against"),
            list(BY),
            default="data",
            format_func=lambda key: _.text(BY[key]),
            key="tradeoffs:by",
            required=True,
        )
        or "data"
    )
    found = families(((run.row.id, run.spec, run.result) for run in runs), by)
    ordered = sorted(found, key=lambda family: -len(found[family]))
    by_key = {family.key: family for family in ordered}
    several = len({family.device for family in ordered}) > 1
    picked = select(
        _("Runs that differ in size only"),
        {key: f"{_named(one, several, _)} ({len(found[one])})" for key, one in by_key.items()},
        "tradeoffs:family",
    )
    family = by_key.get(str(picked), ordered[0])
    members = {point.run_id for point in found[family]}
    specs = [run.spec for run in runs if run.row.id in members]
    seeds: dict[int, set[int]] = {}
    for spec in specs:
        seeds.setdefault(spec.train_images, set()).add(spec.seed)
    curve, refused = None, None
    try:
        curve = fit(found[family], by)
    except Refusal as refusal:
        refused = refusal
    further = still(store(), specs[0], family.device)
    return Chosen(by, family, found[family], further, curve, refused, seeds)


def _named(family: Family, device: bool, _: Language) -> str:
    """What the runs have in common, with their ``device`` where there are several."""
    name = _.text(family.name)
    if device:
        name = f"{name} · {family.device}"
    if family.epochs is None:
        return name
    if family.epochs == 1:
        return _("{settings} · 1 epoch", settings=name)
    return _("{settings} · {count} epochs", settings=name, count=family.epochs)


def curve_section(chosen: Chosen, _: Language) -> None:
    """The curve with its own test, or what it still needs."""
    st.subheader(_("What more data or compute would bring"))
    if chosen.curve is None:
        assert chosen.refusal is not None
        st.info(plain(_.refusal(chosen.refusal)), icon=":material/rule:")
        run_next(chosen, _)
        return
    curve = chosen.curve
    st.plotly_chart(
        curve_chart(curve, chosen.points, _),
        key="tradeoffs:law",
        config={"displaylogo": False},
        alt=_("Test error against training examples or compute"),
    )
    held = curve.held_out
    sentence = (
        _(
            "Test of the law: the smaller runs predict an error of {mid} at the largest size (80% interval {low} to {high}); measured: {measured}. It holds.",
            mid=_.percent(held.mid, 3),
            low=_.percent(held.low, 3),
            high=_.percent(held.high, 3),
            measured=_.percent(held.measured, 3),
        )
        if held.inside
        else _(
            "Test of the law: the smaller runs predict an error of {mid} at the largest size (80% interval {low} to {high}); measured: {measured}. It is outside, so trust the curve less.",
            mid=_.percent(held.mid, 3),
            low=_.percent(held.low, 3),
            high=_.percent(held.high, 3),
            measured=_.percent(held.measured, 3),
        )
    )
    st.markdown(plain(sentence))
    with st.expander(_("The formula"), icon=":material/function:"):
        a, b = f"{curve.a:.3g}", f"{curve.b:.3f}"
        st.markdown(
            _("error = {a} × examples^−{b}, through the three largest sizes", a=a, b=b)
            if curve.by == "data"
            else _("error = {a} × FLOP^−{b}, through the three largest sizes", a=a, b=b)
        )
        st.caption(
            _(
                "The band holds the luck of seeds, the finite test, and a bend of the law beyond the largest run as strong as was measured on other curves, so it widens with distance."
            )
        )
        st.caption(
            _(
                "Up to three times the largest run the law has a record: on ten other networks trained on these handwritten digits the band held what was measured for nine. To ten times it is uncertain; beyond that it is speculation."
            )
            if chosen.spec.dataset == MNIST.key
            else _(
                "The record of the law is from handwritten digits (MNIST); on data like yours it has not been tested. Beyond three times the largest run it is uncertain, beyond ten times speculation."
            )
        )
    run_next(chosen, _)


def run_next(chosen: Chosen, _: Language) -> None:
    """Which runs would make the curve, or make it surer."""
    wanted = chosen.to_run
    if not wanted:
        st.caption(
            _("Every size up to all examples has been measured with several seeds: nothing left to run.")
        )
        return
    listed = ", ".join(
        _("{images} examples × 1 seed", images=f"{one.images:,}")
        if one.runs == 1
        else _("{images} examples × {runs} seeds", images=f"{one.images:,}", runs=one.runs)
        for one in wanted
    )
    if chosen.curve is None:
        st.markdown(_("Run next, with the same settings: {list}.", list=plain(listed)))
    else:
        st.caption(_("To make it surer, run: {list}.", list=plain(listed)))
    _run_these(chosen, _)


def _run_words(count: int, seconds: float | None, price_per_hour: float, _: Language) -> str:
    """What the button for so many runs says, with their price where their speed is known."""
    if seconds is None:
        return _("Run what is missing; how long that takes here is not known yet")
    told = {
        "minutes": _.number(seconds / 60, digits=2),
        "dollars": plain(_.money(cost(seconds, price_per_hour), "USD")),
    }
    if count == 1:
        return _("Run this one: about {minutes} minutes, {dollars}", **told)
    return _("Run these {count}: about {minutes} minutes, {dollars}", count=count, **told)


def _run_these(chosen: Chosen, _: Language) -> None:
    """One click runs them all, priced beforehand."""
    ws, specs = workspace(), chosen.specs()
    device = device_in_use(store()).name  # where they would go, whatever the others were trained on
    seconds_of_run = seconds_of(store(), ws.owner, device)
    each = [seconds_of_run(spec) for spec in specs]
    seconds = None if None in each else sum(one or 0.0 for one in each)
    minutes = UNKNOWN_MINUTES if seconds is None else max(1.0, SPARE * seconds / 60)

    def run() -> None:
        try:
            begin(ws, Sweep(base=chosen.spec, listed=specs, budget_minutes=minutes))
        except Refusal as refusal:
            ws.refused["sweep:start"] = refusal

    if device != chosen.family.device:
        st.caption(
            plain(
                _(
                    "They would be trained on {device}; the runs of this curve were trained on {other}, so the new ones begin a curve of their own.",
                    device=device,
                    other=chosen.family.device,
                )
            )
        )
    st.button(
        _run_words(len(specs), seconds, chosen.spec.price_per_hour, _),
        key="tradeoffs:run_next",
        icon=":material/play_arrow:",
        on_click=run,
        disabled=going(),
        help=_(
            "They go through the queue and are stopped at {minutes} minutes.",
            minutes=_.number(minutes, digits=2),
        ),
    )
    if refused := ws.refused.get("sweep:start"):
        st.error(plain(_.refusal(refused)))
    if going():
        st.page_link(
            "training.py", label=_("Runs are under way: follow them"), icon=":material/model_training:"
        )

"""Ventures that hypothesis makes up: anything that the document can hold, however odd."""

from datetime import date
from typing import Any

from hypothesis import strategies as st

from core.i18n import Text
from core.venture import (
    BLOCKS,
    CURRENCIES,
    Actual,
    Amount,
    Canvas,
    ComputePlan,
    Driver,
    Hypothesis,
    Line,
    Note,
    Override,
    Scenario,
    ServingPlan,
    Source,
    TrainingPlan,
    Venture,
)

KEYS = st.from_regex(r"[a-z][a-z0-9_]{0,39}", fullmatch=True)
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
SAID = WORDS.filter(str.strip)
POSITIVE = st.floats(1e-6, 1e12)


def texts(words: st.SearchStrategy[str] = WORDS) -> st.SearchStrategy[Text]:
    return st.builds(Text, words, WORDS)


@st.composite
def amounts(draw: st.DrawFn) -> Amount:
    """A point or a range of positive numbers below 1, which every distribution takes."""
    low = draw(st.floats(1e-6, 0.5))
    high = draw(st.floats(0.51, 0.99))
    kind = draw(st.sampled_from(["point", "lognormal", "normal", "logitnormal"]))
    return Amount.point(low) if kind == "point" else Amount.interval(low, high, kind)


SOURCES = st.builds(
    Source,
    kind=st.sampled_from(["typed", "preset", "estimated", "measured"]),
    text=texts(),
    year=st.none() | st.integers(1990, 2100),
    confidence=st.sampled_from([None, "high", "medium", "low"]),
    run=WORDS,
)


def drivers(key: str) -> st.SearchStrategy[Driver]:
    return st.builds(
        Driver,
        key=st.just(key),
        label=texts(SAID),
        group=st.sampled_from(["price", "customers", "serving", "team", "cash", "own"]),
        unit=st.sampled_from(["1", "money", "money/seat/month", "1/month"]),
        amount=amounts(),
        source=SOURCES,
        minimum=st.sampled_from([None, 0.0, -3.5]),
        maximum=st.sampled_from([None, 1.0, 1e9]),
        signed=st.booleans(),
        doc=texts(),
    )


def unique(strategy: st.SearchStrategy[Any], most: int) -> st.SearchStrategy[list[Any]]:
    return st.lists(strategy, max_size=most, unique=True)


@st.composite
def ventures(draw: st.DrawFn) -> Venture:
    keys = draw(unique(KEYS, 4))
    note_ids = iter(draw(st.lists(KEYS, min_size=9, max_size=9, unique=True)))
    notes = {
        block: (Note(id=next(note_ids), text=draw(texts(SAID))),) for block in BLOCKS if draw(st.booleans())
    }
    some_keys = unique(st.sampled_from(keys), 3) if keys else st.just([])
    return Venture(
        name=draw(texts(SAID)),
        promise=draw(texts()),
        archetype=draw(WORDS),
        currency=draw(st.sampled_from(CURRENCIES)),
        usd_rate=draw(st.floats(1e-9, 1e6)),
        start=draw(st.dates(date(1, 1, 1), date(9999, 12, 31))),
        horizon_months=draw(st.integers(6, 120)),
        canvas=Canvas(**notes),
        drivers=tuple(draw(drivers(key)) for key in keys),
        scenarios=tuple(
            Scenario(
                id=key,
                name=draw(texts(SAID)),
                overrides=tuple(Override(key=k, amount=draw(amounts())) for k in draw(some_keys)),
            )
            for key in draw(unique(KEYS, 2))
        ),
        lines=tuple(
            Line(key=key, label=draw(texts()), unit=draw(WORDS), formula=draw(WORDS), opening=draw(WORDS))
            for key in draw(unique(KEYS, 2))
        ),
        compute_plan=ComputePlan(
            training=TrainingPlan(
                parameters=draw(POSITIVE),
                experiments=draw(st.floats(1, 50)),
                price_per_hour=draw(st.none() | POSITIVE),
            ),
            serving=ServingPlan(utilisation=draw(st.floats(0.01, 1)), requests_per_month=draw(POSITIVE)),
        ),
        hypotheses=tuple(
            Hypothesis(
                id=key,
                statement=draw(texts()),
                block=draw(st.sampled_from(sorted(BLOCKS))),
                drivers=tuple(draw(some_keys)),
                evidence=draw(st.integers(0, 5)),
            )
            for key in draw(unique(KEYS, 2))
        ),
        actuals=tuple(
            Actual(key=key, values=tuple(draw(st.lists(st.none() | st.floats(-1e12, 1e12), max_size=6))))
            for key in draw(unique(KEYS, 2))
        ),
    )

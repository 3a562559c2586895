"""How long the plan and the questions about it take, beside the same plan written by hand in NumPy.

``python -m benchmarks.finance [--repeats 15]``

Every case is run once a round, so that a busy moment of the machine meets all of them, and the fewest
milliseconds over all rounds are printed. The plan by hand gives the same lines as the engine, or the
benchmark fails: to 1e-9 of each line's largest value.

Where squigglepy is installed (``python -m venv other && other/bin/pip install -r requirements.txt
squigglepy``, run from there), a plan in its idiom is timed too: a function that samples each range once
and walks the months, called for every draw, as its ``sample`` does for models with conditions.
"""

import argparse
import importlib.util
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.finance import model_of, project, simulate
from core.finance.draws import draws, medians
from core.finance.engine import evaluate
from core.finance.goal import Goal, seek
from core.finance.information import learn_next
from core.finance.projection import SIMULATED
from core.finance.sensitivity import tornado, total_effects
from core.venture import Venture, archetypes, example

Array = NDArray[np.float64]

TOLERANCE = 1e-9
SLOW_DRAWS = 32
"""Draws of the per-draw idiom, which takes milliseconds for each."""


def by_hand(d: Mapping[str, Array], months: int) -> dict[str, Array]:
    """The lines that a simulation keeps, as a careful programmer would write them for this one plan.

    ``d`` holds draws of every driver, shape (draws,); lines are of shape (months + 1, draws).
    """
    early_months, days_per_month = 6.0, 30.4375
    kept = {key: np.zeros((months + 1, len(d["cash_first"]))) for key in SIMULATED}
    cash, team, new = d["cash_first"], d["team_first"], d["new_customers_first"]
    growth, level = d["growth_first"], np.ones_like(cash)
    early = settled = early_use = settled_use = receivables = losses = np.zeros_like(cash)
    kept["cash"][0] = cash
    stays_early, stays_settled = 1 - d["churn_early"], 1 - d["churn_settled"]
    grows = 1 + d["expansion"]
    mrr_per_customer = d["seats_per_customer"] * d["price_per_seat"]
    requests_per_customer = d["seats_per_customer"] * d["requests_per_seat"]
    per_call = (
        d["input_tokens"]
        * ((1 - d["cached_share"]) * d["price_input"] + d["cached_share"] * d["price_cached"])
        + d["output_tokens"] * d["price_output"]
    )
    api = d["attempts"] * per_call / 1e6
    per_request = (1 - d["selfhost_share"]) * api + d["selfhost_share"] * d["selfhost_request_cost"]
    errors_per_request = (1 - d["accuracy"]) * d["error_cost"]
    training = d["training_runs_per_month"] * d["training_run_cost"]
    owed_share = d["receivable_days"] / days_per_month
    loaded = 1 + d["burden"]
    per_head = d["salary"] * loaded + d["overhead_per_person"]
    dated = {
        n: (
            np.ceil(d[f"hire{n}_month"] - 1e-9),
            d[f"hire{n}_people"] * (d[f"hire{n}_salary"] * loaded + d["overhead_per_person"]),
        )
        for n in (1, 2)
    }
    rounds = [(np.ceil(d[f"{name}_month"] - 1e-9), d[f"{name}_amount"]) for name in ("round", "round2")]
    for t in range(1, months + 1):
        if t > 1:
            new = new * (1 + growth)
            growth = growth * d["growth_decay"]
            level = level * (1 + d["inference_drift"])
        left = early * stays_early
        settling = left / early_months
        early = left - settling + new
        settled = settled * stays_settled + settling
        customers = early + settled
        left = early_use * stays_early * grows
        settling = left / early_months
        early_use = left - settling + new
        settled_use = settled_use * stays_settled * grows + settling
        use = early_use + settled_use
        mrr = use * mrr_per_customer
        cost = (
            use * requests_per_customer * (per_request * level + errors_per_request) + mrr * d["payment_fee"]
        )
        cost += customers * d["support_per_customer"] + d["infrastructure_fixed"]
        profit = mrr - cost
        team = team + d["hires_per_month"]
        ebitda = profit - (team * per_head + new * d["cac"] + training + d["experiments_per_month"])
        for begins, costs in dated.values():
            ebitda = ebitda - np.where(t >= begins, costs, 0.0)
        tax = np.maximum(ebitda - losses, 0.0) * d["tax_rate"]
        losses = np.maximum(losses - ebitda, 0.0)
        owed = mrr * owed_share
        flow = ebitda - tax - (owed - receivables)
        receivables = owed
        cash = cash + flow
        for month, amount in rounds:
            cash = cash + np.where(month == t, amount, 0.0)
        kept["customers"][t], kept["mrr"][t], kept["revenue"][t] = customers, mrr, mrr
        kept["gross_margin"][t] = np.divide(profit, mrr, out=np.zeros_like(mrr), where=mrr > 0)
        kept["ebitda"][t], kept["net_cash_flow"][t], kept["cash"][t] = ebitda, flow, cash
    return kept


def disagreement(found: Mapping[str, Array], wanted: Mapping[str, Array]) -> tuple[str, float]:
    """The line that is furthest off, and by how much of its largest value."""
    off = {
        key: float(np.abs(found[key] - wanted[key]).max() / max(1e-300, np.abs(wanted[key]).max()))
        for key in wanted
    }
    worst = max(off, key=off.__getitem__)
    return worst, off[worst]


def squigglepy_model(venture: Venture) -> Callable[[], Any]:
    """The plan as a squigglepy user writes it: sample each range once, then walk the months."""
    sq: Any = importlib.import_module("squigglepy")
    made = {"lognormal": sq.lognorm, "normal": sq.norm}

    def sampled(amount: Any) -> float:
        if amount.is_point:
            return float(amount.value)
        if amount.distribution == "logitnormal":
            low, high = (np.log(end / (1 - end)) for end in amount.ends())
            return float(1 / (1 + np.exp(-sq.sample(sq.norm(low, high)))))
        return float(sq.sample(made[amount.distribution](*amount.ends())))

    def once() -> float:
        drawn = {driver.key: np.array([sampled(driver.amount)]) for driver in venture.drivers}
        return float(by_hand(drawn, venture.horizon_months)["cash"].min())

    return lambda: sq.sample(once, n=SLOW_DRAWS)


def main() -> int:
    """Print the figures; the exit status is 1 where the plan by hand and the engine disagree."""
    parser = argparse.ArgumentParser(description="The plan and the questions about it.")
    parser.add_argument("--repeats", type=int, default=15)
    repeats: int = parser.parse_args().repeats
    venture = example()
    four = venture.add_scenario("again", "Again", copy_of="dearer_leaner")
    model, months = model_of(venture), venture.horizon_months
    middle, some, many = medians(venture), draws(venture, 1024), draws(venture, 8192)

    for name, drawn in (("medians", middle), ("1,024 draws", some)):
        line, off = disagreement(evaluate(model, drawn, months, SIMULATED), by_hand(drawn, months))
        print(f"engine against the plan by hand, {name}: at most {off:.0e} apart ({line})")
        if off > TOLERANCE:
            print(f"they disagree by more than {TOLERANCE:.0e}", file=sys.stderr)
            return 1

    def four_scenarios() -> None:
        for scenario in (None, *(scenario.id for scenario in four.scenarios)):
            under = four.under(scenario)
            evaluate(model_of(under), draws(under, 8192), months, SIMULATED)

    goal = Goal("lowest_cash", at_least=0, probability=0.8)
    late = Goal("break_even", at_most=24, probability=0.8)
    beyond = Goal("lowest_cash", at_least=0, probability=0.8)
    simulation = simulate(venture, 8192)
    cases: dict[str, Callable[[], Any]] = {
        "engine, medians, all lines": lambda: evaluate(model, middle, months),
        "engine, 1,024 draws, 7 lines kept": lambda: evaluate(model, some, months, SIMULATED),
        "by hand, 1,024 draws, the same 7": lambda: by_hand(some, months),
        "engine, 8,192 draws, 7 lines kept": lambda: evaluate(model, many, months, SIMULATED),
        "by hand, 8,192 draws, the same 7": lambda: by_hand(many, months),
        "engine, 1,024 draws, all lines kept": lambda: evaluate(model, some, months),
        "engine, 8,192 draws, all lines kept": lambda: evaluate(model, many, months),
        "project: medians, no cache": lambda: project.__wrapped__(venture),
        "simulate: draw and run 1,024, no cache": lambda: simulate.__wrapped__(venture, 1024),
        "simulate: draw and run 8,192, no cache": lambda: simulate.__wrapped__(venture, 8192),
        "four scenarios × 8,192 draws": four_scenarios,
        "tornado, all drivers": lambda: tornado.__wrapped__(venture, "lowest_cash"),
        "total effects, all drivers": lambda: total_effects.__wrapped__(venture, "lowest_cash"),
        "what to learn next, 8,192 draws": lambda: learn_next(simulation),
        "goal seek: price for cash above zero": lambda: seek.__wrapped__(venture, "price_per_seat", goal),
        "goal seek: price for break-even by month 24": lambda: seek.__wrapped__(
            venture, "price_per_seat", late
        ),
        "goal seek: CAC, not reachable": lambda: seek.__wrapped__(venture, "cac", beyond),
    }
    if importlib.util.find_spec("squigglepy"):
        cases[f"squigglepy's idiom, {SLOW_DRAWS} draws"] = squigglepy_model(venture)
    for key in archetypes():
        other = example(key)
        for count in (1024, 8192):
            cases[f"{key}, {count:,} draws, 7 lines kept"] = partial(
                evaluate, model_of(other), draws(other, count), months, SIMULATED
            )
    fewest = dict.fromkeys(cases, float("inf"))
    for _round in range(repeats):
        for name, work in cases.items():
            began = time.perf_counter()
            work()
            fewest[name] = min(fewest[name], (time.perf_counter() - began) * 1e3)

    print(f"\n{len(model.lines)} lines × {months} months, fewest of {repeats} rounds")
    for name, took in fewest.items():
        print(f"{name:<52}{took:9.2f} ms")
    for count in ("1,024", "8,192"):
        ratio = fewest[f"engine, {count} draws, 7 lines kept"] / fewest[f"by hand, {count} draws, the same 7"]
        print(f"engine ÷ by hand, {count} draws: {ratio:.2f}")
    if f"squigglepy's idiom, {SLOW_DRAWS} draws" in fewest:
        slow = fewest[f"squigglepy's idiom, {SLOW_DRAWS} draws"] / SLOW_DRAWS
        fast = fewest["simulate: draw and run 1,024, no cache"] / 1024
        print(f"squigglepy's idiom ÷ simulate, a draw: {slow:.2f} ms ÷ {fast:.4f} ms = {slow / fast:,.0f}")
    else:
        print("squigglepy is not installed here; see the top of this file for how to add its figure")
    return 0


if __name__ == "__main__":
    sys.exit(main())

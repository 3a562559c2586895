"""The built-in plan written out by hand, month by month, and formulas worked out one by one.

Both are written from the definitions and share no code with the engine, so that the engine and the
plan can be held against them. They work on floats and, draw by draw, on arrays.
"""

import math
import re
from functools import cache

import numpy as np


def plain_plan(d, months):
    """Every line of the copilot's plan as a list over months (index 0 is the opening), from the drivers ``d``."""
    settled_after = 6.0  # months
    days_per_month = 365.25 / 12
    discount = 0.01
    lines = {}

    def put(t, **found):
        for key, value in found.items():
            lines.setdefault(key, [0.0] * (months + 1))[t] = value

    def share(part, whole):
        """A quotient, 0 where there is nothing to divide by."""
        with np.errstate(divide="ignore", invalid="ignore"):
            found = np.where(np.asarray(whole) > 0, np.divide(part, whole), 0.0)
        return found if np.ndim(part) else float(found)

    zero = 0.0 * d["cash_first"]
    early = settled = early_use = settled_use = zero
    new, growth = d["new_customers_first"], zero
    receivables, cash, team, losses, worth = zero, d["cash_first"], d["team_first"], zero, zero
    cohort_early, cohort_settled, value = zero, zero, zero
    start = kept_early = kept_settled = zero
    put(
        0,
        new_customers=new,
        cash=cash,
        team=team,
        price_level=1 / (1 + d["inference_drift"]),
        cohort_early=1.0,
    )
    put(0, value_weight=(1 + discount) / (1 + d["expansion"]))
    per_call = (
        d["input_tokens"]
        * ((1 - d["cached_share"]) * d["price_input"] + d["cached_share"] * d["price_cached"])
        + d["output_tokens"] * d["price_output"]
    ) / 1e6
    per_customer_mrr = d["seats_per_customer"] * d["price_per_seat"]
    per_customer_requests = d["seats_per_customer"] * d["requests_per_seat"]
    grows = 1 + d["expansion"]
    stays_early, stays_settled = 1 - d["churn_early"], 1 - d["churn_settled"]
    for t in range(1, months + 1):
        new = new * (1 + growth)
        growth = d["growth_first"] * d["growth_decay"] ** (t - 1)
        lost_early, lost_settled = early * d["churn_early"], settled * d["churn_settled"]
        settling = early * stays_early / settled_after
        early = early * stays_early * (1 - 1 / settled_after) + new
        settled = settled * stays_settled + settling
        customers = early + settled
        churned_use = early_use * d["churn_early"] + settled_use * d["churn_settled"]
        kept_use = early_use * stays_early + settled_use * stays_settled
        settling_use = early_use * stays_early * grows / settled_after
        early_use = early_use * stays_early * grows * (1 - 1 / settled_after) + new
        settled_use = settled_use * stays_settled * grows + settling_use
        use = early_use + settled_use
        mrr = use * per_customer_mrr
        seats = use * d["seats_per_customer"]
        requests = use * per_customer_requests
        level = (1 + d["inference_drift"]) ** (t - 1)
        api = d["attempts"] * per_call
        per_request = (
            api * (1 - d["selfhost_share"]) + d["selfhost_request_cost"] * d["selfhost_share"]
        ) * level
        inference = requests * per_request
        errors = requests * (1 - d["accuracy"]) * d["error_cost"]
        support = customers * d["support_per_customer"] + d["infrastructure_fixed"]
        fees = mrr * d["payment_fee"]
        cost = inference + errors + support + fees
        profit = mrr - cost
        team = team + d["hires_per_month"]
        loaded = 1 + d["burden"]
        first, second = (d[f"hire{n}_people"] * (t >= np.ceil(d[f"hire{n}_month"] - 1e-9)) for n in (1, 2))
        dated = (first * d["hire1_salary"] + second * d["hire2_salary"]) * loaded + (first + second) * d[
            "overhead_per_person"
        ]
        salaries, sales = team * d["salary"] * loaded + dated, new * d["cac"]
        training, overhead = (
            d["training_runs_per_month"] * d["training_run_cost"],
            team * d["overhead_per_person"],
        )
        operating = salaries + sales + training + d["experiments_per_month"] + overhead
        ebitda = profit - operating
        tax = np.maximum(ebitda - losses, 0.0) * d["tax_rate"]
        losses = np.maximum(losses - ebitda, 0.0)
        owed = mrr * d["receivable_days"] / days_per_month
        flow = ebitda - tax - (owed - receivables)
        receivables = owed
        funding = sum(
            d[f"{name}_amount"] * (np.ceil(d[f"{name}_month"] - 1e-9) == t) for name in ("round", "round2")
        )
        cash = cash + flow + funding
        worth = worth + flow * (1 + d["required_return"]) ** (-t / 12)
        if t == 1:
            cohort_early, cohort_settled = zero + 1, zero
        else:
            staying = cohort_early * stays_early
            cohort_settled = cohort_settled * stays_settled + staying / settled_after
            cohort_early = staying - staying / settled_after
        if t <= 12:
            start, kept_early, kept_settled = use, early_use, settled_use
        else:
            kept_settled = kept_settled * stays_settled + kept_early * stays_early / settled_after
            kept_early = kept_early * stays_early * (1 - 1 / settled_after)
        left = share(kept_early + kept_settled, start)
        margin = per_customer_mrr * (1 - d["payment_fee"]) - d["support_per_customer"]
        margin = margin - per_customer_requests * (per_request + (1 - d["accuracy"]) * d["error_cost"])
        weight = (grows / (1 + discount)) ** (t - 1)
        survival = cohort_early + cohort_settled
        value = value + survival * margin * weight
        yearly = share(mrr, customers) * 12
        market = d["market_customers"] * yearly
        put(
            t,
            growth_of_new_customers=growth, new_customers=new, lost_early_customers=lost_early,
            settling_customers=settling, early_customers=early, lost_settled_customers=lost_settled,
            settled_customers=settled, customers=customers, churned_activity=churned_use,
            settling_activity=settling_use, early_activity=early_use, settled_activity=settled_use, activity=use,
            recurring_per_customer=per_customer_mrr, new_mrr=new * per_customer_mrr,
            churned_mrr=churned_use * per_customer_mrr,
            expansion_mrr=kept_use * per_customer_mrr * np.maximum(d["expansion"], 0.0),
            contraction_mrr=kept_use * per_customer_mrr * np.maximum(-d["expansion"], 0.0),
            mrr=mrr, revenue=mrr, active_seats=seats, requests=requests, requests_of_customer=per_customer_requests,
            api_cost_per_request=api, price_level=level, cost_per_request=per_request, inference_cost=inference,
            error_cost_total=errors, support_cost_total=support, payment_fees=fees, cost_of_revenue=cost,
            gross_profit=profit, gross_margin=share(profit, mrr), team=team, dated_hires=first + second,
            dated_salaries=dated, salaries=salaries, sales_and_marketing=sales, overhead=overhead,
            training_cost=training, experiments_cost=d["experiments_per_month"], operating_cost=operating,
            ebitda=ebitda, loss_carried=losses, tax=tax, receivables=receivables, net_cash_flow=flow,
            funding=funding, cash=cash, npv=worth, cohort_early=cohort_early, cohort_settled=cohort_settled,
            survival=survival, revenue_per_customer=per_customer_mrr, margin_per_customer=margin,
            value_weight=weight, lifetime_value=value, kept_start=start, kept_early=kept_early,
            kept_settled=kept_settled, grr=left * (1 + np.minimum(d["expansion"], 0.0)) ** max(t - 12, 0),
            nrr=left * grows ** max(t - 12, 0), revenue_per_year=yearly, tam=market,
            sam=market * d["market_reach"], som=customers * yearly,
        )  # fmt: skip
    return lines


def worked_out(lines, constants, drivers, months):
    """Any lines (key → formula, opening), each formula worked out as Python in each month it is asked for.

    A second way to the same numbers: recursion with memory, in no order at all, on single floats.
    """

    def runnable(text):
        return compile(
            re.sub(r"\b(prev|cumulative)\((\w+)\)", r'\1("\2")', text.strip()), "<formula>", "eval"
        )

    code = {key: runnable(formula) for key, (formula, _) in lines.items()}
    openings = {key: runnable(opening or "0") for key, (_, opening) in lines.items()}

    class Month(dict):
        def __init__(self, t):
            super().__init__(_FUNCTIONS)
            self["month"] = float(t)
            self["prev"] = lambda key: at(key, t - 1)
            self["cumulative"] = lambda key: math.fsum(at(key, u) for u in range(1, t + 1))
            self.t = t

        def __missing__(self, name):
            if name in lines:
                return at(name, self.t)
            return drivers[name] if name in drivers else constants[name]

    @cache
    def at(key, t):
        chosen = code[key] if t else openings[key]
        return float(eval(chosen, {"__builtins__": {}}, Month(t)))

    found = {key: [0.0] * (months + 1) for key in lines}
    for t in range(months + 1):  # in the order of time, so that the recursion stays shallow
        for key in lines:
            found[key][t] = at(key, t)
    return found


_FUNCTIONS = {
    "where": lambda condition, yes, no: yes if condition else no,
    "min": min,
    "max": max,
    "ceil": math.ceil,
    "floor": math.floor,
    "exp": math.exp,
    "log": math.log,
    "sqrt": math.sqrt,
}

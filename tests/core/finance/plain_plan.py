"""The built-in plan written out by hand, month by month, and formulas worked out one by one.

Both are written from the definitions and share no code with the engine, so that the engine and the
plan can be held against them. They work on floats and, draw by draw, on arrays.
"""

import math
import re
from functools import cache

import numpy as np


def plain_plan(d, months):
    """Every line of the plan as a list over months (index 0 is the opening), from the drivers ``d``."""
    settled_after = 6.0  # months
    days_per_month = 365.25 / 12
    discount = 0.01
    lines = {}

    def put(t, **found):
        for key, value in found.items():
            lines.setdefault(key, [0.0] * (months + 1))[t] = value

    zero = 0.0 * d["cash_first"]
    early = settled = early_mrr = settled_mrr = mrr = zero
    new, growth = d["new_customers_first"], zero
    receivables, cash, team = zero, d["cash_first"], d["team_first"]
    cohort_early, cohort_settled, value = zero, zero, zero
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
    for t in range(1, months + 1):
        new = new * (1 + growth)
        growth = d["growth_first"] * d["growth_decay"] ** (t - 1)
        lost_early, lost_settled = early * d["churn_early"], settled * d["churn_settled"]
        settling = (early - lost_early) / settled_after
        churned_early, churned_settled = early_mrr * d["churn_early"], settled_mrr * d["churn_settled"]
        kept_early, kept_settled = early_mrr - churned_early, settled_mrr - churned_settled
        kept = kept_early + kept_settled
        expansion = kept * np.maximum(d["expansion"], 0.0)
        contraction = kept * np.maximum(-d["expansion"], 0.0)
        new_mrr = new * d["seats_per_customer"] * d["price_per_seat"]
        settling_mrr = kept_early * (1 + d["expansion"]) / settled_after
        early = early - lost_early - settling + new
        settled = settled - lost_settled + settling
        customers = early + settled
        early_mrr = kept_early * (1 + d["expansion"]) - settling_mrr + new_mrr
        settled_mrr = kept_settled * (1 + d["expansion"]) + settling_mrr
        mrr = early_mrr + settled_mrr
        seats = mrr / d["price_per_seat"]
        requests = seats * d["requests_per_seat"]
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
        with np.errstate(divide="ignore", invalid="ignore"):
            margin = (
                np.where(mrr > 0, np.divide(profit, mrr), 0.0)
                if np.ndim(mrr)
                else profit / mrr
                if mrr > 0
                else 0.0
            )
        team = team + d["hires_per_month"]
        salaries, sales = team * d["salary"], new * d["cac"]
        training = d["training_runs_per_month"] * d["training_run_cost"]
        operating = salaries + sales + training + d["experiments_per_month"]
        ebitda = profit - operating
        owed = mrr * d["receivable_days"] / days_per_month
        flow = ebitda - (owed - receivables)
        receivables = owed
        funding = np.where(np.ceil(d["round_month"] - 1e-9) == t, d["round_amount"], 0.0)
        cash = cash + flow + (funding if np.ndim(funding) else float(funding))
        if t == 1:
            cohort_early, cohort_settled = zero + 1, zero
        else:
            staying = cohort_early * (1 - d["churn_early"])
            cohort_settled = cohort_settled * (1 - d["churn_settled"]) + staying / settled_after
            cohort_early = staying - staying / settled_after
        per_customer = (
            d["seats_per_customer"]
            * (
                d["price_per_seat"] * (1 - d["payment_fee"])
                - d["requests_per_seat"] * (per_request + (1 - d["accuracy"]) * d["error_cost"])
            )
            - d["support_per_customer"]
        )
        weight = ((1 + d["expansion"]) / (1 + discount)) ** (t - 1)
        survival = cohort_early + cohort_settled
        value = value + survival * per_customer * weight
        put(
            t,
            growth_of_new_customers=growth, new_customers=new, lost_early_customers=lost_early,
            settling_customers=settling, early_customers=early, lost_settled_customers=lost_settled,
            settled_customers=settled, customers=customers, new_mrr=new_mrr, churned_early_mrr=churned_early,
            churned_settled_mrr=churned_settled, churned_mrr=churned_early + churned_settled,
            expansion_mrr=expansion, contraction_mrr=contraction, settling_mrr=settling_mrr, early_mrr=early_mrr,
            settled_mrr=settled_mrr, mrr=mrr, revenue=mrr, active_seats=seats, requests=requests,
            api_cost_per_request=api, price_level=level, cost_per_request=per_request, inference_cost=inference,
            error_cost_total=errors, support_cost_total=support, payment_fees=fees, cost_of_revenue=cost,
            gross_profit=profit, gross_margin=margin, team=team, salaries=salaries, sales_and_marketing=sales,
            training_cost=training, experiments_cost=d["experiments_per_month"], operating_cost=operating,
            ebitda=ebitda, receivables=receivables, net_cash_flow=flow, funding=funding, cash=cash,
            cohort_early=cohort_early, cohort_settled=cohort_settled, survival=survival,
            margin_per_customer=per_customer, value_weight=weight, lifetime_value=value,
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

"""Charts of runs and of what accuracy is worth: nothing is lost, and money is money."""

import json

import pytest

from core.charts.training import number_chart, tradeoff_chart
from core.charts.value import value_chart
from core.i18n import language
from core.training.curve import fit
from core.training.optimum import optimum
from core.training.points import Measured, pareto

EN = language("en")
SIZES = (2_500, 5_000, 10_000, 20_000)


def runs(price: float) -> list[Measured]:
    return [Measured(str(n), 1e6 * n, 1.0 + n / 1_000, price * n, 1 - 2 * n**-0.4, n) for n in SIZES]


def tradeoff(points):
    return tradeoff_chart(points, ["run"] * len(points), pareto(points), None, 0.0, None, EN)


def test_runs_that_cost_nothing_are_on_the_chart_too():
    """A logarithm of 0 does not exist, and Plotly leaves such points out in silence."""
    free = tradeoff(runs(0.0))
    assert free["layout"]["xaxis"].get("type") != "log"
    assert free["layout"]["xaxis"]["title"]["text"] == "Cost of the run (USD)"
    paid = tradeoff(runs(0.001))
    assert paid["layout"]["xaxis"]["type"] == "log"
    assert paid["layout"]["xaxis"]["title"]["text"] == "Cost of the run (USD, log axis)"
    numbers = number_chart([0.0, 0.1], [0.4, 0.5], [2.0, 1.0], ["a", "b"], EN)
    assert numbers["layout"]["xaxis"].get("type") != "log"


@pytest.mark.parametrize("usd", [0.05, 5e8])
def test_money_under_the_pointer_is_never_in_thousandths_or_millionths(usd):
    """In d3's formats "$12m" is a cent and a bit, and "$12µ" nobody reads."""
    found = optimum(fit(runs(0.0), "data"), lambda shares: usd * (shares - 0.9), lambda size: size * 1e-9)
    assert found is not None
    chart = value_chart(found, 0.9, 36, EN)
    written = json.dumps(chart)
    assert "$.3s" not in written
    (line,) = [t for t in chart["data"] if t.get("name") == "gain with 80% band"]
    assert all(text.lstrip("-").startswith("$") for row in line["customdata"] for text in row)
    assert (chart["layout"]["yaxis"]["tickformat"] == "$~s") is (usd > 1e6)

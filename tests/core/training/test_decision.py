"""Train more, buy data or stop: by hand-made laws whose answer is known."""

import pytest

from core.training.curve import fit
from core.training.decision import decide, steps, tells_apart
from core.training.points import Measured

SIZES = (2_500, 5_000, 10_000, 20_000)


def runs(exponent: float, epochs: tuple[int, ...] = (1,), gain: float = 0.0) -> list[Measured]:
    """Error 2 · images^-exponent · epochs^-gain, at 1 s per thousand images, 1e6 FLOP an image."""
    return [
        Measured("run", 1e6 * n * e, n * e / 1_000, 0.0, 1 - 2 * n**-exponent * e**-gain, n)
        for n in SIZES
        for e in epochs
    ]


def data_step(exponent: float, available: int, image_price: float = 0.0, price_per_hour: float = 0.0):
    points = runs(exponent)
    (step,) = steps(fit(points, "data"), None, points, price_per_hour, image_price, available)
    return step


def test_twice_the_data_costs_the_run_and_the_images_that_are_not_there() -> None:
    step = data_step(0.4, available=30_000, image_price=0.1, price_per_hour=3_600)
    assert step.bought == 10_000
    assert step.cost_usd == pytest.approx(1_000 + 40, rel=0.01)
    assert step.mid == pytest.approx(1 - 2 * 40_000**-0.4, abs=0.001)
    assert step.low < step.mid < step.high
    assert data_step(0.4, available=60_000, image_price=0.1).bought == 0


def test_data_is_bought_while_a_point_is_worth_more_than_it_costs() -> None:
    step = data_step(0.4, available=20_000, image_price=0.1)
    points = 100 * (step.mid - step.now)

    def worth(usd_per_point: float):
        return decide([step], lambda now, then: usd_per_point * 100 * (then - now))

    breaks_even = step.cost_usd / points
    assert worth(1.01 * breaks_even).action == "buy"
    assert not worth(1.01 * breaks_even).sure
    assert worth(0.99 * breaks_even).action == "stop"
    assert worth(100 * breaks_even).sure


def test_without_a_price_on_accuracy_there_is_no_advice_to_spend() -> None:
    decision = decide([data_step(0.4, 20_000, 0.1)], lambda now, then: 0.0)
    assert (decision.action, decision.gain) == ("unpriced", (0.0, 0.0, 0.0))


def test_longer_training_is_told_from_more_data_only_where_epochs_differ() -> None:
    same, varied = runs(0.3), runs(0.3, epochs=(1, 2, 4), gain=0.3)
    assert not tells_apart(same)
    assert tells_apart(varied)
    assert [s.by for s in steps(fit(same, "data"), fit(same), same, 1.0, 0.1, 20_000)] == ["data"]
    options = steps(fit(same, "data"), fit(varied), varied, 1.0, 10.0, 20_000)
    assert [s.by for s in options] == ["data", "compute"]
    assert decide(options, lambda now, then: 1e5 * (then - now)).action == "train"

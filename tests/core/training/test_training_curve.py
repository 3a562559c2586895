"""Learning curves: known power laws are found again, doubt is as large as it says, nonsense is refused."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.i18n import Refusal
from core.training.curve import CONFIDENT, FURTHEST, UNCERTAIN, fit, zone
from core.training.datasets import OwnData
from core.training.device import Device
from core.training.energy import Energy
from core.training.points import Measured, ToRun, families, pareto, to_run_next
from core.training.result import RunResult
from core.training.spec import RunSpec
from core.training.transfer import transfers

FLOP = 1e12
SIZES = (1, 2, 4, 8, 16)


def point(
    compute: float, accuracy: float, cost: float = 1.0, seconds: float = 1.0, run_id: str = "run"
) -> Measured:
    return Measured(run_id, compute, seconds, cost, accuracy)


def law(a: float, b: float, sizes: Sequence[float] = SIZES) -> list[Measured]:
    """Points exactly on error = a · (compute / FLOP)^-b, held for 2 s and 3 s per 1e12 FLOP."""
    return [point(FLOP * size, 1 - a * size**-b, seconds=2 + 3 * size) for size in sizes]


def result(spec: RunSpec, accuracy: float | None) -> RunResult:
    return RunResult(
        stopped=accuracy is None,
        epochs=1.0,
        steps=1,
        images=spec.images_seen,
        parameters=spec.parameters,
        training_flop=spec.training_flop,
        train_loss=0.1,
        train_accuracy=0.9,
        validation_loss=None,
        validation_accuracy=None,
        test_loss=0.1,
        test_accuracy=accuracy,
        fit_seconds=1.0,
        test_seconds=0.1,
        held_seconds=2.0,
        images_per_second=100.0,
        steady_images_per_second=None,
        price_per_hour=0.1,
        cost_usd=0.01,
        energy=Energy(1.0, "tdp_model"),
        device=Device("cpu", "Some CPU", 2, 1 << 30, "tensorflow"),
    )


def test_an_exact_power_law_is_found_again() -> None:
    curve = fit(law(0.2, 0.5))
    assert curve.b == pytest.approx(0.5, abs=0.01)
    assert curve.a * FLOP**-curve.b == pytest.approx(0.2, rel=0.01)
    assert curve.held_out.points < 0.001
    assert curve.held_out.inside
    assert (curve.smallest, curve.largest) == pytest.approx((FLOP, 16 * FLOP))
    for factor in (1.0, CONFIDENT, UNCERTAIN):
        band = curve.accuracy(16 * FLOP * factor)
        assert band.mid == pytest.approx(1 - 0.2 * (16 * factor) ** -0.5, abs=0.002)


def test_compute_and_cost_of_a_target_are_those_of_the_law() -> None:
    """0.2 · x^-0.5 = 0.03 at x = 44.4; held for 2 + 3 · 44.4 s at 3.6 USD per hour."""
    reach = fit(law(0.2, 0.5)).reach(0.97, price_per_hour=3.6)
    x = (0.2 / 0.03) ** 2
    assert reach.size[1] == pytest.approx(x * FLOP, rel=0.06)
    assert reach.cost_usd[1] == pytest.approx((2 + 3 * x) * 3.6 / 3600, rel=0.06)
    assert reach.factor == pytest.approx(x / 16, rel=0.06)
    assert reach.size[0] < reach.size[1]
    assert reach.size[2] is None or reach.size[2] > reach.size[1]


def test_a_target_that_is_already_reached_costs_less_than_the_largest_run() -> None:
    curve = fit(law(0.2, 0.5))
    reach = curve.reach(1 - 0.2 * 4**-0.5, price_per_hour=1.0)
    assert reach.size[1] == pytest.approx(4 * FLOP, rel=0.05)
    assert reach.never == 0.0


@given(st.floats(0.1, 0.6), st.floats(0.3, 0.8))
def test_the_band_encloses_its_middle_and_widens_with_distance(a: float, b: float) -> None:
    curve = fit(law(a, b))
    band = curve.accuracy(curve.largest * np.array([1.0, 2.0, 5.0, 10.0]))
    assert np.all(band.low < band.mid)
    assert np.all(band.mid < band.high)
    relative = (band.high - band.low) / (1 - band.mid)
    assert np.all(np.diff(relative) > 0)


@pytest.mark.parametrize("seeds", [1, 3])
def test_the_band_covers_the_truth_about_as_often_as_it_says(seeds: int) -> None:
    """Laws with seed scatter, one finite test, and a bend beyond the largest run as strong as was measured."""
    rng = np.random.default_rng(5)
    covered, covered_cost = [], []
    for _ in range(300):
        b = rng.uniform(0.35, 0.55)
        beyond = b - 0.12 * rng.standard_normal()
        points, hardness = [], rng.random(10_000)
        for size in SIZES:
            for _ in range(seeds):
                error = 0.2 * size**-b * math.exp(0.1 * rng.standard_normal())
                points.append(point(FLOP * size, float(np.mean(hardness > error)), seconds=2 + size))
        truth = 1 - 0.2 * 16**-b * 3**-beyond
        try:
            curve = fit(points)
        except Refusal:
            continue
        band = curve.accuracy(3 * curve.largest)
        covered.append(band.low <= truth <= band.high)
        try:
            low, _, high = curve.reach(truth, 1.0).size
        except Refusal:
            continue
        covered_cost.append(low <= 3 * curve.largest <= (high or math.inf))
    assert len(covered) > 270
    assert 0.74 <= np.mean(covered) <= 0.90
    assert 0.74 <= np.mean(covered_cost) <= 0.95


@pytest.mark.parametrize("seeds", [3, 10])
def test_many_seeds_scored_on_one_small_test_know_no_more_than_it_tells(seeds: int) -> None:
    """The luck of 500 test examples is the same for every seed, so averaging seeds does not reduce it."""
    rng = np.random.default_rng(7)
    covered = []
    for _ in range(200):
        hardness = rng.random(500)
        points = [
            Measured("run", FLOP * size, 1.0, 1.0, float(np.mean(hardness > 0.3 * size**-0.4 * luck)), 0, 500)
            for size in SIZES
            for luck in np.exp(0.05 * rng.standard_normal(seeds))
        ]
        try:
            band = fit(points).error(16 * FLOP)
        except Refusal:
            continue
        covered.append(band.low <= 0.3 * 16**-0.4 <= band.high)
    assert len(covered) > 150
    assert 0.74 <= np.mean(covered) <= 0.92


def test_more_seeds_make_the_band_narrower_but_not_beyond_what_the_test_tells() -> None:
    one, four, ten = fit(law(0.2, 0.5)), fit(law(0.2, 0.5) * 4), fit(law(0.2, 0.5) * 10)
    width = [float(c.accuracy(c.largest).high - c.accuracy(c.largest).low) for c in (one, four, ten)]
    assert width[2] < width[1] < 0.7 * width[0]
    binomial = 2 * 1.2816 * math.sqrt(0.05 * 0.95 / 10_000)
    assert binomial * 0.95 < width[2]


def test_the_same_runs_give_the_same_curve() -> None:
    first, again = fit(law(0.2, 0.5)), fit(law(0.2, 0.5))
    assert first.reach(0.96, 1.0) == again.reach(0.96, 1.0)


def test_fewer_than_four_sizes_are_refused() -> None:
    almost_same = [point(FLOP * x, 0.9) for x in (1, 1.01, 1.02, 2, 4)]
    for points in ([], law(0.2, 0.5)[:3], law(0.2, 0.5)[:3] * 2, almost_same):
        with pytest.raises(Refusal, match=r"measured so far: \d; a curve needs at least 4"):
            fit(points)


def test_sizes_too_close_together_are_refused() -> None:
    with pytest.raises(Refusal, match=r"factor of 1\.7 only"):
        fit(law(0.2, 0.5, sizes=(1, 6, 8, 10)))


def test_an_error_that_does_not_fall_is_refused() -> None:
    with pytest.raises(Refusal, match="does not fall"):
        fit(
            [
                point(FLOP * size, accuracy)
                for size, accuracy in zip(SIZES, (0.9, 0.95, 0.95, 0.94, 0.95), strict=True)
            ]
        )


def test_a_curve_that_fails_its_own_backtest_is_refused() -> None:
    with pytest.raises(Refusal, match=r"off by .* points of accuracy"):
        fit(
            [
                point(FLOP * size, accuracy)
                for size, accuracy in zip(SIZES, (0.5, 0.52, 0.54, 0.55, 0.8), strict=True)
            ]
        )


def test_beyond_three_times_the_largest_run_it_is_uncertain_and_beyond_ten_speculation() -> None:
    assert [zone(size, 100.0) for size in (50, 100, 101, 300, 301, 1_000, 1_001)] == [
        "measured",
        "measured",
        "confident",
        "confident",
        "uncertain",
        "uncertain",
        "speculation",
    ]


def test_beyond_thirty_times_the_largest_run_there_is_no_curve() -> None:
    curve = fit(law(0.2, 0.5))
    assert float(curve.accuracy(FURTHEST * curve.largest).mid) < 1
    with pytest.raises(Refusal, match="31 times the largest run; the curve is drawn up to 30 times"):
        curve.accuracy(np.array([1.0, 31.0]) * curve.largest)
    with pytest.raises(Refusal, match="begins at"):
        curve.accuracy(curve.smallest / 2)


@pytest.mark.parametrize("accuracy", [0.999, 0.9999999])
def test_a_target_beyond_what_the_runs_support_is_refused_with_what_to_expect(accuracy: float) -> None:
    with pytest.raises(Refusal, match=r"more than these runs support.*9\d\.\d\d% to 9\d\.\d\d%"):
        fit(law(0.2, 0.5)).reach(accuracy, 1.0)


@pytest.mark.parametrize("accuracy", [0.0, 1.0, -0.1, 1.5, math.nan])
def test_a_target_that_is_no_share_is_refused(accuracy: float) -> None:
    with pytest.raises(Refusal, match="target accuracy is"):
        fit(law(0.2, 0.5)).reach(accuracy, 1.0)


def test_a_perfect_test_does_not_break_the_curve() -> None:
    points = [
        point(FLOP * size, accuracy)
        for size, accuracy in zip(SIZES, (0.99, 0.995, 0.998, 0.999, 1.0), strict=True)
    ]
    assert 0.99 < float(fit(points).accuracy(16 * FLOP).mid) < 1


@given(st.lists(st.tuples(st.floats(0, 10), st.floats(0, 1)), max_size=30))
def test_nobody_beats_a_run_on_the_frontier_and_every_other_run_is_beaten(
    pairs: list[tuple[float, float]],
) -> None:
    points = [point(1.0, accuracy, cost, run_id=str(i)) for i, (cost, accuracy) in enumerate(pairs)]
    front = pareto(points)
    assert [p.cost_usd for p in front] == sorted({p.cost_usd for p in front})
    assert [p.accuracy for p in front] == sorted({p.accuracy for p in front})
    for p in points:
        assert p in front or any(f.cost_usd <= p.cost_usd and f.accuracy >= p.accuracy for f in front)
    for f in front:
        assert not any(
            p.cost_usd <= f.cost_usd
            and p.accuracy >= f.accuracy
            and (p.cost_usd, p.accuracy) != (f.cost_usd, f.accuracy)
            for p in points
        )


def test_runs_of_one_family_differ_in_size_seed_epochs_and_price_only() -> None:
    specs = [
        RunSpec(network="mlp", train_images=1_000),
        RunSpec(network="mlp", train_images=2_000, seed=3, epochs=2, price_per_hour=9.0),
        RunSpec(network="mlp", learning_rate=0.01),
        RunSpec(network="cnn"),
    ]
    runs = [(str(i), spec, result(spec, 0.9)) for i, spec in enumerate(specs)]
    stopped = ("stopped", specs[0], result(specs[0], None))
    found = families([*runs, stopped])
    assert [[p.run_id for p in points] for points in found.values()] == [["0", "1"], ["2"], ["3"]]
    with pytest.raises(Refusal, match="stopped before its test"):
        Measured.of("stopped", *stopped[1:])


def test_against_data_runs_of_other_epochs_are_another_family() -> None:
    specs = [RunSpec(network="mlp", train_images=1_000, epochs=n) for n in (1, 1, 2)]
    found = families([(str(i), spec, result(spec, 0.9)) for i, spec in enumerate(specs)], by="data")
    assert [[p.run_id for p in points] for points in found.values()] == [["0", "1"], ["2"]]


def test_the_curve_against_data_is_the_law_of_the_images() -> None:
    points = [
        Measured("run", 1.0, 1.0, 1.0, 1 - 2 * images**-0.4, images)
        for images in (2_500, 5_000, 10_000, 20_000)
    ]
    curve = fit(points, by="data")
    assert (curve.smallest, curve.largest) == (2_500, 20_000)
    assert curve.b == pytest.approx(0.4, abs=0.01)
    assert float(curve.error(60_000).mid) == pytest.approx(2 * 60_000**-0.4, rel=0.01)


def test_the_held_out_size_is_predicted_from_the_smaller_ones_only() -> None:
    """With the largest run bent upwards the prediction stays where the smaller ones point."""
    points = law(0.2, 0.5)
    bent = [
        *points[:-1],
        point(points[-1].compute, 1 - 1.3 * points[-1].error, seconds=points[-1].held_seconds),
    ]
    straight, off = fit(points).held_out, fit(bent).held_out
    assert off.mid == pytest.approx(straight.mid, rel=1e-6)
    assert off.measured == pytest.approx(1.3 * straight.measured, rel=0.01)
    assert straight.inside and not off.inside


def images(*sizes: int) -> list[Measured]:
    return [Measured("run", 1.0, 1.0, 1.0, 0.9, size) for size in sizes]


def test_the_runs_that_a_curve_needs_are_named() -> None:
    assert to_run_next([], 60_000) == [ToRun(size, 3) for size in (3_750, 7_500, 15_000, 30_000)]
    assert to_run_next(images(20_000), 60_000) == [
        ToRun(2_500, 3),
        ToRun(5_000, 3),
        ToRun(10_000, 3),
        ToRun(20_000, 2),
    ]
    three_each = images(*(2_500, 5_000, 10_000, 20_000) * 3)
    assert to_run_next(three_each, 60_000) == [ToRun(40_000, 3)]
    assert to_run_next(three_each, 20_000) == []
    assert to_run_next([], 1_437) == [ToRun(size, 3) for size in (180, 359, 718, 1_436)]
    assert to_run_next(images(500), 2_000) == [
        ToRun(250, 3),
        ToRun(500, 2),
        ToRun(1_000, 3),
        ToRun(2_000, 3),
    ]


def test_of_an_exact_law_the_fall_of_the_error_is_one_minus_the_factor_to_minus_b() -> None:
    for step in transfers(fit(law(0.2, 0.3))):
        low, middle, high = step.falls
        assert low < middle < high
        assert middle == pytest.approx(1 - step.factor**-0.3, abs=0.02)
        assert 1 - middle == pytest.approx(
            (1 - transfers(fit(law(0.2, 0.3)))[0].falls[1]) ** math.log2(step.factor), rel=0.01
        )


def test_the_exponent_told_is_that_of_the_steps() -> None:
    curve = fit(law(0.2, 0.3))
    low, middle, high = curve.exponent()
    assert low < curve.b < high
    assert middle == pytest.approx(0.3, abs=0.02)
    assert [1 - 2**-b for b in (low, middle, high)] == pytest.approx(curve.falls(2), rel=0.01)


def test_only_a_step_of_two_has_a_record() -> None:
    assert [step.zone for step in transfers(fit(law(0.2, 0.3)))] == ["confident", "uncertain", "uncertain"]


def test_the_fall_is_of_the_error_that_the_task_has_today() -> None:
    (step,) = transfers(fit(law(0.2, 0.3)), [2.0])
    low, middle, high = step.accuracy(0.8)
    assert middle == pytest.approx(1 - 0.2 * (1 - step.falls[1]))
    assert 0.8 < low < middle < high < 1


def test_a_curve_carried_over_to_a_task_falls_as_the_transfers_say() -> None:
    """From the accuracy of today, which is given and in no doubt, and along the same exponent."""
    measured = fit(law(0.2, 0.3))
    carried = measured.carried_over(0.7)
    assert (
        carried.accuracy(carried.largest).mid == carried.accuracy(carried.largest).low == pytest.approx(0.7)
    )
    for step in transfers(measured):
        found = carried.accuracy(carried.largest * step.factor)
        assert (found.low, found.mid, found.high) == pytest.approx(step.accuracy(0.7), abs=1e-3)
    assert carried.a * carried.largest**-carried.b == pytest.approx(0.3)
    with pytest.raises(Refusal, match="The accuracy of your task is"):
        measured.carried_over(1.0)


@pytest.mark.parametrize("now", [0.0, 1.0, -1.0, math.nan, math.inf])
def test_an_accuracy_of_today_that_is_no_share_is_refused(now: float) -> None:
    with pytest.raises(Refusal, match="The accuracy of your task is"):
        transfers(fit(law(0.2, 0.3)))[0].accuracy(now)


@pytest.mark.parametrize("accuracy", [0.01, 0.5, 0.79, 0.8, 0.81])
def test_no_less_than_the_smallest_run_is_priced_and_never_with_what_is_no_number(accuracy: float) -> None:
    """Flat, and on a small test: many draws have an error that rises with the size."""
    errors = {100: 0.21, 200: 0.207, 400: 0.204, 800: 0.2}
    points = [
        Measured(str(size), size, 1.0 + size, 0.0, 1 - error, size, 200) for size, error in errors.items()
    ]
    reach = fit(points).reach(accuracy, 3_600.0)
    assert 100 * (1 - 1e-9) <= reach.size[0] <= reach.size[1]
    assert reach.cost_usd[0] >= 100
    assert reach.size[2] is None or reach.size[2] >= reach.size[1]


def test_families_of_other_data_have_other_names_and_keys() -> None:
    own = {
        key: OwnData(
            id=key,
            name=f"{key}.csv",
            kind="table",
            task="classes",
            shape=(3,),
            train=800,
            test=200,
            class_names=("no", "yes"),
            target="answer",
        )
        for key in ("first", "second")
    }
    specs = [
        RunSpec(own=own["first"]),
        RunSpec(own=own["second"]),
        RunSpec(dataset="iris"),
        RunSpec(dataset="wine"),
    ]
    found = list(families((str(n), spec, result(spec, 0.9)) for n, spec in enumerate(specs)))
    assert len({family.name for family in found}) == len({family.key for family in found}) == 4
    assert "first.csv" in found[0].name.en
    (again,) = families([("again", specs[0], result(specs[0], 0.8))])
    assert again.key == found[0].key


def test_a_family_is_named_in_words_of_the_language_and_not_in_codes() -> None:
    spec = RunSpec(network="mlp", dropout=0.25, batch_norm=True, schedule="one_cycle", width=64)
    (found,) = families([("one", spec, result(spec, 0.9))])
    assert (
        found.name.en
        == "MLP · Adam · ReLU · Cross-entropy · batch size 64 · width 64 · dropout 0.25 · batch normalisation · One cycle"
    )
    assert (
        found.name.zh
        == "MLP · Adam · ReLU · 交叉熵 · 批大小 64 · 宽度 64 · 随机失活率 0.25 · 批归一化 · 单周期"
    )
    (iris,) = families([("two", RunSpec(dataset="iris"), result(RunSpec(dataset="iris"), 0.9))])
    assert "Iris" in iris.name.en and "iris" not in iris.name.zh


def test_the_title_for_others_does_not_tell_what_own_data_is_called() -> None:
    own = OwnData(
        id="a",
        name="clients.csv",
        kind="table",
        task="classes",
        shape=(3,),
        train=800,
        test=200,
        class_names=("no", "yes"),
        target="answer",
    )
    assert RunSpec(own=own).public_title.en == "own data · MLP · Adam · 5 epochs · 800 rows"
    assert RunSpec(own=own).public_title.zh.startswith("自有数据 · ")
    assert RunSpec(dataset="iris").public_title == RunSpec(dataset="iris").title

"""Sweeps: what is planned, what it costs, which run comes next, and when the worker ends it."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import optuna
import pytest

from core.i18n import Refusal
from core.storage import RunRow, Store, open_store
from core.training.device import Device
from core.training.energy import Energy
from core.training.result import RunResult
from core.training.spec import RunSpec
from core.training.sweep import Axis, Sweep, Trial, best_of, judged, next_run, price
from core.training.sweeping import advance, seconds_of, trials

BASE = RunSpec(network="mlp", epochs=1, train_images=9_000, price_per_hour=3.6)
RATES = Axis.read("learning_rate", "0.0001 to 0.1")
OWNER = "founder"


def played(sweep: Sweep, accuracy: Callable[[RunSpec], float | None], most: int = 100) -> list[Trial]:
    """The sweep as it would go if every run had the accuracy told; None is a run that failed."""
    trials: list[Trial] = []
    while len(trials) < most and (spec := next_run(sweep, trials)):
        told = accuracy(spec)
        trials.append(Trial(spec, "failed" if told is None else "done", told, 1.0))
    return trials


def peak(spec: RunSpec) -> float:
    """Best at a learning rate of 0.003."""
    assert spec.learning_rate is not None
    return 0.95 - 0.05 * abs(math.log10(spec.learning_rate / 0.003))


def test_values_and_ranges_are_read_as_they_are_typed() -> None:
    assert Axis.read("train_images", "2500, 5000,10_000") == Axis("train_images", (2500, 5000, 10_000))
    assert Axis.read("learning_rate", "0.001 to 0.1") == Axis("learning_rate", (0.001, 0.1), between=True)
    assert Axis.read("epochs", "1..8").listed() == (1, 2, 4, 8)
    assert Axis.read("epochs", "1到8") == Axis.read("epochs", "1 to 8")
    assert Axis.read("batch_size", "32，64、128") == Axis.read("batch_size", "32, 64, 128")


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("epochs", "1, two", "The values of epochs are “1, two”"),
        ("epochs", "1.5", "whole ones where it counts"),
        ("batch_size", "-8", "numbers above 0"),
        ("learning_rate", "", "numbers above 0"),
        ("learning_rate", "0.1 to 0.01", "from a smaller to a larger"),
        ("learning_rate", "nan", "numbers above 0"),
        ("activation", "1, 2", "cannot vary activation"),
    ],
)
def test_values_that_make_no_sense_are_refused(field: str, text: str, said: str) -> None:
    with pytest.raises(Refusal, match=said):
        Axis.read(field, text)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"axes": ()}, "Nothing varies"),
        ({"axes": (RATES, RATES)}, "only once"),
        ({"budget_usd": None}, "one budget above 0"),
        ({"budget_minutes": 1.0}, "one budget above 0"),
        ({"budget_usd": 0.0}, "one budget above 0"),
        ({"runs": 0}, "number of runs is 0"),
        ({"seeds": 11}, "number of seeds is 11"),
        ({"method": "guess"}, "method is guess"),
        ({"base": replace(BASE, price_per_hour=0.0)}, "would never end"),
        ({"axes": (Axis("epochs", (1, 1000)),)}, "epochs is 1000"),
        ({"axes": (Axis("batch_size", tuple(range(8, 108))),), "seeds": 3}, "That would be 300 runs"),
        (
            {"method": "halving", "axes": (Axis("train_images", (500, 900)), Axis("epochs", (1, 2)))},
            "needs the training images or the epochs for itself",
        ),
    ],
)
def test_a_sweep_that_makes_no_sense_is_refused(wrong: dict[str, object], said: str) -> None:
    given: dict[str, object] = {"base": BASE, "axes": (RATES,), "budget_usd": 1.0}
    with pytest.raises(Refusal, match=said):
        Sweep(**{**given, **wrong})  # type: ignore[arg-type]


def test_every_combination_is_run_once_for_each_seed_the_smallest_first() -> None:
    axes = (Axis("train_images", (2_000, 1_000)), Axis("batch_size", (32, 64)))
    sweep = Sweep(base=BASE, axes=axes, seeds=2, budget_minutes=10)
    trials = played(sweep, peak)
    assert len(trials) == 8 == price(sweep, lambda spec: 1.0).runs
    assert [t.spec.train_images for t in trials] == [1_000] * 4 + [2_000] * 4
    assert len({t.spec for t in trials}) == 8


def test_the_price_is_known_beforehand_where_the_speed_is() -> None:
    sweep = Sweep(base=BASE, axes=(Axis("train_images", (1_000, 2_000, 4_000)),), budget_usd=0.0041)
    told = price(sweep, lambda spec: spec.train_images / 1_000)
    assert (told.runs, told.seconds, told.fits) == (3, 7.0, 2)
    assert told.dollars == pytest.approx(0.007)
    unknown = price(sweep, lambda spec: None)
    assert (unknown.runs, unknown.seconds, unknown.dollars, unknown.fits) == (3, None, None, None)


def test_a_search_comes_close_to_the_best_and_the_same_runs_give_the_same_next_one() -> None:
    sweep = Sweep(base=BASE, axes=(RATES,), method="search", runs=20, budget_minutes=10)
    trials = played(sweep, peak)
    assert len(trials) == 20
    best = best_of(trials, sweep)
    assert best is not None and best.accuracy is not None
    assert best.accuracy > 0.94
    assert next_run(sweep, trials[:7]) == trials[7].spec
    assert len({t.spec for t in trials}) == 20


def test_successive_halving_gives_all_the_data_to_the_best_ninth() -> None:
    sweep = Sweep(base=BASE, axes=(RATES,), method="halving", runs=9, budget_minutes=10)
    trials = played(sweep, peak)
    sizes = [t.spec.train_images for t in trials]
    assert sizes == [1_000] * 9 + [3_000] * 3 + [9_000]
    assert [s.train_images for s in sweep.planned()] == sizes
    first = sorted(trials[:9], key=lambda t: -(t.accuracy or 0))
    assert [t.spec.learning_rate for t in trials[9:12]] == [t.spec.learning_rate for t in first[:3]]
    assert best_of(trials, sweep) == trials[-1]


def test_halving_waits_for_the_runs_under_way_and_leaves_failed_ones_behind() -> None:
    sweep = Sweep(base=BASE, axes=(RATES,), method="halving", runs=3, budget_minutes=10)
    trials = played(sweep, peak, most=3)
    assert next_run(sweep, [*trials[:2], replace(trials[2], state="running", accuracy=None)]) is None
    failed = [replace(t, state="failed", accuracy=None) for t in trials]
    assert next_run(sweep, failed) is None
    assert next_run(sweep, [*failed[:2], trials[2]]) == replace(trials[2].spec, train_images=3_000)


def test_a_failed_run_is_worse_than_any_share_explained_below_zero() -> None:
    """Of numbers badly predicted, less than nothing is explained."""
    base = RunSpec(dataset="diabetes", epochs=1, train_images=350)
    sweep = Sweep(
        base=replace(base, epochs=9),
        axes=(Axis("train_images", (100, 350), True), RATES),
        method="halving",
        runs=3,
        budget_minutes=10,
    )
    first = played(sweep, lambda spec: -0.5, most=3)
    tried = [replace(first[0], state="failed", accuracy=None), *first[1:]]
    larger = next_run(sweep, tried)
    assert larger is not None and larger.learning_rate == first[1].spec.learning_rate


def test_a_search_takes_a_failed_run_for_as_bad_as_the_worst(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[float] = []
    made = optuna.trial.create_trial
    monkeypatch.setattr(
        optuna.trial, "create_trial", lambda **given: told.append(given["value"]) or made(**given)
    )
    sweep = Sweep(base=BASE, axes=(RATES,), method="search", runs=9, budget_minutes=10)
    spec = next_run(sweep, [])
    assert spec is not None
    rates = (0.001, 0.01, 0.1)
    tried = [
        Trial(replace(spec, learning_rate=rate), "done" if share else "failed", share)
        for rate, share in zip(rates, (-3.0, -0.2, None), strict=True)
    ]
    next_run(sweep, tried)
    assert told == [-3.0, -0.2, -3.0]


@pytest.mark.parametrize("method", ["every", "search", "halving"])
@pytest.mark.parametrize(
    "axes",
    [
        (RATES,),
        (RATES, Axis("epochs", (1, 2))),
        (Axis("train_images", (30_000, 56_000, 60_000)),),
        (Axis.read("train_images", "1000 to 60000"),),
        (Axis.read("train_images", "57000 to 60000"), Axis("epochs", (1, 2))),
    ],
)
def test_no_run_of_a_sweep_is_without_examples_to_be_chosen_by(method: str, axes: tuple[Axis, ...]) -> None:
    base = RunSpec(network="mlp", epochs=4)
    if method == "halving" and len(axes) == 2 and axes[0].field == "train_images":
        axes = axes[:1]
    sweep = Sweep(base=base, axes=axes, method=method, runs=9, budget_minutes=10)  # type: ignore[arg-type]
    trials = played(sweep, peak)
    assert trials
    assert all(spec.validation_images >= 1_000 for spec in [t.spec for t in trials] + sweep.planned())
    assert max(t.spec.train_images for t in trials) <= 55_000
    assert Sweep.from_json(sweep.to_json()) == sweep


def test_runs_chosen_beforehand_are_trained_as_they_are() -> None:
    whole = RunSpec(network="mlp")
    assert Sweep(base=whole, listed=(whole,), budget_minutes=1).every() == (whole,)


def test_a_run_is_judged_by_validation_and_never_by_its_test() -> None:
    spec = BASE
    assert judged(spec, measured(spec, validation=0.7, test=0.9)) == 0.7
    assert judged(spec, measured(spec, validation=None, test=0.9)) is None
    number = RunSpec(dataset="diabetes", train_images=200)
    told = replace(measured(number, validation=None, test=None), test_r2=0.9, validation_loss=0.4)
    assert judged(number, told) == pytest.approx(0.6)
    assert judged(number, replace(told, validation_loss=None)) is None


def test_a_run_without_validation_is_not_ranked() -> None:
    sweep = Sweep(base=BASE, axes=(Axis("epochs", (1, 2)),), budget_minutes=1)
    first, second = sweep.every()
    assert best_of([Trial(first, "done"), Trial(second, "done", 0.2)], sweep) == Trial(second, "done", 0.2)
    assert best_of([Trial(first, "done")], sweep) is None


def test_a_lost_run_is_repeated_once() -> None:
    sweep = Sweep(base=BASE, axes=(Axis("epochs", (1, 2)),), budget_minutes=10)
    first, second = sweep.every()
    lost = Trial(first, "interrupted")
    assert next_run(sweep, [lost]) == first
    assert next_run(sweep, [lost, lost]) == second
    assert next_run(sweep, [lost, Trial(first, "done", 0.9), Trial(second, "done", 0.9)]) is None


def test_a_sweep_survives_json() -> None:
    for sweep in (
        Sweep(base=BASE, axes=(RATES, Axis("epochs", (1, 2))), method="search", budget_usd=1.0),
        Sweep(base=BASE, listed=(BASE, replace(BASE, seed=1)), budget_minutes=2.0),
    ):
        assert Sweep.from_json(sweep.to_json()) == sweep


# With the store, and a worker that is played


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 'store.sqlite3'}")
    opened.migrate()
    yield opened
    opened.close()


def measured(spec: RunSpec, validation: float | None, test: float | None, seconds: float = 2.0) -> RunResult:
    """What a run would have measured that trained steadily for ``seconds``."""
    return RunResult(
        stopped=False,
        epochs=1.0,
        steps=spec.total_steps,
        images=spec.images_seen,
        parameters=spec.parameters,
        training_flop=spec.training_flop,
        train_loss=0.1,
        train_accuracy=0.9,
        validation_loss=None,
        validation_accuracy=validation,
        test_loss=0.1,
        test_accuracy=test,
        fit_seconds=seconds,
        test_seconds=0.0,
        held_seconds=seconds,
        images_per_second=spec.images_seen / seconds,
        steady_images_per_second=None,
        price_per_hour=spec.price_per_hour,
        cost_usd=seconds * spec.price_per_hour / 3600,
        energy=Energy(1.0, "tdp_model"),
        device=Device("cpu", "CPU", 2, 1 << 30, "tensorflow"),
    )


def finish_next(store: Store, seconds: float = 2.0, validation: float = 0.9, test: float = 0.9) -> RunRow:
    """Play the worker for the run that is next; it took ``seconds`` of steady training."""
    row = store.runs.claim("worker", 60)
    assert row is not None
    result = measured(RunSpec.from_json(row.spec), validation, test, seconds)
    assert store.runs.finish(row.id, "worker", "done", result.to_json())
    return row


def test_the_runs_of_a_sweep_are_ranked_by_validation_where_the_test_says_otherwise(store: Store) -> None:
    sweep = Sweep(base=BASE, axes=(Axis("train_images", (1_000, 60_000)),), budget_minutes=60)
    row = store.sweeps.create(OWNER, None, sweep.to_json())
    for validation, test in ((0.9, 0.6), (0.8, 0.99)):
        advance(store, 1, "CPU")
        finish_next(store, validation=validation, test=test)
    best = best_of(trials(store.sweeps.runs(row.id)), sweep)
    assert best is not None
    assert (best.spec.train_images, best.accuracy) == (1_000, 0.9)


def test_a_sweep_goes_through_the_queue_one_run_after_the_other(store: Store) -> None:
    sweep = Sweep(base=BASE, axes=(Axis("train_images", (1_000, 2_000)),), budget_minutes=60)
    row = store.sweeps.create(OWNER, None, sweep.to_json())
    for count in (1, 2):
        advance(store, 1, "CPU")
        advance(store, 1, "CPU")
        assert len(store.sweeps.runs(row.id)) == count
        finish_next(store)
    advance(store, 1, "CPU")
    ended = store.sweeps.get(OWNER, row.id)
    assert (ended.state, ended.reason) == ("done", None)
    assert [run.sweep_id for run in store.runs.rows(OWNER)] == [row.id] * 2
    assert seconds_of(store, OWNER, "CPU")(BASE) == pytest.approx(9_000 / 1_000 * 2 + 20 / 3, rel=1.0)


def test_two_workers_give_a_sweep_one_run(store: Store) -> None:
    row = store.sweeps.create(OWNER, None, Sweep(base=BASE, axes=(RATES,), budget_minutes=1).to_json())
    assert store.sweeps.add_run(row, 0, BASE.to_json(), 1) is not None
    assert store.sweeps.add_run(row, 0, BASE.to_json(), 1) is None
    assert len(store.sweeps.runs(row.id)) == 1


def test_a_sweep_stops_its_running_run_when_the_budget_is_used_up(store: Store) -> None:
    sweep = Sweep(base=BASE, axes=(RATES,), budget_minutes=0.01 / 60)
    row = store.sweeps.create(OWNER, None, sweep.to_json())
    advance(store, 2, "CPU")
    running = store.runs.claim("worker", 60)
    assert running is not None
    advance(store, 2, "CPU")
    deadline = time.monotonic() + 5
    while store.sweeps.get(OWNER, row.id).active:
        assert time.monotonic() < deadline
        advance(store, 2, "CPU")
    ended = store.sweeps.get(OWNER, row.id)
    assert ended.state == "stopped"
    assert "budget was used up" in str(ended.reason)
    assert store.runs.renew(running.id, "worker", 60).cancel_requested
    assert all(run.state in ("running", "stopped") for run in store.sweeps.runs(row.id))


def test_a_run_that_the_rest_of_the_budget_does_not_pay_for_is_not_begun(store: Store) -> None:
    """The first run teaches the speed: 1,000 images in 2 s, so 60,000 would take two minutes."""
    sweep = Sweep(base=BASE, axes=(Axis("train_images", (1_000, 60_000)),), budget_minutes=1.0)
    row = store.sweeps.create(OWNER, None, sweep.to_json())
    advance(store, 1, "CPU")
    finish_next(store)
    advance(store, 1, "CPU")
    ended = store.sweeps.get(OWNER, row.id)
    assert ended.state == "stopped"
    assert "does not pay for another run" in str(ended.reason)
    assert len(store.sweeps.runs(row.id)) == 1


def speed_known(store: Store, seconds: float = 2.0) -> None:
    """An earlier run of the owner, of 9,000 images."""
    store.runs.submit(OWNER, None, BASE.to_json(), BASE.total_steps)
    finish_next(store, seconds)


def test_with_room_for_several_no_more_are_begun_than_the_budget_pays_for(store: Store) -> None:
    """A run takes some 85 s, test and validation included, and 100 s are there; those under way have held their devices for no time yet."""
    speed_known(store, 60.0)
    sweep = Sweep(
        base=BASE, axes=(Axis("learning_rate", (0.001, 0.002, 0.004, 0.008)),), budget_minutes=100 / 60
    )
    row = store.sweeps.create(OWNER, None, sweep.to_json())
    for _ in range(4):
        advance(store, 4, "CPU")
        store.runs.claim("worker", 60)
    assert [run.state for run in store.sweeps.runs(row.id)] == ["running"]
    assert store.sweeps.get(OWNER, row.id).active
    rich = replace(sweep, budget_minutes=270 / 60)
    other = store.sweeps.create(OWNER, None, rich.to_json())
    for _ in range(6):
        advance(store, 4, "CPU")
    assert len(store.sweeps.runs(other.id)) == 3


def test_where_the_speed_is_not_known_the_first_run_goes_alone_until_it_tells(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is halfway after 10 s, so each takes 20 s: 65 s pay for that one and two more."""
    sweep = Sweep(base=BASE, axes=(Axis("batch_size", (32, 64, 128, 256)),), budget_minutes=65 / 60)
    row = store.sweeps.create(OWNER, None, sweep.to_json())
    advance(store, 4, "CPU")
    now = time.time()
    with monkeypatch.context() as patch:
        patch.setattr("core.storage.queue.time.time", lambda: now - 10)
        first = store.runs.claim("worker", 1e6)
    assert first is not None and first.total_steps
    advance(store, 4, "CPU")
    assert len(store.sweeps.runs(row.id)) == 1
    store.runs.progress(first.id, first.total_steps // 2, 10.0, "CPU")
    for _ in range(4):
        advance(store, 4, "CPU")
    assert len(store.sweeps.runs(row.id)) == 3


def test_a_sweep_is_stopped_with_its_runs(store: Store) -> None:
    speed_known(store)
    row = store.sweeps.create(OWNER, None, Sweep(base=BASE, axes=(RATES,), budget_minutes=60).to_json())
    advance(store, 2, "CPU")
    running = store.runs.claim("worker", 60)
    advance(store, 2, "CPU")
    assert running is not None
    assert store.sweeps.cancel(OWNER, row.id).state == "stopped"
    states = {run.state for run in store.sweeps.runs(row.id)}
    assert states == {"running", "stopped"}
    assert store.runs.get(OWNER, running.id).cancel_requested
    advance(store, 2, "CPU")
    assert len(store.sweeps.runs(row.id)) == 2
    with pytest.raises(Refusal, match="no such sweep"):
        store.sweeps.cancel("somebody else", row.id)


def test_a_sweep_that_cannot_be_read_fails_and_the_others_go_on(store: Store) -> None:
    broken = store.sweeps.create(OWNER, None, '{"axes": 3}')
    good = store.sweeps.create(OWNER, None, Sweep(base=BASE, axes=(RATES,), budget_minutes=60).to_json())
    advance(store, 1, "CPU")
    assert store.sweeps.get(OWNER, broken.id).state == "failed"
    assert len(store.sweeps.runs(good.id)) == 1

"""The estimate before the click: exact for a run like an earlier one, in proportion for another."""

import contextlib
from dataclasses import replace
from pathlib import Path

import pytest

from core.storage import open_store
from core.training.device import Device
from core.training.energy import Energy
from core.training.estimate import ALIKE, FIRST_S, OTHER, START_S, UNSEEN, estimate
from core.training.result import RunResult
from core.training.spec import RunSpec
from core.training.speed import Speed, shown, speed_of

HERE = Device("cpu", "this one", 2, 2**30, "tensorflow")
SPEC = RunSpec(network="cnn", epochs=2, train_images=10_000, price_per_hour=3.6)


def ran(spec: RunSpec, per_second: float, device: Device = HERE) -> tuple[RunSpec, RunResult]:
    """A run at ``per_second`` examples a second, with a second of start-up and half a second to compile."""
    fit = (spec.images_seen + spec.epochs * spec.validation_images / 3) / per_second + 0.5
    test = spec.data.test_images / per_second / 3
    return spec, RunResult(
        stopped=False,
        epochs=spec.epochs,
        steps=spec.total_steps,
        images=spec.images_seen,
        parameters=spec.parameters,
        training_flop=spec.training_flop,
        train_loss=0.1,
        train_accuracy=0.9,
        validation_loss=None,
        validation_accuracy=None,
        test_loss=0.1,
        test_accuracy=0.9,
        fit_seconds=fit,
        test_seconds=test,
        held_seconds=1.0 + fit + test,
        images_per_second=spec.images_seen / fit,
        steady_images_per_second=per_second,
        price_per_hour=3.6,
        cost_usd=0.0,
        energy=Energy(1.0, "tdp_model"),
        device=device,
    )


def test_without_a_run_on_this_device_there_is_no_estimate() -> None:
    assert estimate(SPEC, [], "this one") is None
    assert estimate(SPEC, [ran(SPEC, 1_000, replace(HERE, name="another"))], "this one") is None


def test_the_same_run_again_takes_as_long() -> None:
    past = ran(SPEC, 1_000)
    found = estimate(SPEC, [past], "this one")
    assert found is not None
    assert found.seconds == pytest.approx(past[1].held_seconds)
    assert found.dollars == pytest.approx(found.seconds * 3.6 / 3600)
    assert found.factor == ALIKE


def test_more_epochs_and_images_take_longer_in_proportion_but_start_once() -> None:
    found = estimate(replace(SPEC, epochs=20), [ran(SPEC, 1_000)], "this one")
    assert found is not None
    assert found.seconds == pytest.approx(1.0 + 0.5 + 200 + 20 * SPEC.validation_images / 3_000 + 10 / 3)


def test_another_network_goes_by_its_arithmetic_and_with_less_certainty() -> None:
    other = replace(SPEC, width=64)
    speed = Speed(step=0.002, flop_per_second=3e10)
    found = estimate(other, [ran(SPEC, 1_000)], "this one", speed)
    assert found is not None
    ratio = speed.seconds_each(other) / speed.seconds_each(SPEC)
    assert ratio == pytest.approx(other.architecture.training_flop / SPEC.architecture.training_flop, rel=0.1)
    validation = 2 * other.validation_images / 1_000 / 3
    assert found.seconds == pytest.approx(1.5 + ratio * (20 + validation + 10 / 3))
    assert found.factor == OTHER


def test_a_run_too_small_to_compute_much_does_not_make_a_large_one_dear() -> None:
    """Two milliseconds a step of eight rows say little about the arithmetic, whatever that run's FLOP."""
    tiny = RunSpec(dataset="iris", network="mlp", width=4, batch_size=8, epochs=10)
    found = estimate(SPEC, [ran(tiny, 4_000)], "this one", Speed(0.002, 3e10))
    assert found is not None
    assert found.seconds == pytest.approx(1.5 + 20 * 0.55 + (1_000 + 5_000) / 3 * 0.00055, rel=0.1)
    guessed = estimate(SPEC, [ran(tiny, 4_000)], "this one")
    assert guessed is not None and guessed.seconds > found.seconds


def test_before_the_first_run_the_measured_speed_is_all_there_is() -> None:
    speed = Speed(step=0.001, flop_per_second=2e10)
    found = estimate(SPEC, [], "this one", speed)
    assert found is not None and found.factor == UNSEEN
    each = 0.001 / SPEC.batch_size + SPEC.architecture.training_flop / 2e10
    examples = 20_000 + (2 * SPEC.validation_images + 10_000) / 3
    assert found.seconds == pytest.approx(START_S + FIRST_S + examples * each)


def test_the_speed_told_by_a_worker_is_that_of_its_device(tmp_path: Path) -> None:
    with contextlib.closing(open_store(f"sqlite:///{tmp_path}/store.sqlite3")) as store:
        store.migrate()
        assert shown(store, "this one") is None
        measured = replace(HERE, step_seconds=0.001, flop_per_second=2e10)
        store.workers.beat("w", "here", 1, "idle", measured.to_json(), "warm", "x")
        assert shown(store, "this one") == Speed(0.001, 2e10) == speed_of(measured)
        assert shown(store, "another") is None and speed_of(HERE) is None


def test_the_run_most_alike_is_taken() -> None:
    past = [ran(RunSpec(network="mlp", epochs=1), 50_000), ran(replace(SPEC, seed=4), 1_000)]
    found = estimate(SPEC, past, "this one")
    assert found is not None and found.factor == ALIKE

"""The estimate before the click: exact for a run like an earlier one, in proportion for another."""

from dataclasses import replace

import pytest

from core.training.device import Device
from core.training.energy import Energy
from core.training.estimate import ALIKE, OTHER, estimate
from core.training.result import RunResult
from core.training.spec import RunSpec

HERE = Device("cpu", "this one", 2, 2**30, "tensorflow")
SPEC = RunSpec(network="cnn", epochs=2, train_images=10_000, price_per_hour=3.6)


def ran(spec: RunSpec, per_second: float, device: Device = HERE) -> tuple[RunSpec, RunResult]:
    """A run at ``per_second`` examples a second, with a second of start-up and half a second to compile."""
    fit = spec.images_seen / per_second + 0.5
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
    assert found.seconds == pytest.approx(1.0 + 0.5 + 200 + 10 / 3)


def test_another_network_goes_by_its_arithmetic_and_with_less_certainty() -> None:
    other = replace(SPEC, width=64)
    found = estimate(other, [ran(SPEC, 1_000)], "this one")
    assert found is not None
    ratio = other.architecture.training_flop / SPEC.architecture.training_flop
    assert found.seconds == pytest.approx(1.5 + ratio * (20 + 10 / 3))
    assert found.factor == OTHER


def test_the_run_most_alike_is_taken() -> None:
    past = [ran(RunSpec(network="mlp", epochs=1), 50_000), ran(replace(SPEC, seed=4), 1_000)]
    found = estimate(SPEC, past, "this one")
    assert found is not None and found.factor == ALIKE

"""Real Keras runs, small ones: what they measure, how they stop, how they fail."""

import json
import math
import os
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras

from core.i18n import Refusal
from core.training import answers, checkpoint, child, command, datasets, device, networks, run, start
from core.training.architecture import networks_for
from core.training.choices import OPTIMIZERS, SCHEDULES
from core.training.presets import first_for
from core.training.result import Progress, RunResult
from core.training.run import train
from core.training.spec import RunSpec

SMALL = RunSpec(network="mlp", train_images=2_000, epochs=2, batch_size=50, price_per_hour=3.6)


@pytest.fixture(scope="module")
def watched() -> tuple[RunResult, list[Progress]]:
    said: list[Progress] = []
    return train(SMALL, lambda progress: said.append(progress) or True), said  # type: ignore[func-returns-value]


@pytest.mark.parametrize(("depth", "batch_norm"), [(2, False), (4, True)])
@pytest.mark.parametrize("key", sorted(networks_for("images")))
@pytest.mark.parametrize("dataset", ["mnist", "digits"])
def test_keras_counts_the_same_parameters(dataset: str, key: str, depth: int, batch_norm: bool) -> None:
    spec = RunSpec(dataset=dataset, network=key, depth=depth, width=8, batch_norm=batch_norm, dropout=0.1)
    model = networks.build(spec)
    assert sum(math.prod(weight.shape) for weight in model.trainable_weights) == spec.parameters


def test_keras_counts_the_same_parameters_of_factors() -> None:
    spec = RunSpec(dataset="ratings", width=5)
    assert networks.build(spec).count_params() == spec.parameters


def test_squared_error_is_the_mean_over_the_ten_digits() -> None:
    probabilities = np.full((2, 10), 0.1, "float32")
    loss = networks.squared_error(np.array([3, 9], "int32"), keras.ops.convert_to_tensor(probabilities))
    assert np.asarray(loss) == pytest.approx([(0.9**2 + 9 * 0.1**2) / 10] * 2)


def test_a_run_learns_and_says_what_it_cost(watched: tuple[RunResult, list[Progress]]) -> None:
    result, _ = watched
    assert not result.stopped
    assert (result.steps, result.images, result.epochs) == (80, 4_000, 2.0)
    assert result.test_accuracy is not None
    assert result.test_loss is not None
    assert result.validation_accuracy is not None
    assert 0.75 < result.test_accuracy < 0.95
    assert 0.75 < result.validation_accuracy < 0.95
    assert 0.2 < result.test_loss < 1.0
    assert result.parameters == SMALL.parameters
    assert result.training_flop == SMALL.training_flop
    assert 0 < result.fit_seconds + result.test_seconds <= result.held_seconds
    assert result.cost_usd == pytest.approx(result.held_seconds * 3.6 / 3600)
    assert result.images_per_second == pytest.approx(4_000 / result.fit_seconds)
    assert result.steady_images_per_second is not None
    assert result.steady_images_per_second > result.images_per_second
    assert result.energy.joules > 0
    assert result.mean_utilisation is not None and 0 < result.mean_utilisation <= 1
    assert result.peak_memory_bytes is not None and 2**27 < result.peak_memory_bytes < 2**34
    assert result.environment["backend"].startswith("tensorflow 2.")
    assert RunResult.from_json(result.to_json()) == result


def test_progress_goes_from_the_first_batch_to_the_test(watched: tuple[RunResult, list[Progress]]) -> None:
    result, said = watched
    assert said[0].step == 1
    assert said[-1] == replace(said[-1], phase="test", step=80, epoch=2.0, loss=None, accuracy=None)
    assert [p.step for p in said] == sorted(p.step for p in said)
    assert [p.seconds for p in said] == sorted(p.seconds for p in said)
    assert [p.epoch for p in said if p.phase == "validation"][-1] == 2.0
    assert said[-2].accuracy == result.validation_accuracy
    assert all(p.total_steps == 80 and p.loss is not None for p in said[:-1])
    assert all(p.memory_bytes and p.utilisation is not None for p in said)
    assert said[-1].seconds_left == 0


def test_what_is_said_of_training_is_the_mean_since_the_last_word(monkeypatch: pytest.MonkeyPatch) -> None:
    """Said after every batch, it is the loss of that batch; so their mean is the one over the epoch."""
    monkeypatch.setattr("core.training.watch.REPORT_EVERY_S", 0.0)
    said: list[Progress] = []
    spec = replace(SMALL, train_images=1_030)  # the last batch of an epoch is smaller
    result = train(spec, lambda progress: said.append(progress) or True)  # type: ignore[func-returns-value]
    by_step = {p.step: p for p in said if p.phase == "train"}
    assert sorted(by_step) == list(range(1, spec.total_steps + 1))
    last = [by_step[step] for step in range(spec.steps_per_epoch + 1, spec.total_steps + 1)]
    sizes = [50] * (spec.steps_per_epoch - 1) + [30]
    assert np.average([p.loss for p in last], weights=sizes) == pytest.approx(result.train_loss, rel=1e-4)
    assert np.average([p.accuracy for p in last], weights=sizes) == pytest.approx(
        result.train_accuracy, rel=1e-4
    )
    accuracies = [p.accuracy * size for p, size in zip(last, sizes, strict=True) if p.accuracy is not None]
    assert accuracies == pytest.approx(np.round(accuracies), abs=0.02), "whole numbers of right answers"
    assert np.std([p.loss for p in last if p.loss is not None]) > 0.02, (
        "batches differ; means so far hardly do"
    )


def test_training_is_that_of_a_plain_script_given_the_same_order() -> None:
    """Every image once an epoch with its own label, in a new order; and then the very weights of plain Keras."""
    images, count, epochs = datasets.load("mnist"), 640, 2
    pixels, digits = images.train[:count], images.train_labels[:count].astype(np.int32)
    data = device.fit_data(pixels, digits, 64, epochs, seed=3)
    batches = [(np.asarray(x), np.asarray(y)) for x, y in data["x"]]
    shown = np.concatenate([x for x, _ in batches]).reshape(epochs, count, 28, 28, 1)
    labels = np.concatenate([y for _, y in batches]).reshape(epochs, count)
    label_of = {
        picture.tobytes(): label for picture, label in zip(device.scaled(pixels), digits, strict=True)
    }
    for epoch in range(epochs):
        assert {picture.tobytes() for picture in shown[epoch]} == set(label_of)
        assert [label_of[picture.tobytes()] for picture in shown[epoch]] == labels[epoch].tolist()
    assert not np.array_equal(labels[0], labels[1])

    keras.utils.set_random_seed(0)
    ours = networks.build(SMALL)
    ours.compile(optimizer=networks.optimizer(SMALL), loss=networks.loss(SMALL))
    ours.fit(**data, epochs=epochs, verbose=0)
    keras.utils.set_random_seed(0)
    plain = networks.build(SMALL)
    plain.compile(optimizer="adam", loss="categorical_crossentropy")
    for epoch in range(epochs):
        one_hot = keras.utils.to_categorical(labels[epoch], 10)
        plain.fit(shown[epoch], one_hot, batch_size=64, shuffle=False, verbose=0)
    for mine, theirs in zip(ours.get_weights(), plain.get_weights(), strict=True):
        assert mine == pytest.approx(theirs, abs=1e-5)


def test_progress_is_said_at_most_four_times_a_second() -> None:
    said: list[Progress] = []
    began = time.perf_counter()
    train(replace(SMALL, epochs=30, train_images=200), lambda p: said.append(p) or True)  # type: ignore[func-returns-value]
    seconds = time.perf_counter() - began
    for phase in ("train", "validation"):
        assert 2 <= len([p for p in said if p.phase == phase]) <= 2 + 2 * math.ceil(4 * seconds)


def test_the_same_seed_gives_the_same_run_and_another_seed_another(
    watched: tuple[RunResult, list[Progress]],
) -> None:
    result, _ = watched
    again, other = train(SMALL), train(replace(SMALL, seed=1))
    assert (again.test_loss, again.train_loss) == pytest.approx(
        (result.test_loss, result.train_loss), rel=1e-4
    )
    assert other.test_loss != pytest.approx(result.test_loss, rel=1e-4)


def test_the_convolutional_network_trains_without_validation_on_all_images_until_told_to_stop() -> None:
    told = time.perf_counter()

    def stop_at_first_word(progress: Progress) -> bool:
        nonlocal told
        told = time.perf_counter()
        return False

    result = train(RunSpec(network="cnn"), stop_at_first_word)
    assert time.perf_counter() - told < 1.0
    assert result.stopped
    assert (result.steps, result.images) == (1, 64)
    assert result.test_accuracy is None
    assert result.validation_accuracy is None
    assert result.cost_usd > 0


def test_a_stop_is_heeded_after_the_batch_at_hand() -> None:
    asked = threading.Event()
    steps: list[int] = []

    def report(progress: Progress) -> bool:
        steps.append(progress.step)
        asked.set()
        return True

    result = train(replace(SMALL, epochs=100), report, stop=asked.is_set)
    assert result.stopped
    assert steps[0] == 1
    assert result.steps == 2


@pytest.mark.parametrize("optimizer", sorted(OPTIMIZERS))
def test_every_optimiser_lowers_the_loss(optimizer: str) -> None:
    result = train(replace(SMALL, optimizer=optimizer, learning_rate=None, epochs=3))
    assert result.train_loss is not None
    assert result.train_loss < 0.9 * math.log(10)


@pytest.mark.parametrize("schedule", sorted(SCHEDULES))
def test_a_schedule_goes_from_its_rate_to_its_end(schedule: str) -> None:
    """One cycle: 0 at the start, the rate after 15% of 100 steps, 0 at the end; a straight line between."""
    spec = RunSpec(dataset="iris", batch_size=12, epochs=10, learning_rate=0.02, schedule=schedule)
    rate = networks.learning_rate(spec)
    at = [float(np.asarray(rate(step))) if callable(rate) else rate for step in (0, 15, 50, 100)]
    expected = {
        "constant": [0.02] * 4,
        "cosine": [0.02, 0.02 * (1 + math.cos(math.pi * 0.15)) / 2, 0.01, 0.0],
        "one_cycle": [0.0, 0.02, 0.02 * 0.5 / 0.85, 0.0],
    }
    assert at == pytest.approx(expected[schedule], abs=1e-7)


def test_pooling_before_the_activation_changes_no_answer() -> None:
    """A rising activation keeps the largest the largest, so both orders are the same function."""
    x = np.random.default_rng(0).normal(size=(2, 8, 8, 1)).astype("float32")
    pool, relu = keras.layers.MaxPooling2D(2), keras.layers.Activation("relu")
    assert np.array_equal(np.asarray(pool(relu(x))), np.asarray(relu(pool(x))))


@pytest.mark.parametrize("dataset", ["digits", "breast_cancer", "wine", "iris"])
def test_small_data_sets_are_learned(dataset: str) -> None:
    spec = RunSpec(dataset=dataset, network="mlp", epochs=30, batch_size=16)
    result = train(spec)
    assert result.test_accuracy is not None
    assert result.test_accuracy > 0.8


@pytest.mark.parametrize(
    ("dataset", "settings", "least"),
    # Always saying the commonest class is right in 10 %, 58.6 % and 23.8 % of the test.
    [("fashion", {"train_images": 5_000, "epochs": 3}, 0.8), ("reviews", {}, 0.7), ("vowels", {}, 0.93)],
)
def test_demonstrations_are_learned_well_above_the_commonest_class(
    dataset: str, settings: dict[str, int], least: float
) -> None:
    preset = first_for(datasets.DATASETS[dataset])
    result = train(command.spec_of(preset, {"dataset": dataset, **settings}))
    assert result.test_accuracy is not None
    assert result.test_accuracy > least


def test_a_number_is_predicted_with_an_error_in_its_own_unit() -> None:
    """On the diabetes data a straight line explains about half of the variance (Efron et al., 2004)."""
    result = train(RunSpec(dataset="diabetes", epochs=40, width=32))
    assert result.test_accuracy is None
    assert result.test_rmse is not None and result.test_r2 is not None
    assert 0.3 < result.test_r2 < 0.7
    assert 45 < result.test_rmse < 65


def test_ratings_are_predicted_better_than_by_student_and_lecturer_alone() -> None:
    """Always saying the mean is off by 1.328 on the test, student + lecturer by ridge regression by 1.199."""
    result = train(command.spec_of("ratings", {"dataset": "ratings", "epochs": 6}))
    assert result.test_rmse is not None and result.test_r2 is not None
    assert result.test_rmse < 1.195
    assert result.test_r2 > 0.19


def test_more_ratings_teach_more_and_the_loss_is_told_without_what_the_weights_add(tmp_path: Path) -> None:
    losses = []
    for size in (2_000, 20_000):
        told: list[Progress] = []
        spec = command.spec_of("ratings", {"dataset": "ratings", "epochs": 3, "train_images": size})
        result = train(spec, lambda progress, told=told: told.append(progress) or True, leave=tmp_path)  # type: ignore[misc]
        examples = datasets.load("ratings")
        _, kept_back = start.split(spec, examples)
        said = run.answer(answers.network(tmp_path / "model.keras"), examples.train[kept_back])[:, 0]
        off = float(np.square(said - examples.train_labels[kept_back]).mean())
        assert result.validation_loss == pytest.approx(off, rel=1e-4)
        assert [p.loss for p in told if p.phase == "validation"][-1] == result.validation_loss
        losses.append(off)
    assert losses[1] < losses[0] - 0.05


def test_early_stopping_ends_a_run_that_learns_no_more_and_tests_it() -> None:
    said: list[Progress] = []

    def heard(progress: Progress) -> bool:
        said.append(progress)
        return True

    spec = RunSpec(dataset="iris", epochs=100, patience=2, learning_rate=0.05, batch_size=16)
    result = train(spec, heard)
    assert result.validation_loss is not None
    # Judged by the network that is kept, not by the last one.
    assert result.validation_loss <= min(p.loss for p in said if p.phase == "validation" and p.loss)
    assert result.stopped_early and not result.stopped
    assert result.epochs < 100
    assert result.test_accuracy is not None


def test_mixed_precision_learns_as_well_and_is_left_behind() -> None:
    spec = replace(SMALL, network="fast", epochs=3, width=8, depth=2)
    full, mixed = train(spec), train(replace(spec, precision="mixed"))
    assert full.test_accuracy is not None and mixed.test_accuracy is not None
    assert mixed.test_accuracy == pytest.approx(full.test_accuracy, abs=0.03)
    assert train(spec).test_loss == pytest.approx(full.test_loss, rel=1e-3)


@pytest.mark.parametrize(
    ("activation", "loss"), [("relu", "mse"), ("sigmoid", "mse"), ("tanh", "cross_entropy")]
)
def test_other_activations_and_losses_learn_too(activation: str, loss: str) -> None:
    result = train(replace(SMALL, activation=activation, loss=loss))
    assert result.test_accuracy is not None
    assert result.test_accuracy > 0.5


def test_training_that_diverges_ends_with_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def undefined(digits: Any, probabilities: Any) -> Any:
        return keras.ops.mean(probabilities, axis=-1) * float("nan")

    monkeypatch.setattr(networks, "loss", lambda spec: undefined)
    with pytest.raises(Refusal, match=r"no number any more after step 1: .* learning rate well below 0\.001"):
        train(SMALL)


def test_a_last_step_that_diverges_ends_with_a_reason_and_not_with_a_test() -> None:
    """The loss of the only batch is that before the step; after it no answer is a number."""
    spec = RunSpec(dataset="diabetes", train_images=100, batch_size=128, epochs=1, optimizer="sgd")
    wild = replace(spec, depth=6, learning_rate=10.0, width=1024, epochs=3)
    with pytest.raises(Refusal, match=r"no number any more after step \d: the training diverged"):
        train(wild)


def test_what_a_process_computed_before_is_no_energy_of_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two runs in a row, the processor busy for a minute in between by its clock."""
    first = train(SMALL)
    clock = time.process_time
    monkeypatch.setattr(time, "process_time", lambda: clock() + 60.0)
    second = train(SMALL)
    if first.energy.method != "tdp_model":
        pytest.skip("this machine measures energy")
    assert second.energy.joules < first.energy.joules + 60.0  # of 166 J that the minute would be


def test_too_little_memory_ends_with_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    class ResourceExhaustedError(Exception):
        pass

    def no_memory(*_: object, **__: object) -> None:
        raise ResourceExhaustedError("OOM when allocating tensor")

    monkeypatch.setattr(keras.Model, "fit", no_memory)
    with pytest.raises(Refusal, match="out of memory with batches of 50 examples; batches of 25 need"):
        train(SMALL)


@pytest.mark.parametrize(
    ("error", "is_memory"),
    [
        (MemoryError(), True),
        (RuntimeError("CUDA out of memory. Tried to allocate"), True),
        (RuntimeError("RESOURCE_EXHAUSTED: Out of memory"), True),
        (ValueError("shapes do not match"), False),
    ],
)
def test_only_lack_of_memory_is_called_that(error: Exception, is_memory: bool) -> None:
    assert run._is_out_of_memory(error) is is_memory


def test_the_command_line_gets_one_flat_result() -> None:
    result = command.train(preset="mlp", epochs=1, train_images=500, price_per_hour=1.0, power_watts=30.0)
    wanted = {
        "device",
        "test_accuracy",
        "test_loss",
        "fit_seconds",
        "images_per_second",
        "parameters",
        "cost_usd",
        "energy_joules",
    }
    assert wanted <= set(result)
    assert result["energy_joules"] == pytest.approx(30 * result["held_seconds"])
    assert json.loads(json.dumps(result)) == result


def test_the_command_line_refuses_what_the_specification_refuses() -> None:
    with pytest.raises(Refusal, match="preset is gpt"):
        command.train(preset="gpt")


def test_a_run_for_the_processor_sees_no_card_and_one_for_a_card_that_is_none_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMPUTE_CANVAS_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    stop = threading.Event()
    stop.set()

    def said(code: str) -> dict[str, Any]:
        heard: list[tuple[str, Any]] = []
        spec = replace(SMALL, device=code).to_json()
        child.told(heard.append, stop, spec, time.time(), "me", "0123456789abcdef")
        return dict(heard)

    refused = said("GPU-9")
    name = device.installed().label
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "0"
    assert str(Refusal(refused[child.REFUSED][0], **refused[child.REFUSED][1])) == (
        f"This run was to train on GPU-9, but tensorflow finds {name} there."
    )
    result = RunResult.from_json(said("cpu")[child.RESULT])
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "-1"
    assert (result.device.code, result.steps) == ("cpu", 1)


def test_what_the_web_process_imports_loads_no_backend() -> None:
    program = (
        "import sys\n"
        "import core.training.service, core.training.devices, core.training.spec, core.training.curve, core.training.datasets\n"
        "import core.training.result, core.training.architecture, core.training.worker, core.training.command\n"
        "core.training.device.installed()\n"
        "print(sorted({'tensorflow', 'keras', 'jax', 'torch', 'streamlit'} & set(sys.modules)))\n"
    )
    root = Path(__file__).parents[3]
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "[]"


PAUSED = RunSpec(
    network="mlp", train_images=1_000, epochs=4, batch_size=50, dropout=0.3, schedule="cosine", loss="mse"
)


def test_a_run_that_was_paused_goes_on_as_if_nothing_had_happened(tmp_path: Path) -> None:
    """The very weights of a run that was never paused, and time, money and energy of both parts."""
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    whole.mkdir()
    parts.mkdir()
    train(PAUSED, leave=whole)
    checkpoint.ask_to_pause(parts)
    first = train(PAUSED, leave=parts)
    assert (first.stopped, first.paused, first.epochs, first.test_accuracy) == (True, True, 1.0, None)
    (parts / checkpoint.PAUSE).unlink()
    said: list[Progress] = []
    second = train(PAUSED, lambda p: said.append(p) or True, leave=parts)  # type: ignore[func-returns-value]
    assert (second.stopped, second.epochs, second.images) == (False, 4.0, 4_000)
    assert said[0].step == 21
    assert said[0].seconds > first.fit_seconds * 0.9
    assert second.fit_seconds > first.fit_seconds * 0.9
    assert second.energy.joules > first.energy.joules * 0.9
    kept, again = (answers.network(folder / "model.keras").get_weights() for folder in (whole, parts))
    assert all(np.array_equal(one, other) for one, other in zip(kept, again, strict=True))
    assert checkpoint.left(parts) is None, "nothing is left to go on from"


def test_early_stopping_forgets_nothing_over_a_pause(tmp_path: Path) -> None:
    """Paused after every epoch: the same end, the same weights, the same accuracy as in one go."""
    spec = RunSpec(dataset="iris", epochs=100, patience=4, learning_rate=0.05, batch_size=16, network="mlp")
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    whole.mkdir()
    parts.mkdir()
    once = train(spec, leave=whole)
    assert once.stopped_early and once.epochs > spec.patience

    checkpoint.ask_to_pause(parts)
    parted = [train(spec, leave=parts)]
    while parted[-1].paused:
        left = checkpoint.left(parts)
        assert left is not None and left.epochs == len(parted) <= once.epochs
        parted.append(train(spec, leave=parts))
    last = parted[-1]
    assert last.stopped_early and last.epochs == once.epochs == len(parted)
    assert (last.test_accuracy, last.test_loss) == (once.test_accuracy, once.test_loss)
    assert (last.validation_loss, last.validation_accuracy) == (
        once.validation_loss,
        once.validation_accuracy,
    )
    kept, other = (answers.network(folder / "model.keras").get_weights() for folder in (whole, parts))
    assert all(np.array_equal(one, two) for one, two in zip(kept, other, strict=True))


def test_checkpoints_cost_a_fiftieth_of_the_time_at_most(tmp_path: Path) -> None:
    class Slow:
        saved = 0

        def save(self, file: Path) -> None:
            file.write_bytes(b"x")
            Slow.saved += 1
            time.sleep(0.01)

    keeper = checkpoint.Keeper(Slow(), tmp_path)
    where = checkpoint.Left(1, 1.0, 1.0, 1.0)
    keeper.keep(where, surely=True)
    began = time.perf_counter()
    while time.perf_counter() - began < 1.2:
        keeper.keep(where)
    assert 1 <= Slow.saved - 1 <= 3
    assert checkpoint.left(tmp_path) == where

"""A rehearsed run computes what it would have computed, and begins at once."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import psutil
import pytest

from core.training import child, start
from core.training.attempt import StandBy, start_fork_server
from core.training.device import installed
from core.training.presets import PRESETS
from core.training.readiness import Readiness
from core.training.result import RunResult
from core.training.run import train
from core.training.shelf import MODEL
from core.training.spec import RunSpec
from core.training.speed import Speed

DROPPING = RunSpec(
    network="cnn", train_images=600, epochs=2, width=4, dropout=0.4, batch_norm=True, optimizer="adamw"
)
SPECS = {
    "dropout and batch normalisation": DROPPING,
    "fast, in mixed precision": RunSpec(train_images=1_000, **PRESETS["fast"].settings),
    "momentum on a schedule": RunSpec(
        dataset="digits",
        network="mlp",
        train_images=1_437,
        epochs=2,
        optimizer="momentum",
        schedule="cosine",
        learning_rate=0.05,
    ),
    "a number": RunSpec(
        dataset="diabetes", network="mlp", train_images=353, epochs=3, optimizer="rmsprop", loss="mse"
    ),
    "factors": RunSpec(dataset="ratings", train_images=5_000, epochs=1, network="factors", width=4),
    "patience": RunSpec(
        dataset="digits", network="mlp", train_images=1_000, epochs=6, patience=1, learning_rate=0.01
    ),
}
PATIENCE_S = 60.0


def trained(spec: RunSpec, folder: Path, ready: start.Start | None = None) -> tuple[RunResult, list[Any]]:
    """The result of a run, and what its network weighs."""
    folder.mkdir()
    result = train(spec, leave=folder, ready=ready)
    weights = keras.saving.load_model(folder / MODEL, safe_mode=True).get_weights()
    keras.utils.clear_session()
    return result, weights


def losses(result: RunResult) -> tuple[Any, ...]:
    return (
        result.train_loss,
        result.train_accuracy,
        result.validation_loss,
        result.validation_accuracy,
        result.test_loss,
        result.test_accuracy,
        result.steps,
    )


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_a_rehearsed_run_computes_the_same_to_the_last_bit(spec: RunSpec, tmp_path: Path) -> None:
    plain, weights = trained(spec, tmp_path / "plain")
    ready = start.rehearsed(spec, "")
    assert ready is not None
    again, weights_again = trained(spec, tmp_path / "again", ready)
    assert losses(again) == losses(plain)
    assert all(np.array_equal(a, b) for a, b in zip(weights, weights_again, strict=True))


def test_another_run_than_the_rehearsed_one_is_trained_as_if_nothing_had_been_rehearsed(
    tmp_path: Path,
) -> None:
    spec = SPECS["momentum on a schedule"]
    plain, weights = trained(spec, tmp_path / "plain")
    again, weights_again = trained(spec, tmp_path / "again", start.rehearsed(DROPPING, ""))
    assert losses(again) == losses(plain)
    assert all(np.array_equal(a, b) for a, b in zip(weights, weights_again, strict=True))


def test_a_rehearsal_for_somebody_else_is_not_used(tmp_path: Path) -> None:
    ready = start.rehearsed(DROPPING, "somebody else")
    assert ready is not None
    before = ready.model.get_weights()
    trained(DROPPING, tmp_path / "run", ready)
    assert all(np.array_equal(a, b) for a, b in zip(before, ready.model.get_weights(), strict=True))


# The process that stands by


def until(answer: Any) -> Any:
    """The first answer that is true."""
    deadline = time.monotonic() + PATIENCE_S
    while not (said := answer()):
        assert time.monotonic() < deadline, f"not so within {PATIENCE_S} s"
        time.sleep(0.002)
    return said


@pytest.fixture
def standing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[StandBy]]:
    """Processes that stand by, to be closed afterwards."""
    monkeypatch.setenv("COMPUTE_CANVAS_DATA_DIR", str(tmp_path))
    start_fork_server()
    made: list[StandBy] = []
    yield made
    for one in made:
        one.close()


def ready(one: StandBy) -> bool:
    one.messages()
    return not one.busy


def first_number(one: StandBy, spec: RunSpec, owner: str = "me") -> tuple[float, RunResult]:
    """Seconds from a run's arguments to its first number, and what it came to."""
    began = time.perf_counter()
    one.begin(spec.to_json(), time.time(), owner, "0123456789abcdef")
    first, result = None, None
    while result is None:
        for kind, content in until(one.messages):
            assert kind not in (child.REFUSED, child.FAILED), content
            if kind == child.PROGRESS and content.step and first is None:
                first = time.perf_counter() - began
            if kind == child.RESULT:
                result = RunResult.from_json(content)
    assert first is not None
    return first, result


@pytest.mark.alone
def test_a_run_that_was_expected_begins_at_once(standing: list[StandBy]) -> None:
    """Measured as a ratio: the same run in a process that stood by for any."""
    spec = RunSpec(train_images=2_000, **PRESETS["fast"].settings)
    took = {}
    for expected in (False, True):
        standing.append(StandBy())
        one = standing[-1]
        until(lambda one=one: ready(one))
        if expected:
            one.expect((spec.to_json(), "me"))
            assert one.busy
            until(lambda one=one: ready(one))
        took[expected] = first_number(one, spec)
    assert losses(took[True][1]) == losses(took[False][1])
    assert took[True][0] < 0.6 * took[False][0]


@pytest.mark.alone
def test_the_run_that_comes_counts_and_not_the_one_that_was_expected(standing: list[StandBy]) -> None:
    """Also while the other is still being rehearsed, and where one cannot be."""
    spec = RunSpec(dataset="digits", network="mlp", train_images=500, epochs=1)
    wanted = losses(train(spec))
    for expected in (DROPPING.to_json(), "not a specification"):
        standing.append(StandBy())
        one = standing[-1]
        until(lambda one=one: ready(one))
        one.expect((expected, "me"))
        assert losses(first_number(one, spec)[1]) == wanted


@pytest.mark.alone
def test_one_rehearsal_after_another_takes_no_more_memory(standing: list[StandBy]) -> None:
    standing.append(StandBy())
    one = standing[0]
    until(lambda: ready(one))
    held = []
    for seed in range(8):
        one.expect((RunSpec(seed=seed, **PRESETS["fast"].settings).to_json(), "me"))
        until(lambda: ready(one))
        held.append(psutil.Process(one.pid).memory_info().rss)
    one.expect(None)
    until(lambda: ready(one))
    assert max(held[4:]) < 1.1 * held[1]
    assert psutil.Process(one.pid).memory_info().rss < held[-1], "what is expected no more is let go of"


class Deadly:
    """Stands by; ``dies`` as soon as it is to rehearse."""

    def __init__(self, speed: Any, dies: bool = True) -> None:
        self.speed, self.expected, self.over, self.busy, self.dies = speed, None, False, False, dies
        self.closed = threading.Event()

    def messages(self) -> list[Any]:
        return []

    def expect(self, run: Any) -> None:
        self.expected, self.over, self.busy = run, self.dies, True

    def ending(self) -> str:
        return "gone"

    def close(self) -> None:
        self.closed.wait(PATIENCE_S)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Deadly]]:
    """The processes that were started to stand by; each dies of its first rehearsal."""
    made: list[Deadly] = []

    def stand_by() -> Deadly:
        made.append(Deadly(Speed(0.001, 1e10)))
        return made[-1]

    monkeypatch.setattr("core.training.readiness.StandBy", stand_by)
    yield made
    for one in made:
        one.closed.set()


@pytest.fixture
def readiness(made: list[Deadly]) -> Readiness:
    """Has a process that stands by."""
    found = Readiness("warm", installed())
    found._stands_by = True
    found.heed_stand_by(idle=True)
    return found


SMALL, OTHER = (spec.to_json() for spec in (DROPPING, SPECS["a number"]))


def test_a_run_whose_rehearsal_ended_the_process_is_not_rehearsed_again(
    made: list[Deadly], readiness: Readiness
) -> None:
    for run in (SMALL, OTHER):
        readiness.expect((run, "me"))
        assert made[-1].over
        readiness.heed_stand_by(idle=True)
        readiness.heed_stand_by(idle=True)
    for run in (SMALL, OTHER):
        readiness.expect((run, "me"))
    assert [one.expected for one in made] == [(SMALL, "me"), (OTHER, "me"), None]
    readiness.expect((SMALL, "you"))
    assert made[-1].expected == (SMALL, "you")


def test_a_process_that_died_between_rehearsals_says_nothing_against_the_last_one(
    made: list[Deadly], readiness: Readiness
) -> None:
    made[0].dies = False
    readiness.expect((SMALL, "me"))
    made[0].busy, made[0].over = False, True
    readiness.heed_stand_by(idle=True)
    readiness.heed_stand_by(idle=True)
    readiness.expect((SMALL, "me"))
    assert made[1].expected == (SMALL, "me")


def test_no_run_waits_for_the_rehearsal_of_another(made: list[Deadly], readiness: Readiness) -> None:
    made[0].dies = False
    readiness.expect((SMALL, "me"))
    assert readiness.take(OTHER, "me") is None
    assert readiness.take(SMALL, "you") is None
    assert readiness.take(SMALL, "me") is made[0]


def test_a_run_whose_step_takes_long_is_not_rehearsed(made: list[Deadly], readiness: Readiness) -> None:
    made[0].dies = False
    readiness.expect((SMALL, "me"))
    made[0].busy = False
    readiness.expect((RunSpec(network="cnn", width=256, batch_size=1024).to_json(), "me"))
    assert made[0].expected is None, "and the one of before is not the one on the screen any more"
    readiness.expect(("no specification", "me"))
    assert made[0].expected is None


def test_the_supervisor_does_not_wait_for_a_process_that_it_lets_go_of(
    made: list[Deadly], readiness: Readiness
) -> None:
    """It has leases to renew, and the process may only be starting."""
    readiness.dismiss()
    assert readiness.take(SMALL, "me") is None
    assert not made[0].closed.is_set()

"""The worker end to end: real processes, real signals, the real database.

Most tests share one workplace whose worker stays warm; those that kill the worker leave it to the watch
to start the next.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import psutil
import pytest

from core.storage import MetricRow, RunRow, open_store
from core.training import service
from core.training.devices import device_in_use
from core.training.energy import modelled
from core.training.result import RunResult
from core.training.seat import Holder, fingerprint, here
from core.training.spec import RunSpec
from core.training.supervisor import Supervisor, clear_dead
from core.training.worker import ENVIRONMENT

pytestmark = pytest.mark.alone

ROOT = Path(__file__).parents[3]
OWNER = "founder"
SHORT = RunSpec(network="mlp", train_images=2_000, epochs=1)
LONG = RunSpec(network="cnn", train_images=20_000, epochs=100)
PATIENCE_S = 60.0


T = TypeVar("T")


def until(answer: Callable[[], T | None], within_s: float = PATIENCE_S) -> T:
    """The first answer that is true; asked again and again, and an error after ``within_s``."""
    deadline = time.monotonic() + within_s
    while not (said := answer()):
        assert time.monotonic() < deadline, f"not so within {within_s} s"
        time.sleep(0.01)
    return said


class Workplace:
    """A data folder with a store, and whoever works there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = open_store()
        self.store.migrate()
        self.seat = service.seat(self.store)
        self.watch: service.Watch | None = None

    def submit(self, spec: RunSpec) -> str:
        return self.store.runs.submit(OWNER, None, spec.to_json(), spec.total_steps).id

    def run(self, run_id: str) -> RunRow:
        return self.store.runs.get(OWNER, run_id)

    def trained(self, run_id: str) -> list[MetricRow]:
        return self.store.runs.metrics(run_id)

    def end_of(self, run_id: str, within_s: float = PATIENCE_S) -> RunRow:
        until(lambda: not self.run(run_id).active, within_s)
        return self.run(run_id)

    def begin_long(self) -> str:
        """A long run that has trained its first batch."""
        run_id = self.submit(LONG)
        until(lambda: self.trained(run_id))
        return run_id

    def begin_unseen(self, spec: RunSpec) -> tuple[str, psutil.Process]:
        """A run that has begun and not trained a batch yet, with its process, which stood by for it."""
        until(lambda: self.state() == "idle")
        process = self.run_process()
        run_id = self.submit(spec)
        until(lambda: self.run(run_id).state == "running")
        return run_id, process

    def supervisor(self) -> psutil.Process:
        return psutil.Process(until(self.seat.holder).pid)

    def state(self) -> str:
        """What the worker says it is doing; "" if none is alive."""
        return next((row.state for row in self.store.workers.rows(alive_within_s=10)), "")

    def run_process(self) -> psutil.Process:
        """The process of the run at hand: forked by the fork server, or the supervisor's own in the cold."""

        def found() -> psutil.Process | None:
            supervisor = self.supervisor()
            for process in supervisor.children(recursive=True):
                with contextlib.suppress(psutil.Error):  # one that has just ended
                    command = " ".join(process.cmdline())
                    forked = "forkserver" in command and process.ppid() != supervisor.pid
                    if forked or "spawn_main" in command:
                        return process
            return None

        return until(found)

    def processes(self) -> list[psutil.Process]:
        """Every live process that works in this folder, this one left out."""
        found = []
        for process in psutil.process_iter():
            try:
                mine = process.environ().get("COMPUTE_CANVAS_DATA_DIR") == str(self.folder)
                if mine and process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def clear(self) -> None:
        if self.watch:
            self.watch.stop()
        for process in self.processes():
            process.kill()
        until(lambda: not self.processes())
        self.store.close()


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workplace]:
    """A workplace with a watch and a warm worker."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("data")
        patch.setenv("COMPUTE_CANVAS_DATA_DIR", str(folder))
        patch.delenv("COMPUTE_CANVAS_DATABASE_URL", raising=False)
        patch.setenv("COMPUTE_CANVAS_WORKER_MODE", "warm")
        workplace = Workplace(folder)
        workplace.watch = service.Watch(workplace.store)
        try:
            yield workplace
        finally:
            workplace.clear()


@pytest.fixture
def cold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workplace]:
    """A workplace where nobody works yet."""
    monkeypatch.setenv("COMPUTE_CANVAS_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("COMPUTE_CANVAS_DATABASE_URL", raising=False)
    monkeypatch.setenv("COMPUTE_CANVAS_WORKER_MODE", "cold")
    workplace = Workplace(tmp_path)
    try:
        yield workplace
    finally:
        workplace.clear()


def serve(*arguments: str) -> subprocess.Popen[bytes]:
    """A worker started by hand."""
    return subprocess.Popen(
        [sys.executable, "-m", "core.training.worker", "serve", *arguments],
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
    )


def test_a_run_goes_from_the_queue_to_its_result(warm: Workplace) -> None:
    run_id = warm.submit(SHORT)
    first = until(lambda: warm.trained(run_id))[0]
    assert (first.step, first.kind, first.seq) == (1, "train", 1)
    ended = warm.end_of(run_id)
    assert (ended.state, ended.reason, ended.step) == ("done", None, SHORT.total_steps)
    assert ended.summary is not None
    assert ended.started_at is not None
    assert ended.ended_at is not None
    result = RunResult.from_json(ended.summary)
    assert result.test_accuracy is not None
    assert result.test_accuracy > 0.7
    assert result.held_seconds <= ended.ended_at - ended.started_at < result.held_seconds + 2
    assert ended.device == result.device.to_json()
    points = warm.trained(run_id)
    assert {p.kind for p in points} == {"train", "validation"}
    assert points[-1].accuracy == result.validation_accuracy


def test_a_process_that_stood_by_trains_as_a_fresh_one_does(warm: Workplace) -> None:
    until(lambda: warm.state() == "idle")  # so a process stands by, and has trained a batch of its own
    waiting = warm.run_process().pid
    run_id = warm.submit(SHORT)
    until(lambda: warm.trained(run_id))
    assert warm.run_process().pid == waiting
    stood_by = RunResult.from_json(warm.end_of(run_id).summary or "")
    plain = subprocess.run(
        [sys.executable, "-m", "core", "train", "--network=mlp", "--train-images=2000", "--epochs=1"],
        cwd=ROOT,
        env={**os.environ, **ENVIRONMENT},
        capture_output=True,
        check=True,
    )
    fresh = json.loads(plain.stdout)
    assert (stood_by.test_loss, stood_by.train_loss) == (fresh["test_loss"], fresh["train_loss"])
    # What it used while it waited is not the run's: two cores cannot use more than two seconds a second.
    most = modelled(
        stood_by.device.cores, stood_by.held_seconds, stood_by.device.cores * stood_by.held_seconds
    )
    assert stood_by.energy.method != "tdp_model" or stood_by.energy.joules <= most


def test_the_run_that_somebody_has_on_the_screen_begins_sooner_and_comes_to_the_same(warm: Workplace) -> None:
    first: list[MetricRow] = []
    results: list[RunResult] = []
    for expected in (False, True):
        until(lambda: warm.state() == "idle")
        if expected:
            warm.store.expected.tell(OWNER, SHORT.to_json())
            at_rest(warm.run_process())
        run_id = warm.submit(SHORT)
        results.append(RunResult.from_json(warm.end_of(run_id).summary or ""))
        first.append(warm.trained(run_id)[0])
    warm.store.expected.forget(OWNER)
    assert (first[1].loss, first[1].step) == (first[0].loss, 1)
    assert results[1].test_loss == results[0].test_loss
    assert first[1].seconds < 0.5 * first[0].seconds


def at_rest(process: psutil.Process) -> None:
    """Wait until a process has used no processor time for a while."""
    before = -1.0
    while before != (now := sum(process.cpu_times()[:2])):
        before = now
        time.sleep(1.0)  # several looks of the supervisor at what is expected


def test_a_process_that_stood_by_and_died_is_not_missed(warm: Workplace) -> None:
    until(lambda: warm.state() == "idle")
    gone = warm.run_process()
    gone.kill()
    until(lambda: warm.run_process().pid != gone.pid)  # another one stands by
    assert warm.end_of(warm.submit(SHORT)).state == "done"


def test_the_device_is_known_before_the_click(warm: Workplace) -> None:
    until(lambda: [w for w in warm.store.workers.rows(10) if w.state == "idle"])
    found = device_in_use(warm.store)
    assert found.backend == "tensorflow"
    assert found.cores >= 1
    assert found.name


def test_a_second_run_sees_its_place_and_follows_when_the_first_is_stopped(warm: Workplace) -> None:
    first, second, third = warm.begin_long(), warm.submit(SHORT), warm.submit(SHORT)
    assert warm.store.runs.place(first) == 0
    assert warm.store.runs.place(second) == 1
    assert warm.store.runs.place(third) == 2
    asked = time.monotonic()
    warm.store.runs.cancel(OWNER, first)
    ended = warm.end_of(first, within_s=1.0)
    assert time.monotonic() - asked < 1.0
    assert ended.state == "stopped"
    assert "stopped on request" in str(ended.reason)
    assert warm.end_of(second).state == "done"
    assert warm.end_of(third).state == "done"


def test_a_wrong_specification_fails_with_its_reason_and_the_next_run_works(warm: Workplace) -> None:
    run_id = warm.store.runs.submit(OWNER, None, '{"epochs": 0}').id
    ended = warm.end_of(run_id)
    assert ended.state == "failed"
    assert "epochs" in str(ended.reason)
    assert warm.end_of(warm.submit(SHORT)).state == "done"


def test_a_killed_run_is_interrupted_and_says_by_which_signal(warm: Workplace) -> None:
    run_id = warm.begin_long()
    warm.run_process().kill()
    ended = warm.end_of(run_id, within_s=5.0)
    assert ended.state == "interrupted"
    assert "SIGKILL" in str(ended.reason)
    assert warm.end_of(warm.submit(SHORT)).state == "done"


def test_a_run_that_is_told_to_stop_from_outside_is_interrupted_with_what_it_measured(
    warm: Workplace,
) -> None:
    run_id = warm.begin_long()
    warm.run_process().terminate()
    ended = warm.end_of(run_id, within_s=5.0)
    assert ended.state == "interrupted"
    assert "SIGTERM" in str(ended.reason)
    assert ended.summary is not None


def test_a_run_goes_on_while_the_web_process_restarts(warm: Workplace) -> None:
    run_id = warm.begin_long()
    assert warm.watch is not None
    warm.watch.stop()
    seen = warm.run(run_id).step
    warm.store.close()
    warm.store = open_store()
    warm.watch = service.Watch(warm.store)
    until(lambda: warm.run(run_id).step > seen)
    assert warm.run(run_id).state == "running"
    warm.store.runs.cancel(OWNER, run_id)
    assert warm.end_of(run_id).state == "stopped"


def test_the_run_of_a_killed_worker_is_interrupted_and_the_next_run_works(warm: Workplace) -> None:
    run_id = warm.begin_long()
    supervisor, trainer = warm.supervisor(), warm.run_process()
    supervisor.kill()
    ended = warm.end_of(run_id, within_s=5.0)
    assert ended.state == "interrupted"
    assert "died before the run was over" in str(ended.reason)
    until(lambda: not trainer.is_running() or trainer.status() == psutil.STATUS_ZOMBIE, within_s=5.0)
    assert warm.end_of(warm.submit(SHORT)).state == "done"
    assert warm.supervisor() != supervisor


def test_a_run_that_is_killed_before_its_first_batch_is_interrupted_and_the_next_one_works(
    warm: Workplace,
) -> None:
    run_id, process = warm.begin_unseen(LONG)
    process.kill()
    ended = warm.end_of(run_id, within_s=5.0)
    assert ended.state == "interrupted"
    assert "SIGKILL" in str(ended.reason)
    assert warm.end_of(warm.submit(SHORT)).state == "done"


def test_a_forked_run_that_dies_before_its_first_batch_is_begun_again_in_the_cold(warm: Workplace) -> None:
    run_id, process = warm.begin_unseen(SHORT)
    process.send_signal(signal.SIGABRT)
    ended = warm.end_of(run_id)
    assert (ended.state, ended.attempt) == ("done", 1)
    until(lambda: [w for w in warm.store.workers.rows(10) if (w.mode, w.state) == ("cold", "idle")])


def test_a_worker_that_is_shut_down_leaves_no_run_and_no_process(warm: Workplace) -> None:
    """The last to use the shared workplace: it ends the watch first."""
    run_id = warm.begin_long()
    assert warm.watch is not None
    warm.watch.stop()
    warm.supervisor().terminate()
    ended = warm.end_of(run_id, within_s=5.0)
    assert ended.state == "interrupted"
    assert "shut down (SIGTERM)" in str(ended.reason)
    until(lambda: not warm.processes(), within_s=10.0)
    assert warm.store.workers.rows(alive_within_s=3600) == []
    assert warm.seat.holder() is None


def test_only_one_worker_works_for_a_database_on_a_machine(cold: Workplace) -> None:
    first = serve("--mode", "cold")
    holder = until(cold.seat.holder)
    assert holder.pid == first.pid
    assert holder.code == fingerprint()
    assert serve("--mode", "cold").wait(PATIENCE_S) == 0
    assert service.ensure_supervisor(cold.store) is None
    assert until(cold.seat.holder) == holder
    first.send_signal(signal.SIGUSR1)
    assert first.wait(PATIENCE_S) == 0


def test_a_worker_without_work_and_without_a_web_process_leaves(cold: Workplace) -> None:
    handlers = {
        number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)
    }
    began = time.monotonic()
    try:
        assert Supervisor(cold.store, cold.seat, "cold", lonely_s=0.3).serve()
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    assert 0.3 <= time.monotonic() - began < 10
    assert cold.seat.holder() is None
    assert cold.store.workers.rows(alive_within_s=3600) == []


def test_a_run_is_stopped_when_its_owner_has_used_up_the_day(
    cold: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMPUTE_CANVAS_USER_MINUTES", "0.001")
    run_id = cold.submit(LONG)
    worker = serve("--mode", "cold")
    ended = cold.end_of(run_id)
    assert ended.state == "stopped"
    assert "Your limit of 0.001 minutes of training in 24 hours is used up" in str(ended.reason)
    worker.terminate()
    assert worker.wait(PATIENCE_S) == 0


def test_a_worker_with_a_limit_that_is_no_number_does_not_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMPUTE_CANVAS_USER_RUNS", "many")
    assert serve("--mode", "cold").wait(PATIENCE_S) == 2


def test_a_new_web_process_replaces_a_worker_of_other_code(cold: Workplace) -> None:
    """The old worker is played by a process that sits on the seat until it is asked to leave."""
    program = (
        "import os, signal\nfrom pathlib import Path\nfrom core.training.seat import Holder, Seat\n"
        "signal.signal(signal.SIGUSR1, lambda *_: None)\n"
        f"seat = Seat(Path({str(cold.folder)!r}), {cold.store.place!r})\n"
        "assert seat.take(Holder('old', os.getpid(), 'old code'))\n"
        "signal.pause()\n"
    )
    old = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT)
    until(cold.seat.holder)
    cold.watch = service.Watch(cold.store)
    assert old.wait(PATIENCE_S) == 0
    assert until(cold.seat.holder).code == fingerprint()


def test_the_run_of_a_worker_that_hangs_is_interrupted_when_its_lease_ends(cold: Workplace) -> None:
    """The hanging worker is one that claimed and was never heard of again."""
    run_id = cold.submit(SHORT)
    assert cold.seat.take(Holder("hangs", os.getpid(), fingerprint()))
    claimed = cold.store.runs.claim("hangs", lease_s=0.5)
    assert claimed is not None
    cold.watch = service.Watch(cold.store)
    ended = cold.end_of(run_id, within_s=5.0)
    assert ended.state == "interrupted"
    assert "not heard of any more" in str(ended.reason)
    cold.watch.stop()
    cold.seat.leave()


def test_dead_workers_of_other_machines_are_left_alone(cold: Workplace) -> None:
    cold.store.workers.beat(f"{here()}/1/dead", "here", 1, "busy", "{}", "warm", "code")
    cold.store.workers.beat("elsewhere/0/1/alive", "elsewhere", 1, "busy", "{}", "warm", "code")
    clear_dead(cold.store)
    assert {w.id for w in cold.store.workers.rows(3600)} == {"elsewhere/0/1/alive"}

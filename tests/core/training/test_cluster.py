"""Runs on a real Ray cluster of two nodes on this machine: as from a process here, files and all."""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from ray.cluster_utils import Cluster

from core.storage import RunRow, Store, open_store
from core.training import checkpoint, own, shelf
from core.training.cluster import FOLDER
from core.training.result import RunResult
from core.training.spec import RunSpec
from core.training.sweep import Axis, Sweep

pytestmark = [pytest.mark.alone, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[3]
ME = "founder"
PATIENCE_S = 60.0


class Place:
    """A head that trains nothing, two nodes that train one run each, and a worker that uses them."""

    def __init__(self, folder: Path) -> None:
        self.before = self.folders()
        self.cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
        self.nodes = [self.cluster.add_node(num_cpus=1) for _ in range(2)]
        self.store: Store = open_store(f"sqlite:///{folder}/compute_canvas.sqlite3")
        self.store.migrate()
        self.worker = subprocess.Popen(
            [sys.executable, "-m", "core.training.worker", "serve"],
            cwd=ROOT,
            env={**os.environ, "COMPUTE_CANVAS_CLUSTER": self.cluster.address},
        )

    @staticmethod
    def folders() -> set[Path]:
        """Where runs on the cluster keep their files."""
        return set(Path(tempfile.gettempdir()).glob(f"{FOLDER}*"))

    def submit(self, spec: RunSpec) -> str:
        self.store.beats.beat("test")  # or the worker would leave, being alone
        return self.store.runs.submit(ME, None, spec.to_json(), spec.total_steps).id

    def run(self, run_id: str) -> RunRow:
        return self.store.runs.get(ME, run_id)

    def end_of(self, run_id: str) -> RunRow:
        self.until(lambda: not self.run(run_id).active)
        return self.run(run_id)

    def until(self, answer: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not answer():
            assert time.monotonic() < deadline
            assert self.worker.poll() is None
            self.store.beats.beat("test")
            time.sleep(0.1)

    @staticmethod
    def kill_a_run() -> None:
        """Kill what trains a run on the cluster; its nodes are children of this process."""
        for process in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                if process.name().startswith("ray::_Runner"):
                    process.kill()

    def close(self) -> None:
        self.worker.terminate()
        self.worker.wait(60)
        self.cluster.shutdown()
        self.store.close()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("data")
        patch.setenv("COMPUTE_CANVAS_DATA_DIR", str(folder))
        patch.delenv("COMPUTE_CANVAS_DATABASE_URL", raising=False)
        made = Place(folder)
        try:
            yield made
        finally:
            made.close()


def table() -> bytes:
    """A column that follows from another, and one that does not matter."""
    rows = [f"{i % 17},{i % 5},{'high' if i % 17 > 8 else 'low'}" for i in range(400)]
    return "\n".join(["size,colour,price", *rows]).encode()


def test_a_sweep_loses_a_node_but_no_run(place: Place) -> None:
    """One of the nodes is gone afterwards; what follows has the other."""
    base = RunSpec(network="mlp", train_images=5_000)
    sweep = Sweep(base=base, axes=(Axis("epochs", (20, 21)),), budget_minutes=60)
    place.store.beats.beat("test")
    sweep_id = place.store.sweeps.create(ME, None, sweep.to_json()).id

    def both_busy() -> bool:
        steps = [run.step for run in place.store.sweeps.runs(sweep_id) if run.state == "running"]
        return len(steps) == 2 and any(steps)

    place.until(both_busy)
    place.cluster.remove_node(place.nodes[0], allow_graceful=False)
    place.until(lambda: place.store.sweeps.get(ME, sweep_id).state != "running")

    assert place.store.sweeps.get(ME, sweep_id).state == "done"
    runs = place.store.sweeps.runs(sweep_id)
    # Lost after its first batch a run is interrupted, and the sweep tries another one; before, it begins again.
    lost = [run for run in runs if run.state != "done"]
    assert len(lost) <= 1 and all(run.state == "interrupted" for run in lost)
    done = [run for run in runs if run.state == "done"]
    assert sorted(RunSpec.from_json(run.spec).epochs for run in done) == [20, 21]
    for run in done:
        assert shelf.report_of(run.id) is not None
        assert (shelf.run_folder(run.id) / shelf.MODEL).is_file()


def test_a_run_on_data_of_ones_own_goes_on_after_a_pause_and_a_loss_and_leaves_all_here(place: Place) -> None:
    data_id = own.receive(ME, "prices.csv", table())
    described = own.prepare(ME, data_id, "price")
    spec = RunSpec(dataset="own", own=described, network="mlp", epochs=100, batch_size=8)
    run_id = place.submit(spec)
    folder = shelf.run_folder(run_id)

    def go_on() -> int:
        left = checkpoint.left(folder)
        assert left is not None and 0 < left.epochs < spec.epochs
        (folder / checkpoint.PAUSE).unlink(missing_ok=True)
        return place.store.runs.resume(ME, run_id, left.epochs * spec.steps_per_epoch).step

    place.until(lambda: place.store.runs.metrics(run_id))
    checkpoint.ask_to_pause(folder)
    paused = place.end_of(run_id)
    assert paused.state == "stopped" and "was paused after" in str(paused.reason)

    step = go_on()
    place.until(lambda: place.run(run_id).step > step)
    place.kill_a_run()
    lost = place.end_of(run_id)
    assert lost.state == "interrupted" and "of the cluster that trained it was lost" in str(lost.reason)
    assert shelf.report_of(run_id) is None

    assert go_on() >= step
    ended = place.end_of(run_id)
    assert (ended.state, ended.step, ended.attempt) == ("done", spec.total_steps, 3), ended.reason
    assert ended.summary is not None
    result = RunResult.from_json(ended.summary)
    assert result.epochs == spec.epochs and result.test_accuracy is not None
    assert result.environment["machine"]
    steps = [point.step for point in place.store.runs.metrics(run_id) if point.kind == "train"]
    assert steps == sorted(steps) and steps[-1] == spec.total_steps
    report = shelf.report_of(run_id)
    assert report is not None and sum(map(sum, report.confusion)) == described.test
    assert sorted(file.name for file in folder.iterdir()) == [shelf.MODEL, shelf.REPORT, shelf.MARK]


def test_a_run_on_the_cluster_is_stopped_on_request_and_nothing_stays_on_its_machine(place: Place) -> None:
    run_id = place.submit(RunSpec(network="mlp", epochs=50))
    place.until(lambda: place.store.runs.metrics(run_id))
    assert place.folders() - place.before
    place.store.runs.cancel(ME, run_id)
    ended = place.end_of(run_id)
    assert ended.state == "stopped"
    assert "stopped on request" in str(ended.reason)
    place.until(lambda: not place.folders() - place.before)

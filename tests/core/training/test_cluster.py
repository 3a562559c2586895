"""Runs on a real Ray cluster of two nodes on this machine; skipped where Ray is not installed."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.storage import RunRow, Store, open_store
from core.training.result import RunResult
from core.training.spec import RunSpec

pytest.importorskip("ray")
pytestmark = pytest.mark.timeout(600)

ROOT = Path(__file__).parents[3]
LONG = RunSpec(network="mlp", train_images=20_000, epochs=20)
SHORT = RunSpec(network="mlp", train_images=500, epochs=1)
PATIENCE_S = 240.0


class Place:
    """A head that trains nothing, two nodes that train one run each, and a worker that uses them."""

    def __init__(self, folder: Path) -> None:
        from ray.cluster_utils import Cluster

        self.cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
        self.nodes = [self.cluster.add_node(num_cpus=1) for _ in range(2)]
        self.store: Store = open_store(f"sqlite:///{folder}/compute_canvas.sqlite3")
        self.store.migrate()
        self.worker = subprocess.Popen(
            [sys.executable, "-m", "core.training.worker", "serve"],
            cwd=ROOT,
            env={
                **os.environ,
                "COMPUTE_CANVAS_DATA_DIR": str(folder),
                "COMPUTE_CANVAS_CLUSTER": self.cluster.address,
            },
        )

    def submit(self, spec: RunSpec) -> str:
        self.store.beats.beat("test")  # or the worker would leave, being alone
        return self.store.runs.submit("me", None, spec.to_json(), spec.total_steps).id

    def end_of(self, run_id: str) -> RunRow:
        self.until(lambda: not self.store.runs.get("me", run_id).active)
        return self.store.runs.get("me", run_id)

    def until(self, answer: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not answer():
            assert time.monotonic() < deadline
            assert self.worker.poll() is None
            self.store.beats.beat("test")
            time.sleep(0.1)

    def close(self) -> None:
        self.worker.terminate()
        self.worker.wait(60)
        self.cluster.shutdown()
        self.store.close()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp("data"))
    try:
        yield made
    finally:
        made.close()


def test_a_run_is_trained_on_the_cluster_and_measured_as_here(place: Place) -> None:
    run_id = place.submit(SHORT)
    ended = place.end_of(run_id)
    assert ended.state == "done", ended.reason
    assert ended.summary is not None
    assert RunResult.from_json(ended.summary).test_accuracy is not None
    assert place.store.runs.metrics(run_id)


def test_a_run_on_the_cluster_is_stopped_on_request(place: Place) -> None:
    run_id = place.submit(LONG)
    place.until(lambda: place.store.runs.metrics(run_id))
    place.store.runs.cancel("me", run_id)
    ended = place.end_of(run_id)
    assert ended.state == "stopped"
    assert "stopped on request" in str(ended.reason)


def test_when_a_node_is_lost_every_run_ends_truly_and_the_next_one_works(place: Place) -> None:
    """The last to use the cluster: one of its nodes is gone afterwards."""
    runs = [place.submit(LONG) for _ in range(2)] + [place.submit(SHORT)]
    place.until(lambda: all(place.store.runs.metrics(run_id) for run_id in runs[:2]))
    place.cluster.remove_node(place.nodes[0], allow_graceful=False)
    place.until(lambda: any(not place.store.runs.get("me", run_id).active for run_id in runs[:2]))
    for run_id in runs[:2]:
        place.store.runs.cancel("me", run_id)
    ended = [place.end_of(run_id) for run_id in runs]
    lost = [run for run in ended if run.state == "interrupted"]
    assert len(lost) == 1
    assert "of the cluster that trained it was lost" in str(lost[0].reason)
    assert {run.state for run in ended} <= {"done", "stopped", "interrupted"}
    assert place.end_of(place.submit(SHORT)).state == "done"

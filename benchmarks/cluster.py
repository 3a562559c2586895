"""Two ways to run on a Ray cluster: an actor asked directly, or a job over HTTP. Needs requirements-cluster.txt.

``python -m benchmarks.cluster [--runs 3]``

Starts a cluster of one node on this machine. For each way: seconds from handing over a run until the first
metric is seen, and from asking it to stop until it is known to have ended. Prints the median of each.
"""

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

from core.storage import new_id
from core.training.child import PROGRESS, RESULT
from core.training.cluster import ClusterAttempt, connect
from core.training.spec import RunSpec
from core.training.worker import ENVIRONMENT

SPEC = RunSpec(network="mlp", train_images=20_000, epochs=50)
POLL_S = 0.05
PROGRAM = """
import sys
from core.training import run
from core.training.spec import RunSpec
def report(progress):
    print("metric", progress.step, flush=True)
    return True
run.train(RunSpec.from_json(sys.argv[1]), report)
"""


def actor() -> tuple[float, float]:
    began = time.perf_counter()
    attempt = ClusterAttempt(SPEC.to_json(), time.time(), "", new_id())
    while not any(kind == PROGRESS for kind, _ in attempt.messages()):
        time.sleep(POLL_S)
    first = time.perf_counter() - began
    asked = time.perf_counter()
    attempt.stop()
    while not (attempt.over or any(kind == RESULT for kind, _ in attempt.messages())):
        time.sleep(POLL_S)
    stopped = time.perf_counter() - asked
    attempt.close()
    return first, stopped


def job(address: str) -> tuple[float, float]:
    import shlex
    import sys

    from ray.job_submission import JobStatus, JobSubmissionClient

    client = JobSubmissionClient(f"http://{address}")
    began = time.perf_counter()
    words = [sys.executable, "-c", PROGRAM, SPEC.to_json()]
    code = str(Path(__file__).parents[1] / "core")
    job_id = client.submit_job(
        entrypoint=shlex.join(words), runtime_env={"py_modules": [code], "env_vars": dict(ENVIRONMENT)}
    )
    # The log begins with the program itself, so look for a line of its output.
    while "\nmetric " not in client.get_job_logs(job_id):
        time.sleep(POLL_S)
    first = time.perf_counter() - began
    asked = time.perf_counter()
    client.stop_job(job_id)
    while client.get_job_status(job_id) not in (JobStatus.STOPPED, JobStatus.FAILED, JobStatus.SUCCEEDED):
        time.sleep(POLL_S)
    return first, time.perf_counter() - asked


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    import ray
    from ray.cluster_utils import Cluster

    folder = tempfile.TemporaryDirectory()
    os.environ["COMPUTE_CANVAS_DATA_DIR"] = folder.name
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 2, "include_dashboard": True})
    connect(cluster.address)
    for name, way in (("actor", actor), ("job", lambda: job(cluster.head_node.webui_url))):
        times = [way() for _ in range(given.runs)]
        first, stopped = (statistics.median(column) for column in zip(*times, strict=True))
        print(f"{name}: first metric after {first:.2f} s, stopped after {stopped:.2f} s (n={given.runs})")
    ray.shutdown()
    cluster.shutdown()
    folder.cleanup()


if __name__ == "__main__":
    main()

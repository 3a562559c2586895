"""Training runs as the worker would have left them in the store, without training."""

from dataclasses import replace

from core.i18n import Refusal
from core.storage import MetricRow, RunRow, Store
from core.training.datasets import OwnData
from core.training.device import Device
from core.training.energy import Energy
from core.training.result import Progress, RunResult, cost, under_way
from core.training.spec import RunSpec

DEVICE = Device("cpu", "Model <b>X</b> processor", cores=2, memory_bytes=8 * 2**30, backend="tensorflow")
WORKER = "a worker of these tests"
SPEC = RunSpec(network="mlp", epochs=1, train_images=1_000)
OWN = OwnData(
    id="a" * 12,
    name="secret_clients.csv",
    kind="table",
    task="classes",
    shape=(12,),
    train=60_000,
    test=10_000,
    class_names=("left", "stayed"),
    target="churned",
)


def result(spec: RunSpec, accuracy: float, seconds: float = 10.0) -> RunResult:
    """What a run of ``spec`` would have measured that held the device for ``seconds``."""
    return RunResult(
        stopped=False,
        epochs=spec.epochs,
        steps=spec.total_steps,
        images=spec.images_seen,
        parameters=spec.parameters,
        training_flop=spec.training_flop,
        train_loss=0.1,
        train_accuracy=accuracy,
        validation_loss=None,
        validation_accuracy=None,
        test_loss=0.2,
        test_accuracy=accuracy,
        fit_seconds=0.8 * seconds,
        test_seconds=0.1 * seconds,
        held_seconds=seconds,
        images_per_second=spec.images_seen / (0.8 * seconds),
        steady_images_per_second=None,
        price_per_hour=spec.price_per_hour,
        cost_usd=cost(seconds, spec.price_per_hour),
        energy=Energy(joules=7.0 * seconds, method="tdp_model"),
        device=DEVICE,
        mean_utilisation=0.8,
        peak_memory_bytes=2**31,
    )


def queued(store: Store, venture_id: str, spec: RunSpec = SPEC) -> RunRow:
    """A run that waits."""
    return store.runs.submit("local", venture_id, spec.to_json(), spec.total_steps)


def running(store: Store, venture_id: str, spec: RunSpec = SPEC, share: float = 0.5) -> RunRow:
    """A run under way, with ``share`` of its steps done and a curve so far."""
    row = queued(store, venture_id, spec)
    assert store.runs.claim(WORKER, 1e6).id == row.id
    step = round(share * spec.total_steps)
    store.runs.append_metrics(row.id, [MetricRow(1, 0.1, 0.5, "train", 2.3, 0.1)])
    store.runs.append_metrics(row.id, [MetricRow(step, share, 4.0, "train", 0.5, 0.8)])
    said = Progress(
        "train",
        step,
        spec.total_steps,
        share,
        4.0,
        joules=31.0,
        examples_per_second=1_234.4,
        seconds_left=4.2,
        utilisation=0.876,
        memory_bytes=3 * 2**29,
    )
    told = under_way(said)
    store.runs.progress(row.id, step, 4.0, DEVICE.to_json(), told)
    return store.runs.get("local", row.id)


def done(
    store: Store, venture_id: str, spec: RunSpec = SPEC, accuracy: float = 0.91, seconds: float = 10.0
) -> RunRow:
    """A run that was trained to the end and tested."""
    row = running(store, venture_id, spec, share=1.0)
    assert store.runs.finish(row.id, WORKER, "done", result(spec, accuracy, seconds).to_json())
    return store.runs.get("local", row.id)


def predicted(store: Store, venture_id: str, spec: RunSpec, explained: float, error: float) -> RunRow:
    """A run that predicts a number, trained to the end and tested."""
    row = running(store, venture_id, spec, share=1.0)
    told = replace(result(spec, 0.0), train_accuracy=None, test_accuracy=None)
    told = replace(told, test_r2=explained, test_rmse=error)
    assert store.runs.finish(row.id, WORKER, "done", told.to_json())
    return store.runs.get("local", row.id)


def broken(store: Store, venture_id: str, state: str, reason: Refusal, spec: RunSpec = SPEC) -> RunRow:
    """A run that ended in another way."""
    row = running(store, venture_id, spec)
    assert store.runs.finish(row.id, WORKER, state, None, reason)
    return store.runs.get("local", row.id)

"""One run, from specification to measurement: the same for the worker, the command line and the tests.

:func:`train` is plain Keras: build, ``fit``, ``evaluate``. Around it a single callback looks at the
clock after every batch, and four times a second says how far the run is; everything else that is
measured is read before ``fit`` or after it, so that being watched costs well under one per cent.

The test examples are scored once, at the end. A run on all training examples has no validation, because
it would have to train on fewer; a smaller one is validated on examples it does not train on (see
``RunSpec.validation_images``).
"""

import importlib.metadata
import itertools
import logging
import platform
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from core.i18n import Refusal
from core.training import checkpoint, datasets, device, networks, scores, shelf
from core.training.energy import Meter
from core.training.gauge import Gauge
from core.training.patience import Patience
from core.training.report import report
from core.training.result import RunResult, cost
from core.training.spec import WHOLE_RANGES, RunSpec
from core.training.speed import Speed
from core.training.start import Start, answers_of, begin
from core.training.watch import Stop, Tell, Watch

SCORE_BATCH = 500
"""Images scored at once; enough to keep two cores busy, few enough for small memories."""

log = logging.getLogger(__name__)


def train(
    spec: RunSpec,
    tell: Tell = lambda progress: True,
    *,
    stop: Stop = lambda: False,
    held_since: float | None = None,
    spent: float | None = None,
    owner: str = "",
    leave: Path | None = None,
    kept: Callable[[], None] = lambda: None,
    ready: Start | None = None,
) -> RunResult:
    """Train and test what ``spec`` says, and measure it.

    ``tell`` hears of the progress and answers whether to go on; ``stop`` is asked after every batch.
    A run that is told to stop ends after the batch at hand, with what it measured so far and without a
    test. ``held_since`` (seconds since 1970) is when the device was taken for the run, if before now;
    ``spent`` are seconds of processor time that this process used for something else: if they are not given,
    all that it has used by now, or none where the device was taken before. Data of one's own is that of
    ``owner``. ``leave`` is a folder for the network and the report on it, and for
    checkpoints: a run that finds one there goes on from it, and measures on from what was measured.
    ``kept`` is called whenever files in that folder are new. ``ready`` is a start that was rehearsed; it is
    used if it is one of this very run.

    Raises a Refusal if the loss is no number any more, if memory does not suffice, or if the backend cannot
    use the device that was chosen: a process sees it before the backend is loaded, or not at all.
    """
    if spent is None:
        spent = time.process_time() if held_since is None else 0.0
    held_since = time.time() if held_since is None else held_since
    used = device.prepare()
    if spec.device not in ("", used.code):
        raise Refusal(
            "This run was to train on {wanted}, but {backend} finds {found} there.",
            wanted=spec.device,
            backend=used.backend,
            found=used.label,
        )
    meter = Meter(used, spec.power_watts, spent)
    left = checkpoint.left(leave)
    patience = Patience(spec.patience, leave, left) if spec.patience else None
    watch = Watch(spec, tell, stop, meter, Gauge.of(used), held_since, leave, left, patience, kept)
    test = scores.Scores()
    answers: NDArray[np.float32] | None = None
    test_seconds = 0.0
    try:
        if ready is None or left or not ready.is_of(spec, owner):
            ready = begin(spec, owner, used, left, leave)
        model, examples = ready.model, ready.examples
        _fit(ready, watch, patience)
        if not watch.stopped and watch.say("test"):
            began = time.perf_counter()
            answers = answer(model, examples.test)
            test = scores.score(spec, answers, examples)
            watch.check(test.loss or 0.0)  # the very last step may be the one that diverges
            test_seconds = time.perf_counter() - began
    except Exception as error:
        if _is_out_of_memory(error):
            raise Refusal(
                "The device ran out of memory with batches of {batch_size} examples; "
                "batches of {smaller} need about half.",
                batch_size=spec.batch_size,
                smaller=max(WHOLE_RANGES["batch_size"][0], spec.batch_size // 2),
            ) from error
        raise
    watch.gauge.read(surely=True)
    here = time.time() - held_since
    held = here + watch.before.held
    energy = meter.read(here)
    validated = patience.validated if patience else watch.train
    result = RunResult(
        stopped=watch.stopped,
        paused=watch.paused,
        stopped_early=not watch.stopped and watch.step < spec.total_steps,
        epochs=watch.epoch,
        steps=watch.step,
        images=watch.images,
        parameters=spec.parameters,
        training_flop=spec.architecture.training_flop * watch.images,
        train_loss=watch.train.get("loss"),
        train_accuracy=watch.train.get("accuracy"),
        validation_loss=validated.get("val_loss"),
        validation_accuracy=validated.get("val_accuracy"),
        test_loss=test.loss,
        test_accuracy=test.accuracy,
        test_rmse=test.rmse,
        test_r2=test.r2,
        fit_seconds=watch.fit_seconds,
        test_seconds=test_seconds,
        held_seconds=held,
        images_per_second=watch.images / watch.fit_seconds,
        steady_images_per_second=watch.steady_rate(),
        price_per_hour=spec.price_per_hour,
        cost_usd=cost(held, spec.price_per_hour),
        energy=replace(energy, joules=energy.joules + watch.before.joules),
        device=used,
        environment=environment(used),
        mean_utilisation=watch.gauge.mean_utilisation,
        peak_memory_bytes=watch.gauge.peak_memory_bytes,
    )
    if leave is not None and answers is not None:
        try:
            _leave(model, spec, examples, answers, leave)
            checkpoint.clear(leave)
            kept()
        except OSError:
            # A full disk takes the network, not what was measured.
            log.exception("the network could not be kept")
    return result


def warm_up() -> Speed:
    """Train a few batches and forget them, so that the next run finds all of Keras awake; how fast it went."""
    tiny = RunSpec(dataset="digits", network="mlp", width=4, batch_size=8)
    usual = RunSpec(train_images=3_000, epochs=1)
    step = tiny.batch_size / _rate(tiny, steps=80)
    each = max(1 / _rate(usual, steps=24) - step / usual.batch_size, 1e-9)
    keras.utils.clear_session()
    return Speed(step, usual.architecture.training_flop / each)


def _rate(spec: RunSpec, steps: int) -> float:
    """Examples a second over so many steps, the first left out."""
    asked = itertools.count(1)
    result = train(spec, stop=lambda: next(asked) >= steps)
    return result.steady_images_per_second or result.images_per_second


def _leave(
    model: keras.Model, spec: RunSpec, examples: datasets.Examples, answers: NDArray[np.float32], folder: Path
) -> None:
    """Keep the network and the report on it. It is no part of what the run is measured by."""
    found = report(spec, examples, answers, lambda inputs: answer(model, inputs))
    (folder / shelf.REPORT).write_text(found.to_json(), "utf-8")
    model.save(folder / shelf.MODEL, include_optimizer=False)


def answer(model: keras.Model, inputs: NDArray[Any]) -> NDArray[np.float32]:
    """What the network answers to each of ``inputs``: (count, classes) probabilities, or (count, 1) numbers."""
    answers: NDArray[np.float32] = model.predict(**device.score_data(inputs, None, SCORE_BATCH), verbose=0)
    return answers


def _fit(start: Start, watch: Watch, patience: Patience | None) -> None:
    model, spec = start.model, start.spec
    validation: Any = None
    if spec.validation_images:
        labels = answers_of(start.examples.train_labels)[start.kept_back]
        scored = device.score_data(start.examples.train[start.kept_back], labels, SCORE_BATCH)
        validation = (scored["x"], scored["y"]) if "y" in scored else scored["x"]
    watch.start()
    # Built inside the first step, its variables would have the whole step traced a second time.
    model.optimizer.build(model.trainable_variables)
    model.fit(
        **start.data,
        initial_epoch=watch.before.epochs,
        epochs=spec.epochs,
        verbose=0,
        # Patience goes before, so that a checkpoint holds what it thought of the epoch.
        callbacks=[networks.PlainLoss(), *([patience] if patience else []), watch],
        validation_data=validation,
        validation_batch_size=None if validation is None or "y" not in scored else SCORE_BATCH,
    )
    watch.end()


def _is_out_of_memory(error: BaseException) -> bool:
    """Backends have an exception of their own for this, and all say it in its name or text."""
    said = f"{type(error).__name__} {error}".lower().replace("_", " ")
    return isinstance(error, MemoryError) or any(
        sign in said for sign in ("resourceexhausted", "resource exhausted", "outofmemory", "out of memory")
    )


def environment(used: device.Device) -> dict[str, str]:
    """What the measurement depends on besides the specification."""
    return {
        "python": platform.python_version(),
        "keras": keras.__version__,
        "backend": device.backend_version(),
        "numpy": importlib.metadata.version("numpy"),
        "system": platform.platform(terse=True),
        "processor": device.cpu_name(),
        "threads": str(used.cores),
    }

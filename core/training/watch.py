"""The callback that looks on while Keras trains: the clock, the reports, the checkpoints, and when to stop."""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np

from core.i18n import Refusal
from core.training import checkpoint
from core.training.energy import Meter
from core.training.gauge import Gauge
from core.training.pace import Pace
from core.training.patience import Patience
from core.training.recent import Recent
from core.training.result import Phase, Progress
from core.training.spec import RunSpec

REPORT_EVERY_S = 0.25
"""At most four reports a second while training."""

MEANS = ("loss", "accuracy")
"""What Keras tells of an epoch so far."""

log = logging.getLogger(__name__)

Tell = Callable[[Progress], bool]
Stop = Callable[[], bool]


class Watch(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Looks on while Keras trains: keeps the time, reports, and stops the run when it should."""

    def __init__(
        self,
        spec: RunSpec,
        tell: Tell,
        stop: Stop,
        meter: Meter,
        gauge: Gauge,
        held_since: float,
        folder: Path | None,
        left: checkpoint.Left | None,
        patience: Patience | None,
        kept: Callable[[], None],
    ) -> None:
        super().__init__()
        self.before = left or checkpoint.Left(0, 0.0, 0.0, 0.0)
        self._folder, self._patience, self._kept = folder, patience, kept
        self._keeper: checkpoint.Keeper | None = None
        self._held_since = held_since
        self._spec, self._tell, self._stop, self._meter = spec, tell, stop, meter
        self.gauge = gauge
        self._validating = 0.0
        self._validation_began = 0.0
        self._first_step_done = 0.0
        self._next_report = self._next_epoch_report = 0.0
        self.step = self._first_step = self.before.epochs * spec.steps_per_epoch
        self.stopped = self.paused = False
        self.fit_seconds = 0.0
        self.train: dict[str, float] = {}
        self._pace = Pace()
        self._recent = Recent()
        self._images_before = 0

    def start(self) -> None:
        self._began = time.perf_counter()

    def end(self) -> None:
        self.fit_seconds = self._seconds()

    def _seconds(self) -> float:
        """Seconds of ``fit`` until now, those before a pause included."""
        return self.before.seconds + time.perf_counter() - self._began

    @property
    def epoch(self) -> float:
        """Epochs done, with the fraction of the one at hand."""
        return self.step / self._spec.steps_per_epoch

    @property
    def images(self) -> int:
        """Images trained on; the last batch of an epoch may be smaller than the others."""
        epochs, batches = divmod(self.step, self._spec.steps_per_epoch)
        return epochs * self._spec.train_images + batches * self._spec.batch_size

    def steady_rate(self) -> float | None:
        """Images per second without the first step and validation; None after a single step."""
        here = self.fit_seconds - self.before.seconds
        training = self._began + here - self._first_step_done - self._validating
        if self.step < self._first_step + 2 or training <= 0:
            return None
        earlier = self.before.epochs * self._spec.train_images
        return (self.images - earlier - min(self._spec.batch_size, self._spec.train_images)) / training

    def say(self, phase: Phase, loss: float | None = None, accuracy: float | None = None) -> bool:
        """Report, and stop if that is the answer; whether to go on."""
        load = self.gauge.read()
        progress = Progress(
            phase=phase,
            step=self.step,
            total_steps=self._spec.total_steps,
            epoch=self.epoch,
            seconds=self._seconds(),
            loss=loss,
            accuracy=accuracy,
            joules=self._joules(),
            examples_per_second=self._pace.lately(self.images, self._validating),
            seconds_left=self._pace.left(self.step, self._spec.total_steps),
            utilisation=load.utilisation,
            memory_bytes=load.memory_bytes,
        )
        if not self._tell(progress):
            self._halt()
        return not self.stopped

    def _joules(self) -> float:
        return self.before.joules + self._meter.read(time.time() - self._held_since).joules

    def _keep(self, epochs: int) -> None:
        """Keep a checkpoint once in a while, and always before a pause."""
        if self._folder is None or epochs >= self._spec.epochs:
            return
        self._keeper = self._keeper or checkpoint.Keeper(self.model, self._folder)
        pause = checkpoint.pause_asked(self._folder)
        held = self.before.held + time.time() - self._held_since
        held_chances = tuple(tuple(int(n) for n in np.asarray(state)) for state in chances(self.model))
        where = checkpoint.Left(epochs, self._seconds(), held, self._joules(), held_chances)
        best = None
        if self._patience:
            where, best = self._patience.remembered(where), self._patience.best_weights
        try:
            if self._keeper.keep(where, best, surely=pause):
                self._kept()
        except OSError:
            log.exception("no checkpoint could be kept")
            return
        if pause:
            self.paused = True
            self._halt()

    def _halt(self) -> None:
        self.stopped = True
        self.model.stop_training = self.model.stop_evaluating = self.model.stop_predicting = True

    def check(self, loss: float) -> None:
        """A Refusal if the loss is no finite number."""
        if not np.isfinite(loss):
            raise Refusal(
                "The loss is no number any more after step {step}: the training diverged; "
                "a learning rate well below {learning_rate} usually helps.",
                step=self.step,
                learning_rate=f"{self._spec.learning_rate:g}",
            )

    def _due(self, now: float, when: float | None = None) -> bool:
        """Whether the next report may be made; if so, the one after that has to wait."""
        due = now >= (self._next_report if when is None else when)
        if due:
            self._next_report = now + REPORT_EVERY_S
        return due

    def _say_recent(self, logs: dict[str, float]) -> None:
        """Report how the examples since the last report were answered."""
        shown = self._recent.of(
            self.images - self._images_before, {name: logs[name] for name in MEANS if name in logs}
        )
        self.say("train", shown["loss"], shown.get("accuracy"))

    # What Keras calls

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._images_before = self.images
        self._recent.begin()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.step += 1
        now = time.perf_counter()
        if self.step == self._first_step + 1:
            self._first_step_done = now
            self._pace.begin(self.step, self.images)
        if self._stop():
            self._halt()
        elif self._due(now):
            self.check(logs["loss"])
            self._meter.tick()
            self.train = dict(logs)
            self._say_recent(logs)

    def on_test_begin(self, logs: Any = None) -> None:
        self._validation_began = time.perf_counter()

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        if self._stop():
            self._halt()

    def on_test_end(self, logs: Any = None) -> None:
        self._validating += time.perf_counter() - self._validation_began

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.check(logs["loss"])
        self.check(logs.get("val_loss", 0.0))
        self.train = dict(logs)
        if not self.model.stop_training:  # on request, or because the validation loss falls no more
            self._keep(epoch + 1)
        # An epoch on a hundred images takes milliseconds: not each of them is worth a point.
        last = epoch + 1 == self._spec.epochs
        if not (self._due(time.perf_counter(), self._next_epoch_report) or last or self.paused):
            return
        self._next_epoch_report = self._next_report
        self._say_recent(logs)
        if "val_loss" in logs and not self.stopped:
            self.say("validation", logs["val_loss"], logs.get("val_accuracy"))


def chances(model: keras.Model) -> list[Any]:
    """The states of random numbers in a network, in order."""
    return [layer.seed_generator.state for layer in model.layers if isinstance(layer, keras.layers.Dropout)]

"""A run in the hands of a supervisor: what its process says, whether it is still wanted, and how it ended.

It ends as *done*, as *stopped* on request, as *failed* if it could not be trained, or as *interrupted* if
its process or the supervisor went away, always with a reason.
"""

import logging
import time
from dataclasses import dataclass, field

from core.i18n import Refusal
from core.storage import MetricRow, Missing, RunRow, Store
from core.storage.rows import EndState
from core.training import child
from core.training.attempt import Attempt
from core.training.cards import Card
from core.training.cluster import ClusterAttempt
from core.training.limits import Limits, usage
from core.training.result import Progress, RunResult, under_way
from core.training.spec import WHOLE_RANGES, RunSpec

LEASE_S = 3.0
RENEW_S = 0.75

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Active:
    """A run that ``worker`` (its id) has claimed from ``store``, its process, and the card it holds, if any.

    ``device`` is the JSON of the one that it trains on, once the process has told.
    """

    store: Store
    worker: str
    row: RunRow
    attempt: Attempt | ClusterAttempt
    card: Card | None = None
    device: str = ""
    result: RunResult | None = None
    refusal: Refusal | None = None
    _unsaved: list[Progress] = field(default_factory=list)
    _renewed: float = field(default_factory=time.monotonic)
    _step: int = 0
    _stopping: bool = False
    _limit: Refusal | None = None

    @property
    def said_all(self) -> bool:
        """Whether the run has told how it ended."""
        return self.result is not None or self.refusal is not None

    def hear(self) -> None:
        """Take in what the process has said, and write it down."""
        for kind, content in self.attempt.messages():
            if kind == child.PROGRESS:
                self._unsaved.append(content)
            elif kind == child.DEVICE:
                self.device = content
            elif kind == child.RESULT:
                self.result = RunResult.from_json(content)
            elif kind == child.REFUSED:
                self.refusal = Refusal(content[0], **content[1])
            elif kind == child.FAILED:
                self.refusal = Refusal("The training failed: {error}.", error=content.rstrip("."))
        if self._unsaved:
            last = self._unsaved[-1]
            self.store.runs.append_metrics(self.row.id, [m for p in self._unsaved if (m := _metric(p))])
            self._unsaved.clear()
            self._step = last.step
            self.store.runs.progress(self.row.id, last.step, last.seconds, self.device, under_way(last))

    def hold(self, limits: Limits) -> None:
        """Keep the lease, and stop the process if it hangs or the run is wanted no more."""
        self.attempt.end_if_hung()
        if self._stopping or self._should_stop(limits):
            self._stopping = True
            self.attempt.stop()

    def _should_stop(self, limits: Limits) -> bool:
        """Renew the lease if it is time to, and find out whether the run is wanted no more."""
        now = time.monotonic()
        if now - self._renewed > RENEW_S:
            self._renewed = now
            renewal = self.store.runs.renew(self.row.id, self.worker, LEASE_S)
            return renewal.cancel_requested or not renewal.still_mine or self._over_limit(limits)
        try:
            return self.store.runs.get(self.row.owner, self.row.id).cancel_requested
        except Missing:
            return True

    def _over_limit(self, limits: Limits) -> bool:
        """Whether the owner of the run has used up what a user may take in a day."""
        if limits.minutes is None and limits.dollars is None:
            return False
        try:
            limits.check(usage(self.store, self.row.owner))
        except Refusal as refusal:
            self._limit = refusal
        return self._limit is not None

    def finish(self, shut_down_by: str | None = None) -> None:
        """Write down how the run ended; ``shut_down_by`` is the signal that ends the supervisor itself."""
        state, reason = self._outcome(shut_down_by)
        summary = self.result.to_json() if self.result else None
        log.info("run %s: %s %s", self.row.id, state, reason or "")
        self.store.runs.finish(self.row.id, self.worker, state, summary, reason)

    def let_go(self) -> None:
        """End the process if it still lives, and give its card back."""
        self.attempt.close()
        if self.card:
            self.card.leave()

    def _outcome(self, shut_down_by: str | None) -> tuple[EndState, Refusal | None]:
        """The state that the run ends in, and why."""
        if self.result and not self.result.stopped:
            return "done", None
        if self.refusal:
            return "failed", self.refusal
        if self._limit:
            return "stopped", self._limit
        if self.result and self.result.paused:
            return "stopped", Refusal(
                "It was paused after {epochs} of {total} epochs and can go on from there.",
                epochs=f"{self.result.epochs:g}",
                total=RunSpec.from_json(self.row.spec).epochs,
            )
        if self._stopping:
            return "stopped", Refusal(
                "It was stopped on request after {step} of {total} steps.",
                step=self.result.steps if self.result else self._step,
                total=RunSpec.from_json(self.row.spec).total_steps,
            )
        if shut_down_by:
            return "interrupted", Refusal(
                "The training worker was shut down ({signal}) before the run was over.", signal=shut_down_by
            )
        if self.result:
            return "interrupted", Refusal(
                "The process of this run was told to stop from outside ({signal}).", signal="SIGTERM"
            )
        return "interrupted", self.attempt.ending(_smaller_batch(RunSpec.from_json(self.row.spec)))


def _smaller_batch(spec: RunSpec) -> int | None:
    """A batch size that needs about half of the memory; None if there is no smaller one."""
    least, _most = WHOLE_RANGES["batch_size"]
    return max(least, spec.batch_size // 2) if spec.batch_size > least else None


def _metric(progress: Progress) -> MetricRow | None:
    """The point of a learning curve that ``progress`` is; None for the beginning of the test."""
    if progress.phase == "test":
        return None
    return MetricRow(
        step=progress.step,
        epoch=progress.epoch,
        seconds=progress.seconds,
        kind=progress.phase,
        loss=progress.loss,
        accuracy=progress.accuracy,
    )

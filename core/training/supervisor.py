"""The supervisor: takes runs from the queue, gives each a process, and sees that each ends.

It holds no TensorFlow, so it stays small and cannot be brought down by a run. One loop does it all: twenty
times a second it looks for something to do. A run that it has claimed is *its* run only while it renews
the lease; if it dies, the lease lapses and whoever looks next marks the run interrupted.

A run ends as *done*, as *stopped* on request, as *failed* if it could not be trained, or as
*interrupted* if its process or the supervisor went away, always with a reason.
"""

import logging
import os
import signal
import time
from dataclasses import dataclass, field, replace
from multiprocessing.connection import wait
from types import FrameType
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from core.i18n import Refusal
from core.storage import MetricRow, Missing, RunRow, Store, new_id
from core.training import cards, child, device, shelf
from core.training.attempt import Attempt, Mode, StandBy, start_fork_server
from core.training.cluster import ClusterAttempt
from core.training.desk import Desk
from core.training.device import Device
from core.training.limits import Limits, usage
from core.training.result import Progress, RunResult, under_way
from core.training.seat import Holder, Seat, fingerprint, here
from core.training.spec import WHOLE_RANGES, RunSpec
from core.training.sweeping import advance

POLL_S = 0.05
LEASE_S = 3.0
RENEW_S = 0.75
BEAT_S = 2.0
SWEEP_S = 0.25
TIDY_S = 3600.0
"""So often what nobody wants any more is cleared away; see ``shelf.tidy``."""

LONELY_S = 20.0
"""With no web process heard of for so long, and nothing to do, the supervisor leaves."""

SEAT_PATIENCE_S = 2.0
DATABASE_PAUSE_S = 0.5
EVER_S = 1e9

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Active:
    """A claimed run and its process."""

    row: RunRow
    attempt: Attempt | ClusterAttempt
    renewed: float
    device: str
    unsaved: list[Progress] = field(default_factory=list)
    step: int = 0
    result: RunResult | None = None
    refusal: Refusal | None = None
    stopping: bool = False
    limit: Refusal | None = None
    card: cards.Card | None = None


class Supervisor:
    """Trains the runs of ``store``, ``slots`` at a time; :meth:`serve` returns when it is time to leave."""

    def __init__(
        self,
        store: Store,
        seat: Seat,
        mode: Mode,
        slots: int = 1,
        lonely_s: float = LONELY_S,
        cluster: bool = False,
    ) -> None:
        self._store = store
        self._seat = seat
        self._mode: Mode = mode
        self._slots = slots
        self._lonely_s = lonely_s
        self._cluster = cluster
        self._id = f"{here()}/{os.getpid()}/{new_id()}"
        self._active: list[Active] = []
        self._desk = Desk()
        self._probe: Attempt | None = None
        self._stand_by: StandBy | None = None
        self._stands_by = False
        self._device = device.installed().to_json()
        self._signal: str | None = None
        self._retiring = False
        self._next_beat = 0.0
        self._next_sweep = 0.0
        self._next_tidy = 0.0
        self._limits = Limits.from_environment()
        here_gpu = device.installed().kind == "gpu" and not cluster
        self._cards = cards.card_uuids() if here_gpu else []

    def serve(self) -> bool:
        """Work until there is no more need or a signal says so; False if another supervisor is at work."""
        holder = Holder(self._id, os.getpid(), fingerprint())
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGINT, self._on_signal)
        signal.signal(signal.SIGUSR1, self._on_retire)
        if not self._seat.take(holder, SEAT_PATIENCE_S):
            return False
        log.info("worker %s begins, %s, code %s", self._id, self._mode, fingerprint())
        clear_dead(self._store, self._id)
        if self._mode == "warm" and not self._cluster:
            start_fork_server()
            self._probe = Attempt("warm", child.probe)
            self._stands_by = True
        try:
            self._work()
        finally:
            self._shut_down()
        return True

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        self._signal = signal.Signals(number).name

    def _on_retire(self, number: int, _: FrameType | None) -> None:
        """A newer version waits for the seat: finish what is running, take nothing new, leave."""
        self._retiring = True

    # The loop

    def _work(self) -> None:
        lonely_since = time.time()
        while self._signal is None:
            pipes = [active.attempt.pipe for active in self._active if active.attempt.pipe]
            wait(pipes, POLL_S) if pipes else time.sleep(POLL_S)
            try:
                self._tidy()
                self._heed_probe()
                for active in list(self._active):
                    self._attend(active)
                self._sweep()
                if self._probe is None:
                    self._desk.look(self._mode)
                if self._may_claim() and self._claim():
                    continue
                self._heed_stand_by()
                if self._beat():
                    lonely_since = max(lonely_since, self._store.beats.newest() or 0.0)
                if self._idle and (self._retiring or time.time() - lonely_since > self._lonely_s):
                    return
            except SQLAlchemyError:
                # The database restarts, or its disk is full: runs go on, and are told of when it is back.
                log.exception("the database does not answer")
                time.sleep(DATABASE_PAUSE_S)

    @property
    def _idle(self) -> bool:
        return not self._active and self._probe is None and not self._desk.busy

    def _may_claim(self) -> bool:
        return self._probe is None and not self._retiring and len(self._active) < self._slots

    def _heed_probe(self) -> None:
        """Learn the device from the backend itself; find out beforehand whether forking works here."""
        if self._probe is None:
            return
        for kind, content in self._probe.messages():
            if kind == child.DEVICE:
                self._device = content
                # Only cards that the backend can use are worth a seat.
                self._cards = cards.card_uuids() if Device.from_json(content).kind == "gpu" else []
                self._probe.heard_metric = True
        self._probe.end_if_hung()
        if self._probe.over:
            if not self._probe.heard_metric:
                log.warning("a forked process does not work here: %s; going cold", self._probe.ending())
                self._mode = "cold"
            self._probe.close()
            self._probe = None
            self._next_beat = 0.0

    def _heed_stand_by(self) -> None:
        """With nothing else to do, have a process make itself ready for the next run.

        Not on GPUs: a process is bound to its card before it touches one, and only a run has a card.
        """
        if self._stand_by is None:
            wanted = self._stands_by and self._mode == "warm" and not self._cards
            if wanted and self._idle and not self._retiring:
                self._stand_by = StandBy()
                self._next_beat = 0.0
            return
        if self._stand_by.speed is None:
            self._stand_by.messages()
            if speed := self._stand_by.speed:
                known = Device.from_json(self._device)
                self._device = replace(
                    known, step_seconds=speed.step, flop_per_second=speed.flop_per_second
                ).to_json()
                self._next_beat = 0.0
        if self._stand_by.over:
            log.warning("the process that stood by is gone: %s", self._stand_by.ending())
            self._stands_by = (
                self._stand_by.speed is not None
            )  # one that cannot even get ready is not tried again
            self._dismiss()

    def _dismiss(self) -> None:
        """Let go of the process that stands by."""
        if self._stand_by:
            self._stand_by.close()
            self._stand_by = None

    def _beat(self) -> bool:
        """Tell that this worker is alive, once in a while; whether it was time to."""
        now = time.monotonic()
        if now < self._next_beat:
            return False
        self._next_beat = now + BEAT_S
        warming = self._stand_by is not None and self._stand_by.speed is None
        state = "starting" if self._probe or warming else "busy" if self._active else "idle"
        host = here().partition("/")[0]
        self._store.workers.beat(self._id, host, os.getpid(), state, self._device, self._mode, fingerprint())
        return True

    def _tidy(self) -> None:
        """Clear away what nobody wants any more, once in a while."""
        if time.monotonic() >= self._next_tidy:
            self._next_tidy = time.monotonic() + TIDY_S
            try:
                shelf.tidy(self._store)
                self._desk.tidy()
            except OSError:
                log.exception("the data folder could not be tidied")

    def _sweep(self) -> None:
        """Give the sweeps their next runs, once in a while and as soon as a run is over."""
        now = time.monotonic()
        if self._retiring or self._probe or (now < self._next_sweep and self._active):
            return
        self._next_sweep = now + SWEEP_S
        advance(self._store, self._slots, Device.from_json(self._device).name)

    def _claim(self) -> bool:
        """Take the next run and start its process, with a GPU of its own where there are GPUs."""
        card = None
        if self._cards and (card := cards.take(self._cards)) is None:
            return False
        row = None
        try:
            row = self._store.runs.claim(self._id, LEASE_S, self._limits.runs)
        finally:
            if row is None and card:
                card.leave()
        if row is None:
            return False
        log.info("run %s begins", row.id)
        try:
            shelf.mark_run(self._store, row.id, row.owner)
        except OSError:
            log.exception("the folder of run %s could not be marked", row.id)
        try:
            attempt = self._attempt(row, self._mode, card)
        except Refusal as refusal:
            self._store.runs.finish(row.id, self._id, "failed", None, refusal)
            if card:
                card.leave()
            return True
        self._active.append(Active(row, attempt, time.monotonic(), self._device, card=card))
        self._next_beat = 0.0
        return True

    def _attempt(
        self, row: RunRow, mode: Mode, card: cards.Card | None, again: bool = False
    ) -> Attempt | ClusterAttempt:
        if self._cluster:
            return ClusterAttempt(row.spec, row.started_at or time.time(), row.owner, row.id, again)
        about = (row.spec, row.started_at or time.time(), row.owner, row.id)
        ready = self._stand_by and self._stand_by.speed and not self._stand_by.over
        if self._stand_by and ready and mode == "warm" and not card:
            attempt, self._stand_by = self._stand_by, None
            attempt.begin(*about)
            return attempt
        self._dismiss()  # one that is not ready would only take processor time from this run
        return Attempt(mode, child.train, *about, card.uuid if card else None)

    # One run

    def _attend(self, active: Active) -> None:
        """Hear what the run's process says, hold the lease, and end the run when it is time."""
        over = active.attempt.over  # before reading, so that nothing said at the very end is missed
        self._hear(active)
        if over or active.result or active.refusal:
            self._end(active)
            return
        active.attempt.end_if_hung()
        if active.stopping or self._should_stop(active):
            active.stopping = True
            active.attempt.stop()

    def _hear(self, active: Active) -> None:
        for kind, content in active.attempt.messages():
            if kind == child.PROGRESS:
                active.unsaved.append(content)
            elif kind == child.DEVICE:
                active.device = content
                if self._cluster:  # nobody knows it before
                    self._device = content
            elif kind == child.RESULT:
                active.result = RunResult.from_json(content)
            elif kind == child.REFUSED:
                active.refusal = Refusal(content[0], **content[1])
            elif kind == child.FAILED:
                active.refusal = Refusal("The training failed: {error}.", error=content.rstrip("."))
        if active.unsaved:
            last = active.unsaved[-1]
            self._store.runs.append_metrics(active.row.id, [m for p in active.unsaved if (m := _metric(p))])
            active.unsaved.clear()
            active.step = last.step
            self._store.runs.progress(active.row.id, last.step, last.seconds, active.device, under_way(last))

    def _should_stop(self, active: Active) -> bool:
        """Hold the lease if it is time to, and find out whether the run is wanted no more."""
        now = time.monotonic()
        if now - active.renewed > RENEW_S:
            active.renewed = now
            renewal = self._store.runs.renew(active.row.id, self._id, LEASE_S)
            return renewal.cancel_requested or not renewal.still_mine or self._over_limit(active)
        try:
            return self._store.runs.get(active.row.owner, active.row.id).cancel_requested
        except Missing:
            return True

    def _over_limit(self, active: Active) -> bool:
        """Whether the owner of the run has used up what a user may take in a day."""
        if self._limits.minutes is None and self._limits.dollars is None:
            return False
        try:
            self._limits.check(usage(self._store, active.row.owner))
        except Refusal as refusal:
            active.limit = refusal
        return active.limit is not None

    def _end(self, active: Active) -> None:
        """Write down how a run ended, or begin it again in the cold; then let go of its process."""
        attempt = active.attempt
        if not (active.result or active.refusal) and attempt.may_begin_again:
            log.warning("run %s: %s Beginning again in a fresh process.", active.row.id, attempt.ending())
            attempt.close()
            self._mode = "cold"
            active.attempt = self._attempt(active.row, "cold", active.card, again=True)
            return
        self._finish(active, None)
        self._active.remove(active)
        attempt.close()
        if active.card:
            active.card.leave()
        self._next_beat = 0.0

    def _finish(self, active: Active, shut_down_by: str | None) -> None:
        state, reason = self._outcome(active, shut_down_by)
        summary = active.result.to_json() if active.result else None
        log.info("run %s: %s %s", active.row.id, state, reason or "")
        self._store.runs.finish(active.row.id, self._id, state, summary, reason)

    def _outcome(self, active: Active, shut_down_by: str | None) -> tuple[Any, Refusal | None]:
        """The state that the run ends in, and why."""
        if active.result and not active.result.stopped:
            return "done", None
        if active.refusal:
            return "failed", active.refusal
        if active.limit:
            return "stopped", active.limit
        if active.result and active.result.paused:
            return "stopped", Refusal(
                "It was paused after {epochs} of {total} epochs and can go on from there.",
                epochs=f"{active.result.epochs:g}",
                total=RunSpec.from_json(active.row.spec).epochs,
            )
        if active.stopping:
            return "stopped", Refusal(
                "It was stopped on request after {step} of {total} steps.",
                step=active.result.steps if active.result else active.step,
                total=RunSpec.from_json(active.row.spec).total_steps,
            )
        if shut_down_by:
            return "interrupted", Refusal(
                "The training worker was shut down ({signal}) before the run was over.", signal=shut_down_by
            )
        if active.result:
            return "interrupted", Refusal(
                "The process of this run was told to stop from outside ({signal}).", signal="SIGTERM"
            )
        return "interrupted", active.attempt.ending(_smaller_batch(RunSpec.from_json(active.row.spec)))

    # The end

    def _shut_down(self) -> None:
        """Leave nothing behind: no process, no run that seems to go on, no seat taken."""
        while any(not active.attempt.over for active in self._active):
            for active in self._active:
                active.attempt.stop()
            time.sleep(0.02)
        if self._probe:
            self._probe.close()
        self._dismiss()
        self._desk.close()
        try:
            for active in self._active:
                self._hear(active)
                self._finish(active, self._signal or "error")
                active.attempt.close()
            self._store.workers.remove(self._id)
        finally:
            log.info("worker %s leaves", self._id)
            self._seat.leave()


def clear_dead(store: Store, but: str = "") -> None:
    """Mark the runs of this machine's dead supervisors as interrupted, and forget those supervisors.

    Call it only where no supervisor other than ``but`` can be alive on this machine: with the seat free
    or one's own.
    """
    for worker in store.workers.rows(alive_within_s=EVER_S):
        if worker.id != but and worker.id.startswith(f"{here()}/"):
            lost = store.runs.release(
                worker.id,
                Refusal("The training worker (process {pid}) died before the run was over.", pid=worker.pid),
            )
            for run in lost:
                log.warning("run %s is interrupted: its worker died", run.id)
            store.workers.remove(worker.id)


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

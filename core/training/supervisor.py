"""The supervisor: takes runs from the queue, gives each a process, and sees that each ends.

It holds no TensorFlow, so it stays small and cannot be brought down by a run. One loop does it all: twenty
times a second it looks for something to do. A run that it has claimed is *its* run only while it renews
the lease; if it dies, the lease lapses and whoever looks next marks the run interrupted. What it does
with one run is in :mod:`active`, what it does before there is one in :mod:`readiness`.

With GPUs, as many runs as there are slots train on cards of their own, and one more may be on the
processor; a run that waits for a certain card is passed over until that card is free.
"""

import logging
import os
import signal
import time
from multiprocessing.connection import wait
from types import FrameType

from sqlalchemy.exc import SQLAlchemyError

from core.i18n import Refusal
from core.storage import RunRow, Store, new_id
from core.training import cards, child, device, shelf
from core.training.active import LEASE_S, Active
from core.training.attempt import Attempt, Mode
from core.training.cluster import ClusterAttempt
from core.training.desk import Desk
from core.training.device import CPU, Device
from core.training.devices import reachable, undivided
from core.training.limits import Limits
from core.training.readiness import Readiness
from core.training.seat import Holder, Seat, fingerprint, here
from core.training.sweeping import advance

POLL_S = 0.05
BEAT_S = 2.0
SWEEP_S = 0.25
TIDY_S = 3600.0
"""So often what nobody wants any more is cleared away; see ``shelf.tidy``."""

EXPECTED_S = 3600.0
"""A run that was on a screen so long ago is not expected any more."""

LONELY_S = 20.0
"""With no web process heard of for so long, and nothing to do, the supervisor leaves."""

ABSENT_S = 10.0
"""A run waits for a card that no worker tells of for so long: another machine's worker may only be restarting."""

SEAT_PATIENCE_S = 2.0
DATABASE_PAUSE_S = 0.5
EVER_S = 1e9

log = logging.getLogger(__name__)


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
        self._slots = slots
        self._lonely_s = lonely_s
        self._cluster = cluster
        self._id = f"{here()}/{os.getpid()}/{new_id()}"
        self._active: list[Active] = []
        self._desk = Desk()
        found = device.installed()
        self._ready = Readiness(mode, undivided(found) if cluster else found)
        self._missed: dict[str, float] = {}
        self._signal: str | None = None
        self._retiring = False
        self._next_beat = 0.0
        self._next_sweep = 0.0
        self._next_tidy = 0.0
        self._next_look = 0.0
        self._limits = Limits.from_environment()

    def serve(self) -> bool:
        """Work until there is no more need or a signal says so; False if another supervisor is at work."""
        holder = Holder(self._id, os.getpid(), fingerprint())
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGINT, self._on_signal)
        signal.signal(signal.SIGUSR1, self._on_retire)
        if not self._seat.take(holder, SEAT_PATIENCE_S):
            return False
        log.info("worker %s begins, %s, code %s", self._id, self._ready.mode, fingerprint())
        clear_dead(self._store, self._id)
        if self._ready.mode == "warm" and not self._cluster:
            self._ready.begin()
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
                if self._ready.heed_probe():
                    self._next_beat = 0.0
                for active in list(self._active):
                    self._attend(active)
                self._sweep()
                if not self._ready.probing:
                    self._desk.look(self._ready.mode)
                    if not self._retiring and self._claim():
                        continue
                if self._ready.heed_stand_by(self._idle and not self._retiring):
                    self._next_beat = 0.0
                self._expect()
                if self._beat():
                    self._give_up_waiting()
                    lonely_since = max(lonely_since, self._store.beats.newest() or 0.0)
                if self._idle and (self._retiring or time.time() - lonely_since > self._lonely_s):
                    return
            except SQLAlchemyError:
                # The database restarts, or its disk is full: runs go on, and are told of when it is back.
                log.exception("the database does not answer")
                time.sleep(DATABASE_PAUSE_S)

    @property
    def _idle(self) -> bool:
        return not self._active and not self._ready.probing and not self._desk.busy

    def _beat(self) -> bool:
        """Tell that this worker is alive, once in a while; whether it was time to."""
        now = time.monotonic()
        if now < self._next_beat:
            return False
        self._next_beat = now + BEAT_S
        state = "starting" if self._ready.starting else "busy" if self._active else "idle"
        host, found = here().partition("/")[0], self._ready.device.to_json()
        self._store.workers.beat(self._id, host, os.getpid(), state, found, self._ready.mode, fingerprint())
        return True

    def _give_up_waiting(self) -> None:
        """End the runs that wait for a card which no worker that is alive has had for a while, and their sweeps."""
        absent = self._store.runs.wanted() - {"", CPU, *reachable(self._store)}
        now = time.monotonic()
        self._missed = {uuid: self._missed.get(uuid, now) for uuid in absent}
        gone = [uuid for uuid, since in self._missed.items() if now - since > ABSENT_S]
        for uuid in gone:
            reason = Refusal(
                "The GPU that it was to be trained on ({uuid}) is not there any more; choose another device.",
                uuid=uuid,
            )
            for run in self._store.runs.give_up([uuid], reason):
                log.warning("run %s is given up: there is no GPU %s", run.id, uuid)
                if run.sweep_id:
                    self._store.sweeps.end(run.sweep_id, "failed", reason)

    def _tidy(self) -> None:
        """Clear away what nobody wants any more, once in a while."""
        if time.monotonic() >= self._next_tidy:
            self._next_tidy = time.monotonic() + TIDY_S
            try:
                shelf.tidy(self._store)
                self._desk.tidy()
            except OSError:
                log.exception("the data folder could not be tidied")

    def _expect(self) -> None:
        """With nothing else to do, have the run rehearsed that was last seen on a screen."""
        now = time.monotonic()
        if self._idle and now >= self._next_look:
            self._next_look = now + SWEEP_S
            self._ready.expect(self._store.expected.newest(EXPECTED_S))

    def _sweep(self) -> None:
        """Give the sweeps their next runs, once in a while and as soon as a run is over."""
        now = time.monotonic()
        if self._retiring or self._ready.probing or (now < self._next_sweep and self._active):
            return
        self._next_sweep = now + SWEEP_S
        advance(self._store, self._slots, self._ready.device.name)

    def _claim(self) -> bool:
        """Take the next run that a device is free for and start its process; whether there was one."""
        cards_left, free = self._room()
        if not (cards_left or free):
            return False
        wanted = self._store.runs.wanted()
        seats = cards.take_for(wanted, cards_left)
        free |= {seat.uuid for seat in seats} | ({""} if seats else set())
        row = None
        try:
            if free & wanted:
                row = self._store.runs.claim(self._id, LEASE_S, self._limits.runs, free)
        finally:
            card = _seat_of(row, seats)
            for seat in seats:
                if seat is not card:
                    seat.leave()
        if row is None:
            return False
        log.info("run %s begins on %s", row.id, card.uuid if card else "no card")
        try:
            shelf.mark_run(self._store, row.id, row.owner)
        except OSError:
            log.exception("the folder of run %s could not be marked", row.id)
        try:
            attempt = self._attempt(row, card)
        except Refusal as refusal:
            self._store.runs.finish(row.id, self._id, "failed", None, refusal)
            if card:
                card.leave()
            return True
        self._active.append(Active(self._store, self._id, row, attempt, card))
        self._next_beat = 0.0
        return True

    def _room(self) -> tuple[list[str], set[str]]:
        """The cards that one more run may train on if they are free, and what a run may want that needs none."""
        gpus = [gpu.uuid for gpu in self._ready.device.gpus]
        if not gpus:
            return [], ({"", CPU} if len(self._active) < self._slots else set())
        on_cards = sum(active.card is not None for active in self._active)
        processor = {CPU} if on_cards == len(self._active) else set()
        return (gpus if on_cards < self._slots else []), processor

    def _attempt(self, row: RunRow, card: cards.Card | None, again: bool = False) -> Attempt | ClusterAttempt:
        about = (row.spec, row.started_at or time.time(), row.owner, row.id)
        if self._cluster:
            return ClusterAttempt(*about, again)
        if not card and (attempt := self._ready.take(row.spec, row.owner)):
            attempt.begin(*about)
            return attempt
        self._ready.dismiss()  # one that is not ready would only take processor time from this run
        return Attempt(self._ready.mode, child.train, *about, card.uuid if card else None)

    def _attend(self, active: Active) -> None:
        """Hear what the run's process says, hold the lease, and end the run when it is time."""
        over = active.attempt.over  # before reading, so that nothing said at the very end is missed
        active.hear()
        if self._cluster and active.device:  # nobody knows it before
            self._ready.device = undivided(Device.from_json(active.device))
        if over or active.said_all:
            self._end(active)
        else:
            active.hold(self._limits)

    def _end(self, active: Active) -> None:
        """Write down how a run ended, or begin it again in the cold; then let go of its process."""
        attempt = active.attempt
        if not active.said_all and attempt.may_begin_again:
            log.warning("run %s: %s Beginning again in a fresh process.", active.row.id, attempt.ending())
            attempt.close()
            self._ready.mode = "cold"
            active.attempt = self._attempt(active.row, active.card, again=True)
            return
        active.finish()
        self._active.remove(active)
        active.let_go()
        self._next_beat = 0.0

    # The end

    def _shut_down(self) -> None:
        """Leave nothing behind: no process, no run that seems to go on, no seat taken."""
        while any(not active.attempt.over for active in self._active):
            for active in self._active:
                active.attempt.stop()
            time.sleep(0.02)
        self._ready.close()
        self._desk.close()
        try:
            for active in self._active:
                active.hear()
                active.finish(self._signal or "error")
                active.let_go()
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


def _seat_of(row: RunRow | None, seats: list[cards.Card]) -> cards.Card | None:
    """The seat that the run gets: at the card that it wants, or the last one if it takes any."""
    if row is None or row.wanted == CPU or not seats:
        return None
    return next((seat for seat in seats if seat.uuid == row.wanted), seats[-1])

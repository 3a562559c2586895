"""What a supervisor does before there is a run: ask the backend for its devices, and have a process ready.

Two helper processes do it. The *probe* tells what the backend can use, and shows on the way whether
forking works on this machine. The one that *stands by* has trained some batches of its own and waits for
the next run, so that nobody waits for TensorFlow to start; the run that somebody has on the screen is rehearsed.
"""

import logging
import threading
from dataclasses import replace

from core.i18n import Refusal
from core.training import child
from core.training.attempt import Attempt, Mode, StandBy, start_fork_server
from core.training.device import Device
from core.training.spec import RunSpec
from core.training.speed import Speed

REHEARSED_STEP_S = 0.5
"""A run is rehearsed if its step takes no longer."""

log = logging.getLogger(__name__)


class Readiness:
    """Both helpers, and what they found out: ``device`` with its choices, and the ``mode`` that works here."""

    def __init__(self, mode: Mode, device: Device) -> None:
        self.mode: Mode = mode
        self.device = device
        self._probe: Attempt | None = None
        self._stand_by: StandBy | None = None
        self._stands_by = False
        self._fatal: set[tuple[str, str]] = set()
        """Runs that ended the process that was to rehearse them: they are not rehearsed again."""

    def begin(self) -> None:
        """Start the probe."""
        start_fork_server()
        self._probe = Attempt("warm", child.probe)
        self._stands_by = True

    @property
    def probing(self) -> bool:
        """Whether the devices are not known yet; no run begins before."""
        return self._probe is not None

    @property
    def starting(self) -> bool:
        """Whether one of the helpers is not done yet."""
        return self.probing or (self._stand_by is not None and self._stand_by.speed is None)

    def heed_probe(self) -> bool:
        """Learn the devices from the backend itself; whether there is news."""
        if self._probe is None:
            return False
        for kind, content in self._probe.messages():
            if kind == child.DEVICE:
                self.device = Device.from_json(content)
                self._probe.heard_metric = True
        self._probe.end_if_hung()
        if not self._probe.over:
            return False
        if not self._probe.heard_metric:
            log.warning("a forked process does not work here: %s; going cold", self._probe.ending())
            self.mode = "cold"
        self._probe.close()
        self._probe = None
        return True

    def heed_stand_by(self, idle: bool) -> bool:
        """With nothing else to do, have a process make itself ready for the next run; whether there is news.

        Not on GPUs: a process is bound to its card before it touches one, and only a run has a card.
        """
        if self._stand_by is None:
            wanted = self._stands_by and self.mode == "warm" and not self.device.gpus
            if not (wanted and idle):
                return False
            self._stand_by = StandBy()
            return True
        known = self._stand_by.speed
        self._stand_by.messages()
        speed = self._stand_by.speed
        news = speed is not None and known is None
        if speed and news:
            self.device = replace(self.device, step_seconds=speed.step, flop_per_second=speed.flop_per_second)
        if self._stand_by.over:
            log.warning("the process that stood by is gone: %s", self._stand_by.ending())
            # One that cannot even get ready is not tried again.
            self._stands_by = self._stand_by.speed is not None
            if self._stand_by.busy and self._stand_by.expected:
                self._fatal.add(self._stand_by.expected)
            self.dismiss()
        return news

    def expect(self, run: tuple[str, str] | None) -> None:
        """Have the process that stands by rehearse the run (its specification's JSON and its owner) that is
        expected, if any is; one whose single step takes long may as well begin with it."""
        stands = self._stand_by
        if stands is None or stands.speed is None or stands.expected == run or run in self._fatal:
            return
        stands.expect(run if run and _is_short(run[0], stands.speed) else None)

    def take(self, spec_json: str, owner: str) -> StandBy | None:
        """The process that stands by, if it is ready for this run; it is the caller's from now on."""
        stands = self._stand_by
        if stands is None or stands.speed is None or stands.over or self.mode != "warm":
            return None
        if stands.busy and stands.expected != (spec_json, owner):
            return None  # this run would pay for the other one
        taken, self._stand_by = self._stand_by, None
        return taken

    def dismiss(self) -> None:
        """Let go of the process that stands by, without waiting for it.

        One that is only starting may have to wait for a fork server that is started anew, for longer than a lease.
        """
        if self._stand_by:
            threading.Thread(target=self._stand_by.close, name="dismiss", daemon=True).start()
            self._stand_by = None

    def close(self) -> None:
        """Let go of both."""
        if self._probe:
            self._probe.close()
        if self._stand_by:
            self._stand_by.close()


def _is_short(spec_json: str, speed: Speed) -> bool:
    try:
        spec = RunSpec.from_json(spec_json)
    except Refusal:
        return False
    return speed.seconds_each(spec) * spec.batch_size < REHEARSED_STEP_S

"""How fast this device is, measured before anybody has trained on it: what a step costs, and an operation.

    seconds an example = seconds a step / batch + operations / operations a second

The process that stands by measures both when it warms up (:func:`core.training.run.warm_up`): the step on
a network too small to compute much, the operations on the usual one. The worker tells it with its device.
"""

from dataclasses import dataclass

from core.storage import Store
from core.training.device import Device
from core.training.spec import RunSpec

ALIVE_WITHIN_S = 10.0


@dataclass(frozen=True, slots=True)
class Speed:
    """``step``: seconds of a step beside its arithmetic; ``flop_per_second`` of training."""

    step: float
    flop_per_second: float

    def seconds_each(self, spec: RunSpec) -> float:
        """Seconds of training for an example of ``spec``."""
        return self.step / spec.batch_size + spec.architecture.training_flop / self.flop_per_second


def speed_of(device: Device) -> Speed | None:
    """The speed that a worker told with its device; None if it measured none."""
    if not device.step_seconds or not device.flop_per_second:
        return None
    return Speed(device.step_seconds, device.flop_per_second)


def shown(store: Store, device_name: str) -> Speed | None:
    """The speed of a device of this name that a worker is on now; None if none has told."""
    devices = [
        Device.from_json(worker.device) for worker in store.workers.rows(alive_within_s=ALIVE_WITHIN_S)
    ]
    found = (speed_of(device) for device in devices if device.name == device_name)
    return next((speed for speed in found if speed), None)

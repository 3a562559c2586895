"""What a run says while it trains, and what it measured when it is over."""

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, Self

from core.training.device import Device
from core.training.energy import Energy

Phase = Literal["train", "validation", "test"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: said at most four times a second, and at the end of the last epoch.

    ``step`` batches of ``total_steps`` are done, ``seconds`` after training began (compilation of the
    first step included). In phase "train", ``loss`` and ``accuracy`` are means over the examples that were
    trained on since the last word, of the same epoch; in "validation", over the validation images at the end of the epoch; "test" tells that the test has
    begun and carries no numbers. ``epoch`` is a fraction: 1.5 is the middle of the second. ``joules`` is
    the energy used so far, start-up included; ``examples_per_second`` were trained on lately (a second or
    more, validation left out), ``seconds_left`` go into the rest of the training at the mean pace since its
    first step; ``utilisation`` (a share) and ``memory_bytes`` are of the device (see ``gauge``).
    """

    phase: Phase
    step: int
    total_steps: int
    epoch: float
    seconds: float
    loss: float | None = None
    accuracy: float | None = None
    joules: float | None = None
    examples_per_second: float | None = None
    seconds_left: float | None = None
    utilisation: float | None = None
    memory_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class UnderWay:
    """What a running run has told of itself besides its steps: fields of :class:`Progress`, None before the
    first word of them."""

    joules: float | None = None
    examples_per_second: float | None = None
    seconds_left: float | None = None
    utilisation: float | None = None
    memory_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """What one run measured.

    - ``stopped``: ended early because somebody asked; then there is no test. ``stopped_early``: ended
      early because the validation loss fell no more; then there is one. ``paused``: stopped after an epoch
      on request, to go on later.
    - ``test_accuracy`` (share), ``test_loss``: on the test examples, once, at the end. Where a number is
      predicted there is no accuracy, but ``test_rmse``, the root of the mean squared error in the unit of
      the number, and ``test_r2``, the share of the variance that is explained.
    - ``train_loss``, ``train_accuracy``: means over the last epoch while it was trained.
    - ``validation_loss``, ``validation_accuracy``: after the last epoch, or with early
      stopping after the best one, whose weights are kept; if examples were left over for it.
    - ``fit_seconds``: wall time of Keras' ``fit``: compilation, training and validation.
    - ``held_seconds``: wall time for which the run held the device, start-up and test included; this is
      what a cloud bills, and ``cost_usd`` = ``held_seconds`` × ``price_per_hour`` / 3600.
    - ``images_per_second`` = ``images`` / ``fit_seconds``; ``steady_images_per_second`` leaves out the
      first step (compilation) and validation: the speed a longer run would approach. None if the run
      was too short to tell.
    - ``training_flop``: of the images really shown; see ``architecture``.
    - ``energy``: joules over ``held_seconds``, how they were found and how far they may be off.
    - ``mean_utilisation`` of the device (a share) and ``peak_memory_bytes``, the most that a reading found,
      while it was trained and tested, since its last pause; None where the device does not tell.
    - ``environment``: versions, threads, backend.
    """

    stopped: bool
    epochs: float
    steps: int
    images: int
    parameters: int
    training_flop: int
    train_loss: float | None
    train_accuracy: float | None
    validation_loss: float | None
    validation_accuracy: float | None
    test_loss: float | None
    test_accuracy: float | None
    fit_seconds: float
    test_seconds: float
    held_seconds: float
    images_per_second: float
    steady_images_per_second: float | None
    price_per_hour: float
    cost_usd: float
    energy: Energy
    device: Device
    environment: dict[str, str] = field(default_factory=dict)
    stopped_early: bool = False
    paused: bool = False
    test_rmse: float | None = None
    test_r2: float | None = None
    mean_utilisation: float | None = None
    peak_memory_bytes: int | None = None

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The result in ``text``, as :meth:`to_json` wrote it; what is not known any more is left out."""
        document: dict[str, Any] = json.loads(text)
        document["energy"] = Energy(**document["energy"])
        document["device"] = Device.of(document["device"])
        return cls(**{f.name: document[f.name] for f in fields(cls) if f.name in document})


def cost(held_seconds: float, price_per_hour: float) -> float:
    """USD for a device held for ``held_seconds`` at ``price_per_hour`` USD."""
    return held_seconds * price_per_hour / 3600


def under_way(progress: Progress) -> str:
    """What a running run has to say of itself in its summary."""
    return json.dumps({f.name: getattr(progress, f.name) for f in fields(UnderWay)})


def told(summary: str | None) -> UnderWay:
    """What a running run has said in its ``summary`` (:func:`under_way`)."""
    said: dict[str, Any] = json.loads(summary) if summary else {}
    return UnderWay(**{f.name: said.get(f.name) for f in fields(UnderWay)})

"""What failures and checkpoints take from a long run on many accelerators.

With M hours between failures of the whole cluster (one accelerator's, divided by their number) and δ
to write a checkpoint, the interval that loses least is, to first order,

    T = √(2 δ M)                                  (Young 1974, Daly 2006)

and the share of time lost is δ/T for writing, T/(2 M) for work done again and R/M for restarting.

One accelerator's hours between failures are those of Llama 3 405B: 419 unexpected interruptions in 54
days on 16,384 H100 (arXiv 2407.21783, section 3.3.4); its authors report over 90 % effective time. The
GPU-hours of published runs hold their failures, so this is a part of the estimated hours, not more.
"""

import math
from dataclasses import dataclass

HOURS_BETWEEN_FAILURES = 54 * 24 * 16_384 / 419
"""Accelerator-hours from one interruption to the next: 50,676."""

# Llama 3's storage sustained 2 TB/s for 16,384 accelerators (same paper, section 3.3.1); weights in 16
# bits and the optimiser's 12 bytes a parameter are written. Restarting a job takes minutes: detecting,
# replacing, loading, compiling; ten of them together with the above give Llama 3's 90 %.
_WRITE_BYTES_PER_S = 2e12 / 16_384
_CHECKPOINT_BYTES = 14.0
_LEAST_WRITE_S = 10.0
_RESTART_S = 600.0


@dataclass(frozen=True, slots=True)
class Failures:
    """Failures expected over a run, minutes between checkpoints, and the share of time lost."""

    expected: float
    hours_between: float
    checkpoint_minutes: float
    lost_share: float


def failures(parameters: float, accelerators: int, gpu_hours: float) -> Failures:
    """The failures of a run of ``gpu_hours`` that writes ``parameters`` from all ``accelerators``."""
    between = HOURS_BETWEEN_FAILURES / accelerators * 3600
    write = max(_LEAST_WRITE_S, _CHECKPOINT_BYTES * parameters / (_WRITE_BYTES_PER_S * accelerators))
    interval = math.sqrt(2 * write * between)
    lost = write / interval + interval / (2 * between) + _RESTART_S / between
    return Failures(
        expected=gpu_hours / HOURS_BETWEEN_FAILURES,
        hours_between=between / 3600,
        checkpoint_minutes=interval / 60,
        lost_share=min(lost, 1.0),
    )

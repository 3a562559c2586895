"""How long the plan takes: 36 months at the medians, and for 1,024 and 8,192 draws.

``python -m benchmarks.projection``. Beside each figure stands its ratio to a NumPy sum over arrays of
the same size as all lines together, so that figures of different machines can be compared.
"""

import time
from collections.abc import Callable

import numpy as np

from core.finance.projection import project, simulate
from core.venture import example

REPEATS = 15


def best(work: Callable[[], object]) -> float:
    """The shortest of some runs, in milliseconds."""
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times) * 1e3


def main() -> None:
    """Print the figures."""
    venture = example()
    lines = len(project(venture).model.lines)
    median = best(lambda: project.__wrapped__(venture))
    print(f"{lines} lines × 36 months at the medians: {median:.2f} ms")
    for count in (1024, 8192):
        took = best(lambda count=count: simulate.__wrapped__(venture, count))  # type: ignore[misc]
        array = np.ones((lines, 37, count))
        floor = best(lambda array=array: array * 1.0 + 1.0)  # type: ignore[misc]
        print(
            f"{lines} lines × 36 months × {count:,} draws: {took:.1f} ms, {took / floor:.1f} × two passes over its memory"
        )


if __name__ == "__main__":
    main()

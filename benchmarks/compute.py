"""How long an estimate takes: ``python -m benchmarks.compute [--repeats 30]``.

Every estimate is asked with other inputs each time, so that nothing is remembered. Prints the median
and the most milliseconds beside what is promised.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import date
from itertools import count

from core.compute import (
    FinetunePlan,
    ServingPlan,
    TrainingPlan,
    api_bills,
    cost_over_volume,
    estimate_finetuning,
    estimate_serving,
    estimate_training,
)

ESTIMATE_MS, CURVE_MS = 5.0, 100.0


def cases(numbers: Iterator[int]) -> dict[str, tuple[float, Callable[[], object]]]:
    """Promised milliseconds and the question, by name."""

    def serving() -> ServingPlan:
        return ServingPlan(on=date(2026, 11, 1), input_tokens=2000 + next(numbers), output_tokens=500)

    return {
        "training 7B": (ESTIMATE_MS, lambda: estimate_training(TrainingPlan(7e9, 1e12 + next(numbers)))),
        "training 405B, split chosen": (
            ESTIMATE_MS,
            lambda: estimate_training(
                TrainingPlan(405e9, 15e12, model="Llama 3.1 405B", accelerators=8 * (1024 + next(numbers)))
            ),
        ),
        "fine-tuning": (
            ESTIMATE_MS,
            lambda: estimate_finetuning(FinetunePlan(model="Llama 3.1 8B", examples=50_000 + next(numbers))),
        ),
        "serving, both ways": (ESTIMATE_MS, lambda: estimate_serving(serving())),
        "break-even, 200 points × 1,024 draws": (CURVE_MS, lambda: cost_over_volume(serving())),
        "a request priced at every API": (CURVE_MS, lambda: api_bills(serving())),
    }


def main() -> None:
    """Ask, and print."""
    parser = argparse.ArgumentParser(description="How long an estimate takes.")
    parser.add_argument("--repeats", type=int, default=30)
    repeats = parser.parse_args().repeats
    for name, (promised, ask) in cases(count()).items():
        took = []
        for _ in range(repeats + 1):
            began = time.perf_counter()
            ask()
            took.append(1e3 * (time.perf_counter() - began))
        took = took[1:]  # the first one reads the tables
        print(
            f"{name:38} median {statistics.median(took):6.2f} ms, most {max(took):6.2f} ms ({promised:g} promised)"
        )


if __name__ == "__main__":
    main()

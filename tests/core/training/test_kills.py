"""SIGKILL at random moments, two rounds of ``benchmarks.kills``: every run ends truly, the next one works."""

import random
from pathlib import Path

import pytest

from benchmarks import kills
from benchmarks.click_to_first_metric import worker


@pytest.mark.timeout(400)  # on a machine that others keep busy; alone it takes a quarter of a minute
def test_runs_killed_at_random_moments_end_truly_and_the_next_one_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("COMPUTE_CANVAS_DATA_DIR", "COMPUTE_CANVAS_WORKER_MODE", "COMPUTE_CANVAS_DATABASE_URL"):
        monkeypatch.setenv(name, "")  # so that what the benchmark sets is taken back
    monkeypatch.setattr(kills, "MOST_WAIT_S", 2.5)
    said: list[str] = []
    with worker() as store:
        good = [kills.one_round(store, random.Random(seed), said.append) for seed in (0, 3)]
    assert all(good), said

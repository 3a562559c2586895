"""What a user may take in a day: counted from the runs, refused at the door, and stopped in the act."""

import time
from dataclasses import replace

import pytest

from core.i18n import Refusal
from core.storage import RunRow, Store, open_store
from core.storage.rows import EndState
from core.training import limits
from core.training.device import Device
from core.training.limits import Limits, Usage, resume, submit, usage
from core.training.spec import RunSpec
from core.training.sweep import Axis, Sweep
from core.training.sweeping import advance, held, left
from core.training.waiting import Wait, expected_wait

CPU = Device("cpu", "CPU", cores=2, memory_bytes=8 << 30, backend="tensorflow")
SPEC = RunSpec(network="mlp", train_images=1_000, epochs=1, price_per_hour=36.0)


@pytest.fixture
def store(tmp_path):
    opened = open_store(f"sqlite:///{tmp_path / 'store.sqlite3'}")
    opened.migrate()
    yield opened
    opened.close()


def ran(
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    began: float,
    ended: float,
    owner: str = "me",
    state: EndState = "done",
    spec: RunSpec = SPEC,
    summary: str | None = None,
) -> None:
    """A run of ``owner`` that held the device from ``began`` to ``ended``, in seconds before now."""
    now = time.time()
    row = store.runs.submit(owner, None, spec.to_json(), 100)
    with monkeypatch.context() as patch:
        patch.setattr("core.storage.queue.time.time", lambda: now - began)
        assert store.runs.claim("w", 1e9).id == row.id
        patch.setattr("core.storage.queue.time.time", lambda: now - ended)
        assert store.runs.finish(row.id, "w", state, summary)


def test_usage_is_what_the_last_24_hours_took_of_ones_own_runs(store, monkeypatch):
    hour = 3_600.0
    ran(store, monkeypatch, 30 * hour, 26 * hour)
    ran(store, monkeypatch, 25 * hour, 23 * hour)
    ran(store, monkeypatch, 2 * hour, 1 * hour)
    ran(store, monkeypatch, 2 * hour, 1 * hour, owner="they")
    used = usage(store, "me")
    assert used.minutes == pytest.approx(120, abs=0.1)
    assert used.dollars == pytest.approx(72, abs=0.1)


def goes_on(store: Store, monkeypatch: pytest.MonkeyPatch, run_id: str, began: float) -> RunRow:
    """The run goes on, ``began`` seconds before now."""
    resume(store, "me", run_id, 0)
    now = time.time()
    with monkeypatch.context() as patch:
        patch.setattr("core.storage.queue.time.time", lambda: now - began)
        claimed = store.runs.claim("w", 1e9)
    assert claimed is not None and claimed.id == run_id
    return claimed


def test_a_pause_takes_nothing_off_what_a_run_has_used(store, monkeypatch):
    """Neither while it waits to go on, nor while it goes on, nor afterwards."""
    ran(store, monkeypatch, 900, 300, state="stopped", summary='{"held_seconds": 600.0}')
    (row,) = store.runs.rows("me")
    row = goes_on(store, monkeypatch, row.id, 60)
    assert usage(store, "me").minutes == pytest.approx(11, abs=0.01)
    assert usage(store, "me").dollars == pytest.approx(6.6, abs=0.01)
    assert held(row) == pytest.approx(660, abs=1)
    assert store.runs.finish(row.id, "w", "done", '{"held_seconds": 660.0}')
    assert usage(store, "me").minutes == pytest.approx(11, abs=0.01)


def test_a_run_that_goes_on_is_stopped_by_what_it_used_before_its_pause(store, monkeypatch):
    monkeypatch.setenv(limits.MINUTES, "10.5")
    ran(store, monkeypatch, 900, 300, state="stopped")
    (row,) = store.runs.rows("me")
    goes_on(store, monkeypatch, row.id, 60)
    with pytest.raises(Refusal, match=r"limit of 10\.5 minutes"):
        Limits.from_environment().check(usage(store, "me"))


def test_what_was_used_longer_ago_than_a_day_counts_no_more_when_a_run_goes_on(store, monkeypatch):
    hour = 3_600.0
    ran(store, monkeypatch, 30 * hour, 26 * hour, state="stopped", summary='{"held_seconds": 14400.0}')
    (row,) = store.runs.rows("me")
    goes_on(store, monkeypatch, row.id, 60)
    assert store.runs.finish(row.id, "w", "done", '{"held_seconds": 14460.0}')
    assert usage(store, "me").minutes == pytest.approx(1, abs=0.01)


def test_deleting_a_run_gives_nothing_back(store, monkeypatch):
    ran(store, monkeypatch, 700, 0)
    (row,) = store.runs.rows("me")
    store.runs.delete("me", row.id)
    assert usage(store, "me").minutes == pytest.approx(700 / 60, abs=0.01)


def test_the_time_left_of_a_run_that_goes_on_is_reckoned_with_what_it_took_before(store, monkeypatch):
    """Half of the steps took ten minutes before the pause; so does the other half."""
    ran(store, monkeypatch, 900, 300, state="stopped")
    (row,) = store.runs.rows("me")
    row = goes_on(store, monkeypatch, row.id, 0)
    store.runs.progress(row.id, 50, 600.0, "CPU")
    assert left(store.runs.get("me", row.id), lambda spec: None) == pytest.approx(600, abs=2)


@pytest.mark.parametrize("ending", ["reap", "release"])
def test_what_a_lost_run_used_counts(store, monkeypatch, ending):
    ran(store, monkeypatch, 60, 0)
    store.runs.submit("me", None, SPEC.to_json())
    now = time.time()
    with monkeypatch.context() as patch:
        patch.setattr("core.storage.queue.time.time", lambda: now - 120)
        store.runs.claim("w", 119.9)
    (lost,) = (
        store.runs.reap(time.time()) if ending == "reap" else store.runs.release("w", Refusal("It died."))
    )
    store.runs.delete("me", lost.id)
    assert usage(store, "me").minutes == pytest.approx(3, abs=0.02)


def test_the_price_of_the_server_is_the_least_that_counts_whatever_was_typed(store, monkeypatch):
    free, dear = replace(SPEC, price_per_hour=0.0), replace(SPEC, price_per_hour=5.0)
    ran(store, monkeypatch, 3_600, 0, spec=free)
    assert usage(store, "me").dollars == 0.0
    monkeypatch.setenv(limits.PRICE, "2")
    monkeypatch.setenv(limits.DOLLARS, "1.5")
    assert usage(store, "me").dollars == pytest.approx(2.0, abs=0.01)
    with pytest.raises(Refusal, match=r"limit of 1\.5 dollars"):
        submit(store, "me", None, free)
    ran(store, monkeypatch, 3_600, 0, spec=dear)
    assert usage(store, "me").dollars == pytest.approx(7.0, abs=0.01)


def test_a_price_of_the_server_that_is_no_number_is_named(monkeypatch):
    monkeypatch.setenv(limits.PRICE, "cheap")
    with pytest.raises(Refusal, match="COMPUTE_CANVAS_DEVICE_PRICE is “cheap”; a number above 0"):
        Limits.from_environment()


def test_limits_come_from_the_environment_and_nothing_is_limited_without(monkeypatch):
    for name in (limits.RUNS, limits.MINUTES, limits.DOLLARS):
        monkeypatch.delenv(name, raising=False)
    assert Limits.from_environment() == Limits()
    Limits().check(Usage(1e9, 1e9))
    monkeypatch.setenv(limits.RUNS, "2")
    monkeypatch.setenv(limits.MINUTES, "30")
    monkeypatch.setenv(limits.DOLLARS, "1.5")
    assert Limits.from_environment() == Limits(2, 30.0, 1.5)


@pytest.mark.parametrize("text", ["many", "0", "-1", "nan", "inf"])
def test_a_limit_that_is_no_number_is_named(monkeypatch, text):
    monkeypatch.setenv(limits.MINUTES, text)
    with pytest.raises(Refusal, match="COMPUTE_CANVAS_USER_MINUTES is “"):
        Limits.from_environment()


def test_half_a_run_at_a_time_is_refused(monkeypatch):
    monkeypatch.setenv(limits.RUNS, "0.5")
    with pytest.raises(Refusal, match="a whole number above 0 is needed"):
        Limits.from_environment()


def test_a_run_beyond_the_limit_is_refused_and_others_are_not_concerned(store, monkeypatch):
    ran(store, monkeypatch, 700, 0)
    monkeypatch.setenv(limits.MINUTES, "10")
    with pytest.raises(Refusal, match="limit of 10 minutes of training in 24 hours is used up"):
        submit(store, "me", None, SPEC)
    assert submit(store, "they", None, SPEC).state == "queued"
    monkeypatch.delenv(limits.MINUTES)
    monkeypatch.setenv(limits.DOLLARS, "5")
    with pytest.raises(Refusal, match="limit of 5 dollars"):
        submit(store, "me", None, SPEC)


def test_going_on_is_refused_like_beginning_and_waiting_for_it_takes_nothing(store, monkeypatch):
    ran(store, monkeypatch, 700, 0, state="stopped")
    (row,) = store.runs.rows("me")
    monkeypatch.setenv(limits.MINUTES, "10")
    with pytest.raises(Refusal, match="limit of 10 minutes of training in 24 hours is used up"):
        resume(store, "me", row.id, 0)
    assert store.runs.get("me", row.id).state == "stopped"
    monkeypatch.setenv(limits.MINUTES, "20")
    before = usage(store, "me")
    assert resume(store, "me", row.id, 0).state == "queued"
    assert usage(store, "me").minutes == pytest.approx(before.minutes, abs=1e-3)


def test_a_sweep_ends_where_its_owner_has_nothing_left(store, monkeypatch):
    ran(store, monkeypatch, 700, 0)
    monkeypatch.setenv(limits.MINUTES, "10")
    sweep = Sweep(base=SPEC, axes=(Axis("epochs", (1, 2)),), budget_minutes=60)
    row = store.sweeps.create("me", None, sweep.to_json())
    advance(store, 1, "CPU")
    ended = store.sweeps.get("me", row.id)
    assert ended.state == "stopped"
    assert "limit of 10 minutes" in str(ended.reason)


def under_way(store: Store, monkeypatch: pytest.MonkeyPatch, owner: str, left: float) -> RunRow:
    """A run of ``owner`` that is halfway, and by its pace will hold its device for ``left`` seconds more."""
    row = store.runs.submit(owner, None, SPEC.to_json(), 100)
    now = time.time()
    with monkeypatch.context() as patch:
        patch.setattr("core.storage.queue.time.time", lambda: now - left)
        claimed = store.runs.claim("w", 1e9)
    assert claimed is not None and claimed.id == row.id
    store.runs.progress(row.id, 50, left, CPU.to_json())
    return row


def test_the_wait_is_what_is_left_of_the_runs_before(store, monkeypatch):
    first = store.runs.submit("me", None, SPEC.to_json(), 100)
    second = store.runs.submit("me", None, SPEC.to_json(), 100)
    assert expected_wait(store, first, "CPU") == Wait(0.0)
    now = time.time()
    monkeypatch.setattr("core.storage.queue.time.time", lambda: now - 30)
    store.runs.claim("w", 1e9)
    monkeypatch.undo()
    assert expected_wait(store, second, "CPU") == Wait(None)
    store.runs.progress(first.id, 25, 30.0, CPU.to_json())
    assert expected_wait(store, second, "CPU").seconds == pytest.approx(90, rel=0.1)


def test_an_owner_at_the_limit_waits_for_one_of_the_own_runs_and_not_for_those_of_others(store, monkeypatch):
    """Two slots: mine ends in 100 s, the other's in 20 s. One of mine at a time, so mine waits 100 s."""
    mine = under_way(store, monkeypatch, "me", 100.0)
    under_way(store, monkeypatch, "they", 20.0)
    waiting = store.runs.submit("me", None, SPEC.to_json(), 100)
    wait = expected_wait(store, waiting, "CPU")
    assert (wait.seconds, wait.own_limit) == (pytest.approx(20, rel=0.1), None)
    monkeypatch.setenv(limits.RUNS, "1")
    wait = expected_wait(store, waiting, "CPU")
    assert (wait.seconds, wait.own_limit) == (pytest.approx(100, rel=0.1), 1)
    theirs = store.runs.submit("they", None, SPEC.to_json(), 100)
    wait = expected_wait(store, theirs, "CPU")
    assert (wait.seconds, wait.own_limit) == (pytest.approx(20, rel=0.1), 1)
    assert store.runs.finish(mine.id, "w", "done", None)
    store.runs.submit("third", None, SPEC.to_json(), 100)
    assert expected_wait(store, waiting, "CPU").own_limit is None


def test_a_worker_with_two_slots_begins_the_next_run_at_once(store, monkeypatch):
    under_way(store, monkeypatch, "me", 100.0)
    waiting = store.runs.submit("me", None, SPEC.to_json(), 100)
    store.workers.beat("a worker", "host", 1, "busy", CPU.to_json(), "cold", "code")
    assert expected_wait(store, waiting, "CPU").seconds == pytest.approx(100, rel=0.1)
    monkeypatch.setenv("COMPUTE_CANVAS_WORKER_SLOTS", "2")
    assert expected_wait(store, waiting, "CPU") == Wait(0.0)


def test_earlier_runs_are_read_once_for_an_owner_and_not_at_all_where_the_pace_is_told(store, monkeypatch):
    read = []
    monkeypatch.setattr(
        "core.training.waiting.seconds_of",
        lambda store, owner, device: read.append(owner) or (lambda spec: 5.0),
    )
    under_way(store, monkeypatch, "me", 100.0)
    waiting = [store.runs.submit("me", None, SPEC.to_json(), 100) for _ in range(6)]
    assert expected_wait(store, waiting[0], "CPU").seconds == pytest.approx(100, rel=0.1)
    assert read == []
    assert expected_wait(store, waiting[-1], "CPU").seconds == pytest.approx(125, rel=0.1)
    assert read == ["me"]

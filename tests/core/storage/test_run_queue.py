"""The queue of training runs: one worker a run, leases that end, reasons that can be translated."""

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from core.i18n import Refusal, Text
from core.storage import MetricRow, Missing, Reason

ROOT = Path(__file__).parents[3]


def test_a_run_goes_through_the_queue_to_its_end(store):
    sent = store.runs.submit("me", None, '{"epochs": 3}', total_steps=90)
    assert sent == store.runs.get("me", sent.id)
    assert (sent.state, sent.attempt, sent.active) == ("queued", 0, True)
    claimed = store.runs.claim("worker", 30)
    assert claimed is not None
    assert (claimed.id, claimed.state, claimed.attempt, claimed.spec) == (
        sent.id,
        "running",
        1,
        '{"epochs": 3}',
    )
    assert claimed.lease_until == pytest.approx(claimed.started_at + 30)
    store.runs.progress(sent.id, 45, 1.5, "CPU")
    store.runs.progress(sent.id, 90, 3.0, "CPU", '{"accuracy": 0.9}')
    assert store.runs.finish(sent.id, "worker", "done", None, None)
    end = store.runs.get("me", sent.id)
    assert (end.state, end.step, end.total_steps, end.seconds, end.device) == ("done", 90, 90, 3.0, "CPU")
    assert (end.summary, end.reason, end.lease_until, end.active) == ('{"accuracy": 0.9}', None, None, False)
    assert end.submitted_at <= end.started_at <= end.ended_at <= time.time()


def test_the_queue_is_first_come_first_served_and_tells_each_its_place(store):
    ids = [store.runs.submit(owner, None, "{}").id for owner in ("a", "b", "a")]
    assert [store.runs.place(i) for i in ids] == [1, 2, 3]
    assert store.runs.active_count() == 3
    assert store.runs.active_count("a") == 2
    assert store.runs.claim("w", 30).id == ids[0]
    assert [store.runs.place(i) for i in ids] == [0, 1, 2]
    store.runs.cancel("b", ids[1])
    assert [store.runs.place(i) for i in ids] == [0, 0, 1]
    assert store.runs.claim("w", 30).id == ids[2]
    assert store.runs.claim("w", 30) is None
    assert store.runs.active_count() == 2
    assert store.runs.place("nonsense") == 0


def test_the_list_is_newest_first_by_venture_or_for_all(store, venture):
    row = store.ventures.create("me", venture("v"), "")
    ids = [store.runs.submit("me", where, "{}").id for where in (None, row.id, None, row.id)]
    assert [run.id for run in store.runs.rows("me")] == ids[::-1]
    assert [run.id for run in store.runs.rows("me", row.id)] == [ids[3], ids[1]]
    assert [run.id for run in store.runs.rows("me", limit=1)] == [ids[3]]


def test_threads_that_claim_at_once_get_each_run_once(store):
    ids = {store.runs.submit("me", None, "{}").id for _ in range(24)}
    taken: list[str] = []
    start = threading.Barrier(8)

    def work(name: str) -> None:
        start.wait()
        while (run := store.runs.claim(name, 30)) is not None:
            taken.append(run.id)

    threads = [threading.Thread(target=work, args=(f"w{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 24
    assert set(taken) == ids


_CLAIMER = """
import sys
from core.storage import open_store
store = open_store(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
while (run := store.runs.claim(sys.argv[2], 30)) is not None:
    print(run.id, flush=True)
"""


def test_processes_that_claim_at_once_get_each_run_once(store, url):
    ids = [store.runs.submit("me", None, "{}").id for _ in range(40)]
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", _CLAIMER, url, f"process {n}"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for n in range(3)
    ]
    for worker in workers:
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        worker.stdin.write("go\n")
        worker.stdin.flush()
    taken = [line for worker in workers for line in worker.communicate(timeout=60)[0].split()]
    assert all(worker.returncode == 0 for worker in workers)
    assert sorted(taken) == sorted(ids)
    for run in store.runs.rows("me"):
        assert (run.state, run.attempt) == ("running", 1)


def test_a_waiting_run_stops_at_once_and_a_running_one_is_asked_to(store):
    running, waiting = (store.runs.submit("me", None, "{}").id for _ in range(2))
    store.runs.claim("w", 30)
    stopped = store.runs.cancel("me", waiting)
    assert (stopped.state, str(stopped.reason)) == ("stopped", "It was stopped before it began.")
    assert stopped.ended_at is not None
    assert store.runs.renew(running, "w", 30).cancel_requested is False
    asked = store.runs.cancel("me", running)
    assert (asked.state, asked.cancel_requested) == ("running", True)
    renewal = store.runs.renew(running, "w", 30)
    assert (renewal.cancel_requested, renewal.still_mine) == (True, True)
    assert store.runs.finish(running, "w", "stopped", "{}", None)
    ended = store.runs.get("me", running)
    assert store.runs.cancel("me", running) == ended


def test_only_an_ended_run_can_be_deleted_and_its_points_go_with_it(store):
    run = store.runs.submit("me", None, "{}").id
    with pytest.raises(Refusal, match="stop it first"):
        store.runs.delete("me", run)
    store.runs.claim("w", 30)
    store.runs.append_metrics(run, [MetricRow(1, 0.1, 0.1, "train", 1.0, None)])
    with pytest.raises(Refusal, match="stop it first"):
        store.runs.delete("me", run)
    store.runs.finish(run, "w", "done", "{}", None)
    store.runs.delete("me", run)
    assert store.runs.metrics(run) == []
    with pytest.raises(Missing):
        store.runs.get("me", run)


def test_a_lease_that_ends_makes_the_run_interrupted_with_a_reason(store):
    lost, held = (store.runs.submit("me", None, "{}").id for _ in range(2))
    store.runs.claim("dead", 5)
    store.runs.claim("alive", 500)
    now = time.time()
    assert store.runs.reap(now) == []
    reaped = store.runs.reap(now + 60)
    assert [run.id for run in reaped] == [lost]
    assert reaped[0].state == store.runs.get("me", lost).state == "interrupted"
    assert "not heard of" in str(reaped[0].reason)
    assert store.runs.get("me", held).state == "running"
    assert store.runs.reap(now + 60) == []


@pytest.mark.parametrize("noticed", ["reap", "release"])
def test_a_lost_run_ended_with_its_lease_however_late_that_is_noticed(store, monkeypatch, noticed):
    """A machine that was off for hours has trained nothing in them."""
    run = store.runs.submit("me", None, "{}").id
    claimed = store.runs.claim("dead", 5)
    later = time.time() + 4 * 3_600
    monkeypatch.setattr("core.storage.queue.time.time", lambda: later)
    (lost,) = store.runs.reap(later) if noticed == "reap" else store.runs.release("dead", Reason("gone"))
    assert (lost.id, lost.state) == (run, "interrupted")
    assert lost.ended_at - lost.started_at == pytest.approx(5)
    assert lost.ended_at == pytest.approx(claimed.lease_until)


def test_a_run_that_is_released_at_once_ended_now_and_not_when_its_lease_would_have(store):
    store.runs.submit("me", None, "{}")
    store.runs.claim("dead", 1e6)
    (lost,) = store.runs.release("dead", Reason("gone"))
    assert lost.ended_at <= time.time()


def test_a_worker_that_was_given_up_cannot_write_over_the_end(store):
    run = store.runs.submit("me", None, "{}").id
    store.runs.claim("slow", 5)
    store.runs.reap(time.time() + 60)
    assert store.runs.renew(run, "slow", 30).still_mine is False
    assert store.runs.finish(run, "slow", "done", '{"accuracy": 1}', None) is False
    store.runs.progress(run, 7, 7.0, "GPU", "{}")
    end = store.runs.get("me", run)
    assert (end.state, end.summary, end.step) == ("interrupted", None, 0)


def test_another_worker_cannot_renew_or_finish_a_run(store):
    run = store.runs.submit("me", None, "{}").id
    store.runs.claim("mine", 30)
    assert store.runs.renew(run, "other", 30).still_mine is False
    assert store.runs.finish(run, "other", "failed", None, None) is False
    assert store.runs.renew(run, "mine", 30).still_mine is True


def test_renewing_keeps_a_run_from_being_reaped(store):
    run = store.runs.submit("me", None, "{}").id
    store.runs.claim("w", 1)
    store.runs.renew(run, "w", 1000)
    assert store.runs.reap(time.time() + 500) == []


def test_the_runs_of_a_dead_process_are_released_together(store):
    mine = [store.runs.submit("me", None, "{}").id for _ in range(2)]
    other = store.runs.submit("me", None, "{}").id
    for worker in ("dead", "dead", "alive"):
        store.runs.claim(worker, 500)
    released = store.runs.release("dead", Refusal("The worker ended with code {code}.", code=-9))
    assert {run.id for run in released} == set(mine)
    assert str(store.runs.get("me", mine[0]).reason) == "The worker ended with code -9."
    assert store.runs.get("me", other).state == "running"
    assert store.runs.release("dead", Reason("again")) == []


def test_a_reason_comes_back_as_a_sentence_with_its_values(store):
    run = store.runs.submit("me", None, "{}").id
    store.runs.claim("w", 30)
    inner = Refusal("{rows} rows are too many.", rows=10)
    why = Refusal(
        "{field}: {error} ({share}, {bad})",
        field=Text("Rows", "行数"),
        error=inner,
        share=0.5,
        bad=float("nan"),
    )
    store.runs.finish(run, "w", "failed", None, why)
    reason = store.runs.get("me", run).reason
    assert reason.message == "{field}: {error} ({share}, {bad})"
    assert reason.values["field"] == Text("Rows", "行数")
    assert str(reason.values["error"]) == "10 rows are too many."
    assert str(reason.refusal()) == str(why) == "Rows: 10 rows are too many. (0.5, nan)"
    json.loads(Reason.of(why).to_json(), parse_constant=pytest.fail)


def test_metrics_are_numbered_on_and_read_from_where_one_stopped(store):
    run = store.runs.submit("me", None, "{}").id
    store.runs.append_metrics(run, [MetricRow(n, n / 10, n / 2, "train", 1 / n, 0.5) for n in range(1, 4)])
    store.runs.append_metrics(run, [])
    store.runs.append_metrics(run, [MetricRow(4, 1.0, 2.0, "validation", 0.2, 0.9)])
    points = store.runs.metrics(run)
    assert [p.seq for p in points] == [1, 2, 3, 4]
    assert points[0] == MetricRow(1, 0.1, 0.5, "train", 1.0, 0.5, seq=1)
    assert store.runs.metrics(run, after=3) == [MetricRow(4, 1.0, 2.0, "validation", 0.2, 0.9, seq=4)]
    assert store.runs.metrics(run, after=4) == []


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf"), None])
def test_a_loss_that_is_no_number_is_kept_as_none(store, bad):
    run = store.runs.submit("me", None, "{}").id
    store.runs.append_metrics(run, [MetricRow(1, 0.1, 0.5, "train", bad, bad)])
    (point,) = store.runs.metrics(run)
    assert point.loss is None
    assert point.accuracy is None


def test_a_time_that_is_no_number_is_a_mistake_and_nothing_is_kept(store):
    run = store.runs.submit("me", None, "{}").id
    good = MetricRow(1, 0.1, 0.5, "train", 1.0, 1.0)
    with pytest.raises(ValueError, match="seconds is nan"):
        store.runs.append_metrics(run, [good, MetricRow(2, 0.2, float("nan"), "train", 1.0, 1.0)])
    assert store.runs.metrics(run) == []


def test_points_of_a_deleted_run_are_dropped(store):
    store.runs.append_metrics("0123456789abcdef", [MetricRow(1, 0.1, 0.5, "train", 1.0, 1.0)])
    assert store.runs.metrics("0123456789abcdef") == []


def test_workers_and_web_processes_are_known_by_their_last_beat(store):
    assert store.beats.newest() is None
    assert store.workers.rows(60) == []
    before = time.time()
    store.beats.beat("web 1")
    store.beats.beat("web 1")
    assert before <= store.beats.newest() <= time.time()
    for state in ("idle", "training"):
        store.workers.beat("w", "host", 123, state, '{"gpu": null}', "fork", "abc")
    store.workers.beat("v", "host", 124, "idle", "{}", "cold", "abc")
    alive = store.workers.rows(60)
    assert [(w.id, w.state, w.device) for w in alive] == [
        ("v", "idle", "{}"),
        ("w", "training", '{"gpu": null}'),
    ]
    assert store.workers.rows(-1) == []
    store.workers.remove("w")
    store.workers.remove("w")
    assert [w.id for w in store.workers.rows(60)] == ["v"]

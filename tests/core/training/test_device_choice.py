"""A run gets the device that it chose, on machines with several GPUs that are made up."""

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from made_up_nvml import H100, machine

from core.i18n import Refusal
from core.storage import RunRow, Store, open_store
from core.training import cards, child, desk, device, devices, supervisor
from core.training.command import spec_of
from core.training.device import CPU, Device
from core.training.devices import chosen, code_of, device_in_use, still
from core.training.limits import resume, submit
from core.training.points import families
from core.training.seat import Seat, here
from core.training.spec import RunSpec
from core.training.supervisor import Supervisor
from core.training.sweep import Axis, Sweep
from core.training.waiting import Wait, expected_wait

SPEC = RunSpec(network="mlp", train_images=1_000, epochs=1)
A100 = "NVIDIA A100-SXM4-40GB"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 'store.sqlite3'}")
    opened.migrate()
    yield opened
    opened.close()


@pytest.fixture
def begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """The cards of the runs that supervisors began, None for the processor; no process is started."""
    monkeypatch.setattr(cards.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setenv("COMPUTE_CANVAS_DATA_DIR", str(tmp_path))
    found: list[str | None] = []

    def attempt(mode: str, target: object, *arguments: Any) -> SimpleNamespace:
        assert target is child.train
        found.append(arguments[-1])
        return SimpleNamespace(close=lambda: None, ending=lambda smaller: None)

    monkeypatch.setattr(supervisor, "Attempt", attempt)
    return found


def worker(store: Store, tmp_path: Path, slots: int = 0) -> Supervisor:
    return Supervisor(store, Seat(tmp_path, store.place), "warm", slots or cards.usual_slots())


def wants(store: Store, code: str = "", owner: str = "me") -> RunRow:
    return store.runs.submit(owner, None, replace(SPEC, device=code).to_json(), SPEC.total_steps, code)


def ends(worker: Supervisor, which: int) -> None:
    active = worker._active[which]
    active.refusal = Refusal("It is over.")
    worker._end(active)


def state(store: Store, row: RunRow) -> str:
    return store.runs.get(row.owner, row.id).state


# What there is


def test_two_cards_of_one_name_are_told_apart_by_the_driver_s_number(monkeypatch):
    machine(monkeypatch, {0: H100, 1: H100})
    found = device.installed()
    assert [one.label for one in found.gpus] == [f"{H100} · GPU 0", f"{H100} · GPU 1"]
    assert {one.name for one in found.gpus} == {H100}, "their speeds are known by the name of the model"
    assert [one.code for one in found.choices] == ["GPU-0", "GPU-1", CPU]
    assert (found.code, found.name, found.idle_gpu) == ("GPU-0", H100, "")
    assert Device.from_json(found.to_json()) == found


def test_a_single_card_has_no_number_and_a_machine_without_one_no_choice(monkeypatch):
    machine(monkeypatch, {0: H100})
    assert device.installed().label == H100
    machine(monkeypatch, {})
    found = device.installed()
    assert (found.code, found.choices) == (CPU, ())


def test_a_card_is_the_same_by_its_uuid_when_another_is_taken_out(monkeypatch):
    machine(monkeypatch, {0: A100, 1: H100})
    before = chosen(device.installed(), "GPU-1")
    machine(monkeypatch, {1: H100})
    after = chosen(device.installed(), "GPU-1")
    assert (before.name, before.uuid) == (after.name, after.uuid)


def test_a_card_that_fell_off_its_bus_is_left_out(monkeypatch):
    machine(monkeypatch, {0: "", 1: H100})
    assert [one.label for one in device.installed().gpus] == [f"{H100} · GPU 1"]


def test_an_earlier_device_has_no_choices_and_is_read_as_it_was():
    told = '{"kind": "gpu", "name": "G", "cores": 2, "memory_bytes": 1, "backend": "tensorflow"}'
    found = Device.from_json(told)
    assert (found.uuid, found.label, found.choices) == ("", "G", ())


@pytest.mark.parametrize(("usable", "codes"), [([0, 1], ["GPU-0", "GPU-1", CPU]), ([1], ["GPU-1", CPU])])
def test_the_backend_has_the_last_word_on_which_cards_are_of_use(monkeypatch, usable, codes):
    machine(monkeypatch, {0: "Too old", 1: H100})
    named = [SimpleNamespace(name=f"/physical_device:GPU:{place}") for place in usable]
    config = SimpleNamespace(
        list_physical_devices=lambda kind: named,
        experimental=SimpleNamespace(set_memory_growth=lambda card, grow: None),
    )
    monkeypatch.setitem(sys.modules, "tensorflow", SimpleNamespace(config=config))
    said: list[tuple[str, str]] = []
    monkeypatch.setattr(child, "follow_parent", lambda: None)
    monkeypatch.setattr(child, "leave", lambda: None)
    child.probe(SimpleNamespace(send=said.append))  # type: ignore[arg-type]
    ((kind, told),) = said
    assert kind == child.DEVICE
    assert [one.code for one in Device.from_json(told).choices] == codes
    assert device.prepare() == replace(Device.from_json(told), choices=())


def test_a_backend_that_can_use_no_card_leaves_the_processor_and_names_the_card(monkeypatch):
    machine(monkeypatch, {0: H100, 1: H100})
    monkeypatch.setattr(device, "_has", {"tensorflow-cpu"}.__contains__)
    found = device.installed()
    assert (found.code, found.idle_gpu, found.choices) == (CPU, H100, ())


# What a person may say


def test_a_device_is_meant_by_its_name_number_or_uuid(monkeypatch):
    machine(monkeypatch, {0: H100, 1: H100, 2: A100})
    found = device.installed()
    meant = {
        "": "",
        " CPU ": CPU,
        "GPU-1": "GPU-1",
        "1": "GPU-1",
        f"{H100} · GPU 0": "GPU-0",
        A100.lower(): "GPU-2",
        device.cpu_name(): CPU,
    }
    assert {text: code_of(found, text) for text in meant} == meant


@pytest.mark.parametrize("text", ["tpu", "2", H100, "GPU-7", "GPU"])
def test_a_device_that_is_not_there_or_not_one_is_refused_with_the_names_there_are(monkeypatch, text):
    machine(monkeypatch, {0: H100, 1: H100})
    with pytest.raises(Refusal) as refused:
        code_of(device.installed(), text)
    assert str(refused.value) == (f"The device is {text}; allowed are: {H100} · GPU 0, {H100} · GPU 1, cpu.")


@pytest.mark.parametrize("value", ["tpu", "gpu", "GPU-", "GPU-1,GPU-2", None, 1, "MIG-1"])
def test_a_specification_with_another_word_for_a_device_is_refused(value):
    with pytest.raises(Refusal, match=r"The device is .*; allowed are: cpu, GPU-…"):
        RunSpec(device=value)


def test_a_wish_for_a_device_parts_no_runs_on_a_curve_but_the_model_that_trained_them_does():
    def measured(name: str) -> Any:
        told = Device("gpu", name, 2, 1 << 34, "tensorflow")
        return SimpleNamespace(
            test_accuracy=0.9, training_flop=1, held_seconds=1.0, cost_usd=0.1, device=told
        )

    wishes = [SPEC, replace(SPEC, device="GPU-0"), replace(SPEC, device="GPU-1")]
    assert {spec.recipe for spec in wishes} == {SPEC.recipe}
    runs = [(spec.device, spec, measured(H100)) for spec in wishes]
    (family,) = families(runs)
    assert "GPU-" not in family.name.en
    assert len(families([*runs, ("other", SPEC, measured(A100))])) == 2


def test_the_shell_takes_a_device_by_any_of_its_names(monkeypatch):
    machine(monkeypatch, {0: H100, 1: H100})
    assert spec_of("mlp", {"device": f"{H100} · GPU 1"}).device == "GPU-1"
    assert spec_of("mlp", {"device": "cpu"}).device == CPU
    assert spec_of("mlp", {}).device == ""


# Going into the queue


def test_a_run_for_a_card_that_is_not_there_is_refused_at_the_door(store, monkeypatch):
    machine(monkeypatch, {0: H100, 1: H100})
    assert submit(store, "me", None, replace(SPEC, device="GPU-1")).wanted == "GPU-1"
    assert submit(store, "me", None, replace(SPEC, device=CPU)).wanted == CPU
    with pytest.raises(Refusal, match="The device is GPU-2; allowed are: NVIDIA H100"):
        submit(store, "me", None, replace(SPEC, device="GPU-2"))


def test_a_paused_run_whose_card_is_gone_goes_on_on_any(store, monkeypatch):
    machine(monkeypatch, {0: H100, 1: H100})
    rows = [wants(store, code) for code in ("GPU-0", "GPU-1")]
    for row in rows:
        store.runs.claim("w", 30)
        store.runs.finish(row.id, "w", "stopped", None)
    machine(monkeypatch, {0: H100})
    again = [resume(store, "me", row.id, 0) for row in rows]
    assert [row.wanted for row in again] == ["GPU-0", ""]
    assert [RunSpec.from_json(row.spec).device for row in again] == ["GPU-0", ""]


def test_further_runs_of_a_curve_stay_on_its_model_where_there_are_several(store, monkeypatch):
    machine(monkeypatch, {0: H100, 1: A100})
    assert still(store, SPEC, A100).device == "GPU-1"
    assert still(store, replace(SPEC, device="GPU-9"), A100).device == "GPU-1"
    assert still(store, replace(SPEC, device="GPU-0"), A100).device == "GPU-0"
    assert still(store, SPEC, "A processor of long ago").device == ""
    machine(monkeypatch, {0: A100, 1: A100})
    assert still(store, SPEC, A100).device == ""


def test_on_a_cluster_there_is_nothing_to_choose(store, monkeypatch, tmp_path):
    machine(monkeypatch, {0: H100, 1: H100})
    monkeypatch.setenv("COMPUTE_CANVAS_CLUSTER", "somewhere:6379")
    assert device_in_use(store).choices == ()
    with pytest.raises(Refusal, match="The device is GPU-1"):
        submit(store, "me", None, replace(SPEC, device="GPU-1"))
    there = Supervisor(store, Seat(tmp_path, "store"), "warm", 4, cluster=True)
    assert there._room() == ([], {"", CPU})
    there._active.append(
        SimpleNamespace(  # type: ignore[arg-type]
            attempt=SimpleNamespace(over=False),
            hear=lambda: None,
            hold=lambda limits: None,
            said_all=False,
            device=chosen(device.installed(), "GPU-1").to_json(),
        )
    )
    there._attend(there._active[0])
    assert (there._ready.device.label, there._ready.device.uuid) == (H100, "")


# In the worker


def test_each_run_gets_the_card_that_it_chose(store, begun, monkeypatch, tmp_path):
    machine(monkeypatch, {0: H100, 1: H100, 2: H100})
    wants(store, "GPU-2")
    wants(store, "GPU-0")
    wants(store)
    there = worker(store, tmp_path)
    assert [there._claim() for _ in range(4)] == [True, True, True, False]
    assert begun == ["GPU-2", "GPU-0", "GPU-1"]


def test_a_run_that_takes_any_leaves_the_card_that_another_waits_for(store, begun, monkeypatch, tmp_path):
    machine(monkeypatch, {0: H100, 1: H100})
    wants(store)
    wants(store, "GPU-0")
    there = worker(store, tmp_path)
    assert there._claim() and there._claim()
    assert begun == ["GPU-1", "GPU-0"]


def test_a_run_that_waits_for_its_card_holds_up_no_other_and_is_next_on_that_card(
    store, begun, monkeypatch, tmp_path
):
    machine(monkeypatch, {0: H100, 1: H100})
    wants(store, "GPU-0")
    there = worker(store, tmp_path)
    assert there._claim()
    waits = wants(store, "GPU-0")
    wants(store)
    later = wants(store)
    assert there._claim()
    assert begun == ["GPU-0", "GPU-1"]
    assert not there._claim()
    ends(there, 1)
    assert there._claim()
    assert begun[2:] == ["GPU-1"], "the one behind goes on while the card is busy"
    assert (state(store, waits), state(store, later)) == ("queued", "running")
    ends(there, 0)
    assert there._claim()
    assert begun[3:] == ["GPU-0"]
    assert state(store, waits) == "running"


def test_owners_take_turns_at_a_card_that_both_want(store, begun, monkeypatch, tmp_path):
    machine(monkeypatch, {0: H100, 1: H100})
    mine = [wants(store, "GPU-0") for _ in range(3)]
    theirs = wants(store, "GPU-0", "they")
    there = worker(store, tmp_path)
    assert there._claim()
    ends(there, 0)
    assert there._claim()
    assert state(store, theirs) == "running"
    assert [state(store, row) for row in mine] == ["failed", "queued", "queued"]


def test_two_workers_of_two_databases_never_share_a_card(begun, monkeypatch, tmp_path):
    machine(monkeypatch, {0: H100, 1: H100})
    workers = []
    for name in ("one", "two"):
        opened = open_store(f"sqlite:///{tmp_path / name}.sqlite3")
        opened.migrate()
        wants(opened)
        wants(opened, "GPU-0")
        workers.append(worker(opened, tmp_path, slots=3))
    one, two = workers
    assert one._claim() and one._claim()
    assert sorted(filter(None, begun)) == ["GPU-0", "GPU-1"]
    assert not two._claim()
    freed = begun[0]
    ends(one, 0)
    assert two._claim()
    assert begun[2] == freed
    assert not one._claim() and not two._claim()


def test_nothing_is_taken_where_there_is_nothing_to_train(store, begun, monkeypatch, tmp_path):
    machine(monkeypatch, {0: H100})
    there = worker(store, tmp_path)
    assert not there._claim()
    wants(store, "GPU-9")
    assert not there._claim()
    assert cards.take(["GPU-0"]) is not None


def test_one_run_may_be_on_the_processor_beside_those_on_cards(store, begun, monkeypatch, tmp_path):
    machine(monkeypatch, {0: H100})
    for code in ("", "", CPU, CPU):
        wants(store, code)
    there = worker(store, tmp_path)
    assert [there._claim() for _ in range(3)] == [True, True, False]
    assert begun == ["GPU-0", None]
    ends(there, 0)
    assert there._claim()
    assert begun[2:] == ["GPU-0"]
    assert not there._claim()


def test_with_fewer_slots_than_cards_no_more_runs_are_on_cards(store, begun, monkeypatch, tmp_path):
    machine(monkeypatch, {0: H100, 1: H100})
    for code in ("GPU-1", "GPU-0", CPU):
        wants(store, code)
    there = worker(store, tmp_path, slots=1)
    assert [there._claim() for _ in range(3)] == [True, True, False]
    assert begun == ["GPU-1", None]


def test_without_cards_as_many_train_on_the_processor_as_there_are_slots(store, begun, monkeypatch, tmp_path):
    machine(monkeypatch, {})
    for code in ("", CPU, ""):
        wants(store, code)
    there = worker(store, tmp_path, slots=2)
    assert [there._claim() for _ in range(3)] == [True, True, False]
    assert begun == [None, None]


def test_an_answer_of_a_trained_network_takes_no_card(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    monkeypatch.setattr(child, "follow_parent", lambda: None)
    monkeypatch.setattr(child, "leave", lambda: None)
    monkeypatch.setattr(desk, "_answered", lambda what, given: os.environ["CUDA_VISIBLE_DEVICES"])
    said: list[tuple[str, str]] = []
    desk.serve(SimpleNamespace(send=said.append), "predict", "{}")  # type: ignore[arg-type]
    assert said == [(desk.ANSWER, "-1")]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Moves the supervisor's clock on."""
    now = 1_000.0

    def move(seconds: float) -> None:
        nonlocal now
        now += seconds

    monkeypatch.setattr(supervisor.time, "monotonic", lambda: now)
    return move


def test_a_run_whose_card_is_gone_ends_with_a_sentence_and_its_sweep_with_it(
    store, begun, monkeypatch, tmp_path, clock
):
    machine(monkeypatch, {0: H100, 1: H100})
    lost = wants(store, "GPU-5")
    there_is = [wants(store, code) for code in ("GPU-1", CPU, "")]
    sweep = Sweep(base=replace(SPEC, device="GPU-5"), axes=(Axis("epochs", (1, 2)),), budget_minutes=1)
    row = store.sweeps.create("me", None, sweep.to_json())
    there = worker(store, tmp_path)
    there._sweep()
    assert there._beat()
    there._give_up_waiting()
    clock(supervisor.ABSENT_S / 2)
    there._give_up_waiting()
    assert state(store, lost) == "queued", "a worker that has it may only be starting again"
    clock(supervisor.ABSENT_S)
    there._give_up_waiting()
    ended = store.runs.get("me", lost.id)
    assert ended.state == "interrupted"
    assert str(ended.reason) == (
        "The GPU that it was to be trained on (GPU-5) is not there any more; choose another device."
    )
    assert store.sweeps.get("me", row.id).state == "failed"
    assert not any(run.active for run in store.sweeps.runs(row.id))
    assert all(state(store, run) == "queued" for run in there_is)


def test_a_card_of_another_machine_s_worker_is_waited_for(store, begun, monkeypatch, tmp_path, clock):
    machine(monkeypatch, {5: A100, 6: A100})
    store.workers.beat("elsewhere/1", "elsewhere", 1, "idle", device.installed().to_json(), "warm", "code")
    machine(monkeypatch, {0: H100, 1: H100})
    waits = wants(store, "GPU-5")
    there = worker(store, tmp_path)
    assert there._beat()
    for _ in range(3):
        there._give_up_waiting()
        clock(supervisor.ABSENT_S)
    assert state(store, waits) == "queued"
    assert not there._claim()


def test_the_runs_of_a_sweep_go_to_the_device_that_it_chose_one_at_a_time(
    store, begun, monkeypatch, tmp_path
):
    machine(monkeypatch, {0: H100, 1: H100})
    for code in ("GPU-1", ""):
        sweep = Sweep(base=replace(SPEC, device=code), axes=(Axis("epochs", (1, 2, 3)),), budget_minutes=60)
        row = store.sweeps.create("me", None, sweep.to_json())
        there = worker(store, tmp_path)
        monkeypatch.setattr("core.training.sweeping.seconds_of", lambda *_, **__: lambda spec: 1.0)
        for _ in range(3):
            there._next_sweep = 0.0
            there._sweep()
        runs = store.sweeps.runs(row.id)
        assert {run.wanted for run in runs} == {code}
        assert len(runs) == (1 if code else 2)
        store.sweeps.cancel("me", row.id)


# What a founder who waits is told


def test_the_wait_is_for_the_card_that_was_chosen(store, monkeypatch):
    machine(monkeypatch, {0: H100, 1: H100})
    found = device.installed()
    store.workers.beat(f"{here()}/w", "here", 1, "busy", found.to_json(), "warm", "code")
    lasts: dict[str, float] = {}
    monkeypatch.setattr("core.training.waiting.left", lambda run, seconds: lasts.get(run.id, 30.0))
    for code in ("GPU-0", "GPU-1"):
        row = wants(store, "" if code == "GPU-0" else code)
        lasts[row.id] = 100.0 if code == "GPU-0" else 30.0
        assert store.runs.claim("w", 1e6) is not None
        store.runs.progress(row.id, 1, 1.0, chosen(found, code).to_json())
    any_one, zero, one = wants(store), wants(store, "GPU-0"), wants(store, "GPU-1")
    processor, gone = wants(store, CPU), wants(store, "GPU-7")
    assert expected_wait(store, any_one, H100) == Wait(30.0)
    assert expected_wait(store, zero, H100) == Wait(100.0)
    assert expected_wait(store, one, H100) == Wait(60.0)
    assert expected_wait(store, processor, H100) == Wait(0.0)
    assert expected_wait(store, gone, H100) == Wait(None)


def test_the_wait_keeps_to_the_slots_where_they_are_fewer_than_the_cards(store, monkeypatch):
    machine(monkeypatch, {0: H100, 1: H100})
    store.workers.beat(f"{here()}/w", "here", 1, "busy", device.installed().to_json(), "warm", "code")
    monkeypatch.setattr("core.training.waiting.left", lambda run, seconds: 10.0)
    monkeypatch.setenv("COMPUTE_CANVAS_WORKER_SLOTS", "1")
    first, second = wants(store, "GPU-0"), wants(store, "GPU-1")
    assert store.runs.claim("w", 1e6).id == first.id
    assert expected_wait(store, second, H100) == Wait(10.0)
    monkeypatch.setenv("COMPUTE_CANVAS_WORKER_SLOTS", "2")
    assert expected_wait(store, second, H100) == Wait(0.0)


def test_a_worker_s_choices_are_known_as_long_as_it_is_alive(store, monkeypatch):
    machine(monkeypatch, {0: H100, 1: A100})
    store.workers.beat(f"{here()}/w", "here", 1, "idle", device.installed().to_json(), "warm", "code")
    assert list(devices.reachable(store)) == ["GPU-0", "GPU-1", CPU]
    assert devices.name_of(store, "GPU-1", "usual") == A100
    assert devices.name_of(store, "", "usual") == devices.name_of(store, "GPU-9", "usual") == "usual"
    store.workers.remove(f"{here()}/w")
    assert devices.reachable(store) == {}

"""GPUs are taken before they are used: one run a card, whoever asks, until its holder is gone."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from core.storage import open_store
from core.training import cards, supervisor
from core.training.cards import take
from core.training.device import Device
from core.training.seat import Seat
from core.training.spec import RunSpec
from core.training.supervisor import Supervisor

ROOT = Path(__file__).parents[3]
TWO = ["GPU-a", "GPU-b"]


def test_each_card_is_taken_once_and_free_again_when_it_is_left(tmp_path: Path) -> None:
    first, second = take(TWO, tmp_path), take(TWO, tmp_path)
    assert first is not None and second is not None
    assert {first.uuid, second.uuid} == set(TWO)
    assert take(TWO, tmp_path) is None
    first.leave()
    again = take(TWO, tmp_path)
    assert again is not None
    assert again.uuid == first.uuid


def test_a_card_of_another_process_is_free_when_that_process_dies(tmp_path: Path) -> None:
    program = (
        "import sys, time\nfrom pathlib import Path\nfrom core.training.cards import take\n"
        "card = take(['GPU-a'], Path(sys.argv[1]))\nprint(card.uuid, flush=True)\ntime.sleep(600)\n"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "GPU-a\n"
    assert take(["GPU-a"], tmp_path) is None
    other.kill()
    other.wait()
    assert take(["GPU-a"], tmp_path) is not None


def test_the_lock_of_another_user_is_a_file_that_can_only_be_read(tmp_path: Path) -> None:
    card = take(["GPU-a"], tmp_path)
    assert card is not None
    (file,) = tmp_path.iterdir()
    assert file.stat().st_mode & 0o777 & ~0o444 == 0
    card.leave()
    assert take(["GPU-a"], tmp_path) is not None


def test_runs_get_a_card_each_and_a_third_waits_for_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two supervisors of different databases on a machine with two cards, three slots each."""
    monkeypatch.setattr(
        supervisor.device, "installed", lambda: Device("gpu", "Card", 2, 1 << 34, "tensorflow")
    )
    monkeypatch.setattr(cards, "card_uuids", lambda: TWO)
    monkeypatch.setattr(cards.tempfile, "gettempdir", lambda: str(tmp_path))
    begun: list[str] = []

    def attempt(mode: str, target: object, *arguments: object) -> SimpleNamespace:
        begun.append(str(arguments[-1]))
        return SimpleNamespace(close=lambda: None, ending=lambda smaller: None)

    monkeypatch.setattr(supervisor, "Attempt", attempt)
    workers = []
    for name in ("one", "two"):
        store = open_store(f"sqlite:///{tmp_path / name}.sqlite3")
        store.migrate()
        for _ in range(2):
            store.runs.submit("me", None, RunSpec(network="mlp").to_json())
        workers.append(Supervisor(store, Seat(tmp_path, name), "warm", slots=3))
    one, two = workers
    assert one._claim()
    assert two._claim()
    assert sorted(begun) == TWO
    assert not one._claim()
    assert not two._claim()
    freed = begun[0]
    one._active[0].refusal = supervisor.Refusal("It is over.")
    one._end(one._active[0])
    assert two._claim()
    assert begun[2] == freed


def test_nothing_is_taken_where_there_is_nothing_to_train(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        supervisor.device, "installed", lambda: Device("gpu", "Card", 2, 1 << 34, "tensorflow")
    )
    monkeypatch.setattr(cards, "card_uuids", lambda: ["GPU-a"])
    monkeypatch.setattr(cards.tempfile, "gettempdir", lambda: str(tmp_path))
    store = open_store(f"sqlite:///{tmp_path / 'store'}.sqlite3")
    store.migrate()
    worker = Supervisor(store, Seat(tmp_path, "store"), "warm")
    assert not worker._claim()
    assert take(["GPU-a"], tmp_path) is not None


def test_without_a_word_one_run_trains_on_each_gpu_and_one_where_there_is_none(monkeypatch):
    monkeypatch.setattr(cards, "card_uuids", lambda: ["a", "b"])
    monkeypatch.setattr(cards.device, "installed", lambda: Device("gpu", "G", 2, 2**30, "tensorflow"))
    assert cards.usual_slots() == 2
    monkeypatch.setattr(cards.device, "installed", lambda: Device("cpu", "C", 2, 2**30, "tensorflow"))
    assert cards.usual_slots() == 1

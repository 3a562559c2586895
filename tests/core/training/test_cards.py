"""GPUs are taken before they are used: one run a card, whoever asks, until its holder is gone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from made_up_nvml import H100, machine

from core.training import cards
from core.training.cards import seated, take, take_for

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


def test_seats_are_taken_for_those_who_wait_and_any_run_gets_what_nobody_waits_for(tmp_path: Path) -> None:
    three = ["GPU-a", "GPU-b", "GPU-c"]
    held = take(["GPU-c"], tmp_path)
    assert held is not None

    def taken(wanted: set[str]) -> list[str]:
        seats = take_for(wanted, three, tmp_path)
        for seat in seats:
            seat.leave()
        return [seat.uuid for seat in seats]

    assert taken(set()) == taken({"cpu"}) == taken({"GPU-c"}) == taken({"GPU-x"}) == []
    assert taken({"GPU-b", "GPU-c"}) == ["GPU-b"]
    assert taken({""}) == ["GPU-a"]
    assert taken({"", "GPU-a"}) == ["GPU-a", "GPU-b"]
    assert taken({"", "GPU-a", "GPU-b"}) == ["GPU-a", "GPU-b"]


def test_without_a_word_one_run_trains_on_each_gpu_and_one_where_there_is_none(monkeypatch):
    machine(monkeypatch, {0: H100, 1: H100})
    assert cards.usual_slots() == 2
    machine(monkeypatch, {})
    assert cards.usual_slots() == 1


def test_a_run_from_the_shell_waits_for_its_card_and_gives_it_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    machine(monkeypatch, {0: H100, 1: H100})
    monkeypatch.setattr(cards.tempfile, "gettempdir", lambda: str(tmp_path))
    other = take(["GPU-0"])
    assert other is not None
    with seated("") as waited:
        assert os.environ["CUDA_VISIBLE_DEVICES"] == "GPU-1"
        assert take(["GPU-0", "GPU-1"]) is None
        assert waited < 1
    assert "CUDA_VISIBLE_DEVICES" not in os.environ
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(cards.time, "sleep", lambda seconds: other.leave())
    with seated("GPU-0"):
        assert os.environ["CUDA_VISIBLE_DEVICES"] == "GPU-0"
    assert capsys.readouterr().err == "waiting for a GPU that no other run trains on\n"
    with seated("cpu"):
        assert os.environ["CUDA_VISIBLE_DEVICES"] == "-1"
        card = take(["GPU-0"])
        assert card is not None
        card.leave()


def test_where_there_is_no_gpu_a_run_from_the_shell_is_bound_to_nothing(monkeypatch):
    machine(monkeypatch, {})
    with seated(""):
        assert "CUDA_VISIBLE_DEVICES" not in os.environ

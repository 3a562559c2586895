"""``core sweep``: the plan beforehand, and a sweep that really trains."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from core.__main__ import main
from core.i18n import Refusal
from core.training.result import RunResult
from core.training.spec import RunSpec
from core.training.sweep import Axis, Sweep
from core.training.sweep_command import sweep_report

ROOT = Path(__file__).parents[3]
GIVEN = ["sweep", "--preset", "mlp", "--epochs", "1", "--train-images", "400"]


def test_the_plan_names_every_run_and_trains_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    vary = ["--vary", "train_images=200,400", "--vary", "batch-size=32,64", "--budget-minutes", "1"]
    assert main([*GIVEN, *vary, "--plan"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["planned"] == {"runs": 4, "seconds": None, "dollars": None, "fits": None}
    assert [run["train_images"] for run in told["runs"]] == [200, 200, 400, 400]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--vary", "epochs"], "What varies is “epochs”; write field=10,20,30"),
        (["--vary", "epochs=1,2"], "needs one budget above 0"),
        (["--budget-usd", "1"], "Nothing varies"),
    ],
)
def test_a_wrong_word_is_one_sentence(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*GIVEN, *words]) == 2
    assert said in capsys.readouterr().err


def test_a_sweep_from_the_shell_trains_and_tells_the_best() -> None:
    command = [*GIVEN, "--vary", "epochs=1,2", "--budget-minutes", "5"]
    ran = subprocess.run(
        [sys.executable, "-m", "core", *command], cwd=ROOT, capture_output=True, text=True, check=True
    )
    told = json.loads(ran.stdout)
    assert told["ended"] == "every run is done"
    assert [(run["state"], run["epochs"]) for run in told["runs"]] == [("done", 1), ("done", 2)]
    best = max(told["runs"], key=lambda run: run["validation_accuracy"])
    assert told["best"] == {"epochs": best["epochs"], "accuracy": best["validation_accuracy"]}
    assert ran.stderr.count("accuracy") == 2


def test_a_run_of_a_sweep_from_the_shell_uses_no_energy_of_those_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of processor time, the first run has that since the process began, each other that since the one before."""
    busy: list[float] = []
    told = iter((7.0, 9.0))

    def train(spec: RunSpec, *, spent: float, **_: object) -> RunResult:
        busy.append(spent)
        raise Refusal("Not trained.")

    monkeypatch.setattr("core.training.run.train", train)
    monkeypatch.setattr("core.training.sweep_command.time.process_time", lambda: next(told))
    sweep = Sweep(
        base=RunSpec(network="mlp", train_images=400),
        axes=(Axis("epochs", (1, 2)),),
        budget_minutes=600,  # the process of the tests counts as that of the sweep, however old it is
    )
    assert [run["state"] for run in sweep_report(sweep)["runs"]] == ["failed", "failed"]
    assert busy == [0.0, 7.0]


def test_the_runs_of_a_sweep_from_the_shell_make_a_curve(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sizes = "train_images=150,300,600,1200"
    digits = ["sweep", "--preset", "mlp", "--dataset", "digits", "--epochs", "3", "--vary", sizes]
    ran = subprocess.run(
        [sys.executable, "-m", "core", *digits, "--budget-minutes", "5"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    file = tmp_path / "sweep.json"
    file.write_text(ran.stdout)
    assert {(run["test_images"], run["available_images"]) for run in json.loads(ran.stdout)["runs"]} == {
        (360, 1_437)
    }
    assert main(["curve", str(file)]) == 0
    (curve,) = json.loads(capsys.readouterr().out)["curves"]
    assert curve["count"] == 4
    assert max(one["images"] for one in curve["run_next"]) <= 1_437


def test_a_sweep_from_the_shell_ends_with_its_budget() -> None:
    """The start alone takes longer than the budget, so the first run is stopped at once."""
    command = [*GIVEN, "--batch-size", "8", "--vary", "epochs=1,100", "--budget-minutes", "0.02"]
    ran = subprocess.run(
        [sys.executable, "-m", "core", *command], cwd=ROOT, capture_output=True, text=True, check=True
    )
    told = json.loads(ran.stdout)
    assert told["ended"] == "the budget was used up"
    assert [run["state"] for run in told["runs"]] == ["stopped"]
    assert told["best"] is None

"""``python -m core``: JSON on standard output, or one sentence on standard error and status 2."""

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from core.__main__ import main

ROOT = Path(__file__).parents[2]


@pytest.fixture
def venture(tmp_path, capsys):
    assert main(["example", "vertical_copilot", "--start", "2026-06"]) == 0
    file = tmp_path / "venture.json"
    file.write_text(capsys.readouterr().out, encoding="utf-8")
    return str(file)


def test_the_archetypes_are_named_and_each_is_an_example_that_can_be_projected(tmp_path, capsys):
    assert main(["example", "--list"]) == 0
    named = json.loads(capsys.readouterr().out)
    assert len(named) == 8 and "vertical_copilot" in named
    for key in named:
        assert main(["example", key, "--start", "2026-06"]) == 0
        file = tmp_path / f"{key}.json"
        file.write_text(capsys.readouterr().out, encoding="utf-8")
        assert main(["project", str(file), "--draws", "64"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert found["lines"]["cash"]["unit"] == "money"
        assert 0 <= found["simulation"]["p_default_alive"] <= 1


def test_a_venture_is_projected(venture, capsys):
    assert main(["project", venture, "--draws", "256"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["months"][0] == "2026-06" and len(found["months"]) == 36
    cash = found["lines"]["cash"]
    assert cash["unit"] == "money" and len(cash["values"]) == 36
    assert found["metrics"]["cash_zero"]["value"] == 19
    simulation = found["simulation"]
    assert simulation["draws"] == 256
    assert 0.9 < simulation["p_cash_below_zero"] <= 1
    assert set(simulation["percentiles"]["cash"]) == {"p5", "p25", "p50", "p75", "p95"}


def test_the_same_seed_gives_the_same_answer_and_a_scenario_another(venture, capsys):
    answers = []
    for more in ((), (), ("--seed", "5"), ("--scenario", "round")):
        assert main(["project", venture, "--draws", "128", *more]) == 0
        answers.append(json.loads(capsys.readouterr().out))
    assert answers[0] == answers[1]
    assert answers[0]["simulation"]["percentiles"] != answers[2]["simulation"]["percentiles"]
    assert answers[3]["metrics"]["cash_zero"]["value"] != 19


def test_the_months_are_written_as_csv(venture, capsys):
    assert main(["project", venture, "--csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert len(rows) == 36
    assert float(rows[18]["cash [money]"]) < 0 < float(rows[17]["cash [money]"])


def test_training_and_serving_are_estimated(capsys):
    assert (
        main(["estimate", "train", "--parameters", "7e9", "--tokens", "2e12", "--accelerators", "512"]) == 0
    )
    training = json.loads(capsys.readouterr().out)
    assert training["flop"] == pytest.approx(6 * 7e9 * 2e12, rel=0.1)
    hours = training["final_run"]["gpu_hours"]
    assert hours["p10"] < hours["p50"] < hours["p90"]
    assert main(["estimate", "serve", "--input-tokens", "1000", "--output-tokens", "200"]) == 0
    serving = json.loads(capsys.readouterr().out)
    assert serving["api"]["usd_per_request"] > 0
    assert serving["selfhost"]["usd_per_request"]["p50"] > 0


def test_a_fine_tune_is_estimated(capsys):
    assert main(["estimate", "finetune", "--examples", "50000", "--method", "qlora"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["plan"]["method"] == "qlora" and found["flop"] > 0


def test_the_estimator_is_held_against_published_figures(capsys):
    runs = ROOT / "core/compute/data/published_training.csv"
    assert main(["backtest", "--training", str(runs)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found) == {"training"}
    row = next(row for row in found["training"]["rows"] if row["model"] == "Llama 2 70B")
    assert row["low"] < row["published"] < row["high"]
    assert row["error"] == pytest.approx(row["predicted"] / row["published"] - 1)
    assert main(["backtest"]) == 0
    assert set(json.loads(capsys.readouterr().out)) == {"training", "serving"}


def test_a_goal_is_sought_and_the_drivers_that_move_it_are_named(venture, capsys):
    goal = ["goal", venture, "--driver", "cash_first", "--outcome", "lowest_cash", "--at-least", "0"]
    assert main(goal) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["reachable"] is True
    assert found["value"]["value"] > found["now"]["value"]
    assert main(["sensitivity", venture]) == 0
    bars = json.loads(capsys.readouterr().out)["tornado"]
    assert [bar["swing"] for bar in bars] == sorted((bar["swing"] for bar in bars), reverse=True)
    assert bars[0]["driver_key"] == "cac"


def test_a_workbook_is_written(venture, tmp_path, capsys):
    assert main(["xlsx", venture, str(tmp_path / "plan.xlsx"), "--draws", "0"]) == 0
    assert json.loads(capsys.readouterr().out)["bytes"] == (tmp_path / "plan.xlsx").stat().st_size


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["example", "bakery"], "“bakery” is not an archetype"),
        (["example"], "Name an archetype"),
        (["project", "no-such-file.json"], "cannot be read"),
        (["project", "VENTURE", "--draws", "1000"], "a power of two"),
        (["project", "VENTURE", "--scenario", "x"], "There is no scenario “x”"),
        (["estimate", "train", "--parameters", "0", "--tokens", "1e9"], "Parameters is 0"),
        (["estimate", "train", "--parameters", "nan", "--tokens", "1e9"], "Parameters is nan"),
        (["estimate", "train", "--parameters", "seven", "--tokens", "1e9"], "invalid float value"),
        (["train", "--epochs", "0"], "The epochs is 0"),
        (["backtest", "--serving", "no-such-file.csv"], "cannot be read"),
        (["estimate", "finetune", "--examples", "0"], "Examples is 0"),
        (["bake"], "invalid choice"),
        ([], "required"),
    ],
)
def test_what_is_wrong_is_one_sentence(words, said, venture, capsys):
    assert main([venture if word == "VENTURE" else word for word in words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert err.count("\n") == 1 and err.rstrip().endswith(".")


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"schema_version": 1}', '{"schema_version": 1, "name": NaN}', "[" * 100_000]
)
def test_a_malformed_venture_is_one_sentence(text, tmp_path, capsys):
    file = tmp_path / "bad.json"
    file.write_text(text, encoding="utf-8")
    assert main(["project", str(file)]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1


@pytest.mark.timeout(120)
def test_a_network_is_trained_from_the_shell():
    command = [
        sys.executable,
        "-m",
        "core",
        "train",
        "--preset",
        "mlp",
        "--epochs",
        "1",
        "--train-images",
        "1000",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    found = json.loads(done.stdout)
    assert found["parameters"] == 101_770
    assert 0.5 < found["test_accuracy"] < 1
    for key in ("test_loss", "fit_seconds", "images_per_second", "cost_usd", "energy_joules"):
        assert found[key] > 0, key
    assert found["device"]

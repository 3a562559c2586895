"""What is left of a run: a script that ends with the same weights, a card, and a report that adds up."""

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from core.i18n import LANGUAGES, Refusal, language
from core.storage.rows import Reason
from core.training import answers, checkpoint, command, datasets, run
from core.training.card import model_card
from core.training.command import spec_of
from core.training.report import Report, calibration, occlusion
from core.training.script import DATA, data_file, script
from core.training.spec import RunSpec

SPECS = {
    "fast": spec_of("fast", {"train_images": 2_000}),
    "usual": spec_of("cnn", {"train_images": 1_000, "epochs": 1, "dropout": 0.3, "batch_norm": True}),
    "table": spec_of("table", {"dataset": "wine", "epochs": 12, "schedule": "cosine"}),
    "text": spec_of("table", {"dataset": "reviews", "epochs": 3}),
    "speech": spec_of("table", {"dataset": "vowels", "epochs": 3}),
    "clothes": spec_of(
        "few", {"dataset": "fashion", "epochs": 1, "train_images": 1_000, "precision": "full"}
    ),
    "ratings": spec_of("ratings", {"dataset": "ratings", "epochs": 2}),
    "some_ratings": spec_of(
        "ratings",
        {"dataset": "ratings", "epochs": 4, "train_images": 3_000, "patience": 1, "learning_rate": 0.1},
    ),
    "number": RunSpec(dataset="diabetes", epochs=5, optimizer="nesterov"),
    "squares": RunSpec(dataset="digits", network="fast", loss="mse", epochs=1, optimizer="rmsprop", seed=5),
}


def written(spec: RunSpec, folder: Path) -> Path:
    """The script with its data in a folder."""
    folder.mkdir()
    (folder / DATA).write_bytes(data_file(spec, datasets.load(spec.dataset)))
    (folder / "train.py").write_text(script(spec), "utf-8")
    return folder / "train.py"


def same_weights(one: Path, other: Path) -> bool:
    mine, theirs = (answers.network(file).get_weights() for file in (one, other))
    return len(mine) == len(theirs) and all(np.array_equal(m, t) for m, t in zip(mine, theirs, strict=True))


@pytest.mark.parametrize("key", sorted(SPECS))
def test_the_script_ends_with_the_very_weights_of_the_run(
    key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = SPECS[key]
    file = written(spec, tmp_path / "script")
    run.train(spec, leave=tmp_path)
    monkeypatch.chdir(file.parent)
    runpy.run_path(str(file))
    assert same_weights(tmp_path / "model.keras", file.with_name("model.keras"))


def test_the_script_does_so_in_a_process_of_its_own(tmp_path: Path) -> None:
    spec = SPECS["usual"]
    file = written(spec, tmp_path / "script")
    subprocess.run([sys.executable, file.name], cwd=file.parent, check=True, capture_output=True)
    run.train(spec, leave=tmp_path)
    assert same_weights(tmp_path / "model.keras", file.with_name("model.keras"))


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunSpec, run.RunResult, Report]:
    folder = tmp_path_factory.mktemp("left")
    spec = RunSpec(network="mlp", train_images=2_000, epochs=2)
    result = run.train(spec, leave=folder)
    return spec, result, Report.from_json((folder / "report.json").read_text())


def test_the_report_adds_up_to_the_test(left: tuple[RunSpec, run.RunResult, Report]) -> None:
    _, result, report = left
    confusion = np.array(report.confusion)
    assert confusion.sum() == 10_000
    assert confusion.sum(1).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert confusion.trace() / 10_000 == pytest.approx(result.test_accuracy)
    assert sum(b.count for b in report.calibration) == 10_000
    right = sum(b.count * b.accuracy for b in report.calibration)
    assert right / 10_000 == pytest.approx(result.test_accuracy)
    assert 0 <= report.calibration_error < 0.2
    assert Report.from_json(report.to_json()) == report


def test_the_worst_mistakes_are_those_it_was_most_sure_of(
    left: tuple[RunSpec, run.RunResult, Report],
) -> None:
    _, _, report = left
    images = datasets.load("mnist")
    sure = [mistake.confidence for mistake in report.mistakes]
    assert len(sure) == 12
    assert sure == sorted(sure, reverse=True)
    for mistake in report.mistakes:
        assert mistake.right == images.test_labels[mistake.place] != mistake.said
        assert mistake.picture is not None and mistake.saliency is not None
        assert np.array_equal(mistake.picture.pixels, images.test[mistake.place])
        assert mistake.saliency.pixels.shape == (28, 28)


def test_occlusion_finds_where_a_network_looks() -> None:
    """A network that looks at one corner only: covering that corner, and no other place, costs confidence."""

    def corner(inputs: np.ndarray) -> np.ndarray:
        bright = inputs[:, :7, :7].mean((1, 2)) / 255
        return np.stack([bright, 1 - bright], 1).astype(np.float32)

    pixels = np.zeros((28, 28), np.uint8)
    pixels[:7, :7] = 255
    found = occlusion(pixels[None], np.array([0]), corner)[0]
    assert found[:7, :7].mean() > 100
    assert found[16:, 16:].max() == 0


def test_calibration_groups_answers_by_confidence() -> None:
    bins = calibration(np.array([0.95, 0.95, 0.55, 1.0]), np.array([True, False, True, True]))
    assert [(b.count, b.accuracy) for b in bins] == [(1, 1.0), (3, pytest.approx(2 / 3))]


@pytest.mark.parametrize("code", sorted(LANGUAGES))
def test_the_card_tells_the_figures_and_never_runs_what_people_typed(
    code: str, left: tuple[RunSpec, run.RunResult, Report]
) -> None:
    spec, result, report = left
    card = model_card("0123456789abcdef", spec, result, report, language(code))
    assert "0123456789abcdef" in card
    assert f"{spec.parameters:,}" in card
    assert card.count("\n| ") == 11
    odd = datasets.OwnData(
        id="0123456789abcdef",
        name="<b>[x](javascript:1)",
        kind="table",
        task="classes",
        shape=(3,),
        train=80,
        test=20,
        class_names=("a|b", "c"),
        target="t",
        warnings=(Reason("The column {name} is left out: {why}.", {"name": "<i>", "why": "x"}).to_json(),),
    )
    shown = model_card("0" * 16, RunSpec(own=odd), result, None, language(code))
    assert "\\<b\\>\\[x\\]" in shown
    assert "a\\|b" in shown
    assert "\\<i\\>" in shown and "<i>" not in shown


def test_the_command_line_leaves_all_of_it_and_explains_it(tmp_path: Path) -> None:
    command.train(preset="mlp", dataset="iris", epochs=3, leave=tmp_path)
    assert {"model.keras", "report.json", "model-card.md", "train.py", DATA} <= {
        f.name for f in tmp_path.iterdir()
    }
    said = command.explain(str(tmp_path))
    assert [row["test_examples"] for row in said["classes"]] == [10, 10, 10]
    assert json.loads(json.dumps(said)) == said


def test_the_command_line_goes_on_from_a_checkpoint_of_the_same_settings_and_of_no_others(
    tmp_path: Path,
) -> None:
    same = {"preset": "mlp", "dataset": "iris", "epochs": 3}
    checkpoint.ask_to_pause(tmp_path)
    assert command.train(**same, leave=tmp_path)["epochs"] == 1
    (tmp_path / checkpoint.PAUSE).unlink()
    for other in ({"seed": 1}, {"epochs": 4}, {"learning_rate": 0.5}, {"dataset": "wine"}):
        with pytest.raises(Refusal, match=r"a run with other settings left.*delete checkpoint\.keras there"):
            command.train(**{**same, **other}, leave=tmp_path)
    (tmp_path / command.SPEC).rename(tmp_path / "elsewhere")
    with pytest.raises(Refusal, match="a run with other settings left"):
        command.train(**same, leave=tmp_path)
    (tmp_path / "elsewhere").rename(tmp_path / command.SPEC)
    began: list[float] = []
    again = command.train(
        **same, price_per_hour=3.0, leave=tmp_path, report=lambda told: began.append(told.epoch) or True
    )
    assert (again["epochs"], began[0] > 1) == (3, True)


def test_a_run_that_is_not_there_cannot_be_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMPUTE_CANVAS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("COMPUTE_CANVAS_DATABASE_URL", raising=False)
    with pytest.raises(Refusal, match="There is no one run abc; 0 runs begin so"):
        command.explain("abc")
    with pytest.raises(Refusal, match="left no report"):
        command.explain(str(tmp_path))

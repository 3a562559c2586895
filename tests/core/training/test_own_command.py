"""A file of one's own from the shell: the page's inspection, warnings and limits, and the result of any run."""

import json
import os
import tempfile
from pathlib import Path

import pytest

from core.__main__ import main
from core.i18n import Refusal
from core.training import desk, own
from core.training.own_command import held
from tests.core.training.test_training_own import churn, pictures


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "customers.csv").write_bytes(churn(extra="refunded"))
    return tmp_path


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a process of its own would answer, without one."""
    monkeypatch.setattr(desk, "_limit", lambda seconds: None)
    monkeypatch.setattr(desk, "at_once", lambda what, **given: desk._answered(what, given))


def test_a_table_is_trained_on_and_the_network_that_it_leaves_explained(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = ["train", "--data", str(folder / "customers.csv"), "--target", "left", "--epochs", "2"]
    assert main([*told, "--without", "id", "--leave", str(folder / "left")]) == 0
    out, err = capsys.readouterr()
    result = json.loads(out)
    assert (result["test_images"], result["spec"]["network"], result["spec"]["own"]["target"]) == (
        80,
        "mlp",
        "left",
    )
    assert result["spec"]["own"]["name"] == "customers"
    assert result["test_accuracy"] > 0.5
    assert [line[:60] for line in err.splitlines()] == [
        "Warning: Left out, with the same value in every row or none:",
        "Warning: Left out, as nearly every row has a word of its own",
        "Warning: The column refunded tells the answer almost by itse",
    ]
    assert not list((folder / "temporary").glob("compute-canvas-*"))
    for file in ("model.keras", "model.onnx", "report.json", "model-card.md", "train.py", "data.npz"):
        assert (folder / "left" / file).stat().st_size
    assert "refunded tells the answer" in (folder / "left" / "model-card.md").read_text()
    assert main(["explain", str(folder / "left")]) == 0
    assert [row["class"] for row in json.loads(capsys.readouterr().out)["classes"]] == ["no", "yes"]


@pytest.mark.usefixtures("here")
def test_the_same_file_read_in_the_same_way_has_the_same_id_and_leaves_nothing(folder: Path) -> None:
    file, before = folder / "customers.csv", os.environ.get("COMPUTE_CANVAS_DATA_DIR")
    found = {}
    for name, given in {
        "one": ("left", None, ()),
        "same": ("left", "classes", ()),
        "other": ("left", None, ("id",)),
        "number": ("refunded", "number", ()),
    }.items():
        with held(file, *given) as (data, _):  # type: ignore[arg-type]
            assert own.load("", data.id).train.shape == (320, *data.shape)
            found[name] = data
    assert found["one"] == found["same"] and found["one"].id != found["other"].id
    assert (found["one"].task, found["number"].task) == ("classes", "number")
    assert os.environ.get("COMPUTE_CANVAS_DATA_DIR") == before
    assert not list((folder / "temporary").glob("compute-canvas-*"))


@pytest.mark.usefixtures("here")
def test_a_column_of_many_numbers_is_predicted_as_a_number_and_pictures_by_their_folder(
    folder: Path,
) -> None:
    lines = ["size,price", *(f"{i % 9},{3 * i}" for i in range(101))]
    (folder / "houses.csv").write_text("\n".join(lines))
    (folder / "pets.zip").write_bytes(pictures({"cat": 60, "dog": 10}))
    with held(folder / "houses.csv", "price") as (data, _):
        assert data.task == "number"
    with held(folder / "pets.zip") as (data, said):
        assert (data.kind, data.class_names) == ("images", ("cat", "dog"))
        assert len(said) == 1 and "uneven: cat has 48" in str(said[0])
    with pytest.raises(Refusal, match=r"pets\.zip holds pictures"), held(folder / "pets.zip", "cat"):
        pass


@pytest.mark.usefixtures("here")
def test_a_sweep_is_planned_on_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = ["--data", str(folder / "customers.csv"), "--target", "left"]
    vary = ["--vary", "train_images=100,200", "--budget-minutes", "1", "--plan"]
    assert main(["sweep", *data, *vary]) == 0
    assert [run["train_images"] for run in json.loads(capsys.readouterr().out)["runs"]] == [100, 200]


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--data", "none.csv", "--target", "left"], "none.csv cannot be read: No such file"),
        (["--data", "customers.csv"], "Name the column to predict with --target; the table has months, plan"),
        (["--data", "customers.csv", "--target", "id"], "has 400 different values; 2 to 100 classes"),
        (["--data", "customers.csv", "--target", "gone"], "The table has no column gone; it has months"),
        (["--data", "customers.csv", "--target", "left", "--without", "x"], "The table has no column x;"),
        (["--data", "customers.csv", "--target", "plan", "--predict", "number"], "is no number"),
        (["--target", "left"], "--target goes with --data."),
        (["--data", "customers.csv", "--dataset", "iris"], "give one of them."),
        (["--data", "notes.docx", "--target", "left"], "is none of these: .csv"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    words: list[str], said: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "notes.docx").write_bytes(b"x")
    assert main(["train", *(str(folder / w) if w[-4:] in (".csv", "docx") else w for w in words)]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert said in err

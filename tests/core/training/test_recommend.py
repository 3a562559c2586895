"""What a network trained on ratings recommends, and to whom it refuses to."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from core.i18n import Refusal, language
from core.storage import Store, open_store
from core.training import answers, datasets, onnx_file, run, shelf, start
from core.training.card import model_card
from core.training.command import spec_of
from core.training.recommend import recommend
from core.training.spec import RunSpec
from core.training.sweep import Axis, Sweep
from core.training.sweep_command import sweep_report

ME = "founder"
SPEC = spec_of("ratings", {"dataset": "ratings", "epochs": 2, "train_images": 30_000, "batch_size": 512})


@pytest.fixture(scope="module")
def run_id(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A run that was trained and kept."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMPUTE_CANVAS_DATA_DIR", str(tmp_path_factory.mktemp("data")))
        patch.delenv("COMPUTE_CANVAS_DATABASE_URL", raising=False)
        store: Store = open_store()
        store.migrate()
        row = store.runs.submit(ME, None, SPEC.to_json(), SPEC.total_steps)
        shelf.mark_run(store, row.id, ME)
        run.train(SPEC, leave=shelf.run_folder(row.id, make=True))
        yield row.id
        store.close()


def trained_rows(user: int) -> tuple[np.ndarray, np.ndarray]:
    """The rows that were trained on, and which of them are the user's."""
    examples = datasets.load("ratings")
    rows = examples.train[start.split(SPEC, examples)[0]].astype(int)
    return rows, rows[:, 0] == user


def test_the_ten_best_are_not_rated_yet_and_in_their_order(run_id: str) -> None:
    said = recommend(ME, run_id, SPEC.to_json(), 7)
    rows, mine = trained_rows(7)
    lecturers = rows[:, 1] - 2_972
    assert said["rated"] == mine.sum() > 0
    assert len(said["best"]) == 10
    assert not {one["item"] for one in said["best"]} & set(lecturers[mine])
    assert [one["count"] for one in said["best"]] == [
        int((lecturers == o["item"]).sum()) for o in said["best"]
    ]
    ratings = [one["rating"] for one in said["best"]]
    assert ratings == sorted(ratings, reverse=True)
    assert ratings[-1] > said["mean"]
    assert json.loads(json.dumps(said)) == said


def test_a_recommendation_says_what_a_prediction_says(run_id: str) -> None:
    """For the same student and lecturer, the rest as it was most often."""
    best = recommend(ME, run_id, SPEC.to_json(), 7)["best"][0]
    rows, mine = trained_rows(7)
    theirs = rows[:, 1] - 2_972 == best["item"]
    before = np.cumsum([0] + [column.count for column in SPEC.data.ids])
    typed = {"student": 7, "lecturer": best["item"]}
    for place, column in list(enumerate(SPEC.data.ids))[2:]:
        seen = rows[mine if column.of == "user" else theirs, place] - before[place]
        typed[column.key] = int(np.bincount(seen).argmax())
    said = answers.predict(ME, run_id, SPEC.to_json(), rows=[typed])
    assert said["answers"][0][0] == pytest.approx(best["rating"], abs=1e-4)


def test_a_student_of_whom_nothing_is_known_is_recommended_what_all_like(run_id: str) -> None:
    rows, _ = trained_rows(1)
    new = next(user for user in range(1, 2_973) if not (rows[:, 0] == user).any())
    said = recommend(ME, run_id, SPEC.to_json(), new)
    assert said["rated"] == 0
    assert len(said["best"]) == 10


def test_ratings_that_were_kept_for_the_test_are_told(run_id: str) -> None:
    examples = datasets.load("ratings")
    assert examples.encoding is not None
    target, found = examples.encoding.target, 0
    for user in range(1, 100):
        said = recommend(ME, run_id, SPEC.to_json(), user)
        for one in said["best"]:
            there = (examples.test[:, 0] == user) & (examples.test[:, 1] - 2_972 == one["item"])
            assert (one["truth"] is not None) == there.any()
            if there.any():
                found += 1
                truth = float(examples.test_labels[there][0]) * target.std + target.mean
                assert one["truth"] == pytest.approx(truth)
        if found:
            return
    pytest.fail("no recommendation could be compared")


@pytest.mark.parametrize("user", [0, 2_973, -1])
def test_nobody_is_recommended_anything_who_is_not_there(run_id: str, user: int) -> None:
    with pytest.raises(Refusal, match="a whole number from 1 to 2,972 is allowed"):
        recommend(ME, run_id, SPEC.to_json(), user)


def test_only_what_was_trained_on_ratings_and_is_ones_own_recommends(run_id: str) -> None:
    with pytest.raises(Refusal):
        recommend("somebody", run_id, SPEC.to_json(), 1)
    with pytest.raises(Refusal, match="not trained on ratings"):
        recommend(ME, run_id, RunSpec(dataset="diabetes").to_json(), 1)


def test_a_name_that_is_none_is_refused_and_one_left_out_is_not_known(run_id: str) -> None:
    for lecturer in (1_129, "x", 2.5):
        with pytest.raises(Refusal, match=r"Lecturer is .* a whole number from 1 to 1,128"):
            answers.predict(ME, run_id, SPEC.to_json(), rows=[{"lecturer": lecturer}])
    said = answers.predict(ME, run_id, SPEC.to_json(), rows=[{}])
    assert said["answers"][0][0] == pytest.approx(3.2, abs=0.5), "about the mean"


def test_report_card_and_onnx_file_speak_of_ratings(run_id: str) -> None:
    report = shelf.report_of(run_id)
    assert report is not None and report.points and report.farthest
    assert {round(truth) for truth, _ in report.points} == {1, 2, 3, 4, 5}
    onnx_file.make(ME, run_id, SPEC.to_json())
    held = onnx.load(shelf.run_folder(run_id) / shelf.ONNX).metadata_props
    assert "lecturer 1 to 1128" in {prop.key: prop.value for prop in held}["input"]
    result = run.train(SPEC, stop=lambda: True)
    card = model_card(run_id, SPEC, result, report, language("en"))
    assert "GPL version 2 or later" in card
    assert "with few ratings it knows little" in card


def test_a_sweep_over_ratings_chooses_by_what_it_explains(tmp_path: Path) -> None:
    base = spec_of("ratings", {"dataset": "ratings", "epochs": 1, "train_images": 5_000})
    sweep = Sweep(base=base, axes=(Axis("epochs", (1, 4)),), budget_minutes=600)
    found = sweep_report(sweep)
    assert len(found["runs"]) == 2
    assert found["best"]["epochs"] == 4
    assert 0 < found["best"]["accuracy"] < 0.3

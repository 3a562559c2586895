"""``core curve``: runs from a file become curves, or a word on what to run next."""

import json
from pathlib import Path

import pytest

from core.__main__ import main
from core.i18n import Refusal
from core.training.curve_report import curve_report

SIZES = (2_500, 5_000, 10_000, 20_000)


def written(folder: Path, text: str) -> Path:
    file = folder / "RUNS.json"
    file.write_text(text)
    return file


def law(network: str = "mlp") -> list[dict[str, object]]:
    return [{"network": network, "images": n, "test_error": 2 * n**-0.4} for n in SIZES]


def test_a_curve_is_told_with_its_interval_its_held_out_size_and_how_far_to_trust_it(tmp_path: Path) -> None:
    report = curve_report(written(tmp_path, json.dumps(law())), at=[60_000, 150_000, 500_000])
    assert "MNIST" in report["band_tested_on"]
    (curve,) = report["curves"]
    assert curve["status"] == "fitted"
    assert curve["b"] == pytest.approx(0.4, abs=0.01)
    near, far, farthest = curve["predictions"]
    assert near["error"]["mid"] == pytest.approx(2 * 60_000**-0.4, rel=0.01)
    assert [p["trust"] for p in curve["predictions"]] == ["confident", "uncertain", "speculation"]
    ratios = [p["error"]["high"] / p["error"]["low"] for p in (near, far, farthest)]
    assert ratios == sorted(ratios)
    assert curve["held_out"]["size"] == 20_000
    assert curve["held_out"]["inside"]


def test_too_few_sizes_are_answered_with_what_to_run_next(tmp_path: Path) -> None:
    (curve,) = curve_report(written(tmp_path, json.dumps(law()[:2])))["curves"]
    assert curve["status"] == "not enough data"
    assert "at least 4" in curve["reason"]
    assert {"images": 1_250, "runs": 3} in curve["run_next"]
    assert "predictions" not in curve


def test_results_of_train_may_stand_one_after_the_other_and_networks_have_curves_of_their_own(
    tmp_path: Path,
) -> None:
    runs = [
        {
            "spec": {"network": network, "train_images": n, "epochs": 1, "seed": n},
            "test_accuracy": 1 - 2 * n**-0.4,
            "training_flop": 1e6 * n,
            "held_seconds": 1 + n / 1_000,
        }
        for network in ("mlp", "cnn")
        for n in SIZES
    ]
    file = written(tmp_path, "\n".join(json.dumps(run, indent=1) for run in runs))
    report = curve_report(file, by="compute", target=0.975, price_per_hour=3.6)
    assert [curve["runs"] for curve in report["curves"]] == ["network=mlp", "network=cnn"]
    target = report["curves"][0]["target"]
    assert target["size"]["mid"] == pytest.approx(1e6 * 80**2.5, rel=0.05)
    assert target["cost_usd"]["mid"] == pytest.approx((1 + 80**2.5 / 1_000) * 3.6 / 3600, rel=0.05)


def test_the_command_prints_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["curve", str(written(tmp_path, json.dumps({"runs": law()}))), "--at", "60000"]) == 0
    assert json.loads(capsys.readouterr().out)["curves"][0]["predictions"][0]["size"] == 60_000


def test_runs_without_a_test_accuracy_are_left_out_and_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    untested = [
        {"state": "failed", "reason": "The loss is no number.", "spec": {"train_images": 2_500}},
        {"state": "stopped", "stopped": True, "test_accuracy": None, "spec": {"train_images": 2_500}},
        {"state": "done", "test_accuracy": None, "test_rmse": 3.0, "spec": {"train_images": 2_500}},
    ]
    report = curve_report(written(tmp_path, json.dumps(law() + untested)))
    assert [curve["count"] for curve in report["curves"]] == [4]
    assert report["left_out"] == 3
    assert capsys.readouterr().err == "3 runs without a test accuracy were left out\n"
    with pytest.raises(Refusal, match="holds no tested run"):
        curve_report(written(tmp_path, json.dumps(untested)))


def test_the_test_and_the_images_there_are_come_from_the_runs(tmp_path: Path) -> None:
    """A test of 360 leaves more doubt than one of 10,000, and nobody is sent for images that there are not."""
    sizes = (175, 350, 700, 1_400)
    runs = [{"images": n, "test_error": n**-0.4, "available_images": 1_437} for n in sizes for _ in range(3)]
    (large,) = curve_report(written(tmp_path, json.dumps(runs)))["curves"]
    small = written(tmp_path, json.dumps([{**run, "test_images": 360} for run in runs]))
    (curve,) = curve_report(small)["curves"]
    assert curve["run_next"] == []
    ratio = [
        c["predictions"][0]["error"]["high"] / c["predictions"][0]["error"]["low"] for c in (large, curve)
    ]
    assert ratio[1] > 1.3 * ratio[0]
    assert curve_report(small, available=60_000)["curves"][0]["run_next"] == [{"images": 2_800, "runs": 3}]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[1, 2", "is not JSON"),
        ("3", "something else than runs"),
        ("[]", "holds no tested run"),
        ('[{"images": 100}]', "Run 1 has None as its test_accuracy; a number is needed."),
        ('[{"images": true, "test_error": 0.1}]', "Run 1 has True as its images"),
        ('[{"images": 100, "test_error": 1.5}]', "Run 1 has a test_accuracy out of range."),
        ('[{"images": 100, "test_error": 1e999}]', "Run 1 has inf as its test_error"),
        ("[" * 100_000, "is not JSON"),
    ],
)
def test_a_file_that_is_no_list_of_runs_is_refused_in_one_sentence(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(Refusal, match=said):
        curve_report(written(tmp_path, text))


def test_a_missing_file_and_a_size_that_is_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="cannot be read"):
        curve_report(tmp_path / "none.json")
    with pytest.raises(Refusal, match="The size is nan"):
        curve_report(written(tmp_path, json.dumps(law())), at=[float("nan")])

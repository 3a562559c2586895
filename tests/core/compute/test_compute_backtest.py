"""The backtest: the targets it meets, the constants fitted again from the tables, any file read or refused."""

import csv
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from core.compute import TrainingPlan, backtest_report, estimate_training, serving_left_out, training_left_out
from core.compute.backtest import backtest_training
from core.compute.finetuning_calibration import constants as step_constants
from core.compute.finetuning_calibration import profiled_seconds, profiles, time_ratios
from core.compute.finetuning_fit import fit as fit_steps
from core.compute.hardware import accelerator
from core.compute.records import Unusable, published_serving, published_training
from core.compute.serving_calibration import cells, constants, throughput_ratio
from core.compute.serving_fit import fit as fit_roofline
from core.compute.training_calibration import band, band_of_unseen_classes, calibration, published_runs
from core.compute.training_calibration import constants as run_constants
from core.compute.training_fit import fit as fit_runs
from core.compute.training_fit import fit_each, priors
from core.i18n import Refusal

DATA = Path(__file__).parents[3] / "core" / "compute" / "data"


def rows(name):
    with (DATA / f"{name}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_training_meets_its_targets_on_families_of_models_left_out():
    found = training_left_out().summary
    assert found.count == 48  # every row that the table does not keep out
    assert found.median_error <= 0.20
    assert found.p90_error <= 0.48
    assert 0.93 <= found.median_ratio <= 1.07
    assert 0.75 <= found.inside <= 0.88


def test_training_predicts_developers_it_has_not_seen_about_as_well():
    found = backtest_training(published_training(), "house").summary
    assert found.median_error <= 0.22
    assert found.p90_error <= 0.48
    assert 0.75 <= found.inside <= 0.88


def test_serving_meets_its_targets_on_models_left_out():
    found = serving_left_out()
    assert found.of("dense").median_error <= 0.12
    assert found.summary.median_error <= 0.18
    assert found.summary.p90_error <= 0.50
    assert found.summary.count >= 145


def test_the_constants_of_training_are_those_of_the_table_of_runs():
    runs = published_runs()
    for known, again in (
        (run_constants(), fit_runs(runs)),
        *((run_constants("lineage", name), found) for name, found in fit_each(runs, "lineage").items()),
        *((run_constants("house", name), found) for name, found in fit_each(runs, "house").items()),
    ):
        assert list(asdict(again).values()) == pytest.approx(list(asdict(known).values()), abs=1e-4)


def test_the_constants_of_serving_are_those_of_the_table_of_throughputs():
    known = cells()
    for left_out in ("", "Llama 3.1 8B"):
        again = fit_roofline(known, np.array([model != left_out for model in known.models]))
        for name in ("compute_efficiency", "bandwidth_efficiency", "parallel_tax", "seconds_per_layer"):
            assert getattr(again, name) == pytest.approx(getattr(constants(left_out), name), rel=0.03)


def test_the_constants_of_fine_tuning_are_those_of_its_table():
    again = fit_steps(profiles())
    ours = np.array([profiled_seconds(row, step_constants()) for row in profiles()])
    fitted = np.array([profiled_seconds(row, again) for row in profiles()])
    assert fitted == pytest.approx(ours, rel=0.02)
    assert np.median(np.abs(1 / np.array(time_ratios()) - 1)) < 0.10


def test_what_benchmarks_say_goes_the_way_it_must():
    mean, width = priors()
    base, hopper, a100_40, other, experts, thin = mean
    assert base == other == 0
    assert -0.5 < hopper < a100_40 < 0
    assert -0.35 < experts < -0.1
    assert -0.1 < thin < 0
    assert np.all(width[1:] > 0)


def test_every_constant_of_serving_is_one_that_hardware_can_have():
    found = constants()
    for name in ("bandwidth_efficiency", "compute_efficiency", "fp4_efficiency", "expert_efficiency"):
        assert 0.4 < float(getattr(found, name)) < 1
    assert 1e-5 < float(found.seconds_per_layer) < 2e-4
    assert 0 < float(found.parallel_tax) < 0.3


def test_bands_hold_the_prediction_and_unseen_hardware_has_the_widest():
    seen, unseen = band(), band_of_unseen_classes()
    assert unseen.p10 < seen.p10 < 1 < seen.p90 < unseen.p90
    assert calibration(accelerator("H100 SXM"), 512, 7e9, False).own
    assert not calibration(accelerator("Gaudi 3"), 512, 7e9, False).own
    dense, moe = throughput_ratio("dense"), throughput_ratio("moe")
    assert moe.p10 < dense.p10 < 1 < dense.p90 < moe.p90


def test_a_row_of_the_backtest_is_what_the_page_would_have_shown():
    check = next(c for c in backtest_training(published_training()).checks if c.model == "Llama 2 70B")
    plan = TrainingPlan(68_976_653_312, 2e12, accelerator="A100 SXM 80GB", accelerators=2924)
    shown = estimate_training(plan).gpu_hours
    assert (check.low, check.predicted, check.high) == pytest.approx(
        (shown.p10, shown.p50, shown.p90), rel=1e-3
    )


def test_every_row_that_is_left_out_says_why():
    for record in (*published_training(), *published_serving()):
        if isinstance(record, Unusable):
            assert str(record.reason).endswith(".")
    reasons = {
        record.model: str(record.reason) for record in published_training() if isinstance(record, Unusable)
    }
    assert "RL only" in next(name for name in reasons if name.startswith("DeepSeek-R1"))
    assert "circular" in reasons["T5-11B"]
    assert len(reasons) == 13


def test_the_command_s_report_has_its_shape(tmp_path):
    training, serving = DATA / "published_training.csv", DATA / "published_serving.csv"
    report = json.loads(json.dumps(backtest_report(training, serving), allow_nan=False))
    assert set(report) == {"training", "serving"}
    for part, length in (("training", 61), ("serving", 203)):
        assert len(report[part]["rows"]) == length == report[part]["summary"]["rows"]
        used = [row for row in report[part]["rows"] if "why" not in row]
        assert len(used) == report[part]["summary"]["used"]
        for row in used:
            assert {"model", "published", "predicted", "low", "high", "error"} <= set(row)
            assert row["low"] < row["predicted"] < row["high"]
            assert row["error"] == pytest.approx(row["predicted"] / row["published"] - 1)
    assert list(backtest_report(training)) == ["training"]


def test_a_file_of_others_is_predicted_or_says_why(tmp_path):
    file = tmp_path / "runs.csv"
    columns = list(rows("published_training")[0])[:20]
    given = {
        "BLOOM": ("dense", "176e9", "366e9", "A100-80", "384", "1082990", "bf16"),
        "no hours": ("dense", "7e9", "1e12", "H100-SXM", "8", "", "bf16"),
        "no tokens": ("dense", "7e9", "", "H100-SXM", "8", "100", "bf16"),
        "tiny": ("dense", "1e8", "1e12", "H100-SXM", "8", "100", "bf16"),
        "abacus": ("dense", "7e9", "1e12", "Abacus", "8", "100", "bf16"),
        "words": ("dense", "seven", "1e12", "H100-SXM", "8", "100", "bf16"),
    }
    with file.open("w", newline="") as out:
        writer = csv.DictWriter(out, columns)
        writer.writeheader()
        for model, (arch, active, tokens, hardware, count, hours, precision) in given.items():
            cells_of = {"model": model, "arch": arch, "params_active": active, "tokens": tokens}
            cells_of |= {"hardware": hardware, "num_gpus": count, "gpu_hours": hours, "precision": precision}
            writer.writerow({"params_total": active, "in_backtest": "1", **cells_of})
    found = {row["model"]: row for row in backtest_report(file)["training"]["rows"]}
    assert abs(found["BLOOM"]["error"]) < 0.5
    assert "GPU-hours" in found["no hours"]["why"]
    assert "tokens" in found["no tokens"]["why"]
    assert "1 B" in found["tiny"]["why"]
    assert "Abacus" in found["abacus"]["why"]
    assert "seven" in found["words"]["why"]


def test_a_throughput_of_others_is_predicted_or_says_why(tmp_path):
    file = tmp_path / "serving.csv"
    columns = list(rows("published_serving")[0])[:16]
    given = [
        # TensorRT-LLM 1.0: Llama 3.3 70B in 8 bits on one H200, 1,000 in, 1,000 out. Not in the table.
        ("Llama 3.3 70B", "70.55e9", "H200", "1", "fp8", "TensorRT-LLM 1.0", "max", "1000", "1000", "2909"),
        ("Llama 3.3 70B", "70.55e9", "T4", "1", "bf16", "vLLM", "max", "1000", "1000", "100"),
        ("Jamba", "52e9", "H100", "1", "fp8", "vLLM", "max", "1000", "1000", "100"),
        ("Llama 3 8B", "8e9", "H100", "1", "q4_k_m", "llama.cpp", "1", "1", "1024", "100"),
        ("Llama 3 8B", "8e9", "H100", "1", "fp8", "vLLM", "16", "", "1024", "100"),
    ]
    names = ("model", "params_total", "gpu", "num_gpus", "precision", "framework", "batch_or_concurrency")
    names = (*names, "input_len", "output_len", "tokens_per_s")
    with file.open("w", newline="") as out:
        writer = csv.DictWriter(out, columns)
        writer.writeheader()
        for values in given:
            writer.writerow({"tokens_kind": "total output", **dict(zip(names, values, strict=True))})
    found = backtest_report(serving=file)["serving"]["rows"]
    assert abs(found[0]["error"]) < 0.2
    for row, word in zip(found[1:], ("room", "transformer", "batch", "lengths"), strict=True):
        assert word in row["why"]


# Published elsewhere, as written there or nearly so: model, arch, all and active parameters, tokens,
# hardware, accelerators, GPU-hours, precision.
RUNS = """\
DeepSeek-V3,MoE,671B,37B,14.8T,H800,2048,2.788M,FP8 mixed
DeepSeek-V3-Base,mixture of experts,6.71e11,,1.48e13,2048x NVIDIA H800 80GB,,2788000,fp8 (E4M3)
Llama 3.1 405B,dense,4.05e11,4.05e11,15.6e12,NVIDIA H100 80GB HBM3,16384,30840000,BF16
Llama 3.1 70B,,70.6e9,,15e12,H100-SXM5-80GB,,7.0M,bfloat16
BLOOM 176B,dense,1.76e11,1.76e11,366e9,8xA100-80G,384,"1,082,990",bf16
MPT-7B,dense,6.7e9,6.7e9,1e12,NVIDIA A100-SXM4-40GB,440,100320,bf16
SmolLM3 3B,dense,3.08e9,3.08e9,11.2e12,H100 SXM5,up to 384,221184,bf16
Nemotron-4 15B,dense,15.6e9,15.6e9,8e12,DGX H100,"3,072",958464,bf16
Phi-4 14B,dense,14.7e9,,9.8e12,H100-80G,1920.0,967680,
GPT-NeoX 20B,dense,20.6e9,20.6e9,472e9,A100-SXM4-40GB,96,175680,fp16
GPT-3 175B,dense,175e9,175e9,300e9,Tesla V100-SXM2-32GB,10000,3552000,fp16
JetMoE-8B,moe,8.5e9,2.2e9,1.25e12,H100,96,30000,bf16
Apertus 70B,dense,70e9,70e9,15e12,GH200,4096,6000000,bf16
DBRX,MoE,132e9,36e9,12e12,H100 80GB,3072,3100000,bf16
"""


def test_runs_published_elsewhere_are_read_as_written_and_predicted_within_half(tmp_path):
    file = tmp_path / "runs.csv"
    names = "Model,arch,params_total,params_active,tokens,hardware,num_gpus,gpu_hours,precision\n"
    file.write_text(names + RUNS, encoding="utf-8-sig", newline="\r\n")
    found = backtest_report(file)["training"]
    assert [row.get("why") for row in found["rows"]] == [None] * 14
    assert found["summary"]["p90_absolute_error"] < 0.5
    v3, base = found["rows"][:2]
    assert v3["predicted"] == pytest.approx(base["predicted"], rel=0.02)  # 37 B at work, said or looked up


def test_a_mixture_of_experts_is_never_counted_by_all_its_parameters(tmp_path):
    file = tmp_path / "runs.csv"
    file.write_text(
        "model,arch,params_total,tokens,hardware,gpu_hours,precision\n"
        "Nobody knows it,moe,671e9,14.8e12,H800,2.788e6,fp8\n"
        "Ling-A37B,moe,671e9,14.8e12,H800,2.788e6,fp8\n"
        "DeepSeek-V3,,671e9,14.8e12,H800,2.788e6,fp8\n"
    )
    unknown, said, known = backtest_report(file)["training"]["rows"]
    assert "at work per token" in unknown["why"]
    assert abs(said["error"]) < 0.4
    assert abs(known["error"]) < 0.4


def test_a_run_with_more_parameters_at_work_than_there_are_is_refused(tmp_path):
    file = tmp_path / "runs.csv"
    file.write_text(
        "model,params_total,params_active,tokens,hardware,gpu_hours\nX,37e9,671e9,1e12,H100,1e6\n"
    )
    assert "than there are" in backtest_report(file)["training"]["rows"][0]["why"]


# model, all and active parameters, gpu, accelerators, precision, framework, concurrency, in, out, tokens/s
SPEEDS = """\
Llama-3.3-70B-Instruct,70.6B,,NVIDIA H100 80GB HBM3,4,BF16,vLLM 0.6,256,1024,512,2600,output
meta-llama/Llama-3.1-8B-Instruct,8.03e9,,H100-SXM5-80GB,,bfloat16,vLLM,max,512,512,12000,output tokens
Llama 3.1 8B,8030000000,8030000000,8xA100-80G,1,int4-awq,vLLM,64,1024,256,2500,output
Llama 3.1 8B,8e9,,A100-SXM4-80GB,1,w8a8,vLLM 0.6,"1,024",512,512,5500,generated
Qwen3-235B-A22B,235e9,,8xH100,,FP8,TensorRT-LLM,max,1k,1k,9000,total output
DeepSeek-V3.2-Exp,,,MI300X,8,fp8,SGLang,concurrency 128,1024,1024,3000,output
Kimi-K2-Instruct-0905,1.04T,32B,H200,16,fp8,vLLM,64,1024,1024,1500,
gpt-oss-20b,20.9e9,3.6e9,RTX 5090,1,mxfp4,vLLM,32,1024,512,3000,output
Gemma 3 27B,27e9,,TPU v6e,8,bf16,JetStream,max,1024,1024,6000,output
Llama-3.1-Nemotron-Nano-8B-v1,8e9,,H20,1,FP8 (E4M3),SGLang,64,512,512,3500,output
Qwen2.5-72B-Instruct,72.7e9,,Ascend 910B,8,bf16,MindIE,bs=64,1024,512,900,output
ERNIE-4.5-300B-A47B,300e9,,GB200 NVL72,4,w4a8,FastDeploy,64,1024,1024,3000,output
"""


def test_throughputs_published_elsewhere_are_read_as_written(tmp_path):
    file = tmp_path / "serving.csv"
    names = (
        "model,params_total,params_active,gpu,num_gpus,precision,framework,batch_or_concurrency,input_len,"
        "output_len,tokens_per_s,tokens_kind\n"
    )
    file.write_text(names + SPEEDS, encoding="utf-8-sig", newline="\r\n")
    found = backtest_report(serving=file)["serving"]["rows"]
    assert [row.get("why") for row in found] == [None] * 12
    for row in found:
        assert 0.4 < row["predicted"] / row["published"] < 2.5, row["model"]
    assert [row["hardware"] for row in found[:5:2]] == ["4 × H100 SXM", "1 × A100 SXM 80GB", "8 × H100 SXM"]


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"tokens_kind": "output per GPU"}, "output tokens alone"),
        ({"tokens_kind": "output tok/s/user"}, "output tokens alone"),
        ({"tokens_kind": "input+output"}, "output tokens alone"),
        ({"precision": ""}, "precision is not published"),
        ({"precision": "tf32"}, "tf32"),
        ({"params_total": ""}, "size of the model"),
        ({"tokens_per_s": "fast"}, "fast"),
        ({"gpu": "Groq LPU"}, "Groq"),
        ({"model": "Nemotron-Nano-9B-v2"}, "transformer"),
        ({"num_gpus": "-2"}, "-2"),
    ],
)
def test_a_throughput_that_cannot_be_used_says_why(tmp_path, changes, word):
    row = {"model": "Yi-34B", "params_total": "34.4e9", "gpu": "H100", "num_gpus": "2", "precision": "fp8"}
    row |= {
        "input_len": "1000",
        "output_len": "500",
        "tokens_per_s": "2000",
        "tokens_kind": "output",
    } | changes
    file = tmp_path / "serving.csv"
    with file.open("w", newline="") as out:
        writer = csv.DictWriter(out, list(row))
        writer.writeheader()
        writer.writerow(row)
    assert word in backtest_report(serving=file)["serving"]["rows"][0]["why"]


@pytest.mark.parametrize(
    "value", ["0", "-1", "1e30", "1e-9", "1e300", "nan", "inf", "", "x", "99999999999999999999999"]
)
def test_no_cell_makes_a_row_infinite_or_breaks_the_report(tmp_path, value):
    for name, make in (
        ("training", backtest_report),
        ("serving", lambda file: backtest_report(serving=file)),
    ):
        file, (first, *_) = tmp_path / "x.csv", rows(f"published_{name}")
        with file.open("w", newline="") as out:
            writer = csv.DictWriter(out, list(first))
            writer.writeheader()
            writer.writerows({**first, column: value} for column in first)
        for row in json.loads(json.dumps(make(file), allow_nan=False))[name]["rows"]:
            assert "why" in row or 0 < row["low"] < row["predicted"] < row["high"]


def test_files_that_are_none_are_refused_in_a_sentence(tmp_path):
    with pytest.raises(Refusal, match="cannot be read"):
        backtest_report(tmp_path / "none.csv")
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("a,b\n1,2\n")
    with pytest.raises(Refusal, match="no column model"):
        backtest_report(wrong)
    binary = tmp_path / "binary.csv"
    binary.write_bytes(b"\xff\xfe\x00\x01" * 10)
    with pytest.raises(Refusal, match="not a CSV"):
        backtest_report(binary)

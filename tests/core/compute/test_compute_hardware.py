"""Accelerators and models: published figures, and refusals that help."""

import math

import pytest

from core.compute import accelerator, accelerators, language_model, language_models
from core.compute.language_models import model_called, usual_shape
from core.compute.spelling import accelerator_called, accelerators_said, batch, number, precision_of
from core.i18n import Refusal


@pytest.mark.parametrize(
    ("name", "tflops", "gigabytes", "bandwidth"),
    [
        ("H100 SXM", 989, 80, 3350),
        ("H200 SXM", 989, 141, 4800),
        ("A100 SXM 80GB", 312, 80, 2039),
        ("RTX 4090", 165.2, 24, 1008),
        ("MI300X", 1307, 192, 5300),
        ("TPU v4", 275, 32, 1200),
    ],
)
def test_peaks_are_the_dense_figures_of_the_data_sheets(name, tflops, gigabytes, bandwidth):
    found = accelerator(name)
    assert found.peak("bf16") == tflops * 1e12
    assert (found.memory_gb, found.bandwidth_gb_s) == (gigabytes, bandwidth)


def test_no_accelerator_has_a_sparse_peak_in_8_bits_above_twice_its_16_bits():
    for found in accelerators().values():
        if found.tflops_fp8:
            assert 1 <= found.tflops_fp8 / found.tflops_16bit <= 2.03, found.name


def test_every_figure_is_positive_and_has_a_source():
    for found in accelerators().values():
        for figure in (found.tflops_16bit, found.memory_gb, found.bandwidth_gb_s, found.watts or 1):
            assert math.isfinite(figure)
            assert figure > 0
        assert found.source


def test_power_with_the_server_is_what_epoch_computes_for_an_h100():
    assert accelerator("H100 SXM").watts == pytest.approx(700 * 0.75 * 1.82)
    assert accelerator("TPU v4").watts == 378.5
    assert accelerator("TPU v5p").watts is None


def test_an_unknown_accelerator_is_refused_with_the_closest_names():
    with pytest.raises(Refusal, match="H100 SXM"):
        accelerator("H100SXM")
    with pytest.raises(Refusal):
        accelerator("")


def test_a_precision_that_the_hardware_lacks_is_refused():
    with pytest.raises(Refusal, match="fp8"):
        accelerator("A100 SXM 80GB").peak("fp8")


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("H100-SXM", "H100 SXM"),
        ("A100-80", "A100 SXM 80GB"),
        ("A100-40", "A100 SXM 40GB"),
        ("NVIDIA H200", "H200 SXM"),
        ("V100", "V100 SXM2 32GB"),
        ("TPU v4", "TPU v4"),
        ("h100_80gb", "H100 SXM"),
        ("NVIDIA H100 80GB HBM3", "H100 SXM"),
        ("H100-SXM5-80GB", "H100 SXM"),
        ("NVIDIA H100-80GB (TDP 700W)", "H100 SXM"),
        ("DGX H100", "H100 SXM"),
        ("h100x8", "H100 SXM"),
        ("H100 256", "H100 SXM"),
        ("NVIDIA H100 NVL", "H100 NVL"),
        ("NVIDIA H100 PCIe", "H100 PCIe"),
        ("8xA100-80G", "A100 SXM 80GB"),
        ("NVIDIA-A100-SXM4-40GB", "A100 SXM 40GB"),
        ("A100 80GB PCIe", "A100 PCIe 80GB"),
        ("A100-80 SXM4", "A100 SXM 80GB"),
        ("NVIDIA A800-SXM4-80GB", "A100 SXM 80GB"),
        ("A100 64GB (Leonardo custom)", "A100 SXM 80GB"),
        ("Tesla V100-SXM2-16GB", "V100 SXM2 16GB"),
        ("2048x H800", "H800 SXM"),
        ("H20", "H20"),
        ("GB200 NVL72", "GB200"),
        ("GB200 (2x B200)", "GB200"),
        ("GB300 NVL72", "B300 SXM"),
        ("NVIDIA B200 180GB HBM3e", "B200 SXM"),
        ("GH200 144GB HBM3e", "GH200 141GB"),
        ("NVIDIA GeForce RTX 4090", "RTX 4090"),
        ("NVIDIA RTX A6000", "RTX A6000"),
        ("NVIDIA A10", "A10"),
        ("NVIDIA A10G", "A10G"),
        ("NVIDIA L40S", "L40S"),
        ("NVIDIA L40", "L40"),
        ("NVIDIA L4", "L4"),
        ("AMD Instinct MI300X", "MI300X"),
        ("MI300x8", "MI300X"),
        ("AMD MI355X OAM", "MI355X"),
        ("Google Cloud TPU v5p", "TPU v5p"),
        ("TPU v5e-256", "TPU v5e"),
        ("TPU-v3-8", "TPU v3"),
        ("AWS Trainium2", "Trainium2"),
        ("Intel Gaudi2", "Gaudi 2"),
        ("Huawei Ascend 910B", "Ascend 910B"),
        ("Atlas 900 (Ascend 910B)", "Ascend 910B"),
    ],
)
def test_records_call_accelerators_by_many_names(said, name):
    assert accelerator_called(said).name == name


@pytest.mark.parametrize("said", ["Groq LPU", "Cerebras CS-2", "A100X", "", " ", "🦙", "RTX", "100"])
def test_what_is_no_accelerator_of_the_table_is_refused_and_not_guessed(said):
    with pytest.raises(Refusal, match="There is no accelerator"):
        accelerator_called(said)


def test_two_kinds_of_accelerator_in_one_run_are_refused():
    with pytest.raises(Refusal, match="more than one kind"):
        accelerator_called("A100-40GB / H100-SXM")


@pytest.mark.parametrize(
    ("said", "count"),
    [
        ("8xA100-80G", 8),
        ("2,048 × H800", 2048),
        ("GB200 NVL72", 72),
        ("h100x8", 8),
        ("RTX 4090", None),
        ("H100", None),
    ],
)
def test_a_name_may_count_its_accelerators(said, count):
    assert accelerators_said(said) == count


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("1.2e12", 1.2e12),
        ("1.2E+12", 1.2e12),
        ("37B", 37e9),
        ("2.788M", 2.788e6),
        ("14.8 T", 14.8e12),
        ("1,082,990", 1_082_990),
        ("3.8×10^25", 3.8e25),
        ("~2000 GPU hours", 2000),
        ("37 billion", 37e9),
        ("", None),
        ("n/a", None),
        ("0", None),
    ],
)
def test_a_number_is_read_however_it_is_written(said, value):
    assert number(said, "tokens") == (value if value is None else pytest.approx(value))


@pytest.mark.parametrize(
    "said", ["seven", "-3", "inf", "1e400", "1e31", "5e-324", "2,5", "256-512", ".", "e5", "1e-20"]
)
def test_what_is_no_number_is_refused(said):
    with pytest.raises(Refusal, match="tokens is"):
        number(said, "tokens")


@pytest.mark.parametrize(
    ("said", "on", "widths"),
    [
        ("BF16", "H100 SXM", ("bf16", "bf16")),
        ("float16", "A100 SXM 80GB", ("bf16", "bf16")),
        ("FP8 mixed", "H100 SXM", ("fp8", "fp8")),
        ("w8a8", "A100 SXM 80GB", ("fp8", "bf16")),
        ("nvfp4", "B200 SXM", ("fp4", "fp4")),
        ("mxfp4", "H100 SXM", ("int4", "int4")),
        ("int4-awq", "L40S", ("int4", "int4")),
        ("bf16/mxfp4", "H100 SXM", ("bf16", "bf16")),
    ],
)
def test_a_precision_is_that_of_weights_and_products(said, on, widths):
    assert precision_of(said, accelerator(on)) == widths


@pytest.mark.parametrize(
    ("said", "requests"),
    [
        ("64", 64),
        ("1,024", 1024),
        ("concurrency 256", 256),
        ("max (offline, 10 req/s)", None),
        ("inf", None),
        ("", None),
    ],
)
def test_a_batch_is_a_number_or_as_many_as_fit(said, requests):
    assert batch(said) == requests


def test_no_two_accelerators_answer_to_the_same_name():
    names = [name for found in accelerators().values() for name in (found.name, *found.aliases)]
    assert len({name.lower() for name in names}) == len(names)


@pytest.mark.parametrize("name", [name for name, model in language_models().items() if model.offered])
def test_the_parameters_counted_from_the_shape_agree_with_the_published_count(name):
    model = language_model(name)
    assert model.parameters == pytest.approx(model.parameters_published, rel=0.01)
    # Publishers count the input embedding as active or not, and round the active ones of mixtures.
    looked_up = 0 if model.tied else model.vocabulary * model.hidden
    assert model.active_published <= (model.active_parameters + looked_up) * 1.02
    assert model.active_parameters <= model.active_published * 1.08
    assert model.source


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("Llama 3.1 8B", 131_072),
        ("Llama 3.1 70B", 327_680),
        ("DeepSeek-V3", 70_272),
        ("Mixtral 8x7B", 131_072),
    ],
)
def test_the_kv_cache_has_the_published_bytes_per_token(name, size):
    assert language_model(name).kv_cache_bytes_per_token() == size


def test_a_sliding_window_stops_the_kv_cache_from_growing_in_its_layers():
    model = language_model("gpt-oss-120b")
    short, long = model.kv_cache_values(128), model.kv_cache_values(1128)
    per_layer = 2 * model.kv_heads * model.head_dim
    assert long - short == per_layer * 1000 * (model.layers - model.windowed_layers)


def test_an_unknown_model_is_refused_with_the_known_names():
    with pytest.raises(Refusal, match="Qwen3 8B"):
        language_model("GPT-5")


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("meta-llama/Llama-3.3-70B-Instruct-FP8", "Llama 3.1 70B"),
        ("DeepSeek-V3/R1", "DeepSeek-V3"),
        ("DeepSeek-R1", "DeepSeek-V3"),
        ("Qwen3 235B A22B", "Qwen3-235B-A22B"),
        ("Mixtral-8x7B-Instruct-v0.1", "Mixtral 8x7B"),
        ("Qwen-72B", "Qwen 72B"),
        ("DeepSeek-V3.2-Exp", "DeepSeek-V3"),
        ("DeepSeek-R1-0528", "DeepSeek-V3"),
        ("Kimi-K2-Instruct-0905", "Kimi K2"),
        ("GLM-4.6", "GLM-4.5"),
        ("Llama-4-Maverick-17B-128E-Instruct-FP8", "Llama 4 Maverick"),
        ("microsoft/phi-4", "Phi-4 14B"),
        ("Llama-3.1-Nemotron-70B-Instruct", "Llama 3.1 70B"),
        ("Qwen3-235B-A22B-Instruct-2507-FP8 (vLLM)", "Qwen3-235B-A22B"),
    ],
)
def test_records_call_models_by_many_names(said, name):
    assert model_called(said).name == name


@pytest.mark.parametrize(
    ("parameters", "active"),
    [(1e9, None), (70e9, None), (30e9, 3e9), (671e9, 37e9), (1e12, 32e9), (1e14, None)],
)
def test_a_usual_shape_has_the_size_it_was_asked_for(parameters, active):
    assert model_called("nobody knows it", parameters) is None
    shape = usual_shape(parameters, active)
    assert shape.parameters == pytest.approx(parameters, rel=0.01)
    assert shape.active_parameters == pytest.approx(active or parameters, rel=0.06)


def test_a_usual_shape_of_70_b_keeps_about_the_kv_cache_of_llama_70b():
    assert usual_shape(70e9).kv_cache_bytes_per_token() == pytest.approx(327_680, rel=0.15)

"""Accelerators and models: published figures, and refusals that help."""

import math

import pytest

from core.compute import accelerator, accelerators, language_model, language_models
from core.compute.hardware import accelerator_called
from core.compute.language_models import shape_of, usual_shape
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
    ],
)
def test_records_call_accelerators_by_many_names(said, name):
    assert accelerator_called(said).name == name


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
    ],
)
def test_records_call_models_by_many_names(said, name):
    assert shape_of(said, 1e9).name == name


@pytest.mark.parametrize(
    ("parameters", "active"),
    [(1e9, None), (70e9, None), (30e9, 3e9), (671e9, 37e9), (1e12, 32e9), (1e14, None)],
)
def test_a_usual_shape_has_the_size_it_was_asked_for(parameters, active):
    shape = shape_of("nobody knows it", parameters, active)
    assert shape == usual_shape(parameters, active)
    assert shape.parameters == pytest.approx(parameters, rel=0.01)
    assert shape.active_parameters == pytest.approx(active or parameters, rel=0.06)


def test_a_usual_shape_of_70_b_keeps_about_the_kv_cache_of_llama_70b():
    assert usual_shape(70e9).kv_cache_bytes_per_token() == pytest.approx(327_680, rel=0.15)

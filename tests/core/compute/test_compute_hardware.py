"""Accelerators and models: published figures, and refusals that help."""

import math

import pytest

from core.compute import accelerator, accelerators, hourly_price, language_model, language_models
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


def test_every_figure_is_positive_and_every_price_lies_between_its_ends():
    for found in accelerators().values():
        for figure in (found.tflops_16bit, found.memory_gb, found.bandwidth_gb_s, found.watts or 1):
            assert math.isfinite(figure)
            assert figure > 0
        assert found.source
        if prices := found.prices:
            assert prices.source
            assert prices.trust in ("high", "medium", "low")
            assert (prices.low or prices.typical) <= prices.typical <= (prices.high or prices.typical)


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


@pytest.mark.parametrize("price", [0, -1, math.nan, math.inf, "3", True])
def test_a_price_of_nothing_is_refused(price):
    with pytest.raises(Refusal, match="Price per accelerator-hour"):
        hourly_price(accelerator("H100 SXM"), price)


def test_hardware_without_a_published_price_asks_for_one():
    with pytest.raises(Refusal, match="MI250X"):
        hourly_price(accelerator("MI250X"), None)
    assert hourly_price(accelerator("MI250X"), 1.5).typed


@pytest.mark.parametrize("name", [name for name, model in language_models().items() if model.offered])
def test_the_parameters_counted_from_the_shape_agree_with_the_published_count(name):
    model = language_model(name)
    assert model.parameters == pytest.approx(model.parameters_published, rel=0.01)
    # Some publishers count the input embedding as active and some do not.
    assert model.active_parameters == pytest.approx(model.active_published, rel=0.08)
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

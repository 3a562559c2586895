"""A network as an ONNX file: ONNX Runtime answers what Keras answers, for every network that can be built."""

import json
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import onnx
import onnxruntime
import pytest

from core.i18n import Refusal
from core.training import datasets, networks, onnx_file, own, run, shelf, start
from core.training.choices import ACTIVATIONS
from core.training.device import scaled
from core.training.encoding import Encoding
from core.training.presets import PRESETS, presets_for
from core.training.spec import RunSpec

ME = "me"
NEAR = 1e-5
"""Largest difference of a probability, or of a number in deviations of the target."""

PICTURES, TABLES, RATINGS = ("mnist", "digits"), ("iris", "diabetes"), ("ratings",)
EVERY = [
    (key, dataset)
    for kind, names in (("images", PICTURES), ("table", TABLES), ("ratings", RATINGS))
    for key in presets_for(kind)
    for dataset in names
]


def left(spec: RunSpec, folder: Path, policy: str = "float32") -> datasets.Examples:
    """Train the network of ``spec`` for real and keep it, and its ONNX file, in ``folder``; the examples."""
    examples = datasets.load(spec.dataset)
    count = spec.train_images
    keras.utils.set_random_seed(0)
    keras.config.set_dtype_policy(policy)
    try:
        model = networks.build(spec)
    finally:
        keras.config.set_dtype_policy("float32")
    model.compile(optimizer=networks.optimizer(spec), loss=networks.loss(spec), run_eagerly=True)
    fed = scaled(examples.train[:count]).reshape(count, *spec.data.shape)
    model.fit(fed, start.answers_of(examples.train_labels[:count]), batch_size=spec.batch_size, verbose=0)
    model.save(folder / shelf.MODEL)
    assert onnx_file.write(folder, "a1b2", spec) == (folder / shelf.ONNX).stat().st_size
    return examples


def difference(spec: RunSpec, folder: Path, inputs: np.ndarray) -> float:
    """The largest between Keras in 32 bits and ONNX Runtime, on ``inputs`` as the app feeds them."""
    keras.config.set_dtype_policy("float32")
    model = networks.build(spec)
    model.set_weights(keras.saving.load_model(folder / shelf.MODEL, compile=False).get_weights())
    session = onnxruntime.InferenceSession(folder / shelf.ONNX)
    (given,), (said,) = session.get_inputs(), session.get_outputs()
    assert given.type == said.type == "tensor(float)"
    assert given.shape == ["batch", *spec.data.shape]
    assert said.shape == ["batch", spec.data.outputs]
    fed = scaled(inputs).reshape(len(inputs), *spec.data.shape).astype("float32")
    ours = keras.ops.convert_to_numpy(model(fed))
    theirs = session.run([said.name], {given.name: fed})[0]
    assert np.ptp(ours) > 1e-4, "the answers are all alike: nothing is compared"
    alone = session.run(None, {given.name: fed[:1]})[0]
    assert alone == pytest.approx(theirs[:1], abs=NEAR)
    return float(np.abs(ours - theirs).max())


def small(preset: str, dataset: str, **settings: object) -> RunSpec:
    """A preset on a few hundred examples, in a single epoch."""
    there = datasets.DATASETS[dataset].train_images
    few = {"dataset": dataset, "epochs": 1, "patience": 0, "train_images": min(300, there), "batch_size": 64}
    return RunSpec(**{**PRESETS[preset].settings, **few, **settings})


@pytest.mark.parametrize(("preset", "dataset"), EVERY)
def test_every_preset_on_every_kind_of_data_answers_as_keras_does(
    preset: str, dataset: str, tmp_path: Path
) -> None:
    spec = small(preset, dataset)
    examples = left(spec, tmp_path)
    assert difference(spec, tmp_path, examples.test[:100]) < NEAR


@pytest.mark.parametrize(
    ("preset", "activation"), list(zip(("cnn", "fast", "mlp"), sorted(ACTIVATIONS), strict=True))
)
def test_every_optional_layer_and_activation_does_too(preset: str, activation: str, tmp_path: Path) -> None:
    spec = small(preset, "digits", activation=activation, width=8, depth=4, batch_norm=True, dropout=0.3)
    examples = left(spec, tmp_path)
    assert difference(spec, tmp_path, examples.test[:100]) < NEAR


def test_weights_trained_in_16_bits_are_written_in_32(tmp_path: Path) -> None:
    spec = small("fast", "digits", precision="mixed")
    examples = left(spec, tmp_path, "mixed_bfloat16")
    kept = keras.saving.load_model(tmp_path / shelf.MODEL, compile=False)
    assert kept.layers[0].compute_dtype == "bfloat16"
    graph = onnx.load(tmp_path / shelf.ONNX)
    assert {tensor.data_type for tensor in graph.graph.initializer} <= {
        onnx.TensorProto.FLOAT,
        onnx.TensorProto.INT32,
        onnx.TensorProto.INT64,
    }
    assert difference(spec, tmp_path, examples.test[:100]) < NEAR
    assert keras.config.dtype_policy().name == "float32"


def test_a_founders_own_colour_pictures_are_taken(tmp_path: Path) -> None:
    described = datasets.OwnData(
        id="0123456789abcdef",
        name="cats",
        kind="images",
        task="classes",
        shape=(20, 16, 3),
        train=200,
        test=50,
        class_names=("a", "b"),
        target="class",
    )
    spec = RunSpec(own=described, network="cnn", width=8, batch_norm=True)
    networks.build(spec).save(tmp_path / shelf.MODEL)
    onnx_file.write(tmp_path, "a1b2", spec)
    pixels = np.random.default_rng(0).integers(0, 256, (30, 20, 16, 3), np.uint8)
    assert difference(spec, tmp_path, pixels) < NEAR


def test_a_founders_own_table_brings_its_encoding(tmp_path: Path) -> None:
    rows = "\n".join(["size,kind", *(f"{i},{'yes' if i % 3 else 'no'}" for i in range(300))])
    data_id = own.receive(ME, "shop.csv", rows.encode())
    own.look(ME, data_id)
    described = own.prepare(ME, data_id, "kind", "classes")
    spec = RunSpec(own=described, epochs=1)
    run.train(spec, lambda progress: True, owner=ME, leave=tmp_path)
    onnx_file.write(tmp_path, "a1b2", spec, ME)
    examples = start.load(spec, ME)
    assert difference(spec, tmp_path, examples.test) < NEAR
    held = {p.key: p.value for p in onnx.load(tmp_path / shelf.ONNX).metadata_props}
    assert Encoding.from_json(held["encoding"]) == examples.encoding
    assert json.loads(held["classes"]) == list(described.class_names)
    shelf.drop_upload(ME, data_id)
    with pytest.raises(Refusal, match="deleted"):
        onnx_file.write(tmp_path, "a1b2", spec, ME)


def test_the_file_says_what_it_takes(tmp_path: Path) -> None:
    spec = small("mlp", "mnist")
    networks.build(spec).save(tmp_path / shelf.MODEL)
    onnx_file.write(tmp_path, "a1b2", spec)
    graph = onnx.load(tmp_path / shelf.ONNX)
    onnx.checker.check_model(graph, full_check=True)
    held = {p.key: p.value for p in graph.metadata_props}
    assert (held["run"], held["task"]) == ("a1b2", "classes")
    assert held["input"] == "28 x 28 pixels, 1 channels last, brightness divided by 255"
    assert json.loads(held["classes"]) == [str(digit) for digit in range(10)]
    assert [value.name for value in graph.graph.input] == ["pictures"]
    assert [value.name for value in graph.graph.output] == ["probabilities"]


def test_a_network_with_a_layer_of_another_kind_is_refused(tmp_path: Path) -> None:
    spec = small("mlp", "iris")
    layers = networks.build(spec).layers
    strange = keras.Sequential([keras.Input(spec.data.shape), *layers, keras.layers.GaussianNoise(0.1)])
    strange.save(tmp_path / shelf.MODEL)
    with pytest.raises(Refusal, match="has other layers than this run"):
        onnx_file.write(tmp_path, "a1b2", spec)
    networks.build(replace(spec, width=spec.width + 1)).save(tmp_path / shelf.MODEL)
    with pytest.raises(Refusal, match="has other layers than this run"):
        onnx_file.write(tmp_path, "a1b2", spec)
    assert not (tmp_path / shelf.ONNX).exists()


def test_what_the_converter_stumbles_over_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = small("mlp", "iris")
    networks.build(spec).save(tmp_path / shelf.MODEL)

    def stumble(*_: object, **__: object) -> None:
        raise RuntimeError("no such\nop.")

    monkeypatch.setattr(keras.Model, "export", stumble)
    with pytest.raises(Refusal) as refused:
        onnx_file.write(tmp_path, "a1b2", spec)
    assert str(refused.value) == "The network cannot be written as ONNX: RuntimeError: no such op."

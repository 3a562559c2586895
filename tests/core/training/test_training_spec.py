"""A run's specification: what is allowed, what is refused, and what it says of itself."""

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.i18n import Refusal, language
from core.training.architecture import Lookup, Network, Pairs, networks_for
from core.training.choices import ACTIVATIONS, LOSSES, OPTIMIZERS, PRECISIONS, SCHEDULES
from core.training.command import spec_of
from core.training.datasets import DATASETS, OwnData
from core.training.presets import PRESETS, presets_for
from core.training.spec import RunSpec

specs = st.builds(
    RunSpec,
    network=st.sampled_from(sorted(networks_for("images"))),
    width=st.integers(4, 64),
    depth=st.integers(1, 4),
    dropout=st.floats(0, 0.9),
    batch_norm=st.booleans(),
    schedule=st.sampled_from(sorted(SCHEDULES)),
    precision=st.sampled_from(sorted(PRECISIONS)),
    patience=st.integers(0, 50),
    optimizer=st.sampled_from(sorted(OPTIMIZERS)),
    activation=st.sampled_from(sorted(ACTIVATIONS)),
    loss=st.sampled_from(sorted(LOSSES)),
    epochs=st.integers(1, 100),
    batch_size=st.integers(8, 4096),
    learning_rate=st.none() | st.floats(1e-6, 10),
    seed=st.integers(0, 2**31 - 1),
    train_images=st.integers(100, 60_000),
    price_per_hour=st.floats(0, 1000),
    power_watts=st.none() | st.floats(1, 20_000),
)


@given(specs)
def test_a_specification_survives_json(spec: RunSpec) -> None:
    assert RunSpec.from_json(spec.to_json()) == spec


@given(specs)
def test_steps_cover_every_image_once_an_epoch(spec: RunSpec) -> None:
    assert (spec.steps_per_epoch - 1) * spec.batch_size < spec.train_images
    assert spec.train_images <= spec.steps_per_epoch * spec.batch_size
    assert spec.total_steps == spec.epochs * spec.steps_per_epoch


@given(specs)
def test_images_for_training_and_validation_do_not_overlap(spec: RunSpec) -> None:
    assert 0 <= spec.validation_images <= 60_000 - spec.train_images


def test_a_run_on_all_images_keeps_none_back_for_validation() -> None:
    assert RunSpec().validation_images == 0
    assert RunSpec(train_images=1_000).validation_images == 1_000
    assert RunSpec(train_images=20_000).validation_images == 2_000
    assert RunSpec(train_images=59_500).validation_images == 500


@pytest.mark.parametrize(
    ("optimizer", "rate"),
    [("sgd", 0.01), ("nesterov", 0.01), ("adagrad", 0.01), ("rmsprop", 0.001), ("adamw", 0.001)],
)
def test_each_optimiser_brings_its_usual_learning_rate(optimizer: str, rate: float) -> None:
    assert RunSpec(optimizer=optimizer).learning_rate == rate
    assert RunSpec(optimizer=optimizer, learning_rate=0.5).learning_rate == 0.5


@pytest.mark.parametrize(
    ("field", "value", "allowed"),
    [
        ("network", "transformer", "cnn, fast, mlp"),
        (
            "dataset",
            "imagenet",
            "mnist, fashion, digits, reviews, vowels, ratings, breast_cancer, wine, iris, diabetes",
        ),
        ("optimizer", "lion", "sgd, momentum, nesterov, adagrad, rmsprop, adam, adamw"),
        ("activation", "gelu", "relu, sigmoid, tanh"),
        ("loss", "hinge", "cross_entropy, mse"),
        ("network", None, "cnn, fast, mlp"),
        ("network", ["cnn"], "cnn, fast, mlp"),
        ("epochs", 0, "a whole number from 1 to 100"),
        ("epochs", 2.5, "a whole number from 1 to 100"),
        ("epochs", True, "a whole number from 1 to 100"),
        ("batch_size", 7, "a whole number from 8 to 4,096"),
        ("seed", -1, "a whole number from 0 to 2,147,483,647"),
        ("train_images", 60_001, "a whole number from 100 to 60,000"),
        ("train_images", 99, "a whole number from 100 to 60,000"),
        ("learning_rate", 0.0, "a number from 1e-06 to 10"),
        ("learning_rate", float("nan"), "a number from 1e-06 to 10"),
        ("learning_rate", "fast", "a number from 1e-06 to 10"),
        ("price_per_hour", -0.01, "a number from 0 to 1000"),
        ("price_per_hour", None, "a number from 0 to 1000"),
        ("power_watts", 0, "a number from 1 to 20000"),
        ("power_watts", float("inf"), "a number from 1 to 20000"),
        ("width", 3, "a whole number from 4 to 1,024"),
        ("depth", 7, "a whole number from 1 to 6"),
        ("dropout", 0.95, "a number from 0 to 0.9"),
        ("dropout", None, "a number from 0 to 0.9"),
        ("momentum", 1.0, "a number from 0 to 0.999"),
        ("second_moment", 0.1, "a number from 0.5 to 0.999999"),
        ("schedule", "sawtooth", "constant, cosine, one_cycle"),
        ("precision", "half", "full, mixed"),
        ("patience", -1, "a whole number from 0 to 50"),
        ("batch_norm", "maybe", "true, false"),
    ],
)
def test_a_wrong_setting_is_refused_with_what_is_allowed(field: str, value: object, allowed: str) -> None:
    with pytest.raises(Refusal) as refused:
        RunSpec(**{field: value})  # type: ignore[arg-type]
    assert str(value) in str(refused.value)
    assert allowed in str(refused.value)


def test_a_refusal_names_the_field_in_the_readers_language() -> None:
    with pytest.raises(Refusal) as refused:
        RunSpec(epochs=0)
    assert "epochs" in language("en").refusal(refused.value)
    assert "训练轮数" in language("zh_Hans").refusal(refused.value)


@pytest.mark.parametrize(
    "text", ["", "[]", "3", "{", '{"epochs": 1, "colour": "red"}', '{"epochs": "1"}', '{"epochs": NaN}']
)
def test_text_that_is_no_specification_is_refused(text: str) -> None:
    with pytest.raises(Refusal):
        RunSpec.from_json(text)


def test_an_older_specification_without_a_new_field_takes_its_default() -> None:
    assert RunSpec.from_json(json.dumps({"network": "mlp"})) == RunSpec(network="mlp")


def test_the_title_says_what_is_trained_in_both_languages() -> None:
    spec = RunSpec(epochs=1)
    assert spec.title.en == "CNN · Adam · 1 epoch · 60,000 images"
    assert spec.title.zh == "CNN · Adam · 1 轮 · 60,000 张图像"


def test_a_specification_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        RunSpec().epochs = 3  # type: ignore[misc]


def test_counts_of_the_networks_are_those_counted_by_hand() -> None:
    """Convolution: outputs × 2 × window; 26·26·32·2·9 + 11·11·64·2·288 + 2·1600·128 + 2·128·10."""
    cnn, mlp = RunSpec(network="cnn").architecture, RunSpec(network="mlp").architecture
    assert cnn.parameters == (9 + 1) * 32 + (9 * 32 + 1) * 64 + (1600 + 1) * 128 + (128 + 1) * 10
    assert cnn.forward_flop == 389_376 + 4_460_544 + 409_600 + 2_560
    assert cnn.training_flop == 3 * cnn.forward_flop - 389_376
    assert mlp.parameters == (784 + 1) * 128 + (128 + 1) * 10
    assert mlp.training_flop == 3 * (2 * 784 * 128 + 2 * 128 * 10) - 2 * 784 * 128
    assert RunSpec(network="mlp", epochs=2, train_images=1_000).training_flop == 2_000 * mlp.training_flop


OWN = OwnData(
    id="0123456789abcdef",
    name="churn",
    kind="table",
    task="classes",
    shape=(12,),
    train=800,
    test=200,
    class_names=("left", "stayed"),
    target="churned",
)


def test_data_of_ones_own_is_described_in_the_specification_itself() -> None:
    spec = RunSpec(own=OWN)
    assert (spec.dataset, spec.network, spec.loss, spec.train_images) == ("own", "mlp", "cross_entropy", 800)
    assert RunSpec.from_json(spec.to_json()) == spec
    assert spec.title.en == "churn · MLP · Adam · 5 epochs · 800 rows"


@pytest.mark.parametrize("broken", [{}, 3, {**dataclasses.asdict(OWN), "shape": []}, {"id": "x"}])
def test_a_broken_description_of_data_is_refused(broken: object) -> None:
    with pytest.raises(Refusal):
        RunSpec.from_json(json.dumps({"own": broken}))


@pytest.mark.parametrize("key", sorted(DATASETS))
def test_every_data_set_has_a_usual_network_that_fits_it(key: str) -> None:
    spec = RunSpec(dataset=key)
    assert spec.train_images == DATASETS[key].train_images
    assert spec.architecture.layers[-1].shape((1, 1, 1)) == (1, 1, DATASETS[key].outputs)


def test_a_picture_network_and_a_loss_for_classes_are_refused_where_they_make_no_sense() -> None:
    with pytest.raises(Refusal, match="takes pictures only"):
        RunSpec(dataset="iris", network="cnn")
    with pytest.raises(Refusal, match="mean squared error"):
        RunSpec(dataset="diabetes", loss="cross_entropy")


def test_early_stopping_keeps_examples_back_to_watch() -> None:
    spec = RunSpec(patience=3)
    assert (spec.train_images, spec.validation_images) == (55_000, 5_000)
    assert RunSpec(dataset="iris", patience=3).train_images == 108
    assert RunSpec(train_images=10_000, patience=3).train_images == 10_000


def test_a_network_too_large_is_refused_before_it_is_built() -> None:
    with pytest.raises(Refusal, match="at most 20,000,000 are allowed"):
        RunSpec(network="mlp", width=1024, depth=6, own=dataclasses.replace(OWN, shape=(20_000,)))


def test_batch_normalisation_and_depth_are_counted() -> None:
    """Two hidden layers of 8 on 4 inputs with scale and shift: 4·8+8 + 16 + 8·8+8 + 16 + 8·3+3."""
    spec = RunSpec(dataset="iris", width=8, depth=2, batch_norm=True)
    assert spec.parameters == 40 + 16 + 72 + 16 + 27
    assert RunSpec(width=16).parameters < RunSpec(width=32).parameters


def test_a_network_of_factors_is_counted_by_hand() -> None:
    """2,972 + 1,128 + 2 + 6 + 4 + 14 names and one for what is not known, 8 numbers and a bias each.

    All pairs of 6 columns: 5 additions, a square, 6 squares, 5 additions, a difference, a sum for each of 8.
    """
    network = RunSpec(dataset="ratings").architecture
    assert network.parameters == 4_127 * 9
    assert network.forward_flop == 8 * (5 + 1 + 6 + 5 + 1 + 1)
    assert network.training_flop == 2 * network.forward_flop, (
        "what is looked up has a gradient, no weights beside"
    )
    two = Network((1, 1, 2), (Lookup(100, 8), Pairs()))
    assert (two.parameters, two.forward_flop) == (900, 8 * 7)


def test_ratings_have_a_network_of_their_own_and_it_takes_nothing_else() -> None:
    spec = RunSpec(dataset="ratings", depth=4, dropout=0.3, batch_norm=True)
    assert (spec.network, spec.loss, spec.width) == ("factors", "mse", 8)
    assert spec == RunSpec(dataset="ratings"), "it has no layers"
    assert spec.title.en == "Ratings of lectures · FACTORS · Adam · 5 epochs · 58,736 ratings"
    assert spec.title.zh.endswith("58,736 条评分")
    for network in ("cnn", "mlp"):
        with pytest.raises(Refusal, match="for ratings take the network Factors for each name"):
            RunSpec(dataset="ratings", network=network)
    for dataset in ("mnist", "iris"):
        with pytest.raises(Refusal, match="takes ratings only"):
            RunSpec(dataset=dataset, network="factors")


def test_runs_of_one_recipe_may_differ_in_size_epochs_seed_and_price_only() -> None:
    same = RunSpec(epochs=1, seed=3, train_images=1_000, price_per_hour=2.0)
    assert same.recipe == RunSpec().recipe
    assert RunSpec(dropout=0.1).recipe != RunSpec().recipe


@pytest.mark.parametrize("key", sorted(PRESETS))
def test_every_preset_is_a_run_on_the_data_that_it_is_for(key: str) -> None:
    for dataset in DATASETS.values():
        if key in presets_for(dataset.input):
            assert spec_of(key, {"dataset": dataset.key}).total_steps > 0


def test_a_setting_given_beside_a_preset_wins() -> None:
    assert spec_of("fast", {"epochs": 7}).epochs == 7
    with pytest.raises(Refusal, match="preset is slow; allowed are: fast"):
        spec_of("slow", {})

"""The mathematics of the learn page: closed forms, finite differences, and Keras itself."""

import json
import math
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.i18n import Refusal, Text, language
from core.training import mathematics as maths
from core.training.mathematics import words
from core.training.mathematics.optimisers import EPSILON

ROOT = Path(__file__).parents[3]
STEP = 1e-6
KEYS = {
    "activation": list(maths.ACTIVATIONS),
    "loss": list(maths.LOSSES),
    "surface": list(maths.SURFACES),
    "optimiser": list(maths.OPTIMISERS),
}
inputs = st.floats(-30, 30).filter(lambda x: abs(x) > 2 * STEP)  # not across the kink of ReLU
probabilities = st.floats(0.001, 0.999)
scores = st.lists(st.floats(-8, 8), min_size=2, max_size=6).map(np.asarray)


def difference(function, x):
    """The central difference of a function of one number."""
    return (function(x + STEP) - function(x - STEP)) / (2 * STEP)


def sigmoid(z):
    return 1 / (1 + math.exp(-z))


# Activations


@pytest.mark.parametrize("key", KEYS["activation"])
@given(x=inputs)
def test_the_slope_of_an_activation_is_its_derivative(key, x):
    activation = maths.ACTIVATIONS[key]
    assert activation.at(x)[1] == pytest.approx(difference(lambda u: activation.at(u)[0], x), abs=1e-7)


@pytest.mark.parametrize(
    ("key", "x", "value", "slope"),
    [
        ("relu", -2, 0, 0),
        ("relu", 3, 3, 1),
        ("leaky_relu", -2, -0.4, 0.2),
        ("gelu", 1, 0.8413447460685429, 1.0833154705876864),  # x Φ(x) and Φ(x) + x φ(x) from the normal table
        ("sigmoid", 0, 0.5, 0.25),
        ("sigmoid", math.log(3), 0.75, 0.1875),
        ("tanh", 0, 0, 1),
        ("tanh", math.log(2), 0.6, 0.64),
    ],
)
def test_activations_have_the_values_of_their_closed_forms(key, x, value, slope):
    assert maths.ACTIVATIONS[key].at(x) == pytest.approx((value, slope), abs=1e-12)


def test_no_activation_overflows_far_out():
    with np.errstate(all="raise", under="ignore"):
        for activation in maths.ACTIVATIONS.values():
            for x in (-1e4, -700.0, 700.0, 1e4):
                assert all(math.isfinite(number) for number in activation.at(x))


def test_ten_sigmoids_leave_less_than_a_millionth_even_at_their_steepest():
    assert maths.ACTIVATIONS["sigmoid"].through_layers(0, 10) == 0.25**10
    assert maths.ACTIVATIONS["relu"].through_layers(1, 10) == 1


@pytest.mark.parametrize(("x", "layers"), [(math.inf, 1), (math.nan, 1), (1.0, 0)])
def test_what_is_no_input_of_an_activation_is_refused(x, layers):
    with pytest.raises(Refusal):
        maths.ACTIVATIONS["relu"].through_layers(x, layers)


@given(scores, st.floats(-100, 100))
def test_softmax_sums_to_one_and_sees_only_differences(z, shift):
    p = maths.softmax(z)
    assert p.sum() == pytest.approx(1)
    assert (p > 0).all()
    assert maths.softmax(z + shift) == pytest.approx(p)


def test_softmax_does_not_overflow():
    assert maths.softmax(np.array([1000.0, 0.0])).tolist() == [1, 0]


@given(scores)
def test_the_slopes_of_softmax_are_its_derivatives(z):
    slopes = maths.softmax_slopes(z)
    for j in range(len(z)):
        column = difference(lambda u, j=j: maths.softmax(z + u * np.eye(len(z))[j]), 0.0)
        assert slopes[:, j] == pytest.approx(column, abs=1e-8)


# Losses


@pytest.mark.parametrize("key", KEYS["loss"])
@given(p=probabilities, truth=st.sampled_from([0, 1]))
def test_the_slopes_of_a_loss_are_its_derivatives_by_probability_and_by_score(key, p, truth):
    loss = maths.LOSSES[key]
    verdict = loss.judge(p, truth)
    z = math.log(p / (1 - p))
    assert verdict.slope == pytest.approx(
        difference(lambda u: loss.judge(u, truth).loss, p), rel=1e-4, abs=1e-6
    )
    assert verdict.pull == pytest.approx(
        difference(lambda u: loss.judge(sigmoid(u), truth).loss, z), abs=1e-6
    )


@given(p=probabilities, truth=st.sampled_from([0, 1]))
def test_cross_entropy_pulls_harder_by_exactly_the_ratio_named(p, truth):
    entropy, squared = (loss.judge(p, truth).pull for loss in maths.LOSSES.values())
    assert entropy / squared == pytest.approx(maths.how_much_harder(p))
    assert maths.how_much_harder(p) >= 2


def test_a_confident_mistake_costs_without_limit_in_cross_entropy_and_at_most_one_in_squared_error():
    entropy, squared = maths.LOSSES["cross_entropy"], maths.LOSSES["squared_error"]
    costs = [entropy.judge(10.0**-n, 1).loss for n in (1, 3, 9)]
    assert costs == pytest.approx([n * math.log(10) for n in (1, 3, 9)])
    assert squared.judge(1e-9, 1).loss == pytest.approx(1)
    assert abs(squared.judge(1e-9, 1).pull) < 1e-8 < 0.99 < abs(entropy.judge(1e-9, 1).pull)


@given(z=scores, data=st.data())
def test_with_softmax_the_pull_of_cross_entropy_is_probability_minus_truth(z, data):
    truth = data.draw(st.integers(0, len(z) - 1))
    towards = np.eye(len(z))
    by_hand = [
        difference(lambda u, k=k: -math.log(maths.softmax(z + u * towards[k])[truth]), 0.0)
        for k in range(len(z))
    ]
    assert by_hand == pytest.approx(maths.softmax(z) - towards[truth], abs=1e-6)


@pytest.mark.parametrize(("p", "truth"), [(0, 1), (1, 0), (-0.1, 1), (math.nan, 1), (0.5, 2)])
def test_what_is_no_prediction_is_refused_with_its_value(p, truth):
    with pytest.raises(Refusal) as refused:
        maths.LOSSES["cross_entropy"].judge(p, truth)
    assert str(refused.value.values["value"]) in str(refused.value)


# Surfaces


@pytest.mark.parametrize("key", KEYS["surface"])
@given(across=st.floats(0, 1), up=st.floats(0, 1))
def test_the_gradient_of_a_surface_is_its_derivative(key, across, up):
    surface = maths.SURFACES[key]
    left, right, bottom, top = surface.frame
    x, y = left + across * (right - left), bottom + up * (top - bottom)
    along_x, along_y = surface.gradient(x, y)
    assert along_x == pytest.approx(difference(lambda u: surface.value(u, y), x), rel=1e-5, abs=1e-5)
    assert along_y == pytest.approx(difference(lambda u: surface.value(x, u), y), rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("key", KEYS["surface"])
def test_a_surface_is_level_at_its_minima_rises_around_them_and_is_nowhere_lower(key):
    surface = maths.SURFACES[key]
    left, right, bottom, top = surface.frame
    for x, y in surface.minima:
        assert left < x < right
        assert bottom < y < top
        assert surface.gradient(x, y) == pytest.approx((0, 0), abs=1e-9)
        turns = np.linspace(0, 2 * math.pi, 16, endpoint=False)
        ring = surface.value(x + 0.01 * np.cos(turns), y + 0.01 * np.sin(turns))
        assert (ring > surface.value(x, y)).all()
    assert surface.value(*surface.minima[0]) == pytest.approx(surface.lowest, abs=1e-12)
    x, y = np.meshgrid(np.linspace(left, right, 201), np.linspace(bottom, top, 201))
    assert surface.value(x, y).min() >= surface.lowest - 1e-12


@pytest.mark.parametrize("key", KEYS["surface"])
def test_a_surface_starts_inside_its_map_at_a_rate_of_the_slider(key):
    surface = maths.SURFACES[key]
    left, right, bottom, top = surface.frame
    assert left < surface.start[0] < right
    assert bottom < surface.start[1] < top
    assert surface.learning_rate in maths.RATES
    x, y, gap = surface.map(11)
    assert (x.shape, y.shape, gap.shape) == ((11,), (11,), (11, 11))
    assert gap[3, 7] == pytest.approx(surface.value(x[7], y[3]) - surface.lowest)


# Optimisers: the first two steps by hand, with gradients 2 and then 1, rate 0.1 and Keras's other defaults.


@pytest.mark.parametrize(
    ("key", "first", "second"),
    [
        ("sgd", -0.1 * 2, -0.1 * 1),
        ("momentum", -0.2, 0.9 * -0.2 - 0.1),
        ("nesterov", 0.9 * -0.2 - 0.2, 0.9 * (0.9 * -0.2 - 0.1) - 0.1),
        ("adagrad", -0.2 / math.sqrt(0.1 + 4), -0.1 / math.sqrt(0.1 + 4 + 1)),
        ("rmsprop", -0.2 / math.sqrt(0.1 * 4), -0.1 / math.sqrt(0.9 * 0.4 + 0.1 * 1)),
        (
            "adam",
            -0.1 * 2 / 2,  # both corrections undo the cold start: m̂ = 2, v̂ = 4
            -0.1 * (0.28 / (1 - 0.81)) / math.sqrt(0.004996 / (1 - 0.998001)),
        ),
    ],
)
def test_the_first_two_steps_are_those_worked_out_by_hand(key, first, second):
    optimiser, chosen = maths.OPTIMISERS[key], maths.Settings(0.1)
    change, *memory = optimiser.rule(2.0, *optimiser.memory, 1, chosen)
    assert change == pytest.approx(first, rel=1e-5)
    change, *memory = optimiser.rule(1.0, *memory, 2, chosen)
    assert change == pytest.approx(second, rel=1e-5)


def test_sgd_on_the_bowl_follows_its_closed_form():
    bowl = maths.SURFACES["bowl"]
    path = maths.descend(bowl, maths.OPTIMISERS["sgd"], maths.Settings(0.03), 50)
    t = np.arange(51)
    assert path.positions[:, 0] == pytest.approx(bowl.start[0] * 0.97**t)
    assert path.positions[:, 1] == pytest.approx(bowl.start[1] * 0.4**t)


@pytest.mark.parametrize(("rate", "grows"), [(0.099, False), (0.101, True)])
def test_sgd_on_the_bowl_is_stable_up_to_two_over_the_steepest_curvature(rate, grows):
    path = maths.descend(maths.SURFACES["bowl"], maths.OPTIMISERS["sgd"], maths.Settings(rate), 300)
    assert (abs(path.positions[-1, 1]) > abs(path.positions[0, 1])) == grows


def test_the_heavy_ball_walks_the_same_path_with_the_rate_outside_the_velocity():
    surface = maths.SURFACES["rosenbrock"]
    path = maths.descend(surface, maths.OPTIMISERS["momentum"], maths.Settings(0.001), 100)
    place, velocity = np.array(surface.start), np.zeros(2)
    for position in path.positions[1:]:
        velocity = 0.9 * velocity + surface.gradient(*place)
        place = place - 0.001 * velocity
        assert position == pytest.approx(place)


@pytest.mark.parametrize("key", ["momentum", "nesterov"])
def test_momentum_of_zero_is_sgd(key):
    surface, chosen = maths.SURFACES["beale"], maths.Settings(0.01, momentum=0.0)
    path = maths.descend(surface, maths.OPTIMISERS[key], chosen, 100)
    assert path.positions == pytest.approx(
        maths.descend(surface, maths.OPTIMISERS["sgd"], chosen, 100).positions
    )


@settings(deadline=None)  # a busy machine is no failure
@given(
    surface=st.sampled_from(KEYS["surface"]),
    optimiser=st.sampled_from(KEYS["optimiser"]),
    rate=st.floats(1e-6, 10),
    beta=st.floats(0, 0.999),
    steps=st.integers(1, maths.MOST_STEPS),
)
def test_however_badly_a_descent_ends_its_path_is_finite(surface, optimiser, rate, beta, steps):
    chosen = maths.Settings(rate, momentum=beta, rho=beta, beta_1=beta)
    place = maths.SURFACES[surface]
    path = maths.descend(place, maths.OPTIMISERS[optimiser], chosen, steps)
    assert np.isfinite(path.positions).all()
    assert np.isfinite(path.gaps).all()
    assert (path.gaps >= 0).all()
    assert path.steps == (steps if path.diverged_at is None else path.diverged_at - 1)
    assert 0 <= path.steps_on_map(place) <= path.steps


@pytest.mark.parametrize("key", KEYS["optimiser"])
@pytest.mark.parametrize("steps", [5, 60, maths.MOST_STEPS])
def test_the_best_rate_is_the_one_that_ends_lowest(key, steps):
    surface, optimiser = maths.SURFACES["beale"], maths.OPTIMISERS[key]
    chosen = maths.Settings(0.5, momentum=0.8, rho=0.8, beta_1=0.8, beta_2=0.99)
    best = maths.descend_at_best_rate(surface, optimiser, chosen, steps)
    tries = [
        maths.descend(surface, optimiser, replace(chosen, learning_rate=rate), steps) for rate in maths.RATES
    ]
    assert best.end == min(path.end for path in tries)
    assert best.positions == pytest.approx(tries[maths.RATES.index(best.learning_rate)].positions)


def test_the_first_steps_of_a_path_are_the_shorter_path():
    surface, sgd, chosen = maths.SURFACES["beale"], maths.OPTIMISERS["sgd"], maths.Settings(0.1)
    long = maths.descend(surface, sgd, chosen, 300)
    assert long.diverged_at is not None
    for steps in (1, long.diverged_at - 1, long.diverged_at, 300):
        short, cut = maths.descend(surface, sgd, chosen, steps), long.first(steps)
        assert cut.positions.tolist() == short.positions.tolist()
        assert cut.diverged_at == short.diverged_at
        assert cut.end == short.end


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("learning_rate", 0.0),
        ("learning_rate", 11.0),
        ("learning_rate", math.nan),
        ("momentum", 1.0),
        ("rho", -0.1),
        ("beta_1", 1.0),
        ("beta_2", math.nan),
    ],
)
def test_settings_that_cannot_work_are_refused_with_their_value(field, value):
    with pytest.raises(Refusal) as refused:
        maths.Settings(**{"learning_rate": 0.1, field: value})
    assert str(value) in str(refused.value)


@pytest.mark.parametrize("steps", [0, maths.MOST_STEPS + 1])
@pytest.mark.parametrize("run", [maths.descend, maths.descend_at_best_rate])
def test_a_number_of_steps_out_of_range_is_refused(run, steps):
    with pytest.raises(Refusal, match=str(steps)):
        run(maths.SURFACES["bowl"], maths.OPTIMISERS["sgd"], maths.Settings(0.1), steps)


# What the lessons claim


def fates(surface, rate, steps=100):
    place = maths.SURFACES[surface]
    return {
        key: maths.descend(place, optimiser, maths.Settings(rate), steps)
        for key, optimiser in maths.OPTIMISERS.items()
    }


def test_on_the_bowl_momentum_cures_the_crawl():
    paths = fates("bowl", 0.01)
    assert paths["momentum"].end < paths["sgd"].end / 100


def test_on_the_plateau_a_rate_of_a_tenth_throws_out_sgd_and_momentum_but_not_adagrad_and_adam():
    paths = fates("beale", 0.1)
    for key in ("sgd", "momentum"):
        assert paths[key].steps_on_map(maths.SURFACES["beale"]) < 5
        assert paths[key].diverged_at is not None
    for key in ("adagrad", "adam"):
        assert paths[key].end < 1


def test_at_the_saddle_sgd_lingers_where_momentum_has_long_arrived():
    paths = fates("saddle", 0.01)
    assert paths["sgd"].end == pytest.approx(0.5, abs=0.05)  # the height of the saddle
    assert paths["momentum"].end < 0.001


def test_of_two_minima_small_steps_find_the_nearer_one_and_momentum_may_reach_the_deeper_one():
    place = maths.SURFACES["two_minima"]
    paths = fates("two_minima", 0.01, steps=300)
    assert paths["sgd"].positions[-1] == pytest.approx(place.minima[1], abs=0.01)
    assert paths["momentum"].positions[-1] == pytest.approx(place.minima[0], abs=0.01)


# Words


@pytest.mark.parametrize("code", ["en", "zh_Hans"])
def test_everything_has_words_in_both_languages(code):
    _ = language(code)
    for group in (maths.ACTIVATIONS, maths.LOSSES, maths.SURFACES, maths.OPTIMISERS):
        for item in group.values():
            for text in (getattr(item, name, None) for name in ("name", "meaning", "lesson")):
                assert text is None or (isinstance(text, Text) and text.en and text.zh)
    paths = list(fates("beale", 0.1).values())
    table = words.descent_table(_, paths)
    assert len({line.count("|") for line in table.splitlines() if line.startswith("|")}) == 1
    assert len({line.count("|") for line in words.advice_table(_).splitlines()}) == 1
    assert len(words.on_descents(_, maths.SURFACES["beale"], paths)) == 3
    assert words.update_rules(_, maths.SURFACES["beale"], paths).count("$$") == 2 * 7


def test_the_sentences_follow_the_reading():
    _ = language("en")
    assert "dead" in words.on_slope(_, 0.0)
    assert "Saturated" in words.on_slope(_, -0.05)
    assert words.on_slope(_, 1.0) == "100% of a correction passes here."
    assert "51 times" in words.on_prediction(_, 0.01)
    assert "Undecided" in words.on_prediction(_, 0.5)
    assert "good answer" in words.on_prediction(_, 0.99)
    assert words.share(_, 0.25**20) == "under 0.0001%"
    (sentence,) = words.on_descents(_, maths.SURFACES["beale"], [fates("beale", 0.1)["sgd"]])
    assert sentence.startswith("SGD diverges at a learning rate of 0.1: it leaves the map at step 2")


# Keras

ROUNDED = 1e-7
"""Keras computes in 64 bits here, but rounds the constants of its activations to 32 bits first."""

BINARY = maths.Settings(0.003, momentum=7 / 8, rho=7 / 8, beta_1=7 / 8, beta_2=1023 / 1024)
"""Settings next to the usual ones that 32 bits hold exactly, so that paths agree to the last digits."""

IN_KERAS = """
import json, sys
import keras, numpy as np
from core.training import mathematics as maths

keras.config.set_floatx("float64")
rate, beta, steps = 0.003, 7 / 8, 60
classes = {
    "sgd": lambda: keras.optimizers.SGD(rate),
    "momentum": lambda: keras.optimizers.SGD(rate, momentum=beta),
    "nesterov": lambda: keras.optimizers.SGD(rate, momentum=beta, nesterov=True),
    "adagrad": lambda: keras.optimizers.Adagrad(rate),
    "rmsprop": lambda: keras.optimizers.RMSprop(rate, rho=beta),
    "adam": lambda: keras.optimizers.Adam(rate, beta_1=beta, beta_2=1023 / 1024),
}
paths = {}
for surface in maths.SURFACES.values():
    for key, make in classes.items():
        optimiser, weights = make(), keras.Variable(np.array(surface.start), dtype="float64")
        trail = [weights.numpy().tolist()]
        for _ in range(steps):
            gradient = np.array(surface.gradient(*(float(w) for w in weights.numpy())))
            optimiser.apply([keras.ops.convert_to_tensor(gradient)], [weights])
            trail.append(weights.numpy().tolist())
        paths[f"{surface.key} {key}"] = trail

import tensorflow as tf

points = np.linspace(-4, 4, 17)
curves = {}
for key in maths.ACTIVATIONS:
    x = tf.constant(points)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = getattr(keras.activations, key)(x)
    curves[key] = [y.numpy().tolist(), tape.gradient(y, x).numpy().tolist()]

shares = np.linspace(0.01, 0.99, 9).reshape(-1, 1)
losses = {}
for truth in (0, 1):
    y = np.full_like(shares, truth)
    losses[f"cross_entropy {truth}"] = keras.ops.convert_to_numpy(keras.losses.binary_crossentropy(y, shares)).tolist()
    losses[f"squared_error {truth}"] = keras.ops.convert_to_numpy(keras.losses.mean_squared_error(y, shares)).tolist()
defaults = {
    "adagrad": keras.optimizers.Adagrad().get_config(),
    "rmsprop": keras.optimizers.RMSprop().get_config(),
    "adam": keras.optimizers.Adam().get_config(),
}
json.dump({"paths": paths, "curves": curves, "losses": losses, "defaults": defaults}, sys.stdout, default=str)
"""


@pytest.fixture(scope="module")
def keras_says():
    """What Keras computes, in a process of its own so that TensorFlow stays out of this one."""
    done = subprocess.run(
        [sys.executable, "-c", IN_KERAS],
        env=os.environ
        | {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


@pytest.mark.parametrize("surface", KEYS["surface"])
@pytest.mark.parametrize("optimiser", KEYS["optimiser"])
def test_every_step_is_that_of_keras(keras_says, surface, optimiser):
    path = maths.descend(maths.SURFACES[surface], maths.OPTIMISERS[optimiser], BINARY, 60)
    assert path.positions == pytest.approx(
        np.array(keras_says["paths"][f"{surface} {optimiser}"]), rel=1e-8, abs=1e-9
    )


def test_the_settings_start_at_the_defaults_of_keras(keras_says):
    adagrad, rmsprop, adam = (keras_says["defaults"][key] for key in ("adagrad", "rmsprop", "adam"))
    chosen = maths.Settings(0.1)
    assert (chosen.rho, chosen.beta_1, chosen.beta_2) == (
        rmsprop["rho"],
        adam["beta_1"],
        adam["beta_2"],
    )
    assert {adagrad["epsilon"], rmsprop["epsilon"], adam["epsilon"]} == {EPSILON}
    assert adagrad["initial_accumulator_value"] == maths.OPTIMISERS["adagrad"].memory[0]


@pytest.mark.parametrize("key", KEYS["activation"])
def test_every_activation_is_that_of_keras_with_its_slope(keras_says, key):
    points, activation = np.linspace(-4, 4, 17), maths.ACTIVATIONS[key]
    values, slopes = keras_says["curves"][key]
    assert activation.curve(points) == pytest.approx(np.array(values), abs=ROUNDED)
    assert activation.slope(points) == pytest.approx(np.array(slopes), abs=ROUNDED)


@pytest.mark.parametrize("key", KEYS["loss"])
@pytest.mark.parametrize("truth", [0, 1])
def test_every_loss_is_that_of_keras(keras_says, key, truth):
    values = maths.LOSSES[key].value(np.linspace(0.01, 0.99, 9), truth)
    assert values == pytest.approx(np.array(keras_says["losses"][f"{key} {truth}"]), rel=1e-9)


def test_the_mathematics_loads_neither_keras_nor_tensorflow():
    code = "import sys, core.training.mathematics; print({'keras', 'tensorflow'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"

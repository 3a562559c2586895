"""How large a model for a budget, and where it stands against the law."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.compute import chinchilla, fine_tuner_standings, life_long, over_trained, standings, thresholds
from core.compute.sizing import loss
from core.i18n import Refusal


def test_chinchilla_s_own_budget_gives_its_own_size_to_a_tenth():
    # Chinchilla: 70 B parameters, 1.4 T tokens, 5.76e23 FLOP (Hoffmann 2022).
    found = chinchilla(5.76e23)
    assert found.parameters == pytest.approx(70e9, rel=0.1)
    assert found.tokens == pytest.approx(1.4e12, rel=0.1)
    assert found.tokens_per_parameter == pytest.approx(20)
    assert found.training_flop == pytest.approx(5.76e23)


@given(st.floats(1e18, 1e27), st.floats(21, 5000))
def test_over_training_is_a_smaller_model_for_the_same_compute_and_a_worse_one(flop, ratio):
    best, over = chinchilla(flop), over_trained(flop, ratio)
    assert over.parameters < best.parameters
    assert over.training_flop == pytest.approx(flop)
    assert over.tokens_per_parameter == pytest.approx(ratio)


@given(st.floats(1e20, 1e26), st.floats(0, 1e16))
def test_the_life_long_size_is_as_good_as_chinchilla_s_and_cheaper_over_its_life(flop, served):
    rule, best = chinchilla(flop, served), life_long(flop, served)
    assert best.loss == pytest.approx(rule.loss, abs=1e-9)
    assert best.life_flop <= rule.life_flop * (1 + 1e-6)


def test_the_more_is_served_the_smaller_and_longer_trained_the_model():
    sizes = [life_long(1e23, served) for served in (0, 1e12, 1e13, 1e14)]
    assert [s.parameters for s in sizes] == sorted((s.parameters for s in sizes), reverse=True)
    assert sizes[-1].tokens_per_parameter > 4 * sizes[0].tokens_per_parameter
    # With nothing served, the law's own optimum lies near the rule of twenty.
    assert 10 < sizes[0].tokens_per_parameter < 40


def test_the_loss_law_is_epoch_s():
    assert loss(1e9, 1e9) == pytest.approx(1.8172 + 482.01 / 1e9**0.3478 + 2085.43 / 1e9**0.3658)


@pytest.mark.parametrize("flop", [0, -1, math.nan, math.inf, 1e40])
def test_a_budget_of_nothing_is_refused(flop):
    with pytest.raises(Refusal, match="FLOP"):
        chinchilla(flop)


def test_the_lines_of_the_law_are_the_published_ones_with_source_and_day():
    assert [line.flop for line in thresholds()] == [1e23, 1e25, 1e26]
    for line in thresholds():
        assert line.source
        assert line.since
        assert line.checked
        assert line.label.zh
        assert line.meaning.zh


def test_a_run_stands_above_the_lines_it_crosses():
    assert [s.crossed for s in standings(3e24)] == [True, False, False]
    assert standings(3e24)[1].share == pytest.approx(0.3)
    assert not any(s.crossed for s in standings(1e22))


def test_a_lora_of_a_70b_model_binds_no_fine_tuner():
    # 6 · 70e9 · 1e8 = 4.2e19 FLOP, three to four orders below a third of 1e23.
    found = fine_tuner_standings(4.2e19)
    assert not any(s.crossed for s in found)
    assert found[0].threshold.flop == pytest.approx(1e23 / 3)
    assert found[0].share == pytest.approx(1.26e-3)


def test_a_third_of_a_known_base_model_is_a_third_of_its_own_training():
    found = fine_tuner_standings(4e22, base_flop=9e22)
    assert found[0].threshold.flop == pytest.approx(3e22)
    assert found[0].crossed
    with pytest.raises(Refusal, match="base model"):
        fine_tuner_standings(1e20, base_flop=-1)


@pytest.mark.parametrize("flop", [-1, math.nan, math.inf, 1e41, None, "1e25"])
def test_flop_that_cannot_be_stand_nowhere(flop):
    for stand in (standings, fine_tuner_standings):
        with pytest.raises(Refusal, match="Training FLOP"):
            stand(flop)

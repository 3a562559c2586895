"""How exactly a test tells an accuracy."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.training.scores import Z90, interval


@given(st.integers(1, 20_000), st.floats(0.0, 1.0))
def test_at_its_ends_what_was_found_is_just_within_the_reach_of_luck(count, share):
    """Wilson's interval: the true shares p for which |found - p| is at most z·sqrt(p·(1 - p) / n)."""
    found = round(share * count) / count
    low, high = interval(found, count)
    assert 0 <= low <= found + 1e-12 and found - 1e-12 <= high <= 1
    for end in (low, high):
        if 0 < end < 1:
            luck = Z90 * math.sqrt(end * (1 - end) / count)
            assert abs(found - end) == pytest.approx(luck, rel=1e-6, abs=1e-9)


def test_thirty_right_answers_of_thirty_are_no_proof_of_all():
    assert interval(1.0, 30) == pytest.approx((0.917, 1.0), abs=1e-3)
    low, high = interval(0.99, 10_000)
    assert high - low == pytest.approx(2 * 1.645 * math.sqrt(0.99 * 0.01 / 10_000), rel=0.01)

"""Loss and accuracy of late, from means over an epoch as Keras tells them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.training.recent import Recent


@given(
    st.lists(st.floats(0.0, 50.0), min_size=1, max_size=40),
    st.integers(1, 64),
    st.integers(1, 7),
)
def test_each_answer_is_the_mean_of_the_batches_since_the_last(losses, last, every):
    """Batches of 64 but for the last; looked at now and then, and at the end."""
    sizes = np.array([64] * (len(losses) - 1) + [last])
    recent, seen = Recent(), 0
    for batch in range(1, len(losses) + 1):
        if batch % every and batch < len(losses):
            continue
        so_far = float(np.average(losses[:batch], weights=sizes[:batch]))
        found = recent.of(int(sizes[:batch].sum()), {"loss": so_far})
        wanted = np.average(losses[seen:batch], weights=sizes[seen:batch])
        assert found["loss"] == pytest.approx(wanted, abs=1e-6)
        seen = batch


def test_an_epoch_begins_anew_and_nothing_new_is_the_same_again():
    recent = Recent()
    assert recent.of(10, {"loss": 2.0, "accuracy": 0.5}) == {"loss": 2.0, "accuracy": 0.5}
    assert recent.of(10, {"loss": 2.0, "accuracy": 0.5}) == {"loss": 2.0, "accuracy": 0.5}
    recent.begin()
    assert recent.of(5, {"loss": 1.0})["loss"] == 1.0


def test_rounding_puts_no_accuracy_beyond_one_and_no_loss_below_zero():
    recent = Recent()
    recent.of(1_000, {"loss": 1e-8, "accuracy": 0.9999})
    assert recent.of(1_001, {"loss": 0.0, "accuracy": 0.99991}) == {"loss": 0.0, "accuracy": 1.0}

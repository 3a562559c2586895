"""Equality up to the rounding of what was added up."""

import numpy as np


def close(left, right, scale, rel=1e-9):
    """Equal to rounding, seen from the size of what was added up."""
    largest = max(1e-6, float(np.max(np.abs(scale))))
    return np.testing.assert_allclose(left, right, rtol=rel, atol=rel * largest)

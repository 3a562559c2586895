"""What all tests share: made-up inputs that are the same on every run, and a heap that stays quick to search."""

import gc
from collections.abc import Iterator

import pytest
from hypothesis import settings

# A slow machine is no reason to fail.
settings.register_profile("steady", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("steady")


@pytest.fixture(autouse=True, scope="module")
def settled_heap() -> Iterator[None]:
    """Set what a module leaves behind (TensorFlow, sessions of pages) aside from later garbage collections."""
    yield
    gc.collect()
    gc.freeze()

"""Made-up inputs are the same on every run, and a slow machine is no reason to fail."""

from hypothesis import settings

settings.register_profile("steady", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("steady")

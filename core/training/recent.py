"""Loss and accuracy of late, out of Keras' means over the epoch so far.

After a batch Keras tells the mean over all examples that the epoch has shown until then, in which the first
ones weigh as much as the last: it trails behind the network, and jumps where an epoch begins. Of n examples
with the mean m, of which the first n' had the mean m', those in between have

    (n·m - n'·m') / (n - n').
"""

from collections.abc import Mapping


class Recent:
    """To be told of the beginning of an epoch (:meth:`begin`), and then asked (:meth:`of`)."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """An epoch begins: Keras' means do too."""
        self._count = 0
        self._means: dict[str, float] = {}
        self._last: dict[str, float] = {}

    def of(self, count: int, means: Mapping[str, float]) -> dict[str, float]:
        """The means over the examples since the last time, of ``count`` in the epoch so far with ``means``.

        The last answer once more where there are none since. None of these means can be below 0, and an
        accuracy is 1 at the most, so what rounding puts beyond is put back.
        """
        if count > self._count:
            now = {name: float(mean) for name, mean in means.items()}
            new = count - self._count
            self._last = {
                name: max(0.0, (mean * count - self._means.get(name, 0.0) * self._count) / new)
                for name, mean in now.items()
            }
            if "accuracy" in self._last:
                self._last["accuracy"] = min(1.0, self._last["accuracy"])
            self._count, self._means = count, now
        return self._last

"""Early stopping that a pause does not make forget: Keras' own, with its memory in the checkpoint."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import keras

from core.training import checkpoint


class Patience(keras.callbacks.EarlyStopping):  # type: ignore[misc]  # Keras has no types
    """Ends a run once the validation loss has not fallen for ``epochs``, with the best weights in place.

    Goes on counting from where ``left``, the checkpoint in ``folder``, was if there is one.
    """

    def __init__(self, epochs: int, folder: Path | None, left: checkpoint.Left | None) -> None:
        super().__init__("val_loss", patience=epochs, restore_best_weights=True)
        self._left = left
        self._weights = checkpoint.best_weights(folder) if left and folder else None

    def on_train_begin(self, logs: Any = None) -> None:
        super().on_train_begin(logs)
        if self._left and self._weights:
            self.wait, self.best, self.best_epoch = self._left.waited, self._left.best, self._left.best_epoch
            self.best_weights = self._weights

    def remembered(self, where: checkpoint.Left) -> checkpoint.Left:
        """``where``, with what is remembered of the validation loss; the weights are apart."""
        best = None if self.best is None else float(self.best)
        return replace(where, waited=self.wait, best=best, best_epoch=self.best_epoch)

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
        self._best_accuracy = left.best_accuracy if left else None
        self._weights = checkpoint.best_weights(folder) if left and folder else None

    def on_train_begin(self, logs: Any = None) -> None:
        super().on_train_begin(logs)
        if self._left and self._weights:
            self.wait, self.best, self.best_epoch = self._left.waited, self._left.best, self._left.best_epoch
            self.best_weights = self._weights

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        super().on_epoch_end(epoch, logs)
        if self.best_epoch == epoch:
            self._best_accuracy = (logs or {}).get("val_accuracy")

    @property
    def validated(self) -> dict[str, float | None]:
        """Validation loss and accuracy of the best epoch, whose weights the network ends with."""
        return {
            "val_loss": None if self.best is None else float(self.best),
            "val_accuracy": self._best_accuracy,
        }

    def remembered(self, where: checkpoint.Left) -> checkpoint.Left:
        """``where``, with what is remembered of the validation loss; the weights are apart."""
        best, accuracy = self.validated.values()
        return replace(where, waited=self.wait, best=best, best_accuracy=accuracy, best_epoch=self.best_epoch)

"""The images to train on, shipped with the project, and where they come from.

MNIST is here in full, so a run needs no network. The file is checked against its SHA-256 when a
process first opens it; a changed or cut file is refused rather than trained on.
"""

import hashlib
import io
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.i18n import Refusal, Text

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Dataset:
    """A set of labelled images, described; :func:`load` opens it."""

    key: str
    label: Text
    note: Text
    train_images: int
    test_images: int
    classes: int
    source: str
    citation: str
    licence: Text
    licence_url: str
    file: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Images:
    """The images themselves.

    ``train`` (train_images, 28, 28) and ``test`` (test_images, 28, 28): brightness 0 to 255.
    ``train_labels`` and ``test_labels``: the digit on each, 0 to 9. All read-only.
    """

    train: Bytes
    train_labels: Bytes
    test: Bytes
    test_labels: Bytes


MNIST = Dataset(
    key="mnist",
    label=Text(en="MNIST, handwritten digits", zh="MNIST 手写数字"),
    note=Text(
        en="70,000 grey pictures of 28 × 28 pixels, one digit each: 60,000 to train on, 10,000 kept for the test.",
        zh="70,000 张 28 × 28 像素的灰度图，每张一个数字：60,000 张用于训练，10,000 张留作测试。",
    ),
    train_images=60_000,
    test_images=10_000,
    classes=10,
    source="http://yann.lecun.com/exdb/mnist/",
    citation="Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: Gradient-based learning applied to document "
    "recognition. Proceedings of the IEEE 86 (1998) 2278-2324.",
    # Copyright holders and licence as stated in the Keras documentation of keras.datasets.mnist.
    licence=Text(
        en="© Yann LeCun and Corinna Cortes, derived from NIST datasets; CC BY-SA 3.0",
        zh="© Yann LeCun 与 Corinna Cortes，源自 NIST 数据集；CC BY-SA 3.0",
    ),
    licence_url="https://creativecommons.org/licenses/by-sa/3.0/",
    file="mnist.npz",
    sha256="06af5dfe73b70e3bc1c36439982b18a8d76803db9b544f6fdf838a37fbb01b64",
)

DATASETS = {MNIST.key: MNIST}

_FOLDER = Path(__file__).with_name("data")


@lru_cache(maxsize=2)
def load(key: str, folder: Path = _FOLDER) -> Images:
    """The images of dataset ``key``, read and checked once a process.

    Raises a Refusal if the file is missing or is not the file that was shipped.
    """
    dataset = DATASETS[key]
    try:
        content = (folder / dataset.file).read_bytes()
    except OSError as error:
        raise Refusal(
            "The file {file} of the dataset {dataset} cannot be read: {reason}.",
            file=dataset.file,
            dataset=dataset.label,
            reason=error.strerror or type(error).__name__,
        ) from None
    if hashlib.sha256(content).hexdigest() != dataset.sha256:
        raise Refusal(
            "The file {file} is not the dataset {dataset} that was shipped: its SHA-256 differs; copy it again.",
            file=dataset.file,
            dataset=dataset.label,
        )
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return Images(
            *(_fixed(arrays[name]) for name in ("x_train", "y_train", "x_test", "y_test")),
        )


def _fixed(array: Bytes) -> Bytes:
    array.setflags(write=False)
    return array


def order(labels: Bytes, seed: int) -> NDArray[np.intp]:
    """The positions of ``labels`` shuffled so that every beginning has each class in its share.

    A run on fewer images takes a beginning of this order: runs of one seed are nested, as a learning
    curve wants them, and no class is missing from a small one.
    """
    rng = np.random.default_rng(seed)
    height = np.empty(len(labels))
    for digit in np.unique(labels):
        where = np.flatnonzero(labels == digit)
        height[rng.permutation(where)] = (np.arange(len(where)) + rng.random(len(where))) / len(where)
    return np.argsort(height)

"""The images: as published, checked when opened, and dealt out fairly."""

from pathlib import Path

import numpy as np
import pytest

from core.i18n import Refusal
from core.training.datasets import DATASETS, MNIST, load, order

FOLDER = Path("core/training/data")


def test_mnist_has_the_published_counts() -> None:
    """Counts per digit as in LeCun's files: train 5923, 6742, …; test 980, 1135, …"""
    images = load("mnist")
    assert images.train.shape == (60_000, 28, 28)
    assert images.test.shape == (10_000, 28, 28)
    assert images.train.dtype == np.uint8
    train = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    test = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert np.bincount(images.train_labels).tolist() == train
    assert np.bincount(images.test_labels).tolist() == test
    # Mean and deviation of the training pixels, as everybody normalises them.
    assert images.train.mean() / 255 == pytest.approx(0.1307, abs=5e-5)
    assert images.train.std() / 255 == pytest.approx(0.3081, abs=5e-5)


def test_images_are_opened_once_and_cannot_be_changed() -> None:
    images = load("mnist")
    assert load("mnist") is images
    with pytest.raises(ValueError, match="read-only"):
        images.train[0, 0, 0] = 1


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    content = bytearray((Path(__file__).parents[3] / FOLDER / MNIST.file).read_bytes())
    content[5_000_000] ^= 1
    (tmp_path / MNIST.file).write_bytes(content)
    with pytest.raises(Refusal, match=r"mnist\.npz.*SHA-256"):
        load("mnist", tmp_path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"mnist\.npz.*No such file"):
        load("mnist", tmp_path)


def test_every_dataset_tells_source_and_licence_in_both_languages() -> None:
    for dataset in DATASETS.values():
        assert dataset.source.startswith("http")
        assert dataset.licence_url.startswith("https")
        assert all(t.en and t.zh for t in (dataset.label, dataset.note, dataset.licence))


@pytest.mark.parametrize("size", [100, 1_000, 10_000, 45_678])
def test_every_beginning_of_the_order_has_each_digit_in_its_share(size: int) -> None:
    labels = load("mnist").train_labels
    shares = np.bincount(labels) / len(labels)
    counts = np.bincount(labels[order(labels, seed=7)[:size]], minlength=10)
    assert np.all(np.abs(counts - shares * size) <= 3)


def test_the_order_is_a_shuffle_that_depends_on_the_seed_alone() -> None:
    labels = load("mnist").train_labels
    first, again, other = order(labels, 1), order(labels, 1), order(labels, 2)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert np.array_equal(np.sort(first), np.arange(60_000))

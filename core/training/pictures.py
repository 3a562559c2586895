"""Pictures out of a ZIP: one folder for each class, all brought to one size.

A ZIP declares how large its files are once unpacked, and may lie: both what it declares and what it really
holds are checked, and no picture is decoded before its width and height are known.
"""

import io
import warnings
import zipfile
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from core.i18n import Refusal
from core.storage.rows import Reason

MOST_PICTURES = 20_000
MOST_UNPACKED = 300 * 2**20
MOST_OF_ONE = 20 * 2**20
MOST_PIXELS = 25_000_000
MOST_CLASSES = 100
SIDES = (28, 32, 48, 64)
"""Pixels; the largest that is not above the median side of the pictures is taken."""

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp")
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP")


@dataclass(frozen=True, slots=True)
class Pictures:
    """``pixels`` (count, side, side[, 3]) bytes and the class of each."""

    pixels: NDArray[np.uint8]
    classes: list[str]
    warnings: list[Reason]


def read_zip(content: bytes) -> Pictures:
    """The pictures in a ZIP. Raises a Refusal if there are none, or more than is allowed."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        members = [m for m in archive.infolist() if _is_picture(m.filename)]
        _check(archive, members)
        return _decoded(archive, members)
    except Refusal:
        raise
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        raise Refusal(
            "The ZIP file cannot be read: {reason}.", reason=" ".join(str(error).split())[:120].rstrip(".")
        ) from None


def _is_picture(name: str) -> bool:
    path = PurePosixPath(name)
    hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
    return path.suffix.lower() in ENDINGS and not hidden


def _class_of(name: str) -> str:
    return PurePosixPath(name).parent.name[:60]


def _check(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo]) -> None:
    unpacked = sum(m.file_size for m in archive.infolist())
    if len(members) > MOST_PICTURES or unpacked > MOST_UNPACKED:
        raise Refusal(
            "The ZIP file holds {count} pictures and {size} MB once unpacked; at most {most} pictures and "
            "{most_size} MB are allowed.",
            count=f"{len(members):,}",
            size=f"{unpacked / 2**20:,.0f}",
            most=f"{MOST_PICTURES:,}",
            most_size=MOST_UNPACKED // 2**20,
        )
    classes = {_class_of(m.filename) for m in members}
    if not 2 <= len(classes) <= MOST_CLASSES or "" in classes:
        raise Refusal(
            "The ZIP file has pictures in {count} folders; it needs one folder for each class, 2 to {most}.",
            count=len(classes - {""}),
            most=MOST_CLASSES,
        )


def _decoded(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo]) -> Pictures:
    from PIL import Image, ImageOps

    warnings.simplefilter("error", Image.DecompressionBombWarning)
    opened = []
    broken = 0
    for member in members:
        with archive.open(member) as file:
            raw = file.read(MOST_OF_ONE + 1)
        try:
            if len(raw) > MOST_OF_ONE:
                raise ValueError("too large")
            with Image.open(io.BytesIO(raw), formats=FORMATS) as picture:
                if picture.width * picture.height > MOST_PIXELS:
                    raise ValueError("too many pixels")
                grey = picture.mode in ("1", "L", "I;16")
                picture.draft("RGB", (2 * SIDES[-1], 2 * SIDES[-1]))
                size = min(picture.size)
                small = ImageOps.fit(picture.convert("L" if grey else "RGB"), (SIDES[-1],) * 2)
        except (
            OSError,
            ValueError,
            SyntaxError,
            Image.DecompressionBombError,
            Image.DecompressionBombWarning,
        ):
            broken += 1
            continue
        opened.append((small, size, grey, _class_of(member.filename)))
    if len(opened) < 20:
        raise Refusal(
            "Only {count} pictures in the ZIP file can be read; at least 20 are needed.", count=len(opened)
        )
    middle = float(np.median([size for _, size, _, _ in opened]))
    side = max((s for s in SIDES if s <= middle), default=SIDES[0])
    mode = "L" if all(grey for _, _, grey, _ in opened) else "RGB"
    pixels = np.stack(
        [np.asarray(small.convert(mode).resize((side, side)), np.uint8) for small, *_ in opened]
    )
    said = (
        [Reason.of(Refusal("{count} pictures cannot be read and are left out.", count=broken))]
        if broken
        else []
    )
    return Pictures(pixels, [name for *_, name in opened], said)

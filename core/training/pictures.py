"""Pictures of a founder's own: one file, or a ZIP with one folder for each class, all brought to one size.

A ZIP declares how large its files are once unpacked, and may lie: both what it declares and what it really
holds are checked, and no picture is decoded before its width and height are known. A picture is opened the
same way whether it is trained on or asked about later: turned as the camera was held, what is transparent
made white.
"""

import io
import lzma
import warnings
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.i18n import Refusal
from core.storage.rows import Reason
from core.training.reading import looks_chinese

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_PICTURES, LEAST_PICTURES = 20_000, 20
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


def read_picture(content: bytes) -> "Image":
    """The picture in a file, in shades of grey ("L") or in colour ("RGB"), a large JPEG smaller than it is.

    Raises a Refusal if it cannot be read or has too many pixels.
    """
    from PIL import Image, ImageOps

    try:
        # Pillow's own warning comes at more pixels than are allowed here.
        with (
            warnings.catch_warnings(action="ignore"),
            Image.open(io.BytesIO(content), formats=FORMATS) as picture,
        ):
            if picture.width * picture.height > MOST_PIXELS:
                raise Refusal(
                    "The picture has {pixels} pixels; at most {most} are allowed.",
                    pixels=f"{picture.width * picture.height:,}",
                    most=f"{MOST_PIXELS:,}",
                )
            picture.draft("RGB", (256, 256))
            return _plain(ImageOps.exif_transpose(picture))
    except (Refusal, MemoryError):
        raise
    except Exception:  # a broken picture makes Pillow stumble over almost anything
        raise Refusal("The picture cannot be read; PNG, JPEG, BMP, GIF and WebP are allowed.") from None


def _plain(picture: "Image") -> "Image":
    from PIL import Image

    if picture.mode.startswith("I"):  # 16 bits a pixel, which Pillow would cut off at 255
        return Image.fromarray((np.asarray(picture).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8))
    if picture.mode in ("LA", "RGBA", "PA", "La", "RGBa") or "transparency" in picture.info:
        shown = picture.convert("RGBA")
        white = Image.new("RGBA", shown.size, "white")
        found = Image.alpha_composite(white, shown)
        return found.convert("L" if picture.mode in ("1", "L", "LA", "La") else "RGB")
    return picture.convert("L" if picture.mode in ("1", "L") else "RGB")


def read_zip(content: bytes) -> Pictures:
    """The pictures in a ZIP. Raises a Refusal if there are none, or more than is allowed."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        members = {_named(m): m for m in archive.infolist() if not m.is_dir()}
        pictures = {name: m for name, m in members.items() if _is_picture(name)}
        _check(archive, list(pictures))
        return _decoded(archive, pictures)
    except Refusal:
        raise
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, ValueError) as error:
        raise Refusal(
            "The ZIP file cannot be read: {reason}.", reason=" ".join(str(error).split())[:120].rstrip(".")
        ) from None


def _named(member: zipfile.ZipInfo) -> str:
    """The path of a file in the ZIP. Programs for Windows part folders by a backslash, and some that write
    UTF-8 or GB 18030 do not say so."""
    name = member.filename
    if not member.flag_bits & 0x800 and not name.isascii():
        raw = name.encode("cp437")
        for encoding in ("utf-8", *["gb18030"][: looks_chinese(raw)]):
            try:
                name = raw.decode(encoding)
                break
            except UnicodeDecodeError:
                continue
    return name.replace("\\", "/")


def _is_picture(name: str) -> bool:
    path = PurePosixPath(name)
    if ".." in path.parts:
        raise Refusal(
            "The ZIP file holds {name}, a path that leads out of its folder; put the pictures into one folder for "
            "each class and zip these.",
            name=name[:80],
        )
    hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
    return path.suffix.lower() in ENDINGS and not hidden


def _class_of(name: str) -> str:
    return PurePosixPath(name).parent.name[:60]


def _check(archive: zipfile.ZipFile, names: list[str]) -> None:
    if not names:
        raise Refusal(
            "The ZIP file holds no picture; their names end in {endings}.", endings=", ".join(ENDINGS)
        )
    unpacked = sum(m.file_size for m in archive.infolist())
    if len(names) > MOST_PICTURES or unpacked > MOST_UNPACKED:
        raise Refusal(
            "The ZIP file holds {count} pictures and {size} MB once unpacked; at most {most} pictures and "
            "{most_size} MB are allowed.",
            count=f"{len(names):,}",
            size=f"{unpacked / 2**20:,.0f}",
            most=f"{MOST_PICTURES:,}",
            most_size=MOST_UNPACKED // 2**20,
        )
    classes = {_class_of(name): name for name in names}
    if "" in classes:
        raise Refusal(
            "The picture {name} in the ZIP file lies in no folder; each picture needs to be in the folder of its class.",
            name=classes[""][:80],
        )
    if not 2 <= len(classes) <= MOST_CLASSES:
        raise Refusal(
            "The ZIP file has pictures in {count} folders; it needs one folder for each class, 2 to {most}.",
            count=len(classes),
            most=MOST_CLASSES,
        )


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> bytes:
    try:
        with archive.open(member) as file:
            return file.read(MOST_OF_ONE + 1)
    except (zlib.error, lzma.LZMAError, EOFError) as error:
        raise zipfile.BadZipFile(f"{name}: {error}") from None


def _decoded(archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo]) -> Pictures:
    from PIL import ImageOps

    opened: list[tuple[Image, int, str]] = []
    broken: list[str] = []
    for name, member in members.items():
        raw = _read(archive, member, name)
        try:
            if len(raw) > MOST_OF_ONE:
                raise Refusal("The picture cannot be read; PNG, JPEG, BMP, GIF and WebP are allowed.")
            picture = read_picture(raw)
        except Refusal:
            broken.append(name)
            continue
        opened.append((ImageOps.fit(picture, (SIDES[-1],) * 2), min(picture.size), _class_of(name)))
    if len(opened) < LEAST_PICTURES:
        raise Refusal(
            "Only {count} pictures in the ZIP file can be read; at least {least} are needed.",
            count=len(opened),
            least=LEAST_PICTURES,
        )
    middle = float(np.median([size for _, size, _ in opened]))
    side = max((s for s in SIDES if s <= middle), default=SIDES[0])
    mode = "L" if all(picture.mode == "L" for picture, *_ in opened) else "RGB"
    pixels = np.stack(
        [np.asarray(picture.convert(mode).resize((side, side)), np.uint8) for picture, *_ in opened]
    )
    said = [
        Reason.of(
            Refusal(
                "Pictures that cannot be read are left out ({count}), such as {name}.",
                count=len(broken),
                name=name[:80],
            )
        )
        for name in broken[:1]
    ]
    return Pictures(pixels, [name for *_, name in opened], said)

"""A parcel: files of a folder as bytes, to go to another machine or to come from one.

What a run on a cluster needs, and what it leaves, travels in them (:mod:`core.training.cluster`). Only
files of known names get in or out, and no more than :data:`MOST_BYTES`.
"""

import contextlib
from collections.abc import Sequence
from pathlib import Path

from core.i18n import Refusal
from core.training import checkpoint, shelf

Parcel = dict[str, bytes]

OWN = ("data.npz", shelf.ENCODING, shelf.DESCRIBED)
"""Of a data set of a founder's own: what is trained on, not the file that was uploaded."""

RUN = (checkpoint.NETWORK, checkpoint.BEST, shelf.MODEL, shelf.REPORT, checkpoint.STATE)
"""Of a run. The last one says that the checkpoint is whole."""

MOST_BYTES = 512 * 2**20
"""More than the largest network that may be trained takes (20 million numbers: 80 MB, four times with
what Adam and early stopping remember), and than the largest data set that may be uploaded."""


def pack(folder: Path, names: Sequence[str]) -> Parcel:
    """Those files of ``folder`` that are there. Raises a Refusal if they are too large to travel."""
    parcel: Parcel = {}
    for name in names:
        with contextlib.suppress(FileNotFoundError):
            _check(sum(map(len, parcel.values())) + (folder / name).stat().st_size)
            parcel[name] = (folder / name).read_bytes()
    return parcel


def unpack(parcel: Parcel, folder: Path, names: Sequence[str]) -> None:
    """Let ``folder`` hold the files of the parcel, and of ``names`` no others; nobody sees half a file.

    Raises a Refusal, and changes nothing, if the parcel has a file of another name or is too large.
    """
    for name in sorted(set(parcel) - set(names)):
        raise Refusal("There is nothing under the name {name}.", name=name[:40])
    _check(sum(map(len, parcel.values())))
    for name, content in parcel.items():
        _half(folder, name).write_bytes(content)
    (folder / names[-1]).unlink(missing_ok=True)
    for name in names:
        if name in parcel:
            _half(folder, name).replace(folder / name)
        else:
            (folder / name).unlink(missing_ok=True)


def _half(folder: Path, name: str) -> Path:
    return folder / f"half-{name}"


def _check(size: int) -> None:
    if size > MOST_BYTES:
        raise Refusal(
            "The files of this run have {size} MB; at most {most} MB travel to a cluster and back.",
            size=f"{size / 2**20:.0f}",
            most=MOST_BYTES // 2**20,
        )

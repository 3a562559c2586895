"""Parcels: known names only, of limited size, whole or not at all."""

from pathlib import Path

import pytest

from core.i18n import Refusal
from core.training import checkpoint, parcel, shelf


def test_a_folder_arrives_as_it_was_sent(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    (here / checkpoint.NETWORK).write_bytes(b"network")
    (here / checkpoint.STATE).write_bytes(b"state")
    (here / checkpoint.PAUSE).touch()
    (here / "upload.csv").write_bytes(b"a,b")
    (there / shelf.REPORT).write_bytes(b"of another time")
    (there / checkpoint.PAUSE).touch()
    sent = parcel.pack(here, parcel.RUN)
    parcel.unpack(sent, there, parcel.RUN)
    assert sent == {checkpoint.NETWORK: b"network", checkpoint.STATE: b"state"}
    assert parcel.pack(there, parcel.RUN) == sent
    assert sorted(f.name for f in there.iterdir()) == sorted([*sent, checkpoint.PAUSE]), (
        "what is not sent stays"
    )


@pytest.mark.parametrize("name", ["../worker.log", "/tmp/x", "upload.csv", checkpoint.PAUSE])
def test_a_file_of_another_name_is_refused_and_nothing_is_changed(tmp_path: Path, name: str) -> None:
    with pytest.raises(Refusal, match="There is nothing under the name"):
        parcel.unpack({shelf.MODEL: b"x", name: b"x"}, tmp_path, parcel.RUN)
    assert not list(tmp_path.iterdir())


def test_what_is_too_large_does_not_travel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parcel, "MOST_BYTES", 3 * 2**20)
    (tmp_path / checkpoint.NETWORK).write_bytes(bytes(2 * 2**20))
    (tmp_path / shelf.MODEL).write_bytes(bytes(2 * 2**20))
    refused = "The files of this run have 4 MB; at most 3 MB travel to a cluster and back"
    with pytest.raises(Refusal, match=refused):
        parcel.pack(tmp_path, parcel.RUN)
    with pytest.raises(Refusal, match=refused):
        parcel.unpack({shelf.MODEL: bytes(4 * 2**20)}, tmp_path, parcel.RUN)
    assert (tmp_path / shelf.MODEL).stat().st_size == 2 * 2**20

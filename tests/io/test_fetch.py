from __future__ import annotations

import io
import os
import stat
import tarfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from neurodrift.io.fetch import unpack

GOOD = {"data/a.mat": b"abc", "data/deep/b.csv": b"x,y\n", "README.md": b""}


def zipped(path: Path, files: dict[str, bytes], mode: int = 0) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = mode << 16
            archive.writestr(info, data)
    return path


def tarred(
    path: Path, files: dict[str, bytes], kind: bytes = tarfile.REGTYPE, link: str = ""
) -> Path:
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.type, info.linkname, info.mode = len(data), kind, link, 0o777
            archive.addfile(info, io.BytesIO(data))
    return path


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz"])
def test_unpack__files_as_they_are(name: str, tmp_path: Path) -> None:
    write = zipped if name.endswith("zip") else tarred
    archive = write(tmp_path / name, {f"repo-1/{key}": data for key, data in GOOD.items()})
    found = unpack(archive, tmp_path / "out", max_bytes=100, strip=1)
    assert [path.relative_to(tmp_path / "out").as_posix() for path in found] == sorted(GOOD)
    for key, data in GOOD.items():
        path = tmp_path / "out" / key
        assert path.read_bytes() == data
        assert not path.stat().st_mode & (stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([name, "out"])


def test_unpack__existing_folder_is_kept(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "a.zip", GOOD)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("x")
    with pytest.raises(FileExistsError, match="out exists"):
        unpack(archive, tmp_path / "out", max_bytes=100)
    unpack(archive, tmp_path / "out", max_bytes=100, overwrite=True)
    assert not (tmp_path / "out" / "mine").exists()


def damaged(path: Path) -> Path:
    data = bytearray(zipped(path, {"a": os.urandom(5000)}).read_bytes())
    data[2000] ^= 255
    path.write_bytes(data)
    return path


def cut(path: Path) -> Path:
    data = tarred(path, {"a": os.urandom(5000)}).read_bytes()
    path.write_bytes(data[:2000])
    return path


def lying(path: Path) -> Path:
    """Declares 10 bytes, holds a million."""
    data = bytearray(zipped(path, {"a": bytes(10**6)}).read_bytes())
    for signature, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        start = data.index(signature)
        data[start + at : start + at + 4] = (10).to_bytes(4, "little")
    path.write_bytes(data)
    return path


def pickled(path: Path) -> Path:
    path.write_bytes(b"\x80\x04cos\nsystem\n")
    return path


BAD: dict[str, tuple[Callable[[Path], Path], str]] = {
    "slip.zip": (lambda p: zipped(p, {"../evil": b"x"}), "may lead out"),
    "slip_inside.zip": (lambda p: zipped(p, {"a/../../evil": b"x"}), "may lead out"),
    "slip.tar": (lambda p: tarred(p, {"../evil": b"x"}), "may lead out"),
    "absolute.zip": (lambda p: zipped(p, {"/tmp/evil": b"x"}), "may lead out"),
    "absolute.tar": (lambda p: tarred(p, {"/tmp/evil": b"x"}), "may lead out"),
    "backslash.zip": (lambda p: zipped(p, {"..\\evil": b"x"}), "may lead out"),
    "drive.zip": (lambda p: zipped(p, {"C:evil": b"x"}), "may lead out"),
    "reserved.zip": (lambda p: zipped(p, {"con/a.mat": b"x"}), "may lead out"),
    "link.zip": (lambda p: zipped(p, {"a": b"/etc/passwd"}, stat.S_IFLNK | 0o777), "is a link"),
    "link.tar": (lambda p: tarred(p, {"a": b""}, tarfile.SYMTYPE, "/etc"), "link or a device"),
    "hard.tar": (lambda p: tarred(p, {"a": b""}, tarfile.LNKTYPE, "../b"), "link or a device"),
    "fifo.tar": (lambda p: tarred(p, {"a": b""}, tarfile.FIFOTYPE), "link or a device"),
    "twice.zip": (lambda p: zipped(p, {"a": b"x", "A": b"y"}), "twice"),
    "bomb.zip": (lambda p: zipped(p, {"a": bytes(10**7)}), "more than 1000000 bytes"),
    "bomb.tar.gz": (lambda p: tarred(p, {"a": bytes(10**7)}), "more than 1000000 bytes"),
    "many.zip": (
        lambda p: zipped(p, {str(i): bytes(10**5) for i in range(11)}),
        "more than 1000000 bytes",
    ),
    "lying.zip": (lying, "damaged|more than 1000000"),
    "damaged.zip": (damaged, "damaged"),
    "cut.tar.gz": (cut, "damaged"),
    "empty.zip": (lambda p: zipped(p, {}), "holds no file"),
    "pickle.zip": (pickled, "no zip or tar"),
}


@pytest.mark.parametrize("name", BAD)
def test_unpack__refuses_and_leaves_nothing(name: str, tmp_path: Path) -> None:
    write, message = BAD[name]
    inner = tmp_path / "inner"
    inner.mkdir()
    archive = write(inner / name)
    start = time.process_time()
    with pytest.raises(ValueError, match=f"{name}.*({message})"):
        unpack(archive, inner / "out", max_bytes=10**6)
    assert time.process_time() - start < 2
    assert [p.name for p in inner.iterdir()] == [name]
    assert [p.name for p in tmp_path.iterdir()] == ["inner"]


def test_unpack__counts_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("neurodrift.io.fetch.MAX_FILES", 5)
    archive = zipped(tmp_path / "a.zip", {str(i): b"" for i in np.arange(6)})
    with pytest.raises(ValueError, match="more than 5 files"):
        unpack(archive, tmp_path / "out", max_bytes=10)

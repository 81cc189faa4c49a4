"""HDF5 files that crash the library, hang it or are damaged cost an error, not the process."""

from __future__ import annotations

import os
import random
import time

import h5py
import numpy as np
import pytest

from neurodrift import testing
from neurodrift.io import probe
from neurodrift.io.arrays.files import read_array
from neurodrift.io.nwb.read import read_session
from neurodrift.io.nwb.session import session_from_recording
from neurodrift.io.nwb.write import write_session
from neurodrift.io.probe import DamagedFileError, refuse_damaged


@pytest.fixture
def child(monkeypatch):
    """A child process of the test's own, which runs what the test says for each path."""

    def start(lines):
        script = "import sys, os, signal, time, json\nfor line in sys.stdin:\n    " + lines
        monkeypatch.setattr(probe, "_SCRIPT", script)
        monkeypatch.setattr(probe, "_running", [])

    yield start
    for one in probe._running:
        one.process.kill()
        one.process.wait()


@pytest.fixture
def path(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = np.arange(5.0)
    return tmp_path / "a.h5"


def test_refuse_damaged__a_crash_is_an_error(path, child):
    child("os.kill(os.getpid(), signal.SIGSEGV)")
    for read in (refuse_damaged, lambda p: read_array(p, "x"), lambda p: read_session(p)):
        with pytest.raises(
            ValueError, match=r"a.h5.*it is damaged, and it crashes the HDF5 library \(code -11\)"
        ):
            read(path)


def test_refuse_damaged__the_next_file_is_read_after_a_crash(path, child, tmp_path):
    (tmp_path / "bad.h5").write_bytes(path.read_bytes())
    child("os.kill(os.getpid(), signal.SIGSEGV) if 'bad' in line else print('ok', flush=True)")
    for _ in range(3):
        with pytest.raises(DamagedFileError, match="crashes"):
            refuse_damaged(tmp_path / "bad.h5")
        os.utime(path, (time.time(),) * 2)
        refuse_damaged(path)


def test_refuse_damaged__what_does_not_end(path, child, monkeypatch):
    monkeypatch.setattr(probe, "SILENCE", 0.3)
    child("print('.', flush=True); time.sleep(60)")
    with pytest.raises(DamagedFileError, match="reading it does not end"):
        refuse_damaged(path)


def test_refuse_damaged__sound_files_are_looked_at_once(path, monkeypatch):
    refuse_damaged(path)
    monkeypatch.setattr(probe, "_child", lambda: pytest.fail("asked again"))
    refuse_damaged(path)
    with h5py.File(path, "a") as file:
        file["y"] = 1.0
    with pytest.raises(pytest.fail.Exception, match="asked again"):
        refuse_damaged(path)


def test_refuse_damaged__everything_that_hdf5_has(tmp_path):
    """What is unusual is no damage."""
    with h5py.File(tmp_path / "odd.h5", "w") as file:
        file["empty"] = h5py.Empty("f8")
        file["scalar"] = 3
        file["text"] = "ü"
        file["texts"] = np.array(["a", "bc"], dtype=object)
        file["none"] = np.zeros((0, 4))
        file.create_dataset("ragged", (2,), dtype=h5py.vlen_dtype("i4"))[0] = [1, 2]
        file["opaque"] = np.void(b"abc")
        file["enum"] = np.array(1, dtype=h5py.enum_dtype({"A": 1}))
        file["ref"] = file["text"].ref
        file.create_dataset("regions", (1,), dtype=h5py.regionref_dtype)
        file["compound"] = np.zeros(3, dtype=[("a", "f4"), ("b", "S3")])
        file.create_dataset("growing", (0,), maxshape=(None,), chunks=(10,), dtype="f8")
        file.create_dataset("sparse", (10**12,), chunks=(1000,), dtype="f8")[5:7] = 1
        file.create_dataset("packed", data=np.arange(5000), compression="gzip", shuffle=True)
        file["soft"] = h5py.SoftLink("/nowhere")
        file["outside"] = h5py.ExternalLink("/etc/passwd", "/x")
        file["again"] = file["/"]  # a circle
        file.attrs["bytes"] = np.bytes_(b"\xff\xfe")
        file["type"] = np.dtype("f8")
    refuse_damaged(tmp_path / "odd.h5")


def test_refuse_damaged__no_file_and_no_hdf5(tmp_path):
    with pytest.raises(FileNotFoundError):
        refuse_damaged(tmp_path / "none.h5")
    (tmp_path / "text.h5").write_text("hello")
    with pytest.raises(DamagedFileError, match="text.h5 is no readable HDF5 file: /"):
        refuse_damaged(tmp_path / "text.h5")


def test_read_session__damaged_bytes_are_one_error_or_no_matter(tmp_path):
    recording = testing.linear_track(n_units=3, n_sessions=2, minutes=1)
    path = write_session(session_from_recording(recording, "1"), tmp_path / "sound.nwb")
    sound, truth = path.read_bytes(), read_session(path)
    rng = random.Random(5)
    refused = 0
    for number in range(25):
        data = bytearray(sound)
        for _ in range(rng.choice([1, 3, 30])):
            data[rng.randrange(len(data))] = rng.randrange(256)
        bad = tmp_path / f"{number}.nwb"
        bad.write_bytes(data)
        try:
            assert set(read_session(bad, accept=["*"]).sizes) == set(truth.sizes)
        except ValueError as error:
            assert bad.name in str(error)
            refused += 1
    assert refused > 3

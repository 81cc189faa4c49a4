"""Random damage to files of others: no crash, no hang, no memory without end, no raw error.

    python tests/safety/fuzz.py --minutes 60 [--seed 0] [--only npz] [--keep FOLDER]

Every read is a process forked from this one. What fails is kept with the seed that made it.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import resource
import shutil
import signal
import sys
import tarfile
import tempfile
import time
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import h5py
import numpy as np
import pandas as pd
import scipy.io
import xarray as xr

import neurodrift as nd
from neurodrift import testing
from neurodrift.convert.own.inspection import inspect_file, inspection_text
from neurodrift.convert.own.mapping import load_mapping
from neurodrift.convert.pipelines.minian import read_minian
from neurodrift.io.arrays.files import list_arrays, read_array, read_columns
from neurodrift.io.fetch import unpack
from neurodrift.io.nwb.inspect import inspect_nwb
from neurodrift.io.nwb.read import read_session
from neurodrift.io.nwb.session import session_from_recording
from neurodrift.io.nwb.write import write_session
from neurodrift.simulate.settings.sweep import read_sweep

SECONDS, MEGABYTES = 10, 2048  # of the processor, and of memory, that a file may take
LONGEST = 90.0  # seconds of the clock, on a busy machine
OURS = (ValueError, OSError, NotImplementedError)


@dataclass(frozen=True)
class Target:
    """A kind of file: how a sound one is made, and what reads it."""

    make: Callable[[Path], Path]
    read: Callable[[Path], object]


def arrays(path: Path) -> None:
    """What ``inspect`` and ``convert arrays`` do with a file of arrays."""
    inspection_text([inspect_file(path)])
    for item in list_arrays(path):
        with contextlib.suppress(ValueError):  # such as a struct, of which a field is to be named
            read_array(path, item.name)


def table(path: Path) -> None:
    inspection_text([inspect_file(path)])
    read_columns(path, "c*")


def nwb(path: Path) -> None:
    inspect_nwb([path])
    read_session(path, accept=["*"])


def store(path: Path) -> None:
    """Whole, but for the lazy activity of a store that has no manifest to hold it against."""
    recording = nd.open_recording(path)
    if (path / "manifest").exists():
        recording.load()


def minian(path: Path) -> None:
    read_minian(path, signal="C", rate=30.0)


def archive(path: Path) -> None:
    out = path.with_name("out")
    shutil.rmtree(out, ignore_errors=True)
    unpack(path, out, max_bytes=1_000_000)


VALUES = {"x": np.arange(60.0), "counts": np.eye(40), "name": "mouse", "t": np.arange(60) / 20}


def a_mat5(folder: Path) -> Path:
    cells = np.empty(3, dtype=object)
    cells[:] = [np.arange(4.0), np.arange(2.0), np.zeros(0)]
    struct = {"a": {"b": np.arange(5.0)}, "cells": cells}
    scipy.io.savemat(folder / "a.mat", VALUES | {"s": struct}, do_compression=False)
    return folder / "a.mat"


def a_packed_mat5(folder: Path) -> Path:
    scipy.io.savemat(folder / "a.mat", VALUES, do_compression=True)
    return folder / "a.mat"


def a_mat73(folder: Path) -> Path:
    with h5py.File(folder / "a.mat", "w", userblock_size=512) as file:
        for name, value in VALUES.items():
            if isinstance(value, np.ndarray):
                file[name] = np.atleast_2d(value).T
                file[name].attrs["MATLAB_class"] = np.bytes_("double")
        group = file.create_group("s")
        group.attrs["MATLAB_class"] = np.bytes_("struct")
        group["b"] = np.ones((1, 5))
        group["b"].attrs["MATLAB_class"] = np.bytes_("double")
    with (folder / "a.mat").open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")
    return folder / "a.mat"


def an_hdf5(folder: Path) -> Path:
    with h5py.File(folder / "a.h5", "w") as file:
        for name, value in VALUES.items():
            file[f"g/{name}"] = value
        file.create_dataset("packed", data=np.arange(9000.0), compression="gzip", shuffle=True)
    return folder / "a.h5"


def a_npy(folder: Path) -> Path:
    np.save(folder / "a.npy", VALUES["counts"])
    return folder / "a.npy"


def an_npz(folder: Path) -> Path:
    np.savez_compressed(folder / "a.npz", **VALUES)
    return folder / "a.npz"


def a_csv(folder: Path) -> Path:
    columns = {f"c{i}": np.random.default_rng(i).poisson(1, 50) for i in range(3)}
    frame = pd.DataFrame({"time": np.arange(50) / 20, "x": np.arange(50.0), **columns})
    frame.to_csv(folder / "a.csv", index=False)
    return folder / "a.csv"


def an_nwb(folder: Path) -> Path:
    recording = testing.linear_track(n_units=3, n_sessions=2, minutes=0.5)
    return write_session(session_from_recording(recording, "1"), folder / "a.nwb")


def a_store(folder: Path) -> Path:
    return nd.save_recording(testing.linear_track(n_units=3, minutes=0.5), folder / "a.zarr")


def a_plain_store(folder: Path) -> Path:
    path = a_store(folder)
    shutil.rmtree(path / "manifest")
    return path


def a_minian(folder: Path, version: Literal[2, 3]) -> Path:
    values = np.random.default_rng(0).random((5, 90))
    array = xr.DataArray(values, dims=("unit_id", "frame"), name="C")
    array = array.assign_coords(unit_id=np.arange(5), frame=np.arange(90))
    array.to_dataset().to_zarr(folder / "m" / "C.zarr", zarr_format=version, consolidated=False)
    return folder / "m"


def a_mapping(folder: Path) -> Path:
    path = folder / "a.yaml"
    path.write_text(
        "subject: {id: m, species: Mus musculus}\nenvironment: track\nregion: CA1\n"
        "activity: {kind: events, file: a.npz, samples: counts, axes: [frames, units], rate: 20}\n"
        "position: {file: a.npz, x: x, unit: cm, rate: 20}\n"
        "sessions:\n- {session: 010, start: 2026-01-01 10:00:00}\n"
    )
    return path


def a_sweep(folder: Path) -> Path:
    path = folder / "a.yaml"
    path.write_text(
        "task: {name: random, n_samples: 5}\nnetwork: {n_hidden: 10}\n"
        "rule: {name: sgd, learning_rate: 0.1}\nn_steps: 100\nsnapshots: [0, 50, 100]\n"
        "sweep: {ranges: [{key: seed, integers: [0, 5]}]}\n"
    )
    return path


def a_zip(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "a.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("d/a.txt", "x" * 5000)
        file.writestr("b.txt", "y")
    return folder / "a.zip"


def a_tar(folder: Path) -> Path:
    with tarfile.open(folder / "a.tar.gz", "w:gz") as file:
        for name, text in {"d/a.txt": b"x" * 5000, "b.txt": b"y"}.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            file.addfile(member, io.BytesIO(text))
    return folder / "a.tar.gz"


TARGETS = {
    "mat5": Target(a_mat5, arrays),
    "mat5 packed": Target(a_packed_mat5, arrays),
    "mat73": Target(a_mat73, arrays),
    "hdf5": Target(an_hdf5, arrays),
    "npy": Target(a_npy, arrays),
    "npz": Target(an_npz, arrays),
    "csv": Target(a_csv, table),
    "nwb": Target(an_nwb, nwb),
    "store": Target(a_store, store),
    "plain store": Target(a_plain_store, store),
    "minian 2": Target(lambda folder: a_minian(folder, 2), minian),
    "minian 3": Target(lambda folder: a_minian(folder, 3), minian),
    "mapping": Target(a_mapping, load_mapping),
    "sweep": Target(a_sweep, read_sweep),
    "zip": Target(a_zip, archive),
    "tar": Target(a_tar, archive),
}


def damage(content: bytes, rng: np.random.Generator) -> bytes:
    """One of the usual ways in which bytes go wrong."""
    data = bytearray(content)
    n = len(data)
    how = rng.integers(7)
    if n == 0 or how == 0:
        return bytes(rng.integers(256, size=rng.integers(200), dtype=np.uint8))
    at = int(rng.integers(n))
    if how == 1:
        return bytes(data[:at])
    if how == 2:  # a part twice, or out
        end = min(n, at + int(rng.integers(1, 200)))
        return bytes(data[:at] + data[at:end] * int(rng.integers(3)) + data[end:])
    if how == 3:  # a number that is large, or negative
        word = rng.choice([2**31 - 1, 2**32 - 1, 2**63 - 1, 2**40, 0])
        data[at : at + 8] = int(word).to_bytes(8, rng.choice(["little", "big"]))
    elif how == 4:  # a digit of a text
        places = [i for i, byte in enumerate(data[:5000]) if 48 <= byte <= 57]
        for place in rng.choice(places, min(len(places), 3)) if places else []:
            data[place] = int(rng.choice(list(b"0129-e.")))
    elif how == 5:
        for _ in range(int(rng.choice([1, 2, 20, 200]))):
            data[int(rng.integers(n))] = int(rng.integers(256))
    else:
        for _ in range(int(rng.choice([1, 3, 10]))):
            place = int(rng.integers(n))
            data[place] ^= 1 << int(rng.integers(8))
    return bytes(data)


def damaged(sound: Path, folder: Path, rng: np.random.Generator) -> Path:
    """A damaged copy of a file or of a store."""
    path = folder / sound.name
    if sound.is_file():
        path.write_bytes(damage(sound.read_bytes(), rng))
        return path
    shutil.copytree(sound, path)
    files = sorted(item for item in path.rglob("*") if item.is_file())
    for _ in range(int(rng.choice([1, 1, 3]))):
        file = files[int(rng.integers(len(files)))]
        file.write_bytes(damage(file.read_bytes(), rng))
    return path


def outcome(read: Callable[[Path], object], path: Path) -> str:
    """What became of reading: sound, refused, or a fault."""
    told, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        text = "fault: nothing said"
        try:
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, 1)
            os.dup2(null, 2)
            resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 1))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                read(path)
            text = "sound"
        except OURS as error:
            text = "refused" if str(error) else "fault: refused without a word"
        except BaseException as error:
            text = f"fault: raw {type(error).__name__}: {str(error)[:200]}"
        finally:
            os.write(tell, text.encode())
            os._exit(0)
    os.close(tell)
    until = time.monotonic() + LONGEST
    status = None
    while status is None and time.monotonic() < until:
        done, status_, usage = os.wait4(pid, os.WNOHANG)
        if done:
            status, used = status_, usage
        else:
            time.sleep(0.001)
    if status is None:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(told)
        return f"fault: no end in {LONGEST:g} s"
    text = os.read(told, 4096).decode()
    os.close(told)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU:
        return f"fault: no end in {SECONDS} s of the processor"
    if os.WIFSIGNALED(status):
        return f"fault: crash by signal {os.WTERMSIG(status)}"
    if used.ru_maxrss / 1024 > MEGABYTES:
        return f"fault: {used.ru_maxrss // 1024} MB"
    return text


def tries(name: str, seed: int, folder: Path) -> Iterator[tuple[int, str, Path]]:
    """(number, outcome, file) of one damaged file after the other."""
    target = TARGETS[name]
    (folder / "sound").mkdir(parents=True)
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            target.make(folder / "sound")
            code = 0
        finally:
            os._exit(code)
    if os.waitpid(pid, 0)[1]:
        raise RuntimeError(f"{name}: the sound file could not be made")
    sound = next(iter((folder / "sound").iterdir()))
    first = outcome(target.read, sound)
    if first != "sound":
        raise RuntimeError(f"{name}: the sound file is {first}")
    number = 0
    while True:
        work = folder / "work"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        path = damaged(sound, work, np.random.default_rng([seed, number]))
        yield number, outcome(target.read, path), path
        number += 1


def _main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--n", type=int, default=10**9, help="most files of a kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=TARGETS, action="append")
    parser.add_argument("--keep", type=Path, help="folder for what fails")
    options = parser.parse_args()
    names = options.only or list(TARGETS)
    bad = 0
    for name in names:
        counts: Counter[str] = Counter()
        until = time.monotonic() + 60 * options.minutes / len(names)
        with tempfile.TemporaryDirectory() as folder:
            for number, what, path in tries(name, options.seed, Path(folder)):
                counts[what.partition(":")[0]] += 1
                if what.startswith("fault"):
                    print(f"{name}, seed {options.seed}, number {number}: {what}", flush=True)
                    if options.keep is not None:
                        kept = options.keep / f"{name}-{options.seed}-{number}"
                        shutil.rmtree(kept, ignore_errors=True)
                        shutil.copytree(path.parent, kept)
                if time.monotonic() > until or number + 1 >= options.n:
                    break
        told = ", ".join(f"{n} {what}" for what, n in sorted(counts.items()))
        print(f"{name}: {counts.total()} files: {told}", flush=True)
        bad += counts["fault"]
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(_main())

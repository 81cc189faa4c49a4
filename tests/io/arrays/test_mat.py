from __future__ import annotations

import itertools
import struct
import time
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import scipy.io.matlab
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.io import savemat
from scipy.sparse import csc_array

from neurodrift.io.arrays.mat import Unreadable, list_mat, read_mat

# ---- a writer of the v7.3 layout, as MATLAB writes it

_NUMBERS = itertools.count()


def write_mat73(path: Path, content: dict[str, Any]) -> Path:
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, value in content.items():
            _put(file, file, name, value)
    head = b"MATLAB 7.3 MAT-file".ljust(116) + bytes(8) + b"\x00\x02IM"
    with path.open("r+b") as raw:
        raw.write(head)
    return path


def _put(file: h5py.File, group: Any, name: str, value: Any) -> Any:
    if isinstance(value, dict):
        item = group.create_group(name)
        item.attrs["MATLAB_class"] = np.bytes_("struct")
        for field, inner in value.items():
            _put(file, item, field, inner)
        return item
    if isinstance(value, str):
        return _dataset(group, name, [[ord(c) for c in value]] if value else (0, 0), "char", "u2")
    if isinstance(value, list):
        return _dataset(group, name, [[ord(c) for c in row] for row in value], "char", "u2")
    if isinstance(value, csc_array):
        item = group.create_group(name)
        item.attrs["MATLAB_class"] = np.bytes_("double")
        item.attrs["MATLAB_sparse"] = np.uint64(value.shape[0])
        for part, values in (("data", value.data), ("ir", value.indices), ("jc", value.indptr)):
            item[part] = values
        return item
    value = np.asarray(value)
    if value.dtype == object and value.size and isinstance(value.ravel()[0], dict):
        item = group.create_group(name)
        item.attrs["MATLAB_class"] = np.bytes_("struct")
        for field in value.ravel()[0]:
            column = np.empty(value.shape, dtype=object)
            for at in np.ndindex(value.shape):
                column[at] = value[at][field]
            item[field] = _references(file, column)
        return item
    if value.dtype == object:
        return _dataset(
            group, name, _references(file, value).T if value.size else value.shape, "cell", None
        )
    kind = {"f8": "double", "f4": "single", "b1": "logical", "c16": "double"}.get(
        value.dtype.str[1:], value.dtype.name
    )
    if value.dtype.kind == "c":
        parts = np.empty(value.shape, dtype=[("real", "f8"), ("imag", "f8")])
        parts["real"], parts["imag"] = value.real, value.imag
        return _dataset(group, name, parts, kind, parts.dtype)
    stored = "u1" if kind == "logical" else value.dtype
    return _dataset(group, name, value if value.size else value.shape, kind, stored)


def _references(file: h5py.File, cells: np.ndarray) -> np.ndarray:
    hidden = file.require_group("#refs#")
    found = np.empty(cells.shape[::-1], dtype=h5py.ref_dtype)
    for at in np.ndindex(cells.shape):
        found[at[::-1]] = _put(file, hidden, f"r{next(_NUMBERS)}", cells[at]).ref
    return found


def _dataset(group: Any, name: str, data: Any, kind: str, dtype: Any) -> Any:
    is_empty = isinstance(data, tuple)
    if is_empty:
        item = group.create_dataset(name, data=np.array(data, dtype=np.uint64))
        item.attrs["MATLAB_empty"] = np.uint8(1)
    else:
        # Column by column, so the axes of the dataset are reversed.
        values = np.asarray(data, dtype=dtype or h5py.ref_dtype).T
        item = group.create_dataset(name, data=values, dtype=dtype or h5py.ref_dtype)
    item.attrs["MATLAB_class"] = np.bytes_(kind)
    if kind in ("char", "logical"):
        item.attrs["MATLAB_int_decode"] = np.int32(2 if kind == "char" else 1)
    return item


def cell(shape: tuple[int, ...], *items: Any) -> np.ndarray:
    made = np.empty(shape, dtype=object)
    for at, item in zip(np.ndindex(shape), items, strict=True):
        made[at] = item
    return made


CONTENT = {
    "doubles": np.arange(6.0).reshape(2, 3),
    "cube": np.arange(24, dtype=np.int16).reshape(2, 3, 4),
    "single": np.array([[1.5, np.nan]], dtype=np.float32),
    "bytes": np.array([[1], [255]], dtype=np.uint8),
    "complex": np.array([[1 + 2j, 3.0]]),
    "logical": np.array([[True, False, True]]),
    "text": "Größe in cm",
    "no_text": "",
    "rows": ["one  ", "three"],
    "empty": np.zeros((0, 3)),
    "no_cells": np.empty((1, 0), dtype=object),
    "cells": cell((1, 4), np.array([[1.0]]), "b", np.zeros((0, 0)), cell((2, 1), "c", "d")),
    "struct": {"name": "C6", "data": np.ones((3, 1)), "inner": {"tags": cell((1, 1), "x")}},
    "structs": cell((1, 2), {"a": np.array([[1.0]]), "b": "x"}, {"a": np.zeros((2, 2)), "b": ""}),
    "sparse": csc_array(np.array([[0.0, 2.0], [0.0, 0.0], [4.0, 0.0]])),
}


def write_mat5(path: Path, content: dict[str, Any], **options: Any) -> Path:
    savemat(path, {name: _savable(value) for name, value in content.items()}, **options)
    return path


def _savable(value: Any) -> Any:
    """savemat writes structs from dicts and char matrices from arrays of texts."""
    if isinstance(value, list):
        return np.array(value)
    if isinstance(value, np.ndarray) and value.dtype == object and value.size:
        first = value.ravel()[0]
        if isinstance(first, dict):
            made = np.empty(value.shape, dtype=[(name, object) for name in first])
            for at in np.ndindex(value.shape):
                for name in first:
                    made[at][name] = _savable(value[at][name])
            return made
        return cell(value.shape, *[_savable(item) for item in value.ravel()])
    if isinstance(value, dict):
        return {name: _savable(item) for name, item in value.items()}
    return value


def same(found: Any, wanted: Any, where: str = "") -> None:
    assert type(found) is type(wanted), where
    if isinstance(wanted, dict):
        assert set(found) == set(wanted), where
        for name in wanted:
            same(found[name], wanted[name], f"{where}.{name}")
    elif isinstance(wanted, csc_array):
        np.testing.assert_array_equal(found.toarray(), wanted.toarray())
    elif isinstance(wanted, np.ndarray):
        assert found.shape == wanted.shape and found.dtype == wanted.dtype, where
        if wanted.dtype == object:
            for at in np.ndindex(wanted.shape):
                same(found[at], wanted[at], f"{where}{list(at)}")
        else:
            np.testing.assert_array_equal(found, wanted)
    else:
        assert found == wanted, where


WRITERS: dict[str, Callable[[Path, dict[str, Any]], Path]] = {
    "v5": write_mat5,
    "v5 compressed": lambda path, content: write_mat5(path, content, do_compression=True),
    "v7.3": write_mat73,
}


@pytest.mark.parametrize("version", WRITERS)
def test_read_mat__every_class_in_every_version(version: str, tmp_path: Path) -> None:
    path = WRITERS[version](tmp_path / "file.mat", CONTENT)
    same(read_mat(path), CONTENT)
    same(read_mat(path, ["text", "cells"]), {name: CONTENT[name] for name in ("text", "cells")})


@pytest.mark.parametrize("version", WRITERS)
def test_list_mat__shapes_and_classes(version: str, tmp_path: Path) -> None:
    path = WRITERS[version](tmp_path / "file.mat", CONTENT)
    found = {item.name: item for item in list_mat(path)}
    assert set(found) == set(CONTENT)
    expected = {
        "doubles": ("double", (2, 3), 48),
        "cube": ("int16", (2, 3, 4), 48),
        "complex": ("double", (1, 2), 32),
        "logical": ("logical", (1, 3), 3),
        "text": ("char", (1, 11), 0),
        "cells": ("cell", (1, 4), 0),
        "no_cells": ("cell", (1, 0), 0),
        "struct": ("struct", (1, 1), 0),
        "structs": ("struct", (1, 2), 0),
        "sparse": ("sparse", (3, 2), 0),
        "empty": ("double", (0, 3), 0),
    }
    for name, (kind, shape, n_bytes) in expected.items():
        item = found[name]
        assert (item.matlab_class, item.shape, item.n_bytes) == (kind, shape, n_bytes), name


MATLAB_FILES = Path(scipy.io.matlab.__path__[0]) / "tests" / "data"


def matlab_file(name: str) -> Path:
    if not MATLAB_FILES.is_dir():
        pytest.skip("files that MATLAB wrote are absent: scipy was installed without its tests")
    return MATLAB_FILES / name


@pytest.mark.parametrize("version", ["6.1_SOL2", "6.5.1_GLNX86", "7.1_GLNX86", "7.4_GLNX86"])
def test_read_mat__files_that_matlab_wrote(version: str) -> None:
    def value(what: str) -> Any:
        return read_mat(matlab_file(f"test{what}_{version}.mat"))[f"test{what}"]

    same(value("double"), np.arange(9)[None] * np.pi / 4)
    turns = value("complex")
    np.testing.assert_allclose(turns, np.exp(1j * np.arange(9) * np.pi / 4)[None], atol=1e-15)
    same(value("string"), '"Do nine men interpret?" "Nine men," I nod.')
    same(value("stringarray"), ["one  ", "two  ", "three"])
    same(value("3dmatrix"), np.arange(1.0, 25).reshape(2, 3, 4, order="F"))
    numbers = [np.arange(1.0, n + 1)[None] for n in (1, 2, 3)]
    same(value("cell"), cell((1, 4), value("cell")[0, 0], *numbers))
    assert value("cellnest")[0, 1][0, 2][0, 1] == 5
    assert value("struct")["stringfield"] == "Rats live on no evil star."
    assert value("struct")["complexfield"].dtype == complex
    wanted = [{"one": np.ones((1, 1)), "two": np.full((1, 1), 2.0)}]
    same(value("structarr"), cell((1, 2), *wanted, {"one": "number 1", "two": "number 2"}))
    assert isinstance(value("object"), Unreadable) and "inline" in repr(value("object"))
    assert value("sparse").toarray()[:, 0].tolist() == [1, 2, 3]


def test_read_mat__real_v73_function_handle_and_big_endian() -> None:
    path = matlab_file("testhdf5_7.4_GLNX86.mat")
    same(read_mat(path), {"testdouble": np.arange(9)[None] * np.pi / 4})
    found = read_mat(matlab_file("some_functions.mat"))
    assert found["a"].item() == -3.9 and isinstance(found["parabola"], Unreadable)
    big = read_mat(matlab_file("big_endian.mat"))["floats"]
    assert big.dtype == np.dtype("f4") and big.dtype.isnative
    assert read_mat(matlab_file("test_empty_struct.mat")) == {"a": {}}
    assert read_mat(matlab_file("testbool_8_WIN64.mat"))["testbools"].dtype == bool


def as_scipy(found: Any, wanted: Any, where: str) -> None:
    """The value that scipy reads without classes, so numbers may be of a narrower type."""
    if isinstance(found, Unreadable):
        return
    if isinstance(found, dict):
        assert (wanted.dtype.names or ()) == tuple(found) or None in wanted, where
        for name in found:
            as_scipy(found[name], wanted[name][0, 0], f"{where}.{name}")
    elif isinstance(found, str | list):
        assert (found if isinstance(found, list) else [found] * bool(found)) == list(wanted.ravel())
    elif isinstance(found, np.ndarray) and found.dtype == object:
        assert found.shape == wanted.shape
        for at in np.ndindex(found.shape):
            item = (
                wanted[at[0] : at[0] + 1, at[1] : at[1] + 1] if wanted.dtype.names else wanted[at]
            )
            as_scipy(found[at], item, f"{where}{at}")
    elif isinstance(found, np.ndarray):
        assert found.shape == wanted.shape, where
        np.testing.assert_array_equal(found, wanted)
    else:
        np.testing.assert_array_equal(found.toarray(), wanted.toarray())


def test_read_mat__as_scipy_on_every_file_that_matlab_wrote() -> None:
    """An independent reader of the same files, whatever their version and byte order."""
    matlab_file("")
    n_files = 0
    for path in sorted(MATLAB_FILES.glob("*.mat")):
        try:
            found = read_mat(path)
        except ValueError:
            continue
        if path.name.startswith(("nasty", "testhdf5", "bad_", "broken")):
            continue  # doubled names, HDF5, and texts that scipy refuses
        wanted = scipy.io.loadmat(path)
        assert set(found) == {name for name in wanted if not name.startswith("__")}
        for name in found:
            as_scipy(found[name], wanted[name], f"{path.name}: {name}")
        n_files += 1
    assert n_files > 60


@pytest.mark.parametrize(
    "name",
    [
        "malformed1.mat",
        "corrupted_zlib_data.mat",
        "corrupted_zlib_checksum.mat",
        "bad_miuint32.mat",
        "debigged_m4.mat",
        "testvec_4_GLNX86.mat",
        "testdouble_4.2c_SOL2.mat",
    ],
)
def test_read_mat__files_that_scipy_keeps_as_bad(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        read_mat(matlab_file(name))


def test_read_mat__real_data_as_scipy_reads_it(shared_data: Path) -> None:
    folder = shared_data / "sheintuch2020" / "C6_M4" / "Environment A"
    events = read_mat(folder / "finalEventsMat_1.mat")["allEventsMat"]
    assert np.array_equal(events, scipy.io.loadmat(folder / "finalEventsMat_1.mat")["allEventsMat"])
    found = read_mat(folder / "behavior_1.mat")["my_mvmt"]
    wanted = scipy.io.loadmat(folder / "behavior_1.mat")["my_mvmt"]
    assert found.shape == wanted.shape == (1, 6) and found[0, 0].size == 0
    for i in range(1, 6):
        for field in wanted[0, i].dtype.names:
            value = wanted[0, i][field][0, 0]
            value = str(value[0]) if value.dtype.kind == "U" else value
            assert np.array_equal(found[0, i][field], value)


# ---- what must be refused


def element(kind: int, data: bytes) -> bytes:
    return struct.pack("<II", kind, len(data)) + data + bytes(-len(data) % 8)


def matrix(number: int, shape: tuple[int, ...], rest: bytes, name: bytes = b"x") -> bytes:
    body = element(6, struct.pack("<II", number, 0))
    body += element(5, struct.pack(f"<{len(shape)}i", *shape)) + element(1, name) + rest
    return struct.pack("<II", 14, len(body)) + body


def packed(data: bytes) -> bytes:
    small = zlib.compress(data, 9)
    return struct.pack("<II", 15, len(small)) + small


def file_of(path: Path, *variables: bytes) -> Path:
    path.write_bytes(b"MATLAB 5.0".ljust(124) + b"\x00\x01IM" + b"".join(variables))
    return path


def nested(depth: int) -> bytes:
    inner = matrix(6, (1, 1), element(9, bytes(8)), b"")
    for i in range(depth):
        inner = matrix(1, (1, 1), inner, b"x" if i == depth - 1 else b"")
    return inner


NUMBERS = element(9, bytes(80))
BAD = {
    "dims beyond the data": (matrix(6, (100_000, 100_000), NUMBERS), "does not fit"),
    "dims below the data": (matrix(6, (1, 3), NUMBERS), "does not fit"),
    "negative dims": (matrix(6, (-1, 10), NUMBERS), "shape"),
    "no dims": (matrix(6, (), NUMBERS), "no dimensions"),
    "33 dims": (matrix(6, (1,) * 33, NUMBERS), "no dimensions"),
    "unknown class": (matrix(77, (1, 10), NUMBERS), "unknown class 77"),
    "numbers of type text": (matrix(6, (1, 5), element(99, bytes(80))), "type 99"),
    "huge cell": (matrix(1, (60_000, 60_000), b""), "do not fit"),
    "huge char without bytes": (matrix(4, (40_000, 40_000), element(4, b"")), "more than"),
    "text of unknown type": (matrix(4, (1, 2), element(27408, b"ab")), "text has the type 27408"),
    "huge struct without fields": (
        matrix(2, (9_000, 9_000), element(5, b"\x20\0\0\0") + element(1, b"")),
        "more than",
    ),
    "struct without lengths": (matrix(2, (1, 1), element(5, bytes(4)) + element(1, b"")), "names"),
    "sparse without columns": (
        matrix(5, (2, 2_000_000_000), element(5, bytes(4)) + element(5, bytes(8)) + NUMBERS),
        "column indices",
    ),
    "sparse rows outside": (
        matrix(
            5,
            (2, 1),
            element(5, struct.pack("<i", 7))
            + element(5, struct.pack("<2i", 0, 1))
            + element(9, bytes(8)),
        ),
        "contradicts|damaged",
    ),
    "cells 5000 deep": (nested(5_000), "nested more than 64 deep"),
    "cells 65 deep": (nested(66), "nested more than 64 deep"),
    "cell of numbers": (matrix(1, (1, 1), element(9, bytes(16))), "not a matrix"),
    "variable of unknown type": (struct.pack("<II", 3, 8) + bytes(8), "should begin a variable"),
    "declares 4 GiB": (struct.pack("<II", 14, 2**32 - 8) + bytes(64), "truncated"),
    "no zlib": (struct.pack("<II", 15, 40) + bytes(40), "decompress"),
    "compressed numbers": (packed(NUMBERS), "compressed variable"),
    "twice the same": (matrix(6, (1, 10), NUMBERS) * 2, "twice"),
}


def bounded(call: Callable[[], object], message: str) -> None:
    """One clear ValueError, within 2 s and 64 MiB."""
    tracemalloc.start()
    start = time.process_time()
    try:
        with pytest.raises(ValueError, match=message):
            call()
        assert time.process_time() - start < 2
        assert tracemalloc.get_traced_memory()[1] < 2**26
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("fault", BAD)
@pytest.mark.parametrize("is_compressed", [False, True])
def test_read_mat__damaged_v5(fault: str, is_compressed: bool, tmp_path: Path) -> None:
    data, message = BAD[fault]
    if is_compressed and data[:4] == b"\x0e\0\0\0" and fault != "twice the same":
        data, message = packed(data), message + "|truncated|decompress|flags"
    bounded(lambda: read_mat(file_of(tmp_path / "bad.mat", data)), f"bad.mat.*({message})")


def test_read_mat__compressed_bomb(tmp_path: Path) -> None:
    huge = zlib.compressobj(9)
    head = matrix(6, (1, 2**28), b"")
    total = len(head) - 8 + 8 + 2**31
    begin = struct.pack("<II", 14, total) + head[8:] + struct.pack("<II", 9, 2**31)
    small = huge.compress(begin)
    for _ in range(2**31 // 2**24):
        small += huge.compress(bytes(2**24))
        if len(small) > 2**16:
            break  # cut short: it declares 2 GiB, which is what matters
    small += huge.flush()
    path = file_of(tmp_path / "bomb.mat", struct.pack("<II", 15, len(small)) + small)
    bounded(lambda: read_mat(path, max_bytes=2**30), "bomb.mat.*more than 1073741824 bytes")
    inside = packed(struct.pack("<II", 14, 2**31) + matrix(1, (1, 1), b"")[8:])
    path = file_of(tmp_path / "bomb.mat", inside)
    bounded(lambda: read_mat(path, max_bytes=2**30), "bomb.mat.*more than 1073741824 bytes")


def test_read_mat__max_bytes_counts_what_is_read(tmp_path: Path) -> None:
    path = write_mat5(tmp_path / "a.mat", {"a": np.zeros((10, 10)), "b": np.zeros((1, 2))})
    assert read_mat(path, ["b"], max_bytes=16)["b"].size == 2
    with pytest.raises(ValueError, match="more than 16 bytes.*name the variables"):
        read_mat(path, max_bytes=16)
    path = write_mat73(tmp_path / "b.mat", {"a": np.zeros((10, 10)), "b": np.zeros((1, 2))})
    with pytest.raises(ValueError, match="more than 799 bytes"):
        read_mat(path, max_bytes=799)


@pytest.mark.parametrize("version", WRITERS)
def test_read_mat__truncated_anywhere(version: str, tmp_path: Path) -> None:
    path = WRITERS[version](tmp_path / "whole.mat", CONTENT)
    data = path.read_bytes()
    rng = np.random.default_rng(0)
    for n in [0, 1, 20, 127, 128, 130, *rng.integers(128, len(data) - 8, 25)]:
        short = tmp_path / "short.mat"
        short.write_bytes(data[:n])
        try:
            found = read_mat(short)
        except ValueError as error:
            assert "short.mat" in str(error)
        else:  # cut between two variables: what is left is whole
            same(found, {name: CONTENT[name] for name in found})
            assert len(found) < len(CONTENT)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=4))
def test_read_mat__changed_bytes_are_errors_or_values(changes: list[tuple[int, int]]) -> None:
    """Whatever is changed: values or one ValueError, never a crash and never much memory."""
    data = bytearray(_whole())
    for at, value in changes:
        data[at % len(data)] = value
    path = _SCRATCH / "changed.mat"
    path.write_bytes(data)
    try:
        read_mat(path, max_bytes=2**24)
    except ValueError as error:
        assert "changed.mat" in str(error)


_CACHE: dict[str, bytes] = {}
_SCRATCH = Path("/tmp")


def _whole() -> bytes:
    if "data" not in _CACHE:
        _CACHE["data"] = write_mat5(_SCRATCH / "changed.mat", CONTENT).read_bytes()
    return _CACHE["data"]


@pytest.fixture(scope="module", autouse=True)
def scratch(tmp_path_factory: pytest.TempPathFactory) -> None:
    global _SCRATCH
    _SCRATCH = tmp_path_factory.mktemp("mat")


def test_read_mat__links_out_of_the_file(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["x"] = [1.0]
        file["x"].attrs["MATLAB_class"] = np.bytes_("double")
    path = write_mat73(tmp_path / "link.mat", {"a": np.ones((1, 1))})
    with h5py.File(path, "r+") as file:
        file["x"] = h5py.ExternalLink(str(tmp_path / "secret.h5"), "/x")
    with pytest.raises(ValueError, match="link.mat.*x is a link"):
        read_mat(path)
    raw = tmp_path / "raw.bin"
    raw.write_bytes(bytes(80))
    with h5py.File(path, "r+") as file:
        del file["x"]
        item = file.create_dataset("x", (10,), "f8", external=[(str(raw), 0, 80)])
        item.attrs["MATLAB_class"] = np.bytes_("double")
    with pytest.raises(ValueError, match="link.mat.*from another file"):
        read_mat(path)


def test_read_mat__bombs_in_v73(tmp_path: Path) -> None:
    path = write_mat73(tmp_path / "bomb.mat", {"a": cell((1, 1), np.ones((1, 1)))})
    with h5py.File(path, "r+") as file:
        huge = file.create_dataset("huge", (2**20, 2**20), "f8", chunks=(64, 64))
        huge.attrs["MATLAB_class"] = np.bytes_("double")
    assert path.stat().st_size < 2**20
    bounded(lambda: read_mat(path), "bomb.mat.*declares more than")
    with h5py.File(path, "r+") as file:  # a cell of a thousand times itself
        refs = np.full((1000, 1), file["a"].ref, dtype=h5py.ref_dtype)
        del file["huge"]
        loop = file.create_dataset("loop", data=refs, dtype=h5py.ref_dtype)
        loop.attrs["MATLAB_class"] = np.bytes_("cell")
        loop[:] = np.full((1000, 1), loop.ref, dtype=h5py.ref_dtype)
    bounded(lambda: read_mat(path, ["loop"]), "bomb.mat.*nested more than 64")


def test_read_mat__contradictions_in_v73(tmp_path: Path) -> None:
    def bad(change: Callable[[h5py.File], None], message: str) -> None:
        path = write_mat73(tmp_path / "bad.mat", CONTENT)
        with h5py.File(path, "r+") as file:
            change(file)
        with pytest.raises(ValueError, match=f"bad.mat.*{message}"):
            read_mat(path)

    def null(file: h5py.File) -> None:
        file["cells"][0, 0] = h5py.Reference()

    bad(null, "points nowhere")
    bad(lambda f: f["doubles"].attrs.__setitem__("MATLAB_class", np.bytes_("cell")), "references")
    bad(lambda f: f["doubles"].attrs.__setitem__("MATLAB_empty", np.uint8(1)), "marked as empty")
    bad(lambda f: f["doubles"].attrs.__setitem__("MATLAB_class", np.bytes_("char")), "text")
    bad(lambda f: f["sparse"]["ir"].__setitem__(0, 99), "contradicts itself")


def test_read_mat__no_matlab_file(tmp_path: Path) -> None:
    path = tmp_path / "x.mat"
    np.save(tmp_path / "x.npy", np.array([{}], dtype=object), allow_pickle=True)
    (tmp_path / "x.npy").rename(path)
    with pytest.raises(ValueError, match="NumPy file"):
        read_mat(path)
    path.write_text("x,y\n1,2\n" * 100)
    with pytest.raises(ValueError, match="does not begin as a MATLAB"):
        read_mat(path)
    with h5py.File(path, "w") as file:
        file["x"] = [1.0]
    for call in (read_mat, list_mat):
        with pytest.raises(ValueError, match="not one that MATLAB wrote: read it as HDF5"):
            call(path)
    with pytest.raises(FileNotFoundError, match="no file .*none.mat"):
        read_mat(tmp_path / "none.mat")


def test_read_mat__no_such_variable(tmp_path: Path) -> None:
    for write in WRITERS.values():
        path = write(tmp_path / "x.mat", {"spikes": np.ones((1, 1)), "pos": np.ones((1, 1))})
        with pytest.raises(ValueError, match=r"no variable position; it holds \w+, \w+"):
            read_mat(path, ["position"])

from __future__ import annotations

import os
import pickle
import struct
import sys
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.io

from neurodrift.io.arrays.files import ArrayInfo, list_arrays, read_array

MATRIX = np.arange(12.0).reshape(4, 3)
VECTORS = [np.array([0.5, 1.5]), np.array([]), np.array([2.0])]


class Evil:
    def __reduce__(self):
        return (os.mkdir, ("/tmp/neurodrift-must-not-exist",))


def cell(vectors):
    made = np.empty((len(vectors), 1), dtype=object)
    for i, vector in enumerate(vectors):
        made[i, 0] = vector[:, None]
    return made


def test_load_array__npy_and_npz(tmp_path):
    np.save(tmp_path / "a.npy", MATRIX)
    np.testing.assert_array_equal(read_array(tmp_path / "a.npy"), MATRIX)
    np.testing.assert_array_equal(read_array(tmp_path / "a.npy", 1), MATRIX[:, 1])
    np.savez_compressed(tmp_path / "a.npz", m=MATRIX, u0=VECTORS[0], u1=VECTORS[1], u2=VECTORS[2])
    np.testing.assert_array_equal(read_array(tmp_path / "a.npz", "m"), MATRIX)
    for found, expected in zip(read_array(tmp_path / "a.npz", "u*"), VECTORS, strict=True):
        np.testing.assert_array_equal(found, expected)
    assert list_arrays(tmp_path / "a.npz")[0] == ArrayInfo("m", (4, 3), "float64")


@pytest.mark.parametrize("version", ["5", "7.3"])
def test_load_array__mat(tmp_path, version):
    path = tmp_path / "a.mat"
    if version == "5":
        values = {"m": MATRIX, "t": VECTORS[0], "c": cell(VECTORS), "s": {"x": MATRIX}, "n": "ab"}
        scipy.io.savemat(path, values)
    else:
        write_mat73(path)
    np.testing.assert_array_equal(read_array(path, "m"), MATRIX)
    assert read_array(path, "t").shape == (2,)
    np.testing.assert_array_equal(read_array(path, "s.x"), MATRIX)
    for found, expected in zip(read_array(path, "c"), VECTORS, strict=True):
        np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(read_array(path, "c{3}"), VECTORS[2])
    with pytest.raises(ValueError, match="counts 1 to 3"):
        read_array(path, "c{4}")
    with pytest.raises(ValueError, match="no variable 'M'; did you mean 'm'"):
        read_array(path, "M")


def write_mat73(path):
    """As MATLAB writes it: columns first, cells as references, classes as attributes."""
    with h5py.File(path, "w", userblock_size=512) as file:

        def put(name, values):
            made = file.create_dataset(name, data=np.atleast_2d(values).T)
            made.attrs["MATLAB_class"] = np.bytes_("double")
            return made

        put("m", MATRIX)
        put("t", VECTORS[0])
        put("s/x", MATRIX)
        file["s"].attrs["MATLAB_class"] = np.bytes_("struct")
        references = []
        for i, vector in enumerate(VECTORS):
            if vector.size:
                made = put(f"#refs#/{i}", vector[:, None])
            else:
                made = file.create_dataset(f"#refs#/{i}", data=np.array([0, 0], dtype=np.uint64))
                made.attrs["MATLAB_class"] = np.bytes_("double")
                made.attrs["MATLAB_empty"] = np.uint8(1)
            references.append(made.ref)
        made = file.create_dataset("c", (1, 3), dtype=h5py.ref_dtype)
        made[0] = references
        made.attrs["MATLAB_class"] = np.bytes_("cell")
    header = b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + struct.pack("<H2s", 512, b"IM")
    with path.open("r+b") as file:
        file.write(header)


def test_load_array__hdf5(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["g/m"] = MATRIX
        for i, vector in enumerate(VECTORS):
            file[f"spikes/{i}"] = vector
        file["names"] = ["a", "b"]
        file["units/spike_times"] = np.concatenate(VECTORS)
        file["units/spike_times_index"] = np.array([2, 2, 3])
    np.testing.assert_array_equal(read_array(path, "g/m"), MATRIX)
    np.testing.assert_array_equal(read_array(path, "g.m"), MATRIX)
    assert read_array(path, "names").tolist() == ["a", "b"]
    for name in ("spikes/*", "units/spike_times"):
        for found, expected in zip(read_array(path, name), VECTORS, strict=True):
            np.testing.assert_array_equal(found, expected)
    assert [item.name for item in list_arrays(path) if item.is_collection] == ["spikes/*"]


@pytest.mark.parametrize(
    "text",
    [
        "t,x\n0,1.5\n0.1,2.5\n",
        "\ufefft;x\n0;1,5\n0,1;2,5\n",
        "t\tx\r\n0\t1.5\r\n0.1\t2.5\r\n",
        "t x\n0 1.5\n0.1 2.5\n",
        '"t","x"\n0,"1.5"\n0.1,2.5',
    ],
    ids=["comma", "semicolon, decimal comma", "tab", "blanks", "quoted, no last line end"],
)
def test_load_array__text(tmp_path, text):
    path = tmp_path / "a.csv"
    path.write_text(text, encoding="utf-8")
    assert read_array(path, "t").tolist() == [0, 0.1]
    assert read_array(path, 1).tolist() == [1.5, 2.5]
    assert read_array(path).tolist() == [[0, 1.5], [0.1, 2.5]]


def test_load_array__text_without_header(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("0,1.5\n0.1,\n0.2,2.5\n")
    np.testing.assert_array_equal(read_array(path, 1), [1.5, np.nan, 2.5])


def test_load_array__parquet(tmp_path):
    pytest.importorskip("pyarrow")
    path = tmp_path / "a.parquet"
    pd.DataFrame({"t": [0, 0.1], "name": ["a", "b"]}).to_parquet(path)
    assert read_array(path, "t").tolist() == [0, 0.1]
    assert read_array(path, "name").tolist() == ["a", "b"]
    with pytest.raises(ValueError, match="no variable 'x'"):
        read_array(path, "x")


def test_load_array__parquet_without_pyarrow(tmp_path, monkeypatch):
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(ValueError, match=r'pip install "neurodrift\[parquet\]"'):
        read_array(tmp_path / "a.parquet", "t")


def npy_header(shape, descr="'<f8'"):
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()


def bad_npy_truncated(path):
    np.save(path, np.arange(1000.0))
    path.write_bytes(path.read_bytes()[:4000])


def bad_npy_longer(path):
    np.save(path, np.arange(10.0))
    path.write_bytes(path.read_bytes() + b"more")


def bad_npz_member(path, content):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", content)


def bad_npz_broken(path):
    np.savez_compressed(path, a=np.random.default_rng(0).random(1000))
    content = bytearray(path.read_bytes())
    content[500:520] = b"\0" * 20
    path.write_bytes(content)


def bad_hdf5_huge(path, shape):
    with h5py.File(path, "w") as file:
        file.create_dataset("a", shape, "f8", chunks=(1000,) * len(shape))


def bad_hdf5_link(path):
    with h5py.File(path.with_name("other.h5"), "w") as file:
        file["a"] = MATRIX
    with h5py.File(path, "w") as file:
        file["a"] = h5py.ExternalLink("other.h5", "a")


def bad_hdf5_external(path):
    path.with_name("raw").write_bytes(b"\0" * 800)
    with h5py.File(path, "w") as file:
        file.create_dataset("a", (100,), "f8", external=[(str(path.with_name("raw")), 0, 800)])


def bad_hdf5_truncated(path):
    with h5py.File(path, "w") as file:
        file["a"] = np.arange(10_000.0)
    path.write_bytes(path.read_bytes()[:5000])


def bad_mat(path):
    scipy.io.savemat(path, {"a": np.arange(10_000.0)})
    path.write_bytes(path.read_bytes()[:5000])


BAD = {
    "pickle.npy": (lambda p: p.write_bytes(pickle.dumps(Evil())), "Python pickle"),
    "pickle.npz": (lambda p: p.write_bytes(pickle.dumps(Evil())), "Python pickle"),
    "pickle.csv": (lambda p: p.write_bytes(pickle.dumps(Evil())), "Python pickle"),
    "pickle.mat": (lambda p: p.write_bytes(pickle.dumps(Evil())), "Python pickle"),
    "object.npy": (lambda p: np.save(p, np.array([Evil()]), allow_pickle=True), "never loaded"),
    "object.npz": (lambda p: bad_npz_member(p, npy_header("(3,)", "'|O'")), "never loaded"),
    "truncated.npy": (bad_npy_truncated, "is damaged"),
    "longer.npy": (bad_npy_longer, "is damaged"),
    "huge.npy": (lambda p: p.write_bytes(npy_header("(1000000, 1000000)")), "GiB"),
    "claims.npy": (lambda p: p.write_bytes(npy_header("(100000,)") + b"\0" * 8), "is damaged"),
    "negative.npy": (lambda p: p.write_bytes(npy_header("(-4,)")), "is damaged"),
    "header.npy": (lambda p: p.write_bytes(b"\x93NUMPY\x01\x00\xff\xff{"), "is damaged"),
    "empty.npy": (lambda p: p.write_bytes(b""), "is empty"),
    "empty.csv": (lambda p: p.write_bytes(b""), "is empty"),
    "text.npy": (lambda p: p.write_text("1,2,3"), "is no npy file"),
    "text.h5": (lambda p: p.write_text("1,2,3"), "is no hdf5 file"),
    "huge.npz": (lambda p: bad_npz_member(p, npy_header("(1000000, 1000000)")), "GiB"),
    "claims.npz": (lambda p: bad_npz_member(p, npy_header("(100000,)") + b"\0" * 8), "is damaged"),
    "broken.npz": (bad_npz_broken, "is damaged"),
    "cut.npz": (lambda p: p.write_bytes(b"PK\x03\x04 and no more"), "is damaged"),
    "huge.h5": (lambda p: bad_hdf5_huge(p, (10**6, 10**6)), "GiB"),
    "hollow.h5": (lambda p: bad_hdf5_huge(p, (10**7,)), "but holds 0 bytes"),
    "link.h5": (bad_hdf5_link, "another file"),
    "external.h5": (bad_hdf5_external, "another file"),
    "truncated.h5": (bad_hdf5_truncated, "no readable HDF5 file"),
    "truncated.mat": (bad_mat, "truncated.mat"),
    "text.mat": (lambda p: p.write_text("no matlab file " * 20), "text.mat"),
    "zip.csv": (lambda p: p.write_bytes(b"PK\x03\x04\x00\x00\x00\x00"), "is no text"),
    "header_only.csv": (lambda p: p.write_text("t,a\n"), "no rows"),
    "cut_off.csv": (lambda p: p.write_text("t,a\n0,1\n1,2\n2"), "is cut off"),
    "ragged.csv": (lambda p: p.write_text("t,a\n0,1\n1,2,3\n2,4\n"), "no readable table"),
    "damaged.parquet": (lambda p: p.write_bytes(b"PAR1" + b"x" * 50), "readable Parquet"),
    "table.xlsx": (lambda p: p.write_bytes(b"PK"), "reader: ethovision"),
    "table.odt": (lambda p: p.write_bytes(b"PK"), "no known format"),
}


@pytest.mark.parametrize("name", BAD)
def test_load_array__bad_file(tmp_path, name):
    make, message = BAD[name]
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    make(tmp_path / name)
    with pytest.raises(ValueError, match=message) as caught:
        read_array(tmp_path / name, None if name.endswith("npy") else "a")
    assert name in str(caught.value)
    assert not Path("/tmp/neurodrift-must-not-exist").exists()


def test_load_array__needs_a_name_where_there_are_several(tmp_path):
    np.savez(tmp_path / "a.npz", x=MATRIX, y=MATRIX)
    with pytest.raises(ValueError, match="2 variables, so one must be named: x, y"):
        read_array(tmp_path / "a.npz")
    np.save(tmp_path / "a.npy", MATRIX)
    with pytest.raises(ValueError, match="no column 3"):
        read_array(tmp_path / "a.npy", 3)
    with pytest.raises(ValueError, match="leave 'x' out"):
        read_array(tmp_path / "a.npy", "x")
    with pytest.raises(FileNotFoundError):
        read_array(tmp_path / "b.npy")

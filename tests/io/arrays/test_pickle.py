from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurodrift.io.arrays.pickle import Symbol, read_inert, read_object_npy

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
    max_leaves=20,
)


class Evil:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (os.mkdir, (str(self.path),))


@given(PLAIN, st.integers(0, pickle.HIGHEST_PROTOCOL))
def test_read_inert__gives_what_unpickling_gives(value, protocol):
    assert read_inert(pickle.dumps(value, protocol)) == value


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_read_inert__numpy(protocol):
    values = {
        "matrix": np.arange(6.0).reshape(2, 3),
        "columns": np.asfortranarray(np.arange(6, dtype=np.int16).reshape(2, 3)),
        "big": np.arange(3, dtype=">f4"),
        "scalar": np.float32(2.5),
        "flag": np.bool_(True),
        "objects": np.array([[1, None], [None, 2]], dtype=object),
    }
    found = read_inert(pickle.dumps(values, protocol))
    assert found.keys() == values.keys()
    for name, value in values.items():
        np.testing.assert_array_equal(found[name], value)


def test_read_inert__runs_nothing(tmp_path):
    bad = tmp_path / "made"
    found = read_inert(pickle.dumps({"fs": Evil(bad), "rate": 30.0}))
    assert isinstance(found["fs"], Symbol) and found["fs"].name.endswith(".mkdir")
    assert found["rate"] == 30.0
    assert not bad.exists()


def test_read_inert__what_holds_itself():
    loop: list[object] = [1]
    loop.append(loop)
    assert read_inert(pickle.dumps(loop)) == [1, None]


def test_read_inert__shared_parts_take_no_time():
    nested: list[object] = []
    for _ in range(60):  # 2**60 elements, were they copied
        nested = [nested, nested]
    found = read_inert(pickle.dumps(nested))
    assert found[0] is found[1]


@pytest.mark.parametrize(
    "stream",
    [b"", b"text", b"\x80\x04.", b"\x80\x04]", b"\x80\x04\x8c\x05ab", pickle.dumps({1, 2})],
    ids=["empty", "text", "nothing", "no end", "cut off", "a set"],
)
def test_read_inert__refused(stream):
    with pytest.raises(ValueError):
        read_inert(stream)


def test_read_inert__deep_nesting():
    with pytest.raises(ValueError, match="nested too deeply"):
        read_inert(b"]" * 100_000 + b"a" * 99_999 + b".")


def test_load_object_npy__dict_and_array(tmp_path):
    path = tmp_path / "ops.npy"
    np.save(path, {"fs": 30.0}, allow_pickle=True)  # type: ignore[arg-type]
    assert read_object_npy(path) == {"fs": 30.0}
    table = np.array([[1, None], [None, 2]], dtype=object)
    np.save(path, table, allow_pickle=True)
    assert read_object_npy(path).tolist() == table.tolist()


def test_load_object_npy__no_objects(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(3))
    with pytest.raises(ValueError, match="no Python objects"):
        read_object_npy(tmp_path / "a.npy")
    Path(tmp_path / "b.npy").write_bytes(b"nothing")
    with pytest.raises(ValueError, match=r"no \.npy file"):
        read_object_npy(tmp_path / "b.npy")

"""Paths into structs and cells of MATLAB files; matio_*.mat.gz are written by mat-io 1.0.2."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from neurodrift.io.arrays.files import list_arrays, read_array
from neurodrift.io.arrays.mat_paths import leaves

HERE = Path(__file__).parent


@pytest.fixture(params=["v7", "v73"])
def written(request, tmp_path):
    path = tmp_path / "a.mat"
    path.write_bytes(gzip.decompress((HERE / f"matio_{request.param}.mat.gz").read_bytes()))
    return path


def test_read_array__structs_without_fields_stop_nothing(written):
    """`notes` and `session.none` are struct(), `many` is a 1 x 2 array of them."""
    assert {item.name for item in list_arrays(written)} >= {"x", "notes", "many", "units"}
    assert read_array(written, "x").tolist() == [0, 1, 2, 3]
    assert read_array(written, "session.pos.x").tolist() == [0, 2, 4, 6]
    with pytest.raises(ValueError, match="notes is a struct without fields"):
        read_array(written, "notes")


def test_read_array__arrays_of_structs(written):
    expected = [[1, 2], [2, 4, 6], [3, 6, 9, 12]]
    assert [item.tolist() for item in read_array(written, "units.times")] == expected
    assert read_array(written, "units.label").tolist() == ["good"] * 3
    assert read_array(written, "units(2).times").tolist() == [2, 4, 6]
    assert read_array(written, "units{2}.times").tolist() == [2, 4, 6]
    with pytest.raises(ValueError, match="array of 3 structs; name a field: "):
        read_array(written, "units")
    with pytest.raises(ValueError, match="no field 'time'; it holds"):
        read_array(written, "units.time")
    with pytest.raises(ValueError, match="counts 1 to 3"):
        read_array(written, "units(4).times")
    with pytest.raises(ValueError, match="table2struct"):
        read_array(written, "T")


def cells(shape, *items):
    made = np.empty(shape, dtype=object)
    for at, item in zip(np.ndindex(shape), items, strict=True):
        made[at] = item
    return made


def test_read_array__cells_of_cells(tmp_path):
    """Tetrodes of units, as nelpy's: [] where there is no unit, a table of sessions by units."""
    path = tmp_path / "a.mat"
    one, two, three = ({"t": np.arange(n + 1.0)[:, None]} for n in (1, 2, 3))
    none = np.zeros((0, 0))
    first, last = cells((1, 3), one, none, two), cells((1, 2), none, three)
    tetrodes = cells((1, 3), first, none, last)
    table = cells((2, 3), *(np.arange(n)[:, None] * 1.0 for n in range(6)))
    rows = np.array([[(i * 1.0, i * 2.0) for i in range(4)]], dtype=[("t", "O"), ("x", "O")]).T
    numbers = np.arange(6.0).reshape(3, 2)
    savemat(path, {"spikes": tetrodes, "table": table, "rows": rows, "m": numbers})
    with pytest.raises(ValueError, match="cells within cells: say {:} for each"):
        read_array(path, "spikes.t")
    found = read_array(path, "spikes{:}{:}.t")
    assert [item.size for item in found] == [2, 3, 4] and found.skipped == 3
    assert [item.size for item in read_array(path, "spikes{1}.t")] == [2, 3]
    assert read_array(path, "spikes{3}{2}.t").tolist() == [0, 1, 2, 3]
    with pytest.raises(ValueError, match="a table of 2 x 3 cells"):
        read_array(path, "table")
    assert [item.size for item in read_array(path, "table{2,:}")] == [3, 4, 5]
    assert [item.size for item in read_array(path, "table{:,2}")] == [1, 4]
    assert read_array(path, "table{2,3}").tolist() == [0, 1, 2, 3, 4]
    assert [item.size for item in read_array(path, "table{:}")] == [0, 3, 1, 4, 2, 5]
    assert read_array(path, "rows.x").tolist() == [0, 2, 4, 6]  # a table saved as structs
    assert read_array(path, "m(:,2)").tolist() == [1, 3, 5]
    assert leaves(path, "spikes", 2**20) == ["spikes{:}{:}.t"]
    for bad, message in (
        ("m{1}", "is no cell"),
        ("m.x", "is no struct"),
        ("table{3,1}", "counts 1 to 2"),
        ("table{1,1,1}", "2 dimensions"),
        ("spikes{:}t", "cannot be followed"),
        ("Spikes", "did you mean 'spikes'"),
    ):
        with pytest.raises(ValueError, match=message):
            read_array(path, bad)

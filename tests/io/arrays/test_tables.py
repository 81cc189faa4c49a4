"""Tables as their writers leave them: what comes in is what the file holds, or an error."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest

from neurodrift.io.arrays.files import list_arrays, read_array, read_columns

NAN = np.nan


def written(folder, text, encoding="utf-8"):
    path = folder / "a.csv"
    path.write_bytes(text.encode(encoding))
    return path


def pandas_text(**options):
    out = io.StringIO()
    pd.DataFrame({"time": [0.5, 1.5], "x": [7.0, 8.0]}).to_csv(out, **options)
    return out.getvalue()


READ = {
    "pandas' index counts": (pandas_text(), 2, [7, 8]),
    "pandas without index": (pandas_text(index=False), 1, [7, 8]),
    "pandas' index with a name": (pandas_text(index_label="frame"), 1, [0.5, 1.5]),
    "European pandas": (pandas_text(sep=";", decimal=","), "x", [7, 8]),
    "numbers as names": (pandas_text(header=["0", "1"]), 1, [0.5, 1.5]),
    "a name that is a number": ("time,1,2\n0,5,6\n1,7,8\n", "1", [5, 7]),
    "first cell of no header is empty": (",2,3\n4,5,6\n", 0, [NAN, 4]),
    "another cell of it": ("1,,3\n4,5,6\n", 1, [NAN, 5]),
    "no header, dashes": ("1,-,3\n4,5,6\n", 1, [NAN, 5]),
    "delimiter at the end of rows": ("t,x\n1,2,\n3,4,\n", "x", [2, 4]),
    "delimiter at the end of all": ("t,x,\n1,2,\n3,4,\n", 1, [2, 4]),
    "R's write.table": ('"x" "y"\n"1" 5.5 6\n"2" 7 8\n', 1, [5.5, 7]),
    "R's write.csv": ('"","x","y"\n"1",5.5,6\n"2",7,8\n', "y", [6, 8]),
    "blanks and decimal commas": ("t x\n0,05 1,5\n0,10 2,5\n", "x", [1.5, 2.5]),
    "tabs and decimal commas": ("t\tx\n0,05\t-\n0,10\t2,5\n", "x", [NAN, 2.5]),
    "names in a comment": ("# of mouse 3\n# t,x\n0,1.5\n1,2\n", "x", [1.5, 2]),
    "comments between": ("% a\nt,x\n0,1\n# lost\n1,2\n", "x", [1, 2]),
    "empty lines": ("t,x\n\n0,1\n\n1,2\n\n", "x", [1, 2]),
    "dates of no header": ("2024-05-03 10:00:00,1\n2024-05-03 10:00:01,2\n", 1, [1, 2]),
    "an empty cell at the end": ("t,x\n0,1\n1,\n2,3\n", "x", [1, NAN, 3]),
    "old Mac lines": ("t,x\r0,1\r1,2\r", "x", [1, 2]),
}


@pytest.mark.parametrize("name", READ)
def test_read_array__tables(tmp_path, name):
    text, column, expected = READ[name]
    np.testing.assert_array_equal(read_array(written(tmp_path, text), column), expected)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_read_array__encodings(tmp_path, encoding):
    path = written(tmp_path, "Zeit;Fläche\n0,5;1\n1,5;2\n", encoding)
    assert read_array(path, "Fläche").tolist() == [1, 2]
    assert read_array(path, "Zeit").tolist() == [0.5, 1.5]


def test_read_array__index_column_is_no_data(tmp_path):
    path = written(tmp_path, pandas_text())
    assert [item.name for item in list_arrays(path)] == ["(column 0)", "time", "x"]
    assert read_array(path).tolist() == [[0.5, 7], [1.5, 8]]
    assert read_array(path, 0).tolist() == [0, 1]


def test_read_array__dates_and_times(tmp_path):
    text = "t,x\n2024-05-03T10:00:00.25Z,1\n-,2\n2024-05-03T12:00:01+02:00,3\n"
    found = read_array(written(tmp_path, text), "t")
    assert found.dtype.kind == "M" and np.isnat(found).tolist() == [False, True, False]
    assert (found[2] - found[0]) / np.timedelta64(1, "ms") == 750


def test_read_columns__events_of_inscopix(tmp_path):
    """Written by isx.export_event_set_to_csv of isx 2.1.0."""
    path = written(tmp_path, "Time (s), C0, C1\n0, 0, 0\n0.05, 0, 0\n0.1, 1, 0\n0.15, 0, 1\n")
    names, values = read_columns(path, "C*")
    assert names == ["C0", "C1"] and values.tolist() == [[0, 0], [0, 0], [1, 0], [0, 1]]
    assert read_array(path, "Time (s)").tolist() == [0, 0.05, 0.1, 0.15]


REFUSED = {
    "counted columns or data": ("0,1\n0.1,2.5\n0.2,2.5\n", 0, "may be names or data"),
    "a row of numbers and text": ("0.0,A\n0.1,B\n", 0, "may be names or data"),
    "decimal comma as delimiter": ("x\n1,5\n2,5\n", "x", "names 1 columns"),
    "a name too few": ("a,b\n3.5,1,2\n4.5,3,4\n", "a", "names 2 columns"),
    "a short row": ("t,x\n0,1\n1\n2,4\n", "x", "line 3 has 1 fields"),
    "a hole between blanks": ("1 2 3\n4 5 6\n7  9\n8 8 8\n", 1, "line 3 has 2 fields"),
    "a long row": ("t,x\n0,1\n1,2,3\n2,4\n", "x", "line 3 has 3 fields"),
    "points and commas": ("t;x\n1.5;2,5\n1;2\n", "x", "decimal point and such with a comma"),
    "the same name twice": ("x,x\n1,2\n3,4\n", "x", "2 columns 'x': name one by its number"),
    "a row of units": ("t,x\ns,cm\n0,1\n1,2\n", "x", "holds text .s, cm., the next one numbers"),
    "states of cells": (
        " ,C0,C1\nTime(s)/Cell Status,accepted,rejected\n0,1,2\n1,2,3\n",
        1,
        "Inscopix",
    ),
    "text in a whole table": ("t,x\n0,1\n1,a\n", None, "holds text .'a'"),
    "an index that counts nothing": (",x\n5,1\n3,2\n", None, "has no name"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_read_array__tables_that_may_mean_two_things(tmp_path, name):
    text, column, message = REFUSED[name]
    with pytest.raises(ValueError, match=message):
        read_array(written(tmp_path, text), column)


def test_read_columns__lists_and_globs(tmp_path):
    path = written(tmp_path, "x,c1,c2,lap\n5,1,2,1\n6,3,4,1\n")
    names, values = read_columns(path, "c*")
    assert names == ["c1", "c2"] and values.tolist() == [[1, 2], [3, 4]]
    names, values = read_columns(path, [2, "x"])
    assert names == ["c2", "x"] and values.tolist() == [[2, 5], [4, 6]]
    for wanted, message in (("d*", "no variable"), (["c1", 1], "taken twice"), ([7], "no column")):
        with pytest.raises(ValueError, match=message):
            read_columns(path, wanted)
    np.save(tmp_path / "a.npy", np.arange(6).reshape(2, 3))
    assert read_columns(tmp_path / "a.npy", [2, 0])[1].tolist() == [[2, 0], [5, 3]]
    with pytest.raises(ValueError, match="by number"):
        read_columns(tmp_path / "a.npy", "c*")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("labels.slp", "sleap-convert"),
        ("cells.isxd", "as CSV"),
        ("R2142.pos", "neuroconv"),
        ("track.videoPositionTracking", "xloc"),
        ("session.nwb", "neurodrift import"),
    ],
)
def test_list_arrays__names_the_export_of_other_programs(tmp_path, name, message):
    (tmp_path / name).write_bytes(b"anything")
    with pytest.raises(ValueError, match=message):
        list_arrays(tmp_path / name)


def test_list_arrays__axona(tmp_path):
    (tmp_path / "R2142.1").write_bytes(b"trial_date Monday, 1 Jan 2020\r\n")
    with pytest.raises(ValueError, match="Axona"):
        list_arrays(tmp_path / "R2142.1")

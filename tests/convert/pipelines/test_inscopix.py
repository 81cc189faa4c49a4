"""Inscopix's CSV: events by its own library, traces as its exporter's source writes them."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from neurodrift import import_nwb
from neurodrift.convert.own.arrays import convert
from neurodrift.convert.own.inspection import inspect_file, proposed_mapping
from neurodrift.convert.pipelines.inscopix import inscopix_table, read_inscopix

FIXTURES = Path(__file__).parents[1] / "fixtures" / "inscopix"
TIME = np.arange(40) / 20
PROPS = "Name,Status,ColorR,ColorG,ColorB\n" + "".join(
    f"C{k},{state},255,255,255\n"
    for k, state in enumerate(("accepted", "rejected", "accepted", "undecided"))
)


def traces(path, states=("accepted", "rejected", "accepted", "undecided"), values=None):
    """A cell set as CellSetExporter of Inscopix's source writes it."""
    names = [f"C{k}" for k in range(len(states))]
    if values is None:
        values = np.arange(len(states)) + np.arange(40)[:, None] / 100
    lines = [" , " + ", ".join(names), "Time(s)/Cell Status, " + ", ".join(states)]
    for t, row in zip(TIME, values, strict=True):
        lines.append(f"{t:g}, " + ", ".join("nan" if np.isnan(v) else f"{v:g}" for v in row))
    path.write_text("\n".join(lines) + "\n")
    return path


def test_read_inscopix__accepted_traces(tmp_path):
    found = read_inscopix(traces(tmp_path / "t.csv"))
    assert found.kind == "fluorescence" and found.n_source == 4
    assert found.source_rows.tolist() == [0, 2]
    assert found.columns["source_label"][1] == ["C0", "C2"]
    assert found.columns["label"][1] == ["accepted", "accepted"]
    np.testing.assert_allclose(found.samples, [0, 2] + np.arange(40)[:, None] / 100)
    np.testing.assert_allclose(found.time, TIME)
    assert "2 of 4 cells" in found.source
    more = read_inscopix(tmp_path / "t.csv", status=["accepted", "undecided"])
    assert more.source_rows.tolist() == [0, 2, 3]
    synced = read_inscopix(tmp_path / "t.csv", time=TIME + 3)
    np.testing.assert_array_equal(synced.time, TIME + 3)


def test_read_inscopix__dropped_frames_are_missing(tmp_path):
    values = np.ones((40, 4))
    values[11] = np.nan
    found = read_inscopix(traces(tmp_path / "t.csv", values=values))
    assert np.flatnonzero(np.isnan(found.samples).all(axis=1)).tolist() == [11]


def test_read_inscopix__nobody_looked_at_the_cells(tmp_path):
    path = traces(tmp_path / "t.csv", states=("undecided",) * 3)
    with pytest.raises(ValueError, match=r"no cell is accepted \(3 undecided\): options: .*status"):
        read_inscopix(path)
    assert read_inscopix(path, status="undecided").n_units == 3


def test_read_inscopix__events_of_every_frame():
    found = read_inscopix(FIXTURES / "events.csv")
    assert found.kind == "events" and found.samples.dtype == np.uint8
    frames = [np.flatnonzero(column).tolist() for column in found.samples.T]
    assert frames == [[3, 20], [5], [5], []]
    np.testing.assert_allclose(found.time, TIME)
    assert "4 of 4 cells, whose states are not known" in found.source
    unix = read_inscopix(FIXTURES / "events_unix.csv")
    np.testing.assert_allclose(unix.time, 1767607200 + TIME, rtol=0, atol=1e-6)


def test_read_inscopix__a_list_of_events(tmp_path):
    shutil.copy(FIXTURES / "event_list.csv", tmp_path / "events.csv")
    alone = read_inscopix(tmp_path / "events.csv")
    assert [times.tolist() for times in alone.times] == [[0.15, 1.0], [0.25], [0.25]]
    assert "cells without an event are not in the file" in alone.source
    shutil.copy(FIXTURES / "events-props.csv", tmp_path)  # names alone
    every = read_inscopix(tmp_path / "events.csv")
    assert [times.tolist() for times in every.times] == [[0.15, 1.0], [0.25], [0.25], []]
    (tmp_path / "cells-props.csv").write_text(PROPS)
    chosen = read_inscopix(tmp_path / "events.csv", props="cells-props.csv")
    assert chosen.columns["source_label"][1] == ["C0", "C2"]
    assert [times.tolist() for times in chosen.times] == [[0.15, 1.0], [0.25]]


@pytest.mark.parametrize(
    ("text", "options", "expected"),
    [
        (None, {"rate": 20.0}, "has its own times: leave out rate"),
        (None, {"status": ["good"]}, r"status is \['good'\], expected some of accepted"),
        (None, {"time": TIME}, "lists events, not frames: leave out time"),
        (None, {"props": "none.csv"}, "no file .*none.csv, which props names"),
        ("time,x\n0,1\n", {}, "is no table of Inscopix"),
        (" , C0, C0\nTime(s)/Cell Status, accepted, accepted\n0, 1, 2\n", {}, "C0 more than once"),
        (" , C0, C1\nTime(s)/Cell Status, accepted\n0, 1, 2\n", {}, "one state for each of 2"),
        (" , C0\nTime(s)/Cell Status, good\n0, 1\n", {}, "one state for each of 1"),
        (" , C0\nTime(s)/Cell Status, accepted\n0, 1, 2\n", {}, "has 3 columns, expected a time"),
        (" , C0\nTime(s)/Cell Status, accepted\n0, high\n", {}, "is no readable table"),
    ],
)
def test_read_inscopix__faults(tmp_path, text, options, expected):
    path = tmp_path / "a.csv"
    path.write_text((FIXTURES / "event_list.csv").read_text() if text is None else text)
    with pytest.raises((ValueError, FileNotFoundError), match=expected):
        read_inscopix(path, **options)


def test_read_inscopix__events_of_a_cell_that_props_lack(tmp_path):
    shutil.copy(FIXTURES / "event_list.csv", tmp_path / "e.csv")
    (tmp_path / "e-props.csv").write_text("Name,Status\nC0,accepted\n")
    with pytest.raises(ValueError, match="has events of C1, C2, which its props lack"):
        read_inscopix(tmp_path / "e.csv")


def test_inspect__knows_traces_and_lists_of_events(tmp_path):
    path = traces(tmp_path / "t.csv")
    assert [inscopix_table(p) for p in (path, FIXTURES / "events.csv", FIXTURES / "event_list.csv")]
    found = inspect_file(path)
    assert found.pipeline == "inscopix" and "reader: inscopix" in proposed_mapping([found])
    assert inspect_file(FIXTURES / "event_list.csv").pipeline == "inscopix"


def test_convert__traces_of_inscopix_reach_the_recording(tmp_path):
    rng = np.random.default_rng(0)
    time = np.arange(2400) / 20
    values = rng.random((2400, 3))
    lines = [" , C0, C1, C2", "Time(s)/Cell Status, accepted, rejected, accepted"]
    lines += [
        f"{t:.6g}, " + ", ".join(f"{v:.9g}" for v in row)
        for t, row in zip(time, values, strict=True)
    ]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    pd.DataFrame({"t": time, "x": 50 + 45 * np.sin(time / 4)}).to_csv(tmp_path / "p.csv")
    (tmp_path / "map.yaml").write_text(
        "subject: {id: m1}\nenvironment: track\n"
        "activity: {reader: inscopix, file: t.csv}\n"
        "position: {file: p.csv, x: x, unit: cm, time: t}\nsessions: [{session: 1}]\n"
    )
    found = import_nwb(convert(tmp_path / "map.yaml", tmp_path / "nwb"))
    np.testing.assert_allclose(found["activity"], values[:, [0, 2]], rtol=1e-8)

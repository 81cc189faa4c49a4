from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from neurodrift.cli import main
from neurodrift.convert.own.inspection import inspect_file, inspection_text, proposed_mapping
from neurodrift.convert.own.registration_table import guess_registration, may_be_registered
from neurodrift.gate.identities import NO_REGISTRATION
from neurodrift.io.zarr import open_recording

DAYS = ["2026-03-01", "2026-03-03", "2026-03-05", "2026-03-07", "2026-03-09"]
N_CELLS, N_SEEN, N_FRAMES = 40, 36, 600
LINE = "registration: one row a cell, one column a session"


@pytest.fixture
def table(tmp_path, monkeypatch):
    """Files of five days of 40 cells, 36 a day in an order of its own; the true registration."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(1)
    truth = np.full((N_CELLS, len(DAYS)), -1)
    time = np.arange(N_FRAMES) / 20
    for day, name in enumerate(DAYS):
        x = 50 + 48 * np.sin(time / 3)
        pd.DataFrame({"time": time, "x": x}).to_csv(f"position_{name}.csv", index=False)
        seen = np.sort(rng.choice(N_CELLS, N_SEEN, replace=False))
        truth[seen, day] = rng.permutation(N_SEEN)
        values = rng.random((N_FRAMES, N_SEEN)) * (rng.random((N_FRAMES, N_SEEN)) < 0.3)
        # every cell is marked by a level of its own, so that mixed-up rows show
        values[:, truth[seen, day]] *= 1 + seen
        columns = ["time", *[f"roi_{i}" for i in range(N_SEEN)]]
        every = np.column_stack([time, values])
        pd.DataFrame(every, columns=columns).to_csv(f"calcium_{name}.csv", index=False)
    return pd.DataFrame(truth, columns=DAYS)


def mapped(table, **options):
    """What is printed and proposed for the files and a table."""
    table.to_csv("registration.csv", index=False, **options)
    names = [*sorted(str(p) for p in Path().glob("[pc]*_*.csv")), "registration.csv"]
    found = [inspect_file(name) for name in names]
    return inspection_text(found), proposed_mapping(found)


def imported(capsys, text):
    text = text.replace("id: '?'", "id: m1").replace("environment: '?'", "environment: track")
    Path("map.yaml").write_text(text.replace("kind: '?'", "kind: deconvolved"))
    assert main(["convert", "arrays", "map.yaml", "-o", "nwb", "--overwrite"]) == 0
    files = [str(p) for p in sorted(Path("nwb").glob("*.nwb"))]
    assert main(["import", *files, "-o", "r.zarr", "--overwrite"]) == 0
    return capsys.readouterr().out, open_recording("r.zarr")


def is_true(recording, truth):
    """Whether units are the cells: detected as in the truth, and as active as the cell is."""
    order = np.flatnonzero((truth >= 0).any(axis=1))
    if recording.sizes["unit"] != order.size or not recording["registered"].values.all():
        return False
    seen = recording["detected"].values.T
    mean = recording["activity"].values.sum(axis=0) / seen.sum(axis=1) / N_FRAMES
    level = mean / (0.15 * (1 + order))
    return (seen == (truth[order] >= 0)).all() and (abs(level - 1) < 0.2).all()


def test_inspect__a_table_of_registered_cells_to_a_recording(table, capsys):
    said, text = mapped(table)
    assert LINE in said and "units count from 0" in said
    assert "registration:  # one row a cell" in text and "count_from: 0" in text
    said, recording = imported(capsys, text)
    assert recording.sizes["unit"] == 40 and is_true(recording, table.values)
    assert NO_REGISTRATION not in said and "findings" not in recording.attrs


def test_inspect__other_columns_and_another_order(table, capsys):
    """Columns are named in the order of the sessions, whatever else the table holds."""
    other = table[DAYS[::-1]].assign(cell=np.arange(40), area="CA1", quality=0.5)
    said, text = mapped(other)
    assert LINE in said and "table: ['2026-03-01', '2026-03-03'" in text
    assert is_true(imported(capsys, text)[1], table.values)


@pytest.mark.parametrize("absent", [0, np.nan])
def test_inspect__counted_from_one(table, capsys, absent):
    other = (table + 1).astype(float).where(table >= 0, absent)
    said, text = mapped(other)
    assert "units count from 1" in said and "count_from: 1" in text
    assert is_true(imported(capsys, text)[1], table.values)


def test_inspect__named_by_number_in_their_order(table):
    said, text = mapped(table.set_axis([f"session{i}" for i in range(1, 6)], axis=1))
    assert "are in the order of sessions" in said and "count_from: 0" in text
    shuffled = [f"session{i}" for i in (2, 1, 3, 5, 4)]
    said, text = mapped(table.set_axis(shuffled, axis=1))
    assert "registration?" in said and "left out" in said and "registration:" not in text


def test_inspect__doubts_are_said(table):
    said, text = mapped(table.iloc[:, :3])
    assert "registration? 3 columns of unit numbers for 5 sessions" in said
    assert "registration:" not in text
    beyond = table.copy()
    beyond.iloc[0, 0] = 36
    said, text = mapped(beyond)
    assert "names unit 36 (from 0), but session 2026-03-01 has 36 units" in said
    assert "registration:" not in text


def test_convert_and_import__no_registration_is_said(table, capsys):
    _, text = mapped(table)
    start, stop = text.index("registration:"), text.index("sessions:\n")
    said, recording = imported(capsys, text[:start] + text[stop:])
    assert said.count(NO_REGISTRATION) == 2  # by convert and by import
    assert recording.sizes["unit"] == 180 and "no_registration" in recording.attrs["findings"]


def test_guess_registration__what_is_not_shown_is_asked():
    numbers = np.array([1, 2, 3, 4, -1, 6])
    columns = {"1": numbers, "2": numbers[::-1]}
    assert guess_registration(columns, 0, ["1", "2"], [None, None]).count_from == "?"
    assert guess_registration(columns, 0, ["1", "2"], [8, 9]).count_from == "?"
    assert guess_registration(columns, 0, ["1", "2"], [6, 9]).count_from == 1
    full = np.array([0, 2, 1, 4, 3])
    columns = {"1": full, "2": full[::-1]}
    assert guess_registration(columns, 0, ["1", "2"], [5, 5]).count_from == 0
    assert guess_registration(columns, 0, ["1", "2"], [5, None]).count_from == "?"


def test_guess_registration__other_tables_are_none():
    assert not may_be_registered(np.array([1, 0, 2, 0, 1, 3]))  # counts
    assert not may_be_registered(np.array([0.5, 1, 2, 3, 4]))
    trial, begin = np.arange(1, 9), np.arange(8) * 40 + 7
    assert guess_registration({"trial": trial, "begin": begin}, 0, ["1", "2"], [9, 9]) is None

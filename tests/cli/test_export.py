from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import neurodrift as nd
from neurodrift.analysis.regression.tables import tabulate_drift, tabulate_units
from neurodrift.cli import main


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    track = nd.testing.linear_track(n_units=6, n_sessions=3, minutes=2, detection=0.7)
    path = tmp_path_factory.mktemp("export") / "results.zarr"
    return nd.save_results(nd.analyze(track, n_repeats=5, n_draws=1), path)


def test_export__units_sessions_pairs(store, tmp_path, capsys):
    for table, rows in (("units", 18), ("sessions", 3), ("pairs", 6)):
        out = tmp_path / f"{table}.csv"
        assert main(["export", str(store), "--table", table, "-o", str(out)]) == 0
        assert f"{rows} rows" in capsys.readouterr().out
        assert len(pd.read_csv(out)) == rows
    results = nd.open_results(store)
    units, pairs = pd.read_csv(tmp_path / "units.csv"), pd.read_csv(tmp_path / "pairs.csv")
    np.testing.assert_array_equal(units["p_forward"], tabulate_units(results)["p_forward"])
    expected = tabulate_drift(results)
    assert set(pairs) == set(expected)
    for name in ("lag", "rate_map_correlation"):
        np.testing.assert_array_equal(pairs[name], expected[name])
    assert pairs.columns.tolist()[:4] == ["subject", "environment", "session_a", "session_b"]


def test_export__one_session(store, tmp_path):
    out = tmp_path / "units.mat"
    assert main(["export", str(store), "--table", "units", "--session", "2", "-o", str(out)]) == 0
    out = tmp_path / "units.csv"
    assert main(["export", str(store), "--table", "units", "--session", "2", "-o", str(out)]) == 0
    assert pd.read_csv(out)["session"].tolist() == [2] * 6


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-o", "x.csv"], "x.csv holds one table: add --table units, sessions, pairs"),
        (["--table", "units", "-o", "x.nwb"], "--table writes .csv, .parquet, .mat; x.nwb is"),
        (["--table", "units", "--session", "9", "-o", "x.csv"], "no session '9' in the table"),
    ],
)
def test_export__refuses(words, said, store, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["export", str(store), *words]) == 2
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []

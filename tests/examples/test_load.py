from __future__ import annotations

import http.server
import sys
import types
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import neurodrift as nd
from neurodrift import catalog
from neurodrift.convert import CONVERTERS
from neurodrift.examples.network import FILE, SETTINGS, read_network
from neurodrift.examples.synthetic import MOUSE
from neurodrift.io.nwb.session import session_from_recording
from neurodrift.io.nwb.write import write_session
from neurodrift.simulate.settings.kinds import read_settings


def test_load_example__mouse_has_the_truth_that_it_is_said_to_have():
    mouse = nd.load_example("mouse")
    assert (mouse.sizes["session"], mouse.sizes["unit"]) == (8, 80)
    assert mouse["day"].values.tolist() == [0, 2, 4, 6, 8, 10, 12, 14]
    truth = nd.testing.linear_track_truth(**MOUSE, seed=0)
    active, first = truth["is_active"].values, truth.isel(session=0)
    assert first["is_tuned"].values.mean() == pytest.approx(0.7)
    assert np.diff(active.sum(axis=1)).tolist() == [-4] * 7  # 5 % of 80 every session
    moved = truth["moved"].values[1:, : round(0.7 * 80)]
    assert moved.mean() == pytest.approx(0.15, abs=3 * np.sqrt(0.15 * 0.85 / moved.size))
    detected = mouse["detected"].values
    assert detected.mean() == pytest.approx(0.9, abs=0.04)
    activity = mouse["activity"].values
    events = np.array([activity[part].sum(axis=0) for part in nd.slice_sessions(mouse)])
    assert (events[~(detected & active)] == 0).all() and (events[detected & active] > 0).all()
    xr.testing.assert_identical(mouse, nd.load_example("mouse"))


def test_load_example__cohort_differs_in_drift_alone():
    cohort = nd.load_example("cohort")
    groups = {name: mouse.attrs["group"] for name, mouse in cohort.items()}
    assert sorted(groups.values()) == ["drifting"] * 3 + ["stable"] * 3
    similarity = {}
    for name, mouse in cohort.items():
        assert mouse["subject"].item() == name
        maps = nd.compute_rate_maps(mouse, smoothing=4.0)
        drift = nd.compute_drift(maps)["rate_map_correlation"]
        similarity[name] = float(drift.where(drift["lag"] == 1).mean())
    apart = [similarity[name] for name in groups if groups[name] == "drifting"]
    assert max(apart) < min(similarity[name] for name in groups if groups[name] == "stable")


def test_load_example__network_is_what_its_settings_train():
    network = nd.load_example("network")
    made = read_settings("ratzon2024-track", SETTINGS | {"n_steps": 1, "snapshots": [0]})
    first = made.simulate().recording(subject="small network")
    shown = network.isel(time=slice(0, first.sizes["time"]), session=[0])
    for name in ("x", "direction"):
        np.testing.assert_array_equal(shown[name].values, first[name].values)
    np.testing.assert_allclose(shown["activity"].values, first["activity"].values, rtol=1e-3)
    loss = network["loss"].values
    assert loss[1:].max() < 0.2 * loss[0] and FILE.stat().st_size < 500_000
    xr.testing.assert_identical(network, read_network())


@pytest.mark.slow
def test_write_network__is_the_file(tmp_path):
    from neurodrift.examples.network import write_network

    with np.load(FILE) as stored, np.load(write_network(tmp_path / "again.npz")) as again:
        for name in stored.files:
            np.testing.assert_allclose(again[name], stored[name], rtol=0.2, atol=0.5, err_msg=name)


def test_load_example__refuses():
    with pytest.raises(ValueError, match="no example 'rat'; there are mouse, cohort, network, "):
        nd.load_example("rat")
    with pytest.raises(ValueError, match="no converter for hc-22"):
        nd.load_example("hc-22")
    with pytest.raises(TypeError, match="name is None"):
        nd.load_example(None)
    with pytest.raises(ValueError, match="folder is for data sets"):
        nd.load_example("mouse", folder="x")


class _Quiet(http.server.SimpleHTTPRequestHandler):
    asked: list[str] = []  # noqa: RUF012

    def log_message(self, *_: object) -> None:
        self.asked.append(self.path)


@pytest.fixture
def address(tmp_path: Path, serve: Callable[..., str]) -> str:
    folder = tmp_path / "served"
    folder.mkdir()
    with zipfile.ZipFile(folder / "toy.zip", "w") as archive:
        archive.writestr("repo/seed.txt", "3")
    _Quiet.asked.clear()
    return serve(partial(_Quiet, directory=str(folder)))


def _convert(source: Path, out: Path, *, overwrite: bool = False) -> list[Path]:
    seed = int((source / "seed.txt").read_text())
    out.mkdir(exist_ok=overwrite)
    files = []
    for environment in ("A", "B"):
        mouse = nd.testing.linear_track(n_units=4, n_sessions=2, minutes=1, seed=seed)
        mouse = mouse.assign_coords(environment=environment)
        for label in mouse["session"].values:
            path = out / f"m1_{environment}_{label}.nwb"
            files.append(write_session(session_from_recording(mouse, label), path))
    return files


@pytest.fixture
def toy(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    known = catalog.data_sets()
    entry = catalog.DataSet(
        name="toy",
        title="a toy",
        citation="Nobody (2026)",
        doi="10.1/toy",
        licence="CC0",
        access="open",
        how="https://example.org",
        converter="toy",
        url=f"{address}/toy.zip",
        strip=1,
        size=1000,
        unpacked=1000,
        expected=("seed.txt",),
    )
    monkeypatch.setattr(catalog, "data_sets", lambda folder=None: known | {"toy": entry})
    module = types.ModuleType("toy_converter")
    module.convert = _convert  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "toy_converter", module)
    monkeypatch.setitem(CONVERTERS, "toy", "toy_converter:convert")


def test_load_example__data_set_is_fetched_once_and_kept(toy, tmp_path, monkeypatch):
    monkeypatch.setenv("NEURODRIFT_CACHE", str(tmp_path / "cache"))
    found = nd.load_example("toy")
    assert list(found) == ["m1_A", "m1_B"]
    assert found["m1_B"]["environment"].item() == "B" and found["m1_B"].sizes["session"] == 2
    expected = nd.testing.linear_track(n_units=4, n_sessions=2, minutes=1, seed=3)
    np.testing.assert_array_equal(found["m1_A"]["activity"].values, expected["activity"].values)
    asked = len(_Quiet.asked)
    assert asked > 0
    again = nd.load_example("toy")
    assert len(_Quiet.asked) == asked
    xr.testing.assert_identical(again["m1_A"].compute(), found["m1_A"].compute())


def test_load_example__data_set_of_tables_says_where_they_are(toy, tmp_path, monkeypatch):
    def convert(source: Path, out: Path, *, overwrite: bool = False) -> list[Path]:
        out.mkdir(exist_ok=True)
        (out / "table.csv").write_text("a\n")
        return [out / "table.csv"]

    monkeypatch.setattr(sys.modules["toy_converter"], "convert", convert)
    with pytest.raises(ValueError, match="toy holds tables, no recordings: they are in"):
        nd.load_example("toy", folder=tmp_path / "cache")
    assert not (tmp_path / "cache" / "toy" / "recordings").exists()

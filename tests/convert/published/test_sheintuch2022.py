from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pynwb
import pytest
from scipy.io import loadmat, savemat

from neurodrift import Binning, compute_rate_maps
from neurodrift.convert import converter
from neurodrift.convert.published.sheintuch2022 import convert, read_source
from neurodrift.io.nwb.read import import_nwb, read_session


def lookalike(folder: Path, mouse: str = "C6M3", *, simulated: bool = False) -> Path:
    """One mouse in the layout of the release: 2 x 4 x 2 cells, frames of running only."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(len(mouse))
    spikes, traces, truth = (np.empty((2, 4, 2), dtype=object) for _ in range(3))
    for e, s, d in np.ndindex(2, 4, 2):
        n_frames, n_cells = 30 + 5 * s + d, 4 + e + s
        amplitudes = np.where(rng.random((n_frames, n_cells)) < 0.2, rng.random((n_frames, 1)), 0)
        spikes[e, s, d] = (
            rng.integers(0, 3, amplitudes.shape, np.uint8) if simulated else amplitudes
        )
        traces[e, s, d] = rng.integers(3, 23, (n_frames, 1)).astype(np.uint8)
        truth[e, s, d] = rng.random((1, n_cells))
    stem = f"{mouse}_simulated" if simulated else mouse
    savemat(folder / f"{stem}_spike_train.mat", {"spike_train": spikes})
    savemat(folder / f"{mouse}_stimulus_trace.mat", {"stimulus_trace": traces})
    if simulated:
        fields = {"SI_bit_spike": truth, "MI": truth}
        savemat(folder / f"{mouse}_true_information.mat", {"true_information": fields})
    return folder


def laid_out(path: Path, name: str, e: int, s: int) -> np.ndarray:
    item = loadmat(path)[name]
    return np.concatenate([item[e, s, 0], item[e, s, 1]])


@pytest.mark.parametrize("mouse", ["C6M3", "C8M2"])
def test_convert__every_number(mouse: str, tmp_path: Path) -> None:
    folder = lookalike(tmp_path / "CA1", mouse)
    files = convert(tmp_path, tmp_path / "out")
    names = [f"{mouse}_{track}_{i}.nwb" for track in ("straight", "L") for i in (1, 2, 3, 4)]
    assert [path.name for path in files] == names and converter("sheintuch2022") is convert
    rate = 10.0 if mouse == "C8M2" else 20.0
    for k, path in enumerate(files):
        found = read_session(path)
        spikes = laid_out(folder / f"{mouse}_spike_train.mat", "spike_train", k // 4, k % 4)
        bins = laid_out(folder / f"{mouse}_stimulus_trace.mat", "stimulus_trace", k // 4, k % 4)
        np.testing.assert_array_equal(found["activity"], spikes)
        assert found["activity"].attrs["kind"] == "deconvolved"
        np.testing.assert_array_equal(found["x"], 4 * bins[:, 0].astype(float) - 2)  # centres, cm
        n_first = 30 + 5 * (k % 4)
        np.testing.assert_array_equal(
            found["direction"], np.where(np.arange(len(bins)) < n_first, 1, -1)
        )
        np.testing.assert_allclose(found["frame_duration"], 1 / rate, rtol=1e-6)
        assert "speed" not in found  # frames are cut out of runs, so steps are no speed
        assert found["region"].values[0] == "CA1" and not found["registered"].any()


def test_convert__sessions_join_without_identities(tmp_path: Path) -> None:
    files = convert(lookalike(tmp_path / "CA1"), tmp_path / "out")
    found = import_nwb(files[:4])
    assert found["day"].values.tolist() == [0, 2, 4, 6]
    assert found.sizes["unit"] == 4 + 5 + 6 + 7
    assert (found["detected"].sum("session") == 1).all()
    maps = compute_rate_maps(found, binning=Binning(edges=np.arange(0, 97, 4), exclude_ends=8))
    assert maps.sizes["direction"] == 2 and maps.sizes["position"] == 20


def test_convert__simulated_cells_are_counts_with_their_truth(tmp_path: Path) -> None:
    folder = lookalike(tmp_path, simulated=True)
    files = convert(folder, tmp_path / "out")
    assert files[0].name == "C6M3_simulated_straight_1.nwb"
    found = read_session(files[5])
    counts = laid_out(folder / "C6M3_simulated_spike_train.mat", "spike_train", 1, 1)
    np.testing.assert_array_equal(found["activity"], counts)
    assert found["activity"].attrs["kind"] == "spikes"
    assert found["subject"].item() == "C6M3_simulated"
    with pynwb.NWBHDF5IO(files[5], "r") as io:
        units = io.read().units.to_dataframe()
    truth = loadmat(folder / "C6M3_true_information.mat")["true_information"]["SI_bit_spike"][0, 0]
    np.testing.assert_array_equal(units["true_SI_bit_spike_2"], truth[1, 1, 1][0])


def test_convert__passes_inspector_and_schema(tmp_path: Path) -> None:
    from nwbinspector import Importance, inspect_nwbfile

    lookalike(tmp_path / "real")
    lookalike(tmp_path / "simulated", simulated=True)
    files = convert(tmp_path, tmp_path / "out")
    for path in (files[0], files[-1]):
        assert pynwb.validate(path=str(path)) == []
        findings = inspect_nwbfile(nwbfile_path=str(path))
        bad = [f for f in findings if f.importance != Importance.BEST_PRACTICE_SUGGESTION]
        # The release tells nothing of the imaging plane that a PlaneSegmentation must name.
        assert all("PlaneSegmentation" in finding.message for finding in bad)


@pytest.mark.filterwarnings("ignore:.*x jumps in 3.2 % of its frames")  # so do they
def test_convert__published_files(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "sheintuch2022" / "real"
    if not folder.is_dir():
        pytest.skip(f"no folder {folder}")
    (tmp_path / "one").mkdir()
    for name in ("C8M2_spike_train.mat", "C8M2_stimulus_trace.mat"):
        (tmp_path / "one" / name).symlink_to(folder / name)
    files = convert(tmp_path / "one", tmp_path / "out")
    assert len(files) == 8
    found = read_session(files[4])  # L-shaped track, first of the four sessions
    spikes = laid_out(folder / "C8M2_spike_train.mat", "spike_train", 1, 0)
    np.testing.assert_array_equal(found["activity"], spikes)
    assert (found["frame_duration"] == 0.1).all()


def edit(name: str, change: Callable[[Any], Any]) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        path = folder / f"C6M3_{name}.mat"
        savemat(path, {name: change(loadmat(path)[name])})

    return apply


def replace(at: tuple[int, int, int], change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def apply(cells: Any) -> Any:
        cells[at] = change(cells[at])
        return cells

    return apply


def truncate(folder: Path) -> None:
    path = folder / "C6M3_spike_train.mat"
    path.write_bytes(path.read_bytes()[:-400])


BAD = {
    "truncated": (truncate, "C6M3_spike_train.mat.*truncated"),
    "no trace": (
        lambda f: (f / "C6M3_stimulus_trace.mat").unlink(),
        "stimulus_trace.mat is missing",
    ),
    "shape of the cell": (edit("spike_train", lambda c: c[:, :3]), r"shape \(2, 3, 2\), expected"),
    "no cell": (edit("spike_train", lambda c: np.ones((3, 3))), "expected a cell of"),
    "lengths": (
        edit("stimulus_trace", replace((1, 2, 0), lambda t: t[:-1])),
        "environment 2, session 3 of .* 40 frames, the stimulus trace 39",
    ),
    "bins from 0": (
        edit("stimulus_trace", replace((0, 0, 0), lambda t: t * 0)),
        "leaves the bins 1 to 24",
    ),
    "cells of the directions": (
        edit("spike_train", replace((0, 1, 1), lambda a: a[:, :-1])),
        "5 cells in one running direction and 4",
    ),
    "swapped axes": (
        edit("spike_train", replace((0, 0, 1), lambda a: a.T)),
        "has 4 frames, the stimulus trace 31",
    ),
    "NaN": (edit("spike_train", replace((0, 0, 0), lambda a: a * np.nan)), "negative or NaN"),
    "negative": (edit("spike_train", replace((0, 0, 0), lambda a: -a - 1)), "negative or NaN"),
}


@pytest.mark.parametrize("fault", BAD)
def test_convert__bad_source_writes_nothing(fault: str, tmp_path: Path) -> None:
    folder = lookalike(tmp_path / "CA1")
    break_it, message = BAD[fault]
    break_it(folder)
    with pytest.raises(ValueError, match=message):
        convert(folder, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_convert__no_source_or_twice(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no folder"):
        convert(tmp_path / "none", tmp_path / "out")
    with pytest.raises(ValueError, match="no file like C6M3_spike_train.mat"):
        convert(tmp_path, tmp_path / "out")
    for part in ("a", "b"):
        lookalike(tmp_path / part)
    with pytest.raises(ValueError, match="occurs twice"):
        convert(tmp_path, tmp_path / "out")
    files = convert(tmp_path / "a", tmp_path / "out")
    with pytest.raises(FileExistsError, match="overwrite"):
        convert(tmp_path / "a", tmp_path / "out")
    assert convert(tmp_path / "a", tmp_path / "out", overwrite=True) == files


def test_read_source__by_track_and_session(tmp_path: Path) -> None:
    path = lookalike(tmp_path) / "C6M3_spike_train.mat"
    found = [(source.environment, source.number) for source in read_source(path)]
    assert found == [(track, i) for track in ("straight", "L") for i in (1, 2, 3, 4)]

"""Types of trials split maps as directions do; time in zones."""

from __future__ import annotations

import numpy as np
import pytest

import neurodrift as nd
from neurodrift import Binning

RATE = 20.0


def animal(n_sessions=2, seed=0):
    """Unit 0 fires at 30 cm in trials of type 3, at 70 cm in those of type 8; unit 1 anywhere."""
    rng = np.random.default_rng(seed)
    parts = {name: [] for name in ("activity", "x", "trial_type", "lap")}
    for _ in range(n_sessions):
        lengths = rng.integers(70, 140, 120)
        ways = [np.linspace(0, 100, n, endpoint=False) for n in lengths]
        x = np.concatenate([100 - way if k % 2 else way for k, way in enumerate(ways)])
        lap = np.repeat(np.arange(120) // 2, lengths)
        kind = np.where(lap % 3 == 0, -1, np.where(lap % 2, 3, 8))
        centre = np.where(kind == 3, 30.0, 70.0)
        rate = np.where(kind >= 0, 8 * np.exp(-0.5 * ((x - centre) / 6) ** 2), 0)
        counts = rng.poisson(np.column_stack([rate, np.full(x.size, 1.0)]) / RATE)
        for name, values in zip(parts, (counts, x, kind, lap), strict=True):
            parts[name].append(values)
    return nd.kinematics.running(
        nd.recording_from_arrays(kind="spikes", frame_duration=1 / RATE, **parts)
    )


def test_trial_types__are_split_as_directions_are():
    recording = animal()
    binning = Binning(bin_width=5, track=(0, 100), trial_types=True)
    maps = nd.compute_rate_maps(recording, binning=binning)
    assert maps["direction"].values.tolist() == [1, -1, 2, -2]
    assert maps["trial_type"].values.tolist() == [3, 3, 8, 8]
    peak = maps["x_bin"].values[maps["rate"].isel(unit=0).argmax("position").values]
    np.testing.assert_allclose(peak, [[30, 30, 70, 70]] * 2, atol=5)
    kinds, direction = recording["trial_type"].values, recording["direction"].values
    running = (recording["speed"].values >= 1) & (direction != 0)
    for entry, code in enumerate(maps["direction"].values.tolist()):
        here = running & (kinds == maps["trial_type"].values[entry]) & (direction == np.sign(code))
        seconds = float(maps["occupancy"].isel(direction=entry).sum())
        assert seconds == pytest.approx(here.sum() / RATE)
    together = nd.compute_rate_maps(recording, binning=Binning(bin_width=5, directions=False))
    assert "trial_type" not in together.coords
    typed = nd.compute_rate_maps(
        recording, binning=Binning(bin_width=5, directions=False, trial_types=True)
    )
    assert typed["direction"].values.tolist() == [1, 2]


def test_trial_types__every_analysis_takes_them_and_the_report_says_so(tmp_path):
    binning = Binning(bin_width=5, track=(0, 100), trial_types=True)
    results = nd.analyze(animal(), binning=binning, n_repeats=20, n_draws=1)
    cells = results["place_cells"]
    assert cells["significant"].isel(unit=0).all()
    assert cells["trial_type"].values.tolist() == [3, 3, 8, 8]
    assert float(results["drift"]["rate_map_correlation"][0, 1]) > 0.5
    nd.save_results(results, tmp_path / "results.zarr")
    page = nd.write_report(nd.open_results(tmp_path / "results.zarr"), tmp_path / "report.html")
    text = page.read_text()
    assert "Types of trials were analysed apart, and running directions" in text
    assert '"type 8, backward"' in text


def test_trial_types__bad_input():
    recording = animal(1)
    binning = Binning(trial_types=True)
    with pytest.raises(ValueError, match="the recording has no trial_type: give the kind"):
        nd.bin_frames(recording.drop_vars("trial_type"), binning)
    numbers = recording.assign(trial_type=recording["lap"] * 2)
    with pytest.raises(ValueError, match="no frame that can be used lies in a trial with a type"):
        nd.bin_frames(recording.assign(trial_type=recording["lap"] * 0 - 1), binning)
    many = recording.assign(trial_type=("time", np.arange(recording.sizes["time"]) // 100))
    with pytest.raises(ValueError, match="look like numbers of trials"):
        nd.bin_frames(many, binning)
    assert nd.bin_frames(numbers, binning).sizes["direction"] == 120
    with pytest.raises(ValueError, match="trial_types is 'left', expected True"):
        Binning(trial_types="left")


def test_rate_maps__by_trial_type():
    maps = nd.compute_rate_maps(animal(), binning=Binning(bin_width=5), by="trial_type")
    assert maps["trial_type"].values.tolist() == [3, 8, 3, 8]
    assert maps["session"].values.tolist() == ["1", "1", "2", "2"]
    drift = nd.compute_drift(nd.smooth_maps(maps["rate"], 5).to_dataset(name="rate").assign(
        events=maps["events"], occupancy=maps["occupancy"], detected=maps["detected"]
    ))  # fmt: skip
    same = drift["trial_type_a"] == drift["trial_type_b"]
    unit = drift["unit_rate_map_correlation"].sel(unit=0).mean("direction")
    assert float(unit.where(same).min()) > 0.5 > float(unit.where(~same).max())


def test_time_in_zones__on_a_track_a_circle_and_in_a_field():
    recording = animal(1)
    x = recording["x"].values
    found = nd.compute_time_in_zones(recording, {"start": (0, 20), "rest": (20, 101)})
    assert found["seconds"].values[0, 0] == pytest.approx(((x >= 0) & (x < 20)).sum() / RATE)
    assert float(found["share"].sum()) == pytest.approx(1)
    time = np.arange(4000) / RATE
    belt = nd.recording_from_arrays(
        np.zeros((4000, 1), int), kind="events", time=time, x=20 * time % 180,
        geometry="circular:180",
    )  # fmt: skip
    seam = nd.compute_time_in_zones(belt, {"reward": (170, 10)})
    assert float(seam["share"][0, 0]) == pytest.approx(20 / 180, rel=0.02)
    with pytest.raises(ValueError, match="stops at 10, at or before its start 170"):
        nd.compute_time_in_zones(recording, {"reward": (170, 10)})
    box = nd.recording_from_arrays(
        np.zeros((4, 1), int), kind="events", frame_duration=[[0.1, 0.2, 0.3, 0.4]][0],
        x=[1.0, 9.0, 5.0, np.nan], y=[1.0, 9.0, 5.0, 5.0],
    )  # fmt: skip
    zones = {"corner": [(0, 0), (3, 0), (0, 3)], "middle": ((5, 5), 1.0)}
    found = nd.compute_time_in_zones(box, zones)
    np.testing.assert_allclose(found["seconds"], [[0.1, 0.3]])
    np.testing.assert_allclose(found["share"], [[0.1 / 0.6, 0.3 / 0.6]])
    with pytest.raises(ValueError, match="expected at least three corners"):
        nd.compute_time_in_zones(box, {"x": [(0, 0), (1, 1)]})

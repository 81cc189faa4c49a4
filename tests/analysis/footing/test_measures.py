"""Trends on an equal footing: none from the number of events, and those that are true."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from neurodrift import Binning, analyze, compute_matched_measures, recording_from_arrays, testing

BINNING = Binning(edges=np.linspace(0, 100, 21))


def recording(seed: int, events: list[float], tuned: list[float] | None = None) -> xr.Dataset:
    """Units with one field, or none from a session on, on a circle run at an uneven speed."""
    rng = np.random.default_rng(seed)
    n_units, passes = 50, 40
    centres, rank = rng.uniform(0, 100, n_units), rng.permutation(n_units) / n_units
    sessions, places, laps = [], [], []
    for s, expected in enumerate(events):
        steps = [np.arange(0.5, 100, rng.uniform(0.7, 2.5)) for _ in range(passes)]
        x = np.concatenate(steps)
        lap = np.repeat(np.arange(passes), [step.size for step in steps])
        apart = np.abs(x[:, None] - centres)
        field = np.exp(-0.5 * (np.minimum(apart, 100 - apart) / 8.0) ** 2)
        rate = np.where(rank < (1.0 if tuned is None else tuned[s]), 0.3 + field, 0.5)
        sessions.append(rng.poisson(rate * expected / rate.sum(axis=0)).astype(np.uint8))
        places.append(x)
        laps.append(lap)
    return recording_from_arrays(
        sessions, kind="events", x=places, lap=laps, day=np.arange(len(events)) * 1.0,
        frame_duration=0.1, geometry="circular:100",
    )  # fmt: skip


def slope(values: xr.DataArray) -> float:
    return float(np.polyfit(np.arange(values.size), values.values, 1)[0])


def test_matched__no_trend_from_events_alone_and_the_true_one_stays() -> None:
    from neurodrift import detect_place_cells

    raw, matched, true = [], [], []
    for seed in range(2):
        falling = recording(seed, [60, 40, 26, 18])
        cells = detect_place_cells(falling, binning=BINNING)["is_place_cell"]
        raw.append(slope(cells.mean("unit")))
        found = compute_matched_measures(falling, binning=BINNING, n_draws=5, n_repeats=10)
        matched.append(slope(found["fraction_place_cells"]))
        assert int(found["n_units_left_out"]) < 10
        fewer = recording(seed, [60, 40, 26, 26], [0.9, 0.7, 0.5, 0.3])
        found = compute_matched_measures(fewer, binning=BINNING, n_draws=5, n_repeats=10)
        true.append(slope(found["fraction_place_cells"]))
    assert np.mean(raw) < -0.04
    assert abs(np.mean(matched)) < 0.02
    assert np.mean(true) < -0.04  # a fifth of the units a session, of which a part is found


def test_matched__mean_and_spread_of_draws() -> None:
    made = testing.linear_track(n_units=8, n_sessions=3, minutes=3, silencing=0.1)
    one = compute_matched_measures(made, n_draws=1, n_repeats=5)
    more = compute_matched_measures(made, n_draws=6, n_repeats=5)
    assert one["rate_map_correlation_relative_sd"].isnull().all()
    assert (more["rate_map_correlation_relative_sd"].values[0, 1:] > 0).all()
    assert more.attrs["n_draws_tested"] == 2
    # a session that has least in everything is the same in every draw
    again = compute_matched_measures(made.chunk(unit=5, time=900), n_draws=6, n_repeats=5)
    xr.testing.assert_identical(again, more)
    assert "ensemble_rate_correlation_relative" not in more
    timed = compute_matched_measures(made, match="time", n_draws=2, n_repeats=5)
    assert "ensemble_rate_correlation_relative" in timed
    for name in ("fraction_active_units", "active_fraction"):
        assert timed[name].notnull().all()


def test_matched__all_units_left_out() -> None:
    made = recording(0, [60, 1])
    found = compute_matched_measures(made, binning=BINNING, n_draws=2, n_repeats=5)
    assert "fraction_place_cells" not in found
    assert int(found["n_units_left_out"]) == 50
    assert found["fraction_active_units"].notnull().all()


def test_matched__in_the_tree_the_table_and_the_slopes() -> None:
    made = recording(1, [60, 40, 30, 20])
    options = {"binning": BINNING, "n_repeats": 10, "n_draws": 5}
    tree = analyze(made, measures=["phases", "regression", "place_cells"], **options)
    assert json_of(tree)["match"] == "auto" and tree["matched"].attrs["match"] == "events"
    sessions, fits = tree["sessions"].to_dataset(), tree["regression"].to_dataset()
    name = "fraction_place_cells_matched"
    np.testing.assert_array_equal(sessions[name], tree["matched"]["fraction_place_cells"])
    assert name in fits["measure"].values
    assert np.isfinite(fits["slope_given_events"].sel(measure="fraction_place_cells")).any()
    assert "n an equal footing (events)" in tree["phases"].attrs["limits"]
    without = analyze(made, measures=["phases", "regression"], match=None, **options)
    assert "matched" not in without.children and name not in without["sessions"]
    assert "n an equal footing" not in without["phases"].attrs["limits"]
    assert "matched" in without.attrs["left_out"]
    with pytest.raises(ValueError, match="match is 'laps'"):
        analyze(made, match="laps")


def json_of(tree: xr.DataTree) -> dict[str, object]:
    import json

    return dict(json.loads(tree.attrs["parameters"]))

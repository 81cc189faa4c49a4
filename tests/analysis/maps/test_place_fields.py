from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from neurodrift import (
    Binning,
    compute_drift,
    compute_rate_maps,
    detect_place_cells,
    detect_place_fields,
    testing,
)
from neurodrift.schema import structure_faults
from neurodrift.schema.results import PLACE_FIELDS


def _maps(rate, x, y=None, **attrs):
    coords = {"x_bin": ("position", x), "unit": ["u"], "direction": [0], "session": ["1"]}
    if y is not None:
        coords["y_bin"] = ("position", y)
    rate = np.asarray(rate, dtype=float)
    return xr.Dataset(
        {
            "rate": (
                ("session", "unit", "direction", "position"),
                rate[None, None, None],
                {"units": "Hz"},
            ),
            "detected": (("session", "unit"), [[True]]),
        },
        coords=coords,
        attrs=attrs,
    )


def _reference(rate, cells, sizes, centres, fraction):
    """Regions by flooding from one bin to the next."""
    peak = max(value for value in rate if np.isfinite(value))
    left = {k for k, value in enumerate(rate) if np.isfinite(value) and value >= fraction * peak}
    found = []
    while left:
        region, edge = set(), [left.pop()]
        while edge:
            k = edge.pop()
            region.add(k)
            near = {m for m in left if np.abs(cells[m] - cells[k]).sum() == 1}
            left -= near
            edge += near
        region = sorted(region)
        top = max(region, key=lambda k: rate[k])
        weights = [rate[k] * sizes[k] for k in region]
        centre = [
            sum(w * centres[k][axis] for w, k in zip(weights, region, strict=True)) / sum(weights)
            for axis in range(len(centres[0]))
        ]
        found.append((sum(sizes[k] for k in region), rate[top], list(centres[top]), centre, region))
    return sorted(found, key=lambda item: -item[1])


@pytest.mark.parametrize("seed", range(4))
def test_place_fields__are_those_of_flooding_in_two_dimensions(seed):
    rng = np.random.default_rng(seed)
    cells = np.array([(i, j) for i in range(8) for j in range(6)])
    visited = np.flatnonzero(rng.random(len(cells)) < 0.85)
    cells = cells[visited]
    centres = 2.5 + 5.0 * cells
    rate = rng.gamma(0.6, size=len(cells))
    rate[rng.integers(len(cells))] = np.nan
    fields = detect_place_fields(
        _maps(rate, centres[:, 0], centres[:, 1]), min_fraction=0.25, min_bins=1
    )
    expected = _reference(rate, cells, np.full(len(cells), 25.0), centres, 0.25)
    one = fields.isel(session=0, unit=0, direction=0)
    assert one["n_fields"] == len(expected)
    assert fields["size"].attrs["units"] == "cm2"
    for k, (size, peak, top, centre, region) in enumerate(expected):
        own = one.isel(field_number=k)
        assert own["size"] == pytest.approx(size)
        assert own["peak_rate"] == pytest.approx(peak)
        assert [own["x_peak"], own["y_peak"]] == pytest.approx(top)
        assert [own["x_centre"], own["y_centre"]] == pytest.approx(centre)
        assert np.flatnonzero(one["field"].values == k + 1).tolist() == region


def test_place_fields__on_a_track_bins_of_any_width_and_gaps():
    edges = [0.0, 4.0, 8.0, 12.0, 20.0, 24.0, 28.0]
    centres = (np.array(edges[1:]) + edges[:-1]) / 2
    maps = _maps([0.0, 3.0, np.nan, 4.0, 2.0, 1.0], centres, binning=Binning(edges=edges).to_json())
    fields = detect_place_fields(maps, min_fraction=0.5, min_bins=1).isel(
        session=0, unit=0, direction=0
    )
    assert fields["n_fields"] == 2
    assert fields["size"].values.tolist() == [12.0, 4.0]
    assert fields["x_peak"].values.tolist() == [16.0, 6.0]
    assert fields["x_centre"].values.tolist() == pytest.approx([(16 * 4 * 8 + 22 * 2 * 4) / 40, 6])
    assert fields["field"].values.tolist() == [0, 2, 0, 1, 1, 0]
    assert "y_peak" not in fields
    assert detect_place_fields(maps, min_fraction=0.5)["n_fields"].item() == 1
    assert (
        detect_place_fields(maps, min_fraction=0.5, min_bins=1, min_rate=3.5)["n_fields"].item()
        == 1
    )


def test_place_fields__silent_and_undetected_units():
    maps = _maps(np.zeros(5), np.arange(5.0))
    silent = detect_place_fields(maps)
    assert silent["n_fields"].item() == 0 and silent.sizes["field_number"] == 0
    absent = detect_place_fields(maps.assign(detected=~maps["detected"]))
    assert np.isnan(absent["n_fields"].item())


@pytest.fixture(scope="module")
def box():
    options = dict(n_units=16, n_sessions=2, tuned=0.75, drift=0.5, seed=2)
    recording = testing.open_field(minutes=25, **options)
    maps = compute_rate_maps(
        recording, binning=Binning(bin_width=3.0, min_occupancy=0.3), smoothing=4.0
    )
    return recording, maps, testing.open_field_truth(**options)


def test_place_fields__find_the_true_fields_of_an_open_field(box):
    _, maps, truth = box
    tuned = truth["is_tuned"].values
    fields = detect_place_fields(maps, min_fraction=0.4, min_bins=4)
    assert not structure_faults(fields, PLACE_FIELDS)
    fields = fields.isel(direction=0)
    n_true = np.isfinite(truth["centre"].values[..., 0]).sum(axis=-1)
    # Fields that the wall cuts are as true as others; a field may be missed or split by chance.
    assert (fields["n_fields"].values == n_true)[:, tuned].mean() > 0.8
    distances = []
    for s in range(2):
        for u in np.flatnonzero(tuned):
            first = [fields[f"{axis}_peak"].values[s, u, 0] for axis in "xy"]
            to_true = np.linalg.norm(truth["centre"].values[s, u] - first, axis=1)
            distances.append(np.nanmin(to_true))
    assert np.median(distances) < 5.0


def test_place_fields__lazy_maps_and_selected_cells(box):
    _, maps, _ = box
    lazy = maps.chunk(unit=5)
    xr.testing.assert_identical(detect_place_fields(maps), detect_place_fields(lazy))
    chosen = xr.zeros_like(maps["detected"], dtype=bool)
    chosen[0, 3] = True
    some = detect_place_fields(maps, place_cells=chosen.isel(unit=np.arange(16)[::-1]))
    assert np.isfinite(some["n_fields"].values).sum() == 1
    assert np.isfinite(some["n_fields"].isel(session=0, unit=3).item())
    with pytest.raises(ValueError, match="place_cells lacks 12 of the unit labels of the maps"):
        detect_place_fields(maps, place_cells=chosen.isel(unit=slice(4)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"min_fraction": 0.0}, "more than 0"),
        ({"min_fraction": 1.2}, "at most 1"),
        ({"min_bins": 0}, "at least 1"),
    ],
)
def test_place_fields__refuses(options, message):
    with pytest.raises(ValueError, match=message):
        detect_place_fields(_maps(np.ones(3), np.arange(3.0)), **options)
    with pytest.raises(ValueError, match="no coordinate x_bin"):
        detect_place_fields(_maps(np.ones(3), np.arange(3.0)).drop_vars("x_bin"))


def test_open_field__information_place_cells_and_drift_see_the_truth(box):
    recording, maps, truth = box
    tuned = truth["is_tuned"].values
    binning = Binning(bin_width=6.0)
    cells = detect_place_cells(recording, binning=binning, null="circular", n_repeats=100)
    cells = cells["is_place_cell"].values
    assert cells[:, tuned].all()
    assert cells[:, ~tuned].mean() <= 0.25
    each = compute_drift(maps)["unit_rate_map_correlation"].isel(
        session_a=0, session_b=1, direction=0
    )
    moved = truth["moved"].values[1]
    assert each.values[tuned & ~moved].min() > each.values[tuned & moved].max()

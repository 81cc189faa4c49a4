"""Similarity without noise: literal versions, and truth from a generator of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr

from neurodrift import (
    Binning,
    compute_drift,
    compute_half_maps,
    compute_rate_maps,
    compute_representation_stability,
    compute_session_drift,
    recording_from_arrays,
    testing,
)
from neurodrift.analysis.drift.attenuation import compute_relative_overlap, disattenuated_samples

NAMES = ("rate_map_correlation", "population_vector_correlation", "ensemble_rate_correlation")
EDGES = np.linspace(0, 100, 21)


def recording(
    rng: np.random.Generator,
    *,
    scale: tuple[float, ...] = (1, 1),
    moved: float = 0.0,
    n: int = 60,
    passes: tuple[int, ...] = (1,) * 40,
) -> xr.Dataset:
    """Poisson units with one field each, sessions of trials of some passes each over the track."""
    gain = np.exp(rng.normal(size=n))
    centres = [rng.uniform(5, 95, n)]
    for _ in scale[1:]:
        centres.append(np.where(rng.random(n) < moved, rng.uniform(5, 95, n), centres[-1]))
    x = np.tile(np.arange(0.5, 100, 1.0), sum(passes))
    trial = np.repeat(np.arange(len(passes)), 100 * np.array(passes))
    sessions = []
    for factor, centre in zip(scale, centres, strict=True):
        rate = 0.05 + np.exp(-0.5 * ((x[:, None] - centre) / 8.0) ** 2)
        sessions.append(rng.poisson(rate * gain / gain.mean() * factor * 0.1).astype(np.uint8))
    return recording_from_arrays(
        sessions,
        kind="events",
        x=[x] * len(scale),
        trial=[trial] * len(scale),
        frame_duration=0.1,
        geometry="circular:100",
    )


def halves_of(made: xr.Dataset, smoothing: float = 5.0) -> xr.Dataset:
    return compute_half_maps(made, binning=Binning(edges=EDGES), smoothing=smoothing)


def relative(made: xr.Dataset, **options: Any) -> xr.Dataset:
    segments = compute_drift(halves_of(made), n_repeats=0, per_unit=False, **options)
    return compute_session_drift(segments)


def literal(halves: xr.Dataset, a: str, b: str, units: list[int]) -> list[float]:
    """Maps, population vectors and rates by loops; the units given are those of the vectors."""
    halves = halves.isel(segment=np.isin(halves["session"].values, [a, b]))
    of = halves["session"].values
    sides = [np.flatnonzero(of == name) for name in (a, b)]
    rate, events = (halves[n].transpose("segment", "unit", ...).values for n in ("rate", "events"))
    seconds = halves["occupancy"].values
    n_directions = rate.shape[2]
    seen = [(seconds[:, d] > 0)[np.concatenate(sides)].all(axis=0) for d in range(n_directions)]
    everyone = [u for u in range(rate.shape[1]) if np.isfinite(rate[:, u][:, :, seen[0]]).all()]

    def centred(v: np.ndarray) -> np.ndarray:
        return v - v.mean()

    def pairs(i: int, j: int) -> list[tuple[int, int]]:
        if i != j:
            return [(p, q) for p in sides[i] for q in sides[j]]
        return [(sides[i][0], sides[i][1])]

    own = np.zeros((3, rate.shape[1]))
    for u in everyone:
        for d in range(n_directions):
            n = [sum(events[p, u, d, seen[d]].sum() for p in side) for side in sides]
            if any(events[p, u, d, seen[d]].sum() == 0 for side in sides for p in side):
                continue
            for k, (i, j) in enumerate(((0, 1), (0, 0), (1, 1))):
                top = bottom = 0.0
                for p, q in pairs(i, j):
                    lasted = [seconds[k, d, seen[d]].sum() for k in (p, q)]
                    product = centred(rate[p, u, d, seen[d]]) @ centred(rate[q, u, d, seen[d]])
                    top += product * lasted[0] * lasted[1]
                    bottom += events[p, u, d, seen[d]].sum() * events[q, u, d, seen[d]].sum()
                own[k, u] += top / bottom * n[0] / (n[0] + 20) * n[1] / (n[1] + 20)

    def of_maps(some: list[int]) -> float:
        total = [sum(own[k, u] for u in some) for k in range(3)]
        return total[0] / np.sqrt(total[1] * total[2])

    def of_vectors(values: np.ndarray, some: list[int]) -> float:  # (segment, unit, point)
        means = []
        for i, j in ((0, 1), (0, 0), (1, 1)):
            found = [
                np.corrcoef(values[p, some, k], values[q, some, k])[0, 1]
                for p, q in pairs(i, j)
                for k in range(values.shape[2])
            ]
            means.append(np.mean(found))
        return float(means[0] / np.sqrt(means[1] * means[2]))

    points = np.concatenate([rate[:, :, d][:, :, seen[d]] for d in range(n_directions)], axis=2)
    means = events.sum(axis=(2, 3)) / seconds.sum(axis=(1, 2))[:, None]
    with_map = [u for u in everyone if own[:, u].any()]
    return [
        of_maps(with_map),
        of_vectors(points, [u for u in everyone if u in units]),
        of_vectors(means[:, :, None], everyone),
    ]


def test_relative__equals_loops() -> None:
    two_ways = testing.linear_track(n_units=12, n_sessions=3, minutes=3, drift=0.3, detection=0.9)
    one_way = recording(np.random.default_rng(8), scale=(1, 1, 0.5), moved=0.3, n=15)
    one_way["detected"].values[1, 3:5] = False
    for made in (two_ways, one_way):
        n_units, detected = made.sizes["unit"], made["detected"].values
        halves = halves_of(made, 4.0)
        mask = xr.DataArray(
            np.random.default_rng(1).random((3, n_units)) < 0.7,
            dims=("session", "unit"),
            coords={"session": made["session"], "unit": made["unit"]},
        )
        found = compute_session_drift(compute_drift(halves, place_cells=mask, n_repeats=0))
        some = mask.values & detected
        for a, b in ((0, 1), (0, 2)):
            units = np.flatnonzero((some[a] | some[b]) & detected[a] & detected[b]).tolist()
            both = halves.isel(unit=detected[a] & detected[b])
            number = {u: i for i, u in enumerate(np.flatnonzero(detected[a] & detected[b]))}
            expected = literal(both, str(a + 1), str(b + 1), [number[u] for u in units])
            values = np.array([float(found[f"{name}_relative"][a, b]) for name in NAMES])
            known = np.isfinite(values)  # rates of the first are alike, and noise among units
            assert known[:2].all() and (known[2] or made is two_ways)
            np.testing.assert_allclose(values[known], np.array(expected)[known], rtol=1e-9)
            other = [float(found[f"{name}_relative"][b, a]) for name in NAMES]
            np.testing.assert_allclose(values, other)


@pytest.mark.parametrize("scale", [(1.0, 1.0), (0.3, 0.3), (1.0, 0.25)])
def test_relative__is_one_where_nothing_changes(scale: tuple[float, float]) -> None:
    found = [relative(recording(np.random.default_rng(s), scale=scale)) for s in range(8)]
    for name in NAMES:
        values = np.array([float(one[f"{name}_relative"][0, 1]) for one in found])
        se = np.mean([float(one[f"{name}_relative_se"][0, 1]) for one in found])
        assert abs(values.mean() - 1) < 0.03
        assert 0.4 < se / values.std() < 2.5
    raw = np.mean([float(one["rate_map_correlation"][0, 1]) for one in found])
    assert raw < 0.93  # noise that the correction takes away


@pytest.mark.parametrize("passes", [(8, 8, 8, 8, 8), (30, 10), (1, 2, 30)])
def test_relative__is_one_with_halves_of_unequal_length(passes: tuple[int, ...]) -> None:
    # five trials, as in many recordings, are three against two
    found = [relative(recording(np.random.default_rng(s), passes=passes)) for s in range(8)]
    for name in NAMES:
        values = np.array([float(one[f"{name}_relative"][0, 1]) for one in found])
        assert abs(values.mean() - 1) < 0.03, name


def test_relative__finds_the_true_correlation_of_moved_fields() -> None:
    # fields that moved anywhere are as alike as chance: far below the share that stayed
    few = [
        relative(recording(np.random.default_rng(s), scale=(0.4, 0.4), moved=0.5)) for s in range(8)
    ]
    many = [
        relative(recording(np.random.default_rng(s), scale=(8, 8), moved=0.5)) for s in range(8)
    ]
    for name in NAMES[:2]:
        means = [
            np.mean([float(one[f"{name}_relative"][0, 1]) for one in side]) for side in (few, many)
        ]
        assert 0.35 < means[1] < 0.7
        assert means[0] == pytest.approx(means[1], abs=0.04)


def test_relative__not_of_place_cells_that_were_chosen_on_the_same_data() -> None:
    made = recording(np.random.default_rng(3), scale=(0.3, 0.3))
    best = compute_rate_maps(made, binning=Binning(edges=EDGES))["rate"].max("position") > 1.0
    one, other = relative(made), relative(made, place_cells=best)
    name = "rate_map_correlation_relative"
    np.testing.assert_array_equal(one[name].values, other[name].values)


def test_relative__nothing_where_all_is_noise() -> None:
    values = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        made = recording(rng, n=30)
        made["activity"].values[:] = rng.poisson(0.02, made["activity"].shape)
        found = relative(made)
        values.append([float(found[f"{n}_relative{e}"][0, 1]) for n in NAMES for e in ("", "_se")])
    assert np.isfinite(values).mean() < 0.05


def test_relative__does_not_change_with_units_scale_or_chunks() -> None:
    made = recording(np.random.default_rng(5), n=20)
    names = [f"{name}_relative" for name in NAMES]
    expected = relative(made)
    shuffled = made.isel(unit=np.random.default_rng(0).permutation(20))
    for other in (shuffled, made.chunk(unit=7, time=-1)):
        found = relative(other)
        for name in names:
            np.testing.assert_array_equal(found[name].values, expected[name].values)
    scaled = made.assign(activity=(made["activity"] * 0.01).assign_attrs(made["activity"].attrs))
    scaled["activity"].attrs["kind"] = "amplitudes"  # no counts: maps of unit length
    plain = made.assign(
        activity=made["activity"].astype(float).assign_attrs(scaled["activity"].attrs)
    )
    for name in names:
        np.testing.assert_allclose(relative(scaled)[name], relative(plain)[name], rtol=1e-9)
    assert float(relative(plain)[names[0]][0, 1]) == pytest.approx(1, abs=0.1)


def test_relative_overlap__finds_true_sets_through_misses_and_chance() -> None:
    rng = np.random.default_rng(2)
    kept = []
    for _ in range(20):
        belongs = np.zeros((2, 600), dtype=bool)
        belongs[0, :200] = belongs[1, 100:300] = True  # 100 of 300 in both
        power = np.stack([np.full(600, 0.8), np.full(600, 0.4)])
        p = np.where(belongs, power, 0.05)[:, None, :]
        members = xr.DataArray(rng.random((2, 2, 600)) < p, dims=("session", "half", "unit"))
        found = compute_relative_overlap(members, chance=0.05)
        kept.append([float(found["overlap"][0, 1]), float(found["overlap_se"][0, 1])])
        assert found["overlap"].values.diagonal().tolist() == pytest.approx([1, 1])
    value, se = np.array(kept).T
    assert value.mean() == pytest.approx(1 / 3, abs=0.03)
    assert 0.5 < se.mean() / value.std() < 2.0
    with pytest.raises(ValueError, match="1 halves, expected 2"):
        compute_relative_overlap(members[:, :1])


def test_relative_overlap__untested_units_are_no_chance_finds() -> None:
    rng = np.random.default_rng(6)
    dims = ("session", "half", "unit", "direction")
    labels = {"session": ["1", "2"], "unit": np.arange(200)}
    tested = xr.DataArray(rng.random((2, 2, 200, 2)) < 0.9, dims=dims, coords=labels)
    members = tested & (rng.random((2, 2, 200, 2)) < 0.5)
    chance = 1 - 0.95 ** tested.values.sum(axis=3)
    m = members.values.any(axis=3) - chance
    between = np.mean([m[0, h] * m[1, k] for h in (0, 1) for k in (0, 1)], axis=0)
    sums = np.array([between, m[0, 0] * m[0, 1], m[1, 0] * m[1, 1]])

    def cosine(units: list[int]) -> float:
        total = sums[:, units].sum(axis=1)
        return float(total[0] / np.sqrt(total[1] * total[2]))

    o = cosine(list(range(200)))
    shuffled = tested.isel(unit=rng.permutation(200))
    found = compute_relative_overlap(members, chance=0.05, tested=shuffled)
    assert float(found["overlap"][0, 1]) == pytest.approx(o / (2 - o), rel=1e-9)
    with pytest.raises(ValueError, match="tested has other units"):
        compute_relative_overlap(members, tested=tested.isel(unit=slice(5)))


def test_relative_overlap__nothing_by_chance_alone() -> None:
    found = np.random.default_rng(0).random((2, 2, 300)) < 0.05
    members = xr.DataArray(found, dims=("session", "half", "unit"))
    assert np.isnan(compute_relative_overlap(members, chance=0.05)["overlap"].values[0, 1])


def test_samples__equal_loops_and_the_truth() -> None:
    rng = np.random.default_rng(4)
    true_a = rng.normal(size=(30, 40)) + rng.normal(size=40)
    true_b = 0.8 * true_a + 0.3 * rng.normal(size=(30, 40))
    a, b = (true + rng.normal(size=(2, 30, 40)) * 0.8 for true in (true_a, true_b))
    found = disattenuated_samples(a, b)
    pooled = np.corrcoef(true_a.reshape(-1), true_b.reshape(-1))[0, 1]
    own = [true - true.mean(axis=0) for true in (true_a, true_b)]
    centred = np.corrcoef(own[0].reshape(-1), own[1].reshape(-1))[0, 1]
    assert found["correlation"] == pytest.approx(pooled, abs=0.05)
    assert found["r_squared"] == pytest.approx(pooled**2, abs=0.08)
    assert found["r_squared_centred"] == pytest.approx(centred**2, abs=0.08)
    change = 1 - ((true_b - true_a) ** 2).sum() / (own[0] ** 2).sum()
    assert found["determination"] == pytest.approx(change, abs=0.08)

    def ratio(units: list[int]) -> float:
        def covariance(x: np.ndarray, y: np.ndarray) -> float:
            x, y = x[:, units].reshape(-1), y[:, units].reshape(-1)
            return float(np.mean((x - x.mean()) * (y - y.mean())))

        between = [covariance(a[i], b[j]) for i in (0, 1) for j in (0, 1)]
        within = covariance(a[0], a[1]) * covariance(b[0], b[1])
        return float(np.mean(between)) / np.sqrt(within)

    assert found["correlation"] == pytest.approx(ratio(list(range(40))), rel=1e-9)


def test_representation_stability__without_noise() -> None:
    names = ("r_squared", "r_squared_centred")
    values = []
    for seed in range(6):
        made = recording(np.random.default_rng(seed), scale=(0.4, 0.4))
        maps = compute_rate_maps(made, binning=Binning(edges=EDGES), smoothing=5.0)
        found = compute_representation_stability(maps, halves=halves_of(made))
        values.append([float(found[f"{n}{end}"][0, 1]) for n in names for end in ("", "_relative")])
        assert found["r_squared_relative"].values.diagonal().tolist() == [1, 1]
        one = compute_representation_stability(maps, halves=halves_of(made), reference="2")
        for name in ("correlation_relative", "determination_relative"):
            np.testing.assert_array_equal(one[name].values[0], found[name].values[1])
    raw, corrected, raw_centred, corrected_centred = np.mean(values, axis=0)
    assert raw < 0.95 and raw_centred < 0.95
    assert corrected == pytest.approx(1, abs=0.03)
    assert corrected_centred == pytest.approx(1, abs=0.03)
    pair = [halves_of(made).isel(segment=[h, 2 + h]).swap_dims(segment="session") for h in (0, 1)]
    again = compute_representation_stability(maps, halves=(pair[0], pair[1]))
    np.testing.assert_array_equal(again["r_squared_relative"], found["r_squared_relative"])
    with pytest.raises(ValueError, match="has no half"):
        compute_representation_stability(maps, halves=maps)
    with pytest.raises(ValueError, match="lacks 1 of the unit labels"):
        compute_representation_stability(maps, halves=halves_of(made).isel(unit=slice(1, None)))
    assert "r_squared_relative" not in compute_representation_stability(maps)

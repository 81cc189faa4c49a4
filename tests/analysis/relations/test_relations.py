from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
import xarray as xr

from neurodrift import Binning, compute_half_maps, recording_from_arrays, select_sessions, testing
from neurodrift.analysis.relations import compute_dissimilarities, compute_relations
from neurodrift.analysis.relations.codes import codes_of
from neurodrift.analysis.relations.order import order_trend
from neurodrift.analysis.relations.relations import covariances
from neurodrift.analysis.relations.structure import procrustes_angle, unbiased_hsic
from neurodrift.analysis.relations.symmetries import symmetries
from neurodrift.analysis.relations.unrelated import unrelated_codes
from neurodrift.geometry import graph
from neurodrift.schema.results import DISSIMILARITIES, RELATIONS
from neurodrift.schema.var import structure_faults

WIDE = Binning(bin_width=10)


def track(**options: object) -> xr.Dataset:
    settings = {"n_units": 30, "n_sessions": 3, "minutes": 4, "tuned": 1.0, "peak_rate": 4.0}
    return testing.linear_track(**(settings | options))


def halves_of(recording: xr.Dataset) -> xr.Dataset:
    return compute_half_maps(recording, binning=WIDE)


@pytest.fixture(scope="module")
def halves() -> xr.Dataset:
    return halves_of(track())


def ring(
    centres: np.ndarray, n_laps: int = 30, seed: int = 0, rate: float = 6.0, base: float = 0.05
) -> xr.Dataset:
    """An animal on a circle of 60 cm, with one field for each unit (session, unit)."""
    rng = np.random.default_rng(seed)
    x = np.tile(np.linspace(0.05, 59.95, 30), n_laps)
    lap = np.repeat(np.arange(n_laps), 30)
    parts = []
    for own in centres:
        away = (x[:, None] - own + 30) % 60 - 30
        parts.append(rng.poisson(base * 0.2 + rate * 0.2 * np.exp(-0.5 * (away / 5) ** 2)))
    return recording_from_arrays(
        [np.minimum(part, 250).astype(np.uint8) for part in parts],
        kind="events",
        frame_duration=0.2,
        geometry="circular:60",
        x=[x] * len(parts),
        lap=[lap] * len(parts),
    )


def literal_relations(rate: np.ndarray) -> np.ndarray:
    n = rate.shape[1]
    return np.array(
        [np.corrcoef(rate[:, i], rate[:, j])[0, 1] for i in range(n) for j in range(i + 1, n)]
    )


def test_structure__meets_the_definition_of_deitch(halves: xr.Dataset) -> None:
    found = compute_relations(halves, n_draws=2)
    rate = halves["rate"].transpose("segment", "unit", "direction", "position").values
    flat = rate.reshape(len(rate), rate.shape[1], -1)
    u = [literal_relations(code) for code in flat]  # session 1 half 0, half 1, session 2 ...
    for a in range(3):
        for b in range(a + 1, 3):
            pairs = [(2 * a, 2 * b + 1), (2 * a + 1, 2 * b)]
            raw = np.mean([np.corrcoef(u[i], u[j])[0, 1] for i, j in pairs])
            between = np.mean([np.cov(u[i], u[j])[0, 1] for i, j in pairs])
            own = [np.cov(u[2 * s], u[2 * s + 1])[0, 1] for s in (a, b)]
            np.testing.assert_allclose(found["structure"].values[a, b], raw, atol=1e-9)
            np.testing.assert_allclose(
                found["structure_relative"].values[a, b],
                between / np.sqrt(own[0] * own[1]),
                atol=1e-9,
            )
            vectors = np.mean(
                [
                    np.mean(
                        [
                            np.corrcoef(flat[i][:, k], flat[j][:, k])[0, 1]
                            for k in range(flat.shape[2])
                        ]
                    )
                    for i, j in pairs
                ]
            )
            np.testing.assert_allclose(found["vectors"].values[a, b], vectors, atol=1e-9)


def test_structure_free__has_no_mean_at_any_lag(halves: xr.Dataset) -> None:
    found = compute_relations(halves, n_draws=2)
    rate = halves["rate"].transpose("segment", "unit", "direction", "position").values
    n_ways, n_bins = rate.shape[2:]
    point = [(d, i) for d in range(n_ways) for i in range(n_bins)]
    classes: dict[tuple[int, int, int], list[int]] = {}
    number = 0
    for first in range(len(point)):
        for second in range(first + 1, len(point)):
            (d, i), (e, j) = point[first], point[second]
            classes.setdefault((min(d, e), max(d, e), abs(i - j)), []).append(number)
            number += 1
    free = []
    for code in rate.reshape(len(rate), rate.shape[1], -1):
        u = literal_relations(code)
        for members in classes.values():
            u[members] -= u[members].mean()
        free.append(u)
    expected = np.mean([np.corrcoef(free[0], free[3])[0, 1], np.corrcoef(free[1], free[2])[0, 1]])
    np.testing.assert_allclose(found["structure_free"].values[0, 1], expected, atol=1e-9)


def test_result__is_as_the_table_says(halves: xr.Dataset) -> None:
    found = compute_relations(halves, n_draws=3)
    assert not structure_faults(found, RELATIONS)
    assert not structure_faults(compute_dissimilarities(halves), DISSIMILARITIES)
    assert found["lag"].values[0].tolist() == [0, 1, 2]
    same = compute_relations(halves, n_draws=3)
    xr.testing.assert_identical(found, same)
    for name in ("structure", "structure_free_relative", "cka", "procrustes"):
        np.testing.assert_allclose(found[name].values, found[name].values.T)
    np.testing.assert_allclose(np.diag(found["structure_relative"]), 1)


def test_result__does_not_depend_on_chunks_or_the_order_of_units() -> None:
    recording = track(n_sessions=2)
    eager = compute_relations(halves_of(recording), n_draws=3)
    lazy = compute_relations(halves_of(recording.chunk(time=777, unit=7)), n_draws=3)
    xr.testing.assert_identical(eager, lazy)
    turned = recording.isel(unit=np.arange(recording.sizes["unit"])[::-1])
    again = compute_relations(halves_of(turned), n_draws=3)
    xr.testing.assert_identical(eager, again)


@pytest.mark.parametrize("whitened", [False, True])
def test_dissimilarities__meet_a_loop(halves: xr.Dataset, whitened: bool) -> None:
    found = compute_dissimilarities(halves, whitened=whitened)["dissimilarity"].values
    rate = halves["rate"].transpose("segment", "unit", "direction", "position").values
    one, other = rate[:2].reshape(2, rate.shape[1], -1)
    if whitened:
        noise = np.sqrt(((one - other) ** 2).mean(axis=1) / 2)
        one, other = one / noise[:, None], other / noise[:, None]
    for i, j in ((0, 1), (3, 15), (7, 7), (2, 9)):
        steps = (one[:, i] - one[:, j]) * (other[:, i] - other[:, j])
        np.testing.assert_allclose(found[0, i, j], steps.sum() / steps.size, atol=1e-9)


def test_dissimilarities__are_0_on_average_where_places_are_alike() -> None:
    recording = track(n_sessions=6, tuned=0.0, n_units=60)
    found = compute_dissimilarities(halves_of(recording))["dissimilarity"].values
    upper = found[:, *np.triu_indices(found.shape[1], k=1)].mean(axis=1)
    assert abs(upper.mean()) < 3 * upper.std() / np.sqrt(6)
    rate = halves_of(recording)["rate"].values  # while the noise is not small
    assert rate.var() > 10 * abs(upper.mean())


def test_unbiased_hsic__meets_the_sum_over_quadruples() -> None:
    rng = np.random.default_rng(3)
    n = 6
    k, m = (x @ x.T for x in rng.normal(size=(2, n, 4)))
    total = 0.0
    for i, j, q, r in permutations(range(n), 4):
        total += k[i, j] * (m[i, j] + m[q, r] - 2 * m[i, q])
    count = n * (n - 1) * (n - 2) * (n - 3)
    np.testing.assert_allclose(unbiased_hsic(k, m), total / count, atol=1e-9)


def test_cka__of_independent_noise_is_around_0() -> None:
    rng = np.random.default_rng(0)
    values = []
    for _ in range(300):
        a, b = rng.normal(size=(2, 50, 12))
        values.append(unbiased_hsic(a.T @ a, b.T @ b))
    assert abs(np.mean(values)) < 3 * np.std(values) / np.sqrt(300)


def test_procrustes__of_a_rotation_a_move_and_a_scale_is_0() -> None:
    rng = np.random.default_rng(1)
    code = rng.normal(size=(8, 20))
    turn = np.linalg.qr(rng.normal(size=(8, 8)))[0]
    moved = 3 * turn @ code + rng.normal(size=(8, 1))
    assert procrustes_angle(code, moved) < 1e-4
    a, b = code - code.mean(axis=1, keepdims=True), rng.normal(size=(8, 20))
    b -= b.mean(axis=1, keepdims=True)
    nuclear = np.linalg.svd(b @ a.T, compute_uv=False).sum()
    expected = np.degrees(np.arccos(nuclear / np.linalg.norm(a) / np.linalg.norm(b)))
    np.testing.assert_allclose(procrustes_angle(a, b), expected, atol=1e-6)


def test_order_trend__meets_every_order_in_turn() -> None:
    rng = np.random.default_rng(2)
    values = rng.normal(size=(5, 5))
    values = values + values.T
    values[0, 3] = values[3, 0] = np.nan
    at = np.array([0.0, 1.0, 3.0, 4.0, 8.0])

    def slope(order: tuple[int, ...]) -> float:
        x, y = [], []
        for i in range(5):
            for j in range(i + 1, 5):
                if np.isfinite(values[order[i], order[j]]):
                    x.append(at[j] - at[i])
                    y.append(values[order[i], order[j]])
        return float(np.polyfit(x, y, 1)[0])

    every = np.array([slope(order) for order in permutations(range(5))])
    found, p, n = order_trend(values, at, 100, rng)
    np.testing.assert_allclose(found, every[0], atol=1e-9)
    assert n == 120
    assert p == pytest.approx((np.abs(every) >= abs(every[0]) - 1e-12).mean())


def test_unrelated__on_a_circle_turns_all_maps_of_a_unit_alike() -> None:
    rng = np.random.default_rng(0)
    codes = codes_of(
        compute_half_maps(ring(rng.uniform(0, 60, (2, 12))), binning=WIDE, split="lap")
    )
    draw = next(iter(unrelated_codes(codes, 1, seed=4)))
    for n in range(12):
        turns = [
            k
            for k in range(6)
            if np.array_equal(np.roll(codes.rate[0][:, n], k, axis=-1), draw.rate[0][:, n])
        ]
        assert turns
    assert not np.array_equal(draw.rate[0], codes.rate[0])


def test_unrelated__on_a_line_takes_whole_maps_of_another_unit_and_the_own_mean(
    halves: xr.Dataset,
) -> None:
    codes = codes_of(halves)
    draw = next(iter(unrelated_codes(codes, 1, seed=4)))
    mean = codes.rate.mean(axis=(1, 3))
    np.testing.assert_allclose(draw.rate.mean(axis=(1, 3)), mean, rtol=1e-9)
    flat = codes.rate[0].transpose(1, 0, 2).reshape(30, -1)  # both halves and directions
    shapes = flat / flat.mean(axis=1, keepdims=True)
    drawn = draw.rate[1].transpose(1, 0, 2).reshape(30, -1)
    drawn = drawn / drawn.mean(axis=1, keepdims=True)
    assert all(np.isclose(shapes, one).all(axis=1).any() for one in drawn)
    assert (np.diag(draw.shared) > draw.shared[0, 1]).all()


def test_stable_relations_of_cells_that_changed__are_told_from_unrelated_ones() -> None:
    rng = np.random.default_rng(5)
    own = rng.uniform(0, 60, 40)
    exchanged = compute_half_maps(
        ring(np.stack([own, rng.permutation(own)])), binning=Binning(bin_width=3), split="lap"
    )
    same = compute_relations(exchanged, n_draws=39)
    assert abs(same["vectors_relative"].values[0, 1]) < 0.4  # other cells are active
    assert same["structure_free_relative"].values[0, 1] > 0.8  # but their relations stayed
    assert same["structure_free_p"].values[0, 1] == pytest.approx(1 / 40)
    other = compute_half_maps(
        ring(rng.uniform(0, 60, (2, 40))), binning=Binning(bin_width=3), split="lap"
    )
    redrawn = compute_relations(other, n_draws=39)
    assert redrawn["structure_relative"].values[0, 1] > 0.85  # high without any relation kept
    assert abs(redrawn["structure_excess"].values[0, 1]) < 0.06
    assert redrawn["structure_free_p"].values[0, 1] > 0.05


def test_symmetry__names_the_turn_of_a_circle() -> None:
    rng = np.random.default_rng(5)
    own = rng.uniform(0, 60, 40)
    halves = compute_half_maps(
        ring(np.stack([own, own + 15])), binning=Binning(bin_width=3), split="lap"
    )
    found = compute_relations(halves, n_draws=19)
    assert found["symmetry"].values[0, 1] == "a turn by 270 degrees"
    assert found["symmetry_gain"].values[0, 1] > 0.5
    assert found["symmetry_p"].values[0, 1] == pytest.approx(1 / 20)
    still = compute_relations(
        compute_half_maps(ring(np.stack([own, own])), binning=Binning(bin_width=3), split="lap"),
        n_draws=19,
    )
    assert still["symmetry_gain"].values[0, 1] < 0


def test_symmetries__of_a_line_and_a_circle_are_permutations(halves: xr.Dataset) -> None:
    codes = codes_of(halves)
    (move,) = symmetries(codes)
    n = codes.centre.size
    np.testing.assert_array_equal(move.source, np.arange(2 * n)[::-1])
    circle = codes_of(compute_half_maps(ring(np.zeros((1, 3))), binning=WIDE, split="lap"))
    found = symmetries(circle)
    assert len({move.source.tobytes() for move in found}) == 2 * 6 - 1
    assert all(sorted(move.source) == list(range(6)) for move in found)


def test_symmetries__of_a_maze_exchange_its_arms() -> None:
    nodes = {"stem": (0, 0), "fork": (0, 40), "left": (-30, 40), "right": (30, 40)}
    maze = graph(nodes, [("stem", "fork"), ("fork", "left"), ("fork", "right")])
    rng = np.random.default_rng(0)
    x = np.concatenate([np.linspace(0.1, 39.9, 60), np.linspace(50.1, 79.9, 60)])
    x = np.concatenate([x, np.linspace(90.1, 119.9, 60)])
    recording = recording_from_arrays(
        [rng.poisson(1.0, (720, 3)).astype(np.uint8)],
        kind="events",
        frame_duration=0.1,
        geometry=maze,
        x=[np.tile(x, 4)],
        trial=[np.repeat(np.arange(4), 180)],
    )
    halves = compute_half_maps(recording, binning=Binning(bin_width=10, directions=False))
    (move,) = symmetries(codes_of(halves))
    assert move.source.tolist() == [0, 1, 2, 3, 7, 8, 9, 4, 5, 6]
    assert "fork-left" in move.name and "fork-right" in move.name


def test_undetected_units__are_left_out_and_not_silent() -> None:
    recording = track(n_units=40, n_sessions=2)
    missing = recording.copy()
    detected = missing["detected"].values.copy()
    detected[1, :15] = False
    missing["detected"] = (missing["detected"].dims, detected)
    found = compute_relations(halves_of(missing), n_draws=2)
    assert found["n_units"].values[0].tolist() == [40, 25]
    few = compute_relations(halves_of(recording.isel(unit=slice(15, None))), n_draws=2)
    for name in ("structure", "structure_relative", "cka", "procrustes"):
        np.testing.assert_allclose(found[name].values[0, 1], few[name].values[0, 1], atol=1e-12)


def test_too_little__gives_nan_and_says_why() -> None:
    one = compute_relations(halves_of(track(n_units=1)), n_draws=2)
    assert np.isnan(one["structure"].values).all()
    assert "10 units" in one.attrs["reason"]
    single = compute_relations(halves_of(track(n_sessions=1)), n_draws=2)
    assert single.attrs["reason"] == "there is one session"
    assert np.isnan(single["mean_structure"])
    noise = compute_relations(halves_of(track(tuned=0.0, peak_rate=0.05)), n_draws=2)
    assert np.isnan(noise["mean_structure_free"])


def test_nothing_registered__leaves_no_unit() -> None:
    recording = track(n_sessions=2)
    recording = recording.assign_coords(registered=("unit", np.zeros(30, dtype=bool)))
    found = compute_relations(halves_of(recording), n_draws=2)
    assert (found["n_units"].values == 0).all()
    assert found.attrs["reason"]


def test_unvisited_bins__are_left_out(halves: xr.Dataset) -> None:
    patchy = halves.copy(deep=True)
    patchy["occupancy"][2, :, 4] = 0.0
    patchy["rate"][2, :, :, 4] = np.nan
    found = compute_relations(patchy, n_draws=2)
    n = halves.sizes["position"] * 2
    assert found["n_points"].values[0].tolist() == [n, n - 2, n]
    assert np.isfinite(found["structure_relative"].values).all()


def test_sessions_in_different_maps__are_not_compared() -> None:
    recording = track(n_sessions=2, n_units=20)
    label = (recording["session_index"].values + 1).astype(np.int64)
    recording["map_label"] = ("time", label)
    found = compute_relations(halves_of(recording), n_draws=2)
    assert np.isnan(found["structure"].values[0, 1])
    assert np.isfinite(found["structure"].values[0, 0])


def test_two_dimensions__have_relations_too() -> None:
    field = testing.open_field(n_units=30, n_sessions=2)
    halves = compute_half_maps(field, binning=Binning(bin_width=12), split="block")
    found = compute_relations(halves, n_draws=3)
    assert np.isfinite(found["structure"].values).all()
    assert found.attrs["n_symmetries"] == 0


def test_wrong_input__is_refused(halves: xr.Dataset) -> None:
    with pytest.raises(TypeError, match="compute_half_maps"):
        compute_relations(halves["rate"])
    with pytest.raises(ValueError, match="compute_half_maps"):
        compute_relations(track())
    with pytest.raises(ValueError, match="n_draws"):
        compute_relations(halves, n_draws=0)


def test_covariances__never_multiply_the_same_half() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 2, 7))
    np.testing.assert_allclose(covariances(x, x)[0], covariances(x, x)[1])
    centred = [v - v.mean(axis=1, keepdims=True) for v in (x, y)]
    expected = (centred[0][0] @ centred[1][1] + centred[0][1] @ centred[1][0]) / 14
    np.testing.assert_allclose(covariances(x, y)[0], expected)


def test_select_sessions__leaves_the_observed_values(halves: xr.Dataset) -> None:
    recording = track()
    some = select_sessions(recording, ["1", "3"])
    found = compute_relations(halves_of(some), n_draws=2)
    whole = compute_relations(halves, n_draws=2)
    np.testing.assert_allclose(found["structure"].values[0, 1], whole["structure"].values[0, 2])

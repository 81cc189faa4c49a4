from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from neurodrift import Binning, compute_half_maps, testing
from neurodrift.analysis.alignment import compute_alignment
from neurodrift.analysis.alignment.decoding import reading_errors
from neurodrift.analysis.alignment.rotation import fit_rotation, shared_dimensions
from neurodrift.schema.results import ALIGNMENT
from neurodrift.schema.var import structure_faults

WIDE = Binning(bin_width=10)


def track(**options: object) -> xr.Dataset:
    settings = {"n_units": 40, "n_sessions": 3, "minutes": 4, "tuned": 1.0, "peak_rate": 4.0}
    return testing.linear_track(**(settings | {"drift": 0.8} | options))


def halves_of(recording: xr.Dataset) -> xr.Dataset:
    return compute_half_maps(recording, binning=WIDE)


def with_rates(rates: np.ndarray, noise: float, seed: int = 0) -> xr.Dataset:
    """Half maps (session, unit, direction, bin) with noise of their own."""
    n_sessions = len(rates)
    template = halves_of(track(n_units=rates.shape[1], n_sessions=n_sessions, minutes=2)).isel(
        position=slice(0, rates.shape[3])
    )
    rng = np.random.default_rng(seed)
    halves = template.copy(deep=True)
    for segment in range(2 * n_sessions):
        own = rates[segment // 2] + noise * rng.normal(size=rates.shape[1:])
        dims = [d for d in ("unit", "direction", "position")]
        halves["rate"][segment] = xr.DataArray(own, dims=dims).transpose(*halves["rate"].dims[1:])
    halves["occupancy"][:] = 1.0
    return halves


def rotating(
    n_sessions: int, degrees: float, n_units: int = 20, n_bins: int = 10, seed: int = 0
) -> np.ndarray:
    """A code that turns in every plane of two units by the same angle at each step."""
    rng = np.random.default_rng(seed)
    first = rng.normal(size=(n_units, 2, n_bins))
    codes = []
    for s in range(n_sessions):
        angle = np.deg2rad(degrees * s)
        a, b = first[::2], first[1::2]
        code = np.empty_like(first)
        code[::2] = np.cos(angle) * a - np.sin(angle) * b
        code[1::2] = np.sin(angle) * a + np.cos(angle) * b
        codes.append(code)
    return np.stack(codes) + 5.0  # rates are above 0


def test_fit_rotation__is_the_procrustes_solution_where_all_dimensions_are_seen() -> None:
    rng = np.random.default_rng(0)
    a = rng.normal(size=(5, 40))
    turn = np.linalg.qr(rng.normal(size=(5, 5)))[0]
    rotation = fit_rotation(a[:, :5], turn @ a[:, :5], 1e-12)
    np.testing.assert_allclose(rotation.apply(a), turn @ a, atol=1e-9)
    u, _, vt = np.linalg.svd((turn @ a) @ a.T)
    np.testing.assert_allclose(rotation.basis @ rotation.turn @ rotation.basis.T, u @ vt, atol=1e-9)


def test_rotation__done_twice_and_by_half() -> None:
    rates = rotating(3, 20, n_bins=30)[:, :, 0] - 5.0
    rotation = fit_rotation(rates[0], rates[1], 1e-9)
    np.testing.assert_allclose(rotation.apply(rates[1]), rates[2], atol=1e-6)
    np.testing.assert_allclose(rotation.apply(rates[0], 2.0), rates[2], atol=1e-6)
    half = rotation.apply(rotation.apply(rates[0], 0.5), 0.5)
    np.testing.assert_allclose(half, rates[1], atol=1e-9)
    np.testing.assert_allclose(rotation.angles(), 20, atol=1e-4)


def test_rotation__leaves_what_it_has_not_seen() -> None:
    rates = rotating(2, 20, n_bins=3)[:, :, 0]
    rotation = fit_rotation(rates[0], rates[1], 1e-9)
    assert rotation.basis.shape == (20, 6)
    beside = np.linalg.svd(rotation.basis.T)[2][6:].T
    np.testing.assert_allclose(rotation.apply(beside), beside, atol=1e-9)


def test_shared_dimensions__leave_noise_out() -> None:
    rng = np.random.default_rng(0)
    signal = 3 * rng.normal(size=(60, 3)) @ rng.normal(size=(3, 15))
    code = np.stack([signal + rng.normal(size=(60, 15)) for _ in range(2)])
    code -= code.mean(axis=-1, keepdims=True)
    axes, noise = shared_dimensions(code)
    assert 3 <= axes.shape[1] <= 5
    np.testing.assert_allclose(axes.T @ axes, np.eye(axes.shape[1]), atol=1e-9)
    assert noise > 0
    within = np.linalg.norm(signal @ axes[:, -3:]) / np.linalg.norm(signal)
    assert within > 0.95


def test_rotation_of_the_whole_code__is_explained() -> None:
    found = compute_alignment(with_rates(rotating(3, 15), noise=0.1), n_draws=10)
    assert found["extrapolation"].values[0, 1] > 0.9
    assert found["mean_extrapolation_unrelated_p"] == pytest.approx(1 / 11)
    assert found["transfer"].values[0, 1] > 0.3  # 10 of 20 dimensions are seen
    assert found["transfer_p"].values[0, 1] < 0.2
    np.testing.assert_allclose(found["angle"].values[0, 1, 2], 15, atol=5)


def test_transfer__is_1_where_both_directions_span_the_code() -> None:
    found = compute_alignment(with_rates(rotating(2, 25), 0.02), n_draws=5)
    rng = np.random.default_rng(0)
    mixed = rotating(2, 25)
    mixed[:, :, 1] = 5 + (mixed[:, :, 0] - 5) @ rng.normal(size=(10, 10))
    seen = compute_alignment(with_rates(mixed, 0.02), n_draws=5)
    assert seen["transfer"].values[0, 1] > 0.95
    assert found["transfer"].values[0, 1] < seen["transfer"].values[0, 1]


def test_codes_that_change_unit_by_unit__are_not_coordinated() -> None:
    rng = np.random.default_rng(1)
    excess, unrelated = [], []
    for seed in range(12):
        rates = 9 + np.cumsum(rng.normal(size=(3, 40, 2, 10)), axis=0)
        found = compute_alignment(with_rates(rates, 0.3, seed), n_draws=20)
        excess.append(found["mean_transfer_excess"].item())
        unrelated.append(found["mean_transfer_p"].item())
    assert abs(np.mean(excess)) < 0.05
    assert np.mean(np.array(unrelated) <= 0.05) <= 0.17


def test_change__is_free_of_noise_and_the_move_is_told_apart() -> None:
    rng = np.random.default_rng(1)
    first = rng.normal(size=(1, 200, 2, 10))
    move = np.broadcast_to(rng.normal(size=(1, 200, 1, 1)), first.shape)
    rates = np.concatenate([first, first + move])
    found = compute_alignment(with_rates(rates, 1.0), n_draws=2)
    np.testing.assert_allclose(found["change"].values[0, 1], move.std(), rtol=0.1)
    np.testing.assert_allclose(found["move"].values[0, 1], 1, atol=0.1)
    assert np.isnan(found["transfer"].values[0, 1])  # beyond the move nothing changes
    assert found["n_unchanged"] == 1
    assert found.attrs["reason"] == "no change between sessions is clear from noise"


def test_fewer_events_in_all_units__are_no_change() -> None:
    rates = 5 + np.random.default_rng(3).normal(size=(1, 60, 2, 10))
    found = compute_alignment(with_rates(np.concatenate([rates, rates / 2]), 0.1), n_draws=2)
    assert np.isnan(found["transfer"].values[0, 1])
    assert found["n_unchanged"] == 1


def test_result__is_as_the_table_says_whatever_the_chunks() -> None:
    recording = track()
    found = compute_alignment(halves_of(recording), n_draws=3)
    assert not structure_faults(found, ALIGNMENT)
    lazy = compute_alignment(halves_of(recording.chunk(time=777, unit=7)), n_draws=3)
    xr.testing.assert_identical(found, lazy)
    assert np.isnan(found["transfer"].values[np.tril_indices(3)]).all()


def test_share_explained__meets_a_loop() -> None:
    rates = rotating(2, 30)
    halves = with_rates(rates, 0.2)
    found = compute_alignment(halves, n_draws=2)
    code = halves["rate"].transpose("segment", "unit", "direction", "position").values
    order = np.argsort(halves["unit"].values.astype(str), kind="stable")
    a, b = code[:2, order], code[2:, order]
    power = [
        (
            np.prod([c - c.mean(axis=-1, keepdims=True) for c in side.reshape(2, 20, -1)], axis=0)
        ).sum()
        for side in (a, b)
    ]
    b = b * np.sqrt(power[0] / power[1])
    left = change = 0.0
    for fitted, asked in ((0, 1), (1, 0)):
        x, y, before, after = (
            side[:, :, d] - side[:, :, d].mean(axis=-1, keepdims=True)
            for side, d in ((a, fitted), (b, fitted), (a, asked), (b, asked))
        )
        axes, noise = shared_dimensions(x, y)
        told = []
        for h in (0, 1):
            u, _, vt = np.linalg.svd(y[h] @ axes @ (x[h] @ axes).T + 3 * noise * np.eye(20))
            told.append(u @ vt @ before[h])
        left += ((after[0] - told[0]) * (after[1] - told[1])).sum()
        change += ((after[0] - before[0]) * (after[1] - before[1])).sum()
    np.testing.assert_allclose(found["transfer"].values[0, 1], 1 - left / change, atol=1e-9)


@pytest.mark.parametrize("n_units", [1, 10])
def test_few_units__give_nan_and_say_why(n_units: int) -> None:
    found = compute_alignment(halves_of(track(n_units=n_units)), n_draws=2)
    assert np.isnan(found["transfer"].values).all()
    assert "20 units" in found.attrs["reason"]


def test_one_session__says_so() -> None:
    found = compute_alignment(halves_of(track(n_sessions=1)), n_draws=2)
    assert found.attrs["reason"] == "there is one session"


def test_undetected_units__are_left_out() -> None:
    recording = track(n_sessions=2)
    detected = recording["detected"].values.copy()
    detected[1, :15] = False
    missing = recording.copy()
    missing["detected"] = (missing["detected"].dims, detected)
    found = compute_alignment(halves_of(missing), n_draws=2)
    assert found["n_units"].values[0, 1] == 25
    few = compute_alignment(halves_of(recording.isel(unit=slice(15, None))), n_draws=2)
    np.testing.assert_allclose(found["transfer"].values[0, 1], few["transfer"].values[0, 1])


def test_wrong_input__is_refused() -> None:
    with pytest.raises(ValueError, match="compute_half_maps"):
        compute_alignment(track())


def test_alignment__reads_a_code_that_turned_as_a_whole() -> None:
    turned = compute_alignment(with_rates(rotating(2, 80, n_units=40), 0.05), n_draws=19)
    first, last = 0, 1
    errors = [
        float(turned[f"reading_{name}"][first, last]) for name in ("aligned", "unaligned", "own")
    ]
    assert errors[2] == 0 and errors[0] < errors[1] - 5
    np.testing.assert_allclose(turned["reading_gain"], errors[1] - errors[0])
    assert float(turned["reading_gain_p"]) == 0.05
    assert np.isnan(turned["reading_aligned"].values[last, first])


def test_alignment__rotation_does_not_read_units_that_change_on_their_own() -> None:
    low = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        rates = np.cumsum(rng.normal(size=(2, 40, 2, 10)) * [[[[1.0]]], [[[0.8]]]], axis=0) + 9
        low.append(
            float(compute_alignment(with_rates(rates, 0.05, seed), n_draws=19)["reading_gain_p"])
        )
    assert np.mean(np.array(low) <= 0.05) <= 0.25


def test_reading_errors__literal() -> None:
    rng = np.random.default_rng(3)
    told, before, after = (rng.normal(size=(2, 7, 6)) for _ in range(3))
    away = np.abs(np.subtract.outer(np.arange(6.0), np.arange(6.0)))
    expected = []
    for source in (told, before, after):
        errors = []
        for half in (0, 1):
            for p in range(6):
                r = [np.corrcoef(after[1 - half][:, p], source[half][:, q])[0, 1] for q in range(6)]
                errors.append(away[p, int(np.argmax(r))])
        expected.append(np.mean(errors))
    found = reading_errors((told[0], told[1]), before, after, away)
    np.testing.assert_allclose(found, expected)


def test_sessions_that_did_not_visit_some_places__are_compared_where_they_did() -> None:
    recording = track()
    first = recording["session_index"] == 0
    partly = recording.assign(x=recording["x"].where(~(first & (recording["x"] > 80))))
    found = compute_alignment(halves_of(partly), n_draws=20)
    for name in ("transfer", "transfer_unrelated"):
        off = ~np.isnan(found[name].values)
        assert off[0, 1] and off[1, 2]
    whole = compute_alignment(halves_of(track()), n_draws=20)
    assert found["transfer"].values[1, 2] == whole["transfer"].values[1, 2]

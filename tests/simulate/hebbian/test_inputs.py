from __future__ import annotations

import math

import numpy as np
import pytest

from neurodrift.simulate.hebbian.inputs import HebbianInputs, place_1d, place_2d, psp, ring


def grid_rate(r: tuple[float, float], scale: float, turn: float, r0: tuple[float, float]) -> float:
    """One grid cell at one place, literally."""
    total = 0.0
    for m in (1, 2, 3):
        angle = 2 * math.pi * m / 3 + turn
        along = math.cos(angle) * (r[0] - r0[0]) + math.sin(angle) * (r[1] - r0[1])
        total += math.cos(4 * math.pi / (math.sqrt(3) * scale) * along) / 3
    return 2 / 3 * (total + 0.5)


def test_ring__unit_circle_and_circumference() -> None:
    inputs = ring(n_positions=8, length=80)
    np.testing.assert_allclose(np.linalg.norm(inputs.inputs, axis=1), 1)
    np.testing.assert_allclose(inputs.x, (np.arange(8) + 0.5) * 10)
    steps = np.diff(np.unwrap(np.arctan2(inputs.inputs[:, 1], inputs.inputs[:, 0])))
    np.testing.assert_allclose(steps, np.pi / 4)


def test_place_1d__literal_grid_cells() -> None:
    inputs = place_1d(n_positions=7, n_scales=2, n_orientations=3, n_offsets=2, length=70)
    assert inputs.inputs.shape == (7, 2 * 3 * 4)
    np.testing.assert_allclose(inputs.x, (np.arange(7) + 0.5) * 10)
    assert inputs.y is None
    cell = 0
    for scale in (0.2, 0.2 * 1.42):
        for turn in range(3):
            for a in range(2):
                for b in range(2):
                    for i in range(7):
                        place = i / 7, math.tan(math.pi / 6) * i / 7
                        offset = a / 2 * scale, b / 2 * scale
                        expected = grid_rate(place, scale, turn * math.pi / 9, offset)
                        assert inputs.inputs[i, cell] == pytest.approx(expected, abs=1e-12)
                    cell += 1
    assert inputs.inputs.min() >= -1e-12
    assert inputs.inputs.max() <= 1 + 1e-12


def test_place_2d__literal_grid_cells_and_places() -> None:
    inputs = place_2d(n_positions=3, n_scales=1, n_orientations=1, n_offsets=1, length=30)
    for i in range(9):
        place = i % 3 / 3, i // 3 / 3
        assert inputs.inputs[i, 0] == pytest.approx(grid_rate(place, 0.2, 0, (0, 0)), abs=1e-12)
        assert (inputs.x[i], inputs.y[i]) == pytest.approx((30 * place[0] + 5, 30 * place[1] + 5))


def test_psp__variances_and_seed() -> None:
    inputs = psp(n_samples=40_000)
    expected = np.array([4.5, 3.5, 1, *[0.01] * 7]) / math.sqrt(10)
    np.testing.assert_allclose(inputs.inputs.var(axis=0), expected, rtol=0.05)
    assert inputs.x is None
    assert (psp(n_samples=10).inputs == psp(n_samples=10).inputs).all()
    assert (psp(n_samples=10).inputs != psp(n_samples=10, seed=1).inputs).any()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ring(n_positions=0), "n_positions is 0, expected a whole number"),
        (lambda: ring(length=-1), "length is -1, expected a positive"),
        (lambda: place_1d(slice_angle=2), "slice_angle is 2"),
        (lambda: place_2d(n_offsets=0), "n_offsets is 0"),
        (lambda: psp(variances=[1, 2]), "falling order"),
        (lambda: HebbianInputs(name="a", inputs=[1, 2]), "expected 2 dimensions"),
        (lambda: HebbianInputs(name="a", inputs=[[np.nan]]), "not finite"),
        (lambda: HebbianInputs(name="a", inputs=[[1.0]], x=[1, 2]), "x has 2 places"),
        (lambda: HebbianInputs(name="a", inputs=[[1.0]], y=[1]), "y is given without x"),
    ],
)
def test_inputs__impossible_ones(make, message) -> None:
    with pytest.raises(ValueError, match=message):
        make()

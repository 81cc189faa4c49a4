from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import neurodrift as nd
from neurodrift.simulate.gradient.engine import train
from neurodrift.simulate.gradient.tasks import predictive_track

rng = np.random.default_rng(0)
POSITION = np.abs((np.arange(120) * 3.0) % 200 - 100)
HIDDEN = [rng.random((120, 5)).astype(np.float32) for _ in range(3)]
STEPS = [0, 10, 200]


def test_recording_from_checkpoints__is_what_the_simulation_records():
    run = train(predictive_track(n_samples=60), n_steps=100, snapshots=[0, 10, 100])
    expected = run.recording(subject="net")
    parts = nd.slice_sessions(expected)
    made = nd.recording_from_checkpoints(
        [expected["activity"].values[part] for part in parts],
        expected["x"].values[parts[0]],
        direction=expected["direction"].values[parts[0]],
        steps=[0, 10, 100],
        loss=expected["loss"].values,
        subject="net",
        environment=expected["environment"].item(),
    )
    xr.testing.assert_identical(made, expected)


def test_recording_from_checkpoints__tensors_of_any_kind_are_the_same():
    torch = pytest.importorskip("torch")
    plain = nd.recording_from_checkpoints(HIDDEN, POSITION, steps=STEPS)
    tensors = [torch.tensor(h, requires_grad=True) for h in HIDDEN]
    made = nd.recording_from_checkpoints(
        tensors, torch.tensor(POSITION), steps=torch.tensor(STEPS), loss=None
    )
    xr.testing.assert_identical(made, plain)
    assert all(tensor.requires_grad for tensor in tensors)
    stacked = nd.recording_from_checkpoints(torch.stack(tensors), POSITION, steps=STEPS)
    xr.testing.assert_identical(stacked, plain)
    half = nd.recording_from_checkpoints(
        [tensor.to(torch.bfloat16) for tensor in tensors], POSITION, steps=STEPS
    )
    assert half["activity"].dtype == np.float32
    np.testing.assert_allclose(half["activity"], plain["activity"], rtol=2**-8)
    sparse = nd.recording_from_checkpoints(
        [tensor.detach().to_sparse() for tensor in tensors], POSITION, steps=STEPS
    )
    xr.testing.assert_identical(sparse, plain)


class OnlyArray:  # as JAX's arrays are
    def __init__(self, values):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.values, dtype=dtype)


class OnlyDlpack:
    def __init__(self, values):
        self.values = values

    def __dlpack__(self, **options):
        return self.values.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.values.__dlpack_device__()


class OnDevice:  # as CuPy's arrays are
    __cuda_array_interface__ = {}  # noqa: RUF012

    def __init__(self, values):
        self.values = values

    def get(self):
        return self.values


@pytest.mark.parametrize("wrap", [OnlyArray, OnlyDlpack, OnDevice, np.ndarray.tolist])
def test_recording_from_checkpoints__arrays_of_other_libraries(wrap):
    plain = nd.recording_from_checkpoints(HIDDEN, POSITION, steps=STEPS)
    made = nd.recording_from_checkpoints([wrap(h) for h in HIDDEN], POSITION, steps=STEPS)
    np.testing.assert_array_equal(made["activity"].values, plain["activity"].values)


def test_recording_from_checkpoints__bfloat16_of_numpy_extension():
    ml_dtypes = pytest.importorskip("ml_dtypes")
    made = nd.recording_from_checkpoints(
        [h.astype(ml_dtypes.bfloat16) for h in HIDDEN], POSITION, steps=STEPS
    )
    assert made["activity"].dtype == np.float32


def test_recording_from_checkpoints__two_axes_and_a_position_each():
    places = [rng.uniform(0, 50, (len(h), 2)) for h in HIDDEN]
    made = nd.recording_from_checkpoints(HIDDEN, places, steps=STEPS, unit=list("abcde"))
    for name, axis in (("x", 0), ("y", 1)):
        np.testing.assert_array_equal(made[name], np.concatenate(places)[:, axis])
    assert made["unit"].values.tolist() == list("abcde")
    assert made["session"].values.tolist() == ["step 0", "step 10", "step 200"]


def test_recording_from_checkpoints__a_theorists_whole_way():
    maps = [np.exp(-(((POSITION[:, None] - c) / 15) ** 2)) for c in ([10, 50, 90], [20, 50, 90])]
    results = nd.analyze(nd.recording_from_checkpoints(maps, POSITION, steps=[0, 500]))
    assert results["sessions"]["n_place_cells"].values.tolist() == [3, 3]
    assert "step 500" in str(nd.summary(results))


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ((HIDDEN[0], POSITION, STEPS), ValueError, r"one array of shape \(120, 5\), expected a"),
        (([], POSITION, []), ValueError, "hidden is an empty list"),
        (([h[None] for h in HIDDEN], POSITION, STEPS), ValueError, r"hidden\[0\] has shape \(1, "),
        ((HIDDEN, POSITION[:9], STEPS), ValueError, r"checkpoint 0 has shape \(9,\).*120 frames"),
        ((HIDDEN, POSITION[None].T.repeat(3, 1), STEPS), ValueError, r"\(time\) or \(time, 2\)"),
        ((HIDDEN, [POSITION] * 2, STEPS), ValueError, "2 arrays, but there are 3 checkpoints"),
        ((HIDDEN, POSITION, [0, 1]), ValueError, "but there are 3 checkpoints"),
        ((HIDDEN, POSITION, [0, 2, 1]), ValueError, "whole numbers that ascend"),
        ((HIDDEN, POSITION, [0, 0.5, 1]), ValueError, "whole numbers that ascend"),
        ((["a", "b", "c"], POSITION, STEPS), TypeError, r"hidden\[0\] is of type str"),
        (([h[:, : 5 - i] for i, h in enumerate(HIDDEN)], POSITION, STEPS), ValueError, "units"),
        (([h * np.nan for h in HIDDEN], POSITION, STEPS), ValueError, "activity is NaN"),
        (([[[1, 2], [3]]], POSITION, [0]), TypeError, "cannot be read as an array of numbers"),
    ],
)
def test_recording_from_checkpoints__refuses(arguments, error, match):
    hidden, position, steps = arguments
    with pytest.raises(error, match=match):
        nd.recording_from_checkpoints(hidden, position, steps=steps)

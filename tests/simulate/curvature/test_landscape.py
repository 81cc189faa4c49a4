from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurodrift.seeds import generator
from neurodrift.simulate.curvature.flatness import measure_flatness_bias, predict_valley_drift
from neurodrift.simulate.curvature.landscape import Landscape, descend, valley


def _bowl(*curvatures: float) -> Landscape:
    scale = np.array(curvatures)
    return Landscape(
        name="bowl",
        parameters=tuple("abcdef"[: scale.size]),
        gradient=lambda p: scale * p,
        loss=lambda p: (scale * p**2).sum(axis=1) / 2,
    )


def test_descend__step_by_step_by_hand():
    eta, sigma, width, seed = 0.03, 0.4, 0.7, 5
    walks = descend(
        valley(),
        start=[(1.0, 0.3), (-0.5, 2.0)],
        learning_rate=eta,
        n_steps=300,  # more than one block of draws
        update_noise=sigma,
        label_noise=width,
        label_noise_kind="uniform",
        every=3,
        seed=seed,
    )
    assert walks["step"].values.tolist() == list(range(0, 301, 3))
    for walker, (x, y) in enumerate([(1.0, 0.3), (-0.5, 2.0)]):
        xi = generator(seed, "landscape", "update", walker).standard_normal((300, 2))
        label = width * (generator(seed, "landscape", "label", walker).random(300) - 0.5)
        for step in range(300):
            error = x * y - label[step]
            slope = 2 * error * y + sigma * xi[step, 0], 2 * error * x + sigma * xi[step, 1]
            x, y = x - eta * slope[0], y - eta * slope[1]
            if (step + 1) % 3 == 0:
                found = walks["theta"].sel(walker=walker, step=step + 1).values
                np.testing.assert_allclose(found, (x, y), rtol=1e-9, atol=1e-12)
        last = walks.sel(walker=walker).isel(step=-1)
        assert float(last["loss"]) == pytest.approx((x * y) ** 2, rel=1e-8)
        assert float(last["distance"]) == pytest.approx(max(abs(x), abs(y)))
        assert float(last["hessian_trace"]) == pytest.approx(2 * (x**2 + y**2), rel=1e-6)
        hessian = [[2 * y**2, 4 * x * y], [4 * x * y, 2 * x**2]]
        top = np.linalg.eigvalsh(hessian)[-1]
        assert float(last["curvature"]) == pytest.approx(top, rel=1e-6)


def test_descend__gradient_and_least_squares_forms_agree():
    toy = valley()
    by_outputs = Landscape(
        name="v", parameters=("x", "y"), outputs=toy.outputs, jacobian=toy.jacobian
    )
    options = {"start": (1.2, 0.4), "learning_rate": 0.05, "n_steps": 50, "update_noise": 0.1}
    first, second = descend(toy, **options), descend(by_outputs, **options)
    np.testing.assert_allclose(first["theta"], second["theta"], rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(first["loss"], second["loss"], atol=1e-14)
    assert "distance" not in second


def test_descend__without_noise_is_gradient_descent_and_stays():
    walks = descend(valley(), start=(1.5, 0.2), learning_rate=0.1, n_steps=400, every=100)
    assert float(walks["loss"].isel(step=-1).item()) < 1e-30
    late = walks["theta"].isel(step=slice(1, None)).values
    np.testing.assert_allclose(late, np.broadcast_to(late[:, -1:], late.shape), atol=1e-12)
    # x² - y² is conserved by the flow; the step size breaks it only in second order
    assert late[0, -1, 0] ** 2 == pytest.approx(1.5**2 - 0.2**2, rel=0.02)


@pytest.mark.parametrize(("curvature", "eta", "sigma"), [(1.0, 0.1, 0.5), (8.0, 0.2, 0.3)])
def test_descend__stationary_variance_on_a_bowl(curvature, eta, sigma):
    walks = descend(
        _bowl(curvature),
        start=(0.0,),
        learning_rate=eta,
        update_noise=sigma,
        n_steps=1500,
        n_walkers=400,
        every=50,
    )
    late = walks["theta"].isel(step=slice(6, None)).values.ravel()
    expected = eta * sigma**2 / (curvature * (2 - eta * curvature))
    assert late.var() == pytest.approx(expected, rel=5 * np.sqrt(2 / late.size))
    assert abs(late.mean()) < 5 * np.sqrt(expected / late.size)
    loss = walks["loss"].isel(step=slice(6, None)).values.mean()
    assert loss == pytest.approx(curvature * expected / 2, rel=0.06)


@pytest.mark.parametrize("kind", ["gaussian", "uniform"])
def test_descend__stationary_variance_under_label_noise(kind):
    # one parameter, output c·theta: theta' = (1 - 2 eta c²) theta + 2 eta c xi
    eta, c, scale = 0.1, 1.5, 0.6
    line = Landscape(
        name="line",
        parameters=("w",),
        outputs=lambda p: c * p,
        jacobian=lambda p: np.full((len(p), 1, 1), c),
    )
    walks = descend(
        line,
        start=(0.0,),
        learning_rate=eta,
        label_noise=scale,
        label_noise_kind=kind,
        n_steps=1000,
        n_walkers=400,
        every=25,
    )
    late = walks["theta"].isel(step=slice(4, None)).values
    sd = scale if kind == "gaussian" else scale / np.sqrt(12)
    expected = (2 * eta * c * sd) ** 2 / (1 - (1 - 2 * eta * c**2) ** 2)
    assert late.var() == pytest.approx(expected, rel=0.06)


@pytest.mark.parametrize(
    ("noise", "eta", "start"),
    [
        ({"update_noise": 0.1}, 0.1, 1.0),
        ({"update_noise": 0.02}, 0.3, 1.5),  # steep: far from the limit of small learning rates
        ({"label_noise": 0.3}, 0.02, 1.5),
        ({"label_noise": 1.0, "label_noise_kind": "uniform"}, 0.02, 1.5),
        ({"update_noise": 0.1, "label_noise": 0.2}, 0.02, 1.5),
    ],
    ids=["update", "update-steep", "label", "label-uniform", "both"],
)
def test_flatness_bias__valley_drifts_as_predicted(noise, eta, start):
    walks = descend(
        valley(),
        start=(start, 0.0),
        learning_rate=eta,
        n_steps=1000,
        every=50,
        n_walkers=2000,
        **noise,
    ).isel(step=slice(4, None))  # once y has forgotten its start
    bias = measure_flatness_bias(walks, bins=3)
    assert (bias["predicted"] < 0).all()
    within = 4 * bias["drift_se"] + 0.02 * np.abs(bias["predicted"])
    assert (np.abs(bias["drift"] - bias["predicted"]) < within).all()
    overall = measure_flatness_bias(walks, bins=1)
    assert (overall["drift"] / overall["drift_se"]).item() < -4  # it is seen, not only allowed
    for quantity in ("curvature", "hessian_trace"):
        fall = measure_flatness_bias(walks, quantity=quantity, bins=1)
        assert (fall["drift"] + 4 * fall["drift_se"]).item() < 0


def test_flatness_bias__rate_grows_as_the_square_of_the_noise():
    drifts = []
    for scale in (0.02, 0.04):
        walks = descend(
            valley(),
            start=(1.0, 0.0),
            learning_rate=0.1,
            label_noise=scale,
            n_steps=1000,
            every=100,
            n_walkers=400,
        ).isel(step=slice(1, None))
        drifts.append(measure_flatness_bias(walks, bins=1)["drift"].item())
    assert drifts[1] / drifts[0] == pytest.approx(4, rel=0.05)


def test_descend__valley_walks_reach_the_flat_origin_and_stay_on_the_floor():
    walks = descend(
        valley(),
        start=(1.0, 0.0),
        learning_rate=0.05,
        update_noise=0.2,
        n_steps=8000,
        every=400,
        n_walkers=500,
    )
    middle = walks["distance"].median("walker").values
    assert middle[-1] < 0.7 * middle[0]
    # loss stays at its noise floor, eta sigma² / 4, while the curvature falls
    assert walks["loss"].isel(step=slice(1, None)).mean() < 2 * 0.05 * 0.2**2 / 4
    assert walks["curvature"].median("walker")[-1] < 0.5 * walks["curvature"][0, 0]
    # on the arms the mean squared distance is conserved: what drifts is the typical walker
    squared = (walks["theta"] ** 2).sum("parameter")
    early = squared.isel(step=slice(0, 6))
    assert float(early.mean()) == pytest.approx(1.0, abs=0.05)


def test_valley_drift__is_half_the_slope_of_the_regularisers():
    eta, sigma, s, x = 1e-4, 0.3, 0.2, np.array([0.5, 1.0, 2.0])
    update = predict_valley_drift(x, eta, update_noise=sigma)
    np.testing.assert_allclose(update, -((eta * sigma) ** 2) / 4 * (2 / x), rtol=1e-3)
    label = predict_valley_drift(x, eta, label_noise=s)
    np.testing.assert_allclose(label, -((eta * s) ** 2) / 2 * (4 * x), rtol=1e-3)
    uniform = predict_valley_drift(x, eta, label_noise=s * np.sqrt(12), label_noise_kind="uniform")
    np.testing.assert_allclose(uniform, label)
    assert np.isnan(predict_valley_drift(2.0, 0.3, update_noise=0.1))


def test_descend__walker_does_not_depend_on_the_others():
    options = {
        "start": (0.7, 0.2),
        "learning_rate": 0.05,
        "n_steps": 600,
        "update_noise": 0.3,
        "label_noise": 0.2,
        "every": 60,
        "seed": 8,
    }
    few = descend(valley(), n_walkers=3, **options)
    many = descend(valley(), n_walkers=50, **options)
    for name in few.data_vars:
        np.testing.assert_array_equal(few[name].values, many[name].isel(walker=slice(3)).values)
    again = descend(valley(), n_walkers=3, **(options | {"every": 20}))
    np.testing.assert_array_equal(few["theta"].values, again["theta"].sel(step=few["step"]).values)
    other = descend(valley(), n_walkers=3, **(options | {"seed": 9}))
    assert not np.array_equal(few["theta"], other["theta"])
    assert not np.array_equal(few["theta"][0], few["theta"][1])


def test_descend__diverging_walkers_are_named_not_hidden():
    walks = descend(
        valley(), start=[(1.0, 0.1), (30.0, 1.0)], learning_rate=0.1, n_steps=200, every=10
    )
    assert walks["diverged"].values.tolist() == [False, True]
    assert np.isnan(walks["curvature"].values[1, -1])
    assert np.isfinite(walks["theta"].values[0]).all()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0.1, 10), min_size=1, max_size=4), st.floats(-5, 5))
def test_curvatures__of_a_bowl(curvatures, at):
    theta = np.full((2, len(curvatures)), at)
    found = _bowl(*curvatures).curvatures(theta)
    np.testing.assert_allclose(found, [sorted(curvatures)] * 2, rtol=1e-6)


def test_flatness_bias__literal_means():
    walks = descend(
        _bowl(1.0), start=(2.0,), learning_rate=0.1, n_steps=40, update_noise=0.5, n_walkers=9
    )
    values = np.abs(walks["theta"].values[..., 0])
    walks["distance"] = (("walker", "step"), values)
    edges = [0.0, 0.5, 1.0, 5.0, 6.0]
    bias = measure_flatness_bias(walks, bins=edges, lag=3)
    changes: list[list[float]] = [[] for _ in edges[1:]]
    starts: list[list[float]] = [[] for _ in edges[1:]]
    for walker in range(9):
        for t in range(0, 39, 3):
            for k in range(4):
                if edges[k] <= values[walker, t] < edges[k + 1]:
                    changes[k].append(values[walker, t + 3] - values[walker, t])
                    starts[k].append(values[walker, t])
    assert bias["n"].values.tolist() == [len(c) for c in changes]
    for k in range(3):
        assert float(bias["drift"][k]) == pytest.approx(np.mean(changes[k]) / 3)
        assert float(bias["start"][k]) == pytest.approx(np.mean(starts[k]))
        error = np.std(changes[k], ddof=1) / np.sqrt(len(changes[k])) / 3
        assert float(bias["drift_se"][k]) == pytest.approx(error)
    assert np.isnan(bias["drift"][3])
    assert "predicted" not in bias


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"learning_rate": 0.0}, "learning_rate is 0.0"),
        ({"n_steps": 0}, "n_steps is 0"),
        ({"every": 20}, "every 20, expected 1 <= every <= n_steps"),
        ({"update_noise": -1.0}, "update_noise is -1.0"),
        ({"update_noise": np.nan, "learning_rate": -1}, "learning_rate is -1.*update_noise is nan"),
        ({"label_noise_kind": "cauchy"}, "label_noise_kind is 'cauchy'"),
        ({"start": (1.0,)}, r"start has shape \(1,\)"),
        ({"start": (1.0, np.inf)}, "expected finite numbers"),
        ({"start": np.ones((3, 2)), "n_walkers": 4}, "start has 3 rows but n_walkers is 4"),
    ],
)
def test_descend__bad_options(options, message):
    given_ = {"start": (1.0, 0.0), "learning_rate": 0.1, "n_steps": 10} | options
    with pytest.raises(ValueError, match=message):
        descend(valley(), **given_)


def test_landscape__what_is_missing_is_named():
    with pytest.raises(ValueError, match="no gradient"):
        Landscape(name="flat", parameters=("x",))
    with pytest.raises(ValueError, match="outputs and jacobian go together"):
        Landscape(name="half", parameters=("x",), outputs=lambda p: p)
    with pytest.raises(ValueError, match="no outputs.*use update_noise"):
        descend(_bowl(1.0), start=(1.0,), learning_rate=0.1, n_steps=5, label_noise=0.1)
    walks = descend(_bowl(1.0), start=(1.0,), learning_rate=0.1, n_steps=5)
    with pytest.raises(ValueError, match="have no 'distance', they have"):
        measure_flatness_bias(walks)
    with pytest.raises(ValueError, match="lag is 6, expected 1 to 5"):
        measure_flatness_bias(walks, quantity="curvature", lag=6)

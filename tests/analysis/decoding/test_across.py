"""Decoders trained in one session and tested in another."""

import known_animals as animals
import numpy as np
import pytest
import xarray as xr

import neurodrift as nd
from neurodrift import testing
from neurodrift.geometry import category, t_maze
from neurodrift.schema import check


def animal(truth="stable", seed=0, **options):
    options = {"n_units": 40, "n_sessions": 3, "n_laps": 24} | options
    return animals.make(truth, np.random.default_rng(seed), **options).recording


QUICK = {"n_repeats": 20, "test": False}


def coded(shape, x, n_sessions=2, n_units=30, seed=0, kind="events", **more):
    """Units with fields along a variable, the same in all sessions; two laps a hundred frames."""
    rng = np.random.default_rng(seed)
    low, high = np.nanmin(x), np.nanmax(x)
    centre = rng.uniform(low, high, n_units)
    rate = 0.02 + 1.5 * np.exp(-0.5 * ((x[:, None] - centre) / (0.08 * (high - low))) ** 2)
    parts = [rng.poisson(np.nan_to_num(rate)) for _ in range(n_sessions)]
    if kind != "events":
        parts = [p + 0.3 * rng.standard_normal(p.shape) for p in parts]
    return nd.recording_from_arrays(
        parts,
        kind=kind,
        frame_duration=0.1,
        x=[x] * n_sessions,
        geometry=shape,
        lap=[np.arange(x.size) // 50] * n_sessions,
        accept=["speed"],  # from one arm to the next it jumps
        **{name: [values] * n_sessions for name, values in more.items()},
    )


def _slow(recording, a, b, n_folds=4, window=0.5, width=4.0):
    """Error of session a in b without any matching, frame by frame."""
    index = recording["session_index"].values
    get = {k: recording[k].values for k in ("x", "direction", "lap", "speed", "activity")}
    edges = np.arange(0.0, 100.1, width)

    def frames(s):
        keep = (index == s) & (get["speed"] >= 1) & (get["direction"] != 0)
        return np.flatnonzero(keep)

    def laps(s):
        """Fold of each lap, the laps of a direction dealt in turn."""
        fold = {}
        for way in (1, -1):
            own = frames(s)
            names = np.unique(get["lap"][own[get["direction"][own] == way]])
            fold |= {int(name): k % n_folds for k, name in enumerate(names)}
        return fold

    def bin_of(i):
        return max(0, int(np.ceil(get["x"][i] / width)) - 1)

    fold_a, fold_b = laps(a), laps(b)
    n_bins = edges.size - 1
    errors = []
    for f in range(n_folds):
        events = np.zeros((2, n_bins, recording.sizes["unit"]))
        spent = np.zeros((2, n_bins))
        for i in frames(a):
            if fold_a[int(get["lap"][i])] != f:
                way = 0 if get["direction"][i] == 1 else 1
                events[way, bin_of(i)] += get["activity"][i]
                spent[way, bin_of(i)] += 0.1
        rate = np.maximum(events / spent[..., None], np.maximum(1e-3, 0.5 / spent)[..., None])
        own = [i for i in frames(b) if fold_b[int(get["lap"][i])] == f]
        runs, last = [], None
        for i in own:
            name = (int(get["lap"][i]), int(get["direction"][i]))
            if last is None or i != last + 1 or name != runs[-1][0]:
                runs.append((name, []))
            runs[-1][1].append(i)
            last = i
        step = round(window / 0.1)
        for _, run in runs:
            for start in range(0, len(run), step):
                some = run[start : start + step]
                if len(some) * 0.1 < window / 2 - 1e-9:
                    continue
                counts = get["activity"][some].sum(axis=0)
                score = (counts * np.log(rate) - len(some) * 0.1 * rate).sum(axis=-1)
                posterior = np.exp(score - score.max())
                best = posterior.sum(axis=0).argmax()
                errors.append(abs(edges[best] + width / 2 - get["x"][some[len(some) // 2]]))
    return np.mean(errors), np.median(errors), len(errors)


def test_decode_across_sessions__literal():
    recording = animal("shift", n_units=12, n_sessions=2, n_laps=16)
    found = nd.decode_across_sessions(
        recording,
        match=None,
        n_folds=4,
        smoothing=0.0,
        n_repeats=0,
        test=False,
        binning=nd.Binning(edges=np.arange(0.0, 100.1, 4.0)),
    )
    for a in range(2):
        for b in range(2):
            mean, median, n = _slow(recording, a, b)
            assert int(found["n_windows"][a, b]) == n
            assert float(found["error"][a, b]) == pytest.approx(mean, rel=1e-9)
            assert float(found["error_median"][a, b]) == pytest.approx(median, rel=1e-9)
    np.testing.assert_allclose(found["own_error"][0, 1], found["error"][1, 1])


@pytest.mark.parametrize("circle", [False, True])
def test_decode_across_sessions__stable_is_1_and_a_shift_falls(circle):
    stable = nd.decode_across_sessions(animal(circle=circle))
    off = np.abs(stable["lag"].values) > 0
    np.testing.assert_allclose(stable["relative"].values[off], 1.0, atol=0.05)
    assert (stable["p"].values <= 0.05).all() and (stable["error"] < stable["chance"] / 3).all()
    moved = nd.decode_across_sessions(animal("shift", circle=circle))
    assert (moved["relative"].values[off] < 0.9).all()
    assert moved["relative"][0, 2] < moved["relative"][0, 1] < 0.9
    assert (moved["worse_p"].values[off] <= 0.05).all()
    assert np.isnan(np.diag(moved["worse_p"])).all()


@pytest.mark.parametrize("truth", ["rates", "events"])
def test_decode_across_sessions__equal_events_take_off_a_change_of_rates(truth):
    found = nd.decode_across_sessions(animal(truth, n_units=60), **QUICK)
    np.testing.assert_allclose(found["relative"].values, 1.0, atol=0.06)


def test_decode_across_sessions__no_place_code_is_chance():
    found = nd.decode_across_sessions(animal(peak=0.0, base=1.0), **QUICK)
    np.testing.assert_allclose(found["error"], found["chance"], rtol=0.15)
    assert np.isnan(found["relative"].values).mean() > 0.5


def test_decode_across_sessions__chunks_and_order_do_not_matter():
    recording = animal("jumps")
    one = nd.decode_across_sessions(recording, n_repeats=10)
    turned = recording.isel(unit=np.arange(40)[::-1]).chunk({"time": 700, "unit": 9})
    other = nd.decode_across_sessions(turned, n_repeats=10)
    xr.testing.assert_allclose(one, other, rtol=1e-9)


def test_decode_across_sessions__only_units_of_both_sessions():
    recording = animal()
    detected = recording["detected"].copy()
    detected[0, :30] = False
    detected[2, 35:] = False
    recording["activity"] = (
        recording["activity"]
        .astype(float)
        .where(detected.isel(session=recording["session_index"]).drop_vars(["session", "day"]), 0)
        .astype(np.uint8)
    )
    recording = recording.assign(detected=detected)
    recording = recording.assign_coords(registered=("unit", np.arange(40) != 32))
    found = nd.decode_across_sessions(recording, match="laps", **QUICK)
    assert found["n_units"].values.tolist() == [[9, 9, 4], [9, 39, 34], [4, 34, 34]]


def test_decode_across_sessions__no_unit_of_both_is_told():
    recording = animal(n_sessions=2, n_units=4)
    detected = recording["detected"].copy(data=np.array([[1, 1, 0, 0], [0, 0, 1, 1]], bool))
    activity = recording["activity"].copy()
    activity[:] = np.where(detected.values[recording["session_index"].values], activity, 0)
    found = nd.decode_across_sessions(recording.assign(detected=detected, activity=activity))
    assert np.isnan(found["error"].values[0, 1]) and np.isfinite(found["error"].values[0, 0])
    assert "no unit" in found.attrs["left_out"]


def test_decode_across_sessions__one_unit_one_session():
    found = nd.decode_across_sessions(animal(n_units=1, n_sessions=1), **QUICK)
    assert found["error"].shape == (1, 1) and np.isfinite(found["error"].values).all()


def test_decode_across_sessions__a_session_at_rest_is_nan():
    recording = animal()
    x = recording["x"].copy()
    x[recording["session_index"].values == 1] = np.nan
    found = nd.decode_across_sessions(recording.assign(x=x), **QUICK)
    bad = np.zeros((3, 3), bool)
    bad[1] = bad[:, 1] = True
    assert (np.isnan(found["error"].values) == bad).all()
    assert (found["n_windows"].values[bad] == 0).all()


def test_decode_across_sessions__without_a_speed():
    recording = animal().drop_vars(["speed", "lap"])
    found = nd.decode_across_sessions(recording, **QUICK)
    assert (found["relative"].values > 0.8).all()


def test_decode_across_sessions__a_field_of_two_axes():
    recording = testing.open_field(n_units=60, n_sessions=2, minutes=8, drift=0.0, tuned=1.0)
    found = nd.decode_across_sessions(recording, window=1.0, **QUICK)
    assert (found["error"] < 0.6 * found["chance"]).all() and found.attrs["cut_at"] == "block"
    mean = nd.decode_across_sessions(recording, window=1.0, point="mean", **QUICK)
    assert (mean["error"] < found["error"] * 1.1).all()


def _to_and_fro(high, n=1000):
    return np.abs((np.arange(n) * 2 * high / 50) % (2 * high) - high)


def test_decode_across_sessions__the_ways_of_a_maze():
    maze = t_maze(80, 60)
    arms = nd.geometry.arms.arms_of(maze)
    x = np.concatenate(
        [s + np.linspace(0, 1, 50) * n for s, n in zip(arms.starts, arms.lengths, strict=True)]
    )
    recording = coded(maze, np.tile(x, 8), speed=np.full(x.size * 8, 20.0))
    found = nd.decode_across_sessions(recording, **QUICK)
    assert (found["error"] < 0.4 * found["chance"]).all()
    assert (found["chance"] < arms.lengths.sum()).all()
    with pytest.raises(ValueError, match="graph have no mean"):
        nd.decode_across_sessions(recording, point="mean")


def test_decode_across_sessions__categories_are_right_or_wrong():
    x = np.tile(np.repeat(np.arange(4.0), 25), 10)
    recording = coded(category(["a", "b", "c", "d"]), x)
    found = nd.decode_across_sessions(recording, **QUICK)
    assert found["error"].attrs["units"] == "1"
    assert (found["error"] < 0.4).all() and (found["chance"] > 0.6).all()


def test_decode_across_sessions__traces_by_gauss():
    recording = coded("linear", _to_and_fro(100.0), kind="fluorescence")
    found = nd.decode_across_sessions(recording, **QUICK)
    assert found.attrs["match"] == "laps" and (found["error"] < 0.5 * found["chance"]).all()


def test_decode_across_sessions__direction_and_trial_type():
    recording = animal()
    found = nd.decode_across_sessions(recording, target="direction", **QUICK)
    assert (found["error"] < 0.2).all() and (found["chance"] > 0.35).all()
    kinds = (recording["lap"] % 4 // 2).where(recording["lap"] >= 0, -1).astype(np.int32)
    typed = recording.assign(trial_type=("time", kinds.values))
    found = nd.decode_across_sessions(
        typed, target="trial_type", binning=nd.Binning(trial_types=True), **QUICK
    )
    np.testing.assert_allclose(found["error"], found["chance"], atol=0.15)  # fields know no type


@pytest.mark.parametrize("circle", [False, True])
def test_decode_across_sessions__linear(circle):
    pytest.importorskip("sklearn")
    found = nd.decode_across_sessions(animal(circle=circle), decoder="linear", **QUICK)
    assert (found["relative"].values > 0.85).all()
    assert (found["error"] < 0.5 * found["chance"]).all()


def test_decode_across_sessions__any_estimator():
    pytest.importorskip("sklearn")
    from sklearn.naive_bayes import GaussianNB

    found = nd.decode_across_sessions(animal(), decoder=GaussianNB(), **QUICK)
    assert found.attrs["decoder"] == "GaussianNB"
    assert (found["error"] < 0.7 * found["chance"]).all()


def test_decode_across_sessions__linear_is_the_plain_loop():
    pytest.importorskip("sklearn")
    from sklearn.linear_model import Ridge

    from neurodrift.analysis.decoding.windows import session_parts, sorted_units

    recording = animal(n_units=10, n_sessions=2)
    found = nd.decode_across_sessions(recording, decoder=Ridge(), match=None, n_folds=3, **QUICK)
    parts, _, _ = session_parts(sorted_units(recording), nd.Binning(), 0.5, 30.0)
    a, b = parts
    fold = [np.concatenate([np.arange((p.row_way == w).sum()) % 3 for w in (0, 1)]) for p in parts]
    errors = np.full(b.seconds.size, np.nan)
    for f in range(3):
        learn, here = fold[0][a.row] != f, fold[1][b.row] == f
        rates = [p.activity.toarray() / p.seconds[:, None] for p in parts]
        model = Ridge().fit(rates[0][learn], a.x[learn, 0])
        errors[here] = np.abs(model.predict(rates[1][here]) - b.x[here, 0])
    assert float(found["error"][0, 1]) == pytest.approx(errors.mean(), rel=1e-9)


def test_decode_across_sessions__maps_are_not_mixed():
    recording = animal()
    label = np.where(recording["session_index"].values == 2, 2, 1).astype(np.int16)
    found = nd.decode_across_sessions(recording.assign(map_label=("time", label)), **QUICK)
    assert np.isnan(found["error"].values[0, 2]) and np.isfinite(found["error"].values[0, 1])
    assert "share no map" in found.attrs["left_out"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"window": 0.0}, "window"),
        ({"n_folds": 1}, "n_folds"),
        ({"prior": "even"}, "prior"),
        ({"target": "speed"}, "target"),
        ({"point": "mode"}, "point"),
        ({"match": "time"}, "match"),
        ({"target": "trial_type"}, "Binning\\(trial_types=True\\)"),
        ({"min_rate": -1.0}, "min_rate"),
    ],
)
def test_decode_across_sessions__refuses(options, words):
    with pytest.raises(ValueError, match=words):
        nd.decode_across_sessions(animal(n_units=2, n_sessions=2), **options)


def test_decode_across_sessions__refuses_what_cannot_be_decoded():
    with pytest.raises(TypeError, match="'bayes', 'linear' or an estimator"):
        nd.decode_across_sessions(animal(n_units=2, n_sessions=2), decoder="forest")
    with pytest.raises(ValueError, match="no position"):
        nd.decode_across_sessions(animal(n_units=2).drop_vars("x"))
    traces = coded("linear", _to_and_fro(100.0), kind="fluorescence")
    with pytest.raises(ValueError, match="match='laps'"):
        nd.decode_across_sessions(traces, match="events")


def test_decode_from_several_sessions__the_same_laps_from_more_days():
    stable = nd.decode_from_several_sessions(animal(n_sessions=4), n_draws=2)
    assert dict(stable["error"].sizes) == {"session": 4, "n_training": 3}
    np.testing.assert_allclose(stable["relative"], 1.0, atol=0.05)
    moved = nd.decode_from_several_sessions(animal("independent", n_sessions=4), n_draws=2)
    assert (moved["relative"].isel(n_training=0) < 0.98).all()
    gain = moved["relative"].isel(n_training=2) - moved["relative"].isel(n_training=0)
    assert float(gain.mean()) > 0.01
    assert int(moved["n_laps"]) == int(stable["n_laps"]) == 18


def test_decode_from_several_sessions__chunks_and_order_do_not_matter():
    recording = animal("jumps")
    turned = recording.isel(unit=np.arange(40)[::-1]).chunk({"time": 700, "unit": 9})
    one, other = (nd.decode_from_several_sessions(r, n_repeats=5) for r in (recording, turned))
    xr.testing.assert_allclose(one, other, rtol=1e-9)


def test_decode_from_several_sessions__too_few_laps_is_nan():
    # four laps are cut in eight blocks of a direction, of which six teach
    found = nd.decode_from_several_sessions(animal(n_sessions=8, n_laps=4, n_units=5), n_draws=1)
    assert int(found["n_laps"]) == 12
    assert np.isnan(found["error"].isel(n_training=6)).all()
    assert np.isfinite(found["error"].isel(n_training=5)).all()


def test_decode_from_several_sessions__refuses():
    with pytest.raises(ValueError, match="3 or more"):
        nd.decode_from_several_sessions(animal(n_sessions=2))


def test_sums_of_levels_are_weighted_by_time():
    recording = coded("linear", _to_and_fro(100.0), kind="fluorescence")
    check(recording)
    from neurodrift.analysis.decoding.windows import session_parts

    part = session_parts(recording, nd.Binning(), 0.5, 30.0)[0][0]
    values = recording["activity"].values[:1000]
    np.testing.assert_allclose(part.activity.toarray()[0], 0.1 * values[:5].sum(axis=0), atol=1e-9)

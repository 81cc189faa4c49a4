"""Which session it was."""

import itertools

import numpy as np
import pytest

import neurodrift as nd
from neurodrift import testing
from neurodrift.analysis.decoding.day import guesses, order_p


def _vectors(seed=0, n_trials=(4, 5, 3), n_units=12, apart=1.0):
    rng = np.random.default_rng(seed)
    rate = rng.gamma(2.0, 2.0, n_units) * np.exp(
        apart * rng.standard_normal((len(n_trials), n_units))
    )
    return [rng.poisson(rate[i], (n, n_units)).astype(float) for i, n in enumerate(n_trials)]


def _rubin(vectors):
    """The rule as it is written, trial by trial."""
    total = [v.sum(axis=0) for v in vectors]

    def rest(d, j):
        return total[d] - vectors[d][j] if j < len(vectors[d]) else total[d]

    found = []
    for own in vectors:
        named = []
        for j in range(len(own)):
            scores = []
            for d in range(len(vectors)):
                others = [np.corrcoef(v[j], rest(d, j))[0, 1] for v in vectors if j < len(v)]
                scores.append(np.corrcoef(own[j], rest(d, j))[0, 1] - np.mean(others))
            named.append(int(np.argmax(scores)))
        found.append(named)
    return found


@pytest.mark.parametrize("seed", range(5))
def test_guesses__are_those_of_rubin(seed):
    vectors = _vectors(seed, apart=0.3)
    assert [g.tolist() for g in guesses(vectors)] == _rubin(vectors)


def test_order_p__literal():
    vectors = _vectors(1, (3, 3, 3, 3))
    total = [v.sum(axis=0) for v in vectors]

    def likeness(order):
        return np.mean(
            [np.corrcoef(total[a], total[b])[0, 1] for a, b in itertools.pairwise(order)]
        )

    true = likeness(range(4))
    slow = np.mean([likeness(o) >= true - 1e-12 for o in itertools.permutations(range(4))])
    assert order_p(vectors, np.random.default_rng(0)) == pytest.approx(slow)


def _walk(n_sessions=6, n_units=60, seed=0, step=0.3, gain=1.0):
    rng = np.random.default_rng(seed)
    log, parts, trials = rng.standard_normal(n_units), [], []
    for s in range(n_sessions):
        log = log + step * rng.standard_normal(n_units)
        parts.append(rng.poisson(np.exp(log) * 0.1 * gain**s, (600, n_units)).clip(0, 200))
        trials.append(np.repeat(np.arange(10), 60))
    return nd.recording_from_arrays(parts, kind="events", frame_duration=0.1, trial=trials)


def test_decode_session__rates_that_walk_tell_the_day_and_its_order():
    found = nd.decode_session(_walk(), n_repeats=50)
    assert found["accuracy"] > 0.8 and found["accuracy_p"] < 0.05
    assert found["neighbour"] > 0.7 and found["neighbour_p"] < 0.05
    assert found["order_p"] < 0.05
    assert abs(float(found["accuracy_null"]) - 1 / 6) < 0.05
    np.testing.assert_allclose(found["confusion"].sum("session_decoded"), 1.0)


def test_decode_session__constant_rates_tell_nothing():
    found = [nd.decode_session(_walk(step=0.0, seed=i), n_repeats=20) for i in range(20)]
    assert np.mean([float(f["accuracy_p"]) <= 0.05 for f in found]) <= 0.15
    assert abs(np.mean([float(f["accuracy"]) for f in found]) - 1 / 6) < 0.05


def test_decode_session__equal_events_of_the_population():
    found = nd.decode_session(_walk(gain=0.8), match="population", n_repeats=5)
    events = found["events_per_trial"].values
    assert events.max() / events.min() < 1.1
    plain = nd.decode_session(_walk(gain=0.8), n_repeats=5)["events_per_trial"].values
    assert plain.max() / plain.min() > 2


def test_decode_session__order_of_units_and_chunks_do_not_matter():
    recording = _walk(n_sessions=4)
    one = nd.decode_session(recording, n_repeats=10)
    turned = recording.isel(unit=np.arange(60)[::-1]).chunk({"time": 250, "unit": 7})
    for name, values in nd.decode_session(turned, n_repeats=10).items():
        np.testing.assert_allclose(values, one[name], rtol=1e-12)


def test_decode_session__cannot_tell():
    recording = testing.linear_track(n_units=2, n_sessions=3, minutes=2)
    found = nd.decode_session(recording)
    assert np.isnan(found["accuracy"]) and np.isnan(found["confusion"]).all()
    assert int(found["n_units"]) == 2
    recording = recording.assign_coords(registered=("unit", [False, False]))
    assert int(nd.decode_session(recording)["n_units"]) == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"trials": "trial"}, "no trial: trials='block'"),
        ({"trials": "day"}, "trials"),
        ({"match": "units"}, "match"),
        ({"block": 0.0}, "block"),
    ],
)
def test_decode_session__refuses(options, words):
    recording = testing.linear_track(n_units=5, n_sessions=2, minutes=2)
    recording = recording.drop_vars("trial", errors="ignore")
    with pytest.raises(ValueError, match=words):
        nd.decode_session(recording, **options)


def test_decode_session__refuses_one_session():
    with pytest.raises(ValueError, match="one session"):
        nd.decode_session(testing.linear_track(n_units=5, n_sessions=1, minutes=2))

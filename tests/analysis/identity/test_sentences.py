"""The sentences on the registration: numbers against loops, alarms against planted sessions."""

from __future__ import annotations

import re

import numpy as np
import pytest
import xarray as xr

import neurodrift as nd
from neurodrift.analysis.identity.sentences import (
    bound_beside_drift,
    overnight_matches,
    registration_sentences,
    weigh_matches,
)
from neurodrift.report.cautions import cautions
from neurodrift.report.findings import findings
from neurodrift.report.view import views


def made(n_units, wrong=0.0, session=2, n_sessions=5, drift=0.05, seed=0):
    """Laps on a track of 100 cm, drawn here; in one session, cells have the traces of others."""
    rng = np.random.default_rng(seed)
    centre = rng.uniform(5, 95, n_units)
    x = np.concatenate([np.linspace(0, 100, 40)[:: 1 - 2 * (k % 2)] for k in range(40)])
    activity = []
    for k in range(n_sessions):
        moved = (rng.random(n_units) < drift) & (k > 0)
        centre[moved] = rng.uniform(5, 95, moved.sum())
        counts = rng.poisson(0.01 + 0.5 * np.exp(-((x[:, None] - centre) ** 2) / 2 / 8**2))
        own = np.arange(n_units)
        if k == session and wrong:
            taken = rng.permutation(n_units)[: round(wrong * n_units)]
            own[taken] = np.roll(own[taken], 1)
        activity.append(counts[:, own].astype(np.uint8))
    return nd.recording_from_arrays(
        activity, kind="events", x=[x] * n_sessions, frame_duration=0.1, day=range(n_sessions)
    )


def said(recording):
    checked = nd.check_registration(recording, n_repeats=500)
    return checked, registration_sentences(checked)


def span(values):
    return f"{100 * min(values):.0f} to {100 * max(values):.0f} %"


def most(values):
    return f"{100 * max(values):.0f} %"


def least(values):
    return f" ({100 * min(values):.0f} % in the pair that agrees best)"


def table(bounds, similarity=None, **more):
    """A check of the registration in which all sessions are ok."""
    bounds = np.array(bounds, dtype=float)
    np.fill_diagonal(bounds, np.nan)
    n = len(bounds)
    pair = ("session", "other")
    empty = np.full((n, n), np.nan)
    values = {"wrong_share": empty, "wrong_share_ci_low": empty, "wrong_share_ci_high": empty}
    values |= {"wrong_share_bound": bounds, "n_shared": np.full((n, n), 40)}
    values["map_similarity"] = 1.05 - bounds if similarity is None else np.array(similarity)
    names = np.array([str(k + 1) for k in range(n)], dtype=object)
    checked = xr.Dataset(
        {name: (pair, array) for name, array in values.items()}
        | {"verdict": ("session", np.full(n, "ok", dtype=object))},
        coords={"session": names, "other": names},
    )
    return checked.assign({name: ("session", value) for name, value in more.items()})


def test_registration_sentences__few_cells_have_a_bound():
    checked, found = said(made(40))
    bound = checked["wrong_share_bound"].values
    pairs = [bound[i, j] for i in range(5) for j in range(5) if i < j]
    assert found.answer == (
        "Registration: not shown wrong; 40 cells are too few for an estimate (50 are needed). "
        f"At most {most(pairs)} of the cells of a pair of sessions may be wrong{least(pairs)}, "
        "drift included."
    )
    assert found.warnings == ()


@pytest.mark.parametrize("session", [2, 4])
def test_registration_sentences__a_session_half_of_whose_few_cells_are_others(session):
    checked, found = said(made(40, 0.5, session))
    assert (checked["verdict"] == "ok").all()
    bound = checked["wrong_share_bound"].values
    own = [bound[session, j] for j in range(5) if j != session]
    rest = [bound[i, j] for i in range(5) for j in range(i) if session not in (i, j)]
    assert max(rest) + 0.1 < 0.5 < min(own)  # half are wrong, and the bound holds it
    assert f"At most {most(rest)} of the cells" in found.answer
    (warning,) = found.warnings
    assert warning.startswith(
        f"At most {most(own)} of the cells may be wrong with session {session + 1}{least(own)}, "
        "which agrees less with all others: look at its registration."
    )
    assert ("where faster drift looks the same" in warning) == (session == 4)


def test_registration_sentences__many_cells_have_an_estimate():
    checked, found = said(made(120))
    upper = np.triu_indices(5, k=1)
    share, high, low = (
        checked[f"wrong_share{end}"].values[upper] for end in ("", "_ci_high", "_ci_low")
    )
    k = int(np.argmax(high))
    assert found.answer == (
        "Registration: no session stands out as wrongly matched. In a pair of sessions an "
        f"estimated {span(share)} of the cells are other cells if drift is steady, "
        f"at most {100 * high[k]:.0f} % (sessions {upper[0][k] + 1} and {upper[1][k] + 1}: "
        f"{100 * share[k]:.0f} %, 95 % interval {span([low[k], high[k]])})."
    )
    assert found.warnings == () and share.max() < 0.25


def test_registration_sentences__verdicts_are_left_to_their_warnings():
    for wrong, verdict in ((0.5, "partly wrong"), (1.0, "misregistered")):
        _, found = said(made(120, wrong))
        start = (
            f"Registration: see the warning on session 3 ({verdict}). No other session stands out"
        )
        assert found.answer.startswith(start) and found.warnings == ()
    _, found = said(made(40, 1.0))
    assert "(misregistered). The other sessions are not shown wrong; 40 cells" in found.answer
    _, found = said(made(5))
    assert found.answer == "Registration: see the warnings on sessions 1, 2, 3, 4 and 5 (unclear)."


def test_registration_sentences__the_last_session_may_drift_or_be_wrong():
    checked, found = said(made(120, 0.6, session=4))
    share = checked["wrong_in_session"].values[4]
    assert (checked["verdict"] == "ok").all() and 0.45 < share < 0.75
    assert ": session 5 agrees less with all others than" in found.answer
    assert f"In session 5 an estimated {100 * share:.0f} % of the cells are other" in found.answer
    assert len(found.warnings) == 1


def test_registration_sentences__steady_drift_and_noise_warn_of_none():
    warned = [
        bool(said(made(40, n_sessions=n, drift=drift, seed=seed))[1].warnings)
        for n in (3, 4, 5)
        for drift in (0.0, 0.15)
        for seed in range(4)
    ]
    assert sum(warned) <= 2, warned


def test_registration_sentences__what_stands_out():
    steady = [[0, 0.2, 0.4, 0.6], [0.2, 0, 0.2, 0.4], [0.4, 0.2, 0, 0.2], [0.6, 0.4, 0.2, 0]]
    assert registration_sentences(table(steady)).warnings == ()
    for far, expected in ((0.69, 0), (0.71, 1)):
        bounds = np.array(steady)
        bounds[1] = bounds[:, 1] = far
        assert len(registration_sentences(table(bounds)).warnings) == expected
    # a bound that is high by noise alone is no disagreement
    assert registration_sentences(table(bounds, similarity=np.full((4, 4), 0.5))).warnings == ()
    # drift alone makes the last of three stand out
    assert (
        registration_sentences(table([[0, 0.2, 0.9], [0.2, 0, 0.8], [0.9, 0.8, 0]])).warnings == ()
    )
    assert registration_sentences(table([[0, 0.8, 0.2], [0.8, 0, 0.9], [0.2, 0.9, 0]])).warnings


def test_registration_sentences__why_there_is_no_estimate():
    def why(n, shared):
        checked = table(np.full((n, n), 0.3))
        shared = np.broadcast_to(shared, (n, n)).copy()
        answer = registration_sentences(
            checked.assign(n_shared=(("session", "other"), shared))
        ).answer
        return re.search("wrong; (.*)\\. At most 30 %", answer)[1]

    assert why(5, 49) == "49 cells are too few for an estimate (50 are needed)"
    assert why(4, 60) == "4 sessions are too few for an estimate (5 are needed)"
    assert why(3, 20).startswith("20 cells and 3 sessions are too few")
    assert why(6, 60) == "maps of halves of a session agree too little for an estimate"
    shared = np.full((5, 5), 20)
    shared[0, 1] = shared[1, 0] = 60
    assert why(5, shared).startswith("too few pairs of sessions share the 50 cells")
    shared[0, 1] = shared[1, 0] = 45
    assert why(5, shared).startswith("20 to 45 cells in a pair of sessions are too few")
    nothing = table(np.full((3, 3), np.nan))
    assert registration_sentences(nothing).answer.endswith("wrong at most is not known.")


def test_registration_sentences__nothing_to_compare():
    assert registration_sentences(xr.Dataset()) is None
    one = nd.testing.linear_track(n_units=20, n_sessions=1)
    assert said(one)[1] is None


def test_registration__the_summary_and_the_report_say_the_same():
    results = nd.analyze(made(40, 0.5), n_repeats=5, n_draws=1)
    found = registration_sentences(results["quality"].to_dataset())
    text = str(nd.summary(results))
    assert found.warnings and found.answer in text and f"Warning: {found.warnings[0]}" in text
    (view,) = views(results)
    answers = {item.question: item.text for item in findings(view)}
    assert answers["Are the cells the same cells?"].startswith(found.answer)
    (caution,) = [item for item in cautions(view) if item.code == "registration"]
    assert caution.text == found.warnings[0] and caution.level == "care"
    bare = made(12, n_sessions=3).drop_vars("x")
    results = nd.analyze(bare)
    assert "Registration" not in str(nd.summary(results))
    assert "registration" not in {item.key for item in findings(views(results)[0])}


def losing(now, wrong, share, half=0.05):
    """Two sessions with a similarity, what wrong matches have, and an estimate of their share."""
    pair = ("session_a", "session_b")
    off = np.array([[np.nan, 1.0], [1.0, np.nan]])
    values = {"within": 1.0, "similarity": now, "wrong": wrong, "needed": (1 - now) / (1 - wrong)}
    found = xr.Dataset(
        {name: (("measure", *pair), (value * off)[None]) for name, value in values.items()},
        coords={
            "measure": ["rate_map_correlation_relative"],
            "session_a": ["1", "2"],
            "session_b": ["1", "2"],
            "lag": (pair, [[0, 1], [-1, 0]]),
        },
    )
    ends = {"": share, "_ci_low": share - half, "_ci_high": share + half}
    checked = xr.Dataset(
        {f"wrong_share{end}": (("session", "other"), value * off) for end, value in ends.items()},
        coords={"session": ["1", "2"], "other": ["1", "2"]},
    )
    return found, checked


def test_weigh_matches__share_times_what_a_wrong_match_loses():
    weighed = weigh_matches(*losing(now=0.7, wrong=0.1, share=0.15))
    assert weighed.taken == pytest.approx(0.15 * 0.9) and weighed.seen == pytest.approx(0.3)
    assert weighed.text == (
        "Of the 0.30 that the correlation of maps without noise loses between sessions 1 and 2, "
        "these wrong matches alone would take about 0.14 (0.09 to 0.18, for 15 %, 10 % and 20 % "
        "wrong); 0.17 (0.12 to 0.21) is left."
    )


def test_weigh_matches__all_of_it_and_nothing_known():
    assert weigh_matches(*losing(0.9, 0.0, 0.2)).text.endswith("they could make all of it.")
    found, checked = losing(0.7, 0.1, np.nan)
    assert weigh_matches(found, checked) is None
    assert weigh_matches(found, checked.drop_vars("wrong_share")) is None
    assert weigh_matches(*losing(1.05, 0.1, 0.1)) is None


@pytest.mark.parametrize(
    ("now", "bound", "said"),
    [
        (0.54, 0.68, "may be wrong there: this check alone does not rule that out."),
        (0.54, 0.2, "at most 20 % may be wrong there: wrong matches cannot make all of it."),
        (0.05, 0.9, "No share of wrong matches would make all of the drift"),
        (1.05, 0.9, ""),
        (0.54, np.nan, ""),
    ],
)
def test_bound_beside_drift__joins_the_bound_and_the_share_that_drift_needs(now, bound, said):
    found, checked = losing(now, 0.1, np.nan)
    checked["wrong_share_bound"] = (("session", "other"), np.full((2, 2), bound))
    text = bound_beside_drift(found, checked)
    assert said in text and bool(text) == bool(said)
    if now == 0.54 and bound == 0.68:
        assert "All of the drift between sessions 1 and 2 would take 51 % wrong matches" in text
    found, checked = losing(now, 0.1, 0.1)
    checked["wrong_share_bound"] = (("session", "other"), np.full((2, 2), bound))
    assert bound_beside_drift(found, checked) == "" or now > 1  # an estimate says more


@pytest.mark.parametrize(
    ("excess", "end"),
    [(0.09, "take 0.13 between sessions: they could make all of it."), (0.2, "0.07 is left.")],
)
def test_overnight_matches__beside_what_the_night_takes(excess, end):
    within = xr.Dataset({"excess_pooled": excess, "step_pooled": 0.95})
    text = overnight_matches(within, *losing(0.7, 0.1, 0.15))
    assert "an estimated 15 %, alone" in text and text.endswith(end)
    assert overnight_matches(within * -1, *losing(0.7, 0.1, 0.15)) == ""

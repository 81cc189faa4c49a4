"""Every warning is there when its reason is, says its number, and is absent otherwise."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr

import neurodrift as nd
from neurodrift.report.cautions import Caution, alarm, cautions
from neurodrift.report.page import page as report
from neurodrift.report.view import views


def codes(tree):
    return {caution.code: caution for caution in cautions(views(tree)[0])}


def pairs(tree, low, high):
    """A matrix over pairs of sessions with one value, and another in the last pair."""
    n = tree["drift"].sizes["session_a"]
    matrix = np.full((n, n), high)
    matrix[-1, 0] = matrix[0, -1] = low
    return matrix


def events(tree, count):
    """Equal numbers of events in every tested map."""
    cells = tree["place_cells"].to_dataset()
    return {"n_events": np.full(cells["n_events"].shape, float(count))}


def population(tree, naive, ssr, bae):
    """Population values, the same in all sessions, 10 % off in one direction and in the other."""
    node = tree["information"].to_dataset()
    shape = node["population_ssr"].shape
    apart = np.resize([0.9, 1.1], shape)
    units = np.broadcast_to([4, 4], shape)
    values = {"population_naive": naive, "population_ssr": ssr, "population_bae": bae}
    return {name: value * apart for name, value in values.items()} | {"population_units": units}


SPEEDS = {"rising": [10.0, 12.1, 13.9, 16.0], "steady": [10.0, 10.4, 9.9, 10.1]}
REGIONS = {"known": "CA1", "missing": "unknown"}


def region(tree, *names):
    """Units of these regions in turn."""
    sparsity = tree["sparsity"].to_dataset()
    labels = np.resize(np.array(names, dtype=object), sparsity.sizes["unit"])
    return tree.assign({"sparsity": xr.DataTree(sparsity.assign_coords(region=("unit", labels)))})


def ceiling(tree, value):
    matrix = tree["session_drift"]["rate_map_correlation"].values.copy()
    np.fill_diagonal(matrix, value)
    return {"rate_map_correlation": matrix}


def half_empty(occupancy):
    n = occupancy.sizes["position"]
    return np.broadcast_to(np.where(np.arange(n) < (n + 1) // 2, 0.0, 1.0), occupancy.shape)


def more_repetitions(tree):
    return json.dumps(json.loads(tree.attrs["parameters"]) | {"n_repeats": 500})


CASES = {  # code: (tree that has the reason, what its text must hold, tree that has not)
    "few-events": (
        lambda t, c: c(t, "place_cells", **events(t, 7)),
        "at most 7 events",
        lambda t, c: c(t, "place_cells", **events(t, 80)),
    ),
    "few-tested": (
        lambda t, c: c(t, "sessions", n_tested=np.full(4, 3), n_detected=np.full(4, 10)),
        "30\u00a0% of the detected cells",
        lambda t, c: c(t, "sessions", n_tested=np.full(4, 8), n_detected=np.full(4, 10)),
    ),
    "no-place-cells": (
        lambda t, c: c(t, "sessions", n_place_cells=np.array([3, 0, 4, 0])),
        "2 sessions of 4 (2 and 4)",
        lambda t, c: c(t, "sessions", n_place_cells=np.array([3, 1, 4, 1])),
    ),
    "running-speed": (
        lambda t, c: c(t, "sessions", running_speed=np.array(SPEEDS["rising"])),
        "between 10 and 16 cm/s (46\u00a0% of its mean)",
        lambda t, c: c(t, "sessions", running_speed=np.array(SPEEDS["steady"])),
    ),
    "several-maps": (
        lambda t, c: c(
            c(t, attrs={"n_maps": 2}), "sessions", n_maps=("session", np.array([1, 2, 2, 1]))
        ),
        "2 maps of the environment, 2 sessions of 4 hold more than one",
        lambda t, c: c(t, attrs={"n_maps": 1}),
    ),
    "units-lost": (
        lambda t, c: c(t, "drift", cell_overlap=pairs(t, 0.2, 0.5)),
        "sessions 1 and 4 only 20\u00a0%",
        lambda t, c: c(t, "drift", cell_overlap=pairs(t, 0.8, 0.9)),
    ),
    "few-common": (
        lambda t, c: c(t, "drift", ensemble_rate_correlation_n=pairs(t, 9, 60)),
        "1 pair of 6 have fewer than 20 cells in common, the poorest 9",
        lambda t, c: c(t, "drift", ensemble_rate_correlation_n=pairs(t, 50, 60)),
    ),
    "few-sessions": (lambda t, c: t, "4 sessions, 2 degrees of freedom", None),
    "low-ceiling": (
        lambda t, c: c(t, "session_drift", **ceiling(t, 0.25)),
        "correlate by 0.250 only",
        lambda t, c: c(t, "session_drift", **ceiling(t, 0.8)),
    ),
    "no-ceiling": (
        lambda t, c: c(t, "session_drift", **ceiling(t, [0.8, np.nan, 0.8, np.nan])),
        "2 sessions of 4",
        lambda t, c: c(t, "session_drift", **ceiling(t, 0.8)),
    ),
    "unknown-region": (
        lambda t, c: region(t, "CA1", "unknown"),
        "5 cells of 10",
        lambda t, c: region(t, "CA1"),
    ),
    "several-regions": (
        lambda t, c: region(t, "CA1", "CA3"),
        "CA1 and CA3",
        lambda t, c: region(t, "CA1"),
    ),
    "ssr-bae": (
        lambda t, c: c(t, "information", **population(t, 2.0, 1.5, 1.0)),
        "4 sessions of 4, most in session 1 (1.50 and 1 bit/event)",
        lambda t, c: c(t, "information", **population(t, 2.0, 1.05, 1.0)),
    ),
    "naive-bias": (
        lambda t, c: c(t, "information", **population(t, 1.5, 1.0, 1.0)),
        "50\u00a0% above",
        lambda t, c: c(t, "information", **population(t, 1.05, 1.0, 1.0)),
    ),
    "few-chosen": (
        lambda t, c: c(t, "sessions", n_chosen_maps=np.array([30, 9, 10, 3])),
        "In 2 sessions of 4 fewer than 10 maps",
        lambda t, c: c(t, "sessions", n_chosen_maps=np.array([30, 19, 10, 13])),
    ),
    "negative-information": (
        lambda t, c: c(t, "information", ssr=lambda old: np.full(old.shape, -0.5)),
        "lowest −0.500 bit/event",
        lambda t, c: c(t, "information", ssr=lambda old: np.full(old.shape, 0.5)),
    ),
    "criteria-disagree": (
        lambda t, c: c(t, "agreement", kappa=lambda old: np.full(old.shape, 0.2)),
        "kappa 0.20",
        lambda t, c: c(t, "agreement", kappa=lambda old: np.full(old.shape, 0.7)),
    ),
    "chance": (
        lambda t, c: c(t, "place_cells", tested=lambda old: np.ones(old.shape, bool)),
        "2 of the",  # 10 units, 4 sessions, 0.05 each
        lambda t, c: c(t, "place_cells", attrs={"criterion": "q"}),
    ),
    "uneven-time": (
        lambda t, c: c(t, "sessions", tracked_time=np.array([10.0, 10, 10, 20])),
        "between 10 and 20 min",
        lambda t, c: c(t, "sessions", tracked_time=np.array([10.0, 10, 10, 11])),
    ),
    "unvisited": (
        lambda t, c: c(t, "maps", occupancy=half_empty),
        "52\u00a0% of the bins",
        lambda t, c: c(t, "maps", occupancy=lambda old: np.ones(old.shape)),
    ),
    "few-repeats": (
        lambda t, c: t,
        "mean of 10 draws",
        lambda t, c: c(t, attrs={"parameters": more_repetitions(t)}),
    ),
    "all-missing": (
        lambda t, c: c(t, "sessions", information_ssr=np.full(4, np.nan)),
        "spatial information, scaled shuffle reduction",
        lambda t, c: c(t, "sessions", information_ssr=np.ones(4)),
    ),
    "few-units": (
        lambda t, c: t.map_over_datasets(
            lambda d: d.isel(unit=slice(4)) if "unit" in d.dims else d
        ),
        "4 cells",
        lambda t, c: t,
    ),
    "simulated": (
        lambda t, c: c(t, "sessions", training_step=("session", np.arange(4) * 1000)),
        "4 snapshots",
        lambda t, c: t,
    ),
    "quality": (
        lambda t, c: _quality(t, ["Session 3 was matched wrongly."]),
        "Session 3 was matched wrongly.",
        lambda t, c: _quality(t, []),
    ),
}


def _quality(tree, sentences):
    return tree.assign(
        {"quality": xr.DataTree(xr.Dataset(attrs={"warnings": json.dumps(sentences)}))}
    )


@pytest.mark.parametrize("code", CASES)
def test_cautions__triggered_with_its_number(code, results, changed):
    make, text, _ = CASES[code]
    found = codes(make(results, changed))
    assert code in found, sorted(found)
    assert text in found[code].text


@pytest.mark.parametrize("code", [code for code, case in CASES.items() if case[2]])
def test_cautions__not_triggered_without_reason(code, results, changed):
    assert code not in codes(CASES[code][2](results, changed))


def test_cautions__no_position(results, still):
    assert "no-position" in codes(still) and "no-position" not in codes(results)


def test_cautions__enough_sessions_need_none():
    from neurodrift import analyze, testing

    recording = testing.linear_track(n_units=3, n_sessions=6, minutes=1)
    without = recording.drop_vars(["x", "speed", "direction", "trial", "lap"])
    assert "few-sessions" not in codes(analyze(without))


def test_cautions__speed_names_the_measures_that_depend_on_it(results, changed):
    fits = results["regression"].to_dataset()
    p = np.full(fits["p"].shape, 0.5)
    row = fits["measure"].values.tolist().index("fraction_place_cells")
    p[row], given = 0.01, np.full(p.shape, 0.4)
    slope = np.ones(p.shape)
    tree = changed(results, "regression", p=p, p_given_speed=given, slope=slope)
    rising = changed(tree, "sessions", running_speed=np.array(SPEEDS["rising"]))
    found = codes(rising)["running-speed"]
    assert found.level == "serious" and "trend of place cells is no longer" in found.text
    p_still = given.copy()
    p_still[row] = 0.001
    found = codes(changed(rising, "regression", p_given_speed=p_still))["running-speed"]
    assert found.level == "care" and "no longer" not in found.text


def test_cautions__serious_ones_first(results):
    order = ["serious", "care", "note"]
    levels = [order.index(caution.level) for caution in cautions(views(results)[0])]
    assert levels == sorted(levels) and len(set(levels)) > 1


def test_alarm__the_first_in_a_sentence_and_the_others_by_name():
    step = "In session {} activity comes 12.0 s after position (score 8). Look at the clocks."
    found = [Caution("out-of-step", "serious", "Out of step", step.format(i)) for i in (1, 2, 3)]
    found += [Caution("few", "serious", "Few units", "Three.")]
    found += [
        Caution("short", "serious", "Short sessions", "x"),
        Caution("n", "note", "Chance", "x"),
    ]
    assert alarm(found) == (
        "Out of step",
        "In session 1 activity comes 12.0 s after position (score 8). 2 more cautions of this "
        "kind below. Serious, too: Few units; Short sessions.",
    )
    assert alarm(found[3:4]) == ("Few units", "Three.")
    assert alarm(found[-1:]) is None


def test_cautions__a_lag_that_was_asked_for_is_no_fault(results):
    text = "activity was taken 12 s earlier against position, as asked for by a lag of 12 s"
    told = {"where": "session 1", "name": "lag", "severity": "warns", "text": text}
    told |= {"numbers": {"lag": 12.0}, "accepted": False}
    tree = results.copy()
    recording = json.loads(tree.attrs["recording"]) | {"findings": json.dumps([told])}
    tree.attrs["recording"] = json.dumps(recording)
    found = codes(tree)["gate-lag"]
    assert found.level == "note" and found.title == "Put in step on import"
    assert "SERIOUS" not in str(nd.summary(tree))


def test_cautions__what_was_accepted_at_the_gate_and_no_speed():
    import numpy as np

    import neurodrift as nd
    from neurodrift.report.cautions import cautions
    from neurodrift.report.view import views

    time = np.arange(4000) * 0.05
    x = 50 + 50 * np.sin(2 * np.pi * time / 20)
    counts = np.random.default_rng(1).poisson(0.3, (4000, 6))
    with pytest.warns(UserWarning, match="is it in mm or pixels"):
        recording = nd.recording_from_arrays(
            [counts, counts], kind="spikes", x=[10 * x, x], frame_duration=0.05, accept=["speed"]
        )
    results = nd.analyze(
        recording, n_repeats=5, n_draws=1, binning=nd.Binning(speed_range=(0, np.inf))
    )
    (view,) = views(results)
    found = {item.code: item for item in cautions(view)}
    assert found["gate-speed"].level == "serious" and "Session 1" in found["gate-speed"].text
    assert found["gate-position_extent"].level == "care"
    assert "no-speed" in found
    assert "has no speed: rest is not left out" in str(nd.summary(results))
    assert "\nSERIOUS: accepted on import, session 1: " in str(nd.summary(results))
    page = report(results)
    assert 0 < page.index("Accepted on import: speed.") < page.index("What was found")


def trained(loss, activity):
    """A network of three snapshots, without position."""
    recording = nd.recording_from_arrays(
        [activity] * 3,
        kind="activation",
        frame_duration=1.0,
        session=["a", "b", "c"],
        training_step=[0, 10, 20],
        loss=loss,
        subject="net",
        environment="task",
    )
    return recording


def test_cautions__network_whose_loss_rises_or_whose_units_are_all_active():
    noise = np.random.default_rng(0).random((50, 12)) * 0.1
    strong = noise + (np.arange(12) < 3)
    bad = nd.analyze(trained([1.0, 1.5, 2.0], strong))
    found = codes(bad)
    assert "from 1 at step 0 to 2 at step 20" in found["loss-rises"].text
    assert "More than 98" in found["all-active"].text
    assert "Warning: The loss rises" in str(nd.summary(bad))
    assert "--threshold" in str(nd.summary(bad))
    good = nd.analyze(trained([1.0, 0.5, 0.2], strong), threshold=0.5)
    assert not {"loss-rises", "all-active"} & set(codes(good))
    assert good["sessions"]["n_active"].values.tolist() == [3, 3, 3]
    assert json.loads(good.attrs["parameters"])["threshold"] == 0.5
    track = nd.testing.linear_track(n_units=4, n_sessions=1, minutes=1)
    with pytest.raises(ValueError, match="threshold is 0.1, but it is for activations"):
        nd.analyze(track, threshold=0.1)

"""Fractions of units where a unit is detected by its activity: a generator of its own."""

from __future__ import annotations

import numpy as np
import pytest

import neurodrift as nd
from neurodrift.analysis.analyze import analyze
from neurodrift.analysis.maps.sparsity import compute_sparsity
from neurodrift.report.cautions import cautions
from neurodrift.report.view import views


def falling(detection, seed=0, n_units=120, n_sessions=6, found_from=3):
    """Poisson cells whose rates fall 32-fold; found in a session by their events or always."""
    rng = np.random.default_rng(seed)
    rate = np.exp(rng.normal(np.log(0.15), 1.5, n_units))
    counts = [
        rng.poisson(rate * 0.5**k / 10, (4800, n_units)).astype(np.uint8) for k in range(n_sessions)
    ]
    x = [50 + (45 - k) * np.sin(np.arange(4800) / 60) for k in range(n_sessions)]
    events = np.array([part.sum(0) for part in counts])
    detected = events >= found_from
    detected[0, ~detected.any(0)] = True  # every cell was found once
    recording = nd.recording_from_arrays(
        counts,
        kind="events",
        frame_duration=0.1,
        x=x,
        detected=detected,
        detection=detection,
        subject="m1",
        accept=["silence"],
    )
    return recording, events, detected


@pytest.mark.parametrize("detection", ["each_session", "together", None])
def test_detection__decides_what_fractions_are_of(detection):
    recording, events, detected = falling(detection)
    found = compute_sparsity(recording)
    active = (events >= 5) & detected
    of_detected = active.sum(1) / detected.sum(1)
    of_union = active.sum(1) / detected.shape[1]
    np.testing.assert_allclose(found["fraction_active_of_detected"], of_detected)
    np.testing.assert_allclose(found["fraction_active_of_union"], of_union)
    by_session = detection == "each_session"
    np.testing.assert_allclose(
        found["fraction_active_units"], of_union if by_session else of_detected
    )
    truth = (events >= 5).mean(1)  # of all cells, found or not
    assert abs(found["fraction_active_of_union"].values - truth).max() < 0.01
    assert of_detected[-1] > 1.7 * truth[-1]  # what the cells that are found tell
    frames = recording.sizes["time"] / 6
    share = found["active_fraction"].values[-1]
    above = (recording["activity"].values[-4800:] > 0) & detected[-1]
    assert share == pytest.approx(
        above.sum() / frames / (detected.shape[1] if by_session else detected[-1].sum())
    )


def test_detection__cells_without_identity_are_no_part_of_the_union():
    recording, events, detected = falling("each_session")
    known = np.arange(detected.shape[1]) % 3 > 0
    found = compute_sparsity(recording.assign_coords(registered=("unit", known)))
    active = ((events >= 5) & detected)[:, known].sum(1)
    np.testing.assert_allclose(found["fraction_active_of_union"], active / known.sum())
    np.testing.assert_allclose(found["fraction_active_units"], active / known.sum())
    assert found["n_counted"].values.tolist() == [known.sum()] * 6


@pytest.mark.parametrize(
    ("detection", "severity"), [("each_session", "note"), ("together", None), (None, "care")]
)
def test_detection__the_report_says_so(detection, severity):
    recording, _, _ = falling(detection, n_units=40)
    results = analyze(recording, n_repeats=3)
    (view,) = views(results)
    told = {item.code: item for item in cautions(view)}
    assert (told["detection"].level if "detection" in told else None) == severity
    place = results["place_cells"]["is_place_cell"].sum("unit").values
    n = 40 if detection == "each_session" else recording["detected"].sum("unit").values
    np.testing.assert_allclose(results["sessions"]["fraction_place_cells"], place / n)


def test_detection__goes_through_files_and_joining(tmp_path):
    from neurodrift.io.nwb.read import import_nwb
    from neurodrift.io.nwb.session import session_from_recording
    from neurodrift.io.nwb.write import write_session

    recording, _, _ = falling("each_session", n_units=10, n_sessions=2)
    files = [
        write_session(session_from_recording(recording, name), tmp_path / f"{name}.nwb")
        for name in recording["session"].values
    ]
    assert import_nwb(files).attrs["detection"] == "each_session"
    assert import_nwb(files, detection="together").attrs["detection"] == "together"
    parts = [nd.select_sessions(recording, [name]) for name in ("1", "2")]
    assert nd.join_sessions(parts).attrs["detection"] == "each_session"
    parts[1].attrs["detection"] = "together"
    assert "detection" not in nd.join_sessions(parts).attrs
    with pytest.raises(ValueError, match="detection.* is 'guess'"):
        nd.compute_sparsity(recording.assign_attrs(detection="guess"))

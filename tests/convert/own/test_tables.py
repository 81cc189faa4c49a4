"""Sessions out of tables: units as columns, clocks of dates, columns of one number."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import neurodrift as nd

N = 2400
TIME = np.arange(N) / 20
X = 50 + 45 * np.sin(TIME / 4)
Y = 30 + 25 * np.cos(TIME / 4)
RATES = np.random.default_rng(0).random((N, 3))
HEAD = "subject: {id: m1}\nenvironment: track\nsessions: [{session: 1}]\n"
POSITION = "position: {file: t.csv, x: x, unit: cm, rate: 20}\n"
ACTIVITY = "activity: {file: t.csv, kind: deconvolved, axes: [frames, units]"


@pytest.fixture
def folder(tmp_path):
    table = pd.DataFrame(RATES, columns=["c1", "c2", "c3"])
    table.insert(0, "x", X)
    table.insert(1, "lap", 1 + np.arange(N) // 100)
    table.to_csv(tmp_path / "t.csv", index=False)
    return tmp_path


def recording(folder, text):
    (folder / "map.yaml").write_text(HEAD + text)
    return nd.recording_from_sessions(folder / "map.yaml")


@pytest.mark.parametrize("samples", ["'c*'", "[c1, c2, c3]", "[2, 3, 4]", "'c[1-3]'"])
def test_samples__columns_of_a_table(folder, samples):
    found = recording(folder, f"{ACTIVITY}, samples: {samples}}}\n{POSITION}")
    np.testing.assert_array_equal(found["activity"], RATES)
    np.testing.assert_array_equal(found["x"], X)


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        ("", "column x, lap, which is no unit: name the columns"),
        (", samples: '*'", "takes x, lap, which is no unit"),
        (", samples: [x, c1]", "takes x, which is no unit"),
        (", samples: 'd*'", "no variable 'd"),
        (", samples: [c1, c9]", "no variable 'c9'"),
    ],
)
def test_samples__position_is_no_unit(folder, samples, message):
    with pytest.raises(ValueError, match=message):
        recording(folder, f"{ACTIVITY}{samples}}}\n{POSITION}")


def test_samples__position_by_number_is_no_unit(folder):
    place = POSITION.replace("x: x", "x: 0")
    with pytest.raises(ValueError, match="takes x, which is no unit"):
        recording(folder, f"{ACTIVITY}, samples: [0, 2, 3]}}\n{place}")
    np.savez(folder / "p.npz", c1=X)  # another file's c1
    place = "position: {file: p.npz, x: c1, unit: cm, rate: 20}\n"
    found = recording(folder, f"{ACTIVITY}, samples: 'c*'}}\n{place}")
    np.testing.assert_array_equal(found["activity"], RATES)


def test_samples__a_clock_without_a_name_is_no_unit(folder):
    np.savetxt(folder / "a.csv", np.column_stack([TIME + 0.5, RATES]), delimiter=",")
    text = ACTIVITY.replace("t.csv", "a.csv")
    with pytest.raises(ValueError, match="column 0 .* increases in every frame"):
        recording(folder, f"{text}}}\n{POSITION}")
    found = recording(folder, f"{text}, samples: [1, 2, 3]}}\n{POSITION}")
    np.testing.assert_array_equal(found["activity"], RATES)


@pytest.mark.parametrize("index", [True, False])
def test_position__columns_count_as_the_file_has_them(folder, index):
    pd.DataFrame({"time": TIME, "x": X, "y": Y}).to_csv(folder / "p.csv", index=index)
    at = int(index)
    place = f"position: {{file: p.csv, time: {at}, x: {at + 1}, y: {at + 2}, unit: cm}}\n"
    found = recording(folder, f"{ACTIVITY}, samples: 'c*'}}\n{place}")
    np.testing.assert_array_equal(found["x"], X)
    np.testing.assert_array_equal(found["y"], Y)
    np.testing.assert_array_equal(found["time"], TIME)


def test_position__dates_and_decimal_commas(folder):
    start = pd.Timestamp("2024-05-03 10:00:00.5")
    stamps = [(start + pd.Timedelta(seconds=t)).isoformat() for t in TIME]
    table = pd.DataFrame({"t": stamps, "x": X.round(3)})
    table.loc[100:119, "x"] = np.nan
    table.to_csv(folder / "p.csv", sep=";", decimal=",", index=False, na_rep="-")
    place = "position: {file: p.csv, time: t, x: x, unit: cm}\n"
    found = recording(folder, f"{ACTIVITY}, samples: 'c*'}}\n{place}")
    np.testing.assert_allclose(found["time"], TIME, atol=1e-6)
    assert np.flatnonzero(np.isnan(found["x"])).tolist() == list(range(100, 120))
    np.testing.assert_array_equal(found["x"][120:], X.round(3)[120:])
    place = place.replace("unit: cm", "unit: cm, time_unit: ms")
    with pytest.raises(ValueError, match="dates and times, so their time_unit is s"):
        recording(folder, f"{ACTIVITY}, samples: 'c*'}}\n{place}")


def test_columns_of_one_number(folder):
    """(n, 1) arrays: one unit, a clock, a position, spike times."""
    arrays = {"trace": RATES[:, :1], "t": TIME[:, None], "pos": X[:, None]}
    spikes = {f"u{i}": np.sort(RATES[:50, i] * 120)[:, None] for i in range(3)}
    np.savez(folder / "a.npz", **arrays, **spikes)
    place = "position: {file: a.npz, xy: pos, time: t, unit: cm}\n"
    text = "activity: {file: a.npz, kind: deconvolved, axes: [frames, units], samples: trace}\n"
    np.testing.assert_array_equal(recording(folder, text + place)["activity"], RATES[:, :1])
    found = recording(folder, "activity: {file: a.npz, times: 'u*', kind: spikes}\n" + place)
    assert found["activity"].sum("time").values.tolist() == [50, 50, 50]


@pytest.mark.parametrize("kind", ["spikes", "events"])
def test_counts_on_a_clock_that_jitters(folder, kind):
    rng = np.random.default_rng(0)
    time = np.cumsum(np.where(rng.random(N) < 0.3, 0.030, 0.044))
    counts = rng.poisson(3, (N, 2))
    counts[::40] = 12  # bursts fill a short frame
    np.savez(folder / "a.npz", counts=counts, t=time, x=50 + 45 * np.sin(time / 7))
    text = (
        f"activity: {{kind: {kind}, file: a.npz, samples: counts, axes: [frames, units], time: t}}"
    )
    found = recording(folder, text + "\nposition: {file: a.npz, x: x, unit: cm, time: t}\n")
    np.testing.assert_array_equal(found["activity"], counts)


def test_counts_before_a_gap_stay_in_their_frame(folder):
    time = np.where(TIME < 60, TIME, TIME + 2)
    counts = np.zeros((N, 1), int)
    counts[1199] = counts[1200] = 5
    np.savez(folder / "a.npz", counts=counts, t=time, x=X)
    text = "activity: {kind: spikes, file: a.npz, samples: counts, axes: [frames, units], time: t}"
    found = recording(folder, text + "\nposition: {file: a.npz, x: x, unit: cm, time: t}\n")
    np.testing.assert_array_equal(found["activity"], counts)

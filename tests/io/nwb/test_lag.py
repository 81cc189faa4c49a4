"""A lag between activity and position that import takes out."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from neurodrift import testing
from neurodrift.cli import main
from neurodrift.io.nwb.read import import_nwb
from neurodrift.io.nwb.session import session_from_recording
from neurodrift.io.nwb.write import write_session
from neurodrift.io.zarr import open_recording, open_results

pytestmark = pytest.mark.filterwarnings("ignore:.*overlap.*")


@pytest.fixture(scope="module")
def mouse() -> xr.Dataset:
    return testing.linear_track(n_units=24, n_sessions=2, minutes=4, seed=3)


def late(mouse: xr.Dataset, folder: Path, seconds: float) -> list[str]:
    """Files whose activity comes so much later than the position, where that is in the file."""
    paths = []
    for name in mouse["session"].values:
        whole = session_from_recording(mouse, name)
        if whole.events is None:
            series = replace(whole.responses, time=whole.responses.time + seconds)
            moved = replace(whole, responses=series)
        else:
            moved = replace(whole, events=[times + seconds for times in whole.events])
        paths.append(str(write_session(moved, folder / f"{name}.nwb")))
    return paths


def parts(recording: xr.Dataset) -> list[xr.Dataset]:
    index = recording["session_index"].values
    return [recording.isel(time=index == i) for i in range(recording.sizes["session"])]


@pytest.mark.parametrize("kind", ["events", "deconvolved"])
@pytest.mark.parametrize("lag", [12.4, -12.4])
def test_import_nwb__lag_gives_back_what_was_in_step(mouse, kind, lag, tmp_path):
    if kind == "deconvolved":
        real = mouse["activity"].astype(float)
        mouse = mouse.assign(activity=real)
        mouse["activity"].attrs |= {"kind": kind, "units": "a.u."}
    files = late(mouse, tmp_path, lag)
    found = import_nwb(files, lag=lag)
    lost = round(12.4 / 0.05)
    for own, original in zip(parts(found), parts(mouse), strict=True):
        kept = slice(0, -lost) if lag > 0 else slice(lost, None)
        if kind == "deconvolved":  # the series tells that it was recorded throughout
            kept = slice(None)
        np.testing.assert_array_equal(own["activity"].values, original["activity"].values[kept])
        np.testing.assert_allclose(own["x"].values, original["x"].values[kept], rtol=1e-12)
    assert json.loads(found.attrs["lag"]) == {"1": lag, "2": lag}
    told = [item for item in json.loads(found.attrs["findings"]) if item["name"] == "lag"]
    assert [item["where"] for item in told] == ["session 1", "session 2"]
    assert f"{'earlier' if lag > 0 else 'later'} against position" in told[0]["text"]


def test_import_nwb__lag_of_one_session_leaves_the_others(mouse, tmp_path):
    files = late(mouse, tmp_path, 0.0)
    plain, found = import_nwb(files), import_nwb(files, lag={"2": 1.0})
    xr.testing.assert_equal(parts(plain)[0], parts(found)[0])
    assert parts(plain)[1].sizes["time"] - parts(found)[1].sizes["time"] == 20
    assert json.loads(found.attrs["lag"]) == {"1": 0.0, "2": 1.0}
    assert "lag" not in plain.attrs
    xr.testing.assert_identical(plain, import_nwb(files, lag={}))


@pytest.mark.parametrize(
    ("lag", "message"),
    [
        ({"3": 1.0}, "lag names session 3, but the sessions are 1, 2"),
        (np.nan, "lag is nan, expected seconds"),
        ("12", "lag is '12', expected seconds"),
        (500.0, "clocks start at different times: state an offset"),
    ],
)
def test_import_nwb__bad_lag(mouse, lag, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        import_nwb(late(mouse, tmp_path, 0.0), lag=lag)


def test_import__says_what_is_out_of_step_and_the_report_does(mouse, tmp_path, capsys):
    files = late(mouse, tmp_path, 12.4)
    store, results = tmp_path / "late.zarr", tmp_path / "results.zarr"
    assert main(["import", *files, "-o", str(store)]) == 2
    refused = capsys.readouterr().err
    assert "12.4 s before its first activity" in refused
    assert "--accept silence" in refused and "accept=" not in refused
    assert main(["import", *files, "-o", str(store), "--accept", "silence"]) == 0
    said = capsys.readouterr().out
    assert "out of step in 2 of 2 sessions" in said
    assert "warning: In session 1 activity comes 12." in said and "--lag 1=12." in said
    assert main(["analyze", str(store), "-o", str(results), "--measures", "lag", "sessions"]) == 0
    assert "SERIOUS: In session 2 activity comes 12." in capsys.readouterr().out
    assert (open_results(results)["lag"]["verdict"] == "out of step").all()

    mended = tmp_path / "mended.zarr"
    options = ["--lag", "1=12.4", "--lag", "2=12.4"]
    assert main(["import", *files, "-o", str(mended), *options]) == 0
    assert "in step in 2 of 2 sessions" in capsys.readouterr().out
    assert json.loads(open_recording(mended).attrs["lag"]) == {"1": 12.4, "2": 12.4}

    for words, text in (
        (["--lag", "x"], "expected SECONDS"),
        (["--lag", "1", "1=2"], "one number"),
    ):
        assert main(["import", *files, "-o", str(tmp_path / "no.zarr"), *words]) == 2
        assert text in capsys.readouterr().err


def test_convert__says_what_is_out_of_step(mouse, tmp_path, capsys):
    one = parts(mouse)[0]
    activity = np.roll(one["activity"].values, round(12.4 / 0.05), axis=0)
    np.savez(tmp_path / "mouse.npz", x=one["x"].values, activity=activity)
    (tmp_path / "mapping.yaml").write_text(
        "subject: {id: m1}\nenvironment: track\nsessions: [{session: 1}]\n"
        "activity: {file: mouse.npz, samples: activity, kind: events, axes: [frames, units],\n"
        "  rate: 20}\n"
        "position: {file: mouse.npz, x: x, unit: cm, rate: 20}\n"
    )
    mapping = str(tmp_path / "mapping.yaml")
    assert main(["convert", "arrays", mapping, "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr()
    assert "m1_track_1.nwb: In session 1 activity comes 12." in said.out, said

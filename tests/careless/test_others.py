"""Careless calls that join, convert, store, simulate and draw: right, or refused in plain words."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pynapple as nap
import pytest
import xarray as xr

import neurodrift as nd
from neurodrift import plotting, simulate, testing

FOLDER = Path(tempfile.mkdtemp(prefix="neurodrift-careless-"))
TRACK = testing.linear_track(n_units=6, n_sessions=2, minutes=2, seed=1)
ONE, TWO = (nd.select_sessions(TRACK, [label]) for label in ("1", "2"))
MAPS = nd.compute_rate_maps(TRACK)
RESULTS = nd.analyze(TRACK, n_repeats=5, n_draws=1)
DRIFT = RESULTS["drift"]["rate_map_correlation"]
STORE = nd.save_recording(TRACK, FOLDER / "mouse.zarr")
KEPT = nd.save_results(RESULTS, FOLDER / "results.zarr")
(FOLDER / "notes.txt").write_text("not a store")
(FOLDER / "not.nwb").write_text("not a file of HDF5")
(FOLDER / "empty").mkdir()
TASK = simulate.random(n_samples=4, n_inputs=4, n_outputs=2)
RUN = simulate.train(
    TASK, network=simulate.Network(n_hidden=6), n_steps=20, snapshots=3, measures=3
)
N, STEP = 2000, 0.05
CLOCK = np.arange(N) * STEP
X = 50 + 40 * np.sin(CLOCK / 3)
SPIKES = nap.TsGroup({0: nap.Ts(np.arange(0.1, 99.9, 0.7)), 1: nap.Ts(np.arange(0.2, 99.9, 1.3))})
PLACE = nap.Tsd(t=CLOCK, d=X)
POSES = nd.to_movement(TRACK)
SESSION = {
    "activity": [np.arange(0.1, 99.9, 0.7), np.arange(0.2, 99.9, 1.3)],
    "position": X,
    "position_time": CLOCK,
}


def renamed(part, **coords):
    return part.assign_coords(coords)


def tasks(**changes):
    return simulate.random(**{"n_samples": 4, "n_inputs": 4, "n_outputs": 2} | changes)


def agent(**changes):
    """What has the histories of RatInABox."""

    class Agent:
        history = {"t": list(CLOCK), "pos": [[0.5, 0.5]] * N} | changes
        dt = STEP

    class Neurons:
        Agent = None
        history = {"t": list(CLOCK), "spikes": [[0, 1]] * N, "firingrate": [[0.0, 1.0]] * N}
        name = "PlaceCells"

    Neurons.Agent = Agent
    return Neurons


CASES = [
    # join
    (
        "join one recording, not in a list",
        lambda: nd.join_sessions(ONE),
        "recordings is one recording, expected a list of them",
    ),
    ("join nothing", lambda: nd.join_sessions([]), "no recordings to join"),
    (
        "join with None",
        lambda: nd.join_sessions([ONE, None]),
        "expected a recording (xarray.Dataset), got NoneType; build",
    ),
    (
        "join paths",
        lambda: nd.join_sessions(["a.zarr", "b.zarr"]),
        "expected a recording (xarray.Dataset), got str; build one",
    ),
    (
        "join arrays",
        lambda: nd.join_sessions([ONE["activity"], TWO["activity"]]),
        "expected a recording (xarray.Dataset), got DataArray; build",
    ),
    (
        "join results",
        lambda: nd.join_sessions([RESULTS, RESULTS]),
        "expected a recording (xarray.Dataset), got DataTree; build",
    ),
    (
        "join a recording with itself",
        lambda: nd.join_sessions([ONE, ONE]),
        "session labels are not unique: '1' occur more than once",
    ),
    (
        "join backwards",
        lambda: nd.join_sessions([TWO, ONE]),
        "session 1 is of day 0, but follows session 2 of day 2: put",
    ),
    (
        "join of other subjects",
        lambda: nd.join_sessions([ONE, renamed(TWO, subject="m2")]),
        "recordings of different subjects (m2, synthetic) cannot be",
    ),
    (
        "join of other environments",
        lambda: nd.join_sessions([ONE, renamed(TWO, environment="box")]),
        "recordings of different environments (box, linear track)",
    ),
    (
        "join of other kinds",
        lambda: nd.join_sessions(
            [ONE, TWO.assign(activity=TWO["activity"].assign_attrs(kind="spikes"))]
        ),
        "recordings hold different kinds of activity: events, spikes",
    ),
    (
        "join, one without day",
        lambda: nd.join_sessions([ONE, TWO.drop_vars("day")]),
        lambda found: "day is dropped: session 2 has none" in found.attrs["findings"],
    ),
    (
        "join, one without position",
        lambda: nd.join_sessions([ONE, TWO.drop_vars(["x", "speed", "direction"])]),
        lambda found: "x is NaN there: session 2 has none" in found.attrs["findings"],
    ),
    (
        "join, units 1 and '1'",
        lambda: nd.join_sessions([ONE, renamed(TWO, unit=[str(i) for i in range(6)])]),
        "unit labels mix numbers and equal strings: use one type in",
    ),
    (
        "join, units 1.0 and 1",
        lambda: nd.join_sessions([ONE, renamed(TWO, unit=np.arange(6.0))]),
        "'unit' has dtype float64, expected label",
    ),
    (
        "join, registration of one column",
        lambda: nd.join_sessions([ONE, TWO], registration=[0, 1, 2]),
        "registration is [0, 1, 2], expected a table (unit, recording)",
    ),
    (
        "join, registration from 1",
        lambda: nd.join_sessions([ONE, TWO], registration=[[1, 1], [6, 6]]),
        "column 0 of the registration (session '1') points outside:",
    ),
    (
        "join, registration with NaN",
        lambda: nd.join_sessions([ONE, TWO], registration=[[0, np.nan], [1, 1]]),
        "column 1 of the registration (session '2') is not of",
    ),
    (
        "join, registration as text",
        lambda: nd.join_sessions([ONE, TWO], registration="cellRegistered.mat"),
        "registration is 'cellRegistered.mat', expected a table (unit,",
    ),
    (
        "join, registration with 0 for none",
        lambda: nd.join_sessions([ONE, TWO], registration=[[0, 0], [1, 0]]),
        "column 1 of the registration (session '2') uses unit [0] more",
    ),
    (
        "join, registration transposed",
        lambda: nd.join_sessions([ONE, TWO], registration=np.zeros((2, 6), int)),
        "registration has 6 columns, but 2 recordings are joined",
    ),
    # sessions in memory
    (
        "sessions as one mapping",
        lambda: nd.recording_from_sessions(SESSION),
        "sessions is one mapping, expected a list with one for each",
    ),
    (
        "sessions of nothing",
        lambda: nd.recording_from_sessions([]),
        "there are no sessions: pass one mapping of arrays for each",
    ),
    (
        "sessions with an unknown key",
        lambda: nd.recording_from_sessions([SESSION | {"spikes": 1}]),
        "session 1 has spikes, expected some of session, activity,",
    ),
    (
        "sessions without activity",
        lambda: nd.recording_from_sessions([{"position": X}]),
        "session 1 has no activity, only position",
    ),
    (
        "a session without a position's clock",
        lambda: nd.recording_from_sessions([{"activity": SESSION["activity"], "position": X}]),
        "position of session 1 has no clock: give the times of its",
    ),
    (
        "a session's position in metres",
        lambda: nd.recording_from_sessions([SESSION | {"position": X / 100}]),
        "position of session 1 covers 0.8 cm: the unit of length seems",
    ),
    (
        "a session's position over (axis, time)",
        lambda: nd.recording_from_sessions([SESSION | {"position": np.stack([X, X])}]),
        "position of session 1 has 2 frames, but its clock has 2000",
    ),
    (
        "a session's position as text",
        lambda: nd.recording_from_sessions([SESSION | {"position": ["a"] * N}]),
        "position of session 1 holds <U1 values, expected real numbers",
    ),
    (
        "a session's spikes in ms",
        lambda: nd.recording_from_sessions(
            [SESSION | {"activity": [t * 1000 for t in SESSION["activity"]]}]
        ),
        "0 % of activity of session 1 lies within position of session",
    ),
    (
        "a session's spikes in one array",
        lambda: nd.recording_from_sessions([SESSION | {"activity": SESSION["activity"][0]}]),
        "activity of session 1 must be a list with the times of each",
    ),
    (
        "a session's kind unknown",
        lambda: nd.recording_from_sessions([SESSION], kind="dff"),
        "kind is 'dff', expected one of spikes, events, amplitudes,",
    ),
    (
        "a session's masked position",
        lambda: nd.recording_from_sessions([SESSION | {"position": np.ma.masked_where(X > 89, X)}]),
        lambda found: np.isnan(found["x"].values[X > 89]).all(),
    ),
    (
        "a session's activity by name",
        lambda: nd.recording_from_sessions(
            [
                {
                    "activity": xr.DataArray(np.eye(N, 2, dtype=int).T, dims=("unit", "time")),
                    "activity_time": CLOCK,
                    "position": X,
                    "position_time": CLOCK,
                }
            ]
        ),
        lambda found: found.sizes["unit"] == 2,
    ),
    (
        "fewer identities than cells",
        lambda: nd.recording_from_sessions([SESSION | {"registered_cell_id": [7]}]),
        "registered_cell_id has shape (1,), expected one of 2",
    ),
    (
        "identities in halves",
        lambda: nd.recording_from_sessions([SESSION | {"registered_cell_id": [7.5, 8.5]}]),
        "registered_cell_id of session 1 holds 7.5, expected whole",
    ),
    (
        "equal identities",
        lambda: nd.recording_from_sessions([SESSION | {"registered_cell_id": [7, 7]}]),
        "0000.nwb was not written: - registered_cell_id [7] occurs",
    ),
    (
        "an accuracy in percent",
        lambda: nd.recording_from_sessions([SESSION | {"accuracy": 80}]),
        "accuracy is 80, expected a number, at least 0 and at most 1",
    ),
    (
        "a session twice",
        lambda: nd.recording_from_sessions([SESSION, SESSION]),
        lambda found: found.sizes["session"] == 2,
    ),
    (
        "a day as text",
        lambda: nd.recording_from_sessions([SESSION | {"day": "Monday"}]),
        "day is 'Monday', expected a finite number",
    ),
    # pynapple
    (
        "pynapple, exchanged",
        lambda: nd.from_pynapple(PLACE, SPIKES),
        "units is of type Tsd, expected a TsGroup or a TsdFrame of",
    ),
    (
        "pynapple of arrays",
        lambda: nd.from_pynapple([CLOCK], X),
        "units is of type list, expected a TsGroup or a TsdFrame of",
    ),
    (
        "pynapple of None",
        lambda: nd.from_pynapple(SPIKES, None),
        "frames is of type NoneType, expected a Tsd or a TsdFrame of",
    ),
    (
        "pynapple, position in metres",
        lambda: nd.from_pynapple(SPIKES, nap.Tsd(t=CLOCK, d=X / 100)),
        "x covers 0.8 cm: the unit of length seems wrong, the numbers",
    ),
    (
        "pynapple, unknown columns",
        lambda: nd.from_pynapple(
            SPIKES, nap.TsdFrame(t=CLOCK, d=np.column_stack([X, X]), columns=["head_x", "head_y"])
        ),
        "frames has columns ['head_x', 'head_y'], expected some of x,",
    ),
    (
        "pynapple, columns without names",
        lambda: nd.from_pynapple(SPIKES, nap.TsdFrame(t=CLOCK, d=np.column_stack([X, X]))),
        "frames has columns ['0', '1'], expected some of x, y, speed,",
    ),
    (
        "pynapple, trials in halves",
        lambda: nd.from_pynapple(
            SPIKES,
            nap.TsdFrame(t=CLOCK, d=np.column_stack([X, np.full(N, 1.5)]), columns=["x", "trial"]),
        ),
        "trial must be whole numbers from -2147483648 to 2147483647,",
    ),
    (
        "pynapple, other kind",
        lambda: nd.from_pynapple(SPIKES, PLACE, kind="dff"),
        "kind is 'dff', expected one of spikes, events, amplitudes,",
    ),
    (
        "pynapple, sessions as a list",
        lambda: nd.from_pynapple(SPIKES, PLACE, [[0, 50]]),
        "sessions is of type list, expected an IntervalSet of sessions",
    ),
    (
        "pynapple, sessions beside the frames",
        lambda: nd.from_pynapple(SPIKES, PLACE, nap.IntervalSet([500], [600])),
        "a session has fewer than two frames",
    ),
    (
        "pynapple, detected as text",
        lambda: nd.from_pynapple(
            nap.TsGroup(
                {0: nap.Ts(CLOCK[::9]), 1: nap.Ts(CLOCK[::7])},
                metadata={"detected_0": ["False", "True"]},
            ),
            PLACE,
        ),
        "detected_0 must be True or False, found 'False'",
    ),
    (
        "pynapple, units in halves",
        lambda: nd.from_pynapple(
            nap.TsGroup(
                {0: nap.Ts(CLOCK[::9]), 1: nap.Ts(CLOCK[::7])}, metadata={"unit": [0.5, 1.5]}
            ),
            PLACE,
        ),
        lambda found: found["unit"].values.tolist() == ["0.5", "1.5"],
    ),
    (
        "pynapple, a trace as spikes",
        lambda: nd.from_pynapple(nap.TsdFrame(t=CLOCK, d=np.column_stack([X - 60, X - 60])), PLACE),
        "activity is below 0 in 56 % of its samples: a trace of",
    ),
    (
        "pynapple of maps",
        lambda: nd.to_pynapple(MAPS),
        "'activity' is missing: expected dims (time, unit), activity",
    ),
    # movement and RatInABox
    (
        "movement without a scale",
        lambda: nd.from_movement(POSES),
        "missing a required argument: 'cm_per_unit'",
    ),
    (
        "movement, unknown keypoint",
        lambda: nd.from_movement(POSES, cm_per_unit=1, keypoint="nose"),
        "movement has no keypoint 'nose'; name one of centroid",
    ),
    (
        "movement, a list of keypoints",
        lambda: nd.from_movement(POSES, cm_per_unit=1, keypoint=["centroid"]),
        "movement has no keypoint ['centroid']; name one of centroid",
    ),
    (
        "movement, a scale as text",
        lambda: nd.from_movement(POSES, cm_per_unit="0.1"),
        "cm_per_unit is '0.1', expected a number, more than 0 [cm]",
    ),
    (
        "movement of a recording",
        lambda: nd.from_movement(TRACK, cm_per_unit=1),
        "position is missing, expected over time, space, keypoints,",
    ),
    (
        "movement of an array",
        lambda: nd.from_movement(POSES["position"], cm_per_unit=1),
        "tracks is of type DataArray, expected a poses data set of",
    ),
    (
        "movement, frames without a rate",
        lambda: nd.from_movement(POSES.assign_attrs(time_unit="frames"), cm_per_unit=1),
        "centroid of movement (movement) has no clock: give the times",
    ),
    (
        "movement of maps",
        lambda: nd.to_movement(MAPS),
        "'activity' is missing: expected dims (time, unit), activity",
    ),
    (
        "RatInABox, unknown values",
        lambda: nd.from_ratinabox(agent(), values="rate"),
        "values is 'rate', expected spikes or rates",
    ),
    (
        "RatInABox, other steps",
        lambda: nd.from_ratinabox(agent(t=list(CLOCK[:9]))),
        "the agent has 9 steps and the neurons 2000: call",
    ),
    (
        "RatInABox of an agent",
        lambda: nd.from_ratinabox(agent().Agent),
        "neurons is of type type, expected ratinabox.Neurons.Neurons",
    ),
    ("RatInABox of None", lambda: nd.from_ratinabox(None), "neurons is of type NoneType, expected"),
    # stores and files
    (
        "open nothing",
        lambda: nd.open_recording(FOLDER / "no.zarr"),
        "no.zarr: expected a Zarr v3 directory",
    ),
    (
        "open results as a recording",
        lambda: nd.open_recording(KEPT),
        "results.zarr is not a whole recording: - coords: 'time' is a",
    ),
    (
        "open a recording as results",
        lambda: nd.open_results(STORE),
        "mouse.zarr is a recording, no results: open_recording opens it",
    ),
    (
        "open text",
        lambda: nd.open_recording(FOLDER / "notes.txt"),
        "notes.txt: expected a Zarr v3 directory",
    ),
    (
        "open an empty folder",
        lambda: nd.open_recording(FOLDER / "empty"),
        "empty: expected a Zarr v3 directory",
    ),
    (
        "open a recording",
        lambda: nd.open_recording(TRACK),
        "path is of type Dataset, expected the path of a file or folder",
    ),
    (
        "open None",
        lambda: nd.open_recording(None),
        "path is of type NoneType, expected the path of a file or",
    ),
    (
        "open no name",
        lambda: nd.open_recording(""),
        "no recording at .: expected a Zarr v3 directory",
    ),
    (
        "open a number",
        lambda: nd.open_results(3),
        "path is of type int, expected the path of a file or folder",
    ),
    (
        "save again",
        lambda: nd.save_recording(TRACK, STORE),
        "mouse.zarr exists and was kept; pass overwrite (--overwrite)",
    ),
    (
        "save maps as a recording",
        lambda: nd.save_recording(MAPS, FOLDER / "a.zarr"),
        "'activity' is missing: expected dims (time, unit), activity",
    ),
    (
        "save a recording as results",
        lambda: nd.save_results(TRACK, FOLDER / "b.zarr"),
        "results is of type Dataset, expected a tree of results, as",
    ),
    (
        "save an array",
        lambda: nd.save_recording(TRACK["activity"], FOLDER / "c.zarr"),
        "expected a recording (xarray.Dataset), got DataArray; build",
    ),
    (
        "save, exchanged",
        lambda: nd.save_recording(FOLDER / "d.zarr", TRACK),
        "expected a recording (xarray.Dataset), got PosixPath; build",
    ),
    (
        "save into a file's folder",
        lambda: nd.save_recording(TRACK, FOLDER / "notes.txt" / "a.zarr"),
        "a.zarr cannot be written below it",
    ),
    (
        "save results over a recording",
        lambda: nd.save_results(RESULTS, STORE, overwrite=True),
        "mouse.zarr holds 'neurodrift recording', not 'neurodrift",
    ),
    (
        "verify nothing",
        lambda: nd.verify(FOLDER / "no.zarr"),
        "no.zarr: expected a Zarr v3 directory",
    ),
    (
        "verify text",
        lambda: nd.verify(FOLDER / "notes.txt"),
        "notes.txt: expected a Zarr v3 directory",
    ),
    (
        "verify a recording",
        lambda: nd.verify(TRACK),
        "path is of type Dataset, expected the path of a file or folder",
    ),
    ("import nothing", lambda: nd.import_nwb([]), "no NWB file given"),
    (
        "import no file",
        lambda: nd.import_nwb(FOLDER / "no.nwb"),
        "no.nwb",
    ),
    (
        "import text",
        lambda: nd.import_nwb(FOLDER / "not.nwb"),
        "not.nwb is no readable NWB (HDF5) file",
    ),
    (
        "import a store",
        lambda: nd.import_nwb(STORE),
        "mouse.zarr",
    ),
    (
        "import a file twice",
        lambda: nd.import_nwb([FOLDER / "not.nwb"] * 2),
        "a file is given twice",
    ),
    ("import a number", lambda: nd.import_nwb(3), "files is 3, expected a list of names"),
    ("import None", lambda: nd.import_nwb(None), "files is None, expected a list of names"),
    (
        "export a recording",
        lambda: nd.export_results(TRACK, FOLDER / "a.nwb"),
        "results is of type Dataset, expected a tree of results, as",
    ),
    (
        "export an unknown session",
        lambda: nd.export_results(RESULTS, FOLDER / "a.nwb", session="9"),
        "the results have no session '9'; they have 1, 2",
    ),
    (
        "report of a recording",
        lambda: nd.write_report(TRACK, FOLDER / "a.html"),
        "activity: expected results (xarray.DataTree) of",
    ),
    (
        "report of maps",
        lambda: nd.write_report(MAPS, FOLDER / "a.html"),
        "rate: expected results (xarray.DataTree) of",
    ),
    (
        "report of nothing",
        lambda: nd.write_report([], FOLDER / "a.html"),
        "there are no results to report: pass at least one tree of",
    ),
    (
        "report of a name",
        lambda: nd.write_report("results.zarr", FOLDER / "a.html"),
        "results 1: expected results (xarray.DataTree) of",
    ),
    (
        "report into a store",
        lambda: nd.write_report(RESULTS, STORE, overwrite=True),
        "mouse.zarr is a folder and was kept: name an HTML file",
    ),
    (
        "report, exchanged",
        lambda: nd.write_report(FOLDER / "a.html", RESULTS),
        "path is of type DataTree, expected the path of a file or",
    ),
    (
        "report with results as comparison",
        lambda: nd.write_report(RESULTS, FOLDER / "a.html", comparison=RESULTS),
        "the comparison lacks axis, measure, side: pass what",
    ),
    (
        "a converter of no name",
        lambda: nd.convert.converter("sheintuch"),
        "no converter 'sheintuch'; there are arrays, geva2023, hc-6,",
    ),
    (
        "a data set of no name",
        lambda: nd.catalog.data_set("hc-7"),
        "no data set 'hc-7' in the catalogue; there are geva2023,",
    ),
    # kinematics, seeds, testing
    (
        "running of maps",
        lambda: nd.kinematics.running(MAPS),
        "'activity' is missing: expected dims (time, unit), activity",
    ),
    (
        "running without position",
        lambda: nd.kinematics.running(TRACK.drop_vars(["x", "speed", "direction"])),
        "the recording has no position 'x', so no speed can be derived",
    ),
    (
        "velocity of other lengths",
        lambda: nd.kinematics.velocity(CLOCK, X[:-3]),
        "time has shape (2000,), the position [(1997,)]: give one",
    ),
    (
        "velocity of text",
        lambda: nd.kinematics.velocity(CLOCK, X.astype(str)),
        "x holds <U32 values, expected numbers",
    ),
    (
        "velocity of a clock that goes back",
        lambda: nd.kinematics.velocity(CLOCK[::-1], X),
        "time must increase from frame to frame [s]",
    ),
    (
        "velocity of two columns",
        lambda: nd.kinematics.velocity(CLOCK, np.column_stack([X, X])),
        "time has shape (2000,), the position [(2000, 2)]: give one",
    ),
    ("laps without limits", lambda: nd.kinematics.laps(X), "missing a required argument: 'limits'"),
    (
        "laps, limits backwards",
        lambda: nd.kinematics.laps(X, limits=(100, 0)),
        "limits is (100, 0), expected both ends of the track (low,",
    ),
    (
        "laps, one limit",
        lambda: nd.kinematics.laps(X, limits=100),
        "limits is 100, expected both ends of the track (low, high)",
    ),
    (
        "laps of two columns",
        lambda: nd.kinematics.laps(np.column_stack([X, X]), limits=(0, 100)),
        "x has 2 dimensions, expected (time)",
    ),
    (
        "a seed as text",
        lambda: nd.seeds.generator("seed"),
        "seed is 'seed', expected a whole number of 0 or more",
    ),
    (
        "a seed below 0",
        lambda: nd.seeds.generator(-1),
        "seed is -1; expected a non-negative integer",
    ),
    (
        "a seed in halves",
        lambda: nd.seeds.generator(1.5),
        "seed is 1.5, expected a whole number of 0 or more",
    ),
    # simulations
    (
        "simulate an unknown name",
        lambda: simulate.simulate("ratzon"),
        "no file ratzon, and no published settings of that name:",
    ),
    (
        "simulate a dict",
        lambda: simulate.simulate({"task": "random"}),
        "settings is of type dict, expected settings, the name of",
    ),
    (
        "simulate a task",
        lambda: simulate.simulate(TASK),
        "settings is of type Task, expected settings, the name of",
    ),
    (
        "simulate an unknown key",
        lambda: simulate.settings_from_values({"n_step": 5}),
        "the configuration cannot be used: - 'task' is a required",
    ),
    (
        "settings, steps as text",
        lambda: simulate.settings_from_values({"n_steps": "5"}),
        "the configuration cannot be used: - 'task' is a required",
    ),
    (
        "settings of another kind",
        lambda: simulate.settings_from_values({"simulation": "bayes"}),
        "the configuration cannot be used: - simulation: is 'bayes',",
    ),
    (
        "settings as a list",
        lambda: simulate.settings_from_values([("n_steps", 5)]),
        "values is of type list, expected a mapping of settings, as in",
    ),
    (
        "settings of an unknown task",
        lambda: simulate.RunSettings(task={"name": "maze"}),
        "the settings cannot be used: - task.name: 'maze' is not one",
    ),
    (
        "settings with a rule's typo",
        lambda: simulate.RunSettings(rule={"learning_rat": 0.1}),
        "the settings cannot be used: - task: 'name' is a required",
    ),
    (
        "settings, task as text",
        lambda: simulate.RunSettings(task="random"),
        "the settings cannot be used: - task: 'random' is not of type",
    ),
    (
        "settings, hidden units below 0",
        lambda: simulate.RunSettings(network={"n_hidden": -3}),
        "the settings cannot be used: - task: 'name' is a required",
    ),
    (
        "a network of no units",
        lambda: simulate.Network(n_hidden=0),
        "not a network: n_hidden is 0, expected a whole number of at",
    ),
    (
        "a network of halves",
        lambda: simulate.Network(n_hidden=10.5),
        "not a network: n_hidden is 10.5, expected a whole number of",
    ),
    (
        "a network of an unknown activation",
        lambda: simulate.Network(activation="swish"),
        "not a network: activation is 'swish', expected a function or",
    ),
    (
        "a network of an unknown regime",
        lambda: simulate.Network(regime="medium"),
        "not a network: regime is 'medium', expected 'rich' or 'lazy'",
    ),
    (
        "a rule of no name",
        lambda: simulate.Rule("adamw"),
        "not a learning rule: name is 'adamw', expected ('sgd',",
    ),
    (
        "a rule with negative noise",
        lambda: simulate.Rule("sgd", update_noise=-1),
        "not a learning rule: update_noise is -1, expected a finite",
    ),
    (
        "a rule with NaN",
        lambda: simulate.Rule("sgd", learning_rate=np.nan),
        "not a learning rule: learning_rate is nan, expected a finite",
    ),
    (
        "a rule with a rate as text",
        lambda: simulate.Rule("sgd", learning_rate="0.1"),
        "not a learning rule: learning_rate is '0.1', expected a",
    ),
    (
        "a task of no samples",
        lambda: tasks(n_samples=0),
        "task 'random': n_samples is 0, expected an integer of at",
    ),
    (
        "a task of samples in halves",
        lambda: tasks(n_samples=4.5),
        "task 'random': n_samples is 4.5, expected an integer of at",
    ),
    (
        "a task of values backwards",
        lambda: tasks(value_range=(1, -1)),
        "task 'random': value_range is (1, -1), expected (lowest,",
    ),
    (
        "a task from arrays of other lengths",
        lambda: simulate.task_from_arrays(np.ones((4, 2)), np.ones((5, 2))),
        "not a task ('custom'): - inputs have 4 samples (rows) but",
    ),
    (
        "a task from text",
        lambda: simulate.task_from_arrays(np.full((4, 2), "a"), np.ones((4, 2))),
        "inputs are no array of numbers: could not convert string to",
    ),
    (
        "a task from NaN",
        lambda: simulate.task_from_arrays(np.full((4, 2), np.nan), np.ones((4, 2))),
        "not a task ('custom'): - inputs have 8 NaN or infinite",
    ),
    (
        "a task from one dimension",
        lambda: simulate.task_from_arrays(np.ones(4), np.ones(4)),
        lambda found: found.inputs.shape == (4, 1),
    ),
    ("train a recording", lambda: simulate.train(TRACK), "task is a Dataset, expected a Task"),
    ("train a name", lambda: simulate.train("random"), "task is a str, expected a Task"),
    (
        "train a network as a dict",
        lambda: simulate.train(TASK, network={"n_hidden": 6}),
        "network is a dict, expected a Network",
    ),
    (
        "train a rule as a name",
        lambda: simulate.train(TASK, rule="sgd"),
        "rule is a str, expected a Rule: Rule('sgd', ...)",
    ),
    (
        "train by an unknown engine",
        lambda: simulate.train(TASK, engine="jax"),
        "engine is 'jax', expected one of ('auto', 'numba', 'torch')",
    ),
    (
        "train in an unknown precision",
        lambda: simulate.train(TASK, dtype="float16"),
        "cannot train: dtype is 'float16', expected 'float64' or",
    ),
    (
        "train for steps in halves",
        lambda: simulate.train(TASK, n_steps=10.5),
        "cannot train: n_steps is 10.5, expected a whole number of at",
    ),
    (
        "train for no steps",
        lambda: simulate.train(TASK, n_steps=-1),
        "cannot train: n_steps is -1, expected a whole number of at",
    ),
    (
        "train, snapshots beyond the end",
        lambda: simulate.train(TASK, n_steps=10, snapshots=[0, 50]),
        "snapshots are [0, 50], expected a number of steps to look at,",
    ),
    (
        "train, snapshots as text",
        lambda: simulate.train(TASK, n_steps=10, snapshots="all"),
        "snapshots are 'all', expected a number of steps to look at,",
    ),
    (
        "train an ensemble of nothing",
        lambda: simulate.train_ensemble([]),
        "an ensemble needs one or more of each, as many of one as",
    ),
    (
        "train a task of tasks",
        lambda: simulate.train_continual(TASK),
        "tasks is of type Task, expected a TaskSequence, such as of",
    ),
    (
        "train an unknown learner",
        lambda: simulate.train_continual(simulate.task_sequence_from_arrays({}), learner="lwf"),
        "no tasks: expected at least one",
    ),
    (
        "train a Hebbian network on a task",
        lambda: simulate.train_hebbian(TASK),
        "inputs is of type Task, expected HebbianInputs, such as of",
    ),
    (
        "sweep of nothing",
        lambda: simulate.run_sweep([], FOLDER / "s.zarr"),
        "no settings: expected those of one run or more",
    ),
    (
        "open a recording as a sweep",
        lambda: simulate.open_sweep(STORE),
        "mouse.zarr is no sweep, but 'neurodrift recording'",
    ),
    ("open a recording as a run", lambda: simulate.open_run(STORE), "no measures of a run at"),
    (
        "save a recording as a run",
        lambda: simulate.save_run(TRACK, simulate.RunSettings(), FOLDER / "r.zarr"),
        "the settings cannot be used: - task: 'name' is a required",
    ),
    (
        "perturb by a name",
        lambda: simulate.perturb(RUN, "random"),
        "changed is of type str, expected a Task",
    ),
    (
        "perturb by a task of other inputs",
        lambda: simulate.perturb(RUN, tasks(n_inputs=7)),
        "task 'random' has 7 inputs and 2 outputs, but the network was",
    ),
    (
        "curvature of a run",
        lambda: simulate.compute_hessian_spectrum(RUN),
        "point is of type Run, expected a LossPoint, such as",
    ),
    (
        "curvature of an unknown step",
        lambda: simulate.LossPoint.from_run(RUN, step=7),
        "no snapshot of step 7; there are those of [0, 10, 20]",
    ),
    (
        "curvature of an unknown part",
        lambda: simulate.compute_hessian_spectrum(
            simulate.LossPoint.from_run(RUN, step=0), part="half"
        ),
        "part is 'half'; expected one of full, gauss_newton",
    ),
    (
        "steps by an unknown spacing",
        lambda: simulate.sample_steps(100, 5, spacing="square"),
        "spacing is 'square', expected 'linear' or 'log' (published",
    ),
    # figures
    (
        "draw a recording's maps",
        lambda: plotting.plot_rate_maps(TRACK),
        "rate is a Dataset, expected rate maps, a DataArray with its",
    ),
    (
        "draw a Dataset of maps",
        lambda: plotting.plot_rate_maps(MAPS),
        "rate is a Dataset, expected rate maps, a DataArray with its",
    ),
    (
        "draw NumPy maps",
        lambda: plotting.plot_rate_maps(MAPS["rate"].values),
        "rate is a ndarray, expected rate maps, a DataArray with its",
    ),
    (
        "draw unknown sessions",
        lambda: plotting.plot_rate_maps(MAPS["rate"], sessions=["9"]),
        "expected dims ['position', 'session', 'unit'], got",
    ),
    (
        "draw unknown units",
        lambda: plotting.plot_rate_maps(MAPS["rate"], order=["c9"]),
        "expected dims ['position', 'session', 'unit'], got",
    ),
    (
        "draw box maps of a track",
        lambda: plotting.plot_box_maps(MAPS["rate"]),
        "expected (session, unit, position) with x_bin and y_bin, got",
    ),
    (
        "draw drift of a tree",
        lambda: plotting.plot_drift_matrix(RESULTS["drift"]),
        "correlation is a DataTree, expected a matrix of session",
    ),
    (
        "draw drift of NumPy",
        lambda: plotting.plot_drift_matrix(DRIFT.values),
        "correlation is a ndarray, expected a matrix of session pairs,",
    ),
    (
        "draw drift as axes",
        lambda: plotting.plot_drift_matrix(DRIFT, ax="left"),
        "ax is 'left', expected axes of matplotlib",
    ),
    (
        "draw a series of other lengths",
        lambda: plotting.plot_session_series(np.arange(3), np.arange(4)),
        "x has 3, mean has 4 entries: give as many of each",
    ),
    (
        "draw a decay of other lengths",
        lambda: plotting.plot_decay(np.arange(3), np.arange(4)),
        "lag has 3, mean has 4 entries: give as many of each",
    ),
    (
        "draw curves of other lengths",
        lambda: plotting.plot_curves(np.arange(3), {"a": np.arange(4)}),
        "x has 3, a has 4 entries: give as many of each",
    ),
    (
        "draw curves as a list",
        lambda: plotting.plot_curves(np.arange(3), [np.arange(3)]),
        "curves is of type list, expected a mapping {name: values}",
    ),
    (
        "draw statements of results",
        lambda: plotting.plot_statements(RESULTS),
        "comparison is a DataTree, expected a comparison",
    ),
    (
        "draw slopes of maps",
        lambda: plotting.plot_slopes(MAPS),
        "comparison has no 'side', 'statement', expected a comparison",
    ),
]


@pytest.mark.parametrize(("call", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_others__careless(call, expected, judge):
    judge(call, expected)

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pynwb
import pytest
import xarray as xr
from scipy.io import savemat

from neurodrift.convert import CONVERTERS, converter
from neurodrift.convert.published._sheintuch2020_source import environments, read_source
from neurodrift.convert.published.sheintuch2020 import compare, convert, verify
from neurodrift.io.nwb.read import import_nwb, read_session
from neurodrift.recording import slice_sessions

REGULAR = (60, 70, 71, 72, 73, 74, 61)


@dataclass
class Fake:
    """A session in the layout of the published files, small and with a known content."""

    movies: tuple[int, ...] = REGULAR  # frames of each row of frameLog
    samples: dict[int, int] = field(  # my_mvmt entry -> samples
        default_factory=lambda: {j + 1: REGULAR[j] + 1 for j in range(1, 6)}
    )
    n_entries: int = 6
    n_cells: int = 6
    split: int | None = None  # movie that the next one follows at once; others after 100 s

    def behavior(self, environment: str, number: int) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = []
        for entry in range(1, self.n_entries + 1):
            if entry not in self.samples:
                entries.append({})
                continue
            rng = np.random.default_rng([number, entry, ord(environment)])
            n = self.samples[entry]
            place = 0.5 + 0.6 * np.sin(np.arange(n) / 9 + entry)  # with glitches beyond the track
            fields: dict[str, Any] = {
                "filename": f"video{entry}.avi",
                "raw_x": rng.random(n),
                "raw_y": rng.random(n),
                "binned": rng.integers(1, 25, n).astype(np.uint8),
            }
            if environment == "A":
                fields |= {"position": place, "velocity": rng.normal(0, 9, n)}
                fields["goodframes"] = rng.integers(0, 2, n).astype(np.uint8)
            else:
                fields["rough_linearized_location"] = 60 * place - 30
                fields["velocity_VER1"] = rng.normal(0, 5, n)
                fields["velocity_VER2"] = rng.normal(0, 9, n)
            entries.append(fields)
        return entries

    def events(self, number: int) -> np.ndarray:
        rng = np.random.default_rng(number)
        shape = (sum(self.movies), self.n_cells)
        return np.where(rng.random(shape) < 0.05, rng.uniform(0.01, 0.9, shape), 0.0)


def registration(n_cells: int, n_sessions: int = 8) -> np.ndarray:
    """Cell i of session s is union cell (i + s) mod n; the last cell is never registered."""
    table = np.zeros((n_cells + 2, n_sessions), dtype=np.uint16)
    for s in range(n_sessions):
        for i in range(n_cells - 1):
            table[(i + s) % (n_cells + 2), s] = i + 1
    return table


def write_environment(
    root: Path,
    mouse: str,
    environment: str,
    sessions: dict[int, Fake],
    labels: dict[int, list[int]] | None = None,
) -> Path:
    folder = root / mouse / f"Environment {environment}"
    folder.mkdir(parents=True)
    for number, fake in sessions.items():
        cells = np.empty((1, fake.n_entries), dtype=object)
        for i, fields in enumerate(fake.behavior(environment, number)):
            # Column vectors, as in the source, but for the bins of the L-shaped track.
            cells[0, i] = np.zeros((1, 0))
            if fields:
                cells[0, i] = {
                    name: value
                    if isinstance(value, str) or (environment == "B" and name == "binned")
                    else value[:, None]
                    for name, value in fields.items()
                }
        savemat(folder / f"behavior_{number}.mat", {"my_mvmt": cells})
        savemat(
            folder / f"finalEventsMat_{number}.mat",
            {"allEventsMat": fake.events(number)},
            do_compression=True,
        )
        start = datetime(2015, 7, 21, 12, 2, 12) + timedelta(days=2 * (number - 1))
        lines, begin = ["session,trial,begFrame,endFrame,Var5"], 1
        for i, n in enumerate(fake.movies):
            name = f"recording_{start:%Y%m%d_%H%M%S}.tif"
            lines.append(f"1,{i + 1},{begin},{begin + n - 1},{name}")
            begin += n
            start += timedelta(seconds=n / 20 + (0 if i == fake.split else 100))
        (folder / f"frameLog_{number}.csv").write_text("\n".join(lines) + "\n")
    n_cells = next(iter(sessions.values())).n_cells
    savemat(folder / "cell_registration.mat", {"cell_to_index_map": registration(n_cells)})
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.append(["Session #/ Trial #", 1, 2, 3, 4, 5])
    for number, row in (labels or {n: [1, 2, 0, 1, 1] for n in sessions}).items():
        book.active.append([number, *row])
    book.create_sheet("empty")
    book.save(folder / "Maps per trial.xlsx")
    return folder


def slow_velocity(values: np.ndarray) -> np.ndarray:
    """Mean over samples i - 4 to i + 3, those that exist."""
    return np.array([values[max(0, i - 4) : i + 4].mean() for i in range(values.size)])


def trials_of(path: Path) -> pd.DataFrame:
    with pynwb.NWBHDF5IO(path, "r") as io:
        return io.read().trials.to_dataframe()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_environment(tmp_path / "Data", "C1_M1", "A", {1: Fake(), 2: Fake()})


@pytest.fixture
def lone(tmp_path: Path) -> Path:
    return write_environment(tmp_path / "Data", "C1_M1", "A", {2: Fake()})


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A source that nothing changes, and the file of its session 2."""
    root = tmp_path_factory.mktemp("converted")
    folder = write_environment(root / "Data", "C1_M1", "A", {1: Fake(), 2: Fake()})
    return folder, convert(folder, root / "out")[1]


# ---- what is written


def test_convert__one_file_for_each_session(tmp_path: Path) -> None:
    root = tmp_path / "Data"
    write_environment(root, "C1_M1", "A", {1: Fake()})
    write_environment(root, "C1_M1", "B", {1: Fake()})
    write_environment(root, "C2_M1", "B", {1: Fake()})
    names = ["C1_M1_A_1", "C1_M1_B_1", "C2_M1_B_1"]
    paths = convert(root, tmp_path / "all")
    assert [path.stem for path in paths] == names
    assert sorted(p.stem for p in (tmp_path / "all").iterdir()) == names
    assert [p.stem for p in convert(root / "C1_M1", tmp_path / "mouse")] == names[:2]
    folder = root / "C1_M1" / "Environment B"
    assert [p.stem for p in convert(folder, tmp_path / "environment")] == names[1:2]
    assert converter("sheintuch2020") is convert and list(CONVERTERS) == sorted(CONVERTERS)
    with pytest.raises(
        ValueError, match="no converter 'x'; there are arrays, geva2023, .*sheintuch2020"
    ):
        converter("x")


@pytest.mark.parametrize("environment", ["A", "B"])
def test_convert__every_number(environment: str, tmp_path: Path) -> None:
    fake = Fake()
    folder = write_environment(tmp_path / "Data", "C1_M1", environment, {1: Fake(), 3: fake})
    path = convert(folder, tmp_path / "out")[1]
    found = read_session(path)
    events = fake.events(3)
    np.testing.assert_array_equal(found["activity"].values, events > 0)
    amplitudes = read_session(path, values="amplitudes")["activity"].values
    np.testing.assert_array_equal(amplitudes, events)

    behavior = fake.behavior(environment, 3)[1:]
    raw = "position" if environment == "A" else "rough_linearized_location"
    low, high = 0.0, 1.0
    if environment == "B":
        low = np.median([trial[raw].min() for trial in behavior])
        high = np.median([trial[raw].max() for trial in behavior])
    x, velocity = np.full(events.shape[0], np.nan), np.full(events.shape[0], np.nan)
    trial, label = np.full(events.shape[0], -1), np.zeros(events.shape[0])
    begin = np.concatenate([[0], np.cumsum(REGULAR)])
    for j in range(1, 6):
        rows, fields = slice(begin[j], begin[j + 1]), behavior[j - 1]
        x[rows] = 96 * np.clip((fields[raw][1:] - low) / (high - low), 0, 1)
        speed = fields["velocity" if environment == "A" else "velocity_VER2"]
        velocity[rows] = slow_velocity(speed)[1:]
        trial[rows], label[rows] = j, [1, 2, 0, 1, 1][j - 1]
    np.testing.assert_allclose(found["x"], x, rtol=1e-13)
    np.testing.assert_allclose(found["speed"], np.abs(velocity), rtol=1e-12)
    np.testing.assert_array_equal(found["direction"], np.sign(np.nan_to_num(velocity)))
    np.testing.assert_array_equal(found["trial"], trial)
    np.testing.assert_array_equal(found["map_label"], label)
    assert found["speed"].attrs.get("projected", 0) == (environment == "B")

    movies = [datetime.strptime(m[10:25], "%Y%m%d_%H%M%S") for m in trials_of(path)["movie"]]
    starts = [(movie - movies[0]).total_seconds() for movie in movies]
    expected = np.concatenate([s + np.arange(n) / 20 for s, n in zip(starts, REGULAR, strict=True)])
    np.testing.assert_array_equal(found["time"], expected)
    assert (found["frame_duration"] == 0.05).all()


def test_convert__identity_of_cells(tmp_path: Path) -> None:
    folder = write_environment(tmp_path / "Data", "C1_M1", "A", {1: Fake(), 2: Fake()})
    recording = import_nwb(convert(folder, tmp_path / "out"))
    table = registration(6)
    labels = recording["unit"].values.tolist()
    assert labels == ["0", "1", "2", "3", "4", "5", "1:5", "2:5"]
    for s, where in enumerate(slice_sessions(recording)):
        events = Fake().events(s + 1) > 0
        for u, label in enumerate(labels):
            column = -1
            if ":" not in label:
                column = int(table[int(label), s]) - 1
            elif label.startswith(f"{s + 1}:"):
                column = 5
            activity = recording["activity"].values[where, u]
            assert bool(recording["detected"].values[s, u]) == (column >= 0)
            assert np.array_equal(activity, events[:, column] if column >= 0 else 0 * activity)
    assert recording["day"].values.tolist() == [0.0, 2.0]
    assert set(recording["region"].values.tolist()) == {"CA1"}


def test_convert__provenance_and_time_zone(converted: tuple[Path, Path]) -> None:
    _, path = converted
    with pynwb.NWBHDF5IO(path, "r") as io:
        nwbfile = io.read()
        assert nwbfile.session_start_time.isoformat() == "2015-07-23T12:02:12+03:00"
        assert "10.1016/j.cub.2020.02.018" in str(list(nwbfile.related_publications))
        assert "no licence is stated" in nwbfile.notes and "inferred" in nwbfile.notes
        assert "neurodrift" in nwbfile.source_script
        table = nwbfile.analysis["source_files"].to_dataframe()
        assert nwbfile.epochs["day"].data[:].tolist() == [2.0]
    assert table["file"].tolist() == [
        "behavior_2.mat",
        "finalEventsMat_2.mat",
        "frameLog_2.csv",
        "cell_registration.mat",
        "Maps per trial.xlsx",
    ]
    assert table["sha256"].str.fullmatch("[0-9a-f]{64}").all()


def test_convert__trials_table(converted: tuple[Path, Path]) -> None:
    trials = trials_of(converted[1])
    assert trials["is_track"].tolist() == [False] + [True] * 5 + [False]
    assert trials["track_trial"].tolist() == [-1, 1, 2, 3, 4, 5, -1]
    assert trials["map_label"].tolist() == [0, 1, 2, 0, 1, 1, 0]
    assert not trials["map_label_is_inferred"].any()
    assert np.allclose(trials["stop_time"] - trials["start_time"], np.array(REGULAR) / 20)


@pytest.mark.parametrize("environment", ["A", "B"])
def test_convert__passes_inspector_and_schema(environment: str, tmp_path: Path) -> None:
    from nwbinspector import Importance, inspect_nwbfile

    folder = write_environment(tmp_path / "Data", "C1_M1", environment, {1: Fake()})
    path = convert(folder, tmp_path / "out")[0]
    assert pynwb.validate(path=str(path)) == []
    findings = inspect_nwbfile(nwbfile_path=str(path))
    assert [f for f in findings if f.importance != Importance.BEST_PRACTICE_SUGGESTION] == []


# ---- alignment


@pytest.mark.parametrize("surplus", [3, 20, 21, -4, -20, -21])
def test_convert__alignment(surplus: int, tmp_path: Path) -> None:
    """Movie of track trial 2 (71 frames) with `surplus` frames more than samples but one."""
    fake = Fake()
    fake.samples[3] = 71 - surplus + 1
    folder = write_environment(tmp_path / "Data", "C1_M1", "A", {1: fake})
    path = convert(folder, tmp_path / "out")[0]
    x = read_session(path)["x"].values[60 + 70 : 60 + 70 + 71]
    samples = 96 * np.clip(fake.behavior("A", 1)[2]["position"], 0, 1)[1:]  # the first is dropped
    if surplus > 20:
        expected = np.append(samples, np.full(surplus, np.nan))
    elif surplus >= 0:
        expected = np.append(np.full(surplus, np.nan), samples)
    else:
        expected = samples[-surplus:] if surplus >= -20 else samples[:71]
    np.testing.assert_array_equal(x, expected)

    trials = trials_of(path)
    assert trials["surplus_frames"].tolist() == [0, 0, surplus, 0, 0, 0, 0]
    with pynwb.NWBHDF5IO(path, "r") as io:
        nwbfile = io.read()
        position = nwbfile.processing["behavior"]["Position"]["position"]
        raw = nwbfile.processing["behavior"]["raw_position"]
        clock, raw_clock = (np.asarray(s.get_timestamps()[:]) for s in (position, raw))
        tracked = np.isfinite(position.data[:])
        at = np.searchsorted(raw_clock, clock[tracked])
        np.testing.assert_array_equal(raw_clock[at], clock[tracked])
        np.testing.assert_array_equal(
            96 * np.clip(raw.data[:][at], 0, 1), position.data[:][tracked]
        )


class Glitch(Fake):
    """One sample of every trial is far off the track; `at` says which."""

    at = 0

    def behavior(self, environment: str, number: int) -> list[dict[str, Any]]:
        entries = super().behavior(environment, number)
        for entry in entries[1:]:
            for name in ("position", "rough_linearized_location"):
                if name in entry:
                    entry[name][self.at] += 500 if environment == "B" else 5
        return entries


@pytest.mark.parametrize("environment", ["A", "B"])
def test_convert__a_glitch_that_is_dropped_bends_nothing(environment: str, tmp_path: Path) -> None:
    found = []
    for name, fake in (("sound", Fake()), ("glitch", Glitch())):
        folder = write_environment(tmp_path / name / "Data", "C1_M1", environment, {1: fake})
        found.append(read_session(convert(folder, tmp_path / name / "out")[0])["x"].values)
    assert np.isfinite(found[0]).sum() > 300
    np.testing.assert_array_equal(*found)


# ---- irregular sessions


def irregular(
    tmp_path: Path, mouse: str, environment: str, number: int, fake: Fake, labels: dict[int, Any]
) -> tuple[pd.DataFrame, xr.Dataset, list[dict[str, Any]]]:
    folder = write_environment(
        tmp_path / "Data", mouse, environment, {1: Fake(), number: fake}, labels
    )
    path = convert(folder, tmp_path / "out")[1]
    verify(path, folder)
    return trials_of(path), read_session(path), fake.behavior(environment, number)


def test_convert__split_fifth_trial(tmp_path: Path) -> None:
    fake = Fake(
        movies=(60, 70, 71, 72, 73, 35, 36, 61),
        samples={2: 71, 3: 72, 4: 73, 5: 74, 6: 60, 7: 37},
        n_entries=7,
    )
    labels = {1: [1] * 5, 2: [1] * 5}
    trials, found, behavior = irregular(tmp_path, "C6_M4", "A", 2, fake, labels)
    assert trials["track_trial"].tolist() == [-1, 1, 2, 3, 4, -1, 5, -1]
    assert trials["behavior_entry"].tolist() == [-1, 2, 3, 4, 5, -1, 7, -1]
    rows = slice(60 + 70 + 71 + 72 + 73 + 35, 60 + 70 + 71 + 72 + 73 + 35 + 36)
    expected = 96 * np.clip(behavior[6]["position"], 0, 1)[1:]
    np.testing.assert_array_equal(found["x"].values[rows], expected)
    assert np.isfinite(found["x"]).sum() == 70 + 71 + 72 + 73 + 36
    with pynwb.NWBHDF5IO(tmp_path / "out" / "C6_M4_A_2.nwb", "r") as io:
        nwbfile = io.read()
        rest = nwbfile.analysis["unaligned_behavior"]
        assert np.array_equal(rest["raw_x"].data[:], behavior[5]["raw_x"])
        assert "Irregular session" in nwbfile.notes


def test_convert__split_movie_shifts_the_rest(tmp_path: Path) -> None:
    fake = Fake(
        movies=(60, 70, 29, 41, 72, 73, 74, 61),
        samples={2: 71, 3: 71, 4: 73, 5: 74, 6: 75},
        split=2,
    )
    trials, found, behavior = irregular(tmp_path, "C11_M1", "A", 8, fake, {1: [2] * 5})
    assert trials["track_trial"].tolist() == [-1, 1, -1, -1, 3, 4, 5, -1]
    assert trials["map_label"].tolist() == [0, 1, 0, 0, 1, 1, 1, 0]
    assert trials["map_label_is_inferred"].sum() == 4
    rows = slice(60 + 70 + 70, 60 + 70 + 70 + 72)
    expected = 96 * np.clip(behavior[3]["position"], 0, 1)[1:]
    np.testing.assert_array_equal(found["x"].values[rows], expected)
    # The names of the movies are exact to 1 s: by its name the second half begins too early.
    assert trials["start_time"].iloc[3] == trials["stop_time"].iloc[2]
    assert (np.diff(found["time"]) > 0.0499).all()


def test_convert__missing_last_behavior(tmp_path: Path) -> None:
    fake = Fake(samples={2: 71, 3: 72, 4: 73, 5: 74}, n_entries=5)
    trials, found, _ = irregular(tmp_path, "C7_M4", "A", 8, fake, {1: [2] * 5})
    assert trials["track_trial"].tolist() == [-1, 1, 2, 3, 4, -1, -1]
    assert trials["map_label"].tolist() == [0, 1, 1, 1, 1, 0, 0]
    assert found.sizes["time"] == sum(REGULAR)


def test_convert__five_movies(tmp_path: Path) -> None:
    fake = Fake(
        movies=(60, 70, 71, 72, 73), samples={2: 71, 3: 72, 4: 73, 5: 74, 6: 9, 7: 8}, n_entries=7
    )
    trials, _, _ = irregular(tmp_path, "C13_M1", "B", 6, fake, {1: [2] * 5})
    assert trials["track_trial"].tolist() == [-1, 1, 2, 3, 4]
    assert trials["map_label"].tolist() == [0, 2, 1, 1, 1]


def test_convert__unlabelled_sessions(tmp_path: Path) -> None:
    labels = {1: [1] * 5}
    trials, _, _ = irregular(tmp_path, "C13_M1", "B", 7, Fake(), labels)
    assert trials["map_label"].tolist() == [0, 1, 1, 1, 1, 1, 0]
    assert trials["map_label_is_inferred"].tolist() == [False] + [True] * 5 + [False]
    folder = write_environment(tmp_path / "Other", "C9_M9", "B", {1: Fake(), 2: Fake()}, labels)
    other = trials_of(convert(folder, tmp_path / "other")[1])
    assert not other["map_label"].any() and not other["map_label_is_inferred"].any()


# ---- bad sources


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def edit_log(old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / "frameLog_2.csv"
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))

    return change


def register(row: int, value: int) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        table = registration(6)
        table[row, 1] = value
        savemat(folder / "cell_registration.mat", {"cell_to_index_map": table})

    return change


def behave(entry: int, **changes: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        cells = np.empty((1, 6), dtype=object)
        for i, fields in enumerate(Fake().behavior("A", 2)):
            cells[0, i] = fields | changes if i == entry - 1 else fields or np.zeros((1, 0))
        savemat(folder / "behavior_2.mat", {"my_mvmt": cells})

    return change


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda d: truncate(d / "behavior_2.mat"), r"behavior_2\.mat is truncated .*download"),
        (lambda d: truncate(d / "finalEventsMat_2.mat"), r"finalEventsMat_2\.mat is truncated"),
        (lambda d: truncate(d / "cell_registration.mat"), r"cell_registration\.mat is truncated"),
        (lambda d: truncate(d / "Maps per trial.xlsx"), r"Maps per trial\.xlsx cannot be read"),
        (lambda d: (d / "behavior_2.mat").write_bytes(b""), r"behavior_2\.mat is truncated"),
        (lambda d: (d / "behavior_2.mat").unlink(), r"behavior_2\.mat is missing: download"),
        (lambda d: (d / "frameLog_2.csv").unlink(), r"frameLog_2\.csv is missing"),
        (lambda d: (d / "cell_registration.mat").unlink(), r"cell_registration\.mat is missing"),
        (lambda d: (d / "Maps per trial.xlsx").unlink(), r"Maps per trial\.xlsx is missing"),
        (
            lambda d: savemat(d / "finalEventsMat_2.mat", {"other": np.ones(3)}),
            r"finalEventsMat_2\.mat holds no allEventsMat",
        ),
        (
            lambda d: savemat(d / "finalEventsMat_2.mat", {"allEventsMat": -np.ones((481, 6))}),
            "negative or NaN event amplitudes",
        ),
        (register(7, 9), r"cell_registration\.mat points to cell 9 of session 2, but .* 6 cells"),
        (register(7, 1), r"cell_registration\.mat registers cell 1 of session 2 more than once"),
        (edit_log("421,481", "421,490"), r"frameLog_2\.csv does not match finalEventsMat_2\.mat"),
        (edit_log("61,130", "62,130"), r"frameLog_2\.csv does not match"),
        (edit_log("begFrame", "start"), r"frameLog_2\.csv is no frameLog"),
        (edit_log("recording_2015", "recording"), r"frameLog_2\.csv is no frameLog"),
        (behave(3, raw_x=np.ones(4)), r"vectors of entry 3 of my_mvmt .* differ in length"),
        (behave(3, position=np.full(72, np.nan)), "position of the behaviour is empty or holds"),
    ],
)
def test_convert__bad_source_writes_nothing(
    harm: Callable[[Path], object], message: str, lone: Path, tmp_path: Path
) -> None:
    harm(lone)
    with pytest.raises(ValueError, match=message):
        convert(lone, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("fake", "message"),
    [
        (Fake(movies=(*REGULAR, 5)), r"frameLog_1\.csv has 8 movies .* add the session to IRREG"),
        (Fake(n_entries=7), r"behavior_1\.mat 7 entries, expected 7 and 6"),
        (Fake(samples={}), r"behavior_1\.mat holds no track trial"),
        (Fake(movies=(60, 370, 71, 72, 73, 74, 61)), "track trial 1 has 370 frames .* 71 samples"),
    ],
)
def test_convert__layout_that_is_not_known(fake: Fake, message: str, tmp_path: Path) -> None:
    folder = write_environment(tmp_path / "Data", "C1_M1", "A", {1: fake})
    with pytest.raises(ValueError, match=message):
        convert(folder, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_convert__a_listed_session_of_another_layout(tmp_path: Path) -> None:
    folder = write_environment(tmp_path / "Data", "C6_M4", "A", {2: Fake()})
    with pytest.raises(ValueError, match="track trial 5 needs row 7 .* and entry 7"):
        convert(folder, tmp_path / "out")


def test_convert__no_source(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no folder"):
        convert(tmp_path / "absent", tmp_path / "out")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="no folder 'Environment A'"):
        convert(tmp_path / "empty", tmp_path / "out")
    (tmp_path / "mouse" / "Environment A").mkdir(parents=True)
    with pytest.raises(ValueError, match="holds no sessions"):
        convert(tmp_path / "mouse", tmp_path / "out")
    for copy in ("one", "two"):
        write_environment(tmp_path / copy, "C1_M1", "A", {1: Fake()})
    (tmp_path / "mouse" / "Environment A").rmdir()
    with pytest.raises(ValueError, match="occurs twice"):
        convert(tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_convert__existing_files_are_kept(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "C1_M1_A_2.nwb").write_bytes(b"precious")
    with pytest.raises(FileExistsError, match="was kept"):
        convert(source, out)
    assert [p.name for p in out.iterdir()] == ["C1_M1_A_2.nwb"]
    with pytest.raises(FileExistsError, match="not made by a converter"):
        convert(source, out, overwrite=True)
    assert (out / "C1_M1_A_2.nwb").read_bytes() == b"precious"
    assert [p.name for p in out.iterdir()] == ["C1_M1_A_2.nwb"]


def test_convert__what_fails_leaves_earlier_files(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    before = {path.name: path.read_bytes() for path in convert(source, out)}
    truncate(source / "behavior_2.mat")
    with pytest.raises(ValueError, match="truncated"):
        convert(source, out, overwrite=True)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_convert__overwrite(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    convert(source, out)
    assert len(convert(source, out, overwrite=True)) == 2
    assert len(list(out.iterdir())) == 2


def test_convert__source_is_left_alone(source: Path, tmp_path: Path) -> None:
    before = {p: p.read_bytes() for p in source.iterdir()}
    convert(source, tmp_path / "out")
    assert {p: p.read_bytes() for p in source.iterdir()} == before


# ---- verify


@pytest.mark.parametrize(
    ("name", "index", "message"),
    [
        ("events/calcium_events/amplitude", 3, "amplitudes of the events differ"),
        ("events/calcium_events/timestamp", 3, "events lie between frames"),
        ("events/calcium_events/cell", 3, "the cells of the events differ"),
        ("processing/ophys/cells/registered_cell_id", 2, "registered cell ids differ"),
        ("processing/behavior/raw_position/data", 5, "position of the aligned behaviour differs"),
        ("intervals/trials/map_label", 2, "map labels differ from the sheet"),
        ("intervals/trials/end_frame", 2, "column end_frame of the trials differs"),
    ],
)
def test_verify__finds_a_changed_number(
    name: str, index: int, message: str, converted: tuple[Path, Path], tmp_path: Path
) -> None:
    import h5py

    source, original = converted
    path = Path(shutil.copy(original, tmp_path))
    with h5py.File(path, "r+") as file:
        value = file[name][index]
        file[name][index] = value + 1e-3 if file[name].dtype.kind == "f" else (value + 1) % 5
    with pytest.raises(ValueError, match=message):
        verify(path, source.parent)


def test_verify__its_source_and_another(converted: tuple[Path, Path]) -> None:
    source, path = converted
    verify(path, source)
    with pytest.raises(ValueError, match="holds no session other"):
        verify(path.with_name("other.nwb"), source)
    with pytest.raises(ValueError, match="differs from session 1 of C1_M1"):
        compare(path, read_source(environments(source)[0], 1))


# ---- the published data


@pytest.fixture(scope="module", params=[("C6_M4", "A"), ("C6_M4", "B"), ("C12_M4", "A")])
def published(
    request: pytest.FixtureRequest, shared_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[pd.DataFrame, list[Path]]:
    mouse, environment = request.param
    root = shared_data / "sheintuch2020"
    folder = root / mouse / f"Environment {environment}"
    if not folder.is_dir():
        pytest.skip(f"the published data are absent: no folder {folder}")
    table = pd.read_csv(root / "reference_sessions.csv")
    table = table[(table["mouse"] == mouse) & (table["env"] == environment)]
    return table, convert(folder, tmp_path_factory.mktemp("published"))


def test_convert__meets_the_reference(published: tuple[pd.DataFrame, list[Path]]) -> None:
    reference, paths = published
    recording = import_nwb(paths)
    assert recording["session"].values.tolist() == [str(n) for n in reference["session"]]
    is_registered = np.array([":" not in str(label) for label in recording["unit"].values])
    for i, (where, (_, row)) in enumerate(
        zip(slice_sessions(recording), reference.iterrows(), strict=True)
    ):
        part = recording.isel(time=where)
        detected = recording["detected"].values[i]
        tracked = np.isfinite(part["x"].values)
        running = tracked & (part["speed"].values >= 1)
        position_bin = np.maximum(np.ceil(part["x"].values / 4), 1)
        binned = running & (position_bin >= 3) & (position_bin <= 22)
        direction = part["direction"].values
        n_events = (part["activity"].values[tracked][:, detected] > 0).sum(axis=0)
        found = {
            "day": recording["day"].values[i],
            "frames_total": part.sizes["time"],
            "frames_track": tracked.sum(),
            "n_cells": detected.sum(),
            "n_cells_registered": (detected & is_registered).sum(),
            "n_track_trials": np.unique(part["trial"].values[tracked]).size,
            "n_maps": np.unique(part["map_label"].values[part["map_label"].values > 0]).size,
            "n_running": running.sum(),
            "n_running_binned": binned.sum(),
            "run_right": (binned & (direction > 0)).sum(),
            "run_left": (binned & (direction < 0)).sum(),
            "n_active": (n_events >= 5).sum(),
        }
        assert found == {name: row[name] for name in found}
        # The table holds six digits.
        assert f"{n_events.mean():.6g}" == f"{row['events_per_cell']:.6g}"
        assert f"{part['speed'].values[running].mean():.6g}" == f"{row['mean_run_speed']:.6g}"


def test_convert__published_files_pass_inspector(
    published: tuple[pd.DataFrame, list[Path]],
) -> None:
    from nwbinspector import Importance, inspect_nwbfile

    _, paths = published
    path = paths[1]
    assert pynwb.validate(path=str(path)) == []
    findings = inspect_nwbfile(nwbfile_path=str(path))
    assert [f for f in findings if f.importance != Importance.BEST_PRACTICE_SUGGESTION] == []

from __future__ import annotations

import numpy as np
import pytest

from neurodrift.simulate.continual.strokes import (
    FORMS,
    Strokes,
    drawn_strokes,
    read_strokes,
    save_strokes,
)
from neurodrift.simulate.continual.tasks import stroke_tasks


@pytest.fixture
def drawn():
    return drawn_strokes(3, seed=5)


def _write_texts(folder, strokes):
    """The layout of the published archive."""
    folder.mkdir(parents=True)
    for part, one in strokes.items():
        (folder / f"{part}labels.txt").write_text("\n".join(map(str, one.labels)) + "\n")
        for i in range(len(one)):
            rows = one.movements[one.offsets[i] : one.offsets[i + 1]]
            text = "\n".join(" ".join(map(str, row)) for row in rows) + "\n"
            (folder / f"{part}img-{i}-inputdata.txt").write_text(text)


def test_read_strokes__reads_the_published_layout(tmp_path, drawn):
    _write_texts(tmp_path / "smnist" / "sequences", drawn)
    found = read_strokes(tmp_path / "smnist")
    for part in ("train", "test"):
        for name in ("movements", "offsets", "labels"):
            np.testing.assert_array_equal(getattr(found[part], name), getattr(drawn[part], name))


def test_save_strokes__round_trip_and_by_environment(tmp_path, drawn, monkeypatch):
    (tmp_path / "smnist").mkdir()
    save_strokes(drawn, tmp_path / "smnist" / "digits.npz")
    monkeypatch.setenv("NEURODRIFT_DATA", str(tmp_path))
    found = read_strokes()
    np.testing.assert_array_equal(found["test"].movements, drawn["test"].movements)
    assert [file.name for file in (tmp_path / "smnist").iterdir()] == ["digits.npz"]


def test_read_strokes__says_where_to_get_them(tmp_path):
    with pytest.raises(FileNotFoundError, match="neurodrift catalog fetch smnist"):
        read_strokes(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("trainimg-1-inputdata.txt", "1 2 0\n", "3 numbers, expected rows of dx dy eos eod"),
        ("trainimg-1-inputdata.txt", "1 2 x 0\n", "cannot be read as movements"),
        ("trainimg-1-inputdata.txt", "999 2 0 0\n", "cannot be read as movements"),
        ("trainlabels.txt", "1 two", "cannot be read as labels"),
    ],
)
def test_read_strokes__names_the_damaged_file(tmp_path, drawn, name, text, fault):
    _write_texts(tmp_path / "sequences", drawn)
    (tmp_path / "sequences" / name).write_text(text)
    with pytest.raises(ValueError, match=fault) as error:
        read_strokes(tmp_path)
    assert name in str(error.value)


def test_read_strokes__refuses_another_npz(tmp_path):
    np.savez(tmp_path / "x.npz", a=np.zeros(3))
    with pytest.raises(ValueError, match="holds no stroke digits"):
        read_strokes(tmp_path / "x.npz")


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"movements": np.zeros((4, 3), int)}, "expected .row, 4. integers"),
        ({"offsets": [0, 3]}, "offsets must rise from 0 to the number of rows, 4"),
        ({"labels": [11]}, "labels must be integers from 0 to 9"),
        ({"labels": [1, 2]}, "one offset more than labels"),
        ({"movements": np.full((4, 4), 2)}, "0 or 1"),
    ],
)
def test_strokes__refuses(change, fault):
    whole = {"movements": np.zeros((4, 4), int), "offsets": [0, 4], "labels": [1]}
    with pytest.raises(ValueError, match=fault):
        Strokes(**whole | change)


def test_character__forms(drawn):
    train = drawn["train"]
    plain, exchanged, turned = (train.character(4, form)[0] for form in FORMS)
    first = int(np.flatnonzero(train.labels == 4)[0])
    raw = train.movements[train.offsets[first] + 1 : train.offsets[first + 1]]
    np.testing.assert_array_equal(plain, raw)
    np.testing.assert_array_equal(exchanged, raw[:, [1, 0, 2, 3]])
    np.testing.assert_array_equal(turned, raw * [1, -1, 1, 1])
    with pytest.raises(ValueError, match="form is 'x'"):
        train.character(4, "x")


def test_drawn_strokes__are_pen_movements_that_depend_on_the_seed_alone(drawn):
    again, other = drawn_strokes(5, seed=5)["train"], drawn_strokes(3, seed=6)["train"]
    one = drawn["train"]
    np.testing.assert_array_equal(again.character(7)[2], one.character(7)[2])
    assert not np.array_equal(other.movements, one.movements)
    ends = one.offsets[1:] - 1
    np.testing.assert_array_equal(np.flatnonzero(one.movements[:, 3]), ends)
    assert (one.movements[ends] == [0, 0, 1, 1]).all()
    inside = np.ones(len(one.movements), bool)
    inside[one.offsets[:-1]] = False
    assert np.abs(one.movements[inside, :2]).max() < 28


def test_read_strokes__real_digits(shared_data):
    found = read_strokes(shared_data / "smnist")
    assert {part: len(one) for part, one in found.items()} == {"train": 60000, "test": 10000}
    train = found["train"]
    np.testing.assert_array_equal(train.labels[:5], [5, 0, 4, 1, 9])
    lengths = np.diff(train.offsets)
    assert (lengths.min(), lengths.max()) == (13, 117)
    assert round(float(lengths.mean()), 1) == 39.9
    tasks = stroke_tasks(found)
    assert [tasks.tasks[k].name for k in (0, 1, 2, 5, 12, 14)] == [
        "2 v 3",
        "4 v 5",
        "1 v 7",
        "3xy v 2xy",
        "1ud v 7ud",
        "0ud v 6ud",
    ]

"""The command `neurodrift study`."""

from __future__ import annotations

import json

import pytest

import neurodrift as nd
from neurodrift import testing
from neurodrift.cli import main


@pytest.fixture
def data(tmp_path):
    (tmp_path / "data").mkdir()
    for i in range(2):
        mouse = testing.linear_track(n_units=4, n_sessions=3, minutes=2, seed=i)
        nd.save_recording(mouse.assign_coords(subject=f"m{i}"), tmp_path / "data" / f"m{i}.zarr")
    return tmp_path / "data"


MORE = "questions: [n_active ~ day]\nmultiverse: {bin_width: [4, 10]}\n"


@pytest.mark.filterwarnings("ignore:choice 'bin_width' changed no answer")  # of active cells
def test_study__from_a_folder_to_answers(data, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["study", "--init", "data", "-o", "study.yaml"]) == 0
    assert "next: neurodrift study study.yaml -o study" in capsys.readouterr().out
    text = (tmp_path / "study.yaml").read_text().replace("bin_width: 4 ", "n_repeats: 5, #")
    text = text.replace("analysis:\n  n_repeats: 5, #", "analysis:\n  n_repeats: 5 #")
    (tmp_path / "study.yaml").write_text(text + MORE)
    words = ["study", "study.yaml", "-o", "out", "--no-reports", "--workers", "0"]
    assert main(words) == 0
    said = capsys.readouterr()
    assert "Number of active cells" in said.out and "2 recordings in out" in said.out
    assert main([*words, "--multiverse", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["n_recordings"] == 2 and facts["failed"] == {} and facts["out"] == "out"
    assert nd.open_results(tmp_path / "out" / "multiverse.zarr")["curve"].sizes["universe"] == 2


def test_study__init_keeps_what_is_there(data, tmp_path, capsys):
    file = tmp_path / "study.yaml"
    file.write_text("mine")
    assert main(["study", "--init", str(data), "-o", str(file)]) == 2
    assert file.read_text() == "mine" and "overwrite" in capsys.readouterr().err
    assert main(["study", "--init", str(data), "-o", str(file), "--overwrite"]) == 0
    assert main(["study", "--init", str(data / "none"), "-o", str(tmp_path / "x.yaml")]) == 2
    assert not (tmp_path / "x.yaml").exists()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "no study file"),
        ("recordings: [{path: none.zarr}]", "none of 1 recordings could be analysed"),
        ("recordings: [{path: '*.zarr'}]", "no NWB file and no recording in"),
        ("recordings: [{path: a}]\nanalysis: {alpha: 5}", "line 2: analysis.alpha: alpha is 5"),
        ("recordings: [", "is no YAML"),
    ],
)
def test_study__errors_are_short(tmp_path, capsys, text, told):
    file = tmp_path / "study.yaml"
    if text is not None:
        file.write_text(text)
    assert main(["study", str(file), "-o", str(tmp_path / "out"), "--workers", "0"]) == 2
    said = capsys.readouterr().err
    assert "neurodrift study: " in said and told in said and "Traceback" not in said


def test_study__workers_are_counted(tmp_path, capsys):
    (tmp_path / "study.yaml").write_text("recordings: [{path: a.zarr}]")
    words = ["study", str(tmp_path / "study.yaml"), "-o", str(tmp_path / "out")]
    assert main([*words, "--workers", "-1"]) == 2
    assert "workers is -1" in capsys.readouterr().err

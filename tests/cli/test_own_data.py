from __future__ import annotations

import numpy as np
import pandas as pd

from neurodrift.cli import main
from neurodrift.io.nwb.read import import_nwb

TIME = np.arange(1200) / 20
MAPPING = """\
subject: {id: m1}
environment: track
activity: {file: s.npy, kind: deconvolved, axes: [frames, units]}
position: {file: pos.csv, x: x, unit: cm, time: t}
sessions: [{session: 1}]
"""


def write_data(folder, x):
    pd.DataFrame({"t": TIME, "x": x}).to_csv(folder / "pos.csv", index=False)
    np.save(folder / "s.npy", np.random.default_rng(0).random((1200, 3)))
    (folder / "map.yaml").write_text(MAPPING)


def test_convert_arrays__from_template_to_nwb(tmp_path, capsys):
    x = 50 + 40 * np.sin(TIME / 3)
    x[300:700] = np.nan
    write_data(tmp_path, x)
    out = str(tmp_path / "nwb")
    assert main(["convert", "arrays", str(tmp_path / "map.yaml"), "--out", out]) == 0
    said = capsys.readouterr().out
    assert "session 1: 3 units, 1200 frames of position" in said
    assert "warning: session 1: pos.csv is NaN in 33.3 % of its frames" in said
    assert "1 NWB files" in said
    assert import_nwb(tmp_path / "nwb" / "m1_track_1.nwb").sizes["unit"] == 3


def test_convert_arrays__errors_are_told_with_their_line(tmp_path, capsys):
    write_data(tmp_path, TIME / 100)
    command = ["convert", "arrays", str(tmp_path / "map.yaml"), "--out", str(tmp_path / "nwb")]
    assert main(command) == 2
    said = capsys.readouterr().err
    assert "line 5: sessions[0]" in said and "the unit of length seems wrong" in said
    assert main(["convert", "arrays"]) == 2
    assert main(["convert", "sheintuch2020", "--init"]) == 2


def test_convert_arrays__init(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["convert", "arrays", "--init"]) == 0
    assert "mapping.yaml" in capsys.readouterr().out
    assert (tmp_path / "mapping.yaml").read_text().startswith("# How own arrays become NWB files")
    assert main(["convert", "arrays", "--init"]) == 2  # it exists
    assert main(["convert", "arrays", "other.yaml", "--init"]) == 0
    assert main(["convert", "arrays", "--init", "full.yaml"]) == 0
    assert main(["convert", "--init", "arrays", "third.yaml"]) == 0
    for name in ("other", "full", "third"):
        assert (tmp_path / f"{name}.yaml").is_file()


def test_inspect__shows_and_proposes(tmp_path, capsys):
    write_data(tmp_path, 50 + 40 * np.sin(TIME / 3))
    assert main(["inspect", str(tmp_path / "pos.csv"), str(tmp_path / "s.npy")]) == 0
    said = capsys.readouterr().out
    assert "clock in s, 20 Hz" in said and "axes: [frames, units]" in said
    assert main(["inspect", str(tmp_path / "nothing.csv")]) == 2


def test_inspect__writes_a_mapping_relative_to_its_folder(tmp_path, capsys):
    write_data(tmp_path, 50 + 40 * np.sin(TIME / 3))
    (tmp_path / "sub").mkdir()
    command = ["inspect", str(tmp_path / "pos.csv"), "-o", str(tmp_path / "sub" / "map.yaml")]
    assert main(command) == 0
    assert "file: ../pos.csv" in (tmp_path / "sub" / "map.yaml").read_text()
    assert main(command) == 2  # it exists

"""What docs/own-data.md shows is what happens."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np

from neurodrift import import_nwb, testing
from neurodrift.cli import main

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "own-data.md").read_text()


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_own_data_page__its_files_become_the_recording(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (mapping,) = blocks("yaml")
    script = blocks("python")[-1]
    subprocess.run([sys.executable, "-c", script], check=True)
    files = sorted(str(path) for path in tmp_path.iterdir())
    assert main(["inspect", *files, "-o", "proposed.yaml"]) == 0
    said = capsys.readouterr().out
    for line in blocks("console")[0].splitlines():
        if line.startswith("  "):
            assert line in said
    proposed = Path("proposed.yaml").read_text()
    asked = {"{id:", "'?'}", "'?'", "session:", "1", "2", "3"}
    assert set(proposed.split()) - set(mapping.split()) <= asked
    Path("mapping.yaml").write_text(mapping)
    assert main(["convert", "arrays", "mapping.yaml", "--out", "nwb"]) == 0
    said = capsys.readouterr().out
    assert said.strip() == blocks("console")[1].split("\n", 1)[1].strip()
    found = import_nwb(sorted(Path("nwb").iterdir()))
    truth = testing.linear_track(n_units=40, n_sessions=3, minutes=10, detection=0.85)
    np.testing.assert_array_equal(found["activity"], truth["activity"].values > 0)
    np.testing.assert_array_equal(found["detected"], truth["detected"])
    np.testing.assert_allclose(found["x"], truth["x"], atol=6e-4)

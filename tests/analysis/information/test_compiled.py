from __future__ import annotations

import os
import subprocess
import sys

SCRIPT = """
import neurodrift as nd
track = nd.testing.linear_track(n_units=6, n_sessions=2, minutes=1)
nd.analyze(track, measures=["information"], n_repeats=3, progress=True)
"""


def test_analyze__says_once_that_it_compiles(tmp_path):
    own = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    own.pop("NEURODRIFT_QUIET", None)
    said = []
    for more in ({}, {}, {"NUMBA_CACHE_DIR": str(tmp_path / "new"), "NEURODRIFT_QUIET": "1"}):
        command = [sys.executable, "-c", SCRIPT]
        done = subprocess.run(command, env=own | more, capture_output=True, text=True, check=True)
        said.append("the first run on this machine compiles" in done.stderr)
    assert said == [True, False, False]

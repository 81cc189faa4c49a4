from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ["torch", "pynwb", "hdmf", "h5py", "numba", "matplotlib", "statsmodels", "distributed"]
HEAVY += ["jsonschema", "dask", "zarr", "scipy.stats", "scipy.optimize", "openpyxl", "tqdm"]


def _run(script):
    command = [sys.executable, "-W", "error", "-c", script]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_import__loads_nothing_heavy():
    found = _run(
        f"import sys, neurodrift; print([name for name in {HEAVY} if name in sys.modules])"
    )
    assert found.strip() == "[]"


@pytest.mark.parametrize("what", ["neurodrift", "neurodrift.cli"])
def test_import__takes_less_than_a_second(what):
    # Processor time, and once in five: a busy machine makes waiting longer, hardly this.
    script = f"import time; import {what}; print(time.process_time())"
    assert any(float(_run(script)) < 1.0 for _ in range(5))


def test_import__public_names_are_there():
    assert _run("import neurodrift as n; print([k for k in n.__all__ if not hasattr(n, k)])") == (
        "[]\n"
    )

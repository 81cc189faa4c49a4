"""A few damaged files of every kind; ``python tests/safety/fuzz.py`` makes them for an hour."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("fuzz.py")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="forks")
def test_fuzz__no_crash_no_hang_no_raw_error():
    command = [sys.executable, "-W", "ignore", str(SCRIPT), "--n", "12", "--minutes", "3"]
    done = subprocess.run([*command, "--seed", "3"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(done.stdout.splitlines()) == 16  # a line for each kind, none for a fault

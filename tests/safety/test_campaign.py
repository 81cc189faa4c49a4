"""A few tries of every campaign; ``python tests/safety/campaign.py`` makes hundreds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("campaign.py")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="forks and file-size limits")
@pytest.mark.parametrize("name", ["killed", "out of disk", "two writers", "read meanwhile"])
def test_campaign__nothing_torn_lost_or_left(name):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(SCRIPT), "--n", "2", "--seed", "7", "--only", name],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == f"{name}: 2 tries, 0 faults\n\n"

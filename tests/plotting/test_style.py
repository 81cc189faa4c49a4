"""Who sees a new figure."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys
import numpy as np
from neurodrift import plotting
first = plotting.plot_decay(np.arange(3), np.arange(3.0))
assert "matplotlib.pyplot" not in sys.modules
import matplotlib.pyplot as plt
second = plotting.plot_decay(np.arange(3), np.arange(3.0))
assert plt.get_fignums() == [1] and second.figure is plt.figure(1)
given = plt.figure(2).subplots()
assert plotting.plot_decay(np.arange(3), np.arange(3.0), ax=given) is given
"""


def test_new_figures__are_known_to_pyplot_where_it_is_used():
    subprocess.run([sys.executable, "-c", SCRIPT], check=True, timeout=120)

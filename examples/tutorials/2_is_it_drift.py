"""Is it drift?

Fewer events, shorter sessions and faster running all look like drift. Three mice whose truth is
known show what each does to a correlation, and what neurodrift does about it.

Run: python examples/tutorials/2_is_it_drift.py
"""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

import neurodrift as nd

# %%
# Three mice
# ----------
# In the first, nothing changes. In the second, nothing changes but the indicator bleaches: of the
# events of day one all are seen, of those of the last day one in seven. In the third, fields move.


def bleached(mouse: xr.Dataset, last: float) -> xr.Dataset:
    """Fewer and fewer of the events are seen, down to a share `last` in the last session."""
    rng = np.random.default_rng(0)
    share = np.linspace(1.0, last, mouse.sizes["session"])[mouse["session_index"].values]
    seen = rng.binomial(mouse["activity"].values, share[:, None])
    return mouse.assign(activity=mouse["activity"].copy(data=seen.astype("uint8")))


options = {"n_units": 80, "n_sessions": 6, "minutes": 6.0, "peak_rate": 0.8}
steady = nd.testing.linear_track(**options, drift=0.0, seed=1)
mice = {
    "nothing changes": steady,
    "the indicator bleaches": bleached(steady, 0.15),
    "fields move": nd.testing.linear_track(**options, drift=0.2, seed=1),
}
results = {
    name: nd.analyze(mouse, bin_width=4.0, n_repeats=20, n_draws=10) for name, mouse in mice.items()
}

# %%
# Correlations need a ceiling
# ---------------------------
# The plain correlation of two days falls in the second mouse as well: its maps become noisier.
# The correlation relative to the **noise ceiling** is a ratio of covariances of halves of
# sessions, over the same cells and bins, and stays at 1.


def with_the_first(tree: xr.DataTree, name: str) -> np.ndarray:
    """Correlation of every later session with the first."""
    return tree["session_drift"][name].values[0, 1:].round(2)


for name, tree in results.items():
    print(f"{name:24s} as it is    {with_the_first(tree, 'rate_map_correlation')}")
    print(f"{'':24s} noise removed {with_the_first(tree, 'rate_map_correlation_relative')}")

# %%
# Counts need an equal footing
# ----------------------------
# A test finds fewer place cells with fewer events. The node ``matched`` thins every cell to the
# smallest number of events that it has in any session, several times, and averages. Beside each
# measure in ``sessions`` stands the same one on an **equal footing**, ``NAME_matched``.

for name, tree in results.items():
    table = tree["sessions"].to_dataset()
    print(f"{name:24s} as recorded     {table['fraction_place_cells'].values.round(2)}")
    print(f"{'':24s} equal footing   {table['fraction_place_cells_matched'].values.round(2)}")

# %%
# In the second mouse the share of place cells falls as recorded, and hardly on an equal footing.
# The report says so where the two disagree.
#
# No change, or not enough data?
# ------------------------------
# Every slope comes with ``detectable``: the smallest slope that these sessions would have shown
# with a power of 80 %. "No change" is said only if that is small; otherwise the answer is
# "undecided".

for name, tree in results.items():
    one = tree["regression"].sel(measure="fraction_place_cells_matched", predictor="day")
    print(
        f"{name:24s} {one['slope'].item():+.4f} a day "
        f"[{one['ci_low'].item():+.4f}, {one['ci_high'].item():+.4f}], "
        f"detectable {one['detectable'].item():.4f}"
    )

# %%
# The picture
# -----------
# The drift curve of each mouse, noise removed.

figure, axis = plt.subplots(figsize=(5, 3.4), layout="constrained")
first, second = np.triu_indices(6, k=1)
lags = np.arange(1, 6)
for name, tree in results.items():
    values = tree["session_drift"]["rate_map_correlation_relative"].values[first, second]
    mean = [values[second - first == lag].mean() for lag in lags]
    axis.plot(2 * lags, mean, marker="o", label=name)
axis.set(xlabel="days between two sessions", ylabel="correlation, noise removed", ylim=(0, 1.1))
axis.legend()

# %%
# What else can pass for drift, and how far each number resists it, is the table of
# :doc:`/estimands`: speed, the part of the track that is visited, cells that are registered
# wrongly, detection. The next tutorial is on the last but one.

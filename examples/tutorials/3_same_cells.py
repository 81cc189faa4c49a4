"""Are my cells the same cells?

A cell that is matched to the wrong partner on the next day looks like a cell whose field moved.
How many such cells there may be can be estimated, within limits.

Run: python examples/tutorials/3_same_cells.py
"""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

import neurodrift as nd

# %%
# A mouse with mistakes
# ---------------------
# Fields move a little. In session 4 the registration failed for three cells of ten: their
# activity is that of other cells.


def exchange(mouse: xr.Dataset, session: int, share: float) -> xr.Dataset:
    """Give a share of the cells the activity of others in one session."""
    rng = np.random.default_rng(0)
    wrong = rng.choice(mouse.sizes["unit"], round(share * mouse.sizes["unit"]), replace=False)
    activity = mouse["activity"].values.copy()
    frames = nd.slice_sessions(mouse)[session]
    activity[frames, wrong] = activity[frames, np.roll(wrong, 1)]
    return mouse.assign(activity=mouse["activity"].copy(data=activity))


mouse = nd.testing.linear_track(n_units=120, n_sessions=7, minutes=8.0, drift=0.05, seed=2)
mixed = exchange(mouse, session=3, share=0.3)

# %%
# What drift looks like
# ---------------------
# The correlation of maps, session by session. In the second mouse session 4 agrees less with
# *all* others, its neighbours included: time does not explain that.

figure, axes = plt.subplots(1, 2, figsize=(8, 3.6), layout="constrained")
bins = nd.Binning(bin_width=4.0)
for axis, one, title in zip(
    axes, (mouse, mixed), ("all matched", "30 % wrong in session 4"), strict=True
):
    halves = nd.compute_half_maps(one, binning=bins, smoothing=4.0)
    pairs = nd.compute_session_drift(nd.compute_drift(halves))
    nd.plotting.plot_drift_matrix(pairs["rate_map_correlation_relative"], ax=axis)
    axis.set_title(title)

# %%
# The check
# ---------
# :func:`neurodrift.check_registration` uses just this: drift grows with time, and mistakes do
# not. It has a verdict on every session, the share of wrong identities with an interval, and
# where that cannot be told from drift, at least a bound. ``analyze`` runs it too, as the node
# ``registration``.

for name, one in (("all matched", mouse), ("30 % wrong in session 4", mixed)):
    found = nd.check_registration(one, binning=bins)
    print(name)
    table = found[
        ["verdict", "wrong_in_session", "wrong_in_session_ci_low", "wrong_in_session_ci_high"]
    ]
    print(table.to_dataframe().round(2).to_string(), "\n")

# %%
# What it cannot tell
# -------------------
# If the same share is wrong in *every* session, the loss at the first step is what shows it: maps
# one step apart are less alike than drift makes them. Drift that is fast at first and slow later
# looks the same, and so do the first and the last session, which have a neighbour on one side
# alone. There the estimate is one, the verdict stays "ok", and ``wrong_share_bound`` says how
# many it can be at most. Fewer than five sessions or fifty cells show nothing.
#
# What to do
# ----------
# - Look at the scores of your registration: ``registration_score`` of a recording, and the
#   thresholds of :doc:`/own-data`.
# - Leave a session out by a curation file (:doc:`/curation`), which the report then names.
# - Take measures that need no identity: the share of active cells and place cells, information.

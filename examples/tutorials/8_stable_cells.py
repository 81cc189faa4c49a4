"""Which cells are stable?

Are cells that fire more, tell more or have wider fields more stable later? Noise alone makes it
seem so: a cell of few events looks unstable because it is measured badly.

Run: python examples/tutorials/8_stable_cells.py
"""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

import neurodrift as nd

# %%
# Two mice
# --------
# In both mice cells differ in their rates. In the first, fields move in one cell of four from day
# to day, whatever its rate. In the second, they move in cells of low rates alone.


def thinned(mouse: xr.Dataset, share: np.ndarray) -> xr.Dataset:
    """Keep a share of the events of each cell."""
    rng = np.random.default_rng(4)
    kept = rng.binomial(mouse["activity"].values, share).astype(mouse["activity"].dtype)
    return mouse.assign(activity=mouse["activity"].copy(data=kept))


options = {"n_units": 100, "n_sessions": 3, "minutes": 10.0, "peak_rate": 2.0, "tuned": 1.0}
share = np.random.default_rng(3).uniform(0.1, 1.0, 100)
still = nd.testing.linear_track(**options, drift=0.0, seed=2)
anyone = nd.testing.linear_track(**options, drift=0.25, seed=2)
moving = nd.testing.linear_track(**options, drift=0.5, seed=2)
both = np.where(share > 0.55, still["activity"].values, moving["activity"].values)
mice = {
    "anyone moves": thinned(anyone, share),
    "quiet cells move": thinned(still.assign(activity=still["activity"].copy(data=both)), share),
}

# %%
# Noise looks like a link
# -----------------------
# Rate in a session against the correlation of the map with the next session. In both mice the
# upper row, cells that keep their fields, bends down on the left: maps of few events are less
# alike, though nothing changed.

bins = nd.Binning(bin_width=4.0)
figure, axes = plt.subplots(1, 2, figsize=(8, 3.4), sharey=True, layout="constrained")
for axis, (name, mouse) in zip(axes, mice.items(), strict=True):
    maps = nd.compute_rate_maps(mouse, binning=bins, smoothing=4.0)
    drift = nd.compute_drift(maps)
    same = drift["unit_rate_map_correlation"].isel(session_a=0, session_b=1)
    rate = maps["rate"].isel(session=0).mean(("direction", "position"))
    axis.plot(rate, same.mean([d for d in same.dims if d != "unit"]), "o", alpha=0.5, markersize=4)
    axis.set(title=name, xlabel="mean rate in session 1 [Hz]")
axes[0].set_ylabel("correlation of the map\nwith session 2")

# %%
# The test
# --------
# :func:`neurodrift.predict_stability` measures what a cell is on one half of the laps, and how
# stable it is on the other, without noise. It then makes cells of the same rates and reliability
# that all keep an equal share of their maps, and asks whether the link is stronger than among
# those.

for name, mouse in mice.items():
    found = nd.predict_stability(mouse, binning=bins)
    print(f"{name}: {nd.describe_stability(found)}\n")
    table = found[["effect", "effect_null", "p"]]
    print(table.to_dataframe().round(3).to_string(), "\n")

# %%
# Where to go from here
# ---------------------
# - Several animals in one call (a mapping of recordings): effects over animals, and whether the
#   others foretell the one that is left out.
# - Your own predictors, over ``unit``: age, depth, the score of the registration.
# - The page on stable cells says what was measured, and with how few animals.

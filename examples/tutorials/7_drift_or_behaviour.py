"""Is it drift or is it behaviour?

A mouse that is more awake on some days has other rates on those days. Cells then seem to change,
and nothing in the code did.

Run: python examples/tutorials/7_drift_or_behaviour.py
"""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

import neurodrift as nd

# %%
# Two mice
# --------
# Seven sessions of each. In the first mouse fields move. In the second none does; but its arousal,
# a pupil say, goes up and down between the days, and cells follow it, some more and some less.

AROUSAL = np.array([0.2, 0.9, 0.5, 0.1, 0.7, 1.0, 0.4])


def pupil_of(mouse: xr.Dataset, level: np.ndarray, seed: int) -> xr.DataArray:
    """A series over time: the level of the session, and its own ups and downs."""
    rng = np.random.default_rng(seed)
    slow = np.repeat(rng.standard_normal(mouse.sizes["time"] // 40 + 1), 40)
    values = level[mouse["session_index"].values] + 0.1 * slow[: mouse.sizes["time"]]
    return xr.DataArray(values, dims="time", coords={"time": mouse["time"]}, name="pupil")


def awake(mouse: xr.Dataset, pupil: xr.DataArray) -> xr.Dataset:
    """Keep events as the pupil and the taste of each cell say."""
    rng = np.random.default_rng(5)
    taste = rng.uniform(-1, 1, mouse.sizes["unit"])
    chance = np.clip(0.5 + 0.9 * taste * (pupil.values[:, None] - 0.5), 0.02, 0.98)
    kept = rng.binomial(mouse["activity"].values, chance).astype(mouse["activity"].dtype)
    return mouse.assign(activity=mouse["activity"].copy(data=kept))


options = {"n_units": 50, "n_sessions": 7, "minutes": 6.0, "peak_rate": 5.0, "seed": 1}
drifting = nd.testing.linear_track(**options, drift=0.15)
steady = nd.testing.linear_track(**options, drift=0.0)
pupils = {
    "drifting": pupil_of(drifting, np.full(7, 0.5), 2),
    "follows its pupil": pupil_of(steady, AROUSAL, 3),
}
mice = {"drifting": drifting, "follows its pupil": awake(steady, pupils["follows its pupil"])}

# %%
# Both seem to drift
# ------------------
# The correlation of mean rates of halves of sessions, against the days between them.

pairs = {}
figure, axes = plt.subplots(1, 2, figsize=(8, 3.4), sharey=True, layout="constrained")
for axis, (name, mouse) in zip(axes, mice.items(), strict=True):
    halves = nd.compute_half_maps(mouse, binning=nd.Binning(bin_width=4.0), smoothing=4.0)
    pairs[name] = nd.compute_session_drift(nd.compute_drift(halves))
    nd.plotting.plot_drift_matrix(pairs[name]["ensemble_rate_correlation"], ax=axis)
    axis.set_title(name)

# %%
# What goes with it: time, or what the animal did?
# ------------------------------------------------
# :func:`neurodrift.compute_behaviour_distance` says how far apart two sessions are in running
# speed, time in each bin, laps and any series that is given. :func:`neurodrift.explain_drift` then
# asks what goes with the similarity of the pairs: the days between, or the distance of behaviour.
# Sessions are permuted as a whole, since pairs that share one are no independent evidence.

for name, mouse in mice.items():
    behaviour = nd.compute_behaviour_distance(mouse, series=pupils[name])
    found = nd.explain_drift(
        pairs[name], behaviour, measure="ensemble_rate_correlation", distances=["pupil"]
    )
    print(f"{name}: {nd.describe_behaviour(found)}\n")

# %%
# What it cannot tell
# -------------------
# A mouse that wakes up a little more every day has a pupil that *is* the time. Then no analysis of
# these sessions can tell one from the other; the answer is ``cannot be told apart``. Let the animal
# be quick on an early day and slow on a late one, or compare days that are alike.

rising = pupil_of(steady, np.linspace(0.1, 1.0, 7), 4)
sleepy = awake(steady, rising)
halves = nd.compute_half_maps(sleepy, binning=nd.Binning(bin_width=4.0), smoothing=4.0)
found = nd.explain_drift(
    nd.compute_session_drift(nd.compute_drift(halves)),
    nd.compute_behaviour_distance(sleepy, series=rising),
    measure="ensemble_rate_correlation",
    distances=["pupil"],
)
print(nd.describe_behaviour(found))

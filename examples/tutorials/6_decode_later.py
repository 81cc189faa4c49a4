"""Can I still decode on day 8?

A decoder is taught by one session and asked in another. How far is it off, and is that more than
a decoder of the day itself, with as many cells, laps and events?

Run: python examples/tutorials/6_decode_later.py
"""

from __future__ import annotations

import matplotlib.pyplot as plt
import xarray as xr

import neurodrift as nd

# %%
# Three mice
# ----------
# Five sessions, two days apart. In the first mouse nothing changes. In the second some fields
# move between sessions. In the third all cells fall silent, little by little: every second, third,
# fourth ... event is kept.


def quieter(mouse: xr.Dataset) -> xr.Dataset:
    """Keep one of n events in session n."""
    activity = mouse["activity"].values.copy()
    for session, frames in enumerate(nd.slice_sessions(mouse)):
        seen = activity[frames].cumsum(axis=0)
        kept = seen // (session + 1)
        activity[frames] = kept - (seen - activity[frames]) // (session + 1)
    return mouse.assign(activity=mouse["activity"].copy(data=activity))


options = {"n_units": 60, "n_sessions": 5, "minutes": 8.0, "seed": 3}
stable = nd.testing.linear_track(**options, drift=0.0)
drifting = nd.testing.linear_track(**options, drift=0.25)
mice = {"stable": stable, "drifting": drifting, "quieter": quieter(stable)}

# %%
# Teach on one day, ask on another
# --------------------------------
# ``error`` [cm] is that of a decoder of session a in session b. ``own_error`` is that of decoders
# of b itself, taught by its other laps. ``chance`` is what is left when positions are shifted
# against the activity.

bins = nd.Binning(bin_width=4.0)
found = {
    name: nd.decode_across_sessions(mouse, binning=bins, smoothing=4.0)
    for name, mouse in mice.items()
}
for name, one in found.items():
    print(f"{name}: {nd.describe_decoding(one)}\n")

# %%
# The same as a picture, of the drifting mouse: each dot is a pair of sessions.

axis = nd.plot_decoding(found["drifting"])

# %%
# Was it the cells, or only their rates?
# --------------------------------------
# Fewer events make any decoder worse. So each pair of sessions is given as many events and laps in
# both, cell by cell, and the error is set against the decoder of the day itself, which has them as
# well. ``relative`` is 1 where an old decoder gains as much over chance as the day's own. Without
# that (``match="laps"``) the old decoder of the third mouse looks better than its own: it was
# taught with more events.

figure, axis = plt.subplots(figsize=(6.5, 3.6), layout="constrained")
for name, one in found.items():
    last = one["relative"].values[0]
    axis.plot(one["lag_day"].values[0], last, "o-", label=name)
raw = nd.decode_across_sessions(mice["quieter"], binning=bins, smoothing=4.0, match="laps")
axis.plot(raw["lag_day"].values[0], raw["relative"].values[0], "o:", label="quieter, not matched")
axis.set(xlabel="lag [days]", ylabel="gain over chance,\nrelative to the day's own decoder")
axis.legend(frameon=False)

# %%
# Which day was it?
# -----------------
# If the days can be told from each other, something changes, and it need not be the map: rates of
# single cells, a baseline or a detection that change from day to day tell it as well. Sessions are
# given as many events first, so that the third mouse is not told by how quiet it is.

for name, mouse in mice.items():
    day = nd.decode_session(mouse)
    print(
        f"{name:9s} day told in {100 * day['accuracy'].item():.0f} % of trials "
        f"(by chance {100 * day['accuracy_null'].item():.0f} %), p = {day['accuracy_p'].item():.3f}"
    )

# %%
# Where to go from here
# ---------------------
# - :func:`neurodrift.decode_from_several_sessions`: is a decoder of several days better than one of
#   a single day with as many laps?
# - Other decoders (``decoder="linear"``, or any of scikit-learn) and other targets
#   (``target="direction"``, ``target="trial_type"``).
# - The page on decoding has what was measured, and what biases it.

"""Your network beside a mouse.

The hidden layer of a network in training becomes a recording, and the same functions measure it.
The loop is yours: all that is needed are activations at some checkpoints, and the input that they
answer to.

Run: python examples/tutorials/4_network_beside_mouse.py
"""

from __future__ import annotations

import numpy as np

import neurodrift as nd

# %%
# Checkpoints of your own loop
# ----------------------------
# Here is the smallest loop that there can be, in NumPy: a hidden layer of place-like units whose
# input weights receive noise at every step. Yours may be in PyTorch or JAX; tensors are taken as
# they are, on any device, with or without a gradient.

rng = np.random.default_rng(0)
position = np.linspace(0.0, 100.0, 400)  # cm; the same walk at every checkpoint
centres = rng.uniform(-20, 120, (80, 1))
hidden, steps = [], []
for step in range(0, 701, 100):
    tuning = np.exp(-((position - centres) ** 2) / (2 * 10.0**2))
    hidden.append(np.maximum(tuning - 0.2, 0.0).T)  # (time, unit), after a rectifier
    steps.append(step)
    centres = centres + rng.normal(0.0, 4.0, centres.shape)

network = nd.recording_from_checkpoints(hidden, position, steps=steps)
print(network)

# %%
# A checkpoint is a session, an input a frame, a hidden unit a unit. Activations have no noise,
# and so need no shuffle test and no ceiling: a correlation of 1 is 1.

results = nd.analyze(network, bin_width=4.0)
print(nd.summary(results))

# %%
# Beside a mouse
# --------------
# A network that learned to predict its next input on a track, and a mouse. They share no clock:
# one has days, the other training steps. :func:`neurodrift.compare` lays both along the share of
# the recording that is over, from 0 to 1, and asks of each the statements of Ratzon, Derdikman &
# Barak (2024).

sides = {
    "mouse": nd.analyze(nd.load_example("mouse"), bin_width=4.0, n_repeats=20, n_draws=5),
    "network": nd.analyze(nd.load_example("network"), bin_width=4.0),
}
comparison = nd.compare(*sides.values(), names=list(sides))
print(nd.describe_statements(comparison))

# %%
# How the share of active units goes, relative to the first session:

nd.plotting.plot_series_beside(comparison, "fraction_active_units")

# %%
# How alike two sessions are, against how far they lie apart:

nd.plotting.plot_lag_beside(comparison)

# %%
# And what holds for whom. Of one animal and one run an interval holds the variation between its
# sessions alone; several of each are given as lists, and the inference is then over animals.

nd.plot_comparison(comparison)

# %%
# Published networks
# ------------------
# ``nd.simulate.simulate`` trains the networks of the paper, ``neurodrift sweep`` many of them:
# :doc:`/simulations`. ``nd.write_report(sides, "beside.html", comparison=comparison)``
# writes both into one page with the comparison; without ``comparison=`` they stand there one by
# one. On the command line ``neurodrift compare`` writes that page.

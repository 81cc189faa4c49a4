"""A cohort: from a folder of recordings to answers over animals.

Six mice, three of which keep their maps and three whose maps drift. One file says what is there and
what is asked; one command does the rest. The mice are synthetic, so that the truth is known: place
fields move with a probability of .05 from one session to the next in the stable mice and of .3 in
the drifting ones, and nothing else differs.

Run: python examples/tutorials/5_cohort.py
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

import neurodrift as nd
from neurodrift.studies.propose import propose_study

# %%
# A folder of recordings
# ----------------------
# Yours holds NWB files, or stores that ``neurodrift import`` made. Here a store for each mouse.

folder = Path(tempfile.mkdtemp())
for name, mouse in nd.load_example("cohort").items():
    nd.save_recording(mouse, folder / "data" / f"{name.replace(' ', '_')}.zarr")

# %%
# ``neurodrift study --init data -o study.yaml`` looks into the folder and proposes the file of a
# study:

print(propose_study(folder / "data", folder / "study.yaml"))

# %%
# The file of a study
# -------------------
# What is not in the data has to be written by hand: who is in which group, and what is asked. Ask
# before you look: three questions that were chosen in advance say more than thirty that were not.

(folder / "study.yaml").write_text(
    """\
study: Does the map drift?
recordings:
  - path: data/stable_*.zarr
    factors: {group: stable}
  - path: data/drifting_*.zarr
    factors: {group: drifting}
analysis:
  bin_width: 5     # cm
  n_repeats: 10    # few subsamples, so that this page is made in a minute
  n_draws: 2
  measures: [sessions, place_cells, session_drift, matched]
questions:
  - decay of rate_map_correlation_relative ~ day
  - decay of rate_map_correlation_relative ~ group * day
  - fraction_place_cells ~ group * day
covariates: [running_speed, events_per_unit]
multiverse:
  bin_width: [4, 10]
  matching: [none, events]
"""
)

# %%
# From the file to the answers
# ----------------------------
# Everything that is computed stays in ``folder/out``. A run that was interrupted goes on, a new
# animal costs its own time only, and a recording that fails is told of without stopping the others.
# With ``workers=4`` four animals are analysed at a time.

study = nd.study(folder / "study.yaml", folder / "out", reports=False)
print(nd.describe_answers(study))

# %%
# The animal is the unit of inference: a question has one value for each mouse,
# however many cells it has.

table = nd.tabulate_answers(study)
raw = table[table["variant"] == "raw"]
print(raw[["question", "estimate", "ci_low", "ci_high", "p", "verdict"]].to_string(index=False))

# %%
# Each animal is there, and so is who carries an answer. The slopes of both groups:

animals = pd.read_csv(folder / "out" / "tables" / "animals.csv")
asked = "decay of rate_map_correlation_relative ~ group * day"
own = animals[(animals["question"] == asked) & (animals["variant"] == "raw")]
figure, axis = plt.subplots(figsize=(4, 3), layout="constrained")
for place, (group, values) in enumerate(own.groupby("group", sort=False)):
    axis.plot([place] * len(values), values["value"], "o", label=group)
axis.axhline(0, color="grey", lw=0.8)
axis.set(xticks=[0, 1], xlim=(-0.5, 1.5), ylabel="Change of the correlation (1/d)")
axis.set_xticklabels(list(own["group"].drop_duplicates()))

# %%
# With speed held
# ---------------
# Mice learn to run faster, and cells fire more in a faster mouse. The same answers with running
# speed or events held, and on an equal footing, stand beside those as recorded. ``moved`` is what
# was taken from the estimate. An answer that is no longer significant is not thereby gone: a
# covariate that goes along with time makes every interval wider.

others = table[table["question"] == asked]
columns = ["variant", "estimate", "ci_low", "ci_high", "moved", "verdict"]
print(others[columns].to_string(index=False))

# %%
# How many animals would be enough?
# ---------------------------------
# By simulation from the variation of these mice: how often a study of two groups finds that the
# share of place cells of one group falls by a fifth over the recording.

animals_needed = nd.power(study, "fraction_place_cells", effect=-0.2, n_groups=2, n_repeats=500)
print(animals_needed["power"].to_series().round(2).to_string())

# %%
# Six animals say little of the variation between animals: take such a table as a rough guide.
#
# Would another analyst say the same?
# -----------------------------------
# Two bin widths, as recorded or with equal events in every session: four ways to the same question.
# A conclusion that stands in all of them does not hang on one choice. Labs would argue about more
# choices than these, and without ``multiverse:`` in the file the usual ones are taken.

ways = nd.multiverse(folder / "study.yaml", folder / "out")
curve = ways["curve"].to_dataset().sel(question=asked)
columns = ["choice_bin_width", "choice_matching", "relative", "p"]
print(curve[["relative", "p"]].to_dataframe()[columns].to_string(index=False))
told = ways["conclusions"].to_dataset().sel(question=asked)
print(f"{float(told['share_same_sign']):.0%} of {int(told['n_universes'])} ways have one sign")
print(f"p over all ways: {float(told['p_median']):.2g}, of {int(told['n_permutations'])} divisions")
print(f"smallest p that could have come out: {float(told['smallest_p']):.2g}")

# %%
# Of so few animals no permutation gives a p below that: where it is above .05 the test over the
# curve cannot decide, and says so.

figure, axis = plt.subplots(figsize=(4, 3), layout="constrained")
order = curve["relative"].argsort().values
low, high = (
    abs(curve[f"relative_{end}"] - curve["relative"]).values[order] for end in ("low", "high")
)
axis.errorbar(range(4), curve["relative"].values[order], yerr=[low, high], fmt="o")
axis.axhline(0, color="grey", lw=0.8)
axis.set(
    xlabel="Way of analysing",
    ylabel="Difference over the span\n(relative to the mean)",
    xticks=range(4),
)

# %%
# In a terminal
# -------------
# ``neurodrift study study.yaml -o out --workers 4 --multiverse`` does all of this, and on a cluster
# ``--scheduler`` spreads the animals over machines: :doc:`/howto/cluster`.

"""Names, dimensions and units of what tells how far a representation changes, and where it lies."""

from __future__ import annotations

from neurodrift.schema import Var, table

_PAIR = ("session_a", "session_b")
_LAGS = (
    Var("lag", _PAIR, "int", "1", "sessions from a to b", coord=True),
    Var("lag_day", _PAIR, "float", "d", "days from a to b", coord=True),
    Var("lag_experience", _PAIR, "float", "min", "experience from a to b", coord=True),
    Var("lag_training_step", _PAIR, "int", "1", "training steps from a to b", coord=True),
)
REPRESENTATION = table(
    Var("correlation", _PAIR, "float", "1", "of all samples and units together", True),
    Var("r_squared", _PAIR, "float", "1", "its square", True),
    Var("r_squared_permuted", _PAIR, "float", "1", "expected with the units of b permuted", True),
    Var("r_squared_centred", _PAIR, "float", "1", "without the mean of each unit", True),
    Var("r_squared_centred_permuted", _PAIR, "float", "1", "the same, units of b permuted", True),
    Var("determination", _PAIR, "float", "1", "1 - change over variance of the units of a", True),
    Var("determination_pooled", _PAIR, "float", "1", "1 - change over variance of all of a", True),
    Var("mean_unit_r_squared", _PAIR, "float", "1", "over units that vary in both", True),
    Var("mean_unit_r_squared_lost", _PAIR, "float", "1", "units constant in b alone as 0", True),
    Var("unit_r_squared", (*_PAIR, "unit"), "float", "1", "squared correlation of a unit"),
    Var("n_samples", _PAIR, "int", "1", "samples that entered", True),
    Var("n_units", _PAIR, "int", "1", "units detected in both", True),
    Var("n_units_varying", _PAIR, "int", "1", "of those, not constant in either", True),
    Var("n_units_lost", _PAIR, "int", "1", "of those, constant in b alone", True),
    Var("n_units_gained", _PAIR, "int", "1", "of those, constant in a alone", True),
    *_LAGS,
)
"""Result of :func:`neurodrift.representation_stability`."""

_BIN = ("session", "trial_type", "trial_bin")
TRIAL_AVERAGES = table(
    Var("response", (*_BIN, "unit"), "float", "", "mean activity over trials", True),
    Var("n_trials", _BIN, "int", "1", "trials in that mean", True),
    Var("detected", ("session", "unit"), "bool", "1", "unit was recorded in the session", True),
    Var("trial_type", ("trial_type",), "int", "1", "kind of the trial", True, True),
    Var("trial_time", ("trial_bin",), "float", "", "since the start of the trial", True, True),
)
"""Result of :func:`neurodrift.trial_averages`."""

LATENT_SPACE = table(
    Var("loadings", ("unit", "factor"), "float", "", "weight of a factor in a unit", True),
    Var("noise_variance", ("unit",), "float", "", "variance of the unit's own", True),
    Var("mean_activity", ("unit",), "float", "", "mean of the unit", True),
    Var("communality", ("unit",), "float", "1", "share of the variance by the factors", True),
    Var("used", ("unit",), "bool", "1", "unit varies in the session", True),
)
"""Result of :func:`neurodrift.fit_latent_space`."""

_MEASURES = table(
    Var("variance_in_space", ("session",), "float", "1", "variance that lies in the space", True),
    Var("variance_in_best_space", ("session",), "float", "1", "in as many components", True),
    Var("subspace_overlap", ("session",), "float", "1", "the first over the second", True),
    Var("mean_shift", ("session",), "float", "1", "squared, over the variance at the fit", True),
)
LATENT_ACTIVITY = _MEASURES | table(
    Var("latent", ("time", "factor"), "float", "1", "posterior mean of a factor", True),
    Var("session_index", ("time",), "int", "1", "position of the frame's session", True),
)
"""Result of :func:`neurodrift.latent_activity`."""

TRAJECTORIES = _MEASURES | table(
    Var("trajectory", (*_BIN, "factor"), "float", "1", "mean over trials", True),
    Var("n_trials", _BIN, "int", "1", "trials in that mean", True),
    *(TRIAL_AVERAGES[name] for name in ("trial_type", "trial_time")),
)
"""Result of :func:`neurodrift.latent_trajectories`."""

_UNIT = ("pair", "unit", "direction")
REMAPPING = table(
    Var("n_maps", ("pair",), "int", "1", "maps of units detected in both contexts", True),
    Var("n_silent", ("pair",), "int", "1", "maps active in neither context", True),
    Var("n_lost", ("pair",), "int", "1", "maps active in the first context alone", True),
    Var("n_gained", ("pair",), "int", "1", "maps active in the second context alone", True),
    Var("n_flat", ("pair",), "int", "1", "maps active in both that have no correlation", True),
    Var("n_compared", ("pair",), "int", "1", "maps active in both contexts and compared", True),
    Var("n_remapped", ("pair",), "int", "1", "compared maps below the threshold", True),
    Var("threshold", ("pair",), "float", "1", "correlation below which a map is remapped", True),
    Var("fraction_remapped", ("pair",), "float", "1", "remapped of compared maps", True),
    Var("fraction_turnover", ("pair",), "float", "1", "lost or gained of active maps", True),
    Var(
        "fraction_changed", ("pair",), "float", "1", "remapped, lost or gained of active maps", True
    ),
    Var("map_correlation", ("pair",), "float", "1", "mean of maps with themselves", True),
    Var("map_correlation_median", ("pair",), "float", "1", "median of maps with themselves", True),
    Var("map_correlation_null", ("pair",), "float", "1", "mean between different units", True),
    Var("remapping_index", ("pair",), "float", "1", "0 the same, 1 as unlike as other units", True),
    Var("peak_shift", ("pair",), "float", "cm", "mean way from peak to peak", True),
    Var("rate_change", ("pair",), "float", "1", "mean change of rate, without sign", True),
    Var(
        "population_vector_correlation", ("pair",), "float", "1", "of units active in either", True
    ),
    Var("population_vector_cosine", ("pair",), "float", "1", "whatever the silent units", True),
    Var("unit_map_correlation", _UNIT, "float", "1", "of a map with itself", True),
    Var("unit_peak_shift", _UNIT, "float", "cm", "way from peak to peak", True),
    Var("unit_rate_change", _UNIT, "float", "1", "difference of rates over their sum", True),
    Var("unit_state", _UNIT, "string", "1", "what became of the map", True),
)
"""Maps in two contexts, from :func:`neurodrift.analysis.remapping.remapping`."""

REPRESENTATIONS = {
    "representation": REPRESENTATION,
    "trial_averages": TRIAL_AVERAGES,
    "latent_space": LATENT_SPACE,
    "latent_activity": LATENT_ACTIVITY,
    "trajectories": TRAJECTORIES,
    "remapping": REMAPPING,
}
"""The tables above, by the name of their JSON Schema."""

"""Names, dimensions and units of every result, as :func:`neurodrift.analyze` stores them."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from neurodrift.schema import Var, table


def _always(rows: dict[str, Var]) -> dict[str, Var]:
    return {name: replace(row, required=True) for name, row in rows.items()}


MAPS = table(
    Var("rate", ("...", "unit", "direction", "position"), "float", "", "rate map", True),
    Var("events", ("...", "unit", "direction", "position"), "float", "", "summed activity", True),
    Var("occupancy", ("...", "direction", "position"), "float", "s", "time in the bin", True),
    Var("detected", ("...", "unit"), "bool", "1", "unit was recorded in the session", True),
    Var("x_bin", ("position",), "float", "", "centre of the bin, x", True, True),
    Var("x_width", ("position",), "float", "", "width of the bin, x", False, True),
    Var("part", ("position",), "string", "1", "arm of a maze, or category", False, True),
    Var("y_bin", ("position",), "float", "cm", "centre of the bin, y", False, True),
    Var("direction", ("direction",), "int", "1", "running direction, 0 = both", True, True),
)
"""Rate maps by session or segment, from :func:`neurodrift.compute_rate_maps`."""

HALF_MAPS = {name: row for name, row in MAPS.items() if name not in ("events", "occupancy")}
HALF_MAPS = {
    name: replace(row, required=False) if name == "detected" else row
    for name, row in HALF_MAPS.items()
} | table(Var("half", ("half",), "int", "1", "half of the session", True, True))
"""Rate maps of both halves of a session, the node ``half_maps``."""

LAP_MAPS = {name: row for name, row in HALF_MAPS.items() if name != "half"} | table(
    Var("lap", ("segment",), "int", "1", "number of the lap or trial in its session", True, True),
    Var("role", ("unit",), "string", "1", "steady, typical or changed", True, True),
)
"""Rate maps of single laps of example cells, the node ``lap_maps``."""

_DIMS = ("...", "unit", "direction")
_MAP = ("...", "direction")
_TEST = (
    Var("p", _DIMS, "float", "1", "fraction of the null that reaches the observed value"),
    Var("z", _DIMS, "float", "1", "distance from the null in its standard deviations"),
    Var("null_mean", _DIMS, "float", "", "mean under the null"),
    Var("null_p95", _DIMS, "float", "", "95th percentile under the null"),
    Var("n_events", _DIMS, "float", "1", "events in the frames that count, NaN = not detected"),
    Var("tested", _DIMS, "bool", "1", "detected and enough events"),
    Var("significant", _DIMS, "bool", "1", "below the significance level"),
    Var("direction", ("direction",), "int", "1", "running direction, 0 = both", coord=True),
)

_BEHAVIOUR = table(
    Var("compared_with_null", _DIMS, "float", "", "what p compares with the null"),
    Var("null", _MAP, "string", "1", "how activity was moved"),
    Var("null_reason", _MAP, "string", "1", "why in this way"),
    Var("periodicity", _MAP, "float", "1", "share of a map's variance that a shift keeps"),
    Var("occupancy_trend", _MAP, "float", "1", "share of session time that position explains"),
    Var("speed_share", _MAP, "float", "1", "share of variance of speed that position explains"),
    Var("speed_variation", _MAP, "float", "1", "variation of mean speed over positions"),
)
"""Which null a test of tuning had, and why; not there where nothing is tested."""

PLACE_CELLS = _always(
    table(
        Var("information", _DIMS, "float", "bit/event", "spatial information, naive"),
        *_TEST,
        Var("q", _DIMS, "float", "1", "p after the correction for many tests"),
        Var("is_place_cell", ("...", "unit"), "bool", "1", "unit is a place cell"),
    )
) | table(
    Var("explained_variance", _DIMS, "float", "1", "share of variance that position explains"),
)
PLACE_CELLS |= _BEHAVIOUR
"""Tests of tuning to position, from :func:`neurodrift.detect_place_cells`."""

INFORMATIVE = _always(
    table(
        Var("information", ("...", "unit"), "float", "bit/event", "over directions together"),
        Var("is_informative", ("...", "unit"), "bool", "1", "information above the threshold"),
    )
)
"""Units above a threshold, from :func:`neurodrift.detect_informative_units`."""

STABILITY = _always(
    table(
        Var("stability", _DIMS, "float", "1", "correlation of the maps of both halves"),
        *_TEST,
        Var("is_stable", ("...", "unit"), "bool", "1", "unit has a stable map"),
    )
)
STABILITY |= _BEHAVIOUR
"""Tests of split halves, from :func:`neurodrift.compute_map_stability`."""

SPARSITY = _always(
    table(
        Var("n_events", ("session", "unit"), "float", "1", "events, or frames above threshold"),
        Var("mean_activity", ("session", "unit"), "float", "", "mean activity"),
        Var("is_active", ("session", "unit"), "bool", "1", "unit is active in the session"),
        Var("detected", ("session", "unit"), "bool", "1", "unit was recorded in the session"),
        Var("n_detected", ("session",), "int", "1", "units detected"),
        Var("n_active", ("session",), "number", "1", "units active"),
        Var("n_frames", ("session",), "int", "1", "frames counted"),
        Var("seconds", ("session",), "float", "s", "how long these frames last"),
        Var("n_counted", ("session",), "int", "1", "units that fractions are of"),
        Var("fraction_active_units", ("session",), "float", "1", "share of units active"),
        Var("fraction_active_of_detected", ("session",), "float", "1", "active of detected units"),
        Var("fraction_active_of_union", ("session",), "float", "1", "active of registered units"),
        Var(
            "active_fraction",
            ("session",),
            "float",
            "1",
            "share of time above threshold",
        ),
        Var("events_per_unit", ("session",), "float", "1", "mean events of a detected unit"),
        Var("population_sparseness", ("session",), "float", "1", "Treves-Rolls activity ratio"),
    )
)
"""Result of :func:`compute_sparsity`."""

_PAIR = ("...",)
DRIFT = table(
    Var("rate_map_correlation", _PAIR, "float", "1", "mean correlation of a unit's maps"),
    Var("rate_map_correlation_median", _PAIR, "float", "1", "median over units and directions"),
    Var("rate_map_correlation_n", _PAIR, "int", "1", "unit-directions that entered"),
    Var("rate_map_correlation_null", _PAIR, "float", "1", "mean with unit identity shuffled"),
    Var("rate_map_correlation_p", _PAIR, "float", "1", "p against shuffled unit identity"),
    Var("population_vector_correlation", _PAIR, "float", "1", "over units detected in both"),
    Var("population_vector_correlation_union", _PAIR, "float", "1", "undetected as silent"),
    Var("population_vector_correlation_n", _PAIR, "int", "1", "units detected in both"),
    Var("ensemble_rate_correlation", _PAIR, "float", "1", "of mean activities over units"),
    Var("ensemble_rate_correlation_n", _PAIR, "int", "1", "units detected in both"),
    Var("cell_overlap", _PAIR, "float", "1", "Jaccard index of detected units"),
    Var("active_cell_overlap", _PAIR, "float", "1", "Jaccard index of active units"),
    Var("place_cell_overlap", _PAIR, "float", "1", "Jaccard index of place cells"),
    Var("unit_rate_map_correlation", _PAIR, "float", "1", "correlation of a unit's maps"),
    Var("bin_population_vector_correlation", _PAIR, "float", "1", "by direction and bin"),
    Var("n_pairs", _PAIR, "int", "1", "pairs of segments that entered"),
    Var("rate_map_correlation_relative", _PAIR, "float", "1", "without noise"),
    Var("rate_map_correlation_relative_se", _PAIR, "float", "1", "standard error over units"),
    Var("population_vector_correlation_relative", _PAIR, "float", "1", "without noise"),
    Var("population_vector_correlation_relative_se", _PAIR, "float", "1", "standard error"),
    Var("ensemble_rate_correlation_relative", _PAIR, "float", "1", "without noise"),
    Var("ensemble_rate_correlation_relative_se", _PAIR, "float", "1", "standard error"),
    Var("active_cell_overlap_relative", _PAIR, "float", "1", "without missed units"),
    Var("active_cell_overlap_relative_se", _PAIR, "float", "1", "standard error over units"),
    Var("place_cell_overlap_relative", _PAIR, "float", "1", "without missed and chance finds"),
    Var("place_cell_overlap_relative_se", _PAIR, "float", "1", "standard error over units"),
    Var("lag", _PAIR, "int", "1", "sessions from a to b", coord=True),
    Var("lag_day", _PAIR, "float", "d", "days from a to b", coord=True),
    Var("lag_experience", _PAIR, "float", "min", "experience from a to b", coord=True),
    Var("lag_training_step", _PAIR, "int", "1", "training steps from a to b", coord=True),
    Var("same_map", _PAIR, "bool", "1", "a and b are of the same map", coord=True),
)
"""Results of :func:`neurodrift.compute_drift` and :func:`neurodrift.compute_session_drift`."""

INFORMATION = table(
    Var("naive", _DIMS, "float", "", "naive information", True),
    Var("sr", _DIMS, "float", "", "information less that of shuffled activity (SR)"),
    Var("ssr", _DIMS, "float", "", "information by scaled shuffle reduction (SSR)"),
    Var("ssr_stability", _DIMS, "float", "1", "stability of SSR over sample sizes"),
    Var("ssr_parts", _DIMS, "float", "", "SSR from samples of whole laps or blocks"),
    Var("frames_per_event", _DIMS, "float", "1", "frames that an independent event lasts"),
    Var("ae", _DIMS, "float", "", "information by asymptotic extrapolation (AE)"),
    Var("bae", _DIMS, "float", "", "information by bounded asymptotic extrapolation (BAE)"),
    Var("bae_r2", _DIMS, "float", "1", "R2 of the bounded asymptotic extrapolation"),
    Var("active_frames", _DIMS, "number", "count", "frames with activity", True),
    Var("population_units", ("...", "direction"), "int", "count", "units of the population", True),
)
"""Result of `compute_spatial_information` and of `compute_mutual_information`."""

_MAPS_OF_HALF = ("session", "half", "unit", "direction")
CROSS_FITTED = _always(
    table(
        Var("information", ("session",), "float", "bit/event", "place maps, cross-fitted"),
        Var("information_se", ("session",), "float", "bit/event", "its standard error over units"),
        Var("n_chosen", ("session",), "int", "1", "maps in it, those of both halves"),
        Var("n_chosen_in", ("session", "half"), "int", "1", "of these, chosen in the half"),
        Var("population", ("session",), "float", "bit/event", "all maps with enough events"),
        Var("population_se", ("session",), "float", "bit/event", "its standard error over units"),
        Var("n_population", ("session",), "int", "1", "maps in it"),
        Var("chosen", _MAPS_OF_HALF, "bool", "1", "significant in the half"),
        Var("tested", _MAPS_OF_HALF, "bool", "1", "has enough events in the half for a test"),
        Var("direction", ("direction",), "int", "1", "running direction, 0 = both", coord=True),
        Var("half", ("half",), "int", "1", "half of the session", coord=True),
    )
)
"""Result of :func:`neurodrift.compute_cross_fitted_information`."""

REGRESSION = table(
    Var("estimate", ("term",), "float", "", "coefficient"),
    Var("se", ("term",), "float", "", "standard error of the coefficient"),
    Var("t", ("term",), "float", "1", "coefficient over its standard error"),
    Var("dof", ("term",), "float", "1", "degrees of freedom of t"),
    Var("p", ("term",), "float", "1", "two-sided p of a coefficient of zero"),
    Var("ci_low", ("term",), "float", "", "lower end of the confidence interval"),
    Var("ci_high", ("term",), "float", "", "upper end of the confidence interval"),
    Var("vif", ("term",), "float", "1", "variance inflation by the other predictors"),
    Var("detectable", ("term",), "float", "", "smallest coefficient found with a power of 80 %"),
    Var("n_rows", (), "int", "1", "rows that entered"),
    Var("n_dropped", (), "int", "1", "rows left out because a value was missing"),
    Var("n_subjects", (), "int", "1", "subjects that entered"),
    Var("r_squared", (), "float", "1", "variance explained by the predictors"),
    Var("residual_variance", (), "float", "", "variance of a row about its prediction"),
    Var("subject_variance", (), "float", "", "variance of the subjects' intercepts"),
    Var("at_boundary", (), "bool", "1", "subject variance estimated as zero"),
    Var("correlation", (), "float", "1", "of neighbouring sessions beyond the trend"),
    Var("correlation_sd", (), "float", "1", "its standard deviation given the data"),
    Var("joint_f", (), "float", "1", "F of the collinear predictors together"),
    Var("joint_dof", (), "float", "1", "how many these are"),
    Var("joint_dof_left", (), "float", "1", "degrees of freedom of the error in F"),
    Var("joint_p", (), "float", "1", "p that none of them has an effect"),
    Var("term", ("term",), "string", "1", "intercept or column", coord=True),
)
"""Result of :func:`regress`."""

MEASURES = table(
    Var("fraction_place_cells", ("session",), "float", "1", "share of units that are place cells"),
    Var("fraction_place_of_active", ("session",), "float", "1", "place cells of active units"),
    Var("n_maps", ("session",), "int", "1", "maps of the environment, by map_label"),
    Var("n_place_cells", ("session",), "int", "1", "place cells"),
    Var("n_tested", ("session",), "int", "1", "units tested in any direction"),
    Var("n_laps", ("session",), "int", "1", "laps or trials with a frame of running"),
    Var("information", ("session",), "float", "bit/event", "place maps, cross-fitted"),
    Var("information_se", ("session",), "float", "bit/event", "its standard error over units"),
    Var("n_chosen_maps", ("session",), "int", "1", "maps behind it, those of both halves"),
    Var("information_population", ("session",), "float", "bit/event", "all maps, none chosen"),
    Var("information_population_se", ("session",), "float", "bit/event", "its standard error"),
    Var("information_naive", ("session",), "float", "bit/event", "uncorrected, maps chosen by it"),
    Var("information_ssr", ("session",), "float", "bit/event", "SSR, maps chosen on the same data"),
    Var("n_informative_units", ("session",), "int", "1", "units with informative maps"),
    Var("fraction_informative_units", ("session",), "float", "1", "of detected units"),
    Var("information_informative", ("session",), "float", "bit/event", "informative units"),
    Var("information_all", ("session",), "float", "bit/event", "all units, silent ones as 0"),
    *(
        Var(f"{name}_matched", ("session",), "float", units, f"{what}, on an equal footing")
        for name, units, what in (
            ("fraction_active_units", "1", "active of detected units"),
            ("active_fraction", "1", "share of time above threshold"),
            ("n_place_cells", "1", "place cells"),
            ("fraction_place_cells", "1", "place cells of the units kept"),
            ("information", "bit/event", "place maps, cross-fitted"),
            ("information_population", "bit/event", "all maps, none chosen"),
        )
    ),
)
"""What :func:`analyze` adds to the table of sessions.

``information`` is the session's: of place maps chosen on one half and estimated on the other, and
of activations, which have no noise to choose by, naive. ``information_ssr`` is the published mean
over maps that are significant in the same session; it rises as events become few.
"""

_MATCHED = (
    Var("n_place_cells", ("session",), "float", "1", "place cells"),
    Var("fraction_place_cells", ("session",), "float", "1", "place cells of the units kept"),
    Var("information", ("session",), "float", "bit/event", "place maps, cross-fitted"),
    Var("information_population", ("session",), "float", "bit/event", "all maps, none chosen"),
    Var("fraction_active_units", ("session",), "float", "1", "active of detected units"),
    Var("active_fraction", ("session",), "float", "1", "share of time above threshold"),
    Var("rate_map_correlation_relative", ("...",), "float", "1", "without noise"),
    Var("population_vector_correlation_relative", ("...",), "float", "1", "without noise"),
    Var("ensemble_rate_correlation_relative", ("...",), "float", "1", "without noise"),
    Var("place_cell_overlap_relative", ("...",), "float", "1", "without missed and chance finds"),
)
MATCHED = table(
    *_MATCHED,
    *(
        replace(var, name=f"{var.name}_sd", doc="its standard deviation over draws")
        for var in _MATCHED
    ),
    Var("n_units", ("session",), "int", "1", "units kept that were detected"),
    Var("n_units_left_out", (), "int", "1", "units with too few events in some session"),
)
"""Result of :func:`compute_matched_measures`."""

_SLOPE = ("measure", "predictor")
SLOPES = _always(
    table(
        Var("slope", _SLOPE, "float", "", "slope of the measure"),
        Var("se", _SLOPE, "float", "", "standard error of the slope"),
        Var("t", _SLOPE, "float", "1", "slope over its standard error"),
        Var("dof", _SLOPE, "float", "1", "degrees of freedom of t"),
        Var("p", _SLOPE, "float", "1", "two-sided p of a slope of zero"),
        Var("ci_low", _SLOPE, "float", "", "lower end of the 95 % interval"),
        Var("ci_high", _SLOPE, "float", "", "upper end of the 95 % interval"),
        Var("detectable", _SLOPE, "float", "", "smallest slope found with a power of 80 %"),
        Var("correlation", _SLOPE, "float", "1", "of neighbouring sessions beyond the slope"),
        Var("slope_given_speed", _SLOPE, "float", "", "slope with running speed as covariate"),
        Var("p_given_speed", _SLOPE, "float", "1", "p with running speed as covariate"),
        Var("slope_given_events", _SLOPE, "float", "", "slope with events per unit as covariate"),
        Var("p_given_events", _SLOPE, "float", "1", "p with events per unit as covariate"),
        Var("vif_given_speed", _SLOPE, "float", "1", "variance inflation by running speed"),
    )
)
"""Slopes of the measures of sessions, the node ``regression`` of :func:`neurodrift.analyze`."""

_COUNT = ("session", "criterion", "other")
AGREEMENT = _always(
    table(
        Var("both", _COUNT, "int", "1", "units that meet both criteria"),
        Var("only_criterion", _COUNT, "int", "1", "units that meet the first alone"),
        Var("only_other", _COUNT, "int", "1", "units that meet the other alone"),
        Var("neither", _COUNT, "int", "1", "units that meet neither"),
        Var("agreement", _COUNT, "float", "1", "fraction of units judged alike"),
        Var("kappa", _COUNT, "float", "1", "Cohen's kappa"),
    )
)
"""Agreement of criteria for place cells, from :func:`neurodrift.compare_criteria`."""

MAP_SWITCHES = _always(
    table(
        Var("map_label", ("segment",), "int", "1", "map of the segment, 0 = unknown"),
        Var("confidence", ("segment",), "float", "1", "that it is this map, not the next best"),
        Var("loading", ("segment", "one_map"), "float", "1", "how much of the map a segment shows"),
        Var("similarity", ("segment", "other"), "float", "1", "similarity of the maps"),
        Var("similarity_se", ("segment", "other"), "float", "1", "its standard error"),
        Var("n_units", ("segment", "other"), "int", "1", "units detected in both"),
        Var("kept", ("one_map", "other_map"), "float", "1", "similarity over that of one map"),
        Var("kept_se", ("one_map", "other_map"), "float", "1", "its standard error"),
        Var("kept_p", ("one_map", "other_map"), "float", "1", "p of one map with gradual drift"),
        Var("n_maps", (), "int", "1", "maps of the environment"),
        Var("kept_by_split", (), "float", "1", "the same for the best parting in two"),
        Var("kept_by_split_se", (), "float", "1", "its standard error"),
        Var("p_one_map", (), "float", "1", "its p of one map with gradual drift"),
        Var("retention", ("interval",), "float", "1", "what drift leaves of a map after so long"),
    )
)
"""Maps of one environment, from :func:`neurodrift.detect_maps`."""

_SIDE = ("side", "scale", "axis", "adjustment", "effect")
_BETWEEN = ("pair", *_SIDE[1:])
_CURVE = ("side", "scale", "axis", "point", "measure")
_LAG = ("side", "axis", "lag_point", "similarity")
_VERDICT = ("statement", "side", "adjustment")
StatementVerdict = Literal["holds", "contradicted", "no change", "undecided", "not testable"]
"""What can be said of a statement of a comparison."""

COMPARISON = _always(
    table(
        Var("value", ("session_row", "measure"), "float", "", "measure of one session"),
        Var("normalized", ("session_row", "measure"), "float", "1", "over the first session"),
        Var("at", ("session_row", "axis"), "float", "", "where the session lies"),
        Var("series_at", ("side", "axis", "point"), "float", "", "where the mean is taken"),
        Var("series_mean", _CURVE, "float", "", "mean over the animals or runs of a side"),
        Var("series_sem", _CURVE, "float", "", "standard error of that mean"),
        Var("series_n", _CURVE, "int", "count", "animals or runs in that mean"),
        Var("pair_similarity", ("pair_row", "similarity"), "float", "1", "of two sessions"),
        Var("pair_lag", ("pair_row", "axis"), "float", "", "from one session to the other"),
        Var("decay_at", ("side", "axis", "lag_point"), "float", "", "lag of the mean"),
        Var("decay_mean", _LAG, "float", "1", "mean similarity over animals or runs"),
        Var("decay_sem", _LAG, "float", "1", "standard error of that mean"),
        Var("decay_n", _LAG, "int", "count", "animals or runs in that mean"),
        Var("ceiling", ("recording", "similarity"), "float", "1", "halves of one session"),
        Var("rate", ("step_row", "similarity"), "float", "1", "-ln r per whole way"),
        Var("rate_at", ("step_row", "axis"), "float", "", "middle of the two sessions"),
        Var("rate_early", ("side", "similarity"), "float", "1", "mean rate, first half"),
        Var("rate_late", ("side", "similarity"), "float", "1", "mean rate, second half"),
        Var("recording_slope", ("recording", *_SIDE[1:]), "float", "", "of one recording"),
        Var("recording_slope_se", ("recording", *_SIDE[1:]), "float", "", "its standard error"),
        Var("slope", _SIDE, "float", "", "change of the effect's measure per unit of the axis"),
        Var("slope_se", _SIDE, "float", "", "standard error of the slope"),
        Var("slope_dof", _SIDE, "float", "1", "degrees of freedom of t"),
        Var("slope_p", _SIDE, "float", "1", "two-sided p of a slope of zero"),
        Var("slope_ci_low", _SIDE, "float", "", "lower end of the interval"),
        Var("slope_ci_high", _SIDE, "float", "", "upper end of the interval"),
        Var("slope_detectable", _SIDE, "float", "", "smallest slope found with a power of 80 %"),
        Var("slope_n_subjects", _SIDE, "int", "count", "animals or runs behind the slope"),
        Var("slope_basis", _SIDE, "string", "1", "variation that the interval holds"),
        Var("slope_reason", _SIDE, "string", "1", "why there is no slope or no interval"),
        Var("difference", _BETWEEN, "float", "", "slope of side b less that of side a"),
        Var("difference_se", _BETWEEN, "float", "", "standard error of the difference"),
        Var("difference_dof", _BETWEEN, "float", "1", "degrees of freedom of Welch's t"),
        Var("difference_p", _BETWEEN, "float", "1", "two-sided p of no difference"),
        Var("difference_ci_low", _BETWEEN, "float", "", "lower end of the interval"),
        Var("difference_ci_high", _BETWEEN, "float", "", "upper end of the interval"),
        Var("difference_boot_p", _BETWEEN, "float", "1", "p by the bootstrap over animals"),
        Var("difference_boot_ci_low", _BETWEEN, "float", "", "lower end by the bootstrap"),
        Var("difference_boot_ci_high", _BETWEEN, "float", "", "upper end by the bootstrap"),
        Var("ratio", _BETWEEN, "float", "1", "slope of side b over that of side a"),
        Var("p_same_sign", _BETWEEN, "float", "1", "p that not both have the same sign"),
        Var("p_opposite_sign", _BETWEEN, "float", "1", "p that the signs are not opposite"),
        Var("p_same_size", _BETWEEN, "float", "1", "p that the ratio is beyond the factor"),
        Var("sign_agreement", _BETWEEN, "string", "1", "same, opposite or undecided"),
        Var("size_agreement", _BETWEEN, "string", "1", "same, different or undecided"),
        Var("pair_reason", _BETWEEN, "string", "1", "why the sides cannot be compared"),
        Var("statement_estimate", _VERDICT, "float", "", "slope on the fraction of the way"),
        Var("statement_ci_low", _VERDICT, "float", "", "lower end of the interval"),
        Var("statement_ci_high", _VERDICT, "float", "", "upper end of the interval"),
        Var("statement_p", _VERDICT, "float", "1", "two-sided p of a slope of zero"),
        Var("statement_p_holm", _VERDICT, "float", "1", "p corrected for the side's statements"),
        Var("statement_detectable", _VERDICT, "float", "", "smallest found with a power of 80 %"),
        Var("statement_detectable_relative", _VERDICT, "float", "1", "the same over the mean"),
        Var("statement_matched", _VERDICT, "bool", "1", "of the series on an equal footing"),
        Var("statement_verdict", _VERDICT, "string", "1", "whether the statement holds"),
        Var("statement_reason", _VERDICT, "string", "1", "why it cannot be tested"),
        *(
            Var(name, (dim,), "string", "1", doc, coord=True)
            for name, dim, doc in (
                ("side", "side", "side of the comparison"),
                ("recording", "recording", "recording of one side"),
                ("recording_side", "recording", "its side"),
                ("subject", "recording", "animal or run"),
                ("environment", "recording", "environment or task"),
                ("clock", "recording", "what the fraction of the way runs along"),
                ("information_source", "recording", "how information was made"),
                ("row_side", "session_row", "side of the session"),
                ("row_recording", "session_row", "recording of the session"),
                ("row_session", "session_row", "label of the session"),
                ("pair_side", "pair_row", "side of the two sessions"),
                ("pair_recording", "pair_row", "recording of the two sessions"),
                ("step_side", "step_row", "side of the neighbours"),
                ("step_recording", "step_row", "recording of the neighbours"),
                ("effect_kind", "effect", "slope, decay or slowing"),
                ("effect_measure", "effect", "measure or similarity"),
                ("side_a", "pair", "first side of the pair"),
                ("side_b", "pair", "second side of the pair"),
                ("statement_effect", "statement", "effect that the statement is about"),
            )
        ),
        Var("statement_sign", ("statement",), "int", "1", "sign that it claims", coord=True),
    )
)
"""Result of :func:`neurodrift.compare`."""

_PHASE, _QUANTITY = ("phase", "quantity"), ("quantity",)
PHASES = _always(
    table(
        Var("dominant", ("session",), "string", "1", "phase whose signature dominates"),
        Var("probability", ("phase", "session"), "float", "1", "that the phase dominates"),
        Var("change_point", ("border",), "float", "", "end of the phase on the axis"),
        Var("change_point_ci_low", ("border",), "float", "", "lower end of its interval"),
        Var(
            "change_point_ci_high", ("border",), "float", "", "upper end, infinite = after the last"
        ),
        Var("reached", ("border",), "float", "1", "probability that it lies within"),
        Var("log10_bayes_factor", _QUANTITY, "float", "1", "of a change against none"),
        Var("trend", _QUANTITY, "float", "1", "-1 falls, 0 no change found, +1 rises"),
        Var("end", _QUANTITY, "float", "", "end of the quantity's own change on the axis"),
        Var("end_ci_low", _QUANTITY, "float", "", "lower end of its interval"),
        Var("end_ci_high", _QUANTITY, "float", "", "upper end, infinite = after the last"),
        Var("total_change", _QUANTITY, "float", "1", "given a change, relative to the start"),
        Var("total_change_ci_low", _QUANTITY, "float", "1", "lower end of its interval"),
        Var("total_change_ci_high", _QUANTITY, "float", "1", "upper end of its interval"),
        Var("linear_change", _QUANTITY, "float", "1", "by a straight line, relative to the mean"),
        Var("linear_change_ci_low", _QUANTITY, "float", "1", "lower end of its interval"),
        Var("linear_change_ci_high", _QUANTITY, "float", "1", "upper end of its interval"),
        Var("linear_p", _QUANTITY, "float", "1", "two-sided p of no such change"),
        Var("detectable", _QUANTITY, "float", "1", "smallest one found with a power of 80 %"),
        Var("state", _QUANTITY, "string", "1", "changes, constant, undecided, too few sessions"),
        Var("series", ("quantity", "session"), "float", "", "values, or change since the last"),
        Var("fitted", ("quantity", "session"), "float", "", "mean course of the models"),
        Var("change", _PHASE, "float", "1", "change within the phase, relative to its start"),
        Var("change_ci_low", _PHASE, "float", "1", "lower end of its interval"),
        Var("change_ci_high", _PHASE, "float", "1", "upper end of its interval"),
        Var("evidence", _PHASE, "float", "1", "log10 Bayes factor of the change"),
        Var("observed", _PHASE, "string", "1", "whether it changes within the phase"),
        Var("expected", _PHASE, "string", "1", "whether it should, by the definition"),
        Var("n_sessions", ("phase",), "int", "1", "sessions that the phase dominates"),
        Var("drift_rate", ("phase",), "float", "", "fall of log similarity per unit of the axis"),
        Var("drift_rate_ci_low", ("phase",), "float", "", "lower end of its interval"),
        Var("drift_rate_ci_high", ("phase",), "float", "", "upper end of its interval"),
        Var("drift_p", ("phase",), "float", "1", "p that similarity falls with the lag by chance"),
        Var("rate_evidence", ("phase",), "float", "1", "log10 Bayes factor of a changing rate"),
        Var("neighbour_change", (), "float", "1", "mean change of the representation"),
        Var("neighbour_change_ci_low", (), "float", "1", "lower end of its interval"),
        Var("neighbour_change_ci_high", (), "float", "1", "upper end of its interval"),
        Var("neighbour_p", (), "float", "1", "p that similarity falls with the lag by chance"),
        Var("at", ("session",), "float", "", "place on the axis", coord=True),
        Var("phase", ("phase",), "string", "1", "name of the phase", coord=True),
        Var("border", ("border",), "string", "1", "name of the border", coord=True),
        Var("quantity", _QUANTITY, "string", "1", "loss, statistic or representation", coord=True),
    )
)
"""Result of :func:`detect_phases`."""

UNIT_COUNTS = table(
    Var("n_recorded", (), "int", "1", "units of the recording", True),
    Var("n_units", ("step", "session"), "int", "1", "units that pass the step", True),
    Var("n_in_any", ("step",), "int", "1", "units that pass in any session", True),
    Var("n_in_every", ("step",), "int", "1", "units that pass in every session", True),
    Var("n_common", ("step", "session", "other"), "int", "1", "units that pass in both", True),
    Var("fraction_common", ("step", "session", "other"), "float", "1", "of those of either", True),
    Var("median_registration_score", ("session",), "float", "1", "of the detected units"),
    Var("step", ("step",), "string", "1", "step of the analysis", True, True),
)
"""Units that each step keeps, from :func:`neurodrift.count_units`."""

_OTHER = ("session", "other")
REGISTRATION = _always(
    table(
        Var("agreement", _OTHER, "float", "1", "agreement of the maps, 0 for other units"),
        Var("agreement_se", _OTHER, "float", "1", "its standard error"),
        Var("agreement_p", _OTHER, "float", "1", "its p against permuted units"),
        Var("rate_agreement", _OTHER, "float", "1", "rank correlation of mean activities"),
        Var("rate_agreement_p", _OTHER, "float", "1", "its p against permuted units"),
        Var("n_shared", _OTHER, "int", "1", "units detected in both sessions"),
        Var("within", ("session",), "float", "1", "agreement of the halves of the session"),
        Var("within_p", ("session",), "float", "1", "its p against permuted units"),
        Var("map_similarity", _OTHER, "float", "1", "of the maps, without noise"),
        Var("wrong_share", _OTHER, "float", "1", "units whose identity is wrong in either"),
        Var("wrong_share_ci_low", _OTHER, "float", "1", "lower end of its interval"),
        Var("wrong_share_ci_high", _OTHER, "float", "1", "upper end of its interval"),
        Var("wrong_share_bound", _OTHER, "float", "1", "what it is at most, whatever drifts"),
        Var("wrong_in_session", ("session",), "float", "1", "units with a wrong identity in it"),
        Var("wrong_in_session_ci_low", ("session",), "float", "1", "lower end of its interval"),
        Var("wrong_in_session_ci_high", ("session",), "float", "1", "upper end of its interval"),
        Var("kept_by_drift", (), "float", "1", "similarity that drift leaves after one step"),
        Var("verdict", ("session",), "string", "1", "what the session seems to be"),
        Var("better_place", ("session",), "string", "1", "session whose place it fits better"),
        Var("gain", (), "float", "1", "misfit that the best exchange of places removes"),
        Var("gain_p", (), "float", "1", "its p of at most half"),
    )
)
"""Check of the identities, from :func:`neurodrift.check_registration`."""

QUALITY = UNIT_COUNTS | {name: replace(row, required=False) for name, row in REGISTRATION.items()}
"""Unit counts, with the check of the identities where there is one."""

LAG = _always(
    table(
        Var("score", ("session", "lag"), "float", "1", "what activity tells, in SD of shifts"),
        Var("best_lag", ("session",), "float", "s", "lag where it tells most, > 0 = behind"),
        Var("best_score", ("session",), "float", "1", "score at the best lag"),
        Var("in_step_score", ("session",), "float", "1", "largest score of a lag in step"),
        Var("n_units", ("session",), "int", "1", "units that were scanned"),
        Var("n_seconds", ("session",), "float", "s", "running that was scanned"),
        Var("verdict", ("session",), "string", "1", "in step, out of step or undecided"),
        Var("lag", ("lag",), "float", "s", "activity after position", coord=True),
    )
)
"""Lag between activity and position, from :func:`neurodrift.check_lag`."""

_FIELD = ("...", "unit", "direction", "field_number")
PLACE_FIELDS = table(
    Var("n_fields", _DIMS, "float", "1", "place fields, NaN = not looked at", True),
    Var("field", (*_DIMS, "position"), "int", "1", "field that the bin lies in, 0 = none", True),
    Var("size", _FIELD, "float", "", "length or area of the field", True),
    Var("peak_rate", _FIELD, "float", "", "rate at the peak of the field", True),
    Var("x_peak", _FIELD, "float", "cm", "place of the peak, x", True),
    Var("y_peak", _FIELD, "float", "cm", "place of the peak, y"),
    Var("x_centre", _FIELD, "float", "cm", "centre weighted by rate, x", True),
    Var("y_centre", _FIELD, "float", "cm", "centre weighted by rate, y"),
    Var("field_number", ("field_number",), "int", "1", "from the highest peak", True, True),
)
"""Place fields, from :func:`neurodrift.detect_place_fields`."""

RESULTS = {
    "map_switches": MAP_SWITCHES,
    "quality": QUALITY,
    "lag": LAG,
    "place_fields": PLACE_FIELDS,
    "maps": MAPS,
    "smoothed_maps": MAPS,
    "half_maps": HALF_MAPS,
    "lap_maps": LAP_MAPS,
    "informative": INFORMATIVE,
    "place_cells": PLACE_CELLS,
    "information": INFORMATION,
    "cross_fitted": CROSS_FITTED,
    "stability": STABILITY,
    "agreement": AGREEMENT,
    "sparsity": SPARSITY,
    "drift": DRIFT,
    "session_drift": DRIFT,
    "matched": MATCHED,
    "sessions": MEASURES,
    "regression": SLOPES,
    "phases": PHASES,
}
"""The nodes of the tree of :func:`neurodrift.analyze`."""


_SESSION_PAIR = ("session_a", "session_b")
_LAGS = (
    Var("lag", _SESSION_PAIR, "int", "1", "sessions from a to b", coord=True),
    Var("lag_day", _SESSION_PAIR, "float", "d", "days from a to b", coord=True),
    Var("lag_experience", _SESSION_PAIR, "float", "min", "experience from a to b", coord=True),
    Var("lag_training_step", _SESSION_PAIR, "int", "1", "training steps from a to b", coord=True),
)
REPRESENTATION = table(
    Var("correlation", _SESSION_PAIR, "float", "1", "of all samples and units together", True),
    Var("r_squared", _SESSION_PAIR, "float", "1", "its square", True),
    Var(
        "r_squared_permuted",
        _SESSION_PAIR,
        "float",
        "1",
        "expected with the units of b permuted",
        True,
    ),
    Var("r_squared_centred", _SESSION_PAIR, "float", "1", "without the mean of each unit", True),
    Var(
        "r_squared_centred_permuted",
        _SESSION_PAIR,
        "float",
        "1",
        "the same, units of b permuted",
        True,
    ),
    Var(
        "determination",
        _SESSION_PAIR,
        "float",
        "1",
        "1 - change over variance of the units of a",
        True,
    ),
    Var(
        "determination_pooled",
        _SESSION_PAIR,
        "float",
        "1",
        "1 - change over variance of all of a",
        True,
    ),
    Var("mean_unit_r_squared", _SESSION_PAIR, "float", "1", "over units that vary in both", True),
    Var(
        "mean_unit_r_squared_lost",
        _SESSION_PAIR,
        "float",
        "1",
        "units constant in b alone as 0",
        True,
    ),
    *(
        Var(f"{name}_relative{end}", _SESSION_PAIR, "float", "1", doc)
        for name in ("correlation", "r_squared", "r_squared_centred", "determination")
        for end, doc in (("", "without noise"), ("_se", "standard error over units"))
    ),
    Var("unit_r_squared", (*_SESSION_PAIR, "unit"), "float", "1", "squared correlation of a unit"),
    Var("n_samples", _SESSION_PAIR, "int", "1", "samples that entered", True),
    Var("n_units", _SESSION_PAIR, "int", "1", "units detected in both", True),
    Var("n_units_varying", _SESSION_PAIR, "int", "1", "of those, not constant in either", True),
    Var("n_units_lost", _SESSION_PAIR, "int", "1", "of those, constant in b alone", True),
    Var("n_units_gained", _SESSION_PAIR, "int", "1", "of those, constant in a alone", True),
    *_LAGS,
)
"""Result of :func:`neurodrift.compute_representation_stability`."""

_BIN = ("session", "trial_type", "trial_bin")
TRIAL_AVERAGES = table(
    Var("response", (*_BIN, "unit"), "float", "", "mean activity over trials", True),
    Var("n_trials", _BIN, "int", "1", "trials in that mean", True),
    Var("detected", ("session", "unit"), "bool", "1", "unit was recorded in the session", True),
    Var("trial_type", ("trial_type",), "int", "1", "kind of the trial", True, True),
    Var("trial_time", ("trial_bin",), "float", "", "since the start of the trial", True, True),
)
"""Result of :func:`neurodrift.compute_trial_averages`."""

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
"""Result of :func:`neurodrift.compute_latent_activity`."""

TRAJECTORIES = _MEASURES | table(
    Var("trajectory", (*_BIN, "factor"), "float", "1", "mean over trials", True),
    Var("n_trials", _BIN, "int", "1", "trials in that mean", True),
    *(TRIAL_AVERAGES[name] for name in ("trial_type", "trial_time")),
)
"""Result of :func:`neurodrift.compute_latent_trajectories`."""

_UNIT = ("pair", "unit", "direction")
REMAPPING = table(
    Var("n_maps", ("pair",), "int", "1", "maps of units detected in both contexts", True),
    Var("n_silent", ("pair",), "int", "1", "maps active in neither context", True),
    Var("n_lost", ("pair",), "int", "1", "maps active in the first context alone", True),
    Var("n_gained", ("pair",), "int", "1", "maps active in the second context alone", True),
    Var("n_flat", ("pair",), "int", "1", "maps active in both that have no correlation", True),
    Var("n_compared", ("pair",), "int", "1", "maps active in both contexts and compared", True),
    Var("n_remapped", ("pair",), "int", "1", "compared maps below the threshold", True),
    Var(
        "min_correlation",
        ("pair",),
        "float",
        "1",
        "correlation below which a map is remapped",
        True,
    ),
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
"""Maps in two contexts, from :func:`neurodrift.analysis.drift.remapping.compute_remapping`."""

REPRESENTATIONS = {
    "representation": REPRESENTATION,
    "trial_averages": TRIAL_AVERAGES,
    "latent_space": LATENT_SPACE,
    "latent_activity": LATENT_ACTIVITY,
    "trajectories": TRAJECTORIES,
    "remapping": REMAPPING,
}
"""The tables above, by the name of their JSON Schema."""

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

DECODING = _always(
    table(
        Var("error", _PAIR, "float", "", "mean error, trained in a and tested in b"),
        Var("error_median", _PAIR, "float", "", "median error"),
        Var("own_error", _PAIR, "float", "", "mean error of decoders of b itself"),
        Var("chance", _PAIR, "float", "", "mean error with positions of b shifted"),
        Var("own_chance", _PAIR, "float", "", "the same of decoders of b itself"),
        Var("relative", _PAIR, "float", "1", "gain over chance, relative to decoders of b itself"),
        Var("p", _PAIR, "float", "1", "p of the error against shifted positions"),
        Var("own_p", _PAIR, "float", "1", "p of decoders of b itself"),
        Var("worse_p", _PAIR, "float", "1", "p that a teaches worse than b itself"),
        Var("n_units", _PAIR, "int", "1", "units that entered"),
        Var("n_laps", _PAIR, "int", "1", "laps (trials, blocks) that teach"),
        Var("n_windows", _PAIR, "int", "1", "windows that test"),
        Var("lag", _PAIR, "int", "1", "sessions from a to b", coord=True),
    )
) | table(
    Var("lag_day", _PAIR, "float", "d", "days from a to b", coord=True),
    Var("lag_experience", _PAIR, "float", "min", "experience from a to b", coord=True),
    Var("lag_training_step", _PAIR, "int", "1", "training steps from a to b", coord=True),
)
"""Result of :func:`neurodrift.decode_across_sessions`."""

_TAUGHT = ("session", "n_training")
DECODING_SEVERAL = _always(
    table(
        Var("error", _TAUGHT, "float", "", "mean error, by the number of training sessions"),
        Var("chance", _TAUGHT, "float", "", "mean error with positions shifted"),
        Var("relative", _TAUGHT, "float", "1", "gain over chance, relative to the own one"),
        Var("own_error", ("session",), "float", "", "of decoders of the session itself"),
        Var("own_chance", ("session",), "float", "", "the same with positions shifted"),
        Var("n_windows", ("session",), "int", "1", "windows that test"),
        Var("n_units", (), "int", "1", "units that were detected in all sessions"),
        Var("n_laps", (), "int", "1", "laps that teach"),
        Var("n_training", ("n_training",), "int", "1", "sessions that teach", coord=True),
    )
)
"""Result of :func:`neurodrift.decode_from_several_sessions`."""

DECODED_SESSION = _always(
    table(
        Var(
            "confusion",
            ("session", "session_decoded"),
            "float",
            "1",
            "share of the trials of a session that are taken for another",
        ),
        Var("accuracy", (), "float", "1", "share of trials whose session is told"),
        Var("accuracy_null", (), "float", "1", "the same with sessions of units shuffled"),
        Var("accuracy_p", (), "float", "1", "p against it"),
        Var("neighbour", (), "float", "1", "share of trials taken for a session beside theirs"),
        Var("neighbour_null", (), "float", "1", "the same with sessions of units exchanged"),
        Var("neighbour_p", (), "float", "1", "p against it"),
        Var("order_p", (), "float", "1", "share of orders as good as the true one"),
        Var("n_trials", ("session",), "int", "1", "trials of the session"),
        Var("events_per_trial", ("session",), "float", "", "summed activity of a trial"),
        Var("n_units", (), "int", "1", "units that were detected in all sessions"),
    )
)
"""Result of :func:`neurodrift.decode_session`."""
DRIFT_INDEX = table(
    Var("drift_index", _PAIR, "float", "1", "loss of a map's correlation, mean over units"),
    Var("drift_index_n", _PAIR, "int", "1", "units that entered"),
    Var("drift_index_control", _PAIR, "float", "1", "the same between halves of one session"),
    Var("drift_index_above_control", _PAIR, "float", "1", "more than halves of one session"),
    Var("population_drift_index", _PAIR, "float", "1", "of the maps of all units"),
    Var("unit_drift_index", _PAIR, "float", "1", "loss of a map's correlation"),
    *(var for name, var in DRIFT.items() if name == "lag" or name.startswith("lag_")),
)
"""Result of :func:`neurodrift.compute_drift_index`."""

DRIFT_GEOMETRY = table(
    *(
        Var(name, _PAIR, "float", units, what)
        for name, units, what in (
            ("gamma", "1", "share of the change in the variational space of a"),
            ("gamma_chance", "1", "share that a change in any direction has there"),
            ("gamma_corrected", "1", "share of the change there, without noise"),
            ("change_square", "", "square of the change of the mean vector, without noise"),
            ("change_square_within", "", "its part in the variational space of a"),
            ("change_square_se", "", "error of the square of the change where there is none"),
            ("relative_size", "1", "length of the change over that of the mean vector"),
            ("relative_size_corrected", "1", "the same without noise"),
            ("overlap", "1", "of the variational spaces of a and b"),
            ("overlap_chance", "1", "overlap of spaces in any direction"),
        )
    ),
    Var("n_units", _PAIR, "int", "1", "units that entered"),
    Var("n_bins", _PAIR, "int", "1", "bins and directions that entered"),
    Var("angle", (*_PAIR, "component"), "float", "deg", "of the change with a component"),
    Var("angle_corrected", (*_PAIR, "component"), "float", "deg", "the same without noise"),
    Var("dimension", ("session_a",), "float", "1", "of the variability of trials"),
    Var("variance_within", ("session_a",), "float", "1", "share in the variational space"),
    Var("gamma_halves", ("session_a",), "float", "1", "gamma between halves of the session"),
    Var("variance_share", ("session_a", "component"), "float", "1", "of a component"),
    Var("component", ("component",), "int", "1", "principal component", coord=True),
    *(var for name, var in DRIFT.items() if name == "lag" or name.startswith("lag_")),
)
"""Result of :func:`neurodrift.compute_drift_geometry`."""

TIME_CONSTANT = table(
    Var("log_likelihood", ("model",), "float", "nat", "of a pair with an unseen session"),
    Var("log_likelihood_se", ("model",), "float", "nat", "error of its distance from the best"),
    *(
        Var(f"{name}{end}", (), "float", units, what + bound)
        for name, units, what in (
            ("time_constant", "", "lag over which similarity falls to 1/e of the way"),
            ("half_life", "", "lag over which similarity falls half of the way"),
            ("floor", "1", "similarity that is left at last"),
            ("amplitude", "1", "fall of the similarity from lag 0 to the floor"),
            ("slope", "", "change of the similarity with the lag, of the line"),
        )
        for end, bound in (("", ""), ("_low", ", lower bound"), ("_high", ", upper bound"))
    ),
    Var("n_pairs", (), "int", "1", "pairs of sessions"),
    Var("n_sessions", (), "int", "1", "sessions of these pairs"),
    Var("model", ("model",), "string", "1", "constant, linear, saturating", coord=True),
)
"""Result of :func:`neurodrift.fit_time_constant`."""

STEPS = table(
    Var("mean_square_step", _PAIR, "float", "", "square of a step without its noise"),
    Var("mean_square_step_n", _PAIR, "int", "1", "steps that entered"),
    *(
        Var(f"{name}{end}", (), "float", units, what + bound)
        for name, units, what in (
            ("exponent", "1", "of the growth of the mean square with the lag"),
            ("diffusion", "", "half of the mean square of a step for each unit of the lag"),
            ("excess_kurtosis", "1", "of steps between neighbouring sessions"),
            ("kurtosis_of_unequal_units", "1", "of Gaussian steps of each unit's own size"),
            ("jumpiness", "1", "excess kurtosis beyond that of unequal units"),
            ("directedness", "1", "products of different steps of a unit over their squares"),
            ("step_correlation", "1", "between the steps of different units"),
        )
        for end, bound in (("", ""), ("_low", ", lower bound"), ("_high", ", upper bound"))
    ),
    *(var for name, var in DRIFT.items() if name == "lag" or name.startswith("lag_")),
)
"""Result of :func:`neurodrift.compute_steps`."""
_BETWEEN_SESSIONS = ("session_a", "session_b")
_LAG_COORDS = (
    Var("lag", _BETWEEN_SESSIONS, "int", "1", "sessions from a to b", coord=True),
    Var("lag_day", _BETWEEN_SESSIONS, "float", "d", "days from a to b", coord=True),
    Var("lag_experience", _BETWEEN_SESSIONS, "float", "min", "experience from a to b", coord=True),
    Var("lag_training_step", _BETWEEN_SESSIONS, "int", "1", "steps from a to b", coord=True),
)


def _relation(name: str, what: str) -> tuple[Var, ...]:
    pair = _BETWEEN_SESSIONS
    return (
        Var(name, pair, "float", "1", f"correlation of {what}, of halves"),
        Var(f"{name}_relative", pair, "float", "1", "divided by that of halves of one session"),
        Var(f"{name}_null", pair, "float", "1", "mean of unrelated codes"),
        Var(f"{name}_excess", pair, "float", "1", "above unrelated codes"),
        Var(f"{name}_p", pair, "float", "1", "share of unrelated codes that reach it"),
        Var(f"mean_{name}", (), "float", "1", "relative, mean over pairs of sessions"),
        Var(f"mean_{name}_null", (), "float", "1", "mean over pairs, of unrelated codes"),
        Var(f"mean_{name}_excess", (), "float", "1", "mean over pairs, above unrelated codes"),
        Var(f"mean_{name}_p", (), "float", "1", "share of unrelated codes that reach the mean"),
    )


RELATIONS = table(
    *_relation("structure", "relations among patterns"),
    *_relation("structure_free", "relations less their mean at each distance"),
    Var("vectors", _BETWEEN_SESSIONS, "float", "1", "correlation of population vectors, of halves"),
    Var("vectors_relative", _BETWEEN_SESSIONS, "float", "1", "divided by that of halves"),
    Var("crossnobis", _BETWEEN_SESSIONS, "float", "1", "correlation of distances of patterns"),
    Var("cka", _BETWEEN_SESSIONS, "float", "1", "centred kernel alignment, of halves"),
    Var("cka_relative", _BETWEEN_SESSIONS, "float", "1", "divided by that of halves"),
    Var("procrustes", _BETWEEN_SESSIONS, "float", "degree", "angle after the best rotation"),
    Var("symmetry", _BETWEEN_SESSIONS, "string", "1", "best symmetry of the environment"),
    Var("symmetry_gain", _BETWEEN_SESSIONS, "float", "1", "gain by it, less that of halves"),
    Var("symmetry_p", _BETWEEN_SESSIONS, "float", "1", "share of unrelated codes that reach it"),
    Var("n_units", _BETWEEN_SESSIONS, "int", "1", "units detected in both"),
    Var("n_points", _BETWEEN_SESSIONS, "int", "1", "bins and directions visited in both"),
    Var("trend", (), "float", "1/session", "slope of the relative structure on the lag"),
    Var("trend_p", (), "float", "1", "share of orders of the sessions that reach it"),
    *_LAG_COORDS,
)
"""Result of :func:`neurodrift.compute_relations`."""


def _coordination(name: str, what: str) -> tuple[Var, ...]:
    pair = _BETWEEN_SESSIONS
    return (
        Var(name, pair, "float", "1", f"share of the change explained, {what}"),
        Var(f"{name}_independent", pair, "float", "1", "mean where units change on their own"),
        Var(f"{name}_excess", pair, "float", "1", "above units that change on their own"),
        Var(f"{name}_p", pair, "float", "1", "share of such draws that reach it"),
        Var(f"{name}_unrelated", pair, "float", "1", "mean where later codes are unrelated"),
        Var(f"{name}_unrelated_p", pair, "float", "1", "share of such draws that reach it"),
        Var(f"mean_{name}", (), "float", "1", "mean over pairs of sessions"),
        Var(f"mean_{name}_excess", (), "float", "1", "mean above units that change on their own"),
        Var(f"mean_{name}_p", (), "float", "1", "share of such draws that reach the mean"),
        Var(f"mean_{name}_unrelated_excess", (), "float", "1", "mean above unrelated codes"),
        Var(f"mean_{name}_unrelated_p", (), "float", "1", "share of such that reach the mean"),
    )


ALIGNMENT = table(
    *_coordination("transfer", "by a rotation of the other direction"),
    *_coordination("extrapolation", "by the rotation of the step before"),
    Var("reading_aligned", _BETWEEN_SESSIONS, "float", "cm", "error of a's patterns, turned"),
    Var("reading_unaligned", _BETWEEN_SESSIONS, "float", "cm", "error of a's patterns, as is"),
    Var("reading_own", _BETWEEN_SESSIONS, "float", "cm", "error of b's own patterns"),
    Var("reading_gain", (), "float", "cm", "what the rotation takes off the error, mean"),
    Var("reading_gain_independent", (), "float", "cm", "mean where units change on their own"),
    Var("reading_gain_p", (), "float", "1", "share of such draws that reach it"),
    Var("move", _BETWEEN_SESSIONS, "float", "1", "share of the change that all places have"),
    Var("change", _BETWEEN_SESSIONS, "float", "", "root mean square change, without noise"),
    Var("angle", (*_BETWEEN_SESSIONS, "plane"), "float", "degree", "largest angles of rotation"),
    Var("n_dimensions", _BETWEEN_SESSIONS, "int", "1", "dimensions beyond the noise"),
    Var("n_units", _BETWEEN_SESSIONS, "int", "1", "units detected in both"),
    Var("n_points", _BETWEEN_SESSIONS, "int", "1", "bins and directions visited in both"),
    Var("n_unchanged", (), "int", "1", "tests without a change that is clear from noise"),
    *_LAG_COORDS,
)
"""Result of :func:`neurodrift.compute_alignment`."""


DISSIMILARITIES = table(
    Var("dissimilarity", ("session", "point", "other_point"), "float", "", "squared distance"),
    Var("n_units", ("session",), "int", "1", "units that it is of"),
    Var("direction", ("point",), "int", "1", "running direction, 0 = both", coord=True),
    Var("x_bin", ("point",), "float", "", "centre of the bin, x", coord=True),
)
"""Result of :func:`neurodrift.compute_dissimilarities`."""


_BY_MEASURE = ("measure", "session_a", "session_b")
_BY_SHARE = ("measure", "wrong_share", "session_a", "session_b")
_BY_LIMIT = ("threshold", "session_a", "session_b")
_LAGS_OF_PAIRS = table(
    Var("lag_day", _PAIR, "float", "d", "days from a to b", coord=True),
    Var("lag_experience", _PAIR, "float", "min", "experience from a to b", coord=True),
    Var("lag_training_step", _PAIR, "int", "1", "training steps from a to b", coord=True),
)
BEHAVIOUR_DISTANCE = (
    _always(
        table(
            Var(
                "speed", _PAIR, "float", "1", "distance of running speed by position, in SD of laps"
            ),
            Var(
                "occupancy", _PAIR, "float", "1", "distance of the time in each bin, in SD of laps"
            ),
            Var(
                "lap_duration",
                _PAIR,
                "float",
                "1",
                "distance of the duration of laps, in SD of laps",
            ),
            Var("overall", _PAIR, "float", "1", "root mean square of all distances"),
            Var("n_laps", ("session",), "int", "1", "laps (trials, blocks) of the session"),
            Var("lag", _PAIR, "int", "1", "sessions from a to b", coord=True),
        )
    )
    | _LAGS_OF_PAIRS
)
"""Result of :func:`neurodrift.compute_behaviour_distance`."""

IDENTITY_SENSITIVITY = (
    _always(
        table(
            Var(
                "similarity",
                _BY_MEASURE,
                "float",
                "1",
                "of halves, within sessions on the diagonal",
            ),
            Var("within", _BY_MEASURE, "float", "1", "what it would be without change"),
            Var("wrong", _BY_MEASURE, "float", "1", "what it would be were all matches wrong"),
            Var("needed", _BY_MEASURE, "float", "1", "wrong matches that would make all the drift"),
            Var("slope_n", _BY_MEASURE, "int", "1", "draws behind wrong"),
            Var("false_drift", _BY_SHARE, "float", "1", "most that wrong matches take off"),
            Var("false_drift_high", _BY_SHARE, "float", "1", "its upper end, one-sided 95 %"),
            Var("corrected", _BY_SHARE, "float", "1", "of the right matches alone"),
            Var("exchanged", ("...",), "float", "1", "mean after the exchange of units"),
            Var("at_threshold", ("measure", *_BY_LIMIT), "float", "1", "units of a better score"),
            Var("n_units", _BY_LIMIT, "int", "1", "units detected in both that are left"),
            Var("mean_wrong", _BY_LIMIT, "float", "1", "1 less their mean match probability"),
            Var("extrapolated", _BY_MEASURE, "float", "1", "on the line to mean_wrong 0"),
            Var("lag", _PAIR, "int", "1", "sessions from a to b", coord=True),
        )
    )
    | _LAGS_OF_PAIRS
)
"""Result of :func:`neurodrift.compute_identity_sensitivity`."""

_PARTS = ("part_a", "part_b")
WITHIN_DRIFT = (
    _always(
        table(
            Var("similarity", _PARTS, "float", "1", "of the maps of two parts, without noise"),
            Var("minutes", _PARTS, "float", "min", "recorded time between their middles"),
            Var("n_units", _PARTS, "int", "1", "units that entered"),
            Var("curve", ("lag_part",), "float", "1", "similarity within sessions, pooled"),
            Var("curve_se", ("lag_part",), "float", "1", "its standard error over units"),
            Var("curve_minutes", ("lag_part",), "float", "min", "mean time between the parts"),
            Var("curve_n", ("lag_part",), "int", "1", "pairs of parts"),
            Var("between", _PAIR, "float", "1", "similarity of the parts of two sessions, pooled"),
            Var("first_last", ("session",), "float", "1", "first against last part"),
            Var("first_last_se", ("session",), "float", "1", "its standard error over units"),
            Var("first_last_pooled", (), "float", "1", "over all sessions"),
            Var("first_last_pooled_se", (), "float", "1", "its standard error over units"),
            Var("within_p", (), "float", "1", "p that it is below 1"),
            Var("step", ("night",), "float", "1", "neighbouring parts of a session"),
            Var("overnight", ("night",), "float", "1", "last part against the first of the next"),
            Var("excess", ("night",), "float", "1", "what the night takes beyond such a step"),
            Var("excess_se", ("night",), "float", "1", "its standard error over units"),
            Var("step_pooled", (), "float", "1", "over all nights"),
            Var("overnight_pooled", (), "float", "1", "over all nights"),
            Var("excess_pooled", (), "float", "1", "over all nights"),
            Var("excess_pooled_se", (), "float", "1", "its standard error over units"),
            Var("overnight_p", (), "float", "1", "p that the excess is above 0"),
            Var("n_laps", ("session",), "int", "1", "laps or stretches of the session"),
        )
    )
    | table(
        Var("lag", ("...",), "int", "1", "sessions from a to b", coord=True),
        Var("days", ("night",), "float", "d", "days between the two sessions", coord=True),
    )
    | _LAGS_OF_PAIRS
)
"""Result of :func:`neurodrift.compute_within_drift`."""

INTERVENTION = _always(
    table(
        Var("level", ("group",), "float", "1", "similarity at the mean lag of pairs across"),
        Var("slope", ("group",), "float", "", "of the similarity over the lag"),
        Var("n_pairs", ("group",), "int", "1", "pairs of sessions"),
        Var("drop", (), "float", "1", "what pairs across lack at the same lag"),
        Var("loss", (), "float", "1", "what the neighbours across lack at their lag"),
        Var("p", (), "float", "1", "p of the loss, against the other nights"),
        Var("n_nights", (), "int", "1", "other nights: neighbours of one side"),
        Var("faster", (), "float", "", "slope after less slope before"),
        Var("night_excess", (), "float", "1", "what the night of the intervention takes"),
        Var("other_nights", (), "float", "1", "mean of all other nights"),
        Var("night_p", (), "float", "1", "p that they are equal, against the other nights"),
    )
)
"""Result of :func:`neurodrift.compare_around`."""

_TERM = ("term",)
EXPLAINED_DRIFT = _always(
    table(
        Var("slope", _TERM, "float", "", "change of the measure for one unit of the predictor"),
        Var("se", _TERM, "float", "", "standard error of the slope"),
        Var("low", _TERM, "float", "", "lower end of its interval"),
        Var("high", _TERM, "float", "", "upper end of its interval"),
        Var("slope_alone", _TERM, "float", "", "slope without the other kind of predictor"),
        Var("p", _TERM, "float", "1", "p against permuted sessions"),
        Var("correlation", _TERM, "float", "1", "correlation with the lag over pairs"),
        Var("explained", ("model",), "float", "1", "share of variance over pairs"),
        Var("explained_by_chance", ("model",), "float", "1", "the same with sessions permuted"),
        Var("confounding", ("...",), "float", "1", "multiple correlation of lag with behaviour"),
        Var("n_sessions", ("...",), "int", "1", "sessions that entered"),
        Var("n_pairs", ("...",), "int", "1", "pairs that entered"),
    )
) | table(
    Var("animal_slope", ("animal", "term"), "float", "", "slope of each animal"),
)
"""Result of :func:`neurodrift.explain_drift`."""

BEHAVIOUR = BEHAVIOUR_DISTANCE | EXPLAINED_DRIFT
"""Distances of behaviour and what they explain, the node ``behaviour``."""

TUNING_CHANGE = _always(
    table(
        Var("gain", ("unit",), "float", "bit/event", "gain of held-out laps by tuning of its own"),
        Var("p", ("unit",), "float", "1", "p against shifts of the laps between the sessions"),
        Var("null_mean", ("unit",), "float", "bit/event", "mean gain of the shifts"),
        Var("behaviour_gain", ("unit",), "float", "bit/event", "gain by speed and time"),
        Var("n_events", ("unit",), "int", "1", "events in the laps that enter"),
        Var("mean_gain", (), "float", "bit/event", "gain of all units together"),
        Var("mean_p", (), "float", "1", "p of the gain of all units together"),
        Var("n_units", (), "int", "1", "units that entered"),
        Var("n_laps", (), "int", "1", "laps of both sessions that entered"),
    )
)
"""Result of :func:`neurodrift.compute_tuning_change`."""

_PREDICTOR = ("predictor",)
STABLE_UNITS = _always(
    table(
        Var("effect", _PREDICTOR, "float", "1", "rank correlation with later stability"),
        Var("effect_null", _PREDICTOR, "float", "1", "the same of units without a link"),
        Var("p", _PREDICTOR, "float", "1", "p of the effect against units without a link"),
        Var("partial", _PREDICTOR, "float", "1", "rank correlation given the other predictors"),
        Var("partial_null", _PREDICTOR, "float", "1", "the same of units without a link"),
        Var("partial_p", _PREDICTOR, "float", "1", "p of the partial effect"),
        Var("beyond", _PREDICTOR, "bool", "1", "effect beyond chance, all predictors considered"),
        Var("prediction", (), "float", "1", "rank correlation in animals that were left out"),
        Var("prediction_p", (), "float", "1", "p of it against units without a link"),
        Var("n_units", ("...",), "int", "1", "units with predictors and an outcome"),
    )
) | table(
    Var("animal_effect", ("animal", "predictor"), "float", "1", "effect less its null"),
    Var("value", ("unit", "predictor"), "float", "", "value of the predictor"),
    Var("stability", ("unit",), "float", "1", "similarity of maps without noise"),
)
"""Result of :func:`neurodrift.predict_stability`."""

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
            ("fraction_place_cells", "1", "of units with enough events, silenced ones left out"),
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

_ASKED = ("question", "variant")
AnswerVerdict = Literal["rises", "falls", "differs", "no change", "undecided", "not testable"]
"""What a cohort answers; of two groups whether the second has more, less, or the same."""

ANSWERS = _always(
    table(
        Var("estimate", _ASKED, "float", "", "answer, in the unit of the question"),
        Var("se", _ASKED, "float", "", "its standard error"),
        Var("dof", _ASKED, "float", "1", "degrees of freedom of t, or those below of F"),
        Var("ci_low", _ASKED, "float", "", "lower end of its interval"),
        Var("ci_high", _ASKED, "float", "", "upper end of its interval"),
        Var("p", _ASKED, "float", "1", "two-sided p of none"),
        Var("p_holm", _ASKED, "float", "1", "p corrected for the questions of the variant"),
        Var("few_degrees", _ASKED, "bool", "1", "fewer than 4 degrees of freedom are behind p"),
        Var("f", _ASKED, "float", "1", "Welch's F of more than two groups"),
        Var("dof_above", _ASKED, "float", "1", "degrees of freedom above of F"),
        Var("basis", _ASKED, "string", "1", "variation that the interval holds"),
        Var("verdict", _ASKED, "string", "1", "what the cohort shows"),
        Var("reason", _ASKED, "string", "1", "why there is no answer or no interval"),
        Var("n_animals", _ASKED, "int", "count", "animals that count"),
        Var("n_recordings", _ASKED, "int", "count", "recordings that count"),
        Var("n_observations", _ASKED, "int", "count", "sessions, or pairs of them, that count"),
        Var("n_left_out", _ASKED, "int", "count", "recordings that do not count"),
        Var("mean_level", _ASKED, "float", "", "mean of the measure over the animals"),
        Var("span", _ASKED, "float", "", "what turns the estimate into the whole change"),
        Var("relative", _ASKED, "float", "1", "change over the span, relative to the mean"),
        Var("relative_ci_low", _ASKED, "float", "1", "lower end of its interval"),
        Var("relative_ci_high", _ASKED, "float", "1", "upper end of its interval"),
        Var("standardized", _ASKED, "float", "1", "estimate over the animals' deviation"),
        Var("standardized_ci_low", _ASKED, "float", "1", "lower end of its interval"),
        Var("standardized_ci_high", _ASKED, "float", "1", "upper end of its interval"),
        Var("detectable", _ASKED, "float", "", "smallest found with a power of 80 %, corrected"),
        Var("n_same_sign", _ASKED, "float", "count", "animals with the estimate's sign"),
        Var("without_low", _ASKED, "float", "", "lowest estimate without one animal"),
        Var("without_high", _ASKED, "float", "", "highest estimate without one animal"),
        Var("carried_by", _ASKED, "string", "1", "animal without which half of it is gone"),
        Var("moved", _ASKED, "float", "", "what is taken from that as recorded"),
        Var("moved_ci_low", _ASKED, "float", "", "lower end of its interval"),
        Var("moved_ci_high", _ASKED, "float", "", "upper end of its interval"),
        Var("vif", _ASKED, "float", "1", "largest variance inflation of the covariates"),
        Var("widening", _ASKED, "float", "1", "width of the interval over that as recorded"),
        Var("contrast", _ASKED, "string", "1", "what is compared"),
        Var(
            "kind", ("question",), "string", "1", "level, slope, intervention or decay", coord=True
        ),
        Var("measure", ("question",), "string", "1", "measure or similarity", coord=True),
        Var("axis", ("question",), "string", "1", "what it changes along", coord=True),
        Var("factors", ("question",), "string", "1", "factors that are asked", coord=True),
        Var("unit", ("question",), "string", "1", "unit of the estimate", coord=True),
    )
)
"""Node ``answers`` of :func:`neurodrift.pool_animals`."""

_OF_ROW = (
    ("question", "question", "the question"),
    ("variant", "variant", "how it is answered"),
)


def _coords_of(dim: str) -> list[Var]:
    return [
        Var(f"{dim}_{name}", (dim,), "string", "1", doc, coord=True) for name, _, doc in _OF_ROW
    ]


ANIMALS = _always(
    table(
        Var("value", ("animal",), "float", "", "answer of the animal"),
        Var("group", ("animal",), "string", "1", "its group, or its number"),
        Var("n_recordings", ("animal",), "int", "count", "recordings behind it"),
        Var("estimate_without", ("animal",), "float", "", "estimate of the others"),
        Var("subject", ("animal",), "string", "1", "animal or run", coord=True),
        *_coords_of("animal"),
    )
)
"""Node ``animals`` of :func:`neurodrift.pool_animals`, one row an animal in an answer."""

_GROUP = (
    Var("estimate", ("group",), "float", "", "mean of the group, or a difference"),
    Var("se", ("group",), "float", "", "its standard error"),
    Var("dof", ("group",), "float", "1", "degrees of freedom of t"),
    Var("ci_low", ("group",), "float", "", "lower end of its interval"),
    Var("ci_high", ("group",), "float", "", "upper end of its interval"),
    Var("p", ("group",), "float", "1", "two-sided p of none"),
    Var("p_holm", ("group",), "float", "1", "p of a difference, corrected for the pairs"),
    Var("n_animals", ("group",), "int", "count", "animals behind it"),
    Var("group_name", ("group",), "string", "1", "the group", coord=True),
    Var("group_other", ("group",), "string", "1", "that it is compared with", coord=True),
)
GROUPS = _always(table(*_GROUP, *_coords_of("group")))
"""Node ``groups`` of :func:`neurodrift.pool_animals`: means, and pairs of three or more groups."""

HELD = _always(
    table(
        Var("coefficient", ("covariate",), "float", "", "measure for a unit of the covariate"),
        Var("vif", ("covariate",), "float", "1", "variance inflation over the cohort"),
        Var("covariate_name", ("covariate",), "string", "1", "the covariate", coord=True),
        *_coords_of("covariate"),
    )
)
"""Node ``covariates`` of :func:`neurodrift.pool_animals`."""

LEFT_OUT = _always(
    table(
        Var("reason", ("left_out",), "string", "1", "why the recording does not count"),
        Var("recording", ("left_out",), "string", "1", "the recording", coord=True),
        *_coords_of("left_out"),
    )
)
"""Node ``left_out`` of :func:`neurodrift.pool_animals`."""

STUDY_SESSIONS = _always(
    table(
        Var("recording", ("session",), "string", "1", "recording of the session", coord=True),
        Var("subject", ("session",), "string", "1", "its animal or run", coord=True),
        Var("environment", ("session",), "string", "1", "its environment", coord=True),
        Var("label", ("session",), "string", "1", "label of the session", coord=True),
        Var("place", ("session",), "float", "1", "when it was, in usual steps", coord=True),
    )
)
"""Node ``sessions`` of :func:`neurodrift.pool_animals`, beside the axes and measures."""

POOLED = {
    "answers": ANSWERS,
    "animals": ANIMALS,
    "groups": GROUPS,
    "covariates": HELD,
    "left_out": LEFT_OUT,
    "sessions": STUDY_SESSIONS,
}
"""Nodes of :func:`neurodrift.pool_animals`."""

_WAY = ("universe", "question")
CURVE = _always(
    table(
        Var("estimate", _WAY, "float", "", "answer of the question"),
        Var("se", _WAY, "float", "", "its standard error"),
        Var("dof", _WAY, "float", "1", "degrees of freedom of t"),
        Var("p", _WAY, "float", "1", "two-sided p of none"),
        Var("ci_low", _WAY, "float", "", "lower end of its interval"),
        Var("ci_high", _WAY, "float", "", "upper end of its interval"),
        Var("relative", _WAY, "float", "1", "change over the span, relative to the mean"),
        Var("relative_low", _WAY, "float", "1", "lower end of its interval"),
        Var("relative_high", _WAY, "float", "1", "upper end of its interval"),
        Var("n_animals", _WAY, "float", "count", "animals behind it"),
        Var("reason", _WAY, "string", "1", "why there is no answer or no error"),
        Var("fault", ("universe",), "string", "1", "recordings that could not be analysed so"),
        Var("universe", ("universe",), "int", "1", "number of the way", coord=True),
        Var("question", ("question",), "string", "1", "the question", coord=True),
    )
)
"""Node ``curve`` of :func:`neurodrift.multiverse`."""

_BY_QUESTION = ("question",)
CONCLUSIONS = _always(
    table(
        Var("median", _BY_QUESTION, "float", "1", "median relative change of the ways"),
        Var("lowest", _BY_QUESTION, "float", "1", "lowest of them"),
        Var("highest", _BY_QUESTION, "float", "1", "highest of them"),
        Var("share_same_sign", _BY_QUESTION, "float", "1", "ways with the sign of the median"),
        Var("share_significant", _BY_QUESTION, "float", "1", "ways that are significant with it"),
        Var("share_against", _BY_QUESTION, "float", "1", "ways that are significant against it"),
        Var("n_universes", _BY_QUESTION, "int", "count", "ways with an answer"),
        Var("n_failed", _BY_QUESTION, "int", "count", "ways without one"),
        Var("p_median", _BY_QUESTION, "float", "1", "of the median t, by permutation of all ways"),
        Var("p_share", _BY_QUESTION, "float", "1", "of the share of significant ways"),
        Var("p_mean_z", _BY_QUESTION, "float", "1", "of the mean z"),
        Var("n_permutations", _BY_QUESTION, "int", "count", "permutations behind them"),
        Var("smallest_p", _BY_QUESTION, "float", "1", "smallest p that could have come out"),
        Var("permuted", _BY_QUESTION, "string", "1", "what was permuted, or why nothing was"),
        Var("question", _BY_QUESTION, "string", "1", "the question", coord=True),
    )
)
"""Node ``conclusions`` of :func:`neurodrift.multiverse`."""

INFLUENCE = _always(
    table(
        Var("share_of_spread", ("question", "choice"), "float", "1", "of the ways, by the choice"),
        Var("level_mean", ("question", "level"), "float", "1", "mean relative change of a level"),
        Var("question", _BY_QUESTION, "string", "1", "the question", coord=True),
        Var("choice", ("choice",), "string", "1", "the choice", coord=True),
        Var("level", ("level",), "string", "1", "choice and level", coord=True),
    )
)
"""Node ``influence`` of :func:`neurodrift.multiverse`."""

MULTIVERSE = {"curve": CURVE, "conclusions": CONCLUSIONS, "influence": INFLUENCE}
"""Nodes of :func:`neurodrift.multiverse`."""

_POWER = ("animals", "sessions")
POWER = _always(
    table(
        Var("power", _POWER, "float", "1", "share of simulated cohorts that find the change"),
        Var("power_ci_low", _POWER, "float", "1", "lower end of its Monte Carlo interval"),
        Var("power_ci_high", _POWER, "float", "1", "upper end of its Monte Carlo interval"),
        Var("animals_needed", ("sessions",), "float", "count", "fewest for a power of 80 %"),
        Var("slope", ("sessions",), "float", "", "planted change for each unit of the axis"),
        Var("animals", ("animals",), "int", "count", "animals, of each group", coord=True),
        Var("sessions", ("sessions",), "int", "count", "sessions of a recording", coord=True),
    )
)
"""Result of :func:`neurodrift.power`."""

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

_STEP = ("step",)
_RUN = ("run",)
_DURATION = ("duration",)


def _with_interval(name: str, dims: tuple[str, ...], unit: str, doc: str) -> tuple[Var, ...]:
    return (
        Var(name, dims, "float", unit, doc, True),
        Var(f"{name}_ci_low", dims, "float", unit, "lower end of its interval", True),
        Var(f"{name}_ci_high", dims, "float", unit, "upper end of its interval", True),
    )


TEST_POWER = table(
    Var("power", ("session", "unit"), "float", "1", "chance that a place cell is found", True),
    Var("false_alarms", ("session", "unit"), "float", "1", "chance that another is found", True),
)
"""Errors of the test of place cells, from
:func:`~neurodrift.analysis.survival.power.compute_test_power`."""

_TWO = ("session_a", "session_b")
TURNOVER = table(
    Var("still", _TWO, "float", "1", "share of those on in a that are on in b", True),
    Var("gained", _TWO, "float", "1", "share of those off in a that are on in b", True),
    Var("still_corrected", _TWO, "float", "1", "the same without errors of the test", True),
    Var("gained_corrected", _TWO, "float", "1", "the same without errors of the test", True),
    Var("n_on", _TWO, "int", "1", "on in a and known in b", True),
    Var("n_off", _TWO, "int", "1", "off in a and known in b", True),
    Var("n_still", _TWO, "int", "1", "on in both", True),
    Var("n_gained", _TWO, "int", "1", "off in a and on in b", True),
    Var("n_missing", _TWO, "int", "1", "on in a and not known in b", True),
    Var("loss", (), "float", "1", "chance of being lost in one step, of a chain", True),
    Var("loss_se", (), "float", "1", "its standard error over units", True),
    Var("gain", (), "float", "1", "chance of coming on in one step, of a chain", True),
    Var("gain_se", (), "float", "1", "its standard error over units", True),
    Var("n_on_by_lag", _STEP, "int", "1", "on in a, of all pairs of the lag"),
    Var("step", _STEP, "int", "1", "sessions from a to b", coord=True),
    *(var for var in DRIFT.values() if var.name.startswith("lag")),
)
for _name in ("still", "gained", "still_corrected", "gained_corrected"):
    _rows = _with_interval(f"{_name}_by_lag", _STEP, "1", f"{_name}, over all pairs of the lag")
    TURNOVER |= table(*(replace(row, required=False) for row in _rows))
"""Result of :func:`neurodrift.compute_turnover`."""

RUN_LENGTHS = table(
    Var("stay", _RUN, "float", "1", "P(on next | on for so many sessions in a row)", True),
    Var("fixed", _RUN, "float", "1", "the same of units with fixed rates", True),
    *_with_interval("excess", _RUN, "1", "what history or time adds"),
    Var("excess_p", _RUN, "float", "1", "two-sided p of no such excess", True),
    Var("n_runs", _RUN, "int", "1", "runs at risk", True),
    Var("n_to_missing", _RUN, "int", "1", "runs followed by a session without the unit", True),
    Var("return_hazard", _RUN, "float", "1", "P(on next | off for so many sessions)", True),
    Var("return_share", _RUN, "float", "1", "such returns over all runs that ended", True),
    *_with_interval("overall", (), "1", "mean excess of all runs"),
    Var("overall_p", (), "float", "1", "two-sided p of no such excess", True),
    Var("run", _RUN, "int", "1", "sessions in a row", coord=True),
)
"""Result of :func:`neurodrift.compute_run_lengths`."""

SURVIVAL = table(
    *_with_interval("survival", _DURATION, "1", "share of runs that last, seen off"),
    Var("survival_early", _DURATION, "float", "1", "the same, ended right after seen on", True),
    Var("hazard", _DURATION, "float", "1", "share of those at risk that are lost", True),
    Var("cumulative_hazard", _DURATION, "float", "1", "of Nelson and Aalen", True),
    Var("n_at_risk", _DURATION, "int", "1", "runs at risk", True),
    Var("n_lost", _DURATION, "int", "1", "runs seen to end", True),
    Var("n_censored", _DURATION, "int", "1", "runs lost from sight", True),
    *_with_interval("survival_corrected", _STEP, "1", "on in all of the next sessions"),
    Var("median", (), "float", "", "time at which half are lost", True),
    Var("loss", (), "float", "1", "chance of being lost in one step, of a chain", True),
    Var("loss_se", (), "float", "1", "its standard error over units", True),
    Var("n_runs", (), "int", "1", "runs", True),
    Var("n_unknown_onset", (), "int", "1", "runs left out, since nobody saw them begin", True),
    Var("duration", _DURATION, "float", "", "time since onset", coord=True),
    Var("step", _STEP, "int", "1", "sessions", coord=True),
)
"""Result of :func:`neurodrift.compute_survival`."""

_OF_FIELD = ("field",)
_OF_SESSION = ("session",)
_MATCHED_FIELD = ("session_a", "session_b", "unit", "direction", "field_number")
FIELD_MATCHES = table(
    Var("kept", _TWO, "float", "1", "share of fields in a that are in b, at their place", True),
    Var("moved", _TWO, "float", "1", "share of fields in a that are in b, near their place", True),
    Var("lost", _TWO, "float", "1", "share of fields in a that are not in b", True),
    Var("formed", _TWO, "float", "1", "share of fields in b that were not in a", True),
    Var("kept_chance", _TWO, "float", "1", "kept, with fields of other units", True),
    Var("matched_chance", _TWO, "float", "1", "kept or moved, with fields of other units", True),
    Var("mean_shift", _TWO, "float", "cm", "mean way of the same fields from a to b", True),
    Var("shift_sd", _TWO, "float", "cm", "standard deviation of that way over fields", True),
    Var("n_fields", _TWO, "int", "1", "fields in a, of maps looked at in both", True),
    Var("match", _MATCHED_FIELD, "int", "1", "number of the same field in b, 0 = none"),
    Var("field_shift", _MATCHED_FIELD, "float", "cm", "way of the field from a to b"),
    *(var for var in DRIFT.values() if var.name.startswith("lag")),
)
"""Result of :func:`neurodrift.match_fields`."""

FOLLOWED_FIELDS = table(
    Var("state", ("session", "field"), "float", "1", "1 on, 0 off, NaN not known", True),
    Var("x_centre", ("session", "field"), "float", "cm", "centre weighted by rate", True),
)
"""Result of :func:`neurodrift.follow_fields`."""

EARTH_MOVERS = table(
    Var("distance", _TWO, "float", "cm", "mean earth mover's distance of maps of halves", True),
    Var("distance_relative", _TWO, "float", "cm", "the same less that of halves", True),
    Var("n_maps", _TWO, "int", "1", "maps in it", True),
    *(var for var in DRIFT.values() if var.name.startswith("lag")),
)
"""Result of :func:`neurodrift.compute_earth_movers_distance`."""

LAP_SHIFTS = table(
    Var("slope", _OF_FIELD, "float", "cm/lap", "way of the centre with each lap, < 0 back", True),
    Var("slope_se", _OF_FIELD, "float", "cm/lap", "its standard error", True),
    Var("slope_p", _OF_FIELD, "float", "1", "F test of no slope", True),
    Var("moves", _OF_FIELD, "int", "1", "-1 backward, 0 not, 1 forward", True),
    Var("n_active_laps", _OF_FIELD, "int", "1", "laps with activity in the field", True),
    Var("onset", _OF_FIELD, "int", "1", "first lap with activity in the field", True),
    Var("mean_slope", _OF_SESSION, "float", "cm/lap", "mean over fields", True),
    Var("mean_slope_se", _OF_SESSION, "float", "cm/lap", "its standard error", True),
    Var("mean_slope_p", _OF_SESSION, "float", "1", "two-sided, against orders of laps", True),
    Var("fraction_backward", _OF_SESSION, "float", "1", "fields that move backward", True),
    Var("fraction_forward", _OF_SESSION, "float", "1", "fields that move forward", True),
    Var("n_fields", _OF_SESSION, "int", "1", "fields that were fitted", True),
    Var("n_cut", _OF_SESSION, "int", "1", "fields left out at an end of the track", True),
    Var("n_few", _OF_SESSION, "int", "1", "fields with too few active laps", True),
    Var("overnight_shift", _OF_SESSION, "float", "cm", "from the last lap before", True),
    Var("overnight_shift_se", _OF_SESSION, "float", "cm", "its standard error", True),
    Var("n_overnight", _OF_SESSION, "int", "1", "fields in it", True),
    Var("displacement", ("session", "lap_since_onset"), "float", "cm", "mean way by lap", True),
    Var("n_displaced", ("session", "lap_since_onset"), "int", "1", "fields in it", True),
    Var("session_index", _OF_FIELD, "int", "1", "session that the field is of", coord=True),
    Var("lap_since_onset", ("lap_since_onset",), "int", "1", "laps since onset", coord=True),
)
"""Result of :func:`neurodrift.compute_lap_shifts`."""


def _named(names: dict[str, str], rows: dict[str, Var]) -> dict[str, Var]:
    """Rows under other names, none of them required."""
    return {new: replace(rows[old], name=new, required=False) for old, new in names.items()}


TURNOVER_NODE = (
    TURNOVER
    | _named({n: f"run_{n}" for n, row in RUN_LENGTHS.items() if not row.coord}, RUN_LENGTHS)
    | _named(
        {
            n: n if n.startswith("survival") else f"survival_{n}"
            for n, row in SURVIVAL.items()
            if not row.coord and n not in ("loss", "loss_se")
        },
        SURVIVAL,
    )
    | {"run": RUN_LENGTHS["run"], "duration": SURVIVAL["duration"]}
)
"""The node ``turnover``: turnover, run lengths and survival."""

_OF_LAPS = {
    "mean_slope": "lap_slope",
    "mean_slope_se": "lap_slope_se",
    "mean_slope_p": "lap_slope_p",
    "n_fields": "n_fields_in_laps",
}
FIELDS_NODE = (
    {name: row for name, row in FIELD_MATCHES.items() if row.dims != _MATCHED_FIELD}
    | _named(
        {
            "distance": "earth_movers_distance",
            "distance_relative": "earth_movers_distance_relative",
            "n_maps": "n_maps_carried",
        },
        EARTH_MOVERS,
    )
    | _named(
        {
            name: _OF_LAPS.get(name, name)
            for name, row in LAP_SHIFTS.items()
            if "field" not in row.dims and not row.coord
        },
        LAP_SHIFTS,
    )
    | {"lap_since_onset": LAP_SHIFTS["lap_since_onset"]}
)
"""The node ``fields``: fields between sessions and from lap to lap."""

RESULTS = {
    "map_switches": MAP_SWITCHES,
    "quality": QUALITY,
    "lag": LAG,
    "place_fields": PLACE_FIELDS,
    "turnover": TURNOVER_NODE,
    "fields": FIELDS_NODE,
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
    "drift_index": DRIFT_INDEX,
    "steps": STEPS,
    "time_constant": TIME_CONSTANT,
    "relations": RELATIONS,
    "alignment": ALIGNMENT,
    "matched": MATCHED,
    "decoding": DECODING,
    "identity_sensitivity": IDENTITY_SENSITIVITY,
    "within_drift": WITHIN_DRIFT,
    "behaviour": BEHAVIOUR,
    "stable_units": STABLE_UNITS,
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

"""Public names, in the order of the docs: what is listed here is what ``neurodrift`` offers."""

# recordings
from .examples.load import load_example as load_example
from .recording import recording_from_arrays as recording_from_arrays
from .convert.own.memory import recording_from_sessions as recording_from_sessions
from .recording import select_sessions as select_sessions
from .recording import slice_sessions as slice_sessions
from .geometry.geometry import Geometry as Geometry
from .joining import join_sessions as join_sessions
from .deconvolution import deconvolve as deconvolve
from .curation import curate as curate
from .curation import read_curation as read_curation
from .io.zarr import open_recording as open_recording
from .io.zarr import save_recording as save_recording
from .io.nwb.read import import_nwb as import_nwb
from .io.nwb.store import import_to_store as import_to_store
from .convert.bridges.pynapple import from_pynapple as from_pynapple
from .convert.bridges.pynapple import to_pynapple as to_pynapple
from .convert.bridges.movement import from_movement as from_movement
from .convert.bridges.movement import to_movement as to_movement
from .convert.bridges.ratinabox import from_ratinabox as from_ratinabox
from .convert.bridges.checkpoints import recording_from_checkpoints as recording_from_checkpoints

# maps
from .analysis.maps.binning import Binning as Binning
from .analysis.maps.binning import bin_frames as bin_frames
from .analysis.maps.rate_maps import compute_rate_maps as compute_rate_maps
from .analysis.maps.smoothing import smooth_maps as smooth_maps
from .analysis.maps.rate_maps import order_by_peak as order_by_peak
from .analysis.maps.place_fields import detect_place_fields as detect_place_fields
from .analysis.maps.zones import compute_time_in_zones as compute_time_in_zones
from .analysis.maps.sparsity import compute_sparsity as compute_sparsity
from .analysis.maps.trials import compute_trial_averages as compute_trial_averages

# information
from .analysis.information.cross_fitted import (
    compute_cross_fitted_information as compute_cross_fitted_information,
)
from .analysis.information.estimates import (
    compute_spatial_information as compute_spatial_information,
)
from .analysis.information.estimates import (
    compute_spatial_information_from_maps as compute_spatial_information_from_maps,
)
from .analysis.information.estimates import compute_mutual_information as compute_mutual_information
from .analysis.information.estimates import detect_informative_units as detect_informative_units

# place cells
from .analysis.place_cells.place_cells import detect_place_cells as detect_place_cells
from .analysis.place_cells.stability import compute_map_stability as compute_map_stability
from .analysis.place_cells.stability import compare_criteria as compare_criteria
from .analysis.place_cells.shuffles import compute_null_distribution as compute_null_distribution

# drift
from .analysis.drift.drift import compute_drift as compute_drift
from .analysis.drift.ceiling import compute_half_maps as compute_half_maps
from .analysis.drift.ceiling import compute_session_drift as compute_session_drift
from .analysis.drift.attenuation import compute_relative_overlap as compute_relative_overlap
from .analysis.drift.representation import (
    compute_representation_stability as compute_representation_stability,
)
from .analysis.drift.remapping import compute_remapping as compute_remapping
from .analysis.drift.index import compute_drift_index as compute_drift_index
from .analysis.drift.time_constant import fit_time_constant as fit_time_constant
from .analysis.steps.steps import compute_steps as compute_steps
from .analysis.drift.trial_geometry import compute_drift_geometry as compute_drift_geometry
from .analysis.drift.latent import fit_latent_space as fit_latent_space
from .analysis.drift.latent import compute_latent_activity as compute_latent_activity
from .analysis.drift.latent import compute_latent_trajectories as compute_latent_trajectories

# decoding
from .analysis.decoding.across import decode_across_sessions as decode_across_sessions
from .analysis.decoding.several import (
    decode_from_several_sessions as decode_from_several_sessions,
)
from .analysis.decoding.day import decode_session as decode_session
from .analysis.decoding.sentences import describe_decoding as describe_decoding

# relations
from .analysis.relations.relations import compute_relations as compute_relations
from .analysis.relations.dissimilarity import compute_dissimilarities as compute_dissimilarities
from .analysis.alignment.alignment import compute_alignment as compute_alignment

# within a session
from .analysis.within.within import compute_within_drift as compute_within_drift
from .analysis.within.intervention import compare_around as compare_around
from .analysis.within.sentences import describe_within_drift as describe_within_drift

# behaviour, and which units are stable
from .analysis.behaviour.distance import compute_behaviour_distance as compute_behaviour_distance
from .analysis.behaviour.explain import explain_drift as explain_drift
from .analysis.behaviour.sentences import describe_behaviour as describe_behaviour
from .analysis.behaviour.tuning import compute_tuning_change as compute_tuning_change
from .analysis.stable_units.predict import predict_stability as predict_stability
from .analysis.stable_units.sentences import describe_stability as describe_stability

# survival and fields
from .analysis.survival.turnover import compute_turnover as compute_turnover
from .analysis.survival.run_lengths import compute_run_lengths as compute_run_lengths
from .analysis.survival.survival import compute_survival as compute_survival
from .analysis.survival.power import compute_test_power as compute_test_power
from .analysis.fields.matching import match_fields as match_fields
from .analysis.fields.matching import follow_fields as follow_fields
from .analysis.fields.transport import (
    compute_earth_movers_distance as compute_earth_movers_distance,
)
from .analysis.fields.lap_shifts import compute_lap_shifts as compute_lap_shifts

# footing
from .analysis.footing.matching import match_sessions as match_sessions
from .analysis.footing.measures import compute_matched_measures as compute_matched_measures

# quality
from .analysis.quality.lag import check_lag as check_lag

# identity
from .analysis.identity.registration import check_registration as check_registration
from .analysis.identity.quality import count_units as count_units
from .analysis.identity.sensitivity import (
    compute_identity_sensitivity as compute_identity_sensitivity,
)
from .analysis.identity.map_switches import detect_maps as detect_maps
from .analysis.identity.map_switches import label_maps as label_maps

# trends
from .analysis.regression.tables import tabulate_sessions as tabulate_sessions
from .analysis.regression.tables import tabulate_drift as tabulate_drift
from .analysis.regression.tables import tabulate_units as tabulate_units
from .analysis.regression.tables import pool_sessions as pool_sessions
from .analysis.regression.regression import regress as regress
from .analysis.phases.phases import detect_phases as detect_phases
from .analysis.phases.phases import describe_phases as describe_phases
from .analysis.comparison.compare import compare as compare
from .analysis.comparison.compare import describe_statements as describe_statements

# a study
from .studies.run import study as study
from .studies.multiverse import multiverse as multiverse
from .studies.conclusions import describe_multiverse as describe_multiverse
from .studies.plan import load_plan as load_plan
from .cohort.pool import pool_animals as pool_animals
from .cohort.pool import tabulate_answers as tabulate_answers
from .cohort.sentences import describe_answers as describe_answers
from .cohort.power import power as power

# which rule drifts like this
from .infer.rule import infer_rule as infer_rule
from .infer.doubt.sentences import describe_inference as describe_inference
from .infer.doubt.calibration import calibrate_inference as calibrate_inference
from .infer.report.document import write_inference_report as write_inference_report

# all of it
from .analysis.analyze import analyze as analyze
from .analysis.summary import summary as summary
from .io.zarr import open_results as open_results
from .io.zarr import save_results as save_results
from .io.node_cache import NodeCache as NodeCache
from .io.verify import verify as verify
from .io.nwb.results import export_results as export_results
from .io.tables import write_table as write_table
from .report import Report as Report
from .report import write_report as write_report
from .viewer.serve import view as view

# pictures
from .pictures import plot_maps as plot_maps
from .pictures import plot_cells as plot_cells
from .pictures import plot_drift as plot_drift
from .pictures import plot_survival as plot_survival
from .pictures import plot_fields_followed as plot_fields_followed
from .pictures import plot_series as plot_series
from .pictures import plot_decoding as plot_decoding
from .pictures import plot_within_drift as plot_within_drift
from .pictures import plot_registration as plot_registration
from .pictures import plot_comparison as plot_comparison
from .plotting.relations import plot_relations as plot_relations
from .studies.pictures import plot_multiverse as plot_multiverse
from .studies.pictures import plot_normalized_series as plot_normalized_series
from .studies.pictures import tabulate_normalized_slopes as tabulate_normalized_slopes

# which rule drifts like this
from .infer.statistics.drift import drift_statistics as drift_statistics
from .infer.observation.protocol import Observation as Observation
from .infer.observation.protocol import observation_of as observation_of
from .infer.prior.store import simulate_prior as simulate_prior
from .infer.prior.store import open_prior as open_prior
from .infer.prior.store import describe_prior as describe_prior
from .infer.plan import plan_recording as plan_recording
from .infer.plan import describe_plan as describe_plan

# modules
from . import simulate as simulate
from . import plotting as plotting
from . import catalog as catalog
from . import convert as convert
from . import geometry as geometry
from . import kinematics as kinematics
from . import schema as schema
from . import seeds as seeds
from . import testing as testing
from . import examples as examples

__version__: str

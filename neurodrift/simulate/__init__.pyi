"""Public names of simulations: what is listed here is what ``neurodrift.simulate`` offers."""

# any kind: settings, one run, sweeps
from .settings.kinds import KINDS as KINDS
from .settings.kinds import Result as Result
from .settings.kinds import Settings as Settings
from .settings.kinds import read_settings as read_settings
from .settings.kinds import register as register
from .settings.kinds import settings_from_values as settings_from_values
from .settings.kinds import simulate as simulate
from .settings.sweep import SweepConfig as SweepConfig
from .settings.sweep import read_sweep as read_sweep
from .settings.sweep import sweep_from_values as sweep_from_values
from .settings.sweep import sweep_of as sweep_of
from .store import open_measures as open_measures
from .store import open_run as open_run
from .store import save_run as save_run
from .sweep import Sweep as Sweep
from .sweep import open_sweep as open_sweep
from .sweep import run_sweep as run_sweep

# gradient descent on one task
from .gradient.settings import RunSettings as RunSettings
from .gradient.engine import sample_steps as sample_steps
from .gradient.engine import train as train
from .gradient.engine import train_ensemble as train_ensemble
from .gradient.run import Run as Run
from .gradient.networks import Network as Network
from .gradient.rules import Rule as Rule
from .gradient.task import Task as Task
from .gradient.task import task_from_arrays as task_from_arrays
from .gradient.tasks import TASKS as TASKS
from .gradient.tasks import predictive as predictive
from .gradient.tasks import random as random
from .gradient.tasks import random_autoencoder as random_autoencoder
from .gradient.tasks import smoothed as smoothed
from .gradient.tasks import smoothed_autoencoder as smoothed_autoencoder
from .gradient.track import morph_track as morph_track
from .gradient.track import predictive_track as predictive_track
from .gradient.perturb import perturb as perturb

# one task after the other
from .continual.settings import ContinualSettings as ContinualSettings
from .continual.continual import ContinualRun as ContinualRun
from .continual.continual import train_continual as train_continual
from .continual.recurrent import RecurrentNetwork as RecurrentNetwork
from .continual.trials import TrialSettings as TrialSettings
from .continual.tasks import TaskSequence as TaskSequence
from .continual.tasks import stroke_tasks as stroke_tasks
from .continual.tasks import task_sequence_from_arrays as task_sequence_from_arrays
from .continual.strokes import drawn_strokes as drawn_strokes
from .continual.strokes import read_strokes as read_strokes
from .continual.learners import LEARNERS as LEARNERS
from .continual.learners import Learner as Learner

# Hebbian similarity matching
from .hebbian.settings import HebbianSettings as HebbianSettings
from .hebbian.hebbian import HebbianRun as HebbianRun
from .hebbian.hebbian import train_hebbian as train_hebbian
from .hebbian.network import HebbianNetwork as HebbianNetwork
from .hebbian.network import HebbianRule as HebbianRule
from .hebbian.inputs import HebbianInputs as HebbianInputs
from .hebbian.inputs import place_1d as place_1d
from .hebbian.inputs import place_2d as place_2d
from .hebbian.inputs import psp as psp
from .hebbian.inputs import ring as ring

# synapses that never rest
from .synapses.oja import OjaSettings as OjaSettings
from .synapses.oja import OjaRun as OjaRun
from .synapses.oja import predict_drift_rate as predict_drift_rate
from .synapses.fluctuation import FluctuationSettings as FluctuationSettings
from .synapses.fluctuation import FluctuationRun as FluctuationRun

# curvature, flatness, time scales
from .curvature.loss_point import LossPoint as LossPoint
from .curvature.hessian import compute_published_eigenvalues as compute_published_eigenvalues
from .curvature.hessian import count_live_parameters as count_live_parameters
from .curvature.hessian import compute_hessian_matrix as compute_hessian_matrix
from .curvature.hessian import compute_hessian_spectrum as compute_hessian_spectrum
from .curvature.hessian import compute_hessian_trace as compute_hessian_trace
from .curvature.hessian import count_eigenvalues as count_eigenvalues
from .curvature.measures import compute_hessian_measures as compute_hessian_measures
from .curvature.measures import summarize_training as summarize_training
from .curvature.lanczos import estimate_curvature as estimate_curvature
from .curvature.lanczos import estimate_model_curvature as estimate_model_curvature
from .curvature.lanczos import make_hessian_product as make_hessian_product
from .curvature.manifold import predict_solution_drift as predict_solution_drift
from .curvature.held import compare_solution_drift as compare_solution_drift
from .curvature.timescale import estimate_sparsification_time as estimate_sparsification_time
from .curvature.timescale import fit_published_timescale as fit_published_timescale
from .curvature.flatness import measure_flatness_bias as measure_flatness_bias
from .curvature.flatness import predict_valley_drift as predict_valley_drift
from .curvature.landscape import Landscape as Landscape
from .curvature.landscape import descend as descend
from .curvature.landscape import valley as valley
from .curvature.laplace import Laplace as Laplace
from .curvature.laplace import compute_loss_grids as compute_loss_grids
from .curvature.laplace import compute_permuted_energy as compute_permuted_energy
from .curvature.laplace import fit_laplace as fit_laplace
from .curvature.laplace import two_minima as two_minima

"""Public names of the curvature of a loss, in the order of the docs."""

from .loss_point import LossPoint as LossPoint
from .hessian import compute_hessian_spectrum as compute_hessian_spectrum
from .hessian import compute_hessian_trace as compute_hessian_trace
from .hessian import compute_hessian_matrix as compute_hessian_matrix
from .hessian import count_eigenvalues as count_eigenvalues
from .hessian import count_live_parameters as count_live_parameters
from .hessian import compute_published_eigenvalues as compute_published_eigenvalues
from .measures import compute_hessian_measures as compute_hessian_measures
from .measures import summarize_training as summarize_training
from .timescale import estimate_sparsification_time as estimate_sparsification_time
from .timescale import fit_published_timescale as fit_published_timescale
from .lanczos import estimate_model_curvature as estimate_model_curvature
from .lanczos import estimate_curvature as estimate_curvature
from .lanczos import make_hessian_product as make_hessian_product
from .manifold import predict_solution_drift as predict_solution_drift
from .held import compare_solution_drift as compare_solution_drift
from .landscape import Landscape as Landscape
from .landscape import valley as valley
from .landscape import descend as descend
from .flatness import measure_flatness_bias as measure_flatness_bias
from .flatness import predict_valley_drift as predict_valley_drift
from .laplace import Laplace as Laplace
from .laplace import fit_laplace as fit_laplace
from .laplace import two_minima as two_minima
from .laplace import compute_loss_grids as compute_loss_grids
from .laplace import compute_permuted_energy as compute_permuted_energy

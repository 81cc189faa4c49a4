"""The posterior of rule and dose by a neural network, beside the logistic regression."""

from __future__ import annotations

import contextlib
import io
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from neurodrift.infer.classifier.runs import Runs
from neurodrift.seeds import generator

_SAMPLES = 4000
_MOST_EPOCHS = 300


@dataclass(frozen=True)
class Neural:
    """What a network says of a target.

    Parameters
    ----------
    probability
        Of each rule (rule).
    network
        Its weights as plain numbers, so that no pickle is stored.
    """

    probability: np.ndarray
    network: xr.Dataset


def fit_posterior(runs: Runs, features: np.ndarray, seen: np.ndarray, *, seed: int = 0) -> Neural:
    """Mixed neural posterior estimation of rule and dose.

    Parameters
    ----------
    runs
        The prior; runs are drawn with its weights, so that every rule is as likely as any other.
    features
        (run, statistic).
    seen
        Those of the target (statistic).
    seed
        Names the random streams; equal seeds give equal results on one machine.

    Returns
    -------
    Neural
        Probabilities are shares of 4,000 samples, with one more of each rule.

    Raises
    ------
    ImportError
        If sbi is missing.

    Notes
    -----
    The rule is a discrete parameter and the logarithm of the dose, 0 where a rule has none, a
    continuous one (MNPE of sbi, Boelts et al. 2025).

    References
    ----------
    https://doi.org/10.21105/joss.07754
    """
    trainer = _trainer()
    import torch

    stream = generator(seed, "infer", "sbi")
    drawn = stream.choice(runs.rule.size, runs.rule.size, p=runs.weight / runs.weight.sum())
    parameters = np.stack([_log_dose(runs), runs.number], axis=1)[drawn]
    with (
        torch.random.fork_rng(devices=[]),
        warnings.catch_warnings(),
        contextlib.redirect_stdout(io.StringIO()),  # sbi says when it is done
    ):
        warnings.simplefilter("ignore")  # of sbi about its own parts
        torch.manual_seed(int(stream.integers(2**31)))
        model = trainer(tracker=_Silent(), show_progress_bars=False)
        model.append_simulations(_tensor(parameters), _tensor(features[drawn]))
        estimator = model.train(max_num_epochs=_MOST_EPOCHS)
        with torch.no_grad():
            samples = estimator.sample(torch.Size((_SAMPLES,)), condition=_tensor(seen[None]))
    n_rules = len(runs.rules)
    counts = np.bincount(samples[:, 0, -1].numpy().astype(int), minlength=n_rules)
    return Neural((counts + 1) / (_SAMPLES + n_rules), _weights(estimator, runs.digest))


def _weights(estimator: Any, digest: str) -> xr.Dataset:
    """All numbers of a network, laid end to end."""
    arrays = {name: array.numpy() for name, array in estimator.state_dict().items()}
    flat = np.concatenate([array.ravel().astype(float) for array in arrays.values()])
    shapes = ["x".join(map(str, array.shape)) for array in arrays.values()]
    return xr.Dataset(
        {
            "weight": ("number", flat),
            "shape": ("tensor", np.array(shapes, dtype=object)),
        },
        coords={"tensor": np.array(list(arrays), dtype=object)},
        attrs={"prior_digest": digest, "method": "sbi MNPE"},
    )


def _log_dose(runs: Runs) -> np.ndarray:
    dose = runs.parameters.get("dose", np.full(runs.rule.size, np.nan))
    known = np.isfinite(dose) & (dose > 0)
    found = np.zeros(dose.size)
    if known.any():
        logs = np.log10(dose[known])
        found[known] = (logs - logs.mean()) / max(float(logs.std()), 1e-9)
    return found


def _tensor(values: np.ndarray) -> Any:
    import torch

    return torch.tensor(values, dtype=torch.float32)


def _trainer() -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from sbi.inference import MNPE
    except ImportError as error:
        raise ImportError('method="sbi" needs sbi: pip install "neurodrift[inference]"') from error
    return MNPE


class _Silent:
    """Keeps no log: sbi's own writes files into the working directory."""

    log_dir = None

    def log_metric(self, *_: Any, **__: Any) -> None:
        """Nothing."""

    log_metrics = log_params = add_figure = log_metric

    def flush(self) -> None:
        """Nothing."""

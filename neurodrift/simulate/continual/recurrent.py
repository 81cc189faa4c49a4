"""The leaky recurrent network that classifies sequences: activity, loss and its gradients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurodrift.seeds import generator

# "W" (unit + input, unit): recurrent weights above input weights; "C" (unit, output)
Weights = dict[str, np.ndarray]


@dataclass(frozen=True, kw_only=True)
class RecurrentNetwork:
    r"""A recurrent network of rectified units with leak and process noise [1]_.

    Parameters
    ----------
    n_units
        Recurrent units.
    leak
        Share :math:`a` of the new activity in a step, the time step over the time constant. 1 is
        the network of the note's equation 1, which does not learn these tasks.
    process_noise
        Scale of the noise: its standard deviation is ``process_noise * sqrt(2 / leak)``.
    recurrent_scale
        Scale of the random orthogonal recurrent weights at the start.

    Raises
    ------
    ValueError
        If an option is impossible.

    Notes
    -----
    .. math::

        h_t = A^T r_{t-1} + B^T x_t + \xi_t, \quad
        r_t = (1 - a) r_{t-1} + a \max(h_t, 0), \quad y_t = C^T r_t

    from :math:`r_0 = 0`, without biases. At the start A is ``recurrent_scale`` times a random
    orthogonal matrix, B normal with variance 1 / inputs, C uniform within
    :math:`\pm 1 / \sqrt{\text{outputs} \cdot \text{units}}`.

    References
    ----------
    .. [1] T.-C. Kao, K. T. Jensen, G. M. van de Ven, A. Bernacchia, G. Hennequin (2021), "Natural
       continual learning", NeurIPS, https://doi.org/10.48550/arXiv.2106.08085

    Examples
    --------
    >>> from neurodrift.simulate.continual.recurrent import RecurrentNetwork
    >>> weights = RecurrentNetwork(n_units=3).initial_weights(n_inputs=2, n_outputs=2, seed=0)
    >>> weights["W"].shape, weights["C"].shape
    ((5, 3), (3, 2))
    """

    n_units: int = 30
    leak: float = 0.2
    process_noise: float = 0.05
    recurrent_scale: float = 0.5

    def __post_init__(self) -> None:
        faults = []
        if self.n_units < 1:
            faults.append(f"n_units is {self.n_units}, expected at least 1")
        if not 0 < self.leak <= 1:
            faults.append(f"leak is {self.leak}, expected above 0 and at most 1")
        for name in ("process_noise", "recurrent_scale"):
            if not 0 <= getattr(self, name) < np.inf:
                faults.append(f"{name} is {getattr(self, name)}, expected 0 or more")
        if faults:
            raise ValueError("no recurrent network: " + "; ".join(faults))

    @property
    def noise_sd(self) -> float:
        """Standard deviation of the process noise."""
        return float(self.process_noise * np.sqrt(2 / self.leak))

    def initial_weights(self, n_inputs: int, n_outputs: int, seed: int) -> Weights:
        """Random weights to start from.

        Parameters
        ----------
        n_inputs
            Input channels, the cue among them.
        n_outputs
            Outputs.
        seed
            Seed.

        Returns
        -------
        dict of numpy.ndarray
            ``W`` and ``C``, float64.
        """
        rng = generator(seed, "recurrent weights")
        n = self.n_units
        q, r = np.linalg.qr(rng.standard_normal((n, n)))
        recurrent = self.recurrent_scale * q * np.sign(np.diag(r))
        from_input = rng.standard_normal((n_inputs, n)) / np.sqrt(n_inputs)
        readout = rng.uniform(-1, 1, (n, n_outputs)) / np.sqrt(n_outputs * n)
        return {"W": np.concatenate([recurrent, from_input]), "C": readout}


@dataclass(frozen=True, eq=False, kw_only=True)
class Batch:
    """Trials as the network sees them.

    Parameters
    ----------
    inputs
        (row, input) channels with their noise, then the cue; the last rows of a trial are the
        steps that are read.
    noise
        (row, unit) process noise, or None.
    offsets
        (trial + 1) rows.
    labels
        (trial) class.
    head
        (trial) output of class 0.
    n_classes
        (trial) outputs from `head` on that take part.
    n_read
        Steps at the end of each trial that are read.
    """

    inputs: np.ndarray
    noise: np.ndarray | None
    offsets: np.ndarray
    labels: np.ndarray
    head: np.ndarray
    n_classes: np.ndarray
    n_read: int

    @property
    def read_rows(self) -> np.ndarray:
        """(trial, step) rows that are read."""
        return self.offsets[1:, None] + np.arange(-self.n_read, 0)

    @property
    def columns(self) -> np.ndarray:
        """(trial, class) outputs of the classes, as many as the task with the most has."""
        return self.head[:, None] + np.arange(self.n_classes.max())

    @property
    def absent(self) -> np.ndarray:
        """(trial, class) classes that the trial's task does not have."""
        return np.arange(self.n_classes.max()) >= self.n_classes[:, None]


@dataclass(frozen=True, eq=False)
class Activity:
    """What the network does on a batch: all (row, unit)."""

    current: np.ndarray
    before: np.ndarray
    after: np.ndarray


def run_network(network: RecurrentNetwork, weights: Weights, batch: Batch) -> Activity:
    """Activity of the network.

    Parameters
    ----------
    network
        Its leak.
    weights
        Its weights, of the precision of the batch.
    batch
        Trials.

    Returns
    -------
    Activity
        Currents and activity, (row, unit).
    """
    from neurodrift.simulate.continual import _kernels as kernels

    n = network.n_units
    drive = batch.inputs @ weights["W"][n:]
    if batch.noise is not None:
        drive += batch.noise
    current, before, after = (np.empty_like(drive) for _ in range(3))
    recurrent = np.ascontiguousarray(weights["W"][:n])
    kernels.run_forward(drive, recurrent, batch.offsets, network.leak, current, before, after)
    return Activity(current, before, after)


def log_probabilities(weights: Weights, batch: Batch, activity: Activity) -> np.ndarray:
    """Logarithm of the probability of each class in each step that is read.

    Parameters
    ----------
    weights, batch, activity
        The network, its trials and its activity on them.

    Returns
    -------
    numpy.ndarray
        (trial, step, class); -inf for a class that the trial's task does not have.
    """
    read = activity.after[batch.read_rows]
    outputs = np.take_along_axis(read @ weights["C"], batch.columns[:, None, :], axis=2)
    outputs = np.where(batch.absent[:, None, :], -np.inf, outputs)
    outputs -= outputs.max(axis=2, keepdims=True)
    return outputs - np.log(np.exp(outputs).sum(axis=2, keepdims=True))


@dataclass(frozen=True, eq=False)
class Errors:
    """Gradients of each trial's loss: `current` (row, unit), `output` (trial, step, output)."""

    current: np.ndarray
    output: np.ndarray


def propagate_back(
    network: RecurrentNetwork,
    weights: Weights,
    batch: Batch,
    activity: Activity,
    log_p: np.ndarray,
    targets: np.ndarray,
    trial_weights: np.ndarray | None = None,
) -> Errors:
    """Errors of currents and outputs.

    Parameters
    ----------
    network, weights, batch, activity
        The network, its trials and its activity on them.
    log_p
        Of :func:`log_probabilities`.
    targets
        (trial, step) class that counts as right.
    trial_weights
        (trial) what the loss of each trial is multiplied by; 1 when omitted.

    Returns
    -------
    Errors
        Of the summed loss.
    """
    from neurodrift.simulate.continual import _kernels as kernels

    wrong = np.exp(log_p)
    np.put_along_axis(
        wrong, targets[..., None], np.take_along_axis(wrong, targets[..., None], 2) - 1, 2
    )
    if trial_weights is not None:
        wrong *= trial_weights[:, None, None]
    output = np.zeros((*wrong.shape[:2], weights["C"].shape[1]), wrong.dtype)
    np.put_along_axis(output, np.broadcast_to(batch.columns[:, None, :], wrong.shape), wrong, 2)
    read = np.ascontiguousarray(output @ weights["C"].T)
    current = np.empty_like(activity.current)
    transposed = np.ascontiguousarray(weights["W"][: network.n_units].T)
    kernels.run_backward(read, transposed, batch.offsets, network.leak, activity.current, current)
    return Errors(current, output)


def loss_and_gradient(
    network: RecurrentNetwork,
    weights: Weights,
    batch: Batch,
    trial_weights: np.ndarray | None = None,
) -> tuple[float, Weights]:
    r"""Cross-entropy summed over the steps that are read, and its gradient.

    Parameters
    ----------
    network, weights, batch
        The network and its trials.
    trial_weights
        (trial) weight of each trial; 1 / trials when omitted, so that the loss is the mean.

    Returns
    -------
    loss : float
        :math:`-\sum_i w_i \sum_t \log p(\text{class}_i \mid r_t)`.
    gradient : dict of numpy.ndarray
        Of ``W`` and ``C``.
    """
    n_trials = len(batch.labels)
    each = np.full(n_trials, 1 / n_trials) if trial_weights is None else trial_weights
    each = each.astype(batch.inputs.dtype)
    activity = run_network(network, weights, batch)
    log_p = log_probabilities(weights, batch, activity)
    targets = np.repeat(batch.labels[:, None], batch.n_read, axis=1)
    right = np.take_along_axis(log_p, targets[..., None], 2)[..., 0]
    errors = propagate_back(network, weights, batch, activity, log_p, targets, each)
    n = network.n_units
    gradient_w = np.empty_like(weights["W"])
    gradient_w[:n] = activity.before.T @ errors.current
    gradient_w[n:] = batch.inputs.T @ errors.current
    read = activity.after[batch.read_rows].reshape(-1, n)
    gradient_c = read.T @ errors.output.reshape(len(read), -1)
    return float(-(right.sum(axis=1) @ each)), {"W": gradient_w, "C": gradient_c}

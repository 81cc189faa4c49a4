"""Learning rules and their noises: what is done to the weights in one training step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any, Literal, get_args

import numpy as np

RuleName = Literal["sgd", "adam", "rmsprop", "sed"]
LabelNoise = Literal["gaussian", "uniform"]
PerturbedLoss = Literal["same", "clean"]

LEARNING_RATES = {"sgd": 0.1, "adam": 1e-3, "rmsprop": 1e-3, "sed": 1.0}
"""Learning rate of each rule when none is given; published values but for RMSprop."""

Arrays = dict[str, Any]


@dataclass(frozen=True)
class Rule:
    r"""A learning rule with its noises.

    Parameters
    ----------
    name
        ``sgd``, ``adam``, ``rmsprop`` or ``sed`` (stochastic error descent).
    learning_rate
        :math:`\eta`; :data:`LEARNING_RATES` of the rule when omitted.
    update_noise
        :math:`\sigma`, standard deviation of the normal noise added to every entry of the
        gradient. It is *inside* the learning rate, as in the published code: by SGD a weight jumps
        with a standard deviation of :math:`\eta\sigma` in every step. Not for SED, which is noise.
    label_noise
        Scale of the noise added to every entry of the targets, drawn anew in every step.
    label_noise_kind
        ``gaussian``: the scale is the standard deviation, as the paper [1]_ says. ``uniform``: the
        scale is the full width, a standard deviation of scale :math:`/\sqrt{12}`, as in the
        published code and tables.
    input_noise
        Standard deviation of normal noise on every entry of the inputs, drawn anew in every step.
    batch_size
        Samples in one step, drawn without replacement until all have been used (the last batch of
        a pass may be smaller). All samples when omitted; the published code reads this option but
        always uses all samples.
    momentum
        Share of the last step's change that SGD makes again, as torch does. Slow changes are those
        of plain descent with the learning rate over 1 less the momentum.
    betas
        Adam's decay of the mean and of the mean square of the gradient.
    decay
        RMSprop's decay of the mean square of the gradient.
    epsilon
        What Adam and RMSprop add to the root of the mean square.
    perturbation
        SED's standard deviation of the weights' perturbation, before it is divided by the root of
        the array's first dimension.
    node_dropout
        Probability p that a unit of the recorded layer is left out, drawn anew for every unit,
        sample and step; the others are divided by 1 - p. Measures, snapshots and recordings are
        of the whole network. Not for SED.
    perturbed_loss
        Targets by which SED judges the perturbed weights: the ``same`` noisy ones as the weights
        themselves, or ``clean`` ones, as in the published code. Without label noise no difference.

    Raises
    ------
    ValueError
        If an option is impossible; all faults are named.

    Notes
    -----
    With the gradient :math:`g` of the mean squared error and :math:`\xi \sim N(0, 1)`,

    .. math::

       \text{SGD:}\quad & v \leftarrow \mu v + g + \sigma \xi, \quad
         \theta \leftarrow \theta - \eta v, \text{ with momentum } \mu \\
       \text{SED:}\quad & \theta \leftarrow \theta - \eta \zeta \,
         [L(\theta + \zeta) - L(\theta)], \quad
         \zeta \sim N\big(0, \epsilon_p^2 / n_1\big)

    where :math:`n_1` is the first dimension of the array (hidden units of W and b, outputs of V).
    SED is not divided by the variance of its perturbation, so to first order it moves by
    :math:`-\eta \epsilon_p^2/n_1 \, g` on average. Adam and RMSprop are torch's, applied to the
    gradient with its noise. Noise is drawn in single precision, as in the published code.

    One side effect of the published code is not reproduced: after each sample of the Hessian it
    takes one step of about twice the gradient (101 of 10\ :sup:`6` to 10\ :sup:`7` steps).

    References
    ----------
    .. [1] Ratzon, Derdikman & Barak (2024), "Representational drift as a result of implicit
       regularization", eLife 12:RP90069. https://doi.org/10.7554/eLife.90069

    Examples
    --------
    >>> from neurodrift.simulate.gradient.rules import Rule
    >>> Rule("adam", update_noise=0.01).learning_rate
    0.001
    """

    name: RuleName = "sgd"
    _: KW_ONLY
    learning_rate: float | None = None
    update_noise: float = 0.0
    label_noise: float = 0.0
    label_noise_kind: LabelNoise = "gaussian"
    input_noise: float = 0.0
    batch_size: int | None = None
    momentum: float = 0.0
    betas: tuple[float, float] = (0.9, 0.999)
    decay: float = 0.99
    epsilon: float = 1e-8
    perturbation: float = 0.1
    perturbed_loss: PerturbedLoss = "same"
    node_dropout: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "betas", tuple(self.betas))
        faults = []
        choices = {
            "name": RuleName,
            "label_noise_kind": LabelNoise,
            "perturbed_loss": PerturbedLoss,
        }
        for field, choice in choices.items():
            if getattr(self, field) not in get_args(choice):
                faults.append(f"{field} is {getattr(self, field)!r}, expected {get_args(choice)}")
        if self.learning_rate is None:
            object.__setattr__(self, "learning_rate", LEARNING_RATES.get(self.name, 0.0))
        numbers = ["learning_rate", "update_noise", "label_noise", "input_noise"]
        for field in [*numbers, "epsilon", "perturbation"]:
            value = getattr(self, field)
            if not _is_number(value) or value < 0:
                faults.append(f"{field} is {value!r}, expected a finite number of at least 0")
        if len(self.betas) != 2 or not all(
            _is_number(value) and 0 <= value < 1 for value in (*self.betas, self.decay)
        ):
            faults.append(
                f"betas are {self.betas!r} and decay is {self.decay!r}, expected two numbers and "
                "one from 0 to below 1"
            )
        if not _is_number(self.momentum) or not 0 <= self.momentum < 1:
            faults.append(f"momentum is {self.momentum!r}, expected from 0 to below 1")
        elif self.momentum and self.name != "sgd":
            faults.append(f"momentum is for 'sgd', not for {self.name!r}")
        size = self.batch_size
        if size is not None and (not isinstance(size, int | np.integer) or size < 1):
            faults.append(f"batch_size is {size!r}, expected a whole number of at least 1")
        if not _is_number(self.node_dropout) or not 0 <= self.node_dropout < 1:
            faults.append(f"node_dropout is {self.node_dropout!r}, expected from 0 to below 1")
        elif self.name == "sed" and self.node_dropout:
            faults.append("node_dropout is for rules with a gradient, not for 'sed'")
        if self.name == "sed" and self.update_noise:
            faults.append(
                "update_noise is for rules with a gradient; the noise of 'sed' is its perturbation"
            )
        if faults:
            raise ValueError("not a learning rule: " + "; ".join(faults))

    @property
    def rate(self) -> float:
        """The learning rate, never None."""
        assert self.learning_rate is not None
        return self.learning_rate


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and bool(np.isfinite(value))


def start(rule: Rule, parameters: Mapping[str, Any]) -> dict[str, Arrays]:
    """What a rule remembers from step to step, before the first one.

    Parameters
    ----------
    rule
        A learning rule.
    parameters
        Arrays by name, NumPy or torch.

    Returns
    -------
    dict
        ``mean`` and ``square`` of the gradient by name, as far as the rule needs them; with
        momentum the ``mean`` is the sum of what is left of the gradients.
    """
    kept = {"adam": ("mean", "square"), "rmsprop": ("square",)}.get(rule.name, ())
    kept = ("mean",) if rule.momentum else kept
    return {key: {name: array * 0 for name, array in parameters.items()} for key in kept}


def step(
    rule: Rule,
    parameters: Mapping[str, Any],
    gradients: Mapping[str, Any],
    memory: Mapping[str, Arrays],
    count: int,
    *,
    learning_rate: Any = None,
) -> tuple[Arrays, dict[str, Arrays]]:
    """One step of SGD, Adam or RMSprop; nothing is changed in place.

    Parameters
    ----------
    rule
        The learning rule.
    parameters, gradients
        Arrays by name, NumPy or torch; gradients with their noise.
    memory
        From :func:`start` or the step before.
    count
        Number of steps taken before this one.
    learning_rate
        Instead of the rule's own; for networks side by side a function of a parameter's name, an
        array that broadcasts against it.

    Returns
    -------
    parameters : dict
        After the step.
    memory : dict
        After the step.

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift.simulate.gradient.rules import Rule, start, step
    >>> theta = {"W": np.ones(2)}
    >>> rule = Rule("sgd", learning_rate=0.5)
    >>> step(rule, theta, {"W": np.array([1.0, -1.0])}, start(rule, theta), 0)[0]["W"].tolist()
    [0.5, 1.5]
    """
    rates = {
        name: rule.rate if learning_rate is None else learning_rate[name] for name in parameters
    }
    if rule.momentum:
        kept = {n: rule.momentum * v + gradients[n] for n, v in memory["mean"].items()}
        return {n: p - rates[n] * kept[n] for n, p in parameters.items()}, {"mean": kept}
    if rule.name == "sgd":
        return {name: p - rates[name] * gradients[name] for name, p in parameters.items()}, {}
    if rule.name == "rmsprop":
        square = {
            name: rule.decay * v + (1 - rule.decay) * gradients[name] ** 2
            for name, v in memory["square"].items()
        }
        moved = {
            name: p - rates[name] * gradients[name] / (square[name] ** 0.5 + rule.epsilon)
            for name, p in parameters.items()
        }
        return moved, {"square": square}
    if rule.name != "adam":
        raise ValueError(f"rule {rule.name!r} takes no gradient; use descend_error")
    beta_1, beta_2 = rule.betas
    mean = {n: beta_1 * m + (1 - beta_1) * gradients[n] for n, m in memory["mean"].items()}
    square = {n: beta_2 * v + (1 - beta_2) * gradients[n] ** 2 for n, v in memory["square"].items()}
    first, second = 1 - beta_1 ** (count + 1), (1 - beta_2 ** (count + 1)) ** 0.5
    moved = {
        n: p - rates[n] / first * mean[n] / (square[n] ** 0.5 / second + rule.epsilon)
        for n, p in parameters.items()
    }
    return moved, {"mean": mean, "square": square}


def descend_error(
    parameters: Mapping[str, Any],
    perturbations: Mapping[str, Any],
    difference: Any,
    *,
    learning_rate: Any,
) -> Arrays:
    """One step of stochastic error descent; nothing is changed in place.

    Parameters
    ----------
    parameters, perturbations
        Arrays by name, NumPy or torch.
    difference
        Loss with the perturbation minus loss without it; for networks side by side a dict of
        arrays that broadcast against the parameters.
    learning_rate
        A number, or such a dict.

    Returns
    -------
    dict
        Parameters after the step.
    """

    def pick(value: Any, name: str) -> Any:
        return value[name] if isinstance(value, Mapping) else value

    return {
        name: p - pick(learning_rate, name) * perturbations[name] * pick(difference, name)
        for name, p in parameters.items()
    }

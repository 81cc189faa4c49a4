"""Networks with a hidden layer to record from: how they are built, started and run forward."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from neurodrift.seeds import generator

if TYPE_CHECKING:
    import torch

Regime = Literal["rich", "lazy"]


@dataclass(frozen=True)
class Network:
    r"""What kind of network is trained.

    Parameters
    ----------
    n_hidden
        Units in a hidden layer.
    regime
        Scale of the output weights at the start, in the naming of the publication [1]_:
        ``rich``, variance 2/H, or ``lazy``, standard deviation 2/H (H: hidden units). The smaller
        output weights are called lazy there; elsewhere the two words are used the other way round.
    activation
        A name in :data:`ACTIVATIONS`, or a function from a torch tensor to one.
    depth
        Number of hidden layers, each of `n_hidden` units.
    module
        Function of the numbers of inputs and outputs that makes a :class:`torch.nn.Module`, to
        train that instead of the built-in network; the four options above are then not used.
        Its forward pass maps (sample, feature) to (sample, output). The module must draw nothing
        (no dropout in training), keep no running statistics (no batch norm in training), and have
        no operation that torch cannot batch over networks (GRU, LSTM, branches on values): one step
        is tried before training. What in it is not trainable is made with seed 0, the same in
        every run.
    hidden_layer
        Name of the submodule whose output is recorded: of the user's module, or ``hidden1``,
        ``hidden2``, ... of the built-in network (the last one when omitted).

    Raises
    ------
    ValueError
        If an option is impossible.

    Notes
    -----
    The built-in network is :math:`o = V \phi(W x + b)`, without an output bias. Further hidden
    layers come between, :math:`h_{l+1} = \phi(W_{l+1} h_l + b_{l+1})`.

    References
    ----------
    .. [1] Ratzon, Derdikman & Barak (2024), "Representational drift as a result of implicit
       regularization", eLife 12:RP90069. https://doi.org/10.7554/eLife.90069

    Examples
    --------
    >>> from neurodrift.simulate.gradient.networks import Network
    >>> Network(n_hidden=500, regime="lazy").hidden_layer
    'hidden1'
    """

    _: KW_ONLY
    n_hidden: int = 100
    regime: Regime = "rich"
    activation: str | Callable[[Any], Any] = "relu"
    depth: int = 1
    module: Callable[[int, int], torch.nn.Module] | None = None
    hidden_layer: str | None = None

    def __post_init__(self) -> None:
        faults = []
        for name in ("n_hidden", "depth"):
            value = getattr(self, name)
            if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < 1:
                faults.append(f"{name} is {value!r}, expected a whole number of at least 1")
        if self.regime not in get_args(Regime):
            faults.append(f"regime is {self.regime!r}, expected 'rich' or 'lazy'")
        if not callable(self.activation) and self.activation not in ACTIVATIONS:
            faults.append(
                f"activation is {self.activation!r}, expected a function or one of "
                + ", ".join(ACTIVATIONS)
            )
        if self.module is not None and self.hidden_layer is None:
            faults.append(
                "a module needs hidden_layer, the name of the submodule to record from "
                "(one of dict(module.named_modules()))"
            )
        if faults:
            raise ValueError("not a network: " + "; ".join(faults))
        if self.hidden_layer is None:
            object.__setattr__(self, "hidden_layer", f"hidden{self.depth}")

    @property
    def is_published(self) -> bool:
        """Whether it is the published network: one hidden layer of ReLU units."""
        return self.module is None and self.depth == 1 and self.activation == "relu"

    def n_parameters(self, n_inputs: int, n_outputs: int) -> int:
        """Number of weights and biases of the built-in network.

        Parameters
        ----------
        n_inputs, n_outputs
            Numbers of inputs and outputs.

        Returns
        -------
        int
            All layers together.

        Examples
        --------
        >>> from neurodrift.simulate.gradient.networks import Network
        >>> Network().n_parameters(20, 10)
        3100
        """
        between = (self.depth - 1) * (self.n_hidden + 1)
        return self.n_hidden * (n_inputs + 1 + between + n_outputs)


def initialise(
    n_inputs: int,
    n_hidden: int,
    n_outputs: int,
    *,
    regime: Regime = "rich",
    depth: int = 1,
    seed: int = 0,
) -> dict[str, np.ndarray]:
    r"""Weights of a built-in network at the start of training.

    Parameters
    ----------
    n_inputs, n_hidden, n_outputs
        Sizes of the layers.
    regime
        ``rich`` or ``lazy`` output weights, see :class:`Network`.
    depth
        Number of hidden layers.
    seed
        Seed of the weights.

    Returns
    -------
    dict of numpy.ndarray
        ``W`` (hidden, feature), ``b`` (hidden) and ``V`` (output, hidden); ``W1``, ``b1``,
        ``W2``, ... and ``V`` if there are several hidden layers.

    Notes
    -----
    Weights and biases of a hidden layer are normal with variance 2/(inputs of the layer), biases
    too; output weights have variance 2/H (``rich``) or standard deviation 2/H (``lazy``). This is
    what the published code draws, though not with its generator.

    Examples
    --------
    >>> from neurodrift.simulate.gradient.networks import initialise
    >>> {name: array.shape for name, array in initialise(20, 100, 5).items()}
    {'W': (100, 20), 'b': (100,), 'V': (5, 100)}
    """
    draw = generator(seed, "weights")
    weights = {}
    width = n_inputs
    for layer in range(1, depth + 1):
        suffix = "" if depth == 1 else str(layer)
        sd = np.sqrt(2 / width)
        weights[f"W{suffix}"] = draw.normal(0, sd, (n_hidden, width))
        weights[f"b{suffix}"] = draw.normal(0, sd, n_hidden)
        width = n_hidden
    sd = np.sqrt(2 / n_hidden) if regime == "rich" else 2 / n_hidden
    weights["V"] = draw.normal(0, sd, (n_outputs, n_hidden))
    return weights


def initial_weights(
    network: Network, n_inputs: int, n_outputs: int, seed: int
) -> dict[str, np.ndarray]:
    """Weights of any network at the start of training, float64.

    Parameters
    ----------
    network
        The kind of network.
    n_inputs, n_outputs
        Sizes of the first and the last layer.
    seed
        Seed of the weights. A user's module is made with torch's global generator seeded from it.

    Returns
    -------
    dict of numpy.ndarray
        Every trainable array by name.
    """
    if network.module is None:
        return initialise(
            n_inputs,
            network.n_hidden,
            n_outputs,
            regime=network.regime,
            depth=network.depth,
            seed=seed,
        )
    import torch

    module = build(network, n_inputs, n_outputs, seed=seed)
    return {
        name: value.detach().cpu().to(torch.float64).numpy().copy()
        for name, value in module.named_parameters()
        if value.requires_grad
    }


def build(network: Network, n_inputs: int, n_outputs: int, *, seed: int = 0) -> torch.nn.Module:
    """Make the torch module of a network.

    Parameters
    ----------
    network
        The kind of network.
    n_inputs, n_outputs
        Sizes of the first and the last layer.
    seed
        Seed of torch's global generator while a user's module is made.

    Returns
    -------
    torch.nn.Module
        Its parameters are named as in :func:`initialise` (zeros, until they are set) or are the
        user's own.

    Raises
    ------
    ValueError
        If the layer to record from is not there.
    """
    import torch

    if network.module is not None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(generator(seed, "weights").integers(2**63)))
            module = network.module(n_inputs, n_outputs)
    else:
        module = _perceptron(network, n_inputs, n_outputs)
    if not isinstance(module, torch.nn.Module):
        raise TypeError(f"module made a {type(module).__name__}, expected a torch.nn.Module")
    names = [name for name, _ in module.named_modules() if name]
    if network.hidden_layer not in names:
        raise ValueError(
            f"the network has no layer {network.hidden_layer!r} to record from; it has "
            + ", ".join(map(repr, names))
        )
    return module


def _perceptron(network: Network, n_inputs: int, n_outputs: int) -> torch.nn.Module:
    import torch

    if callable(network.activation):
        function = network.activation
    elif network.activation == "linear":
        function = torch.nn.Identity()
    else:
        function = getattr(torch.nn.functional, network.activation)

    class Hidden(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return function(x)

    class Perceptron(torch.nn.Module):
        V: torch.Tensor

        def __init__(self) -> None:
            super().__init__()
            shapes = initialise(n_inputs, network.n_hidden, n_outputs, depth=network.depth)
            for name, array in shapes.items():
                setattr(self, name, torch.nn.Parameter(torch.zeros(array.shape)))
            for layer in range(1, network.depth + 1):
                setattr(self, f"hidden{layer}", Hidden())

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            for layer in range(1, network.depth + 1):
                suffix = "" if network.depth == 1 else str(layer)
                W, b = getattr(self, f"W{suffix}"), getattr(self, f"b{suffix}")
                x = getattr(self, f"hidden{layer}")(torch.nn.functional.linear(x, W, b))
            return torch.nn.functional.linear(x, self.V)

    return Perceptron()


def with_hidden(module: torch.nn.Module, hidden_layer: str) -> Callable[..., Any]:
    """Function of parameters and inputs that gives the outputs and the recorded layer.

    Parameters
    ----------
    module
        A network; a hook that keeps the layer's output is put on it.
    hidden_layer
        Name of the submodule to record from.

    Returns
    -------
    Callable
        ``f(parameters, inputs, mask=None) -> (outputs, hidden)`` with hidden flattened to
        (sample, unit); it may be mapped over networks by :func:`torch.vmap`. The mask multiplies
        the recorded layer (sample, unit) on its way to the outputs.
    """
    import torch

    kept: list[torch.Tensor] = []
    masks: list[torch.Tensor] = []

    def keep(_: torch.nn.Module, __: Any, output: torch.Tensor) -> torch.Tensor:
        if masks:
            output = output * masks[0].reshape(output.shape)
        kept[:] = [output]
        return output

    dict(module.named_modules())[hidden_layer].register_forward_hook(keep)

    def run(
        parameters: Any, inputs: torch.Tensor, mask: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        masks[:] = [] if mask is None else [mask]
        outputs = torch.func.functional_call(module, parameters, (inputs,))
        if not kept:
            raise ValueError(f"layer {hidden_layer!r} takes no part in the forward pass")
        hidden = kept.pop()
        if not isinstance(hidden, torch.Tensor):
            raise TypeError(
                f"layer {hidden_layer!r} gives a {type(hidden).__name__}, expected one tensor: put "
                "an Identity after it and record from that"
            )
        return outputs, hidden.flatten(1)

    return run


def forward(
    network: Network, weights: Mapping[str, np.ndarray], inputs: np.ndarray, n_outputs: int
) -> tuple[np.ndarray, np.ndarray]:
    """Outputs and hidden activity of a network, without noise.

    Parameters
    ----------
    network
        The kind of network.
    weights
        Every trainable array by name.
    inputs
        (sample, feature).
    n_outputs
        Number of outputs.

    Returns
    -------
    outputs : numpy.ndarray
        (sample, output).
    hidden : numpy.ndarray
        (sample, unit), in the precision of the weights.

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift.simulate.gradient.networks import Network, forward, initialise
    >>> outputs, hidden = forward(Network(), initialise(3, 100, 2), np.ones((4, 3)), 2)
    >>> outputs.shape, hidden.shape
    ((4, 2), (4, 100))
    """
    if network.is_published:
        x = inputs.astype(weights["W"].dtype)
        hidden = np.maximum(x @ weights["W"].T + weights["b"], 0)
        return hidden @ weights["V"].T, hidden
    import torch

    parameters = {name: torch.as_tensor(np.array(array)) for name, array in weights.items()}
    dtype = next(iter(parameters.values())).dtype
    module = build(network, inputs.shape[1], n_outputs).to(dtype)
    assert network.hidden_layer is not None
    with torch.no_grad():
        outputs, hidden_tensor = with_hidden(module, network.hidden_layer)(
            parameters, torch.as_tensor(inputs, dtype=dtype)
        )
    return outputs.numpy(), hidden_tensor.numpy()


Derivatives = tuple[np.ndarray, np.ndarray, np.ndarray]


def _relu(a: np.ndarray) -> Derivatives:
    return np.maximum(a, 0.0), (a > 0).astype(float), np.zeros_like(a)


def _leaky_relu(a: np.ndarray) -> Derivatives:
    slope = np.where(a > 0, 1.0, 0.01)
    return a * slope, slope, np.zeros_like(a)


def _linear(a: np.ndarray) -> Derivatives:
    return a, np.ones_like(a), np.zeros_like(a)


def _tanh(a: np.ndarray) -> Derivatives:
    h = np.tanh(a)
    return h, 1 - h**2, -2 * h * (1 - h**2)


def _sigmoid(a: np.ndarray) -> Derivatives:
    from scipy.special import expit

    h = expit(a)
    slope = h * expit(-a)
    return h, slope, slope * (1 - 2 * h)


def _gelu(a: np.ndarray) -> Derivatives:
    from scipy.special import ndtr

    density = np.exp(-(a**2) / 2) / np.sqrt(2 * np.pi)
    return a * ndtr(a), ndtr(a) + a * density, (2 - a**2) * density


def _elu(a: np.ndarray) -> Derivatives:
    below = np.where(a > 0, 0.0, np.exp(np.minimum(a, 0.0)))
    return np.where(a > 0, a, np.expm1(np.minimum(a, 0.0))), np.where(a > 0, 1.0, below), below


def _silu(a: np.ndarray) -> Derivatives:
    gate, slope, bend = _sigmoid(a)
    return a * gate, gate + a * slope, 2 * slope + a * bend


def _softplus(a: np.ndarray) -> Derivatives:
    gate, slope, _ = _sigmoid(a)
    straight = a > 20  # torch's threshold
    h = np.where(straight, a, np.logaddexp(0.0, a))
    return h, np.where(straight, 1.0, gate), np.where(straight, 0.0, slope)


DERIVATIVES: dict[str, Callable[[np.ndarray], Derivatives]] = {
    "relu": _relu,
    "leaky_relu": _leaky_relu,
    "gelu": _gelu,
    "elu": _elu,
    "silu": _silu,
    "softplus": _softplus,
    "tanh": _tanh,
    "sigmoid": _sigmoid,
    "linear": _linear,
}
"""Activation with its first and second derivative, by name; torch's definitions and defaults."""

STRAIGHT = ("relu", "leaky_relu", "linear")
"""Those whose second derivative is zero wherever it exists."""

ACTIVATIONS = tuple(DERIVATIVES)
"""Activation functions by name; torch's definitions and defaults."""

"""The general engine: any network, any rule, several networks side by side, on CPU or CUDA.

Parameters of all networks are stacked along a first axis and the network is mapped over it, so a
layer of many networks is one batched matrix product. CUDA graphs are not used.

Every random number comes from a generator seeded by the run's seed, the purpose and the number of
a block of steps. A run therefore draws the same numbers in any company and after any resumption.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from neurodrift.seeds import generator
from neurodrift.simulate.gradient import rules as pure
from neurodrift.simulate.gradient.networks import Network, build, initial_weights, with_hidden
from neurodrift.simulate.gradient.rules import Rule
from neurodrift.simulate.gradient.task import Task

if TYPE_CHECKING:
    import torch

NOISE_BLOCK = 16
"""Steps whose noise is drawn at once."""


def group_key(task: Task, network: Network, rule: Rule) -> tuple[Any, ...]:
    """Runs with equal keys can be trained side by side."""
    common = replace(
        rule,
        learning_rate=0.0,
        update_noise=0.0,
        label_noise=0.0,
        input_noise=0.0,
        perturbation=0.0,
    )
    return task.inputs.shape, task.n_outputs, network, common


def refuse_unfit(
    task: Task, network: Network, rule: Rule, *, dtype: str = "float64", device: str = "cpu"
) -> None:
    """Raise if a network of the user's own cannot be trained, before any training.

    One network runs forward twice, then two are trained side by side for one step.

    Parameters
    ----------
    task, network, rule, dtype, device
        As for :class:`TorchNetworks`. The built-in network passes unless its activation is the
        user's own.

    Raises
    ------
    ValueError
        If the module does not map (sample, feature) to (sample, output), draws random numbers,
        keeps a state, or has an operation that torch cannot batch.
    """
    if network.module is None and not callable(network.activation):
        return
    module = build(network, task.n_inputs, task.n_outputs)
    parts = [
        f"{name!r} is a {type(part).__name__}, which {why}" if name else f"it is one that {why}"
        for name, part in module.named_modules()
        if (why := _known_obstacle(part)) is not None
    ]
    cause: Exception | None = None
    found = _passes_differ(task, network, module, dtype, device)
    if found is None:
        try:
            trial = TorchNetworks(
                [task] * 2, network, [rule] * 2, [0, 1], dtype=dtype, device=device
            )
            trial.advance(1)
            trial.measure()
        except (RuntimeError, TypeError, ValueError) as error:
            cause, text = error, str(error)
            reason = next(
                (why for sign, why in _SIGNS.items() if sign in text),
                "a step of two networks fails",
            )
            found = f"{reason} (torch: {text.partition(chr(10))[0]})"
    if found is not None:
        raise ValueError(
            f"the torch engine cannot train this network: {'; '.join(parts) or found}. Networks "
            "are trained side by side by torch.vmap, so a module must draw nothing, keep nothing "
            "from one pass to the next, and have operations that torch can batch. Take that part "
            "out (or call its eval()), or train the network in a loop of your own and give the "
            "activity of its units to neurodrift.recording_from_arrays: it makes the same recording"
        ) from cause


_SIGNS = {
    "randomness": "it draws random numbers",
    "data-dependent control flow": "it branches on values that it computes",
    ".item()": "it turns a tensor into a number",
    "atching rule not implemented": "torch has no batching rule for one of its operations",
    "not yet support": "torch has no batching rule for one of its operations",
    "have been used in the graph": "one of its trainable arrays does not reach the outputs: "
    "requires_grad_(False) leaves it out of training",
}
"""What torch's errors mean, by a part of their text."""


def _known_obstacle(part: torch.nn.Module) -> str | None:
    import torch

    drawing = ("Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout")
    recurrent = torch.nn.RNNBase, torch.nn.LSTMCell
    if isinstance(part, recurrent):
        return "torch cannot batch over networks"
    if part.training and isinstance(part, tuple(getattr(torch.nn, name) for name in drawing)):
        return "draws random numbers in training" if part.p else None
    if part.training and getattr(part, "track_running_stats", False):
        return "keeps running statistics (with track_running_stats=False it does not)"
    return None


def _passes_differ(
    task: Task, network: Network, module: torch.nn.Module, dtype: str, device: str
) -> str | None:
    """Why two passes of one network over the task would not be the same, None if they are."""
    import torch

    where = {"device": torch.device(device), "dtype": getattr(torch, dtype)}
    module = module.to(**where)
    started = initial_weights(network, task.n_inputs, task.n_outputs, 0)
    weights = {name: torch.as_tensor(array, **where) for name, array in started.items()}
    if not weights:
        raise ValueError("the module has no trainable parameter")
    before = {name: buffer.clone() for name, buffer in module.named_buffers()}
    assert network.hidden_layer is not None
    both, x = with_hidden(module, network.hidden_layer), torch.as_tensor(task.inputs, **where)
    with torch.no_grad():
        try:
            passes = [both(weights, x) for _ in range(2)]
        except (RuntimeError, TypeError, ValueError) as error:
            raise ValueError(
                f"the module fails on the task's inputs (sample, feature) {task.inputs.shape}: "
                f"{error}"
            ) from error
    shape = getattr(passes[0][0], "shape", f"a {type(passes[0][0]).__name__}")
    if shape != task.targets.shape:
        raise ValueError(
            f"the module's outputs are {shape if isinstance(shape, str) else tuple(shape)}, "
            f"expected one tensor (sample, output) {task.targets.shape}"
        )
    changed = [
        name for name, buffer in module.named_buffers() if not torch.equal(buffer, before[name])
    ]
    if changed:
        return f"its buffers {', '.join(changed)} change in every pass"
    if not all(map(partial(torch.allclose, equal_nan=True), *passes)):
        return "two passes over the same inputs differ: it draws random numbers or keeps a state"
    return None


class TorchNetworks:
    """Networks in training side by side.

    Parameters
    ----------
    tasks, rules, seeds
        One for each network. Tasks have the same sizes; rules differ in scales only, see
        :func:`group_key`.
    network
        The kind of network, the same for all.
    dtype
        ``float64`` or ``float32``; noise is always drawn in float32.
    device
        A torch device.
    n_early
        Number of first steps whose training loss is kept.
    weights
        Parameters by name that each network starts from, None for those of its seed.
    """

    def __init__(
        self,
        tasks: Sequence[Task],
        network: Network,
        rules: Sequence[Rule],
        seeds: Sequence[int],
        *,
        dtype: str = "float64",
        device: str = "cpu",
        n_early: int = 0,
        weights: Sequence[Mapping[str, np.ndarray] | None] | None = None,
    ) -> None:
        import torch

        self.n_networks = len(tasks)
        self._rules, self._rule, self._seeds = list(rules), rules[0], list(seeds)
        self._device = torch.device(device)
        self._dtype: torch.dtype = getattr(torch, dtype)
        self._x = self._tensor([task.inputs for task in tasks])
        self._y = self._tensor([task.targets for task in tasks])
        n_inputs, n_outputs = tasks[0].n_inputs, tasks[0].n_outputs

        module = build(network, n_inputs, n_outputs).to(self._device, self._dtype)
        started = [
            initial_weights(network, n_inputs, n_outputs, seed) if given is None else given
            for seed, given in zip(seeds, weights or [None] * len(seeds), strict=True)
        ]
        self._parameters = {name: self._tensor([w[name] for w in started]) for name in started[0]}
        assert network.hidden_layer is not None
        both = with_hidden(module, network.hidden_layer)
        self._both = torch.vmap(both)
        self._outputs = torch.vmap(lambda parameters, x: both(parameters, x)[0])
        self._masked = torch.vmap(lambda parameters, x, mask: both(parameters, x, mask)[0])
        self._memory = pure.start(self._rule, self._parameters)
        self._step = 0
        self._early = np.full((self.n_networks, n_early), np.nan)
        self._n_hidden: int | None = None
        self._blocks: dict[str, tuple[int, torch.Tensor]] = {}
        self._passes: tuple[int, np.ndarray] = (-1, np.empty(0))
        self._scales: dict[str, torch.Tensor] = {}
        self._rates = {
            name: self._scale("learning_rate", p.ndim) for name, p in self._parameters.items()
        }

    def _tensor(self, arrays: Sequence[np.ndarray]) -> torch.Tensor:
        import torch

        return torch.as_tensor(np.stack(arrays)).to(self._device, self._dtype)

    def _scale(self, name: str, n_dims: int) -> torch.Tensor:
        """A number of each network's rule, to be broadcast against (network, ...)."""
        if name not in self._scales:
            self._scales[name] = self._tensor([np.array(getattr(r, name)) for r in self._rules])
        return self._scales[name].reshape(-1, *[1] * (n_dims - 1))

    @property
    def early(self) -> np.ndarray:
        """(network, step) training loss of the first steps, NaN where not yet made."""
        return self._early

    def advance(self, step: int) -> None:
        """Train until this many steps have been made in all."""
        while self._step < step:
            x, y = self._x, self._y
            if self._rule.batch_size is not None:
                x, y = self._minibatch(x, y)
            clean_x, clean_y = x, y
            if any(rule.input_noise for rule in self._rules):
                x = x + self._noise("input_noise", tuple(x.shape[1:]))
            if any(rule.label_noise for rule in self._rules):
                y = y + self._noise("label_noise", tuple(y.shape[1:]))
            if self._rule.name == "sed":
                if self._rule.perturbed_loss == "same":
                    clean_x, clean_y = x, y
                loss = self._descend_error(x, y, clean_x, clean_y)
            else:
                loss = self._descend(x, y)
            if self._step < self._early.shape[1]:
                self._early[:, self._step] = loss.cpu().numpy()
            self._step += 1

    def _losses(self, parameters: Any, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return ((self._outputs(parameters, x) - y) ** 2).flatten(1).mean(1)

    def _descend(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        import torch

        leaves = {name: p.requires_grad_() for name, p in self._parameters.items()}
        if self._rule.node_dropout:
            outputs = self._masked(leaves, x, self._mask(leaves, x))
            losses = ((outputs - y) ** 2).flatten(1).mean(1)
        else:
            losses = self._losses(leaves, x, y)
        slopes = torch.autograd.grad(losses.sum(), list(leaves.values()))
        with torch.no_grad():
            parameters = {name: p.detach() for name, p in leaves.items()}
            gradients = dict(zip(parameters, slopes, strict=True))
            if any(rule.update_noise for rule in self._rules):
                noise = self._parameter_noise("update_noise")
                gradients = {name: g + noise[name] for name, g in gradients.items()}
            self._parameters, self._memory = pure.step(
                self._rule,
                parameters,
                gradients,
                self._memory,
                self._step,
                learning_rate=self._rates,
            )
        return losses.detach()

    def _descend_error(
        self, x: torch.Tensor, y: torch.Tensor, clean_x: torch.Tensor, clean_y: torch.Tensor
    ) -> torch.Tensor:
        import torch

        with torch.no_grad():
            losses = self._losses(self._parameters, x, y)
            noise = self._parameter_noise("perturbation")
            moves = {name: move / move.shape[1] ** 0.5 for name, move in noise.items()}
            moved = {name: p + moves[name] for name, p in self._parameters.items()}
            gained = self._losses(moved, clean_x, clean_y) - losses
            self._parameters = pure.descend_error(
                self._parameters,
                moves,
                {name: gained.reshape(-1, *[1] * (m.ndim - 1)) for name, m in moves.items()},
                learning_rate=self._rates,
            )
        return losses

    def _mask(self, parameters: Any, x: torch.Tensor) -> torch.Tensor:
        """(network, sample, unit) 0 for a unit left out, 1 / (1 - p) for the others."""
        import torch

        if self._n_hidden is None:
            with torch.no_grad():
                self._n_hidden = int(self._both(parameters, x)[1].shape[-1])
        p, shape = self._rule.node_dropout, (x.shape[1], self._n_hidden)
        drawn = [
            generator(seed, "dropout", self._step).random(shape, dtype=np.float32) >= p
            for seed in self._seeds
        ]
        return self._tensor([one / (1 - p) for one in drawn])

    def _minibatch(self, x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        import torch

        assert self._rule.batch_size is not None
        n_samples, size = x.shape[1], self._rule.batch_size
        done, batch = divmod(self._step, -(-n_samples // size))
        if self._passes[0] != done:
            orders = [
                generator(seed, "batches", done).permutation(n_samples) for seed in self._seeds
            ]
            self._passes = (done, np.stack(orders))
        chosen = self._passes[1][:, batch * size : (batch + 1) * size]
        network = torch.arange(self.n_networks, device=self._device)[:, None]
        index = torch.as_tensor(chosen, device=self._device)
        return x[network, index], y[network, index]

    def _noise(self, name: str, shape: tuple[int, ...]) -> torch.Tensor:
        """(network, ...) noise of this step."""
        import torch

        uniform = name == "label_noise" and self._rule.label_noise_kind == "uniform"
        block, offset = divmod(self._step, NOISE_BLOCK)
        key = f"{name} {shape}"
        if key not in self._blocks:
            size = (self.n_networks, NOISE_BLOCK, *shape)
            self._blocks[key] = (-1, torch.zeros(size, dtype=torch.float32, device=self._device))
        last, drawn = self._blocks[key]
        if last != block:
            source = torch.Generator(device=self._device)
            for i, (rule, seed) in enumerate(zip(self._rules, self._seeds, strict=True)):
                if not getattr(rule, name):
                    continue
                source.manual_seed(int(generator(seed, key, block).integers(2**63)))
                if uniform:
                    drawn[i].uniform_(-0.5, 0.5, generator=source)
                else:
                    drawn[i].normal_(generator=source)
            self._blocks[key] = (block, drawn)
        noise = drawn[:, offset].to(self._dtype)
        return noise * self._scale(name, noise.ndim)

    def _parameter_noise(self, name: str) -> dict[str, torch.Tensor]:
        import torch

        counts = [p[0].numel() for p in self._parameters.values()]
        whole = self._noise(name, (sum(counts),))
        parts = torch.split(whole, counts, dim=1)
        return {
            key: part.reshape(p.shape)
            for (key, p), part in zip(self._parameters.items(), parts, strict=True)
        }

    def measure(self) -> np.ndarray:
        """(network, 4): clean mean squared error, active fraction, active units, any activity."""
        import torch

        with torch.no_grad():
            outputs, hidden = self._both(self._parameters, self._x)
            active = hidden > 0
            columns = [
                ((outputs - self._y) ** 2).flatten(1).mean(1),
                active.flatten(1).double().mean(1),
                active.any(1).double().mean(1),
                (hidden != 0).flatten(1).any(1),
            ]
            finite = [p.flatten(1).isfinite().all(1) for p in self._parameters.values()]
            columns[0] = torch.where(torch.stack(finite).all(0), columns[0], torch.nan)
            return torch.stack([c.double() for c in columns], dim=1).cpu().numpy()

    def weights(self) -> list[dict[str, np.ndarray]]:
        """Parameters by name, of each network."""
        arrays = {name: p.detach().cpu().numpy() for name, p in self._parameters.items()}
        return [
            {name: array[i].copy() for name, array in arrays.items()}
            for i in range(self.n_networks)
        ]

    def state(self) -> dict[str, np.ndarray]:
        """Everything that changes in training; :meth:`restore` goes on from it bit for bit."""
        arrays = {f"parameter.{n}": p.detach() for n, p in self._parameters.items()}
        for kind, kept in self._memory.items():
            arrays |= {f"{kind}.{name}": array for name, array in kept.items()}
        copies = {name: array.cpu().numpy().copy() for name, array in arrays.items()}
        return copies | {"step": np.array(self._step), "early": self._early.copy()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go back to a state."""
        import torch

        def back(name: str) -> torch.Tensor:
            return torch.as_tensor(np.array(state[name])).to(self._device)

        self._parameters = {name: back(f"parameter.{name}") for name in self._parameters}
        self._memory = {
            kind: {name: back(f"{kind}.{name}") for name in kept}
            for kind, kept in self._memory.items()
        }
        self._step = int(state["step"])
        self._early = np.array(state["early"])

"""Training: one network or many, by whichever engine can, with labelled snapshots on the way."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any, Literal, get_args

import numpy as np

from neurodrift.schema.options import checked_options
from neurodrift.simulate.gradient._numba.fused import obstacles
from neurodrift.simulate.gradient._runner import Plan, Setup, train_group
from neurodrift.simulate.gradient._torch import group_key, refuse_unfit
from neurodrift.simulate.gradient.networks import Network, initial_weights
from neurodrift.simulate.gradient.rules import Rule
from neurodrift.simulate.gradient.run import Run
from neurodrift.simulate.gradient.task import Task
from neurodrift.threads import one_blas_thread, torch_threads

__all__ = ["Run", "choose_engine", "sample_steps", "train", "train_ensemble"]

Precision = Literal["float64", "float32"]
Spacing = Literal["linear", "log"]
Divergence = Literal["lasting", "published"]


def sample_steps(
    n_steps: int, n_samples: int, *, spacing: Spacing = "linear", published: bool = False
) -> np.ndarray:
    """Numbers of updates after which to look at a network.

    Parameters
    ----------
    n_steps
        Number of updates of the whole run.
    n_samples
        How many looks; fewer are returned where two would fall on the same step.
    spacing
        ``linear``, from the start (0) to `n_steps`; ``log``, the start and then evenly on a
        logarithmic scale from 1 to `n_steps`.
    published
        Sample as the published code does: linearly, from the first update to the last. Its sample
        of index i is taken after i + 1 updates.

    Returns
    -------
    numpy.ndarray
        (sample) increasing integers; a value k means after k updates.

    Raises
    ------
    ValueError
        If a number is not positive, or published sampling is asked for with log spacing.

    Examples
    --------
    >>> from neurodrift.simulate.gradient.engine import sample_steps
    >>> sample_steps(1000, 5).tolist()
    [0, 250, 500, 750, 1000]
    >>> sample_steps(1000, 5, spacing="log").tolist()
    [0, 1, 10, 100, 1000]
    >>> sample_steps(1000, 5, published=True).tolist()
    [1, 250, 500, 750, 1000]
    """
    if n_steps < 1 or n_samples < 1:
        raise ValueError(f"n_steps is {n_steps} and n_samples {n_samples}, expected at least 1")
    if spacing not in get_args(Spacing) or (published and spacing != "linear"):
        raise ValueError(
            f"spacing is {spacing!r}, expected 'linear' or 'log' (published sampling is linear)"
        )
    if published:
        steps = np.linspace(0, n_steps - 1, n_samples).astype(np.int64) + 1
    elif spacing == "linear":
        steps = np.round(np.linspace(0, n_steps, n_samples)).astype(np.int64)
    else:
        rising = np.round(np.geomspace(1, n_steps, max(n_samples - 1, 1))).astype(np.int64)
        steps = np.concatenate([[0], rising])[:n_samples]
    return np.unique(steps)


@checked_options
def train(
    task: Task,
    *,
    network: Network | None = None,
    rule: Rule | None = None,
    n_steps: int = 10_000,
    snapshots: int | Sequence[int] | np.ndarray = 11,
    measures: int | Sequence[int] | np.ndarray = 1001,
    spacing: Spacing = "linear",
    n_early: int = 10_000,
    seed: int = 0,
    weights: Mapping[str, np.ndarray] | None = None,
    engine: Engine = "auto",
    device: str = "cpu",
    dtype: Precision = "float64",
    divergence: Divergence = "lasting",
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every: int = 100_000,
    n_threads: int | None = None,
) -> Run:
    """Train one network and keep snapshots of it.

    Parameters
    ----------
    task
        Inputs and targets.
    network
        Kind of network; one hidden layer of 100 ReLU units in the rich regime when omitted.
    rule
        Learning rule with its noises; SGD without noise when omitted.
    n_steps
        Number of updates.
    snapshots
        Steps at which to keep the weights (numbers of updates made, 0 is the start), or how many,
        see :func:`sample_steps`. Snapshots consume random numbers of their own: runs with other
        snapshots follow the same law, not the same path.
    measures
        Steps at which to measure loss and activity, or how many, likewise. Divergence and dead
        networks are noticed at these steps; what is not finite, or dead, at snapshots and the end
        too. They do not influence the path.
    spacing
        ``linear`` or ``log``, where `snapshots` or `measures` are counts.
    n_early
        Number of first updates whose training loss is kept.
    seed
        Seed of weights and noise.
    weights
        Every trainable array by name, such as a snapshot of another run, to start from instead of
        those of the seed. Step 0 is then this start, and optimisers begin without memory.
    engine
        ``numba`` for one hidden ReLU layer on the CPU, all samples at once, without input noise of
        SED; ``torch`` for everything; ``auto`` for the first that can.
    device
        Where torch computes: ``cpu``, ``cuda``, ``cuda:1``, ... CUDA is
        untested: the code is there, but has never been run on a device.
    dtype
        Precision of weights and activity. Noise is always drawn in single precision.
    divergence
        When a run has diverged and is ended: ``lasting``, the normalised clean loss is not finite,
        or has been above 10 at all measured steps for 1000 updates. ``published``: it is above 10
        at any measured step but 0, even if large steps throw it up for a moment, from where it
        mostly comes down again within a hundred updates (with few inputs or outputs).
    checkpoint
        File to save the state to and to resume from: a run that was interrupted goes on where it
        was saved, and ends bit for bit as if it had not been interrupted.
    checkpoint_every
        Updates between two checkpoints.
    n_threads
        Threads of the torch engine on the CPU; torch's own setting when omitted. The numba engine
        uses one.

    Returns
    -------
    Run
        Measures, snapshots of the weights, and
        :meth:`~neurodrift.simulate.gradient.run.Run.recording`.

    Raises
    ------
    ValueError
        If an option is impossible, the engine cannot train this network (a module of the user's
        own is tried for one step), or the checkpoint belongs to another run.

    Notes
    -----
    Without noise both engines agree step by step, with noise in distribution. The numba engine's
    result is the same in any company and on any number of threads; that of the torch engine too,
    up to rounding where torch's batched products depend on the numbers of networks and threads.

    Examples
    --------
    >>> from neurodrift.simulate.gradient.engine import train
    >>> from neurodrift.simulate.gradient.rules import Rule
    >>> from neurodrift.simulate.gradient.tasks import random
    >>> run = train(random(), rule=Rule(update_noise=0.01), n_steps=200, measures=3)
    >>> run.reason, run.weights["W"].shape
    ('finished', (11, 100, 20))
    >>> bool(run.measures["loss"][-1] < 0.01)
    True
    """
    return train_ensemble(
        task,
        network=network,
        rule=rule,
        n_steps=n_steps,
        snapshots=snapshots,
        measures=measures,
        spacing=spacing,
        n_early=n_early,
        seed=seed,
        weights=weights,
        engine=engine,
        device=device,
        dtype=dtype,
        divergence=divergence,
        checkpoint=checkpoint,
        checkpoint_every=checkpoint_every,
        n_threads=n_threads,
    )[0]


@checked_options
def train_ensemble(
    task: Task | Sequence[Task],
    *,
    network: Network | Sequence[Network] | None = None,
    rule: Rule | Sequence[Rule] | None = None,
    n_steps: int = 10_000,
    snapshots: int | Sequence[int] | np.ndarray = 11,
    measures: int | Sequence[int] | np.ndarray = 1001,
    spacing: Spacing = "linear",
    n_early: int = 10_000,
    seed: int | Sequence[int] = 0,
    weights: Mapping[str, np.ndarray] | Sequence[Mapping[str, np.ndarray]] | None = None,
    engine: Engine = "auto",
    device: str = "cpu",
    dtype: Precision = "float64",
    divergence: Divergence = "lasting",
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every: int = 100_000,
    n_threads: int | None = None,
) -> list[Run]:
    """Train many networks side by side: other seeds, noises, learning rates, even other tasks.

    Parameters
    ----------
    task, network, rule, seed, weights
        As for :func:`train`; a sequence gives each run its own. All sequences have one length.
    n_steps, snapshots, measures, spacing, n_early
        As for :func:`train`, the same for all runs.
    engine, device, dtype, divergence, checkpoint_every
        As for :func:`train`, the same for all runs.
    checkpoint
        File for a single run; for several a folder.
    n_threads
        Threads: the numba engine puts one run on each, as many as there are processors when
        omitted; the torch engine shares them in every product, torch's own setting when omitted.

    Returns
    -------
    list of Run
        In the order of the sequences.

    Raises
    ------
    ValueError
        As :func:`train`, or if sequences differ in length.

    Examples
    --------
    >>> from neurodrift.simulate.gradient.engine import train_ensemble
    >>> from neurodrift.simulate.gradient.rules import Rule
    >>> from neurodrift.simulate.gradient.tasks import random
    >>> rules = [Rule(update_noise=sigma) for sigma in (0.01, 0.1)]
    >>> runs = train_ensemble(random(), rule=rules, seed=[1, 2], n_steps=100)
    >>> [run.rule.update_noise for run in runs]
    [0.01, 0.1]
    """
    plan = _plan(
        n_steps, snapshots, measures, spacing, n_early, device, dtype, divergence, checkpoint_every
    )
    setups = _setups(task, network or Network(), rule or Rule(), seed, weights, engine, device)
    groups = _groups(setups)
    for first in (setups[group[0]] for group in groups):
        if first.engine == "torch":
            refuse_unfit(first.task, first.network, first.rule, dtype=dtype, device=device)
    place = None if checkpoint is None else Path(checkpoint)
    ended = Event()

    def work(number: int) -> list[Run]:
        members = [setups[i] for i in groups[number]]
        path = place if place is None or len(setups) == 1 else place / f"group-{number}.npz"
        return train_group(members, plan, path, ended)

    runs: dict[int, Run] = {}
    fused = [n for n, group in enumerate(groups) if setups[group[0]].engine == "numba"]
    with one_blas_thread(), ThreadPoolExecutor(n_threads or _n_processors()) as pool:
        try:
            done = dict(zip(fused, pool.map(work, fused), strict=True))
        except BaseException:  # Ctrl-C, or an error of one of them: the others need not end
            ended.set()
            raise
    for number, group in enumerate(groups):
        if number not in done:
            with torch_threads(n_threads):
                done[number] = work(number)
        runs |= dict(zip(group, done[number], strict=True))
    return [runs[i] for i in range(len(setups))]


def _n_processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _plan(
    n_steps: int,
    snapshots: Any,
    measures: Any,
    spacing: Spacing,
    n_early: int,
    device: str,
    dtype: str,
    divergence: str,
    checkpoint_every: int,
) -> Plan:
    faults = [
        f"{name} is {value!r}, expected a whole number of at least {least}"
        for name, value, least in (
            ("n_steps", n_steps, 1),
            ("n_early", n_early, 0),
            ("checkpoint_every", checkpoint_every, 1),
        )
        if not isinstance(value, int | np.integer) or value < least
    ]
    if dtype not in get_args(Precision):
        faults.append(f"dtype is {dtype!r}, expected 'float64' or 'float32'")
    if divergence not in get_args(Divergence):
        faults.append(f"divergence is {divergence!r}, expected 'lasting' or 'published'")
    if faults:
        raise ValueError("cannot train: " + "; ".join(faults))
    return Plan(
        n_steps=int(n_steps),
        snapshots=_steps("snapshots", snapshots, n_steps, spacing),
        measures=_steps("measures", measures, n_steps, spacing),
        n_early=min(n_early, n_steps),
        device=device,
        dtype=dtype,
        divergence=divergence,
        checkpoint_every=checkpoint_every,
    )


def _steps(name: str, value: Any, n_steps: int, spacing: Spacing) -> np.ndarray:
    if isinstance(value, int | np.integer):
        return sample_steps(n_steps, int(value), spacing=spacing)
    steps = np.asarray(value)
    good = steps.ndim == 1 and (not steps.size or steps.dtype.kind in "iu")
    if not good or (steps.size and (steps.min() < 0 or steps.max() > n_steps)):
        raise ValueError(
            f"{name} are {value!r}, expected a number of steps to look at, or a list of whole "
            f"numbers from 0 to n_steps = {n_steps}"
        )
    return np.unique(steps).astype(np.int64)


def _setups(
    task: Any, network: Any, rule: Any, seed: Any, weights: Any, engine: str, device: str
) -> list[Setup]:
    given = {"task": task, "network": network, "rule": rule, "seed": seed, "weights": weights}
    many = {n: list(v) for n, v in given.items() if isinstance(v, Sequence | np.ndarray)}
    lengths = {name: len(values) for name, values in many.items()}
    if len(set(lengths.values())) > 1 or 0 in lengths.values():
        told = ", ".join(f"{n} of {name}" for name, n in lengths.items())
        raise ValueError(
            f"an ensemble needs one or more of each, as many of one as another: {told}"
        )
    n = next(iter(lengths.values()), 1)
    rows = zip(*(many.get(name, [value] * n) for name, value in given.items()), strict=True)
    setups = [Setup(t, n, r, int(s), _choose(t, n, r, engine, device), w) for t, n, r, s, w in rows]
    for setup in setups:
        _check_weights(setup)
    return setups


def _check_weights(setup: Setup) -> None:
    if setup.weights is None:
        return
    task = setup.task
    own = initial_weights(setup.network, task.n_inputs, task.n_outputs, 0)
    expected = {name: array.shape for name, array in own.items()}
    found = {name: np.shape(array) for name, array in setup.weights.items()}
    if found != expected:
        raise ValueError(
            f"weights have the shapes {found}, but the network on task {task.name!r} has {expected}"
        )


def _choose(task: Task, network: Network, rule: Rule, engine: str, device: str) -> str:
    found = choose_engine(task, network, rule, engine, device)
    if found == "torch":
        refuse_missing(device)
    return found


def _groups(setups: list[Setup]) -> list[list[int]]:
    groups: dict[Any, list[int]] = {}
    for i, s in enumerate(setups):
        key = ("numba", i) if s.engine == "numba" else group_key(s.task, s.network, s.rule)
        groups.setdefault(key, []).append(i)
    return list(groups.values())


Engine = Literal["auto", "numba", "torch"]

DEVICES = r"cpu|cuda(:\d+)?"
"""Names of devices, as a regular expression."""


def choose_engine(
    task: Task, network: Network, rule: Rule, engine: str = "auto", device: str = "cpu"
) -> str:
    """Engine that trains a run, after checks that need no training and no device.

    Parameters
    ----------
    task, network, rule, engine, device
        As for :func:`train`.

    Returns
    -------
    str
        ``numba`` or ``torch``.

    Raises
    ------
    ValueError
        If the parts do not fit together, or the engine asked for cannot train them.
    TypeError
        If one of them is something else.

    Examples
    --------
    >>> from neurodrift.simulate.gradient.engine import choose_engine
    >>> from neurodrift.simulate.gradient.networks import Network
    >>> from neurodrift.simulate.gradient.rules import Rule
    >>> from neurodrift.simulate.gradient.tasks import random
    >>> [choose_engine(random(), Network(depth=n), Rule()) for n in (1, 2)]
    ['numba', 'torch']
    """
    for name, value, kind in (("task", task, Task), ("network", network, Network)):
        if not isinstance(value, kind):
            raise TypeError(f"{name} is a {type(value).__name__}, expected a {kind.__name__}")
    if not isinstance(rule, Rule):
        raise TypeError(f"rule is a {type(rule).__name__}, expected a Rule: Rule('sgd', ...)")
    if engine not in get_args(Engine):
        raise ValueError(f"engine is {engine!r}, expected one of {get_args(Engine)}")
    if not re.fullmatch(DEVICES, device):
        raise ValueError(f"device is {device!r}, expected 'cpu', 'cuda' or 'cuda:0', 'cuda:1', ...")
    if rule.batch_size is not None and rule.batch_size > task.n_samples:
        raise ValueError(
            f"batch_size is {rule.batch_size}, but the task has {task.n_samples} samples"
        )
    if not task.target_variance > 0:
        raise ValueError(
            f"the targets of task {task.name!r} are all equal, so the loss has no scale: give "
            "targets that differ"
        )
    found = obstacles(network, rule)
    if engine == "numba" and device != "cpu":
        raise ValueError(
            f"the numba engine computes on the CPU, but device is {device!r}: use engine='torch' "
            "(or 'auto'), or device='cpu'"
        )
    if engine == "numba" and found:
        raise ValueError(
            f"the numba engine does not train {' or '.join(found)}: use engine='auto' or 'torch'"
        )
    return "torch" if engine == "torch" or found or device != "cpu" else "numba"


def refuse_missing(device: str) -> None:
    """Raise if torch or the device is not there."""
    try:
        import torch
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "this run needs torch, which is not installed: pip install 'neurodrift[torch]'"
        ) from error
    if device == "cpu":
        return
    n_devices = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if not n_devices:
        raise ValueError(f"device is {device!r}, but torch finds no CUDA: use device='cpu'")
    if int(device.partition(":")[2] or 0) >= n_devices:
        raise ValueError(
            f"device is {device!r}, but torch finds {n_devices} CUDA device(s), counted from 0"
        )

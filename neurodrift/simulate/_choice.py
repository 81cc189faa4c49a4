"""Which engine trains a run, and whether it can."""

from __future__ import annotations

import re
from typing import Literal, get_args

from neurodrift.simulate._fused import obstacles
from neurodrift.simulate._task import Task
from neurodrift.simulate.networks import Network
from neurodrift.simulate.rules import Rule

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
    >>> from neurodrift.simulate.engine import choose_engine
    >>> from neurodrift.simulate.networks import Network
    >>> from neurodrift.simulate.rules import Rule
    >>> from neurodrift.simulate.tasks import random
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

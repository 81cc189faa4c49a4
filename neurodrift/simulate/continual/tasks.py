"""Classification tasks learned one after the other: sequences of inputs with a class each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from neurodrift.simulate.continual.strokes import FORMS, Strokes

PAIRS = ((2, 3), (4, 5), (1, 7), (8, 9), (0, 6))
"""The binary tasks of Kao et al. (2021) in their order; one form of the digits after the other."""


@dataclass(frozen=True, eq=False)
class Trials:
    """Trials of different lengths end to end.

    Parameters
    ----------
    inputs
        (row, channel) input of every time step, finite.
    offsets
        (trial + 1) first row of each trial, and the number of rows.
    labels
        (trial) class, from 0.
    """

    inputs: np.ndarray
    offsets: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def lengths(self) -> np.ndarray:
        """(trial) number of time steps."""
        return np.diff(self.offsets)


@dataclass(frozen=True, eq=False)
class SequenceTask:
    """One classification task.

    Parameters
    ----------
    name
        Such as ``"4 v 5"``.
    train, test
        Trials to learn from and trials to test with; every class has some of both.
    n_classes
        Number of classes.
    """

    name: str
    train: Trials
    test: Trials
    n_classes: int


@dataclass(frozen=True, eq=False)
class TaskSequence:
    """Tasks in the order in which they are learned.

    Parameters
    ----------
    tasks
        At least one; all with the same number of channels.
    attrs
        Where they come from.
    """

    tasks: tuple[SequenceTask, ...]
    attrs: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.tasks:
            raise ValueError("no tasks: expected at least one")
        widths = {task.name: task.train.inputs.shape[1] for task in self.tasks}
        if len(set(widths.values())) > 1:
            raise ValueError(f"tasks differ in their number of input channels: {widths}")
        names = [task.name for task in self.tasks]
        if len(set(names)) < len(names):
            raise ValueError(f"names of tasks must differ, found {names}")

    def __len__(self) -> int:
        return len(self.tasks)

    @property
    def n_channels(self) -> int:
        """Number of input channels, without a cue."""
        return int(self.tasks[0].train.inputs.shape[1])

    @property
    def n_classes(self) -> int:
        """Largest number of classes."""
        return max(task.n_classes for task in self.tasks)


def stroke_tasks(strokes: Mapping[str, Strokes], n_tasks: int = 15) -> TaskSequence:
    """The binary tasks of Kao et al. (2021) [1]_ on stroke digits.

    Parameters
    ----------
    strokes
        ``train`` and ``test``, see :func:`neurodrift.simulate.continual.strokes.read_strokes`.
    n_tasks
        How many of the 15, from the first.

    Returns
    -------
    TaskSequence
        2 v 3, 4 v 5, 1 v 7, 8 v 9, 0 v 6; the same of digits with x and y exchanged, and of digits
        upside down.

    Raises
    ------
    ValueError
        If there are fewer tasks, or digits are missing.

    Notes
    -----
    How the further characters are made is inferred from their names in the published code; the file
    that holds them is not public. There the pairs with x and y exchanged are given the other way
    round, which changes which of the two outputs stands for which.

    References
    ----------
    .. [1] T.-C. Kao, K. T. Jensen, G. M. van de Ven, A. Bernacchia, G. Hennequin (2021), "Natural
       continual learning", NeurIPS, https://doi.org/10.48550/arXiv.2106.08085

    Examples
    --------
    >>> from neurodrift.simulate.continual.strokes import drawn_strokes
    >>> from neurodrift.simulate.continual.tasks import stroke_tasks
    >>> tasks = stroke_tasks(drawn_strokes(2), n_tasks=6)
    >>> [task.name for task in tasks.tasks]
    ['2 v 3', '4 v 5', '1 v 7', '8 v 9', '0 v 6', '3xy v 2xy']
    """
    tasks = []
    for name, pair in stroke_pairs(n_tasks).items():
        examples = {
            part: [strokes[part].character(digit, form) for digit, form in pair]
            for part in ("train", "test")
        }
        tasks.append(_task(name, examples["train"], examples["test"]))
    return TaskSequence(tuple(tasks), {"tasks": "stroke digits"})


def stroke_pairs(n_tasks: int = 15) -> dict[str, list[tuple[int, str]]]:
    """The two characters that each of the stroke tasks tells apart.

    Parameters
    ----------
    n_tasks
        How many of the 15, from the first.

    Returns
    -------
    dict
        Name of the task -> digit and form of each class.

    Raises
    ------
    ValueError
        If there are fewer tasks.

    Examples
    --------
    >>> from neurodrift.simulate.continual.tasks import stroke_pairs
    >>> stroke_pairs(2)
    {'2 v 3': [(2, ''), (3, '')], '4 v 5': [(4, ''), (5, '')]}
    """
    pairs = [
        [(digit, form) for digit in (pair[::-1] if form == "xy" else pair)]
        for form in FORMS
        for pair in PAIRS
    ]
    if not 1 <= n_tasks <= len(pairs):
        raise ValueError(f"n_tasks is {n_tasks}, expected 1 to {len(pairs)}")
    return {" v ".join(f"{digit}{form}" for digit, form in pair): pair for pair in pairs[:n_tasks]}


def task_sequence_from_arrays(
    tasks: Mapping[str, Mapping[str, tuple[Sequence[Any], Sequence[Any]]]],
) -> TaskSequence:
    """Tasks of your own, from plain arrays.

    Parameters
    ----------
    tasks
        Name of a task -> ``{"train": (inputs, labels), "test": (inputs, labels)}``, in the order of
        learning. ``inputs`` is a list with one array (time, channel) for each trial, whose lengths
        may differ; ``labels`` their classes, integers from 0.

    Returns
    -------
    TaskSequence
        The tasks.

    Raises
    ------
    ValueError
        If an array has another shape, is not finite or empty, labels are no classes from 0, or a
        class has no trial.

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift.simulate.continual.tasks import task_sequence_from_arrays
    >>> up, down = np.ones((7, 1)), -np.ones((5, 1))
    >>> one = {"train": ([up, down, up], [0, 1, 0]), "test": ([down, up], [1, 0])}
    >>> len(task_sequence_from_arrays({"up or down": one}))
    1
    """
    made = []
    for name, parts in tasks.items():
        if set(parts) != {"train", "test"}:
            raise ValueError(f"task {name!r} has {sorted(parts)}, expected 'train' and 'test'")
        sorted_by_class: dict[str, list[list[np.ndarray]]] = {}
        n_classes = 0
        for part, (inputs, labels) in parts.items():
            classes = np.asarray(labels)
            what = f"task {name!r}, {part}"
            if classes.shape != (len(inputs),) or not classes.size:
                raise ValueError(
                    f"{what}: {len(inputs)} inputs, labels of shape {classes.shape}; "
                    "expected one label for each of at least one trial"
                )
            if classes.dtype.kind not in "iu" or classes.min() < 0:
                raise ValueError(f"{what}: labels must be integers from 0")
            n_classes = max(n_classes, int(classes.max()) + 1)
            arrays = [_inputs(what, i, one) for i, one in enumerate(inputs)]
            sorted_by_class[part] = [
                [arrays[i] for i in np.flatnonzero(classes == c)] for c in range(n_classes)
            ]
        made.append(_task(name, sorted_by_class["train"], sorted_by_class["test"]))
    return TaskSequence(tuple(made), {"tasks": "arrays"})


def _task(
    name: str, train: Sequence[list[np.ndarray]], test: Sequence[list[np.ndarray]]
) -> SequenceTask:
    n_classes = max(len(train), len(test))
    for part, examples in (("train", train), ("test", test)):
        missing = [c for c in range(n_classes) if c >= len(examples) or not examples[c]]
        if missing or n_classes < 2:
            raise ValueError(
                f"task {name!r}, {part}: no trial of class {missing or 1}; every task needs two "
                "classes or more, each with trials to train on and to test with"
            )
    return SequenceTask(name, _end_to_end(train), _end_to_end(test), n_classes)


def _end_to_end(examples: Sequence[list[np.ndarray]]) -> Trials:
    arrays = [array for of_class in examples for array in of_class]
    labels = np.repeat(np.arange(len(examples)), [len(of_class) for of_class in examples])
    return Trials(np.concatenate(arrays), np.cumsum([0, *map(len, arrays)]), labels)


def _inputs(what: str, i: int, values: Any) -> np.ndarray:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 2 or 0 in array.shape:
        raise ValueError(f"{what}: trial {i} has shape {array.shape}, expected (time, channel)")
    if not np.isfinite(array).all():
        raise ValueError(f"{what}: trial {i} has NaN or infinite inputs: drop or mend it")
    return array

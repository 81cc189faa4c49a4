"""The task itself: labelled inputs and targets, and what every maker of tasks shares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

import numpy as np

from neurodrift.seeds import generator

NORM_OFFSET = 1e-5
"""What the published normalisation adds to minimum and maximum."""

_FRAME_FIELDS = ("direction", "heading", "trial", "time")


@dataclass(frozen=True, eq=False)
class Task:
    """What a network is trained on: inputs, targets and, where there is one, the place.

    Parameters
    ----------
    name
        Name of the task, the environment of the recordings made with it.
    inputs
        (sample, feature) inputs, finite; a single feature may be given as (sample).
    targets
        (sample, output) targets, finite; a single output may be given as (sample).
    position
        (sample) or (sample, 2) place of each sample [cm], for tasks that have one.
    direction
        (sample) running direction -1, 0 (undefined) or +1.
    heading
        (sample) heading [rad].
    trial
        (sample) number of the trial or arena, -1 for none.
    time
        (sample) time of each sample [s], increasing.
    attrs
        Provenance: the options and the seed that made it.

    Raises
    ------
    ValueError
        If shapes disagree, or values are not finite or not allowed.

    Examples
    --------
    >>> from neurodrift.simulate.gradient.tasks import Task
    >>> task = Task(name="sum", inputs=[[0, 1], [1, 1], [1, 0]], targets=[1, 2, 1])
    >>> task.n_samples, task.n_inputs, task.n_outputs
    (3, 2, 1)
    """

    name: str
    inputs: np.ndarray
    targets: np.ndarray
    _: KW_ONLY
    position: np.ndarray | None = None
    direction: np.ndarray | None = None
    heading: np.ndarray | None = None
    trial: np.ndarray | None = None
    time: np.ndarray | None = None
    attrs: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        inputs, targets = _matrix("inputs", self.inputs), _matrix("targets", self.targets)
        faults = _matrix_faults("inputs", inputs) + _matrix_faults("targets", targets)
        n_samples = inputs.shape[0]
        if not faults and targets.shape[0] != n_samples:
            faults.append(
                f"inputs have {n_samples} samples (rows) but targets {targets.shape[0]}; "
                "give one row of targets for every row of inputs"
            )
        object.__setattr__(self, "inputs", inputs)
        object.__setattr__(self, "targets", targets)
        for name in ("position", *_FRAME_FIELDS):
            if getattr(self, name) is not None:
                values = np.array(getattr(self, name), dtype=np.float64)
                faults += _sample_faults(name, values, n_samples)
                object.__setattr__(self, name, values)
        if not faults:
            for name, dtype in (("direction", np.int8), ("trial", np.int32)):
                if getattr(self, name) is not None:
                    object.__setattr__(self, name, getattr(self, name).astype(dtype))
        if faults:
            raise ValueError(
                f"not a task ({self.name!r}):\n" + "\n".join(f"- {fault}" for fault in faults)
            )

    @property
    def n_samples(self) -> int:
        """Number of samples."""
        return self.inputs.shape[0]

    @property
    def n_inputs(self) -> int:
        """Number of input features."""
        return self.inputs.shape[1]

    @property
    def n_outputs(self) -> int:
        """Number of outputs."""
        return self.targets.shape[1]

    @property
    def target_variance(self) -> float:
        """Variance of all targets, which a normalised loss is divided by; 0 for one target."""
        return float(self.targets.var(ddof=1)) if self.targets.size > 1 else 0.0

    def frames(self) -> dict[str, np.ndarray]:
        """What a recording of a network on this task knows about its frames.

        Returns
        -------
        dict
            ``x`` and ``y`` [cm], ``direction``, ``trial`` and ``time`` [s] over samples, those
            that the task has; keyword arguments of
            :func:`neurodrift.recording.recording_from_arrays`.

        Examples
        --------
        >>> from neurodrift.simulate.gradient.tasks import predictive_track
        >>> sorted(predictive_track(n_samples=60).frames())
        ['direction', 'x']
        """
        frames: dict[str, np.ndarray] = {}
        if self.position is not None:
            columns = self.position.reshape(self.n_samples, -1)
            frames = {axis: columns[:, i] for i, axis in enumerate("xy"[: columns.shape[1]])}
        for name in ("direction", "trial", "time"):
            values = getattr(self, name)
            if values is not None:
                frames[name] = values
        return frames


def task_from_arrays(
    inputs: Any,
    targets: Any | Callable[[np.ndarray], Any],
    *,
    name: str = "custom",
    position: Any = None,
    direction: Any = None,
    heading: Any = None,
    trial: Any = None,
    time: Any = None,
    scale: bool = False,
    attrs: Mapping[str, Any] | None = None,
) -> Task:
    """Make a task of your own from arrays, or from inputs and a function.

    Parameters
    ----------
    inputs
        (sample, feature) inputs, or (sample) for a single one.
    targets
        (sample, output) targets, or a function that makes them from the (sample, feature)
        inputs.
    name
        Name of the task.
    position
        (sample) or (sample, 2) place of each sample [cm].
    direction
        (sample) running direction -1, 0 (undefined) or +1.
    heading
        (sample) heading [rad].
    trial
        (sample) number of the trial, -1 for none.
    time
        (sample) time of each sample [s], increasing.
    scale
        Whether inputs and targets are each scaled to [-1, 1] over all entries, as the published
        tasks are.
    attrs
        Provenance to keep with the task.

    Returns
    -------
    Task
        The task; the arrays are copied.

    Raises
    ------
    ValueError
        If shapes disagree, or values are not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift.simulate.gradient.tasks import task_from_arrays
    >>> angle = np.linspace(0, 2 * np.pi, 50)
    >>> task = task_from_arrays(angle, np.sin, name="sine", position=100 * angle)
    >>> task.n_inputs, task.n_outputs
    (1, 1)
    """
    given = _matrix("inputs", inputs)
    wanted = _matrix("targets", targets(given) if callable(targets) else targets)
    if scale:
        given, wanted = normalise(given, "inputs"), normalise(wanted, "targets")
    return Task(
        name=name,
        inputs=given,
        targets=wanted,
        position=position,
        direction=direction,
        heading=heading,
        trial=trial,
        time=time,
        attrs={"task": name, **(attrs or {})},
    )


def random_source(
    task: str, seed: int, published_seed: int | None
) -> np.random.Generator | np.random.RandomState:
    """Where a task draws from: its own stream, or the published code's generator.

    Parameters
    ----------
    task
        Name of the task.
    seed
        Seed of the task's own stream.
    published_seed
        Seed of NumPy's legacy generator, whose draws in the published order give the published
        data; ``None`` for the own stream.

    Returns
    -------
    numpy.random.Generator or numpy.random.RandomState
        Both know ``random`` and ``standard_normal``.
    """
    if published_seed is None:
        return generator(seed, "task", task)
    return np.random.RandomState(published_seed)


def normalise_in_place(values: np.ndarray, what: str, low: float, high: float) -> np.ndarray:
    """Scale all entries together to (just about) a range, as the published code does.

    Parameters
    ----------
    values
        Any shape; **changed**: afterwards it holds values scaled to about [0, 1].
    what
        What the values are, for the error message.
    low, high
        Ends of the range.

    Returns
    -------
    numpy.ndarray
        A new array. The smallest entry lies a little below `low`, the largest below `high`, by
        about 1e-5 of the range of the values.

    Raises
    ------
    ValueError
        If all values are equal.
    """
    if np.ptp(values) <= NORM_OFFSET:
        raise ValueError(
            f"the {what} of the task are all equal (to {NORM_OFFSET:g}) and cannot be scaled to "
            f"[{low:g}, {high:g}]: use more samples or more features"
        )
    values -= values.min() + NORM_OFFSET
    values /= values.max() + NORM_OFFSET
    return (high - low) * (values - 0.5) + (high + low) / 2


def normalise(values: np.ndarray, what: str, low: float = -1.0, high: float = 1.0) -> np.ndarray:
    """Scale all entries together to a range; the argument is left as it is.

    Parameters
    ----------
    values
        Any shape.
    what
        What the values are, for the error message.
    low, high
        Ends of the range.

    Returns
    -------
    numpy.ndarray
        Values between about `low` and `high`, see :func:`normalise_in_place`.
    """
    return normalise_in_place(np.array(values, dtype=np.float64), what, low, high)


def check_range(task: str, value_range: tuple[float, float]) -> None:
    """Refuse a range that is no pair of numbers in order.

    Parameters
    ----------
    task
        Name of the task, for the message.
    value_range
        Lowest and highest value.

    Raises
    ------
    ValueError
        If it is not.
    """
    if len(value_range) != 2 or not value_range[0] < value_range[1]:
        raise ValueError(f"task {task!r}: value_range is {value_range}, expected (lowest, highest)")


def check_options(task: str, **options: tuple[Any, str]) -> None:
    """Refuse options of a maker that make no sense, naming all of them at once.

    Parameters
    ----------
    task
        Name of the task.
    **options
        Value and what is expected of it: ``count`` (an integer of at least 1), ``positive``,
        ``non-negative`` (finite numbers), or a list of choices.

    Raises
    ------
    ValueError
        If an option is not what is expected.
    """
    faults = []
    for name, (value, expected) in options.items():
        if expected == "count":
            good = isinstance(value, int | np.integer) and value >= 1
            wish = "an integer of at least 1"
        elif expected in ("positive", "non-negative"):
            number = isinstance(value, int | float | np.number) and bool(np.isfinite(value))
            good = number and (value > 0 if expected == "positive" else value >= 0)
            wish = f"a finite {expected} number"
        else:
            good = value in expected.split("|")
            wish = "one of " + ", ".join(map(repr, expected.split("|")))
        if not good:
            faults.append(f"{name} is {value!r}, expected {wish}")
    if faults:
        raise ValueError(f"task {task!r}: " + "; ".join(faults))


def _matrix(name: str, values: Any) -> np.ndarray:
    try:
        matrix = np.array(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} are no array of numbers: {error}") from error
    return matrix[:, None] if matrix.ndim == 1 else matrix


def _matrix_faults(name: str, values: np.ndarray) -> list[str]:
    if values.ndim != 2 or 0 in values.shape:
        return [
            f"{name} have shape {values.shape}, expected (sample, "
            f"{'feature' if name == 'inputs' else 'output'}) with at least one of each"
        ]
    bad = ~np.isfinite(values)
    if bad.any():
        first = tuple(int(i) for i in np.argwhere(bad)[0])
        return [
            f"{name} have {int(bad.sum())} NaN or infinite values, the first at {first}; a network "
            "cannot be trained on them: drop or replace them"
        ]
    return []


def _sample_faults(name: str, values: np.ndarray, n_samples: int) -> list[str]:
    shapes = [(n_samples,), (n_samples, 1), (n_samples, 2)]
    if values.shape not in (shapes if name == "position" else shapes[:1]):
        wish = "(sample) or (sample, 2)" if name == "position" else "(sample)"
        return [f"{name} has shape {values.shape}, expected {wish} with {n_samples} samples"]
    if name == "position":
        return ["position is infinite somewhere: use NaN"] if np.isinf(values).any() else []
    if not np.isfinite(values).all():
        return [f"{name} has NaN or infinite values"]
    if name == "direction" and not np.isin(values, (-1, 0, 1)).all():
        return [f"direction must be -1, 0 or +1, found {np.unique(values).tolist()[:6]}"]
    if name == "trial" and (values != np.round(values)).any():
        return ["trial must be integers"]
    if name == "time" and (np.diff(values) <= 0).any():
        return [
            f"time is not strictly increasing at sample {int(np.argmax(np.diff(values) <= 0)) + 1}"
        ]
    return []

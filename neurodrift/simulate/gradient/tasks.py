"""Tasks for networks: predictive, random and autoencoding, and anybody's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from neurodrift.schema.options import checked_options
from neurodrift.simulate.gradient.task import (
    Task,
    check_options,
    check_range,
    normalise,
    normalise_in_place,
    random_source,
    task_from_arrays,
)
from neurodrift.simulate.gradient.track import predictive_track

__all__ = [
    "PUBLISHED",
    "TASKS",
    "Task",
    "predictive",
    "predictive_track",
    "random",
    "random_autoencoder",
    "smoothed",
    "smoothed_autoencoder",
    "task_from_arrays",
]

RING_LENGTH = 120
VIEW_LENGTH = 30
STEP_SCALE = 20  # the longest step is this many ring lengths divided by the number of samples


@checked_options
def random(
    *,
    n_samples: int = 5,
    n_inputs: int = 20,
    n_outputs: int = 5,
    value_range: tuple[float, float] = (-1.0, 1.0),
    seed: int = 0,
    published_seed: int | None = None,
) -> Task:
    """Map random inputs to random targets [1]_.

    Parameters
    ----------
    n_samples, n_inputs, n_outputs
        Numbers of samples, input features and outputs.
    value_range
        Range of inputs and of targets. The published runs of 1e7 steps by gradient descent and
        Adam were made with (0, 1), see `docs/paper-and-code.md`.
    seed
        Seed of inputs and targets.
    published_seed
        Seed of the published code's own generator instead; 0 gives the published data.

    Returns
    -------
    Task
        Independent uniform inputs and targets, each scaled to `value_range` over all entries.

    Raises
    ------
    ValueError
        If a size is no positive integer, or a single number would have to be scaled.

    References
    ----------
    .. [1] Ratzon, Derdikman, Barak (2024), eLife 12:RP90069,
       https://doi.org/10.7554/eLife.90069

    Examples
    --------
    >>> from neurodrift.simulate.gradient import tasks
    >>> tasks.random(n_samples=10).inputs.shape
    (10, 20)
    """
    options = dict(locals())
    _check_sizes("random", n_samples=n_samples, n_inputs=n_inputs, n_outputs=n_outputs)
    rng = random_source("random", seed, published_seed)
    inputs, targets = rng.random((n_samples, n_inputs)), rng.random((n_samples, n_outputs))
    return _mapping("random", inputs, targets, value_range, options)


@checked_options
def smoothed(
    *,
    n_samples: int = 5,
    n_inputs: int = 20,
    n_outputs: int = 5,
    smooth_factor: float = 5.0,
    value_range: tuple[float, float] = (-1.0, 1.0),
    seed: int = 0,
    published_seed: int | None = None,
) -> Task:
    """Map smooth random inputs to smooth random targets [1]_.

    Parameters
    ----------
    n_samples, n_inputs, n_outputs
        Numbers of samples, input features and outputs.
    smooth_factor
        The filter's standard deviation along the samples is n_samples / smooth_factor.
    value_range
        Range of inputs and of targets. The published runs of 1e7 steps by gradient descent and
        Adam were made with (0, 1), see `docs/paper-and-code.md`.
    seed
        Seed of inputs and targets.
    published_seed
        Seed of the published code's own generator instead; 0 gives the published data.

    Returns
    -------
    Task
        Uniform noise after a Gaussian filter over samples and features, with reflected edges,
        each of inputs and targets scaled to `value_range` over all entries.

    Raises
    ------
    ValueError
        If a size is no positive integer, or a single number would have to be scaled.

    Notes
    -----
    The standard deviation along the features is n_outputs / 5, as published also for the inputs.

    References
    ----------
    .. [1] Ratzon, Derdikman, Barak (2024), eLife 12:RP90069,
       https://doi.org/10.7554/eLife.90069

    Examples
    --------
    >>> from neurodrift.simulate.gradient import tasks
    >>> tasks.smoothed(n_samples=10).targets.shape
    (10, 5)
    """
    options = dict(locals())
    _check_sizes("smoothed", n_samples=n_samples, n_inputs=n_inputs, n_outputs=n_outputs)
    check_options("smoothed", smooth_factor=(smooth_factor, "positive"))
    rng = random_source("smoothed", seed, published_seed)
    spread = (n_samples / smooth_factor, n_outputs / 5)
    inputs = _smooth(rng.random((n_samples, n_inputs)), spread)
    targets = _smooth(rng.random((n_samples, n_outputs)), spread)
    return _mapping("smoothed", inputs, targets, value_range, options)


@checked_options
def random_autoencoder(
    *,
    n_samples: int = 5,
    n_inputs: int = 20,
    value_range: tuple[float, float] = (-1.0, 1.0),
    seed: int = 0,
    published_seed: int | None = None,
) -> Task:
    """Reproduce random inputs [1]_.

    Parameters
    ----------
    n_samples, n_inputs
        Numbers of samples and of input features; there are as many outputs.
    value_range
        Range of inputs and of targets. The published runs of 1e7 steps by gradient descent and
        Adam were made with (0, 1), see `docs/paper-and-code.md`.
    seed
        Seed of the inputs.
    published_seed
        Seed of the published code's own generator instead; 0 gives the published data.

    Returns
    -------
    Task
        Inputs as those of :func:`random`, targets equal to them.

    Raises
    ------
    ValueError
        If a size is no positive integer, or a single number would have to be scaled.

    References
    ----------
    .. [1] Ratzon, Derdikman, Barak (2024), eLife 12:RP90069,
       https://doi.org/10.7554/eLife.90069

    Examples
    --------
    >>> from neurodrift.simulate.gradient import tasks
    >>> task = tasks.random_autoencoder()
    >>> bool((task.inputs == task.targets).all())
    True
    """
    options = dict(locals())
    _check_sizes("random_autoencoder", n_samples=n_samples, n_inputs=n_inputs)
    rng = random_source("random_autoencoder", seed, published_seed)
    inputs = rng.random((n_samples, n_inputs))
    return _mapping("random_autoencoder", inputs, inputs, value_range, options)


@checked_options
def smoothed_autoencoder(
    *,
    n_samples: int = 5,
    n_inputs: int = 20,
    smooth_factor: float = 5.0,
    feature_sd: float | None = None,
    value_range: tuple[float, float] = (-1.0, 1.0),
    seed: int = 0,
    published_seed: int | None = None,
) -> Task:
    """Reproduce smooth random inputs [1]_.

    Parameters
    ----------
    n_samples, n_inputs
        Numbers of samples and of input features; there are as many outputs.
    smooth_factor
        The filter's standard deviation along the samples is n_samples / smooth_factor.
    feature_sd
        The filter's standard deviation along the features; n_inputs / 5 when omitted. The
        published code takes a fifth of the outputs its configuration names, which it then
        ignores otherwise.
    value_range
        Range of inputs and of targets. The published runs of 1e7 steps by gradient descent and
        Adam were made with (0, 1), see `docs/paper-and-code.md`.
    seed
        Seed of the inputs.
    published_seed
        Seed of the published code's own generator instead; 0 gives the published data.

    Returns
    -------
    Task
        Inputs as those of :func:`smoothed`, targets equal to them.

    Raises
    ------
    ValueError
        If a size is no positive integer, or a single number would have to be scaled.

    References
    ----------
    .. [1] Ratzon, Derdikman, Barak (2024), eLife 12:RP90069,
       https://doi.org/10.7554/eLife.90069

    Examples
    --------
    >>> from neurodrift.simulate.gradient import tasks
    >>> tasks.smoothed_autoencoder().n_outputs
    20
    """
    options = dict(locals())
    name = "smoothed_autoencoder"
    across = n_inputs / 5 if feature_sd is None else feature_sd
    _check_sizes(name, n_samples=n_samples, n_inputs=n_inputs)
    check_options(
        name, smooth_factor=(smooth_factor, "positive"), feature_sd=(across, "non-negative")
    )
    rng = random_source(name, seed, published_seed)
    inputs = _smooth(rng.random((n_samples, n_inputs)), (n_samples / smooth_factor, across))
    return _mapping(name, inputs, inputs, value_range, options)


@checked_options
def predictive(
    *,
    n_samples: int = 5,
    n_inputs: int = 20,
    aliased_targets: bool = False,
    unit_length: float = 1.0,
    value_range: tuple[float, float] = (-1.0, 1.0),
    seed: int = 0,
    published_seed: int | None = None,
) -> Task:
    """Predict the next view on a ring: the simplified predictive coding task [1]_.

    Parameters
    ----------
    n_samples
        Number of views.
    n_inputs
        Points of a view; there are as many outputs.
    aliased_targets
        The published code scales inputs and targets in the same memory, so that scaling the
        inputs also moves all targets but the last, by up to half their range. True reproduces
        its tables; False is the task the paper describes.
    unit_length
        Length of a unit of the ring [cm]; the ring has 120 units.
    value_range
        Range of inputs and of targets. The published runs of 1e7 steps by gradient descent and
        Adam were made with (0, 1), see `docs/paper-and-code.md`.
    seed
        Seed of scene and path.
    published_seed
        Seed of the published code's own generator instead; 0 gives the published data.

    Returns
    -------
    Task
        Inputs, targets (the next view) and the position on the ring [cm].

    Raises
    ------
    ValueError
        If a size is no positive integer, or a single number would have to be scaled.

    Notes
    -----
    The scene is uniform noise at 121 points after a Gaussian filter of 4 points; its ends do not
    match, so the ring has a seam. Steps are uniform up to 20 rings / n_samples, so that with few
    samples successive places are nearly independent. A view spans 30 units ahead.

    References
    ----------
    .. [1] Ratzon, Derdikman, Barak (2024), eLife 12:RP90069,
       https://doi.org/10.7554/eLife.90069

    Examples
    --------
    >>> from neurodrift.simulate.gradient import tasks
    >>> task = tasks.predictive(n_samples=10)
    >>> task.n_outputs, bool(task.position.max() < 120)
    (20, True)
    """
    options = dict(locals())
    _check_sizes("predictive", n_samples=n_samples, n_inputs=n_inputs)
    check_options("predictive", unit_length=(unit_length, "positive"))
    check_range("predictive", value_range)
    rng = random_source("predictive", seed, published_seed)
    noise = _smooth(rng.random(RING_LENGTH + 1), (RING_LENGTH / VIEW_LENGTH,))
    scene = normalise(noise, "scene", *value_range)
    steps = rng.random(n_samples + 1) * (RING_LENGTH / n_samples * STEP_SCALE)
    places = np.cumsum(steps)
    seen = (places[:, None] + np.linspace(0, VIEW_LENGTH, n_inputs)) % RING_LENGTH
    views = np.interp(seen, np.arange(RING_LENGTH + 1), scene)
    targets = views[1:] if aliased_targets else views[1:].copy()
    inputs = normalise_in_place(views[:-1], "inputs", *value_range)
    return Task(
        name="predictive",
        inputs=inputs,
        targets=normalise(targets, "targets", *value_range),
        position=places[:-1] % RING_LENGTH * unit_length,
        attrs={"task": "predictive", **options, "value_range": list(value_range)},
    )


TASKS: dict[str, Callable[..., Task]] = {
    "predictive_track": predictive_track,
    "predictive": predictive,
    "random": random,
    "smoothed": smoothed,
    "random_autoencoder": random_autoencoder,
    "smoothed_autoencoder": smoothed_autoencoder,
}
"""Makers of tasks by name."""

PUBLISHED: dict[str, dict[str, Any]] = {
    "predictive_track": {
        "texture_sd": "code",
        "walls": "quarters",
        "view_angle": np.pi / 4,
        "speed_noise": 0.1,
        "heading_change": "code",
    },
    "predictive": {"aliased_targets": True},
    "random": {},
    "smoothed": {},
    "random_autoencoder": {},
    "smoothed_autoencoder": {},
}
"""Options by which a task becomes that of the published code where it differs from the paper.

``tasks.predictive(**PUBLISHED["predictive"], published_seed=0)`` is the published data set.
"""


def _mapping(
    name: str,
    inputs: np.ndarray,
    targets: np.ndarray,
    value_range: tuple[float, float],
    options: dict[str, Any],
) -> Task:
    check_range(name, value_range)
    return Task(
        name=name,
        inputs=normalise(inputs, "inputs", *value_range),
        targets=normalise(targets, "targets", *value_range),
        attrs={"task": name, **options, "value_range": list(value_range)},
    )


def _smooth(values: np.ndarray, spread: tuple[float, ...]) -> np.ndarray:
    from scipy.ndimage import gaussian_filter

    return gaussian_filter(values, spread)


def _check_sizes(name: str, **sizes: int) -> None:
    check_options(name, **{option: (value, "count") for option, value in sizes.items()})

"""A changed environment for a network: its code there at once, and after it has relearned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from neurodrift.schema.objects import expect_type
from neurodrift.schema.options import checked_options
from neurodrift.seeds import generator
from neurodrift.simulate.gradient.engine import train_ensemble
from neurodrift.simulate.gradient.networks import forward
from neurodrift.simulate.gradient.run import MEASURES, Run
from neurodrift.simulate.gradient.task import Task


@checked_options
def perturb(
    run: Run,
    changed: Task,
    *,
    relearn: Sequence[int] = (),
    snapshots: Sequence[int] | np.ndarray | None = None,
    seed: int = 0,
    subject: str | None = None,
    n_threads: int | None = None,
) -> dict[str, xr.Dataset]:
    """Record the snapshots of a run in its own environment and in a changed one.

    Parameters
    ----------
    run
        A run with snapshots, from :func:`neurodrift.simulate.gradient.engine.train`, or one of a
        sweep (:meth:`neurodrift.simulate.sweep.Sweep.run`).
    changed
        The changed environment: a task with as many inputs and outputs, such as that of
        :func:`neurodrift.simulate.gradient.track.morph_track`.
    relearn
        Numbers of updates after which the network is recorded once more, see :func:`relearned`.
    snapshots
        Steps of the run to take; all of its snapshots when omitted.
    seed
        Seed of the noise while relearning.
    subject
        Name of the run in the recordings; its seed when omitted.
    n_threads
        Threads, see :func:`neurodrift.simulate.gradient.engine.train_ensemble`.

    Returns
    -------
    dict of xarray.Dataset
        Recordings with the same sessions (snapshots) and units: ``familiar``, the environment
        that the run was trained in; ``changed``, the changed one at once, without learning; and
        for each number n ``relearned n``, the changed environment after n updates in it, and
        ``stayed n``, the familiar one after as many updates there with the same noise: what
        changes without a change of the environment. ``loss`` is always that in the environment
        of the recording, over the variance of its targets.

    Raises
    ------
    ValueError
        If the tasks differ in size, a step is no snapshot, or a number of updates is below 1.

    Examples
    --------
    >>> from neurodrift.simulate.gradient.engine import train
    >>> from neurodrift.simulate.gradient.perturb import perturb
    >>> from neurodrift.simulate.gradient.track import morph_track, predictive_track
    >>> task = predictive_track(n_samples=60)
    >>> run = train(task, n_steps=200, snapshots=[100, 200])
    >>> recordings = perturb(run, morph_track(task, 0.5), relearn=[50])
    >>> list(recordings)
    ['familiar', 'changed', 'stayed 50', 'relearned 50']
    >>> recordings["changed"]["session"].values.tolist()
    ['step 100', 'step 200']
    """
    expect_type("run", run, Run, "a Run, as train gives")
    expect_type("changed", changed, Task, "a Task")
    familiar = _chosen(run, snapshots)
    runs = {"familiar": familiar, "changed": moved(familiar, changed)}
    for n in relearn:
        for name, task in (("stayed", run.task), ("relearned", changed)):
            runs[f"{name} {n}"] = relearned(familiar, task, n, seed=seed, n_threads=n_threads)
    return {name: one.recording(subject=subject) for name, one in runs.items()}


def moved(run: Run, task: Task) -> Run:
    """Put the snapshots of a run into another environment, without learning.

    Parameters
    ----------
    run
        A run with snapshots.
    task
        The other environment, with as many inputs and outputs.

    Returns
    -------
    Run
        The same weights in the other task, whose ``recording()`` is the code there. The measures
        are still those of the training.

    Raises
    ------
    ValueError
        If the tasks differ in size.

    Examples
    --------
    >>> from neurodrift.simulate.gradient.engine import train
    >>> from neurodrift.simulate.gradient.perturb import moved
    >>> from neurodrift.simulate.gradient.tasks import random
    >>> run = train(random(), n_steps=100)
    >>> there = moved(run, random(seed=1)).recording()
    >>> bool(there["loss"][-1] > run.recording()["loss"][-1])
    True
    """
    sizes = [(t.n_inputs, t.n_outputs) for t in (run.task, task)]
    if sizes[0] != sizes[1]:
        raise ValueError(
            f"task {task.name!r} has {sizes[1][0]} inputs and {sizes[1][1]} outputs, but the "
            f"network was trained on {sizes[0][0]} and {sizes[0][1]}: give a task of that size"
        )
    return replace(run, task=task)


def relearned(
    run: Run,
    task: Task,
    n_steps: int,
    *,
    snapshots: Sequence[int] | np.ndarray | None = None,
    seed: int = 0,
    n_threads: int | None = None,
) -> Run:
    """Train every snapshot of a run on in an environment, by the rule of the run.

    Parameters
    ----------
    run
        A run with snapshots.
    task
        The environment: another one with as many inputs and outputs, or the run's own.
    n_steps
        Number of updates from every snapshot.
    snapshots
        Steps of the run to start from; all of its snapshots when omitted.
    seed
        Seed of the noise.
    n_threads
        Threads, see :func:`neurodrift.simulate.gradient.engine.train_ensemble`.

    Returns
    -------
    Run
        A run in `task` whose snapshots are the weights after relearning, named by the step that
        they started from. Its measures, over those steps, are taken after relearning. A snapshot
        from which relearning diverged or died is left out.

    Raises
    ------
    ValueError
        If the tasks differ in size, a step is no snapshot, or `n_steps` is below 1.

    Notes
    -----
    The noise is that of the run's rule, from a stream named by `seed` and the run's seed alone. So
    all snapshots and all environments meet the same noise, and what one snapshot becomes does not
    depend on the others. Optimisers begin without memory.

    Examples
    --------
    >>> from neurodrift.simulate.gradient.engine import train
    >>> from neurodrift.simulate.gradient.perturb import relearned
    >>> from neurodrift.simulate.gradient.tasks import random
    >>> run = train(random(), n_steps=100, snapshots=[50, 100])
    >>> there = relearned(run, random(seed=1), 100)
    >>> there.snapshot_steps.tolist(), there.measures["loss"].values.max() < 0.1
    ([50, 100], np.True_)
    """
    start = moved(_chosen(run, snapshots), task)
    dtype: Any = next(iter(run.weights.values())).dtype.name
    noise = int(generator(seed, "relearning", run.seed).integers(2**63))
    steps = start.snapshot_steps.tolist()
    made = train_ensemble(
        task,
        network=run.network,
        rule=run.rule,
        seed=[noise] * len(steps),
        weights=[start.snapshot(step) for step in steps],
        n_steps=n_steps,
        snapshots=[n_steps],
        measures=[n_steps],
        n_early=0,
        dtype=dtype,
        n_threads=n_threads,
    )
    kept = {step: one for step, one in zip(steps, made, strict=True) if one.reason == "finished"}
    if not kept:
        raise ValueError(
            f"relearning task {task.name!r} ended early from every snapshot "
            f"({made[0].reason}): learn more slowly, or with less noise"
        )
    measures = xr.Dataset(
        {
            name: ("step", [float(one.measures[name][-1]) for one in kept.values()])
            for name in MEASURES
        },
        coords={"step": list(kept)},
        attrs={**made[0].measures.attrs, "seed": run.seed, "noise_seed": noise},
    )
    for name, text in MEASURES.items():
        measures[name].attrs = {"units": "1", "long_name": text}
    return replace(
        start,
        measures=measures,
        snapshot_steps=np.array(list(kept), dtype=np.int64),
        weights={
            name: np.stack([one.weights[name][-1] for one in kept.values()])
            for name in start.weights
        },
        reason="finished",
    )


def thinned(run: Run) -> Run:
    """Make the first snapshot as sparse as each of the others, and nothing else.

    What a measure shows here, along the snapshots, is due to sparsity alone.

    Parameters
    ----------
    run
        A run of the built-in network with one hidden layer and an activation that is silent below
        0, with snapshots.

    Returns
    -------
    Run
        The weights of the first snapshot at every step, with all biases lowered (or raised) by
        one number, such that the share of active pairs of sample and unit in the run's task is
        that of the snapshot of this step. Its outputs are not those of a trained network.

    Raises
    ------
    ValueError
        If the network is another one.

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift.simulate.gradient.engine import train
    >>> from neurodrift.simulate.gradient.perturb import thinned
    >>> from neurodrift.simulate.gradient.rules import Rule
    >>> from neurodrift.simulate.gradient.tasks import random
    >>> run = train(random(), rule=Rule(update_noise=0.1), n_steps=2000, snapshots=[0, 2000])
    >>> shares = [
    ...     (one.recording()["activity"].values > 0).reshape(2, -1).mean(axis=1).round(2).tolist()
    ...     for one in (run, thinned(run))
    ... ]
    >>> shares[0] == shares[1]
    True
    """
    if not run.network.is_published:
        raise ValueError(
            "the network is not the built-in one of one hidden ReLU layer, whose biases could be "
            "lowered"
        )
    _chosen(run, None)
    first = run.snapshot(int(run.snapshot_steps[0]))
    drive = np.sort(run.task.inputs @ first["W"].T + first["b"], axis=None)
    n_active = [
        int((forward(run.network, run.snapshot(step), run.task.inputs, 1)[1] > 0).sum())
        for step in run.snapshot_steps.tolist()
    ]
    # midway between the weakest drive that stays and the strongest that goes
    edges = np.concatenate([[2 * drive[0] - drive[1]], drive, [2 * drive[-1] - drive[-2]]])
    lowered = [(edges[drive.size - n] + edges[drive.size - n + 1]) / 2 for n in n_active]
    kept = {name: np.stack([first[name]] * len(n_active)) for name in first}
    kept["b"] = (first["b"] - np.array(lowered)[:, None]).astype(first["b"].dtype)
    return replace(run, weights=kept)


def _chosen(run: Run, snapshots: Sequence[int] | np.ndarray | None) -> Run:
    """The run with some of its snapshots only."""
    steps = run.snapshot_steps
    wanted = steps if snapshots is None else np.unique(np.asarray(snapshots, dtype=np.int64))
    missing = np.setdiff1d(wanted, steps)
    if missing.size or not wanted.size:
        raise ValueError(
            f"the run has no snapshot of step {missing.tolist() or '(none given)'}; it has "
            f"{steps.tolist()} ({run.reason})"
        )
    at = np.searchsorted(steps, wanted)
    return replace(
        run, snapshot_steps=wanted, weights={name: array[at] for name, array in run.weights.items()}
    )

"""Train a recurrent network on one task after the other, and record it after each."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from neurodrift.recording import recording_from_arrays
from neurodrift.schema.objects import expect_type
from neurodrift.schema.options import checked_options
from neurodrift.simulate import checkpoint as _checkpoint
from neurodrift.simulate.continual.kronecker import Kronecker
from neurodrift.simulate.continual.learners import LEARNERS, Learner
from neurodrift.simulate.continual.learners.learner import Posterior
from neurodrift.simulate.continual.recurrent import (
    Batch,
    RecurrentNetwork,
    Weights,
    log_probabilities,
    run_network,
)
from neurodrift.simulate.continual.tasks import TaskSequence
from neurodrift.simulate.continual.trials import (
    Stream,
    TaskExamples,
    TrialPool,
    TrialSettings,
    cast,
)
from neurodrift.threads import one_blas_thread

_MOST = 1000  # trials at a time where no gradient is needed

MEASURES = {
    "accuracy": "share of test trials classified rightly at the last step, without noise",
    "accuracy_with_noise": "share of test trials classified rightly at the last step, with noise",
    "loss": "cross-entropy of test trials, summed over the steps that are read, without noise",
}
"""What is measured of every task after every task."""

_KEPT = (Kronecker, Posterior)
"""What learners remember besides arrays and numbers."""

_PROBE = {"task": 1, "n_trials": 100, "noise": True, "seed": 0}


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class ContinualRun:
    """What learning one task after the other leaves, see :func:`train_continual`.

    Parameters
    ----------
    tasks, network, trials, seed
        What was trained.
    learner
        Its name and options.
    weights
        ``W`` (snapshot, unit + input, unit) and ``C`` (snapshot, unit, output): at the start, then
        after each task.
    measures
        Over (snapshot, task): ``accuracy``, ``accuracy_with_noise``, ``loss``; over (task, step):
        ``training_loss`` of the batch.
    n_steps
        Steps of each task.
    reason
        ``finished``, or ``diverged``: the loss was no longer finite; snapshots end before that.
    probe
        How it is recorded where nothing else is said: options of :meth:`recording`, ``task``,
        ``n_trials``, ``noise`` and the ``seed`` of that noise.
    """

    tasks: TaskSequence
    network: RecurrentNetwork
    trials: TrialSettings
    seed: int
    learner: dict[str, Any]
    weights: Weights
    measures: xr.Dataset
    n_steps: int
    reason: str
    probe: dict[str, Any] = field(default_factory=dict)

    def recording(
        self,
        task: int | str | None = None,
        *,
        n_trials: int | None = None,
        noise: bool | None = None,
        probe_seed: int | None = None,
        subject: str | None = None,
    ) -> xr.Dataset:
        """The recurrent units over learning, on the same trials of one task after every task.

        Parameters
        ----------
        task
            Number from 1, or name; that of the probe when omitted, which is 1 without one.
        n_trials
            Test trials, equally many of each class as far as there are enough; those of the probe
            when omitted, 100 without one.
        noise
            Whether inputs have noise, the same in every session; so it is when omitted and the
            probe says nothing else. Units have none.
        probe_seed
            Seed of that noise; it does not depend on the run, so that runs are comparable. That of
            the probe when omitted, 0 without one.
        subject
            Name of the run; learner and seed when omitted.

        Returns
        -------
        xarray.Dataset
            A recording of kind ``activation``: a session is a snapshot, ``untrained`` and then
            ``after task k``; time runs over the steps of the trials (1 s each), one trial after
            the other; `trial` is the number of the trial, `trial_type` its class; ``loss`` and
            ``accuracy`` are those of these trials.

        Raises
        ------
        ValueError
            If there is no such task.

        Examples
        --------
        >>> from neurodrift.simulate.continual.continual import train_continual
        >>> from neurodrift.simulate.continual.strokes import drawn_strokes
        >>> from neurodrift.simulate.continual.tasks import stroke_tasks
        >>> tasks = stroke_tasks(drawn_strokes(20), n_tasks=2)
        >>> run = train_continual(tasks, learner="sgd", n_steps=10, batch_size=8)
        >>> recording = run.recording("4 v 5", n_trials=6)
        >>> recording["session"].values.tolist()
        ['untrained', 'after task 1', 'after task 2']
        """
        asked = {"task": task, "n_trials": n_trials, "noise": noise, "seed": probe_seed}
        probe = _PROBE | self.probe | {n: v for n, v in asked.items() if v is not None}
        number, n_trials = self._number(probe["task"]), probe["n_trials"]
        pool = TrialPool(self.tasks, "test", self.trials, self.network, np.float64)
        stream = None
        if probe["noise"]:
            stream = Stream(probe["seed"], "probe", self.tasks.tasks[number].name)
        batch = pool.batch(pool.of_task(number, n_trials), stream, process_noise=False)
        passes = [_tested(self.network, weights, batch) for weights in self._snapshots()]
        n_snapshots = len(passes)
        lengths = np.diff(batch.offsets)
        trial = np.repeat(np.arange(lengths.size), lengths)
        names = ["untrained", *(f"after task {k}" for k in range(1, n_snapshots))]
        return recording_from_arrays(
            [one.activity for one in passes],
            kind="activation",
            frame_duration=1.0,
            session=names,
            training_step=np.arange(n_snapshots) * self.n_steps,
            loss=[one.loss for one in passes],
            accuracy=[one.accuracy for one in passes],
            trial=[trial] * n_snapshots,
            trial_type=[np.repeat(batch.labels, lengths)] * n_snapshots,
            subject=f"{self.learner['name']}, seed {self.seed}" if subject is None else subject,
            environment=self.tasks.tasks[number].name,
        )

    def groups(self) -> dict[str, xr.Dataset]:
        """What is stored beside the recording.

        Returns
        -------
        dict of xarray.Dataset
            ``measures`` and ``weights``.
        """
        dims = {"W": ("snapshot", "source", "unit"), "C": ("snapshot", "unit", "output")}
        weights = xr.Dataset({name: (dims[name], a) for name, a in self.weights.items()})
        return {"measures": self.measures, "weights": weights}

    def table(self) -> xr.Dataset:
        """What a sweep's table shows of it.

        Returns
        -------
        xarray.Dataset
            The measures, and ``snapshots_made``.
        """
        return self.measures.assign(snapshots_made=self.measures.sizes["snapshot"])

    def text(self) -> str:
        """What came out, in a line.

        Returns
        -------
        str
            For the terminal.
        """
        last = self.measures["accuracy"].values[-1]
        learned = len(self.measures["snapshot"]) - 1
        mean = f"mean accuracy {last[:learned].mean():.3f}" if learned else "no task learned"
        return (
            f"{self.reason}: {self.learner['name']}, seed {self.seed}, {learned} of "
            f"{len(last)} tasks; {mean} on those"
        )

    def __repr__(self) -> str:
        """What was trained and came out."""
        return f"<ContinualRun: {self.text()}>"

    def weight_change(self) -> np.ndarray:
        """How far the weights are from those of each snapshot.

        Returns
        -------
        numpy.ndarray
            (snapshot, snapshot) Euclidean distance over all weights.
        """
        flat = np.concatenate(
            [array.reshape(len(array), -1) for array in self.weights.values()], axis=1
        )
        return np.asarray(np.linalg.norm(flat[:, None] - flat[None], axis=2))

    def _snapshots(self) -> list[Weights]:
        n = len(self.weights["W"])
        return [{name: array[k] for name, array in self.weights.items()} for k in range(n)]

    def _number(self, task: int | str) -> int:
        names = [one.name for one in self.tasks.tasks]
        if isinstance(task, str) and task in names:
            return names.index(task)
        if isinstance(task, int) and 1 <= task <= len(names):
            return task - 1
        raise ValueError(f"no task {task!r}: expected 1 to {len(names)}, or {', '.join(names)}")


@checked_options
def train_continual(
    tasks: TaskSequence,
    *,
    learner: Learner | str = "ncl",
    network: RecurrentNetwork | None = None,
    trials: TrialSettings | None = None,
    n_steps: int = 1953,
    batch_size: int = 256,
    n_fisher: int = 2048,
    data_size: int = 50_000,
    n_test: int = 1000,
    seed: int = 0,
    initial_seed: int | None = None,
    dtype: str = "float32",
    checkpoint: str | os.PathLike[str] | None = None,
) -> ContinualRun:
    """Train a recurrent network on tasks in sequence, as in Jensen (2021) and Kao et al. [1]_.

    Parameters
    ----------
    tasks
        The tasks, see :func:`neurodrift.simulate.continual.tasks.stroke_tasks` and
        :func:`neurodrift.simulate.continual.tasks.task_sequence_from_arrays`.
    learner
        A rule, or its name in :data:`neurodrift.simulate.continual.learners.LEARNERS` with its
        defaults.
    network, trials
        The network and how trials are shown; the published ones when omitted.
    n_steps
        Steps of each task. 1953 batches of 256 are the published 500 000 trials.
    batch_size
        Trials of each step; replay draws as many again of the tasks before.
    n_fisher
        Trials from which a learner estimates Fisher information at the end of a task.
    data_size
        Nominal number of trials of a task, which sets how strong the prior is against them.
    n_test
        Test trials of each task that measures are taken on, at most.
    seed
        Seed of weights, trials and noise.
    initial_seed
        Seed of the weights at the start, if it is to be another one.
    dtype
        Precision of activity and gradients, ``float32`` or ``float64``. Weights are float64.
    checkpoint
        File to save the state to after each task, and to resume from: a run that was interrupted
        ends bit for bit as if it had not been.

    Returns
    -------
    ContinualRun
        Weights and measures at the start and after each task, and the recordings they make.

    Raises
    ------
    ValueError
        If an option is impossible, or the checkpoint belongs to another run.

    References
    ----------
    .. [1] T.-C. Kao, K. T. Jensen, G. M. van de Ven, A. Bernacchia, G. Hennequin (2021), "Natural
       continual learning", NeurIPS, https://doi.org/10.48550/arXiv.2106.08085

    Examples
    --------
    >>> from neurodrift.simulate.continual.continual import train_continual
    >>> from neurodrift.simulate.continual.learners import NCL
    >>> from neurodrift.simulate.continual.strokes import drawn_strokes
    >>> from neurodrift.simulate.continual.tasks import stroke_tasks
    >>> tasks = stroke_tasks(drawn_strokes(20), n_tasks=2)
    >>> run = train_continual(tasks, learner=NCL(), n_steps=10, batch_size=8, n_fisher=16)
    >>> dict(run.measures["accuracy"].sizes)
    {'snapshot': 3, 'task': 2}
    """
    expect_type("tasks", tasks, TaskSequence, "a TaskSequence, such as of stroke_tasks")
    sizes = {"n_steps": n_steps, "batch_size": batch_size, "n_fisher": n_fisher}
    sizes |= {"data_size": data_size, "n_test": n_test}
    wrong = [
        f"{name} is {value}, expected at least 1" for name, value in sizes.items() if value < 1
    ]
    if isinstance(learner, str) and learner not in LEARNERS:
        wrong.append(f"learner is {learner!r}, expected one of {', '.join(LEARNERS)}")
    if dtype not in ("float32", "float64"):
        wrong.append(f"dtype is {dtype!r}, expected float32 or float64")
    if wrong:
        raise ValueError("cannot train: " + "; ".join(wrong))
    rule = LEARNERS[learner]() if isinstance(learner, str) else learner
    network, trials = network or RecurrentNetwork(), trials or TrialSettings()
    first = network.initial_weights(
        trials.n_inputs(tasks),
        trials.n_outputs(tasks),
        seed if initial_seed is None else initial_seed,
    )
    weights = {name: array.copy() for name, array in first.items()}
    kept = [first]
    losses = np.full((len(tasks), n_steps), np.nan)
    pool = TrialPool(tasks, "train", trials, network, dtype)
    tests = TrialPool(tasks, "test", trials, network, dtype)
    reason = "finished"
    name = next((key for key, kind in LEARNERS.items() if type(rule) is kind), type(rule).__name__)
    options = {"name": name} | asdict(rule)
    path, identity = None, ""
    if checkpoint is not None:
        path = Path(checkpoint)
        numbers = [*sizes.values(), seed, dtype]
        identity = _identity(tasks, options, network, trials, numbers, first)
    with one_blas_thread(), np.errstate(over="ignore", invalid="ignore"):
        rule.start(weights, data_size)
        stored = None if path is None else _checkpoint.load_state(path, identity, _KEPT)
        if stored is None:
            learned, found = 0, [_measure(network, weights, tests, tasks, n_test, seed)]
        else:
            learned, kept, found = stored["learned"], stored["kept"], stored["found"]
            losses, reason, weights = stored["losses"], stored["reason"], stored["weights"]
            vars(rule).update(stored["learner"])
        for k in range(learned, len(tasks)):
            examples = TaskExamples(network, pool, k, batch_size, n_fisher, data_size, seed)
            for step in range(n_steps):
                rule.step(weights, examples)
                losses[k, step] = examples.loss
                if not all(np.isfinite(array).all() for array in weights.values()):
                    reason = "diverged"
                    break
            if reason == "finished":
                rule.finish(weights, examples)
                kept.append({name: array.copy() for name, array in weights.items()})
                found.append(_measure(network, weights, tests, tasks, n_test, seed))
            if path is not None:
                options_of_rule = {field.name for field in fields(rule)}
                state = {
                    "learned": k + 1 if reason == "finished" else len(tasks),
                    "kept": kept,
                    "found": found,
                    "losses": losses,
                    "reason": reason,
                    "weights": weights,
                    "learner": {n: v for n, v in vars(rule).items() if n not in options_of_rule},
                }
                _checkpoint.save_state(path, identity, state, _KEPT)
            if reason != "finished":
                break
    measures = label_measures(np.array(found), losses, [task.name for task in tasks.tasks])
    measures.attrs = {"title": "neurodrift continual learning", "learner": name, "seed": seed}
    measures.attrs |= {"reason": reason, "n_steps": n_steps, "batch_size": batch_size}
    return ContinualRun(
        tasks=tasks,
        network=network,
        trials=trials,
        seed=seed,
        learner=options,
        weights={name: np.stack([one[name] for one in kept]) for name in first},
        measures=measures,
        n_steps=n_steps,
        reason=reason,
    )


@dataclass(frozen=True, eq=False)
class _Tested:
    activity: np.ndarray
    loss: float
    accuracy: float


def _tested(network: RecurrentNetwork, weights: Weights, batch: Batch) -> _Tested:
    weights = cast(weights, batch)
    activity = run_network(network, weights, batch)
    log_p = log_probabilities(weights, batch, activity)
    right = np.take_along_axis(log_p, batch.labels[:, None, None], axis=2)[..., 0]
    hit = log_p[:, -1].argmax(axis=1) == batch.labels
    return _Tested(activity.after, float(-right.sum(axis=1).mean()), float(hit.mean()))


def _identity(
    tasks: TaskSequence,
    learner: dict[str, Any],
    network: RecurrentNetwork,
    trials: TrialSettings,
    options: list[Any],
    first: Weights,
) -> str:
    """Digest of everything that decides what the run becomes."""
    parts: list[Any] = ["continual", learner, asdict(network), asdict(trials), *options]
    parts += first.values()
    for task in tasks.tasks:
        parts += [task.name, task.n_classes]
        for part in (task.train, task.test):
            parts += [part.inputs, part.offsets, part.labels]
    return _checkpoint.fingerprint(parts)


def _measure(
    network: RecurrentNetwork,
    weights: Weights,
    tests: TrialPool,
    tasks: TaskSequence,
    n_test: int,
    seed: int,
) -> np.ndarray:
    """(task, measure), on the same trials and noise at every snapshot."""
    rows = []
    for task in range(len(tasks)):
        which = tests.of_task(task, n_test)
        clean = _over(network, weights, tests, which, None)
        noisy = _over(network, weights, tests, which, Stream(seed, "test", task))
        rows.append([clean[0], noisy[0], clean[1]])
    return np.array(rows)


def _over(
    network: RecurrentNetwork,
    weights: Weights,
    tests: TrialPool,
    which: np.ndarray,
    stream: Stream | None,
) -> tuple[float, float]:
    """Accuracy and loss, some trials at a time."""
    parts = np.split(which, np.arange(_MOST, len(which), _MOST))
    found = [_tested(network, weights, tests.batch(part, stream)) for part in parts]
    share = np.array([len(part) for part in parts]) / len(which)
    return (
        float(share @ [one.accuracy for one in found]),
        float(share @ [one.loss for one in found]),
    )


def label_measures(found: np.ndarray, losses: np.ndarray, tasks: Sequence[str]) -> xr.Dataset:
    """Name the measures of a run.

    Parameters
    ----------
    found
        (snapshot, task, measure) values of :data:`MEASURES`.
    losses
        (task, step) loss of each batch.
    tasks
        Their names.

    Returns
    -------
    xarray.Dataset
        The measures of a :class:`ContinualRun`.
    """
    measures = xr.Dataset(
        {
            name: (("snapshot", "task"), found[..., i], {"units": "1", "long_name": text})
            for i, (name, text) in enumerate(MEASURES.items())
        },
        coords={
            "task": np.array(tasks, dtype=object),
            "snapshot": np.arange(len(found)),
            "step": np.arange(1, losses.shape[1] + 1),
        },
    )
    text = "cross-entropy of the batch, summed over the steps that are read"
    measures["training_loss"] = (("task", "step"), losses, {"units": "1", "long_name": text})
    return measures

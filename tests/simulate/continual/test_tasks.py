from __future__ import annotations

import numpy as np
import pytest

from neurodrift.simulate.continual.strokes import drawn_strokes
from neurodrift.simulate.continual.tasks import stroke_tasks, task_sequence_from_arrays


def _arrays(n=4, length=3, channels=2):
    return [np.full((length, channels), float(i)) for i in range(n)]


def test_task_sequence_from_arrays__keeps_every_trial():
    part = ([np.ones((2, 1)), np.zeros((5, 1)), np.full((1, 1), 7.0)], [1, 0, 1])
    tasks = task_sequence_from_arrays({"a": {"train": part, "test": part}})
    train = tasks.tasks[0].train
    assert train.labels.tolist() == [0, 1, 1] and train.lengths.tolist() == [5, 2, 1]
    assert train.inputs.ravel().tolist() == [0, 0, 0, 0, 0, 1, 1, 7]
    assert train.offsets.tolist() == [0, 5, 7, 8]


@pytest.mark.parametrize(
    ("part", "fault"),
    [
        ((_arrays(), [0, 1, 0]), "expected one label for each"),
        ((_arrays(), [0, 1, 0, -1]), "labels must be integers from 0"),
        ((_arrays(), [0.0, 1, 0, 1]), "labels must be integers from 0"),
        ((_arrays(), [0, 2, 0, 2]), "no trial of class .1."),
        ((_arrays(), [0, 0, 0, 0]), "needs two classes or more"),
        (([np.zeros(3), np.zeros((2, 1))], [0, 1]), "trial 0 has shape .3,."),
        (([np.zeros((2, 1)), np.full((2, 1), np.nan)], [0, 1]), "trial 1 has NaN"),
        (([], []), "at least one trial"),
    ],
)
def test_task_sequence_from_arrays__refuses(part, fault):
    with pytest.raises(ValueError, match=fault):
        task_sequence_from_arrays({"a": {"train": part, "test": part}})


def test_task_sequence__channels_and_names():
    one, two = (_arrays(), [0, 1, 0, 1]), (_arrays(channels=3), [0, 1, 0, 1])
    with pytest.raises(ValueError, match="differ in their number of input channels"):
        task_sequence_from_arrays(
            {"a": {"train": one, "test": one}, "b": {"train": two, "test": two}}
        )
    with pytest.raises(ValueError, match="expected 'train' and 'test'"):
        task_sequence_from_arrays({"a": {"train": one}})
    with pytest.raises(ValueError, match="no tasks"):
        task_sequence_from_arrays({})


@pytest.mark.parametrize("n_tasks", [0, 16])
def test_stroke_tasks__are_fifteen(n_tasks):
    drawn = drawn_strokes(1)
    assert len(stroke_tasks(drawn)) == 15
    with pytest.raises(ValueError, match="expected 1 to 15"):
        stroke_tasks(drawn, n_tasks)

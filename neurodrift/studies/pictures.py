"""Pictures of studies by one call: the curve of a multiverse, and Figure 3 of the paper."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd
import xarray as xr

from neurodrift.analysis.comparison.members import Member
from neurodrift.cohort.cohort import gather_cohort
from neurodrift.cohort.questions import AXES
from neurodrift.plotting._style import new_figure
from neurodrift.report.publication import FONT, NARROW, draw, draw_chart, draw_legend
from neurodrift.schema.objects import expect_choice
from neurodrift.schema.options import checked_options
from neurodrift.studies.conclusions import describe_multiverse, questions_of
from neurodrift.studies.report.normalized import normalized_figures
from neurodrift.studies.report.normalized import normalized_slopes as slopes_of
from neurodrift.studies.report.ways import ways_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from neurodrift.schema.types import Results

_MM = 1 / 25.4
_HIGH = 62.0  # height of a data set [mm]


def plot_multiverse(tree: xr.DataTree, question: str | None = None) -> Figure:
    """The specification curve of a question: all ways by their answers, and what was chosen.

    Parameters
    ----------
    tree
        Result of :func:`neurodrift.multiverse`.
    question
        One of its questions; the first when omitted.

    Returns
    -------
    matplotlib.figure.Figure
        Above the answers with their intervals, coloured where they are significant; below a row for
        each level of each choice. Ways that failed are crosses at the right.

    Raises
    ------
    TypeError
        If it is no result of :func:`neurodrift.multiverse`.
    ValueError
        If it has no such question.

    Examples
    --------
    >>> import tempfile
    >>> import neurodrift as nd
    >>> folder = tempfile.mkdtemp()
    >>> mouse = nd.testing.linear_track(n_units=8, n_sessions=4, minutes=3)
    >>> path = nd.save_recording(mouse, folder + "/m.zarr")
    >>> found = nd.multiverse(
    ...     {
    ...         "recordings": [{"path": str(path)}],
    ...         "analysis": {"n_repeats": 10},
    ...         "questions": ["decay of rate_map_correlation ~ day"],
    ...     },
    ...     folder + "/out",
    ...     choices={"bin_width": [4, 8], "smoothing": [2, 6]},
    ... )
    >>> len(nd.plot_multiverse(found).axes)
    2
    """
    from matplotlib import rc_context

    describe_multiverse(tree)  # refuses what is no multiverse
    questions = questions_of(tree)
    question = questions[0] if question is None else question
    expect_choice("question", question, questions)
    with rc_context(FONT):
        return draw(ways_figure(tree, question), new_figure)


@checked_options
def plot_normalized_series(
    results: Results,
    *,
    data_sets: Mapping[str, str] | None = None,
    axis: str = "day",
    level: float = 0.95,
) -> Figure:
    """Place cells and information relative to themselves, as published and with animals as units.

    Figure 3 of Ratzon et al. [1]_ for any cohort. Left every series is over its first session, with
    one line by least squares through the sessions of all animals, the published way. Right every
    series is over its own mean, and the line is the mean of the animals' slopes with Student's t
    between them; of one animal it is averaged over the autocorrelation of its sessions.

    Parameters
    ----------
    results
        Results of :func:`neurodrift.analyze` of any number of recordings, a mapping of names or a
        list; or the tree of :func:`neurodrift.study`.
    data_sets
        Data set of each recording or animal by its name; those without one are left out. All
        together when omitted.
    axis
        What the series are along: a column of the sessions.
    level
        Coverage of the intervals.

    Returns
    -------
    matplotlib.figure.Figure
        A row for each data set with both ways; thin lines are recordings, dots means over animals.

    Raises
    ------
    ValueError
        If a name is not known, or no recording has a series of two sessions.

    References
    ----------
    .. [1] Ratzon, Derdikman and Barak (2024), eLife. https://doi.org/10.7554/eLife.90069

    Examples
    --------
    >>> import numpy as np
    >>> import neurodrift as nd
    >>> day = np.arange(5.0)
    >>> mice = [
    ...     nd.testing.results_of(
    ...         {"day": day, "fraction_place_cells": 0.5 - 0.01 * i * day}, subject=f"m{i}"
    ...     )
    ...     for i in range(12)
    ... ]
    >>> len(nd.plot_normalized_series(mice).axes)
    2
    """
    from matplotlib import rc_context

    sets = _data_sets(results, data_sets, axis)
    figures = normalized_figures(sets, axis, level)
    if not figures:
        raise ValueError(
            f"no recording has place cells, active units or information in two sessions along "
            f"{axis!r}"
        )
    rows = (len(figures) + 1) // 2
    with rc_context(FONT):
        found = new_figure((2 * NARROW * _MM, rows * _HIGH * _MM))
        axes = found.subplots(rows, 2, squeeze=False).ravel()
        for one, ax in zip(figures, axes, strict=False):
            draw_chart(ax, one.drawing)  # type: ignore[arg-type]
            draw_legend(ax, one)
            ax.set_title(one.title, fontsize=7, loc="left")
    return found


@checked_options
def tabulate_normalized_slopes(
    results: Results,
    *,
    data_sets: Mapping[str, str] | None = None,
    axis: str = "day",
    level: float = 0.95,
) -> pd.DataFrame:
    """Slopes of place cells and information relative to themselves, as published and by animals.

    Parameters
    ----------
    results, data_sets, axis, level
        As for :func:`plot_normalized_series`.

    Returns
    -------
    pandas.DataFrame
        ``data_set``, ``measure``, ``way``, ``slope`` for each unit of the axis with ``ci_low``,
        ``ci_high`` and ``p``, ``n`` of what ``unit`` says, ``n_recordings``.

    Examples
    --------
    >>> import numpy as np
    >>> import neurodrift as nd
    >>> day = np.arange(4.0)
    >>> mice = [
    ...     nd.testing.results_of({"day": day, "information": 1 + i * day}, subject=f"m{i}")
    ...     for i in (0.1, 0.2)
    ... ]
    >>> nd.tabulate_normalized_slopes(mice)[["way", "n", "unit"]].values.tolist()
    [['as published', 8, 'session'], ['animal as the unit', 2, 'animal']]
    """
    return slopes_of(_data_sets(results, data_sets, axis), axis, level)


def _data_sets(
    results: Results, named: Mapping[str, str] | None, axis: str
) -> dict[str, list[Member]]:
    expect_choice("axis", axis, list(AXES))
    if isinstance(results, xr.DataTree) and "recordings" in results.children:
        results = dict(results["recordings"].children)
    members = gather_cohort(results).members
    if named is None:
        animals = list(dict.fromkeys(m.replicate for m in members))
        return {"All animals" if len(animals) > 1 else animals[0]: list(members)}
    known = {name for m in members for name in (m.name, m.replicate)}
    unknown = [name for name in named if name not in known]
    if unknown:
        raise ValueError(
            f"data_sets has {unknown[0]!r}, which is no recording and no animal; recordings are "
            f"{', '.join(m.name for m in members)}"
        )
    found: dict[str, list[Member]] = {name: [] for name in named.values()}
    for m in members:
        own = named.get(m.name, named.get(m.replicate))
        if own is not None:
            found[own].append(m)
    return found

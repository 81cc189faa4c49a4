"""What can be said of the questions of a study when one recording is known."""

from __future__ import annotations

import xarray as xr

from neurodrift.cohort.cohort import gather_cohort
from neurodrift.cohort.questions import parse_question
from neurodrift.studies.plan import Plan


def unanswered(plan: Plan, results: xr.DataTree) -> list[str]:
    """Why one recording answers some questions of a study in no way, such as a misspelt measure.

    Parameters
    ----------
    plan
        The study.
    results
        Of one recording.

    Returns
    -------
    list of str
        A sentence for each such question. Another recording may have what this one lacks.

    Examples
    --------
    >>> from neurodrift import testing
    >>> from neurodrift.studies.early import unanswered
    >>> from neurodrift.studies.plan import load_plan
    >>> plan = load_plan({"recordings": [{"path": "m.zarr"}], "questions": ["informaton ~ day"]})
    >>> mouse = testing.results_of({"day": [0.0, 1.0, 2.0], "information": [1.0, 1.1, 1.2]})
    >>> print(*unanswered(plan, mouse))
    question 'informaton ~ day': there is no measure 'informaton'; there are information
    """
    cohort = gather_cohort([results])
    factors = {"environment", *plan.factors}
    for entry in plan.entries:
        factors |= set(entry.factors)
    told = []
    for question in plan.questions or ():
        try:
            parse_question(
                question,
                measures=cohort.measures,
                similarities=cohort.similarities,
                factors=sorted(factors),
            )
        except ValueError as error:
            told.append(str(error))
    return told

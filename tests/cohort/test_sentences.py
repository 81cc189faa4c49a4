from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import neurodrift as nd
from neurodrift.cohort.fate import fate
from neurodrift.cohort.sentences import answer_sentences
from neurodrift.testing import results_of

DAY = "information ~ day"
DECAY = "decay of rate_map_correlation_relative ~ day"


def said(pooled, question=DAY):
    return " ".join(answer_sentences(pooled, question))


def planted(slopes, *, share=False, n=6, noise=1e-3):
    """Animals whose measure has just these slopes."""
    rng = np.random.default_rng(0)
    day, name = np.arange(n), "fraction_place_cells" if share else "information"
    return [
        results_of(
            {"day": day * 1.0, name: 0.5 + s * day + rng.normal(0, noise, n)}, subject=f"m{i}"
        )
        for i, s in enumerate(slopes)
    ]


def test_answer_sentences__a_rise_with_its_unit_interval_and_share_of_the_mean():
    trees = planted([0.01, 0.012, 0.008, 0.011, 0.009], share=True)
    question = "fraction_place_cells ~ day"
    pooled = nd.pool_animals(trees, questions=[question])
    text = said(pooled, question)
    assert text.startswith(
        "The share of place cells rises by 0.99 percentage points a day (95\u00a0% CI"
    )
    relative = pooled["answers"]["relative"].sel(question=question, variant="raw").item()
    assert f"over 5 days, {100 * relative:.1f} % of the mean" in text.replace("\u00a0", " ")
    assert "The sign is the same in all 5 animals." in text


def test_answer_sentences__what_follows_speed_vanishes_when_it_is_held(cohort):
    trees = cohort(30, n=6, environments="AB", spread=0.002, speed=0.4, by_speed=0.05)
    pooled = nd.pool_animals(trees, questions=[DAY])
    text = said(pooled)
    assert fate(pooled, DAY, "given running_speed") == "vanishes"
    assert fate(pooled, DAY, "given events_per_unit") == "stays"
    assert "It vanishes when running speed is held (" in text
    assert "It stays when events per cell are held (" in text


def test_answer_sentences__what_follows_events_vanishes_on_an_equal_footing(cohort):
    trees = cohort(36, n=6, environments="AB", spread=0.002)
    rng = np.random.default_rng(0)
    for tree in trees.values():
        sessions = tree["sessions"].to_dataset()
        events = 60 - 2 * sessions["day"] + rng.normal(0, 2, 6)
        changed = sessions.assign(
            events_per_unit=events,
            information_matched=sessions["information"],
            information=sessions["information"] - 0.03 * (events - 50),
        )
        tree["sessions"] = changed
        tree["matched"] = changed[[]].assign_attrs(n_units=40)
    pooled = nd.pool_animals(trees, questions=[DAY])
    assert fate(pooled, DAY, "matched") == "vanishes"
    assert fate(pooled, DAY, "given events_per_unit") == "vanishes"
    assert fate(pooled, DAY, "given running_speed") == "stays"
    text = said(pooled)
    assert "It vanishes on an equal footing (" in text
    assert any(
        note["code"] == "changes-events_per_unit" for note in json.loads(pooled.attrs["notes"])
    )


def test_answer_sentences__what_does_not_follow_speed_stays(cohort):
    trees = cohort(31, n=6, environments="AB", spread=0.002, slope=0.05, speed=0.1)
    pooled = nd.pool_animals(trees, questions=[DAY])
    assert fate(pooled, DAY, "given running_speed") == "stays"
    assert fate(pooled, DAY, "given all") == "stays"
    assert "vanishes" not in said(pooled)


def test_answer_sentences__a_covariate_that_is_nearly_time_leaves_it_undecided(cohort):
    trees = cohort(32, n=4, spread=0.02, slope=0.08, speed=3.0)
    pooled = nd.pool_animals(trees, questions=[DAY], covariates=["running_speed"])
    assert fate(pooled, DAY, "raw") == "stays"
    assert fate(pooled, DAY, "given running_speed") == "undecided"
    text = said(pooled)
    assert "Whether it stays is undecided when running speed is held" in text
    assert "these 4 animals would have shown" in text


def test_answer_sentences__undecided_says_what_would_have_been_seen():
    pooled = nd.pool_animals(planted([0.02, -0.03, 0.05, -0.02]), questions=[DAY])
    text = said(pooled).replace("\u00a0", " ")
    assert text.startswith(
        "Whether spatial information of place cells changes with the days is undecided: "
    )
    assert "these 4 animals would have shown" in text
    assert "with a power of 80 %" in text
    detectable = pooled["answers"]["detectable"].sel(question=DAY, variant="raw").item()
    assert f"{detectable:.2g}" in text
    p = pooled["answers"]["p"].sel(question=DAY, variant="raw").item()
    assert f"p = {p:.2f}†" in text


def test_answer_sentences__no_change_and_one_animal_that_carries():
    tight = nd.pool_animals(planted([1e-5, -1e-5, 2e-5, 0, 1e-5, -2e-5]), questions=[DAY])
    assert "does not change with the days by as much as matters" in said(tight)
    one = planted([0.001, 0.0012, 0.0011, 0.0009, 0.009], noise=1e-5)
    assert "m4 carries it" in said(nd.pool_animals(one, questions=[DAY], level=0.7))


def test_answer_sentences__groups_numbers_environments_and_interventions(cohort):
    trees = cohort(33, n=6, environments="AB")
    for (name, tree), more in zip(trees.items(), np.repeat([0, 0, 0, 1, 1, 1], 2), strict=True):
        sessions = tree["sessions"].to_dataset()
        rise = (0.1 * more + 0.05 * name.endswith("B")) * sessions["day"]
        tree["sessions"] = sessions.assign(information=sessions["information"] + rise)
    factors = {f"m{i}": {"genotype": "wt" if i < 3 else "ko", "age": 1 + i} for i in range(6)}
    questions = {
        "information ~ genotype * day": "is higher in ko than in wt, by",
        "information ~ environment * day": "is higher in B than in A, by",
        "information ~ age * day": "rises with age, by",
        "information ~ intervention": "is higher after the intervention than before, by",
        DECAY: "a day of lag",
    }
    pooled = nd.pool_animals(
        trees, factors=factors, questions=list(questions), intervention=5.0, correction="none"
    )
    for question, told in questions.items():
        assert told in said(pooled, question), question
    text = said(pooled, "information ~ genotype * day")
    assert text.startswith("The change of spatial information of place cells is higher")
    assert "By group: wt 0.0" in text
    assert "The similarity of rate maps without noise falls by" in said(pooled, DECAY)


def test_answer_sentences__three_groups_and_what_cannot_be_tested(cohort):
    trees = planted([0.01, 0.011, 0.02, 0.021, 0.05, 0.052])
    factors = {f"m{i}": {"dose": "abc"[i // 2]} for i in range(6)}
    question = "information ~ dose * day"
    text = said(nd.pool_animals(trees, factors=factors, questions=[question]), question)
    assert "differs between a, b, c (Welch's F(2, " in text
    assert "Apart are " in text
    alone = {f"m{i}": {"dose": "a" if i else "b"} for i in range(6)}
    text = said(nd.pool_animals(trees, factors=alone, questions=[question]), question)
    assert text.endswith(
        "cannot be tested, because b has one animal: a group needs two for an interval."
    )


def test_describe_answers__all_questions_the_dagger_and_the_cautions(cohort):
    trees = cohort(34, n=3, speed=0.5)
    text = nd.describe_answers(nd.pool_animals(trees, questions=[DAY, DECAY]))
    assert text.count("\n\n") >= 2
    assert "† Fewer than 4 degrees of freedom" in text
    assert "3 animals: p has fewer than 4 degrees of freedom" in text
    assert "Running speed rises in the cohort: 0." in text


def test_describe_answers__no_names_of_the_program(cohort):
    trees = cohort(35, n=4, environments="AB", speed=0.5, by_speed=0.05)
    factors = {f"m{i}": {"genotype": "wt" if i < 2 else "ko"} for i in range(4)}
    pooled = nd.pool_animals(trees, factors=factors)
    for question in pooled["answers"]["question"].values:
        assert "_" not in said(pooled, question)
        assert "nan" not in said(pooled, question)


def test_describe_answers__something_else():
    with pytest.raises(TypeError, match="pool_animals"):
        nd.describe_answers("study")


def test_page__quotes_what_is_said(cohort):
    trees = cohort(30, n=6, environments="AB", spread=0.002, speed=0.4, by_speed=0.05)
    text = said(nd.pool_animals(trees, questions=[DAY])).replace("\u00a0", " ")
    page = Path(__file__).parents[2] / "docs" / "cohort.md"
    quoted = [line[2:] for line in page.read_text().splitlines() if line.startswith("> ")]
    assert " ".join(quoted) == text


def test_answer_sentences__what_rounding_leaves_of_a_zero_is_a_zero():
    even = nd.pool_animals(planted([0.02, -0.02, 0.01, -0.01], noise=0.0), questions=[DAY])
    even["answers"]["estimate"][...] = -2.2e-17
    assert "10⁻" not in said(even) and " 0 bit/event" in said(even).replace("\u00a0", " ")


def test_answer_sentences__nothing_that_differs_at_all_and_a_faster_decay(cohort):
    flat = nd.pool_animals(planted([0.0] * 4, noise=0.0), questions=[DAY])
    assert said(flat) == "Spatial information of place cells is the same throughout (4 animals)."
    rng = np.random.default_rng(0)
    apart = np.abs(np.subtract.outer(np.arange(5.0), np.arange(5.0)))
    trees = [
        results_of(
            {"day": np.arange(5.0)},
            relative=np.exp(-rate * apart) + rng.normal(0, 0.005, (5, 5)),
            subject=f"m{i}",
        )
        for i, rate in enumerate([0.05] * 3 + [0.2] * 3)
    ]
    factors = {f"m{i}": {"group": "slow" if i < 3 else "fast"} for i in range(6)}
    question = "decay of rate_map_correlation_relative ~ group"
    text = said(nd.pool_animals(trees, factors=factors, questions=[question]), question)
    assert text.startswith(
        "The decay of the similarity of rate maps without noise is faster in fast than in slow, by"
    )

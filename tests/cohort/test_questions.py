from __future__ import annotations

import pytest

from neurodrift.cohort.questions import default_questions, parse_question, read_questions

KNOWN = {
    "measures": ["information", "fraction_place_cells"],
    "similarities": ["rate_map_correlation_relative"],
    "factors": ["genotype", "environment", "age"],
}


@pytest.mark.parametrize(
    ("text", "kind", "axis", "factors", "terms"),
    [
        ("information ~ day", "slope", "day", (), 2),
        ("  information  ~  experience ", "slope", "experience", (), 2),
        ("information ~ genotype * day", "slope", "day", ("genotype",), 2),
        ("information ~ day*genotype", "slope", "day", ("genotype",), 2),
        ("information ~ genotype", "level", "", ("genotype",), 1),
        ("information ~ intervention", "intervention", "", (), 2),
        ("information ~ intervention given day", "intervention", "day", (), 3),
        ("information ~ genotype * intervention", "intervention", "", ("genotype",), 2),
        (
            "information ~ genotype * environment * day",
            "slope",
            "day",
            ("genotype", "environment"),
            2,
        ),
        ("decay of rate_map_correlation_relative", "decay", "day", (), 2),
        ("decay of rate_map_correlation_relative ~ genotype", "decay", "day", ("genotype",), 2),
        ("decay of rate_map_correlation_relative ~ experience", "decay", "experience", (), 2),
    ],
)
def test_parse_question__reads(text, kind, axis, factors, terms):
    question = parse_question(text, **KNOWN)
    assert (question.kind, question.axis, question.factors) == (kind, axis, factors)
    assert question.terms == terms


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("information", "cannot be read"),
        ("information ~ ", "cannot be read"),
        ("~ day", "cannot be read"),
        ("a ~ b ~ c", "cannot be read"),
        (
            "informations ~ day",
            "there is no measure 'informations'; there are information",
        ),
        ("information ~ genotyp * day", "'genotyp': expected an axis"),
        ("information ~ day + genotype", "covariates="),
        ("information ~ day * experience", "at once"),
        ("information ~ day * intervention", "given day"),
        ("information ~ day given day", "expected an intervention before it"),
        ("information ~ intervention given genotype", "an axis after"),
        ("information ~ genotype * genotype", "at once"),
        ("information ~ genotype * environment * age * day", "3 factors"),
        ("decay of information ~ day", "is no similarity"),
        ("rate_map_correlation_relative ~ day", '"decay of rate_map_correlation_relative"'),
        ("decay of rate_map_correlation_relative ~ intervention", "along an axis"),
    ],
)
def test_parse_question__says_what_is_wrong(text, told):
    with pytest.raises(ValueError, match=told.replace("(", r"\(")):
        parse_question(text, **KNOWN)


def test_parse_question__no_text():
    with pytest.raises(TypeError, match="expected a text"):
        parse_question(3, **KNOWN)


def test_default_questions__of_the_paper_and_for_each_factor():
    found = default_questions(KNOWN["measures"], KNOWN["similarities"], ["genotype"])
    assert found == [
        "fraction_place_cells ~ day",
        "information ~ day",
        "decay of rate_map_correlation_relative ~ day",
        "fraction_place_cells ~ genotype * day",
        "information ~ genotype * day",
        "decay of rate_map_correlation_relative ~ genotype * day",
    ]
    read = read_questions(None, **KNOWN, declared=["genotype"])
    assert [question.text for question in read] == found


def test_read_questions__twice_none_and_no_list():
    with pytest.raises(ValueError, match="asked twice"):
        read_questions(["information ~ day", "information  ~ day"], **KNOWN)
    with pytest.raises(ValueError, match="no question"):
        read_questions(None, measures=[], similarities=[], factors=[])
    with pytest.raises(TypeError, match="expected a list of names"):
        read_questions("information ~ day", **KNOWN)

"""The specification curve and what is said of it."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import neurodrift as nd
from neurodrift.report.publication import draw
from neurodrift.report.svg import ways_svg
from neurodrift.studies.conclusions import conclusion_sentences
from neurodrift.studies.report.ways import FALLS, RISES, UNSURE, influence_table, ways_figure

QUESTION = "fraction_place_cells ~ day"


@pytest.fixture
def tree(ways_of):
    return ways_of(["m0"])


def test_sentences__count_ways_and_name_the_choice(tree):
    text = nd.describe_multiverse(tree)
    assert text.startswith(
        "In 5 of 5 ways the share of place cells rises (+10\u00a0% to +30\u00a0% over the "
        "recordings, median +20\u00a0%), in 4 significantly."
    )
    assert "What moves it most is bin width (54\u00a0% of the spread)." in text
    assert "1 way gave no answer." in text
    assert "show it more than by chance (p\u00a0=\u00a00.008; permuted: signs of animals)" in text


def test_sentences__few_animals_cannot_decide(ways_of):
    text = nd.describe_multiverse(ways_of(["m0"], p_median=0.25, smallest_p=0.25))
    assert "cannot decide" in text and "below 0.25, and is 0.25" in text
    text = nd.describe_multiverse(ways_of(["m0"], p_median=np.nan, smallest_p=np.nan))
    assert "There is no test over the ways" in text


def test_sentences__other_sign_and_no_answers(tree):
    found = tree.copy(deep=True)
    found["conclusions"]["share_against"].values[:] = 0.2
    assert "in 1 it is significant with the other sign" in nd.describe_multiverse(found)
    found["conclusions"]["n_universes"].values[:] = 0
    found["conclusions"]["n_failed"].values[:] = 6
    assert "none of 6 ways has an answer" in nd.describe_multiverse(found)


def test_sentences__other_questions_by_their_formula(tree):
    text = "information ~ genotype * day"
    found = xr.DataTree.from_dict(
        {
            name: node.to_dataset().assign_coords(question=np.array([text], dtype=object))
            for name, node in tree.children.items()
        }
    )
    found.attrs = tree.attrs
    said = conclusion_sentences(found, text)[0]
    assert f"the answer to “{text}” is above zero" in said


def test_describe__refuses_others():
    with pytest.raises(TypeError, match=r"neurodrift\.multiverse"):
        nd.describe_multiverse(xr.DataTree())
    with pytest.raises(TypeError, match=r"neurodrift\.multiverse"):
        nd.describe_multiverse("study")


def test_figure__ways_by_size_failed_last(tree):
    figure = ways_figure(tree, QUESTION)
    ways = figure.drawing
    assert np.allclose(ways.estimate[:5], [10, 12, 20, 25, 30]) and np.isnan(ways.estimate[5])
    assert list(ways.styles) == [UNSURE, RISES, RISES, RISES, RISES, UNSURE]
    assert "no laps" in ways.tips[5]
    name, levels = ways.choices[0]
    assert name == "bin width"
    assert {label: chosen.tolist() for label, chosen in levels} == {
        "2 cm": [True, False, True, False, False, False],
        "4 cm": [False, False, False, True, True, False],
        "8 cm": [False, True, False, False, False, True],
    }
    assert np.allclose(figure.frame["relative"][:5], [0.1, 0.12, 0.2, 0.25, 0.3])


def test_figure__falling_ways_have_their_colour(tree):
    found = tree.copy(deep=True)
    found["curve"]["relative"].values *= -1
    assert FALLS in ways_figure(found, QUESTION).drawing.styles


def test_drawings__show_every_way(tree):
    figure = ways_figure(tree, QUESTION)
    svg = str(ways_svg(figure.drawing, "ways"))
    assert svg.count("<circle") == 5 and svg.count(">×</text>") == 1
    assert "no laps &lt;b&gt;" in svg
    top, below = draw(figure).axes
    dots = [line for line in top.lines if line.get_marker() == "o"]
    assert sum(len(line.get_xdata()) for line in dots) == 6
    marks = [line for line in below.lines if line.get_marker() == "|"]
    assert sum(len(line.get_xdata()) for line in marks) == 6 * 2


def test_plot_multiverse__chooses_the_question(tree):
    assert len(nd.plot_multiverse(tree).axes) == 2
    with pytest.raises(ValueError, match="question is 'x'"):
        nd.plot_multiverse(tree, "x")


def test_influence__shares(tree):
    table = influence_table(tree)
    assert table["rows"][0][1:] == ["54\u00a0%", "10\u00a0%"]

"""Pictures of decoders, and what is said of them."""

import re

import numpy as np
import pytest

import neurodrift as nd
from neurodrift.report.decoding import decoding_figure, decoding_sentence
from neurodrift.report.view import views
from neurodrift.report.words import number


@pytest.fixture(scope="module")
def results():
    track = nd.testing.linear_track(n_units=25, n_sessions=3, minutes=4, drift=0.0, seed=2)
    return nd.analyze(track, measures=["decoding", "regression", "drift"])


def test_plot_decoding__draws_errors_chance_and_the_own_error(results):
    drawn = nd.plot_decoding(results)
    assert drawn.get_xlabel() == "lag [days]" and drawn.get_ylabel() == "decoding error [cm]"
    found = results["decoding"].to_dataset()
    steps = np.abs(found["lag"].values)
    lines = {line.get_label(): line.get_ydata() for line in drawn.get_lines()}
    for label, name in {
        "trained in another session": "error",
        "trained in the session itself": "own_error",
        "chance": "chance",
    }.items():
        slow = [found[name].values[steps == k].mean() for k in (1, 2)]
        np.testing.assert_allclose(lines[label], slow)
    assert nd.plot_decoding(found).get_xlabel() == "lag [days]"


def test_plot_decoding__refuses_what_has_no_error(results):
    with pytest.raises(ValueError, match="no decoding"):
        nd.plot_decoding(results.filter(lambda node: node.name != "decoding"))
    found = results["decoding"].to_dataset()
    with pytest.raises(ValueError, match="left_out"):
        nd.plot_decoding(found.assign(error=found["error"] * np.nan))


def test_describe_decoding__says_the_numbers(results):
    found = results["decoding"].to_dataset()
    text = nd.describe_decoding(found)
    error = float(found["error"].values[0, 2])
    assert f"mean error of {error:.3g} cm" in text and "4 days later" in text
    assert f"chance {float(found['chance'].values[0, 2]):.3g} cm" in text
    assert text in str(nd.summary(results))
    other = float(found["error"].values[2, 0])
    way = "The other way round, trained in session 3 and tested in session 1"
    assert f"{way}, it errs by {other:.3g}" in text
    lost = nd.describe_decoding(found.assign(p=found["p"] * 0 + 0.5))
    assert "no better than chance" in lost
    none = found.assign(error=found["error"] * np.nan).assign_attrs(left_out='{"no bin": 6}')
    assert nd.describe_decoding(none).endswith("no bin.")


def test_describe_decoding__the_share_follows_from_what_is_printed(results):
    text = nd.describe_decoding(results["decoding"].to_dataset())
    one, other = text.split(" The other way round, ")
    for part in (one, other):
        error, chance, own, own_chance = (
            float(n) for n in re.findall(r"([\d.]+) cm", part.split(" The mean")[0])
        )
        share = float(re.search(r"(\d+) %", part)[1])
        said = 100 * (chance - error) / (own_chance - own)
        assert share == pytest.approx(said, abs=1.0)
    both = results["decoding"]["error"].values[[0, 2], [2, 0]].mean()
    assert text.endswith(f"The mean of both ways is {both:.3g} cm.")


def test_report__has_a_sentence_and_a_figure(results):
    (view,) = views(results)
    assert decoding_sentence(view) == nd.describe_decoding(results["decoding"].to_dataset())
    figure = decoding_figure(view)
    assert figure is not None and len(figure.frame) == 9
    found = results["decoding"]
    steps = np.abs(found["lag"].values)
    near, far = (found["own_error"].values[steps == k].mean() for k in (1, 2))
    assert f"test session itself {number(near)} and {number(far)} (dashed)" in figure.caption

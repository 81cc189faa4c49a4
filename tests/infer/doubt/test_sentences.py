"""What is said of an inference."""

from __future__ import annotations

import neurodrift as nd
from tests.infer.clouds import one_run, table


def test_describe_inference__guessing_is_called_so():
    found = nd.infer_rule(*one_run(table(n=30, apart=8.0, rules=("a", "b")), 3))
    assert "guessing" not in nd.describe_inference(found)
    pairs = found["pairs"].to_dataset()
    found["pairs"] = pairs.assign(accuracy=("pair", [0.36]), accuracy_se=("pair", [0.05]))
    said = nd.describe_inference(found)
    assert "not surely told apart: a from b (36 %, no better than guessing)." in said


def test_describe_inference__statistics_in_the_words_of_the_picture():
    prior = table(n=40, apart=5.0)
    names = prior["statistic"].values.copy()
    names[7] = "rate_changes_neighbours"
    seen, rest = one_run(prior, 3)
    seen["value"][7] += 30.0
    seen, rest = (one.assign_coords(statistic=names) for one in (seen, rest))
    said = nd.describe_inference(nd.infer_rule(seen, rest))
    assert "because rate changes neighbours lies outside the runs of every rule" in said

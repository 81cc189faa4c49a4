from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurodrift.seeds import generator


def _draw(*args):
    return generator(*args).integers(2**63, size=4).tolist()


def test_generator__is_the_same_in_every_version_and_process():
    expected = [484775113771384, 2531862896322609971, 2328209437398026642, 6542144649210330808]
    assert _draw(7, "circular", "day 1", 12) == expected
    script = (
        "from neurodrift.seeds import generator; "
        "print(generator(7, 'circular', 'day 1', 12).integers(2**63, size=4).tolist())"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(expected)


def test_generator__does_not_depend_on_what_was_drawn_before():
    first = _draw(3, "a")
    generator(3, "b").random(1000)
    np.random.default_rng(3).random()
    assert _draw(3, "a") == first


NAMES = st.lists(st.integers() | st.text(max_size=5), max_size=4)


@given(a=NAMES, b=NAMES, seeds=st.tuples(st.integers(0, 2**70), st.integers(0, 2**70)))
def test_generator__streams_differ_unless_seed_and_names_are_equal(a, b, seeds):
    same = seeds[0] == seeds[1] and list(map(str, a)) == list(map(str, b))
    assert (_draw(seeds[0], *a) == _draw(seeds[1], *b)) == same


def test_generator__where_a_name_ends_counts():
    assert _draw(0, "ab", "c") != _draw(0, "a", "bc") != _draw(0, "abc")
    assert _draw(0, "", "a") != _draw(0, "a", "") != _draw(0, "a")
    assert _draw(0, 5) == _draw(0, "5") == _draw(np.int32(0), np.int64(5))
    assert _draw(0) != _draw(0, "")


def test_generator__streams_are_uncorrelated():
    draws = np.array([generator(0, "unit", i).standard_normal(500) for i in range(60)])
    correlation = np.corrcoef(draws)[np.triu_indices(60, 1)]
    assert abs(correlation.mean()) < 0.005
    assert correlation.std() == pytest.approx(1 / np.sqrt(500), rel=0.1)


def test_generator__bad_seed():
    with pytest.raises(ValueError, match="seed is -1; expected a non-negative integer"):
        generator(-1)
    for seed in (1.5, "1", None):
        with pytest.raises(TypeError):
            generator(seed)


@pytest.mark.parametrize("seed", ["seed", 1.5, None])
def test_generator__a_seed_that_is_no_whole_number(seed):
    with pytest.raises(TypeError, match="^seed is .*, expected a whole number of 0 or more"):
        generator(seed)

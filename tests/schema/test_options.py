"""Numeric options are checked where they enter, by one table."""

from __future__ import annotations

import inspect
import math
import re

import numpy as np
import pytest

import neurodrift as nd
from neurodrift.cli import main
from neurodrift.schema.options import OPTIONS, Range, check_option, checked_options


def _functions():
    """Every public function with a numeric option that the table names."""
    for room in (nd, nd.kinematics, nd.simulate, nd.plotting, nd.testing):
        for name in dir(room):
            thing = getattr(room, name)
            if name.startswith("_") or not inspect.isfunction(thing):
                continue
            for option, item in inspect.signature(thing).parameters.items():
                text = str(item.annotation)
                if option in OPTIONS and re.search(r"\b(int|float)\b", text):
                    yield pytest.param(thing, option, item, id=f"{name}-{option}")


def _call(function, option, value):
    """Call with nothing that is right but the number of arguments."""
    needed = {
        name: (1 if OPTIONS[name].whole else 0.5) if name in OPTIONS else object()
        for name, item in inspect.signature(function).parameters.items()
        if item.default is inspect.Parameter.empty
        and item.kind not in (item.VAR_POSITIONAL, item.VAR_KEYWORD)
    }
    return function(**needed | {option: value})


# the gate looks at the values themselves; the level of a morph is no probability
WITHOUT = {"recording_from_arrays", "morph_track"}


@pytest.mark.parametrize(("function", "option", "item"), list(_functions()))
@pytest.mark.parametrize("value", [math.nan, math.inf, "x", True, [], {}, 2 + 1j, -1e9])
def test_option__bad_values_are_refused_before_anything_else(function, option, item, value):
    if function.__name__ in WITHOUT or (option == "threshold" and value == -1e9):
        pytest.skip("may be so")
    with pytest.raises(ValueError, match=rf"^{option} is .*, expected "):
        _call(function, option, value)


def test_option__there_are_many_functions():
    assert len(list(_functions())) > 60


@pytest.mark.parametrize("option", sorted(OPTIONS))
def test_table__its_own_bounds(option):
    allowed = OPTIONS[option]
    inside = [allowed.lowest, allowed.highest]
    for bound, is_open in zip(inside, (allowed.open_low, allowed.open_high), strict=True):
        if math.isfinite(bound):
            value = int(bound) if allowed.whole else bound
            assert allowed.holds(value) != is_open
    assert not allowed.holds(2.5) or not allowed.whole


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("alpha", 5, "alpha is 5, expected a number, more than 0 and less than 1"),
        ("min_events", math.nan, "min_events is nan, expected a whole number, at least 0"),
        ("smoothing", math.inf, r"smoothing is inf, expected a number, at least 0 \[cm\]"),
        ("n_repeats", 2.5, "n_repeats is 2.5, expected a whole number"),
        ("seed", "x", "seed is 'x', expected a whole number"),
        ("threshold", math.nan, "threshold is nan, expected a finite number"),
    ],
)
def test_option__says_what_was_expected(option, value, told):
    with pytest.raises(ValueError, match=told):
        check_option(option, value)


def test_option__numbers_of_any_type():
    for value in (3, np.int8(3), np.uint64(3), np.array(3)):
        check_option("n_repeats", value)
    for value in (0.5, np.float32(0.5), np.array(0.5)):
        check_option("alpha", value)
    assert Range(0, 1, several=True).holds((0.1, 1))
    assert not Range(0, 1, several=True).holds((0.1, math.nan))


def test_checked_options__refuses_to_check_nothing():
    with pytest.raises(TypeError, match="no option that the table names"):

        @checked_options
        def nothing(a: int) -> int:
            return a


def test_analyze__bad_options_by_the_command(tmp_path, capsys):
    nd.save_recording(nd.testing.linear_track(n_units=2, minutes=1), tmp_path / "r.zarr")
    for words in (["--alpha", "5"], ["--smoothing", "inf"], ["--n-repeats", "-1"]):
        command = ["analyze", str(tmp_path / "r.zarr"), "-o", str(tmp_path / "o.zarr"), *words]
        assert main(command) == 2
        told = capsys.readouterr().err
        assert len(told.splitlines()) == 1 and ", expected " in told
    assert sorted(item.name for item in tmp_path.iterdir()) == ["r.zarr"]

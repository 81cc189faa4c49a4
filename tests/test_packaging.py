"""What is written about the package in several places is the same in all of them."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
OTHER_NAMES = {
    "dask-core": "dask[array]",
    "matplotlib-base": "matplotlib",
    "python-tzdata": "tzdata",
}
"""Of conda -> of PyPI."""


@pytest.fixture
def recipe() -> str:
    path = REPOSITORY / "packaging" / "conda" / "meta.yaml"
    if not path.is_file():
        pytest.skip("the tests run without the checkout")
    return path.read_text(encoding="utf-8")


def test_recipe__has_the_dependencies_of_the_package(recipe):
    run = recipe.partition("  run:\n")[2].partition("\n\n")[0]
    found = {}
    for line in re.findall(r"^    - (.+)$", run, re.M):
        name, _, bounds = line.partition(" ")
        found[OTHER_NAMES.get(name, name)] = bounds
    assert found.pop("python") == PROJECT["requires-python"]
    wanted = {}
    for line in PROJECT["dependencies"]:
        name, bounds = re.fullmatch(r"([\w-]+(?:\[\w+\])?)(.*)", line).groups()
        wanted[name] = bounds
    assert found == wanted


def test_recipe__and_citation_have_the_version(recipe):
    import neurodrift

    assert f'version = "{neurodrift.__version__}"' in recipe
    citation = (REPOSITORY / "CITATION.cff").read_text(encoding="utf-8")
    assert f"version: {neurodrift.__version__}\n" in citation


def test_classifiers__have_every_python_that_is_allowed():
    lowest = tuple(map(int, PROJECT["requires-python"].removeprefix(">=").split(".")))
    named = [
        tuple(map(int, text.rpartition(" :: ")[2].split(".")))
        for text in PROJECT["classifiers"]
        if re.fullmatch(r"Programming Language :: Python :: 3\.\d+", text)
    ]
    assert named == [(3, minor) for minor in range(lowest[1], named[-1][1] + 1)]
    assert named[0] == lowest and named[0] <= sys.version_info[:2] <= named[-1]

from __future__ import annotations

from html.parser import HTMLParser

import pytest
import xarray as xr

from neurodrift import analyze, testing
from neurodrift.report.view import View, views

_HOSTILE = "\"><img src=x onerror=alert(1)></script><script>alert('ü')</script>&amp;"


@pytest.fixture(scope="session")
def results() -> xr.DataTree:
    """A small mouse: 14 units, 4 sessions, some units missed."""
    recording = testing.linear_track(
        n_units=10, n_sessions=4, minutes=3, detection=0.9, silencing=0.1, seed=2
    )
    return analyze(recording, n_repeats=10, n_draws=1, seed=7)


@pytest.fixture(scope="session")
def still() -> xr.DataTree:
    """Units without a position."""
    recording = testing.linear_track(n_units=12, n_sessions=3, minutes=1)
    without = ["x", "speed", "direction", "trial", "lap"]
    return analyze(recording.drop_vars([name for name in without if name in recording]))


@pytest.fixture
def view(results) -> View:
    return views(results)[0]


def _changed(tree: xr.DataTree, node: str = "", attrs=None, drop=(), **variables) -> xr.DataTree:
    """A copy with variables (values, or a function of the old variable) and attributes replaced."""
    tree = tree.copy(deep=True)
    if not node:
        tree.attrs |= attrs or {}
        return tree
    dataset = tree[node].to_dataset().drop_vars(list(drop))
    for name, value in variables.items():
        old = dataset.get(name)
        if callable(value):
            value = value(old)
        if old is not None and not isinstance(value, tuple | xr.DataArray):
            value = (old.dims, value, old.attrs)
        dataset[name] = value
    dataset.attrs |= attrs or {}
    return tree.assign({node: xr.DataTree(dataset)})


class _Page(HTMLParser):
    """Elements of a page with their attributes and text."""

    VOID = {"meta", "link", "input", "br", "img", "hr", "path", "circle", "line", "rect", "polygon"}

    def __init__(self, html: str):
        super().__init__()
        self.elements: list[dict] = []
        self._open: list[dict] = []
        self.unbalanced: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        element = {"tag": tag, "text": "", **{key: value or "" for key, value in attrs}}
        self.elements.append(element)
        if tag not in self.VOID:
            self._open.append(element)

    def handle_startendtag(self, tag, attrs):
        self.elements.append({"tag": tag, "text": "", **dict(attrs)})

    def handle_endtag(self, tag):
        if not self._open or self._open[-1]["tag"] != tag:
            self.unbalanced.append(tag)
        else:
            self._open.pop()

    def handle_data(self, data):
        for element in self._open:
            element["text"] += data

    def all(self, tag=None, **attributes):
        wanted = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items()}
        return [
            element
            for element in self.elements
            if (tag is None or element["tag"] == tag)
            and all(element.get(key) == value for key, value in wanted.items())
        ]


@pytest.fixture(scope="session")
def parse():
    """Read a page into its elements."""
    return _Page


@pytest.fixture(scope="session")
def changed():
    """Copy a tree with something replaced."""
    return _changed


@pytest.fixture(scope="session")
def hostile_text() -> str:
    """A label that would break out of any markup."""
    return _HOSTILE

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from studies_help import plan_of, write_mice  # noqa: E402

import neurodrift as nd  # noqa: E402


@pytest.fixture(scope="session")
def mice(tmp_path_factory):
    """Folder of two mice, which no test changes."""
    folder = tmp_path_factory.mktemp("data")
    write_mice(folder, 2)
    return folder


@pytest.fixture(scope="session")
def study(mice, tmp_path_factory):
    """A study of them, which no test changes: the tree and its folder."""
    out = tmp_path_factory.mktemp("done") / "out"
    return nd.study(plan_of(mice), out, reports=False), out


@pytest.fixture
def out(study, tmp_path):
    """A copy of its folder."""
    shutil.copytree(study[1], tmp_path / "out")
    return tmp_path / "out"


@pytest.fixture
def computed(monkeypatch):
    """Names of the nodes that were computed and not found."""
    from dataclasses import replace

    from neurodrift.analysis.cache import Keeper

    found: list[str] = []
    real = Keeper.node

    def node(self, node, work):
        def counted(work):
            found.append(node.name)
            return node.compute(work)

        return real(self, replace(node, compute=counted), work)

    monkeypatch.setattr(Keeper, "node", node)
    return found

"""Versions of the docs side by side: the list for the chooser, and the door."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

PATH = Path(__file__).parents[1] / "docs" / "list_versions.py"
spec = importlib.util.spec_from_file_location("list_versions", PATH)
list_versions = importlib.util.module_from_spec(spec)
spec.loader.exec_module(list_versions)


def site(folder, *names):
    for name in names:
        (folder / name).mkdir()
        (folder / name / "index.html").write_text(name)
    return folder


def test_list_versions__newest_first_and_the_door_leads_to_a_release(tmp_path):
    site(tmp_path, "0.9.0", "0.10.0", "1.0.0rc1", "images")
    (tmp_path / "2.0").mkdir()  # without a page
    assert list_versions.list_versions(tmp_path) == "0.10.0"
    entries = json.loads((tmp_path / "switcher.json").read_text())
    assert [one["version"] for one in entries] == ["1.0.0rc1", "0.10.0", "0.9.0"]
    assert [one["preferred"] for one in entries] == [False, True, False]
    assert entries[2]["url"] == "../0.9.0/"
    assert "0.10.0/index.html" in (tmp_path / "index.html").read_text()


def test_list_versions__nothing_released_and_nothing_there(tmp_path):
    with pytest.raises(SystemExit, match="has no version"):
        list_versions.list_versions(tmp_path)
    assert list_versions.list_versions(site(tmp_path, "0.1.0.dev0")) == "0.1.0.dev0"

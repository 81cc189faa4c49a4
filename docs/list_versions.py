"""List the versions of the docs that lie in one folder: for the chooser on every page, and a door.

    python docs/list_versions.py SITE

Every folder of SITE that has an index.html is a version, named as the folder. It writes
SITE/switcher.json, which the chooser of each version reads, and SITE/index.html, which leads to the
newest release, or to the newest of all where none is released.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from packaging.version import InvalidVersion, Version

DOOR = """<!doctype html>
<meta charset="utf-8">
<title>neurodrift</title>
<meta http-equiv="refresh" content="0; url={name}/index.html">
<link rel="canonical" href="{name}/index.html">
<p><a href="{name}/index.html">neurodrift {name}</a></p>
"""


def versions_of(site: Path) -> list[str]:
    """Names of the versions in a folder, the newest first; other folders are passed over."""
    found = {}
    for page in site.glob("*/index.html"):
        try:
            found[Version(page.parent.name)] = page.parent.name
        except InvalidVersion:
            continue
    return [found[version] for version in sorted(found, reverse=True)]


def list_versions(site: Path) -> str:
    """Write both files; gives the version that the door leads to."""
    names = versions_of(site)
    if not names:
        raise SystemExit(f"{site} has no version: build one into {site}/VERSION first")
    released = [name for name in names if not Version(name).is_prerelease]
    chosen = (released or names)[0]
    entries = [
        {"name": name, "version": name, "url": f"../{name}/", "preferred": name == chosen}
        for name in names
    ]
    (site / "switcher.json").write_text(json.dumps(entries, indent=2) + "\n", encoding="utf-8")
    (site / "index.html").write_text(DOOR.format(name=chosen), encoding="utf-8")
    return chosen


if __name__ == "__main__":
    print(f"the door leads to {list_versions(Path(sys.argv[1]))}")

"""Sphinx: pages in Markdown, API from the docstrings, gallery from the examples."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import neurodrift

HERE = Path(__file__).parent
EXAMPLES = HERE / "_examples"
TUTORIALS = HERE / "_tutorials"
HEADERS = {
    EXAMPLES: (
        "Gallery",
        "The scripts of ``examples/`` at small settings. The docstring of each names "
        "the command for its full size.",
    ),
    TUTORIALS: (
        "Tutorials",
        "In this order. Each is a script of ``examples/tutorials`` that runs in a "
        "minute or two, and a notebook to download.",
    ),
}

project = "neurodrift"
author = "The neurodrift developers"
copyright = "The neurodrift developers"  # noqa: A001
release = version = neurodrift.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "_examples", "_tutorials"]
suppress_warnings = [
    "config.cache",  # the scraper is a function
    "ref.citation",  # a reader names its source, and no sentence has its number
]
templates_path = ["_templates"]
myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
autosummary_generate = True
autodoc_default_options = {"exclude-members": "Place"}  # an alias of types has no signature
autodoc_typehints = "none"  # the signature shows them
numpydoc_show_class_members = False
html_theme = "pydata_sphinx_theme"
html_title = "neurodrift"  # with the version the first line is too long
html_theme_options: dict[str, Any] = {
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "header_links_before_dropdown": 4,
}
if os.environ.get("NEURODRIFT_DOCS_VERSIONS"):  # .ci/docs-versions: other versions lie beside it
    html_theme_options |= {
        "switcher": {"json_url": "../switcher.json", "version_match": version},
        "check_switcher": False,
        "navbar_start": ["navbar-logo", "version-switcher"],
        "show_version_warning_banner": True,
    }
html_static_path: list[str] = []
html_sidebars: dict[str, list[str]] = {"**": []}  # pages have no sections of their own


def copy_examples() -> None:
    """Scripts to run, the first line of each as a title; what they write stays in the copy."""
    sources = {EXAMPLES: HERE.parent / "examples", TUTORIALS: HERE.parent / "examples/tutorials"}
    for folder, source in sources.items():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        heading, about = HEADERS[folder]
        underline = "=" * len(heading)
        (folder / "GALLERY_HEADER.rst").write_text(f"{heading}\n{underline}\n\n{about}\n")
        for script in sorted(source.glob("*.py")):
            title, text = script.read_text().split("\n", 1)
            title = title.removeprefix('"""').rstrip(".")
            underline = "=" * len(title)
            (folder / script.name).write_text(f'"""{title}\n{underline}\n{text}')


def written_pictures(block: Any, block_vars: dict[str, Any], gallery_conf: dict[str, Any]) -> str:
    """Pictures that a script has saved, for the gallery."""
    from sphinx_gallery.scrapers import figure_rst

    names = []
    for picture in sorted(EXAMPLES.glob("*.png")):
        target = Path(next(block_vars["image_path_iterator"]))
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(picture, target)
        names.append(str(target))
    return figure_rst(names, gallery_conf["src_dir"])


_SHOWN: set[int] = set()  # pictures that stand on the page; a block without one leaves the last


def last_value(block: Any, block_vars: dict[str, Any], gallery_conf: dict[str, Any]) -> str:
    """The picture that a block ends with, where pyplot does not know it."""
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from sphinx_gallery.scrapers import figure_rst

    value = block_vars["example_globals"].get("___")
    figure = value.get_figure() if isinstance(value, Axes) else value
    if not isinstance(figure, Figure) or hasattr(figure, "number") or id(figure) in _SHOWN:
        return ""
    _SHOWN.add(id(figure))
    target = Path(next(block_vars["image_path_iterator"]))
    target.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(target, dpi=110)
    return figure_rst([str(target)], gallery_conf["src_dir"])


copy_examples()
sphinx_gallery_conf = {
    "examples_dirs": ["_examples", "_tutorials"],
    "gallery_dirs": ["gallery", "tutorials"],
    "capture_repr": ("_repr_html_", "__repr__"),
    "ignore_repr_types": r"matplotlib\..*|builtins\..*",
    "filename_pattern": r"^(?!.*cluster_)",  # a scheduler is not there: shown, not run
    "within_subsection_order": "FileNameSortKey",
    "image_scrapers": ("matplotlib", last_value, written_pictures),
    "reset_modules": (),
    "remove_config_comments": True,
    "show_memory": False,
    "abort_on_example_error": True,
    "download_all_examples": False,
}

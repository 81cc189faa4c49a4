"""The pages name what is there, and those that are written from the code are in step."""

from __future__ import annotations

import argparse
import ast
import functools
import importlib
import inspect
import re
import runpy
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

import neurodrift
from neurodrift import cli

REPOSITORY = Path(__file__).resolve().parents[1]
DOCS = REPOSITORY / "docs"
PAGES = [REPOSITORY / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")]
PAGES += [path for path in sorted(DOCS.glob("*.md")) if path.name != "vocabulary.md"]
EVERY_PAGE = [*PAGES, REPOSITORY / "CHANGELOG.md", DOCS / "vocabulary.md"]

WITHOUT_EXAMPLES = {
    "describe_phases",
    "describe_statements",
    "from_movement",
    "from_pynapple",
    "from_ratinabox",
    "open_recording",
    "open_results",
    "save_results",
    "to_movement",
    "write_report",
}
"""Public functions whose docstrings lack an example; only to become shorter."""


def by_name(path):
    return str(path.relative_to(REPOSITORY))


def listed(text: str) -> set[str]:
    """Names under the autosummaries of a page."""
    return set(re.findall(r"^   (\w[\w.]*)$", text, re.M))


def found(dotted: str):
    """What a dotted name of the package is; AttributeError or ImportError if there is nothing."""
    parts = dotted.split(".")
    thing = importlib.import_module(parts[0])
    for i, part in enumerate(parts[1:], 2):
        if inspect.ismodule(thing) and not hasattr(thing, part):
            importlib.import_module(".".join(parts[:i]))
        thing = getattr(thing, part)
    return thing


def rows(heading: str) -> list[list[list[str]]]:
    """Cells of the tables under a heading of the vocabulary, each as the names in it."""
    text = (DOCS / "vocabulary.md").read_text()
    section = re.split(r"^#+ ", text.partition(f"# {heading}\n")[2], maxsplit=1, flags=re.M)[0]
    table = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| `")]
    assert table, f"no table under {heading}"
    return [[re.findall(r"`([^`]+)`", cell) for cell in row] for row in table]


# --- the reference


def test_api__has_the_public_names_in_their_order():
    names, _, rooms = (DOCS / "api.rst").read_text().partition("Rooms\n-----")
    public = {name for name in neurodrift.__all__ if name != "__version__"}
    modules = {name for name in public if inspect.ismodule(getattr(neurodrift, name))}
    assert listed(names) == public - modules
    assert modules <= listed(rooms)
    stub = (Path(neurodrift.__file__).parent / "__init__.pyi").read_text()
    order = [name for name in re.findall(r" as (\w+),?$", stub, re.M) if name not in modules]
    assert re.findall(r"^   (\w+)$", names, re.M) == order


def test_api__has_every_room_and_file():
    modules = runpy.run_path(str(REPOSITORY / "tests" / "test_architecture.py"))["MODULES"]
    names = {module.partition(".")[2] for module in modules} - {""}
    own = {name for name in names if re.search(r"(^|[.])_|^cli\b", name)}
    page = (DOCS / "api.rst").read_text().partition("Rooms\n-----")[2]
    assert listed(page) == names - own


@pytest.mark.parametrize("name", sorted(set(neurodrift.__all__) - {"__version__"}))
def test_docstring__of_a_public_name_has_an_example(name):
    thing = getattr(neurodrift, name)
    text = inspect.getdoc(thing)
    assert text
    if not inspect.ismodule(thing):
        has_one = "Examples\n--------" in text and ">>> " in text
        assert has_one != (name in WITHOUT_EXAMPLES), "WITHOUT_EXAMPLES lists it or does not"


# --- names in pages


@pytest.mark.parametrize("page", EVERY_PAGE, ids=by_name)
def test_page__names_of_the_package_exist(page):
    text = page.read_text()
    if page.name == "vocabulary.md":
        text = text.partition("## Old and new names")[0]
    names = set(re.findall(r"(?<![\w./-])(?:nd|neurodrift)\.[A-Za-z_][\w.]*\w", text))
    endings = (".zarr", ".html", ".py", ".pyi", ".git", ".xml")
    missing = []
    for name in sorted(names):
        dotted = re.sub(r"^nd\.", "neurodrift.", name)
        if name.endswith(endings):
            continue
        try:
            found(dotted)
        except (AttributeError, ImportError):
            missing.append(name)
    assert not missing


@pytest.mark.parametrize("page", EVERY_PAGE, ids=by_name)
def test_page__paths_in_the_repository_exist(page):
    text = page.read_text()
    roots = "neurodrift|docs|tests|examples|benchmarks|catalogs|schemas|[.]ci|[.]github"
    paths = re.findall(rf"(?<![\w./-])(?:{roots})/[\w./*-]*\w/?(?![\w(:])", text)
    missing = [
        path
        for path in sorted(set(paths))
        if "NAME" not in path
        and not list(REPOSITORY.glob(path.rstrip("/")))
        and not list(REPOSITORY.glob(path.rstrip("/") + "*"))
    ]
    assert not missing


@pytest.mark.parametrize("page", EVERY_PAGE, ids=by_name)
def test_page__python_imports_and_keywords_exist(page):
    wrong = []
    for block in re.findall(r"```python\n(.*?)```", page.read_text(), re.S):
        tree = ast.parse(block)
        names = {"nd": neurodrift}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("neurodrift"):
                for alias in node.names:
                    names[alias.asname or alias.name] = found(f"{node.module}.{alias.name}")
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                root, *rest = ast.unparse(node.func).split(".")
                try:
                    function = functools.reduce(getattr, rest, names[root])
                    takes = inspect.signature(function).parameters
                except (KeyError, TypeError, AttributeError):
                    continue  # of a variable of the block, or of another package
                if not any(one.kind is one.VAR_KEYWORD for one in takes.values()):
                    given = {one.arg for one in node.keywords if one.arg}
                    wrong += [f"{ast.unparse(node.func)}({name}=)" for name in given - set(takes)]
    assert not wrong


def options_of(parser: argparse.ArgumentParser) -> dict[str, set[str]]:
    """Command -> its options."""
    subparsers = next(a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    return {
        name: {option for action in one._actions for option in action.option_strings}
        for name, one in subparsers.choices.items()
    }


def commands(text: str) -> list[list[str]]:
    """Words of the commands in blocks of shell and in code spans."""
    lines = []
    for block in re.findall(r"```bash\n(.*?)```", text, re.S):
        lines += block.replace("\\\n", " ").splitlines()
    lines += re.findall(r"`(neurodrift [a-z][^`]*)`", text)
    found_words = []
    for line in lines:
        for part in re.split(r"&&|\|(?!\|)|;", line):
            words = shlex.split(part, comments=True)
            if words[:1] == ["neurodrift"] and len(words) > 1:
                found_words.append(words)
    return found_words


@pytest.mark.parametrize("page", EVERY_PAGE, ids=by_name)
def test_page__commands_and_their_options_exist(page):
    known = options_of(cli._parser())
    unknown = []
    for _, command, *words in commands(page.read_text()):
        if command not in known and not command.startswith("-"):
            unknown.append(command)
            continue
        options = {word.split("=")[0] for word in words if re.match(r"--?[a-z]", word)}
        unknown += [f"{command} {name}" for name in sorted(options - known.get(command, set()))]
    assert not unknown


def test_commands__finds_what_a_page_says():
    text = "```bash\npip install x && neurodrift analyze a.zarr --speed 1 2\n```\n"
    text += "and `neurodrift catalog list`"
    assert commands(text) == [
        ["neurodrift", "analyze", "a.zarr", "--speed", "1", "2"],
        ["neurodrift", "catalog", "list"],
    ]
    assert "--speed" not in options_of(cli._parser())["analyze"]


# --- the vocabulary


def test_vocabulary__functions_are_called_so():
    for (old,), (new,) in rows("Functions"):
        home, _, name = new.rpartition(".")
        if "." in old and not home:  # below the package, in the module's new place
            assert new in neurodrift.__all__ or new in dir(neurodrift), new
        found(f"neurodrift.{new}")
        if "." not in old:
            assert not hasattr(neurodrift, old), f"{old} is still there"
    for (old,), (new,) in rows("Simulations"):
        found(f"neurodrift.{new}")
        assert old.rpartition(".")[2] != new.rpartition(".")[2]


def test_vocabulary__keywords_are_called_so():
    for functions, old, new in rows("Keywords"):
        for name in functions:
            has = set(inspect.signature(getattr(neurodrift, name)).parameters)
            assert set(new) <= has and not set(old) & has, name


def test_vocabulary__options_are_called_so():
    known = options_of(cli._parser())
    for names, (old,), (new,) in rows("Options of the commands"):
        for name in names:
            assert new in known[name] and old not in known[name]


def test_vocabulary__stored_variables_are_called_so():
    schemas = " ".join(path.read_text() for path in (REPOSITORY / "schemas").glob("*.json"))
    phases = (REPOSITORY / "schemas" / "phases.schema.json").read_text()
    checked = 0
    for where, old, new in rows("Stored variables and attributes"):
        if where == ["phases"]:
            assert all(f'"{name}"' in phases for name in new)
            assert not any(f'"{name}"' in schemas for name in old if name != "direction")
            checked += 1
    assert checked > 3


def test_vocabulary__modules_are_there_and_old_ones_gone():
    package = Path(neurodrift.__file__).parent
    for olds, (new,) in rows("Modules"):
        importlib.import_module(f"neurodrift.{new}")
        for old in olds:
            gone = not package.joinpath(*old.split(".")).with_suffix(".py").exists()
            assert gone, old


# --- pages that are written from the code


def test_architecture__page_and_picture_are_in_step():
    drawing = runpy.run_path(str(DOCS / "draw_architecture.py"))
    command = "python docs/draw_architecture.py"
    page = (DOCS / "architecture.md").read_text()
    assert page == drawing["page"](page), f"out of step with the imports: {command}"
    assert drawing["listing"](drawing["found_arrows"]()) in page
    picture = (DOCS / "images" / "architecture.svg").read_text()
    assert drawing["picture_text"]() in picture, f"out of step with the imports: {command}"


def test_architecture__an_arrow_up_is_refused():
    drawn = runpy.run_path(str(DOCS / "draw_architecture.py"))["drawn_arrows"]
    where = {"a": (0.0, 0), "b": (0.0, 1), "c": (0.0, 2)}
    assert drawn({"a": set(), "b": {"a"}, "c": {"a", "b"}}, where) == [("b", "a"), ("c", "b")]
    with pytest.raises(ValueError, match="point up"):
        drawn({"a": {"b"}, "b": set(), "c": set()}, where)
    with pytest.raises(ValueError, match="without a place"):
        drawn({"a": set(), "b": set(), "d": set()}, where)


# --- files of the repository


def test_citation__names_the_version():
    citation = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text())
    assert citation["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= set(citation)
    assert citation["version"] == neurodrift.__version__


def test_ci__hosted_jobs_call_the_scripts_of_the_local_one():
    workflow = (REPOSITORY / ".github" / "workflows" / "ci.yml").read_text()
    called = set(re.findall(r"[.]ci/([\w-]+)", workflow))
    scripts = {path.name for path in (REPOSITORY / ".ci").iterdir()}
    assert called <= scripts
    steps = re.search(r"^for step in (.*); do$", (REPOSITORY / ".ci" / "run").read_text(), re.M)
    assert steps and set(steps[1].split()) <= called
    yaml.safe_load(workflow)
    for path in (REPOSITORY / ".ci").iterdir():
        if path.read_text().startswith("#!/usr/bin/env bash"):
            subprocess.run(["bash", "-n", str(path)], check=True)

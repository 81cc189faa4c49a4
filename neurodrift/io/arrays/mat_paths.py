"""Arrays within the structs and cells of MATLAB files, by a path as MATLAB writes it.

``s.x`` is a field, of every struct where ``s`` is an array of structs; ``c{2}``, ``c{1,3}`` or
``s(2)`` an element; ``c{2,:}`` a row of cells and ``c{:}`` all of them; ``m(:,1)`` a column of
numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from neurodrift.io.arrays.mat import Unreadable, list_mat, read_mat
from neurodrift.io.arrays.names import missing_variable, only_one

MAX_DENSE = 2**32
"""Bytes that a sparse matrix may have with its zeros."""

_STEP = re.compile(r"\.(?P<field>\w+)|\{(?P<cell>[\d:, ]+)\}|\((?P<part>[\d:, ]+)\)")


class Several(list[Any]):
    """What a path finds in many places, one value for each; `skipped` places hold nothing."""

    skipped: int = 0


def load(path: Path, variable: str | None, max_bytes: int) -> Any:
    """What lies at a path: an array, or a list of vectors.

    Parameters
    ----------
    path
        The file.
    variable
        Name of a variable, followed by fields and indices; the only variable when None.
    max_bytes
        Most bytes that it may take.

    Returns
    -------
    numpy.ndarray or list of numpy.ndarray
        MATLAB's vectors have one dimension.

    Raises
    ------
    ValueError
        If there is nothing, or more than one list of things.
    """
    names = [item.name for item in list_mat(path)]
    variable = only_one(path, names) if variable is None else variable
    first = re.split(r"[.{(]", variable, maxsplit=1)[0]
    if first not in names:
        raise missing_variable(path, first, names)
    value = read_mat(path, [first], max_bytes=max_bytes)[first]
    rest, at = variable[len(first) :], 0
    while at < len(rest):
        step = _STEP.match(rest, at)
        where = f"{path}: {first}{rest[:at]}"
        if step is None:
            raise ValueError(f"{path}: {variable!r} cannot be followed from {rest[at:]!r}")
        if step["field"] is not None:
            value = _field(value, step["field"], where)
        else:
            value = _part(value, step["cell"] or step["part"], where, step[0])
        at = step.end()
    return _plain(value, variable, path)


def leaves(path: Path, name: str, max_bytes: int) -> list[str]:
    """Paths of the arrays within a variable, for :func:`load`.

    Parameters
    ----------
    path, name
        The file and the variable.
    max_bytes
        Most bytes that it may take.

    Returns
    -------
    list of str
        The paths; only the name where it holds no structs.
    """
    return list(_walk(name, read_mat(path, [name], max_bytes=max_bytes)[name]))


def _walk(name: str, value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _walk(f"{name}.{key}", inner)
        return
    if _is_cell(value):
        inner = [item for item in value.ravel(order="F") if not _is_nothing(item)]
        within = [v for v in inner if isinstance(v, dict) or _is_cell(v)]
        if within:
            is_flat = isinstance(within[0], dict) and _width(value) < 2 and "{:}" not in name
            every = "{1}" if value.size == 1 else "{:}"
            name = name if is_flat else f"{name}{every}"
            fullest = max(within, key=len)
            yield from _walk(name, fullest)
            return
    yield name


def _field(value: Any, name: str, where: str) -> Any:
    if isinstance(value, dict):
        if name not in value:
            listed = ", ".join(value) or "nothing"
            raise ValueError(f"{where} has no field {name!r}; it holds {listed}")
        return value[name]
    if isinstance(value, Several):
        kept = [item for item in value if not _is_nothing(item)]
        found = [_field(item, name, where) for item in kept]
        if any(isinstance(item, Several) and len(item) != 1 for item in found):
            raise ValueError(f"{where} holds cells within cells: say {{:}} for each of them")
        flat = Several(item[0] if isinstance(item, Several) else item for item in found)
        within = sum(item.skipped for item in found if isinstance(item, Several))
        flat.skipped = value.skipped + len(value) - len(kept) + within
        return flat
    if _is_cell(value):
        _refuse_table(value, where)
        return _field(Several(value.ravel(order="F")), name, where)
    raise ValueError(f"{where} is no struct, so it has no field {name!r}")


def _part(value: Any, text: str, where: str, written: str) -> Any:
    if isinstance(value, Several):
        found = Several()
        found.skipped = value.skipped
        for item in value:
            if _is_nothing(item):
                found.skipped += 1
                continue
            inner = _part(item, text, where, written)
            found.extend(inner if isinstance(inner, Several) else [inner])
        return found
    if isinstance(value, dict) and text.replace(" ", "") in ("1", ":"):
        return value
    if not isinstance(value, np.ndarray) or (value.dtype != object and written[0] == "{"):
        raise ValueError(f"{where} is no cell, so it has no element {written}")
    steps = [step.strip() for step in text.split(",")]
    flat = value.ravel(order="F") if len(steps) == 1 else value
    if len(steps) not in (1, value.ndim):
        raise ValueError(f"{where} has {value.ndim} dimensions, so it has no element {written}")
    at: list[Any] = []
    for step, size in zip(steps, flat.shape, strict=True):
        if step != ":" and not (step.isdecimal() and 1 <= int(step) <= size):
            raise ValueError(f"{where} counts 1 to {size}, so it has no element {written}")
        at.append(slice(None) if step == ":" else int(step) - 1)
    found = flat[tuple(at)]
    if value.dtype != object:
        return np.atleast_1d(found)
    return Several(found.ravel(order="F")) if ":" in steps else found


def _is_cell(value: Any) -> bool:
    """Whether it is a cell, or an array of structs."""
    return isinstance(value, np.ndarray) and value.dtype == object


def _is_nothing(value: Any) -> bool:
    """Whether it is MATLAB's [], which stands where no struct or cell was put."""
    return isinstance(value, np.ndarray) and value.size == 0


def _width(value: np.ndarray) -> int:
    return sum(n > 1 for n in value.shape)


def _refuse_table(value: np.ndarray, where: str) -> None:
    if _width(value) > 1:
        shape = " x ".join(map(str, value.shape))
        raise ValueError(
            f"{where} is a table of {shape} cells or structs: name a row {{1,:}}, a column {{:,1}} "
            "or all of it {:}"
        )


def _plain(value: Any, variable: str, path: Path) -> Any:
    """Vectors with one dimension; cells as lists of vectors, or of texts."""
    where = f"{path}: {variable}"
    if isinstance(value, Unreadable):
        raise ValueError(f"{where} {_unreadable(value)}")
    if isinstance(value, str):
        return np.array([value], dtype=object)
    if isinstance(value, Several):
        return _of_several(value, variable, path)
    if isinstance(value, list):
        return np.array(value, dtype=object)
    if hasattr(value, "toarray"):  # sparse
        value = _dense(value, where)
    if isinstance(value, dict):
        fields = ", ".join(f"{variable}.{key}" for key in value)
        told = f"; name one of its fields: {fields}" if fields else " without fields"
        raise ValueError(f"{where} is a struct{told}")
    if value.dtype == object:
        items = list(value.ravel(order="F"))
        if items and all(isinstance(item, dict) for item in items):
            fields = ", ".join(f"{variable}.{key}" for key in items[0])
            raise ValueError(f"{where} is an array of {len(items)} structs; name a field: {fields}")
        if len(items) > 1:
            _refuse_table(value, where)
        if items and all(isinstance(item, str) for item in items):
            return np.array(items, dtype=object)
        return [_vector(item, f"{variable}{{{i + 1}}}", path) for i, item in enumerate(items)]
    return value.ravel() if value.ndim == 2 and 1 in value.shape else value


def _dense(value: Any, where: str) -> np.ndarray:
    """A sparse matrix with its zeros, if that is no bomb."""
    n_bytes = int(value.shape[0]) * int(value.shape[1]) * value.dtype.itemsize
    if n_bytes > MAX_DENSE:
        shape = " x ".join(map(str, value.shape))
        raise ValueError(
            f"{where} is a sparse matrix of {shape}, {n_bytes / 2**30:,.1f} GiB with its zeros; at "
            f"most {MAX_DENSE / 2**30:g} GiB are read: save the part that is needed"
        )
    return np.asarray(value.toarray())


def _of_several(value: Several, variable: str, path: Path) -> Any:
    """A vector where each has one number or text, else a list of vectors."""
    where = f"{path}: {variable}"
    items = [_dense(item, where) if hasattr(item, "toarray") else item for item in value]
    if items and all(isinstance(item, str) for item in items):
        return np.array(items, dtype=object)
    vectors = Several(_vector(item, f"{variable} ({i + 1})", path) for i, item in enumerate(items))
    vectors.skipped = value.skipped
    if vectors and all(item.size == 1 for item in vectors):
        return np.concatenate([item.ravel() for item in vectors])
    return vectors


def _vector(item: Any, name: str, path: Path) -> np.ndarray:
    if isinstance(item, np.ndarray) and item.dtype != object:
        if item.size == 0:
            return np.empty(0)
        return item.ravel() if _width(item) <= 1 else item
    if isinstance(item, Unreadable):
        raise ValueError(f"{path}: {name} {_unreadable(item)}")
    kinds = {dict: "a struct", np.ndarray: "a cell", str: "a text"}
    kind = kinds.get(type(item), type(item).__name__)
    raise ValueError(f"{path}: {name} is {kind}, expected a vector of numbers")


def _unreadable(value: Unreadable) -> str:
    """What an object of MATLAB is, and how to save it as something else."""
    hints = {
        "table": "save table2struct(T, 'ToScalar', true), or writetable",
        "timetable": "save timetable2table, then table2struct(T, 'ToScalar', true)",
        "string": "save cellstr(s)",
        "datetime": "save posixtime(t)",
        "duration": "save seconds(t)",
        "categorical": "save cellstr(c)",
    }
    hint = hints.get(value.matlab_class, "save its numbers as plain arrays")
    return f"is a {value.matlab_class} of MATLAB, which only MATLAB can read: {hint}"

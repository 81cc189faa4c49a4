"""MATLAB v7.3 files, which are HDF5, as plain Python values."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from neurodrift.io.arrays._mat_bounds import MAX_DEPTH, MAX_ITEMS, Budget, Damaged, Unreadable
from neurodrift.io.probe import DamagedFileError, refuse_damaged

_PRIVATE = ("#refs#", "#subsystem#")
_NUMERIC = {"double", "single", "int8", "uint8", "int16", "uint16", "int32", "uint32"}
_NUMERIC |= {"int64", "uint64"}


def open_hdf5(path: Path) -> Any:
    """Open a v7.3 file.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    h5py.File
        It, open for reading.

    Raises
    ------
    Damaged
        If it cannot be opened, or MATLAB did not write it.
    """
    import h5py

    try:
        refuse_damaged(path)
        file = h5py.File(path, "r")
    except (OSError, DamagedFileError) as error:
        raise Damaged(f"it is HDF5 that cannot be opened ({error})") from error
    named = [name for name in file if name not in _PRIVATE]
    if named and not any(matlab_class(_child(file, name)) for name in named):
        file.close()
        raise Damaged("it is an HDF5 file, but not one that MATLAB wrote: read it as HDF5")
    return file


def names_in(file: Any) -> list[str]:
    """Names of the variables.

    Parameters
    ----------
    file
        An open file.

    Returns
    -------
    list of str
        Without what MATLAB keeps for itself.
    """
    return [name for name in file if name not in _PRIVATE]


def describe(file: Any, name: str) -> tuple[str, tuple[int, ...], int]:
    """Class, shape and size of a variable, of which nothing is read.

    Parameters
    ----------
    file
        An open file.
    name
        The variable.

    Returns
    -------
    tuple
        MATLAB class, MATLAB shape, bytes in memory (0 for cells and structs).
    """
    import h5py

    item = _child(file, name)
    kind = matlab_class(item)
    if isinstance(item, h5py.Group):
        if "MATLAB_sparse" in item.attrs:
            jc = _child(item, "jc")
            return "sparse", (int(item.attrs["MATLAB_sparse"]), jc.size - 1), 0
        return kind, _struct_shape(item) or (1, 1), 0
    if item.attrs.get("MATLAB_empty", 0):
        return kind, _empty_shape(item), 0
    width = item.dtype.itemsize if kind in _NUMERIC else 1 if kind == "logical" else 0
    return kind, item.shape[::-1], item.size * width


def read(file: Any, name: str, budget: Budget) -> Any:
    """Read a variable.

    Parameters
    ----------
    file
        An open file.
    name
        The variable.
    budget
        What it may ask for; spent.

    Returns
    -------
    object
        As :func:`neurodrift.io.arrays.mat.read_mat` describes it.

    Raises
    ------
    Damaged
        If it is damaged or asks for more.
    """
    return _value(_child(file, name), budget, 0)


def matlab_class(item: Any) -> str:
    """MATLAB's name of the class of a group or dataset.

    Parameters
    ----------
    item
        A group or dataset.

    Returns
    -------
    str
        Its class, empty if MATLAB did not write it.
    """
    found = item.attrs.get("MATLAB_class", b"")
    return found.decode("ascii", "replace") if isinstance(found, bytes) else str(found)


def _value(item: Any, budget: Budget, depth: int) -> Any:
    import h5py

    if depth > MAX_DEPTH:
        raise Damaged(f"its cells and structs are nested more than {MAX_DEPTH} deep")
    budget.spend(64, 1)  # an element costs time even if it holds no bytes
    kind = matlab_class(item)
    if "MATLAB_object_decode" in item.attrs or kind in ("function_handle", "string", "table"):
        return Unreadable(kind)
    if isinstance(item, h5py.Group):
        if "MATLAB_sparse" in item.attrs:
            return _sparse(item, budget)
        return _struct(item, budget, depth)
    if item.attrs.get("MATLAB_empty", 0):
        return _empty(item, kind)
    if kind == "cell":
        return _cell(item, budget, depth)
    values = _array(item, budget)
    if kind == "char":
        return _text(values)
    if kind == "logical":
        return values.astype(bool)
    if kind in _NUMERIC:
        return _real_or_complex(values)
    return Unreadable(kind or "unknown")


def _struct(group: Any, budget: Budget, depth: int) -> Any:
    shape = _struct_shape(group)
    fields = {name: _child(group, name) for name in group}
    if shape is None:
        return {name: _value(item, budget, depth + 1) for name, item in fields.items()}
    columns = {name: _cell(item, budget, depth) for name, item in fields.items()}
    if any(column.shape != shape for column in columns.values()):
        raise Damaged(f"the fields of {group.name} differ in shape")
    found = np.empty(shape, dtype=object)
    for at in np.ndindex(shape):
        found[at] = {name: column[at] for name, column in columns.items()}
    return found


def _struct_shape(group: Any) -> tuple[int, ...] | None:
    """Shape of an array of structs, whose fields are bare references; None of a single one."""
    import h5py

    for name in group:
        item = _child(group, name)
        if isinstance(item, h5py.Dataset) and not matlab_class(item):
            if h5py.check_ref_dtype(item.dtype) is not h5py.Reference:
                return None
            return tuple(int(n) for n in item.shape[::-1])
        return None
    return None


def _cell(item: Any, budget: Budget, depth: int) -> np.ndarray:
    import h5py

    if h5py.check_ref_dtype(item.dtype) is not h5py.Reference:
        raise Damaged(f"{item.name} should hold references to its elements")
    budget.spend(0, item.size)
    references = _array(item, budget)
    found = np.empty(references.shape, dtype=object)
    for at in np.ndindex(references.shape):
        if not references[at]:
            raise Damaged(f"an element of {item.name} points nowhere")
        found[at] = _value(item.file[references[at]], budget, depth + 1)
    return found


def _sparse(group: Any, budget: Budget) -> Any:
    from scipy.sparse import csc_array

    n_rows = int(group.attrs["MATLAB_sparse"])
    jc = _array(_child(group, "jc"), budget).astype(np.int64)
    if "data" not in group:
        return csc_array((n_rows, jc.size - 1))
    values = _real_or_complex(_array(_child(group, "data"), budget))
    rows = _array(_child(group, "ir"), budget).astype(np.int64)
    try:
        found = csc_array((values, rows, jc), shape=(n_rows, jc.size - 1))
        found.check_format(full_check=True)
    except ValueError as error:
        raise Damaged(f"the sparse matrix {group.name} contradicts itself ({error})") from error
    return found


def _empty(item: Any, kind: str) -> Any:
    shape: tuple[int, ...] = _empty_shape(item)
    if kind == "char":
        return ""
    n_structs = math.prod(shape)
    if kind == "struct" and n_structs:  # struct(), which has no field to lie in a group
        found = np.empty(shape, dtype=object)
        for at in np.ndindex(shape):
            found[at] = {}
        return found if n_structs > 1 else {}
    if kind in ("cell", "struct"):
        return np.empty(shape, dtype=object)
    if kind == "logical":
        return np.empty(shape, dtype=bool)
    return np.empty(shape, dtype=kind if kind in _NUMERIC else float)


def _empty_shape(item: Any) -> tuple[int, ...]:
    """Shape of an empty array, or of structs without fields, which is what its dataset holds."""
    if item.size > 32 or item.dtype.kind not in "ui":
        raise Damaged(f"{item.name} is marked as empty, but holds no shape")
    shape = tuple(int(n) for n in np.ravel(item[()]))
    most = MAX_ITEMS if matlab_class(item) == "struct" else 0
    if math.prod(shape) > most or len(shape) < 2:
        raise Damaged(f"{item.name} is marked as empty, but has the shape {shape}")
    return shape


def _array(item: Any, budget: Budget) -> np.ndarray:
    """Values of a dataset in MATLAB's order of axes."""
    import h5py

    if not isinstance(item, h5py.Dataset) or item.shape is None:
        raise Damaged(f"{item.name} should be an array")
    if item.external or item.is_virtual:
        raise Damaged(f"{item.name} takes its values from another file, which is not followed")
    budget.spend(item.size * item.dtype.itemsize)
    if item.chunks is not None:
        budget.afford(math.prod(item.chunks) * item.dtype.itemsize)
    try:
        return np.asarray(item[()]).T
    except (OSError, ValueError) as error:
        raise Damaged(f"{item.name} cannot be read ({error})") from error


def _real_or_complex(values: np.ndarray) -> np.ndarray:
    if values.dtype.names is None:
        return np.ascontiguousarray(values) if values.ndim < 2 else values
    if values.dtype.names != ("real", "imag"):
        raise Damaged(f"a number has the parts {values.dtype.names}")
    return np.asarray(values["real"] + 1j * values["imag"])


def _text(values: np.ndarray) -> str | list[str]:
    if values.ndim != 2 or values.dtype.kind not in "ui":
        raise Damaged(f"a text has shape {values.shape} and type {values.dtype}")
    rows = [row.astype("<u2").tobytes().decode("utf-16-le", "replace") for row in values]
    return rows[0] if len(rows) == 1 else rows


def _child(group: Any, name: str) -> Any:
    """A member of a group, never one that a link takes from elsewhere."""
    import h5py

    if not isinstance(group.get(name, getlink=True), h5py.HardLink):
        raise Damaged(f"{name} is a link to another place or file, which is not followed")
    return group[name]

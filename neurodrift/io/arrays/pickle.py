"""Plain data out of a pickle without running it.

Some pipelines leave numbers that are needed in pickles only: the frame rate in suite2p's
``ops.npy``, the column names in DeepLabCut's ``.h5``. Unpickling runs whatever a pickle says; here
its opcodes are followed symbolically. Nothing is imported and nothing is called: a function that
the pickle wants called stays a :class:`Symbol`, but for the few that stand for NumPy numbers.
"""

from __future__ import annotations

import os
import pickletools
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

_MOST_BYTES = 2**28
_MARK = object()
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_VALUES = {"INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"}
_VALUES |= {"STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE"}
_VALUES |= {"BINUNICODE8", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"}
_PUTS = {"PUT", "BINPUT", "LONG_BINPUT"}
_GETS = {"GET", "BINGET", "LONG_BINGET"}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_SKIPPED = {"PROTO", "FRAME"}


@dataclass(eq=False)
class Symbol:
    """A function or class that a pickle names, or the call of one; never made."""

    name: str
    arguments: Any = None
    state: Any = None


def read_inert(stream: bytes) -> Any:
    """Plain data of a pickle, without running it.

    Parameters
    ----------
    stream
        The pickle.

    Returns
    -------
    Any
        Lists, tuples, dicts, text, numbers and NumPy arrays; a :class:`Symbol` for everything
        that would have to be run.

    Raises
    ------
    ValueError
        If it is no whole pickle, or uses what plain data need not.

    Examples
    --------
    >>> import pickle
    >>> from neurodrift.io.arrays.pickle import read_inert
    >>> read_inert(pickle.dumps({"fs": 30.0, "planes": [1, 2]}))
    {'fs': 30.0, 'planes': [1, 2]}
    >>> read_inert(pickle.dumps(print))
    Symbol(name='builtins.print', arguments=None, state=None)
    """
    if len(stream) > _MOST_BYTES:
        raise ValueError(f"the pickle has {len(stream):,} bytes, more than {_MOST_BYTES:,}")
    try:
        return _plain(_follow(stream), {})
    except RecursionError as error:
        raise ValueError("the pickle is nested too deeply") from error
    except (IndexError, KeyError, TypeError, AttributeError, UnicodeDecodeError) as error:
        raise ValueError(f"no readable pickle of plain data: {error!r}") from error


def read_object_npy(path: str | os.PathLike[str]) -> Any:
    """Content of a ``.npy`` file that holds Python objects, without running it.

    Parameters
    ----------
    path
        A file that ``numpy.load`` opens with ``allow_pickle=True`` only.

    Returns
    -------
    Any
        The object of an array without dimensions, otherwise an object array.

    Raises
    ------
    ValueError
        If it is no such file, or holds more than plain data.
    """
    path = Path(path)
    with path.open("rb") as file:
        try:
            version = np.lib.format.read_magic(file)
            reader = np.lib.format.read_array_header_1_0
            if version != (1, 0):
                reader = np.lib.format.read_array_header_2_0
            shape, _, dtype = reader(file)
        except ValueError as error:
            raise ValueError(f"{path} is no .npy file: {error}") from error
        if not dtype.hasobject:
            raise ValueError(f"{path} holds {dtype}, no Python objects")
        content = file.read(_MOST_BYTES + 1)
    try:
        values = read_inert(content)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    if not isinstance(values, np.ndarray) or values.shape != shape:
        raise ValueError(f"{path} declares shape {shape}, but holds {_kind(values)}")
    return values.item() if not shape else values


def _follow(stream: bytes) -> Any:
    stack: list[Any] = []
    memo: dict[int, Any] = {}
    for opcode, found, _ in pickletools.genops(stream):
        name, argument = opcode.name, cast(Any, found)
        if name == "STOP":
            return stack.pop()
        if name in _CONSTANTS:
            stack.append(_CONSTANTS[name])
        elif name in _VALUES:
            stack.append(argument)
        elif name in _PUTS:
            memo[int(argument)] = stack[-1]
        elif name == "MEMOIZE":
            memo[len(memo)] = stack[-1]
        elif name in _GETS:
            stack.append(memo[int(argument)])
        elif name not in _SKIPPED:
            _change(stack, name, argument)
    raise ValueError("the pickle has no end")


def _change(stack: list[Any], name: str, argument: Any) -> None:
    """Let an opcode that builds something act on the stack."""
    if name == "MARK":
        stack.append(_MARK)
    elif name == "POP":
        stack.pop()
    elif name in ("EMPTY_LIST", "EMPTY_DICT", "EMPTY_TUPLE"):
        stack.append({"EMPTY_LIST": [], "EMPTY_DICT": {}, "EMPTY_TUPLE": ()}[name])
    elif name in _TUPLES:
        n = _TUPLES[name]
        stack[-n:] = [tuple(stack[-n:])]
    elif name in ("TUPLE", "LIST"):
        items = _since_mark(stack)
        stack.append(tuple(items) if name == "TUPLE" else items)
    elif name == "DICT":
        items = _since_mark(stack)
        stack.append({})
        _set(stack[-1], items)
    elif name == "APPEND":
        item = stack.pop()
        stack[-1].append(item)
    elif name == "APPENDS":
        items = _since_mark(stack)
        stack[-1].extend(items)
    elif name == "SETITEM":
        value, key = stack.pop(), stack.pop()
        _set(stack[-1], [key, value])
    elif name == "SETITEMS":
        items = _since_mark(stack)
        _set(stack[-1], items)
    elif name == "GLOBAL":
        stack.append(Symbol(str(argument).replace(" ", ".")))
    elif name == "STACK_GLOBAL":
        last, first = stack.pop(), stack.pop()
        stack.append(Symbol(f"{first}.{last}"))
    elif name in ("REDUCE", "NEWOBJ"):
        arguments, function = stack.pop(), stack.pop()
        called = function.name if isinstance(function, Symbol) else "?"
        stack.append(Symbol(called, arguments))
    elif name == "BUILD":
        state = stack.pop()
        if isinstance(stack[-1], Symbol):
            stack[-1].state = state
    else:
        raise ValueError(f"the pickle uses {name}, which plain data need not")


def _since_mark(stack: list[Any]) -> list[Any]:
    at = max(i for i, item in enumerate(stack) if item is _MARK)
    items = stack[at + 1 :]
    del stack[at:]
    return items


def _set(into: dict[Any, Any], items: list[Any]) -> None:
    for key, value in zip(items[::2], items[1::2], strict=True):
        into[key] = value


def _plain(value: Any, done: dict[int, Any]) -> Any:
    """The data with NumPy's numbers and arrays in place of the calls that would make them."""
    if isinstance(value, list | dict | tuple | Symbol):
        if id(value) not in done:
            done[id(value)] = None  # what holds itself holds None there
            done[id(value)] = _converted(value, done)
        return done[id(value)]
    return value


def _converted(value: Any, done: dict[int, Any]) -> Any:
    if isinstance(value, list | tuple):
        return type(value)(_plain(item, done) for item in value)
    if isinstance(value, dict):
        return {_plain(key, done): _plain(item, done) for key, item in value.items()}
    arguments = _plain(value.arguments, done)
    state = _plain(value.state, done)
    function = value.name.replace("numpy._core.", "numpy.core.")
    if function == "_codecs.encode" and isinstance(arguments[0], str):
        return arguments[0].encode("latin1")
    if function == "numpy.dtype":
        dtype = np.dtype(str(arguments[0]))
        return dtype.newbyteorder(">") if isinstance(state, tuple) and state[1] == ">" else dtype
    if function == "numpy.core.multiarray.scalar" and len(arguments) == 2:
        return np.frombuffer(arguments[1], arguments[0], count=1)[0]
    if function == "numpy.core.multiarray._reconstruct" and state is not None:
        _, shape, dtype, fortran, data = state
        return _array(shape, dtype, fortran, data)
    if function == "numpy.core.numeric._frombuffer":
        data, dtype, shape, order = arguments
        return _array(shape, dtype, order == "F", data)
    return Symbol(value.name, arguments, state)


def _array(shape: tuple[int, ...], dtype: np.dtype[Any], fortran: bool, data: Any) -> np.ndarray:
    if dtype.hasobject:
        flat = np.empty(len(data), dtype=object)
        flat[:] = data
    else:
        flat = np.frombuffer(bytes(data), dtype)
    return flat.reshape(shape, order="F" if fortran else "C")


def _kind(values: Any) -> str:
    return f"an array of {values.shape}" if isinstance(values, np.ndarray) else repr(values)[:80]

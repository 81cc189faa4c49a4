"""MATLAB v5 files as plain Python values, from their tags.

The sizes that a file declares are held against the bytes that it has before anything is allocated.
scipy's reader trusts them, and crashes the process on some damaged files; the tests compare both
on files that MATLAB wrote.

References
----------
.. [1] MathWorks, MAT-File Format, chapter 1.
   https://www.mathworks.com/help/pdf_doc/matlab/matfile_format.pdf
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from neurodrift.io.arrays._mat_bounds import MAX_DEPTH, Budget, Damaged, Unreadable

_HEADER = 128
_PREFIX = 1 << 16  # bytes that hold all that precedes the numbers of a matrix
_MAX_DIMS = 32
_MATRIX, _COMPRESSED = 14, 15
_STORED = {
    1: "i1",
    2: "u1",
    3: "i2",
    4: "u2",
    5: "i4",
    6: "u4",
    7: "f4",
    9: "f8",
    12: "i8",
    13: "u8",
}
_CELL, _STRUCT, _OBJECT, _CHAR, _SPARSE, _FUNCTION, _OPAQUE = 1, 2, 3, 4, 5, 16, 17
_NUMERIC = {
    6: "double",
    7: "single",
    8: "int8",
    9: "uint8",
    10: "int16",
    11: "uint16",
    12: "int32",
    13: "uint32",
    14: "int64",
    15: "uint64",
}
_CLASSES = _NUMERIC | {
    _CELL: "cell",
    _STRUCT: "struct",
    _OBJECT: "object",
    _CHAR: "char",
    _SPARSE: "sparse",
    _FUNCTION: "function_handle",
    _OPAQUE: "opaque",
}
_LOGICAL, _COMPLEX = 0x02, 0x08


@dataclass(frozen=True)
class Variable:
    """A variable at the top of a file."""

    name: str
    matlab_class: str
    shape: tuple[int, ...]
    n_bytes: int  # in memory; 0 for a class whose elements have their own
    data: memoryview = field(repr=False)
    is_compressed: bool = False
    order: str = "<"

    def read(self, budget: Budget) -> Any:
        """Read the variable.

        Parameters
        ----------
        budget
            What it may ask for; spent.

        Returns
        -------
        object
            As :func:`neurodrift.io.arrays.mat.read_mat` describes it.

        Raises
        ------
        Damaged
            If it is truncated, contradicts itself or asks for more.
        """
        data = self.data
        if self.is_compressed:
            _, _, n, _ = _tag(_inflated(data, 8), 0, self.order, math.inf)
            budget.afford(n)
            data = memoryview(_inflated(data, n + 8, is_whole=True))
        return _Reader(data, self.order, budget).element(0, 0)[0]


def variables(data: memoryview) -> Iterator[Variable]:
    """The variables of a file; of each no more is read than the header.

    Parameters
    ----------
    data
        The bytes of the file.

    Yields
    ------
    Variable
        In the order of the file.

    Raises
    ------
    Damaged
        If the file is truncated or no MATLAB v5 file.
    """
    order = {b"IM": "<", b"MI": ">"}.get(bytes(data[126:128]), "")
    if len(data) < _HEADER or not order:
        raise Damaged("it does not begin as a MATLAB v5 file does")
    at = _HEADER
    while at < len(data):
        kind, start, n, _ = _tag(data, at, order, len(data))
        if kind not in (_MATRIX, _COMPRESSED):
            raise Damaged(f"byte {at} should begin a variable")
        at = start + n
        whole = data[start - 8 : start + n]
        if kind == _MATRIX:
            yield _described(whole, n + 8, whole, order, is_compressed=False)
            continue
        prefix = memoryview(_inflated(data[start : start + n], _PREFIX))
        kind, _, n_inside, _ = _tag(prefix, 0, order, math.inf)
        if kind != _MATRIX:
            raise Damaged(f"byte {start} should begin a compressed variable")
        packed = data[start : start + n]
        yield _described(prefix, n_inside + 8, packed, order, is_compressed=True)


def _described(
    head: memoryview, end: int, data: memoryview, order: str, *, is_compressed: bool
) -> Variable:
    """A variable from the bytes that it begins with; `end` is where it says that it ends."""
    _, at, n, _ = _tag(head, 0, order, end)
    if not n:
        return Variable("", "double", (0, 0), 0, data, is_compressed, order)
    number, flags, at = _flags(head, at, order, end)
    shape: tuple[int, ...] = ()
    if number != _OPAQUE:
        shape, at = _shape(head, at, order, end)
    name, at = _name(head, at, order, end)
    if number not in _NUMERIC:
        return Variable(name, _CLASSES[number], shape, 0, data, is_compressed, order)
    _numbers(head, at, order, end, math.prod(shape))
    matlab_class = "logical" if flags & _LOGICAL else _NUMERIC[number]
    n_bytes = math.prod(shape) * _dtype(number, flags).itemsize
    return Variable(name, matlab_class, shape, n_bytes, data, is_compressed, order)


class _Reader:
    """Values from the bytes of one variable."""

    def __init__(self, data: memoryview, order: str, budget: Budget) -> None:
        self.data, self.order, self.budget = data, order, budget
        self.end = len(data)

    def element(self, at: int, depth: int) -> tuple[Any, int]:
        """The matrix at a byte, and the byte behind it."""
        kind, at, n, _ = _tag(self.data, at, self.order, self.end)
        if kind != _MATRIX:
            raise Damaged(f"an element of a cell or struct has type {kind}, not a matrix")
        if not n:
            return np.zeros((0, 0)), at
        if depth > MAX_DEPTH:
            raise Damaged(f"its cells and structs are nested more than {MAX_DEPTH} deep")
        number, flags, at = _flags(self.data, at, self.order, self.end)
        if number == _OPAQUE:
            for _ in range(3):  # its name, the kind of object, its class
                name, at = _name(self.data, at, self.order, self.end)
            return Unreadable(name), self.element(at, depth + 1)[1]
        shape, at = _shape(self.data, at, self.order, self.end)
        _, at = _name(self.data, at, self.order, self.end)
        if number in _NUMERIC:
            return self.numbers(at, number, flags, shape)
        if number == _CHAR:
            return self.text(at, shape)
        if number == _SPARSE:
            return self.sparse(at, flags, shape)
        if number == _FUNCTION:
            return Unreadable("function_handle"), self.element(at, depth + 1)[1]
        if number == _CELL:
            return self.cell(at, shape, depth)
        if number == _STRUCT:
            return self.struct(at, shape, depth)
        name, at = _name(self.data, at, self.order, self.end)
        return Unreadable(name), self.struct(at, shape, depth)[1]

    def numbers(
        self, at: int, number: int, flags: int, shape: tuple[int, ...]
    ) -> tuple[np.ndarray, int]:
        """An array in the type of its class."""
        dtype = _dtype(number, flags)
        self.budget.spend(math.prod(shape) * dtype.itemsize)
        values, at = self.part(at, math.prod(shape))
        if flags & _COMPLEX and not flags & _LOGICAL:
            imaginary, at = self.part(at, math.prod(shape))
            values = values + 1j * imaginary
        return values.astype(dtype).reshape(shape, order="F"), at

    def part(self, at: int, n_elements: int | None) -> tuple[np.ndarray, int]:
        """The numbers of an element as they are stored."""
        kind, start, n, at = _numbers(self.data, at, self.order, self.end, n_elements)
        return np.frombuffer(self.data[start : start + n], self.order + _STORED[kind]), at

    def text(self, at: int, shape: tuple[int, ...]) -> tuple[str | list[str], int]:
        """A text, or the rows of a char matrix."""
        n_elements = math.prod(shape)
        self.budget.spend(4 * n_elements)
        kind, start, n, at = _tag(self.data, at, self.order, self.end)
        wide = "le" if self.order == "<" else "be"
        codecs = {1: "latin1", 2: "latin1", 16: "utf-8", 4: f"utf-16-{wide}", 17: f"utf-16-{wide}"}
        codecs[18] = f"utf-32-{wide}"
        if kind not in codecs:
            raise Damaged(f"a text has the type {kind}")
        text = bytes(self.data[start : start + n]).decode(codecs[kind], "replace")
        if not n_elements:
            return "", at
        if not n:  # as MATLAB reads it
            text = " " * n_elements
        if shape[0] == 1:
            return text, at
        if len(text) != n_elements:
            raise Damaged(f"a char matrix of shape {shape} holds {len(text)} characters")
        return [text[i :: shape[0]] for i in range(shape[0])], at

    def sparse(self, at: int, flags: int, shape: tuple[int, ...]) -> tuple[Any, int]:
        """A sparse matrix: row indices, first index of each column, and values."""
        from scipy.sparse import csc_array

        if len(shape) != 2:
            raise Damaged(f"a sparse matrix has {len(shape)} dimensions")
        rows, at = self.part(at, None)
        firsts, at = self.part(at, None)
        if firsts.size != shape[1] + 1:
            raise Damaged(f"a sparse matrix of {shape[1]} columns has {firsts.size} column indices")
        values: np.ndarray
        kind, start, n, after = _tag(self.data, at, self.order, self.end)
        if flags & _LOGICAL and kind == 9 and n % 8:  # bytes that MATLAB calls doubles
            values, at = np.frombuffer(self.data[start : start + n], np.uint8).astype(bool), after
        else:
            values, at = self.part(at, None)
        if flags & _COMPLEX:
            imaginary, at = self.part(at, values.size)
            values = values + 1j * imaginary
        self.budget.spend(16 * (rows.size + firsts.size + values.size))
        native = values.astype(bool if flags & _LOGICAL else values.dtype.newbyteorder("="))
        last = int(firsts[-1])
        if not 0 <= last <= min(rows.size, native.size):
            raise Damaged(f"a sparse matrix declares {last} values and has {native.size}")
        parts = (native[:last], rows[:last].astype(np.int64), firsts.astype(np.int64))
        try:
            found: Any = csc_array(parts, shape=shape)
            found.check_format(full_check=True)
        except ValueError as error:
            raise Damaged(f"a sparse matrix contradicts itself ({error})") from error
        return found, at

    def cell(self, at: int, shape: tuple[int, ...], depth: int) -> tuple[np.ndarray, int]:
        """An object array of values."""
        n_elements = math.prod(shape)
        self.expect(n_elements, at, "cell")
        found = np.empty(n_elements, dtype=object)
        for i in range(n_elements):
            found[i], at = self.element(at, depth + 1)
        return found.reshape(shape, order="F"), at

    def struct(self, at: int, shape: tuple[int, ...], depth: int) -> tuple[Any, int]:
        """A dict, or an object array of dicts."""
        names, at = self.fields(at)
        n_elements = math.prod(shape)
        self.budget.spend(8 * n_elements, n_elements)
        self.expect(n_elements * len(names), at, "struct")
        found = np.empty(n_elements, dtype=object)
        for i in range(n_elements):
            found[i] = {}
            for name in names:
                found[i][name], at = self.element(at, depth + 1)
        return (found[0] if n_elements == 1 else found.reshape(shape, order="F")), at

    def fields(self, at: int) -> tuple[list[str], int]:
        """Names of the fields of a struct; a name that is there twice is numbered."""
        _, start, n, at = _tag(self.data, at, self.order, self.end)
        length = _unpack(self.order + "i", self.data, start)[0] if n == 4 else 0
        if length <= 0:
            raise Damaged("a struct does not say how long its fields' names are")
        _, start, n, at = _tag(self.data, at, self.order, self.end)
        names: list[str] = []
        for i in range(n // length):
            raw = bytes(self.data[start + i * length : start + (i + 1) * length])
            name = raw.split(b"\0")[0].decode("latin1")
            names.append(f"{name}_{i}" if name in names else name)
        return names, at

    def expect(self, n_elements: int, at: int, what: str) -> None:
        """Refuse more elements than the bytes behind can hold."""
        if 8 * n_elements > self.end - at:
            raise Damaged(f"a {what} declares {n_elements} elements, which do not fit")
        self.budget.spend(8 * n_elements, n_elements)


def _dtype(number: int, flags: int) -> np.dtype:
    """Type of the numbers in memory."""
    if flags & _LOGICAL:
        return np.dtype(bool)
    plain = np.dtype(_NUMERIC[number])
    if flags & _COMPLEX:
        return np.dtype("c8" if plain == np.float32 else "c16")
    return plain


def _numbers(
    data: memoryview, at: int, order: str, end: float, n_elements: int | None
) -> tuple[int, int, int, int]:
    """Tag of the numbers of a matrix, held against the shape where that is given."""
    kind, start, n, after = _tag(data, at, order, end)
    width = np.dtype(_STORED[kind]).itemsize if kind in _STORED else 0
    if not width or n % width or (n_elements is not None and n != width * n_elements):
        raise Damaged(
            f"a matrix of {n_elements} numbers has {n} bytes of type {kind}: its shape does not "
            "fit its contents"
        )
    return kind, start, n, after


def _flags(data: memoryview, at: int, order: str, end: float) -> tuple[int, int, int]:
    """Class and flags of a matrix, and the byte behind them."""
    kind, start, n, at = _tag(data, at, order, end)
    if kind != 6 or n != 8:
        raise Damaged("a matrix does not begin with its flags")
    word = _unpack(order + "I", data, start)[0]
    number, flags = word & 0xFF, (word >> 8) & 0xFF
    if number not in _CLASSES:
        raise Damaged(f"a matrix has the unknown class {number}")
    return number, flags, at


def _shape(data: memoryview, at: int, order: str, end: float) -> tuple[tuple[int, ...], int]:
    kind, start, n, at = _tag(data, at, order, end)
    if kind not in (5, 6) or n % 4 or not 2 <= n // 4 <= _MAX_DIMS:
        raise Damaged("a matrix has no dimensions")
    shape = _unpack(f"{order}{n // 4}i", data, start)
    if min(shape) < 0:
        raise Damaged(f"a matrix has the shape {shape}")
    return shape, at


def _name(data: memoryview, at: int, order: str, end: float) -> tuple[str, int]:
    kind, start, n, at = _tag(data, at, order, end)
    if kind not in (1, 2, 16) or start + n > len(data):
        raise Damaged("a name is missing or too long")
    return bytes(data[start : start + n]).decode("utf-8", "replace"), at


def _tag(data: memoryview | bytes, at: int, order: str, end: float) -> tuple[int, int, int, int]:
    """Type, first byte, number of bytes of an element, and the byte behind it with its padding."""
    word, n = _unpack(order + "II", data, at)
    if word >> 16:
        kind, n, start, after = word & 0xFFFF, word >> 16, at + 4, at + 8
        if n > 4:
            raise Damaged(f"a short element declares {n} bytes")
        return kind, start, n, after
    if at + 8 + n > end:
        raise Damaged(f"an element declares {n} bytes, but the file ends before: it is truncated")
    padding = 0 if word in (_MATRIX, _COMPRESSED) else -n % 8
    return word, at + 8, n, at + 8 + n + padding


def _unpack(form: str, data: memoryview | bytes, at: int) -> tuple[int, ...]:
    try:
        return struct.unpack_from(form, data, at)
    except struct.error:
        raise Damaged("it ends within an element: it is truncated") from None


def _inflated(data: memoryview, most: int, *, is_whole: bool = False) -> bytes:
    """The first bytes of compressed data, at most so many; all of it, with its checksum."""
    inflater = zlib.decompressobj()
    try:
        found = inflater.decompress(data, most)
        if is_whole and not inflater.eof and inflater.decompress(inflater.unconsumed_tail, 8):
            raise Damaged("a compressed variable is longer than it declares")
    except zlib.error as error:
        raise Damaged(f"a compressed variable cannot be decompressed ({error})") from error
    if is_whole and not inflater.eof:
        raise Damaged("a compressed variable is truncated")
    return found

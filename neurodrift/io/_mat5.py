"""The tags of MATLAB v5 files, walked before anything is allocated by what they declare.

scipy trusts the sizes that a file declares, and its recursion is not bounded. The walk follows the
bytes in the order in which scipy does, so what it lets pass holds what it declares.

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

MAX_DEPTH = 64  # cells in cells
MAX_ITEMS = 1_000_000  # elements of cells and fields of structs
_HEADER = 128
_PREFIX = 1 << 16  # bytes that hold all that precedes the numbers of a matrix
_MAX_DIMS = 32
_MATRIX, _COMPRESSED = 14, 15
_SIZES = {1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 4, 9: 8, 12: 8, 13: 8, 16: 1, 17: 2, 18: 4}
_CELL, _STRUCT, _OBJECT, _CHAR, _SPARSE, _FUNCTION, _OPAQUE = 1, 2, 3, 4, 5, 16, 17
CLASSES = {
    _CELL: "cell",
    _STRUCT: "struct",
    _OBJECT: "object",
    _CHAR: "char",
    _SPARSE: "sparse",
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
    _FUNCTION: "function_handle",
    _OPAQUE: "opaque",
}
_WIDTHS = {6: 8, 7: 4, 8: 1, 9: 1, 10: 2, 11: 2, 12: 4, 13: 4, 14: 8, 15: 8}
_LOGICAL, _COMPLEX = 0x02, 0x08


class Damaged(Exception):
    """What is wrong with the bytes of a file."""


@dataclass
class Budget:
    """What a file may still ask for: bytes of arrays, and elements of cells and structs."""

    n_bytes: int
    items: int = MAX_ITEMS
    limit: int = field(init=False)

    def __post_init__(self) -> None:
        self.limit = self.n_bytes

    def spend(self, n_bytes: int, items: int = 0) -> None:
        """Take from what is left.

        Parameters
        ----------
        n_bytes
            Bytes of an array in memory.
        items
            Elements of a cell or struct.

        Raises
        ------
        Damaged
            If that is more than is left.
        """
        self.afford(n_bytes)
        self.n_bytes -= n_bytes
        self.items -= items
        if self.items < 0:
            raise Damaged(f"its cells and structs have more than {MAX_ITEMS} elements")

    def afford(self, n_bytes: int) -> None:
        """Refuse what is more than is left, without taking it.

        Parameters
        ----------
        n_bytes
            Bytes in memory.

        Raises
        ------
        Damaged
            If that is more than is left.
        """
        if n_bytes > self.n_bytes:
            raise Damaged(
                f"it declares more than {self.limit} bytes of arrays: name the variables that are "
                "needed, or raise max_bytes if the file is trusted"
            )


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

    def check(self, budget: Budget) -> None:
        """Walk through the whole variable.

        Parameters
        ----------
        budget
            What it may ask for; spent.

        Raises
        ------
        Damaged
            If it is truncated, contradicts itself or asks for more.
        """
        if self.n_bytes:  # numbers: the header was held against their length
            budget.spend(self.n_bytes)
            return
        data = self.data
        if self.is_compressed:
            _, _, n, _ = _tag(_inflated(data, 8), 0, self.order, math.inf)
            budget.afford(n)
            data = memoryview(_inflated(data, n + 8))
        _element(data, 0, self.order, budget, 0)


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
            yield _variable(whole, n + 8, whole, order, is_compressed=False)
            continue
        prefix = memoryview(_inflated(data[start : start + n], _PREFIX))
        kind, _, n_inside, _ = _tag(prefix, 0, order, math.inf)
        if kind != _MATRIX:
            raise Damaged(f"byte {start} should begin a compressed variable")
        yield _variable(prefix, n_inside + 8, data[start : start + n], order, is_compressed=True)


def _variable(
    head: memoryview, end: int, data: memoryview, order: str, *, is_compressed: bool
) -> Variable:
    """A variable from the bytes that it begins with; `end` is where it says that it ends."""
    _, at, n, _ = _tag(head, 0, order, end)
    if not n:
        return Variable("", "double", (0, 0), 0, data, is_compressed, order)
    number, flags, _, at = _flags(head, at, order, end)
    shape: tuple[int, ...] = ()
    if number != _OPAQUE:
        shape, at = _shape(head, at, order, end)
    name, at = _text(head, at, order, end)
    if number not in _WIDTHS:
        return Variable(name, CLASSES[number], shape, 0, data, is_compressed, order)
    n_elements = math.prod(shape)
    _numbers(head, at, order, end, n_elements)
    width = _width(number, flags)
    matlab_class = "logical" if flags & _LOGICAL else CLASSES[number]
    return Variable(name, matlab_class, shape, n_elements * width, data, is_compressed, order)


def _width(number: int, flags: int) -> int:
    """Bytes of one number in memory."""
    if flags & _LOGICAL:
        return 1
    return _WIDTHS[number] * (2 if flags & _COMPLEX else 1)


def _element(data: memoryview, at: int, order: str, budget: Budget, depth: int) -> int:
    """Walk through a matrix and give the byte behind it."""
    kind, at, n, _ = _tag(data, at, order, len(data))
    if kind != _MATRIX:
        raise Damaged(f"an element of a cell or struct has type {kind}, not a matrix")
    if not n:
        return at
    if depth > MAX_DEPTH:
        raise Damaged(f"its cells and structs are nested more than {MAX_DEPTH} deep")
    end = len(data)
    number, flags, _, at = _flags(data, at, order, end)
    if number == _OPAQUE:
        for _ in range(3):
            _, at = _text(data, at, order, end)
        return _element(data, at, order, budget, depth + 1)
    shape, at = _shape(data, at, order, end)
    _, at = _text(data, at, order, end)
    n_elements = math.prod(shape)
    if number in _WIDTHS:
        budget.spend(n_elements * _width(number, flags))
        for _ in range(2 if flags & _COMPLEX else 1):
            at = _numbers(data, at, order, end, n_elements)
        return at
    if number == _CHAR:
        budget.spend(4 * n_elements)
        return _tag(data, at, order, end)[3]
    if number == _SPARSE:
        return _sparse(data, at, order, flags, shape, budget)
    if number == _FUNCTION:
        return _element(data, at, order, budget, depth + 1)
    if number == _OBJECT:
        _, at = _text(data, at, order, end)
    if number != _CELL:
        fields, at = _fields(data, at, order)
        budget.spend(8 * n_elements, n_elements)
        n_elements *= fields
    if 8 * n_elements > end - at:
        raise Damaged(f"a {CLASSES[number]} declares {n_elements} elements, which do not fit")
    budget.spend(8 * n_elements, n_elements)
    for _ in range(n_elements):
        at = _element(data, at, order, budget, depth + 1)
    return at


def _numbers(data: memoryview, at: int, order: str, end: float, n_elements: int) -> int:
    """Hold the shape of a numeric matrix against its real or imaginary part."""
    kind, _, n, at = _tag(data, at, order, end)
    if kind not in _SIZES or n != _SIZES[kind] * n_elements:
        raise Damaged(
            f"a matrix of {n_elements} numbers has {n} bytes of type {kind}: its shape does not "
            "fit its contents"
        )
    return at


def _sparse(
    data: memoryview, at: int, order: str, flags: int, shape: tuple[int, ...], budget: Budget
) -> int:
    """Row indices, first index of each column, and values."""
    if len(shape) != 2:
        raise Damaged(f"a sparse matrix has {len(shape)} dimensions")
    counts = []
    for _ in range(4 if flags & _COMPLEX else 3):
        kind, _, n, at = _tag(data, at, order, len(data))
        if kind not in _SIZES:
            raise Damaged(f"a sparse matrix holds type {kind}")
        counts.append(n // _SIZES[kind])
    if counts[1] != shape[1] + 1 or max(counts) > 2**31:
        raise Damaged(f"a sparse matrix of {shape[1]} columns has {counts[1]} column indices")
    budget.spend(16 * sum(counts))
    return at


def _flags(data: memoryview, at: int, order: str, end: float) -> tuple[int, int, int, int]:
    """Class, flags and the second word of a matrix, and the byte behind them."""
    kind, start, n, at = _tag(data, at, order, end)
    if kind != 6 or n != 8:
        raise Damaged("a matrix does not begin with its flags")
    word, second = _unpack(order + "II", data, start)
    number, flags = word & 0xFF, (word >> 8) & 0xFF
    if number not in CLASSES:
        raise Damaged(f"a matrix has the unknown class {number}")
    return number, flags, second, at


def _shape(data: memoryview, at: int, order: str, end: float) -> tuple[tuple[int, ...], int]:
    kind, start, n, at = _tag(data, at, order, end)
    if kind not in (5, 6) or n % 4 or not 2 <= n // 4 <= _MAX_DIMS:
        raise Damaged("a matrix has no dimensions")
    shape = _unpack(f"{order}{n // 4}i", data, start)
    if min(shape) < 0:
        raise Damaged(f"a matrix has the shape {shape}")
    return shape, at


def _text(data: memoryview, at: int, order: str, end: float) -> tuple[str, int]:
    kind, start, n, at = _tag(data, at, order, end)
    if kind not in (1, 2, 16) or start + n > len(data):
        raise Damaged("a name is missing or too long")
    return bytes(data[start : start + n]).decode("utf-8", "replace"), at


def _fields(data: memoryview, at: int, order: str) -> tuple[int, int]:
    """Number of fields of a struct."""
    _, start, n, at = _tag(data, at, order, len(data))
    length = _unpack(order + "i", data, start)[0] if n == 4 else 0
    if length <= 0:
        raise Damaged("a struct does not say how long its fields' names are")
    _, _, n, at = _tag(data, at, order, len(data))
    return n // length, at


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


def _inflated(data: memoryview, most: int) -> bytes:
    """The first bytes of compressed data, at most so many."""
    try:
        return zlib.decompressobj().decompress(data, most)
    except zlib.error as error:
        raise Damaged(f"a compressed variable cannot be decompressed ({error})") from error

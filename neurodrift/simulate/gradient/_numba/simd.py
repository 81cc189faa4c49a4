"""Vectors of 16 numbers as numba values, so that a kernel keeps its sums in registers.

LLVM splits a vector of 16 into as many registers as the machine needs (one of AVX-512 for float32,
four of SSE), so the code and the order of every sum are the same on every machine.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic, models, register_model

LANES = 16

_INDEX = ir.IntType(32)


def _intrinsic(build: Callable[..., Any]) -> Callable[..., Any]:
    """Numba's decorator, without the types of the builder that it takes for those of the call."""
    function: Any = intrinsic(build)
    return function


class Vector(types.Type):
    """Sixteen float32 or float64."""

    def __init__(self, element: Any) -> None:
        self.element = element
        super().__init__(name=f"neurodrift_vector_{element}")


def _element(kind: Any) -> Any:
    return ir.FloatType() if kind == types.float32 else ir.DoubleType()


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, ir.VectorType(_element(kind.element), LANES))  # type: ignore[no-untyped-call]


def _address(context: Any, builder: Any, kind: Any, array: Any, index: Any) -> Any:
    """Pointer to an element of a contiguous array; no bounds, no negative indices."""
    data = context.make_array(kind)(context, builder, array).data
    return builder.gep(data, [index])


def _vector_address(context: Any, builder: Any, kind: Any, array: Any, index: Any) -> Any:
    address = _address(context, builder, kind, array, index)
    return builder.bitcast(address, ir.VectorType(_element(kind.dtype), LANES).as_pointer())


def _bytes(kind: Any) -> int:
    return int(kind.dtype.bitwidth) // 8


def _splat(builder: Any, value: Any, vector: Any) -> Any:
    empty = ir.Constant(vector, ir.Undefined)
    one = builder.insert_element(empty, value, ir.Constant(_INDEX, 0))
    return builder.shuffle_vector(one, empty, ir.Constant(ir.VectorType(_INDEX, LANES), None))


def _positive(builder: Any, value: Any) -> Any:
    return builder.fcmp_ordered(">", value, ir.Constant(value.type, None))


def _fold(builder: Any, value: Any, join: Callable[[Any, Any], Any]) -> Any:
    """Join the lanes of a vector as a tree of halves."""
    width = LANES
    empty = ir.Constant(value.type, ir.Undefined)
    while width > 1:
        half = width // 2
        index = ir.VectorType(_INDEX, half)
        low = builder.shuffle_vector(value, empty, ir.Constant(index, list(range(half))))
        high = builder.shuffle_vector(value, empty, ir.Constant(index, list(range(half, width))))
        value = join(low, high)
        empty = ir.Constant(value.type, ir.Undefined)
        width = half
    return builder.extract_element(value, ir.Constant(_INDEX, 0))


@_intrinsic
def load(typing_context: Any, array: Any, index: Any) -> Any:
    """Sixteen elements of a flat array from an index on."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        value = builder.load(_vector_address(context, builder, signature.args[0], *args))
        value.align = _bytes(signature.args[0])
        return value

    return Vector(array.dtype)(array, types.intp), build


@_intrinsic
def load_as(typing_context: Any, array: Any, index: Any, like: Any) -> Any:
    """Sixteen elements of a flat float32 array, in the precision of the scalar ``like``."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        value = builder.load(_vector_address(context, builder, signature.args[0], *args[:2]))
        value.align = _bytes(signature.args[0])
        if signature.args[2] == types.float64:
            value = builder.fpext(value, ir.VectorType(ir.DoubleType(), LANES))
        return value

    return Vector(like)(array, types.intp, like), build


@_intrinsic
def store(typing_context: Any, array: Any, index: Any, value: Any) -> Any:
    """Write sixteen elements of a flat array from an index on."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        address = _vector_address(context, builder, signature.args[0], *args[:2])
        builder.store(args[2], address).align = _bytes(signature.args[0])
        return context.get_dummy_value()

    return types.void(array, types.intp, value), build


@_intrinsic
def load_all(typing_context: Any, array: Any, index: Any) -> Any:
    """One element of a flat array in all sixteen lanes."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        value = builder.load(_address(context, builder, signature.args[0], *args))
        return _splat(builder, value, context.get_value_type(signature.return_type))

    return Vector(array.dtype)(array, types.intp), build


@_intrinsic
def splat(typing_context: Any, value: Any) -> Any:
    """One scalar in all sixteen lanes."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _splat(builder, args[0], context.get_value_type(signature.return_type))

    return Vector(value)(value), build


@_intrinsic
def add_product(typing_context: Any, a: Any, b: Any, c: Any) -> Any:
    """``a * b + c``, fused where the machine can."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        product = builder.fmul(args[0], args[1], flags=("contract",))
        return builder.fadd(product, args[2], flags=("contract",))

    return a(a, a, a), build


@_intrinsic
def multiply(typing_context: Any, a: Any, b: Any) -> Any:
    """``a * b``."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.fmul(args[0], args[1])

    return a(a, a), build


@_intrinsic
def divide(typing_context: Any, a: Any, b: Any) -> Any:
    """``a / b``."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.fdiv(args[0], args[1])

    return a(a, a), build


@_intrinsic
def square_root(typing_context: Any, a: Any) -> Any:
    """Square root of each lane."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = args[0].type
        name = f"llvm.sqrt.v{LANES}f{32 if signature.return_type.element == types.float32 else 64}"
        function = builder.module.globals.get(name) or ir.Function(
            builder.module, ir.FunctionType(kind, [kind]), name
        )
        return builder.call(function, args)

    return a(a), build


@_intrinsic
def rectify(typing_context: Any, a: Any) -> Any:
    """``a`` where positive, else 0."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        zero = ir.Constant(args[0].type, None)
        return builder.select(_positive(builder, args[0]), args[0], zero)

    return a(a), build


@_intrinsic
def where_positive(typing_context: Any, a: Any, b: Any) -> Any:
    """``b`` where ``a`` is positive, else 0."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        zero = ir.Constant(args[1].type, None)
        return builder.select(_positive(builder, args[0]), args[1], zero)

    return a(a, a), build


@_intrinsic
def larger(typing_context: Any, a: Any, b: Any) -> Any:
    """The larger of two in each lane."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.select(builder.fcmp_ordered(">", args[0], args[1]), args[0], args[1])

    return a(a, a), build


@_intrinsic
def total(typing_context: Any, a: Any) -> Any:
    """Sum of the lanes."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _fold(builder, args[0], builder.fadd)

    return a.element(a), build


@_intrinsic
def largest(typing_context: Any, a: Any) -> Any:
    """Largest lane."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        def join(low: Any, high: Any) -> Any:
            return builder.select(builder.fcmp_ordered(">", low, high), low, high)

        return _fold(builder, args[0], join)

    return a.element(a), build


@_intrinsic
def float_of_bits(typing_context: Any, bits: Any) -> Any:
    """The float32 with these 32 bits."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.FloatType())

    return types.float32(types.uint32), build


@_intrinsic
def bits_of_float(typing_context: Any, value: Any) -> Any:
    """The 32 bits of a float32."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.IntType(32))

    return types.int32(types.float32), build


class Words(types.Type):
    """Sixteen words of 32 bits."""

    def __init__(self) -> None:
        super().__init__(name="neurodrift_words")


words_type = Words()


@register_model(Words)
class _WordsModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, ir.VectorType(_INDEX, LANES))  # type: ignore[no-untyped-call]


@_intrinsic
def load_words(typing_context: Any, array: Any, index: Any) -> Any:
    """Sixteen elements of a flat uint32 array from an index on."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        address = _address(context, builder, signature.args[0], *args)
        address = builder.bitcast(address, ir.VectorType(_INDEX, LANES).as_pointer())
        value = builder.load(address)
        value.align = 4
        return value

    return words_type(array, types.intp), build


@_intrinsic
def store_words(typing_context: Any, array: Any, index: Any, value: Any) -> Any:
    """Write sixteen elements of a flat uint32 array from an index on."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        address = _address(context, builder, signature.args[0], *args[:2])
        address = builder.bitcast(address, ir.VectorType(_INDEX, LANES).as_pointer())
        builder.store(args[2], address).align = 4
        return context.get_dummy_value()

    return types.void(array, types.intp, value), build


@_intrinsic
def xoshiro(typing_context: Any, s0: Any, s1: Any, s2: Any, s3: Any) -> Any:
    """One step of sixteen xoshiro128++ generators: (random words, next s0, s1, s2, s3)."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        s0, s1, s2, s3 = args

        def bits(n: int) -> Any:
            return ir.Constant(s0.type, [n] * LANES)

        def turn(value: Any, n: int) -> Any:
            return builder.or_(builder.shl(value, bits(n)), builder.lshr(value, bits(32 - n)))

        out = builder.add(turn(builder.add(s0, s3), 7), s0)
        t = builder.shl(s1, bits(9))
        s2 = builder.xor(s2, s0)
        s3 = builder.xor(s3, s1)
        s1 = builder.xor(s1, s2)
        s0 = builder.xor(s0, s3)
        s2 = builder.xor(s2, t)
        s3 = turn(s3, 11)
        return context.make_tuple(builder, signature.return_type, (out, s0, s1, s2, s3))

    five: Any = types.UniTuple
    return five(words_type, 5)(s0, s1, s2, s3), build

"""SIMD operations for compiled kernels: each works on all numbers of one processor register at once.

LLVM vectorises plain loops too. With explicit vectors there is no remainder loop at the end of a row, small integers
are compared as such, and blocks are transposed without a detour through memory. Every operation emits LLVM IR
(`llvmlite.ir`); LLVM picks the instructions of the processor at hand.

This module depends on internals of numba that have no stability promise: `numba.core.types`, `register_model`,
`PrimitiveModel`, and the code generation context (`make_array`, `get_dummy_value`). So pyproject.toml pins numba and
llvmlite to one minor version. numba has no type annotations, which is why values of its code generation are `Any`.
"""

from collections.abc import Callable
from inspect import Parameter, Signature
from typing import Any, TypeAlias, cast

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic, models, register_model

from collections_app.engine.retrieval.arrays import WORDS_AT_ONCE
from collections_app.engine.retrieval.kernels.jit import BYTE_PRODUCTS, WIDE_REGISTERS

FLOATS_AT_ONCE = 16 if WIDE_REGISTERS else 8

Value: TypeAlias = Any
"""A value in LLVM IR (`ir.Value`)."""
Kind: TypeAlias = Any
"""A type of numba or of LLVM."""
Operation: TypeAlias = Callable[..., Any]

_INT32, _INT64 = ir.IntType(32), ir.IntType(64)
_WORDS = ir.VectorType(ir.IntType(64), WORDS_AT_ONCE)
_FLOATS = ir.VectorType(ir.FloatType(), FLOATS_AT_ONCE)
_INTEGERS = ir.VectorType(ir.IntType(32), FLOATS_AT_ONCE)
_SHORTS = ir.VectorType(ir.IntType(16), 2 * FLOATS_AT_ONCE)
_BYTES = ir.VectorType(ir.IntType(8), 4 * FLOATS_AT_ONCE)
_FLIPPED = -0x7F7F7F80  # the highest bit of each of four bytes
_LOWER_HALVES = 0x0F0F0F0F  # of each of four bytes
_PAIRS, _SUMS = (
    ("llvm.x86.avx512.pmaddubs.w.512", "llvm.x86.avx512.pmaddw.d.512")
    if WIDE_REGISTERS
    else ("llvm.x86.avx2.pmadd.ub.sw", "llvm.x86.avx2.pmadd.wd")
)


class _Lanes(types.Type):
    """The numba type of a vector register: `number` is the numba type of its lanes, `register` the LLVM type."""

    def __init__(self, number: Kind, register: Kind) -> None:
        super().__init__(f"lanes of {number}")
        self.number, self.register = number, register


@register_model(_Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, lanes: _Lanes) -> None:
        super().__init__(manager, lanes, lanes.register)  # type: ignore[no-untyped-call]


_words, _floats = _Lanes(types.uint64, _WORDS), _Lanes(types.float32, _FLOATS)
_integers = _Lanes(types.int32, _INTEGERS)
_float_array = types.float32[::1]


class _Emitter:
    """Emits the instructions of one call of an operation."""

    def __init__(self, context: Any, builder: Any, signature: Any) -> None:
        self._context, self._signature = context, signature
        self.ir = builder

    def call(self, name: str, result: Kind, *values: Value) -> Value:
        """Call one of LLVM's own functions."""
        kind = ir.FunctionType(result, [value.type for value in values])
        functions = self.ir.module.globals
        return self.ir.call(functions.get(name) or ir.Function(self.ir.module, kind, name), values)

    def address(self, array: Value, index: Value, *, argument: int) -> Value:
        """Return the address of an element of an array, which is the operation's argument of that number."""
        data = self._context.make_array(self._signature.args[argument])(self._context, self.ir, array).data
        return self.ir.gep(data, [index], inbounds=True)

    def load(self, address: Value, kind: Kind, *, align: int) -> Value:
        loaded = self.ir.load(self.ir.bitcast(address, kind.as_pointer()))
        loaded.align = align
        return loaded

    def store(self, lanes: Value, address: Value) -> None:
        """Store a register of numbers of four bytes."""
        self.ir.store(lanes, self.ir.bitcast(address, lanes.type.as_pointer())).align = 4

    def no_result(self) -> Value:
        """Return the value of an operation that has no result."""
        return self._context.get_dummy_value()

    def broadcast(self, kind: Kind, number: Value) -> Value:
        """Return a vector with the number in every lane."""
        undefined = ir.Constant(kind, ir.Undefined)
        first = self.ir.insert_element(undefined, number, ir.Constant(_INT32, 0))
        return self.shuffle(first, undefined, [0] * kind.count)

    def shuffle(self, left: Value, right: Value, lanes: list[int]) -> Value:
        """Return the given lanes of both vectors; those of the right one are numbered after those of the left."""
        return self.ir.shuffle_vector(left, right, ir.Constant(ir.VectorType(_INT32, len(lanes)), lanes))


def _operation(result: Kind, *parameters: Kind) -> Callable[[Operation], Operation]:
    """Turn a function that emits instructions into an operation; a parameter of None accepts any type."""

    def make_intrinsic(emit: Operation) -> Operation:
        def typed(_context: Any, *arguments: Kind) -> tuple[Any, Operation]:
            def generate(context: Any, builder: Any, signature: Any, values: list[Value]) -> Value:
                return emit(_Emitter(context, builder, signature), *values)

            return result(*(declared or given for declared, given in zip(parameters, arguments, strict=True))), generate

        # numba inspects the number of parameters.
        names = [Parameter(f"value_{number}", Parameter.POSITIONAL_OR_KEYWORD) for number in range(1 + len(parameters))]
        typed.__name__, typed.__signature__ = emit.__name__, Signature(names)  # type: ignore[attr-defined]
        return cast(Operation, intrinsic(typed))

    return make_intrinsic


@_operation(types.uint64, types.uint64)
def popcount(emitter: _Emitter, word: Value) -> Value:
    """Return the number of bits that are set."""
    return emitter.ir.ctpop(word)


def _broadcasting(lanes: _Lanes) -> Operation:
    @_operation(lanes, lanes.number)
    def broadcast(emitter: _Emitter, number: Value) -> Value:
        return emitter.broadcast(lanes.register, number)

    return broadcast


def _loading(lanes: _Lanes) -> Operation:
    """Return the operation that loads one register from an array, beginning at an index."""

    @_operation(lanes, None, types.int64)
    def load(emitter: _Emitter, array: Value, index: Value) -> Value:
        address = emitter.address(array, index, argument=0)
        return emitter.load(address, lanes.register, align=lanes.number.bitwidth // 8)

    return load


broadcast_word, broadcast_float = _broadcasting(_words), _broadcasting(_floats)
broadcast_integer = _broadcasting(_integers)
load_words, load_floats, load_integers = _loading(_words), _loading(_floats), _loading(_integers)


@_operation(types.void, None, types.int64)
def prefetch(emitter: _Emitter, words: Value, index: Value) -> Value:
    """Begin to load the cache line of a word that will be read soon."""
    address = emitter.ir.bitcast(emitter.address(words, index, argument=0), ir.IntType(8).as_pointer())
    # To read, into all caches, data.
    emitter.call("llvm.prefetch.p0", ir.VoidType(), address, *(ir.Constant(_INT32, number) for number in (0, 3, 1)))
    return emitter.no_result()


@_operation(_words, _words, types.uint64)
def differing_bits(emitter: _Emitter, words: Value, word: Value) -> Value:
    """Return in how many bits each lane differs from the word."""
    return emitter.call("llvm.ctpop.v8i64", _WORDS, emitter.ir.xor(words, emitter.broadcast(_WORDS, word)))


@_operation(_words, _words, _words)
def add_words(emitter: _Emitter, left: Value, right: Value) -> Value:
    return emitter.ir.add(left, right)


@_operation(_words, _words, _words)
def min_words(emitter: _Emitter, left: Value, right: Value) -> Value:
    """Return the lower number of each lane; numbers must be below 2**32.

    The upper halves are then zero, and 32-bit halves compare in fewer instructions.
    """
    halves = ir.VectorType(ir.IntType(32), 2 * WORDS_AT_ONCE)
    pair = emitter.ir.bitcast(left, halves), emitter.ir.bitcast(right, halves)
    return emitter.ir.bitcast(emitter.call("llvm.umin.v16i32", halves, *pair), _WORDS)


@_operation(types.int64, _words)
def min_lane(emitter: _Emitter, words: Value) -> Value:
    """Return the lowest number of all lanes; numbers must be below 2**16."""
    quarters = emitter.ir.trunc(words, ir.VectorType(ir.IntType(16), WORDS_AT_ONCE))
    return emitter.ir.zext(emitter.call("llvm.vector.reduce.umin.v8i16", ir.IntType(16), quarters), _INT64)


@_operation(types.void, _float_array, types.int64, _floats)
def store_floats(emitter: _Emitter, array: Value, index: Value, floats: Value) -> Value:
    """Store all lanes in the array, beginning at the index."""
    emitter.store(floats, emitter.address(array, index, argument=0))
    return emitter.no_result()


@_operation(types.void, types.int32[::1], types.int64, _integers)
def store_integers(emitter: _Emitter, array: Value, index: Value, integers: Value) -> Value:
    """Store all lanes in the array, beginning at the index."""
    emitter.store(integers, emitter.address(array, index, argument=0))
    return emitter.no_result()


@_operation(_integers, _integers, _integers, types.int32)
def add_products(emitter: _Emitter, totals: Value, integers: Value, four: Value) -> Value:
    """Return the totals, each plus four products: of the unsigned bytes of its lane with the signed bytes of `four`."""
    if BYTE_PRODUCTS != "vpdpbusd":
        return _add_products_in_steps(emitter, totals, integers, four)
    factors = emitter.ir.bitcast(emitter.broadcast(_INTEGERS, four), _BYTES)
    name = f"llvm.x86.avx512.vpdpbusd.{32 * FLOATS_AT_ONCE}"
    return emitter.call(name, _INTEGERS, totals, emitter.ir.bitcast(integers, _BYTES), factors)


@_operation(_integers, _integers, _integers, types.int32)
def add_products_in_steps(emitter: _Emitter, totals: Value, integers: Value, four: Value) -> Value:
    """Do the same without VNNI: a sum of two products must fit 16 bits."""
    return _add_products_in_steps(emitter, totals, integers, four)


def _add_products_in_steps(emitter: _Emitter, totals: Value, integers: Value, four: Value) -> Value:
    factors = emitter.ir.bitcast(emitter.broadcast(_INTEGERS, four), _BYTES)
    pairs = emitter.call(_PAIRS, _SHORTS, emitter.ir.bitcast(integers, _BYTES), factors)
    return emitter.ir.add(totals, emitter.call(_SUMS, _INTEGERS, pairs, _constant(_SHORTS, 1)))


@_operation(_integers, types.uint8[::1], types.int64)
def load_lower_halves(emitter: _Emitter, data: Value, index: Value) -> Value:
    """Load a register of bytes from an index, and return their lower halves."""
    integers = emitter.load(emitter.address(data, index, argument=0), _INTEGERS, align=1)
    return emitter.ir.and_(integers, _constant(_INTEGERS, _LOWER_HALVES))


@_operation(_integers, types.uint8[::1], types.int64)
def load_upper_halves(emitter: _Emitter, data: Value, index: Value) -> Value:
    """Load a register of bytes from an index, and return their upper halves."""
    integers = emitter.load(emitter.address(data, index, argument=0), _INTEGERS, align=1)
    return emitter.ir.and_(emitter.ir.lshr(integers, _constant(_INTEGERS, 4)), _constant(_INTEGERS, _LOWER_HALVES))


@_operation(_floats, types.uint8[::1], types.int64)
def load_float16(emitter: _Emitter, data: Value, index: Value) -> Value:
    """Load a register of float16 from an index of bytes."""
    kind = ir.VectorType(ir.IntType(16), FLOATS_AT_ONCE)
    numbers = emitter.load(emitter.address(data, index, argument=0), kind, align=1)
    return _to_floats(emitter, numbers, _FLOATS, _INTEGERS)


@_operation(_floats, _integers)
def to_floats(emitter: _Emitter, integers: Value) -> Value:
    """Convert each lane to a floating-point number."""
    return emitter.ir.sitofp(integers, _FLOATS)


@_operation(_floats, _floats, _floats)
def multiply_floats(emitter: _Emitter, left: Value, right: Value) -> Value:
    return emitter.ir.fmul(left, right)


@_operation(_integers, _integers, _integers)
def max_integers(emitter: _Emitter, left: Value, right: Value) -> Value:
    """Return the higher number of each lane."""
    return emitter.call(f"llvm.smax.v{FLOATS_AT_ONCE}i32", _INTEGERS, left, right)


@_operation(types.int32, _integers)
def max_integer_lane(emitter: _Emitter, integers: Value) -> Value:
    """Return the highest number of all lanes."""
    return emitter.call(f"llvm.vector.reduce.smax.v{FLOATS_AT_ONCE}i32", _INT32, integers)


@_operation(_floats, _floats, _floats, types.float32)
def multiply_add(emitter: _Emitter, total: Value, floats: Value, number: Value) -> Value:
    """Return `total + floats * number`, rounded once where the processor does that faster."""
    factor = emitter.broadcast(_FLOATS, number)
    return emitter.call(f"llvm.fmuladd.v{FLOATS_AT_ONCE}f32", _FLOATS, floats, factor, total)


@_operation(_floats, _floats, _floats)
def max_floats(emitter: _Emitter, left: Value, right: Value) -> Value:
    """Return the higher number of each lane."""
    return emitter.call(f"llvm.maxnum.v{FLOATS_AT_ONCE}f32", _FLOATS, left, right)


@_operation(types.float32, _floats)
def max_lane(emitter: _Emitter, floats: Value) -> Value:
    """Return the highest number of all lanes."""
    return emitter.call(f"llvm.vector.reduce.fmax.v{FLOATS_AT_ONCE}f32", ir.FloatType(), floats)


@_operation(types.float32, None)
def to_float(emitter: _Emitter, number: Value) -> Value:
    """Convert an int8 to its value, or an int16 to the float16 that has its bits."""
    return _to_floats(emitter, number, ir.FloatType(), _INT32)


@_operation(types.void, None, *[types.int64] * 3, _float_array, *[types.int64] * 2)
def transpose_block(
    emitter: _Emitter, rows: Value, start: Value, stride: Value, count: Value, out: Value, to: Value, out_stride: Value
) -> Value:
    """Write the columns of a square block as rows of `out`; its sides are FLOATS_AT_ONCE.

    Row i of the block begins at `rows[start + i * stride]`, and column i goes to `out[to + i * out_stride]`. Only the
    first `count` rows exist; the last of them stands in for the others. Numbers are converted as by `to_float`.
    """
    address = emitter.address(rows, start, argument=0)
    kind = ir.VectorType(address.type.pointee, FLOATS_AT_ONCE)
    last = emitter.ir.sub(count, ir.Constant(_INT64, 1))
    block = []
    for number in (ir.Constant(_INT64, number) for number in range(FLOATS_AT_ONCE)):
        row = emitter.ir.select(emitter.ir.icmp_signed("<", number, last), number, last)
        begin = emitter.ir.gep(address, [emitter.ir.mul(row, stride)], inbounds=True)
        block.append(_to_floats(emitter, emitter.load(begin, kind, align=1), _FLOATS, _INTEGERS))
    for number, column in enumerate(_transposed(emitter, block)):
        begin = emitter.ir.add(to, emitter.ir.mul(out_stride, ir.Constant(_INT64, number)))
        emitter.store(column, emitter.address(out, begin, argument=4))
    return emitter.no_result()


@_operation(types.void, None, *[types.int64] * 3, types.int32[::1], types.int64)
def transpose_bytes(
    emitter: _Emitter, rows: Value, start: Value, stride: Value, count: Value, out: Value, to: Value
) -> Value:
    """Write a block of bytes to `out` so that each lane has four bytes of one row, with 128 added to each.

    The block has FLOATS_AT_ONCE rows, of which row i begins at `rows[start + i * stride]`, and four times as many
    columns. Only the first `count` rows exist; the last of them stands in for the others.
    """
    address = emitter.address(rows, start, argument=0)
    last = emitter.ir.sub(count, ir.Constant(_INT64, 1))
    block = []
    for number in (ir.Constant(_INT64, number) for number in range(FLOATS_AT_ONCE)):
        row = emitter.ir.select(emitter.ir.icmp_signed("<", number, last), number, last)
        begin = emitter.ir.gep(address, [emitter.ir.mul(row, stride)], inbounds=True)
        integers = emitter.load(begin, _INTEGERS, align=1)
        block.append(emitter.ir.xor(integers, _constant(_INTEGERS, _FLIPPED)))
    for number, column in enumerate(_transposed(emitter, block)):
        begin = emitter.ir.add(to, ir.Constant(_INT64, number * FLOATS_AT_ONCE))
        emitter.store(column, emitter.address(out, begin, argument=4))
    return emitter.no_result()


@_operation(types.voidptr, types.int64)
def to_pointer(emitter: _Emitter, address: Value) -> Value:
    """Convert an address to an untyped pointer."""
    return emitter.ir.inttoptr(address, ir.IntType(8).as_pointer())


@_operation(types.int64, types.int64[::1])
def fetch_add(emitter: _Emitter, counter: Value) -> Value:
    """Return the first number of the counter and increment it atomically, so that no two threads get the same."""
    first = emitter.address(counter, ir.Constant(_INT64, 0), argument=0)
    return emitter.ir.atomic_rmw("add", first, ir.Constant(_INT64, 1), "monotonic")


def _to_floats(emitter: _Emitter, numbers: Value, floats: Kind, integers: Kind) -> Value:
    """Convert integers, or the bits of float16: exactly for all finite numbers, also without float16 instructions.

    Sign and fraction move to their positions in a float32, and a multiplication corrects the exponent.
    """
    wide = emitter.ir.sext(numbers, integers)
    if _lane_type(numbers.type).width == 8:
        return emitter.ir.sitofp(wide, floats)
    # The mask clears the copies of the sign bit between sign and exponent.
    masked = emitter.ir.and_(emitter.ir.shl(wide, _constant(integers, 13)), _constant(integers, -0x70002000))
    return emitter.ir.fmul(emitter.ir.bitcast(masked, floats), _constant(floats, 2.0**112))


def _lane_type(kind: Kind) -> Kind:
    return kind.element if isinstance(kind, ir.VectorType) else kind


def _constant(kind: Kind, number: float) -> Value:
    return ir.Constant(kind, [number] * kind.count if isinstance(kind, ir.VectorType) else number)


def _transposed(emitter: _Emitter, rows: list[Value]) -> list[Value]:
    """Return the columns of a square block: swap two of its quarters, then two quarters of each, and so on."""
    size = len(rows) // 2
    while size:
        low = [len(rows) + lane - size if lane & size else lane for lane in range(len(rows))]
        high = [lane + size for lane in low]
        for number in [number for number in range(len(rows)) if not number & size]:
            pair = rows[number], rows[number + size]
            rows[number], rows[number + size] = emitter.shuffle(*pair, low), emitter.shuffle(*pair, high)
        size //= 2
    return rows

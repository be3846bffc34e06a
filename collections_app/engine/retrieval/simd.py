"""Operations of compiled loops on several numbers at once, as the registers of a processor hold them.

The compiler finds such operations in plain loops as well. Told of them, it leaves nothing over at the end of a row,
compares small numbers as such, and turns rows into columns without a detour through memory. Each operation writes its
instructions for the compiler (llvmlite.ir); which ones a processor has for them is the compiler's business.
"""

from collections.abc import Callable
from inspect import Parameter, Signature
from typing import Any, cast

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic, models, register_model

from collections_app.engine.retrieval.jit import WIDE

WORDS_AT_ONCE = 8
FLOATS_AT_ONCE = 16 if WIDE else 8

_INDEX, _PLACE = ir.IntType(32), ir.IntType(64)
_WORDS = ir.VectorType(ir.IntType(64), WORDS_AT_ONCE)
_FLOATS = ir.VectorType(ir.FloatType(), FLOATS_AT_ONCE)
_INTEGERS = ir.VectorType(ir.IntType(32), FLOATS_AT_ONCE)


class _Lanes(types.Type):
    """Several numbers of a kind at once, held as the compiler knows them."""

    def __init__(self, number: Any, held: Any) -> None:
        super().__init__(f"several {number}")
        self.number, self.held = number, held


@register_model(_Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: _Lanes) -> None:
        super().__init__(manager, kind, kind.held)  # type: ignore[no-untyped-call]


_words, _floats = _Lanes(types.uint64, _WORDS), _Lanes(types.float32, _FLOATS)
_many_floats = types.float32[::1]


class _Writer:
    """Where an operation writes its instructions."""

    def __init__(self, context: Any, builder: Any, signature: Any) -> None:
        self._context, self._signature = context, signature
        self.ir = builder

    def call(self, name: str, result: Any, *values: Any) -> Any:
        """One of the compiler's own functions."""
        kind = ir.FunctionType(result, [value.type for value in values])
        functions = self.ir.module.globals
        return self.ir.call(functions.get(name) or ir.Function(self.ir.module, kind, name), values)

    def address(self, array: Any, place: Any, *, argument: int) -> Any:
        """Where the array, which is that argument, has its element `place`."""
        data = self._context.make_array(self._signature.args[argument])(self._context, self.ir, array).data
        return self.ir.gep(data, [place], inbounds=True)

    def load(self, address: Any, kind: Any, *, align: int) -> Any:
        """Numbers of that kind from the address on."""
        loaded = self.ir.load(self.ir.bitcast(address, kind.as_pointer()))
        loaded.align = align
        return loaded

    def store(self, floats: Any, address: Any) -> None:
        """They are kept from the address on."""
        self.ir.store(floats, self.ir.bitcast(address, _FLOATS.as_pointer())).align = 4

    def nothing(self) -> Any:
        """What an operation without a result has for one."""
        return self._context.get_dummy_value()

    def filled(self, kind: Any, number: Any) -> Any:
        """That number in each place."""
        nothing = ir.Constant(kind, ir.Undefined)
        first = self.ir.insert_element(nothing, number, ir.Constant(_INDEX, 0))
        return self.chosen(first, nothing, [0] * kind.count)

    def chosen(self, one: Any, other: Any, places: list[int]) -> Any:
        """Numbers of both, by their places in the one and on into the other."""
        return self.ir.shuffle_vector(one, other, ir.Constant(ir.VectorType(_INDEX, len(places)), places))


def _operation(result: Any, *takes: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Makes an operation of a function that writes its instructions; None: it takes what it is given."""

    def operation(write: Callable[..., Any]) -> Callable[..., Any]:
        def typed(_context: Any, *given: Any) -> tuple[Any, Callable[..., Any]]:
            def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
                return write(_Writer(context, builder, signature), *values)

            return result(*(take or kind for take, kind in zip(takes, given, strict=True))), generate

        # The compiler asks how many arguments there are.
        told = [Parameter(f"value_{number}", Parameter.POSITIONAL_OR_KEYWORD) for number in range(1 + len(takes))]
        typed.__name__, typed.__signature__ = write.__name__, Signature(told)  # type: ignore[attr-defined]
        return cast(Callable[..., Any], intrinsic(typed))

    return operation


@_operation(types.uint64, types.uint64)
def ones_of(writer: _Writer, word: Any) -> Any:
    """How many bits of it are set."""
    return writer.ir.ctpop(word)


def _filling(lanes: _Lanes) -> Callable[..., Any]:
    """The operation that has a number in each place."""

    @_operation(lanes, lanes.number)
    def filled(writer: _Writer, number: Any) -> Any:
        return writer.filled(lanes.held, number)

    return filled


def _reading(lanes: _Lanes) -> Callable[..., Any]:
    """The operation that has the numbers of an array from a place on."""

    @_operation(lanes, lanes.number[::1], types.int64)
    def read(writer: _Writer, numbers: Any, place: Any) -> Any:
        return writer.load(writer.address(numbers, place, argument=0), lanes.held, align=lanes.number.bitwidth // 8)

    return read


words_of, floats_of = _filling(_words), _filling(_floats)
words_at, floats_at = _reading(_words), _reading(_floats)


@_operation(_words, _words, types.uint64)
def bits_apart(writer: _Writer, words: Any, word: Any) -> Any:
    """In how many bits each differs from the word."""
    return writer.call("llvm.ctpop.v8i64", _WORDS, writer.ir.xor(words, writer.filled(_WORDS, word)))


@_operation(_words, _words, _words)
def sums(writer: _Writer, one: Any, other: Any) -> Any:
    """Place by place."""
    return writer.ir.add(one, other)


@_operation(_words, _words, _words)
def lower(writer: _Writer, one: Any, other: Any) -> Any:
    """Place by place, of numbers below 2**32: their higher halves are zero, and halves compare in fewer steps."""
    halves = ir.VectorType(ir.IntType(32), 2 * WORDS_AT_ONCE)
    found = writer.call("llvm.umin.v16i32", halves, writer.ir.bitcast(one, halves), writer.ir.bitcast(other, halves))
    return writer.ir.bitcast(found, _WORDS)


@_operation(types.int64, _words)
def lowest(writer: _Writer, numbers: Any) -> Any:
    """Of all, which are below 2**16."""
    quarters = writer.ir.trunc(numbers, ir.VectorType(ir.IntType(16), WORDS_AT_ONCE))
    return writer.ir.zext(writer.call("llvm.vector.reduce.umin.v8i16", ir.IntType(16), quarters), _PLACE)


@_operation(types.void, _many_floats, types.int64, _floats)
def keep_floats(writer: _Writer, numbers: Any, place: Any, floats: Any) -> Any:
    """They become the numbers from there on."""
    writer.store(floats, writer.address(numbers, place, argument=0))
    return writer.nothing()


@_operation(_floats, _floats, _floats, types.float32)
def plus_products(writer: _Writer, so_far: Any, floats: Any, number: Any) -> Any:
    """What there is so far and, place by place, the products with the number; rounded once where that is quicker."""
    return writer.call(f"llvm.fmuladd.v{FLOATS_AT_ONCE}f32", _FLOATS, floats, writer.filled(_FLOATS, number), so_far)


@_operation(_floats, _floats, _floats)
def higher(writer: _Writer, one: Any, other: Any) -> Any:
    """Place by place."""
    return writer.call(f"llvm.maxnum.v{FLOATS_AT_ONCE}f32", _FLOATS, one, other)


@_operation(types.float32, _floats)
def highest(writer: _Writer, floats: Any) -> Any:
    """Of all."""
    return writer.call(f"llvm.vector.reduce.fmax.v{FLOATS_AT_ONCE}f32", ir.FloatType(), floats)


@_operation(types.float32, None)
def as_float(writer: _Writer, number: Any) -> Any:
    """A whole number of 8 bits as it is; 16 bits are those of a half."""
    return _as_floats(writer, number, ir.FloatType(), ir.IntType(32))


@_operation(types.void, None, *[types.int64] * 3, _many_floats, *[types.int64] * 2)
def turn(writer: _Writer, rows: Any, place: Any, each: Any, count: Any, into: Any, to: Any, apart: Any) -> Any:
    """A square of numbers, whose rows begin `each` from another, becomes columns that begin `apart` from another.

    There are as many rows as floats at once, and as many numbers in each; those after the first `count` are the last
    of these. The numbers are told as `as_float` takes them.
    """
    address = writer.address(rows, place, argument=0)
    kind = ir.VectorType(address.type.pointee, FLOATS_AT_ONCE)
    last = writer.ir.sub(count, ir.Constant(_PLACE, 1))
    read = []
    for number in (ir.Constant(_PLACE, number) for number in range(FLOATS_AT_ONCE)):
        row = writer.ir.select(writer.ir.icmp_signed("<", number, last), number, last)
        begin = writer.ir.gep(address, [writer.ir.mul(row, each)], inbounds=True)
        read.append(_as_floats(writer, writer.load(begin, kind, align=1), _FLOATS, _INTEGERS))
    for number, column in enumerate(_turned(writer, read)):
        begin = writer.ir.add(to, writer.ir.mul(apart, ir.Constant(_PLACE, number)))
        writer.store(column, writer.address(into, begin, argument=4))
    return writer.nothing()


@_operation(types.voidptr, types.int64)
def pointer_to(writer: _Writer, address: Any) -> Any:
    """What is at that address, whose kind is not told."""
    return writer.ir.inttoptr(address, ir.IntType(8).as_pointer())


@_operation(types.int64, types.int64[::1])
def next_of(writer: _Writer, counter: Any) -> Any:
    """The first number of the counter, which becomes one more; nobody else gets the same."""
    first = writer.address(counter, ir.Constant(_PLACE, 0), argument=0)
    return writer.ir.atomic_rmw("add", first, ir.Constant(_PLACE, 1), "monotonic")


def _as_floats(writer: _Writer, numbers: Any, floats: Any, integers: Any) -> Any:
    """Of halves, exact for all finite numbers, on processors that know no halves as well.

    Sign and digits go to their places, and the exponent is mended by a product.
    """
    wide = writer.ir.sext(numbers, integers)
    if _scalar(numbers.type).width == 8:
        return writer.ir.sitofp(wide, floats)
    # Without what a sign has left between.
    cleared = writer.ir.and_(writer.ir.shl(wide, _constant(integers, 13)), _constant(integers, -0x70002000))
    return writer.ir.fmul(writer.ir.bitcast(cleared, floats), _constant(floats, 2.0**112))


def _scalar(kind: Any) -> Any:
    return kind.element if isinstance(kind, ir.VectorType) else kind


def _constant(kind: Any, number: float) -> Any:
    return ir.Constant(kind, [number] * kind.count if isinstance(kind, ir.VectorType) else number)


def _turned(writer: _Writer, rows: list[Any]) -> list[Any]:
    """The columns: two quarters of the square change places, then two of each quarter, until there are none."""
    size = len(rows) // 2
    while size:
        near = [len(rows) + place - size if place & size else place for place in range(len(rows))]
        far = [place + size for place in near]
        for number in [number for number in range(len(rows)) if not number & size]:
            pair = rows[number], rows[number + size]
            rows[number], rows[number + size] = writer.chosen(*pair, near), writer.chosen(*pair, far)
        size //= 2
    return rows

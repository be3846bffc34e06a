"""Bits that differ, counted in eight words at a time: the loop behind the first look at a million pages.

The compiler finds instructions for eight words in a plain loop as well. Told so, it makes about half as many: nothing
is left over at the end of a page, small numbers are compared as such, and the least of eight is found by one of them.
"""

from collections.abc import Callable
from inspect import Parameter, Signature
from typing import Any, cast

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic, models, register_model
from numpy.typing import NDArray

from collections_app.engine.compiled import compiled

AT_ONCE = 8
"""The vectors of a page are a multiple of it."""

_Words = NDArray[np.uint64]
_Numbers = NDArray[np.int64]
_Floats = NDArray[np.float32]

_WORDS = types.uint64[::1]
_EIGHT = ir.VectorType(ir.IntType(64), AT_ONCE)
_HALVES = ir.VectorType(ir.IntType(32), 2 * AT_ONCE)
_QUARTERS = ir.VectorType(ir.IntType(16), AT_ONCE)


class _Eight(types.Type):
    """Eight words in a register of the processor, or in as many as it takes."""

    def __init__(self) -> None:
        super().__init__("eight words")


@register_model(_Eight)
class _EightModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _EIGHT)  # type: ignore[no-untyped-call]


_eight = _Eight()


def _operation(result: Any, *takes: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Makes a compiled loop's operation of a function that writes its instructions."""

    def operation(write: Callable[..., Any]) -> Callable[..., Any]:
        def typed(_context: Any, *_kinds: Any) -> tuple[Any, Callable[..., Any]]:
            def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
                return write(context, builder, signature, *values)

            return result(*takes), generate

        # The compiler asks how many arguments there are.
        told = [Parameter(f"value_{number}", Parameter.POSITIONAL_OR_KEYWORD) for number in range(1 + len(takes))]
        typed.__name__, typed.__signature__ = write.__name__, Signature(told)  # type: ignore[attr-defined]
        return cast(Callable[..., Any], intrinsic(typed))

    return operation


def _called(builder: Any, name: str, result: Any, *values: Any) -> Any:
    kind = ir.FunctionType(result, [value.type for value in values])
    return builder.call(builder.module.globals.get(name) or ir.Function(builder.module, kind, name), values)


def _filled(builder: Any, word: Any) -> Any:
    nothing = ir.Constant(_EIGHT, ir.Undefined)
    first = builder.insert_element(nothing, word, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(first, nothing, ir.Constant(ir.VectorType(ir.IntType(32), AT_ONCE), None))


@_operation(_eight, types.uint64)
def _eight_times(_context: Any, builder: Any, _signature: Any, word: Any) -> Any:
    return _filled(builder, word)


@_operation(_eight, _WORDS, types.int64)
def _at(context: Any, builder: Any, signature: Any, words: Any, place: Any) -> Any:
    """The eight words from there on."""
    data = context.make_array(signature.args[0])(context, builder, words).data
    found = builder.load(builder.bitcast(builder.gep(data, [place], inbounds=True), _EIGHT.as_pointer()))
    found.align = 8
    return found


@_operation(_eight, _eight, types.uint64)
def _apart(_context: Any, builder: Any, _signature: Any, words: Any, word: Any) -> Any:
    """In how many bits each differs from the word."""
    return _called(builder, "llvm.ctpop.v8i64", _EIGHT, builder.xor(words, _filled(builder, word)))


@_operation(_eight, _eight, _eight)
def _sum(_context: Any, builder: Any, _signature: Any, one: Any, other: Any) -> Any:
    return builder.add(one, other)


@_operation(_eight, _eight, _eight)
def _lower(_context: Any, builder: Any, _signature: Any, one: Any, other: Any) -> Any:
    """Place by place, of numbers below 2**32: their higher halves are zero, and halves compare in fewer steps."""
    halves = [builder.bitcast(numbers, _HALVES) for numbers in (one, other)]
    return builder.bitcast(_called(builder, "llvm.umin.v16i32", _HALVES, *halves), _EIGHT)


@_operation(types.int64, _eight)
def _lowest(_context: Any, builder: Any, _signature: Any, numbers: Any) -> Any:
    """Of all eight, which are below 2**16."""
    quarters = builder.trunc(numbers, _QUARTERS)
    found = _called(builder, "llvm.vector.reduce.umin.v8i16", ir.IntType(16), quarters)
    return builder.zext(found, ir.IntType(64))


@compiled("void(uint64[::1], int64[::1], int64[::1], uint64[:, ::1], float32[::1], int64, float32[::1])")
def count(
    words: _Words, starts: _Numbers, rows: _Numbers, signs: _Words, gains: _Floats, dim: int, found: _Floats
) -> None:
    """How well pages answer, bits against bits: each of the query's vectors by the one that differs least from it.

    The words are those of `hamming.Codes`, with as many for each vector as `signs` has.
    """
    each = signs.shape[1]
    for number in range(len(rows)):
        start = starts[rows[number]]
        size = starts[rows[number] + 1] - start
        begin = start * each
        score = np.float32(0)
        for i in range(len(signs)):
            first, second = signs[i, 0], signs[i, 1]
            least = _eight_times(np.uint64(64 * each))
            for j in range(begin, begin + size, AT_ONCE):
                apart = _sum(_apart(_at(words, j), first), _apart(_at(words, j + size), second))
                for w in range(2, each):
                    apart = _sum(apart, _apart(_at(words, j + w * size), signs[i, w]))
                least = _lower(least, apart)
            score += gains[i] * np.float32(dim - 2 * _lowest(least))
        found[number] = score

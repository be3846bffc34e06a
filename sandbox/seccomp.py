"""Filters of system calls, as the kernel takes them: a program of the classic BPF machine."""

import ctypes
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from sandbox import kernel

_EPERM, _ENOSYS = 1, 38
_ALLOW, _ERROR, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
ALLOW = _ALLOW
REFUSE = _ERROR | _EPERM
# As on a kernel without the call, so that libraries use an older one.
ABSENT = _ERROR | _ENOSYS
# Do nothing and report success.
PRETEND = _ERROR

_LOAD, _AND, _RETURN = 0x20, 0x54, 0x06
_IF_EQUAL, _IF_GREATER, _IF_AT_LEAST = 0x15, 0x25, 0x35
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # offsets in the data that a filter sees
_ARCHITECTURE_IDS = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32_CALLS = 0x40000000
_SET_FILTER, _ALL_THREADS = 1, 1
_Instruction: TypeAlias = tuple[int, int, int, int]


class Check(NamedTuple):
    """A condition on an argument, of which only the low 32 bits count: `argument & mask == value`."""

    argument: int
    mask: int
    value: int


@dataclass(frozen=True, slots=True)
class Condition:
    """What happens to a call for which all checks of one of the alternatives hold, and otherwise."""

    alternatives: tuple[tuple[Check, ...], ...]
    then: int
    otherwise: int


@dataclass(frozen=True, slots=True)
class Filter:
    """What happens to the calls that are listed, and to all others."""

    listed: Mapping[str, int | Condition]
    otherwise: int

    def program(self) -> bytes:
        """Return the filter for this architecture; raise OSError if that is unknown."""
        architecture = kernel.architecture()
        if architecture is None:
            raise OSError("system calls can be filtered on x86-64 and 64-bit ARM only")
        numbers = kernel.numbers()
        code: list[_Instruction] = [
            (_LOAD, 0, 0, _ARCHITECTURE),
            (_IF_EQUAL, 1, 0, _ARCHITECTURE_IDS[architecture]),
            (_RETURN, 0, 0, _KILL),
            (_LOAD, 0, 0, _NUMBER),
            (_IF_AT_LEAST, 0, 1, _X32_CALLS),
            (_RETURN, 0, 0, _KILL),
            (_IF_GREATER, 0, 1, kernel.NEWEST),
            (_RETURN, 0, 0, ABSENT),
        ]
        for name, rule in self.listed.items():
            if name in numbers:
                answer = list(_conditional(rule)) if isinstance(rule, Condition) else [(_RETURN, 0, 0, rule)]
                code += [(_IF_EQUAL, 0, len(answer), numbers[name]), *answer]
        code.append((_RETURN, 0, 0, self.otherwise))
        return b"".join(struct.pack("=HBBI", *instruction) for instruction in code)


def install(call_filter: Filter) -> None:
    """Put the filter on all threads of this process; raise OSError if the kernel refuses."""
    program = call_filter.program()
    buffer = ctypes.create_string_buffer(program, len(program))
    description = struct.pack("@HP", len(program) // 8, ctypes.addressof(buffer))
    if kernel.call("seccomp", _SET_FILTER, _ALL_THREADS, description) != 0:
        raise OSError("another thread has other filters")


def only_if(*alternatives: tuple[Check, ...]) -> Condition:
    return Condition(alternatives, then=ALLOW, otherwise=REFUSE)


def unless(*alternatives: tuple[Check, ...]) -> Condition:
    return Condition(alternatives, then=REFUSE, otherwise=ALLOW)


def _conditional(condition: Condition) -> Iterator[_Instruction]:
    for checks in condition.alternatives:
        remaining = 3 * len(checks)
        for argument, mask, value in checks:
            remaining -= 3
            yield _LOAD, 0, 0, _ARGUMENTS + 8 * argument
            yield _AND, 0, 0, mask
            yield _IF_EQUAL, 0, remaining + 1, value
        yield _RETURN, 0, 0, condition.then
    yield _RETURN, 0, 0, condition.otherwise

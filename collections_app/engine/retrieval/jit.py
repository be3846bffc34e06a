"""Loops that run as machine code: compiled when their module is loaded, once for each machine, and kept on disk."""

import os
import stat
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba.core.codegen import get_host_cpu_features

Function = TypeVar("Function", bound=Callable[..., object])


# What the loops are made of, apart from their own file.
_OPERATIONS = zlib.crc32(Path(__file__).with_name("simd.py").read_bytes())


def compiled(signature: object) -> Callable[[Function], Function]:
    """Compile the function for arguments of these types; it runs without the lock of the interpreter.

    The types are told so that it happens here, and no request waits for it. Where a function calls another one, both
    must be in one file: what is kept on disk is thrown away only when its own file changes, or `simd`.
    """

    def compile_it(function: Function) -> Function:
        # It is kept under this name.
        function.__qualname__ += f"_{_OPERATIONS:x}"
        return cast(Function, numba.njit(signature, nogil=True, cache=True)(function))

    return compile_it


def keep_where_it_can_be_written() -> None:
    """Next to the sources, which is where the compiler looks by itself; else in a folder of our own."""
    beside = Path(__file__).parent / "__pycache__"
    # The compiler declares its settings while it runs.
    config: Any = numba.config
    if not config.CACHE_DIR and not os.access(beside if beside.exists() else beside.parent, os.W_OK):
        config.CACHE_DIR = str(_private_folder())


def use_wide_registers() -> bool:
    """Those of 512 bits, on processors that lose no speed by it: the ones that count bits in them.

    The compiler leaves them out by itself, for the sake of older ones. It tells whether they are used.
    """
    config: Any = numba.config
    features = get_host_cpu_features()  # type: ignore[no-untyped-call]
    wide = config.CPU_FEATURES is None and "+avx512vpopcntdq" in features.split(",")
    if wide:
        config.CPU_FEATURES = f"{features},-prefer-256-bit"
    return wide


def _private_folder() -> Path:
    """What is read from there is run, so it must be nobody else's."""
    kept = Path(tempfile.gettempdir()) / f"paliapi-compiled-{os.geteuid()}"
    kept.mkdir(mode=0o700, exist_ok=True)
    found = kept.lstat()
    ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o022
    return kept if ours else Path(tempfile.mkdtemp(prefix="paliapi-compiled-"))


keep_where_it_can_be_written()
WIDE = use_wide_registers()

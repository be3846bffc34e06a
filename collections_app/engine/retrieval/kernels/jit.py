"""Compilation of kernels by numba: when their module is loaded, once for each machine, cached on disk."""

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

# Kernels are built from these operations as well as from their own file.
_SIMD_CHECKSUM = zlib.crc32(Path(__file__).with_name("simd.py").read_bytes())


def compiled(signature: object) -> Callable[[Function], Function]:
    """Compile the decorated function for arguments of these types; it runs without the interpreter's lock.

    Because the types are given, compilation happens here and no request waits for it. A function that calls another
    compiled one must be in the same file: numba drops a cached function only when its own file changes.
    """

    def compile_function(function: Function) -> Function:
        # The cache key contains this name, so a change of `simd` recompiles as well.
        function.__qualname__ += f"_{_SIMD_CHECKSUM:x}"
        return cast(Function, numba.njit(signature, nogil=True, cache=True)(function))

    return compile_function


def _choose_cache_folder() -> None:
    """Leave the cache next to the sources, numba's default, unless that folder is read-only."""
    cache = Path(__file__).parent / "__pycache__"
    # numba declares its settings at run time, so they have no types.
    config: Any = numba.config
    if not config.CACHE_DIR and not os.access(cache if cache.exists() else cache.parent, os.W_OK):
        config.CACHE_DIR = str(_private_folder())


def _enable_wide_registers() -> bool:
    """Enable 512-bit registers on processors that lose no speed by them, and return whether they are in use.

    Those are the processors that can count bits in such registers. LLVM avoids them by default because older
    processors lower their clock rate for them.
    """
    config: Any = numba.config
    features = get_host_cpu_features()  # type: ignore[no-untyped-call]
    wide = config.CPU_FEATURES is None and "+avx512vpopcntdq" in features.split(",")
    if wide:
        config.CPU_FEATURES = f"{features},-prefer-256-bit"
    return wide


def _byte_products() -> str | None:
    """Return the instruction of this processor that multiplies bytes and adds the products, or None.

    On other processors than those of x86, and without AVX2, bytes are multiplied as floats.
    """
    config: Any = numba.config
    features = get_host_cpu_features() if config.CPU_FEATURES is None else config.CPU_FEATURES  # type: ignore[no-untyped-call]
    available = set(features.split(","))
    if not {"+avx2", "+fma"} <= available or (WIDE_REGISTERS and "+avx512bw" not in available):
        return None
    newest = {"+avx512vnni"} if WIDE_REGISTERS else {"+avxvnni"}
    return "vpdpbusd" if newest <= available else "vpmaddubsw"


def _private_folder() -> Path:
    """Return a folder that only this user can write to, since its contents are executed."""
    folder = Path(tempfile.gettempdir()) / f"paliapi-compiled-{os.geteuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    private = stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o022
    return folder if private else Path(tempfile.mkdtemp(prefix="paliapi-compiled-"))


_choose_cache_folder()
WIDE_REGISTERS = _enable_wide_registers()
BYTE_PRODUCTS = _byte_products()

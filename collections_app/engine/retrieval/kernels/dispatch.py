"""The kernels in use: compiled ones, or plain NumPy with `NUMBA_DISABLE_JIT=1` or without numba."""

try:
    from numba import config
except ImportError:
    USES_NUMPY = True
else:
    USES_NUMPY = bool(config.DISABLE_JIT)  # type: ignore[attr-defined] # declared at run time

BYTE_PRODUCTS: str | None = None
"""The instruction by which bytes are multiplied, if the processor has one; otherwise they are multiplied as floats."""

if USES_NUMPY:
    from collections_app.engine.retrieval.kernels.numpy_kernels import (
        arrange_words,
        checksum,
        count_bits,
        decode_halves,
        label_clusters,
        merge_clusters,
        merge_vectors,
        sum_by_label,
        sum_over_float_code_pages,
        sum_over_pages,
        unpack_six_bits,
        weigh_bits,
    )
else:
    from collections_app.engine.retrieval.kernels.compiled_checksum import checksum
    from collections_app.engine.retrieval.kernels.compiled_float_codes import sum_over_float_code_pages
    from collections_app.engine.retrieval.kernels.compiled_maxsim import decode_halves, sum_over_pages
    from collections_app.engine.retrieval.kernels.compiled_pooling import (
        label_clusters,
        merge_clusters,
        merge_vectors,
        sum_by_label,
    )
    from collections_app.engine.retrieval.kernels.compiled_sketch import (
        arrange_words,
        count_bits,
        unpack_six_bits,
        weigh_bits,
    )
    from collections_app.engine.retrieval.kernels.jit import BYTE_PRODUCTS

    if BYTE_PRODUCTS is not None:
        from collections_app.engine.retrieval.kernels.compiled_bytes import sum_over_byte_pages
        from collections_app.engine.retrieval.kernels.compiled_codes import sum_over_code_pages

__all__ = [
    "BYTE_PRODUCTS",
    "USES_NUMPY",
    "arrange_words",
    "checksum",
    "count_bits",
    "decode_halves",
    "label_clusters",
    "merge_clusters",
    "merge_vectors",
    "sum_by_label",
    "sum_over_byte_pages",
    "sum_over_code_pages",
    "sum_over_float_code_pages",
    "sum_over_pages",
    "unpack_six_bits",
    "weigh_bits",
]

"""The inner loops of retrieval, each of them twice: compiled by numba, and in plain NumPy.

`dispatch` picks one set when it is imported and is what the other modules use. The compiled set runs by default. With
`NUMBA_DISABLE_JIT=1`, numba's own switch, or where numba is not installed, the NumPy set runs. It gives the same
results up to rounding and uses nothing of numba or llvmlite, but it is much slower, above all in scanning sketches:
`python -m benchmarks.search.kernels` compares the two.

Pooled vectors are small integers. The compiled set multiplies them by `vpdpbusd` or else by `vpmaddubsw`, and as floats
on processors without these, such as those of ARM. All ways give the same sums. `NUMBA_CPU_FEATURES` limits the
instructions that numba may use, and so selects the way.
"""

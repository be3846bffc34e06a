"""The checksum depends on every word and on their order, and equals that of the other kernels."""

import numpy as np
import pytest

from collections_app.engine.retrieval.kernels import compiled_checksum, numpy_kernels


@pytest.mark.parametrize("count", [0, 1, 1023, 1024, 5000])
def test_both_kernels_compute_the_same_checksum_of_read_only_words(count: int) -> None:
    words = np.random.default_rng(count).integers(0, 2**63, count).astype(np.uint64)
    words.flags.writeable = False
    assert compiled_checksum.checksum(words) == numpy_kernels.checksum(words)


def test_checksum_changes_with_every_bit_and_with_the_order_and_number_of_words() -> None:
    words = np.zeros(3000, dtype=np.uint64)
    checksums = {int(compiled_checksum.checksum(words[:count])) for count in (2998, 2999, 3000)}
    for place in (0, 1023, 1024, 2999):
        for bit in (0, 31, 63):
            changed = words.copy()
            changed[place] ^= np.uint64(1) << np.uint64(bit)
            checksums.add(int(compiled_checksum.checksum(changed)))
    assert len(checksums) == 3 + 4 * 3

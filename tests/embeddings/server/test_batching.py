"""Which inputs are computed together."""

from concurrent.futures import Future

from hypothesis import given
from hypothesis import strategies as st

from embeddings.backends.base import Prepared
from embeddings.server.batching import QueuedInput, choose_batch, padded_tokens

LENGTHS = st.lists(st.integers(1, 2000), min_size=1, max_size=200)


def waiting(lengths: list[int]) -> list[QueuedInput]:
    return [QueuedInput(Prepared(length, number), float(number), Future()) for number, length in enumerate(lengths)]


@given(LENGTHS, st.integers(1, 5000), st.integers(1, 64))
def test_a_batch_begins_with_the_oldest_and_stays_within_its_limits(lengths: list[int], budget: int, most: int) -> None:
    queue = waiting(lengths)
    batch = choose_batch(queue, budget=budget, max_size=most)
    assert batch[0] is queue[0]
    assert len(batch) == len(set(map(id, batch))) <= most
    assert len(batch) == 1 or padded_tokens(batch) <= budget


def test_equal_lengths_go_together() -> None:
    queue = waiting([700, 100, 705, 2000, 698, 90, 702])
    assert [one.tokens for one in choose_batch(queue, budget=3000, max_size=4)] == [700, 698, 702, 705]


def test_mixed_lengths_waste_little_on_padding() -> None:
    queue = waiting([256 + (number * 7919) % 769 for number in range(512)])
    real = total = 0
    while queue:
        batch = choose_batch(queue, budget=8 * 768, max_size=8)
        real += sum(one.tokens for one in batch)
        total += padded_tokens(batch)
        queue = [one for one in queue if one not in batch]
    assert (total - real) / total < 0.03

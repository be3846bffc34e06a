"""The choice of a batch."""

from concurrent.futures import Future

from hypothesis import given
from hypothesis import strategies as st

from embeddings.backends.base import Prepared
from embeddings.server.batching import QueuedInput, choose_batch, padded_tokens

LENGTHS = st.lists(st.integers(1, 2000), min_size=1, max_size=200)


def queue_of(lengths: list[int]) -> list[QueuedInput]:
    return [QueuedInput(Prepared(length, number), float(number), Future()) for number, length in enumerate(lengths)]


@given(LENGTHS, st.integers(1, 5000), st.integers(1, 64))
def test_batch_starts_with_the_oldest_and_stays_within_its_limits(
    lengths: list[int], budget: int, max_size: int
) -> None:
    queue = queue_of(lengths)
    batch = choose_batch(queue, budget=budget, max_size=max_size)
    assert batch[0] is queue[0]
    assert len(batch) == len(set(map(id, batch))) <= max_size
    assert len(batch) == 1 or padded_tokens(batch) <= budget


def test_similar_lengths_are_batched_together() -> None:
    queue = queue_of([700, 100, 705, 2000, 698, 90, 702])
    assert [queued.tokens for queued in choose_batch(queue, budget=3000, max_size=4)] == [700, 698, 702, 705]


def test_mixed_lengths_need_little_padding() -> None:
    queue = queue_of([256 + (number * 7919) % 769 for number in range(512)])
    tokens = total = 0
    while queue:
        batch = choose_batch(queue, budget=8 * 768, max_size=8)
        tokens += sum(queued.tokens for queued in batch)
        total += padded_tokens(batch)
        queue = [queued for queued in queue if queued not in batch]
    assert (total - tokens) / total < 0.03

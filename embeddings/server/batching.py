"""Selects the queued inputs of the next batch. Does not depend on clocks or threads."""

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Literal

from embeddings.backends.base import Prepared
from embeddings.contract import MultiVector

Lane = Literal["text", "image", "pair"]

_LOOK_AHEAD = 128


@dataclass(frozen=True, slots=True, eq=False)
class QueuedInput:
    """A prepared input in a lane; `queued_at` is on the monotonic clock."""

    prepared: Prepared
    queued_at: float
    result: Future[MultiVector]

    @property
    def tokens(self) -> int:
        return self.prepared.tokens


def choose_batch(queue: Sequence[QueuedInput], *, budget: int, max_size: int) -> list[QueuedInput]:
    """Return the oldest input and those closest to it in length, as long as the padded batch fits the budget.

    Starting with the oldest prevents starvation; similar lengths keep the padding small.
    """
    oldest = queue[0]
    batch, longest = [oldest], oldest.tokens
    for queued in sorted(queue[1 : 1 + _LOOK_AHEAD], key=lambda queued: abs(queued.tokens - oldest.tokens)):
        if len(batch) == max_size:
            break
        if max(longest, queued.tokens) * (len(batch) + 1) <= budget:
            batch.append(queued)
            longest = max(longest, queued.tokens)
    return batch


def padded_tokens(batch: Sequence[QueuedInput]) -> int:
    """Return the number of tokens of a batch once every input is padded to the longest."""
    return len(batch) * max(queued.tokens for queued in batch)

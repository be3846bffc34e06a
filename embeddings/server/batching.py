"""Which waiting inputs go into the next batch. Pure: no clock, no thread."""

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Literal

from embeddings.backends.base import Prepared
from embeddings.contract import MultiVector

Lane = Literal["text", "image"]

_LOOK_AHEAD = 128


@dataclass(frozen=True, slots=True, eq=False)
class Waiting:
    """One prepared input in a lane; `since` is when it came, on the monotonic clock."""

    prepared: Prepared
    since: float
    done: Future[MultiVector]

    @property
    def tokens(self) -> int:
        return self.prepared.tokens


def choose(waiting: Sequence[Waiting], *, budget: int, most: int) -> list[Waiting]:
    """The oldest and those that are nearest to it in length, while all together, padded, fit the budget.

    Beginning with the oldest means that nobody waits for ever; equal lengths mean little padding.
    """
    oldest = waiting[0]
    batch, longest = [oldest], oldest.tokens
    for one in sorted(waiting[1 : 1 + _LOOK_AHEAD], key=lambda one: abs(one.tokens - oldest.tokens)):
        if len(batch) == most:
            break
        if max(longest, one.tokens) * (len(batch) + 1) <= budget:
            batch.append(one)
            longest = max(longest, one.tokens)
    return batch


def padded(batch: Sequence[Waiting]) -> int:
    """The tokens of a batch once every input is as long as the longest."""
    return len(batch) * max(one.tokens for one in batch)

"""What every function of one search needs to know."""

from dataclasses import dataclass

from accounts.access import Caller
from accounts.ownership import OwnerTransaction
from collections_app.engine.retrieval.stopwatch import Stopwatch
from collections_app.search.scope import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchContext:
    """One attempt at a search: its transaction, the pages it may see, and until when it may run."""

    tx: OwnerTransaction
    caller: Caller
    scope: Scope
    stopwatch: Stopwatch
    deadline: float  # `time.monotonic`
    force_reload: bool = False  # the sketches in memory are known to be outdated
    compact: bool = False  # score codes, even if no collection in scope is compact

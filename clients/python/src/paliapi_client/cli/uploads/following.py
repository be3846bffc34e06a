"""Following documents until they are ready or have failed, with one request for all of them at a time."""

from collections.abc import Callable

from paliapi_client import Client
from paliapi_client.cli.uploads.comparison import IN_FLIGHT
from paliapi_client.cli.uploads.sending import Patience, Stopped

_SHORTEST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 15.0
_DOCUMENTS_PER_S = 100


def follow(
    pali: Client,
    collection: str,
    names: set[str],
    *,
    patience: Patience,
    on_progress: Callable[[int, str], None],
) -> None:
    """Return once none of the documents is being processed; report how many are left, and what they wait for."""
    while True:
        jobs = patience.until_done(lambda: list(pali.jobs.list(collection_name=collection)))
        unfinished = [one for one in jobs if one.document_name in names and one.status in IN_FLIGHT]
        waits = next((one.waiting_for for one in unfinished if one.waiting_for), None) or ""
        on_progress(len(unfinished), waits)
        if not unfinished:
            return
        # A long queue takes the server longer to list, and changes less from one second to the next.
        pause = min(max(len(jobs) / _DOCUMENTS_PER_S, _SHORTEST_PAUSE_S), _LONGEST_PAUSE_S)
        if patience.stop.wait(pause):
            raise Stopped

"""Sending files in parallel, with patience: limits and outages delay an upload, and do not fail it."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any, TypeVar

from paliapi_client import (
    APIError,
    Client,
    ConnectionFailed,
    DeadlineExceeded,
    Forbidden,
    PaliAPIError,
    QuotaExceeded,
    RateLimited,
    Unauthorized,
)
from paliapi_client.cli.complaints import Complaint
from paliapi_client.cli.failures import described
from paliapi_client.cli.uploads.items import Item, Outcome, UrlItem

_Result = TypeVar("_Result")
# After so long without any success, the server is considered gone.
PATIENCE_S = 600.0
# Those of proxies whose server is being restarted, too.
_OUTAGES = frozenset({408, 502, 503, 504})
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 15.0


class Stopped(Exception):
    """The user interrupted the command."""


def is_outage(error: PaliAPIError) -> bool:
    """Return whether an error says that the server is away, and not that the request is wrong."""
    if isinstance(error, APIError):
        return error.status in _OUTAGES
    return isinstance(error, ConnectionFailed | DeadlineExceeded)


class Patience:
    """How long outages may last. Threads share it: the success of one renews the patience of all."""

    def __init__(self, patience_s: float = PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._last_success = time.monotonic()
        self.stop = threading.Event()

    def until_done(self, call: Callable[[], _Result]) -> _Result:
        """Return the result of a call, repeated while the server is busy or unavailable."""
        pause = _FIRST_PAUSE_S
        while True:
            if self.stop.is_set():
                raise Stopped
            try:
                result = call()
            except PaliAPIError as error:
                if is_outage(error):
                    if time.monotonic() - self._last_success > self._patience_s:
                        raise
                elif isinstance(error, RateLimited) and not isinstance(error, QuotaExceeded):
                    # The server is well, and says when to come back.
                    self._last_success = time.monotonic()
                else:
                    raise
                wait_s = getattr(error, "retry_after", None) or pause
            else:
                self._last_success = time.monotonic()
                return result
            self.stop.wait(min(wait_s, 60.0))
            pause = min(pause * 2, _LONGEST_PAUSE_S)


def send_all(
    pali: Client,
    items: list[Item],
    *,
    collection: str,
    parallel: int,
    options: dict[str, Any],
    patience: Patience,
    on_sent: Callable[[Outcome], None],
) -> None:
    """Send items, and report each as it is accepted or refused. An interruption ends the uploads that are under way."""

    def send(item: Item) -> Outcome:
        return _sent(pali, item, collection, options, patience)

    pool = ThreadPoolExecutor(parallel, thread_name_prefix="upload")
    remaining = iter(items)
    running: set[Future[Outcome]] = set()
    try:
        while True:
            # Few are queued at a time, so that what is fetched first does not fill the disk.
            while len(running) < parallel and (item := next(remaining, None)) is not None:
                running.add(pool.submit(send, item))
            if not running:
                return
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                on_sent(future.result())
    finally:
        patience.stop.set()
        pool.shutdown(wait=True, cancel_futures=True)
        patience.stop.clear()


def _sent(pali: Client, item: Item, collection: str, options: dict[str, Any], patience: Patience) -> Outcome:
    try:
        patience.until_done(lambda: _send(pali, item, collection, options, patience))
    except (PaliAPIError, Complaint, OSError) as error:
        if isinstance(error, PaliAPIError) and (is_outage(error) or isinstance(error, Unauthorized | Forbidden)):
            raise  # the others would not get through either
        return Outcome(item, "refused", error=described(error).as_json())
    return Outcome(item, "queued", sent="upload")


def _send(pali: Client, item: Item, collection: str, options: dict[str, Any], patience: Patience) -> None:
    shared = {"name": item.name, "collection_name": collection, "metadata": item.metadata or {}, **options}
    if isinstance(item, UrlItem):
        pali.documents.upload_url(item.url, **shared)
        return

    def stop_if_interrupted(*_progress: Any) -> None:
        if patience.stop.is_set():
            raise Stopped

    with item.file() as path:
        pali.documents.upload(path, on_progress=stop_if_interrupted, **shared)

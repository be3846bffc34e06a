"""An upload of many files: compare, send, follow, and read the result."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from paliapi_client import Client, Forbidden
from paliapi_client.cli.output import Output
from paliapi_client.cli.uploads.comparison import IN_FLIGHT, Stored, is_unchanged, stored_documents
from paliapi_client.cli.uploads.following import follow
from paliapi_client.cli.uploads.items import Item, Outcome
from paliapi_client.cli.uploads.progress import StageBars, stage_bars
from paliapi_client.cli.uploads.sending import Patience, send_all

_HASHED_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class UploadOptions:
    """How files are uploaded."""

    parallel: int = 8
    wait: bool = True
    again: bool = False
    dry_run: bool = False
    # Passed on to the server.
    request: dict[str, Any] = field(default_factory=dict)


class Upload:
    """An upload of files into one collection. `outcomes` is also right after an interruption."""

    def __init__(self, output: Output, pali: Client, collection: str, items: Iterable[Item]) -> None:
        self.collection = collection
        self._output = output
        self._pali = pali
        self._patience = Patience()
        self.outcomes = {item.name: Outcome(item, "not_started") for item in items}

    def run(self, options: UploadOptions) -> None:
        """Upload what the server lacks, and follow all until they are ready."""
        with stage_bars(self._output) as bars:
            total = len(self.outcomes)
            bars.add("check", "Checking", total=total)
            can_read = self._compare(bars, again=options.again)
            to_send = [one for one in self.outcomes.values() if one.status == "not_started"]
            if options.dry_run:
                for outcome in to_send:
                    outcome.status = "planned"
                return
            bars.add("send", "Uploading", total=len(to_send))
            self._send(bars, [one.item for one in to_send], options)
            followed = {name for name, one in self.outcomes.items() if one.status in IN_FLIGHT}
            if options.wait and can_read and followed:
                bars.add("process", "Processing", total=len(followed))
                self._follow(bars, followed)

    def _compare(self, bars: StageBars, *, again: bool) -> bool:
        """Compare the files with the documents of the server; return whether the key may read those."""
        try:
            stored = self._patience.until_done(lambda: stored_documents(self._pali, self.collection, self.outcomes))
        except Forbidden:
            self._output.message("This key cannot read documents, so all files are sent, and not followed.")
            return False

        def compare(outcome: Outcome) -> None:
            document = stored.get(outcome.item.name)
            try:
                if document is not None and not again and is_unchanged(outcome.item, document):
                    self._skip(outcome, document)
            except OSError as error:
                outcome.status = "refused"
                outcome.error = {"code": "file_error", "detail": f"The file cannot be read: {error.strerror}."}
            bars.advance("check")

        pool = ThreadPoolExecutor(_HASHED_AT_ONCE, thread_name_prefix="compare")
        try:
            for _ in pool.map(compare, self.outcomes.values()):
                pass
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
        return True

    def _skip(self, outcome: Outcome, document: Stored) -> None:
        item = outcome.item
        outcome.status = "unchanged" if document.status == "ready" else document.status
        outcome.pages = document.num_pages
        if document.status == "ready" and item.metadata is not None and item.metadata != document.metadata:
            self._patience.until_done(
                lambda: self._pali.documents.update(item.name, collection_name=self.collection, metadata=item.metadata)
            )
            outcome.sent = "metadata"

    def _send(self, bars: StageBars, items: list[Item], options: UploadOptions) -> None:
        def record(outcome: Outcome) -> None:
            self.outcomes[outcome.item.name] = outcome
            bars.advance("send")

        send_all(
            self._pali,
            items,
            collection=self.collection,
            parallel=options.parallel,
            options=options.request,
            patience=self._patience,
            on_sent=record,
        )

    def _follow(self, bars: StageBars, names: set[str]) -> None:
        def show(left: int, waits_for: str) -> None:
            note = f"waiting for {waits_for}" if waits_for else ""
            bars.update("process", done=len(names) - left, note=note)

        follow(self._pali, self.collection, names, patience=self._patience, on_progress=show)
        stored = self._patience.until_done(lambda: stored_documents(self._pali, self.collection, names))
        for name in names:
            outcome = self.outcomes[name]
            document = stored.get(name)
            if document is None:
                outcome.status = "failed"
                outcome.error = {"code": "document_deleted", "detail": "It was deleted meanwhile."}
                continue
            outcome.status = document.status
            outcome.pages = document.num_pages
            outcome.skipped_pages = document.skipped_pages
            outcome.error = document.error

"""What an upload reports at its end, also after an interruption."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from paliapi_client.cli.options import counted
from paliapi_client.cli.output import Output
from paliapi_client.cli.uploads.comparison import IN_FLIGHT
from paliapi_client.cli.uploads.items import Outcome


def report(output: Output, collection: str, outcomes: Iterable[Outcome], *, interrupted: bool = False) -> bool:
    """Write what became of the files; return whether all went well."""
    every = list(outcomes)
    failed = [one for one in every if one.failed]
    if output.json:
        output.document(as_document(collection, every, interrupted=interrupted))
    else:
        output.line(_sentence(collection, every, failed))
    if failed and not output.quiet:
        rows = [(one.item.name, _error(one)["code"], _reason(one)) for one in failed]
        output.failures("Failed", rows)
    return not failed


def as_document(collection: str, outcomes: list[Outcome], *, interrupted: bool) -> dict[str, Any]:
    statuses = Counter("failed" if one.failed else one.status for one in outcomes)
    return {
        "collection_name": collection,
        "interrupted": interrupted,
        "summary": {
            "files": len(outcomes),
            "ready": statuses["ready"],
            "unchanged": statuses["unchanged"],
            "failed": statuses["failed"],
            "processing": sum(statuses[status] for status in IN_FLIGHT),
            "not_started": statuses["not_started"],
            "planned": statuses["planned"],
        },
        "files": [one.as_json() for one in outcomes],
    }


def _sentence(collection: str, outcomes: list[Outcome], failed: list[Outcome]) -> str:
    ready = [one for one in outcomes if one.status == "ready" and not one.failed]
    numbers = (
        ("ready", len(ready)),
        ("unchanged", sum(one.status == "unchanged" for one in outcomes)),
        ("being processed", sum(one.status in IN_FLIGHT for one in outcomes)),
        ("to upload", sum(one.status == "planned" for one in outcomes)),
        ("not started", sum(one.status == "not_started" for one in outcomes)),
        ("failed", len(failed)),
    )
    parts = [f"{number:,} {what}" for what, number in numbers if number]
    pages = sum(one.pages or 0 for one in ready)
    new_pages = f" ({counted(pages, 'page')})" if pages else ""
    return f"{collection}: {counted(len(outcomes), 'file')}: {', '.join(parts)}{new_pages}"


def _error(outcome: Outcome) -> dict[str, Any]:
    return outcome.error or {"code": outcome.status, "detail": f"It was {outcome.status}."}


def _reason(outcome: Outcome) -> str:
    error = _error(outcome)
    page = f" (page {error['page']})" if error.get("page") else ""
    return f"{error['detail']}{page}"

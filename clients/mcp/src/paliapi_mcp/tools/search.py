"""The tool `search`."""

from typing import Annotated, Literal

from mcp_types import CallToolResult
from paliapi_client import AsyncHit
from pydantic import Field

from paliapi_mcp import pictures
from paliapi_mcp.answers import Answer
from paliapi_mcp.arguments import VALID_TEXT, Arguments, JsonObject, Name
from paliapi_mcp.settings import Budget
from paliapi_mcp.tools.tool import Call, ToolSpec, reads
from paliapi_mcp.untrusted import as_json, quoted
from paliapi_mcp.uris import PageAddress

_MAX_METADATA = 300


class SearchArguments(Arguments):
    query: Annotated[
        str, Field(min_length=1, max_length=2_000, description="A question, or words to find."), VALID_TEXT
    ]
    collections: Annotated[
        list[Name] | None, Field(min_length=1, max_length=50, description="Where to search; default: everywhere.")
    ] = None
    filter: Annotated[
        JsonObject | None,
        Field(
            description='Condition on metadata: {"key": "year", "op": "gte", "value": 2024}; op: eq, ne, gt, gte, lt, '
            'lte, in, contains, exists. Combine with {"and": [...]}, {"or": [...]}, {"not": {...}}.'
        ),
    ] = None
    top_k: Annotated[int, Field(ge=1, le=20, description="How many pages to return.")] = 5
    images: Annotated[
        Literal["pages", "regions", "none"],
        Field(description="Show page images, only the regions that match, or none."),
    ] = "pages"
    one_per_document: Annotated[bool, Field(description="Only the best page of each document.")] = False


async def _search(call: Call, arguments: SearchArguments) -> CallToolResult:
    found = await call.client.search(
        arguments.query,
        collections=arguments.collections,
        filter=arguments.filter,
        top_k=arguments.top_k,
        group_by="document" if arguments.one_per_document else None,
        include=["text", "receipt", "regions"] if arguments.images == "regions" else ["text", "receipt"],
        allow_degraded=True,
        images=_images(call.settings.budget, arguments),
    )
    hits = found.hits[: arguments.top_k]
    answer = Answer(call.settings.budget, images=0 if arguments.images == "none" else len(hits), texts=len(hits))
    heading = _heading(len(hits), answer)
    if found.receipt is not None and found.receipt.degraded:
        heading += " The model is unavailable at the moment, so they were found by words alone."
    answer.say(heading)
    for number, hit in enumerate(hits, start=1):
        await _add(answer, number, hit, with_regions=arguments.images == "regions")
    return answer.result()


def _images(budget: Budget, arguments: SearchArguments) -> Literal["url", "base64", "none"]:
    """Ask for links if most images would not be shown."""
    if arguments.images == "none" or not budget.images:
        return "none"
    return "base64" if arguments.top_k <= 2 * budget.images else "url"


def _heading(count: int, answer: Answer) -> str:
    if not count:
        return (
            "No page was found. Try other words, or fewer restrictions; list_collections and list_documents show what "
            "there is, and document_status whether an upload is ready."
        )
    return f"{count} pages, the best first. {answer.quarantine.notice}"


async def _add(answer: Answer, number: int, hit: AsyncHit, *, with_regions: bool) -> None:
    address = PageAddress(hit.collection_name, hit.document_name, hit.page_number)
    facts = [f"{number}. document {quoted(hit.document_name)}, page {hit.page_number}"]
    facts.append(f"collection {quoted(hit.collection_name)}")
    if hit.normalized_score is not None:
        facts.append(f"score {hit.normalized_score:.2f}")
    if hit.document_metadata:
        facts.append(f"metadata {as_json(hit.document_metadata, limit=_MAX_METADATA)}")
    text = hit.text or ""
    page = answer.page_text(text, more="get_page returns all of it") if text.strip() else answer.no_page_text()
    answer.say(f"{', '.join(facts)}\n{page}")
    if answer.shows_more_images:
        boxes = [region.box for region in hit.regions.boxes] if with_regions and hit.regions else []
        await answer.show(hit.image(), box=pictures.around(boxes))
    answer.link(address)


def search_tool(budget: Budget) -> ToolSpec[SearchArguments]:
    return ToolSpec(
        name="search",
        title="Search documents",
        description="Find the pages of the user's documents that answer a question. Returns text and images of pages, "
        f"the best first: at most {budget.images} images, together {budget.image_kb} kB, and {budget.characters} "
        "characters of text.",
        arguments=SearchArguments,
        run=_search,
        scopes=frozenset({"search"}),
        annotations=reads(),
    )

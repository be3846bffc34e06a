"""The tool `get_page`."""

from typing import Annotated

from mcp_types import CallToolResult
from pydantic import AfterValidator, Field

from paliapi_mcp import pictures
from paliapi_mcp.answers import Answer
from paliapi_mcp.arguments import Arguments, Name
from paliapi_mcp.failures import Refused
from paliapi_mcp.settings import Budget
from paliapi_mcp.tools.tool import Call, ToolSpec, reads
from paliapi_mcp.untrusted import quoted
from paliapi_mcp.uris import PageAddress


def _with_an_area(box: pictures.Box) -> pictures.Box:
    left, top, right, bottom = box
    if left >= right or top >= bottom:
        raise ValueError("must be left, top, right, bottom, with left < right and top < bottom")
    return box


_Edge = Annotated[float, Field(ge=0, le=1)]


class GetPageArguments(Arguments):
    document: Annotated[Name, Field(description="Name of the document.")]
    page: Annotated[int, Field(ge=1, le=1_000_000, description="Number of the page, from 1.")]
    collection: Annotated[Name, Field(description="Name of its collection; default: wherever it is.")] = "all"
    image: Annotated[bool, Field(description="Show the image.")] = True
    region: Annotated[
        tuple[_Edge, _Edge, _Edge, _Edge] | None,
        Field(
            description="Show only this part, larger: left, top, right, bottom, as fractions from 0 to 1.",
        ),
        AfterValidator(lambda box: box and _with_an_area(box)),
    ] = None
    text_from: Annotated[int, Field(ge=0, le=10_000_000, description="First character of the text.")] = 0


async def _get_page(call: Call, arguments: GetPageArguments) -> CallToolResult:
    page = await call.client.pages.get(arguments.document, arguments.page, collection_name=arguments.collection)
    answer = Answer(call.settings.budget, images=1, texts=1)
    text = page.text[arguments.text_from :]
    if arguments.text_from and not text:
        raise Refused(f"The text of this page has only {len(page.text)} characters.")
    names = f"Document {quoted(page.document_name)}, page {page.page_number}, collection {quoted(page.collection_name)}"
    facts = [f"{names}. {answer.quarantine.notice}"]
    if page.text_source == "none":
        facts.append(answer.no_page_text())
    else:
        if page.text_source == "ocr":
            facts.append("The text was read from the image, so it may have mistakes.")
        shown = arguments.text_from + call.settings.budget.characters
        facts.append(answer.page_text(text, more=f"continue with text_from={shown}"))
    answer.say("\n".join(facts))
    if arguments.image and answer.shows_more_images:
        image = call.client.pages.image(arguments.document, arguments.page, collection_name=arguments.collection)
        await answer.show(image, box=arguments.region)
    answer.link(PageAddress(page.collection_name, page.document_name, page.page_number))
    return answer.result()


def get_page_tool(budget: Budget) -> ToolSpec[GetPageArguments]:
    return ToolSpec(
        name="get_page",
        title="Read a page",
        description="Read one page of a document: its text, and its image or a region of it. For the pages around a "
        f"hit, for text that was cut, small print. At most {budget.image_kb} kB and {budget.characters} characters.",
        arguments=GetPageArguments,
        run=_get_page,
        scopes=frozenset({"read"}),
        annotations=reads(),
    )

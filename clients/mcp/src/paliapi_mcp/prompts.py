"""Prompts that people choose in their host."""

from collections.abc import Callable
from dataclasses import dataclass

from mcp_types import GetPromptResult, Prompt, PromptArgument, PromptMessage, TextContent

from paliapi_mcp.untrusted import quoted

_MAX_ARGUMENT = 2_000


class BadPrompt(Exception):
    """There is no such prompt, or an argument is missing or too long."""


@dataclass(frozen=True, slots=True)
class _Template:
    prompt: Prompt
    compose: Callable[[dict[str, str]], str]


def _argument(name: str, description: str, *, required: bool = True) -> PromptArgument:
    return PromptArgument(name=name, description=description, required=required)


def _where(arguments: dict[str, str]) -> str:
    collection = arguments.get("collection")
    return f" Search the collection {quoted(collection)} only." if collection else ""


def _answer(arguments: dict[str, str]) -> str:
    return (
        f"Answer this question from my documents, with the tool search: {arguments['question']}\n"
        f"{_where(arguments).strip()} Look at the images of the pages where a table or a figure matters. Cite the "
        "document and the page of every statement, and say what the documents do not answer."
    )


def _summarise(arguments: dict[str, str]) -> str:
    return (
        f"Summarise the document {quoted(arguments['document'])} of the collection {quoted(arguments['collection'])}. "
        "document_status says how many pages it has; read them in order with get_page, with images only where the text "
        "is not enough. Give the purpose, the main points with page numbers, and open questions."
    )


def _compare(arguments: dict[str, str]) -> str:
    return (
        f"Compare what my documents say about: {arguments['topic']}\n{_where(arguments).strip()} Search with "
        "one_per_document, read the best pages, and make a table: document, page, what it says. Point out "
        "contradictions."
    )


_COLLECTION = _argument("collection", "Name of the collection", required=False)
_TEMPLATES = [
    _Template(
        Prompt(
            name="answer",
            title="Answer from documents",
            description="Answer a question from your documents, with sources",
            arguments=[_argument("question", "The question"), _COLLECTION],
        ),
        _answer,
    ),
    _Template(
        Prompt(
            name="summarise",
            title="Summarise a document",
            description="Read a document and summarise it, with page numbers",
            arguments=[
                _argument("document", "Name of the document"),
                _argument("collection", "Name of its collection"),
            ],
        ),
        _summarise,
    ),
    _Template(
        Prompt(
            name="compare",
            title="Compare documents",
            description="Compare what documents say about a topic",
            arguments=[_argument("topic", "The topic"), _COLLECTION],
        ),
        _compare,
    ),
]
PROMPTS = [template.prompt for template in _TEMPLATES]


def compose(name: str, arguments: dict[str, str]) -> GetPromptResult:
    """Return the message of a prompt."""
    template = next((one for one in _TEMPLATES if one.prompt.name == name), None)
    if template is None:
        raise BadPrompt(f"There is no prompt with this name; there are {', '.join(one.name for one in PROMPTS)}.")
    for argument in template.prompt.arguments or []:
        value = arguments.get(argument.name, "")
        if argument.required and not value.strip():
            raise BadPrompt(f"The argument {argument.name} is missing.")
        if len(value) > _MAX_ARGUMENT:
            raise BadPrompt(f"The argument {argument.name} has more than {_MAX_ARGUMENT} characters.")
    text = template.compose(arguments)
    message = PromptMessage(role="user", content=TextContent(text=text))
    return GetPromptResult(description=template.prompt.description, messages=[message])

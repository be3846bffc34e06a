"""What a tool is: its description for the model, its arguments, and what it does."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from mcp_types import CallToolResult, Tool, ToolAnnotations
from paliapi_client import AsyncClient

from paliapi_mcp.arguments import Arguments, schema_of
from paliapi_mcp.settings import Settings

A = TypeVar("A", bound=Arguments)


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a tool: as whom, and with which limits."""

    client: AsyncClient
    settings: Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSpec(Generic[A]):
    name: str
    title: str
    description: str
    arguments: type[A]
    run: Callable[[Call, A], Awaitable[CallToolResult]]
    scopes: frozenset[str]  # what a key needs to be offered the tool
    annotations: ToolAnnotations
    output: dict[str, Any] | None = None

    @property
    def changes_documents(self) -> bool:
        return not self.annotations.read_only_hint

    def listed(self) -> Tool:
        return Tool(
            name=self.name,
            title=self.title,
            description=self.description,
            input_schema=schema_of(self.arguments),
            output_schema=self.output,
            annotations=self.annotations,
        )


def reads(*, idempotent: bool = True) -> ToolAnnotations:
    return ToolAnnotations(read_only_hint=True, idempotent_hint=idempotent, open_world_hint=False)

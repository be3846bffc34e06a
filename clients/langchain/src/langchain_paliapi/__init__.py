"""LangChain with PaliAPI: a retriever of pages, and their images as content blocks for chat models."""

from langchain_paliapi.blocks import content_blocks
from langchain_paliapi.retriever import PaliAPIRetriever

__all__ = ["PaliAPIRetriever", "content_blocks"]

"""LlamaIndex with PaliAPI: a retriever of pages."""

from llama_index.retrievers.paliapi.retriever import PaliAPIRetriever

__all__ = ["PaliAPIRetriever"]

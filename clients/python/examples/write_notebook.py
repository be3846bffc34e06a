"""Write search.ipynb, the example notebook: `python clients/python/examples/write_notebook.py`

The notebook is stored without outputs. Its cells are run against a server by the journey of the client.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

NOTEBOOK = Path(__file__).with_name("search.ipynb")

CELLS = [
    (
        "markdown",
        """# Search documents with PaliAPI

Needs a running PaliAPI, `PALIAPI_URL` and `PALIAPI_API_KEY` in the environment, and `pip install paliapi-client`.
Start it in the root of the checkout, where the sample is.""",
    ),
    (
        "code",
        """from paliapi_client import Client, F

pali = Client()
pali.me()""",
    ),
    ("markdown", "Upload a document, and wait until it is searchable."),
    (
        "code",
        """document = pali.documents.upload(
    "docs/sample/lighthouses.pdf", collection_name="notebook", metadata={"year": 2026}, wait=True
)
document.status, document.num_pages""",
    ),
    (
        "markdown",
        "A result shows its pages with the regions that answer. *Heat map* shows where each page matches.",
    ),
    (
        "code",
        """pali.search("How far is a light seen?", collection_name="notebook", include=["regions"], top_k=3)""",
    ),
    ("markdown", "Filters are expressions. A part of a page is a query, too."),
    (
        "code",
        """page = {"document_name": "lighthouses.pdf", "collection_name": "notebook", "page_number": 2}
crop = {**page, "box": [0.05, 0.05, 0.95, 0.4]}
found = pali.search(crop=crop, collection_name="notebook", filter=F("year") >= 2024, top_k=1)
found.hits[0]""",
    ),
    ("code", """pali.collections.delete("notebook")"""),
]


def notebook() -> dict[str, Any]:
    """Return the notebook in the format of Jupyter."""
    return {
        "cells": [_cell(number, kind, source) for number, (kind, source) in enumerate(CELLS)],
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def _cell(number: int, kind: str, source: str) -> dict[str, Any]:
    cell: dict[str, Any] = {"cell_type": kind, "id": f"cell-{number}", "metadata": {}}
    if kind == "code":
        cell |= {"execution_count": None, "outputs": []}
    return {**cell, "source": source.splitlines(keepends=True)}


def text() -> str:
    """Return the file's content."""
    return json.dumps(notebook(), indent=1) + "\n"


if __name__ == "__main__":
    NOTEBOOK.write_text(text(), encoding="utf-8")

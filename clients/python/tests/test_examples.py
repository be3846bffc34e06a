"""The example notebook is what its script writes."""

from __future__ import annotations

import runpy
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


def test_the_notebook_is_that_of_the_script() -> None:
    script = runpy.run_path(str(EXAMPLES / "write_notebook.py"))
    assert (EXAMPLES / "search.ipynb").read_text() == script["text"]()

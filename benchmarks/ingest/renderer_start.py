"""Measure what a process of its own costs a small file: `python -m benchmarks.ingest.renderer_start`

CPU milliseconds per file, in the worker, the fork server and the process that renders. `start_ms` is a process for an
image of 64 pixels, `page_ms` one for a PDF of one page with 400 words, `same_process_ms` the same page when one process
renders it again and again. So `page_ms` less `same_process_ms` is the most that sharing a process could save.

Prints the figures and writes them to benchmarks/results/renderer_start.json.
"""

import io
import json
import mmap
import os
import statistics
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO

from PIL import Image

from benchmarks.harness.sample_pdf import report
from benchmarks.harness.stack import descendants, own_processor_s
from benchmarks.harness.steal_time import percent, rounds
from collections_app.engine.rendering import child, pdf_renderer
from collections_app.engine.rendering.file_types import sniff
from collections_app.engine.rendering.protocol import Job, RenderLimits, write_page
from collections_app.engine.rendering.render import render

RESULTS = Path(__file__).parents[1] / "results" / "renderer_start.json"
_FILES = 100
_ROUNDS = 5


def main() -> int:
    """Measure, print and write."""
    pdf = report(1)
    acts: dict[str, Callable[[], object]] = {
        "start_ms": lambda: in_a_process(io.BytesIO(_image())),
        "page_ms": lambda: in_a_process(io.BytesIO(pdf)),
        "same_process_ms": lambda: in_this_process(pdf),
    }
    figures: dict[str, float] = {}
    stolen = 0.0
    for name, act in acts.items():
        act()  # the first one starts the server
        measured = rounds(partial(cpu_ms, act), count=_ROUNDS)
        figures[name] = round(statistics.median(one.value for one in measured), 1)
        stolen = max(stolen, percent(measured))
    figures["stolen_percent"] = stolen
    text = json.dumps(figures, indent=2) + "\n"
    sys.stdout.write(text)
    RESULTS.write_text(text, encoding="utf-8")
    return 0


def cpu_ms(act: Callable[[], object]) -> float:
    """Return the CPU milliseconds of one call, in this process and those that it started."""
    before = _cpu_s()
    for _ in range(_FILES):
        act()
    return 1000 * (_cpu_s() - before) / _FILES


def in_a_process(file: IO[bytes]) -> None:
    """Render a file as the worker does."""
    with tempfile.TemporaryFile() as copy:
        copy.write(file.read())
        copy.flush()
        format_ = sniff(copy, max_pixels=100_000_000)
        for _ in render(copy, format_=format_, encoding="jpeg", thumbnails=True):
            pass


def in_this_process(pdf: bytes) -> None:
    """Do the same work, up to the frames that a process writes."""
    content = mmap.mmap(-1, len(pdf))
    content.write(pdf)
    job = Job(renderer=pdf_renderer.__name__, dpi=144, encoding="jpeg", limits=RenderLimits(), thumbnails=True)
    total, pages = pdf_renderer.render_pages(content, job)
    for number, page in enumerate(pages, start=1):
        write_page(io.BytesIO(), child.encode_page(page, number=number, total=total, job=job))


def _cpu_s() -> float:
    return own_processor_s(os.getpid()) + sum(map(own_processor_s, descendants(os.getpid())))


def _image() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "png")
    return out.getvalue()


if __name__ == "__main__":
    sys.exit(main())

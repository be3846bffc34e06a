"""The child process by itself: which frames it writes, and what it imports."""

import io
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from PIL import Image

from collections_app.engine.rendering.formats.base import IMAGE_RENDERER, PDF_RENDERER, TEXT_RENDERER
from collections_app.engine.rendering.protocol import Encoding, Job, RenderedPage, RenderLimits, parse_page, read_frame
from tests.collections_app.engine.rendering.samples import pdf, picture

ROOT = Path(__file__).resolve().parents[4]


def job_for(renderer: str, **fields: object) -> Job:
    return Job(**{"renderer": renderer, "dpi": 72, "encoding": "png", "limits": RenderLimits(), **fields})  # type: ignore[arg-type]


def frames(content: bytes, job: Job) -> list[tuple[dict[str, object], bytes, bytes]]:
    command = [sys.executable, "-B", "-m", "collections_app.engine.rendering.child", job.to_json()]
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.flush()
        done = subprocess.run(command, stdin=file, cwd=ROOT, capture_output=True, check=True, timeout=60)
    out = io.BytesIO(done.stdout)
    return [read_frame(out.read) for _ in iter(lambda: out.tell() < len(done.stdout), False)]


def pages(content: bytes, job: Job) -> list[RenderedPage]:
    (total, _, _), *rendered, (end, _, _) = frames(content, job)
    assert end == {"end": True}
    parsed = [parse_page(*frame) for frame in rendered]
    assert {page.total for page in parsed} <= {total["total"]}
    return parsed


def test_the_total_comes_first_then_the_pages_and_the_end() -> None:
    first, second = pages(pdf("one", "two"), job_for(PDF_RENDERER))
    assert (first.number, first.text, second.number, second.text) == (1, "one", 2, "two")


@pytest.mark.parametrize("encoding", ["png", "jpeg", "webp"])
def test_pages_have_the_requested_encoding(encoding: Encoding) -> None:
    (page,) = pages(b"text", job_for(TEXT_RENDERER, encoding=encoding))
    assert page.content_type == f"image/{encoding}"
    assert Image.open(io.BytesIO(page.image)).format == encoding.upper()


@pytest.mark.parametrize(
    ("size", "expected"),
    [((1000, 1000), (256, 256)), ((100, 2000), (38, 768)), ((20, 10), (20, 10)), ((4000, 1), (256, 1))],
)
def test_thumbnails_fit_their_box_and_are_never_enlarged(size: tuple[int, int], expected: tuple[int, int]) -> None:
    job = job_for(IMAGE_RENDERER, pillow_format="PNG", thumbnails=True)
    (page,) = pages(picture("PNG", size=size), job)
    thumbnail = Image.open(io.BytesIO(page.thumbnail))
    assert (thumbnail.format, thumbnail.size) == ("JPEG", expected)


def test_an_error_is_a_frame_with_its_code() -> None:
    ((header, _, _),) = frames(b"%PDF-1.7 and nothing more", job_for(PDF_RENDERER))
    assert header["error"] == "file_damaged"


def test_an_unexpected_exception_is_a_frame_with_its_cause() -> None:
    ((header, _, _),) = frames(b"", job_for(TEXT_RENDERER))
    assert header["error"] == "render_crashed"
    assert "ValueError" in str(header["cause"])


@pytest.mark.parametrize(
    ("renderer", "unneeded"),
    [
        (IMAGE_RENDERER, {"pypdfium2", "PIL.ImageFont"}),
        (TEXT_RENDERER, {"pypdfium2"}),
        (PDF_RENDERER, {"PIL.ImageFont"}),
    ],
)
def test_only_what_a_renderer_needs_is_imported(renderer: str, unneeded: set[str]) -> None:
    code = (
        "import json, sys; import collections_app.engine.rendering.child; import importlib;"
        f"importlib.import_module({renderer!r}); print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-B", "-c", code], cwd=ROOT, capture_output=True, check=True, env={"PATH": os.defpath}
    )
    imported = set(json.loads(done.stdout))
    assert not imported & {*unneeded, "django", "numpy", "httpx", "collections_app.engine.rendering.formats.registry"}

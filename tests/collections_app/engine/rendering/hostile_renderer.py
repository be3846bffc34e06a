"""A renderer whose library was taken over by the file: it tries everything and reports what was refused.

The file holds the targets as JSON.
"""

import json
import mmap
import threading
from collections.abc import Iterator

from PIL import Image

from collections_app.engine.rendering.protocol import Job, RasterPage
from tests.sandbox.attempts import Targets, run


def render_pages(content: mmap.mmap, job: Job) -> tuple[int, Iterator[RasterPage]]:
    results = dict(run(Targets.from_json(content[:].decode())))
    results["start a thread"] = _thread()
    return 1, iter([RasterPage(Image.new("RGB", (8, 8)), json.dumps(results))])


def _thread() -> str:
    done: list[str] = []
    thread = threading.Thread(target=done.append, args=["succeeded"])
    thread.start()
    thread.join()
    return done[0]

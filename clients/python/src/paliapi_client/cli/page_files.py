"""Page images as files. Their names come from the server, so they are made safe for a file system."""

import re
import tempfile
from pathlib import Path

_UNSAFE = re.compile(r"[^\w.-]+")
_MAX_STEM = 100
_EXTENSIONS = ((b"\x89PNG", ".png"), (b"\xff\xd8\xff", ".jpg"), (b"RIFF", ".webp"))


def save_page(folder: Path, content: bytes, *, rank: int, document_name: str, page_number: int) -> Path:
    """Write a page image into a folder and return its path; the rank keeps names unique and in order."""
    stem = _UNSAFE.sub("-", document_name).strip("-.")[:_MAX_STEM] or "page"
    path = folder / f"{rank:03}-{stem}-p{page_number}{_extension(content)}"
    folder.mkdir(parents=True, exist_ok=True)
    # A link with this name is replaced, not followed.
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".page-", delete=False) as file:
        file.write(content)
    Path(file.name).chmod(0o644)
    return Path(file.name).replace(path)


def _extension(content: bytes) -> str:
    return next((extension for start, extension in _EXTENSIONS if content.startswith(start)), ".bin")

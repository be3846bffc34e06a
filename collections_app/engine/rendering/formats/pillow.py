"""Images that Pillow reads: what their formats have in common."""

import io
from collections.abc import Callable
from typing import IO

from PIL.ImageFile import ImageFile

from collections_app.engine.rendering.errors import FileDamaged
from collections_app.engine.rendering.formats.base import IMAGE_RENDERER, Format, SizeReader


def image_format(
    pillow_format: str,
    *,
    read_size: SizeReader,
    name: str = "",
    extension: str = "",
    multi_page: bool = False,
    renderer: str = IMAGE_RENDERER,
) -> Format:
    """Return the format that Pillow knows by this name, with defaults derived from it."""
    return Format(
        name=name or pillow_format,
        content_type=f"image/{pillow_format.lower()}",
        extension=extension or pillow_format.lower(),
        renderer=renderer,
        pages="each frame is a page; text only by OCR" if multi_page else "one page; text only by OCR",
        read_size=read_size,
        pillow_format=pillow_format,
        multi_page=multi_page,
    )


def size_by(plugin: Callable[[IO[bytes]], ImageFile]) -> SizeReader:
    """Return a reader that takes the size from Pillow's class for the format.

    The class is used instead of `Image.open`, which would warn about sizes by its own standard, in a process that
    serves other requests as well.
    """

    def read_size(file: IO[bytes]) -> tuple[int, int]:
        file.seek(0)
        try:
            # Plugins may close the file that they get, and this one belongs to the caller.
            return plugin(io.BufferedReader(_Unclosable(file))).size
        except Exception as error:
            # Malicious headers make plugins raise almost anything.
            raise damaged_image() from error

    return read_size


def damaged_image() -> FileDamaged:
    return FileDamaged("The image is damaged and cannot be read.")


class _Unclosable(io.RawIOBase):
    """A view of a file that leaves it open when the view is closed."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

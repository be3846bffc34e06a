"""OpenDocument: odt, odp, ods and odg, recognised by the type that their ZIP archive declares in its first entry."""

from typing import IO

from collections_app.engine.rendering import zip_check
from collections_app.engine.rendering.errors import FileDamaged, FileEncrypted
from collections_app.engine.rendering.formats.base import Format, FormatFamily, office_format

_TYPE = "application/vnd.oasis.opendocument."
_BY_TYPE = {
    name.encode(): office_format("OpenDocument", extension, f"{_TYPE}{name}")
    for name, extension in {"text": "odt", "presentation": "odp", "spreadsheet": "ods", "graphics": "odg"}.items()
}
_MANIFEST = b"META-INF/manifest.xml"
_MAX_MANIFEST_BYTES = 4 * 1024 * 1024


def declared_type(head: bytes) -> bytes | None:
    """Return what follows the common prefix of OpenDocument types; None if the archive declares no such type.

    The declaration is an uncompressed entry `mimetype` at the start of the archive.
    """
    name_size, extra_size = (int.from_bytes(head[offset : offset + 2], "little") for offset in (26, 28))
    content, prefix = head[30 + name_size + extra_size : 128], _TYPE.encode()
    if head[30 : 30 + name_size] != b"mimetype" or not content.startswith(prefix):
        return None
    return content.removeprefix(prefix)


def _detect(file: IO[bytes], head: bytes) -> Format | None:
    if not head.startswith(zip_check.SIGNATURE) or (declared := declared_type(head)) is None:
        return None
    entries = {entry.name: entry for entry in zip_check.entries(file)}
    if b"content.xml" not in entries:
        raise FileDamaged
    manifest = entries.get(_MANIFEST)
    if manifest and b"encryption-data" in zip_check.content(file, manifest, limit=_MAX_MANIFEST_BYTES):
        raise FileEncrypted
    return next((format_ for name, format_ in _BY_TYPE.items() if declared.startswith(name)), None)


FAMILY = FormatFamily(formats=tuple(_BY_TYPE.values()), detect=_detect)

import pytest

from collections_app.engine.rendering.errors import FileDamaged, FileEncrypted, UnsupportedType
from collections_app.engine.rendering.formats.open_document import declared_type
from tests.collections_app.engine.rendering.formats.detection import format_of
from tests.collections_app.engine.rendering.samples import odt, open_document, zipped


@pytest.mark.parametrize(
    ("name", "extension"),
    [("text", "odt"), ("presentation", "odp"), ("spreadsheet", "ods"), ("graphics", "odg"), ("text-template", "odt")],
)
def test_the_declared_type_decides(name: str, extension: str) -> None:
    content = open_document(name)
    assert declared_type(content) == name.encode() or (declared_type(content) or b"").startswith(name.encode())
    assert format_of(content).extension == extension


@pytest.mark.parametrize("mimetype", [b"application/epub+zip", b"application/vnd.oasis.opendocument.formula"])
def test_other_declared_types_are_refused(mimetype: bytes) -> None:
    with pytest.raises(UnsupportedType):
        format_of(zipped(("mimetype", mimetype), ("content.xml", b"<x/>")))


def test_a_document_without_content_is_damaged() -> None:
    with pytest.raises(FileDamaged):
        format_of(zipped(("mimetype", b"application/vnd.oasis.opendocument.text")))


def test_encryption_is_detected_in_the_manifest() -> None:
    assert format_of(odt("open")).extension == "odt"
    with pytest.raises(FileEncrypted):
        format_of(odt("secret", encrypted=True))
